//! A clock over a ticket's whole life: several runs, returns, replies sent back, merges, reopenings, changed business
//! types.

use super::tale::{
    Tale, arrival, at, closed, days, in_words, minutes, on, only, reopened, resumed, rule, suspended, suspended_for,
};
use crate::{
    organisation::Level,
    sla::{
        clock::Run,
        clock_history::{FactName, Word},
        judge::{self, Clock},
        policy::{Rule, Trigger, When},
    },
    ticket::{
        BusinessType, Escalation, Event, Grade, ReplyOutcome, Satisfaction, SuspendReason, Urgency, event,
        tests::sample::{
            CREW, CREW4, HZ, NATION, NB, YUHANG, ZJ, accepted, arrived, classified, crew_accepted, dispatched, merged,
            org, passed_for_good, reassigned, replied, restored, returned, revisited, text, ticket_id, unmerged,
        },
    },
};

fn sent_back(by: &str) -> event::ReplySentBack {
    event::ReplySentBack { by: org(by), reason: text() }
}

fn followed() -> event::MasterFollowed {
    event::MasterFollowed { master: ticket_id(9), restored: None }
}

fn raised(to: Escalation) -> event::Escalated {
    event::Escalated { to, reason: text() }
}

fn at_level(fact: FactName, level: Level) -> Trigger {
    Trigger { level: vec![level], ..on(fact) }
}

/// Accept within two hours after the dispatch, at every level.
fn sorting() -> Rule {
    rule(
        "accept",
        minutes(120),
        &[FactName::Dispatched, FactName::Reassigned],
        &[FactName::Accepted, FactName::Returned],
    )
}

/// Reply within four working days; a reply that is sent back does not count.
fn reply() -> Rule {
    let revive = vec![on(FactName::ReplySentBack)];
    Rule { revive, ..rule("reply", days(4), &[FactName::Received, FactName::Reopened], &[FactName::Replied]) }
}

#[test]
fn every_level_that_accepts_runs_a_lap_of_its_own() {
    let tale = Tale::of(BusinessType::Complaint, "10:00")
        .and("10:10", dispatched(NATION, ZJ))
        .and("11:00", accepted(ZJ))
        .and("11:05", dispatched(ZJ, HZ))
        .and("13:30", accepted(HZ))
        .and("13:40", dispatched(HZ, YUHANG));
    let runs = ["accept 1.1 kept, due 12:10", "accept 1.2 breached, due 13:05", "accept 1.3 running, due 15:40"];
    assert_eq!(tale.stands([sorting()], "14:00"), runs);
}

#[test]
fn a_unit_that_is_given_the_ticket_in_the_middle_of_a_lap_may_be_given_its_time_too() {
    let anew = Rule { reset: vec![on(FactName::Reassigned)], ..sorting() };
    let tale = Tale::of(BusinessType::Complaint, "10:00")
        .and("10:10", dispatched(NATION, ZJ))
        .and("11:00", reassigned(HZ, NB));
    assert_eq!(tale.stands([sorting()], "11:10"), ["accept 1.1 running, due 12:10"]);
    assert_eq!(tale.stands([anew.clone()], "11:10"), ["accept 1.1 running, due 13:00"]);
    let later = tale.and("11:20", accepted(NB)).and("12:00", reassigned(NB, HZ));
    assert_eq!(later.stands([anew], "12:10"), ["accept 1.1 kept, due 13:00", "accept 1.2 running, due 14:00"]);
}

