//! The command loop: load, decide, append; on a conflict, load and decide again.
//!
//! Every stream carries its own ledger of requests, folded from its events' metadata: a repeated request is answered from
//! it, for as long as the log lives. That a request id was used for another stream is refused where the store knows the
//! event ids of all streams; a distributed log need not, see [`requests`](crate::requests).

use std::{
    hash::Hash,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use lru::LruCache;
use switchboard_domain::{Timestamp, actor::Actor, decider::Context, rules::Rules};
use switchboard_eventstore::{AppendError, ReadError};
use switchboard_wire::{identity::SCHEME, stored::Metadata};
use uuid::Uuid;

use crate::{
    clock::Clock,
    journal::{Aggregate, Decoded, Journal, JournalError, Recording},
};

/// How often one command is decided again after another writer was faster. Past it: [`Failure::Contended`].
pub const CONFLICTS_MAX: usize = 16;

/// A request as the engine takes it, beside its command.
#[derive(Clone, Debug)]
pub struct Request {
    /// The caller's name for it.
    pub request_id: Uuid,
    /// Keyed hash of what it asks for and of who asks: two requests of one id are the same if it is.
    pub payload_hash: String,
    /// The hash that stands for it in logs from before requests were identified by their commands.
    pub former_hash: Option<String>,
    /// Who asks.
    pub actor: Actor,
    /// When it happened, if that is not now.
    pub occurred_at: Option<Timestamp>,
    /// The revision that the caller saw, if the command depends on it.
    pub etag: Option<u64>,
    /// Whether the command is to open the aggregate: it is then tried without reading the stream first.
    pub opens: bool,
    /// The event that caused it, when a process acts.
    pub causation_id: Option<Uuid>,
    /// The conversation that it belongs to; the request itself when absent.
    pub correlation_id: Option<Uuid>,
}

impl Request {
    /// A request that happens now, depends on no revision, and was caused by nothing but itself.
    #[must_use]
    pub fn new(request_id: Uuid, payload_hash: String, actor: Actor) -> Self {
        Self {
            request_id,
            payload_hash,
            former_hash: None,
            actor,
            occurred_at: None,
            etag: None,
            opens: false,
            causation_id: None,
            correlation_id: None,
        }
    }
}

/// What came of an accepted command.
#[derive(Clone, Debug)]
pub struct Outcome<D: Aggregate> {
    /// Position of its last fact.
    pub position: u64,
    /// Revision of its last fact.
    pub revision: u64,
    /// Whether an earlier, same request had it done already.
    pub replayed: bool,
    /// The state right after it.
    pub state: D::State,
    /// Its facts. Personal data is sealed when replayed.
    pub events: Vec<D::Event>,
}

/// Why nothing, or nothing certain, came of a command. Each variant has another person who must act.
#[derive(Debug, thiserror::Error)]
pub enum Failure<R> {
    /// The domain says no: the caller's to mend.
    #[error("rejected")]
    Rejected(R),
    /// The request id was used with another body: the caller's to mend.
    #[error("the request id was used with another body")]
    RequestIdReused,
    /// The caller's etag is stale.
    #[error("the stream has moved on")]
    RevisionConflict {
        /// The present revision, if the stream exists.
        current: Option<u64>,
    },
    /// Too many writers at once: try again.
    #[error("too many writers at once")]
    Contended,
    /// The store takes nothing now: try again later.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// It cannot be told: ask again with the same id.
    #[error("the outcome is unknown: {0}")]
    OutcomeUnknown(String),
    /// Stored data cannot be read: the operator's to mend.
    #[error("stored data cannot be read: {0}")]
    Corrupt(String),
}

impl<R> From<JournalError> for Failure<R> {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::Read(ReadError::Corrupt { position, detail }) => {
                Self::Corrupt(format!("position {position:?}: {detail}"))
            }
            JournalError::Read(error) => Self::Unavailable(error.to_string()),
            JournalError::Unreadable { position, source } => Self::Corrupt(format!("position {position}: {source}")),
        }
    }
}

