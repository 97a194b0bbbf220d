//! What is said aloud of a ticket's promises, when, to whom, and how often: once.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::{
    tale::{
        arrival, arrived_in, at, by, closed, extended, in_area, minutes, on, only, policy, reopened, resumed, rule,
        suspended, suspended_for, told, year_2024,
    },
    world::{TICK, World, book, decided, docket},
};
use crate::{
    Timestamp,
    actor::Role,
    decider::{Process, Projection},
    fact::Fact,
    organisation::Level,
    sla::{
        docket::{FactName, Word},
        policy::{Policy, Reading, Rule, Threshold, Warning},
        promise::{Announce, Event, Rejection, Said},
        watch::{REVIEW_DOCKETS_MAX, Watch},
    },
    ticket::{
        Area, BusinessType, Escalation, ReplyOutcome, SuspendReason, event,
        tests::sample::{
            CREW, HZ, NATION, YUHANG, accepted, arrived, dispatched, received, received_at, replied, text, ticket_id,
        },
    },
};

/// On site within 45 minutes; told to the city after 80 per cent and to the province five minutes before due.
fn laddered(limit: i64) -> Rule {
    let warnings = vec![
        Warning { at: Threshold::Percent(80), tell: Some(Level::City) },
        Warning { at: Threshold::Before(300), tell: Some(Level::Province) },
    ];
    Rule { warnings, ..arrival(limit) }
}

fn under(rules: impl IntoIterator<Item = Rule>) -> World {
    World::under(policy(rules))
}

/// A fault of ten o'clock that is with the crew since five past.
fn with_a_crew(rules: impl IntoIterator<Item = Rule>) -> World {
    let mut world = under(rules);
    world
        .and("10:00", received(BusinessType::FaultRepair))
        .and("10:01", dispatched(NATION, HZ))
        .and("10:05", dispatched(HZ, CREW));
    world
}

#[test]
fn warnings_are_given_on_the_way_to_the_breach_and_none_after_it() {
    let mut world = with_a_crew([laddered(45)]);
    let said = [
        "10:36 arrival 1.1 warned 1 of 10:45, tell sgcc/zj/hz",
        "10:40 arrival 1.1 warned 2 of 10:45, tell sgcc/zj",
        "10:45:00.000001 arrival 1.1 breached 10:45 by sgcc/zj/hz/yuhang/liangzhu/crew3",
    ];
    assert_eq!(world.until("10:39").said(), said[..1]);
    assert_eq!(world.until("10:45").said(), said[..2]);
    assert_eq!(world.until("18:00").said(), said);
    world.and("18:10", arrived(CREW)).and("18:20", closed());
    assert_eq!(world.until("03-08 10:00").said(), said);
}

#[test]
fn a_promise_that_is_kept_is_warned_of_until_then() {
    let mut world = with_a_crew([laddered(45)]);
    world.and("10:38", arrived(CREW));
    assert_eq!(world.until("18:00").said(), ["10:36 arrival 1.1 warned 1 of 10:45, tell sgcc/zj/hz"]);
}

#[test]
fn a_warning_goes_to_the_holder_where_the_ticket_is_above_that_level() {
    let mut world = under([laddered(45)]);
    world.and("10:00", received(BusinessType::FaultRepair));
    assert_eq!(
        world.until("10:41").said(),
        ["10:36 arrival 1.1 warned 1 of 10:45, tell sgcc", "10:40 arrival 1.1 warned 2 of 10:45, tell sgcc"]
    );
}

