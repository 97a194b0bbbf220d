//! Validation of a policy before it is published. It reports all faults at once, as data; each API words them. It does
//! not check the hash of a rule: the reader of the policy file computes it.
//!
//! - `bounds`: lists that are too long; checked before their entries are compared
//! - `condition`: conditions that no ticket meets
//! - `overlap`: two conditions that one ticket can meet
//! - `trigger`: triggers that no fact can fire
//! - `time`: limits and warning ladders

mod bounds;
mod condition;
mod overlap;
mod time;
mod trigger;

use std::{collections::BTreeSet, ops::RangeInclusive};

use chrono::Datelike;

use crate::{
    Timestamp,
    organisation::{Level, OrgPath},
    sla::{
        clock_history::{FactName, Reading, Word},
        policy::{Average, Policy, RULES_MAX, Rule, Title, Trigger, When},
    },
    ticket::Category,
};

/// The longest name of an operator or a calendar, in bytes. Stream names contain it.
pub const NAME_BYTES_MAX: usize = 32;
/// The longest id of a rule, and the longest name of a clock, in bytes.
pub const ID_BYTES_MAX: usize = 32;
/// The longest title, in bytes per language.
pub const TITLE_BYTES_MAX: usize = 256;
/// The longest source note, in bytes.
pub const SOURCE_BYTES_MAX: usize = 1_024;
/// The most averages in a policy.
pub const AVERAGES_MAX: usize = 50;
/// The most pauses in a rule.
pub const PAUSES_MAX: usize = 16;
/// The most values in one list of a condition.
pub const WHEN_VALUES_MAX: usize = 64;
/// The most triggers in one list of a rule, or in the end of one pause.
pub const TRIGGERS_MAX: usize = 16;
/// The most words, and the most levels, in one trigger.
pub const WORDS_MAX: usize = 16;
/// The years, in UTC, in which a policy can take effect. Stored instants have years of four digits.
pub const EFFECTIVE_YEARS: RangeInclusive<i32> = 1990..=2200;
/// The longest limit in working days.
pub const WORKING_DAYS_MAX: u32 = 250;
/// The longest window of an average, in days.
pub const WINDOW_DAYS_MAX: u32 = 400;

/// One fault of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The index of the rule in the policy; `None` when the fault is not in one rule.
    pub rule: Option<usize>,
    /// The index of the average in the policy; `None` when the fault is not in one average.
    pub average: Option<usize>,
    /// The faulty key as a policy file writes it: `start`, `when.area`, `pause.until`.
    pub key: &'static str,
    /// The index of the faulty entry, from 0. For `pause.from` and `pause.until` it is the index of the pause. `None`
    /// for the whole key.
    pub entry: Option<usize>,
    /// The kind of fault.
    pub flaw: Flaw,
}

