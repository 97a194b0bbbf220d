//! Audit of the reply, revisit, reopening, closing.

use super::{
    sample::*,
    story::{Story, clock, given},
};
use crate::ticket::{
    BusinessType, Category, Command, Event, Move, Rejection, ReplyOutcome, RevisitMethod, Satisfaction, Stage, Step,
    command::Verdict, event,
};

/// A complaint replied by a county: the chain is nation, province, city, county.
fn answered_complaint() -> Story {
    let mut facts = in_work(BusinessType::Complaint);
    facts.extend([dispatched(HZ, YUHANG), accepted(YUHANG), replied(YUHANG, ReplyOutcome::Explained)]);
    given(facts)
}

/// A fault whose reply passed, at this time on the 21st.
fn to_be_revisited(time: &str) -> Story {
    given(awaiting_revisit()).at(clock(21, time))
}

fn dissatisfied() -> Story {
    to_be_revisited("10:00").when(revisit(Satisfaction::Dissatisfied)).accepted()
}

fn tried(attempt: u16, method: RevisitMethod, outcome: Satisfaction) -> Event {
    event::RevisitAttempted { method, outcome, attempt }.into()
}

#[test]
fn the_audit_climbs_the_chain_to_the_unit_that_received_the_ticket() {
    answered_complaint()
        .by(HZ)
        .when(pass())
        .then([passed_on(HZ)])
        .stands_at(Stage::Replied)
        .by(ZJ)
        .when(pass())
        .then([passed_on(ZJ)])
        .by(NATION)
        .when(pass())
        .then([passed_for_good(NATION)])
        .stands_at(Stage::AwaitingRevisit);
}

#[test]
fn nobody_audits_out_of_turn() {
    let next = |unit| Rejection::NotAnAuditor { next: org(unit) };
    let story = answered_complaint();
    let story = story.by(YUHANG).when(pass()).refused(next(HZ));
    let story = story.by(NB).when(pass()).refused(next(HZ));
    let story = story.by(HZ).when(pass()).accepted().when(pass()).refused(next(ZJ));
    story.when(send_back()).refused(next(ZJ));
}

#[test]
fn a_unit_above_may_pass_a_reply_at_once() {
    answered_complaint().by(NATION).when(pass()).then([passed_for_good(NATION)]);
    answered_complaint()
        .by(ZJ)
        .when(pass())
        .then([passed_on(ZJ)])
        .by(HZ)
        .when(pass())
        .refused(Rejection::NotAnAuditor { next: org(NATION) });
}

#[test]
fn the_last_auditor_settles_the_category_and_the_three_categories_stay_apart() {
    let settled = Category::parse("fault/customer side").unwrap();
    let verdict = Verdict::Passed { category: Some(settled.clone()) };
    let ticket = answered_complaint().by(NATION).when(Command::AuditReply { verdict }).accepted().ticket().clone();
    assert_eq!(ticket.audited_category, Some(settled));
    assert_eq!(ticket.confirmed_category, Some(category()));
    assert_eq!(ticket.accepted_category, Some(category()));
}

#[test]
fn a_reply_sent_back_is_worked_on_again() {
    let sent_back: Event = event::ReplySentBack { by: org(HZ), reason: text() }.into();
    let story = answered_complaint().by(HZ).when(send_back()).then([sent_back]).stands_at(Stage::Accepted);
    let story = story.by(YUHANG).when(reply(ReplyOutcome::Resolved)).accepted();
    story.by(ZJ).when(pass()).then([passed_on(ZJ)]);
}

#[test]
fn a_unit_that_received_and_did_the_work_audits_itself() {
    let facts = [received_at(HZ, BusinessType::FaultRepair), classified(BusinessType::FaultRepair)];
    let story = given(facts).and(dispatched(HZ, HZ)).and(accepted(HZ)).by(HZ);
    let story = story.when(reply(ReplyOutcome::Explained)).accepted();
    story.when(pass()).then([passed_for_good(HZ)]);
}

#[test]
fn a_restoration_before_the_arrival_fails_the_audit() {
    let story = given(given_to_a_crew()).by(CREW).at(clock(21, "11:00"));
    let story = story.by_the_device_at(clock(21, "10:30")).when(step(Step::Arrived { area: None })).accepted();
    let story = story.by_the_device_at(clock(21, "10:00")).when(step(Step::Restored)).accepted();
    let why = Rejection::TimesContradict {
        earlier: "arrived",
        earlier_at: clock(21, "10:30"),
        later: "restored",
        later_at: clock(21, "10:00"),
    };
    let story = story.when(reply(ReplyOutcome::Resolved)).accepted().by(NATION).when(pass()).refused(why);
    story.when(send_back()).accepted();
}

