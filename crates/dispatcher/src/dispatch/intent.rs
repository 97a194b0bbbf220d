//! The intents of the process, the commands that carry them out, and their identities.

use switchboard_domain::{
    crew::{self, CrewId, OfferEnd, OfferId, ReleaseReason},
    decider::Action,
    ticket::{self, TicketId},
};

/// An intent: the content of an action of the process.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Reserve a crew's time for an offer.
    Reserve(CrewId, Box<crew::command::Reserve>),
    /// Offer a ticket to its reserved crew.
    Offer(TicketId, Box<ticket::command::Offer>),
    /// End an offer.
    End(TicketId, OfferId, OfferEnd),
    /// Commit a crew's time to a ticket.
    Commit(CrewId, TicketId, Option<OfferId>),
    /// Release a crew's time.
    Release(CrewId, TicketId, Option<OfferId>, ReleaseReason),
    /// Recall a crew from a ticket.
    Recall(TicketId, CrewId, &'static str),
}

/// A command with the aggregate that it goes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// A command to a crew.
    Crew(CrewId, crew::Command),
    /// A command to a ticket.
    Ticket(TicketId, ticket::Command),
}

impl Intent {
    /// The command that carries out the intent, with its aggregate.
    #[must_use]
    pub fn order(&self) -> Order {
        match self.clone() {
            Self::Reserve(crew, reserve) => Order::Crew(crew, crew::Command::Reserve(reserve)),
            Self::Offer(ticket, offer) => Order::Ticket(ticket, ticket::Command::Offer(offer)),
            Self::End(ticket, offer, how) => Order::Ticket(ticket, ticket::Command::EndOffer { offer, how }),
            Self::Commit(crew, ticket, offer) => Order::Crew(crew, crew::Command::Commit { ticket, offer }),
            Self::Release(crew, ticket, offer, why) => Order::Crew(crew, crew::Command::Release { ticket, offer, why }),
            Self::Recall(ticket, crew, reason) => {
                Order::Ticket(ticket, ticket::Command::Recall { crew: Some(crew), reason: reason.into() })
            }
        }
    }

    /// The ticket and the crew or offer of the intent. With the process's name, the intent's name and the causing
    /// position, it identifies the action for ever.
    #[must_use]
    pub fn target(&self) -> String {
        match self {
            Self::Reserve(crew, reserve) => format!("{crew}/{}", reserve.ticket),
            Self::Offer(ticket, offer) => format!("{}/{ticket}", offer.crew),
            Self::End(ticket, offer, _) => format!("{offer}/{ticket}"),
            Self::Commit(crew, ticket, _) | Self::Release(crew, ticket, ..) | Self::Recall(ticket, crew, _) => {
                format!("{crew}/{ticket}")
            }
        }
    }

    /// The crew whose time the intent commits to a ticket.
    pub(super) fn gives(&self) -> Option<&CrewId> {
        match self {
            Self::Commit(crew, ..) => Some(crew),
            _ => None,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Reserve(..) => "reserve",
            Self::Offer(..) => "offer",
            Self::End(..) => "end",
            Self::Commit(..) => "commit",
            Self::Release(..) => "release",
            Self::Recall(..) => "recall",
        }
    }

    pub(super) fn want(self, because: u64) -> Action<Self> {
        Action { because, name: self.name(), intent: self }
    }
}
