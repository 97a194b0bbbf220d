//! The read models on disk: what is folded from the log and is too much for memory, each in a file of its own in the data folder.
//!
//! Rows and checkpoint of a file change in one transaction, so it is always true for exactly one position of the log. A file
//! holds nothing personal of callers and nothing that the log does not: whoever deletes it loses time, nothing else. One holds
//! where crews last were, so its owner alone may read any. It is opened by one process (the event store's lock on the folder sees
//! to that), written by one connection and read by a few.
//!
//! - [`list`]: the list of tickets, `views.db`
//! - [`clock_histories`]: what the clocks look at, and what is published, `promises.db`
//! - [`crew_changes`]: which fact told which crew something, `crew_changes.db`
//! - `database`: a file's connections, and when it is marked as damaged
//! - `file`: a file's form, its checkpoint, and when it is replaced by an empty one
//!
//! Every call blocks on a file; an async caller moves it off its thread.

pub mod clocks;
pub mod crew_changes;
mod database;
mod file;
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
