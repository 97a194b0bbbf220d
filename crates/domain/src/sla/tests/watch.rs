//! The promise events that the watch records: which, when, for which unit, and each only once.

use super::{
    tale::{
        arrival, arrived_in, at, by, closed, extended, in_area, minutes, on, only, policy, reopened, resumed, rule,
        suspended, suspended_for,
    },
    world::{World, clock_history, decided},
};
use crate::{
    actor::Role,
    decider::Process,
    fact::Fact,
    organisation::Level,
    sla::{
        clock_history::{FactName, Reading, Word},
        policy::{Rule, Threshold, Warning},
        promise::{self, Announce, Rejection},
    },
    ticket::{
        Area, BusinessType, Escalation, ReplyOutcome, SuspendReason, event,
        tests::sample::{
            CREW, HZ, NATION, NB, YUHANG, ZJ, accepted, arrived, dispatched, received, replied, text, ticket_id,
        },
    },
};

/// On site within `limit` minutes; the city is notified at 80 per cent, the province five minutes before due.
pub fn laddered(limit: i64) -> Rule {
    let warnings = vec![
        Warning { at: Threshold::Percent(80), tell: Some(Level::City) },
        Warning { at: Threshold::Before(300), tell: Some(Level::Province) },
    ];
    Rule { warnings, ..arrival(limit) }
}

/// A world with these rules.
pub fn under(rules: impl IntoIterator<Item = Rule>) -> World {
    World::under(policy(rules))
}

/// A fault received at 10:00 that the crew has held since 10:05.
pub fn with_a_crew(rules: impl IntoIterator<Item = Rule>) -> World {
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
    assert_eq!(world.until("10:39").events(), said[..1]);
    assert_eq!(world.until("10:45").events(), said[..2]);
    assert_eq!(world.until("18:00").events(), said);
    world.and("18:10", arrived(CREW)).and("18:20", closed());
    assert_eq!(world.until("03-08 10:00").events(), said);
}

#[test]
fn a_promise_that_is_kept_is_warned_of_until_then() {
    let mut world = with_a_crew([laddered(45)]);
    world.and("10:38", arrived(CREW));
    assert_eq!(world.until("18:00").events(), ["10:36 arrival 1.1 warned 1 of 10:45, tell sgcc/zj/hz"]);
}

#[test]
fn a_warning_goes_to_the_holder_where_the_ticket_is_above_that_level() {
    let mut world = under([laddered(45)]);
    world.and("10:00", received(BusinessType::FaultRepair)).and("10:10", dispatched(NATION, ZJ));
    assert_eq!(
        world.until("10:41").events(),
        ["10:36 arrival 1.1 warned 1 of 10:45, tell sgcc/zj", "10:40 arrival 1.1 warned 2 of 10:45, tell sgcc/zj"]
    );
}

#[test]
fn a_warning_that_comes_late_goes_to_those_who_held_the_ticket_in_time() {
    let mut world = under([laddered(45)]);
    world.now = at("10:41");
    for (reading, event) in [
        ("10:00", received(BusinessType::FaultRepair)),
        ("10:38", dispatched(NATION, ZJ)),
        ("10:41", dispatched(ZJ, NB)),
    ] {
        world.ticket(ticket_id(1), at(reading), event, Role::Desk);
    }
    assert_eq!(
        world.rest().events(),
        ["10:41 arrival 1.1 warned 1 of 10:45, tell sgcc", "10:41 arrival 1.1 warned 2 of 10:45, tell sgcc/zj"]
    );
    let owners = world.log.iter().filter_map(|fact| match fact {
        Fact::Promise(fact) => Some(fact.event.judged().owner.as_str()),
        _ => None,
    });
    assert_eq!(owners.collect::<Vec<_>>(), [NATION, ZJ]);
}