#[test]
fn a_return_stops_no_clock_of_the_customer_and_revives_that_of_the_level() {
    // F03: accept and pass on within three minutes, or return.
    let pass_on = Rule {
        start: vec![at_level(FactName::Dispatched, Level::City)],
        stop: vec![at_level(FactName::Dispatched, Level::Crew)],
        revive: vec![at_level(FactName::Returned, Level::City)],
        ..rule("pass_on", minutes(30), &[], &[])
    };
    let passed = Tale::fault(None, "10:00")
        .and("10:01", dispatched(NATION, HZ))
        .and("10:02", accepted(HZ))
        .and("10:10", dispatched(HZ, CREW));
    let both = || [pass_on.clone(), arrival(45)];
    assert_eq!(passed.stands(both(), "10:20"), ["arrival 1.1 running, due 10:45", "pass_on 1.1 kept, due 10:31"]);
    let returned = passed.and("10:20", returned(CREW, HZ));
    assert_eq!(returned.stands(both(), "10:25"), ["arrival 1.1 running, due 10:45", "pass_on 1.1 running, due 10:31"]);
    let again = returned.and("10:40", dispatched(HZ, CREW4)).and("10:44", arrived(CREW4));
    assert_eq!(
        again.stands(both(), "11:00"),
        ["arrival 1.1 kept, due 10:45", "pass_on 1.1 breached, due 10:31"],
        "as though it had never been passed on"
    );
}

#[test]
fn a_reply_that_is_sent_back_was_none() {
    let replied_once =
        Tale::of(BusinessType::Complaint, "10:00").and("03-08 10:00", replied(HZ, ReplyOutcome::Resolved));
    assert_eq!(replied_once.stands([reply()], "03-08 12:00"), ["reply 1.1 kept, due 03-11 10:00"]);
    let back = replied_once.and("03-11 09:00", sent_back(ZJ));
    assert_eq!(back.stands([reply()], "03-11 09:30"), ["reply 1.1 running, due 03-11 10:00"]);
    assert_eq!(back.stands([reply()], "03-11 10:30"), ["reply 1.1 breached, due 03-11 10:00"]);
    let again = back.and("03-11 09:50", replied(HZ, ReplyOutcome::Resolved));
    assert_eq!(again.stands([reply()], "03-11 10:30"), ["reply 1.1 kept, due 03-11 10:00"]);
}

#[test]
fn a_wait_that_began_while_the_clock_was_stopped_holds_when_it_is_revived() {
    let rule = Rule {
        pauses: vec![suspended_for(Word::Customer)],
        revive: vec![on(FactName::ReplySentBack)],
        ..rule("reply", minutes(60), &[FactName::Received], &[FactName::Replied])
    };
    let stopped = Tale::of(BusinessType::Complaint, "10:00")
        .and("10:20", replied(HZ, ReplyOutcome::Resolved))
        .and("10:30", suspended(SuspendReason::Customer));
    assert_eq!(
        stopped.stands([rule.clone()], "10:40"),
        ["reply 1.1 kept, due 11:00"],
        "what follows the end is not its own"
    );
    assert_eq!(stopped.segments(rule.clone(), "10:40"), ["10:00 to 10:20 running"]);
    let revived = stopped.and("10:50", sent_back(ZJ));
    assert_eq!(revived.stands([rule.clone()], "10:55"), ["reply 1.1 paused, not due"]);
    let resumed = revived.and("11:10", resumed());
    assert_eq!(resumed.stands([rule.clone()], "11:20"), ["reply 1.1 running, due 11:40"]);
    assert_eq!(
        resumed.segments(rule, "11:20"),
        ["10:00 to 10:30 running", "10:30 to 11:10 paused", "11:10 to 11:20 running"],
        "as though it had never been stopped"
    );
}

