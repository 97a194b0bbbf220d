//! A fact of the log, of any aggregate. Processes and views that follow more than one aggregate receive facts in this
//! form.

use crate::{
    Timestamp,
    crew::{self, CrewId},
    decider::Recorded,
    sla::{
        promise,
        publication::{PolicyEvent, YearPublished},
    },
    ticket::{self, TicketId},
};

/// A ticket's fact.
pub type TicketFact = Recorded<ticket::Event, TicketId>;
/// A crew's fact.
pub type CrewFact = Recorded<crew::Event, CrewId>;
/// A fact of a ticket's promise stream.
pub type PromiseFact = Recorded<promise::Event, TicketId>;
/// A publication of an operator's policy, or the end of its shadow policy.
pub type PolicyFact = Recorded<PolicyEvent, String>;
/// A publication of a calendar's year.
pub type YearFact = Recorded<YearPublished, String>;

/// A fact of any aggregate.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A fact of a ticket.
    Ticket(TicketFact),
    /// A fact of a crew.
    Crew(CrewFact),
    /// A fact of a ticket's promise stream.
    Promise(PromiseFact),
    /// A fact of an operator's policies.
    Policy(PolicyFact),
    /// A fact of a calendar.
    Year(YearFact),
}

impl Fact {
    /// Its position in the log.
    #[must_use]
    pub fn position(&self) -> u64 {
        match self {
            Self::Ticket(fact) => fact.position,
            Self::Crew(fact) => fact.position,
            Self::Promise(fact) => fact.position,
            Self::Policy(fact) => fact.position,
            Self::Year(fact) => fact.position,
        }
    }

    /// The instant at which the engine recorded it.
    #[must_use]
    pub fn recorded_at(&self) -> Timestamp {
        match self {
            Self::Ticket(fact) => fact.recorded_at,
            Self::Crew(fact) => fact.recorded_at,
            Self::Promise(fact) => fact.recorded_at,
            Self::Policy(fact) => fact.recorded_at,
            Self::Year(fact) => fact.recorded_at,
        }
    }

    /// The ticket's fact; `None` for a fact of another aggregate.
    #[must_use]
    pub fn ticket(&self) -> Option<&TicketFact> {
        match self {
            Self::Ticket(fact) => Some(fact),
            _ => None,
        }
    }
}
