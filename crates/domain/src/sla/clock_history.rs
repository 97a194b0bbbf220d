//! A clock history: the facts of one ticket that clocks depend on, each with its instants and the attributes that it
//! changed. It has no texts, no persons and no verdicts.

mod names;

use serde::{Deserialize, Serialize};

pub use self::names::{FactName, Word};
use crate::{
    Timestamp,
    actor::Role,
    decider::Recorded,
    organisation::{Level, OrgPath},
    sla::promise,
    ticket::{
        Area, BusinessType, Category, Channel, Escalation, Event, Grade, Premises, TicketId, Tier, Urgency,
        event::Received,
    },
};

/// An instant of a fact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// The instant at which it happened, by the reporter's clock.
    #[default]
    Occurred,
    /// The instant at which the engine recorded it.
    Recorded,
    /// The end of the call that brought it; if there was no call, the instant at which it happened.
    HungUp,
    /// The appointment with the customer (约时); if there is none, the instant at which it happened.
    Appointment,
}

impl Reading {
    /// True for the instant that counts when a rule names none.
    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::Occurred
    }
}

/// A fact, reduced to what clocks depend on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockEvent {
    /// The instant at which it happened.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub at: Timestamp,
    /// The instant at which the engine recorded it.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub recorded: Timestamp,
    /// Its position in the log.
    pub position: u64,
    /// Its revision in the ticket's stream.
    pub revision: u64,
    /// The name of the fact.
    pub fact: FactName,
    /// Its word, if it carries one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<Word>,
    /// The change to the ticket's attributes.
    #[serde(default, skip_serializing_if = "Change::is_none")]
    pub change: Change,
}

/// The change that a fact made to the attributes that clocks depend on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// No change.
    #[default]
    None,
    /// The ticket was received: all attributes are set.
    Opened(Box<Opening>),
    /// Business type, category, urgency or grade changed.
    Classified(Box<Classification>),
    /// The holder changed.
    Holder(OrgPath),
    /// The grade, the type or the urgency was raised.
    Raised(Escalation),
    /// The crew corrected the kind of area on site.
    Area(Area),
    /// No attribute changed; the fact names the end of an extension.
    Until(Timestamp),
    /// No attribute changed; the fact says whether the complaint was substantiated (属实).
    Found(bool),
}

impl Change {
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// The attributes of a ticket when it was received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Business type.
    pub business: BusinessType,
    /// The channel of the report.
    pub channel: Channel,
    /// The unit that received it.
    pub received_by: OrgPath,
    /// Kind of area.
    pub area: Option<Area>,
    /// Customer tier.
    pub tier: Option<Tier>,
    /// Single or multiple premises.
    pub premises: Option<Premises>,
    /// True when the ticket is confidential.
    pub confidential: bool,
    /// True when the customer is anonymous.
    pub anonymous: bool,
    /// The end of the call.
    pub hung_up: Option<Timestamp>,
    /// The instant agreed with the customer.
    pub appointment: Option<Timestamp>,
    /// True when the ticket was imported from another system. No warning and no breach is recorded for what was due
    /// before the import.
    pub imported: bool,
}

/// The attributes that a classification sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classification {
    /// Business type.
    pub business: BusinessType,
    /// The accepted category.
    pub category: Category,
    /// The urgency.
    pub urgency: Urgency,
    /// Complaint grade.
    pub grade: Option<Grade>,
}

/// The attributes of a ticket after some clock event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes<'a> {
    /// Business type.
    pub business: BusinessType,
    /// Accepted category.
    pub category: Option<&'a Category>,
    /// The urgency.
    pub urgency: Urgency,
    /// Complaint grade.
    pub grade: Option<Grade>,
    /// Kind of area.
    pub area: Option<Area>,
    /// Customer tier.
    pub tier: Option<Tier>,
    /// The channel of the report.
    pub channel: Channel,
    /// Single or multiple premises.
    pub premises: Option<Premises>,
    /// True when the ticket is confidential.
    pub confidential: bool,
    /// True when the customer is anonymous.
    pub anonymous: bool,
    /// The instant agreed with the customer.
    pub appointment: Option<Timestamp>,
    /// The unit that holds it.
    pub holder: &'a OrgPath,
}

impl<'a> Attributes<'a> {
    fn opened(opening: &'a Opening) -> Self {
        Self {
            business: opening.business,
            category: None,
            urgency: Urgency::Normal,
            grade: None,
            area: opening.area,
            tier: opening.tier,
            channel: opening.channel,
            premises: opening.premises,
            confidential: opening.confidential,
            anonymous: opening.anonymous,
            appointment: opening.appointment,
            holder: &opening.received_by,
        }
    }

