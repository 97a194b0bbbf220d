//! The command loop: load, decide, append; on a conflict, load and decide again.
//!
//! Every stream has a ledger of requests, folded from the metadata of its events. A repeated request is answered from
//! it, as long as the log exists. A request id that was used for another stream is rejected if the store knows the
//! event ids of all streams. A distributed log need not know them; see [`requests`](crate::requests).

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

/// The most attempts to decide and append one command while other writers append first. Beyond it:
/// [`Failure::Contended`].
pub const CONFLICTS_MAX: usize = 16;

/// A request, without its command.
#[derive(Clone, Debug)]
pub struct Request {
    /// The caller's id for the request.
    pub request_id: Uuid,
    /// Keyed hash of the command and the actor. Two requests with the same id are the same request if this is equal.
    pub payload_hash: String,
    /// The hash of the same request in older logs, which hashed the protobuf bytes instead of the command.
    pub former_hash: Option<String>,
    /// The actor that sent the request.
    pub actor: Actor,
    /// The instant at which it happened; `None` means now.
    pub occurred_at: Option<Timestamp>,
    /// The revision that the caller saw; `None` when the command does not depend on it.
    pub etag: Option<u64>,
    /// True when the command opens the aggregate. The first attempt then does not read the stream.
    pub opens: bool,
    /// The event to which a process reacts with this request.
    pub causation_id: Option<Uuid>,
    /// The first request of the chain of causes; `None` when it is this request.
    pub correlation_id: Option<Uuid>,
}

impl Request {
    /// A request that happens now, depends on no revision, and has no cause.
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

/// The result of an accepted command.
#[derive(Clone, Debug)]
pub struct Outcome<D: Aggregate> {
    /// The position of its last fact.
    pub position: u64,
    /// The revision of its last fact.
    pub revision: u64,
    /// True when nothing was appended now: an earlier, same request was executed, or nothing follows from the command.
    pub replayed: bool,
    /// The state directly after it.
    pub state: D::State,
    /// Its facts. Personal data is sealed if `replayed`.
    pub events: Vec<D::Event>,
}

/// The reason why a command had no effect, or no certain effect. Each variant says who must act.
#[derive(Debug, thiserror::Error)]
pub enum Failure<R> {
    /// The domain rejected the command. The caller must act.
    #[error("rejected")]
    Rejected(R),
    /// The request id was used with another body. The caller must act.
    #[error("the request id was used with another body")]
    RequestIdReused,
    /// The caller's etag is stale. The caller must read the aggregate again.
    #[error("the stream has moved on")]
    RevisionConflict {
        /// The present revision; `None` when the stream does not exist.
        current: Option<u64>,
    },
    /// Too many concurrent writers. The caller may retry.
    #[error("too many writers at once")]
    Contended,
    /// The store accepts nothing now. The caller may retry later.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The outcome is unknown. The caller must repeat the request with the same id.
    #[error("the outcome is unknown: {0}")]
    OutcomeUnknown(String),
    /// Stored data cannot be read. The operator must act.
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

/// One executed request of a stream.
#[derive(Clone, Debug)]
struct Answered {
    request_id: Uuid,
    position: u64,
    first_revision: u64,
    last_revision: u64,
}

/// A stream folded up to a revision, with its ledger of requests.
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

    /// The answer to a command from which nothing follows, because its effect is already there. Nothing is appended;
    /// the answer refers to the last fact. `None` for a stream without facts.
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

/// All aggregates of one kind, with the command loop.
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
    /// The aggregates in `journal`. At most `cached_max` of them are kept folded in memory.
    #[must_use]
    pub fn new(journal: Journal<D>, clock: Arc<dyn Clock>, rules: Arc<Rules>, cached_max: usize) -> Self {
        Self { journal, clock, rules, cache: Cache::new(cached_max) }
    }

    /// The journal that stores them.
    #[must_use]
    pub fn journal(&self) -> &Journal<D> {
        &self.journal
    }

