//! The list of tickets in a file: the durable read model behind `List`, numbers and `Identify`.
//!
//! It has one row a ticket (its [`CaseFile`]), in `views.db` in the data folder.
//!
//! Absent on purpose: the meaning of a filter (`views`), access control (`access`), and waiting for a position (the
//! engine's feed).

mod form;
mod question;
mod token;
mod writer;

#[cfg(test)]
mod tests;

use std::{path::Path, sync::Arc};

use rusqlite::{OptionalExtension, params};
use switchboard_domain::{
    Timestamp,
    fact::Fact,
    position::{LogId, LogPosition},
    read_model::ReadModel,
    ticket::{BusinessType, CaseFile, Stage, TicketId},
};
use switchboard_views::{
    reconciliation::Stock,
    ticket_list::{Filter, Order},
};

pub use self::token::{Cursor, ForeignToken};
use self::writer::ListWriter;
use crate::{
    ReadModelError,
    database::{Database, Question},
    file,
};

/// The number of rows of a page when the caller gives none.
pub const PAGE_ROWS_DEFAULT: usize = 50;
/// The most rows of a page. A greater number is reduced to this.
pub const PAGE_ROWS_MAX: usize = 1000;

/// The most matching rows that are counted for the total of a list: counting further takes as long as reading.
pub const TOTAL_MAX: u64 = 10_000;

/// The list of tickets. Clones share one file.
#[derive(Clone)]
pub struct TicketList(Arc<Database<ListWriter>>);

/// A query of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The filter that selects the rows.
    pub filter: Filter,
    /// The order of the rows.
    pub order: Order,
    /// The number of rows of a page, 1 to [`PAGE_ROWS_MAX`].
    pub page_size: usize,
    /// The end of the previous page; `None` for the first page.
    pub after: Option<Cursor>,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The rows, in order.
    pub rows: Vec<CaseFile>,
    /// The cursor for the next page; `None` on the last page.
    pub next: Option<Cursor>,
    /// The number of matching rows on all pages, counted up to [`TOTAL_MAX`].
    pub total: u64,
    /// True when there are more than `total`.
    pub more_than_total: bool,
    /// The log position of the file when the page was read.
    pub position: u64,
}

/// The tickets of a caller.
#[derive(Clone, Debug, PartialEq)]
pub struct CallerTickets {
    /// The open tickets, latest first, at most as many as requested.
    pub open: Vec<CaseFile>,
    /// The number of all tickets.
    pub total: u32,
    /// The number of tickets received at or after the requested instant.
    pub recent: u32,
    /// The log position of the file when the answer was read.
    pub position: u64,
}

impl TicketList {
    /// Opens the list in `folder`; creates an empty one if there is none. A file that other code made, and one that
    /// cannot be read, is replaced by an empty file: [`Self::checkpoint`] is then 0, and the caller applies the log.
    ///
    /// # Errors
    /// [`ReadModelError::Unavailable`] when the file can be neither opened nor created.
    pub fn open(folder: &Path) -> Result<Self, ReadModelError> {
        let begin = |connection, position| Ok(ListWriter::new(connection, position));
        Ok(Self(Arc::new(Database::open(folder, form::form(), begin)?)))
    }

    /// The position of the last fact in the list; 0 when it is empty.
    #[must_use]
    pub fn checkpoint(&self) -> u64 {
        self.0.position()
    }

    /// The log and the position that the file contains.
    #[must_use]
    pub fn place(&self) -> LogPosition {
        self.0.place()
    }

    /// Records the log that the file is made from. Cheap when it is recorded already.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn name_log(&self, log: LogId) -> Result<(), ReadModelError> {
        self.0.name_log(log)
    }

    /// Applies the tickets' facts among `facts` in one transaction, and stores `upto` as the checkpoint; it may lie
    /// beyond the last fact. Facts at or below the old checkpoint are skipped.
    ///
    /// # Errors
    /// Nothing was changed; the caller may pass the same facts again.
    pub fn apply(&self, facts: &[Arc<Fact>], upto: u64) -> Result<(), ReadModelError> {
        self.0.write(|writer| writer.apply(facts, upto))
    }

    /// Empties the list and sets its checkpoint to 0. For a log that turns out to be shorter than the list.
    ///
    /// # Errors
    /// Nothing was changed.
    pub fn start_over(&self) -> Result<(), ReadModelError> {
        self.0.write(ListWriter::clear)
    }

    /// One page, with its total and its position, from one snapshot. It ends early when `question` is given up.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn list(&self, query: &Query, question: &Question) -> Result<Page, ReadModelError> {
        self.0.answer(question, |connection| question::page(connection, query))
    }

    /// The ticket with this number; the earliest if there are two.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn by_number(&self, number: &str) -> Result<Option<TicketId>, ReadModelError> {
        self.0.read_point(|connection| {
            let found = connection
                .prepare_cached("SELECT id FROM ticket WHERE number = ?1 ORDER BY opened LIMIT 1")?
                .query_row(params![number], |row| row.get::<_, [u8; 16]>(0))
                .optional()?;
            Ok(found.map(|bytes| TicketId(uuid::Uuid::from_bytes(bytes))))
        })
    }

    /// The row of this ticket.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn by_id(&self, id: TicketId) -> Result<Option<CaseFile>, ReadModelError> {
        self.0.read_point(|connection| question::row(connection, id))
    }

    /// The tickets of the caller with this phone or account number, given as keyed hashes: at most `limit` open
    /// tickets, the number of all tickets, and the number received since `since`.
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
        self.0.read_point(|connection| question::caller(connection, phone_key, account_key, since, limit))
    }

    /// The number of tickets by business type and stage. It reads the narrow row of every ticket: some milliseconds per
    /// hundred thousand.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn counts(&self) -> Result<Stock, ReadModelError> {
        self.0.read(|connection| {
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

    /// Passes the whole list to `each` as text, line by line in a fixed order. Equal lists give equal text.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn dump(&self, each: &mut dyn FnMut(&str)) -> Result<(), ReadModelError> {
        self.0.read(|connection| file::dump(connection, &[question::ALL], each))
    }
}

impl ReadModel for TicketList {
    fn name(&self) -> &'static str {
        "ticket_list"
    }

    fn checkpoint(&self) -> u64 {
        TicketList::checkpoint(self)
    }

    fn name_log(&self, log: LogId) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.name_log(log)?)
    }

    fn apply(&self, facts: &[Arc<Fact>], upto: u64) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        TicketList::apply(self, facts, upto).map_err(Into::into)
    }
}
