//! Requests are accepted or rejected as a whole: all violations at once, one per field, by the path in the request.

use prost_types::Timestamp as WireTimestamp;
use switchboard_domain::ticket::validate::TEXT_BYTES_MAX;
use switchboard_domain::{
    Problem, Violation,
    actor::{Actor, Role},
    organisation::OrgPath,
    ticket::{Command, Escalation, Grade, Move, Satisfaction, Step, TicketId, Tier, command::Verdict},
};
use switchboard_wire::{
    command::{TicketRef, TicketRequest, receive, reference},
    proto::{self, audit_reply_request, escalate_request, report_progress_request},
    seal::HashKey,
};
use uuid::{Uuid, uuid};

const REQUEST: Uuid = uuid!("6ba7b810-9dad-41d1-80b4-00c04fd430c8");
const ID: &str = "6ba7b8109dad41d180b400c04fd430c9";

fn header() -> Option<proto::CommandHeader> {
    let occurred_at = Some(WireTimestamp { seconds: 1_700_000_000, nanos: 123_456_789 });
    let ticket = "2026112100000001".into();
    Some(proto::CommandHeader { request_id: REQUEST.to_string(), ticket, etag: Some("3".into()), occurred_at })
}

fn text() -> String {
    "text".into()
}

/// The fields for which a request is rejected, in the order found.
fn refused<R: TicketRequest>(request: &R) -> Vec<(&'static str, Problem)> {
    let violations = request.read().expect_err("the request is to be refused");
    violations.into_iter().map(|Violation { field, problem }| (field, problem)).collect()
}

fn fields<R: TicketRequest>(request: &R) -> Vec<&'static str> {
    refused(request).into_iter().map(|(field, _)| field).collect()
}

fn makes<R: TicketRequest>(request: &R, method: &str, expected: Move) -> Command {
    assert_eq!(R::METHOD, method);
    let (header, command) = request.read().unwrap_or_else(|violations| panic!("{method}: {violations:?}"));
    assert_eq!(header.request_id, REQUEST);
    assert_eq!(header.ticket, TicketRef::Number("2026112100000001".into()));
    assert_eq!(header.etag, Some(3));
    assert_eq!(header.occurred_at.unwrap().timestamp_micros(), 1_700_000_000_123_456);
    assert_eq!(command.as_move(), expected);
    command
}

fn step(step: report_progress_request::Step) -> proto::ReportProgressRequest {
    proto::ReportProgressRequest { header: header(), step: Some(step) }
}

fn escalation(to: escalate_request::To) -> proto::EscalateRequest {
    proto::EscalateRequest { header: header(), to: Some(to), reason: text() }
}

