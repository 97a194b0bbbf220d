//! The ticket (工单): its states, commands, events and rules.
//!
//! Two state machines run side by side: the business [`Stage`] of the ticket and the [`CrewProgress`] of the crew that
//! works on it. SGCC dashboards keep the two apart as 工单状态 and app状态 (mark S). Reading order: vocabulary, path (the
//! steps of each business type), moves (the moves that are legal now), commands, events, `decide`, `evolve`; last the
//! [`CaseFile`], the fold for every reader beside the engine.

pub mod case_file;
pub mod command;
pub mod decide;
pub mod event;
pub mod evolve;
pub mod moves;
pub mod path;
pub mod rejection;
pub mod state;
pub mod stint;
pub mod validate;
pub mod vocabulary;

#[cfg(test)]
pub(crate) mod laws;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use self::{
    case_file::CaseFile,
    command::Command,
    decide::{decide, placed},
    event::Event,
    evolve::evolve,
    moves::{Move, MoveSet, legal, legal_of},
    path::Path,
    rejection::Rejection,
    state::{CrewProgress, Stage, State, Ticket},
    vocabulary::*,
};
use crate::{
    Timestamp,
    decider::{Context, Decider},
};

/// The identity of a ticket inside the engine. People use the ticket number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TicketId(pub Uuid);

impl TicketId {
    /// The id of the ticket that this request opens. A repeated request yields the same id.
    #[must_use]
    pub fn opened_by(request_id: Uuid) -> Self {
        Self(Uuid::new_v5(&request_id, b"ticket"))
    }

    /// Parses the form with or without dashes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for TicketId {
    /// 32 hexadecimal digits without dashes, as in stream names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

impl fmt::Debug for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The ticket aggregate, as the engine calls it.
#[derive(Clone, Copy, Debug)]
pub struct Tickets;

impl Decider for Tickets {
    const CATEGORY: &'static str = "ticket";
    type Id = TicketId;
    type Command = Command;
    type Event = Event;
    type State = State;
    type Rejection = Rejection;

    fn initial() -> State {
        None
    }

    fn placed(state: &State, command: &Command, said: Timestamp) -> Timestamp {
        placed(state, command, said)
    }

    fn decide(state: &State, command: &Command, cx: &Context<'_>) -> Result<Vec<Event>, Rejection> {
        decide(state, command, cx)
    }

    fn evolve(state: State, event: &Event, at: Timestamp) -> State {
        evolve(state, event, at)
    }
}
