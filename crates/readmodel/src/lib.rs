//! The read models on disk: data that is folded from the log and is too large for memory, each in a file of its own.
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
//! - `file`: a file's form, its checkpoint, and when it is replaced by an empty file
//! - `database`: a file's connections, and when it is marked as damaged
//! - `folded`: the common part of all writers: one transaction for each batch, whose rows are folded in memory
//! - [`list`]: the list of tickets, `views.db`
//! - [`clocks`]: the clock histories and the publications, `promises.db`
//! - [`crew_changes`]: an index of the facts that changed a crew's offers or assignments, `crew_changes.db`
//!
//! Invariants, including what is absent:
//!
//! - Rows and checkpoint of a file change in one transaction, so a file is always true for exactly one position of the
//!   log.
//! - A file contains nothing that is not in the log. If it is deleted, it is rebuilt; this only takes time.
//! - A file that other code made is rebuilt: its version is a fingerprint of that code.
//! - A file contains no personal data of callers. `crew_changes.db` contains positions of crews, so only the owner can
//!   read the files.
//! - One process opens a file (the event store's lock on the folder guarantees it). One connection writes, a few read.
//! - Absent: the folding of facts into a row and the meaning of a filter, which are in `views`; following the log,
//!   which is in `engine`.
//!
//! Every call blocks on a file. An async caller must run it on a blocking thread. Start reading at
//! [`list::TicketList`].

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
    database::Question,
    list::{CallerTickets, Cursor, ForeignToken, PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX, Page, Query, TOTAL_MAX, TicketList},
};

/// The reason why a read model does not answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadModelError {
    /// The file is damaged. It is marked, and rebuilt from the log at the next opening.
    #[error("a read model is damaged and will be rebuilt at the next start")]
    Corrupt(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file cannot be read or written now: a full disk, a missing permission or an I/O error. Nothing was changed.
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
    /// This code did not write a row that it cannot read.
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(Box::new(error))
    }
}