#[test]
fn every_request_makes_its_move() {
    let (h, t) = (header, text);
    makes(&proto::SupplementRequest { header: h(), content: t() }, "Supplement", Move::Supplement);
    let classify =
        proto::ClassifyRequest { header: h(), business_type: 4, category: "a/b".into(), urgency: 1, grade: 2 };
    makes(&classify, "Classify", Move::Classify);
    let close = proto::CloseAtFirstContactRequest { header: h(), answer: t() };
    makes(&close, "CloseAtFirstContact", Move::CloseAtFirstContact);
    makes(&proto::DispatchRequest { header: h(), to: "sgcc/zj".into() }, "Dispatch", Move::Dispatch);
    makes(&proto::AcceptRequest { header: h() }, "Accept", Move::Accept);
    makes(&proto::ReturnRequest { header: h(), reason: 1, note: t() }, "Return", Move::Return);
    let reassign = proto::ReassignRequest { header: h(), to: "sgcc/zj".into(), reason: t() };
    makes(&reassign, "Reassign", Move::Reassign);
    makes(&proto::ContactRequest { header: h(), outcome: 1, note: None }, "Contact", Move::Contact);
    let reply = proto::ReplyRequest {
        header: h(),
        outcome: 1,
        facts: t(),
        cause: t(),
        measures: t(),
        customer_view: Some(t()),
        category: "a".into(),
        ownership: 1,
        substantiated: Some(true),
    };
    makes(&reply, "Reply", Move::Reply);
    let revisit = proto::RevisitRequest { header: h(), method: 1, outcome: 4, reasons: vec![1, 6], comment: None };
    makes(&revisit, "Revisit", Move::Revisit);
    makes(&proto::ReopenRequest { header: h(), reason: t() }, "Reopen", Move::Reopen);
    makes(&proto::CloseRequest { header: h(), explanation: None }, "Close", Move::Close);
    makes(&proto::UrgeRequest { header: h(), reason: t() }, "Urge", Move::Urge);
    makes(&proto::SuperviseRequest { header: h(), demand: t() }, "Supervise", Move::Supervise);
    makes(&proto::SuspendRequest { header: h(), reason: 4, until: None, note: None }, "Suspend", Move::Suspend);
    makes(&proto::ResumeRequest { header: h() }, "Resume", Move::Resume);
    let until = Some(WireTimestamp { seconds: 1, nanos: 0 });
    makes(&proto::ExtendRequest { header: h(), until, reason: t() }, "Extend", Move::Extend);
    makes(&proto::MergeRequest { header: h(), master: ID.into(), evidence: t() }, "Merge", Move::Merge);
    makes(&proto::UnmergeRequest { header: h(), reason: t() }, "Unmerge", Move::Unmerge);
    makes(&proto::WithdrawRequest { header: h(), reason: t() }, "Withdraw", Move::Withdraw);
    makes(&proto::RevealRequest { header: h(), purpose: t() }, "Reveal", Move::Reveal);
}

#[test]
fn every_step_of_a_crew_is_read() {
    use report_progress_request::Step as Wire;
    let etr = Some(WireTimestamp { seconds: 1, nanos: 0 });
    for (sent, read) in [
        (Wire::Accepted(proto::StepAccepted {}), Step::Accepted),
        (Wire::EnRoute(proto::StepEnRoute {}), Step::EnRoute),
        (Wire::Arrived(proto::StepArrived { area: 0 }), Step::Arrived { area: None }),
        (
            Wire::Diagnosed(proto::StepDiagnosed { finding: text(), category: Some(String::new()) }),
            Step::Diagnosed { finding: "text".into(), category: None },
        ),
        (
            Wire::EtrSet(proto::StepEtrSet { etr }),
            Step::EtrSet { etr: chrono::DateTime::from_timestamp(1, 0).unwrap() },
        ),
        (Wire::Restored(proto::StepRestored {}), Step::Restored),
    ] {
        assert_eq!(makes(&step(sent), "ReportProgress", Move::ReportProgress), Command::ReportProgress(read));
    }
}

#[test]
fn every_verdict_and_escalation_is_read() {
    use audit_reply_request::Verdict as Wire;
    for (sent, read) in [
        (Wire::Passed(proto::ReplyPassed { category: None }), Verdict::Passed { category: None }),
        (Wire::SentBack(proto::ReplySentBack { reason: text() }), Verdict::SentBack { reason: "text".into() }),
    ] {
        let request = proto::AuditReplyRequest { header: header(), verdict: Some(sent) };
        assert_eq!(makes(&request, "AuditReply", Move::AuditReply), Command::AuditReply { verdict: read });
    }
    use escalate_request::To;
    for (sent, read) in [
        (To::Complaint(2), Escalation::Complaint(Grade::Important)),
        (To::Grade(4), Escalation::Grade(Grade::Special)),
        (To::Urgent(true), Escalation::Urgent),
    ] {
        let command = makes(&escalation(sent), "Escalate", Move::Escalate);
        assert_eq!(command, Command::Escalate { to: read, reason: "text".into() });
    }
}

