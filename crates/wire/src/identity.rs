//! The canonical form of a command: its contents, independent of the API through which it came. The identity of a
//! request is a keyed hash of this form. So a protobuf call, a console and a script can repeat each other's request by
//! its id alone.
//!
//! The form is JSON with sorted names. Null, `false`, empty lists and empty objects are left out, so a field that is
//! added later changes no form of a request without it. Values that the engine itself makes (a ticket number, the keyed
//! hashes of a caller) are not part of it. The form is permanent, like the log: a name is never reused and never
//! changes.
//!
//! A form contains personal data in plain text. It is hashed and dropped: never store, log or return it.

use serde::Serialize;
use serde_json::{Map, Value};
use switchboard_domain::{
    Timestamp,
    crew::{self, command::Enrol},
    personal::Personal,
    sla::publication::{PolicyCommand, PublishYear},
    ticket::{
        Command, Step, TicketId,
        command::{Caller, Receive, Reply, Verdict},
    },
};

/// The prefix of a hash of a canonical form. Older hashes have no prefix: they are hashes of protobuf bytes.
pub const SCHEME: &str = "2:";

/// A command in its canonical form.
#[derive(Clone, PartialEq)]
pub struct Canonical(Map<String, Value>);

impl std::fmt::Debug for Canonical {
    /// Only the names, because the values may be personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

impl Canonical {
    /// The form of a command with this name, without arguments.
    #[must_use]
    pub fn of(name: &str) -> Self {
        Self(Map::new()).with("command", name)
    }

    /// The form with this argument in addition.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        if let Some(value) = serde_json::to_value(value).ok().and_then(told) {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    /// The form with this personal argument in addition.
    #[must_use]
    pub fn with_personal(self, name: &str, value: Option<&Personal>) -> Self {
        self.with(name, value.and_then(Personal::plain))
    }

    /// The form of a use case that wraps another command.
    #[must_use]
    pub fn wrapping(mut self, command: Self) -> Self {
        self.0.insert("wraps".to_owned(), Value::Object(command.0));
        self
    }

    /// The form, addressed to this ticket.
    #[must_use]
    pub fn to_ticket(self, ticket: TicketId) -> Self {
        self.with("ticket", ticket)
    }

    /// The form, addressed to this crew.
    #[must_use]
    pub fn to_crew(self, crew: &crew::CrewId) -> Self {
        self.with("crew", crew)
    }

    /// The form, with the instant that the caller stated; `None` leaves it unchanged.
    #[must_use]
    pub fn at(self, occurred_at: Option<Timestamp>) -> Self {
        self.with("occurred_at", occurred_at.map(|at| at.timestamp_micros()))
    }

    /// The form, with the revision that the caller expects; `None` leaves it unchanged.
    #[must_use]
    pub fn while_at(self, etag: Option<u64>) -> Self {
        self.with("etag", etag)
    }

    /// The bytes that are hashed.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        Value::Object(self.0.clone()).to_string().into_bytes()
    }
}

/// The value without its empty parts; `None` when nothing is left.
fn told(value: Value) -> Option<Value> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::Array(items) if items.is_empty() => None,
        Value::Object(fields) => {
            let fields: Map<_, _> = fields.into_iter().filter_map(|(name, value)| Some((name, told(value)?))).collect();
            (!fields.is_empty()).then_some(Value::Object(fields))
        }
        value => Some(value),
    }
}

/// The form of a command to a ticket, without the ticket.
#[must_use]
pub fn of_ticket(command: &Command) -> Canonical {
    let form = Canonical::of(command.as_move().as_str());
    let text = |form: Canonical, name, text: &Personal| form.with_personal(name, Some(text));
    match command {
        Command::Receive(receive) => received(form, receive),
        Command::Supplement { content } => text(form, "content", content),
        Command::Classify { business, category, urgency, grade } => {
            form.with("business", business).with("category", category).with("urgency", urgency).with("grade", grade)
        }
        Command::CloseAtFirstContact { answer } => text(form, "answer", answer),
        Command::Dispatch { to } => form.with("to", to),
        Command::Accept | Command::Resume => form,
        Command::Return { reason, note } => text(form.with("reason", reason), "note", note),
        Command::Reassign { to, reason } => text(form.with("to", to), "reason", reason),
        Command::ReportProgress(step) => reported(form, step),
        Command::Contact { outcome, note } => form.with("outcome", outcome).with_personal("note", note.as_ref()),
        Command::Reply(reply) => replied(form, reply),
        Command::AuditReply { verdict: Verdict::Passed { category } } => {
            form.with("passed", true).with("category", category)
        }
        Command::AuditReply { verdict: Verdict::SentBack { reason } } => text(form, "sent_back", reason),
        Command::Revisit { method, outcome, reasons, comment } => {
            let form = form.with("method", method).with("outcome", outcome).with("reasons", reasons);
            form.with_personal("comment", comment.as_ref())
        }
        Command::Close { explanation } => form.with_personal("explanation", explanation.as_ref()),
        Command::Supervise { demand } => text(form, "demand", demand),
        Command::Escalate { to, reason } => text(form.with("to", to), "reason", reason),
        Command::Suspend { reason, until, note } => {
            form.with("reason", reason).with("until", until).with_personal("note", note.as_ref())
        }
        Command::Extend { until, reason } => text(form.with("until", until), "reason", reason),
        Command::Merge { master, evidence } => text(form.with("master", master), "evidence", evidence),
        Command::Reopen { reason }
        | Command::Urge { reason }
        | Command::Unmerge { reason }
        | Command::Withdraw { reason } => text(form, "reason", reason),
        Command::Reveal { purpose } => form.with("purpose", purpose),
        Command::AcceptOffer { offer, fence } => form.with("offer", offer).with("fence", fence),
        Command::DeclineOffer { offer, fence, reason, note } => {
            let form = form.with("offer", offer).with("fence", fence).with("reason", reason);
            form.with_personal("note", note.as_ref())
        }
        Command::HandOver { needs, note } => text(form.with("needs", needs), "note", note),
        Command::Recall { crew, reason } | Command::Pin { crew, reason } => {
            text(form.with("crew", crew), "reason", reason)
        }
        // Only processes send these. They are recognised by their request ids.
        Command::AdoptChild { child } | Command::ReleaseChild { child } => form.with("child", child),
        Command::FollowMaster { master, restored } => form.with("master", master).with("restored", restored),
        Command::Offer(offer) => form.with("offer", offer.offer).with("attempt", offer.attempt),
        Command::EndOffer { offer, how } => form.with("offer", offer).with("how", how),
    }
}

