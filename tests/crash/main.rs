//! Crashes of the whole server: killed at any instant under load, its power cut, its disk full or failing. Afterwards every
//! acknowledged command is in the log exactly once, at the position and revision that were answered; a command whose answer was
//! lost is there whole or not at all, and its repetition tells; the log verifies; the list equals one rebuilt from nothing.
//!
//! Zero failures in N cycles bound the rate of failure at 3/N with 95 % confidence, no better. A seed repeats what is asked and
//! how long it takes until the end, not what the machine makes of it in between.
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
