//! Conditions that no ticket can meet. The lists were checked by `bounds`. Whether two conditions overlap is checked in
//! `overlap`.

use super::{Check, Flaw, When};
use crate::ticket::{BusinessType, path};

/// The business types that a condition permits.
pub(super) fn businesses(when: &When) -> &[BusinessType] {
    if when.business.is_empty() { BusinessType::ALL } else { &when.business }
}

impl Check {
    /// Reports contradictions in a condition: no ticket, or none for one of its entries, can meet it. Without a valid
    /// operator name the units are not checked.
    pub(super) fn condition(&mut self, when: &When, operator: Option<&str>) {
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
            if operator.is_some_and(|operator| unit.as_str().split('/').next() != Some(operator)) {
                self.fault("when.org", Some(entry), Flaw::NotOfOperator { unit: unit.clone() });
            }
        }
    }
}
