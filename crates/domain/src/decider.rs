//! The interface between the engine and the domain: three traits, and the types that they use. No framework stands
//! behind them.

use std::fmt;

use uuid::Uuid;

use crate::{Timestamp, actor::Actor, rules::Rules, ticket_id::TicketId};

/// A kind of aggregate: one stream, one consistency boundary, one atomic append.
pub trait Decider: 'static {
    /// The stream family, for example `ticket`.
    const CATEGORY: &'static str;
    /// The identity of one aggregate. Its `Display` form contains no dash.
    type Id: Clone + Eq + std::hash::Hash + fmt::Display + Send + Sync + 'static;
    /// A request to change the aggregate.
    type Command: Send + Sync;
    /// Something that happened to the aggregate.
    type Event: Clone + Send + Sync + 'static;
    /// The fold of all events; its initial value means "never opened".
    type State: Clone + PartialEq + fmt::Debug + Send + Sync + 'static;
    /// The reason why a command was rejected.
    type Rejection: Clone + PartialEq + fmt::Debug + Send + Sync;

    /// The state before the first event.
    fn initial() -> Self::State;

    /// The instant at which `command` happened; `said` is the instant that the caller reported. An answer never happens
    /// before the thing that it answers. A function of its arguments alone.
    fn placed(_state: &Self::State, _command: &Self::Command, said: Timestamp) -> Timestamp {
        said
    }

    /// The events that follow from `command`. A function of its arguments alone.
    ///
    /// # Errors
    /// The reason for the rejection. It describes the state of the world, never a technical failure.
    fn decide(
        state: &Self::State,
        command: &Self::Command,
        cx: &Context<'_>,
    ) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// The state after `event`, which happened at `at`. Total: an event of the log cannot be rejected.
    fn evolve(state: Self::State, event: &Self::Event, at: Timestamp) -> Self::State;
}

/// Everything that a decision may depend on besides the state and the command.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The engine's time.
    pub now: Timestamp,
    /// The instant at which it happened, as the caller reports it: the device's time of a crew, or the original time of
    /// an import. It equals `now` when the caller reports none; see also [`Decider::placed`].
    pub occurred_at: Timestamp,
    /// The actor that sent the command.
    pub actor: &'a Actor,
    /// The caller's id for this request. A repeated request has the same id.
    pub request_id: Uuid,
    /// The rules in force.
    pub rules: &'a Rules,
}

/// A fact as projections see it: an event with its place in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded<E, Id> {
    /// Position in the whole log, from 1, without gaps.
    pub position: u64,
    /// The aggregate that the event belongs to.
    pub id: Id,
    /// Revision in the aggregate's stream, from 0.
    pub revision: u64,
    /// The event.
    pub event: E,
    /// The instant at which it happened.
    pub occurred_at: Timestamp,
    /// The instant at which the engine recorded it.
    pub recorded_at: Timestamp,
    /// The actor that caused it.
    pub actor: Actor,
    /// The request that caused it.
    pub request_id: Uuid,
}

/// A fold over the log. Total: `apply` cannot fail, whatever was recorded.
pub trait Projection: Send {
    /// The events it folds.
    type Event;
    /// Applies the next fact.
    fn apply(&mut self, recorded: &Self::Event);
}

/// A projection that proposes actions. The list of pending actions is folded from the log, so it survives a crash.
pub trait Process: Projection {
    /// The content of an action.
    type Intent: Clone + Send + Sync;
    /// The process's name in metadata and metrics. It is part of the request id of every action.
    fn name(&self) -> &'static str;
    /// The actions that are pending at `now`, at most `limit`, each with the position of the fact that caused it.
    fn pending(&mut self, now: Timestamp, limit: usize) -> Vec<Action<Self::Intent>>;
    /// The next instant at which an action may become pending without a new fact; `None` when only a fact can cause
    /// one.
    fn wake(&self) -> Option<Timestamp> {
        None
    }
    /// The ticket whose history the process has dropped and needs again before this fact is applied.
    fn forgotten(&self, _: &Self::Event) -> Option<TicketId> {
        None
    }
    /// An action was rejected for good. The process parks it with the reason and does not propose it again.
    fn refused(&mut self, want: &Action<Self::Intent>, reason: &str);
}

/// One action that a process proposes because of one fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Action<I> {
    /// The position of the fact that caused it. With the names of the process and the action it identifies the action
    /// for ever.
    pub because: u64,
    /// The action's name. It is the same in all releases.
    pub name: &'static str,
    /// The content of the action.
    pub intent: I,
}
