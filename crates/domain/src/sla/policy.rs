//! A policy: the clocks of one operator's tickets, as data (服务承诺规则). These structs are also stored, and a rule's hash covers its
//! stored form: a field that comes later is left out while it says nothing, or every hash would change. What is wrong with one is said in [`super::check`]; its
//! file form is `wire`'s. Which version judges what is [`super::registry`]'s.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    organisation::{Level, OrgPath},
    sla::clock_history::{Attributes, ClockEvent, FactName, Reading, Word},
    ticket::{Area, BusinessType, Category, Channel, Grade, Premises, Tier, Urgency},
};

/// The steps of a warning ladder (四级预警), at most.
pub const WARNINGS_MAX: usize = 4;
/// The rules of a policy, at most.
pub const RULES_MAX: usize = 200;
/// The longest limit in natural time.
pub const LIMIT_DAYS_MAX: i64 = 366;

/// The clocks of one operator, from one instant on. Judges every clock that starts at or after `effective_from` and before
/// the next version's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The operator: the first segment of every unit's path.
    pub operator: String,
    /// From when on.
    pub effective_from: Timestamp,
    /// The calendar that its working days and hours are read from.
    pub calendar: String,
    /// Where it is written.
    pub source: String,
    /// The clocks. Rules of the same `clock` are alternatives: at most one of them fits a ticket.
    pub rules: Vec<Rule>,
    /// Promises about an average, not about one ticket.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub averages: Vec<Average>,
}

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Title {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// One clock for some tickets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its name in the operator's rule registry: `F05u`.
    pub id: String,
    /// The clock that it is an alternative of: `arrival`.
    pub clock: String,
    /// What is promised.
    pub title: Title,
    /// Where it is written.
    pub source: String,
    /// A hash of the rule's text: what an auditor holds against the policy.
    pub hash: String,
    /// Which tickets.
    #[serde(default, skip_serializing_if = "When::is_any")]
    pub when: When,
    /// How long.
    pub limit: Limit,
    /// What starts it. After it ended, the next start begins another lap.
    pub start: Vec<Trigger>,
    /// What stops it: the promise was met at that instant, in time or not.
    pub stop: Vec<Trigger>,
    /// What makes it wait. The clock waits while any of them holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
    /// What starts it over from nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reset: Vec<Trigger>,
    /// What ends it without verdict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cancel: Vec<Trigger>,
    /// What undoes its last stop or cancel: it goes on as though it had never ended. An unmerging undoes merges and nothing else,
    /// a reply that is sent back undoes replies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revive: Vec<Trigger>,
    /// What grants more time: due is then no earlier than the instant that the fact names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extend: Vec<Trigger>,
    /// The warning ladder, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// A condition on a ticket. An empty list lets every value through.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct When {
    /// Business types.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub business: Vec<BusinessType>,
    /// Categories that the ticket's lies within.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub category: Vec<Category>,
    /// Categories that it does not lie within.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub category_not: Vec<Category>,
    /// Urgencies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urgency: Vec<Urgency>,
    /// Complaint grades.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grade: Vec<Grade>,
    /// Kinds of area; `None` stands for one that nobody has said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub area: Vec<Option<Area>>,
    /// Customer tiers; `None` stands for one that nobody has said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tier: Vec<Option<Tier>>,
    /// Channels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channel: Vec<Channel>,
    /// Single or multiple premises; `None` stands for one that nobody has said.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub premises: Vec<Option<Premises>>,
    /// Units that the holder is or lies within.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub org: Vec<OrgPath>,
    /// Whether it is confidential.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidential: Option<bool>,
    /// Whether it is anonymous.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymous: Option<bool>,
    /// Whether an appointment was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appointment: Option<bool>,
}

