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
pub use crate::ticket_id::TicketId;
use crate::{
    Timestamp,
    decider::{Context, Decider},
};

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
