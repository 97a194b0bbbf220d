//! The use cases: everything that a client can ask of a node, as typed functions. An interface (gRPC today) reads its
//! messages into these types, and converts the results back.
//!
//! - [`tickets`], [`intake`]: commands to tickets and queries about them; the calls of IVR and bots while a caller
//!   waits
//! - [`crews`], [`telemetry`], [`assignments`]: commands and reports of crews, their last positions, and their
//!   assignment changes
//! - [`dispatch`]: the dispatch process, its proposals and their explanations
//! - [`promises`], [`publishing`], [`figures`]: the clocks of tickets, the policies and calendars that they are judged
//!   by, and the indicators
//! - [`history`]: the raw facts of the log
//! - [`linkage`]: the process that keeps masters and children of a merge in step
//! - [`access`]: authorisation; every use case takes the actor and checks it here
//! - `queue`: a bounded queue with a reserved slot for the final message
//!
//! Absent: protobuf, the transport, the language of a caller, and the name of an event store implementation. No module
//! here uses an interface or the composition root; a test reads the `use` lines and checks this.

pub mod access;
pub mod assignments;
pub mod crews;
pub mod dispatch;
pub mod figures;
pub mod history;
pub mod intake;
pub mod linkage;
pub mod promises;
pub mod publishing;
pub(crate) mod queue;
pub mod telemetry;
pub mod tickets;

use std::{sync::Arc, time::Duration};

use switchboard_domain::{Timestamp, actor::Actor, decider::Action, rules::Rules};
use switchboard_engine::{
    clock::Clock,
    command::{Aggregates, Failure, Outcome, Request},
    feed::Feed,
    journal::{Aggregate, Journal, JournalError},
    projector::Progress,
    reactor::{self, ActionOutcome},
    requests::{FoundRequest, Requests},
    vault::Vault,
};
use switchboard_eventstore::EventStore;
use switchboard_readmodel::ReadModelError;
use switchboard_wire::{
    identity::{Canonical, SCHEME},
    refusal::Refusal,
};
use uuid::Uuid;

/// The longest wait of a query without a position for the log as of its arrival.
const FRESH_WAIT: Duration = Duration::from_millis(100);

/// The parts that all use cases share: the log and its feed, the keys, the clock, and the longest deadline of a call.
pub struct Node {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Arc<dyn EventStore>,
    pub(crate) requests: Arc<dyn Requests>,
    pub(crate) vault: Vault,
    pub(crate) feed: Arc<Feed>,
    pub(crate) rules: Arc<Rules>,
    pub(crate) deadline: Duration,
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node(head {})", self.head())
    }
}

/// The fields of a request other than its command and its actor.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The UUID that the client chose for the request.
    pub request_id: Uuid,
    /// When the reported event happened; `None` means now.
    pub occurred_at: Option<Timestamp>,
    /// The revision that the client saw, if the command depends on it.
    pub etag: Option<u64>,
    /// The former identity of the request: the keyed hash of its protobuf bytes. It was used before requests were
    /// identified by their commands, and recognises the requests of logs from then.
    pub former_hash: Option<String>,
}

impl Node {
    /// The longest deadline of a call.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.deadline
    }

    /// The engine's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The position of the last durable fact of the log.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.store.head().stored()
    }

    /// The vault, which computes keyed hashes and opens personal data.
    pub(crate) fn vault(&self) -> &Vault {
        &self.vault
    }

    /// The command loop of one kind of aggregate. At most `cached_max` aggregates are kept folded.
    pub(crate) fn aggregates<D: Aggregate>(&self, cached_max: usize) -> Aggregates<D> {
        let journal = Journal::new(Arc::clone(&self.store), self.vault.clone());
        Aggregates::new(journal, Arc::clone(&self.clock), Arc::clone(&self.rules), cached_max)
    }

    /// Waits until the log has reached `position`. The caller's deadline bounds the wait.
    pub(crate) async fn recorded(&self, position: Option<u64>) -> Result<(), Refusal> {
        let Some(position) = position else { return Ok(()) };
        let mut head = self.store.watch_head();
        let closed = |_| Refusal::StoreUnavailable { detail: "the log is closed".into() };
        head.wait_for(|head| head.stored() >= position).await.map(|_| ()).map_err(closed)
    }

    /// Finds the first fact of a request, if the request recorded any.
    pub(crate) async fn made_by(&self, request_id: Uuid) -> Result<Option<FoundRequest>, Refusal> {
        self.requests.find(request_id).await.map_err(|error| unreadable(error.into()))
    }

    /// The engine's request for a command. Its identity covers the command, the actor, `occurred_at` and `etag`. The
    /// same id from another actor is another request, so that no actor gets a result that could have been refused to
    /// that actor.
    pub(crate) fn request(&self, asked: Asked, command: Canonical, actor: &Actor) -> Request {
        let Asked { request_id, occurred_at, etag, former_hash } = asked;
        let identity = self.identity(&command.at(occurred_at).while_at(etag), actor);
        Request { occurred_at, etag, former_hash, ..Request::new(request_id, identity, actor.clone()) }
    }

    /// The identity of a command in its canonical form, requested by this actor.
    pub(crate) fn identity(&self, command: &Canonical, actor: &Actor) -> String {
        let (role, org) = (actor.role.as_str().as_bytes(), actor.org.as_str().as_bytes());
        let hash = self.vault.hash(&[b"command", actor.id.as_bytes(), role, org, &command.bytes()]);
        format!("{SCHEME}{hash}")
    }

    /// The request that carries out an action of a process. It names the event that caused the action.
    ///
    /// # Errors
    /// [`ActionOutcome::Later`] when that event cannot be read: without its id the request would have another id.
    pub(crate) async fn caused<I>(
        &self,
        process: &str,
        action: &Action<I>,
        target: &str,
        engine: Actor,
    ) -> Result<Request, ActionOutcome> {
        let cause = self.feed.at(action.because).await.map_err(|error| {
            tracing::warn!(process, %error, "the cause of an action cannot be read; trying again");
            ActionOutcome::Later
        })?;
        let causation_id = cause.as_ref().map(|entry| entry.raw.id);
        let correlation_id = cause.as_ref().and_then(|entry| Some(entry.metadata.as_ref()?.correlation_id));
        let request_id = reactor::request_id(&self.vault, process, action, causation_id.unwrap_or_default(), target);
        let identity = self.vault.hash(&[process.as_bytes(), request_id.as_bytes()]);
        Ok(Request { causation_id, correlation_id, ..Request::new(request_id, identity, engine) })
    }
}

