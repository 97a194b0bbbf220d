//! The tests of the engine, run again on a log with the guarantees of a distributed one only: positions have gaps, and
//! an id is known in its own stream only. The tests are those of `tests/engine`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[path = "../engine/again.rs"]
mod again;
#[path = "../engine/checkpoints.rs"]
mod checkpoints;
#[path = "../engine/faults.rs"]
mod faults;
#[path = "../engine/feed.rs"]
mod feed;
#[path = "../engine/histories.rs"]
mod histories;
#[path = "../engine/house.rs"]
mod house;
#[path = "../engine/nudges.rs"]
mod nudges;
#[path = "../engine/numbers.rs"]
mod numbers;
#[path = "../engine/personal.rs"]
mod personal;
#[path = "../engine/processes.rs"]
mod processes;
#[path = "../engine/projectors.rs"]
mod projectors;
#[path = "../engine/promises.rs"]
mod promises;
#[path = "../engine/recalls.rs"]
mod recalls;
#[path = "../engine/sharing.rs"]
mod sharing;
#[path = "../engine/waking.rs"]
mod waking;

mod weaker;

/// The log that the tests use.
fn store() -> switchboard_eventstore::MemoryStore {
    switchboard_eventstore::MemoryStore::with_gaps(95_598)
}
