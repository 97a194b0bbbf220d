//! The dispatcher by itself, on one core, with a province in a storm on its board: from a fact to what is wanted because of it, a slice
//! of improvement, and how long it takes to be where it was after a restart. Nothing here waits for a disk or a network.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use switchboard_dispatcher::{
    dispatch::{Dispatch, Intent},
    fold::Fold,
    policy::Policy,
};
use switchboard_domain::{
    Timestamp,
    crew::{self, CrewId, Point, Skill, Skills},
    decider::{Process, Projection, Recorded, Want},
    fact::Fact,
    ticket::{self, BusinessType, Category, Urgency, event},
};

use crate::{
    Outcome,
    log::{Log, org, received, ticket_id},
    setting,
    stats::histogram,
};

/// A province's facts, a millisecond apart.
struct Province {
    log: Log,
    at: Timestamp,
}

impl Province {
    fn record<E, Id>(&mut self, id: Id, revision: u64, event: E) -> Recorded<E, Id> {
        self.at += chrono::TimeDelta::milliseconds(1);
        self.log.record(id, revision, event, self.at)
    }

    fn crew(&mut self, number: u32) -> Outcome<Vec<Fact>> {
        let id = crew_id(number)?;
        let enrolled = crew::event::Enrolled {
            crew: id.clone(),
            home: place(number)?,
            territory: vec![org("sgcc/zj/hz")?],
            skills: Skills::of(&[Skill::LowVoltage, Skill::HighVoltage]),
            members: Vec::new(),
            vehicle: None,
        };
        let until = self.at + chrono::TimeDelta::hours(8);
        let started = crew::event::ShiftStarted { until, breaks: Vec::new(), at: None };
        Ok(vec![
            Fact::Crew(self.record(id.clone(), 0, enrolled.into())),
            Fact::Crew(self.record(id, 1, started.into())),
        ])
    }

    fn ticket(&mut self, number: u32) -> Outcome<Vec<Fact>> {
        let (id, unit) = (ticket_id(number.into()), org("sgcc/zj/hz")?);
        let at = place(number.wrapping_mul(31))?;
        let received = event::Received {
            place: ticket::Place { location_e6: Some((at.latitude_e6, at.longitude_e6)), ..Default::default() },
            customers_out: Some(1 + number % 50),
            ..received(number.into(), BusinessType::FaultRepair, org("sgcc")?)
        };
        let classified = event::Classified {
            business: BusinessType::FaultRepair,
            category: Category::parse("fault/low-voltage").map_err(|error| error.to_string())?,
            urgency: Urgency::Normal,
            grade: None,
        };
        let dispatched = event::Dispatched { from: org("sgcc")?, to: unit };
        let events: [ticket::Event; 3] = [received.into(), classified.into(), dispatched.into()];
        Ok((0..).zip(events).map(|(revision, event)| Fact::Ticket(self.record(id, revision, event))).collect())
    }
}

fn crew_id(number: u32) -> Outcome<CrewId> {
    let path = org(&format!("sgcc/zj/hz/c{}/s{}/crew{number}", number % 10, number % 100))?;
    Ok(CrewId::of(&path).ok_or("not a crew")?)
}

/// A place in a box of about 120 km.
fn place(number: u32) -> Outcome<Point> {
    let (north, east) = (number.wrapping_mul(7_919) % 1_000, number.wrapping_mul(104_729) % 1_000);
    let point = Point::new(29_700_000 + north.cast_signed() * 1_080, 119_500_000 + east.cast_signed() * 1_250);
    Ok(point.ok_or("not on the planet")?)
}