#[test]
fn a_request_that_says_nothing_hears_of_everything_at_once() {
    let empty = proto::ReplyRequest::default();
    let missing = |field| (field, Problem::Missing);
    let expected =
        ["header.ticket", "header.request_id", "outcome", "category", "facts", "measures", "cause"].map(missing);
    assert_eq!(refused(&empty), expected);
    assert_eq!(fields(&proto::ReportProgressRequest::default()), ["header.ticket", "header.request_id", "step"]);
    assert_eq!(fields(&proto::AuditReplyRequest::default()), ["header.ticket", "header.request_id", "verdict"]);
    assert_eq!(fields(&proto::EscalateRequest::default()), ["header.ticket", "header.request_id", "to", "reason"]);
    assert_eq!(fields(&proto::RevisitRequest::default()), ["header.ticket", "header.request_id", "method", "outcome"]);
    assert_eq!(fields(&proto::ExtendRequest::default()), ["header.ticket", "header.request_id", "until", "reason"]);
    assert_eq!(fields(&proto::MergeRequest::default()), ["header.ticket", "header.request_id", "master", "evidence"]);
}

#[test]
fn a_header_is_read_field_by_field() {
    let broken = proto::AcceptRequest {
        header: Some(proto::CommandHeader {
            request_id: "1".into(),
            ticket: "x".repeat(33),
            etag: Some("-1".into()),
            occurred_at: Some(WireTimestamp { seconds: i64::MAX, nanos: 0 }),
        }),
    };
    assert_eq!(fields(&broken), ["header.ticket", "header.request_id", "header.etag", "header.occurred_at"]);
    assert!(refused(&broken).iter().all(|(_, problem)| matches!(problem, Problem::Malformed { .. })));
    let nil =
        proto::CommandHeader { request_id: Uuid::nil().to_string(), etag: Some(String::new()), ..header().unwrap() };
    assert_eq!(fields(&proto::AcceptRequest { header: Some(nil) }), ["header.request_id"], "an empty etag is none");
    let engines = HashKey::new(&[7; 32]).uuid(&[b"process"]);
    let engines = proto::CommandHeader { request_id: engines.to_string(), ..header().unwrap() };
    assert_eq!(fields(&proto::AcceptRequest { header: Some(engines) }), ["header.request_id"], "the engine's own");
}

#[test]
fn an_unknown_word_is_named_once_and_nothing_is_guessed_from_it() {
    let unknown =
        proto::RevisitRequest { header: header(), method: 99, outcome: 99, reasons: vec![1, 99, -1], comment: None };
    assert_eq!(fields(&unknown), ["method", "outcome", "reasons"]);
    let unspecified =
        proto::RevisitRequest { header: header(), method: 1, outcome: 4, reasons: vec![0], comment: None };
    assert_eq!(refused(&unspecified), [("reasons", Problem::Missing)]);
    let grade =
        proto::ClassifyRequest { header: header(), business_type: 99, category: "a".into(), urgency: 9, grade: 9 };
    assert_eq!(fields(&grade), ["business_type", "urgency", "grade"]);
    let area = report_progress_request::Step::Arrived(proto::StepArrived { area: 4 });
    assert_eq!(fields(&step(area)), ["arrived.area"]);
    assert_eq!(fields(&escalation(escalate_request::To::Grade(0))), ["grade"]);
    assert_eq!(fields(&escalation(escalate_request::To::Urgent(false))), ["urgent"]);
}

#[test]
fn fields_that_contradict_each_other_are_named_together_with_all_other_faults() {
    let revisit =
        |method, outcome, reasons| proto::RevisitRequest { header: header(), method, outcome, reasons, comment: None };
    assert_eq!(refused(&revisit(1, 2, vec![1])), [("reasons", Problem::Contradicts { other: "outcome" })]);
    assert_eq!(refused(&revisit(1, 4, vec![])), [("reasons", Problem::Missing)]);
    assert_eq!(refused(&revisit(3, 7, vec![])), [("outcome", Problem::Contradicts { other: "method" })]);
    assert_eq!(refused(&revisit(1, 4, vec![1; 7])), [("reasons", Problem::TooMany { limit: 6 })]);
    let reply =
        proto::ReplyRequest { header: header(), outcome: 2, ownership: 1, category: "/".into(), ..Default::default() };
    assert_eq!(fields(&reply), ["category", "facts", "measures", "cause", "ownership"]);
}