/// One answered request of a stream.
#[derive(Clone, Debug)]
struct Answered {
    request_id: Uuid,
    position: u64,
    first_revision: u64,
    last_revision: u64,
}

/// A stream folded up to a revision, with its ledger.
struct Folded<D: Aggregate> {
    state: D::State,
    revision: Option<u64>,
    subject: Option<Arc<str>>,
    ledger: Vec<Answered>,
}

impl<D: Aggregate> Clone for Folded<D> {
    fn clone(&self) -> Self {
        Self {
            state: self.state.clone(),
            revision: self.revision,
            subject: self.subject.clone(),
            ledger: self.ledger.clone(),
        }
    }
}

impl<D: Aggregate> Folded<D> {
    fn empty() -> Self {
        Self { state: D::initial(), revision: None, subject: None, ledger: Vec::new() }
    }

    fn answered(&self, request_id: Uuid) -> Option<&Answered> {
        self.ledger.iter().rev().find(|answered| answered.request_id == request_id)
    }

    /// The answer to a command of which nothing follows, because it is so already: nothing is appended, and the answer stands
    /// on the last fact. `None` for a stream without facts.
    fn as_it_stands(&self) -> Option<Outcome<D>> {
        let (position, revision) = (self.ledger.last()?.position, self.revision?);
        Some(Outcome { position, revision, replayed: true, state: self.state.clone(), events: Vec::new() })
    }

    fn take(mut self, id: &D::Id, fact: &Decoded<D::Event>) -> Self {
        let metadata = &fact.metadata;
        match self.ledger.last_mut().filter(|last| last.request_id == metadata.request_id) {
            Some(last) => {
                last.position = fact.position;
                last.last_revision = fact.revision;
            }
            None => self.ledger.push(Answered {
                request_id: metadata.request_id,
                position: fact.position,
                first_revision: fact.revision,
                last_revision: fact.revision,
            }),
        }
        self.subject = self.subject.or_else(|| D::subject(id, &fact.event).map(Into::into));
        self.state = D::evolve(self.state, &fact.event, metadata.occurred_at);
        self.revision = Some(fact.revision);
        self
    }
}

/// All aggregates of one kind, commanded through one loop.
pub struct Aggregates<D: Aggregate> {
    journal: Journal<D>,
    clock: Arc<dyn Clock>,
    rules: Arc<Rules>,
    cache: Cache<D::Id, Folded<D>>,
}

impl<D: Aggregate> std::fmt::Debug for Aggregates<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Aggregates({})", D::CATEGORY)
    }
}

impl<D: Aggregate> Aggregates<D> {
    /// The aggregates in `journal`; at most `cached_max` of them are kept folded in memory.
    #[must_use]
    pub fn new(journal: Journal<D>, clock: Arc<dyn Clock>, rules: Arc<Rules>, cached_max: usize) -> Self {
        Self { journal, clock, rules, cache: Cache::new(cached_max) }
    }

    /// The journal below.
    #[must_use]
    pub fn journal(&self) -> &Journal<D> {
        &self.journal
    }

