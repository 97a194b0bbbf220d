//! What the engine needs to know about the domain: three traits, one page. There is no framework behind them.

use std::fmt;

use uuid::Uuid;

use crate::{Timestamp, actor::Actor, rules::Rules, ticket::TicketId};

/// A kind of aggregate: one stream, one consistency boundary, one atomic append.
pub trait Decider: 'static {
    /// The stream family, for example `ticket`.
    const CATEGORY: &'static str;
    /// Names one aggregate; its `Display` form holds no dash.
    type Id: Clone + Eq + std::hash::Hash + fmt::Display + Send + Sync + 'static;
    /// What somebody wants to happen.
    type Command: Send + Sync;
    /// What happened.
    type Event: Clone + Send + Sync + 'static;
    /// The fold of all events; its initial value says "never opened".
    type State: Clone + PartialEq + fmt::Debug + Send + Sync + 'static;
    /// Why not.
    type Rejection: Clone + PartialEq + fmt::Debug + Send + Sync;

    /// The state before the first event. There is no dummy aggregate.
    fn initial() -> Self::State;

    /// When `command` happened, of which its caller said that it was at `said`: never before what it answers. A function of its
    /// arguments alone.
    fn placed(_state: &Self::State, _command: &Self::Command, said: Timestamp) -> Timestamp {
        said
    }

    /// What follows from `command`, or why nothing does. A function of its arguments alone.
    ///
    /// # Errors
    /// The rejection describes the world, never a failure of the machine.
    fn decide(
        state: &Self::State,
        command: &Self::Command,
        cx: &Context<'_>,
    ) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// The state after `event`, which happened at `at`. Total: history cannot be refused.
    fn evolve(state: Self::State, event: &Self::Event, at: Timestamp) -> Self::State;
}

/// All that a decision may depend on besides the state and the command.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The engine's time.
    pub now: Timestamp,
    /// When it happened, as the caller knows it: the device's time of a crew, the original time of an import. `now` when not given;
    /// see [`Decider::placed`].
    pub occurred_at: Timestamp,
    /// Who asks.
    pub actor: &'a Actor,
    /// The caller's name for this request; repeated requests carry the same one.
    pub request_id: Uuid,
    /// The numbers of the trade in force.
    pub rules: &'a Rules,
}

/// A fact as projections see it: an event with its place in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Recorded<E, Id> {
    /// Place in the whole log, from 1, without gaps.
    pub position: u64,
    /// Which aggregate.
    pub id: Id,
    /// Place in the aggregate's stream, from 0.
    pub revision: u64,
    /// What happened.
    pub event: E,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When the engine learnt it.
    pub recorded_at: Timestamp,
    /// Who made it happen.
    pub actor: Actor,
    /// The request that made it happen.
    pub request_id: Uuid,
}

/// A fold over the log. Total: `apply` cannot fail, whatever was recorded.
pub trait Projection: Send {
    /// The events it folds.
    type Event;
    /// Takes the next fact into account.
    fn apply(&mut self, recorded: &Self::Event);
}

/// A projection with an opinion: a to-do list that survives crashes, for it is folded from the log.
pub trait Process: Projection {
    /// What it wants done.
    type Intent: Clone + Send + Sync;
    /// Its name in metadata and metrics; part of every intent's request id.
    fn name(&self) -> &'static str;
    /// What it wants now, each want with the position of the fact that caused it, at most `limit` of them.
    fn pending(&mut self, now: Timestamp, limit: usize) -> Vec<Action<Self::Intent>>;
    /// The next instant at which it may want something without a new fact; `None` when only facts can make it want.
    fn wake(&self) -> Option<Timestamp> {
        None
    }
    /// The ticket whose history it let go and needs again before it is told this fact.
    fn forgotten(&self, _: &Self::Event) -> Option<TicketId> {
        None
    }
    /// The intent was refused for good; it is parked with the reason and not wanted again.
    fn refused(&mut self, want: &Action<Self::Intent>, reason: &str);
}

/// One thing that a process wants, because of one fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Action<I> {
    /// The position of the fact that caused it: with the process's name and the intent's, its identity for ever.
    pub because: u64,
    /// The intent's name, stable over releases.
    pub name: &'static str,
    /// What to do.
    pub intent: I,
}
