//! The contents of `[[clock]]` and `[[average]]`: conditions, triggers, limits, warnings. The domain checks that they
//! are consistent.

use switchboard_domain::{
    organisation::{Level, OrgPath},
    sla::{
        clock_history::{FactName, Reading, Word},
        policy::{Average, Limit, Pause, Rule, Threshold, Title, Trigger, Warning, When},
    },
    ticket::{Area, BusinessType, Category, Channel, Grade, Premises, Tier, Urgency},
};

use super::amount::{self, LIMIT_FORM, NATURAL_FORM, NotATime, THRESHOLD_FORM, WINDOW_FORM};
use crate::section::{Reader, Section, Value, quoted};

/// The word for an unknown attribute in a policy file.
const UNKNOWN: &str = "unknown";

/// The levels with their names.
fn levels() -> [(&'static str, Level); 6] {
    Level::ALL.map(|level| (level.as_str(), level))
}

const READINGS: [(&str, Reading); 4] = [
    ("occurred", Reading::Occurred),
    ("recorded", Reading::Recorded),
    ("hung_up", Reading::HungUp),
    ("appointment", Reading::Appointment),
];

/// The name of a fact's instant in a policy file.
pub(super) fn reading_text(reading: Reading) -> &'static str {
    READINGS.iter().find(|(_, known)| *known == reading).map_or("", |(name, _)| name)
}

/// The words of a list with their names.
macro_rules! named {
    ($words:ty) => {
        <$words>::ALL.iter().map(|word| (word.as_str(), *word)).collect::<Vec<_>>()
    };
}

/// The words of a list with their names, and the word for unknown.
macro_rules! named_or_unknown {
    ($words:ty) => {
        <$words>::ALL.iter().map(|word| (word.as_str(), Some(*word))).chain([(UNKNOWN, None)]).collect::<Vec<_>>()
    };
}

impl Reader {
    pub(super) fn rule(&mut self, section: Section<'_>) -> Rule {
        self.only(
            section,
            &[
                "id", "clock", "title", "source", "when", "limit", "start", "stop", "pause", "reset", "cancel",
                "revive", "extend", "warn",
            ],
        );
        Rule {
            id: self.text(section, "id"),
            clock: self.text(section, "clock"),
            title: self.title(section),
            source: self.text(section, "source"),
            hash: String::new(),
            when: self.when(section),
            limit: self.amount(section, "limit", LIMIT_FORM, amount::limit).unwrap_or(Limit::WorkingDays { days: 0 }),
            start: self.required_triggers(section, "start"),
            stop: self.required_triggers(section, "stop"),
            pauses: self.pauses(section),
            reset: self.triggers(section, "reset"),
            cancel: self.triggers(section, "cancel"),
            revive: self.triggers(section, "revive"),
            extend: self.triggers(section, "extend"),
            warnings: self.warnings(section),
        }
    }

    pub(super) fn average(&mut self, section: Section<'_>) -> Average {
        self.only(section, &["id", "title", "source", "when", "from", "to", "limit", "window", "level"]);
        Average {
            id: self.text(section, "id"),
            title: self.title(section),
            source: self.text(section, "source"),
            hash: String::new(),
            when: self.when(section),
            from: self.required_trigger(section, "from"),
            to: self.required_trigger(section, "to"),
            limit_seconds: self.amount(section, "limit", NATURAL_FORM, amount::natural).unwrap_or_default(),
            window_days: self.amount(section, "window", WINDOW_FORM, amount::days).unwrap_or_default(),
            level: self
                .field(section, "level")
                .and_then(|value| self.word("level", value, &levels()))
                .unwrap_or(Level::Nation),
        }
    }

    fn title(&mut self, section: Section<'_>) -> Title {
        let Some(title) = self.field(section, "title").and_then(|value| self.table("title", value)) else {
            return Title { zh: String::new(), en: String::new() };
        };
        self.only(title, &["zh", "en"]);
        Title { zh: self.text(title, "zh"), en: self.text(title, "en") }
    }

    fn when(&mut self, section: Section<'_>) -> When {
        let Some(when) = section.get("when").and_then(|value| self.table("when", value)) else {
            return When::default();
        };
        self.only(
            when,
            &[
                "business",
                "category",
                "category_not",
                "urgency",
                "grade",
                "area",
                "tier",
                "channel",
                "premises",
                "org",
                "confidential",
                "anonymous",
                "appointment",
            ],
        );
        When {
            business: self.words(when, "business", &named!(BusinessType)),
            category: self.paths(when, "category", |text| Category::parse(text).ok(), Category::FORM),
            category_not: self.paths(when, "category_not", |text| Category::parse(text).ok(), Category::FORM),
            urgency: self.words(when, "urgency", &named!(Urgency)),
            grade: self.words(when, "grade", &named!(Grade)),
            area: self.words(when, "area", &named_or_unknown!(Area)),
            tier: self.words(when, "tier", &named_or_unknown!(Tier)),
            channel: self.words(when, "channel", &named!(Channel)),
            premises: self.words(when, "premises", &named_or_unknown!(Premises)),
            org: self.paths(when, "org", |text| OrgPath::parse(text).ok(), OrgPath::FORM),
            confidential: self.flag(when, "confidential"),
            anonymous: self.flag(when, "anonymous"),
            appointment: self.flag(when, "appointment"),
        }
    }

