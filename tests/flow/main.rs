//! The story from outside: the real binary, real gRPC, a restart in the middle. Nothing here knows how the engine is made.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod life;
