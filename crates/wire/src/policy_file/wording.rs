//! The sentences for the faults of a policy, and the lines that they refer to.

use switchboard_domain::{
    sla::{
        check::{EFFECTIVE_YEARS, Fault, Flaw},
        clock_history::FactName,
        policy::{Limit, Policy, When},
    },
    ticket::BusinessType,
};

use super::{amount::limit_text, rule::reading_text};
use crate::section::{Reader, Section, Value};

/// The places of a policy's rules and averages in the text.
pub(super) struct Places<'p, 'd> {
    pub(super) top: Section<'d>,
    pub(super) rules: &'p [Section<'d>],
    pub(super) averages: &'p [Section<'d>],
    /// True when `effective_from` could be read.
    pub(super) dated: bool,
}

impl<'d> Places<'_, 'd> {
    /// Reports the domain's faults. A fault that may only follow from an unreadable part is left out.
    pub(super) fn report(&self, reader: &mut Reader, policy: &Policy, found: &[Fault]) {
        for fault in found.iter().filter(|fault| !self.follows(fault)) {
            let reason = self.reason(reader, policy, fault);
            reader.fault(self.place(fault), reason);
        }
    }

    /// True when the fault may follow from a key that is missing or not a string, which is already reported, or from an
    /// unread rule.
    fn follows(&self, fault: &Fault) -> bool {
        let is_text = |key: &str| self.top.get(key).is_some_and(|value| value.get_ref().is_str());
        let whole = fault.rule.is_none() && fault.average.is_none();
        match (&fault.flaw, fault.key) {
            (Flaw::NotOfOperator { .. }, _) => !is_text("operator"),
            (_, "effective_from") => !self.dated,
            (_, "clock") if whole => fault.flaw == Flaw::Empty && self.top.get("clock").is_some_and(is_some_table),
            (_, key) => whole && matches!(key, "operator" | "calendar" | "source") && !is_text(key),
        }
    }

    fn section(&self, fault: &Fault) -> Section<'d> {
        let rule = fault.rule.and_then(|index| self.rules.get(index));
        let average = fault.average.and_then(|index| self.averages.get(index));
        rule.or(average).copied().unwrap_or(self.top)
    }

    /// The offset of the faulty key, or of the nearest enclosing value.
    fn place(&self, fault: &Fault) -> usize {
        let section = self.section(fault);
        let entry = |value: Value<'d>| fault.entry.and_then(|entry| value.get_ref().as_array()?.get(entry));
        let (outer, inner) = fault.key.split_once('.').unwrap_or((fault.key, ""));
        let Some(value) = section.get(outer) else { return section.at };
        // For pauses the index is outside the key, for conditions inside.
        let value = entry(value).unwrap_or(value);
        let value = Section::of(value).and_then(|table| table.get(inner)).unwrap_or(value);
        if outer == "pause" { value.span().start } else { entry(value).unwrap_or(value).span().start }
    }

    /// The line of the first rule or average with that id.
    fn line_of_id(&self, reader: &Reader, id: &str) -> usize {
        let mut sections = self.rules.iter().chain(self.averages);
        let first =
            sections.find(|section| section.get("id").is_some_and(|value| value.get_ref().as_str() == Some(id)));
        reader.line(first.map_or(0, |section| section.at))
    }

    fn reason(&self, reader: &Reader, policy: &Policy, fault: &Fault) -> String {
        let key = fault.key;
        let rule = fault.rule.map(|index| &policy.rules[index]);
        let average = fault.average.map(|index| &policy.averages[index]);
        let meant = || meant(rule.map(|rule| &rule.when).or(average.map(|average| &average.when)));
        let line_of_rule = |index: usize| reader.line(self.rules.get(index).map_or(0, |section| section.at));
        let what = match &fault.flaw {
            Flaw::Empty => return empty(key),
            Flaw::TooLong { bytes_max } => format!("longer than {bytes_max} bytes"),
            Flaw::TooMany { max } => format!("more than {max}"),
            Flaw::TooManyWords { max } => format!("a trigger has at most {max} words, and as many levels"),
            Flaw::YearOutside { year } => {
                let (first, last) = (EFFECTIVE_YEARS.start(), EFFECTIVE_YEARS.end());
                format!("in UTC the year is {year}; {first} to {last} are expected")
            }
            Flaw::NotAName { bytes_max, of } => format!("1 to {bytes_max} of {of} are expected"),
            Flaw::IdTaken { id } => format!("{id} is also the id in line {}", self.line_of_id(reader, id)),
            Flaw::NotPositive => "more than 0 is expected".to_owned(),
            Flaw::LongerThan { days_max } => {
                let in_days = matches!(rule.map(|rule| rule.limit), Some(Limit::WorkingDays { .. }) if key == "limit");
                format!("longer than {days_max} {}", if in_days { "working days" } else { "days" })
            }
            Flaw::NotAShare => "1% to 99% are expected".to_owned(),
            Flaw::BeforeStart => {
                let limit = rule.map_or_else(String::new, |rule| limit_text(&rule.limit));
                format!("comes before the clock starts; the limit is {limit}")
            }
            Flaw::OutOfOrder => "comes no later than a warning that is written before it".to_owned(),
            Flaw::NeverGraded => format!("the tickets that are meant have no grade{}", meant()),
            Flaw::ShutOut { category, by } => {
                let (category, by) = (category.as_str(), by.as_str());
                format!("{category} lies within {by}, which category_not shuts out")
            }
            Flaw::NotOfOperator { unit } => format!("{unit} is no unit of {}", policy.operator),
            Flaw::AlwaysConfidential => "whoever is known in these tickets is kept confidential".to_owned(),
            Flaw::Overlaps { rule, id, clock } => format!(
                "a ticket can be meant by this rule and by {id} in line {}; of the rules of {clock} at most one may fit",
                line_of_rule(*rule)
            ),
            Flaw::NeverHappens { fact, word } => {
                let word = word.map_or_else(String::new, |word| format!(" with the word {}", word.as_str()));
                format!("{}{word} never happens to the tickets that are meant{}", fact.as_str(), meant())
            }
            Flaw::NotItsWord { fact, word } => {
                format!("{} is no word of {}{}", word.as_str(), fact.as_str(), words(*fact))
            }
            Flaw::NeverAtLevel { fact, level } => {
                format!("after {} no such ticket is at level {}", fact.as_str(), level.as_str())
            }
            Flaw::NotItsTime { fact, time } => {
                format!("{} has no time {}; only received has", fact.as_str(), reading_text(*time))
            }
            Flaw::GrantsNoTime { fact } => format!("{} grants no time; only extended does", fact.as_str()),
            Flaw::EndsAsItStarts { fact } => format!("{} also starts this clock: it ends as it starts", fact.as_str()),
        };
        format!("{key}: {what}")
    }
}

/// True when there is anything under `[[clock]]`, readable or not.
fn is_some_table(value: Value<'_>) -> bool {
    value.get_ref().as_array().is_none_or(|list| !list.is_empty())
}

fn empty(key: &str) -> String {
    match key {
        "clock" => "a policy has at least one [[clock]]".to_owned(),
        "start" => "start: a clock that nothing starts never runs".to_owned(),
        "stop" => "stop: a clock that nothing stops keeps no promise".to_owned(),
        "pause.until" => "pause.until: a pause that nothing ends waits for ever".to_owned(),
        _ => format!("{key}: is empty"),
    }
}

/// The business types of a condition, in brackets.
fn meant(when: Option<&When>) -> String {
    let asked = when.map_or(&[][..], |when| when.business.as_slice());
    if asked.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = asked.iter().copied().map(BusinessType::as_str).collect();
    format!(" ({})", names.join(", "))
}

fn words(fact: FactName) -> String {
    let known: Vec<&str> = fact.words().iter().map(|word| word.as_str()).collect();
    if known.is_empty() { ", which has none".to_owned() } else { format!("; known are {}", known.join(", ")) }
}
