//! The foundation of the outside tests: the real `switchboard` binary as a child process, clients of the API, and
//! common sequences of requests.
//!
//! Modules in reading order: [`stage`], a data folder, servers on it and commands of the binary; [`mod@line`], a
//! connection and its actor; [`command`], one request of any kind; [`story`], whole lives of tickets; [`refusal`], the
//! contents of a refusal; [`disk`], a small file system that fills up and loses power; [`field`], storm days on which
//! dispatch is measured.
//!
//! Absent on purpose: every crate of the engine except the protobuf API, and in [`field`] the dispatcher. The tests use
//! the product as an outside client does.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod command;
pub mod disk;
pub mod field;
pub mod line;
pub mod refusal;
pub mod stage;
pub mod story;
