//! Promises (服务承诺): clocks that are data, judged over facts, explained to the segment.
//!
//! A policy says which clocks a ticket has; a calendar says which days count; both are facts with versions. A [`clock_history::ClockHistory`]
//! holds what the clocks look at of one ticket. [`judge::judge`] is a function of clock history, registry and time: it can be asked
//! for any instant, and a verdict once given stays with the version that gave it. The [`watch::Watch`] says aloud, once each,
//! what the judge finds.
//!
//! Reading order: [`calendar`], [`policy`] with its [`check`], [`registry`] (what was published when), [`clock_history`], [`clock`] (one rule
//! over one clock history), [`judge`], [`promise`] (what was said), [`watch`], [`average`].

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

/// In which time a clock counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Natural time, day and night (24x7).
    Elapsed,
    /// The whole of each working day, midnight to midnight in China Standard Time; other days do not count.
    WorkingDays,
    /// The working hours of each working day.
    WorkingTime,
}

/// China Standard Time (UTC+8, no daylight saving): the time in which days and hours of a calendar are read.
#[must_use]
pub fn china_time(instant: Timestamp) -> chrono::NaiveDateTime {
    instant.naive_utc().checked_add_signed(chrono::TimeDelta::hours(8)).unwrap_or(chrono::NaiveDateTime::MAX)
}

/// The instant of a wall-clock reading in China Standard Time.
#[must_use]
pub fn from_china_time(reading: chrono::NaiveDateTime) -> Timestamp {
    reading.checked_sub_signed(chrono::TimeDelta::hours(8)).map_or(Timestamp::MIN_UTC, |utc| utc.and_utc())
}
