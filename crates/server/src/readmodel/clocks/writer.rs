//! The one hand that writes clock histories and publications: folds facts and stores what changed, all or nothing.

use std::{
    collections::{HashMap, hash_map::Entry},
    num::NonZeroUsize,
    sync::Arc,
};

use lru::LruCache;
use rusqlite::{Connection, TransactionBehavior, params};
use switchboard_domain::{
    Timestamp,
    fact::{Fact, PromiseFact, TicketFact},
    sla::{clock_history::ClockHistory, registry::PolicyRegistry},
    ticket::TicketId,
};
use tokio::sync::watch;

use super::{publication, question};
use crate::readmodel::{
    ReadModelError,
    file::{set_position, stored},
};

/// ClockHistories kept at hand for their next fact, about 2 KiB each; one that fell out is read from the file again.
const DOCKETS_CACHED_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(16_383);

/// A clock history's first line, and every later one in its place. What its first fact settled stays as it is, and so do the
/// indexes of it.
const STORE: &str = "
    INSERT INTO clock_history (opened, id, received_at, last_at, over, last_position, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
    ON CONFLICT (opened) DO UPDATE SET
        last_at = excluded.last_at, over = excluded.over, last_position = excluded.last_position, json = excluded.json";

pub(super) struct Writer {
    connection: Connection,
    position: u64,
    recent: LruCache<TicketId, Line>,
    registry: watch::Sender<Arc<PolicyRegistry>>,
}

/// A clock history with its place in the log.
pub(super) struct Line {
    pub clock_history: ClockHistory,
    /// The position of the last fact that changed it.
    pub last_position: u64,
}

/// A clock history in the course of a batch. Without clock events it is not there: a ticket's first fact begins it.
struct Draft {
    line: Line,
    changed: bool,
}

impl Draft {
    fn ticket(&mut self, fact: &TicketFact) {
        if self.line.clock_history.take(fact) {
            self.changed(fact.position);
        }
    }

    /// Something that was said of a ticket which nobody knows belongs to nothing.
    fn promise(&mut self, fact: &PromiseFact) {
        if !self.line.clock_history.events.is_empty() {
            self.line.clock_history.said.take(&fact.event);
            self.changed(fact.position);
        }
    }

    fn changed(&mut self, position: u64) {
        self.line.last_position = position;
        self.changed = true;
    }
}

impl Writer {
    pub(super) fn new(connection: Connection, position: u64, registry: watch::Sender<Arc<PolicyRegistry>>) -> Self {
        Self { connection, position, recent: LruCache::new(DOCKETS_CACHED_MAX), registry }
    }

    /// Takes the facts beyond the checkpoint into account; the new checkpoint.
    pub(super) fn apply(&mut self, facts: &[Arc<Fact>], upto: u64) -> Result<u64, ReadModelError> {
        let before = self.position;
        let fresh = || facts.iter().filter(|fact| fact.position() > before);
        let position = fresh().map(|fact| fact.position()).fold(upto.max(before), u64::max);
        if position == before {
            return Ok(before);
        }
        let whole = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut drafts: HashMap<TicketId, Draft> = HashMap::new();
        let mut published: Option<PolicyRegistry> = None;
        for fact in fresh() {
            match &**fact {
                Fact::Ticket(fact) => draft(&whole, &mut self.recent, &mut drafts, fact.id)?.ticket(fact),
                Fact::Promise(fact) => draft(&whole, &mut self.recent, &mut drafts, fact.id)?.promise(fact),
                Fact::Crew(_) => {}
                Fact::Policy(_) | Fact::Year(_) => {
                    publication::store(&whole, fact)?;
                    publication::take(published.get_or_insert_with(|| (**self.registry.borrow()).clone()), fact);
                }
            }
        }
        let mut known: Vec<Draft> =
            drafts.into_values().filter(|draft| !draft.line.clock_history.events.is_empty()).collect();
        known.sort_unstable_by_key(|draft| opened(&draft.line.clock_history));
        for draft in known.iter().filter(|draft| draft.changed) {
            store(&whole, &draft.line)?;
        }
        set_position(&whole, position)?;
        whole.commit()?;
        self.position = position;
        for Draft { line, .. } in known {
            self.recent.put(line.clock_history.id, line);
        }
        if let Some(registry) = published {
            self.registry.send_replace(Arc::new(registry));
        }
        Ok(position)
    }

    /// Forgets everything; the checkpoint of nothing.
    pub(super) fn clear(&mut self) -> Result<u64, ReadModelError> {
        let whole = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        whole.execute_batch("DELETE FROM clock_history; DELETE FROM publication;")?;
        set_position(&whole, 0)?;
        whole.commit()?;
        self.recent.clear();
        self.registry.send_replace(Arc::default());
        self.position = 0;
        Ok(0)
    }
}

/// The draft of a ticket's clock history: begun in this batch, kept at hand, read from the file, or new.
fn draft<'a>(
    connection: &Connection,
    recent: &mut LruCache<TicketId, Line>,
    drafts: &'a mut HashMap<TicketId, Draft>,
    id: TicketId,
) -> Result<&'a mut Draft, ReadModelError> {
    match drafts.entry(id) {
        Entry::Occupied(begun) => Ok(begun.into_mut()),
        Entry::Vacant(free) => {
            let line = match recent.pop(&id) {
                Some(line) => Some(line),
                None => question::line(connection, id)?,
            };
            let line = line.unwrap_or_else(|| Line { clock_history: ClockHistory::new(id), last_position: 0 });
            Ok(free.insert(Draft { line, changed: false }))
        }
    }
}

/// The position of its first fact; 0 when it has none.
fn opened(clock_history: &ClockHistory) -> u64 {
    clock_history.events.first().map_or(0, |first| first.position)
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