/// Answers the reservations that are wanted, so that the crews are busy, as a log would.
fn reserve(
    province: &mut Province,
    wants: &[Want<Intent>],
    revisions: &mut std::collections::BTreeMap<CrewId, u64>,
) -> Vec<Fact> {
    let mut facts = Vec::new();
    for want in wants {
        if let Intent::Reserve(crew, reserve) = &want.intent {
            let revision = revisions.entry(crew.clone()).and_modify(|r| *r += 1).or_insert(2);
            let reserved = crew::event::Reserved {
                offer: reserve.offer,
                ticket: reserve.ticket,
                fence: *revision,
                lease_until: reserve.lease_until,
                priority: reserve.priority,
                forced: None,
                grounds: reserve.grounds.clone(),
            };
            facts.push(Fact::Crew(province.record(crew.clone(), *revision, reserved.into())));
        }
    }
    facts
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

/// All of it.
pub fn run() -> Outcome<()> {
    let open: u32 = setting("OPEN", 10_000);
    let crews: u32 = setting("PLAN_CREWS", 1_000);
    let events: u32 = setting("EVENTS", 5_000);
    let at = "2026-11-22T02:00:00Z".parse::<Timestamp>()?;
    let mut province = Province { log: Log::new()?, at };
    let mut process = Dispatch::new(Policy::default());
    let resident = memory();
    for number in 0..crews {
        province.crew(number)?.iter().for_each(|fact| process.apply(fact));
    }
    for number in 0..open {
        province.ticket(number)?.iter().for_each(|fact| process.apply(fact));
    }
    let begun = Instant::now();
    let mut revisions = std::collections::BTreeMap::new();
    let mut wants = process.pending(province.at, usize::MAX);
    println!(
        "{open} open tickets and {crews} crews at once: first plan and {} offers in {:?}",
        wants.len(),
        begun.elapsed()
    );
    while !wants.is_empty() {
        reserve(&mut province, &wants, &mut revisions).iter().for_each(|fact| process.apply(fact));
        wants = process
            .pending(province.at, usize::MAX)
            .into_iter()
            .filter(|w| matches!(w.intent, Intent::Reserve(..)))
            .collect();
    }
    println!("memory of board, plan and fold: {:.1} MiB", memory() - resident);

    let mut decision = histogram();
    for number in open..open + events {
        let facts = province.ticket(number)?;
        let (last, before) = facts.split_last().ok_or("no facts")?;
        before.iter().for_each(|fact| process.apply(fact));
        let begun = Instant::now();
        process.apply(last);
        black_box(process.pending(province.at, 64));
        decision.saturating_record(begun.elapsed().as_micros() as u64);
    }
    line("ticket dispatched to decision", &decision, "aim p99 <= 1 ms, p99.9 <= 5 ms");

    let mut freed = histogram();
    for number in 0..crews.min(events) {
        let id = crew_id(number)?;
        let Some(kept) = process.board().crews.get(&id).and_then(|crew| crew.reserved.clone()) else { continue };
        let revision = revisions.entry(id.clone()).and_modify(|r| *r += 1).or_insert(2);
        let released =
            crew::event::Released { ticket: kept.ticket, offer: Some(kept.offer), why: crew::ReleaseReason::Withdrawn };
        let fact = Fact::Crew(province.record(id, *revision, released.into()));
        let begun = Instant::now();
        process.apply(&fact);
        let wants = process.pending(province.at, 64);
        freed.saturating_record(begun.elapsed().as_micros() as u64);
        reserve(&mut province, &wants, &mut revisions).iter().for_each(|fact| process.apply(fact));
        process.pending(province.at, 64);
    }
    line("crew free to decision", &freed, "aim p99 <= 1 ms, p99.9 <= 5 ms");
    slices(&process, province.at);
    restart(&process)
}

fn slices(process: &Dispatch, at: Timestamp) {
    let (board, policy) = (process.board().clone(), process.planner().policy().clone());
    let iterations = policy.horizon.slice_iterations;
    let mut planner = switchboard_dispatcher::planner::Planner::new(policy);
    board.jobs.keys().for_each(|ticket| planner.job_changed(*ticket));
    board.crews.keys().for_each(|crew| planner.crew_changed(crew));
    let begun = Instant::now();
    planner.settle(&board, at);
    println!("a plan from nothing: {:?}", begun.elapsed());
    let mut slice = histogram();
    for _ in 0..200 {
        let begun = Instant::now();
        planner.improve(&board, at, iterations);
        slice.saturating_record(begun.elapsed().as_micros() as u64);
    }
    line(&format!("a slice of improvement, {iterations} iterations"), &slice, "aim <= 20 ms");
}

fn restart(process: &Dispatch) -> Outcome<()> {
    let noted = serde_json::to_vec(process.fold())?;
    let begun = Instant::now();
    let fold: Fold = serde_json::from_slice(&noted)?;
    let again = Dispatch::resume(process.planner().policy().clone(), fold);
    let took = begun.elapsed();
    println!(
        "board of {} tickets again from a note of {:.1} MiB: {took:?} (aim <= 5 s)",
        again.board().jobs.len(),
        noted.len() as f64 / 1_048_576.0
    );
    if took > Duration::from_secs(5) {
        println!("MISSED");
    }
    Ok(())
}

/// Resident memory of this process, in MiB.
fn memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|l| l.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<f64>().ok());
    found.unwrap_or(f64::NAN) / 1024.0
}
