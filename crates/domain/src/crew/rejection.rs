//! Why a command to a crew is not accepted: a description of the world with its data, worded elsewhere.

use crate::{
    Timestamp, Violation,
    crew::vocabulary::{Absence, OfferId},
    organisation::OrgPath,
    ticket::TicketId,
};

/// Why not.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// The command cannot be accepted in any state; every violation is listed.
    Invalid(Vec<Violation>),
    /// The roster does not know the crew, or no longer.
    NotEnrolled,
    /// The one who asks neither belongs to the crew nor stands above it.
    NotTheCrew {
        /// The unit the actor stands for.
        actor: OrgPath,
    },
    /// Only a unit above the crew writes the roster.
    NotAbove {
        /// The unit the actor stands for.
        actor: OrgPath,
    },
    /// Only the engine's own dispatch process says this.
    EngineOnly,
    /// A shift runs already.
    OnShift {
        /// Its planned end.
        until: Timestamp,
    },
    /// No shift runs.
    OffShift,
    /// The crew cannot be sent for a while.
    Away {
        /// Why.
        why: Absence,
    },
    /// Nothing would change: the roster says the same already, the crew is not away or is away for the same reason, or its time is
    /// given to that ticket.
    Unchanged,
    /// Its time is kept for an offer.
    Reserved {
        /// That offer.
        offer: OfferId,
    },
    /// Its time is given to these tickets.
    Committed {
        /// They.
        tickets: Vec<TicketId>,
    },
    /// Its time is not taken by that offer or ticket.
    NotHeld {
        /// The ticket.
        ticket: TicketId,
    },
    /// It has more tickets already than a crew may have.
    Overcommitted {
        /// The most.
        max: usize,
    },
}
