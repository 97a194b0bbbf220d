//! The list of tickets in a file: the durable read model behind `List`, numbers and `Identify`.
//!
//! One row a ticket ([`switchboard_views::ticket_list::Row`]), kept in `views.db` in the data folder. Rows and checkpoint
//! change in one transaction, so the file is always true for exactly one position of the log. It holds no personal data
//! and nothing that the log does not: whoever deletes it loses time, nothing else. It is opened by one process (the event
//! store's lock on the folder sees to that), written by one connection and read by a few.
//!
//! Absent on purpose: what a filter means (`views`), who may ask (`access`), and waiting for a position (the engine's feed).
//! Every call blocks on a file; an async caller moves it off its thread.

mod file;
mod question;
mod token;
mod writer;

#[cfg(test)]
mod tests;

use std::{
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use switchboard_domain::{
    Timestamp,
    ticket::{BusinessType, Stage, TicketId},
};
use switchboard_views::{
    Fact,
    reconciliation::Stock,
    ticket_list::{Filter, Order, Row},
};

use self::{file::ViewFile, writer::Writer};
pub use self::{
    file::{FILE_NAME, VIEW_VERSION},
    token::{Cursor, ForeignToken},
};

/// Rows of a page when the caller names no number.
pub const PAGE_ROWS_DEFAULT: usize = 50;
/// The most rows of a page; a greater number is taken for this one.
pub const PAGE_ROWS_MAX: usize = 1000;
/// Connections that read at the same time; more readers wait.
const READERS: usize = 4;

/// The list of tickets. Clones share one file.
#[derive(Clone)]
pub struct TicketList(Arc<Shared>);

struct Shared {
    file: ViewFile,
    // Dropped in this order: the last to close must be one that can write, for it empties the write-ahead log.
    readers: Vec<Mutex<Connection>>,
    writer: Mutex<Writer>,
    next_reader: AtomicUsize,
    position: AtomicU64,
}

/// What is asked of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Which rows.
    pub filter: Filter,
    /// In which order.
    pub order: Order,
    /// How many at once, 1 to [`PAGE_ROWS_MAX`].
    pub page_size: usize,
    /// From where on; from the beginning when absent.
    pub after: Option<Cursor>,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Its rows, in order.
    pub rows: Vec<Row>,
    /// From where the next page goes on; absent on the last.
    pub next: Option<Cursor>,
    /// How many rows match in all.
    pub total: u64,
    /// The log position that the page is true for.
    pub position: u64,
}

/// What the list knows of a caller.
#[derive(Clone, Debug, PartialEq)]
pub struct CallerTickets {
    /// Open tickets, the latest first, as many as were asked for.
    pub open: Vec<Row>,
    /// Tickets in all.
    pub total: u32,
    /// Of those, received at or after the instant asked for.
    pub recent: u32,
    /// The log position that the answer is true for.
    pub position: u64,
}