#[test]
fn a_clock_that_is_revived_waits_as_the_work_does_and_is_judged_by_what_the_ticket_is() {
    let urgency = |urgency| When { urgency: vec![urgency], ..When::default() };
    let plain = Rule {
        id: "plain".into(),
        when: urgency(Urgency::Normal),
        pauses: vec![suspended_for(Word::Customer)],
        revive: vec![at_level(FactName::Returned, Level::City)],
        ..rule("pass_on", minutes(60), &[FactName::Accepted], &[FactName::Dispatched])
    };
    let urgent = Rule { id: "urgent".into(), when: urgency(Urgency::Urgent), limit: minutes(30), ..plain.clone() };
    let rules = || [plain.clone(), urgent.clone()];
    let passed = Tale::fault(None, "10:00")
        .and("10:00", accepted(HZ))
        .and("10:10", dispatched(HZ, CREW))
        .and("10:15", suspended(SuspendReason::Customer))
        .and("10:20", raised(Escalation::Urgent));
    assert_eq!(
        passed.stands(rules(), "10:25"),
        ["plain 1.1 kept, due 11:00"],
        "it was no urgent one when it was passed on"
    );
    let returned = passed.and("10:25", returned(CREW, HZ));
    assert_eq!(returned.stands(rules(), "10:40"), ["urgent 1.1 paused, not due"]);
    assert_eq!(returned.and("10:45", resumed()).stands(rules(), "10:50"), ["urgent 1.1 running, due 11:00"]);
}

#[test]
fn a_wait_that_begins_as_a_clock_ends_is_none_of_its_life() {
    let rule = Rule {
        pauses: vec![suspended_for(Word::Customer)],
        ..rule("reply", minutes(60), &[FactName::Received], &[FactName::Replied])
    };
    let tale = Tale::of(BusinessType::Complaint, "10:00")
        .and("10:20", replied(HZ, ReplyOutcome::Resolved))
        .and("10:20", suspended(SuspendReason::Customer));
    assert_eq!(tale.stands([rule.clone()], "10:40"), ["reply 1.1 kept, due 11:00"]);
    assert_eq!(tale.segments(rule, "10:40"), ["10:00 to 10:20 running"]);
}

#[test]
fn what_was_granted_or_reset_while_a_clock_was_stopped_counts_when_it_is_revived() {
    let rule = Rule {
        extend: vec![on(FactName::Extended)],
        reset: vec![only(FactName::Escalated, Word::Urgent)],
        ..Rule { limit: minutes(60), ..reply() }
    };
    let stopped = Tale::of(BusinessType::Complaint, "10:00").and("10:20", replied(HZ, ReplyOutcome::Resolved));
    // The extension was granted before the reply was sent back, and reported later.
    let granted = stopped.clone().and("10:50", sent_back(ZJ)).late("10:30", "10:55", super::tale::extended("12:00"));
    assert_eq!(granted.stands([rule.clone()], "11:20"), ["reply 1.1 running, due 12:00"]);
    let raised = stopped.and("10:40", raised(Escalation::Urgent)).and("10:50", sent_back(ZJ));
    assert_eq!(raised.stands([rule], "11:20"), ["reply 1.1 running, due 11:40"]);
}

/// The parts of a clock's life that do not depend on the number of facts.
fn life(clocks: &[Clock], now: &str) -> Vec<String> {
    let life = |clock: &Clock| {
        let due = clock.due.map(in_words);
        let run = Run { seen: None, ..clock.run.clone() };
        format!("{:?} {:?} {due:?} {run:?} {:?}", clock.key(), clock.verdict, clock.segments(at(now)))
    };
    clocks.iter().map(life).collect()
}

