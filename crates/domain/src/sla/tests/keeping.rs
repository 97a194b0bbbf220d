//! The state of the watch: parallel engines, clocks that go back, rejected actions, ended tickets that return, reviews
//! after a publication, restarts.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::{
    tale::{
        arrival, at, closed, extended, in_words, minutes, on, policy, reopened, rule, suspended, suspended_for,
        year_2024,
    },
    watch::{laddered, under, with_a_crew},
    world::{TICK, World, clock_history, decided, registry},
};
use crate::{
    Timestamp,
    actor::Role,
    decider::{Process, Projection},
    fact::Fact,
    sla::{
        clock_history::{FactName, Word},
        policy::{Limit, Policy, Rule},
        promise::{Announce, Event, PromiseLog, Rejection, StartedBy},
        watch::{REVIEW_HISTORIES_MAX, Watch},
    },
    ticket::{
        BusinessType, ReplyOutcome, SuspendReason, event,
        tests::sample::{CREW, HZ, NATION, arrived, dispatched, received, received_at, replied, text, ticket_id},
    },
};

#[test]
fn a_clock_that_is_set_back_takes_nothing_back() {
    let mut world = with_a_crew([laddered(45)]);
    world.until("10:50");
    let said = world.events();
    world.now = at("10:20");
    assert_eq!(world.rest().until("10:40").events(), said);
    world.to(2, "10:41", received(BusinessType::FaultRepair));
    world.restart(0);
    assert_eq!(world.until("10:44").events(), said);
    assert_eq!(world.until("10:55").events(), said);
    // Recorded instants of the log are in the past, also for an engine whose clock is behind.
    let mut behind = with_a_crew([arrival(45)]);
    behind.now = at("11:00");
    behind.ticket(ticket_id(2), at("11:00"), received(BusinessType::FaultRepair), Role::Desk);
    behind.now = at("10:10");
    behind.ticket(ticket_id(3), at("10:10"), received(BusinessType::FaultRepair), Role::Desk);
    behind.follow(0, usize::MAX);
    assert!(behind.act(0, at("10:10")), "it is eleven o'clock whatever this clock says");
    assert_eq!(behind.rest().events().len(), 2, "for the third ticket too");
}

#[test]
fn several_engines_say_everything_once() {
    let mut world = with_a_crew([laddered(45)]);
    world.another_engine();
    world.another_engine();
    world.until("10:30");
    // All three engines read the same log before any reads the others' records, and their clocks differ.
    for (engine, reading) in [(0, "10:42"), (1, "10:37"), (2, "10:42")] {
        assert!(world.act(engine, at(reading)));
    }
    world.now = at("10:42");
    assert_eq!(
        world.rest().events(),
        ["10:42 arrival 1.1 warned 1 of 10:45, tell sgcc/zj/hz", "10:42 arrival 1.1 warned 2 of 10:45, tell sgcc/zj",]
    );
    for engine in &world.engines {
        assert_eq!(engine.watch.parked().count(), 0, "what another said is no reason to fall silent");
    }
    assert_eq!(world.until("11:00").events().len(), 3);
    world.late("10:30", arrived(CREW));
    assert_eq!(world.events()[3..], ["11:00 arrival 1.1 overturned 10:45: kept, due 10:45"]);
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
    let state = clock_history(&world.log, ticket_id(1)).announced;
    let breach = |state: &PromiseLog| state.of("arrival", 1, 1).and_then(|said| said.breach.clone());
    assert_eq!(in_words(breach(&state).unwrap().due), "12:00");
    assert!(stale.intent.publish.events.iter().all(|event| state.knows(event)), "what it actions was said long ago");
}

#[test]
fn nothing_is_said_twice_and_what_is_new_among_it_is_said() {
    let mut world = with_a_crew([laddered(45)]);
    world.until("11:00");
    let said: Vec<Event> = clock_history_events(&world);
    let state = clock_history(&world.log, ticket_id(1)).announced;
    let decide = |state: &PromiseLog, events: &[Event]| decided(state, &Announce { events: events.to_vec() });
    assert_eq!(decide(&state, &said), Err(Rejection::AlreadyRecorded));
    assert_eq!(decide(&state, &[]), Err(Rejection::AlreadyRecorded));
    let doubled = [&said[..], &said[..]].concat();
    assert_eq!(decide(&PromiseLog::default(), &doubled), Ok(said.clone()));
    assert_eq!(decide(&PromiseLog::default(), &said[1..]), Ok(said[1..].to_vec()), "each by itself");
}