#[test]
fn an_arrival_or_a_restoration_before_the_call_fails_the_audit() {
    for (name, early) in [("arrived", Step::Arrived { area: None }), ("restored", Step::Restored)] {
        let story = given(given_to_a_crew()).by(CREW).by_the_device_at(clock(21, "08:00"));
        let story = story.when(step(early)).accepted().when(reply(ReplyOutcome::NotOurs)).accepted();
        let why = Rejection::TimesContradict {
            earlier: "received",
            earlier_at: clock(21, "09:00"),
            later: name,
            later_at: clock(21, "08:00"),
        };
        story.by(NATION).when(pass()).refused(why);
    }
}

#[test]
fn a_crew_mends_times_that_contradict_each_other_and_nothing_else() {
    let story = given(given_to_a_crew()).by(CREW).at(clock(21, "11:00"));
    let story = story.by_the_device_at(clock(21, "10:30")).when(step(Step::Arrived { area: None })).accepted();
    let story = story.by_the_device_at(clock(21, "10:00")).when(step(Step::Restored)).accepted();
    let story = story.when(reply(ReplyOutcome::Resolved)).accepted().by(NATION).when(send_back()).accepted();
    let story = story.by(CREW).by_the_device_at(clock(21, "10:50")).when(step(Step::Restored)).accepted();
    assert_eq!(story.ticket().crew.restored, Some(clock(21, "10:50")));
    let counted = Rejection::AlreadyReported { step: crate::ticket::CrewProgress::Restored, at: clock(21, "10:50") };
    let story = story.when(step(Step::Restored)).refused(counted);
    story.when(reply(ReplyOutcome::Resolved)).accepted().by(NATION).when(pass()).accepted();
}

#[test]
fn praise_is_not_revisited() {
    given(in_work(BusinessType::Praise))
        .and(replied(HZ, ReplyOutcome::Explained))
        .by(NATION)
        .when(pass())
        .accepted()
        .stands_at(Stage::ReadyToClose)
        .when(revisit(Satisfaction::Satisfied))
        .illegal()
        .when(close())
        .accepted();
}

#[test]
fn one_who_complained_in_confidence_is_not_revisited() {
    given(in_work(BusinessType::Report))
        .and(replied(HZ, ReplyOutcome::Explained))
        .by(NATION)
        .when(pass())
        .accepted()
        .stands_at(Stage::ReadyToClose);
}

#[test]
fn a_revisit_settles_what_the_customer_thinks() {
    for outcome in [Satisfaction::VerySatisfied, Satisfaction::Satisfied, Satisfaction::Neutral, Satisfaction::Refused]
    {
        to_be_revisited("10:00")
            .when(revisit(outcome))
            .then([revisited(outcome)])
            .stands_at(Stage::ReadyToClose)
            .when(reopen())
            .illegal()
            .when(close())
            .then([event::Closed { explanation: None }.into()])
            .stands_at(Stage::Closed);
    }
}

#[test]
fn nobody_is_called_in_quiet_hours_of_china() {
    let night = Rejection::QuietHours { from_minute: 21 * 60, to_minute: 8 * 60 };
    let noon = Rejection::QuietHours { from_minute: 12 * 60, to_minute: 14 * 60 };
    for (time, why) in [("21:00", &night), ("23:59", &night), ("12:00", &noon), ("13:59", &noon)] {
        for method in [RevisitMethod::Call, RevisitMethod::Bot] {
            to_be_revisited(time).when(revisit_by(method, Satisfaction::Satisfied)).refused(why.clone());
        }
    }
    for (day, time) in [(22, "00:00"), (22, "07:59")] {
        given(awaiting_revisit()).at(clock(day, time)).when(revisit(Satisfaction::Satisfied)).refused(night.clone());
    }
    for (day, time) in [(22, "08:00"), (21, "11:59"), (21, "14:00"), (21, "20:59")] {
        given(awaiting_revisit()).at(clock(day, time)).when(revisit(Satisfaction::Satisfied)).accepted();
    }
}

#[test]
fn a_message_may_be_answered_in_quiet_hours() {
    to_be_revisited("22:00").when(revisit_by(RevisitMethod::Sms, Satisfaction::Satisfied)).accepted();
}

