//! Append-only streams of opaque bytes: one port, one contract, several keepers.
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
//! - `error`: one enum per operation; *unknown outcome* is its own variant
//! - `store`: the port, [`EventStore`], as a contract in words
//! - [`contract`]: the same contract as tests that every keeper runs
//! - `subscription`: catch up, then live, by reading pages only
//! - [`memory`]: the reference keeper
//! - [`sqlite`]: the embedded keeper: group commit, a digest chain, online backup, offline check
//! - [`private`]: the data folder and its files are their owner's alone
//! - [`keys`]: sealing keys for personal data, kept apart from the log so that a person can be forgotten
//!
//! What holds everywhere: an acknowledged append is durable; the log after any crash is a prefix of what was
//! accepted, in order, without holes; an append is whole or absent; damage is said, never shown as absence; every
//! queue, page and cache has a named bound.
//!
//! What is absent: any meaning of the bytes, tickets, JSON, clocks (except to measure a sync), retries,
//! transactions over two streams, deletion. Start reading at [`EventStore`].

mod error;
mod event;
mod name;
mod position;
mod store;
mod subscription;

pub mod contract;
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
