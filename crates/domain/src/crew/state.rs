//! The state of a crew: what decisions need, and no more.

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

/// A crew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Crew {
    /// Its identity.
    pub id: CrewId,
    /// The number of events in its stream, which is the revision of the next event.
    pub facts: u64,
    /// True while the crew is on the roster.
    pub enrolled: bool,
    /// Home station.
    pub home: Point,
    /// The units whose tickets it works on.
    pub territory: Vec<OrgPath>,
    /// Its skills.
    pub skills: Skills,
    /// Staff ids.
    pub members: Vec<String>,
    /// The vehicle's name.
    pub vehicle: Option<String>,
    /// The current shift; `None` when off shift.
    pub shift: Option<Shift>,
    /// Why the crew is unavailable; `None` when it is available.
    pub away: Option<Absence>,
    /// The last point of its track, with its instant.
    pub located: Option<(Point, Timestamp)>,
    /// The offer that its time is reserved for.
    pub reserved: Option<Reservation>,
    /// The tickets that its time is committed to, oldest first.
    pub commitments: Vec<Commitment>,
}

/// A shift of a crew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// When it began.
    pub since: Timestamp,
    /// Its planned end.
    pub until: Timestamp,
    /// Planned breaks.
    pub breaks: Vec<Break>,
}

/// A reservation; a crew has at most one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    /// The offer.
    pub offer: OfferId,
    /// The ticket.
    pub ticket: TicketId,
    /// The revision of the reservation event.
    pub fence: u64,
    /// The end of the offer's lease.
    pub lease_until: Timestamp,
}

/// A ticket that the crew's time is committed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitment {
    /// The ticket.
    pub ticket: TicketId,
    /// The offer through which the crew got the ticket; `None` after an assignment by a person.
    pub offer: Option<OfferId>,
    /// The fence of the commitment: that of the accepted reservation, or the revision of the commitment event.
    pub fence: u64,
    /// When the commitment began.
    pub since: Timestamp,
}
