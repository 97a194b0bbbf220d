//! The limits for revisits, urges and time stamps. They are data: the engine passes them to each decision, and an
//! operator may change them. Deadlines are not here: see [`crate::sla`].
//!
//! The sources carry the marks of `deploy/policies/sgcc.toml`: S is published, U is unconfirmed practice.

use chrono::{FixedOffset, NaiveTime, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Rules for revisits, urges and time stamps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// After this many failed tries the revisit ends as unreachable (SGCC revisit rules: stop after three failed tries,
    /// mark S).
    pub revisit_tries_max: u16,
    /// Minimum time between two revisit tries, in minutes (SGCC practice: two hours, mark U).
    pub revisit_spacing_minutes: u32,
    /// Windows of China Standard Time in which no revisit call may begin; messages are permitted (SGCC practice:
    /// 21:00-08:00 and 12:00-14:00, mark U).
    pub revisit_quiet: Vec<QuietWindow>,
    /// Minimum time between two urges of one ticket, in minutes (SGCC practice: 5 minutes, mark U).
    pub urge_spacing_minutes: u32,
    /// Maximum number of urges of a ticket that is not a fault repair (SGCC practice: 2 for one matter, mark U).
    pub urges_max: u16,
    /// The largest permitted lead of a device's clock over the engine's clock, in minutes.
    pub clock_skew_minutes: u32,
}

/// A window of the day, from `from` (inclusive) to `to` (exclusive). It may cross midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietWindow {
    /// The first instant of the window, `HH:MM:SS`.
    pub from: NaiveTime,
    /// The first instant after the window, `HH:MM:SS`.
    pub to: NaiveTime,
}

impl Default for Rules {
    fn default() -> Self {
        let at = |hour| NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or(NaiveTime::MIN);
        Self {
            revisit_tries_max: 3,
            revisit_spacing_minutes: 120,
            revisit_quiet: vec![QuietWindow { from: at(21), to: at(8) }, QuietWindow { from: at(12), to: at(14) }],
            urge_spacing_minutes: 5,
            urges_max: 2,
            clock_skew_minutes: 5,
        }
    }
}

impl Rules {
    /// The quiet window that contains `instant`, in China Standard Time; `None` outside all windows.
    #[must_use]
    pub fn quiet_at(&self, instant: Timestamp) -> Option<QuietWindow> {
        let china = FixedOffset::east_opt(8 * 3600)?;
        let time = instant.with_timezone(&china).time();
        self.revisit_quiet
            .iter()
            .copied()
            .find(|w| if w.from <= w.to { w.from <= time && time < w.to } else { w.from <= time || time < w.to })
    }

    /// [`Self::revisit_spacing_minutes`] as a duration.
    #[must_use]
    pub fn revisit_spacing(&self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.revisit_spacing_minutes))
    }

    /// [`Self::urge_spacing_minutes`] as a duration.
    #[must_use]
    pub fn urge_spacing(&self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.urge_spacing_minutes))
    }

    /// [`Self::clock_skew_minutes`] as a duration.
    #[must_use]
    pub fn clock_skew(&self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.clock_skew_minutes))
    }
}
