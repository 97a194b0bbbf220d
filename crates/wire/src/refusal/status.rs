//! A refusal as `google.rpc.Status`: the gRPC code, and the details for programs. `wording` has the sentences for
//! people.

use std::collections::HashMap;

use chrono::SecondsFormat;
use switchboard_domain::{Problem, Timestamp, Violation, actor::Role, crew, ticket::Rejection};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, StatusExt as _};

use super::{ERROR_DOMAIN, Language, Refusal, terms::Term as _, wording};
use crate::proto::ErrorReason;

/// The `type` of a precondition that names a legal move.
const LEGAL_MOVE: &str = "LEGAL_MOVE";

pub(super) fn status(refusal: &Refusal, language: Language) -> Status {
    let reason = refusal.reason();
    let mut details = ErrorDetails::with_error_info(reason.as_str_name(), ERROR_DOMAIN, metadata(refusal));
    if !refusal.violations().is_empty() {
        let fields = refusal.violations().iter().map(|violation| field_violation(violation, language));
        details.set_bad_request(fields.collect::<Vec<_>>());
    }
    if let Refusal::Rejected(Rejection::IllegalMove { legal, .. }) = refusal {
        let moves =
            legal.open().map(|m| PreconditionViolation::new(LEGAL_MOVE, m.as_str(), wording::legal(m, language)));
        details.set_precondition_failure(moves.collect::<Vec<_>>());
    }
    if let Some(delay) = refusal.retry_after() {
        details.set_retry_info(Some(delay));
    }
    details.set_localized_message(language.tag(), refusal.sentence(language));
    Status::with_error_details(code(reason), refusal.sentence(Language::En), details)
}

/// The code that `error_reason.proto` documents for each reason.
fn code(reason: ErrorReason) -> Code {
    match reason {
        ErrorReason::InvalidFields | ErrorReason::RequestTooLarge | ErrorReason::TokenMismatch => Code::InvalidArgument,
        ErrorReason::TicketNotFound | ErrorReason::CrewNotFound => Code::NotFound,
        ErrorReason::IllegalMove
        | ErrorReason::RuleViolated
        | ErrorReason::TooSoon
        | ErrorReason::OfferGone
        | ErrorReason::StaleFence
        | ErrorReason::DeviceClock => Code::FailedPrecondition,
        ErrorReason::NotYourTicket
        | ErrorReason::Confidential
        | ErrorReason::NotPermitted
        | ErrorReason::NotYourCrew => Code::PermissionDenied,
        ErrorReason::RequestIdReused => Code::AlreadyExists,
        ErrorReason::RevisionConflict | ErrorReason::Contended => Code::Aborted,
        ErrorReason::StoreUnavailable | ErrorReason::Draining => Code::Unavailable,
        ErrorReason::OutcomeUnknown | ErrorReason::Unspecified => Code::Unknown,
        ErrorReason::StoreCorrupt => Code::DataLoss,
        ErrorReason::Overloaded | ErrorReason::SlowReader => Code::ResourceExhausted,
        ErrorReason::TimedOut => Code::DeadlineExceeded,
        ErrorReason::ActorMissing => Code::Unauthenticated,
        ErrorReason::InternalFault => Code::Internal,
        ErrorReason::Unsupported => Code::Unimplemented,
    }
}

fn field_violation(violation: &Violation, language: Language) -> FieldViolation {
    let reason = match &violation.problem {
        Problem::Missing => "MISSING",
        Problem::TooLong { .. } => "TOO_LONG",
        Problem::TooMany { .. } => "TOO_MANY",
        Problem::Malformed { .. } => "MALFORMED",
        Problem::Unreadable { .. } => "UNREADABLE",
        Problem::Contradicts { .. } => "CONTRADICTS",
        Problem::InTheFuture => "IN_THE_FUTURE",
        Problem::InThePast => "IN_THE_PAST",
        Problem::TooFarAhead { .. } => "TOO_FAR_AHEAD",
    };
    let description = wording::problem(&violation.problem, language);
    FieldViolation { reason: reason.into(), ..FieldViolation::new(violation.field, description) }
}

/// The details for programs, by name.
fn metadata(refusal: &Refusal) -> HashMap<String, String> {
    let mut metadata = HashMap::new();
    let mut add = |key: &str, value: String| {
        metadata.insert(key.to_owned(), value);
    };
    match refusal {
        Refusal::Rejected(rejection) => of_rejection(rejection, &mut add),
        Refusal::CrewRejected(rejection) => of_crew(rejection, &mut add),
        Refusal::RevisionConflict { current: Some(current) } => add("current", current.to_string()),
        Refusal::OutcomeUnknown { request_id } => add("request_id", request_id.to_string()),
        Refusal::RequestTooLarge { bytes_max } => {
            add("limit", "request_bytes_max".into());
            add("value", bytes_max.to_string());
        }
        Refusal::Overloaded { limit, value } => {
            add("limit", (*limit).into());
            add("value", value.to_string());
        }
        Refusal::ActorMissing { what } => add("missing", (*what).into()),
        Refusal::NotPermitted { needed } => add("needed", (*needed).into()),
        Refusal::DeviceClock { offset_ms, .. } => add("offset_ms", offset_ms.to_string()),
        Refusal::SlowReader { resume_token } => add("resume_token", resume_token.clone()),
        Refusal::Internal { incident } => add("incident", incident.clone()),
        Refusal::InvalidFields(_)
        | Refusal::TicketNotFound
        | Refusal::RequestIdReused
        | Refusal::RevisionConflict { current: None }
        | Refusal::Contended
        | Refusal::StoreUnavailable { .. }
        | Refusal::StoreCorrupt
        | Refusal::TimedOut
        | Refusal::TokenMismatch
        | Refusal::Draining
        | Refusal::Unsupported => {}
    }
    metadata
}

