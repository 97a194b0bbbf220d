//! Crashes of the whole server: killed at any instant under load, its power cut, its disk full or failing. Afterwards
//! every acknowledged command is in the log exactly once, at the position and revision of its answer. A command whose
//! answer was lost is there whole or not at all, and its repetition gives the outcome. The log verifies, and the list
//! equals one that is rebuilt from nothing.
//!
//! Zero failures in N cycles bound the rate of failure at 3/N with 95 % confidence, no better. A seed repeats the
//! requests and the duration of a run, but not the timing of the machine.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod client;
mod dice;
mod failing_disk;
mod full_disk;
mod kill;
mod ledger;
mod power;
mod shim;
mod town;
