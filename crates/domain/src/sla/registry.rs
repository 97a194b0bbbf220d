//! The registry of published policies and calendars. Each publication creates an edition: everything in force after it.
//! Editions are in the order of the log. A verdict belongs to the newest edition at the time when it was given.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    Timestamp,
    decider::Recorded,
    sla::{
        calendar::Calendar,
        policy::{Policy, Rule},
        promise::VersionRef,
        publication::{PolicyEvent, YearPublished},
    },
};

/// A published policy with its version number.
#[derive(Debug, PartialEq, Eq)]
pub struct Version {
    /// The version number, from 1: the number of its fact in the operator's stream.
    pub number: u64,
    /// The log position of its fact; 0 when it was never published.
    pub position: u64,
    /// The policy.
    pub policy: Policy,
}

impl Version {
    /// The reference that promise events record.
    #[must_use]
    pub fn reference(&self) -> VersionRef {
        VersionRef { name: self.policy.operator.clone(), version: self.number }
    }
}

/// A calendar with its version number: that of its newest publication; 0 when nothing was published under its name.
#[derive(Debug, PartialEq, Eq)]
pub struct CalendarVersion {
    /// The calendar's name.
    pub name: String,
    /// The version number.
    pub number: u64,
    /// The published years.
    pub calendar: Calendar,
}

impl CalendarVersion {
    /// The reference that promise events record.
    #[must_use]
    pub fn reference(&self) -> VersionRef {
        VersionRef { name: self.name.clone(), version: self.number }
    }
}

/// Everything that was in force after one publication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edition {
    /// The log position of the publication.
    pub position: u64,
    /// The instant at which the engine recorded it.
    pub recorded: Timestamp,
    /// The versions of each operator, in the order of publication.
    policies: BTreeMap<String, Vec<Arc<Version>>>,
    /// The shadow of each operator that has one.
    shadows: BTreeMap<String, Arc<Version>>,
    calendar_versions: BTreeMap<String, Arc<CalendarVersion>>,
}

impl Edition {
    /// The version that judges a clock of the operator that starts at `start`: the one with the latest `effective_from`
    /// not after `start`. Of several with the same instant, the one published last.
    #[must_use]
    pub fn version(&self, operator: &str, start: Timestamp) -> Option<&Arc<Version>> {
        let versions = self.policies.get(operator)?;
        versions.iter().filter(|v| v.policy.effective_from <= start).max_by_key(|v| (v.policy.effective_from, v.number))
    }

    /// The versions of an operator.
    #[must_use]
    pub fn versions(&self, operator: &str) -> &[Arc<Version>] {
        self.policies.get(operator).map_or(&[], Vec::as_slice)
    }

    /// True when both editions judge the operator's tickets alike: they have the same versions and the same calendars.
    #[must_use]
    pub fn agrees_with(&self, other: &Self, operator: &str) -> bool {
        let calendars = self.versions(operator).iter().map(|version| &version.policy.calendar);
        self.versions(operator) == other.versions(operator)
            && calendars.into_iter().all(|name| self.calendar_versions.get(name) == other.calendar_versions.get(name))
    }

    /// The operators that have a policy.
    pub fn operators(&self) -> impl Iterator<Item = &str> {
        self.policies.keys().map(String::as_str)
    }

    /// The shadow of an operator, if any.
    #[must_use]
    pub fn shadow(&self, operator: &str) -> Option<&Arc<Version>> {
        self.shadows.get(operator)
    }

    /// The calendar with this name; an empty one when nothing was published.
    #[must_use]
    pub fn calendar_version(&self, name: &str) -> Arc<CalendarVersion> {
        let none = || Arc::new(CalendarVersion { name: name.to_owned(), number: 0, calendar: Calendar::default() });
        self.calendar_versions.get(name).cloned().unwrap_or_else(none)
    }

    /// All calendars.
    pub fn calendar_versions(&self) -> impl Iterator<Item = &Arc<CalendarVersion>> {
        self.calendar_versions.values()
    }

    /// A copy in which `policy` is the only version of its operator, to judge history under it.
    #[must_use]
    pub fn under(&self, policy: Policy) -> Self {
        let (operator, version) = (policy.operator.clone(), Version { number: 0, position: 0, policy });
        let mut edition = self.clone();
        edition.policies.insert(operator, vec![Arc::new(version)]);
        edition
    }
}

/// All editions, in the order of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyRegistry {
    editions: Vec<Arc<Edition>>,
}

impl PolicyRegistry {
    /// A registry with one edition, valid from the beginning.
    #[must_use]
    pub fn of(edition: Edition) -> Self {
        Self { editions: vec![Arc::new(edition)] }
    }

    /// Adds a publication of a policy.
    pub fn take_policy(&mut self, fact: &Recorded<PolicyEvent, String>) {
        self.publish(fact.position, fact.recorded_at, |edition| {
            let version = |policy: &Policy| {
                Arc::new(Version { number: fact.revision + 1, position: fact.position, policy: policy.clone() })
            };
            match &fact.event {
                PolicyEvent::Published(e) => {
                    edition.policies.entry(fact.id.clone()).or_default().push(version(&e.policy));
                }
                PolicyEvent::ShadowPublished(e) => {
                    edition.shadows.insert(fact.id.clone(), version(&e.policy));
                }
                PolicyEvent::ShadowEnded(_) => {
                    edition.shadows.remove(&fact.id);
                }
            }
        });
    }

    /// Adds a publication of a calendar year.
    pub fn take_year(&mut self, fact: &Recorded<YearPublished, String>) {
        self.publish(fact.position, fact.recorded_at, |edition| {
            let before = edition.calendar_version(&fact.id);
            let calendar = before.calendar.with(fact.event.year.clone());
            let calendar_version = CalendarVersion { name: fact.id.clone(), number: fact.revision + 1, calendar };
            edition.calendar_versions.insert(fact.id.clone(), Arc::new(calendar_version));
        });
    }

    fn publish(&mut self, position: u64, recorded: Timestamp, change: impl FnOnce(&mut Edition)) {
        if self.editions.last().is_some_and(|newest| newest.position >= position) {
            return;
        }
        let mut edition = self.editions.last().map(|newest| (**newest).clone()).unwrap_or_default();
        (edition.position, edition.recorded) = (position, recorded);
        change(&mut edition);
        self.editions.push(Arc::new(edition));
    }

    /// All editions, oldest first.
    #[must_use]
    pub fn editions(&self) -> &[Arc<Edition>] {
        &self.editions
    }

    /// The newest edition.
    #[must_use]
    pub fn newest(&self) -> Option<&Arc<Edition>> {
        self.editions.last()
    }

    /// The registry as of a position of the log, inclusive.
    #[must_use]
    pub fn as_of(&self, position: u64) -> Self {
        Self { editions: self.editions.iter().take_while(|edition| edition.position <= position).cloned().collect() }
    }

    /// The registry as known at an instant, inclusive.
    #[must_use]
    pub fn known_at(&self, time: Timestamp) -> Self {
        Self { editions: self.editions.iter().take_while(|edition| edition.recorded <= time).cloned().collect() }
    }

    /// The rule with this id, in a published version.
    #[must_use]
    pub fn rule(&self, policy: &VersionRef, rule: &str) -> Option<&Rule> {
        let versions = self.newest()?.versions(&policy.name);
        versions.iter().find(|v| v.number == policy.version)?.policy.rules.iter().find(|r| r.id == rule)
    }
}
