//! The engine over a log in memory: one clock that is told the time, no network, no disk but checkpoints.
//!
//! In reading order: the same request again; engines that share a log; a store with faults; numbers; personal data;
//! the feed; projectors; checkpoints; processes, how they are woken and how they recall; promises that are watched;
//! whole histories against the pure fold. Rules about tickets are tested in `domain`.
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

/// The log that the tests run on: positions without a gap. `tests/gaps` runs the same tests on one with gaps.
fn store() -> switchboard_eventstore::MemoryStore {
    switchboard_eventstore::MemoryStore::new()
}
