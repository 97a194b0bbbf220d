//! Tests of the engine on a log in memory: a manual clock, no network, and no files except checkpoints.
//!
//! In reading order: repeated requests; engines that share a log; a store with faults; numbers; personal data; the
//! feed; projectors; checkpoints; processes, their waking and their recalls; the watch of promises; whole histories
//! compared with the pure fold. Rules about tickets are tested in `domain`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod again;
mod checkpoints;
mod dense;
mod faults;
mod feed;
mod histories;
mod house;
mod nudges;
mod numbers;
mod personal;
mod processes;
mod projectors;
mod promises;
mod recalls;
mod sharing;
mod waking;

/// The log that the tests use: positions without gaps. `tests/gaps` runs the same tests on a log with gaps.
fn store() -> switchboard_eventstore::MemoryStore {
    switchboard_eventstore::MemoryStore::new()
}
