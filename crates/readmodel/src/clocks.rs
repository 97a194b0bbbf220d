//! The clock histories in a file: what the clocks look at of every ticket, and everything that is published, without
//! reading the log.
//!
//! One row a ticket, its [`ClockHistory`], and one a publication of a policy or of a calendar's year, from which the
//! [`PolicyRegistry`] is made at opening; kept in `promises.db` in the data folder.
//!
//! Absent on purpose: verdicts. They change with time alone and are the judge's, who is asked anew each time.

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

/// So many of the tickets that ended last are still in flight: the watch may not have recorded everything about them when it
/// was interrupted.
pub const RECENT_ENDED: u32 = 10_000;
/// Clock histories that a scan reads at once; in between it holds nothing.
pub const SCAN_ROWS: usize = 1_000;

/// The clock histories. Clones share one file.
#[derive(Clone)]
pub struct ClockHistories {
    database: Arc<Database<ClockWriter>>,
    registry: watch::Receiver<Arc<PolicyRegistry>>,
}

impl ClockHistories {
    /// Opens the clock histories in `folder`, and creates them empty where there are none. A file that other code made,
    /// and one that cannot be read, is replaced by an empty one: [`Self::checkpoint`] then says 0, and the caller feeds
    /// the log.
    ///
    /// # Errors
    /// [`ReadModelError::Unavailable`] when the folder admits no such file.
    pub fn open(folder: &Path) -> Result<Self, ReadModelError> {
        let (publish, registry) = watch::channel(Arc::default());
        let begin = |connection, position| {
            publish.send_replace(Arc::new(publication::registry(&connection)?));
            Ok(ClockWriter::new(connection, position, publish.clone()))
        };
        Ok(Self { database: Arc::new(Database::open(folder, form::form(), begin)?), registry })
    }

    /// The log position that the clock histories are true for; 0 when there are none.
    #[must_use]
    pub fn checkpoint(&self) -> u64 {
        self.database.position()
    }

    /// The log and the position that the file is true for.
    #[must_use]
    pub fn place(&self) -> LogPosition {
        self.database.place()
    }

    /// Writes down the log that the file is made from; at no cost when it is known.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn name_log(&self, log: LogId) -> Result<(), ReadModelError> {
        self.database.name_log(log)
    }

    /// Takes `facts` into account, in one transaction, and notes that the log was read up to and including `upto`, which
    /// may lie beyond the last of them. Facts at or below the checkpoint were taken before and are skipped.
    ///
    /// # Errors
    /// Nothing is changed then, and the same facts may be offered again.
    pub fn apply(&self, facts: &[Arc<Fact>], upto: u64) -> Result<(), ReadModelError> {
        self.database.write(|writer| writer.apply(facts, upto))
    }

    /// Forgets all clock histories and publications and sets the checkpoint to 0, for a log that turned out to be
    /// shorter than what is remembered of it.
    ///
    /// # Errors
    /// Nothing is changed then.
    pub fn start_over(&self) -> Result<(), ReadModelError> {
        self.database.write(ClockWriter::clear)
    }

    /// What is published, as of the checkpoint; no file is read. Asked after [`Self::checkpoint`], it holds at least
    /// what was published by then.
    #[must_use]
    pub fn registry(&self) -> Arc<PolicyRegistry> {
        Arc::clone(&self.registry.borrow())
    }

    /// The clock history of that ticket.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn get(&self, id: TicketId) -> Result<Option<ClockHistory>, ReadModelError> {
        self.database.read(|connection| Ok(question::line(connection, id)?.map(|line| line.clock_history)))
    }

    /// What a watch resumes from, all of one instant: the checkpoint, what is published, and every clock history that is not over, or
    /// is one of the [`RECENT_ENDED`] that ended last. As large as the work in flight: about
    /// 2 KiB a clock history.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn in_flight(&self) -> Result<(u64, Arc<PolicyRegistry>, Vec<ClockHistory>), ReadModelError> {
        self.in_flight_with(RECENT_ENDED)
    }

    fn in_flight_with(&self, ended_max: u32) -> Result<(u64, Arc<PolicyRegistry>, Vec<ClockHistory>), ReadModelError> {
        self.database.read(|connection| {
            let position = file::position(connection)?;
            // The registry at hand may be of a later instant than this snapshot.
            let registry = Arc::new(publication::registry(connection)?);
            let clock_histories = question::in_flight(connection, ended_max)?;
            Ok((position, registry, clock_histories))
        })
    }

    /// Gives the clock histories of the tickets received from `from` on and before `to`, to the microsecond, in the
    /// order of their reception, to `each` until it breaks off.
    ///
    /// They are read in pages of [`SCAN_ROWS`], and every page is of its own instant: `each` may take its time, and
    /// holds up neither writers nor readers. What is answered is the checkpoint at the beginning. Whatever was received
    /// by then is given exactly once, with all of its facts up to then and perhaps later ones; a ticket that the log
    /// learnt of in the meantime may be given or not, but not twice. A file that starts over in the meantime breaks
    /// this.
    ///
    /// # Errors
    /// See [`ReadModelError`]; what was given before stands.
    pub fn received(
        &self,
        from: Timestamp,
        to: Timestamp,
        each: &mut dyn FnMut(ClockHistory) -> ControlFlow<()>,
    ) -> Result<u64, ReadModelError> {
        self.scan(&Range::received(from, to), SCAN_ROWS, each)
    }

    /// Gives the clock histories of the tickets that were received before `to` and are open still, or of which
    /// something happened, or was learnt, at or after `from`: whatever can count in a period's figures, for a clock may
    /// come due in silence. Page by page as [`Self::received`], with the same guarantees; older ended tickets are
    /// passed over in the index alone, some tens of milliseconds per million.
    ///
    /// # Errors
    /// See [`ReadModelError`]; what was given before stands.
    pub fn touching(
        &self,
        from: Timestamp,
        to: Timestamp,
        each: &mut dyn FnMut(ClockHistory) -> ControlFlow<()>,
    ) -> Result<u64, ReadModelError> {
        self.scan(&Range::touching(from, to), SCAN_ROWS, each)
    }

    /// Everything as text, line by line in a fixed order: two files that say the same differ in no byte of it.
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