#[test]
fn a_merge_that_was_undone_leaves_no_trace() {
    let merging = |rule: Rule| Rule {
        cancel: vec![on(FactName::Merged)],
        revive: vec![on(FactName::Unmerged)],
        pauses: vec![suspended_for(Word::Customer)],
        extend: vec![on(FactName::Extended)],
        ..rule
    };
    let rules = || {
        let dispatched = rule("dispatch", minutes(2), &[FactName::Received], &[FactName::Dispatched]);
        let urged = rule("answer", minutes(30), &[FactName::Urged], &[FactName::Contacted]);
        [merging(arrival(45)), merging(sorting()), merging(dispatched), merging(urged)]
    };
    let urge = |count| event::Urged { count, reason: text() };
    let whole = Tale::fault(None, "10:00")
        .and("10:01", classified(BusinessType::FaultRepair))
        .and("10:01:30", dispatched(NATION, HZ))
        .and("10:02", urge(1))
        .and("10:05", merged(ticket_id(9)))
        .and("10:10", urge(2))
        .and("10:20", unmerged(ticket_id(9)))
        .and("10:25", accepted(HZ))
        .and("10:30", suspended(SuspendReason::Customer))
        .and("10:40", resumed())
        .and("10:50", dispatched(HZ, CREW))
        .and("10:53", arrived(CREW));
    for until in 7..=whole.facts.len() {
        let merged = Tale { facts: whole.facts[..until].to_vec() };
        let never = merged.without(&["Merged", "Unmerged"]);
        for now in ["10:21", "10:35", "10:54", "10:56", "11:30"] {
            assert_eq!(
                life(&merged.judged(rules(), now), now),
                life(&never.judged(rules(), now), now),
                "{until} at {now}"
            );
        }
    }
    let merged = Tale { facts: whole.facts[..5].to_vec() };
    assert_eq!(
        merged.stands(rules(), "12:00"),
        [
            "accept 1.1 cancelled, due 12:01:30",
            "answer 1.1 cancelled, due 10:32",
            "arrival 1.1 cancelled, due 10:45",
            "dispatch 1.1 kept, due 10:02",
        ],
        "while it is merged nothing is due"
    );
}

#[test]
fn a_child_keeps_its_revisit() {
    let revisit = Rule {
        start: vec![only(FactName::ReplyPassed, Word::Last), on(FactName::MasterFollowed)],
        ..rule("revisit", minutes(24 * 60), &[], &[FactName::Revisited])
    };
    let arrival = Rule { cancel: vec![on(FactName::Merged)], revive: vec![on(FactName::Unmerged)], ..arrival(45) };
    let both = || [arrival.clone(), revisit.clone()];
    let child = Tale::fault(None, "10:00").and("10:20", merged(ticket_id(9))).and("13:00", followed());
    assert_eq!(
        child.stands(both(), "14:00"),
        ["arrival 1.1 cancelled, due 10:45", "revisit 1.1 running, due 03-06 13:00"]
    );
    let done = child.and("15:00", revisited(Satisfaction::Satisfied)).and("15:10", closed());
    assert_eq!(done.stands(both(), "16:00"), ["arrival 1.1 cancelled, due 10:45", "revisit 1.1 kept, due 03-06 13:00"]);
}

#[test]
fn each_cycle_is_judged_by_itself() {
    let first = Tale::of(BusinessType::Complaint, "10:00")
        .and("10:10", dispatched(NATION, ZJ))
        .and("03-12 11:00", replied(ZJ, ReplyOutcome::Resolved))
        .and("03-12 12:00", passed_for_good(NATION))
        .and("03-12 13:00", revisited(Satisfaction::Dissatisfied));
    assert_eq!(first.stands([reply()], "03-12 14:00"), ["reply 1.1 breached, due 03-11 10:00"]);
    let second = first.and("03-12 14:00", reopened());
    assert_eq!(
        second.stands([reply()], "03-12 15:00"),
        ["reply 1.1 breached, due 03-11 10:00", "reply 2.1 running, due 03-18 14:00"]
    );
    let done = second.and("03-13 10:00", replied(ZJ, ReplyOutcome::Resolved));
    assert_eq!(
        done.stands([reply()], "03-20 15:00"),
        ["reply 1.1 breached, due 03-11 10:00", "reply 2.1 kept, due 03-18 14:00"],
        "what the second brings changes nothing of the first"
    );
    let late = done.late("03-11 09:00", "03-20 16:00", replied(ZJ, ReplyOutcome::Explained));
    assert_eq!(
        late.stands([reply()], "03-20 17:00"),
        ["reply 1.1 kept, due 03-11 10:00", "reply 2.1 kept, due 03-18 14:00"],
        "a late fact counts in the cycle in which it happened"
    );
}

