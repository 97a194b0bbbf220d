//! The measures of a run. The score is a vector: no column is traded for another.

use std::collections::BTreeMap;

use super::world::{Millis, World, minutes};

/// The offset basis and the prime of FNV-1a.
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

/// The course of one ticket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// The time at which the first crew was on site.
    pub arrived: Option<Millis>,
    /// The time of restoration.
    pub restored: Option<Millis>,
    /// The number of offers made.
    pub offers: u32,
    /// The number of recalls of crews that were on their way.
    pub recalled: u32,
    /// The number of offers withdrawn because another crew accepted.
    pub withdrawn: u32,
    /// The number of handovers to a crew with other skills.
    pub handed_over: u32,
}

/// The full result of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// The course of each ticket.
    pub served: Vec<Served>,
    /// The minutes on site of each crew.
    pub worked: Vec<f64>,
    /// The number of times that a crew or a ticket went A-B-A within 15 minutes.
    pub to_and_fro: usize,
    /// Offers and diversions of the policy that could not be made.
    pub impossible: usize,
    /// A hash of the policy's choices in order. Two runs with the same hash chose the same crews at the same instants.
    pub decisions: u64,
}

impl Outcome {
    /// Creates the result before the first event.
    #[must_use]
    pub fn new(world: &World) -> Self {
        Self {
            served: vec![Served::default(); world.tickets.len()],
            worked: vec![0.0; world.crews.len()],
            decisions: FNV_OFFSET,
            ..Self::default()
        }
    }

    /// Adds one choice to [`Self::decisions`]. FNV-1a gives the same number on every machine.
    pub fn decided(&mut self, at: Millis, what: &str) {
        let bytes = at.to_be_bytes().into_iter().chain(what.bytes());
        self.decisions = bytes.fold(self.decisions, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(FNV_PRIME));
    }
}

/// The columns of the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Tickets reached within their promise, in per cent of all.
    pub on_time: f64,
    /// The mean minutes from report to arrival.
    pub mean: f64,
    /// The 95th percentile of the minutes from report to arrival.
    pub p95: f64,
    /// Customer-minutes interrupted.
    pub cmi: f64,
    /// Priority sites reached within their promise, in per cent.
    pub priority: f64,
    /// The hours from report to restoration of the ticket that was open longest.
    pub oldest: f64,
    /// The hours from report to arrival of the ticket that waited longest.
    pub waited: f64,
    /// Offers per visit; each handover needs another visit.
    pub offers: f64,
    /// Recalls and withdrawn offers per ticket.
    pub revoked: f64,
    /// A-B-A within 15 minutes: the number of times.
    pub to_and_fro: f64,
    /// Jain's index of the minutes on site within a class of equal skills, as the mean over crews.
    pub jain: f64,
    /// The mean of arrival time over promise in the worst district, relative to that of all tickets.
    pub district: f64,
    /// The number of tickets not restored.
    pub left: f64,
}

impl Score {
    /// Judges a run. A ticket that was never reached counts as late; its arrival is the last instant of the run.
    #[must_use]
    pub fn of(world: &World, outcome: &Outcome) -> Self {
        let count = world.tickets.len().max(1) as f64;
        let last = outcome.served.iter().filter_map(|served| served.restored.max(served.arrived)).max().unwrap_or(0);
        let both = || world.tickets.iter().zip(&outcome.served);
        let waits: Vec<f64> =
            both().map(|(ticket, served)| minutes(served.arrived.unwrap_or(last) - ticket.reported)).collect();
        let in_time = |only: &dyn Fn(usize) -> bool| {
            let counted: Vec<bool> = (0..waits.len())
                .filter(|index| only(*index))
                .map(|index| {
                    outcome.served[index].arrived.is_some() && waits[index] <= f64::from(world.tickets[index].promise)
                })
                .collect();
            100.0 * counted.iter().filter(|kept| **kept).count() as f64 / counted.len().max(1) as f64
        };
        let open = both().map(|(ticket, served)| minutes(served.restored.unwrap_or(last) - ticket.reported));
        let cmi = both().zip(open.clone()).map(|((ticket, _), open)| f64::from(ticket.customers) * open).sum();
        let mut sorted = waits.clone();
        sorted.sort_by(f64::total_cmp);
        let total = |what: fn(&Served) -> u32| outcome.served.iter().map(|s| f64::from(what(s))).sum::<f64>();
        Self {
            on_time: in_time(&|_| true),
            mean: waits.iter().sum::<f64>() / count,
            p95: sorted.get((count * 0.95) as usize).or(sorted.last()).copied().unwrap_or(0.0),
            cmi,
            priority: in_time(&|index| world.tickets[index].priority()),
            oldest: open.fold(0.0, f64::max) / 60.0,
            waited: sorted.last().copied().unwrap_or(0.0) / 60.0,
            offers: total(|served| served.offers) / (count + total(|served| served.handed_over)),
            revoked: total(|served| served.recalled + served.withdrawn) / count,
            to_and_fro: outcome.to_and_fro as f64,
            jain: jain(world, &outcome.worked),
            district: worst_district(world, &waits),
            left: outcome.served.iter().filter(|served| served.restored.is_none()).count() as f64,
        }
    }
}

/// Returns Jain's index by class of equal skills, weighted by the crews of the class; 1 where no crew worked.
fn jain(world: &World, worked: &[f64]) -> f64 {
    let mut classes: BTreeMap<_, Vec<f64>> = BTreeMap::new();
    for (roster, minutes) in world.crews.iter().zip(worked) {
        classes.entry(roster.skills).or_default().push(*minutes);
    }
    let index = |minutes: &[f64]| {
        let squares: f64 = minutes.iter().map(|m| m * m).sum();
        let sum: f64 = minutes.iter().sum();
        if squares > 0.0 { sum * sum / (minutes.len() as f64 * squares) } else { 1.0 }
    };
    let crews = world.crews.len().max(1) as f64;
    classes.values().map(|minutes| index(minutes) * minutes.len() as f64 / crews).sum()
}

fn worst_district(world: &World, waits: &[f64]) -> f64 {
    let mut districts = vec![(0.0, 0.0); world.districts];
    let mut all = 0.0;
    for (ticket, wait) in world.tickets.iter().zip(waits) {
        let share = wait / f64::from(ticket.promise);
        let (sum, count) = &mut districts[ticket.district];
        *sum += share;
        *count += 1.0;
        all += share;
    }
    let mean = all / waits.len().max(1) as f64;
    let means = districts.iter().filter(|(_, count)| *count > 0.0).map(|(sum, count)| sum / count);
    if mean > 0.0 { means.fold(0.0, f64::max) / mean } else { 1.0 }
}