#[test]
fn who_held_the_ticket_at_due_answers_for_the_breach() {
    let mut world = under([arrival(45)]);
    world
        .and("10:00", received(BusinessType::FaultRepair))
        .and("10:45", dispatched(NATION, HZ))
        .and("10:45:00.000001", dispatched(HZ, YUHANG))
        .and("11:00", dispatched(YUHANG, CREW));
    assert_eq!(world.said(), ["10:45:00.000001 arrival 1.1 breached 10:45 by sgcc/zj/hz"]);
    // Nobody watched until the ticket was closed by another unit.
    let mut unwatched = under([arrival(45)]);
    unwatched.now = at("12:00");
    for (reading, event) in [
        ("10:00", received(BusinessType::FaultRepair)),
        ("10:20", dispatched(NATION, HZ)),
        ("11:00", dispatched(HZ, YUHANG)),
        ("11:30", closed()),
    ] {
        unwatched.ticket(ticket_id(1), at(reading), event, Role::Desk);
    }
    assert_eq!(unwatched.rest().said(), ["12:00 arrival 1.1 breached 10:45 by sgcc/zj/hz"]);
}

#[test]
fn an_area_corrected_on_site_takes_the_breach_back_and_both_stay_in_the_log() {
    let rules = [in_area(Some(Area::Urban), "F05u", arrival(45)), in_area(Some(Area::Rural), "F05r", arrival(90))];
    let mut world = under(rules);
    let mut call = received(BusinessType::FaultRepair);
    if let crate::ticket::Event::Received(e) = &mut call {
        e.place.area = Some(Area::Urban);
    }
    world.and("10:00", call).and("11:00", arrived_in(Area::Rural));
    let said =
        ["10:45:00.000001 arrival 1.1 breached 10:45 by sgcc", "11:00 arrival 1.1 overturned 10:45: kept, due 11:30"];
    assert_eq!(world.until("15:00").said(), said);
    let Fact::Promise(breach) = &world.log[world.log.len() - 3] else { panic!("{:?}", world.log) };
    let Fact::Promise(overturned) = &world.log[world.log.len() - 1] else { panic!("{:?}", world.log) };
    assert_eq!(breach.event.judged(), overturned.event.judged(), "it names the breach that it takes back");
    assert_eq!(breach.event.judged().rule, "F05u");
}

#[test]
fn a_late_report_of_the_crew_takes_the_breach_back() {
    let mut world = with_a_crew([arrival(45)]);
    world.until("11:30").late("10:40", arrived(CREW));
    let said = [
        "10:45:00.000001 arrival 1.1 breached 10:45 by sgcc/zj/hz/yuhang/liangzhu/crew3",
        "11:30 arrival 1.1 overturned 10:45: kept, due 10:45",
    ];
    assert_eq!(world.until("15:00").said(), said);
    let mut later = with_a_crew([arrival(45)]);
    later.until("11:30").late("10:50", arrived(CREW));
    assert_eq!(later.until("15:00").said(), said[..1]);
}

#[test]
fn a_breach_that_only_a_late_report_reveals_is_said_then() {
    // The dispatch was reported hours later; by then the ticket was accepted.
    let accept = rule("accept", minutes(3), &[FactName::Dispatched], &[FactName::Accepted]);
    let mut world = under([accept]);
    world.and("10:00", received(BusinessType::FaultRepair)).and("10:30", accepted(HZ));
    world.until("15:00").late("10:01", dispatched(NATION, HZ));
    assert_eq!(world.said(), ["15:00 accept 1.1 breached 10:04 by sgcc/zj/hz"]);
    assert_eq!(world.until("18:00").said().len(), 1);
}

