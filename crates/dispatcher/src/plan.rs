//! The plan: which crew does what after what, and why the rest waits. A cache of a computation, never a fact: what is
//! known is on the board, and only the first stop of a route is ever offered.

use std::collections::BTreeMap;

use switchboard_domain::{Timestamp, crew::CrewId, ticket::TicketId};

/// Who does what, and who waits for what.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The instant that it is made for.
    pub at: Timestamp,
    /// Whether the storm switch is on.
    pub storm: bool,
    /// Names the routes and the waiting tickets: equal plans have equal hashes, on every machine.
    pub hash: String,
    /// Its price in weighted minutes, that of waiting included.
    pub price: f64,
    /// The stops of each crew that has any, in order.
    pub routes: BTreeMap<CrewId, Vec<Stop>>,
    /// Open tickets that are in no route, and why.
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

/// What a ticket waits for. From `NoTerritory` to `AllBusy` they are hurdles in the order in which a crew takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Waits {
    /// It needs no crew now: unknown, suspended, a child, or not in the hands of a unit.
    NotOpen,
    /// A crew has it.
    Assigned,
    /// A live offer awaits its answer.
    Offered,
    /// It is the next to be offered to a crew that is free.
    Ready,
    /// It stands in the route of a crew that does something else first.
    Planned,
    /// It has an appointment, for which it is too early.
    Appointment,
    /// Held for a few minutes in a storm, so that its neighbours join it.
    HeldForNeighbours,
    /// A person chose a crew that is not free.
    PinnedCrewBusy,
    /// A person chose a crew that is not on the roster.
    PinnedCrewGone,
    /// No crew of the roster works for the unit.
    NoTerritory,
    /// No crew that works for the unit is on shift; where a person chose one, that one is not.
    NoCrewOnShift,
    /// No such crew on shift has the skills.
    NoSkill,
    /// Every crew that could has declined it, let it lapse, or lost it a short time ago.
    Excluded,
    /// The crews that could have not been heard of.
    Silent,
    /// The crews that could are away or have a break.
    Resting,
    /// Every crew that could is at work or meant for another ticket.
    AllBusy,
    /// A crew that could is free, but its shift ends before it would be there.
    ShiftTooShort,
    /// A crew that could is free, and the plan has not come to it.
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
