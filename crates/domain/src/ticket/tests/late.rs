//! Late reports of crews: from a device without signal, after the ticket moved on or its work was done. The device's
//! time places a report in the stint that it belongs to.

use chrono::TimeDelta;

use super::{
    sample::*,
    story::{Story, clock, given},
};
use crate::ticket::{
    BusinessType,
    Command::Accept,
    CrewProgress, Event, Rejection, ReplyOutcome, Satisfaction, Stage, Step,
    state::{CrewWork, FORMER_MAX},
};

fn arrival() -> crate::ticket::Command {
    step(Step::Arrived { area: None })
}

/// A fault that moved from one crew to another, which is on its way.
fn moved_on() -> Story {
    let story = given(taken_by_a_crew()).by(LIANGZHU).when(reassign(CREW4)).accepted();
    story.by(CREW4).when(step(Step::EnRoute)).accepted().by(CREW)
}

fn sheet<'s>(story: &'s Story, crew: &str) -> &'s CrewWork {
    let former = story.ticket().former.iter().find(|former| former.crew.as_str() == crew);
    &former.expect("a crew that had it").work
}

#[test]
fn a_former_crews_late_step_stays_with_that_crew_at_its_devices_time() {
    let story = moved_on();
    let (then, present) = (clock(21, "09:07"), story.ticket().crew.clone());
    let story = story.by_the_device_at(then).when(arrival()).then([arrived(CREW)]);
    assert_eq!(sheet(&story, CREW).arrived, Some(then));
    assert_eq!(story.ticket().crew, present, "the crew that has it now is where it was");
    assert_eq!(story.ticket().holder(), Some(&org(CREW4)));
    let why = Rejection::AlreadyReported { step: CrewProgress::Arrived, at: then };
    story.by_the_device_at(then).when(arrival()).refused(why);
}

#[test]
fn a_former_crews_step_does_not_take_a_ticket_that_waits_for_another() {
    let story = given(taken_by_a_crew()).by(LIANGZHU).when(reassign(CREW4)).accepted();
    let story = story.by(CREW).when(step(Step::Restored)).accepted().stands_at(Stage::Dispatched);
    assert_eq!(story.ticket().crew.restored, None);
    story.by(CREW4).when(Accept).accepted().when(reply(ReplyOutcome::Resolved)).refused(Rejection::NotRestored);
}

#[test]
fn a_late_step_is_taken_after_the_reply_the_closing_and_the_withdrawal() {
    let done = || moved_on().by(CREW4).when(step(Step::Restored)).accepted().when(reply(ReplyOutcome::Resolved));
    let replied = done().accepted().stands_at(Stage::Replied);
    let asked = replied.clone().and(passed_for_good(NATION)).and(revisited(Satisfaction::Satisfied));
    let closed = asked.by(NATION).when(close()).accepted().stands_at(Stage::Closed);
    let withdrawn = moved_on().by(NATION).when(withdraw()).accepted().stands_at(Stage::Withdrawn);
    for story in [replied, closed, withdrawn] {
        let stage = story.ticket().stage;
        let story = story.by(CREW).when(arrival()).then([arrived(CREW)]).stands_at(stage);
        // The crew that holds the ticket was offline, too.
        let story = story.by(CREW4).when(arrival()).then([arrived(CREW4)]).stands_at(stage);
        assert!(story.ticket().crew.arrived.is_some() && sheet(&story, CREW).arrived.is_some());
    }
}

#[test]
fn a_crew_reports_also_while_the_work_waits() {
    let suspended = given(taken_by_a_crew()).by(LIANGZHU).when(suspend()).accepted();
    let story = suspended.by(CREW).when(arrival()).then([arrived(CREW)]);
    assert!(story.ticket().suspended.is_some());
    let merged = given(given_to_a_crew()).by(HZ).when(merge(ticket_id(2))).accepted();
    let story = merged.by(CREW).when(arrival()).then([arrived(CREW)]);
    assert!(story.ticket().is_child());
}

#[test]
fn a_crew_that_never_had_the_ticket_reports_nothing() {
    let why = |holder| Rejection::NotTheHolder { holder: org(holder), actor: org(CREW5) };
    moved_on().by(CREW5).when(arrival()).refused(why(CREW4));
    let nobody = given(taken_by_a_crew()).by(LIANGZHU).when(recall()).accepted();
    nobody.by(CREW5).when(arrival()).refused(why(LIANGZHU));
    given(at_the_station()).by(CREW5).when(arrival()).illegal();
}

#[test]
fn a_desk_reports_for_the_crew_that_has_the_ticket_and_for_no_other() {
    let story = moved_on().by(LIANGZHU).when(arrival()).then([arrived(CREW4)]);
    assert!(story.ticket().crew.arrived.is_some() && sheet(&story, CREW).arrived.is_none());
    let nobody = given(taken_by_a_crew()).by(LIANGZHU).when(recall()).accepted();
    nobody.when(arrival()).refused(Rejection::NotTheHolder { holder: org(LIANGZHU), actor: org(LIANGZHU) });
}

