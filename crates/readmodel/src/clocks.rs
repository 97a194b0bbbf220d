//! The clock histories of all tickets, and all publications, in a file. Reading them does not read the log.
//!
//! The file is `promises.db` in the data folder. It has one row for each ticket, its [`ClockHistory`], and one for each
//! publication of a policy or of a calendar's year. The [`PolicyRegistry`] is made from the publications at opening.
//!
//! Absent on purpose: verdicts. They change with time alone, so the judge computes them for each query.

mod form;
mod publication;
mod question;
mod writer;

#[cfg(test)]
mod tests;

use std::{ops::ControlFlow, path::Path, sync::Arc};

use switchboard_domain::{
    Timestamp,
    fact::Fact,
    position::{LogId, LogPosition},
    read_model::ReadModel,
    sla::{clock_history::ClockHistory, registry::PolicyRegistry},
    ticket::TicketId,
};
use tokio::sync::watch;

use self::{question::Range, writer::ClockWriter};
use crate::{ReadModelError, database::Database, file};

/// The number of ended tickets, the latest ones, that are loaded as if they were in flight. The watch may have been
/// interrupted before it recorded everything about them.
pub const RECENT_ENDED: u32 = 10_000;
/// The number of clock histories that a scan reads at once. Between two reads it holds no snapshot.
pub const SCAN_ROWS: usize = 1_000;

/// The clock histories. Clones share one file.
#[derive(Clone)]
pub struct ClockHistories {
    database: Arc<Database<ClockWriter>>,
    registry: watch::Receiver<Arc<PolicyRegistry>>,
}

impl ClockHistories {
    /// Opens the clock histories in `folder`; creates an empty file if there is none. A file that other code made, and
    /// one that cannot be read, is replaced by an empty file: [`Self::checkpoint`] is then 0, and the caller applies
    /// the log.
    ///
    /// # Errors
    /// [`ReadModelError::Unavailable`] when the file can be neither opened nor created.
    pub fn open(folder: &Path) -> Result<Self, ReadModelError> {
        let (publish, registry) = watch::channel(Arc::default());
        let begin = |connection, position| {
            publish.send_replace(Arc::new(publication::registry(&connection)?));
            Ok(ClockWriter::new(connection, position, publish.clone()))
        };
        Ok(Self { database: Arc::new(Database::open(folder, form::form(), begin)?), registry })
    }

    /// The position of the last fact in the file; 0 when it is empty.
    #[must_use]
    pub fn checkpoint(&self) -> u64 {
        self.database.position()
    }

    /// The log and the position that the file contains.
    #[must_use]
    pub fn place(&self) -> LogPosition {
        self.database.place()
    }

