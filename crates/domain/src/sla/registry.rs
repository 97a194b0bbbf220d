//! What was published when: editions of all policies and calendars, one for each publication, in the order of the log. A verdict
//! belongs to the edition that was the newest when it was given.

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

/// A policy with its number among its operator's, from 1.
#[derive(Debug, PartialEq, Eq)]
pub struct Version {
    /// The number: the place of its fact in the operator's stream.
    pub number: u64,
    /// The position of its fact; 0 when it was never published.
    pub position: u64,
    /// As it reads.
    pub policy: Policy,
}

impl Version {
    /// Its name and number.
    #[must_use]
    pub fn reference(&self) -> VersionRef {
        VersionRef { name: self.policy.operator.clone(), version: self.number }
    }
}

/// A calendar with the number of its newest year's publication; 0 when nothing is published under its name.
#[derive(Debug, PartialEq, Eq)]
pub struct CalendarVersion {
    /// The calendar's name.
    pub name: String,
    /// The number.
    pub number: u64,
    /// Its years.
    pub calendar: Calendar,
}

impl CalendarVersion {
    /// Its name and number.
    #[must_use]
    pub fn reference(&self) -> VersionRef {
        VersionRef { name: self.name.clone(), version: self.number }
    }
}

/// All that was in force after one publication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edition {
    /// The position of the publication.
    pub position: u64,
    /// When the engine learnt it.
    pub recorded: Timestamp,
    /// Versions by operator, in the order of publication.
    policies: BTreeMap<String, Vec<Arc<Version>>>,
    /// The shadow of an operator.
    shadows: BTreeMap<String, Arc<Version>>,
    calendar_versions: BTreeMap<String, Arc<CalendarVersion>>,
}

impl Edition {
    /// The version that judges an operator's clocks which start at `start`: of those in force by then the one whose instant is
    /// the latest, and of several with the same instant the one published last.
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

    /// Whether another edition judges an operator's tickets just as this one does: the same versions by the same calendars.
    #[must_use]
    pub fn agrees_with(&self, other: &Self, operator: &str) -> bool {
        let calendars = self.versions(operator).iter().map(|version| &version.policy.calendar);
        self.versions(operator) == other.versions(operator)
            && calendars.into_iter().all(|name| self.calendar_versions.get(name) == other.calendar_versions.get(name))
    }

    /// Every operator that has a policy.
    pub fn operators(&self) -> impl Iterator<Item = &str> {
        self.policies.keys().map(String::as_str)
    }

    /// The shadow of an operator.
    #[must_use]
    pub fn shadow(&self, operator: &str) -> Option<&Arc<Version>> {
        self.shadows.get(operator)
    }

    /// A calendar; one of which nothing is published has no years.
    #[must_use]
    pub fn calendar_version(&self, name: &str) -> Arc<CalendarVersion> {
        let none = || Arc::new(CalendarVersion { name: name.to_owned(), number: 0, calendar: Calendar::default() });
        self.calendar_versions.get(name).cloned().unwrap_or_else(none)
    }

    /// Every calendar.
    pub fn calendar_versions(&self) -> impl Iterator<Item = &Arc<CalendarVersion>> {
        self.calendar_versions.values()
    }

    /// The same edition with `policy` as the only one of its operator: for judging history anew.
    #[must_use]
    pub fn under(&self, policy: Policy) -> Self {
        let (operator, version) = (policy.operator.clone(), Version { number: 0, position: 0, policy });
        let mut edition = self.clone();
        edition.policies.insert(operator, vec![Arc::new(version)]);
        edition
    }
}

/// Editions in the order of the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyRegistry {
    editions: Vec<Arc<Edition>>,
}

impl PolicyRegistry {
    /// A registry of one edition, which always was.
    #[must_use]
    pub fn of(edition: Edition) -> Self {
        Self { editions: vec![Arc::new(edition)] }
    }

    /// Takes a publication of a policy into account.
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

    /// Takes a publication of a year into account.
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

    /// The registry as it was at a position of the log.
    #[must_use]
    pub fn as_of(&self, position: u64) -> Self {
        Self { editions: self.editions.iter().take_while(|edition| edition.position <= position).cloned().collect() }
    }

    /// The registry as it was known at an instant.
    #[must_use]
    pub fn known_at(&self, time: Timestamp) -> Self {
        Self { editions: self.editions.iter().take_while(|edition| edition.recorded <= time).cloned().collect() }
    }

    /// The rule of a published version, by its id.
    #[must_use]
    pub fn rule(&self, policy: &VersionRef, rule: &str) -> Option<&Rule> {
        let versions = self.newest()?.versions(&policy.name);
        versions.iter().find(|v| v.number == policy.version)?.policy.rules.iter().find(|r| r.id == rule)
    }
}
