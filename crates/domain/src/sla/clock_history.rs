//! What the clocks look at of one ticket: when what happened, and what the ticket was then. Folded from its facts; texts,
//! people and everything that no clock can depend on are left out. Nothing is judged here.

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

/// Which instant of a fact counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// When it happened, by the clock of whoever reported it.
    #[default]
    Occurred,
    /// When the engine learnt it.
    Recorded,
    /// The end of the call that brought it; when it happened, if there was no call.
    HungUp,
    /// The instant agreed with the customer (约时); when it happened, if none was agreed.
    Appointment,
}

impl Reading {
    /// Whether it is the one that counts when none is named.
    pub(crate) fn is_usual(&self) -> bool {
        *self == Self::Occurred
    }
}

/// One fact, as far as clocks care.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockEvent {
    /// When it happened.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub at: Timestamp,
    /// When the engine learnt it.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub recorded: Timestamp,
    /// Its place in the log.
    pub position: u64,
    /// Which fact.
    pub fact: FactName,
    /// Its word, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<Word>,
    /// What it changed of the ticket.
    #[serde(default, skip_serializing_if = "Change::is_none")]
    pub change: Change,
}

/// What a fact changed of what clocks look at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Nothing.
    #[default]
    None,
    /// Everything: the ticket exists.
    Opened(Box<Opening>),
    /// What it is about.
    Classified(Box<Classification>),
    /// Who holds it.
    Holder(OrgPath),
    /// Its grade, type or urgency.
    Raised(Escalation),
    /// The kind of area, as found on site.
    Area(Area),
    /// Nothing, but it names an instant: an extension's end.
    Until(Timestamp),
    /// Nothing, but it says whether what was complained of was found true (属实).
    Found(bool),
}

impl Change {
    fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// A ticket as it was received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// Business type.
    pub business: BusinessType,
    /// Channel.
    pub channel: Channel,
    /// The unit that received it.
    pub received_by: OrgPath,
    /// Kind of area.
    pub area: Option<Area>,
    /// Customer tier.
    pub tier: Option<Tier>,
    /// Single or multiple premises.
    pub premises: Option<Premises>,
    /// Whether it is confidential.
    pub confidential: bool,
    /// Whether it is anonymous.
    pub anonymous: bool,
    /// The end of the call.
    pub hung_up: Option<Timestamp>,
    /// The instant agreed with the customer.
    pub appointment: Option<Timestamp>,
    /// Whether it was carried over from another system's records: what was due before is history, of which nobody is warned.
    pub imported: bool,
}

/// What a ticket was classified as.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Classification {
    /// Business type.
    pub business: BusinessType,
    /// Category.
    pub category: Category,
    /// Urgency.
    pub urgency: Urgency,
    /// Complaint grade.
    pub grade: Option<Grade>,
}

/// What a ticket is at some clock event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes<'a> {
    /// Business type.
    pub business: BusinessType,
    /// Accepted category.
    pub category: Option<&'a Category>,
    /// Urgency.
    pub urgency: Urgency,
    /// Complaint grade.
    pub grade: Option<Grade>,
    /// Kind of area.
    pub area: Option<Area>,
    /// Customer tier.
    pub tier: Option<Tier>,
    /// Channel.
    pub channel: Channel,
    /// Single or multiple premises.
    pub premises: Option<Premises>,
    /// Whether it is confidential.
    pub confidential: bool,
    /// Whether it is anonymous.
    pub anonymous: bool,
    /// The instant agreed with the customer.
    pub appointment: Option<Timestamp>,
    /// Who holds it.
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
            // The work starts anew with the unit that received it.
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

    /// The level of whoever holds it.
    #[must_use]
    pub fn level(&self) -> Level {
        self.holder.level()
    }
}

impl ClockEvent {
    /// What clocks care about of a fact; `None` when no clock can.
    #[must_use]
    pub fn of(fact: &Recorded<Event, TicketId>) -> Option<Self> {
        let (name, word, change) = read(&fact.event, fact.actor.role)?;
        Some(Self {
            at: fact.occurred_at,
            recorded: fact.recorded_at,
            position: fact.position,
            fact: name,
            word,
            change,
        })
    }

    /// The first of its instants.
    pub(super) fn earliest(&self) -> Timestamp {
        self.reading(Reading::HungUp).min(self.at).min(self.recorded).min(self.reading(Reading::Appointment))
    }

    /// One of its instants.
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

/// The clocks' view of one event.
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
        // What an offer comes to is told by the dispatch and the acceptance, or the reassignment, that stand beside it.
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

/// A ticket as its clocks see it. `None` of the accessors before its first fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockHistory {
    /// Which ticket.
    pub id: TicketId,
    /// Its facts in the order of the log.
    pub events: Vec<ClockEvent>,
    /// What was said of its promises.
    #[serde(default, skip_serializing_if = "promise::PromiseLog::is_empty")]
    pub said: promise::PromiseLog,
}

impl ClockHistory {
    /// A ticket of which nothing is known.
    #[must_use]
    pub fn new(id: TicketId) -> Self {
        Self { id, events: Vec::new(), said: promise::PromiseLog::default() }
    }

    /// Takes a fact of the ticket into account; whether anything changed. A fact seen before is passed over.
    pub fn take(&mut self, fact: &Recorded<Event, TicketId>) -> bool {
        if self.events.last().is_some_and(|last| last.position >= fact.position) {
            return false;
        }
        let Some(clock_event) = ClockEvent::of(fact) else { return false };
        // A watch holds very many clock histories, and each grows by a dozen facts over hours or days.
        self.events.reserve_exact(1);
        self.events.push(clock_event);
        true
    }

    /// How the ticket was received.
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

    /// Whether the ticket has ended, as far as the log tells.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let ends = |m: &&ClockEvent| m.fact.ends_the_ticket() || m.fact == FactName::Reopened;
        self.events.iter().rev().find(ends).is_some_and(|last| last.fact != FactName::Reopened)
    }

    /// Its facts in the order in which they happened, each with what the ticket was after it.
    #[must_use]
    pub fn timeline(&self) -> Vec<(&ClockEvent, Attributes<'_>)> {
        timeline(&self.events)
    }
}

/// [`ClockHistory::timeline`] of the facts up to some place in the log.
pub(super) fn timeline(events: &[ClockEvent]) -> Vec<(&ClockEvent, Attributes<'_>)> {
    let Some(Change::Opened(opening)) = events.first().map(|first| &first.change) else { return Vec::new() };
    let mut order: Vec<&ClockEvent> = events.iter().collect();
    // Nothing happens to a ticket before it is received, whatever a device's clock says.
    order[1..].sort_by_key(|clock_event| (clock_event.at, clock_event.position));
    let mut attributes = Attributes::opened(opening);
    let after = order.into_iter().map(|clock_event| {
        attributes = attributes.after(clock_event, opening);
        (clock_event, attributes)
    });
    after.collect()
}
