//! The offer protocol, simulated over thousands of days on one thread, from one seed, with a clock under control.
//! People change their minds, crews fall ill and silent, and everything between the process and the log fails that can
//! fail.
//!
//! The store, the reactor, people and phones are simulated. The domain's deciders, the dispatch process and its planner
//! are real. `SEED=` repeats one day; `SWITCHBOARD_DAYS=` sets the number of days of each test. No failure in N days
//! bounds the rate at 3/N with 95 % confidence, no better. Planted faults show that the tests can fail.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod days;
mod dice;
mod engine;
mod phones;
mod planted;
mod rest;
mod store;
mod town;
mod watch;
mod words;
mod world;
