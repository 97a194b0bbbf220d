//! What is wrong with a policy, whatever it is read from: found before it is published, never while it judges. All of it at once,
//! as data; a border words it. Nothing is repaired here, and the hash of a rule is not looked at: whoever reads the text makes it.
//!
//! - `bounds`: lists that are too long, told before anything compares their entries
//! - `condition`: what no ticket can be
//! - `overlap`: when two conditions can hold for one ticket
//! - `trigger`: facts that cannot happen, or not so
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

/// The longest name of an operator or a calendar, in bytes: it is part of a stream's name.
pub const NAME_BYTES_MAX: usize = 32;
/// The longest id of a rule and name of a clock, in bytes.
pub const ID_BYTES_MAX: usize = 32;
/// The longest title, in bytes of each language.
pub const TITLE_BYTES_MAX: usize = 256;
/// The longest note of a source, in bytes.
pub const SOURCE_BYTES_MAX: usize = 1_024;
/// The averages of a policy, at most.
pub const AVERAGES_MAX: usize = 50;
/// The pauses of a rule, at most.
pub const PAUSES_MAX: usize = 16;
/// The values of each list of a condition, at most.
pub const WHEN_VALUES_MAX: usize = 64;
/// The triggers of each list of a rule, at most; of a pause, those that end it.
pub const TRIGGERS_MAX: usize = 16;
/// The words of a trigger, at most, and as many levels.
pub const WORDS_MAX: usize = 16;
/// The years, in UTC, in which a policy can come into force. Readers of its stored form take years of four digits, and no promise
/// is older than the trade's first.
pub const EFFECTIVE_YEARS: RangeInclusive<i32> = 1990..=2200;
/// The longest limit in working days.
pub const WORKING_DAYS_MAX: u32 = 250;
/// The longest window of an average, in days.
pub const WINDOW_DAYS_MAX: u32 = 400;

/// One fault of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The rule's place in the policy; `None` when it is not about one rule.
    pub rule: Option<usize>,
    /// The average's place in the policy; `None` when it is not about one average.
    pub average: Option<usize>,
    /// The key that is meant, as a policy file writes it: `start`, `when.area`, `pause.until`.
    pub key: &'static str,
    /// Which entry of that key, from 0; of `pause.from` and `pause.until` which pause. `None` when the whole key is meant.
    pub entry: Option<usize>,
    /// What is wrong there.
    pub flaw: Flaw,
}

/// What can be wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Required, and empty.
    Empty,
    /// A text that is longer than the limit, in bytes.
    TooLong {
        /// The most that is taken.
        bytes_max: usize,
    },
    /// More entries than the limit.
    TooMany {
        /// The most that is taken.
        max: usize,
    },
    /// A trigger with more words, or levels, than the limit.
    TooManyWords {
        /// The most that is taken, of each.
        max: usize,
    },
    /// An instant in a year that is not among [`EFFECTIVE_YEARS`].
    YearOutside {
        /// The year, in UTC.
        year: i32,
    },
    /// Not of the form that a name has: 1 to so many bytes of the characters that are taken there.
    NotAName {
        /// The longest name.
        bytes_max: usize,
        /// The characters, for people.
        of: &'static str,
    },
    /// Another rule or average before it has the same id.
    IdTaken {
        /// That id.
        id: String,
    },
    /// A limit or a warning of no time at all, or less.
    NotPositive,
    /// A time that is longer than the limit, in days of its own kind.
    LongerThan {
        /// The most that is taken.
        days_max: i64,
    },
    /// A share of the limit that is not 1 to 99 per cent.
    NotAShare,
    /// A warning so long before due that the clock has not started.
    BeforeStart,
    /// A warning that comes no later than one that is written before it.
    OutOfOrder,
    /// Complaint grades are asked for, and none of the business types has one.
    NeverGraded,
    /// A category that lies within one that is shut out.
    ShutOut {
        /// The one that is asked for.
        category: Category,
        /// The one that is shut out.
        by: Category,
    },
    /// A unit of another operator.
    NotOfOperator {
        /// That unit.
        unit: OrgPath,
    },
    /// Asked not to be confidential, where every ticket is.
    AlwaysConfidential,
    /// A ticket can be meant by this rule and by another of the same clock.
    Overlaps {
        /// The other rule's place.
        rule: usize,
        /// Its id.
        id: String,
        /// The clock.
        clock: String,
    },
    /// A fact that happens to no ticket that is meant, or not with that word.
    NeverHappens {
        /// The fact.
        fact: FactName,
        /// The word, when it is the word's fault.
        word: Option<Word>,
    },
    /// A word that the fact never carries.
    NotItsWord {
        /// The fact.
        fact: FactName,
        /// The word.
        word: Word,
    },
    /// A level that no ticket is at after the fact.
    NeverAtLevel {
        /// The fact.
        fact: FactName,
        /// The level.
        level: Level,
    },
    /// An instant that the fact does not have.
    NotItsTime {
        /// The fact.
        fact: FactName,
        /// The instant.
        time: Reading,
    },
    /// A fact that grants no time.
    GrantsNoTime {
        /// The fact.
        fact: FactName,
    },
    /// What starts the clock also ends it, at the same instant: it never runs.
    EndsAsItStarts {
        /// The fact.
        fact: FactName,
    },
}

/// All faults of a policy; none when it can be published.
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
    // Past the limit of rules that limit is fault enough; the pairs would be too many to look at.
    comparable.truncate(RULES_MAX);
    check.overlaps(&comparable);
    check.found
}

/// Which part of a policy is being looked at.
#[derive(Clone, Copy)]
enum Place {
    Whole,
    Rule(usize),
    Average(usize),
}

/// What was found so far.
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

    /// What is wrong with a rule. Answers whether it can be compared with others: its clock has a name, and no list is too long.
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

    /// A name that can stand in a unit's path and, after the dash, in a stream's name. Answers whether it is one.
    fn name(&mut self, key: &'static str, name: &str, bytes_max: usize) -> bool {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let sound = (1..=bytes_max).contains(&name.len()) && name.bytes().all(plain);
        if !sound {
            self.fault(key, None, Flaw::NotAName { bytes_max, of: "a-z, 0-9 and _" });
        }
        sound
    }

    /// An id as rule registries have them; no two rules or averages share one. Answers whether it has the form of one.
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