#[test]
fn a_nested_field_is_named_by_its_path() {
    let empty = report_progress_request::Step::Diagnosed(proto::StepDiagnosed {
        finding: String::new(),
        category: Some("/".into()),
    });
    assert_eq!(fields(&step(empty)), ["diagnosed.category", "diagnosed.finding"]);
    let no_etr = report_progress_request::Step::EtrSet(proto::StepEtrSet { etr: None });
    assert_eq!(refused(&step(no_etr)), [("etr_set.etr", Problem::Missing)]);
    let verdict = audit_reply_request::Verdict::SentBack(proto::ReplySentBack { reason: " ".into() });
    let sent_back = proto::AuditReplyRequest { header: header(), verdict: Some(verdict) };
    assert_eq!(refused(&sent_back), [("sent_back.reason", Problem::Missing)]);
}

#[test]
fn a_text_has_a_longest_length_and_a_unit_a_form() {
    let long = proto::ReassignRequest { header: header(), to: "SGCC".into(), reason: "x".repeat(TEXT_BYTES_MAX + 1) };
    let expected = [
        ("to", Problem::Malformed { expected: OrgPath::FORM }),
        ("reason", Problem::TooLong { limit: TEXT_BYTES_MAX }),
    ];
    assert_eq!(refused(&long), expected);
}

#[test]
fn an_instant_is_refused_outside_the_years_1_to_9999() {
    for (seconds, nanos, sound) in [
        (-62_135_596_800, 0, true),
        (-62_135_596_801, 0, false),
        (253_402_300_799, 999_999_999, true),
        (253_402_300_800, 0, false),
        (0, -1, false),
        (0, 1_000_000_000, false),
        (i64::MIN, 0, false),
    ] {
        let until = Some(WireTimestamp { seconds, nanos });
        let extend = proto::ExtendRequest { header: header(), until, reason: text() };
        assert_eq!(extend.read().is_ok(), sound, "{seconds} {nanos}");
    }
}

#[test]
fn a_merge_carries_its_master_by_id_or_number_and_never_itself() {
    let merge = |master: &str| proto::MergeRequest { header: header(), master: master.into(), evidence: text() };
    let id = TicketId::parse(ID).unwrap();
    assert_eq!(merge(ID).master(), Some(TicketRef::Id(id)));
    assert!(matches!(merge(ID).read(), Ok((_, Command::Merge { master, .. })) if master == id));
    assert_eq!(merge("2026112100000002").master(), Some(TicketRef::Number("2026112100000002".into())));
    assert!(matches!(merge("2026112100000002").read(), Ok((_, Command::Merge { master, .. })) if master.0.is_nil()));
    assert_eq!(refused(&merge("2026112100000001")), [("master", Problem::Contradicts { other: "header.ticket" })]);
    assert_eq!(proto::AcceptRequest { header: header() }.master(), None);
}

#[test]
fn a_reference_is_an_id_in_any_form_or_else_a_number() {
    let id = TicketRef::Id(TicketId::parse(ID).unwrap());
    assert_eq!(reference(ID).as_ref(), Some(&id));
    assert_eq!(reference("6BA7B810-9DAD-41D1-80B4-00C04FD430C9").as_ref(), Some(&id));
    assert_eq!(reference(" 2026112100000001 "), Some(TicketRef::Number("2026112100000001".into())));
    for nothing in ["", "  ", "a\nb", &"9".repeat(33)] {
        assert_eq!(reference(nothing), None, "{nothing:?}");
    }
}

fn actor() -> Actor {
    Actor { id: "agent-1".into(), role: Role::Agent, org: OrgPath::parse("sgcc").unwrap() }
}

fn opening() -> proto::ReceiveRequest {
    proto::ReceiveRequest {
        request_id: REQUEST.to_string(),
        business_type: 3,
        channel: 1,
        caller: Some(proto::Caller {
            phone: Some("13812345678".into()),
            name: Some(String::new()),
            ..Default::default()
        }),
        content: "no power".into(),
        ..Default::default()
    }
}

fn refused_opening(request: &proto::ReceiveRequest) -> Vec<&'static str> {
    receive(request, &actor()).expect_err("to be refused").into_iter().map(|violation| violation.field).collect()
}