#[test]
fn a_breach_whose_due_moved_is_taken_back_and_said_again_when_the_new_one_passes() {
    let rule = Rule { extend: vec![on(FactName::Extended)], ..laddered(45) };
    let mut world = with_a_crew([rule.clone()]);
    world.and("10:50", extended("12:00"));
    let said = [
        "10:36 arrival 1.1 warned 1 of 10:45, tell sgcc/zj/hz",
        "10:40 arrival 1.1 warned 2 of 10:45, tell sgcc/zj",
        "10:45:00.000001 arrival 1.1 breached 10:45 by sgcc/zj/hz/yuhang/liangzhu/crew3",
        "10:50 arrival 1.1 overturned 10:45: running, due 12:00",
        "12:00:00.000001 arrival 1.1 breached 12:00 by sgcc/zj/hz/yuhang/liangzhu/crew3",
    ];
    assert_eq!(world.until("15:00").said(), said, "its warnings were given");
    // Both are past when it is learnt: one announcement says both.
    let mut late = with_a_crew([rule]);
    late.until("15:00").late("10:50", extended("12:00"));
    let both = [
        "15:00 arrival 1.1 overturned 10:45: running, due 12:00",
        "15:00 arrival 1.1 breached 12:00 by sgcc/zj/hz/yuhang/liangzhu/crew3",
    ];
    assert_eq!(late.said()[3..], both);
    let revisions: Vec<_> = late.log.iter().rev().take(2).map(Fact::position).collect();
    assert_eq!(revisions, [late.log.len() as u64, late.log.len() as u64 - 1]);
    assert_eq!(late.until("18:00").said().len(), 5);
}

#[test]
fn a_clock_that_is_gone_takes_its_breach_with_it() {
    let urban = in_area(None, "F05?", arrival(45));
    let mut world = under([urban]);
    world.and("10:00", received(BusinessType::FaultRepair)).and("11:00", arrived_in(Area::Rural));
    assert_eq!(
        world.until("12:00").said(),
        ["10:45:00.000001 arrival 1.1 breached 10:45 by sgcc", "11:00 arrival 1.1 overturned 10:45: gone, due never"]
    );
}

#[test]
fn a_clock_that_waits_is_warned_of_when_it_goes_on() {
    let rule = Rule { pauses: vec![suspended_for(Word::Customer)], ..laddered(45) };
    let mut world = with_a_crew([rule]);
    world.and("10:30", suspended(SuspendReason::Customer));
    assert_eq!(world.until("12:00").said(), Vec::<String>::new());
    assert_eq!(world.engines[0].watch.wake(), None, "nothing will happen by itself");
    world.and("12:00", resumed());
    assert_eq!(
        world.until("12:11").said(),
        ["12:06 arrival 1.1 warned 1 of 12:15, tell sgcc/zj/hz", "12:10 arrival 1.1 warned 2 of 12:15, tell sgcc/zj"]
    );
}

#[test]
fn a_clock_that_starts_over_is_warned_of_anew() {
    let rule = Rule { reset: vec![only(FactName::Escalated, Word::Urgent)], ..laddered(45) };
    let mut world = with_a_crew([rule]);
    world.and("10:38", event::Escalated { to: Escalation::Urgent, reason: text() });
    assert_eq!(
        world.until("12:00").said(),
        [
            "10:36 arrival 1.1 warned 1 of 10:45, tell sgcc/zj/hz",
            "11:14 arrival 1.1 warned 1 of 11:23, tell sgcc/zj/hz",
            "11:18 arrival 1.1 warned 2 of 11:23, tell sgcc/zj",
            "11:23:00.000001 arrival 1.1 breached 11:23 by sgcc/zj/hz/yuhang/liangzhu/crew3",
        ]
    );
}

#[test]
fn each_lap_and_each_cycle_is_spoken_of_by_itself() {
    let reply = rule("reply", minutes(60), &[FactName::Received, FactName::Reopened], &[FactName::Replied]);
    let accept = rule("accept", minutes(3), &[FactName::Dispatched], &[FactName::Accepted]);
    let mut world = under([reply, accept]);
    world
        .and("10:00", received(BusinessType::Complaint))
        .and("10:10", dispatched(NATION, HZ))
        .and("10:20", accepted(HZ))
        .and("10:30", dispatched(HZ, YUHANG))
        .and("11:30", accepted(YUHANG))
        .and("11:40", replied(YUHANG, ReplyOutcome::Resolved))
        .and("12:00", reopened());
    assert_eq!(
        world.until("15:00").said(),
        [
            "10:13:00.000001 accept 1.1 breached 10:13 by sgcc/zj/hz",
            "10:33:00.000001 accept 1.2 breached 10:33 by sgcc/zj/hz/yuhang",
            "11:00:00.000001 reply 1.1 breached 11:00 by sgcc/zj/hz/yuhang",
            "13:00:00.000001 reply 2.1 breached 13:00 by sgcc",
        ]
    );
}

