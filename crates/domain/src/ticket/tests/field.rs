//! Accepting, returning, reassigning, crew progress, contact, reply.
use chrono::TimeDelta;

use super::{
    sample::*,
    story::{Story, clock, given},
};
use crate::{
    Problem, Violation,
    ticket::{
        Area, BusinessType, Command::Accept, ContactOutcome, CrewProgress, Event, Rejection, ReplyOutcome, Stage, Step,
        event,
    },
};

fn diagnosis() -> Step {
    Step::Diagnosed { finding: text(), category: Some(category()) }
}

/// A fault that its crew has accepted.
fn crew_at_work() -> Story {
    given(given_to_a_crew()).by(CREW).when(Accept).accepted()
}

#[test]
fn a_holder_accepts_what_was_dispatched_to_it() {
    given(ready_to_dispatch(BusinessType::Complaint))
        .and(dispatched(NATION, ZJ))
        .by(ZJ)
        .when(Accept)
        .then([accepted(ZJ)])
        .stands_at(Stage::Accepted)
        .when(Accept)
        .illegal();
}

#[test]
fn a_unit_above_or_within_the_holder_stands_for_it_and_a_neighbour_does_not() {
    let sent = || given(ready_to_dispatch(BusinessType::FaultRepair)).and(dispatched(NATION, HZ));
    for unit in [NATION, ZJ, HZ, YUHANG] {
        sent().by(unit).when(Accept).then([accepted(HZ)]);
    }
    for unit in [NB, SD] {
        let why = Rejection::NotTheHolder { holder: org(HZ), actor: org(unit) };
        let story = sent().by(unit).when(Accept).refused(why.clone());
        story.when(give_back()).refused(why);
    }
}

#[test]
fn a_return_goes_back_exactly_one_level() {
    let story = given(in_work(BusinessType::Complaint)).and(dispatched(HZ, YUHANG)).by(YUHANG);
    let story = story.when(give_back()).then([returned(YUHANG, HZ)]).stands_at(Stage::Accepted);
    assert_eq!(story.ticket().holder(), Some(&org(HZ)));
    story.by(HZ).when(dispatch(LIANGZHU)).accepted();
}

#[test]
fn a_ticket_returned_to_the_unit_that_received_it_can_be_classified_anew() {
    let story = given(ready_to_dispatch(BusinessType::Complaint)).and(dispatched(NATION, ZJ)).by(ZJ);
    let story = story.when(give_back()).then([returned(ZJ, NATION)]).stands_at(Stage::Classified);
    story.when(classify_as(BusinessType::Opinion, None)).accepted();
}

#[test]
fn what_was_accepted_cannot_be_returned() {
    given(in_work(BusinessType::Complaint)).by(HZ).when(give_back()).illegal();
    crew_at_work().when(give_back()).illegal();
}

#[test]
fn a_crew_returns_a_job_before_it_gives_a_sign_of_work_and_leaves_no_trace_on_the_next() {
    let story = given(given_to_a_crew()).by(CREW).when(give_back()).then([returned(CREW, HZ)]);
    assert_eq!(story.ticket().crew.progress(), CrewProgress::None);
}

#[test]
fn work_is_moved_between_units_by_one_who_stands_above_both() {
    let story = given(in_work(BusinessType::Complaint));
    let moved = story.clone().by(ZJ).when(reassign(NB)).then([reassigned(HZ, NB)]).stands_at(Stage::Dispatched);
    assert_eq!(moved.ticket().holders, [org(NATION), org(ZJ), org(NB)]);
    for unit in [HZ, NB, SD] {
        let why = Rejection::NotCommonParent { actor: org(unit) };
        story.clone().by(unit).when(reassign(NB)).refused(why);
    }
    let inward = story.by(HZ).when(reassign(YUHANG)).accepted();
    assert_eq!(inward.ticket().holders, [org(NATION), org(ZJ), org(YUHANG)], "the city gave it out of its hands");
}

#[test]
fn a_ticket_cannot_be_reassigned_to_its_holder() {
    let why = Rejection::AlreadyHeld { holder: org(HZ) };
    given(in_work(BusinessType::Complaint)).by(ZJ).when(reassign(HZ)).refused(why);
}

