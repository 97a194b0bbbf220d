//! A policy: the rules of one operator's clocks, as data (服务承诺规则). These structs are stored as they are, and the hash
//! of a rule covers its stored form; so a new field must be skipped while it is empty, or every hash changes.
//! Validation is in [`super::check`], versions in [`super::registry`], the file format in `wire`.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    organisation::{Level, OrgPath},
    sla::clock_history::{Attributes, ClockEvent, FactName, Reading, Word},
    ticket::{Area, BusinessType, Category, Channel, Grade, Premises, Tier, Urgency},
};

/// The most steps in a warning ladder. Four levels (四级预警): Hebei patent 2018 (mark S).
pub const WARNINGS_MAX: usize = 4;
/// The most rules in a policy.
pub const RULES_MAX: usize = 200;
/// The longest limit in natural time, in days.
pub const LIMIT_DAYS_MAX: i64 = 366;

/// The rules of one operator. A policy judges every clock that starts at or after `effective_from` and before that of
/// the next version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The operator: the first segment of every unit's path.
    pub operator: String,
    /// The instant from which it applies.
    pub effective_from: Timestamp,
    /// The calendar that its working days and hours are read from.
    pub calendar: String,
    /// The documents that it is taken from.
    pub source: String,
    /// The rules. Rules with the same `clock` are alternatives: at most one of them applies to a ticket.
    pub rules: Vec<Rule>,
    /// Promises about the average of many tickets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub averages: Vec<Average>,
}

/// A text in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Title {
    /// The Chinese text.
    pub zh: String,
    /// The English text.
    pub en: String,
}

/// One rule: a clock for the tickets that meet its condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Its id in the operator's rule registry: `F05u`.
    pub id: String,
    /// The clock that it defines: `arrival`.
    pub clock: String,
    /// A description of the promise.
    pub title: Title,
    /// The document that states the limit.
    pub source: String,
    /// A hash of the rule's text, so that an auditor can check which text was applied.
    pub hash: String,
    /// The tickets that it applies to.
    #[serde(default, skip_serializing_if = "When::is_any")]
    pub when: When,
    /// The limit.
    pub limit: Limit,
    /// The triggers that start the clock. After an end, the next start begins a new run.
    pub start: Vec<Trigger>,
    /// The triggers that meet the promise, in time or not.
    pub stop: Vec<Trigger>,
    /// The pauses. The clock waits while any of them holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pauses: Vec<Pause>,
    /// The triggers that restart the clock with its full limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reset: Vec<Trigger>,
    /// The triggers that cancel the clock, without a verdict on the promise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cancel: Vec<Trigger>,
    /// The triggers that undo the last stop or cancel: the clock continues as if it had not ended. Unmerging undoes
    /// merges only; sending a reply back undoes replies only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revive: Vec<Trigger>,
    /// The triggers that extend the deadline: due is not before the instant that the fact names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extend: Vec<Trigger>,
    /// The warning ladder, earliest step first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

/// A condition on a ticket. An empty list permits every value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct When {
    /// Business types.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub business: Vec<BusinessType>,
    /// Categories that contain the ticket's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub category: Vec<Category>,
    /// Categories that do not contain the ticket's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub category_not: Vec<Category>,
    /// Permitted urgencies.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub urgency: Vec<Urgency>,
    /// Complaint grades.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grade: Vec<Grade>,
    /// Kinds of area; `None` permits a ticket whose area is unknown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub area: Vec<Option<Area>>,
    /// Customer tiers; `None` permits a ticket whose tier is unknown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tier: Vec<Option<Tier>>,
    /// Permitted channels.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channel: Vec<Channel>,
    /// Single or multiple premises; `None` permits a ticket that does not say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub premises: Vec<Option<Premises>>,
    /// Units that contain the holder, or are the holder.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub org: Vec<OrgPath>,
    /// Required value of `confidential`; `None` permits both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidential: Option<bool>,
    /// Required value of `anonymous`; `None` permits both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anonymous: Option<bool>,
    /// Required presence of an appointment; `None` permits both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appointment: Option<bool>,
}

impl When {
    /// True when the condition permits every ticket.
    #[must_use]
    pub fn is_any(&self) -> bool {
        *self == Self::default()
    }

    /// True when a ticket with these attributes meets the condition.
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

/// A fact that has an effect on a clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// The name of the fact.
    pub fact: FactName,
    /// The permitted words of the fact, for example the result of a contact. Empty permits all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub is: Vec<Word>,
    /// The permitted levels of the unit that holds the ticket after the fact. Empty permits all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub level: Vec<Level>,
    /// The instant of the fact that counts.
    #[serde(default, skip_serializing_if = "Reading::is_usual")]
    pub time: Reading,
}

impl Trigger {
    /// The instant at which `clock_event` fires this trigger; `None` when it does not. `level` is that of the holder
    /// after it.
    #[must_use]
    pub fn triggered(&self, clock_event: &ClockEvent, level: Level) -> Option<Timestamp> {
        let meant = self.fact == clock_event.fact
            && (self.is.is_empty() || clock_event.word.is_some_and(|word| self.is.contains(&word)))
            && (self.level.is_empty() || self.level.contains(&level));
        meant.then(|| clock_event.reading(self.time))
    }
}

/// A pause: the clock waits while it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// The trigger that begins it.
    pub from: Trigger,
    /// The triggers that end it.
    pub until: Vec<Trigger>,
}

/// The limit of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Natural time, day and night.
    Elapsed {
        /// The limit, in seconds.
        seconds: i64,
    },
    /// Working days. The deadline keeps the clock time of the start.
    WorkingDays {
        /// The limit, in days.
        days: u32,
    },
    /// Time within working hours.
    WorkingTime {
        /// The limit, in seconds.
        seconds: i64,
    },
}

/// A step of the warning ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The instant of the step.
    pub at: Threshold,
    /// The level of the unit to notify, among the units above the holder; `None` notifies the holder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tell: Option<Level>,
}

/// The instant of a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// The instant at which this share of the limit is used up: 1 to 99 per cent.
    Percent(u8),
    /// This many seconds of natural time before due.
    Before(i64),
}

/// A promise about the average of many tickets: `平均到达现场时长`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Average {
    /// Its id in the operator's rule registry.
    pub id: String,
    /// A description of the promise.
    pub title: Title,
    /// The document that states the limit.
    pub source: String,
    /// A hash of the rule's text.
    pub hash: String,
    /// The tickets that count.
    #[serde(default, skip_serializing_if = "When::is_any")]
    pub when: When,
    /// The start of the measured interval: the first matching fact of a cycle.
    pub from: Trigger,
    /// The end of the measured interval, in natural time: the last matching fact of the cycle.
    pub to: Trigger,
    /// The largest permitted mean, in seconds.
    pub limit_seconds: i64,
    /// The length of the rolling window, in days. A ticket counts when its interval ended in the window.
    pub window_days: u32,
    /// The level of the units that are compared.
    pub level: Level,
}

impl Limit {
    /// The kind of time that the limit counts.
    #[must_use]
    pub fn basis(&self) -> super::Basis {
        match self {
            Self::Elapsed { .. } => super::Basis::Elapsed,
            Self::WorkingDays { .. } => super::Basis::WorkingDays,
            Self::WorkingTime { .. } => super::Basis::WorkingTime,
        }
    }

    /// The amount of time, of the limit's basis, that a clock which starts at `start` may use. Working days are counted
    /// by date and keep the clock time; a start on a day off therefore uses none of that day.
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
