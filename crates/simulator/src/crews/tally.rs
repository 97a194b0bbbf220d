//! The result of crews at work: counts, arrival times, and the problems in detail. All crews of a run share one tally.
//! Absent: the actions of single crews, which are in the log.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

use crate::driver::{Failure, PROBLEMS_MAX};

/// The result of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Tally {
    /// Enrolled crews.
    pub crews: usize,
    /// Offers that reached a crew.
    pub offers: u64,
    /// Offers that were accepted.
    pub accepted: u64,
    /// Offers that were declined.
    pub declined: u64,
    /// Offers whose lease expired.
    pub lapsed: u64,
    /// Offers that ended for any other reason.
    pub gone: u64,
    /// Jobs that were assigned to a crew without an offer.
    pub sent: u64,
    /// Jobs on which power was restored.
    pub restored: u64,
    /// Jobs handed over to a crew with another skill.
    pub handed_over: u64,
    /// Jobs that were taken from a crew.
    pub taken_away: u64,
    /// Steps recorded.
    pub steps: u64,
    /// Recorded steps that had been recorded before, such as the second copy of a bundle.
    pub steps_repeated: u64,
    /// Bundles of steps that were sent late, after a period without signal.
    pub bundles_late: u64,
    /// Late bundles that were sent twice.
    pub bundles_twice: u64,
    /// Late bundles that were sent step by step in another order than that of the steps.
    pub bundles_shuffled: u64,
    /// Streams that were resumed with the token of the last message.
    pub resumed: u64,
    /// Clock corrections that devices adopted from a refusal.
    pub clocks_set: u64,
    /// The median of the simulated minutes from report to arrival.
    pub arrival_minutes_p50: Option<f64>,
    /// The 90th percentile of the simulated minutes from report to arrival.
    pub arrival_minutes_p90: Option<f64>,
    /// The most tickets at one time that were planned for a crew but not yet offered.
    pub planned: usize,
    /// The most tickets at one time that waited without a crew, by reason.
    pub waited_for: BTreeMap<String, usize>,
    /// The most tickets at one time that had neither a crew nor a reason.
    pub unexplained: usize,
    /// Tickets that still waited for a crew at the last query.
    pub waiting: usize,
    /// The first problems, at most [`PROBLEMS_MAX`].
    pub problems: Vec<Trouble>,
}

/// A call by a crew or the desk that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// The path of the crew, or of the desk that made the call.
    pub crew: String,
    /// The name of the call.
    pub call: String,
    /// The API's reason.
    pub reason: String,
    /// The message for people.
    pub message: String,
}

impl Tally {
    /// True if every ticket got a crew or a reason, none waited at the end, and no call failed.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty() && self.unexplained == 0 && self.waiting == 0
    }

    pub(super) fn trouble(&mut self, crew: &str, call: &str, failure: &Failure) {
        if self.problems.len() < PROBLEMS_MAX {
            let Failure { reason, message, .. } = failure.clone();
            self.problems.push(Trouble { crew: crew.to_owned(), call: call.to_owned(), reason, message });
        }
    }

    /// Records one query: the reason of each ticket that waits without a crew.
    pub(super) fn seen<'r>(&mut self, waiting: impl IntoIterator<Item = Option<&'r str>>) {
        let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
        self.waiting = 0;
        let mut unexplained = 0;
        for reason in waiting {
            self.waiting += 1;
            match reason {
                Some(reason) if !reason.is_empty() => *reasons.entry(reason).or_default() += 1,
                _ => unexplained += 1,
            }
        }
        self.unexplained = self.unexplained.max(unexplained);
        for (reason, count) in reasons {
            let most = self.waited_for.entry(reason.to_owned()).or_default();
            *most = (*most).max(count);
        }
    }
}

/// The nearest-rank quantile of sorted numbers, rounded to one decimal.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    // A rank is at least 1 and at most the count, which is far below 2^53.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).map(|minutes| (minutes * 10.0).round() / 10.0)
}

/// A tally that all crews write, and the simulated minutes from report to arrival of each job.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    tally: Arc<Mutex<Tally>>,
    arrivals: Arc<Mutex<Vec<f64>>>,
}

impl Shared {
    pub(super) fn write(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records an arrival at this many simulated minutes after the report.
    pub(super) fn arrived(&self, minutes: f64) {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).push(minutes);
    }

    pub(super) fn finished(&self) -> Tally {
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).clone();
        arrivals.sort_by(f64::total_cmp);
        let (p50, p90) = (quantile(&arrivals, 0.5), quantile(&arrivals, 0.9));
        Tally { arrival_minutes_p50: p50, arrival_minutes_p90: p90, ..self.write().clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_arrive_sooner_than_the_median_and_nine_of_ten_than_the_last_decile() {
        let shared = Shared::default();
        (1..=10).rev().for_each(|minutes| shared.arrived(f64::from(minutes)));
        let tally = shared.finished();
        assert_eq!((tally.arrival_minutes_p50, tally.arrival_minutes_p90), (Some(5.0), Some(9.0)));
        let nobody = Shared::default().finished();
        assert_eq!((nobody.arrival_minutes_p50, nobody.arrival_minutes_p90), (None, None));
    }

    #[test]
    fn what_tickets_wait_for_is_kept_at_its_most_and_a_ticket_without_reason_is_never_forgotten() {
        let mut tally = Tally::default();
        tally.seen([Some("all_busy"), Some("all_busy"), Some("no_skill")]);
        assert!(tally.waiting == 3 && tally.unexplained == 0 && !tally.is_clean());
        tally.seen([Some("all_busy"), None]);
        tally.seen([]);
        assert_eq!(tally.waited_for, BTreeMap::from([("all_busy".to_owned(), 2), ("no_skill".to_owned(), 1)]));
        assert_eq!((tally.waiting, tally.unexplained), (0, 1));
        assert!(!tally.is_clean());
        assert!(Tally::default().is_clean());
    }
}
