//! Moves beside the work: urge, supervise, escalate, suspend, extend, reveal.

use chrono::TimeDelta;

use super::{
    sample::*,
    story::{clock, given},
};
use crate::{
    actor::Role,
    ticket::{
        BusinessType, Command, Escalation, Event, Grade, Move, Rejection, ReplyOutcome, Stage, SuspendReason, Urgency,
        event,
    },
};

fn urged(count: u16) -> Event {
    event::Urged { count, reason: text() }.into()
}

fn suspended() -> Event {
    event::Suspended { reason: SuspendReason::Weather, until: None, note: None }.into()
}

#[test]
fn a_customer_presses_at_least_five_minutes_apart() {
    let spacing = TimeDelta::minutes(5);
    given(in_work(BusinessType::FaultRepair))
        .at(clock(21, "10:00"))
        .when(urge())
        .then([urged(1)])
        .at(clock(21, "10:04"))
        .when(urge())
        .refused(Rejection::TooSoon { what: Move::Urge, spacing, next: clock(21, "10:05") })
        .at(clock(21, "10:05"))
        .when(urge())
        .then([urged(2)]);
}

#[test]
fn all_but_a_fault_are_urged_twice_at_most() {
    for business in [BusinessType::Complaint, BusinessType::FaultRepair] {
        let mut story = given(in_work(business));
        for count in 1..=2 {
            story =
                story.at(clock(20 + u32::from(count), "10:00") + TimeDelta::days(2)).when(urge()).then([urged(count)]);
        }
        let third = story.at(clock(25, "10:00")).when(urge());
        if business == BusinessType::FaultRepair {
            third.then([urged(3)]);
        } else {
            third.refused(Rejection::Exhausted { what: Move::Urge, max: 2 });
        }
    }
}

#[test]
fn there_is_nothing_to_press_for_before_dispatch_or_after_the_audit() {
    given(ready_to_dispatch(BusinessType::Complaint)).when(urge()).illegal();
    given(awaiting_revisit()).when(urge()).illegal();
}

#[test]
fn a_unit_above_or_the_holder_itself_puts_a_ticket_under_supervision() {
    for unit in [NATION, ZJ, HZ] {
        let demanded: Event = event::Supervised { by: org(unit), demand: text() }.into();
        let story = given(in_work(BusinessType::Complaint)).by(unit).when(supervise()).then([demanded]);
        assert!(story.ticket().supervised);
    }
    for unit in [YUHANG, NB] {
        let why = Rejection::NotAbove { holder: org(HZ), actor: org(unit) };
        given(in_work(BusinessType::Complaint)).by(unit).when(supervise()).refused(why);
    }
}

#[test]
fn an_opinion_becomes_a_complaint() {
    let to = Escalation::Complaint(Grade::Important);
    let story = given(in_work(BusinessType::Opinion)).when(escalate(to));
    let story = story.then([event::Escalated { to, reason: text() }.into()]).stands_at(Stage::Accepted);
    assert_eq!(story.ticket().business, BusinessType::Complaint);
    assert_eq!(story.ticket().grade, Some(Grade::Important));
}

#[test]
fn nothing_but_an_opinion_becomes_a_complaint_and_nothing_but_a_complaint_has_a_grade_to_raise() {
    for &business in BusinessType::ALL {
        let not = Rejection::NotEscalable { business };
        let story = given([received(business)]);
        if business != BusinessType::Opinion {
            story.clone().when(escalate(Escalation::Complaint(Grade::General))).refused(not.clone());
        }
        if business != BusinessType::Complaint {
            story.when(escalate(Escalation::Grade(Grade::Special))).refused(not);
        }
    }
}

#[test]
fn a_grade_only_rises() {
    let story = given(in_work(BusinessType::Complaint));
    let grade = |grade| escalate(Escalation::Grade(grade));
    let story = story.when(grade(Grade::General)).refused(Rejection::NotHigher { current: Grade::General });
    let story = story.when(grade(Grade::Major)).accepted();
    let story = story.when(grade(Grade::Important)).refused(Rejection::NotHigher { current: Grade::Major });
    assert_eq!(story.ticket().grade, Some(Grade::Major));
}

#[test]
fn a_ticket_becomes_urgent_once() {
    let story = given(in_work(BusinessType::FaultRepair)).when(escalate(Escalation::Urgent)).accepted();
    assert_eq!(story.ticket().urgency, Urgency::Urgent);
    story.when(escalate(Escalation::Urgent)).refused(Rejection::AlreadyUrgent);
}

#[test]
fn a_suspended_ticket_waits_until_it_is_resumed() {
    let story = given(in_work(BusinessType::FaultRepair)).by(HZ).when(Command::Suspend {
        reason: SuspendReason::Weather,
        until: None,
        note: None,
    });
    let story = story.then([suspended()]).stands_at(Stage::Accepted);
    for work in [
        dispatch(CREW),
        reassign(NB),
        reply(ReplyOutcome::Explained),
        suspend(),
        extend(clock(30, "09:00")),
        merge(ticket_id(2)),
    ] {
        story.clone().when(work).illegal();
    }
    for beside in [contact(), urge(), supplement(), escalate(Escalation::Urgent), supervise(), withdraw()] {
        story.clone().when(beside).accepted();
    }
    let story = story.when(Command::Resume).then([event::Resumed {}.into()]);
    story.when(Command::Resume).illegal().when(reply(ReplyOutcome::Explained)).accepted();
}

#[test]
fn only_what_is_in_work_can_wait() {
    given(ready_to_dispatch(BusinessType::Complaint)).when(suspend()).illegal();
    given(repaired()).when(suspend()).illegal();
}

#[test]
fn an_extension_reaches_beyond_the_present_one() {
    let (monday, tuesday) = (clock(23, "17:00"), clock(24, "17:00"));
    let story = given(in_work(BusinessType::Complaint)).when(extend(monday));
    let story = story.then([event::Extended { until: monday, reason: text() }.into()]);
    let story = story.when(extend(monday)).refused(Rejection::NotLater { current: monday });
    let story = story.when(extend(tuesday)).accepted();
    story.when(extend(monday)).refused(Rejection::NotLater { current: tuesday });
}

#[test]
fn showing_personal_data_is_a_fact_at_any_stage() {
    let shown: Event = event::PersonalRevealed { purpose: "to call back".into() }.into();
    for facts in [in_work(BusinessType::Complaint), repaired(), awaiting_revisit()] {
        given(facts).when(reveal()).then([shown.clone()]);
    }
}

#[test]
fn who_complained_in_confidence_is_shown_to_inspectors_alone() {
    for role in Role::ALL {
        let asked = given(in_work(BusinessType::Report)).acting_as(role).when(reveal());
        if role == Role::Inspector {
            asked.accepted();
        } else {
            asked.refused(Rejection::Confidential);
        }
    }
}