    /// Records the log that the file is made from. Cheap when it is recorded already.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn name_log(&self, log: LogId) -> Result<(), ReadModelError> {
        self.database.name_log(log)
    }

    /// Applies `facts` in one transaction, and stores `upto` as the checkpoint; it may lie beyond the last fact. Facts
    /// at or below the old checkpoint are skipped.
    ///
    /// # Errors
    /// Nothing was changed; the caller may pass the same facts again.
    pub fn apply(&self, facts: &[Arc<Fact>], upto: u64) -> Result<(), ReadModelError> {
        self.database.write(|writer| writer.apply(facts, upto))
    }

    /// Removes all clock histories and publications and sets the checkpoint to 0. For a log that turns out to be
    /// shorter than the file.
    ///
    /// # Errors
    /// Nothing was changed.
    pub fn start_over(&self) -> Result<(), ReadModelError> {
        self.database.write(ClockWriter::clear)
    }

    /// The registry as of the checkpoint, from memory. If it is read after [`Self::checkpoint`], it contains at least
    /// the publications up to that checkpoint.
    #[must_use]
    pub fn registry(&self) -> Arc<PolicyRegistry> {
        Arc::clone(&self.registry.borrow())
    }

    /// The clock history of this ticket.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn get(&self, id: TicketId) -> Result<Option<ClockHistory>, ReadModelError> {
        self.database.read(|connection| Ok(question::line(connection, id)?.map(|line| line.clock_history)))
    }

    /// The data from which a watch resumes, from one snapshot: the checkpoint, the registry, and the clock histories of
    /// all open tickets and of the [`RECENT_ENDED`] tickets that ended last. About 2 KiB a clock history.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn in_flight(&self) -> Result<(u64, Arc<PolicyRegistry>, Vec<ClockHistory>), ReadModelError> {
        self.in_flight_with(RECENT_ENDED)
    }

    fn in_flight_with(&self, ended_max: u32) -> Result<(u64, Arc<PolicyRegistry>, Vec<ClockHistory>), ReadModelError> {
        self.database.read(|connection| {
            let position = file::position(connection)?;
            // The registry in memory may be newer than this snapshot.
            let registry = Arc::new(publication::registry(connection)?);
            let clock_histories = question::in_flight(connection, ended_max)?;
            Ok((position, registry, clock_histories))
        })
    }

    /// Passes the clock histories of the tickets received from `from` on and before `to` to `each`, until it breaks
    /// off. They come in the order of their receipt, to the microsecond.
    ///
    /// They are read in pages of [`SCAN_ROWS`], each in a snapshot of its own, so a slow `each` delays neither writers
    /// nor readers. The result is the checkpoint at the beginning. A ticket received by then is passed exactly once,
    /// with all of its facts up to then and perhaps later ones. A ticket that was recorded meanwhile is passed at most
    /// once. If the file is emptied meanwhile, this does not hold.
    ///
    /// # Errors
    /// See [`ReadModelError`]. Clock histories may have been passed before the error.
    pub fn received(
        &self,
        from: Timestamp,
        to: Timestamp,
        each: &mut dyn FnMut(ClockHistory) -> ControlFlow<()>,
    ) -> Result<u64, ReadModelError> {
        self.scan(&Range::received(from, to), SCAN_ROWS, each)
    }

    /// Passes the clock histories of the tickets that can count in the figures of a period: received before `to`, and
    /// either still open or with a fact that happened or was recorded at or after `from`. Open tickets count because a
    /// clock may become due without a fact. Pages and guarantees are those of [`Self::received`]. Older ended tickets
    /// are skipped in the index, at some tens of milliseconds per million.
    ///
    /// # Errors
    /// See [`ReadModelError`]. Clock histories may have been passed before the error.
    pub fn touching(
        &self,
        from: Timestamp,
        to: Timestamp,
        each: &mut dyn FnMut(ClockHistory) -> ControlFlow<()>,
    ) -> Result<u64, ReadModelError> {
        self.scan(&Range::touching(from, to), SCAN_ROWS, each)
    }

    /// Passes everything to `each` as text, line by line in a fixed order. Files with equal content give equal text.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn dump(&self, each: &mut dyn FnMut(&str)) -> Result<(), ReadModelError> {
        self.database.read(|connection| file::dump(connection, &[publication::ALL, question::ALL], each))
    }

    fn scan(
        &self,
        range: &Range,
        rows: usize,
        each: &mut dyn FnMut(ClockHistory) -> ControlFlow<()>,
    ) -> Result<u64, ReadModelError> {
        let (mut begun, mut after) = (None, None);
        loop {
            let page = self.database.read(|connection| question::page(connection, range, after, rows))?;
            let begun = *begun.get_or_insert(page.position);
            for clock_history in page.clock_histories {
                if each(clock_history).is_break() {
                    return Ok(begun);
                }
            }
            if page.next.is_none() {
                return Ok(begun);
            }
            after = page.next;
        }
    }
}

impl ReadModel for ClockHistories {
    fn name(&self) -> &'static str {
        "clock_histories"
    }

    fn checkpoint(&self) -> u64 {
        ClockHistories::checkpoint(self)
    }

    fn name_log(&self, log: LogId) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(self.name_log(log)?)
    }

    fn apply(&self, facts: &[Arc<Fact>], upto: u64) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        ClockHistories::apply(self, facts, upto).map_err(Into::into)
    }
}