#[test]
fn a_crew_that_has_it_again_reports_late_what_it_did_before() {
    let facts = [reassigned(CREW, LIANGZHU), offered(2, CREW)];
    let story = facts.into_iter().fold(given(taken_by_a_crew()).at(clock(21, "10:00")), Story::and).by(CREW);
    let story = story.at(clock(21, "10:30")).when(accept_offer(2)).accepted();
    let before = clock(21, "09:50");
    let story = story.by_the_device_at(before).when(arrival()).then([arrived(CREW)]);
    assert_eq!((story.ticket().crew.arrived, sheet(&story, CREW).arrived), (None, Some(before)));
    let why = Rejection::AlreadyReported { step: CrewProgress::Arrived, at: before };
    let story = story.by_the_device_at(before).when(arrival()).refused(why);
    let story = story.when(arrival()).then([arrived(CREW)]);
    assert!(story.ticket().crew.arrived.is_some_and(|at| at > clock(21, "10:30")));
    assert_eq!(sheet(&story, CREW).arrived, Some(before));
}

#[test]
fn what_a_crew_did_between_its_stints_counts_for_the_one_that_it_has() {
    let story = given(taken_by_a_crew()).at(clock(21, "10:00")).and(reassigned(CREW, LIANGZHU));
    let story = story.at(clock(21, "10:30")).and(dispatched(LIANGZHU, CREW)).by(CREW);
    let on_the_way = clock(21, "10:10");
    let story = story.by_the_device_at(on_the_way).when(arrival()).accepted().stands_at(Stage::Accepted);
    assert_eq!(story.ticket().crew.arrived, Some(on_the_way));
}

#[test]
fn a_crew_with_a_slow_clock_takes_the_ticket_that_it_has_again() {
    let story = given(taken_by_a_crew()).at(clock(21, "10:00")).and(reassigned(CREW, LIANGZHU));
    let story = story.and(dispatched(LIANGZHU, CREW)).by(CREW);
    let slow = story.now - TimeDelta::minutes(5);
    let story = story.by_the_device_at(slow).when(Accept).then([crew_accepted(CREW)]).stands_at(Stage::Accepted);
    assert_eq!(story.ticket().crew.accepted, Some(slow));
}

#[test]
fn a_late_acceptance_takes_no_ticket_that_is_work_on_site_no_more() {
    // The crew reported its departure without an acceptance; the departure implies it.
    let story = given(given_to_a_crew()).by(CREW).when(step(Step::EnRoute)).accepted();
    let elsewhere = [reassigned(CREW, LIANGZHU), classified(BusinessType::Report), dispatched(LIANGZHU, CREW)];
    let story = elsewhere.into_iter().fold(story, Story::and);
    let story = story.when(step(Step::Accepted)).then([crew_accepted(CREW)]).stands_at(Stage::Dispatched);
    assert!(sheet(&story, CREW).accepted.is_some());
}

#[test]
fn a_restoration_of_the_cycle_before_restores_nothing_in_this_one() {
    let mut facts = repaired();
    facts.extend([passed_for_good(NATION), revisited(Satisfaction::Dissatisfied)]);
    let story = given(facts).at(clock(21, "11:00")).when(reopen()).accepted();
    let back: [Event; 2] = [dispatched(NATION, HZ), dispatched(HZ, CREW)];
    let story = back.into_iter().fold(story, Story::and).by(CREW).when(Accept).accepted();
    let then = sheet(&story, CREW).restored.expect("it was restored in the first cycle");
    let why = Rejection::AlreadyReported { step: CrewProgress::Restored, at: then };
    let story = story.by_the_device_at(then).when(step(Step::Restored)).refused(why);
    // A crew that lost the ticket long before the reopening did nothing in this cycle either.
    let story = story.by_the_device_at(clock(21, "10:00")).when(step(Step::EnRoute)).accepted();
    assert_eq!((story.ticket().crew.en_route, story.ticket().crew.restored), (None, None));
    let story = story.when(reply(ReplyOutcome::Resolved)).refused(Rejection::NotRestored);
    story.when(step(Step::Restored)).accepted().when(reply(ReplyOutcome::Resolved)).accepted();
}

#[test]
fn so_many_former_crews_are_remembered_and_the_longest_gone_is_forgotten() {
    let crew = |n: usize| format!("{LIANGZHU}/c{n}");
    let mut story = given(at_the_station());
    for n in 0..=FORMER_MAX {
        story = story.and(dispatched(LIANGZHU, &crew(n))).and(reassigned(&crew(n), LIANGZHU));
    }
    assert_eq!(story.ticket().former.len(), FORMER_MAX);
    let why = Rejection::NotTheHolder { holder: org(LIANGZHU), actor: org(&crew(0)) };
    let story = story.by(&crew(0)).when(arrival()).refused(why);
    story.by(&crew(1)).when(arrival()).then([arrived(&crew(1))]);
}