    fn after(self, clock_event: &'a ClockEvent, opening: &'a Opening) -> Self {
        match &clock_event.change {
            // Work starts again at the unit that received the ticket.
            _ if clock_event.fact == FactName::Reopened => Self { holder: &opening.received_by, ..self },
            Change::None | Change::Opened(_) | Change::Until(_) | Change::Found(_) => self,
            Change::Classified(c) => Self {
                business: c.business,
                category: Some(&c.category),
                urgency: c.urgency,
                grade: c.grade,
                confidential: self.confidential
                    || (crate::ticket::path::of(c.business).always_confidential && !self.anonymous),
                ..self
            },
            Change::Holder(holder) => Self { holder, ..self },
            Change::Area(area) => Self { area: Some(*area), ..self },
            Change::Raised(Escalation::Complaint(grade)) => {
                Self { business: BusinessType::Complaint, grade: Some(*grade), ..self }
            }
            Change::Raised(Escalation::Grade(grade)) => Self { grade: Some(*grade), ..self },
            Change::Raised(Escalation::Urgent) => Self { urgency: Urgency::Urgent, ..self },
        }
    }

    /// The level of the unit that holds the ticket.
    #[must_use]
    pub fn level(&self) -> Level {
        self.holder.level()
    }
}

impl ClockEvent {
    /// The clock event of a fact; `None` when no clock depends on the fact.
    #[must_use]
    pub fn of(fact: &Recorded<Event, TicketId>) -> Option<Self> {
        let (name, word, change) = read(&fact.event, fact.actor.role)?;
        Some(Self {
            at: fact.occurred_at,
            recorded: fact.recorded_at,
            position: fact.position,
            revision: fact.revision,
            fact: name,
            word,
            change,
        })
    }

    /// The earliest of its instants.
    pub(super) fn earliest(&self) -> Timestamp {
        self.reading(Reading::HungUp).min(self.at).min(self.recorded).min(self.reading(Reading::Appointment))
    }

    /// The instant that `which` selects.
    #[must_use]
    pub fn reading(&self, which: Reading) -> Timestamp {
        let opening = match &self.change {
            Change::Opened(opening) => Some(opening),
            _ => None,
        };
        match which {
            Reading::Occurred => self.at,
            Reading::Recorded => self.recorded,
            Reading::HungUp => opening.and_then(|o| o.hung_up).unwrap_or(self.at),
            Reading::Appointment => opening.and_then(|o| o.appointment).unwrap_or(self.at),
        }
    }
}

/// The name, word and change of one event; `None` when no clock depends on it.
fn read(event: &Event, role: Role) -> Option<(FactName, Option<Word>, Change)> {
    let word = |name: &str| Word::parse(name);
    let plain = |name| Some((name, None, Change::None));
    let said = |name, text: &str| Some((name, word(text), Change::None));
    let held = |name, to: &OrgPath| Some((name, None, Change::Holder(to.clone())));
    match event {
        Event::Received(e) => Some((FactName::Received, None, Change::Opened(Box::new(opening(e, role))))),
        Event::Classified(e) => {
            let (business, category, urgency, grade) = (e.business, e.category.clone(), e.urgency, e.grade);
            let change = Change::Classified(Box::new(Classification { business, category, urgency, grade }));
            Some((FactName::Classified, None, change))
        }
        Event::Dispatched(e) => held(FactName::Dispatched, &e.to),
        Event::Reassigned(e) => held(FactName::Reassigned, &e.to),
        Event::Returned(e) => Some((FactName::Returned, word(e.reason.as_str()), Change::Holder(e.to.clone()))),
        Event::CrewArrived(e) => Some((FactName::CrewArrived, None, e.area.map_or(Change::None, Change::Area))),
        Event::Extended(e) => Some((FactName::Extended, None, Change::Until(e.until))),
        Event::Escalated(e) => {
            let name = match e.to {
                Escalation::Complaint(_) => Word::Complaint,
                Escalation::Grade(_) => Word::Grade,
                Escalation::Urgent => Word::Urgent,
            };
            Some((FactName::Escalated, Some(name), Change::Raised(e.to)))
        }
        Event::Contacted(e) => said(FactName::Contacted, e.outcome.as_str()),
        Event::Suspended(e) => said(FactName::Suspended, e.reason.as_str()),
        Event::Replied(e) => {
            let found = e.substantiated.map_or(Change::None, Change::Found);
            Some((FactName::Replied, word(e.outcome.as_str()), found))
        }
        Event::ReplyPassed(e) => said(FactName::ReplyPassed, if e.last { "last" } else { "more" }),
        Event::RevisitAttempted(e) => said(FactName::RevisitAttempted, e.outcome.as_str()),
        Event::Revisited(e) => said(FactName::Revisited, e.outcome.as_str()),
        Event::ClosedAtFirstContact(_) => plain(FactName::ClosedAtFirstContact),
        Event::Accepted(_) => plain(FactName::Accepted),
        Event::CrewAccepted(_) => plain(FactName::CrewAccepted),
        Event::CrewEnRoute(_) => plain(FactName::CrewEnRoute),
        Event::CrewDiagnosed(_) => plain(FactName::CrewDiagnosed),
        Event::EtrSet(_) => plain(FactName::EtrSet),
        Event::CrewRestored(_) => plain(FactName::CrewRestored),
        Event::ReplySentBack(_) => plain(FactName::ReplySentBack),
        Event::Reopened(_) => plain(FactName::Reopened),
        Event::Closed(_) => plain(FactName::Closed),
        Event::Urged(_) => plain(FactName::Urged),
        Event::Supervised(_) => plain(FactName::Supervised),
        Event::Resumed(_) => plain(FactName::Resumed),
        Event::Merged(_) => plain(FactName::Merged),
        Event::Unmerged(_) => plain(FactName::Unmerged),
        Event::MasterFollowed(_) => plain(FactName::MasterFollowed),
        Event::Withdrawn(_) => plain(FactName::Withdrawn),
        Event::Supplemented(_) | Event::ChildAdopted(_) | Event::ChildReleased(_) | Event::PersonalRevealed(_) => None,
        // The facts appended with it (dispatch and acceptance, or reassignment) carry the result of an offer.
        Event::Offered(_) | Event::OfferAccepted(_) | Event::OfferEnded(_) => None,
        Event::HandedOver(_) | Event::Recalled(_) | Event::Pinned(_) => None,
    }
}