fn clock_history_events(world: &World) -> Vec<Event> {
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
    let action = watch.pending(at("11:00"), 9).remove(0);
    watch.refused(&action, "the store is full");
    assert_eq!(watch.parked().collect::<Vec<_>>(), [(ticket_id(1), "the store is full")]);
    assert_eq!(watch.pending(at("12:00"), 9), []);
    assert_eq!(watch.wake(), None);
    assert_eq!(world.rest().events(), Vec::<String>::new());
    world.and("12:30", event::Supplemented { content: text() });
    assert_eq!(world.events(), Vec::<String>::new(), "no clock looks at that");
    world.and("12:40", event::Urged { count: 1, reason: text() });
    assert_eq!(world.events(), ["12:40 arrival 1.1 breached 10:45 by sgcc/zj/hz/yuhang/liangzhu/crew3"]);
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
    let action = watch.pending(at("11:00"), 1).remove(0);
    let received = world.log.iter().find(|fact| super::world::of(fact) == Some(action.intent.ticket)).unwrap();
    assert_eq!((action.because, action.name), (received.position(), "publish"));
}

#[test]
fn the_watch_wakes_exactly_when_there_is_something_to_say() {
    let mut world = with_a_crew([laddered(45)]);
    for reading in ["10:36", "10:40", "10:45:00.000001"] {
        let watch = &mut world.engines[0].watch;
        assert_eq!(watch.wake().map(in_words).as_deref(), Some(reading));
        assert_eq!(watch.pending(at(reading) - TICK, 9), [], "not before");
        assert_eq!(watch.pending(at(reading), 9).len(), 1, "but then");
        world.until(reading);
    }
    assert_eq!(world.engines[0].watch.wake(), None);
    // An event that must be recorded at once is recorded now, not at the beginning of time.
    world.until("11:00").ticket(ticket_id(1), at("10:30"), arrived(CREW), Role::Crew);
    world.follow(0, usize::MAX);
    assert_eq!(world.engines[0].watch.wake().map(in_words).as_deref(), Some("11:00"));
}

#[test]
fn a_ticket_that_has_ended_is_let_go_when_nothing_is_left_to_say() {
    let mut world = with_a_crew([arrival(45)]);
    assert_eq!(world.engines[0].watch.len(), 1);
    assert_eq!(world.engines[0].watch.clock_history(ticket_id(1)).unwrap().events.len(), 3);
    world.and("10:20", arrived(CREW)).and("10:30", closed());
    assert!(world.engines[0].watch.is_empty(), "all its promises were kept");
    // Closed before due with the promise not met: an ended ticket has no open promises.
    let mut unmet = with_a_crew([arrival(45)]);
    unmet.and("10:20", closed());
    assert!(unmet.engines[0].watch.is_empty());
    assert_eq!(unmet.until("11:00").events().len(), 0);
    // Closed while it waits: time alone causes no further record.
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
    assert_eq!(world.events().len(), 3);
    world.until("12:00").late("10:30", arrived(CREW));
    assert_eq!(world.events()[3..], ["12:00 arrival 1.1 overturned 10:45: kept, due 10:45"]);
    assert!(world.engines[0].watch.is_empty());
    world
        .and("13:00", reopened())
        .and("13:10", dispatched(NATION, HZ))
        .and("13:20", replied(HZ, ReplyOutcome::Resolved));
    let clock_history = world.engines[0].watch.clock_history(ticket_id(1)).unwrap();
    assert_eq!(*clock_history, super::world::clock_history(&world.log, ticket_id(1)), "with its whole history");
    assert_eq!(world.until("15:00").events()[4..], ["14:20:00.000001 revisit 2.1 breached 14:20 by sgcc/zj/hz"]);
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
    // One engine records the breach after the other has read that the crew arrived in time and has dropped the ticket.
    let mut world = with_a_crew([arrival(45)]);
    world.another_engine();
    world.rest().now = at("11:00");
    world.ticket(ticket_id(1), at("10:40"), arrived(CREW), Role::Crew);
    world.ticket(ticket_id(1), at("11:00"), closed(), Role::Desk);
    world.follow(1, usize::MAX);
    assert!(!world.act(1, world.now) && world.engines[1].watch.is_empty());
    assert!(world.act(0, world.now), "the first engine has not read that yet");
    // The remaining engine records nothing more.
    world.engines.remove(0);
    let said = world.rest().events();
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
    let tickets = REVIEW_HISTORIES_MAX * 2 + 10;
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
    assert_eq!(watch.pending(at("10:35"), usize::MAX).len(), REVIEW_HISTORIES_MAX);
    // Tickets come and go during the review, before and after the ticket that it has reached.
    for ticket in [2, tickets as u128 * 2 - 2] {
        world.ticket(ticket_id(ticket), at("10:00"), received(BusinessType::FaultRepair), Role::Desk);
    }
    world.ticket(ticket_id(1), at("10:20"), arrived(CREW), Role::Crew);
    world.ticket(ticket_id(1), at("10:35"), closed(), Role::Desk);
    world.follow(0, usize::MAX);
    let watch = &mut world.engines[0].watch;
    assert_eq!(watch.pending(at("10:35"), usize::MAX).len(), 2 * REVIEW_HISTORIES_MAX + 1);
    assert_eq!(watch.wake(), Some(at("10:35")));
    assert_eq!(watch.pending(at("10:35"), usize::MAX).len(), tickets + 1);
    let others: BTreeSet<_> =
        watch.pending(at("10:35"), usize::MAX).iter().map(|action| action.intent.ticket).collect();
    assert_eq!(others.len(), tickets + 1, "every one but the first, which was kept");
}