#[test]
fn an_imported_ticket_is_judged_by_its_past_and_spoken_of_from_when_it_was_learnt() {
    let rules = || {
        let reply = rule("reply", minutes(180), &[FactName::Received], &[FactName::Replied]);
        [laddered(45), reply]
    };
    let mut world = under(rules());
    world.until("12:00").ticket(ticket_id(1), at("10:00"), received(BusinessType::FaultRepair), Role::Importer);
    world.rest();
    let stands = ["arrival 1.1 breached, due 10:45 by version 1", "reply 1.1 running, due 13:00 by version 1"];
    assert_eq!(world.stands(), stands);
    assert_eq!(world.said(), Vec::<String>::new());
    assert_eq!(world.until("15:00").said(), ["13:00:00.000001 reply 1.1 breached 13:00 by sgcc"]);
    // What was due at the very instant is past too.
    let mut edge = under(rules());
    edge.until("10:45").ticket(ticket_id(1), at("10:00"), received(BusinessType::FaultRepair), Role::Importer);
    assert_eq!(edge.rest().until("11:00").said(), Vec::<String>::new());
    // The same ticket from a desk that was slow is no import.
    let mut slow = under(rules());
    slow.until("12:00").ticket(ticket_id(1), at("10:00"), received(BusinessType::FaultRepair), Role::Desk);
    assert_eq!(slow.rest().said(), ["12:00 arrival 1.1 breached 10:45 by sgcc"]);
}

#[test]
fn a_jump_ahead_says_everything_once_and_no_warning_of_what_is_past() {
    let reply = Rule { id: "reply".into(), clock: "reply".into(), ..laddered(300) };
    let mut world = with_a_crew([laddered(45), reply]);
    world.now = at("14:30");
    assert_eq!(
        world.rest().said(),
        [
            "14:30 arrival 1.1 breached 10:45 by sgcc/zj/hz/yuhang/liangzhu/crew3",
            "14:30 reply 1.1 warned 1 of 15:00, tell sgcc/zj/hz",
        ]
    );
    world.now = at("2034-01-01 00:00");
    assert_eq!(
        world.rest().said()[2..],
        ["2034-01-01 00:00 reply 1.1 breached 15:00 by sgcc/zj/hz/yuhang/liangzhu/crew3"]
    );
}

#[test]
fn a_clock_that_is_set_back_takes_nothing_back() {
    let mut world = with_a_crew([laddered(45)]);
    world.until("10:50");
    let said = world.said();
    world.now = at("10:20");
    assert_eq!(world.rest().until("10:40").said(), said);
    world.to(2, "10:41", received(BusinessType::FaultRepair));
    world.restart(0);
    assert_eq!(world.until("10:44").said(), said);
    assert_eq!(world.until("10:55").said(), said);
    // What the log has seen is past for a clock that is behind it, too.
    let mut behind = with_a_crew([arrival(45)]);
    behind.now = at("11:00");
    behind.ticket(ticket_id(2), at("11:00"), received(BusinessType::FaultRepair), Role::Desk);
    behind.follow(0, usize::MAX);
    assert!(behind.speak(0, at("10:10")), "it is eleven o'clock whatever this clock says");
    assert_eq!(behind.rest().said().len(), 1);
}

#[test]
fn several_engines_say_everything_once() {
    let mut world = with_a_crew([laddered(45)]);
    world.another_engine();
    world.another_engine();
    world.until("10:30");
    // All three look at the same log before any has read what another said, and their clocks differ.
    for (engine, reading) in [(0, "10:42"), (1, "10:37"), (2, "10:42")] {
        assert!(world.speak(engine, at(reading)));
    }
    world.now = at("10:42");
    assert_eq!(
        world.rest().said(),
        ["10:42 arrival 1.1 warned 1 of 10:45, tell sgcc/zj/hz", "10:42 arrival 1.1 warned 2 of 10:45, tell sgcc/zj",]
    );
    for engine in &world.engines {
        assert_eq!(engine.watch.parked().count(), 0, "what another said is no reason to fall silent");
    }
    assert_eq!(world.until("11:00").said().len(), 3);
    world.late("10:30", arrived(CREW));
    assert_eq!(world.said()[3..], ["11:00 arrival 1.1 overturned 10:45: kept, due 10:45"]);
}

