//! The rejections of crew commands: values with data. `wire` words them.

use crate::{
    Timestamp, Violation,
    crew::vocabulary::{Absence, OfferId},
    organisation::OrgPath,
    ticket::TicketId,
};

/// Why a command was rejected.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// The command is invalid in any state; all violations are listed.
    Invalid(Vec<Violation>),
    /// The crew is not on the roster.
    NotEnrolled,
    /// The actor's unit is neither the crew nor above it.
    NotTheCrew {
        /// The actor's unit.
        actor: OrgPath,
    },
    /// Only a unit above the crew may change the roster.
    NotAbove {
        /// The actor's unit.
        actor: OrgPath,
    },
    /// Only the dispatch process may send this command.
    EngineOnly,
    /// The crew is already on shift.
    OnShift {
        /// The planned end of the shift.
        until: Timestamp,
    },
    /// The crew is off shift.
    OffShift,
    /// The crew is unavailable.
    Away {
        /// The reason.
        why: Absence,
    },
    /// The command changes nothing: the roster entry is equal, the crew is not away or is away for the same reason, or
    /// it is already committed to that ticket.
    Unchanged,
    /// The crew's time is reserved for an offer.
    Reserved {
        /// The offer.
        offer: OfferId,
    },
    /// The crew is committed to tickets.
    Committed {
        /// The tickets.
        tickets: Vec<TicketId>,
    },
    /// The crew has no such reservation or commitment.
    NotHeld {
        /// The ticket.
        ticket: TicketId,
    },
    /// The crew has the maximum number of commitments.
    Overcommitted {
        /// The maximum.
        max: usize,
    },
}
