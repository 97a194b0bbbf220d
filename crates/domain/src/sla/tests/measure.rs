//! Throw-away measurements.
use std::time::Instant;
use crate::{
    decider::{Process, Projection},
    fact::Fact,
    sla::{docket::{Docket, FactName, Word, Moment, Change}, judge::judge, policy::*, watch::Watch, tests::tale::*},
    ticket::{BusinessType, ReplyOutcome, TicketId, tests::sample::*},
};
fn rules() -> Vec<Rule> {
    use FactName::*;
    let fault = |r: Rule| Rule { when: When { business: vec![BusinessType::FaultRepair], ..When::default() }, cancel: vec![on(Merged), on(Withdrawn), on(ClosedAtFirstContact)], revive: vec![on(Unmerged), on(ReplySentBack)], pauses: vec![suspended_for(Word::Customer), suspended_for(Word::Weather)], extend: vec![on(Extended)], warnings: vec![Warning{at:Threshold::Percent(50),tell:None},Warning{at:Threshold::Percent(80),tell:None}], ..r };
    let other = |r: Rule, b: BusinessType| { let f = fault(r); Rule { when: When { business: vec![b], ..When::default() }, ..f } };
    let mut v = Vec::new();
    for (i, (s, e, m)) in [(Received, Dispatched, 2), (Dispatched, Accepted, 3), (Received, CrewArrived, 45), (Received, CrewArrived, 90), (Received, CrewArrived, 120), (CrewArrived, CrewArrived, 5), (CrewArrived, CrewRestored, 180), (CrewArrived, CrewRestored, 240), (CrewRestored, Replied, 30), (Replied, Revisited, 1440), (Dispatched, CrewAccepted, 5), (Received, Contacted, 60), (Replied, ReplyPassed, 60), (ReplyPassed, Closed, 600)].into_iter().enumerate() {
        let mut r = fault(rule(&format!("f{i}"), minutes(m), &[s], &[e]));
        if (2..5).contains(&i) { r.clock = "arrival".into(); r.when.area = vec![Some(crate::ticket::Area::ALL[i-2])]; }
        if i == 5 { r.stop = vec![by(CrewArrived, Reading::Recorded)]; }
        v.push(r);
    }
    for b in [BusinessType::Complaint, BusinessType::Report, BusinessType::Opinion, BusinessType::ServiceApplication] {
        for (i,(s,e,d)) in [(Received, Dispatched, 1), (Dispatched, Accepted, 1), (Received, Contacted, 1), (Received, Replied, 4)].into_iter().enumerate() {
            v.push(other(rule(&format!("{}{i}", b.as_str()), days(d), &[s], &[e]), b));
        }
    }
    v
}
fn fault() -> Tale {
    Tale::fault(Some(crate::ticket::Area::Urban), "10:00").and("10:01", classified(BusinessType::FaultRepair)).and("10:02", dispatched(NATION, HZ)).and("10:04", accepted(HZ)).and("10:05", dispatched(HZ, CREW)).and("10:06", crew_accepted(CREW)).and("10:08", en_route(CREW)).late("10:40", "10:50", arrived(CREW)).and("12:00", restored(CREW)).and("12:10", replied(CREW, ReplyOutcome::Resolved)).and("12:20", passed_on(HZ)).and("12:30", passed_for_good(NATION))
}
fn rss() -> usize { std::fs::read_to_string("/proc/self/statm").unwrap().split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096 }
#[test]
#[ignore]
fn measure() {
    println!("rules {}  sizes: moment {} change {} tracked docket {} ", rules().len(), size_of::<Moment>(), size_of::<Change>(), size_of::<Docket>());
    let book = book(rules());
    let docket = fault().docket();
    let complaint = Tale::of(BusinessType::Complaint, "10:00").and("10:01", classified(BusinessType::Complaint)).and("10:02", dispatched(NATION, ZJ)).and("10:04", accepted(ZJ)).and("10:05", dispatched(ZJ, HZ)).and("10:06", accepted(HZ)).docket();
    for (name, docket) in [("fault 12", &docket), ("complaint 6", &complaint)] {
        let now = at("12:40");
        let mut n = 0;
        let t = Instant::now();
        for _ in 0..100_000 { n += judge(docket, &book, now).len(); }
        println!("judge {name}: {:?} each, {} clocks", t.elapsed() / 100_000, n / 100_000);
        let t = Instant::now();
        for _ in 0..100_000 { n += docket.timeline().len(); }
        println!("timeline {name}: {:?} each", t.elapsed() / 100_000);
    }
    // facts of 10000 tickets, interleaved
    let tale = fault();
    let mut facts = Vec::new();
    let mut position = 2;
    for f in &tale.facts { for t in 0..20_000u128 { position += 1; let mut f = f.clone(); f.position = position; f.id = TicketId(uuid::Uuid::from_u128(t * 7919 % 20_000)); facts.push(Fact::Ticket(f)); } }
    let base = { let mut w = Watch::resume(book.clone(), []); let _ = w.pending(at("08:00"), 1); w };
    let mut watch = base;
    let r0 = rss();
    let t = Instant::now();
    for (i, f) in facts.iter().enumerate() { watch.apply(f); if (i + 1) % 60_000 == 0 { println!("after {} facts a ticket: {} bytes/docket, {:?} per fact", (i + 1) / 20_000, (rss() - r0) / 20_000, t.elapsed() / (i as u32 + 1)); } }
    let t = Instant::now();
    let wants = watch.pending(at("12:40"), usize::MAX);
    println!("pending of {} wants: {:?} each", wants.len(), t.elapsed() / wants.len().max(1) as u32);
    let t = Instant::now();
    let ids: Vec<Docket> = (0..20_000u128).filter_map(|t| watch.docket(TicketId(uuid::Uuid::from_u128(t))).cloned()).collect();
    let n = ids.len();
    let resumed = Watch::resume(watch.book().clone(), ids);
    println!("resume {n}: {:?} each {}", t.elapsed() / n as u32, resumed.len());
}