#[test]
fn units_that_do_not_stand_above_the_new_holder_answer_for_it_no_more() {
    let story = given(in_work(BusinessType::FaultRepair)).and(dispatched(HZ, YUHANG)).by(NATION);
    let story = story.when(reassign(NB)).then([reassigned(YUHANG, NB)]);
    assert_eq!(story.ticket().holders, [org(NATION), org(NB)], "another city's desk has no part in it");
    let story = story.by(NB).when(give_back()).then([returned(NB, NATION)]);
    story.stands_at(Stage::Classified);
}

#[test]
fn the_unit_that_received_a_ticket_answers_for_it_wherever_it_goes() {
    let facts = [received_at(ZJ, BusinessType::FaultRepair), classified(BusinessType::FaultRepair)];
    let story = given(facts).and(dispatched(ZJ, HZ)).by(NATION).when(reassign("sgcc/sd/jn")).accepted();
    assert_eq!(story.ticket().holders, [org(ZJ), org("sgcc/sd/jn")]);
}

#[test]
fn reassigning_back_and_forth_does_not_lengthen_the_chain() {
    let mut story = given(in_work(BusinessType::FaultRepair)).by(NATION);
    for _ in 0..10 {
        story = story.when(reassign(NATION)).accepted().when(Accept).accepted().when(dispatch(HZ)).accepted();
    }
    assert_eq!(story.ticket().holders, [org(NATION), org(NATION), org(HZ)]);
}

#[test]
fn a_new_crew_starts_with_a_clean_sheet() {
    let story = crew_at_work().when(step(Step::EnRoute)).accepted();
    let story = story.by(LIANGZHU).when(reassign(CREW4)).then([reassigned(CREW, CREW4)]);
    assert_eq!(story.ticket().crew.progress(), CrewProgress::Assigned);
    let why = Rejection::NotTheHolder { holder: org(CREW4), actor: org(CREW5) };
    story.by(CREW5).when(step(Step::EnRoute)).refused(why);
}

#[test]
fn a_crew_reports_every_step_of_its_work() {
    let etr = clock(21, "12:00");
    let finding: Event = event::CrewDiagnosed { crew: org(CREW), finding: text(), category: Some(category()) }.into();
    let on_site: Event = event::CrewArrived { crew: org(CREW), area: Some(Area::Rural) }.into();
    let story = given(given_to_a_crew()).by(CREW);
    assert_eq!(story.ticket().crew.progress(), CrewProgress::Assigned);
    let story = story
        .when(Accept)
        .then([crew_accepted(CREW)])
        .stands_at(Stage::Accepted)
        .when(step(Step::EnRoute))
        .then([en_route(CREW)])
        .when(step(Step::Arrived { area: Some(Area::Rural) }))
        .then([on_site])
        .when(step(diagnosis()))
        .then([finding])
        .when(step(Step::EtrSet { etr }))
        .then([event::EtrSet { crew: org(CREW), etr }.into()])
        .when(step(Step::Restored))
        .then([restored(CREW)]);
    assert_eq!(story.ticket().crew.progress(), CrewProgress::Restored);
    assert_eq!(story.ticket().crew.etr, Some(etr));
    story.stands_at(Stage::Accepted);
}

#[test]
fn a_first_sign_of_work_also_accepts_the_job() {
    let story = given(given_to_a_crew()).by(CREW).when(step(Step::Arrived { area: None })).accepted();
    story.stands_at(Stage::Accepted).when(Accept).illegal();
}

#[test]
fn a_skipped_step_may_come_late_and_counts_when_it_happened() {
    let story = crew_at_work().when(step(Step::Restored)).accepted();
    let then = clock(21, "08:58") + TimeDelta::minutes(9);
    let story = story.by_the_device_at(then).when(step(Step::Arrived { area: None })).then([arrived(CREW)]);
    assert_eq!(story.ticket().crew.arrived, Some(then));
    assert_eq!(story.ticket().crew.progress(), CrewProgress::Restored, "the furthest step stands");
}

