//! A fact of the log, of whichever aggregate: what the processes and views that look beyond one kind are told.

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
/// Something said of a ticket's promises.
pub type PromiseFact = Recorded<promise::Event, TicketId>;
/// A publication of an operator's policy.
pub type PolicyFact = Recorded<PolicyEvent, String>;
/// A publication of a calendar's year.
pub type YearFact = Recorded<YearPublished, String>;

/// A fact that the domain knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// Of a ticket.
    Ticket(TicketFact),
    /// Of a crew.
    Crew(CrewFact),
    /// Of a ticket's promises.
    Promise(PromiseFact),
    /// Of an operator's policies.
    Policy(PolicyFact),
    /// Of a calendar.
    Year(YearFact),
}

impl Fact {
    /// Its place in the log.
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

    /// When the engine learnt it.
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

    /// The ticket's fact, if it is one.
    #[must_use]
    pub fn ticket(&self) -> Option<&TicketFact> {
        match self {
            Self::Ticket(fact) => Some(fact),
            _ => None,
        }
    }
}
