//! The feed: the log as it grows, read and decoded once for all projectors, processes and subscribers. It also reads
//! the history of one ticket up to a position, for folds that have dropped the ticket.
//!
//! The newest facts are in a bounded ring. A reader that is further behind reads pages from the store. Readers pull, so
//! a slow reader only falls behind; no queue grows. A fact that cannot be read is passed on without its contents, so
//! that it blocks no reader.

use std::{
    collections::VecDeque,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use futures::StreamExt;
use switchboard_domain::{
    crew::{CrewId, Crews},
    decider::{Decider, Recorded},
    fact::Fact,
    position::{LogId, LogPosition, Position as Place},
    sla::{
        promise::Promises,
        publication::{Calendars, Policies},
    },
    ticket::{TicketId, Tickets},
};
use switchboard_eventstore::{
    Cause, Direction, EventStore, PAGE_EVENTS_MAX, Position, ReadError, Recorded as Raw, StreamName, episode::Episode,
};
use switchboard_wire::stored::{Metadata, Stored};
use tokio::{sync::watch, task::JoinHandle};

use crate::journal::{decode, read_whole, recorded};

/// The most facts in memory.
pub const TAIL_FACTS_MAX: usize = 8192;
/// The most stored bytes of the facts in memory. Decoded, they take about as much again.
pub const TAIL_BYTES_MAX: usize = 32 << 20;

/// One fact of the log, as far as it can be read.
#[derive(Debug)]
pub struct Entry {
    /// The stored form.
    pub raw: Raw,
    /// The metadata; `None` when it cannot be read.
    pub metadata: Option<Metadata>,
    /// The decoded fact; `None` when it cannot be read, or when no fold of the domain uses its kind of stream.
    pub fact: Option<Arc<Fact>>,
}

impl Entry {
    fn bytes(&self) -> usize {
        self.raw.data.len() + self.raw.meta.len()
    }

    fn read(raw: Raw) -> Self {
        let id = raw.stream.id();
        let understood = match raw.stream.category() {
            Tickets::CATEGORY => understand(&raw, TicketId::parse(id), Fact::Ticket),
            Crews::CATEGORY => understand(&raw, CrewId::parse(id), Fact::Crew),
            Promises::CATEGORY => understand(&raw, TicketId::parse(id), Fact::Promise),
            Policies::CATEGORY => understand(&raw, Some(id.to_owned()), Fact::Policy),
            Calendars::CATEGORY => understand(&raw, Some(id.to_owned()), Fact::Year),
            _ => None,
        };
        match understood {
            Some((metadata, fact)) => Self { raw, metadata: Some(metadata), fact: Some(Arc::new(fact)) },
            None => {
                let metadata = Metadata::from_json(&raw.meta).ok();
                Self { raw, metadata, fact: None }
            }
        }
    }
}

/// Decodes a stored fact. `None` when it cannot be read; an error is logged for the operator.
fn understand<E: Stored, Id>(raw: &Raw, id: Option<Id>, fact: fn(Recorded<E, Id>) -> Fact) -> Option<(Metadata, Fact)> {
    match (id, decode::<E>(raw)) {
        (Some(id), Ok(decoded)) => Some((decoded.metadata.clone(), fact(recorded(id, decoded)))),
        (_, decoded) => {
            let error = decoded.err().map_or_else(|| "not an id of its category".into(), |error| error.to_string());
            tracing::error!(position = raw.position.stored(), %error, "a fact cannot be read and is passed over");
            None
        }
    }
}

/// The id of the log that begins with this event.
fn log_id(first: &Raw) -> LogId {
    LogId::of(first.id, Place::from_stored(first.position.stored()))
}

/// The newest facts of the log.
#[derive(Default)]
struct Ring {
    /// The position after which the entries begin: that of the last dropped entry, or the start of the feed.
    begun: u64,
    entries: VecDeque<Arc<Entry>>,
    bytes: usize,
}

impl Ring {
    fn push(&mut self, entry: Arc<Entry>) {
        self.bytes += entry.bytes();
        self.entries.push_back(entry);
        while self.entries.len() > TAIL_FACTS_MAX || (self.bytes > TAIL_BYTES_MAX && self.entries.len() > 1) {
            let Some(oldest) = self.entries.pop_front() else { return };
            self.bytes -= oldest.bytes();
            self.begun = oldest.raw.position.stored();
        }
    }
}

/// The feed of a log.
pub struct Feed {
    store: Arc<dyn EventStore>,
    /// The id of the log; set when the log has a fact.
    log: OnceLock<LogId>,
    ring: RwLock<Ring>,
    head: watch::Sender<u64>,
    /// True when the store was closed or has stopped: no further facts will come.
    ended: watch::Sender<bool>,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Feed(head {})", self.head())
    }
}

