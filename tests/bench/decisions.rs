//! The dispatch process alone, on one core, with a province in a storm on its board. Measures the time from a fact to
//! the resulting actions, the time that a fact may have to wait for other steps, and the time of a restart. Nothing
//! here waits for a disk or a network.
//!
//! The province is simulated: every action is executed and becomes facts, and every offer is accepted. Crews finish,
//! and new tickets arrive at the same rate. Times are CPU times of the one thread, so that other load on the machine
//! does not count.
//!
//! `OPEN=` is the number of open tickets, `PLAN_CREWS=` the number of crews, and `EVENTS=` the number of rounds.

pub mod growth;
mod province;

use std::{hint::black_box, time::Duration};

use hdrhistogram::Histogram;
use switchboard_dispatcher::{
    dispatch::{Dispatch, Intent},
    planner::Planner,
    policy::Policy,
    state::DispatchState,
};
use switchboard_domain::{
    Timestamp, crew,
    decider::{Action, Process, Projection},
    fact::Fact,
};

use self::province::{Province, crew_id, place};
use crate::{Outcome, setting, stats::histogram};

/// The simulated time of a round, in which one ticket arrives and one crew finishes.
const ROUND: chrono::TimeDelta = chrono::TimeDelta::seconds(1);
/// The number of rounds in which every crew shows activity once.
const HEARD_ROUNDS: u32 = 60;
/// The most steps without a new fact in a round.
const IDLE_MAX: usize = 16;
/// The most actions of one step.
const WANTS_MAX: usize = 64;

/// Measures the CPU time of this thread since its start.
struct Stopwatch(Duration);

impl Stopwatch {
    fn start() -> Self {
        Self(Self::now())
    }

    fn now() -> Duration {
        let at = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Duration::new(at.tv_sec.unsigned_abs(), u32::try_from(at.tv_nsec).unwrap_or_default())
    }

    fn elapsed(&self) -> Duration {
        Self::now() - self.0
    }

    fn record(&self, latency: &mut Histogram<u64>) {
        latency.saturating_record(self.elapsed().as_micros() as u64);
    }
}

fn line(name: &str, latency: &Histogram<u64>, aim: &str) {
    let at = |q| latency.value_at_quantile(q) as f64 / 1e3;
    println!(
        "{name}: p50 {:.3} ms, p99 {:.3} ms, p99.9 {:.3} ms, max {:.3} ms (n {}; {aim})",
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
        latency.len()
    );
}

/// A process, the province whose tickets and crews it dispatches, and the durations of its steps.
struct Bench {
    process: Dispatch,
    province: Province,
    /// Steps because of a ticket's dispatch.
    dispatched: Histogram<u64>,
    /// Steps because of a crew's release.
    freed: Histogram<u64>,
    /// Steps because of any other facts.
    others: Histogram<u64>,
    /// Steps without a new fact.
    idle: Histogram<u64>,
    /// The number of freed crews that were reserved for a ticket in the same step.
    answered: u64,
}

impl Bench {
    fn told(&mut self, facts: &[Fact]) {
        facts.iter().for_each(|fact| self.process.apply(fact));
    }

    /// Applies these facts and executes the resulting actions, step by step, until no facts follow.
    fn follow(&mut self, facts: Vec<Fact>) -> Outcome<()> {
        let mut facts = facts;
        while !facts.is_empty() {
            let watch = Stopwatch::start();
            self.told(&facts);
            let wants = self.process.pending(self.province.now, WANTS_MAX);
            watch.record(&mut self.others);
            facts = self.answered_facts(&wants)?;
        }
        Ok(())
    }

    fn answered_facts(&mut self, wants: &[Action<Intent>]) -> Outcome<Vec<Fact>> {
        let mut facts = self.province.carry_out(wants);
        facts.extend(self.province.accept(&facts)?);
        Ok(facts)
    }

