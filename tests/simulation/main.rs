//! The offer protocol lived through thousands of days, on one thread, from one seed, by a clock that is told to move: people change
//! their minds, crews fall ill and silent, and everything breaks that can break between the process and the log.
//!
//! Simulated are the store, the reactor, people and phones; real are the domain's deciders, the dispatch process and its planner.
//! `SEED=` lives one day again, `SWITCHBOARD_DAYS=` says how many each test lives. No failure in N days bounds the rate at 3/N with
//! 95 % confidence, no better; that the suite can fail at all is shown by faults planted on purpose.
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