    fn table<'d>(&mut self, key: &str, value: Value<'d>) -> Option<Section<'d>> {
        let section = Section::of(value);
        if section.is_none() {
            self.expected(key, "a table in { }", value);
        }
        section
    }

    fn flag(&mut self, section: Section<'_>, key: &str) -> Option<bool> {
        let value = section.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.expected(key, "true or false", value);
        }
        flag
    }

    /// The entries of a list in a condition; empty for an absent list, which permits everything.
    fn listed<'d>(&mut self, section: Section<'d>, key: &str) -> Vec<Value<'d>> {
        let Some(value) = section.get(key) else { return Vec::new() };
        if value.get_ref().as_array().is_some_and(|list| list.is_empty()) {
            let reason = format!("{key}: an empty list lets nothing through; without {key} everything is let through");
            self.fault(value.span().start, reason);
        }
        self.entries(key, value).collect()
    }

    fn words<T: Copy>(&mut self, section: Section<'_>, key: &str, all: &[(&str, T)]) -> Vec<T> {
        let entries = self.listed(section, key);
        entries.into_iter().filter_map(|value| self.word(key, value, all)).collect()
    }

    fn paths<T>(&mut self, when: Section<'_>, key: &str, parse: fn(&str) -> Option<T>, form: &str) -> Vec<T> {
        let entries = self.listed(when, key);
        entries.into_iter().filter_map(|value| self.parsed(key, value, parse, form)).collect()
    }

    /// Reads a required duration.
    fn amount<T>(
        &mut self,
        section: Section<'_>,
        key: &str,
        form: &str,
        read: fn(&str) -> Result<T, NotATime>,
    ) -> Option<T> {
        let value = self.field(section, key)?;
        self.time(key, value, form, read)
    }

    fn time<T>(&mut self, key: &str, value: Value<'_>, form: &str, read: fn(&str) -> Result<T, NotATime>) -> Option<T> {
        let Some(text) = value.get_ref().as_str() else {
            self.expected(key, form, value);
            return None;
        };
        let why = match read(text) {
            Ok(time) => return Some(time),
            Err(NotATime::Negative) => "is less than nothing".to_owned(),
            Err(NotATime::TooLong) => "is more than can be counted".to_owned(),
            Err(NotATime::Malformed) => format!("is not of the form {form}"),
        };
        self.fault(value.span().start, format!("{key}: {} {why}", quoted(text)));
        None
    }

    fn required_triggers(&mut self, section: Section<'_>, key: &str) -> Vec<Trigger> {
        let value = self.field(section, key);
        value.map(|value| self.trigger_list(key, value)).unwrap_or_default()
    }

    fn triggers(&mut self, section: Section<'_>, key: &str) -> Vec<Trigger> {
        section.get(key).map(|value| self.trigger_list(key, value)).unwrap_or_default()
    }

    fn trigger_list(&mut self, key: &str, value: Value<'_>) -> Vec<Trigger> {
        let entries: Vec<_> = self.entries(key, value).collect();
        entries.into_iter().map(|entry| self.trigger(key, entry)).collect()
    }

    fn required_trigger(&mut self, section: Section<'_>, key: &str) -> Trigger {
        match self.field(section, key) {
            Some(value) => self.trigger(key, value),
            None => on(FactName::Received),
        }
    }

    /// Reads a trigger: `"received"`, or `{ fact = "received", time = "hung_up" }`.
    fn trigger(&mut self, key: &str, value: Value<'_>) -> Trigger {
        let facts = named!(FactName);
        if value.get_ref().is_str() {
            return on(self.word(key, value, &facts).unwrap_or(FactName::Received));
        }
        let Some(section) = Section::of(value) else {
            self.expected(key, "a fact's name or { fact = ... }", value);
            return on(FactName::Received);
        };
        self.only(section, &["fact", "is", "level", "time"]);
        let fact = self.field(section, "fact").and_then(|value| self.word("fact", value, &facts));
        let time = section.get("time").and_then(|value| self.word("time", value, &READINGS));
        // For an unknown fact, every word may be valid.
        let words = fact.map_or(Word::ALL, FactName::words);
        let words: Vec<_> = words.iter().map(|word| (word.as_str(), *word)).collect();
        Trigger {
            fact: fact.unwrap_or(FactName::Received),
            is: self.words(section, "is", &words),
            level: self.words(section, "level", &levels()),
            time: time.unwrap_or_default(),
        }
    }

    fn pauses(&mut self, section: Section<'_>) -> Vec<Pause> {
        let Some(value) = section.get("pause") else { return Vec::new() };
        let mut found = Vec::new();
        for entry in self.entries("pause", value) {
            let Some(pause) = self.table("pause", entry) else { continue };
            self.only(pause, &["from", "until"]);
            let (from, until) = (self.required_trigger(pause, "from"), self.required_triggers(pause, "until"));
            found.push(Pause { from, until });
        }
        found
    }

    fn warnings(&mut self, section: Section<'_>) -> Vec<Warning> {
        let Some(value) = section.get("warn") else { return Vec::new() };
        let entries: Vec<_> = self.entries("warn", value).collect();
        entries.into_iter().filter_map(|entry| self.warning(entry)).collect()
    }

    /// Reads a warning: `"50%"`, or `{ at = "10m before", tell = "city" }`.
    fn warning(&mut self, value: Value<'_>) -> Option<Warning> {
        let threshold = |reader: &mut Self, key, value| -> Option<Threshold> {
            reader.time(key, value, THRESHOLD_FORM, amount::threshold)
        };
        let Some(section) = Section::of(value) else {
            return threshold(self, "warn", value).map(|at| Warning { at, tell: None });
        };
        self.only(section, &["at", "tell"]);
        let at = self.field(section, "at").and_then(|value| threshold(self, "at", value));
        let tell = section.get("tell").and_then(|value| self.word("tell", value, &levels()));
        Some(Warning { at: at?, tell })
    }
}

/// A trigger without further conditions.
fn on(fact: FactName) -> Trigger {
    Trigger { fact, is: Vec::new(), level: Vec::new(), time: Reading::Occurred }
}
