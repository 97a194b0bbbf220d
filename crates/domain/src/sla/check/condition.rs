//! Conditions: what no ticket can be, and whether two conditions can hold for one ticket. A condition is a list for each attribute,
//! so that two of them have a ticket in common unless one attribute keeps them apart.

use super::{Check, Flaw, When};
use crate::{
    organisation::OrgPath,
    ticket::{BusinessType, Category, path},
};

/// The business types that a condition lets through.
pub(super) fn businesses(when: &When) -> &[BusinessType] {
    if when.business.is_empty() { BusinessType::ALL } else { &when.business }
}

impl Check {
    /// What contradicts itself in a condition, so that no ticket, or none for one of its entries, is ever meant.
    pub(super) fn condition(&mut self, when: &When, operator: &str) {
        let paths = || businesses(when).iter().map(|business| path::of(*business));
        if !when.grade.is_empty() && !paths().any(|path| path.graded) {
            self.fault("when.grade", None, Flaw::NeverGraded);
        }
        let hidden = when.anonymous == Some(false) && paths().all(|path| path.always_confidential);
        if when.confidential == Some(false) && hidden {
            self.fault("when.confidential", None, Flaw::AlwaysConfidential);
        }
        for (entry, category) in when.category.iter().enumerate() {
            if let Some(by) = when.category_not.iter().find(|out| out.contains(category)) {
                let (category, by) = (category.clone(), by.clone());
                self.fault("when.category", Some(entry), Flaw::ShutOut { category, by });
            }
        }
        for (entry, unit) in when.org.iter().enumerate() {
            if unit.as_str().split('/').next() != Some(operator) {
                self.fault("when.org", Some(entry), Flaw::NotOfOperator { unit: unit.clone() });
            }
        }
    }
}

/// Whether a ticket can be meant by both. Attributes are taken one by one: that some of them never go together, such as an opinion
/// with a grade, keeps no two conditions apart; who means that says so in both.
pub(super) fn overlap(one: &When, other: &When) -> bool {
    fn meet<T: PartialEq>(one: &[T], other: &[T]) -> bool {
        one.is_empty() || other.is_empty() || one.iter().any(|value| other.contains(value))
    }
    fn agree(one: Option<bool>, other: Option<bool>) -> bool {
        one.is_none() || other.is_none() || one == other
    }
    meet(&one.business, &other.business)
        && meet(&one.urgency, &other.urgency)
        && meet(&one.grade, &other.grade)
        && meet(&one.area, &other.area)
        && meet(&one.tier, &other.tier)
        && meet(&one.channel, &other.channel)
        && meet(&one.premises, &other.premises)
        && agree(one.confidential, other.confidential)
        && agree(one.anonymous, other.anonymous)
        && agree(one.appointment, other.appointment)
        && categories_meet(one, other)
        && units_meet(&one.org, &other.org)
}

/// Whether a category lies within what both ask for and outside what either shuts out. Of two prefixes the longer one is such a
/// category, if any is: what shuts it out shuts out all that lies within it.
fn categories_meet(one: &When, other: &When) -> bool {
    let is_out =
        |category: &Category| one.category_not.iter().chain(&other.category_not).any(|out| out.contains(category));
    let within_both = |a: &Category, b: &Category| {
        let inner = if a.contains(b) { b } else { a };
        (a.contains(b) || b.contains(a)) && !is_out(inner)
    };
    match (one.category.as_slice(), other.category.as_slice()) {
        // A ticket that nobody has classified yet is within no category, and shut out by none.
        ([], []) => true,
        ([], asked) | (asked, []) => asked.iter().any(|category| !is_out(category)),
        (one, other) => one.iter().any(|a| other.iter().any(|b| within_both(a, b))),
    }
}

fn units_meet(one: &[OrgPath], other: &[OrgPath]) -> bool {
    one.is_empty() || other.is_empty() || one.iter().any(|a| other.iter().any(|b| a.contains(b) || b.contains(a)))
}