#[test]
fn a_publication_in_the_middle_of_a_review_begins_it_anew() {
    let mut world = under([arrival(45)]);
    world.now = at("10:00");
    for ticket in 1..=REVIEW_HISTORIES_MAX as u128 + 1 {
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
    assert_eq!(watch.wake().map(in_words).as_deref(), Some("10:20:00.000001"), "nothing is left to review");
}

#[test]
fn a_watch_that_is_resumed_says_what_was_left_to_say() {
    let mut world = with_a_crew([laddered(45)]);
    world.until("10:38");
    let resumed = || Watch::resume(registry(&world.log), [clock_history(&world.log, ticket_id(1))]);
    let mut lived = world.engines[0].watch.clone();
    assert_eq!(resumed().wake(), lived.wake());
    assert_eq!(resumed().pending(at("10:41"), 9), lived.pending(at("10:41"), 9));
    assert_eq!(resumed().registry(), lived.registry());
    assert_eq!(Watch::resume(registry(&world.log), []).wake(), None);
    world.and("10:42", arrived(CREW)).and("10:43", closed());
    assert!(Watch::resume(registry(&world.log), [clock_history(&world.log, ticket_id(1))]).is_empty());
}

#[test]
fn a_fact_that_is_told_twice_is_passed_over() {
    let mut world = with_a_crew([laddered(45)]);
    world.until("10:37");
    let before = world.engines[0].watch.clone();
    for fact in world.log.clone() {
        world.engines[0].watch.apply(&fact);
    }
    assert_eq!(world.engines[0].watch, before);
}

#[test]
fn what_is_due_at_the_end_of_time_is_never_said() {
    let endless = Rule { limit: Limit::Elapsed { seconds: i64::MAX }, ..laddered(45) };
    let mut world = under([endless]);
    world.and("10:00", received(BusinessType::FaultRepair));
    let watch = &mut world.engines[0].watch;
    assert!(watch.wake().is_some_and(|next| next > at("10:00") + TimeDelta::days(365_000)));
    let actions = watch.pending(Timestamp::MAX_UTC, 9);
    assert!(matches!(actions[0].intent.publish.events[..], [Event::Warned(_)]), "{actions:?}");
}

/// The log as it stands in another store: the same facts in the same order at other positions.
fn copied(log: &[Fact]) -> Vec<Fact> {
    let elsewhere = |fact: &Fact| {
        let mut copy = fact.clone();
        match &mut copy {
            Fact::Ticket(fact) => fact.position = 1_000 + 7 * fact.position,
            Fact::Crew(fact) => fact.position = 1_000 + 7 * fact.position,
            Fact::Promise(fact) => fact.position = 1_000 + 7 * fact.position,
            Fact::Policy(fact) => fact.position = 1_000 + 7 * fact.position,
            Fact::Year(fact) => fact.position = 1_000 + 7 * fact.position,
        }
        copy
    };
    log.iter().map(elsewhere).collect()
}

/// Names the fact that started a clock as version 0.1 stored it: by its position.
fn by_position(fact: &mut Fact) {
    let Fact::Promise(fact) = fact else { return };
    let judged = match &mut fact.event {
        Event::Warned(e) => &mut e.judged,
        Event::Breached(e) => &mut e.judged,
        Event::Overturned(e) => &mut e.judged,
    };
    judged.started_by = StartedBy::Position { because: 3 };
}

#[test]
fn a_log_that_was_copied_to_other_positions_says_nothing_again() {
    let mut world = with_a_crew([laddered(45)]);
    world.until("10:50");
    assert!(world.events().len() > 2, "warned and breached: {:?}", world.events());
    for of_an_older_version in [false, true] {
        let mut log = copied(&world.log);
        if of_an_older_version {
            log.iter_mut().for_each(by_position);
        }
        let mut watch = Watch::default();
        log.iter().for_each(|fact| watch.apply(fact));
        assert_eq!(watch.pending(at("10:50"), 9), [], "of an older version: {of_an_older_version}");
    }
}
