//! The one hand that writes clock histories and publications: folds facts and stores what changed, all or nothing.

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

/// Clock histories kept at hand for their next fact, about 2 KiB each; one that fell out is read from the file again.
const LINES_CACHED_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(16_383);

/// A clock history's first line, and every later one in its place. What its first fact settled stays as it is, and so
/// do the indexes of it.
const STORE: &str = "
    INSERT INTO clock_history (opened, id, received_at, last_at, over, last_position, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (opened) DO UPDATE SET
        last_at = excluded.last_at, over = excluded.over, last_position = excluded.last_position, json = excluded.json";

pub(super) struct ClockWriter {
    writer: Writer,
    lines: Folded<TicketId, Line>,
    registry: watch::Sender<Arc<PolicyRegistry>>,
}

/// A clock history with its place in the log.
pub(super) struct Line {
    pub clock_history: ClockHistory,
    /// The position of the last fact that changed it.
    pub last_position: u64,
}

impl Draft<Line> {
    /// A ticket's first fact begins its clock history.
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

    /// Something that was said of a ticket which nobody knows belongs to nothing.
    fn promise(&mut self, fact: &PromiseFact) {
        if let Some(line) = &mut self.row {
            line.clock_history.said.take(&fact.event);
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

    /// Takes the facts beyond the checkpoint into account; the new checkpoint.
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

    /// Forgets everything; the checkpoint of nothing.
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
