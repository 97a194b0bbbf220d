//! What is remembered of a crew to decide its next move; no more.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    crew::{
        CrewId,
        vocabulary::{Absence, Break, OfferId, Point, Skills},
    },
    organisation::OrgPath,
    ticket::TicketId,
};

/// `None` until the crew is enrolled.
pub type State = Option<Crew>;

/// A crew, as far as decisions need it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Crew {
    /// Its identity.
    pub id: CrewId,
    /// How many facts its stream holds: the revision of the next one.
    pub facts: u64,
    /// Whether the roster knows it still.
    pub enrolled: bool,
    /// Home station.
    pub home: Point,
    /// The units whose tickets it works on.
    pub territory: Vec<OrgPath>,
    /// What it can do.
    pub skills: Skills,
    /// Staff ids.
    pub members: Vec<String>,
    /// Vehicle.
    pub vehicle: Option<String>,
    /// The shift that runs.
    pub shift: Option<Shift>,
    /// Why it cannot be sent, while it cannot.
    pub away: Option<Absence>,
    /// The last point of its track.
    pub located: Option<(Point, Timestamp)>,
    /// The offer that its time is kept for.
    pub reserved: Option<Reservation>,
    /// The tickets that its time is given to, in the order in which they came.
    pub commitments: Vec<Commitment>,
}

/// A shift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// When it began.
    pub since: Timestamp,
    /// Its planned end.
    pub until: Timestamp,
    /// Planned breaks.
    pub breaks: Vec<Break>,
}

/// A live reservation: at most one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The offer.
    pub offer: OfferId,
    /// The ticket.
    pub ticket: TicketId,
    /// The reservation's own revision.
    pub fence: u64,
    /// When the offer's lease ends.
    pub lease_until: Timestamp,
}

/// A ticket that the crew's time is given to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitment {
    /// The ticket.
    pub ticket: TicketId,
    /// The offer that it came by.
    pub offer: Option<OfferId>,
    /// The fence of the work.
    pub fence: u64,
    /// Since when.
    pub since: Timestamp,
}