/// The kinds of fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// A required value is empty.
    Empty,
    /// A text is longer than the limit.
    TooLong {
        /// The limit, in bytes.
        bytes_max: usize,
    },
    /// A list has more entries than the limit.
    TooMany {
        /// The limit.
        max: usize,
    },
    /// A trigger has more words, or more levels, than the limit.
    TooManyWords {
        /// The limit, of each.
        max: usize,
    },
    /// The year of an instant is outside [`EFFECTIVE_YEARS`].
    YearOutside {
        /// The year, in UTC.
        year: i32,
    },
    /// A name is empty, too long, or contains a character that is not permitted.
    NotAName {
        /// The longest name, in bytes.
        bytes_max: usize,
        /// The permitted characters, in English.
        of: &'static str,
    },
    /// An earlier rule or average has the same id.
    IdTaken {
        /// The id.
        id: String,
    },
    /// A limit or a warning is zero or negative.
    NotPositive,
    /// A time is longer than the limit.
    LongerThan {
        /// The limit, in days of the same basis.
        days_max: i64,
    },
    /// A share of the limit is not 1 to 99 per cent.
    NotAShare,
    /// A warning is earlier than the start of the clock.
    BeforeStart,
    /// A warning is not later than the one written before it.
    OutOfOrder,
    /// The condition requires a complaint grade, but none of its business types has one.
    NeverGraded,
    /// A required category lies within an excluded one.
    ShutOut {
        /// The required category.
        category: Category,
        /// The excluded category.
        by: Category,
    },
    /// A unit belongs to another operator.
    NotOfOperator {
        /// The unit.
        unit: OrgPath,
    },
    /// The condition excludes confidential tickets, but all its tickets are confidential.
    AlwaysConfidential,
    /// Another rule of the same clock can apply to the same ticket.
    Overlaps {
        /// The index of the other rule.
        rule: usize,
        /// The id of the other rule.
        id: String,
        /// The clock.
        clock: String,
    },
    /// The fact never happens to the tickets of the condition, or not with that word.
    NeverHappens {
        /// The fact.
        fact: FactName,
        /// The word; `None` when the fact itself cannot happen.
        word: Option<Word>,
    },
    /// The fact never carries that word.
    NotItsWord {
        /// The fact.
        fact: FactName,
        /// The word.
        word: Word,
    },
    /// No ticket is at that level after the fact.
    NeverAtLevel {
        /// The fact.
        fact: FactName,
        /// The level.
        level: Level,
    },
    /// The fact does not have that instant.
    NotItsTime {
        /// The fact.
        fact: FactName,
        /// The instant.
        time: Reading,
    },
    /// The fact does not extend a deadline.
    GrantsNoTime {
        /// The fact.
        fact: FactName,
    },
    /// The same fact starts the clock and ends it at the same instant, so the clock never runs.
    EndsAsItStarts {
        /// The fact.
        fact: FactName,
    },
}

/// All faults of a policy; empty when it can be published.
#[must_use]
pub fn faults(policy: &Policy) -> Vec<Fault> {
    let mut check = Check { found: Vec::new(), place: Place::Whole };
    let operator = check.name("operator", &policy.operator, NAME_BYTES_MAX).then_some(policy.operator.as_str());
    check.effective_from(policy.effective_from);
    check.name("calendar", &policy.calendar, NAME_BYTES_MAX);
    check.text("source", &policy.source, SOURCE_BYTES_MAX);
    if policy.rules.is_empty() {
        check.fault("clock", None, Flaw::Empty);
    }
    check.at_most("clock", None, policy.rules.len(), RULES_MAX);
    check.at_most("average", None, policy.averages.len(), AVERAGES_MAX);
    let (mut ids, mut comparable) = (BTreeSet::new(), Vec::new());
    for (index, rule) in policy.rules.iter().enumerate() {
        check.place = Place::Rule(index);
        let named = check.id(&rule.id, &mut ids);
        if check.rule(rule, operator) && named {
            comparable.push((index, rule));
        }
    }
    for (index, average) in policy.averages.iter().enumerate() {
        check.place = Place::Average(index);
        check.id(&average.id, &mut ids);
        check.average(average, operator);
    }
    // More rules than the limit are a fault already; comparing every pair would take too long.
    comparable.truncate(RULES_MAX);
    check.overlaps(&comparable);
    check.found
}

/// The part of the policy that is being checked.
#[derive(Clone, Copy)]
enum Place {
    Whole,
    Rule(usize),
    Average(usize),
}

/// The faults found so far.
struct Check {
    found: Vec<Fault>,
    place: Place,
}

impl Check {
    fn fault(&mut self, key: &'static str, entry: Option<usize>, flaw: Flaw) {
        let (rule, average) = match self.place {
            Place::Whole => (None, None),
            Place::Rule(index) => (Some(index), None),
            Place::Average(index) => (None, Some(index)),
        };
        self.found.push(Fault { rule, average, key, entry, flaw });
    }