fn time(at: &Timestamp) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn of_rejection(rejection: &Rejection, add: &mut impl FnMut(&str, String)) {
    let rule = match rejection {
        Rejection::Invalid(_) | Rejection::NotFound => return,
        Rejection::IllegalMove { asked, stage, .. } => {
            add("asked", asked.as_str().into());
            add("stage", stage.as_str().into());
            "illegal_move"
        }
        Rejection::OutsideHolder { holder, .. } => {
            add("holder", holder.to_string());
            "outside_holder"
        }
        Rejection::WrongLevel { business, from, to } => {
            add("business_type", business.as_str().into());
            add("from", from.term(Language::En).into());
            add("to", to.term(Language::En).into());
            "wrong_level"
        }
        Rejection::AlreadyHeld { holder } => {
            add("holder", holder.to_string());
            "already_held"
        }
        Rejection::NotTheHolder { holder, .. } => {
            add("holder", holder.to_string());
            "not_the_holder"
        }
        Rejection::NotCommonParent { .. } => "not_common_parent",
        Rejection::NotAbove { holder, .. } => {
            add("holder", holder.to_string());
            "not_above"
        }
        Rejection::AlreadyReported { step, at } => {
            add("step", step.as_str().into());
            add("at", time(at));
            "already_reported"
        }
        Rejection::NotRestored => "not_restored",
        Rejection::TimesContradict { earlier, earlier_at, later, later_at } => {
            add(earlier, time(earlier_at));
            add(later, time(later_at));
            "times_contradict"
        }
        Rejection::NotAnAuditor { next } => {
            add("next", next.to_string());
            "not_an_auditor"
        }
        Rejection::QuietHours { from_minute, to_minute } => {
            add("from", wording::minute(*from_minute));
            add("to", wording::minute(*to_minute));
            "quiet_hours"
        }
        Rejection::TooSoon { next, .. } => {
            add("next", time(next));
            "too_soon"
        }
        Rejection::Exhausted { what, max } => {
            add("what", what.as_str().into());
            add("max", max.to_string());
            "exhausted"
        }
        Rejection::NotHigher { current } => {
            add("current", current.as_str().into());
            "not_higher"
        }
        Rejection::AlreadyUrgent => "already_urgent",
        Rejection::NotEscalable { .. } => "not_escalable",
        Rejection::NotLater { current } => {
            add("current", time(current));
            "not_later"
        }
        Rejection::MasterIsChild { master } => {
            add("master", master.to_string());
            "master_is_child"
        }
        Rejection::ChildUnchanged { child } => {
            add("child", child.to_string());
            "child_unchanged"
        }
        Rejection::AnotherMaster { master } => {
            if let Some(master) = master {
                add("master", master.to_string());
            }
            "another_master"
        }
        Rejection::OfferNotLive { offer, taken_by } => {
            add("offer", offer.to_string());
            if let Some(crew) = taken_by {
                add("taken_by", crew.to_string());
            }
            "offer_not_live"
        }
        Rejection::OfferTaken { by } => {
            add("accepted_by", by.clone());
            "offer_taken"
        }
        Rejection::NotYourOffer { actor } => {
            add("actor", actor.to_string());
            "not_your_offer"
        }
        Rejection::StaleFence { current } => {
            add("current", current.to_string());
            "stale_fence"
        }
        Rejection::StaleAttempt { attempts } => {
            add("attempts", attempts.to_string());
            "stale_attempt"
        }
        Rejection::OffersLive { max } => {
            add("max", max.to_string());
            "offers_live"
        }
        Rejection::EngineOnly => engine_only(add),
        Rejection::ExplanationNeeded => "explanation_needed",
        Rejection::Confidential => "confidential",
    };
    add("rule", rule.into());
}

/// The details of a command that only the engine's own role may send.
fn engine_only(add: &mut impl FnMut(&str, String)) -> &'static str {
    add("needed", Role::System.as_str().into());
    "engine_only"
}

fn of_crew(rejection: &crew::Rejection, add: &mut impl FnMut(&str, String)) {
    use crew::Rejection as No;
    let rule = match rejection {
        No::Invalid(_) | No::NotEnrolled => return,
        No::NotTheCrew { actor } => {
            add("actor", actor.to_string());
            "not_the_crew"
        }
        No::NotAbove { actor } => {
            add("actor", actor.to_string());
            "not_above"
        }
        No::EngineOnly => engine_only(add),
        No::OnShift { until } => {
            add("until", time(until));
            "on_shift"
        }
        No::OffShift => "off_shift",
        No::Away { why } => {
            add("why", why.as_str().into());
            "away"
        }
        No::Unchanged => "unchanged",
        No::Reserved { offer } => {
            add("offer", offer.to_string());
            "reserved"
        }
        No::Committed { tickets } => {
            add("tickets", tickets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "));
            "committed"
        }
        No::NotHeld { ticket } => {
            add("ticket", ticket.to_string());
            "not_held"
        }
        No::Overcommitted { max } => {
            add("max", max.to_string());
            "overcommitted"
        }
    };
    add("rule", rule.into());
}
