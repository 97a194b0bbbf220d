//! Tests of scripts: the real driver plays them over real gRPC against the pure domain. Every step must be legal, and
//! every ticket must end. Absent: the engine, the store and the views, which the flow tests of the workspace cover.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod recorded;
mod seeded;
mod service;
mod trouble;
mod world;
