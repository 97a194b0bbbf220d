//! What is true of a day: which tickets come, where and how long they will take, which crews there are and how they answer.
//! Policies see none of it but through the board.
//!
//! Kept apart on purpose: what depends on a policy (`run`), and how a world is made up (`made`) or read from a recording (`recorded`).

use switchboard_domain::{
    Timestamp,
    crew::{CrewId, Point, Skills},
    ticket::{Area, Category, TicketId},
};

use super::{chance::Chance, place::Roads};
use chrono::TimeDelta;

/// Share of offers that are declined.
pub const DECLINED: f64 = 0.05;
/// Share of offers that are never answered.
pub const UNANSWERED: f64 = 0.02;
/// Median minutes to an answer.
pub const ANSWER_MINUTES: f64 = 0.9;
/// Sigma of the logarithm of an answer's delay.
pub const ANSWER_SIGMA: f64 = 0.4;
/// Sigma of the logarithm of a drive's length over its expectation.
pub const TRAVEL_NOISE: f64 = 0.15;
/// Minutes from an acceptance to wheels turning, by day and at night.
pub const TURN_OUT: (f64, f64) = (2.0, 4.0);
/// Hours of the day, at +08:00, that are day.
pub const DAY: std::ops::Range<f64> = 6.0..22.0;

/// Milliseconds of simulated time since the world's start.
pub type Millis = i64;

/// So many minutes.
#[must_use]
pub fn millis(minutes: f64) -> Millis {
    (minutes * 60_000.0).round() as Millis
}

/// In minutes.
#[must_use]
pub fn minutes(time: Millis) -> f64 {
    time as f64 / 60_000.0
}

/// A day, or a month, and all that is true of it.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// Seed of its draws.
    pub seed: u64,
    /// Its first instant.
    pub start: Timestamp,
    /// Tickets, by when they are reported.
    pub tickets: Vec<Ticket>,
    /// Crews.
    pub crews: Vec<Roster>,
    /// Drives.
    pub roads: Roads,
    /// How many districts the tickets' are counted in.
    pub districts: usize,
}

/// A ticket, with its future.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// Identity.
    pub id: TicketId,
    /// When it is reported.
    pub reported: Millis,
    /// Where.
    pub at: Point,
    /// Kind of area.
    pub area: Area,
    /// District.
    pub district: usize,
    /// Category, by which the policy knows the skills.
    pub category: Category,
    /// What a crew must be able to do to be sent at first.
    pub skills: Skills,
    /// Customers without power.
    pub customers: u32,
    /// A hospital, a medical need or an important customer.
    pub important: bool,
    /// A wire is down.
    pub wire_down: bool,
    /// Arrival is promised within so many minutes.
    pub promise: u32,
    /// What is done on site, in this order: one step, or an assessment and then the repair.
    pub steps: Vec<Step>,
}

/// A step of the work on site.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it takes beyond the ticket's skills; a crew that lacks it hands over.
    pub needs: Skills,
    /// Minutes on site.
    pub minutes: f64,
}

/// A crew: a manned vehicle.
#[derive(Clone, Debug, PartialEq)]
pub struct Roster {
    /// Identity.
    pub id: CrewId,
    /// Home station.
    pub home: Point,
    /// What it can do.
    pub skills: Skills,
    /// When it is on, from and until.
    pub shifts: Vec<(Millis, Millis)>,
}

/// What a crew says to an offer, and minutes after which.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// It comes.
    Accepts(f64),
    /// It does not.
    Declines(f64),
    /// Nothing.
    Silence,
}

impl Ticket {
    /// Life safety or an important customer.
    #[must_use]
    pub fn priority(&self) -> bool {
        self.important || self.wire_down
    }
}

impl World {
    /// That instant.
    #[must_use]
    pub fn at(&self, time: Millis) -> Timestamp {
        self.start + TimeDelta::milliseconds(time)
    }

    /// What is said to this offer of a ticket, counted from 1.
    #[must_use]
    pub fn answer(&self, ticket: usize, attempt: u32) -> Answer {
        let mut chance = Chance::of(&[self.seed, 1, ticket as u64, u64::from(attempt)]);
        let after = chance.log_normal(ANSWER_MINUTES, ANSWER_SIGMA);
        match chance.unit() {
            u if u < UNANSWERED => Answer::Silence,
            u if u < UNANSWERED + DECLINED => Answer::Declines(after),
            _ => Answer::Accepts(after),
        }
    }

    /// What the roads to a ticket make of a drive's expectation: the same for every crew and policy.
    #[must_use]
    pub fn noise(&self, ticket: usize) -> f64 {
        Chance::of(&[self.seed, 2, ticket as u64]).log_normal(1.0, TRAVEL_NOISE)
    }

    /// Minutes from an acceptance at `time` to wheels turning.
    #[must_use]
    pub fn turn_out(&self, time: Millis) -> f64 {
        let hour = (minutes(time + i64::from(self.start.timestamp_subsec_millis())) / 60.0
            + (self.start.timestamp() as f64 / 3600.0 + 8.0))
            .rem_euclid(24.0);
        if DAY.contains(&hour) { TURN_OUT.0 } else { TURN_OUT.1 }
    }
}
