//! Given, when, then: a story about one ticket. It folds the decided events and compares them with the expected ones.

use chrono::{FixedOffset, NaiveDate, NaiveTime, TimeDelta};
use uuid::Uuid;

use super::sample::{NATION, org};
use crate::{
    Timestamp, Violation,
    actor::{Actor, Role},
    decider::Context,
    rules::Rules,
    ticket::{Command, Event, Rejection, Stage, State, Ticket, decide, decide::Decision, evolve, legal, placed},
};

/// An instant of November 2026 in China Standard Time.
pub fn clock(day: u32, time: &str) -> Timestamp {
    let time = NaiveTime::parse_from_str(time, "%H:%M").unwrap();
    let date = NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
    date.and_time(time).and_local_timezone(FixedOffset::east_opt(8 * 3600).unwrap()).unwrap().to_utc()
}

/// A ticket's story so far. Steps are a minute apart unless stated otherwise.
#[derive(Clone, Debug)]
pub struct Story {
    pub state: State,
    pub now: Timestamp,
    device: Option<Timestamp>,
    actor: Actor,
    rules: Rules,
}

/// These events happened, a minute apart, from 09:00 on the 21st.
pub fn given<I: IntoIterator<Item = Event>>(facts: I) -> Story {
    let actor = Actor { id: "a1".into(), role: Role::Desk, org: org(NATION) };
    let start = Story { state: None, now: clock(21, "09:00"), device: None, actor, rules: Rules::default() };
    facts.into_iter().fold(start, Story::and)
}

impl Story {
    /// Adds an event.
    pub fn and(mut self, fact: Event) -> Self {
        self.state = evolve(self.state, &fact, self.device.take().unwrap_or(self.now));
        self.now += TimeDelta::minutes(1);
        self
    }

    /// Sets the time of what follows.
    pub fn at(mut self, instant: Timestamp) -> Self {
        self.now = instant;
        self
    }

    /// Sets the device's time for the next command.
    pub fn by_the_device_at(mut self, instant: Timestamp) -> Self {
        self.device = Some(instant);
        self
    }

    /// From here on the actor belongs to this unit.
    pub fn by(mut self, unit: &str) -> Self {
        self.actor.org = org(unit);
        self
    }

    /// From here on the actor has this id.
    pub fn named(mut self, id: &str) -> Self {
        self.actor.id = id.into();
        self
    }

    /// From here on the actor is the engine's dispatch process.
    pub fn by_the_engine(self) -> Self {
        self.by(NATION).acting_as(Role::System)
    }

    /// From here on the actor has this role.
    pub fn acting_as(mut self, role: Role) -> Self {
        self.actor.role = role;
        self
    }

    /// Changes the rules from here on.
    pub fn under(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(&mut self.rules);
        self
    }

    /// Decides this command.
    pub fn when(mut self, command: impl Into<Command>) -> Outcome {
        let command = command.into();
        let occurred_at = self.device.take().map_or(self.now, |said| placed(&self.state, &command, said));
        let cx = Context {
            now: self.now,
            occurred_at,
            actor: &self.actor,
            request_id: Uuid::from_u128(1),
            rules: &self.rules,
        };
        let decision = decide(&self.state, &command, &cx);
        Outcome { story: self, occurred_at, decision }
    }

    /// The ticket; panics before its receipt.
    pub fn ticket(&self) -> &Ticket {
        self.state.as_ref().expect("a ticket that was received")
    }

    /// Asserts the stage.
    #[track_caller]
    pub fn stands_at(self, stage: Stage) -> Self {
        assert_eq!(self.ticket().stage, stage);
        self
    }
}

impl From<crate::ticket::command::Receive> for Command {
    fn from(receive: crate::ticket::command::Receive) -> Self {
        Self::Receive(Box::new(receive))
    }
}

/// The result of a command.
#[derive(Debug)]
pub struct Outcome {
    story: Story,
    occurred_at: Timestamp,
    decision: Decision,
}

impl Outcome {
    /// The decision.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Asserts that exactly these events follow; the story continues.
    #[track_caller]
    pub fn then<const N: usize>(self, facts: [Event; N]) -> Story {
        assert_eq!(self.decision.as_deref(), Ok(facts.as_slice()));
        self.accepted()
    }

    /// Asserts that the command was accepted, with any events.
    #[track_caller]
    pub fn accepted(self) -> Story {
        let mut story = self.story;
        for fact in self.decision.expect("accepted") {
            story.state = evolve(story.state, &fact, self.occurred_at);
        }
        story.now += TimeDelta::minutes(1);
        story
    }

    /// Asserts this rejection; nothing changes.
    #[track_caller]
    pub fn refused(self, why: Rejection) -> Story {
        assert_eq!(self.decision, Err(why));
        self.story
    }

    /// Asserts that the move is illegal and that the rejection lists exactly the legal moves.
    #[track_caller]
    pub fn illegal(self) -> Story {
        match &self.decision {
            Err(Rejection::IllegalMove { asked, legal: named, stage, .. }) => {
                assert_eq!(*named, legal(&self.story.state));
                assert_eq!(*stage, self.story.ticket().stage);
                assert!(!named.contains(*asked));
            }
            other => panic!("expected an illegal move, got {other:?}"),
        }
        self.story
    }

    /// Asserts exactly these violations.
    #[track_caller]
    pub fn invalid<const N: usize>(self, violations: [Violation; N]) -> Story {
        self.refused(Rejection::Invalid(violations.to_vec()))
    }
}