#[test]
fn an_engine_that_is_behind_takes_back_no_other_breach_than_the_one_it_means() {
    let rule = Rule { extend: vec![on(FactName::Extended)], ..arrival(45) };
    let mut world = with_a_crew([rule]);
    world.until("10:50").ticket(ticket_id(1), at("10:50"), extended("12:00"), Role::Desk);
    world.another_engine();
    world.follow(1, usize::MAX);
    let stale = world.engines[1].watch.pending(at("11:00"), 9).remove(0);
    world.rest().until("12:30");
    let state = docket(&world.log, ticket_id(1)).said;
    let breach = |state: &Said| state.of("arrival", 1, 1).and_then(|said| said.breach.clone());
    assert_eq!(told(breach(&state).unwrap().due), "12:00");
    assert!(stale.intent.announce.events.iter().all(|event| state.knows(event)), "what it wants was said long ago");
}

#[test]
fn nothing_is_said_twice_and_what_is_new_among_it_is_said() {
    let mut world = with_a_crew([laddered(45)]);
    world.until("11:00");
    let said: Vec<Event> = docket_events(&world);
    let state = docket(&world.log, ticket_id(1)).said;
    let decide = |state: &Said, events: &[Event]| decided(state, &Announce { events: events.to_vec() });
    assert_eq!(decide(&state, &said), Err(Rejection::AlreadySaid));
    assert_eq!(decide(&state, &[]), Err(Rejection::AlreadySaid));
    let doubled = [&said[..], &said[..]].concat();
    assert_eq!(decide(&Said::default(), &doubled), Ok(said.clone()));
    assert_eq!(decide(&Said::default(), &said[1..]), Ok(said[1..].to_vec()), "each by itself");
}

fn docket_events(world: &World) -> Vec<Event> {
    let said = world.log.iter().filter_map(|fact| match fact {
        Fact::Promise(fact) => Some(fact.event.clone()),
        _ => None,
    });
    said.collect()
}

#[test]
fn a_want_that_was_refused_is_parked_and_comes_back_with_the_next_fact() {
    let mut world = with_a_crew([arrival(45)]);
    world.now = at("11:00");
    world.follow(0, usize::MAX);
    let watch = &mut world.engines[0].watch;
    let want = watch.pending(at("11:00"), 9).remove(0);
    watch.refused(&want, "the store is full");
    assert_eq!(watch.parked().collect::<Vec<_>>(), [(ticket_id(1), "the store is full")]);
    assert_eq!(watch.pending(at("12:00"), 9), []);
    assert_eq!(watch.wake(), None);
    assert_eq!(world.rest().said(), Vec::<String>::new());
    world.and("12:30", event::Supplemented { content: text() });
    assert_eq!(world.said(), Vec::<String>::new(), "no clock looks at that");
    world.and("12:40", event::Urged { count: 1, reason: text() });
    assert_eq!(world.said(), ["12:40 arrival 1.1 breached 10:45 by sgcc/zj/hz/yuhang/liangzhu/crew3"]);
    assert_eq!(world.engines[0].watch.parked().count(), 0);
}