    /// The engine's clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Executes one command at most once. The result `Ok` means that its facts are durable.
    ///
    /// # Errors
    /// See [`Failure`]. Only [`Failure::OutcomeUnknown`] leaves open whether the command took effect.
    pub async fn execute(
        &self,
        id: &D::Id,
        command: &D::Command,
        request: &Request,
    ) -> Result<Outcome<D>, Failure<D::Rejection>> {
        for attempt in 0..CONFLICTS_MAX {
            // The first attempt uses the cached state. Every later attempt reads the log.
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
                // The cached state may be stale, for example after a caller that gave up. Never reject from it: reload
                // the stream and decide again.
                Err(_) if from_memory => continue,
                Err(no) => return Err(no),
            };
            if events.is_empty() {
                // "It is done already" is an answer about the log, too.
                if from_memory {
                    continue;
                }
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

    /// The events that follow from `command`, or the rejection because of the etag or by the domain.
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

    /// Appends the decided events. `None` when another writer was faster and the command must be decided again.
    async fn append(
        &self,
        id: &D::Id,
        folded: &Folded<D>,
        events: Vec<D::Event>,
        recording: &Recording,
    ) -> Result<Option<Outcome<D>>, Failure<D::Rejection>> {
        let subject = folded.subject.clone().or_else(|| events.first().and_then(|e| D::subject(id, e)).map(Into::into));
        let subject = subject.unwrap_or_else(|| format!("{}:{id}", D::CATEGORY).into());
        let in_flight = InFlight { cache: &self.cache, id, answered: false };
        let answer = self.journal.append(id, &subject, folded.revision, &events, recording).await;
        in_flight.answered();
        match answer {
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

    /// The fold after an append of this engine, without reading it back.
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

    /// Handles a duplicate: the store already has an event of this request. If the stream's ledger has the request,
    /// another attempt was faster; the next attempt finds it and replays it. Otherwise the request id was used for
    /// another stream.
    async fn recognise(&self, id: &D::Id, request_id: Uuid) -> Result<(), Failure<D::Rejection>> {
        self.cache.forget(id);
        match self.load(id).await?.answered(request_id) {
            Some(_) => Ok(()),
            None => Err(Failure::RequestIdReused),
        }
    }

    /// Answers a repeated request with the result of the first one.
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

    /// Reads and folds the whole stream. If the stream grows after that, the append is rejected.
    async fn load(&self, id: &D::Id) -> Result<Arc<Folded<D>>, JournalError> {
        let facts = self.journal.read(id, 0).await?;
        let folded = Arc::new(facts.iter().fold(Folded::empty(), |folded, fact| folded.take(id, fact)));
        if folded.revision.is_some() {
            self.cache.put(id.clone(), Arc::clone(&folded), |old| old.revision < folded.revision);
        }
        Ok(folded)
    }
}

/// True when `request` is the one that recorded a fact with this metadata.
///
/// A recorded hash with the prefix [`SCHEME`] is a hash of the command, and only that hash is compared. An older one is
/// a hash of protobuf bytes, and a protobuf request also brings that hash. For any other request only the actor can be
/// compared, besides the request id, which the caller chose for one request only.
fn is_same(recorded: &Metadata, request: &Request) -> bool {
    recorded.payload_hash == request.payload_hash
        || !recorded.payload_hash.starts_with(SCHEME)
            && request.former_hash.as_ref().map_or_else(
                || request.payload_hash.starts_with(SCHEME) && recorded.actor == request.actor,
                |former| *former == recorded.payload_hash,
            )
}

/// An error with its causes, for the text log and the operator. It is never sent to a client.
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

/// A cache of folded streams, least recently used first out. It is split, so that callers seldom wait for each other.
struct Cache<K, V> {
    shards: Vec<Mutex<LruCache<K, Arc<V>>>>,
}

/// An append that has no answer yet. A caller that gives up drops it; the append may still be recorded, so the cached
/// state is dropped, too.
struct InFlight<'a, K: Hash + Eq, V> {
    cache: &'a Cache<K, V>,
    id: &'a K,
    answered: bool,
}

impl<K: Hash + Eq, V> InFlight<'_, K, V> {
    fn answered(mut self) {
        self.answered = true;
    }
}

impl<K: Hash + Eq, V> Drop for InFlight<'_, K, V> {
    fn drop(&mut self) {
        if !self.answered {
            self.cache.forget(self.id);
        }
    }
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

    /// Stores `value`, unless the present value is newer.
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
