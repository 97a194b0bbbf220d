//! Each indicator by example stories, and the definitions as published.

mod laws;
mod page;

use switchboard_domain::{
    organisation::Level,
    sla::{
        clock_history::{Change, FactName, Word},
        policy::Policy,
    },
    ticket::{
        BusinessType::{Complaint, Consultation, FaultRepair, Praise, ServiceApplication, Urge},
        Channel,
    },
};

use super::*;
use crate::story::{self, CITY, CREW, NATION, PROVINCE, Story, at};

/// A minute after the end of every story.
const LATER: i64 = 30 * 24 * 60;

fn indicator(name: &str) -> &'static Kpi {
    definitions().iter().find(|kpi| kpi.name == name).unwrap()
}

/// The contributions of a story to an indicator at the end: unit, minute, numerator, denominator.
fn shares(name: &str, story: Story) -> Vec<(String, i64, u64, u64)> {
    shares_by(name, story, LATER)
}

fn shares_by(name: &str, story: Story, minute: i64) -> Vec<(String, i64, u64, u64)> {
    shares_under(story::policy(), name, story, minute)
}

fn shares_under(policy: Policy, name: &str, story: Story, minute: i64) -> Vec<(String, i64, u64, u64)> {
    let clock_history = story.clock_history();
    let clocks = story::judged(&clock_history, policy, at(minute));
    let found = indicator(name).shares(&Case::new(&clock_history, &clocks));
    let shares = found.iter().map(|s| (s.unit.to_string(), (s.at - at(0)).num_minutes(), s.numerator, s.denominator));
    shares.collect()
}

fn share(unit: &str, minute: i64, numerator: u64) -> (String, i64, u64, u64) {
    (unit.to_owned(), minute, numerator, 1)
}

/// A complaint that the city accepted at minute 2.
fn complaint() -> Story {
    let received = Story::of(Complaint).to(1, FactName::Dispatched, PROVINCE).then(1, FactName::Accepted);
    received.to(2, FactName::Dispatched, CITY).then(2, FactName::Accepted)
}

/// That complaint, with its reply passed.
fn settled() -> Story {
    complaint().said(60, FactName::Replied, Word::Resolved).said(70, FactName::ReplyPassed, Word::Last)
}

