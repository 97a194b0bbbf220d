//! The place and activity of a crew during a run.

use switchboard_dispatcher::board;
use switchboard_domain::{Timestamp, crew::Point, organisation::OrgPath, ticket::Area};

use crate::field::{
    place,
    world::{Millis, Roster, World, millis},
};

/// The activity of a crew.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Phase {
    /// Off shift, at home.
    Off,
    /// Free, driving home since that time from that place.
    Idle { since: Millis, from: Point },
    /// Has an offer, and waits at that place.
    Asked { at: Point },
    /// Drives to a ticket.
    Driving { ticket: usize, from: Point, leave: Millis, arrive: Millis },
    /// Works on site.
    OnSite { ticket: usize, at: Point },
}

/// The state of a crew.
#[derive(Clone, Debug)]
pub(super) struct Crew {
    pub(super) phase: Phase,
    /// Counts its assignments and releases. An arrival event of an older trip is void.
    pub(super) trip: u64,
    /// The tickets that it accepted, with the time.
    pub(super) taken: Vec<(usize, Millis)>,
}

impl Crew {
    pub(super) fn off() -> Self {
        Self { phase: Phase::Off, trip: 0, taken: Vec::new() }
    }

    /// Returns its place at that time.
    pub(super) fn at(&self, world: &World, index: usize, now: Millis) -> Point {
        let home = world.crews[index].home;
        match self.phase {
            Phase::Off => home,
            Phase::Idle { since, from } => {
                let long = millis(world.roads.minutes(from, home, Area::Rural));
                place::between(from, home, (now - since) as f64 / long.max(1) as f64)
            }
            Phase::Asked { at } | Phase::OnSite { at, .. } => at,
            Phase::Driving { ticket, from, leave, arrive } => {
                let share = (now - leave) as f64 / (arrive - leave).max(1) as f64;
                place::between(from, world.tickets[ticket].at, share)
            }
        }
    }
}

/// Returns the initial entry on the board: off shift, at home.
pub(super) fn on_board(roster: &Roster, territory: &OrgPath, now: Timestamp) -> board::Crew {
    board::Crew {
        id: roster.id.clone(),
        home: roster.home,
        territory: vec![territory.clone()],
        skills: roster.skills,
        shift: None,
        away: None,
        at: roster.home,
        seen: now,
        reserved: None,
        committed: Vec::new(),
        worked_minutes: 0.0,
        because: 0,
    }
}
