//! The commands to a crew.

use crate::{
    Timestamp,
    crew::{
        CrewId,
        vocabulary::{Absence, Break, Forced, Grounds, OfferId, Point, ReleaseReason, Skills},
    },
    organisation::OrgPath,
    ticket::TicketId,
};

/// A command to one crew.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Adds the crew to the roster, or updates its entry.
    Enrol(Box<Enrol>),
    /// Removes the crew from the roster.
    Dismiss,
    /// Begins a shift.
    StartShift {
        /// The planned end.
        until: Timestamp,
        /// The planned breaks.
        breaks: Vec<Break>,
        /// The crew's position; `None` means its home station.
        at: Option<Point>,
    },
    /// Ends the shift.
    EndShift,
    /// The crew becomes unavailable.
    GoAway {
        /// The reason.
        why: Absence,
    },
    /// The crew becomes available again.
    ComeBack,
    /// Records a point of the thinned track.
    Locate {
        /// The position.
        at: Point,
        /// Accuracy, in metres.
        accuracy_m: u32,
    },
    /// Reserves the crew's time for an offer. Only the dispatch process may send this.
    Reserve(Box<Reserve>),
    /// Commits the crew's time to a ticket. Only the dispatch process may send this.
    Commit {
        /// The ticket.
        ticket: TicketId,
        /// The accepted offer; `None` when a person assigned the ticket.
        offer: Option<OfferId>,
    },
    /// Releases the crew's time. Only the dispatch process may send this.
    Release {
        /// The ticket.
        ticket: TicketId,
        /// The offer, to release a reservation; `None` to release a commitment.
        offer: Option<OfferId>,
        /// The reason.
        why: ReleaseReason,
    },
}

/// The roster entry of a crew.
#[derive(Clone, Debug, PartialEq)]
pub struct Enrol {
    /// The crew's path.
    pub crew: CrewId,
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
}

/// The reservation of a crew's time for an offer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reserve {
    /// The offer.
    pub offer: OfferId,
    /// The ticket of the offer.
    pub ticket: TicketId,
    /// The end of the lease.
    pub lease_until: Timestamp,
    /// True for life safety or an important customer.
    pub priority: bool,
    /// The person who chose the crew; `None` when the dispatcher did.
    pub forced: Option<Forced>,
    /// Why the dispatcher chose this crew.
    pub grounds: Grounds,
}
