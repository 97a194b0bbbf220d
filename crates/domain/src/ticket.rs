//! The ticket (工单): the aggregate that everything else serves.
//!
//! Two state machines run side by side and are never squeezed into one: the ticket's business [`Stage`] and the
//! crew's [`CrewProgress`] on it. Reading order: the words, the legal paths of each business type, the legal moves,
//! then commands, events, `decide` and `evolve`; last the [`CaseFile`], the fold for everybody beside the engine.

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

/// A ticket's identity inside the engine. People use its number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TicketId(pub Uuid);

impl TicketId {
    /// The identity that the request with this id opens: a repeated request finds the same stream.
    #[must_use]
    pub fn opened_by(request_id: Uuid) -> Self {
        Self(Uuid::new_v5(&request_id, b"ticket"))
    }

    /// Reads the dashed or the plain form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for TicketId {
    /// 32 hexadecimal digits, no dash: it is part of a stream's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

impl fmt::Debug for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The ticket as the engine sees it.
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