/// Why the list does not answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadModelError {
    /// The file is damaged: it is marked, and rebuilt from the log at the next opening.
    #[error("the ticket list is damaged and will be rebuilt at the next start")]
    Corrupt(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The file cannot be read or written now: a full disk, a missing permission, an I/O error. Nothing was changed.
    #[error("the ticket list cannot be read or written")]
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

impl TicketList {
    /// Opens the list in `folder`, and creates it empty where there is none. A file of another [`VIEW_VERSION`], and one
    /// that cannot be read, is replaced by an empty one: [`Self::checkpoint`] then says 0, and the caller feeds the log.
    ///
    /// # Errors
    /// [`ReadModelError::Unavailable`] when the folder admits no such file.
    pub fn open(folder: &Path) -> Result<Self, ReadModelError> {
        let file = ViewFile::at(folder);
        let (connection, position) = file.open()?;
        let readers = (0..READERS).map(|_| file.reader().map(Mutex::new)).collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Shared {
            file,
            readers,
            writer: Mutex::new(Writer::new(connection, position)),
            next_reader: AtomicUsize::new(0),
            position: AtomicU64::new(position),
        })))
    }

    /// The log position that the list is true for; 0 when it is empty.
    #[must_use]
    pub fn checkpoint(&self) -> u64 {
        self.0.position.load(Ordering::Acquire)
    }

    /// Takes `facts` into account, in one transaction, and notes that the log was read up to and including `upto`, which
    /// may lie beyond the last of them. Facts at or below the checkpoint were taken before and are skipped.
    ///
    /// # Errors
    /// Nothing is changed then, and the same facts may be offered again.
    pub fn apply(&self, facts: &[Arc<Fact>], upto: u64) -> Result<(), ReadModelError> {
        let mut writer = held(&self.0.writer);
        let position = self.marking(writer.apply(facts, upto))?;
        self.0.position.store(position, Ordering::Release);
        Ok(())
    }

    /// Empties the list and sets its checkpoint to 0, for a log that turned out to be shorter than the list remembers.
    ///
    /// # Errors
    /// Nothing is changed then.
    pub fn start_over(&self) -> Result<(), ReadModelError> {
        let mut writer = held(&self.0.writer);
        self.marking(writer.clear())?;
        self.0.position.store(0, Ordering::Release);
        Ok(())
    }

    /// One page, its total and its position, all of the same instant.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn list(&self, query: &Query) -> Result<Page, ReadModelError> {
        self.read(|connection| question::page(connection, query))
    }

    /// The ticket of that number; the earliest should there be two.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn by_number(&self, number: &str) -> Result<Option<TicketId>, ReadModelError> {
        self.read(|connection| {
            let found = connection
                .prepare_cached("SELECT id FROM ticket WHERE number = ?1 ORDER BY opened LIMIT 1")?
                .query_row(params![number], |row| row.get::<_, [u8; 16]>(0))
                .optional()?;
            Ok(found.map(|bytes| TicketId(uuid::Uuid::from_bytes(bytes))))
        })
    }

    /// The row of that ticket.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn by_id(&self, id: TicketId) -> Result<Option<Row>, ReadModelError> {
        self.read(|connection| question::row(connection, id))
    }

    /// What is known of the caller with this phone or this account number, both by their keyed hashes: at most `limit`
    /// open tickets, and how many of all were received since `since`.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn by_caller(
        &self,
        phone_key: Option<&str>,
        account_key: Option<&str>,
        since: Timestamp,
        limit: usize,
    ) -> Result<CallerTickets, ReadModelError> {
        self.read(|connection| question::caller(connection, phone_key, account_key, since, limit))
    }

    /// How many tickets there are, by business type and stage. Reads every row's line, some milliseconds per hundred thousand.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn counts(&self) -> Result<Stock, ReadModelError> {
        self.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT business_type, stage, count(*) FROM ticket GROUP BY business_type, stage")?;
            let mut found = statement.query([])?;
            let mut stock = Stock::default();
            while let Some(line) = found.next()? {
                let (business, stage): (String, String) = (line.get(0)?, line.get(1)?);
                let business = BusinessType::parse(&business);
                let stage = Stage::ALL.into_iter().find(|known| known.as_str() == stage);
                let (Some(business), Some(stage)) = (business, stage) else {
                    return Err(ReadModelError::Corrupt("an unknown word in the list".into()));
                };
                stock.tickets.insert((business, stage), line.get::<_, i64>(2)?.unsigned_abs());
            }
            Ok(stock)
        })
    }

    /// The whole list as text, line by line in a fixed order: two lists that say the same differ in no byte of it.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn dump(&self, each: &mut dyn FnMut(&str)) -> Result<(), ReadModelError> {
        self.read(|connection| question::dump(connection, each))
    }

    /// Runs `ask` on a free connection, within one snapshot of the file.
    fn read<T>(&self, ask: impl FnOnce(&Connection) -> Result<T, ReadModelError>) -> Result<T, ReadModelError> {
        let mut reader = self.reader();
        let answer = reader.transaction().map_err(ReadModelError::from).and_then(|snapshot| ask(&snapshot));
        self.marking(answer)
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        let readers = &self.0.readers;
        if let Some(free) = readers.iter().find_map(|reader| reader.try_lock().ok()) {
            return free;
        }
        let turn = self.0.next_reader.fetch_add(1, Ordering::Relaxed) % readers.len();
        held(&readers[turn])
    }

    /// Marks the file when an answer shows that it is damaged.
    fn marking<T>(&self, answer: Result<T, ReadModelError>) -> Result<T, ReadModelError> {
        if let Err(error @ ReadModelError::Corrupt(_)) = &answer {
            self.0.file.mark_damaged(error);
        }
        answer
    }
}

/// A lock that outlives a panic: a transaction that was under way was rolled back when it was dropped.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A log position as SQLite keeps it.
fn stored(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}
