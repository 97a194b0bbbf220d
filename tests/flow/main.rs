//! Tests from the outside: the real binary, real gRPC, with restarts. They do not use the engine's internals.
//!
//! In reading order: whole lives; repeated requests; refusals; the transport; lists; reading at a point of history;
//! personal data; merged tickets; the intake; subscriptions; races; promises; crews and their streams; crews at work;
//! stopping; the data folder; a folder of the previous version; the command line; promises on the command line;
//! imports.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod again;
mod cli;
mod crews;
mod dispatch;
mod drain;
mod family;
mod first_look;
mod folder;
mod import;
mod intake;
mod life;
mod lists;
mod previous_version;
mod privacy;
mod promises;
mod promises_cli;
mod race;
mod reading;
mod refusals;
mod slow_reader;
mod subscription;
mod transport;
