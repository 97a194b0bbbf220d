//! Promises about an average (平均到达现场时长, 平均修复时长): the mean over the tickets of one unit in a rolling window. The limit
//! of a single ticket is a clock's, not an average's. Source: 供电服务十项承诺, current edition, where arrival and restoration
//! are averages (mark S of `deploy/policies/sgcc.toml`).

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::{
    Timestamp,
    organisation::OrgPath,
    sla::{
        clock_history::{ClockHistory, FactName},
        judge,
        policy::{Average, Trigger},
    },
};

/// One measured interval of one ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The unit that it counts for: the unit that held the ticket when the interval ended.
    pub unit: OrgPath,
    /// The end of the interval. This instant decides whether it lies in a window.
    pub ended: Timestamp,
    /// The length of the interval; never negative.
    pub took: TimeDelta,
}

/// A unit's mean over a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mean {
    /// The unit.
    pub unit: OrgPath,
    /// The number of samples.
    pub tickets: u64,
    /// The mean, in seconds, rounded half up.
    pub seconds: i64,
    /// True when the mean is within the limit.
    pub kept: bool,
}

impl Average {
    /// The samples of one ticket: one for each cycle that has both facts, attributed to the unit of the average's
    /// level. A merged ticket has no samples; its master has.
    #[must_use]
    pub fn samples(&self, clock_history: &ClockHistory) -> Vec<Sample> {
        let timeline = clock_history.timeline();
        let triggered = |trigger: &Trigger, range: std::ops::Range<usize>| {
            let each = timeline[range].iter();
            each.filter_map(|(clock_event, ticket)| Some((trigger.triggered(clock_event, ticket.level())?, *ticket)))
                .collect::<Vec<_>>()
        };
        let merged = |range: std::ops::Range<usize>| {
            let each = timeline[range].iter().rev().map(|(clock_event, _)| clock_event.fact);
            each.into_iter().find(|fact| matches!(fact, FactName::Merged | FactName::Unmerged))
                == Some(FactName::Merged)
        };
        let sample = |(range, _): (std::ops::Range<usize>, _)| {
            if merged(range.clone()) {
                return None;
            }
            let (from, _) = triggered(&self.from, range.clone()).into_iter().min_by_key(|(at, _)| *at)?;
            let (ended, ticket) = triggered(&self.to, range).into_iter().max_by_key(|(at, _)| *at)?;
            let unit = ticket.holder.at_level(self.level)?;
            let took = (ended - from).max(TimeDelta::zero());
            self.when.admits(&ticket).then_some(Sample { unit, ended, took })
        };
        judge::cycles(&timeline).into_iter().filter_map(sample).collect()
    }

    /// The mean for each unit over the samples that ended in the window before `now`.
    #[must_use]
    pub fn means<'a>(&self, samples: impl Iterator<Item = &'a Sample>, now: Timestamp) -> Vec<Mean> {
        let window = TimeDelta::days(i64::from(self.window_days));
        let from = now.checked_sub_signed(window).unwrap_or(Timestamp::MIN_UTC);
        let mut sums: BTreeMap<&OrgPath, (u64, i128)> = BTreeMap::new();
        for sample in samples.filter(|sample| from < sample.ended && sample.ended <= now) {
            let (tickets, milliseconds) = sums.entry(&sample.unit).or_default();
            *tickets += 1;
            *milliseconds += i128::from(sample.took.num_milliseconds());
        }
        let mean = |(unit, (tickets, milliseconds)): (&OrgPath, (u64, i128))| {
            let count = i128::from(tickets) * 1_000;
            let seconds = i64::try_from((milliseconds + count / 2) / count).unwrap_or(i64::MAX);
            Mean { unit: unit.clone(), tickets, seconds, kept: milliseconds <= count * i128::from(self.limit_seconds) }
        };
        sums.into_iter().map(mean).collect()
    }
}
