//! Given, when, then: one story about one ticket, told in the order in which it happens.
//! There is no rule here; a story only folds what was decided and compares it with what is told.

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

/// An instant of November 2026 by the clock on a Chinese wall.
pub fn clock(day: u32, time: &str) -> Timestamp {
    let time = NaiveTime::parse_from_str(time, "%H:%M").unwrap();
    let date = NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
    date.and_time(time).and_local_timezone(FixedOffset::east_opt(8 * 3600).unwrap()).unwrap().to_utc()
}

/// A ticket's story so far. A minute passes between one thing and the next unless told otherwise.
#[derive(Clone, Debug)]
pub struct Story {
    pub state: State,
    pub now: Timestamp,
    device: Option<Timestamp>,
    actor: Actor,
    rules: Rules,
}

/// These facts happened, a minute apart, from nine o'clock of the 21st.
pub fn given<I: IntoIterator<Item = Event>>(facts: I) -> Story {
    let actor = Actor { id: "a1".into(), role: Role::Desk, org: org(NATION) };
    let start = Story { state: None, now: clock(21, "09:00"), device: None, actor, rules: Rules::default() };
    facts.into_iter().fold(start, Story::and)
}

impl Story {
    /// One more fact.
    pub fn and(mut self, fact: Event) -> Self {
        self.state = evolve(self.state, &fact, self.device.take().unwrap_or(self.now));
        self.now += TimeDelta::minutes(1);
        self
    }

    /// What follows happens at this instant.
    pub fn at(mut self, instant: Timestamp) -> Self {
        self.now = instant;
        self
    }

    /// The next thing happened then, by the clock of the device that reports it now.
    pub fn by_the_device_at(mut self, instant: Timestamp) -> Self {
        self.device = Some(instant);
        self
    }

    /// Somebody of this unit acts from here on.
    pub fn by(mut self, unit: &str) -> Self {
        self.actor.org = org(unit);
        self
    }

    /// The one of this name acts from here on.
    pub fn named(mut self, id: &str) -> Self {
        self.actor.id = id.into();
        self
    }

    /// The engine's dispatch process acts from here on.
    pub fn by_the_engine(self) -> Self {
        self.by(NATION).acting_as(Role::System)
    }

    /// Somebody in this role acts from here on.
    pub fn acting_as(mut self, role: Role) -> Self {
        self.actor.role = role;
        self
    }

    /// Under other rules from here on.
    pub fn under(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(&mut self.rules);
        self
    }

    /// Somebody asks for this.
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

    /// The ticket, which was received.
    pub fn ticket(&self) -> &Ticket {
        self.state.as_ref().expect("a ticket that was received")
    }

    /// Compares the stage.
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

/// What came of asking.
#[derive(Debug)]
pub struct Outcome {
    story: Story,
    occurred_at: Timestamp,
    decision: Decision,
}

impl Outcome {
    /// What was decided.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// These facts follow, and the story goes on.
    #[track_caller]
    pub fn then<const N: usize>(self, facts: [Event; N]) -> Story {
        assert_eq!(self.decision.as_deref(), Ok(facts.as_slice()));
        self.accepted()
    }

    /// It was accepted, whatever exactly follows.
    #[track_caller]
    pub fn accepted(self) -> Story {
        let mut story = self.story;
        for fact in self.decision.expect("accepted") {
            story.state = evolve(story.state, &fact, self.occurred_at);
        }
        story.now += TimeDelta::minutes(1);
        story
    }

    /// It was refused with these words, and nothing changed.
    #[track_caller]
    pub fn refused(self, why: Rejection) -> Story {
        assert_eq!(self.decision, Err(why));
        self.story
    }

    /// The state does not admit the move; the refusal names exactly those that it does.
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

    /// The command is malformed in exactly these places.
    #[track_caller]
    pub fn invalid<const N: usize>(self, violations: [Violation; N]) -> Story {
        self.refused(Rejection::Invalid(violations.to_vec()))
    }
}
