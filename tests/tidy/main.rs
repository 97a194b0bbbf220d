//! The house rules as tests, which a reviewer would otherwise have to remember. They read files and compile nothing.
//! Only `pasted` starts a program: the one that the README tells a newcomer to start.
//!
//! Each test lists all its findings, with file and line. Absent: taste that a machine cannot judge, what clippy and
//! rustfmt check already, and any list of exceptions that may grow.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod crates;
mod language;
mod layers;
mod pages;
mod pasted;
mod positions;
mod protos;
mod reference;
mod source;
mod tree;
