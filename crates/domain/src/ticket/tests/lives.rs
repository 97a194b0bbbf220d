//! Whole lives from receipt to archive: one for each business type on its legal path, and one for each level that
//! receives.

use super::{
    sample::*,
    story::{Story, clock, given},
};
use crate::ticket::{
    BusinessType, Command, Command::Accept, CrewProgress, Grade, ReplyOutcome, Satisfaction, Stage, Step,
};

/// The acting unit, its command, and the stage afterwards.
type Line = (&'static str, Command, Stage);

/// The first line of a life: the receipt.
fn called(business: BusinessType) -> Vec<Line> {
    vec![(NATION, receive(business).into(), Stage::Received)]
}

/// Dispatched down to a city, worked on, replied, and passed at each level on the way up.
fn worked_at_the_city(business: BusinessType, grade: Option<Grade>) -> Vec<Line> {
    let mut life = called(business);
    life.extend([
        (NATION, classify_as(business, grade), Stage::Classified),
        (NATION, dispatch(ZJ), Stage::Dispatched),
        (ZJ, Accept, Stage::Accepted),
        (ZJ, dispatch(HZ), Stage::Dispatched),
        (HZ, Accept, Stage::Accepted),
        (HZ, reply(ReplyOutcome::Explained), Stage::Replied),
        (ZJ, pass(), Stage::Replied),
    ]);
    life
}

fn with(mut life: Vec<Line>, end: &[Line]) -> Vec<Line> {
    life.extend_from_slice(end);
    life
}

fn life(business: BusinessType) -> Vec<Line> {
    let revisited_and_closed = [
        (NATION, pass(), Stage::AwaitingRevisit),
        (NATION, revisit(Satisfaction::Satisfied), Stage::ReadyToClose),
        (NATION, close(), Stage::Closed),
    ];
    let closed = [(NATION, pass(), Stage::ReadyToClose), (NATION, close(), Stage::Closed)];
    match business {
        BusinessType::InformationQuery => with(called(business), &[(NATION, close_at_first_contact(), Stage::Closed)]),
        BusinessType::Consultation | BusinessType::Opinion | BusinessType::Suggestion => {
            with(worked_at_the_city(business, None), &revisited_and_closed)
        }
        BusinessType::Complaint => with(worked_at_the_city(business, Some(Grade::Important)), &revisited_and_closed),
        BusinessType::Report | BusinessType::Praise => with(worked_at_the_city(business, None), &closed),
        BusinessType::FaultRepair => {
            let repair = [
                (NATION, classify(), Stage::Classified),
                (NATION, dispatch(HZ), Stage::Dispatched),
                (HZ, Accept, Stage::Accepted),
                (HZ, dispatch(CREW), Stage::Dispatched),
                (CREW, Accept, Stage::Accepted),
                (CREW, step(Step::EnRoute), Stage::Accepted),
                (CREW, step(Step::Arrived { area: None }), Stage::Accepted),
                (CREW, step(Step::Diagnosed { finding: text(), category: None }), Stage::Accepted),
                (CREW, step(Step::EtrSet { etr: clock(21, "11:00") }), Stage::Accepted),
                (CREW, step(Step::Restored), Stage::Accepted),
                (CREW, contact(), Stage::Accepted),
                (CREW, reply(ReplyOutcome::Resolved), Stage::Replied),
                (HZ, pass(), Stage::Replied),
            ];
            with(with(called(business), &repair), &revisited_and_closed)
        }
        BusinessType::ServiceApplication => {
            let visit = [
                (NATION, classify(), Stage::Classified),
                (NATION, dispatch(HZ), Stage::Dispatched),
                (HZ, Accept, Stage::Accepted),
                (HZ, extend(clock(25, "17:00")), Stage::Accepted),
                (HZ, dispatch(CREW), Stage::Dispatched),
                (CREW, step(Step::Arrived { area: None }), Stage::Accepted),
                (CREW, step(Step::Restored), Stage::Accepted),
                (CREW, reply(ReplyOutcome::Resolved), Stage::Replied),
            ];
            with(with(called(business), &visit), &revisited_and_closed)
        }
        BusinessType::Urge => {
            let pressed = [
                (NATION, classify(), Stage::Classified),
                (NATION, dispatch(CREW), Stage::Dispatched),
                (CREW, Accept, Stage::Accepted),
                (CREW, reply(ReplyOutcome::Explained), Stage::Replied),
            ];
            with(with(called(business), &pressed), &closed)
        }
    }
}

fn live(life: Vec<Line>) -> Story {
    life.into_iter()
        .fold(given([]), |story, (unit, command, stage)| story.by(unit).when(command).accepted().stands_at(stage))
}

#[test]
fn each_business_type_lives_from_received_to_closed() {
    for &business in BusinessType::ALL {
        let story = live(life(business));
        assert!(story.ticket().stage.is_ended(), "{business:?}");
        assert_eq!(story.ticket().business, business);
        assert_eq!(story.ticket().cycle, 1);
    }
}

#[test]
fn an_opinion_that_was_raised_to_a_complaint_lives_to_its_end_as_one() {
    let mut life = life(BusinessType::Opinion);
    let to = crate::ticket::Escalation::Complaint(Grade::General);
    life.insert(4, (ZJ, escalate(to), Stage::Accepted));
    assert_eq!(live(life).ticket().business, BusinessType::Complaint);
}

#[test]
fn a_fault_received_at_any_level_is_repaired_there_and_closed() {
    for unit in LADDER {
        let mut call = receive(BusinessType::FaultRepair);
        call.received_by = org(unit);
        let mut story = given([]).by(unit).when(call).accepted();
        for command in [classify(), dispatch(unit), Accept] {
            story = story.when(command).accepted();
        }
        if unit == CREW {
            assert_eq!(story.ticket().crew.progress(), CrewProgress::Accepted);
            story = story.when(step(Step::Restored)).accepted();
        }
        for command in [reply(ReplyOutcome::Resolved), pass(), revisit(Satisfaction::Neutral), close()] {
            story = story.when(command).accepted();
        }
        story.stands_at(Stage::Closed);
    }
}

#[test]
fn a_life_of_two_cycles_ends_with_an_explanation() {
    let mut lines = life(BusinessType::FaultRepair);
    lines.truncate(lines.len() - 2);
    lines.extend([
        (NATION, revisit(Satisfaction::Dissatisfied), Stage::ReadyToClose),
        (NATION, reopen(), Stage::Classified),
        (NATION, dispatch(HZ), Stage::Dispatched),
        (HZ, Accept, Stage::Accepted),
        (HZ, dispatch(CREW4), Stage::Dispatched),
        (CREW4, Accept, Stage::Accepted),
        (CREW4, step(Step::Restored), Stage::Accepted),
        (CREW4, reply(ReplyOutcome::Resolved), Stage::Replied),
        (NATION, pass(), Stage::AwaitingRevisit),
        (NATION, revisit(Satisfaction::Dissatisfied), Stage::ReadyToClose),
        (NATION, close_with_explanation(), Stage::Closed),
    ]);
    assert_eq!(live(lines).ticket().cycle, 2);
}
