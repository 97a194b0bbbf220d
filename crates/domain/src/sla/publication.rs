//! Publication of policies and calendars: one stream for each operator's policy and one for each calendar. A published
//! version never changes. A later version replaces it from the later version's own instant on.

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

/// A command to the policies of one operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyCommand {
    /// Publishes a version, which applies from its `effective_from` on.
    Publish(Box<Policy>),
    /// Publishes a shadow: a version that is judged beside the one in force, for comparison only. It replaces the
    /// previous shadow.
    PublishShadow(Box<Policy>),
    /// Ends the shadow.
    EndShadow,
}

/// An event of an operator's policies.
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
    /// The policy.
    pub policy: Policy,
}

/// The shadow ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowEnded {}

/// The state: the newest version and the shadow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyState {
    /// The version published last.
    pub newest: Option<Box<Policy>>,
    /// The shadow.
    pub shadow: Option<Box<Policy>>,
}

/// Why a policy was rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyRejection {
    /// The policy has faults.
    Faulty(Vec<Fault>),
    /// The policy equals the newest one.
    Unchanged,
    /// There is no shadow to end.
    NoShadow,
}

impl Decider for Policies {
    const CATEGORY: &'static str = "policy";
    /// The operator's name.
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

/// Publishes a year. It replaces an earlier publication of the same year.
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

/// Why a year was rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum YearRejection {
    /// The year has faults.
    Faulty(Vec<YearFault>),
    /// The year equals the published one.
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
