//! Scripts played by the real driver over real gRPC against the pure domain: every step must be legal, and everything must end.
//! Absent: the engine, the store and the views; those are met in the flow tests of the workspace.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod recorded;
mod seeded;
mod service;
mod trouble;
mod world;