#[test]
fn who_held_the_ticket_at_due_answers_for_the_breach() {
    let mut world = under([arrival(45)]);
    world
        .and("10:00", received(BusinessType::FaultRepair))
        .and("10:45", dispatched(NATION, HZ))
        .and("10:45:00.000001", dispatched(HZ, YUHANG))
        .and("11:00", dispatched(YUHANG, CREW));
    assert_eq!(world.events(), ["10:45:00.000001 arrival 1.1 breached 10:45 by sgcc/zj/hz"]);
    // No engine ran until the ticket was closed by another unit.
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
    assert_eq!(unwatched.rest().events(), ["12:00 arrival 1.1 breached 10:45 by sgcc/zj/hz"]);
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
    assert_eq!(world.until("15:00").events(), said);
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
    assert_eq!(world.until("15:00").events(), said);
    let mut later = with_a_crew([arrival(45)]);
    later.until("11:30").late("10:50", arrived(CREW));
    assert_eq!(later.until("15:00").events(), said[..1]);
}

#[test]
fn a_wait_or_a_withdrawal_that_is_reported_late_takes_the_breach_back() {
    let rule =
        Rule { pauses: vec![suspended_for(Word::Customer)], cancel: vec![on(FactName::Withdrawn)], ..arrival(45) };
    let mut waiting = under([rule.clone()]);
    waiting.and("10:00", received(BusinessType::FaultRepair));
    waiting.until("11:00").late("10:30", suspended(SuspendReason::Customer)).and("11:30", resumed());
    let said = [
        "10:45:00.000001 arrival 1.1 breached 10:45 by sgcc",
        "11:00 arrival 1.1 overturned 10:45: paused, due never",
        "11:45:00.000001 arrival 1.1 breached 11:45 by sgcc",
    ];
    assert_eq!(waiting.until("12:00").events(), said);
    let mut withdrawn = under([rule]);
    withdrawn.and("10:00", received(BusinessType::FaultRepair));
    withdrawn.until("11:00").late("10:30", event::Withdrawn { reason: text() });
    let cancelled = "11:00 arrival 1.1 overturned 10:45: cancelled, due 10:45";
    assert_eq!(withdrawn.until("12:00").events(), [said[0], cancelled]);
}

#[test]
fn a_breach_that_only_a_late_report_reveals_is_said_then() {
    // The dispatch was reported hours later, when the ticket was already accepted.
    let accept = rule("accept", minutes(3), &[FactName::Dispatched], &[FactName::Accepted]);
    let mut world = under([accept]);
    world.and("10:00", received(BusinessType::FaultRepair)).and("10:30", accepted(HZ));
    world.until("15:00").late("10:01", dispatched(NATION, HZ));
    assert_eq!(world.events(), ["15:00 accept 1.1 breached 10:04 by sgcc/zj/hz"]);
    assert_eq!(world.until("18:00").events().len(), 1);
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
    assert_eq!(world.until("15:00").events(), said, "its warnings were given");
    // Both are in the past when the fact is recorded: one command records both.
    let mut late = with_a_crew([rule]);
    late.until("15:00").late("10:50", extended("12:00"));
    let both = [
        "15:00 arrival 1.1 overturned 10:45: running, due 12:00",
        "15:00 arrival 1.1 breached 12:00 by sgcc/zj/hz/yuhang/liangzhu/crew3",
    ];
    assert_eq!(late.events()[3..], both);
    let revisions: Vec<_> = late.log.iter().rev().take(2).map(Fact::position).collect();
    assert_eq!(revisions, [late.log.len() as u64, late.log.len() as u64 - 1]);
    assert_eq!(late.until("18:00").events().len(), 5);
}

#[test]
fn a_clock_that_is_gone_takes_its_breach_with_it() {
    let urban = in_area(None, "F05?", arrival(45));
    let mut world = under([urban]);
    world.and("10:00", received(BusinessType::FaultRepair)).and("11:00", arrived_in(Area::Rural));
    assert_eq!(
        world.until("12:00").events(),
        ["10:45:00.000001 arrival 1.1 breached 10:45 by sgcc", "11:00 arrival 1.1 overturned 10:45: gone, due never"]
    );
}

