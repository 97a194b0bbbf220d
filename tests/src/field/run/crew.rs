//! Where a crew of a running day is and what it does.

use switchboard_dispatcher::board;
use switchboard_domain::{Timestamp, crew::Point, organisation::OrgPath, ticket::Area};

use crate::field::{
    place,
    world::{Millis, Roster, World, millis},
};

/// What a crew's time is given to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Phase {
    /// Off shift, at home.
    Off,
    /// Free, driving home since then from there.
    Idle { since: Millis, from: Point },
    /// Asked, standing there.
    Asked { at: Point },
    /// On the way.
    Driving { ticket: usize, from: Point, leave: Millis, arrive: Millis },
    /// At work.
    OnSite { ticket: usize, at: Point },
}

/// A crew under way through the day.
#[derive(Clone, Debug)]
pub(super) struct Crew {
    pub(super) phase: Phase,
    /// Counts what it was sent to or freed from: an arrival of an older trip is void.
    pub(super) trip: u64,
    /// Tickets that it accepted, and when.
    pub(super) taken: Vec<(usize, Millis)>,
}

impl Crew {
    pub(super) fn off() -> Self {
        Self { phase: Phase::Off, trip: 0, taken: Vec::new() }
    }

    /// Its place at that time.
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

/// The crew as the board first knows it: off shift, at home.
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
