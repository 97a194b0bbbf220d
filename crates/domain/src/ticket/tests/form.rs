//! Commands that are invalid in any state; all violations are reported at once.

use super::{
    sample::*,
    story::{clock, given},
};
use chrono::TimeDelta;

use crate::{
    Problem, Timestamp, Violation,
    personal::Personal,
    ticket::{
        BusinessType, Command, DissatisfactionReason, ExternalRef, Ownership, Place, Premises, ReplyOutcome,
        RevisitMethod, Satisfaction, Step, SuspendReason,
        command::{Caller, Receive, Verdict},
        validate::{APPOINTMENT_DAYS_MAX, LINE_BYTES_MAX, REASONS_MAX, SHORT_BYTES_MAX, TEXT_BYTES_MAX, shape},
    },
};

fn too_long(field: &'static str, limit: usize) -> Violation {
    Violation { field, problem: Problem::TooLong { limit } }
}

fn long(limit: usize) -> String {
    "1".repeat(limit + 1)
}

/// A call with one thing changed.
fn call(change: impl FnOnce(&mut Receive)) -> Command {
    let mut receive = receive(BusinessType::FaultRepair);
    change(&mut receive);
    receive.into()
}

#[test]
fn a_free_text_is_neither_blank_nor_endless() {
    type Make = fn(Personal) -> Command;
    let texts: [(&str, Make); 15] = [
        ("content", |content| call(|r| r.content = content)),
        ("content", |content| Command::Supplement { content }),
        ("answer", |answer| Command::CloseAtFirstContact { answer }),
        ("note", |note| Command::Return { reason: crate::ticket::ReturnReason::WrongUnit, note }),
        ("reason", |reason| Command::Reassign { to: org(HZ), reason }),
        ("finding", |finding| step(Step::Diagnosed { finding, category: None })),
        ("reason", |reason| Command::AuditReply { verdict: Verdict::SentBack { reason } }),
        ("reason", |reason| Command::Reopen { reason }),
        ("reason", |reason| Command::Urge { reason }),
        ("demand", |demand| Command::Supervise { demand }),
        ("reason", |reason| Command::Escalate { to: crate::ticket::Escalation::Urgent, reason }),
        ("reason", |reason| Command::Extend { until: clock(30, "09:00"), reason }),
        ("evidence", |evidence| Command::Merge { master: ticket_id(2), evidence }),
        ("reason", |reason| Command::Unmerge { reason }),
        ("reason", |reason| Command::Withdraw { reason }),
    ];
    for (field, make) in texts {
        assert_eq!(shape(&make(" \n".into())), [Violation::missing(field)]);
        assert_eq!(shape(&make(long(TEXT_BYTES_MAX).into())), [too_long(field, TEXT_BYTES_MAX)]);
        assert_eq!(shape(&make("a\nb".into())), []);
        assert_eq!(shape(&make(Personal::Erased)), [], "what was erased was well formed once");
    }
}

#[test]
fn a_text_that_may_be_absent_still_has_a_limit() {
    let note = || Some(Personal::from(long(TEXT_BYTES_MAX)));
    let outcome = crate::ticket::ContactOutcome::Reached;
    let reason = SuspendReason::Customer;
    let (method, satisfied) = (RevisitMethod::Call, Satisfaction::Satisfied);
    for (field, command) in [
        ("note", Command::Contact { outcome, note: note() }),
        ("note", Command::Suspend { reason, until: None, note: note() }),
        ("comment", Command::Revisit { method, outcome: satisfied, reasons: Vec::new(), comment: note() }),
        ("explanation", Command::Close { explanation: note() }),
    ] {
        assert_eq!(shape(&command), [too_long(field, TEXT_BYTES_MAX)]);
    }
}

