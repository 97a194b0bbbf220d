//! The read models on disk: what is folded from the log and is too large for memory, each in a file of its own.
//!
//! ```text
//!    command ──▶ decide ──▶ append ──▶ [project] ──▶ dispatch ──▶ subscribe
//!    server      domain     eventstore   VIEWS       dispatcher   server
//!       ╰───────────────  engine turns the wheel  ───────────────╯
//!                         wire carries it across
//! ```
//!
//! Modules in reading order:
//!
//! - `file`: a file's form, its checkpoint, and when it is replaced by an empty one
//! - `database`: a file's connections, and when it is marked as damaged
//! - `folded`: the frame of every writer: one transaction for each batch, its rows folded in memory
//! - [`list`]: the list of tickets, `views.db`
//! - [`clocks`]: what the clocks look at, and what is published, `promises.db`
//! - [`crew_changes`]: which fact told which crew something, `crew_changes.db`
//!
//! Invariants, including what is absent:
//!
//! - Rows and checkpoint of a file change in one transaction: a file is always true for exactly one position of the log.
//! - A file holds nothing that the log does not hold. Deleting it costs the time to build it again.
//! - A file that other code made is built again: its version is computed from that code.
//! - A file holds nothing personal of callers. `crew_changes.db` holds where crews were, so the owner alone may read any file.
//! - One process opens a file (the event store's lock on the folder guarantees it). One connection writes, a few read.
//! - How facts fold into a row and what a filter means is not here but in `views`; following the log is `engine`'s.
//!
//! Every call blocks on a file; an async caller moves it off its thread. Start reading at [`list::TicketList`].

pub mod clocks;
pub mod crew_changes;
mod database;
mod file;
mod folded;
pub mod list;

use rusqlite::ErrorCode;

pub use self::{
    clocks::ClockHistories,
    crew_changes::CrewChanges,
    list::{CallerTickets, Cursor, ForeignToken, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX, Page, Query, TicketList},
};

/// Why a read model does not answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadModelError {
    /// The file is damaged: it is marked, and rebuilt from the log at the next opening.
    #[error("a read model is damaged and will be rebuilt at the next start")]
    Corrupt(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file cannot be read or written now: a full disk, a missing permission, an I/O error. Nothing was changed.
    #[error("a read model cannot be read or written")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<rusqlite::Error> for ReadModelError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::TypeMismatch) => {
                Self::Corrupt(Box::new(error))
            }
            _ => Self::Unavailable(Box::new(error)),
        }
    }
}

impl From<serde_json::Error> for ReadModelError {
    /// A row that cannot be read was not written by this code.
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(Box::new(error))
    }
}