    /// Dispatches a new ticket, and executes the actions that result.
    fn ticket(&mut self, number: u32) -> Outcome<()> {
        let facts = self.province.ticket(number, 0.0)?;
        let (last, before) = facts.split_last().ok_or("no facts")?;
        self.told(before);
        let watch = Stopwatch::start();
        self.process.apply(last);
        let wants = black_box(self.process.pending(self.province.now, WANTS_MAX));
        watch.record(&mut self.dispatched);
        let facts = self.answered_facts(&wants)?;
        self.follow(facts)
    }

    /// Lets one crew finish its work, and follows its release and its next reservation.
    fn free(&mut self, number: u32) -> Outcome<()> {
        let id = crew_id(number)?;
        let mut facts = self.province.restore(&id)?;
        while !facts.is_empty() {
            let released =
                |fact: &Fact| matches!(fact, Fact::Crew(fact) if matches!(fact.event, crew::Event::Released(_)));
            let frees = facts.iter().any(released);
            let watch = Stopwatch::start();
            self.told(&facts);
            let wants = self.process.pending(self.province.now, WANTS_MAX);
            watch.record(if frees { &mut self.freed } else { &mut self.others });
            let reserves = |want: &Action<Intent>| matches!(&want.intent, Intent::Reserve(crew, _) if *crew == id);
            self.answered += u64::from(frees && wants.iter().any(reserves));
            facts = self.answered_facts(&wants)?;
        }
        Ok(())
    }

    /// Steps without a new fact, as often as the process's wake-up time is reached, at most `IDLE_MAX` times.
    fn rest(&mut self) -> Outcome<()> {
        for _ in 0..IDLE_MAX {
            if self.process.wake().is_none_or(|at| at > self.province.now) {
                break;
            }
            let watch = Stopwatch::start();
            let wants = self.process.pending(self.province.now, WANTS_MAX);
            watch.record(&mut self.idle);
            let facts = self.answered_facts(&wants)?;
            self.follow(facts)?;
        }
        Ok(())
    }

    /// Applies many tickets at once, as after a pause. Prints the number of steps until all are planned, and
    /// their durations.
    fn burst(&mut self, name: &str, numbers: std::ops::Range<u32>) -> Outcome<()> {
        for number in numbers {
            let facts = self.province.ticket(number, 0.0)?;
            self.told(&facts);
        }
        self.steps(name)
    }

    /// Steps until the plan is settled and no facts follow. Prints the number of steps and their durations.
    fn steps(&mut self, name: &str) -> Outcome<()> {
        let mut steps = histogram();
        loop {
            let watch = Stopwatch::start();
            let wants = self.process.pending(self.province.now, WANTS_MAX);
            watch.record(&mut steps);
            let facts = self.answered_facts(&wants)?;
            let more = !facts.is_empty() || !self.process.planner().is_settled();
            self.told(&facts);
            if !more {
                break;
            }
        }
        line(name, &steps, "a step; n is the number of steps");
        Ok(())
    }

    fn heard(&mut self, numbers: impl Iterator<Item = u32>) -> Outcome<()> {
        for number in numbers {
            self.process.heard(&crew_id(number)?, None, self.province.now);
        }
        Ok(())
    }
}