#[test]
fn each_step_counts_once() {
    for (step_taken, progress) in [
        (Step::Accepted, CrewProgress::Accepted),
        (Step::EnRoute, CrewProgress::EnRoute),
        (Step::Arrived { area: None }, CrewProgress::Arrived),
        (Step::Restored, CrewProgress::Restored),
    ] {
        let story = given(given_to_a_crew()).by(CREW);
        let at = story.now;
        let story = story.when(step(step_taken.clone())).accepted();
        story.when(step(step_taken)).refused(Rejection::AlreadyReported { step: progress, at });
    }
}

#[test]
fn a_diagnosis_and_an_estimate_may_be_corrected() {
    let first = step(Step::EtrSet { etr: clock(21, "12:00") });
    let later = step(Step::EtrSet { etr: clock(21, "15:00") });
    let story = crew_at_work().when(first).accepted().when(later).accepted();
    assert_eq!(story.ticket().crew.etr, Some(clock(21, "15:00")));
    story.when(step(diagnosis())).accepted().when(step(diagnosis())).accepted();
}

#[test]
fn an_estimate_lies_ahead_of_the_step_that_names_it_however_late_that_comes() {
    let etr = clock(21, "12:00");
    let estimate = || step(Step::EtrSet { etr });
    let past = || [Violation { field: "etr", problem: Problem::InThePast }];
    crew_at_work().at(etr).when(estimate()).invalid(past());
    let late = crew_at_work().at(clock(21, "18:00"));
    late.clone().by_the_device_at(clock(21, "12:01")).when(estimate()).invalid(past());
    let said = late.by_the_device_at(clock(21, "11:30")).when(estimate()).accepted();
    assert_eq!(said.ticket().crew.etr, Some(etr));
}

#[test]
fn only_a_crew_reports_steps_and_only_of_field_work() {
    given(in_work(BusinessType::FaultRepair)).by(HZ).when(step(Step::EnRoute)).illegal();
    given(in_work(BusinessType::Complaint))
        .and(dispatched(HZ, CREW))
        .by(CREW)
        .when(step(Step::EnRoute))
        .illegal()
        .when(Accept)
        .then([accepted(CREW)]);
}

#[test]
fn a_handler_speaks_with_the_customer_while_it_works() {
    let spoke: Event = event::Contacted { outcome: ContactOutcome::Reached, note: None }.into();
    given(in_work(BusinessType::Complaint)).when(contact()).then([spoke]);
    given(repaired()).when(contact()).illegal();
}

#[test]
fn nobody_contacts_one_who_complained_in_confidence() {
    given(in_work(BusinessType::Report)).when(contact()).illegal();
}

#[test]
fn a_holder_replies_and_the_category_is_confirmed() {
    let story = given(in_work(BusinessType::Complaint)).by(HZ).when(reply(ReplyOutcome::Explained));
    let story = story.then([replied(HZ, ReplyOutcome::Explained)]).stands_at(Stage::Replied);
    assert_eq!(story.ticket().confirmed_category, Some(category()));
    assert_eq!(story.ticket().audited_category, None);
}

#[test]
fn one_who_does_not_hold_the_ticket_does_not_reply() {
    let why = Rejection::NotTheHolder { holder: org(HZ), actor: org(NB) };
    given(in_work(BusinessType::Complaint)).by(NB).when(reply(ReplyOutcome::Resolved)).refused(why);
}

#[test]
fn what_was_not_accepted_cannot_be_replied() {
    given(ready_to_dispatch(BusinessType::Complaint))
        .and(dispatched(NATION, ZJ))
        .by(ZJ)
        .when(reply(ReplyOutcome::Resolved))
        .illegal();
}

#[test]
fn a_crew_cannot_call_a_fault_resolved_before_power_is_back() {
    let story = crew_at_work().when(reply(ReplyOutcome::Resolved)).refused(Rejection::NotRestored);
    story.clone().when(reply(ReplyOutcome::NotOurs)).accepted();
    let story = story.when(step(Step::Restored)).accepted();
    story.when(reply(ReplyOutcome::Resolved)).then([replied(CREW, ReplyOutcome::Resolved)]);
}