fn opening(e: &Received, role: Role) -> Opening {
    Opening {
        business: e.business,
        channel: e.channel,
        received_by: e.received_by.clone(),
        area: e.place.area,
        tier: e.tier,
        premises: e.premises,
        confidential: e.confidential,
        anonymous: e.anonymous,
        hung_up: e.hung_up_at,
        appointment: e.appointment,
        imported: role == Role::Importer,
    }
}

/// The clock history of one ticket. The accessors return `None` before its first fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockHistory {
    /// The ticket.
    pub id: TicketId,
    /// Its clock events, in the order of the log.
    pub events: Vec<ClockEvent>,
    /// The warnings and breaches recorded so far.
    #[serde(default, skip_serializing_if = "promise::PromiseLog::is_empty")]
    pub announced: promise::PromiseLog,
}

impl ClockHistory {
    /// An empty history.
    #[must_use]
    pub fn new(id: TicketId) -> Self {
        Self { id, events: Vec::new(), announced: promise::PromiseLog::default() }
    }

    /// Adds a fact of the ticket. Returns true when the history changed; a fact at or before the last position is
    /// ignored.
    pub fn take(&mut self, fact: &Recorded<Event, TicketId>) -> bool {
        if self.events.last().is_some_and(|last| last.position >= fact.position) {
            return false;
        }
        let Some(clock_event) = ClockEvent::of(fact) else { return false };
        // A watch holds very many histories, and each grows by a dozen facts over hours or days: save memory, not time.
        self.events.reserve_exact(1);
        self.events.push(clock_event);
        true
    }

    /// The attributes at receipt.
    #[must_use]
    pub fn opening(&self) -> Option<&Opening> {
        match &self.events.first()?.change {
            Change::Opened(opening) => Some(opening),
            _ => None,
        }
    }

    /// The operator that the ticket belongs to.
    #[must_use]
    pub fn operator(&self) -> Option<&str> {
        self.opening()?.received_by.as_str().split('/').next()
    }

    /// True when the last end of the ticket has not been followed by a reopening.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let ends = |m: &&ClockEvent| m.fact.ends_the_ticket() || m.fact == FactName::Reopened;
        self.events.iter().rev().find(ends).is_some_and(|last| last.fact != FactName::Reopened)
    }

    /// The clock events in the order in which they happened, each with the ticket's attributes after it.
    #[must_use]
    pub fn timeline(&self) -> Vec<(&ClockEvent, Attributes<'_>)> {
        timeline(&self.events)
    }
}

/// [`ClockHistory::timeline`] of a prefix of the events.
pub(super) fn timeline(events: &[ClockEvent]) -> Vec<(&ClockEvent, Attributes<'_>)> {
    let Some(Change::Opened(opening)) = events.first().map(|first| &first.change) else { return Vec::new() };
    let mut order: Vec<&ClockEvent> = events.iter().collect();
    // No fact comes before the receipt, even if a device's clock says so.
    order[1..].sort_by_key(|clock_event| (clock_event.at, clock_event.position));
    let mut attributes = Attributes::opened(opening);
    let after = order.into_iter().map(|clock_event| {
        attributes = attributes.after(clock_event, opening);
        (clock_event, attributes)
    });
    after.collect()
}