    /// Checks one rule. Returns true when it can be compared with others: its clock has a valid name and no list is too
    /// long.
    fn rule(&mut self, rule: &Rule, operator: Option<&str>) -> bool {
        let named = self.name("clock", &rule.clock, ID_BYTES_MAX);
        self.labels(&rule.title, &rule.source);
        self.limit(rule.limit);
        for (key, required) in [("start", &rule.start), ("stop", &rule.stop)] {
            if required.is_empty() {
                self.fault(key, None, Flaw::Empty);
            }
        }
        if !self.bounds(rule) {
            return false;
        }
        self.condition(&rule.when, operator);
        self.warnings(&rule.warnings, rule.limit);
        for (key, list) in bounds::trigger_lists(rule) {
            for (entry, trigger) in list.iter().enumerate() {
                self.trigger(key, Some(entry), trigger, &rule.when);
            }
        }
        self.pauses(rule);
        self.grants(&rule.extend);
        self.ends_as_it_starts("stop", &rule.start, &rule.stop);
        self.ends_as_it_starts("cancel", &rule.start, &rule.cancel);
        named
    }

    fn pauses(&mut self, rule: &Rule) {
        for (entry, pause) in rule.pauses.iter().enumerate() {
            self.trigger("pause.from", Some(entry), &pause.from, &rule.when);
            if pause.until.is_empty() {
                self.fault("pause.until", Some(entry), Flaw::Empty);
            }
            for until in &pause.until {
                self.trigger("pause.until", Some(entry), until, &rule.when);
            }
        }
    }

    fn average(&mut self, average: &Average, operator: Option<&str>) {
        self.labels(&average.title, &average.source);
        if self.average_bounds(average) {
            self.condition(&average.when, operator);
            self.trigger("from", None, &average.from, &average.when);
            self.trigger("to", None, &average.to, &average.when);
        }
        self.seconds("limit", None, average.limit_seconds);
        if average.window_days == 0 {
            self.fault("window", None, Flaw::NotPositive);
        }
        if average.window_days > WINDOW_DAYS_MAX {
            self.fault("window", None, Flaw::LongerThan { days_max: WINDOW_DAYS_MAX.into() });
        }
    }

    fn effective_from(&mut self, from: Timestamp) {
        let year = from.year();
        if !EFFECTIVE_YEARS.contains(&year) {
            self.fault("effective_from", None, Flaw::YearOutside { year });
        }
    }

    /// Checks a name that unit paths and stream names contain (after the dash). Returns true when it is valid.
    fn name(&mut self, key: &'static str, name: &str, bytes_max: usize) -> bool {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let sound = (1..=bytes_max).contains(&name.len()) && name.bytes().all(plain);
        if !sound {
            self.fault(key, None, Flaw::NotAName { bytes_max, of: "a-z, 0-9 and _" });
        }
        sound
    }

    /// Checks an id: its form, and that no other rule or average has it. Returns true when its form is valid.
    fn id<'p>(&mut self, id: &'p str, ids: &mut BTreeSet<&'p str>) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
        let sound = (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(plain);
        if !sound {
            self.fault("id", None, Flaw::NotAName { bytes_max: ID_BYTES_MAX, of: "letters, digits, _, - and ." });
        }
        if !ids.insert(id) {
            self.fault("id", None, Flaw::IdTaken { id: id.to_owned() });
        }
        sound
    }

    fn labels(&mut self, title: &Title, source: &str) {
        self.text("title.zh", &title.zh, TITLE_BYTES_MAX);
        self.text("title.en", &title.en, TITLE_BYTES_MAX);
        self.text("source", source, SOURCE_BYTES_MAX);
    }

    fn text(&mut self, key: &'static str, text: &str, bytes_max: usize) {
        if text.trim().is_empty() {
            self.fault(key, None, Flaw::Empty);
        }
        if text.len() > bytes_max {
            self.fault(key, None, Flaw::TooLong { bytes_max });
        }
    }
}

#[cfg(test)]
mod tests;
