//! What came of crews at work: counts, how soon they were on site, and what went wrong by name. One tally is shared by all
//! crews of a play. Absent: who did what; that is in the log.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::Serialize;

use crate::driver::{Failure, PROBLEMS_MAX};

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Tally {
    /// Crews at work.
    pub crews: usize,
    /// Offers that reached a crew.
    pub offers: u64,
    /// Of these, accepted.
    pub accepted: u64,
    /// Declined.
    pub declined: u64,
    /// Ended by their lease.
    pub lapsed: u64,
    /// Taken back, or gone before the crew answered.
    pub gone: u64,
    /// Jobs that crews were sent on without an offer.
    pub sent: u64,
    /// Jobs on which power came back.
    pub restored: u64,
    /// Jobs handed over to a crew with another skill.
    pub handed_over: u64,
    /// Jobs that were taken from a crew.
    pub taken_away: u64,
    /// Steps recorded.
    pub steps: u64,
    /// Of these, recorded before: the second copy of a bundle.
    pub steps_repeated: u64,
    /// Bundles of steps that came late, after a time without signal.
    pub bundles_late: u64,
    /// Of these, sent twice.
    pub bundles_twice: u64,
    /// Of these, sent step by step in another order than that of the steps.
    pub bundles_shuffled: u64,
    /// Streams opened again with the token of the last message.
    pub resumed: u64,
    /// Devices that were told that their clock is wrong.
    pub clocks_set: u64,
    /// Simulated minutes from the report to the arrival: half of the arrivals came sooner.
    pub arrival_minutes_p50: Option<f64>,
    /// Simulated minutes from the report to the arrival: nine of ten came sooner.
    pub arrival_minutes_p90: Option<f64>,
    /// The most tickets that were planned at once for crews that had not been offered them yet.
    pub planned: usize,
    /// The most tickets without any crew in sight that waited at once, by what for.
    pub waited_for: BTreeMap<String, usize>,
    /// Tickets without a crew for which the server gave no reason, at any time that it was asked.
    pub unexplained: usize,
    /// Tickets that still wait for a crew at the end.
    pub waiting: usize,
    /// What went wrong, at most [`PROBLEMS_MAX`].
    pub problems: Vec<Trouble>,
}

/// Something that a crew was refused, or could not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// The crew, or who asked.
    pub crew: String,
    /// What it wanted.
    pub call: String,
    /// The API's reason.
    pub reason: String,
    /// In words.
    pub message: String,
}

impl Tally {
    /// Whether every ticket has found a crew or a reason, and nothing went wrong.
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

    /// What the server says of the tickets that take a crew, seen at one time: what each that has none waits for.
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

/// The nearest-rank quantile of sorted numbers, to a tenth.
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    // A rank is at least 1 and at most the count, which is far below 2^53.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).map(|minutes| (minutes * 10.0).round() / 10.0)
}

/// A tally that many crews write, and how many simulated minutes after the report each was on site.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    tally: Arc<Mutex<Tally>>,
    arrivals: Arc<Mutex<Vec<f64>>>,
}

impl Shared {
    pub(super) fn write(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A crew is on site so many simulated minutes after the report.
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
