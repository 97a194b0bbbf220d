//! The story from outside: the real binary, real gRPC, a restart in the middle. Nothing here knows how the engine is made.
//!
//! In reading order: whole lives; the same request again; what is refused and how; what crosses the transport; lists; reading at a
//! point of history; personal data; merged tickets; the intake; subscriptions; racing callers; promises; crews and what they are
//! told; crews at work; stopping; the data folder; a folder of the previous version; the command line, promises on it; imports.
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