/// Runs all measurements on one province.
pub fn run() -> Outcome<()> {
    let open: u32 = setting("OPEN", 10_000);
    let crews: u32 = setting("PLAN_CREWS", 1_000);
    let events: u32 = setting("EVENTS", 5_000);
    let at = "2026-11-22T02:00:00Z".parse::<Timestamp>()?;
    let resident = memory();
    let mut bench = Bench {
        process: Dispatch::new(Policy::default()),
        province: Province::new(at)?,
        dispatched: histogram(),
        freed: histogram(),
        others: histogram(),
        idle: histogram(),
        answered: 0,
    };
    for number in 0..crews {
        let facts = bench.province.crew(number)?;
        bench.told(&facts);
    }
    for number in 0..open + crews {
        let facts = bench.province.ticket(number, f64::from(open + crews - number) / f64::from(open + crews))?;
        bench.told(&facts);
    }
    bench.steps(&format!("{open} open tickets and {crews} crews at once"))?;
    let waiting = bench.process.board().jobs.values().filter(|job| job.crew.is_none()).count();
    println!("{waiting} tickets wait for a crew; memory of board, plan and state: {:.1} MiB", memory() - resident);
    for all in [&mut bench.others, &mut bench.idle] {
        all.reset();
    }
    for round in 0..events {
        bench.province.now += ROUND;
        bench.heard((0..crews).filter(|number| number % HEARD_ROUNDS == round % HEARD_ROUNDS))?;
        bench.rest()?;
        bench.ticket(open + crews + round)?;
        bench.free(round.wrapping_mul(7) % crews)?;
    }
    bench.burst("500 tickets at once", open + crews + events..open + crews + events + 500)?;
    for number in 0..crews {
        let (id, at) = (crew_id(number)?, bench.province.now);
        bench.process.heard(&id, Some((place(number.wrapping_mul(17))?, at)), at);
    }
    bench.steps("all crews elsewhere at once")?;
    line("ticket dispatched to decision", &bench.dispatched, "aim p99 <= 1 ms, p99.9 <= 5 ms");
    line("crew free to decision", &bench.freed, "aim p99 <= 1 ms, p99.9 <= 5 ms");
    println!("of {} crews that became free, {} were reserved for a ticket at once", bench.freed.len(), bench.answered);
    line("any other fact", &bench.others, "aim p99 <= 1 ms, p99.9 <= 5 ms");
    line("a step without facts, which a fact may have to wait for", &bench.idle, "aim <= 20 ms");
    slices(&bench.process, bench.province.now);
    restart(&bench.process)
}

fn slices(process: &Dispatch, at: Timestamp) {
    let (board, policy) = (process.board().clone(), process.planner().policy().clone());
    let iterations = policy.horizon.slice_iterations;
    let mut planner = Planner::new(policy);
    let watch = Stopwatch::start();
    planner.settle_all(&board, at);
    println!("a plan from nothing: {:?}", watch.elapsed());
    let mut slice = histogram();
    for _ in 0..200 {
        let watch = Stopwatch::start();
        planner.improve(&board, at, iterations);
        watch.record(&mut slice);
    }
    line(&format!("a slice of improvement, {iterations} iterations"), &slice, "aim <= 20 ms");
}

fn restart(process: &Dispatch) -> Outcome<()> {
    let watch = Stopwatch::start();
    let noted = serde_json::to_vec(process.fold())?;
    println!("the state serialised, {:.1} MiB: {:?}", noted.len() as f64 / 1_048_576.0, watch.elapsed());
    let watch = Stopwatch::start();
    let copy = black_box(process.fold().clone());
    println!("the state copied: {:?}", watch.elapsed());
    drop(copy);
    let watch = Stopwatch::start();
    let copy = black_box(process.board().clone());
    println!("the board copied: {:?}", watch.elapsed());
    drop(copy);
    let at = process.board().crews.values().map(|crew| crew.seen).max().unwrap_or_default();
    let watch = Stopwatch::start();
    black_box(process.planner().snapshot(process.board(), at));
    println!("the plan shown: {:?}", watch.elapsed());
    let watch = Stopwatch::start();
    let fold: DispatchState = serde_json::from_slice(&noted)?;
    let again = Dispatch::resume(process.planner().policy().clone(), fold);
    let took = watch.elapsed();
    println!("board of {} tickets rebuilt from a checkpoint: {took:?} (aim <= 5 s)", again.board().jobs.len());
    if took > Duration::from_secs(5) {
        println!("MISSED");
    }
    Ok(())
}

/// Returns the resident memory of this process in MiB.
fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|l| l.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<f64>().ok());
    found.unwrap_or(f64::NAN) / 1024.0
}
