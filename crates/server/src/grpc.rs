//! The gRPC interface: transport, admission, one file per service, and the mapping to the messages of the API. Nothing
//! is decided here: a request is converted into the input of a use case, and its result into a response.
//!
//! - [`transport`]: the services with their limits; `connections`: the listener; `bodies`: the reading of requests;
//!   [`transport_errors`]: the refusals of the transport itself
//! - [`admission`], [`call`]: back-pressure, and the metadata of every call
//! - `read`, [`present`], `clocks`: reading of requests; presentation of tickets, clocks and policies
//! - `streaming`: the parts that all server streams share
//! - [`tickets`], [`intake`], [`board`], [`admin`], [`dispatch`], [`audit`]: one service each

pub mod admin;
pub mod admission;
pub mod audit;
pub mod board;
pub(crate) mod bodies;
pub mod call;
pub(crate) mod clocks;
pub(crate) mod connections;
pub mod dispatch;
pub mod intake;
pub mod present;
pub(crate) mod read;
pub(crate) mod streaming;
pub mod tickets;
pub mod transport;
pub mod transport_errors;
