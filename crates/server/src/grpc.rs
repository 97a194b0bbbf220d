//! The gRPC way in: transport, admission, one file per service. Nothing is decided here; every answer is the engine's or a
//! view's, put into words by `wire`.

pub mod admin;
pub mod admission;
pub mod audit;
pub mod board;
pub mod call;
pub(crate) mod clocks;
pub mod dispatch;
pub mod intake;
pub mod present;
pub(crate) mod streaming;
pub mod tickets;
pub mod transport_errors;
