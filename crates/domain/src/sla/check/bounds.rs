//! Lists that are too long. A rule or average with such a list is left out of all comparisons, so that checking a file
//! takes time proportional to its length.

use super::{Average, Check, Flaw, PAUSES_MAX, Rule, TRIGGERS_MAX, Trigger, WHEN_VALUES_MAX, WORDS_MAX, When};
use crate::sla::policy::WARNINGS_MAX;

/// The trigger lists of a rule, each with its key. The triggers of pauses are not included.
pub(super) fn trigger_lists(rule: &Rule) -> [(&'static str, &[Trigger]); 6] {
    [
        ("start", &rule.start),
        ("stop", &rule.stop),
        ("reset", &rule.reset),
        ("cancel", &rule.cancel),
        ("revive", &rule.revive),
        ("extend", &rule.extend),
    ]
}

fn when_lists(when: &When) -> [(&'static str, usize); 10] {
    [
        ("when.business", when.business.len()),
        ("when.category", when.category.len()),
        ("when.category_not", when.category_not.len()),
        ("when.urgency", when.urgency.len()),
        ("when.grade", when.grade.len()),
        ("when.area", when.area.len()),
        ("when.tier", when.tier.len()),
        ("when.channel", when.channel.len()),
        ("when.premises", when.premises.len()),
        ("when.org", when.org.len()),
    ]
}

impl Check {
    /// Checks the lists of a rule. Returns true when none is too long.
    pub(super) fn bounds(&mut self, rule: &Rule) -> bool {
        let before = self.found.len();
        self.when_bounds(&rule.when);
        for (key, list) in trigger_lists(rule) {
            self.at_most(key, None, list.len(), TRIGGERS_MAX);
            for (entry, trigger) in list.iter().enumerate() {
                self.words(key, Some(entry), trigger);
            }
        }
        self.at_most("pause", None, rule.pauses.len(), PAUSES_MAX);
        for (entry, pause) in rule.pauses.iter().enumerate() {
            self.words("pause.from", Some(entry), &pause.from);
            self.at_most("pause.until", Some(entry), pause.until.len(), TRIGGERS_MAX);
            for until in &pause.until {
                self.words("pause.until", Some(entry), until);
            }
        }
        self.at_most("warn", None, rule.warnings.len(), WARNINGS_MAX);
        self.found.len() == before
    }

    /// Checks the lists of an average. Returns true when none is too long.
    pub(super) fn average_bounds(&mut self, average: &Average) -> bool {
        let before = self.found.len();
        self.when_bounds(&average.when);
        self.words("from", None, &average.from);
        self.words("to", None, &average.to);
        self.found.len() == before
    }

    pub(super) fn at_most(&mut self, key: &'static str, entry: Option<usize>, count: usize, max: usize) {
        if count > max {
            self.fault(key, entry, Flaw::TooMany { max });
        }
    }

    fn when_bounds(&mut self, when: &When) {
        for (key, count) in when_lists(when) {
            self.at_most(key, None, count, WHEN_VALUES_MAX);
        }
    }

    fn words(&mut self, key: &'static str, entry: Option<usize>, trigger: &Trigger) {
        if trigger.is.len().max(trigger.level.len()) > WORDS_MAX {
            self.fault(key, entry, Flaw::TooManyWords { max: WORDS_MAX });
        }
    }
}