#[test]
fn a_clock_that_waits_is_warned_of_when_it_goes_on() {
    let rule = Rule { pauses: vec![suspended_for(Word::Customer)], ..laddered(45) };
    let mut world = with_a_crew([rule]);
    world.and("10:30", suspended(SuspendReason::Customer));
    assert_eq!(world.until("12:00").events(), Vec::<String>::new());
    assert_eq!(world.engines[0].watch.wake(), None, "nothing will happen by itself");
    world.and("12:00", resumed());
    assert_eq!(
        world.until("12:11").events(),
        ["12:06 arrival 1.1 warned 1 of 12:15, tell sgcc/zj/hz", "12:10 arrival 1.1 warned 2 of 12:15, tell sgcc/zj"]
    );
}

#[test]
fn a_clock_that_starts_over_is_warned_of_anew() {
    let rule = Rule { reset: vec![only(FactName::Escalated, Word::Urgent)], ..laddered(45) };
    let mut world = with_a_crew([rule]);
    world.and("10:42", event::Escalated { to: Escalation::Urgent, reason: text() });
    assert_eq!(
        world.until("12:00").events(),
        [
            "10:36 arrival 1.1 warned 1 of 10:45, tell sgcc/zj/hz",
            "10:40 arrival 1.1 warned 2 of 10:45, tell sgcc/zj",
            "11:18 arrival 1.1 warned 1 of 11:27, tell sgcc/zj/hz",
            "11:22 arrival 1.1 warned 2 of 11:27, tell sgcc/zj",
            "11:27:00.000001 arrival 1.1 breached 11:27 by sgcc/zj/hz/yuhang/liangzhu/crew3",
        ]
    );
}

#[test]
fn who_knows_less_does_not_warn_again_of_a_run_that_is_over() {
    let rule = Rule { reset: vec![only(FactName::Escalated, Word::Urgent)], ..laddered(45) };
    let mut world = with_a_crew([rule]);
    world.and("10:42", event::Escalated { to: Escalation::Urgent, reason: text() }).until("11:20");
    let said = clock_history(&world.log, ticket_id(1)).announced;
    let words = world.log.iter().filter_map(|fact| match fact {
        Fact::Promise(fact) => Some(fact.event.clone()),
        _ => None,
    });
    for event in words {
        assert!(matches!(event, promise::Event::Warned(_)));
        assert_eq!(decided(&said, &Announce { events: vec![event] }), Err(Rejection::AlreadyRecorded));
    }
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
        world.until("15:00").events(),
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
    assert_eq!(world.events(), Vec::<String>::new());
    assert_eq!(world.until("15:00").events(), ["13:00:00.000001 reply 1.1 breached 13:00 by sgcc"]);
    // A due instant equal to the time of the import counts as past.
    let mut edge = under(rules());
    edge.until("10:45").ticket(ticket_id(1), at("10:00"), received(BusinessType::FaultRepair), Role::Importer);
    assert_eq!(edge.rest().until("11:00").events(), Vec::<String>::new());
    // The same ticket, recorded late by a desk, is not an import.
    let mut slow = under(rules());
    slow.until("12:00").ticket(ticket_id(1), at("10:00"), received(BusinessType::FaultRepair), Role::Desk);
    assert_eq!(slow.rest().events(), ["12:00 arrival 1.1 breached 10:45 by sgcc"]);
}

#[test]
fn a_jump_ahead_says_everything_once_and_no_warning_of_what_is_past() {
    let reply = Rule { id: "reply".into(), clock: "reply".into(), ..laddered(300) };
    let mut world = with_a_crew([laddered(45), reply]);
    world.now = at("14:30");
    assert_eq!(
        world.rest().events(),
        [
            "14:30 arrival 1.1 breached 10:45 by sgcc/zj/hz/yuhang/liangzhu/crew3",
            "14:30 reply 1.1 warned 1 of 15:00, tell sgcc/zj/hz",
        ]
    );
    world.now = at("2034-01-01 00:00");
    assert_eq!(
        world.rest().events()[2..],
        ["2034-01-01 00:00 reply 1.1 breached 15:00 by sgcc/zj/hz/yuhang/liangzhu/crew3"]
    );
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
    assert_eq!(world.until("15:11").events(), ["15:10 arrival 1.1 warned 2 of 15:15, tell sgcc/zj"]);
    world.and("15:12", arrived(CREW));
    assert_eq!(world.until("18:00").events().len(), 2, "of each step once, whatever their order");
}
