//! Pairs of slices, ours and theirs next to each other in time, in the order A B B A, with a probe of the disk between
//! any two.
//!
//! The figure is the median of the ratios within pairs, with its quartiles, for each mood of the disk. Every pair that
//! was measured is kept; those in which the disk changed its mood are shown and not compared.

use std::time::Duration;

use crate::contestant::Contestant;
use crate::cpu;
use crate::disk::{Mood, Probe, Ring, probe};
use crate::slice::Tally;
use crate::workload::Fault;

/// How a comparison is run.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Length of a slice.
    pub slice: Duration,
    /// Pairs in one mood after which a comparison is done.
    pub pairs: usize,
    /// Pairs in any mood after which it is done all the same.
    pub pairs_max: usize,
    /// Sync time that parts the moods.
    pub slow_over: Duration,
}

/// One side of a pair.
#[derive(Debug, Clone)]
pub struct Side {
    /// The operations of the slice.
    pub tally: Tally,
    /// CPU time of the server's processes; `None` if there is no server.
    pub server_cpu: Option<Duration>,
    /// CPU time of this process: the callers, and the store itself if there is no server.
    pub driver_cpu: Duration,
    /// Part of the machine's processors, 0 to 1, that was taken by programs that have no part in this.
    pub others_cpu: f64,
}

/// Two slices that can be compared.
#[derive(Debug, Clone)]
pub struct Pair {
    /// Ours.
    pub ours: Side,
    /// Theirs.
    pub theirs: Side,
    /// True if our slice came first.
    pub ours_first: bool,
    /// Before, between and after.
    pub probes: [Probe; 3],
    /// The disk's mood from the first probe to the last.
    pub mood: Mood,
}

impl Pair {
    /// Our rate by theirs.
    pub fn ratio(&self) -> f64 {
        self.ours.tally.rate() / self.theirs.tally.rate().max(f64::EPSILON)
    }
}

/// Runs pairs until there are enough.
pub async fn run(
    ours: &mut dyn Contestant,
    theirs: &mut dyn Contestant,
    callers: usize,
    plan: Plan,
    ring: &mut Ring,
) -> Result<Vec<Pair>, Fault> {
    ours.slice(callers, plan.slice / 2).await?;
    theirs.slice(callers, plan.slice / 2).await?;
    let mut pairs: Vec<Pair> = Vec::new();
    let enough = |pairs: &[Pair]| {
        let of = |mood| pairs.iter().filter(|pair| pair.mood == mood).count();
        of(Mood::Fast).max(of(Mood::Slow)) >= plan.pairs || pairs.len() >= plan.pairs_max
    };
    let mut before = probe(ring)?;
    while !enough(&pairs) {
        let ours_first = pairs.len().is_multiple_of(2);
        let (first, between, second);
        if ours_first {
            first = measured(ours, callers, plan.slice).await?;
            between = probe(ring)?;
            second = measured(theirs, callers, plan.slice).await?;
        } else {
            first = measured(theirs, callers, plan.slice).await?;
            between = probe(ring)?;
            second = measured(ours, callers, plan.slice).await?;
        }
        let after = probe(ring)?;
        let (ours, theirs) = if ours_first { (first, second) } else { (second, first) };
        let probes = [before, between, after];
        pairs.push(Pair { ours, theirs, ours_first, probes, mood: Mood::between(&probes, plan.slow_over) });
        before = after;
    }
    Ok(pairs)
}

async fn measured(contestant: &mut dyn Contestant, callers: usize, time: Duration) -> Result<Side, Fault> {
    let servers = contestant.servers().to_vec();
    let of_servers = || (!servers.is_empty()).then(|| cpu::of_trees(&servers));
    let machine_before = cpu::of_machine();
    let driver_before = cpu::of_this_process();
    let server_before = of_servers();
    let tally = contestant.slice(callers, time).await?;
    let server_cpu = of_servers().zip(server_before).map(|(now, then)| now.saturating_sub(then));
    let driver_cpu = cpu::of_this_process().saturating_sub(driver_before);
    let others = cpu::of_machine().saturating_sub(machine_before + server_cpu.unwrap_or_default() + driver_cpu);
    let processors = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let others_cpu = (others.as_secs_f64() / (tally.elapsed.as_secs_f64() * processors).max(f64::EPSILON)).min(1.0);
    Ok(Side { tally, server_cpu, driver_cpu, others_cpu })
}

/// First quartile, median, third quartile; linear between samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// A quarter lies below.
    pub p25: f64,
    /// Half lies below.
    pub p50: f64,
    /// Three quarters lie below.
    pub p75: f64,
}

impl Spread {
    /// Of some values; `None` if there are none.
    pub fn of(values: impl Iterator<Item = f64>) -> Option<Spread> {
        let mut sorted: Vec<f64> = values.collect();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let at = |fraction: f64| {
            let place = fraction * last as f64;
            let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
            low + (high - low) * place.fract()
        };
        Some(Spread { p25: at(0.25), p50: at(0.5), p75: at(0.75) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_lie_between_samples_where_they_must() {
        assert_eq!(Spread::of([4.0, 1.0, 3.0, 2.0].into_iter()), Some(Spread { p25: 1.75, p50: 2.5, p75: 3.25 }));
        assert_eq!(Spread::of([7.0].into_iter()), Some(Spread { p25: 7.0, p50: 7.0, p75: 7.0 }));
        assert_eq!(Spread::of(std::iter::empty()), None);
    }
}
