//! The list of tickets in a file: the durable read model behind `List`, numbers and `Identify`.
//!
//! One row a ticket (its [`CaseFile`]), kept in `views.db` in the data folder.
//!
//! Absent on purpose: what a filter means (`views`), who may ask (`access`), and waiting for a position (the engine's
//! feed).

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
use crate::{ReadModelError, database::Database, file};

/// Rows of a page when the caller names no number.
pub const PAGE_ROWS_DEFAULT: usize = 50;
/// The most rows of a page; a greater number is taken for this one.
pub const PAGE_ROWS_MAX: usize = 1000;

/// The list of tickets. Clones share one file.
#[derive(Clone)]
pub struct TicketList(Arc<Database<ListWriter>>);

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
    pub rows: Vec<CaseFile>,
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
    pub open: Vec<CaseFile>,
    /// Tickets in all.
    pub total: u32,
    /// Of those, received at or after the instant asked for.
    pub recent: u32,
    /// The log position that the answer is true for.
    pub position: u64,
}

impl TicketList {
    /// Opens the list in `folder`, and creates it empty where there is none. A file that other code made, and one that
    /// cannot be read, is replaced by an empty one: [`Self::checkpoint`] then says 0, and the caller feeds the log.
    ///
    /// # Errors
    /// [`ReadModelError::Unavailable`] when the folder admits no such file.
    pub fn open(folder: &Path) -> Result<Self, ReadModelError> {
        let begin = |connection, position| Ok(ListWriter::new(connection, position));
        Ok(Self(Arc::new(Database::open(folder, form::form(), begin)?)))
    }

    /// The log position that the list is true for; 0 when it is empty.
    #[must_use]
    pub fn checkpoint(&self) -> u64 {
        self.0.position()
    }

    /// The log and the position that the file is true for.
    #[must_use]
    pub fn place(&self) -> LogPosition {
        self.0.place()
    }

    /// Writes down the log that the file is made from; at no cost when it is known.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn name_log(&self, log: LogId) -> Result<(), ReadModelError> {
        self.0.name_log(log)
    }

    /// Takes the tickets' facts among `facts` into account, in one transaction, and notes that the log was read up to and
    /// including `upto`, which may lie beyond the last of them. Facts at or below the checkpoint were taken before and are
    /// skipped.
    ///
    /// # Errors
    /// Nothing is changed then, and the same facts may be offered again.
    pub fn apply(&self, facts: &[Arc<Fact>], upto: u64) -> Result<(), ReadModelError> {
        self.0.write(|writer| writer.apply(facts, upto))
    }

    /// Empties the list and sets its checkpoint to 0, for a log that turned out to be shorter than the list remembers.
    ///
    /// # Errors
    /// Nothing is changed then.
    pub fn start_over(&self) -> Result<(), ReadModelError> {
        self.0.write(ListWriter::clear)
    }

    /// One page, its total and its position, all of the same instant.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn list(&self, query: &Query) -> Result<Page, ReadModelError> {
        self.0.read(|connection| question::page(connection, query))
    }

    /// The ticket of that number; the earliest should there be two.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn by_number(&self, number: &str) -> Result<Option<TicketId>, ReadModelError> {
        self.0.read(|connection| {
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
    pub fn by_id(&self, id: TicketId) -> Result<Option<CaseFile>, ReadModelError> {
        self.0.read(|connection| question::row(connection, id))
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
        self.0.read(|connection| question::caller(connection, phone_key, account_key, since, limit))
    }

    /// How many tickets there are, by business type and stage. Reads every row's line, some milliseconds per hundred
    /// thousand.
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

    /// The whole list as text, line by line in a fixed order: two lists that say the same differ in no byte of it.
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