#[test]
fn a_call_is_wrong_in_these_ways() {
    type Change = fn(&mut Receive);
    let cases: Vec<(Change, Violation)> = vec![
        (|r| r.address = Some(long(LINE_BYTES_MAX).into()), too_long("address", LINE_BYTES_MAX)),
        (|r| r.caller.name = Some(long(SHORT_BYTES_MAX).into()), too_long("caller.name", SHORT_BYTES_MAX)),
        (|r| r.caller.account = Some(long(SHORT_BYTES_MAX).into()), too_long("caller.account", SHORT_BYTES_MAX)),
        (|r| r.caller.phone = Some(long(SHORT_BYTES_MAX).into()), too_long("caller.phone", SHORT_BYTES_MAX)),
        (|r| r.caller.phone = Some("12".into()), Violation::malformed("caller.phone", "3 to 20 of 0-9, '+', '-'")),
        (|r| r.caller.phone = Some("call me".into()), Violation::malformed("caller.phone", "3 to 20 of 0-9, '+', '-'")),
        (|r| r.caller = Caller::default(), Violation::missing("caller.phone")),
        (|r| r.caller.anonymous = true, Violation::contradicts("caller.anonymous", "caller")),
        (
            |r| {
                r.caller = Caller { anonymous: true, ..Caller::default() };
                r.confidential = true;
            },
            Violation::contradicts("confidential", "caller.anonymous"),
        ),
        (|r| r.place.feeder = Some(" ".into()), Violation::missing("place.feeder")),
        (|r| r.place.transformer = Some(long(SHORT_BYTES_MAX)), too_long("place.transformer", SHORT_BYTES_MAX)),
        (|r| r.call_id = Some("a\tb".into()), Violation::malformed("call_id", "one line without control characters")),
        (
            |r| r.place = Place { location_e6: Some((90_000_001, 0)), ..Place::default() },
            Violation::malformed("place.latitude_e6", "-90000000 to 90000000"),
        ),
        (
            |r| r.place = Place { location_e6: Some((0, -180_000_001)), ..Place::default() },
            Violation::malformed("place.longitude_e6", "-180000000 to 180000000"),
        ),
        (
            |r| r.external = Some(ExternalRef { issuer: "12345".into(), value: String::new() }),
            Violation::missing("external.value"),
        ),
        (
            |r| r.external = Some(ExternalRef { issuer: long(SHORT_BYTES_MAX), value: "7".into() }),
            too_long("external.issuer", SHORT_BYTES_MAX),
        ),
        (|r| r.linked = Some(ticket_id(9)), Violation::contradicts("linked_ticket", "business_type")),
        (|r| r.business = BusinessType::Urge, Violation::missing("linked_ticket")),
        (
            |r| {
                r.premises = Some(Premises::Single);
                r.customers_out = Some(2);
            },
            Violation::contradicts("customers_out", "premises"),
        ),
    ];
    for (change, violation) in cases {
        given([]).when(call(change)).invalid([violation]);
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let hopeless = call(|r| {
        r.content = "".into();
        r.caller = Caller::default();
        r.linked = Some(ticket_id(9));
        r.hung_up_at = Some(clock(30, "09:00"));
    });
    given([]).by_the_device_at(clock(29, "09:00")).when(hopeless).invalid([
        Violation::missing("content"),
        Violation::missing("caller.phone"),
        Violation::contradicts("linked_ticket", "business_type"),
        Violation { field: "occurred_at", problem: Problem::InTheFuture },
        Violation { field: "hung_up_at", problem: Problem::InTheFuture },
    ]);
}

#[test]
fn the_form_is_judged_before_the_state() {
    given(repaired()).when(Command::Urge { reason: "".into() }).invalid([Violation::missing("reason")]);
    given([]).when(Command::Urge { reason: "".into() }).invalid([Violation::missing("reason")]);
}

#[test]
fn a_reply_slip_is_wrong_in_these_ways() {
    let wrong = |change: fn(&mut crate::ticket::command::Reply)| {
        let mut slip = slip(ReplyOutcome::NotOurs);
        change(&mut slip);
        shape(&Command::Reply(Box::new(slip)))
    };
    assert_eq!(wrong(|r| r.facts = "".into()), [Violation::missing("facts")]);
    assert_eq!(wrong(|r| r.measures = "".into()), [Violation::missing("measures")]);
    assert_eq!(wrong(|r| r.cause = "\n".into()), [Violation::missing("cause")]);
    assert_eq!(wrong(|r| r.cause = long(LINE_BYTES_MAX)), [too_long("cause", LINE_BYTES_MAX)]);
    let view = wrong(|r| r.customer_view = Some(long(TEXT_BYTES_MAX).into()));
    assert_eq!(view, [too_long("customer_view", TEXT_BYTES_MAX)]);
    let ours = wrong(|r| r.ownership = Some(Ownership::Utility));
    assert_eq!(ours, [Violation::contradicts("ownership", "outcome")]);
    assert_eq!(wrong(|r| r.ownership = Some(Ownership::Customer)), []);
}

#[test]
fn a_revisit_is_wrong_in_these_ways() {
    let asked = |method, outcome, reasons: &[DissatisfactionReason]| {
        shape(&Command::Revisit { method, outcome, reasons: reasons.to_vec(), comment: None })
    };
    let (call, bot, sms) = (RevisitMethod::Call, RevisitMethod::Bot, RevisitMethod::Sms);
    let why = [DissatisfactionReason::Attitude];
    assert_eq!(asked(call, Satisfaction::Dissatisfied, &[]), [Violation::missing("reasons")]);
    let happy = asked(call, Satisfaction::Satisfied, &why);
    assert_eq!(happy, [Violation::contradicts("reasons", "outcome")]);
    let mixed = [Violation::contradicts("outcome", "method")];
    assert_eq!(asked(sms, Satisfaction::Unreachable, &[]), mixed);
    assert_eq!(asked(call, Satisfaction::NoAnswer, &[]), mixed);
    assert_eq!(asked(bot, Satisfaction::NoAnswer, &[]), mixed);
    let many = [DissatisfactionReason::Other; REASONS_MAX + 1];
    let too_many = Violation { field: "reasons", problem: Problem::TooMany { limit: REASONS_MAX } };
    assert_eq!(asked(sms, Satisfaction::Dissatisfied, &many), [too_many]);
    assert_eq!(asked(sms, Satisfaction::Dissatisfied, &many[1..]), []);
}

#[test]
fn what_is_to_come_does_not_lie_in_the_past() {
    let past = || Violation { field: "until", problem: Problem::InThePast };
    let now = clock(21, "10:00");
    let story = given(in_work(BusinessType::Complaint)).at(now);
    let story = story.when(extend(now)).invalid([past()]);
    let wait = Command::Suspend { reason: SuspendReason::Works, until: Some(now), note: None };
    story.when(wait).invalid([past()]);
}

#[test]
fn nothing_happened_later_than_a_clocks_error_from_now() {
    let future = Violation { field: "occurred_at", problem: Problem::InTheFuture };
    given(in_work(BusinessType::Complaint))
        .at(clock(21, "10:00"))
        .by_the_device_at(clock(21, "10:06"))
        .when(urge())
        .invalid([future]);
    let late = call(|r| r.hung_up_at = Some(clock(21, "10:06")));
    let hung_up = Violation { field: "hung_up_at", problem: Problem::InTheFuture };
    given([]).at(clock(21, "10:00")).when(late).invalid([hung_up]);
}

#[test]
fn an_appointment_lies_ahead_of_the_report_and_within_a_year() {
    let at = |appointment| call(|r| r.appointment = Some(appointment));
    let invalid = |problem| [Violation { field: "appointment", problem }];
    let reported = clock(21, "10:00");
    let furthest = reported + TimeDelta::days(APPOINTMENT_DAYS_MAX);
    let second = TimeDelta::seconds(1);
    let story = given([]).at(reported);
    for sound in [reported, furthest] {
        story.clone().when(at(sound)).accepted();
    }
    let story = story.when(at(reported - second)).invalid(invalid(Problem::InThePast));
    let too_far = Problem::TooFarAhead { days_max: APPOINTMENT_DAYS_MAX };
    let story = story.when(at(furthest + second)).invalid(invalid(too_far.clone()));
    for (end, problem) in [(Timestamp::MIN_UTC, Problem::InThePast), (Timestamp::MAX_UTC, too_far)] {
        story.clone().when(at(end)).invalid(invalid(problem));
    }
}

#[test]
fn an_appointment_is_judged_by_when_the_customer_reported_not_by_when_the_engine_learnt_it() {
    let (reported, learnt) = (clock(21, "10:00"), clock(28, "10:00"));
    let between = call(|r| r.appointment = Some(clock(22, "10:00")));
    given([]).at(learnt).by_the_device_at(reported).when(between.clone()).accepted();
    let past = Violation { field: "appointment", problem: Problem::InThePast };
    given([]).at(learnt).when(between).invalid([past]);
}

#[test]
fn a_purpose_is_one_line() {
    let purpose = |purpose: &str| shape(&Command::Reveal { purpose: purpose.into() });
    assert_eq!(purpose(""), [Violation::missing("purpose")]);
    assert_eq!(purpose("a\nb"), [Violation::malformed("purpose", "one line without control characters")]);
    assert_eq!(purpose(&long(LINE_BYTES_MAX)), [too_long("purpose", LINE_BYTES_MAX)]);
}