impl Feed {
    /// Starts following `store` from its present head. The task ends when the handle is aborted.
    ///
    /// # Errors
    /// The store cannot read its first event.
    pub async fn follow(store: Arc<dyn EventStore>) -> Result<(Arc<Self>, JoinHandle<()>), ReadError> {
        let log = OnceLock::new();
        let first = store.read_all(Position::START, 1, Direction::Forward).await?;
        // The first event of an empty log must pass through the feed, because it determines the id of the log.
        let start = if first.is_empty() { Position::START } else { store.head() };
        for raw in &first {
            log.get_or_init(|| log_id(raw));
        }
        let feed = Arc::new(Self {
            store,
            log,
            ring: RwLock::new(Ring { begun: start.stored(), ..Ring::default() }),
            head: watch::Sender::new(start.stored()),
            ended: watch::Sender::new(false),
        });
        let task = tokio::spawn(Arc::clone(&feed).run(start));
        Ok((feed, task))
    }

    async fn run(self: Arc<Self>, mut after: Position) {
        let mut episode = Episode::default();
        loop {
            match self.read_on(&mut after, &mut episode).await {
                Some(ReadError::Poisoned) => {
                    tracing::error!(%after, "the log has stopped after a failed sync; nothing is read until a restart");
                    self.ended.send_replace(true);
                    return;
                }
                Some(error) if episode.fails() => {
                    tracing::error!(%error, %after, "the log cannot be followed; retrying")
                }
                _ => {}
            }
            episode.rest().await;
            // A store that was closed drops the sender of its head.
            if self.store.watch_head().has_changed().is_err() {
                self.ended.send_replace(true);
                return;
            }
        }
    }

    /// Reads the log until its subscription ends. Returns the error that ended it.
    async fn read_on(&self, after: &mut Position, episode: &mut Episode) -> Option<ReadError> {
        // Events that are there already come as one page: the head moves, and readers wake, once for all of them.
        let mut pages = self.store.subscribe_all(*after).ready_chunks(PAGE_EVENTS_MAX);
        while let Some(page) = pages.next().await {
            let (mut entries, mut fault) = (Vec::with_capacity(page.len()), None);
            for next in page {
                match next {
                    Ok(raw) => {
                        *after = raw.position;
                        entries.push(Arc::new(Entry::read(raw)));
                    }
                    Err(error) => fault = Some(error),
                }
            }
            if !entries.is_empty()
                && let Some(failures) = episode.ends()
            {
                tracing::info!(failures, %after, "the log is followed again");
            }
            self.push(entries);
            if fault.is_some() {
                return fault;
            }
        }
        None
    }

    fn push(&self, page: Vec<Arc<Entry>>) {
        let (Some(first), Some(last)) = (page.first(), page.last()) else { return };
        let position = last.raw.position.stored();
        self.log.get_or_init(|| log_id(&first.raw));
        {
            let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
            page.into_iter().for_each(|entry| ring.push(entry));
        }
        self.head.send_replace(position);
    }

    /// The position up to which the feed has read the log.
    #[must_use]
    pub fn head(&self) -> u64 {
        *self.head.borrow()
    }

    /// The log, and the position up to which the feed has read it.
    #[must_use]
    pub fn reached(&self) -> LogPosition {
        self.place(self.head())
    }

    /// This position, in this log.
    #[must_use]
    pub fn place(&self, position: u64) -> LogPosition {
        LogPosition { log: self.log.get().copied().unwrap_or_default(), position: Place::from_stored(position) }
    }

