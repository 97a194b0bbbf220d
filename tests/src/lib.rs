//! What the outside tests stand on: the real `switchboard` binary as a child process, the API's clients, and the stories that
//! the tests tell over and over.
//!
//! Modules in reading order: [`stage`], a data folder, servers on it and commands of the binary; [`mod@line`], a connection and who
//! speaks on it; [`command`], one request of any kind; [`story`], whole lives of tickets; [`refusal`], reading a *no*;
//! [`disk`], a small file system of one's own that fills up and loses power; [`field`], days of storm on which dispatch is measured.
//!
//! Absent on purpose: every crate of the engine but the protobuf API, and in [`field`] the dispatcher's. What is tested here is what
//! a stranger meets.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod command;
pub mod disk;
pub mod field;
pub mod line;
pub mod refusal;
pub mod stage;
pub mod story;
