//! How facts, commands and refusals look outside the process, for ever.
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
//! - [`stored`]: facts as JSON with a kind, and the metadata beside them
//! - [`upcast`]: how a kind that is no longer written is still read
//! - [`seal`]: personal data as ciphertext, and keyed hashes
//! - [`proto`]: the protobuf API, generated
//! - [`codec`]: the buffers of its messages
//! - [`command`]: requests become commands of the domain, or every violation at once
//! - [`identity`]: the canonical form of a command, by which a repeated request is recognised
//! - [`answer`]: the domain's words become protobuf's
//! - [`refusal`]: every *no* as a status with reason, details and a sentence in Chinese or English
//! - [`faults`]: what is wrong with a file that a person wrote, line by line
//! - [`section`]: the tables of such a file and their places in it
//! - [`calendar_file`]: a year of a calendar, read from TOML
//! - [`policy_file`]: an operator's policy, read from TOML
//! - [`roster_file`]: crews, read from TOML
//!
//! Invariants, including what is absent: there is no rule about tickets in this crate, no I/O, no clock and no key
//! (a caller brings one). The only randomness is the nonce of a seal. A stored kind is never reused and a stored name never
//! changes its meaning; `tests/golden` holds every kind ever shipped. What cannot be read is an error, never a default.
//! Start reading at [`stored::Stored`], then [`command::TicketRequest`].

pub mod stored;
pub mod upcast;

pub mod seal;

pub mod proto {
    //! The protobuf API, generated from `proto/switchboard/v1`; its documentation is the protos' own.
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