impl When {
    /// Whether every ticket is meant.
    #[must_use]
    pub fn is_any(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a ticket is meant.
    #[must_use]
    pub fn admits(&self, ticket: &Attributes<'_>) -> bool {
        fn one<T: PartialEq>(list: &[T], value: &T) -> bool {
            list.is_empty() || list.contains(value)
        }
        let within = |list: &[Category]| ticket.category.is_some_and(|own| list.iter().any(|c| c.contains(own)));
        one(&self.business, &ticket.business)
            && one(&self.urgency, &ticket.urgency)
            && (self.grade.is_empty() || ticket.grade.is_some_and(|grade| self.grade.contains(&grade)))
            && one(&self.area, &ticket.area)
            && one(&self.tier, &ticket.tier)
            && one(&self.channel, &ticket.channel)
            && one(&self.premises, &ticket.premises)
            && self.confidential.is_none_or(|wanted| wanted == ticket.confidential)
            && self.anonymous.is_none_or(|wanted| wanted == ticket.anonymous)
            && self.appointment.is_none_or(|wanted| wanted == ticket.appointment.is_some())
            && (self.category.is_empty() || within(&self.category))
            && !within(&self.category_not)
            && (self.org.is_empty() || self.org.iter().any(|unit| unit.contains(ticket.holder)))
    }
}

/// A fact that does something to a clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// Which fact.
    pub fact: FactName,
    /// Only with one of these words: how a contact ended, why it was suspended. Empty lets all through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<Word>,
    /// Only when the ticket is with a unit of one of these levels after it. Empty lets all through.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub level: Vec<Level>,
    /// Which of the fact's instants counts.
    #[serde(default, skip_serializing_if = "Reading::is_usual")]
    pub time: Reading,
}

impl Trigger {
    /// The instant at which `clock_event`, after which the ticket is with a unit of `level`, pulls this trigger.
    #[must_use]
    pub fn triggered(&self, clock_event: &ClockEvent, level: Level) -> Option<Timestamp> {
        let meant = self.fact == clock_event.fact
            && (self.is.is_empty() || clock_event.word.is_some_and(|word| self.is.contains(&word)))
            && (self.level.is_empty() || self.level.contains(&level));
        meant.then(|| clock_event.reading(self.time))
    }
}

/// While it holds, a clock waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// What begins it.
    pub from: Trigger,
    /// What ends it.
    pub until: Vec<Trigger>,
}

/// How long a clock may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Natural time, in seconds.
    Elapsed {
        /// Seconds.
        seconds: i64,
    },
    /// Working days; the deadline keeps the clock time of the start.
    WorkingDays {
        /// Days.
        days: u32,
    },
    /// Time within the working hours, in seconds.
    WorkingTime {
        /// Seconds.
        seconds: i64,
    },
}

/// A step of the warning ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// When.
    pub at: Threshold,
    /// The level whose unit is told, of those that the ticket passed; `None` tells the holder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tell: Option<Level>,
}

/// When a warning is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// So many per cent of the limit are used up, 1 to 99.
    Percent(u8),
    /// So many seconds of natural time before due.
    Before(i64),
}

/// A promise about the mean of many tickets: `平均到达现场时长`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Average {
    /// Its name in the operator's rule registry.
    pub id: String,
    /// What is promised.
    pub title: Title,
    /// Where it is written.
    pub source: String,
    /// A hash of the rule's text.
    pub hash: String,
    /// Which tickets.
    #[serde(default, skip_serializing_if = "When::is_any")]
    pub when: When,
    /// From the first of these facts of a cycle...
    pub from: Trigger,
    /// ...to the last of these, in natural time.
    pub to: Trigger,
    /// The mean is to be at most so many seconds.
    pub limit_seconds: i64,
    /// Over the tickets whose `to` lies in so many days before.
    pub window_days: u32,
    /// For each unit of this level.
    pub level: Level,
}

impl Limit {
    /// The time in which it counts.
    #[must_use]
    pub fn basis(&self) -> super::Basis {
        match self {
            Self::Elapsed { .. } => super::Basis::Elapsed,
            Self::WorkingDays { .. } => super::Basis::WorkingDays,
            Self::WorkingTime { .. } => super::Basis::WorkingTime,
        }
    }

    /// How much time of its basis a clock has that starts at `start`. Working days are counted by date and keep the clock time, so
    /// that a start on a day off has less of its first day than of the others.
    #[must_use]
    pub fn budget(&self, start: Timestamp, calendar: &super::calendar::Calendar) -> TimeDelta {
        match *self {
            Self::Elapsed { seconds } | Self::WorkingTime { seconds } => {
                TimeDelta::try_seconds(seconds).unwrap_or(TimeDelta::MAX)
            }
            Self::WorkingDays { days } => {
                calendar.measure(self.basis(), start, calendar.after_working_days(start, days))
            }
        }
    }
}
