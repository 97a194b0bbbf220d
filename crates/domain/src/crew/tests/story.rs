//! Given, when, then: a story about one crew, with sample commands and events. All crews and places are invented.

use chrono::TimeDelta;
use uuid::Uuid;

use crate::{
    Timestamp, Violation,
    actor::{Actor, Role},
    crew::{
        Command, Crew, CrewId, Event, Grounds, OfferId, Point, Rejection, ReleaseReason, Skill, Skills, State,
        command::{Enrol, Reserve},
        decide,
        decide::Decision,
        event, evolve,
    },
    decider::Context,
    rules::Rules,
    ticket::{
        TicketId,
        tests::{
            sample::{CREW, LIANGZHU, crew_id, org, ticket_id},
            story::clock,
        },
    },
};

/// The crew's home station.
pub fn home() -> Point {
    Point::new(30_400_000, 120_000_000).unwrap()
}

/// A place away from home.
pub fn site() -> Point {
    Point::new(30_450_000, 120_050_000).unwrap()
}

/// The end of all shifts.
pub fn evening() -> Timestamp {
    clock(21, "17:00")
}

pub fn offer_id(attempt: u32) -> OfferId {
    OfferId::of(ticket_id(1), attempt)
}

/// A roster entry.
pub fn entry() -> Enrol {
    Enrol {
        crew: crew_id(CREW),
        home: home(),
        territory: vec![org(LIANGZHU)],
        skills: Skills::of(&[Skill::LowVoltage]),
        members: vec!["m1".into(), "m2".into()],
        vehicle: Some("zj-a-1".into()),
    }
}

pub fn enrol(entry: Enrol) -> Command {
    Command::Enrol(Box::new(entry))
}

pub fn start_shift() -> Command {
    Command::StartShift { until: evening(), breaks: Vec::new(), at: None }
}

/// A reservation for the first ticket's offer with this attempt number.
pub fn reservation(attempt: u32) -> Reserve {
    Reserve {
        offer: offer_id(attempt),
        ticket: ticket_id(1),
        lease_until: clock(21, "10:00"),
        priority: false,
        forced: None,
        grounds: Grounds::default(),
    }
}

pub fn reserve(attempt: u32) -> Command {
    Command::Reserve(Box::new(reservation(attempt)))
}

pub fn commit(ticket: TicketId, attempt: Option<u32>) -> Command {
    Command::Commit { ticket, offer: attempt.map(offer_id) }
}

pub fn release(ticket: TicketId, attempt: Option<u32>, why: ReleaseReason) -> Command {
    Command::Release { ticket, offer: attempt.map(offer_id), why }
}

pub fn enrolled() -> Event {
    let Enrol { crew, home, territory, skills, members, vehicle } = entry();
    event::Enrolled { crew, home, territory, skills, members, vehicle }.into()
}

pub fn shift_started() -> Event {
    event::ShiftStarted { until: evening(), breaks: Vec::new(), at: None }.into()
}

/// The event of `reserve(attempt)` at this revision.
pub fn reserved(attempt: u32, fence: u64) -> Event {
    let Reserve { offer, ticket, lease_until, priority, forced, grounds } = reservation(attempt);
    event::Reserved { offer, ticket, fence, lease_until, priority, forced, grounds }.into()
}

pub fn committed(ticket: TicketId, attempt: Option<u32>, fence: u64) -> Event {
    event::Committed { ticket, offer: attempt.map(offer_id), fence }.into()
}

pub fn released(ticket: TicketId, attempt: Option<u32>, why: ReleaseReason) -> Event {
    event::Released { ticket, offer: attempt.map(offer_id), why }.into()
}

/// A crew's story so far. Steps are a minute apart unless stated otherwise.
#[derive(Clone, Debug)]
pub struct Story {
    state: State,
    pub now: Timestamp,
    device: Option<Timestamp>,
    actor: Actor,
    rules: Rules,
}

/// These events happened, a minute apart, from 09:00 on the 21st; the actor belongs to the station's desk.
pub fn given<I: IntoIterator<Item = Event>>(facts: I) -> Story {
    let actor = Actor { id: "a1".into(), role: Role::Desk, org: org(LIANGZHU) };
    let start = Story { state: None, now: clock(21, "09:00"), device: None, actor, rules: Rules::default() };
    facts.into_iter().fold(start, Story::and)
}

/// A crew on shift.
pub fn on_shift() -> Story {
    given([enrolled(), shift_started()])
}

impl Story {
    /// Adds an event.
    pub fn and(mut self, fact: Event) -> Self {
        self.state = evolve(self.state, &fact, self.now);
        self.now += TimeDelta::minutes(1);
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

    /// From here on the actor is the engine's dispatch process.
    pub fn by_the_engine(mut self) -> Self {
        self.actor.role = Role::System;
        self
    }

    /// From here on the actor has the desk role.
    pub fn by_a_person(mut self) -> Self {
        self.actor.role = Role::Desk;
        self
    }

    /// Decides this command.
    pub fn when(mut self, command: Command) -> Outcome {
        let (now, rules) = (self.now, &self.rules);
        let occurred_at = self.device.take().unwrap_or(now);
        let cx = Context { now, occurred_at, actor: &self.actor, request_id: Uuid::from_u128(1), rules };
        let decision = decide(&self.state, &command, &cx);
        Outcome { story: self, occurred_at, decision }
    }

    /// The crew; panics before its enrolment.
    pub fn crew(&self) -> &Crew {
        self.state.as_ref().expect("a crew that was enrolled")
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
    /// Asserts that exactly this event follows; the story continues.
    #[track_caller]
    pub fn then(self, fact: impl Into<Event>) -> Story {
        assert_eq!(self.decision, Ok(vec![fact.into()]));
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

    /// Asserts exactly this violation.
    #[track_caller]
    pub fn invalid(self, violation: Violation) -> Story {
        self.refused(Rejection::Invalid(vec![violation]))
    }
}

/// The crew of all stories.
pub fn id() -> CrewId {
    crew_id(CREW)
}