/// Converts the engine's result of a command to the outcome of a process's action.
pub(crate) fn outcome<D: Aggregate>(outcome: Result<Outcome<D>, Failure<D::Rejection>>) -> ActionOutcome {
    match outcome {
        Ok(outcome) => ActionOutcome::Done(outcome.position),
        Err(Failure::Rejected(rejection)) => ActionOutcome::Refused(format!("{rejection:?}")),
        // A refused action is parked: one unreadable ticket must not block the others.
        Err(Failure::Corrupt(detail)) => ActionOutcome::Refused(detail),
        Err(Failure::RequestIdReused | Failure::RevisionConflict { .. }) => {
            ActionOutcome::Refused("another request has its name".into())
        }
        Err(failure @ (Failure::Contended | Failure::Unavailable(_) | Failure::OutcomeUnknown(_))) => {
            tracing::warn!(%failure, "a want waits");
            ActionOutcome::Later
        }
    }
}

/// Converts a failure of the engine to a refusal.
pub(crate) fn refusal<R>(failure: Failure<R>, request_id: Uuid, rejected: impl FnOnce(R) -> Refusal) -> Refusal {
    match failure {
        Failure::Rejected(rejection) => rejected(rejection),
        Failure::RequestIdReused => Refusal::RequestIdReused,
        Failure::RevisionConflict { current } => Refusal::RevisionConflict { current },
        Failure::Contended => Refusal::Contended,
        Failure::Unavailable(detail) => Refusal::StoreUnavailable { detail },
        Failure::OutcomeUnknown(detail) => {
            tracing::error!(%request_id, detail, "the outcome of a command is unknown");
            Refusal::OutcomeUnknown { request_id }
        }
        Failure::Corrupt(detail) => {
            tracing::error!(detail, "stored data cannot be read");
            Refusal::StoreCorrupt
        }
    }
}

/// Converts a failure to read facts to a refusal.
pub(crate) fn unreadable(error: JournalError) -> Refusal {
    // No command was decided, so the domain cannot have rejected one.
    let rejected = |never: std::convert::Infallible| match never {};
    refusal(Failure::from(error), Uuid::nil(), rejected)
}

/// Waits until a read model includes the log up to `position`; the caller's deadline bounds the wait. Without a
/// position, waits until it includes the log as of now, but no longer than [`FRESH_WAIT`]: a caller finds what it has
/// just recorded, and a model that is far behind answers for its own position.
pub(crate) async fn reach(model: &Progress, position: Option<u64>, head: u64) -> Result<(), Refusal> {
    match position {
        Some(position) if !model.reach(position).await => return Err(Refusal::Draining),
        Some(_) => {}
        None => drop(tokio::time::timeout(FRESH_WAIT, model.reach(head)).await),
    }
    Ok(())
}

/// Queries a read model on a thread that may block.
pub(crate) async fn off_thread<T: Send + 'static>(
    ask: impl FnOnce() -> Result<T, ReadModelError> + Send + 'static,
) -> Result<T, Refusal> {
    let unavailable = |detail: String| Refusal::StoreUnavailable { detail };
    match tokio::task::spawn_blocking(ask).await.map_err(|error| unavailable(error.to_string()))? {
        Err(ReadModelError::Corrupt(_)) => Err(Refusal::StoreCorrupt),
        answer => answer.map_err(|error| unavailable(error.to_string())),
    }
}
