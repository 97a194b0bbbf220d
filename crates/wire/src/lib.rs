//! The external formats: stored facts, protobuf messages, refusals, and files that operators write.
//!
//! ```text
//!    command ──▶ decide ──▶ append ──▶ project ──▶ dispatch ──▶ subscribe
//!    server      domain     eventstore  views       dispatcher   server
//!       ╰───────────────  engine turns the wheel  ───────────────╯
//!                         WIRE CARRIES IT ACROSS
//! ```
//!
//! Modules in reading order:
//!
//! - [`stored`]: facts as JSON, each with a kind and metadata
//! - [`upcast`]: reading of kinds that are no longer written
//! - [`seal`]: encryption of personal data, and keyed hashes
//! - [`proto`]: the generated protobuf API
//! - [`codec`]: the buffers of protobuf messages
//! - [`command`]: conversion of requests to commands, with all violations at once
//! - [`identity`]: the canonical form of a command, by which a repeated request is recognised
//! - [`answer`]: conversion of the domain's words to protobuf
//! - [`refusal`]: every rejection and error as a status with reason, details and a sentence in Chinese or English
//! - [`faults`]: the faults of an operator's file, with their lines
//! - [`section`]: the tables of such a file and their offsets
//! - [`calendar_file`]: a calendar year in TOML
//! - [`policy_file`]: an operator's policy in TOML
//! - [`roster_file`]: crews in TOML
//!
//! Invariants: this crate has no rules about tickets, no I/O, no clock and no keys (callers pass them). The only
//! randomness is the nonce of a seal. A stored kind is never reused, and a stored name never changes its meaning;
//! `tests/golden` contains every kind ever shipped. Data that cannot be read is an error, never a default. Start
//! reading at [`stored::Stored`], then [`command::TicketRequest`].

pub mod stored;
pub mod upcast;

pub mod seal;

pub mod proto {
    //! The protobuf API, generated from `proto/switchboard/v1`. The proto files contain its documentation.
    #![allow(missing_docs, clippy::all, clippy::pedantic, clippy::unwrap_used, clippy::expect_used, rustdoc::all)]
    tonic::include_proto!("switchboard.v1");

    /// The compiled descriptors, for reflection.
    pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));
}

pub mod codec;

pub mod command;

pub mod identity;

pub mod answer;

pub mod refusal;

pub mod faults;

pub mod section;

pub mod calendar_file;

pub mod policy_file;

pub mod roster_file;
