//! Tests of the event store implementations from outside: the contract, histories, refusals, damage, full disks,
//! crashes and power cuts.
//!
//! By default everything here takes seconds. Environment variables raise the counts:
//!
//! | variable | default | what |
//! |---|---|---|
//! | `SWITCHBOARD_HISTORIES` | 24 | random histories compared between SQLite and memory |
//! | `SWITCHBOARD_DAMAGES` | 40 | places of a log that are overwritten, one at a time |
//! | `SWITCHBOARD_KILL_CYCLES` | 30 | kill -9 of a writing process |
//! | `SWITCHBOARD_POWER_CYCLES` | 5 | power cuts under a writing process (root, loop devices, python3) |
//!
//! Tests that need a file system of their own are skipped without root, and print `SKIPPED: ...`.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod stage;

mod contract;
mod histories;
mod writing;

mod backup;
mod damage;
mod refusals;

mod keys;

mod crash;
mod disk;

mod figures;
