//! The gRPC way in: transport, admission, one file per service, and the words of the API. Nothing is decided here: a
//! request is read into what a use case takes, and what it answers is put into words.
//!
//! - [`transport`]: the listener with its limits and services; [`transport_errors`], what it refuses by itself
//! - [`admission`], [`call`]: who is let in, and what every call brings beside its body
//! - `read`, [`present`], `clocks`: requests read; tickets, clocks and policies worded
//! - `streaming`: what every server stream has in common
//! - [`tickets`], [`intake`], [`board`], [`admin`], [`dispatch`], [`audit`]: one service each

pub mod admin;
pub mod admission;
pub mod audit;
pub mod board;
pub mod call;
pub(crate) mod clocks;
pub mod dispatch;
pub mod intake;
pub mod present;
pub(crate) mod read;
pub(crate) mod streaming;
pub mod tickets;
pub mod transport;
pub mod transport_errors;