#[test]
fn a_ticket_is_received_by_the_actors_unit_unless_another_is_named() {
    let (header, command) = receive(&opening(), &actor()).unwrap();
    assert_eq!((header.request_id, header.linked), (REQUEST, None));
    assert_eq!(command.received_by.as_str(), "sgcc");
    assert_eq!(
        (command.caller.name, command.caller.phone),
        (None, Some("13812345678".into())),
        "an empty name is none"
    );
    let named = proto::ReceiveRequest { received_by: Some("sgcc/zj".into()), ..opening() };
    assert_eq!(receive(&named, &actor()).unwrap().1.received_by.as_str(), "sgcc/zj");
}

#[test]
fn a_tier_and_an_appointment_are_read_when_they_are_given() {
    let (_, silent) = receive(&opening(), &actor()).unwrap();
    assert_eq!((silent.tier, silent.appointment), (None, None));
    let appointment = Some(WireTimestamp { seconds: 1_700_000_000, nanos: 123_456_789 });
    for (number, tier) in [(1, Tier::A), (2, Tier::B), (3, Tier::C)] {
        let told = proto::ReceiveRequest { tier: number, appointment, ..opening() };
        let (_, told) = receive(&told, &actor()).unwrap();
        assert_eq!(told.tier, Some(tier));
        assert_eq!(told.appointment.unwrap().timestamp_micros(), 1_700_000_000_123_456);
    }
}

#[test]
fn an_opening_that_says_nothing_hears_of_everything_at_once() {
    let expected = ["request_id", "business_type", "channel", "content", "caller.phone"];
    assert_eq!(refused_opening(&proto::ReceiveRequest::default()), expected);
}

#[test]
fn an_opening_full_of_faults_hears_of_all_of_them_once() {
    let request = proto::ReceiveRequest {
        request_id: "x".into(),
        occurred_at: Some(WireTimestamp { seconds: 0, nanos: -1 }),
        business_type: 99,
        channel: 99,
        received_by: Some("SGCC".into()),
        caller: Some(proto::Caller { anonymous: true, phone: Some("abc".into()), ..Default::default() }),
        place: Some(proto::Place { area: 9, latitude_e6: Some(1), ..Default::default() }),
        premises: 9,
        tier: 9,
        appointment: Some(WireTimestamp { seconds: i64::MAX, nanos: 0 }),
        confidential: true,
        external: Some(proto::ExternalRef::default()),
        linked_ticket: Some("x".repeat(40)),
        ..Default::default()
    };
    let expected = [
        "linked_ticket",
        "request_id",
        "occurred_at",
        "received_by",
        "business_type",
        "channel",
        "tier",
        "place.longitude_e6",
        "place.area",
        "premises",
        "appointment",
        "content",
        "caller.phone",
        "caller.anonymous",
        "confidential",
        "external.issuer",
        "external.value",
    ];
    assert_eq!(refused_opening(&request), expected);
}

#[test]
fn an_urge_names_its_ticket_by_id_or_number_and_nothing_else_does() {
    let urge = |linked: Option<&str>| proto::ReceiveRequest {
        business_type: 10,
        linked_ticket: linked.map(Into::into),
        ..opening()
    };
    let (header, command) = receive(&urge(Some("2026112100000009")), &actor()).unwrap();
    assert_eq!(header.linked, Some(TicketRef::Number("2026112100000009".into())));
    assert_eq!(command.linked, Some(TicketId(Uuid::nil())), "a placeholder until it is looked up");
    assert_eq!(refused_opening(&urge(None)), ["linked_ticket"]);
    let repair = proto::ReceiveRequest { business_type: 3, ..urge(Some(ID)) };
    assert_eq!(refused_opening(&repair), ["linked_ticket"]);
}

#[test]
fn a_revisit_by_a_person_keeps_its_outcome_and_reasons() {
    let request =
        proto::RevisitRequest { header: header(), method: 1, outcome: 4, reasons: vec![3, 4], comment: Some(text()) };
    let (_, command) = request.read().unwrap();
    assert!(
        matches!(command, Command::Revisit { outcome: Satisfaction::Dissatisfied, reasons, .. } if reasons.len() == 2)
    );
}