#[test]
fn a_want_may_not_be_asked_for_more_than_the_limit() {
    let mut world = under([arrival(45)]);
    for ticket in 1..=5 {
        world.to(ticket, "10:00", received(BusinessType::FaultRepair));
    }
    let watch = &mut world.engines[0].watch;
    assert_eq!(watch.pending(at("11:00"), 2).len(), 2);
    assert_eq!(watch.pending(at("11:00"), 9).len(), 5);
    assert_eq!(watch.pending(at("10:45"), 9).len(), 0);
    assert_eq!(watch.name(), "watch");
    let want = watch.pending(at("11:00"), 1).remove(0);
    let received = world.log.iter().find(|fact| super::world::of(fact) == Some(want.intent.ticket)).unwrap();
    assert_eq!((want.because, want.name), (received.position(), "announce"));
}

#[test]
fn the_watch_wakes_exactly_when_there_is_something_to_say() {
    let mut world = with_a_crew([laddered(45)]);
    for reading in ["10:36", "10:40", "10:45:00.000001"] {
        let watch = &mut world.engines[0].watch;
        assert_eq!(watch.wake().map(told).as_deref(), Some(reading));
        assert_eq!(watch.pending(at(reading) - TICK, 9), [], "not before");
        assert_eq!(watch.pending(at(reading), 9).len(), 1, "but then");
        world.until(reading);
    }
    assert_eq!(world.engines[0].watch.wake(), None);
    // What is to be said at once is to be said now, not at the beginning of time.
    world.until("11:00").ticket(ticket_id(1), at("10:30"), arrived(CREW), Role::Crew);
    world.follow(0, usize::MAX);
    assert_eq!(world.engines[0].watch.wake().map(told).as_deref(), Some("11:00"));
}

#[test]
fn a_ticket_that_has_ended_is_let_go_when_nothing_is_left_to_say() {
    let mut world = with_a_crew([arrival(45)]);
    assert_eq!(world.engines[0].watch.len(), 1);
    assert_eq!(world.engines[0].watch.docket(ticket_id(1)).unwrap().moments.len(), 3);
    world.and("10:20", arrived(CREW)).and("10:30", closed());
    assert!(world.engines[0].watch.is_empty(), "all its promises were kept");
    // Closed with a promise that was never met: it stays until that was said.
    let mut unmet = with_a_crew([arrival(45)]);
    unmet.and("10:20", closed());
    assert_eq!(unmet.engines[0].watch.len(), 1);
    assert_eq!(unmet.until("11:00").said().len(), 1);
    assert!(unmet.engines[0].watch.is_empty());
    // Closed while it waits: nothing will ever be said of it by itself.
    let mut waiting = with_a_crew([Rule { pauses: vec![suspended_for(Word::Customer)], ..arrival(45) }]);
    waiting.and("10:20", suspended(SuspendReason::Customer)).and("10:30", closed());
    assert!(waiting.engines[0].watch.is_empty());
}

#[test]
fn a_late_fact_of_a_ticket_that_was_let_go_counts_as_though_it_had_stayed() {
    let revisit = rule("revisit", minutes(60), &[FactName::Replied], &[FactName::Revisited]);
    let mut world = with_a_crew([laddered(45), revisit]);
    world.until("10:50").and("11:00", closed());
    assert!(world.engines[0].watch.is_empty());
    assert_eq!(world.said().len(), 3);
    world.until("12:00").late("10:30", arrived(CREW));
    assert_eq!(world.said()[3..], ["12:00 arrival 1.1 overturned 10:45: kept, due 10:45"]);
    assert!(world.engines[0].watch.is_empty());
    world
        .and("13:00", reopened())
        .and("13:10", dispatched(NATION, HZ))
        .and("13:20", replied(HZ, ReplyOutcome::Resolved));
    let docket = world.engines[0].watch.docket(ticket_id(1)).unwrap();
    assert_eq!(*docket, super::world::docket(&world.log, ticket_id(1)), "with its whole history");
    assert_eq!(world.until("15:00").said()[4..], ["14:20:00.000001 revisit 2.1 breached 14:20 by sgcc/zj/hz"]);
}

