//! The numbers of the trade that a ticket's decisions consult. They are data: the engine is given them, an operator may change them.
//! Deadlines and their clocks are not here; they come with the service promises.

use chrono::{FixedOffset, NaiveTime, TimeDelta};
use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// Rules for revisits, urges and time stamps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// After so many failed tries a revisit counts as unreachable (SGCC revisit practice: after three failed tries stop).
    pub revisit_tries_max: u16,
    /// At least so many minutes between two tries (SGCC practice: two hours).
    pub revisit_spacing_minutes: u32,
    /// No revisit call begins in these windows of China Standard Time (SGCC practice: 21:00-08:00 and 12:00-14:00). Messages may.
    pub revisit_quiet: Vec<QuietWindow>,
    /// At least so many minutes between two urges (SGCC practice).
    pub urge_spacing_minutes: u32,
    /// At most so many urges of a ticket that is not a fault repair (SGCC practice).
    pub urges_max: u16,
    /// How far ahead of the engine's clock a device's clock may run, in minutes.
    pub clock_skew_minutes: u32,
}

/// A window of the day, from `from` up to but not including `to`; it may cross midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietWindow {
    /// First minute of the window, `HH:MM:SS`.
    pub from: NaiveTime,
    /// First minute after it.
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
    /// The quiet window that `instant` falls into, in China Standard Time.
    #[must_use]
    pub fn quiet_at(&self, instant: Timestamp) -> Option<QuietWindow> {
        let china = FixedOffset::east_opt(8 * 3600)?;
        let time = instant.with_timezone(&china).time();
        self.revisit_quiet
            .iter()
            .copied()
            .find(|w| if w.from <= w.to { w.from <= time && time < w.to } else { w.from <= time || time < w.to })
    }

    /// Least time between two revisit tries.
    #[must_use]
    pub fn revisit_spacing(&self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.revisit_spacing_minutes))
    }

    /// Least time between two urges.
    #[must_use]
    pub fn urge_spacing(&self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.urge_spacing_minutes))
    }

    /// How far ahead a device's clock may run.
    #[must_use]
    pub fn clock_skew(&self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.clock_skew_minutes))
    }
}
