//! The plan: the stops of each crew, and why the other tickets wait. It is a cached computation, not a fact: the board
//! holds the facts, and only the first stop of a route is offered.

use std::collections::BTreeMap;

use switchboard_domain::{Timestamp, crew::CrewId, ticket::TicketId};

/// The stops of each crew, and the waiting tickets with their reasons.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The instant for which it is computed.
    pub at: Timestamp,
    /// True in storm mode.
    pub storm: bool,
    /// A hash of the routes and the waiting tickets: equal plans have equal hashes on every machine.
    pub hash: String,
    /// The price in weighted minutes, including the waiting tickets.
    pub price: f64,
    /// The stops of each crew that has any, in order.
    pub routes: BTreeMap<CrewId, Vec<Stop>>,
    /// The open tickets without a stop, each with the reason.
    pub waiting: BTreeMap<TicketId, Waits>,
}

/// One stop of a route.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop {
    /// The ticket.
    pub ticket: TicketId,
    /// Median arrival.
    pub arrives: Timestamp,
    /// Expected end of the work.
    pub done: Timestamp,
}

/// Why a ticket waits. `NoTerritory` to `AllBusy` are in the order in which the planner excludes crews.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Waits {
    /// It needs no crew now: it is unknown, suspended, a child, or not held by a unit.
    NotOpen,
    /// A crew holds it.
    Assigned,
    /// A live offer awaits an answer.
    Offered,
    /// It is next to be offered to a free crew.
    Ready,
    /// It is in the route of a crew that has another stop first.
    Planned,
    /// It has an appointment that is still too far ahead.
    Appointment,
    /// In a storm: held for a few minutes, so that neighbouring tickets can join it.
    HeldForNeighbours,
    /// A person chose a crew that is not free.
    PinnedCrewBusy,
    /// A person chose a crew that is not on the roster.
    PinnedCrewGone,
    /// No crew on the roster serves the unit.
    NoTerritory,
    /// No crew that serves the unit is on shift; or the crew that a person chose is off shift.
    NoCrewOnShift,
    /// No crew on shift that serves the unit has the skills.
    NoSkill,
    /// Every suitable crew declined it, let its offer expire, or lost it recently.
    Excluded,
    /// The suitable crews have not reported for too long.
    Silent,
    /// The suitable crews are away or on a break.
    Resting,
    /// Every suitable crew works or is reserved for another ticket.
    AllBusy,
    /// A suitable crew is free, but its shift ends before it could arrive.
    ShiftTooShort,
    /// A suitable crew is free, but the planner has not tried it yet.
    NotTried,
}

impl Waits {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotOpen => "not_open",
            Self::Assigned => "assigned",
            Self::Offered => "offered",
            Self::Ready => "ready",
            Self::Planned => "planned",
            Self::Appointment => "appointment",
            Self::HeldForNeighbours => "held_for_neighbours",
            Self::PinnedCrewBusy => "pinned_crew_busy",
            Self::PinnedCrewGone => "pinned_crew_gone",
            Self::NoCrewOnShift => "no_crew_on_shift",
            Self::NoSkill => "no_skill",
            Self::NoTerritory => "no_territory",
            Self::Excluded => "excluded",
            Self::Silent => "silent",
            Self::Resting => "resting",
            Self::AllBusy => "all_busy",
            Self::ShiftTooShort => "shift_too_short",
            Self::NotTried => "not_tried",
        }
    }
}
