//! Every refusal has a reason, the code that `error_reason.proto` documents for it, and a sentence in both languages.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, TimeDelta};
use switchboard_domain::{
    Problem, Timestamp, Violation,
    crew::{self, Absence, OfferId},
    organisation::{Level, OrgPath},
    ticket::{BusinessType, CrewProgress, Grade, Move, MoveSet, Rejection, Stage, TicketId},
};
use switchboard_wire::{
    proto::ErrorReason,
    refusal::{ERROR_DOMAIN, Language, Refusal},
};
use tonic::Code;
use tonic_types::{ErrorDetails, StatusExt as _};
use uuid::Uuid;

fn at() -> Timestamp {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

fn unit(path: &str) -> OrgPath {
    OrgPath::parse(path).unwrap()
}

fn illegal(merged: bool, suspended: bool) -> Rejection {
    let legal = MoveSet::of(&[Move::Supplement, Move::Classify]);
    let (stage, business) = (Stage::Received, BusinessType::FaultRepair);
    Rejection::IllegalMove { asked: Move::Close, stage, business, merged, suspended, legal }
}

fn violations() -> Vec<Violation> {
    let field = |field, problem| Violation { field, problem };
    vec![
        Violation::missing("content"),
        field("address", Problem::TooLong { limit: 1024 }),
        field("reasons", Problem::TooMany { limit: 6 }),
        Violation::malformed("caller.phone", "digits"),
        Violation::contradicts("grade", "business_type"),
        field("occurred_at", Problem::InTheFuture),
        field("until", Problem::InThePast),
        field("appointment", Problem::TooFarAhead { days_max: 366 }),
    ]
}

fn rejections() -> Vec<Rejection> {
    let (hz, nb) = (unit("sgcc/zj/hz"), unit("sgcc/zj/nb"));
    let ticket = TicketId(Uuid::from_u128(1));
    vec![
        Rejection::Invalid(violations()),
        Rejection::NotFound,
        illegal(false, false),
        illegal(true, false),
        illegal(false, true),
        Rejection::OutsideHolder { holder: hz.clone(), to: nb.clone() },
        Rejection::WrongLevel { business: BusinessType::Complaint, from: Level::Nation, to: Level::City },
        Rejection::AlreadyHeld { holder: hz.clone() },
        Rejection::NotTheHolder { holder: hz.clone(), actor: nb.clone() },
        Rejection::NotCommonParent { actor: nb.clone() },
        Rejection::NotAbove { holder: hz.clone(), actor: nb },
        Rejection::AlreadyReported { step: CrewProgress::Arrived, at: at() },
        Rejection::NotRestored,
        Rejection::TimesContradict { earlier: "arrived", earlier_at: at(), later: "restored", later_at: at() },
        Rejection::NotAnAuditor { next: hz },
        Rejection::QuietHours { from_minute: 1260, to_minute: 480 },
        Rejection::TooSoon { what: Move::Urge, spacing: TimeDelta::minutes(5), next: at() },
        Rejection::Exhausted { what: Move::Urge, max: 2 },
        Rejection::NotHigher { current: Grade::Major },
        Rejection::AlreadyUrgent,
        Rejection::NotEscalable { business: BusinessType::Praise },
        Rejection::NotLater { current: at() },
        Rejection::MasterIsChild { master: ticket },
        Rejection::ChildUnchanged { child: ticket },
        Rejection::AnotherMaster { master: Some(ticket) },
        Rejection::AnotherMaster { master: None },
        Rejection::ExplanationNeeded,
        Rejection::Confidential,
        Rejection::OfferNotLive { offer: OfferId::of(ticket, 1), taken_by: Some(unit(CREW)) },
        Rejection::OfferNotLive { offer: OfferId::of(ticket, 1), taken_by: None },
        Rejection::OfferTaken { by: "crew-1".into() },
        Rejection::NotYourOffer { actor: unit(CREW) },
        Rejection::StaleFence { current: 7 },
        Rejection::StaleAttempt { attempts: 2 },
        Rejection::OffersLive { max: 3 },
        Rejection::EngineOnly,
    ]
}

const CREW: &str = "sgcc/zj/hz/yuhang/liangzhu/crew3";

fn crew_rejections() -> Vec<crew::Rejection> {
    use crew::Rejection as No;
    let ticket = TicketId(Uuid::from_u128(1));
    let away = Absence::ALL.iter().map(|&why| No::Away { why });
    let others = [
        No::Invalid(violations()),
        No::NotEnrolled,
        No::NotTheCrew { actor: unit("csg") },
        No::NotAbove { actor: unit(CREW) },
        No::EngineOnly,
        No::OnShift { until: at() },
        No::OffShift,
        No::Unchanged,
        No::Reserved { offer: OfferId::of(ticket, 1) },
        No::Committed { tickets: vec![ticket; crew::decide::COMMITMENTS_MAX] },
        No::NotHeld { ticket },
        No::Overcommitted { max: 16 },
    ];
    others.into_iter().chain(away).collect()
}

fn refusals() -> Vec<Refusal> {
    let others = vec![
        Refusal::InvalidFields(violations()),
        Refusal::TicketNotFound,
        Refusal::RequestIdReused,
        Refusal::RevisionConflict { current: Some(4) },
        Refusal::RevisionConflict { current: None },
        Refusal::Contended,
        Refusal::StoreUnavailable { detail: "disk full at /dev/sda1".into() },
        Refusal::OutcomeUnknown { request_id: Uuid::from_u128(2) },
        Refusal::StoreCorrupt,
        Refusal::RequestTooLarge { bytes_max: 262_144 },
        Refusal::Overloaded { limit: "commands_in_flight_max", value: 1024 },
        Refusal::TimedOut,
        Refusal::TokenMismatch,
        Refusal::ActorMissing { what: "x-actor-role" },
        Refusal::NotPermitted { needed: "operator" },
        Refusal::DeviceClock { offset_ms: -86_400_000, takes_offset: true },
        Refusal::DeviceClock { offset_ms: -86_400_000, takes_offset: false },
        Refusal::Draining,
        Refusal::Unsupported,
        Refusal::SlowReader { resume_token: "opaque".into() },
        Refusal::Internal { incident: "i-1".into() },
    ];
    let rejected = rejections().into_iter().map(Refusal::Rejected);
    rejected.chain(crew_rejections().into_iter().map(Refusal::CrewRejected)).chain(others).collect()
}

fn details(refusal: impl Into<Refusal>, language: Language) -> ErrorDetails {
    refusal.into().status(language).get_error_details()
}

fn metadata(refusal: impl Into<Refusal>, key: &str) -> Option<String> {
    details(refusal, Language::En).error_info().unwrap().metadata.get(key).cloned()
}

#[test]
fn every_refusal_has_a_reason_a_code_and_a_sentence_in_both_languages() {
    for refusal in refusals() {
        assert_ne!(refusal.reason(), ErrorReason::Unspecified, "{refusal:?}");
        for language in [Language::Zh, Language::En] {
            let status = refusal.status(language);
            assert_ne!(status.code(), Code::Ok);
            assert!(status.message().is_ascii() && status.message().ends_with('.'), "{}", status.message());
            let details = status.get_error_details();
            let info = details.error_info().unwrap();
            assert_eq!((info.reason.as_str(), info.domain.as_str()), (refusal.reason().as_str_name(), ERROR_DOMAIN));
            let localized = details.localized_message().unwrap();
            assert_eq!(localized.locale, language.tag());
            let (end, chinese) = if language == Language::Zh { ('。', true) } else { ('.', false) };
            assert!(localized.message.ends_with(end), "{}", localized.message);
            assert_eq!(!localized.message.is_ascii(), chinese, "{}", localized.message);
        }
    }
}

#[test]
fn every_reason_but_the_unspecified_one_is_given_by_some_refusal() {
    let given: BTreeSet<_> = refusals().iter().map(|refusal| refusal.reason() as i32).collect();
    let documented = (1..).take_while(|&number| ErrorReason::try_from(number).is_ok());
    assert_eq!(given, documented.collect());
}

#[test]
fn every_reason_has_the_code_that_its_proto_comment_documents() {
    let proto = include_str!("../../../../proto/switchboard/v1/error_reason.proto");
    for refusal in refusals() {
        let reason = refusal.reason().as_str_name();
        let value = proto.find(&format!("\n  {reason} = ")).expect(reason);
        let comment = proto[..value].rsplit('\n').take_while(|line| line.trim().starts_with("//")).last().unwrap();
        let documented = comment.trim().trim_start_matches("// ").split('.').next().unwrap();
        let code = format!("{:?}", refusal.status(Language::En).code()).to_uppercase();
        assert_eq!(code, documented.replace('_', ""), "{reason}");
    }
}

#[test]
fn an_illegal_move_names_the_legal_ones() {
    let details = details(illegal(false, false), Language::Zh);
    let legal = &details.precondition_failure().unwrap().violations;
    let named: Vec<_> = legal.iter().map(|v| (v.r#type.as_str(), v.subject.as_str(), v.description.as_str())).collect();
    let expected = [("LEGAL_MOVE", "supplement", "现在可以补充"), ("LEGAL_MOVE", "classify", "现在可以分类定级")];
    assert_eq!(named, expected);
    let sentence = details.localized_message().unwrap().message.clone();
    assert_eq!(sentence, "故障报修工单已受理，不能归档；现在可以：补充、分类定级。");
    assert_eq!(
        Refusal::from(illegal(false, true)).to_string(),
        "A fault_repair ticket that is received, suspended does not admit close; legal now: supplement, classify."
    );
}

#[test]
fn every_violation_is_a_field_violation_in_the_language_asked_for() {
    for refusal in [
        Refusal::InvalidFields(violations()),
        Refusal::Rejected(Rejection::Invalid(violations())),
        Refusal::CrewRejected(crew::Rejection::Invalid(violations())),
    ] {
        let english = details(refusal.clone(), Language::En);
        let fields = &english.bad_request().unwrap().field_violations;
        assert_eq!(fields.len(), violations().len());
        assert_eq!((fields[0].field.as_str(), fields[0].reason.as_str()), ("content", "MISSING"));
        assert_eq!(fields[3].description, "is malformed; expected digits");
        let far = (fields[7].reason.as_str(), fields[7].description.as_str());
        assert_eq!(far, ("TOO_FAR_AHEAD", "lies more than 366 days ahead"));
        let chinese = details(refusal, Language::Zh);
        assert_eq!(chinese.bad_request().unwrap().field_violations[0].description, "必填");
    }
}

#[test]
fn what_is_for_the_log_alone_does_not_leave_the_process() {
    let refusal = Refusal::StoreUnavailable { detail: "disk full at /dev/sda1".into() };
    assert!(refusal.to_string().contains("/dev/sda1"));
    let status = refusal.status(Language::En);
    assert!(!status.message().contains("sda1"));
    assert!(!String::from_utf8_lossy(status.details()).contains("sda1"));
}

#[test]
fn a_client_is_told_when_to_try_again_wherever_that_helps() {
    for refusal in refusals() {
        let delay = details(refusal.clone(), Language::En).retry_info().and_then(|info| info.retry_delay);
        assert_eq!(delay, refusal.retry_after());
        if refusal.is_retryable() {
            assert!(delay.is_some(), "{refusal:?}");
        }
    }
    let large = Refusal::RequestTooLarge { bytes_max: 262_144 };
    assert_eq!((large.is_retryable(), large.retry_after()), (false, None), "sent again it is as large");
    assert_eq!(large.sentence(Language::En), "The request is larger than 262144 bytes; split the request.");
    assert_eq!(large.sentence(Language::Zh), "请求过大，最多 262144 字节；请拆分后再发。");
    let too_soon = Rejection::TooSoon { what: Move::Urge, spacing: TimeDelta::minutes(5), next: at() };
    let refusal = Refusal::from(too_soon.clone());
    assert_eq!(refusal.retry_after(), Some(Duration::from_secs(300)));
    assert_eq!(metadata(too_soon, "next").unwrap(), "2023-11-14T22:13:20.000000Z");
    assert!(refusal.to_string().contains("2023-11-15 06:13:20"), "people see China Standard Time: {refusal}");
}

#[test]
fn a_program_finds_the_rule_and_the_data_in_the_metadata() {
    assert_eq!(metadata(Rejection::AlreadyUrgent, "rule").unwrap(), "already_urgent");
    assert_eq!(metadata(Rejection::NotAnAuditor { next: unit("sgcc/zj") }, "next").unwrap(), "sgcc/zj");
    assert_eq!(metadata(Refusal::RevisionConflict { current: Some(4) }, "current").unwrap(), "4");
    assert_eq!(metadata(Refusal::SlowReader { resume_token: "t".into() }, "resume_token").unwrap(), "t");
    assert_eq!(metadata(Refusal::Internal { incident: "i-1".into() }, "incident").unwrap(), "i-1");
    assert_eq!(metadata(Refusal::Overloaded { limit: "streams_max", value: 9 }, "limit").unwrap(), "streams_max");
    let large = Refusal::RequestTooLarge { bytes_max: 262_144 };
    assert_eq!(["limit", "value"].map(|key| metadata(large.clone(), key).unwrap()), ["request_bytes_max", "262144"]);
    let rules: BTreeSet<_> = rejections().into_iter().filter_map(|r| metadata(r, "rule")).collect();
    assert_eq!(rules.len(), 30, "every rejection but the two that have a reason of their own names a rule of its own");
    let rules: BTreeSet<_> = crew_rejections().into_iter().filter_map(|r| metadata(r, "rule")).collect();
    assert_eq!(rules.len(), 11, "and so do those of crews");
}

#[test]
fn a_crew_app_learns_who_was_first_which_fence_counts_and_what_its_clock_lacks() {
    let ticket = TicketId(Uuid::from_u128(1));
    let taken = Rejection::OfferNotLive { offer: OfferId::of(ticket, 1), taken_by: Some(unit(CREW)) };
    assert_eq!(Refusal::from(taken.clone()).reason(), ErrorReason::OfferGone);
    assert_eq!(metadata(taken, "taken_by").unwrap(), CREW);
    assert_eq!(metadata(Rejection::OfferTaken { by: "crew-1".into() }, "accepted_by").unwrap(), "crew-1");
    assert_eq!(metadata(Rejection::StaleFence { current: 7 }, "current").unwrap(), "7");
    for takes_offset in [true, false] {
        assert_eq!(metadata(Refusal::DeviceClock { offset_ms: -5, takes_offset }, "offset_ms").unwrap(), "-5");
    }
    for only in [Refusal::from(Rejection::EngineOnly), Refusal::from(crew::Rejection::EngineOnly)] {
        assert_eq!(only.reason(), ErrorReason::NotPermitted);
        assert_eq!(metadata(only, "needed").unwrap(), "system");
    }
    let foreign = Refusal::from(crew::Rejection::NotTheCrew { actor: unit("csg") });
    assert_eq!(
        (foreign.reason(), foreign.status(Language::En).code()),
        (ErrorReason::NotYourCrew, Code::PermissionDenied)
    );
    let still = crew::Rejection::Committed { tickets: vec![ticket, ticket] };
    assert_eq!(metadata(still.clone(), "tickets").unwrap(), format!("{ticket} {ticket}"));
    assert!(Refusal::from(still).sentence(Language::En).contains("still has 2 tickets"));
}

#[test]
fn a_clock_that_is_off_is_told_what_works_for_the_call_that_was_made() {
    let said = |takes_offset, language| Refusal::DeviceClock { offset_ms: -5, takes_offset }.sentence(language);
    for language in [Language::En, Language::Zh] {
        let (bundle, header) = (said(true, language), said(false, language));
        assert!(bundle.contains("clock_offset_ms = -5") && !bundle.contains("occurred_at"), "{bundle}");
        assert!(header.contains("occurred_at") && !header.contains("clock_offset_ms"), "{header}");
    }
}

#[test]
fn a_crew_is_told_by_which_clock_its_times_were_judged() {
    let refused = |problem| Refusal::from(crew::Rejection::Invalid(vec![Violation { field: "until", problem }]));
    for problem in [Problem::InThePast, Problem::TooFarAhead { days_max: 1 }] {
        let refusal = refused(problem);
        assert!(refusal.sentence(Language::En).ends_with("judged by the server's clock."), "{refusal}");
        assert!(refusal.sentence(Language::Zh).ends_with("时间以服务器时钟为准。"), "{refusal}");
    }
    assert!(!refused(Problem::Missing).sentence(Language::En).contains("clock"));
}

#[test]
fn a_status_with_every_violation_fits_into_the_headers_of_one_response() {
    for refusal in refusals() {
        let status = refusal.status(Language::Zh);
        assert!(status.message().len() + status.details().len() < 6 * 1024, "{refusal:?}");
    }
}