fn received(form: Canonical, receive: &Receive) -> Canonical {
    let Receive {
        number: _,
        business,
        channel,
        received_by,
        caller,
        tier,
        address,
        content,
        place,
        premises,
        customers_out,
        confidential,
        call_id,
        hung_up_at,
        appointment,
        external,
        linked,
    } = receive;
    let Caller { anonymous, name, phone, account, phone_key: _, account_key: _ } = caller;
    form.with("business", business)
        .with("channel", channel)
        .with("received_by", received_by)
        .with("anonymous", anonymous)
        .with_personal("name", name.as_ref())
        .with_personal("phone", phone.as_ref())
        .with_personal("account", account.as_ref())
        .with("tier", tier)
        .with_personal("address", address.as_ref())
        .with_personal("content", Some(content))
        .with("place", place)
        .with("premises", premises)
        .with("customers_out", customers_out)
        .with("confidential", confidential)
        .with("call_id", call_id)
        .with("hung_up_at", hung_up_at)
        .with("appointment", appointment)
        .with("external", external)
        .with("linked", linked)
}

fn replied(form: Canonical, reply: &Reply) -> Canonical {
    let Reply { outcome, facts, cause, measures, customer_view, category, ownership, substantiated } = reply;
    form.with("outcome", outcome)
        .with_personal("facts", Some(facts))
        .with("cause", cause)
        .with_personal("measures", Some(measures))
        .with_personal("customer_view", customer_view.as_ref())
        .with("category", category)
        .with("ownership", ownership)
        .with("substantiated", substantiated.map(|found| if found { "yes" } else { "no" }))
}

fn reported(form: Canonical, step: &Step) -> Canonical {
    match step {
        Step::Accepted => form.with("step", "accepted"),
        Step::EnRoute => form.with("step", "en_route"),
        Step::Arrived { area } => form.with("step", "arrived").with("area", area),
        Step::Diagnosed { finding, category } => {
            form.with("step", "diagnosed").with_personal("finding", Some(finding)).with("category", category)
        }
        Step::EtrSet { etr } => form.with("step", "etr_set").with("etr", etr),
        Step::Restored => form.with("step", "restored"),
    }
}

/// The form of a command to a crew, without the crew.
#[must_use]
pub fn of_crew(command: &crew::Command) -> Canonical {
    use crew::Command;
    match command {
        Command::Enrol(enrol) => {
            let Enrol { crew, home, territory, skills, members, vehicle } = &**enrol;
            let form = Canonical::of("enrol").to_crew(crew).with("home", home).with("territory", territory);
            form.with("skills", skills).with("members", members).with("vehicle", vehicle)
        }
        Command::Dismiss => Canonical::of("dismiss"),
        Command::StartShift { until, breaks, at } => {
            Canonical::of("start_shift").with("until", until).with("breaks", breaks).with("at", at)
        }
        Command::EndShift => Canonical::of("end_shift"),
        Command::GoAway { why } => Canonical::of("go_away").with("why", why),
        Command::ComeBack => Canonical::of("come_back"),
        Command::Locate { at, accuracy_m } => Canonical::of("locate").with("at", at).with("accuracy_m", accuracy_m),
        // Only processes send these. They are recognised by their request ids.
        Command::Reserve(reserve) => Canonical::of("reserve").with("offer", reserve.offer),
        Command::Commit { ticket, offer } => Canonical::of("commit").to_ticket(*ticket).with("offer", offer),
        Command::Release { ticket, offer, why } => {
            Canonical::of("release").to_ticket(*ticket).with("offer", offer).with("why", why)
        }
    }
}

/// The form of a command to an operator's policies.
#[must_use]
pub fn of_policy(operator: &str, command: &PolicyCommand) -> Canonical {
    match command {
        PolicyCommand::Publish(policy) => Canonical::of("publish_policy").with("policy", policy),
        PolicyCommand::PublishShadow(policy) => Canonical::of("publish_shadow").with("policy", policy),
        PolicyCommand::EndShadow => Canonical::of("end_shadow"),
    }
    .with("operator", operator)
}

/// The form of a publication of a calendar year.
#[must_use]
pub fn of_calendar(name: &str, command: &PublishYear) -> Canonical {
    Canonical::of("publish_calendar").with("calendar", name).with("year", &command.year)
}
