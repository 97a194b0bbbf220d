//! Validation of a ticket command without the ticket's state: required fields, sizes, forms, and contradictions. All
//! violations are reported at once.

use chrono::TimeDelta;

use crate::{
    Problem, Timestamp, Violation,
    decider::Context,
    personal::Personal,
    ticket::{
        command::{Command, Receive, Reply, Verdict},
        path,
        vocabulary::{BusinessType, Channel, Ownership, Premises, ReplyOutcome, RevisitMethod, Satisfaction, Step},
    },
};

/// The longest free text, in bytes. Three sealed texts and their metadata fit into one event of the store.
pub const TEXT_BYTES_MAX: usize = 12 * 1024;
/// The longest name, phone, account number or reference, in bytes.
pub const SHORT_BYTES_MAX: usize = 128;
/// The longest address, cause or purpose, in bytes.
pub const LINE_BYTES_MAX: usize = 1024;
/// The most reasons of a dissatisfied customer: the SMS revisit offers six (Zhejiang 2018, mark S).
pub const REASONS_MAX: usize = 6;
/// The latest appointment, in days after the report. A later one is most likely a wrong year.
pub const APPOINTMENT_DAYS_MAX: i64 = 366;

/// All violations of `command` at the time of `cx`; empty when it is valid.
#[must_use]
pub fn violations(command: &Command, cx: &Context<'_>) -> Vec<Violation> {
    let mut found = shape(command);
    if cx.occurred_at > cx.now + cx.rules.clock_skew() {
        found.push(Violation { field: "occurred_at", problem: Problem::InTheFuture });
    }
    let check_future = |field, at: Timestamp, found: &mut Vec<Violation>| {
        if at <= cx.occurred_at {
            found.push(Violation { field, problem: Problem::InThePast });
        }
    };
    match command {
        Command::Extend { until, .. } | Command::Suspend { until: Some(until), .. } => {
            check_future("until", *until, &mut found);
        }
        // A late report may carry an ETR in the past; it must only follow the report's own instant.
        Command::ReportProgress(Step::EtrSet { etr }) => check_future("etr", *etr, &mut found),
        Command::Receive(receive) => receive_times(receive, cx, &mut found),
        _ => {}
    }
    found
}

/// Checks the instants of a receipt: the call has ended, and the appointment follows the report. Both hold at the
/// report's own time, which is in the past for an import.
fn receive_times(receive: &Receive, cx: &Context<'_>, v: &mut Vec<Violation>) {
    if receive.hung_up_at.is_some_and(|at| at > cx.now + cx.rules.clock_skew()) {
        v.push(Violation { field: "hung_up_at", problem: Problem::InTheFuture });
    }
    let ahead = receive.appointment.map(|at| at - cx.occurred_at);
    if ahead.is_some_and(|ahead| ahead < TimeDelta::zero()) {
        v.push(Violation { field: "appointment", problem: Problem::InThePast });
    }
    if ahead.is_some_and(|ahead| ahead > TimeDelta::days(APPOINTMENT_DAYS_MAX)) {
        let problem = Problem::TooFarAhead { days_max: APPOINTMENT_DAYS_MAX };
        v.push(Violation { field: "appointment", problem });
    }
}

/// All violations of `command` that do not depend on time.
#[must_use]
pub fn shape(command: &Command) -> Vec<Violation> {
    let mut v = Vec::new();
    match command {
        Command::Receive(receive) => receive_shape(receive, &mut v),
        Command::Supplement { content } => text("content", content, &mut v),
        Command::Classify { business, grade, .. } => match business {
            Some(BusinessType::Complaint) if grade.is_none() => v.push(Violation::missing("grade")),
            Some(other) if *other != BusinessType::Complaint && grade.is_some() => {
                v.push(Violation::contradicts("grade", "business_type"));
            }
            _ => {}
        },
        Command::CloseAtFirstContact { answer } => text("answer", answer, &mut v),
        Command::Return { note, .. } => text("note", note, &mut v),
        Command::Reassign { reason, .. }
        | Command::Reopen { reason }
        | Command::Urge { reason }
        | Command::Escalate { reason, .. }
        | Command::Extend { reason, .. }
        | Command::Unmerge { reason }
        | Command::Withdraw { reason } => text("reason", reason, &mut v),
        Command::ReportProgress(Step::Diagnosed { finding, .. }) => text("finding", finding, &mut v),
        Command::Contact { note, .. } | Command::Suspend { note, .. } => {
            optional("note", note.as_ref(), TEXT_BYTES_MAX, &mut v)
        }
        Command::Reply(reply) => reply_shape(reply, &mut v),
        Command::AuditReply { verdict: Verdict::SentBack { reason } } => text("reason", reason, &mut v),
        Command::Revisit { method, outcome, reasons, comment } => {
            if reasons.len() > REASONS_MAX {
                v.push(Violation { field: "reasons", problem: Problem::TooMany { limit: REASONS_MAX } });
            }
            let dissatisfied = *outcome == Satisfaction::Dissatisfied;
            if dissatisfied && reasons.is_empty() {
                v.push(Violation::missing("reasons"));
            }
            if !dissatisfied && !reasons.is_empty() {
                v.push(Violation::contradicts("reasons", "outcome"));
            }
            let messaged = *method == RevisitMethod::Sms;
            if (messaged && *outcome == Satisfaction::Unreachable) || (!messaged && *outcome == Satisfaction::NoAnswer)
            {
                v.push(Violation::contradicts("outcome", "method"));
            }
            optional("comment", comment.as_ref(), TEXT_BYTES_MAX, &mut v);
        }
        Command::Close { explanation } => optional("explanation", explanation.as_ref(), TEXT_BYTES_MAX, &mut v),
        Command::Supervise { demand } => text("demand", demand, &mut v),
        Command::Merge { evidence, .. } => text("evidence", evidence, &mut v),
        Command::HandOver { note, .. } => text("note", note, &mut v),
        Command::Recall { reason, .. } | Command::Pin { reason, .. } => text("reason", reason, &mut v),
        Command::DeclineOffer { note, .. } => optional("note", note.as_ref(), TEXT_BYTES_MAX, &mut v),
        Command::Reveal { purpose } => line("purpose", purpose, LINE_BYTES_MAX, &mut v),
        Command::Dispatch { .. }
        | Command::Accept
        | Command::ReportProgress(_)
        | Command::AuditReply { .. }
        | Command::Resume
        | Command::Offer(_)
        | Command::AcceptOffer { .. }
        | Command::EndOffer { .. }
        | Command::AdoptChild { .. }
        | Command::ReleaseChild { .. }
        | Command::FollowMaster { .. } => {}
    }
    v
}