#[test]
fn tries_to_reach_a_customer_are_two_hours_apart() {
    let nobody = || revisit(Satisfaction::Unreachable);
    let story = to_be_revisited("09:30").when(nobody());
    let story =
        story.then([tried(1, RevisitMethod::Call, Satisfaction::Unreachable)]).stands_at(Stage::AwaitingRevisit);
    let spacing = chrono::TimeDelta::hours(2);
    let why = Rejection::TooSoon { what: Move::Revisit, spacing, next: clock(21, "11:30") };
    let story = story.at(clock(21, "11:29")).when(nobody()).refused(why);
    story.at(clock(21, "11:30")).when(nobody()).then([tried(2, RevisitMethod::Call, Satisfaction::Unreachable)]);
}

#[test]
fn the_third_try_in_vain_ends_the_revisit() {
    let story = to_be_revisited("09:30").when(revisit(Satisfaction::Unreachable)).accepted();
    let story = story.at(clock(21, "14:30")).when(revisit_by(RevisitMethod::Sms, Satisfaction::NoAnswer));
    let story = story.then([tried(2, RevisitMethod::Sms, Satisfaction::NoAnswer)]);
    let last = tried(3, RevisitMethod::Call, Satisfaction::Unreachable);
    story
        .at(clock(21, "17:00"))
        .when(revisit(Satisfaction::Unreachable))
        .then([last, revisited(Satisfaction::Unreachable)])
        .stands_at(Stage::ReadyToClose)
        .when(revisit(Satisfaction::Unreachable))
        .illegal();
}

#[test]
fn how_often_how_far_apart_and_when_is_the_operators_to_say() {
    let story = to_be_revisited("22:00").under(|rules| {
        rules.revisit_tries_max = 1;
        rules.revisit_quiet.clear();
    });
    story.when(revisit(Satisfaction::Unreachable)).accepted().stands_at(Stage::ReadyToClose);
}

#[test]
fn a_customer_who_stays_dissatisfied_is_owed_an_explanation() {
    let story = dissatisfied().when(close()).refused(Rejection::ExplanationNeeded);
    let blank = Command::Close { explanation: Some("  ".into()) };
    let story = story.when(blank).refused(Rejection::ExplanationNeeded);
    story.when(close_with_explanation()).accepted().stands_at(Stage::Closed);
}

#[test]
fn a_dissatisfied_customer_may_have_the_work_taken_up_again() {
    let again: Event = event::Reopened { cycle: 2, reason: text() }.into();
    let story = dissatisfied().when(reopen()).then([again]).stands_at(Stage::Classified);
    let ticket = story.ticket();
    assert_eq!(ticket.holders, [org(NATION)], "with the unit that received it");
    assert_eq!((ticket.satisfaction, ticket.revisit_tries, ticket.revisit_last), (None, 0, None));
    assert_eq!(ticket.confirmed_category, Some(category()), "what was learnt stays");
    story
        .when(dispatch(NB))
        .accepted()
        .when(Command::Accept)
        .accepted()
        .when(reply(ReplyOutcome::Resolved))
        .accepted()
        .when(pass())
        .accepted()
        .stands_at(Stage::AwaitingRevisit)
        .at(clock(21, "10:30"))
        .when(revisit(Satisfaction::Dissatisfied))
        .accepted()
        .when(reopen())
        .then([event::Reopened { cycle: 3, reason: text() }.into()]);
}

#[test]
fn a_closed_ticket_refuses_a_second_closing() {
    given(awaiting_revisit())
        .and(revisited(Satisfaction::Satisfied))
        .and(event::Closed { explanation: None }.into())
        .when(close())
        .illegal();
}

#[test]
fn a_closed_ticket_that_was_worked_on_may_be_taken_up_again() {
    let closed = given(awaiting_revisit())
        .and(revisited(Satisfaction::Satisfied))
        .and(event::Closed { explanation: None }.into());
    closed.when(reopen()).accepted().stands_at(Stage::Classified);
}

#[test]
fn what_was_answered_at_once_or_was_praise_is_not_taken_up_again() {
    let answered: Event = event::ClosedAtFirstContact { answer: text() }.into();
    given([received(BusinessType::Consultation), answered]).when(reopen()).illegal();
    given(in_work(BusinessType::Praise))
        .and(replied(HZ, ReplyOutcome::Explained))
        .and(passed_for_good(NATION))
        .and(event::Closed { explanation: None }.into())
        .when(reopen())
        .illegal();
}
