//! The duration of a step of the dispatch process by the number of open tickets, and the cost of its checkpoints per
//! fact. There are three lanes: calls without a place that are not dispatched, dispatched tickets without crews, and
//! dispatched tickets with crews.
//!
//! `GROWTH=` lists the numbers of open tickets (1000,10000,100000). `GROWTH_CREWS=` is the number of crews (200), and
//! `GROWTH_EVENTS=` the number of new tickets (1000).

use std::{hint::black_box, time::Duration};

use switchboard_dispatcher::{dispatch::Dispatch, policy::Policy};
use switchboard_domain::{
    Timestamp,
    decider::{Process, Projection},
    fact::Fact,
};
use switchboard_engine::checkpoint::facts_until_next;

use super::{
    Stopwatch, WANTS_MAX,
    province::{Province, crew_id},
};
use crate::{Outcome, setting};

/// The kind of tickets that are in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    /// Calls without a place that are not dispatched.
    Calls,
    /// Dispatched tickets without crews.
    Tickets,
    /// Dispatched tickets with this number of crews on shift.
    Crews(u32),
}

impl Lane {
    fn crews(self) -> u32 {
        if let Self::Crews(crews) = self { crews } else { 0 }
    }

    fn comes(self, province: &mut Province, number: u32, age: f64) -> Outcome<Vec<Fact>> {
        if self == Self::Calls { province.call(number) } else { province.ticket(number, age) }
    }
}

/// A process, the province whose tickets and crews it dispatches, and the duration of each step.
struct Bench {
    process: Dispatch,
    province: Province,
    took: Vec<Duration>,
}

impl Bench {
    /// Does one step because of these facts, and returns the facts that follow from its actions.
    fn step(&mut self, facts: &[Fact]) -> Outcome<Vec<Fact>> {
        let watch = Stopwatch::start();
        facts.iter().for_each(|fact| self.process.apply(fact));
        let wants = black_box(self.process.pending(self.province.now, WANTS_MAX));
        self.took.push(watch.elapsed());
        let mut facts = self.province.carry_out(&wants);
        facts.extend(self.province.accept(&facts)?);
        Ok(facts)
    }

    /// Steps until no facts follow.
    fn follow(&mut self, mut facts: Vec<Fact>) -> Outcome<()> {
        while !facts.is_empty() {
            facts = self.step(&facts)?;
        }
        Ok(())
    }

    /// Creates a province with `open` tickets and one more for each crew. Steps until the plan is settled.
    fn begun(open: u32, lane: Lane) -> Outcome<Self> {
        let crews = lane.crews();
        let at = "2026-11-22T02:00:00Z".parse::<Timestamp>()?;
        let mut bench =
            Self { process: Dispatch::new(Policy::default()), province: Province::new(at)?, took: Vec::new() };
        for number in 0..crews {
            bench.province.crew(number)?.iter().for_each(|fact| bench.process.apply(fact));
        }
        for number in 0..open + crews {
            lane.comes(&mut bench.province, number, 0.5)?.iter().for_each(|fact| bench.process.apply(fact));
        }
        loop {
            let facts = bench.step(&[])?;
            if facts.is_empty() && bench.process.planner().is_settled() {
                break;
            }
            facts.iter().for_each(|fact| bench.process.apply(fact));
        }
        bench.took.clear();
        Ok(bench)
    }

    /// Runs `events` events. In each, a ticket arrives, fact by fact, and one crew finishes its work.
    fn live(&mut self, first: u32, events: u32, lane: Lane) -> Outcome<()> {
        for event in 0..events {
            self.province.now += super::ROUND / 10;
            for fact in lane.comes(&mut self.province, first + event, 0.0)? {
                self.follow(vec![fact])?;
            }
            if lane.crews() > 0 {
                let facts = self.province.restore(&crew_id(event.wrapping_mul(7) % lane.crews())?)?;
                self.follow(facts)?;
            }
        }
        Ok(())
    }
}

/// Prints one line for each lane and number of open tickets.
pub fn run() -> Outcome<()> {
    let sizes = setting("GROWTH", "1000,10000,100000".to_owned());
    let events: u32 = setting("GROWTH_EVENTS", 1_000);
    println!(
        "{:>8} {:<12} {:>9} {:>9} {:>9} {:>14} {:>9} {:>9} {:>12}",
        "open", "lane", "step us", "p50 us", "p99 us", "checkpoint MiB", "copy ms", "write ms", "us a fact"
    );
    for lane in [Lane::Calls, Lane::Tickets, Lane::Crews(setting("GROWTH_CREWS", 200))] {
        for open in sizes.split(',') {
            let open: u32 = open.trim().parse()?;
            let mut bench = Bench::begun(open, lane)?;
            bench.live(open + lane.crews(), events, lane)?;
            print(open, lane, bench)?;
        }
    }
    Ok(())
}

fn print(open: u32, lane: Lane, bench: Bench) -> Outcome<()> {
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let Bench { process, mut took, .. } = bench;
    took.sort_unstable();
    let mean = micros(took.iter().sum::<Duration>()) / took.len().max(1) as f64;
    let at = |share: usize| took.get(took.len() * share / 100).copied().map_or(f64::NAN, micros);
    let watch = Stopwatch::start();
    let copy = black_box(process.fold().clone());
    let copied = watch.elapsed();
    let watch = Stopwatch::start();
    let bytes = serde_json::to_vec(&copy)?.len() as u64;
    let written = watch.elapsed();
    println!(
        "{open:>8} {:<12} {mean:>9.1} {:>9.1} {:>9.1} {:>14.1} {:>9.2} {:>9.1} {:>12.2}",
        format!("{lane:?}"),
        at(50),
        at(99),
        bytes as f64 / 1_048_576.0,
        micros(copied) / 1e3,
        micros(written) / 1e3,
        micros(copied + written) / facts_until_next(bytes) as f64,
    );
    Ok(())
}
