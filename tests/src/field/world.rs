//! The true state of a day: the tickets with their place and duration, the crews, and their answers. Policies see it
//! only through the board.
//!
//! Separate on purpose: everything that depends on a policy (`run`), and the way a world is generated (`made`) or read
//! from a recording (`recorded`).

use switchboard_domain::{
    Timestamp,
    crew::{CrewId, Point, Skills},
    ticket::{Area, Category, TicketId},
};

use super::{chance::Chance, place::Roads};
use chrono::TimeDelta;

/// The share of offers that are declined.
pub const DECLINED: f64 = 0.05;
/// The share of offers that are never answered.
pub const UNANSWERED: f64 = 0.02;
/// The median minutes until an answer.
pub const ANSWER_MINUTES: f64 = 0.9;
/// Sigma of the logarithm of an answer's delay.
pub const ANSWER_SIGMA: f64 = 0.4;
/// Sigma of the logarithm of a drive's duration relative to the expected one.
pub const TRAVEL_NOISE: f64 = 0.15;
/// The minutes from acceptance to departure, by day and at night.
pub const TURN_OUT: (f64, f64) = (2.0, 4.0);
/// The hours of the day, at +08:00, that count as day.
pub const DAY: std::ops::Range<f64> = 6.0..22.0;

/// Milliseconds of simulated time since the world's start.
pub type Millis = i64;

/// Converts minutes to milliseconds.
#[must_use]
pub fn millis(minutes: f64) -> Millis {
    (minutes * 60_000.0).round() as Millis
}

/// Converts milliseconds to minutes.
#[must_use]
pub fn minutes(time: Millis) -> f64 {
    time as f64 / 60_000.0
}

/// A period of one or several days with everything that is true of it.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// The seed of its draws.
    pub seed: u64,
    /// Its first instant.
    pub start: Timestamp,
    /// The tickets, sorted by the time of their report.
    pub tickets: Vec<Ticket>,
    /// The crews.
    pub crews: Vec<Roster>,
    /// The driving times.
    pub roads: Roads,
    /// The number of districts.
    pub districts: usize,
}

/// A ticket with its future.
#[derive(Clone, Debug, PartialEq)]
pub struct Ticket {
    /// The ticket's id.
    pub id: TicketId,
    /// The time of its report.
    pub reported: Millis,
    /// Its place.
    pub at: Point,
    /// The kind of area.
    pub area: Area,
    /// The index of its district.
    pub district: usize,
    /// The category, from which the policy derives the skills.
    pub category: Category,
    /// The skills that the first crew must have.
    pub skills: Skills,
    /// Customers without power.
    pub customers: u32,
    /// A hospital, a medical need or an important customer.
    pub important: bool,
    /// True if a wire is down.
    pub wire_down: bool,
    /// The promised minutes until arrival.
    pub promise: u32,
    /// The steps on site in order: one step, or an assessment and then the repair.
    pub steps: Vec<Step>,
}

/// A step of the work on site.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The skills that it needs beyond the ticket's; a crew that lacks them hands over.
    pub needs: Skills,
    /// The minutes on site.
    pub minutes: f64,
}

/// A crew: a manned vehicle.
#[derive(Clone, Debug, PartialEq)]
pub struct Roster {
    /// The crew's id.
    pub id: CrewId,
    /// The position of its home station.
    pub home: Point,
    /// Its skills.
    pub skills: Skills,
    /// Its shifts, from and until.
    pub shifts: Vec<(Millis, Millis)>,
}

/// A crew's answer to an offer, with its delay in minutes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// It accepts.
    Accepts(f64),
    /// It declines.
    Declines(f64),
    /// It does not answer.
    Silence,
}

impl Ticket {
    /// True for life safety or an important customer.
    #[must_use]
    pub fn priority(&self) -> bool {
        self.important || self.wire_down
    }
}

impl World {
    /// Returns the instant at that simulated time.
    #[must_use]
    pub fn at(&self, time: Millis) -> Timestamp {
        self.start + TimeDelta::milliseconds(time)
    }

    /// Returns the answer to an offer of the ticket; `attempt` counts its offers from 1.
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

    /// Returns the factor of a drive's duration relative to the expected one. It is the same for every crew and policy.
    #[must_use]
    pub fn noise(&self, ticket: usize) -> f64 {
        Chance::of(&[self.seed, 2, ticket as u64]).log_normal(1.0, TRAVEL_NOISE)
    }

    /// Returns the minutes from an acceptance at `time` to departure.
    #[must_use]
    pub fn turn_out(&self, time: Millis) -> f64 {
        let hour = (minutes(time + i64::from(self.start.timestamp_subsec_millis())) / 60.0
            + (self.start.timestamp() as f64 / 3600.0 + 8.0))
            .rem_euclid(24.0);
        if DAY.contains(&hour) { TURN_OUT.0 } else { TURN_OUT.1 }
    }
}