#[test]
fn what_no_clock_looks_at_brings_no_ticket_back() {
    let mut world = with_a_crew([arrival(45)]);
    world.and("10:20", arrived(CREW)).and("10:30", closed());
    let revealed = event::PersonalRevealed { purpose: "to call back".into() };
    world.ticket(ticket_id(1), at("10:40"), revealed.into(), Role::Desk);
    let last = world.log.last().unwrap().clone();
    let watch = &mut world.engines[0].watch;
    assert_eq!(watch.forgotten(&last), None);
    watch.apply(&last);
    assert!(watch.is_empty());
    world.ticket(ticket_id(1), at("10:41"), arrived(CREW), Role::Crew);
    let late = world.log.last().unwrap().clone();
    let watch = &mut world.engines[0].watch;
    assert_eq!(watch.forgotten(&late), Some(ticket_id(1)));
    watch.apply(&late);
    assert!(watch.is_empty(), "a fact without its history says nothing of any clock");
}

#[test]
fn a_breach_that_was_said_too_late_is_taken_back_of_a_ticket_that_was_let_go() {
    // One engine says the breach while the other has read that the crew was there in time, and let the ticket go.
    let mut world = with_a_crew([arrival(45)]);
    world.another_engine();
    world.rest().now = at("11:00");
    world.ticket(ticket_id(1), at("10:40"), arrived(CREW), Role::Crew);
    world.ticket(ticket_id(1), at("11:00"), closed(), Role::Desk);
    world.follow(1, usize::MAX);
    assert!(!world.speak(1, world.now) && world.engines[1].watch.is_empty());
    assert!(world.speak(0, world.now), "the first engine has not read that yet");
    let said = world.rest().said();
    assert_eq!(
        said,
        [
            "11:00 arrival 1.1 breached 10:45 by sgcc/zj/hz/yuhang/liangzhu/crew3",
            "11:00 arrival 1.1 overturned 10:45: kept, due 10:45"
        ]
    );
    assert!(world.engines.iter().all(|engine| engine.watch.is_empty()));
}

#[test]
fn after_a_publication_every_ticket_is_judged_anew_in_steps() {
    let mut world = under([arrival(45)]);
    world.now = at("10:00");
    let tickets = REVIEW_DOCKETS_MAX * 2 + 10;
    for ticket in 0..tickets {
        world.ticket(
            ticket_id(1 + ticket as u128 * 2),
            at("10:00"),
            received_at(NATION, BusinessType::FaultRepair),
            Role::Desk,
        );
    }
    world.follow(0, usize::MAX);
    let shorter = Policy { effective_from: at("09:00"), ..policy([arrival(30)]) };
    world.now = at("10:35");
    world.publish(shorter);
    world.follow(0, usize::MAX);
    let watch = &mut world.engines[0].watch;
    assert_eq!(watch.wake(), Some(at("10:35")), "at once, though nothing was due before 10:45");
    assert_eq!(watch.pending(at("10:35"), usize::MAX).len(), REVIEW_DOCKETS_MAX);
    // Tickets come and go while it is under way, before the place that was reached and after it.
    for ticket in [2, tickets as u128 * 2 - 2] {
        world.ticket(ticket_id(ticket), at("10:00"), received(BusinessType::FaultRepair), Role::Desk);
    }
    world.ticket(ticket_id(1), at("10:20"), arrived(CREW), Role::Crew);
    world.ticket(ticket_id(1), at("10:35"), closed(), Role::Desk);
    world.follow(0, usize::MAX);
    let watch = &mut world.engines[0].watch;
    assert_eq!(watch.pending(at("10:35"), usize::MAX).len(), 2 * REVIEW_DOCKETS_MAX + 1);
    assert_eq!(watch.wake(), Some(at("10:35")));
    assert_eq!(watch.pending(at("10:35"), usize::MAX).len(), tickets + 1);
    let others: BTreeSet<_> = watch.pending(at("10:35"), usize::MAX).iter().map(|want| want.intent.ticket).collect();
    assert_eq!(others.len(), tickets + 1, "every one but the first, which was kept");
}

