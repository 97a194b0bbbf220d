//! What the process may want, to whom it is said, and by what it is known for ever.

use switchboard_domain::{
    crew::{self, CrewId, OfferEnd, OfferId, ReleaseReason},
    decider::Action,
    ticket::{self, TicketId},
};

/// What the process may want.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Keep a crew's time for an offer.
    Reserve(CrewId, Box<crew::command::Reserve>),
    /// Make the offer.
    Offer(TicketId, Box<ticket::command::Offer>),
    /// End an offer.
    End(TicketId, OfferId, OfferEnd),
    /// Give a crew's time to a ticket.
    Commit(CrewId, TicketId, Option<OfferId>),
    /// Free a crew's time.
    Release(CrewId, TicketId, Option<OfferId>, ReleaseReason),
    /// Call a crew back.
    Recall(TicketId, CrewId, &'static str),
}

/// To whom an intent is said, and what.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// To a crew.
    Crew(CrewId, crew::Command),
    /// To a ticket.
    Ticket(TicketId, ticket::Command),
}

impl Intent {
    /// To whom it is said, and what.
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

    /// The ticket that it is about, and the crew: with the process's name, its own and its cause's, its identity for ever.
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

    /// The crew whose time it gives to a ticket.
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
