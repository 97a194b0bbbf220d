//! Service promises (服务承诺): deadlines defined by published policies, and judged from the facts of a ticket.
//!
//! A policy defines the clocks of tickets. A calendar defines the days and hours that count. Both are facts with
//! versions. A [`clock_history::ClockHistory`] holds the facts of one ticket that clocks depend on. [`judge::judge`]
//! computes all clocks from a clock history, the registry and an instant; a later publication does not change an
//! earlier verdict. The [`watch::Watch`] records each warning and breach once.
//!
//! Reading order: [`calendar`], [`policy`] and its [`check`], [`publication`], [`registry`] (the published versions),
//! [`clock_history`], [`clock`] (one rule applied to one clock history), [`judge`], [`promise`] (the recorded warnings
//! and breaches), [`watch`], [`average`].

pub mod average;
pub mod calendar;
pub mod check;
pub mod clock;
pub mod clock_history;
pub mod judge;
pub mod policy;
pub mod promise;
pub mod publication;
pub mod registry;
pub mod watch;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The kind of time that a clock counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Natural time, day and night (24x7).
    Elapsed,
    /// Whole working days, midnight to midnight in China Standard Time; other days do not count.
    WorkingDays,
    /// The working hours of each working day.
    WorkingTime,
}

/// An instant as a wall-clock reading in China Standard Time (UTC+8, no daylight saving). Calendars use this time.
#[must_use]
pub fn china_time(instant: Timestamp) -> chrono::NaiveDateTime {
    instant.naive_utc().checked_add_signed(chrono::TimeDelta::hours(8)).unwrap_or(chrono::NaiveDateTime::MAX)
}

/// The instant of a wall-clock reading in China Standard Time.
#[must_use]
pub fn from_china_time(reading: chrono::NaiveDateTime) -> Timestamp {
    reading.checked_sub_signed(chrono::TimeDelta::hours(8)).map_or(Timestamp::MIN_UTC, |utc| utc.and_utc())
}
