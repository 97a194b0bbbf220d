//! Triggers that cannot fire: the fact cannot happen to these tickets, or not with that word, at that level or with
//! that instant. [`crate::ticket::path`] says which steps a business type has; this module maps each fact to a step.

use super::{Check, Flaw, Trigger, When, condition::businesses};
use crate::{
    organisation::Level,
    sla::clock_history::{FactName, Reading, Word},
    ticket::{
        BusinessType,
        path::{self, FirstStop},
    },
};

impl Check {
    pub(super) fn trigger(&mut self, key: &'static str, entry: Option<usize>, trigger: &Trigger, when: &When) {
        let fact = trigger.fact;
        let happens = |word| businesses(when).iter().any(|business| can_happen(fact, word, *business, when));
        if matches!(trigger.time, Reading::HungUp | Reading::Appointment) && fact != FactName::Received {
            self.fault(key, entry, Flaw::NotItsTime { fact, time: trigger.time });
        }
        if !happens(None) {
            self.fault(key, entry, Flaw::NeverHappens { fact, word: None });
            return;
        }
        for &word in &trigger.is {
            if !fact.words().contains(&word) {
                self.fault(key, entry, Flaw::NotItsWord { fact, word });
            } else if !happens(Some(word)) {
                self.fault(key, entry, Flaw::NeverHappens { fact, word: Some(word) });
            }
        }
        for &level in &trigger.level {
            if !businesses(when).iter().any(|business| can_be_at(fact, level, *business)) {
                self.fault(key, entry, Flaw::NeverAtLevel { fact, level });
            }
        }
    }

    pub(super) fn grants(&mut self, extend: &[Trigger]) {
        for (entry, trigger) in extend.iter().enumerate().filter(|(_, trigger)| trigger.fact != FactName::Extended) {
            self.fault("extend", Some(entry), Flaw::GrantsNoTime { fact: trigger.fact });
        }
    }

    /// Reports a fact that would start and end the clock at the same instant.
    pub(super) fn ends_as_it_starts(&mut self, key: &'static str, start: &[Trigger], end: &[Trigger]) {
        for (entry, end) in end.iter().enumerate() {
            if start.iter().any(|start| covers(end, start)) {
                self.fault(key, Some(entry), Flaw::EndsAsItStarts { fact: end.fact });
            }
        }
    }
}

/// True when every fact that fires `inner` also fires `outer` at the same instant.
fn covers(outer: &Trigger, inner: &Trigger) -> bool {
    fn all<T: PartialEq>(outer: &[T], inner: &[T]) -> bool {
        outer.is_empty() || !inner.is_empty() && inner.iter().all(|value| outer.contains(value))
    }
    outer.fact == inner.fact && outer.time == inner.time && all(&outer.is, &inner.is) && all(&outer.level, &inner.level)
}

/// True when the fact, with `word` if given, can happen to a ticket of that type under `when`.
pub(super) fn can_happen(fact: FactName, word: Option<Word>, business: BusinessType, when: &When) -> bool {
    let path = path::of(business);
    let confidential = when.confidential == Some(true) || path.always_confidential && when.anonymous == Some(false);
    match fact {
        FactName::Received | FactName::Classified | FactName::Supervised | FactName::Withdrawn => true,
        FactName::ClosedAtFirstContact => path.first_contact,
        FactName::Contacted => path.dispatch != FirstStop::Nowhere && !confidential,
        FactName::CrewAccepted
        | FactName::CrewEnRoute
        | FactName::CrewArrived
        | FactName::CrewDiagnosed
        | FactName::EtrSet
        | FactName::CrewRestored => path.field_work,
        FactName::RevisitAttempted | FactName::Revisited => {
            path.revisited && !confidential && when.anonymous != Some(true)
        }
        FactName::Reopened => path.revisited,
        FactName::Merged | FactName::Unmerged | FactName::MasterFollowed => path.mergeable,
        FactName::Escalated => match word {
            // After this escalation the ticket is a complaint, whatever type it was.
            Some(Word::Complaint) => path.escalates_to_complaint || business == BusinessType::Complaint,
            Some(Word::Grade) => path.graded,
            _ => true,
        },
        FactName::Dispatched
        | FactName::Accepted
        | FactName::Returned
        | FactName::Reassigned
        | FactName::Replied
        | FactName::ReplyPassed
        | FactName::ReplySentBack
        | FactName::Closed
        | FactName::Urged
        | FactName::Suspended
        | FactName::Resumed
        | FactName::Extended => path.dispatch != FirstStop::Nowhere,
    }
}

/// True when a ticket of that type can be held by a unit of that level after the fact.
pub(super) fn can_be_at(fact: FactName, level: Level, business: BusinessType) -> bool {
    match fact {
        FactName::CrewAccepted
        | FactName::CrewEnRoute
        | FactName::CrewArrived
        | FactName::CrewDiagnosed
        | FactName::EtrSet
        | FactName::CrewRestored => level == Level::Crew,
        // A crew that works on site accepts by `crew_accepted`.
        FactName::Accepted => level != Level::Crew || !path::of(business).field_work,
        _ => true,
    }
}
