//! Append-only streams of opaque bytes: one port, one contract, two implementations.
//!
//! ```text
//!    command ──▶ decide ──▶ [append] ──▶ project ──▶ dispatch ──▶ subscribe
//!    server      domain     EVENTSTORE   views       dispatcher   server
//!       ╰───────────────  engine turns the wheel  ───────────────╯
//!                         wire carries it across
//! ```
//!
//! In reading order:
//!
//! - `name`, `position`, `event`: stream names, opaque positions, revisions, events, and the limits
//! - `error`: one enum per operation; *unknown outcome* is a variant of its own
//! - `store`: the port, [`EventStore`], as a contract in words
//! - [`contract`]: the same contract as tests that every implementation runs
//! - `subscription`: catch up, then live, by reading pages only
//! - [`memory`]: the reference implementation
//! - [`sqlite`]: the embedded implementation: group commit, digest chain, online backup, offline check
//! - [`private`]: the data folder and its files, which only their owner can access
//! - [`episode`]: how a lasting failure is logged and retried, here and in the crates above
//! - [`keys`]: sealing keys for personal data, separate from the log, so that a person's data can be erased
//!
//! Guarantees: an acknowledged append is durable. After any crash the log is a prefix of the accepted appends, in order
//! and without holes. An append is whole or absent. Damage is reported as damage, never as absence. Every queue, page
//! and cache has a named bound.
//!
//! Absent: any meaning of the bytes, tickets, JSON, clocks (except to measure a sync), retries, transactions over two
//! streams, deletion. Start reading at [`EventStore`].

mod error;
mod event;
mod name;
mod position;
mod store;
mod subscription;

pub mod contract;
pub mod episode;
pub mod keys;
pub mod memory;
pub mod private;
pub mod sqlite;

pub use error::{AppendError, Cause, ReadError};
pub use event::{
    APPEND_BYTES_MAX, APPEND_EVENTS_MAX, Appended, Direction, EVENT_BYTES_MAX, Expected, KIND_BYTES_MAX, NewEvent,
    PAGE_EVENTS_MAX, Recorded, Revision, admit,
};
pub use memory::MemoryStore;
pub use name::{InvalidName, STREAM_NAME_BYTES_MAX, StreamName};
pub use position::Position;
pub use sqlite::{SqliteOptions, SqliteStore};
pub use store::{EventStore, Locate};
pub use subscription::{SUBSCRIPTION_EVENTS_MAX, Subscription};
