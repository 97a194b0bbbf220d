//! What somebody may ask of a crew, in the imperative.

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
    /// Puts it on the roster, or corrects what the roster says of it.
    Enrol(Box<Enrol>),
    /// Strikes it off the roster.
    Dismiss,
    /// Begins a shift.
    StartShift {
        /// Its planned end.
        until: Timestamp,
        /// Planned breaks.
        breaks: Vec<Break>,
        /// Where the crew is; its home station when absent.
        at: Option<Point>,
    },
    /// Ends the shift.
    EndShift,
    /// The crew cannot be sent for a while.
    GoAway {
        /// Why.
        why: Absence,
    },
    /// The crew can be sent again.
    ComeBack,
    /// Keeps a point of the track.
    Locate {
        /// Where.
        at: Point,
        /// Accuracy, in metres.
        accuracy_m: u32,
    },
    /// Keeps its time for an offer. The dispatch process alone says this.
    Reserve(Box<Reserve>),
    /// Gives its time to a ticket. The dispatch process alone says this.
    Commit {
        /// The ticket.
        ticket: TicketId,
        /// The accepted offer, if it came to the crew by one.
        offer: Option<OfferId>,
    },
    /// Frees its time of a ticket. The dispatch process alone says this.
    Release {
        /// The ticket.
        ticket: TicketId,
        /// The offer, if it came to no more than that.
        offer: Option<OfferId>,
        /// Why.
        why: ReleaseReason,
    },
}

/// What the roster says of a crew.
#[derive(Clone, Debug, PartialEq)]
pub struct Enrol {
    /// Its place in the organisation.
    pub crew: CrewId,
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
}

/// For which offer the crew's time is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Reserve {
    /// The offer.
    pub offer: OfferId,
    /// Of this ticket.
    pub ticket: TicketId,
    /// When its lease ends.
    pub lease_until: Timestamp,
    /// For life safety or an important customer.
    pub priority: bool,
    /// The person who chose the crew.
    pub forced: Option<Forced>,
    /// Why this crew.
    pub grounds: Grounds,
}