    /// The engine's clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Executes one command: at most once, whatever happens in between, and durably when it says so.
    ///
    /// # Errors
    /// See [`Failure`]; only [`Failure::OutcomeUnknown`] leaves open whether the command took effect.
    pub async fn execute(
        &self,
        id: &D::Id,
        command: &D::Command,
        request: &Request,
    ) -> Result<Outcome<D>, Failure<D::Rejection>> {
        for attempt in 0..CONFLICTS_MAX {
            // The first attempt decides on what is remembered, every further one on what stands in the log.
            let remembered = match self.cache.get(id) {
                _ if attempt > 0 => None,
                None if request.opens => Some(Arc::new(Folded::empty())),
                remembered => remembered,
            };
            let from_memory = remembered.is_some();
            let folded = match remembered {
                Some(folded) => folded,
                None => self.load(id).await?,
            };
            if let Some(answered) = folded.answered(request.request_id) {
                return self.replay(id, answered, request).await;
            }
            let now = self.clock.now();
            let occurred_at = request.occurred_at.map_or(now, |said| D::placed(&folded.state, command, said));
            let events = match self.decide(&folded, command, request, now, occurred_at) {
                Ok(events) => events,
                // Memory may lag behind the log, for example when a caller gave up before its answer: a no is said of the log only.
                Err(_) if from_memory => continue,
                Err(no) => return Err(no),
            };
            if events.is_empty() {
                return folded.as_it_stands().ok_or(Failure::RevisionConflict { current: None });
            }
            let recording = Recording {
                request_id: request.request_id,
                payload_hash: request.payload_hash.clone(),
                correlation_id: request.correlation_id.unwrap_or(request.request_id),
                causation_id: request.causation_id,
                actor: request.actor.clone(),
                occurred_at,
                recorded_at: now,
            };
            if let Some(outcome) = self.append(id, &folded, events, &recording).await? {
                return Ok(outcome);
            }
        }
        Err(Failure::Contended)
    }

    /// What follows from `command`, or the no of the caller's etag or of the domain.
    fn decide(
        &self,
        folded: &Folded<D>,
        command: &D::Command,
        request: &Request,
        now: Timestamp,
        occurred_at: Timestamp,
    ) -> Result<Vec<D::Event>, Failure<D::Rejection>> {
        if request.etag.is_some() && request.etag != folded.revision {
            return Err(Failure::RevisionConflict { current: folded.revision });
        }
        let context =
            Context { now, occurred_at, actor: &request.actor, request_id: request.request_id, rules: &self.rules };
        D::decide(&folded.state, command, &context).map_err(Failure::Rejected)
    }

    /// Appends what was decided; `None` when somebody was faster and the decision is to be made again.
    async fn append(
        &self,
        id: &D::Id,
        folded: &Folded<D>,
        events: Vec<D::Event>,
        recording: &Recording,
    ) -> Result<Option<Outcome<D>>, Failure<D::Rejection>> {
        let subject = folded.subject.clone().or_else(|| events.first().and_then(|e| D::subject(id, e)).map(Into::into));
        let subject = subject.unwrap_or_else(|| format!("{}:{id}", D::CATEGORY).into());
        match self.journal.append(id, &subject, folded.revision, &events, recording).await {
            Ok(appended) => {
                let (position, revision) = (appended.last.stored(), appended.revision.0);
                let after = Self::advance(id, folded, &events, recording, position, revision);
                let state = after.state.clone();
                self.cache.put(id.clone(), Arc::new(after), |old| old.revision < Some(revision));
                Ok(Some(Outcome { position, revision, replayed: false, state, events }))
            }
            Err(AppendError::Conflict { .. }) => {
                self.cache.forget(id);
                Ok(None)
            }
            Err(AppendError::Duplicate { .. }) => self.recognise(id, recording.request_id).await.map(|()| None),
            Err(error @ AppendError::OutcomeUnknown(_)) => {
                self.cache.forget(id);
                Err(Failure::OutcomeUnknown(detail(&error)))
            }
            Err(error) => Err(Failure::Unavailable(detail(&error))),
        }
    }

    /// The fold after an append of our own, without reading it back.
    fn advance(
        id: &D::Id,
        folded: &Folded<D>,
        events: &[D::Event],
        recording: &Recording,
        position: u64,
        revision: u64,
    ) -> Folded<D> {
        let count = events.len() as u64;
        let mut after = folded.clone();
        for event in events {
            after.subject = after.subject.or_else(|| D::subject(id, event).map(Into::into));
            after.state = D::evolve(after.state, event, recording.occurred_at);
        }
        after.revision = Some(revision);
        after.ledger.push(Answered {
            request_id: recording.request_id,
            position,
            first_revision: revision + 1 - count,
            last_revision: revision,
        });
        after
    }