    /// The head, as a value to watch.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.head.subscribe()
    }

    /// Up to `max` facts after a position; empty when there are none yet.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn page(&self, after: u64, max: usize) -> Result<Vec<Arc<Entry>>, ReadError> {
        if after >= self.head() {
            return Ok(Vec::new());
        }
        if let Some(page) = self.recent(after, max) {
            return Ok(page);
        }
        let page =
            self.store.read_all(Position::from_stored(after), max.min(PAGE_EVENTS_MAX), Direction::Forward).await?;
        Ok(page.into_iter().map(|raw| Arc::new(Entry::read(raw))).collect())
    }

    /// The entry at a position; `None` when no event has it.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn at(&self, position: u64) -> Result<Option<Arc<Entry>>, ReadError> {
        let known = {
            let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
            let found = ring.entries.binary_search_by_key(&position, |entry| entry.raw.position.stored());
            found.ok().and_then(|index| ring.entries.get(index).cloned())
        };
        if known.is_some() {
            return Ok(known);
        }
        let raw = self.store.read_at(Position::from_stored(position)).await?;
        Ok(raw.map(|raw| Arc::new(Entry::read(raw))))
    }

    /// The number of entries in memory after a position; at most [`TAIL_FACTS_MAX`].
    #[must_use]
    pub fn behind(&self, position: u64) -> usize {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        ring.entries.len() - ring.entries.partition_point(|entry| entry.raw.position.stored() <= position)
    }

    /// The facts of one ticket and of its promise stream up to and including a position, in the order of the log. Facts
    /// that cannot be read are left out, as in the feed.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn history_upto(&self, id: TicketId, last: u64) -> Result<Vec<Arc<Fact>>, ReadError> {
        self.history_while(id, |position| position <= last).await
    }

    /// The same facts, before a position.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn history(&self, id: TicketId, before: u64) -> Result<Vec<Arc<Fact>>, ReadError> {
        self.history_while(id, |position| position < before).await
    }

    async fn history_while(&self, id: TicketId, counts: impl Fn(u64) -> bool) -> Result<Vec<Arc<Fact>>, ReadError> {
        let mut facts: Vec<Arc<Fact>> = Vec::new();
        for category in [Tickets::CATEGORY, Promises::CATEGORY] {
            let stream = StreamName::new(category, id).map_err(|error| ReadError::Unavailable(Cause::new(error)))?;
            let raw = read_whole(&*self.store, &stream, 0).await?;
            let earlier = raw.into_iter().take_while(|raw| counts(raw.position.stored()));
            facts.extend(earlier.filter_map(|raw| Entry::read(raw).fact));
        }
        facts.sort_unstable_by_key(|fact| fact.position());
        Ok(facts)
    }

    /// The page from memory; `None` when it begins before the ring.
    fn recent(&self, after: u64, max: usize) -> Option<Vec<Arc<Entry>>> {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        let known = ring.entries.binary_search_by_key(&after, |entry| entry.raw.position.stored());
        let next = match known {
            Ok(index) => index + 1,
            Err(0) if after < ring.begun => return None,
            Err(index) => index,
        };
        Some(ring.entries.range(next..).take(max).cloned().collect())
    }

    /// A reader that begins after a position.
    #[must_use]
    pub fn cursor(self: &Arc<Self>, after: u64) -> Cursor {
        Cursor { feed: Arc::clone(self), head: self.watch(), ended: self.ended.subscribe(), position: after }
    }
}

/// The place of a reader in the log.
#[derive(Debug)]
pub struct Cursor {
    feed: Arc<Feed>,
    head: watch::Receiver<u64>,
    ended: watch::Receiver<bool>,
    position: u64,
}

impl Cursor {
    /// The position of the last fact that was returned.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next facts, at most `max`. Waits while there are none. Cancel-safe.
    ///
    /// # Errors
    /// The store does not answer, or it was closed. The cursor does not move.
    pub async fn next(&mut self, max: usize) -> Result<Vec<Arc<Entry>>, ReadError> {
        loop {
            self.head.borrow_and_update();
            let page = self.feed.page(self.position, max).await?;
            if let Some(last) = page.last() {
                self.position = last.raw.position.stored();
                return Ok(page);
            }
            tokio::select! {
                moved = self.head.changed() => if moved.is_err() { return Err(ended()) },
                _ = self.ended.wait_for(|ended| *ended) => return Err(ended()),
            }
        }
    }
}

fn ended() -> ReadError {
    ReadError::Unavailable("the log takes nothing more until it is opened again".into())
}