#[test]
fn a_publication_in_the_middle_of_a_review_begins_it_anew() {
    let mut world = under([arrival(45)]);
    world.now = at("10:00");
    for ticket in 1..=REVIEW_DOCKETS_MAX as u128 + 1 {
        world.ticket(ticket_id(ticket), at("10:00"), received(BusinessType::FaultRepair), Role::Desk);
    }
    world.follow(0, usize::MAX);
    let back_dated = |limit| Policy { effective_from: at("09:00"), ..policy([arrival(limit)]) };
    for limit in [30, 20] {
        world.publish(back_dated(limit));
        world.follow(0, usize::MAX);
        world.engines[0].watch.pending(at("10:00"), 9);
    }
    world.publish_year(year_2024());
    world.follow(0, usize::MAX);
    let watch = &mut world.engines[0].watch;
    for _ in 0..2 {
        assert_eq!(watch.wake(), Some(at("10:00")));
        assert_eq!(watch.pending(at("10:00"), 9), []);
    }
    assert_eq!(watch.wake().map(told).as_deref(), Some("10:20:00.000001"), "nothing is left to review");
}

#[test]
fn a_watch_that_is_resumed_says_what_was_left_to_say() {
    let mut world = with_a_crew([laddered(45)]);
    world.until("10:38");
    let resumed = || Watch::resume(book(&world.log), [docket(&world.log, ticket_id(1))]);
    let mut lived = world.engines[0].watch.clone();
    assert_eq!(resumed().wake(), lived.wake());
    assert_eq!(resumed().pending(at("10:41"), 9), lived.pending(at("10:41"), 9));
    assert_eq!(resumed().book(), lived.book());
    assert_eq!(Watch::resume(book(&world.log), []).wake(), None);
    world.and("10:42", arrived(CREW)).and("10:43", closed());
    assert!(Watch::resume(book(&world.log), [docket(&world.log, ticket_id(1))]).is_empty());
}

#[test]
fn a_fact_that_is_told_twice_is_passed_over() {
    let mut world = with_a_crew([laddered(45)]);
    world.until("10:37");
    let before = world.engines[0].watch.clone();
    for fact in world.log.clone() {
        world.engines[0].watch.apply(&fact);
    }
    let watch = &mut world.engines[0].watch;
    while watch.wake() == Some(at("10:36")) {
        assert_eq!(watch.pending(at("10:37"), 9), []);
    }
    assert_eq!(watch.docket(ticket_id(1)), before.docket(ticket_id(1)));
    assert_eq!(watch.wake(), before.wake());
    assert_eq!(watch.pending(at("10:41"), 9), before.clone().pending(at("10:41"), 9));
}

#[test]
fn an_appointment_is_spoken_of_at_its_time() {
    let rule = Rule { start: vec![by(FactName::Received, Reading::Appointment)], ..laddered(15) };
    let mut world = under([rule]);
    let mut booked = received(BusinessType::FaultRepair);
    if let crate::ticket::Event::Received(e) = &mut booked {
        e.appointment = Some(at("15:00"));
    }
    world.and("10:00", booked).and("10:10", dispatched(NATION, CREW));
    assert_eq!(world.until("15:11").said(), ["15:10 arrival 1.1 warned 2 of 15:15, tell sgcc/zj"]);
    world.and("15:12", arrived(CREW));
    assert_eq!(world.until("18:00").said().len(), 2, "of each step once, whatever their order");
}

#[test]
fn what_is_due_at_the_end_of_time_is_never_said() {
    let endless = Rule { limit: crate::sla::policy::Limit::Elapsed { seconds: i64::MAX }, ..laddered(45) };
    let mut world = under([endless]);
    world.and("10:00", received(BusinessType::FaultRepair));
    let watch = &mut world.engines[0].watch;
    assert!(watch.wake().is_some_and(|next| next > at("10:00") + TimeDelta::days(365_000)));
    let wants = watch.pending(Timestamp::MAX_UTC, 9);
    assert!(matches!(wants[0].intent.announce.events[..], [Event::Warned(_)]), "{wants:?}");
}