    /// The store holds an event of this request already. If the stream's ledger names the request, another attempt got
    /// there first, and the caller is to decide again: it will be answered as a repeated request. If not, the request id
    /// was used for another stream.
    async fn recognise(&self, id: &D::Id, request_id: Uuid) -> Result<(), Failure<D::Rejection>> {
        self.cache.forget(id);
        match self.load(id).await?.answered(request_id) {
            Some(_) => Ok(()),
            None => Err(Failure::RequestIdReused),
        }
    }

    /// Answers a repeated request as it was answered first.
    async fn replay(
        &self,
        id: &D::Id,
        answered: &Answered,
        request: &Request,
    ) -> Result<Outcome<D>, Failure<D::Rejection>> {
        let mut folded = Folded::<D>::empty();
        let mut events = Vec::new();
        for fact in self.journal.read(id, 0).await? {
            if fact.revision > answered.last_revision {
                break;
            }
            if fact.revision == answered.first_revision && !is_same(&fact.metadata, request) {
                return Err(Failure::RequestIdReused);
            }
            folded = folded.take(id, &fact);
            if fact.revision >= answered.first_revision {
                events.push(fact.event);
            }
        }
        let (position, revision) = (answered.position, answered.last_revision);
        Ok(Outcome { position, revision, replayed: true, state: folded.state, events })
    }

    /// The stream folded as it stands; the append tells whether that was far enough.
    async fn load(&self, id: &D::Id) -> Result<Arc<Folded<D>>, JournalError> {
        let facts = self.journal.read(id, 0).await?;
        let folded = Arc::new(facts.iter().fold(Folded::empty(), |folded, fact| folded.take(id, fact)));
        if folded.revision.is_some() {
            self.cache.put(id.clone(), Arc::clone(&folded), |old| old.revision < folded.revision);
        }
        Ok(folded)
    }
}

/// Whether a request is the one that recorded a fact with this metadata.
///
/// A hash that stands under [`SCHEME`] was taken of the command, and nothing else counts. An older one was taken of protobuf
/// bytes: a request that came as such brings that hash too; of one that came otherwise only the actor can be compared, and the
/// request id, which the caller chose for one request alone.
fn is_same(recorded: &Metadata, request: &Request) -> bool {
    recorded.payload_hash == request.payload_hash
        || !recorded.payload_hash.starts_with(SCHEME)
            && request.former_hash.as_ref().map_or_else(
                || request.payload_hash.starts_with(SCHEME) && recorded.actor == request.actor,
                |former| *former == recorded.payload_hash,
            )
}

/// An error with its causes, for the log and the operator; never for the client.
fn detail(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Folded streams by id, the least recently used leaving first. Split so that callers seldom wait for each other.
struct Cache<K, V> {
    shards: Vec<Mutex<LruCache<K, Arc<V>>>>,
}

const SHARDS: usize = 16;

impl<K: Hash + Eq, V> Cache<K, V> {
    fn new(max: usize) -> Self {
        let each = NonZeroUsize::new(max.div_ceil(SHARDS)).unwrap_or(NonZeroUsize::MIN);
        Self { shards: (0..SHARDS).map(|_| Mutex::new(LruCache::new(each))).collect() }
    }

    fn shard(&self, key: &K) -> std::sync::MutexGuard<'_, LruCache<K, Arc<V>>> {
        use std::hash::{DefaultHasher, Hasher};
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % SHARDS as u64).unwrap_or(0);
        self.shards[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, key: &K) -> Option<Arc<V>> {
        self.shard(key).get(key).cloned()
    }

    /// Keeps `value` unless what is there is newer.
    fn put(&self, key: K, value: Arc<V>, supersedes: impl Fn(&V) -> bool) {
        let mut shard = self.shard(&key);
        if shard.peek(&key).is_none_or(|old| supersedes(old)) {
            shard.put(key, value);
        }
    }

    fn forget(&self, key: &K) {
        self.shard(key).pop(key);
    }
}
