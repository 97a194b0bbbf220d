//! The only writer of clock histories and publications. It folds facts and stores the changes in one transaction.

use std::{num::NonZeroUsize, sync::Arc};

use rusqlite::{Connection, params};
use switchboard_domain::{
    Timestamp,
    fact::{Fact, PromiseFact, TicketFact},
    sla::{clock_history::ClockHistory, registry::PolicyRegistry},
    ticket::TicketId,
};
use tokio::sync::watch;

use super::{publication, question};
use crate::{
    ReadModelError,
    file::stored,
    folded::{Draft, Folded, Writer},
};

/// The most clock histories in memory for their next fact, about 2 KiB each. Others are read from the file.
const LINES_CACHED_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(16_383);

/// Inserts the row of a clock history, or updates it. The values that its first fact sets, and their indexes, are not
/// written again.
const STORE: &str = "
    INSERT INTO clock_history (opened, id, received_at, last_at, over, last_position, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (opened) DO UPDATE SET
        last_at = excluded.last_at, over = excluded.over, last_position = excluded.last_position, json = excluded.json";

pub(super) struct ClockWriter {
    writer: Writer,
    lines: Folded<TicketId, Line>,
    registry: watch::Sender<Arc<PolicyRegistry>>,
}

/// A clock history with the position of its last fact.
pub(super) struct Line {
    pub clock_history: ClockHistory,
    /// The position of the last fact that changed it.
    pub last_position: u64,
}

impl Draft<Line> {
    /// Applies a fact of the ticket. The ticket's first fact creates the clock history.
    fn ticket(&mut self, fact: &TicketFact) {
        let known = self.row.is_some();
        let line = self.row.get_or_insert_with(|| Line::new(fact.id));
        if line.clock_history.take(fact) {
            line.last_position = fact.position;
            self.changed = true;
        } else if !known {
            self.row = None;
        }
    }

    /// Applies a promise event. It is ignored when the ticket is unknown.
    fn promise(&mut self, fact: &PromiseFact) {
        if let Some(line) = &mut self.row {
            line.clock_history.announced.take(&fact.event);
            line.last_position = fact.position;
            self.changed = true;
        }
    }
}

impl Line {
    fn new(id: TicketId) -> Self {
        Self { clock_history: ClockHistory::new(id), last_position: 0 }
    }

    /// The position of its first fact.
    fn opened(&self) -> u64 {
        self.clock_history.events.first().map_or(0, |first| first.position)
    }
}

impl ClockWriter {
    pub(super) fn new(connection: Connection, position: u64, registry: watch::Sender<Arc<PolicyRegistry>>) -> Self {
        Self { writer: Writer::new(connection, position), lines: Folded::new(LINES_CACHED_MAX), registry }
    }

    /// Applies the facts beyond the checkpoint. Returns the new checkpoint.
    pub(super) fn apply(&mut self, facts: &[Arc<Fact>], upto: u64) -> Result<u64, ReadModelError> {
        let Some((fresh, position)) = self.writer.beyond(facts, upto) else { return Ok(self.writer.position()) };
        let (registry, mut batch) = (&self.registry, self.lines.batch());
        let mut published: Option<PolicyRegistry> = None;
        self.writer.write(position, |whole| {
            let read = |id| question::line(whole, id);
            for fact in fresh {
                match &**fact {
                    Fact::Ticket(fact) => batch.draft(fact.id, read)?.ticket(fact),
                    Fact::Promise(fact) => batch.draft(fact.id, read)?.promise(fact),
                    Fact::Crew(_) => {}
                    Fact::Policy(_) | Fact::Year(_) => {
                        publication::store(whole, fact)?;
                        publication::take(published.get_or_insert_with(|| (**registry.borrow()).clone()), fact);
                    }
                }
            }
            batch.changed(Line::opened).into_iter().try_for_each(|(_, line)| store(whole, line))
        })?;
        batch.keep();
        if let Some(published) = published {
            self.registry.send_replace(Arc::new(published));
        }
        Ok(position)
    }

    /// Removes all rows. Returns the checkpoint of an empty file.
    pub(super) fn clear(&mut self) -> Result<u64, ReadModelError> {
        let emptied = self.writer.clear("DELETE FROM clock_history; DELETE FROM publication;")?;
        self.lines.clear();
        self.registry.send_replace(Arc::default());
        Ok(emptied)
    }
}

fn store(connection: &Connection, line: &Line) -> Result<(), ReadModelError> {
    let clock_history = &line.clock_history;
    let Some(first) = clock_history.events.first() else { return Ok(()) };
    let last_at = clock_history.events.iter().map(|clock_event| clock_event.at.max(clock_event.recorded)).max();
    connection.prepare_cached(STORE)?.execute(params![
        stored(first.position),
        clock_history.id.0.as_bytes(),
        first.at.timestamp_micros(),
        last_at.as_ref().map(Timestamp::timestamp_micros),
        clock_history.is_over(),
        stored(line.last_position),
        serde_json::to_string(clock_history)?,
    ])?;
    Ok(())
}