#[test]
fn what_still_runs_when_the_work_starts_anew_is_cancelled() {
    let waits = Rule { pauses: vec![suspended_for(Word::Customer)], ..reply() };
    let tale = Tale::of(BusinessType::Complaint, "10:00")
        .and("11:00", suspended(SuspendReason::Customer))
        .and("12:00", reopened());
    assert_eq!(
        tale.stands([waits], "13:00"),
        ["reply 1.1 cancelled, not due", "reply 2.1 running, due 03-11 12:00"],
        "a new cycle waits for nothing"
    );
    let late = Tale::fault(None, "10:00").and("11:00", reopened());
    assert_eq!(late.stands([arrival(45)], "12:00"), ["arrival 1.1 breached, due 10:45"]);
}

#[test]
fn what_happened_at_one_instant_happened_in_the_order_of_the_log() {
    let tale = Tale::of(BusinessType::Complaint, "10:00")
        .and("10:10", dispatched(NATION, ZJ))
        .and("10:10", dispatched(ZJ, HZ))
        .and("10:10", dispatched(HZ, YUHANG));
    let clock_history = tale.clock_history();
    assert_eq!(judge::holder(&clock_history.timeline(), at("10:10")).unwrap().as_str(), YUHANG);
    let again = tale.and("10:10", returned(YUHANG, HZ)).clock_history();
    assert_eq!(judge::holder(&again.timeline(), at("10:10")).unwrap().as_str(), HZ);
}

#[test]
fn a_ticket_that_is_taken_up_again_is_with_the_unit_that_received_it() {
    let tale = Tale::of(BusinessType::Complaint, "10:00")
        .and("10:10", dispatched(NATION, ZJ))
        .and("10:20", dispatched(ZJ, HZ))
        .and("12:00", reopened());
    let clock_history = tale.clock_history();
    let timeline = clock_history.timeline();
    let holder = |reading: &str| judge::holder(&timeline, at(reading)).unwrap().to_string();
    assert_eq!(holder("09:00"), NATION, "before anything happened");
    assert_eq!(holder("10:10"), ZJ);
    assert_eq!(holder("11:59:59"), HZ);
    assert_eq!(holder("12:00"), NATION);
    let national = Rule { start: vec![at_level(FactName::Reopened, Level::Nation)], ..reply() };
    assert_eq!(tale.stands([national], "12:30"), ["reply 2.1 running, due 03-11 12:00"]);
}

#[test]
fn an_opinion_that_became_a_complaint_is_judged_as_one_from_then_on() {
    let business = |business| When { business: vec![business], ..When::default() };
    let opinion = Rule { id: "N06".into(), when: business(BusinessType::Opinion), limit: days(9), ..reply() };
    let complaint = Rule {
        id: "N04".into(),
        when: business(BusinessType::Complaint),
        reset: vec![only(FactName::Escalated, Word::Complaint)],
        ..reply()
    };
    let rules = || [opinion.clone(), complaint.clone()];
    let tale = Tale::of(BusinessType::Opinion, "10:00");
    assert_eq!(tale.stands(rules(), "11:00"), ["N06 1.1 running, due 03-18 10:00"]);
    let became = tale.and("03-14 15:00", raised(Escalation::Complaint(Grade::Major)));
    assert_eq!(became.stands(rules(), "03-14 16:00"), ["N04 1.1 running, due 03-20 15:00"]);
    let replied_before = Tale::of(BusinessType::Opinion, "10:00")
        .and("03-06 10:00", replied(HZ, ReplyOutcome::Explained))
        .and("03-14 15:00", raised(Escalation::Complaint(Grade::Major)));
    assert_eq!(
        replied_before.stands(rules(), "03-14 16:00"),
        ["N06 1.1 kept, due 03-18 10:00"],
        "it was an opinion when it was answered"
    );
}

