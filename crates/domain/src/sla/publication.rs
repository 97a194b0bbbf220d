//! Publishing: policies and calendars as facts, one stream for each operator's policy and one for each calendar.
//! What was published is never changed; a later version takes its place from its own instant on.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    decider::{Context, Decider},
    sla::{
        calendar::{Year, YearFault},
        check::{self, Fault},
        policy::Policy,
    },
};

/// The policies of one operator.
#[derive(Clone, Copy, Debug)]
pub struct Policies;

/// A command to an operator's policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyCommand {
    /// Puts a version in force from its instant on.
    Publish(Box<Policy>),
    /// Lets a version run beside the one in force and judge without being heard. Replaces the shadow before it.
    PublishShadow(Box<Policy>),
    /// Ends the shadow.
    EndShadow,
}

/// What happened to an operator's policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyEvent {
    /// A version was published.
    Published(Box<PolicyPublished>),
    /// A shadow was published.
    ShadowPublished(Box<PolicyPublished>),
    /// The shadow ended.
    ShadowEnded(ShadowEnded),
}

/// A policy was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyPublished {
    /// As it reads.
    pub policy: Policy,
}

/// The shadow ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowEnded {}

/// What is remembered: the newest version and the shadow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyState {
    /// The version published last.
    pub newest: Option<Box<Policy>>,
    /// The shadow.
    pub shadow: Option<Box<Policy>>,
}

/// Why a policy was not published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyRejection {
    /// It has faults.
    Faulty(Vec<Fault>),
    /// It says what the newest one says.
    Unchanged,
    /// There is no shadow.
    NoShadow,
}

impl Decider for Policies {
    const CATEGORY: &'static str = "policy";
    /// The operator.
    type Id = String;
    type Command = PolicyCommand;
    type Event = PolicyEvent;
    type State = PolicyState;
    type Rejection = PolicyRejection;

    fn initial() -> PolicyState {
        PolicyState::default()
    }

    fn decide(
        state: &PolicyState,
        command: &PolicyCommand,
        _: &Context<'_>,
    ) -> Result<Vec<PolicyEvent>, PolicyRejection> {
        let fit = |policy: &Policy, present: Option<&Policy>| {
            let faults = check::faults(policy);
            if !faults.is_empty() {
                return Err(PolicyRejection::Faulty(faults));
            }
            if present == Some(policy) { Err(PolicyRejection::Unchanged) } else { Ok(()) }
        };
        match command {
            PolicyCommand::Publish(policy) => {
                fit(policy, state.newest.as_deref())?;
                Ok(vec![PolicyEvent::Published(Box::new(PolicyPublished { policy: (**policy).clone() }))])
            }
            PolicyCommand::PublishShadow(policy) => {
                fit(policy, state.shadow.as_deref())?;
                Ok(vec![PolicyEvent::ShadowPublished(Box::new(PolicyPublished { policy: (**policy).clone() }))])
            }
            PolicyCommand::EndShadow if state.shadow.is_none() => Err(PolicyRejection::NoShadow),
            PolicyCommand::EndShadow => Ok(vec![PolicyEvent::ShadowEnded(ShadowEnded {})]),
        }
    }

    fn evolve(mut state: PolicyState, event: &PolicyEvent, _: Timestamp) -> PolicyState {
        match event {
            PolicyEvent::Published(e) => state.newest = Some(Box::new(e.policy.clone())),
            PolicyEvent::ShadowPublished(e) => state.shadow = Some(Box::new(e.policy.clone())),
            PolicyEvent::ShadowEnded(_) => state.shadow = None,
        }
        state
    }
}

/// The years of one calendar.
#[derive(Clone, Copy, Debug)]
pub struct Calendars;

/// Puts a year in force; it replaces the same year published before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishYear {
    /// The year.
    pub year: Year,
}

/// A year was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct YearPublished {
    /// The year.
    pub year: Year,
}

/// Why a year was not published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum YearRejection {
    /// It has faults.
    Faulty(Vec<YearFault>),
    /// It says what is published already.
    Unchanged,
}

impl Decider for Calendars {
    const CATEGORY: &'static str = "calendar";
    /// The calendar's name: `cn`.
    type Id = String;
    type Command = PublishYear;
    type Event = YearPublished;
    type State = std::collections::BTreeMap<i32, Year>;
    type Rejection = YearRejection;

    fn initial() -> Self::State {
        Self::State::new()
    }

    fn decide(
        state: &Self::State,
        command: &PublishYear,
        _: &Context<'_>,
    ) -> Result<Vec<YearPublished>, YearRejection> {
        let faults = command.year.check();
        if !faults.is_empty() {
            return Err(YearRejection::Faulty(faults));
        }
        if state.get(&command.year.year) == Some(&command.year) {
            return Err(YearRejection::Unchanged);
        }
        Ok(vec![YearPublished { year: command.year.clone() }])
    }

    fn evolve(mut state: Self::State, event: &YearPublished, _: Timestamp) -> Self::State {
        state.insert(event.year.year, event.year.clone());
        state
    }
}