fn receive_shape(receive: &Receive, v: &mut Vec<Violation>) {
    text("content", &receive.content, v);
    optional("address", receive.address.as_ref(), LINE_BYTES_MAX, v);
    let caller = &receive.caller;
    optional("caller.name", caller.name.as_ref(), SHORT_BYTES_MAX, v);
    optional("caller.account", caller.account.as_ref(), SHORT_BYTES_MAX, v);
    optional("caller.phone", caller.phone.as_ref(), SHORT_BYTES_MAX, v);
    if let Some(phone) = caller.phone.as_ref().and_then(Personal::plain)
        && phone.len() <= SHORT_BYTES_MAX
        && !((3..=20).contains(&phone.len()) && phone.bytes().all(|b| b.is_ascii_digit() || b == b'+' || b == b'-'))
    {
        v.push(Violation::malformed("caller.phone", "3 to 20 of 0-9, '+', '-'"));
    }
    let known = caller.phone.is_some() || caller.account.is_some() || caller.name.is_some();
    if caller.anonymous && known {
        v.push(Violation::contradicts("caller.anonymous", "caller"));
    }
    let proactive = receive.channel == Channel::Proactive;
    if !caller.anonymous && !proactive && caller.phone.is_none() && caller.account.is_none() {
        v.push(Violation::missing("caller.phone"));
    }
    if caller.anonymous && receive.confidential {
        v.push(Violation::contradicts("confidential", "caller.anonymous"));
    }
    for (field, value) in [
        ("place.feeder", &receive.place.feeder),
        ("place.transformer", &receive.place.transformer),
        ("call_id", &receive.call_id),
    ] {
        if let Some(value) = value {
            line(field, value, SHORT_BYTES_MAX, v);
        }
    }
    if let Some((latitude, longitude)) = receive.place.location_e6 {
        if !(-90_000_000..=90_000_000).contains(&latitude) {
            v.push(Violation::malformed("place.latitude_e6", "-90000000 to 90000000"));
        }
        if !(-180_000_000..=180_000_000).contains(&longitude) {
            v.push(Violation::malformed("place.longitude_e6", "-180000000 to 180000000"));
        }
    }
    if let Some(external) = &receive.external {
        line("external.issuer", &external.issuer, SHORT_BYTES_MAX, v);
        line("external.value", &external.value, SHORT_BYTES_MAX, v);
    }
    let linked = path::of(receive.business).linked;
    if linked && receive.linked.is_none() {
        v.push(Violation::missing("linked_ticket"));
    }
    if !linked && receive.linked.is_some() {
        v.push(Violation::contradicts("linked_ticket", "business_type"));
    }
    if receive.premises == Some(Premises::Single) && receive.customers_out.is_some_and(|n| n > 1) {
        v.push(Violation::contradicts("customers_out", "premises"));
    }
}

fn reply_shape(reply: &Reply, v: &mut Vec<Violation>) {
    text("facts", &reply.facts, v);
    text("measures", &reply.measures, v);
    line("cause", &reply.cause, LINE_BYTES_MAX, v);
    optional("customer_view", reply.customer_view.as_ref(), TEXT_BYTES_MAX, v);
    if reply.outcome == ReplyOutcome::NotOurs && reply.ownership == Some(Ownership::Utility) {
        v.push(Violation::contradicts("ownership", "outcome"));
    }
}

/// Checks a required personal text.
fn text(field: &'static str, value: &Personal, v: &mut Vec<Violation>) {
    if value.is_empty() {
        v.push(Violation::missing(field));
    }
    optional(field, Some(value), TEXT_BYTES_MAX, v);
}

/// Checks an optional personal text.
fn optional(field: &'static str, value: Option<&Personal>, limit: usize, v: &mut Vec<Violation>) {
    if value.is_some_and(|value| value.len() > limit) {
        v.push(Violation { field, problem: Problem::TooLong { limit } });
    }
}

/// Checks a required line of plain text.
fn line(field: &'static str, value: &str, limit: usize, v: &mut Vec<Violation>) {
    if value.trim().is_empty() {
        v.push(Violation::missing(field));
    } else if value.len() > limit {
        v.push(Violation { field, problem: Problem::TooLong { limit } });
    } else if value.chars().any(char::is_control) {
        v.push(Violation::malformed(field, "one line without control characters"));
    }
}