#[test]
fn two_alternatives_that_both_had_their_turn_are_two_laps() {
    // For an opinion a try was sufficient; for a complaint the customer must be reached.
    let contact = |id: &str, business, stop: Trigger| Rule {
        id: id.into(),
        when: When { business: vec![business], ..When::default() },
        stop: vec![stop],
        ..rule("contact", minutes(24 * 60), &[FactName::Received], &[])
    };
    let rules = [
        contact("tried", BusinessType::Opinion, on(FactName::Contacted)),
        contact("reached", BusinessType::Complaint, only(FactName::Contacted, Word::Reached)),
    ];
    let tale = Tale::of(BusinessType::Opinion, "10:00")
        .and("11:00", event::Contacted { outcome: crate::ticket::ContactOutcome::Unreachable, note: None })
        .and("12:00", raised(Escalation::Complaint(Grade::General)));
    assert_eq!(
        tale.stands(rules, "13:00"),
        ["tried 1.1 kept, due 03-06 10:00", "reached 1.2 running, due 03-06 10:00"],
        "no two clocks of a ticket bear one name"
    );
}

#[test]
fn a_clock_that_starts_with_the_call_is_judged_by_what_was_in_force_then() {
    // The call ended before the ticket was received, and a new policy took effect in between.
    let before = Rule { id: "before".into(), ..hung_up() };
    let after = Rule { id: "after".into(), limit: minutes(5), ..hung_up() };
    let tale = Tale::fault(None, "10:01").received_with(|e| e.hung_up_at = Some(at("09:59")));
    let mut registry = super::tale::registry([before]);
    let mut next = super::tale::policy([after]);
    next.effective_from = at("10:00");
    registry.take_policy(&crate::fact::PolicyFact { revision: 1, ..super::tale::published(3, next) });
    let mut tale = tale;
    tale.facts[0].position = 4;
    let clocks = judge::judge(&tale.clock_history(), &registry, at("10:02"));
    assert_eq!(clocks.iter().map(super::tale::line).collect::<Vec<_>>(), ["before 1.1 breached, due 10:01"]);
}

fn hung_up() -> Rule {
    let start = vec![super::tale::by(FactName::Received, crate::sla::clock_history::Reading::HungUp)];
    Rule { start, ..rule("dispatch", minutes(2), &[], &[FactName::Dispatched]) }
}

#[test]
fn a_repaired_fault_has_every_clock_of_its_trade() {
    let rules = [
        rule("dispatch", minutes(2), &[FactName::Received], &[FactName::Dispatched]),
        arrival(45),
        rule("repair", minutes(180), &[FactName::CrewArrived], &[FactName::CrewRestored]),
        rule("slip", minutes(30), &[FactName::CrewRestored], &[FactName::Replied]),
        rule("revisit", minutes(24 * 60), &[FactName::Replied], &[FactName::Revisited]),
    ];
    let tale = Tale::fault(None, "10:00")
        .and("10:01", classified(BusinessType::FaultRepair))
        .and("10:01:59", dispatched(NATION, HZ))
        .and("10:04", accepted(HZ))
        .and("10:05", dispatched(HZ, CREW))
        .and("10:06", crew_accepted(CREW))
        .late("10:44", "11:30", arrived(CREW))
        .late("13:45", "13:50", restored(CREW))
        .and("14:00", replied(CREW, ReplyOutcome::Resolved))
        .and("15:00", Event::from(passed(HZ)));
    assert_eq!(
        tale.stands(rules, "03-06 14:00:00.000001"),
        [
            "arrival 1.1 kept, due 10:45",
            "dispatch 1.1 kept, due 10:02",
            "repair 1.1 breached, due 13:44",
            "revisit 1.1 breached, due 03-06 14:00",
            "slip 1.1 kept, due 14:15",
        ]
    );
}

fn passed(by: &str) -> event::ReplyPassed {
    event::ReplyPassed { by: org(by), last: true, category: None }
}