#[test]
fn every_definition_can_be_read_in_both_languages() {
    let mut names = std::collections::BTreeSet::new();
    for kpi in definitions() {
        assert!(names.insert(kpi.name), "{}: defined twice", kpi.name);
        assert!(kpi.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{}", kpi.name);
        let texts = [kpi.title, kpi.numerator, kpi.period, kpi.attribution, kpi.source];
        let below = (kpi.denominator != Text { zh: "", en: "" }).then_some(kpi.denominator);
        assert_eq!(below.is_none(), kpi.unit == Unit::Count && !kpi.name.contains("_per_"), "{}", kpi.name);
        for text in texts.into_iter().chain(below).chain(kpi.missing()) {
            assert!(text.en.is_ascii() && !text.en.is_empty(), "{}: {}", kpi.name, text.en);
            assert!(!text.zh.is_ascii(), "{}: {}", kpi.name, text.zh);
        }
        assert!(kpi.exclusions_told(Language::English).is_ascii());
        assert!(!kpi.exclusions_told(Language::Chinese).is_ascii());
        assert_ne!(kpi.available(), kpi.missing().is_some());
    }
}

#[test]
fn what_is_left_out_is_told_in_order() {
    let exclusions = |name, language| indicator(name).exclusions_told(language);
    assert_eq!(exclusions("return_rate", Language::English), "withdrawn tickets");
    assert_eq!(
        exclusions("arrival_on_time_rate", Language::English),
        "withdrawn tickets; tickets merged into a master, which counts instead"
    );
    assert_eq!(exclusions("arrival_on_time_rate", Language::Chinese), "已撤销工单；已合并子单（计入主单）");
    assert_eq!(exclusions("answer_rate", Language::English), "nothing");
}

#[test]
fn an_indicator_without_data_says_why_and_counts_nothing() {
    let rate = indicator("answer_rate");
    assert!(!rate.available());
    assert_eq!(rate.missing().map(|why| why.tell(Language::English)), Some("telephony is not kept here"));
    let without: Vec<&str> = definitions().iter().filter(|kpi| !kpi.available()).map(|kpi| kpi.name).collect();
    for name in &without {
        assert_eq!(shares(name, settled().said(80, FactName::Revisited, Word::Satisfied)), []);
    }
    let counted = Tally::new(at(0), at(LATER), None, None).finish();
    assert!(counted.iter().all(|value| !without.contains(&value.name)));
    assert_eq!(counted.len() + without.len(), definitions().len());
}

#[test]
fn a_promise_counts_when_its_verdict_falls_for_whoever_could_have_kept_it() {
    let name = "dispatch_on_time_rate";
    let dispatched = |minute| Story::of(FaultRepair).to(minute, FactName::Dispatched, CITY);
    assert_eq!(shares(name, dispatched(1)), [share(NATION, 1, 1)], "kept by the one who dispatched");
    assert_eq!(shares(name, dispatched(2)), [share(NATION, 2, 1)], "due itself is in time");
    assert_eq!(shares(name, dispatched(3)), [share(NATION, 2, 0)]);
    assert_eq!(shares_by(name, Story::of(FaultRepair), 1), [], "it runs");
    assert_eq!(
        shares_by(name, Story::of(FaultRepair), 3),
        [share(NATION, 2, 0)],
        "past due it is breached, done or not"
    );
    assert_eq!(shares(name, dispatched(1).then(9, FactName::Withdrawn)), []);
}

#[test]
fn each_unit_that_gets_a_ticket_accepts_it_on_time_or_not() {
    let story = Story::of(FaultRepair).to(1, FactName::Dispatched, CITY).then(4, FactName::Accepted);
    let story = story.to(5, FactName::Dispatched, CREW).then(9, FactName::CrewAccepted);
    assert_eq!(shares("accept_on_time_rate", story), [share(CITY, 4, 1), share(CREW, 8, 0)]);
    let returned = Story::of(FaultRepair).to(1, FactName::Dispatched, CITY).to(3, FactName::Returned, NATION);
    assert_eq!(shares("accept_on_time_rate", returned), [share(CITY, 3, 1)], "a return in time is an answer too");
}

/// The story's policy with one clock renamed.
fn renamed(clock: &str, name: &str) -> Policy {
    let mut policy = story::policy();
    policy.rules.iter_mut().filter(|rule| rule.clock == clock).for_each(|rule| rule.clock = name.to_owned());
    policy
}

#[test]
fn a_province_accepts_on_time_by_the_clock_of_its_own() {
    let forwarded = |name| shares_under(renamed("crew_assignment", name), "accept_on_time_rate", complaint(), LATER);
    assert_eq!(forwarded("province_forward"), [share(PROVINCE, 1, 1), share(CITY, 2, 1)]);
    assert_eq!(forwarded("reply_province"), [], "an earlier limit that the province sets itself");
}

#[test]
fn every_clock_that_is_asked_for_is_in_the_policies_that_are_shipped() {
    let sgcc = include_str!("../../../../deploy/policies/sgcc.toml");
    let csg = include_str!("../../../../deploy/policies/csg.toml");
    let has = |policy: &str, clock: &str| policy.lines().any(|line| line == format!("clock = \"{clock}\""));
    for clock in measure::clocks::OVERDUE.iter().copied().flatten() {
        assert!(has(sgcc, clock), "{clock}");
    }
    for clock in ["dispatch", "contact", "arrival", "reply", "action"] {
        assert!(has(csg, clock), "{clock}");
    }
}

#[test]
fn arrival_contact_and_reply_count_by_their_own_clocks() {
    let arrived = |minute| Story::crewed().then(minute, FactName::CrewArrived);
    assert_eq!(shares("arrival_on_time_rate", arrived(40)), [share(CREW, 40, 1)]);
    assert_eq!(shares("arrival_on_time_rate", arrived(46)), [share(CREW, 45, 0)]);
    assert_eq!(shares("arrival_on_time_rate", Story::crewed()), [share(CREW, 45, 0)], "never visited");
    let child = Story::crewed().then(46, FactName::Merged);
    assert_eq!(shares("arrival_on_time_rate", child.clone()), [], "the master counts");
    assert_eq!(shares("arrival_on_time_rate", child.then(50, FactName::Unmerged)), [share(CREW, 45, 0)]);
    let reached = complaint().said(30, FactName::Contacted, Word::Reached);
    assert_eq!(shares("contact_on_time_rate", reached), [share(CITY, 30, 1)]);
    assert_eq!(shares("contact_on_time_rate", complaint()), [share(CITY, 24 * 60, 0)]);
    assert_eq!(shares("reply_on_time_rate", settled()), [share(CITY, 60, 1)]);
    // Four working days from a Friday: Thursday.
    assert_eq!(shares("reply_on_time_rate", complaint()), [share(CITY, 6 * 24 * 60, 0)]);
}

#[test]
fn a_promise_met_while_its_clock_waits_counts_when_it_was_met() {
    let waiting = Story::crewed().said(20, FactName::Suspended, Word::Customer).then(200, FactName::CrewArrived);
    assert_eq!(shares("arrival_on_time_rate", waiting), [share(CREW, 200, 1)]);
}

#[test]
fn a_contact_is_resolved_at_once_or_not() {
    let name = "first_contact_resolution_rate";
    let answered = || Story::of(Consultation).then(3, FactName::ClosedAtFirstContact);
    assert_eq!(shares(name, answered()), [share(NATION, 0, 1)]);
    assert_eq!(shares(name, settled()), [share(NATION, 0, 0)]);
    assert_eq!(shares(name, Story::of(Consultation)), [share(NATION, 0, 0)], "nothing was resolved yet");
    assert_eq!(shares(name, Story::of(Urge).then(3, FactName::ClosedAtFirstContact)), [], "another ticket's echo");
    assert_eq!(shares(name, answered().opened(|o| o.channel = Channel::Proactive)), [], "nobody called");
    assert_eq!(shares(name, Story::of(Consultation).then(3, FactName::Withdrawn)), []);
}

#[test]
fn a_revisit_is_due_once_the_work_is_passed_and_somebody_can_be_asked() {
    let name = "revisit_rate";
    let archived = |story: Story| story.then(90, FactName::Closed);
    assert_eq!(shares(name, settled()), [share(NATION, 70, 0)], "it is still to come");
    assert_eq!(shares(name, settled().said(80, FactName::RevisitAttempted, Word::Unreachable)), [share(NATION, 70, 1)]);
    let revisited = settled().said(80, FactName::Revisited, Word::Satisfied);
    assert_eq!(shares(name, archived(revisited.clone())), [share(NATION, 70, 1)]);
    assert_eq!(shares(name, archived(settled())), [], "it was archived without: nobody to ask");
    assert_eq!(shares(name, settled().opened(|o| o.anonymous = true)), []);
    assert_eq!(shares(name, settled().opened(|o| o.confidential = true)), []);
    assert_eq!(shares(name, complaint()), [], "the work is not done");
    assert_eq!(shares(name, complaint().said(70, FactName::ReplyPassed, Word::More)), [], "another audit is to come");
    assert_eq!(
        shares(name, Story::of(Praise).said(70, FactName::ReplyPassed, Word::Last)),
        [],
        "praise is not revisited"
    );
    let child = Story::crewed().then(20, FactName::Merged).then(80, FactName::MasterFollowed);
    let child = child.said(85, FactName::Revisited, Word::Satisfied);
    assert_eq!(shares(name, child), [share(NATION, 80, 1)], "a child keeps its own revisit");
    let again = revisited.then(100, FactName::Reopened).said(170, FactName::ReplyPassed, Word::Last);
    assert_eq!(shares(name, again), [share(NATION, 70, 1), share(NATION, 170, 0)], "each cycle has its own");
}

#[test]
fn a_revisit_reaches_the_customer_or_not_and_only_an_answer_is_an_evaluation() {
    for (word, reached, satisfied) in [
        (Word::VerySatisfied, 1, Some(1)),
        (Word::Satisfied, 1, Some(1)),
        (Word::Neutral, 1, Some(0)),
        (Word::Dissatisfied, 1, Some(0)),
        (Word::Refused, 1, None),
        (Word::NoAnswer, 0, None),
        (Word::Unreachable, 0, None),
    ] {
        let tried = settled().said(75, FactName::RevisitAttempted, Word::Unreachable);
        let story = tried.said(80, FactName::Revisited, word);
        assert_eq!(shares("revisit_success_rate", story.clone()), [share(NATION, 80, reached)], "{word:?}");
        let evaluated: Vec<_> = satisfied.map(|satisfied| share(CITY, 80, satisfied)).into_iter().collect();
        assert_eq!(shares("satisfaction_rate", story), evaluated, "{word:?}");
    }
    assert_eq!(shares("revisit_success_rate", settled()), [], "no revisit was done");
}

#[test]
fn a_hand_over_is_returned_or_kept() {
    let name = "return_rate";
    let twice = Story::of(Complaint).to(1, FactName::Dispatched, PROVINCE).to(5, FactName::Returned, NATION);
    let twice =
        twice.to(6, FactName::Dispatched, PROVINCE).then(7, FactName::Accepted).to(8, FactName::Dispatched, CITY);
    assert_eq!(shares(name, twice), [share(PROVINCE, 1, 1), share(PROVINCE, 6, 0), share(CITY, 8, 0)]);
    let moved = Story::crewed().to(9, FactName::Reassigned, "sgcc/zj/hz/yuhang");
    let moved = moved.to(12, FactName::Returned, CITY);
    let expected = [share(CITY, 1, 0), share(CREW, 2, 0), share("sgcc/zj/hz/yuhang", 9, 1)];
    assert_eq!(shares(name, moved), expected, "a reassignment takes nothing back");
    assert_eq!(shares(name, Story::of(Complaint)), []);
}

#[test]
fn a_crew_accepts_by_a_report_or_just_starts() {
    let name = "app_acceptance_rate";
    assert_eq!(shares(name, Story::crewed()), [share(CREW, 2, 1)]);
    let started = Story::of(FaultRepair).to(2, FactName::Dispatched, CREW).then(9, FactName::CrewEnRoute);
    assert_eq!(shares(name, started.clone()), [share(CREW, 2, 0)]);
    let other = "sgcc/zj/hz/yuhang/liangzhu/crew4";
    let moved = started.to(10, FactName::Reassigned, other).then(11, FactName::CrewAccepted);
    assert_eq!(shares(name, moved), [share(CREW, 2, 0), share(other, 10, 1)], "each crew for itself");
    let visit = Story::of(ServiceApplication).to(1, FactName::Dispatched, CREW).then(2, FactName::CrewAccepted);
    assert_eq!(shares(name, visit), [share(CREW, 1, 1)]);
    assert_eq!(shares(name, Story::of(Complaint).to(1, FactName::Dispatched, CREW)), [], "no work on site");
    assert_eq!(shares(name, Story::crewed().then(9, FactName::Merged)), []);
}

#[test]
fn an_urged_ticket_counts_once_for_the_unit_that_was_urged() {
    let name = "urge_rate";
    let urged =
        complaint().then(30, FactName::Urged).then(40, FactName::Urged).to(50, FactName::Reassigned, "sgcc/zj/nb");
    assert_eq!(shares(name, urged), [share(CITY, 1, 1)]);
    assert_eq!(shares(name, complaint()), [share(CITY, 1, 0)]);
    assert_eq!(shares(name, Story::of(Complaint)), [], "never dispatched");
    assert_eq!(
        shares(name, Story::of(Urge).to(1, FactName::Dispatched, CITY)),
        [],
        "an urge order is no work of its own"
    );
}

#[test]
fn an_overdue_ticket_counts_once_for_whoever_answers_for_its_first_breach() {
    let late_everywhere = Story::of(FaultRepair).to(3, FactName::Dispatched, CITY).then(9, FactName::Accepted);
    let late_on_site = Story::crewed().then(60, FactName::CrewArrived).to(70, FactName::Returned, CITY);
    let count = |unit: &str, minute| (unit.to_owned(), minute, 1, 0);
    assert_eq!(shares("overdue_rate", late_everywhere.clone()), [share(NATION, 3, 1)]);
    assert_eq!(shares("overdue_tickets", late_everywhere), [count(NATION, 2)]);
    assert_eq!(shares("overdue_rate", late_on_site.clone()), [share(CREW, 1, 1)]);
    assert_eq!(shares("overdue_tickets", late_on_site.clone()), [count(CREW, 45)]);
    assert_eq!(shares("overdue_tickets", late_on_site.clone().then(80, FactName::Withdrawn)), []);
    let in_time = Story::crewed().then(40, FactName::CrewArrived);
    assert_eq!(shares("overdue_rate", in_time.clone()), [share(CREW, 1, 0)]);
    assert_eq!(shares("overdue_tickets", in_time), []);
    let internal = shares_under(renamed("arrival", "arrival_crew"), "overdue_tickets", late_on_site, LATER);
    assert_eq!(internal, [], "an internal limit makes nobody overdue");
    let child = Story::crewed().then(60, FactName::Merged);
    assert_eq!(shares("overdue_rate", child.clone()), []);
    let again = child.then(70, FactName::MasterFollowed).then(80, FactName::Closed).then(100, FactName::Reopened);
    let again = again.to(101, FactName::Dispatched, CITY).then(110, FactName::Accepted);
    assert_eq!(shares("overdue_tickets", again), [count(CITY, 104)], "late in the cycle in which it stands on its own");
}

#[test]
fn a_merge_counts_while_it_stands() {
    let name = "merge_rate";
    let merged = Story::of(FaultRepair).then(1, FactName::Merged);
    assert_eq!(shares(name, merged.clone()), [share(NATION, 0, 1)], "merged before it was dispatched");
    assert_eq!(shares(name, merged.then(2, FactName::Unmerged)), [], "neither merged nor dispatched");
    assert_eq!(shares(name, Story::crewed()), [share(CREW, 0, 0)]);
    assert_eq!(shares(name, Story::crewed().then(5, FactName::Merged)), [share(CREW, 0, 1)]);
    assert_eq!(shares(name, complaint()), [], "complaints are not merged");
    assert_eq!(shares(name, Story::of(FaultRepair)), []);
}

#[test]
fn mean_times_are_taken_of_archived_repairs() {
    let seconds = |unit: &str, minute, minutes: u64| (unit.to_owned(), minute, 60 * minutes, 1);
    let repaired = || Story::crewed().then(30, FactName::CrewArrived).then(100, FactName::CrewRestored);
    let archived = repaired().then(200, FactName::Closed);
    assert_eq!(shares("mean_arrival_minutes", archived.clone()), [seconds(CREW, 200, 30)]);
    assert_eq!(shares("mean_restoration_minutes", archived.clone()), [seconds(CREW, 200, 70)]);
    assert_eq!(shares("mean_arrival_minutes", repaired()), [], "not archived");
    assert_eq!(shares("mean_restoration_minutes", repaired()), []);
    let again = archived.then(300, FactName::Reopened).to(310, FactName::Dispatched, CREW);
    let again = again.then(320, FactName::CrewArrived).then(325, FactName::CrewRestored).then(400, FactName::Closed);
    assert_eq!(shares("mean_arrival_minutes", again.clone()), [seconds(CREW, 200, 30)], "it was reported once");
    let both = [seconds(CREW, 200, 70), seconds(CREW, 400, 5)];
    assert_eq!(shares("mean_restoration_minutes", again), both, "it was repaired twice");
    let corrected = repaired().then(110, FactName::CrewRestored).then(40, FactName::CrewArrived);
    let corrected = corrected.then(200, FactName::Closed);
    assert_eq!(shares("mean_arrival_minutes", corrected.clone()), [seconds(CREW, 200, 30)], "the first arrival");
    assert_eq!(shares("mean_restoration_minutes", corrected), [seconds(CREW, 200, 80)], "the last restoration");
    let contradicted = Story::crewed().then(-5, FactName::CrewArrived).then(10, FactName::CrewArrived);
    let contradicted = contradicted.then(200, FactName::Closed);
    assert_eq!(shares("mean_arrival_minutes", contradicted), [seconds(CREW, 200, 10)], "no arrival before the report");
    let child = Story::crewed().then(30, FactName::CrewArrived).then(35, FactName::Merged);
    let child = child.then(50, FactName::MasterFollowed).then(60, FactName::Closed);
    assert_eq!(shares("mean_arrival_minutes", child), [], "the master counts");
    let visit = Story::of(ServiceApplication).to(1, FactName::Dispatched, CREW).then(9, FactName::CrewArrived);
    assert_eq!(shares("mean_arrival_minutes", visit.then(60, FactName::Closed)), [], "no repair");
}

/// Three repairs of two cities: arrivals after 30, 60 and 50 minutes, archived at minutes 100, 200 and 300.
fn three_repairs() -> Vec<Story> {
    let repair = |crew: &str, arrived, archived| {
        let story = Story::of(FaultRepair).to(1, FactName::Dispatched, crew).then(2, FactName::CrewAccepted);
        story.then(arrived, FactName::CrewArrived).then(archived, FactName::Closed)
    };
    vec![repair(CREW, 30, 100), repair(CREW, 60, 200), repair("sgcc/zj/nb/yinzhou/xiaying/crew1", 50, 300)]
}

fn tallied(mut tally: Tally) -> Vec<Value> {
    for story in three_repairs() {
        let clock_history = story.clock_history();
        tally.add(&clock_history, &story::judged(&clock_history, story::policy(), at(LATER)));
    }
    tally.finish()
}

#[test]
fn figures_are_given_for_the_period_the_unit_and_the_level_that_were_asked_for() {
    let only = |tally, name| -> Vec<_> {
        let row = |v: &Value| (v.unit.as_ref().map(ToString::to_string), v.numerator, v.denominator, v.value);
        tallied(tally).iter().filter(|value| value.name == name).map(row).collect()
    };
    let (arrival, mean) = ("arrival_on_time_rate", "mean_arrival_minutes");
    let all = || Tally::new(at(0), at(LATER), None, None);
    assert_eq!(only(all(), arrival), [(None, 1, 3, Some(100.0 / 3.0))]);
    assert_eq!(only(all(), mean), [(None, 140 * 60, 3, Some(140.0 / 3.0))]);
    assert_eq!(only(all(), "overdue_tickets"), [(None, 2, 0, Some(2.0))]);
    let period = Tally::new(at(100), at(200), None, None);
    assert_eq!(only(period.clone(), mean), [(None, 30 * 60, 1, Some(30.0))], "from is in, to is not");
    assert_eq!(only(period, arrival), [(None, 0, 0, None)], "no verdict fell then");
    let city = Tally::new(at(0), at(LATER), Some(story::unit(CITY)), None);
    assert_eq!(only(city, mean), [(None, 90 * 60, 2, Some(45.0))]);
    let by_city = Tally::new(at(0), at(LATER), None, Some(Level::City));
    let expected =
        [(Some(CITY.to_owned()), 90 * 60, 2, Some(45.0)), (Some("sgcc/zj/nb".to_owned()), 50 * 60, 1, Some(50.0))];
    assert_eq!(only(by_city.clone(), mean), expected);
    let dispatches: u64 = only(by_city, "dispatch_on_time_rate").iter().map(|row| row.2).sum();
    assert_eq!(dispatches, 0, "the nation dispatched, and is in no city");
    let by_nation = Tally::new(at(0), at(LATER), None, Some(Level::Nation));
    assert_eq!(only(by_nation, "dispatch_on_time_rate")[0].2, 3);
}

#[test]
fn a_tally_of_nothing_has_one_row_and_no_rate() {
    let nothing = Tally::new(at(0), at(1), None, None).finish();
    assert!(nothing.iter().all(|value| (value.numerator, value.denominator) == (0, 0)));
    for value in &nothing {
        let expected = (value.given_in == Unit::Count).then_some(0.0);
        assert_eq!(value.value, expected, "{}", value.name);
    }
    assert_eq!(Tally::new(at(0), at(1), None, Some(Level::City)).finish(), []);
}

#[test]
fn a_ticket_that_was_never_received_brings_nothing() {
    let mut clock_history =
        Story::of(FaultRepair).then(5, FactName::Urged).to(6, FactName::Dispatched, CREW).clock_history();
    clock_history.events.remove(0);
    clock_history.events[0].change = Change::None;
    let case = Case::new(&clock_history, &[]);
    assert!(definitions().iter().all(|kpi| kpi.shares(&case).is_empty()));
}
