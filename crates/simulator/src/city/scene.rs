//! The context of a story: random numbers, clock, draft of the script, and the sequences of steps that many stories
//! share. Stories advance the clock; a story that sets it back relies on `Draft::finish` to sort the steps. Absent:
//! the stories themselves.

use std::ops::Range;

use chrono::{FixedOffset, TimeDelta, Timelike as _};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};
use switchboard_wire::proto::{
    self as pb, BusinessType, Channel, RevisitMethod, Satisfaction, report_progress_request::Step as Crew,
};

use super::{
    CREWS_PER_STATION, City, HOUSEHOLDS, Household, NATION,
    delays::{self, Delay, Weather},
    words,
};
use crate::{
    Timestamp,
    request::Request,
    script::{Actor, Draft, Script, Slot, Source, Step, actor, of_unit, stamp},
};

/// Hours of the day in China Standard Time in which no customer is called: 21 to 8 and 12 to 14.
const QUIET: [Range<u32>; 3] = [0..8, 12..14, 21..24];

/// One story under construction.
pub(super) struct Scene<'c> {
    pub(super) city: &'c City,
    pub(super) dice: StdRng,
    pub(super) now: Timestamp,
    weather: Weather,
    draft: Draft,
}

impl<'c> Scene<'c> {
    pub(super) fn new(city: &'c City, source: &Source, key: String, now: Timestamp) -> Self {
        let dice = StdRng::seed_from_u64(source.script(&key).as_u64_pair().1);
        Self { city, dice, now, weather: Weather::Fair, draft: Draft::new(source, key) }
    }

    /// Sets the weather of the story.
    pub(super) fn under(mut self, weather: Weather) -> Self {
        self.weather = weather;
        self
    }

    /// Creates a live story: its requests have no `occurred_at`.
    pub(super) fn live(city: &'c City, source: &Source, key: String, now: Timestamp) -> Self {
        let mut scene = Self::new(city, source, key.clone(), now);
        scene.draft = Draft::new(source, key).live();
        scene
    }

    pub(super) fn finish(self) -> Script {
        self.draft.finish()
    }

    // The clock.

    /// Advances the clock by a random time within this range of minutes.
    pub(super) fn pass(&mut self, minutes: Range<i64>) {
        self.now += TimeDelta::seconds(self.dice.random_range(minutes.start * 60..minutes.end * 60));
    }

    /// Advances the clock by one delay, adapted to the weather.
    pub(super) fn take(&mut self, delay: Delay) {
        self.now += self.weather.stretch(delay.drawn(&mut self.dice));
    }

    /// Advances the clock to the end of the quiet hours, if it is within them.
    pub(super) fn pass_quiet_hours(&mut self) {
        let Some(china) = FixedOffset::east_opt(8 * 3600) else { return };
        // The quiet hours of one night are two ranges: 21 to 24 and 0 to 8.
        for _ in 0..2 {
            let clock = self.now.with_timezone(&china);
            if let Some(quiet) = QUIET.iter().find(|hours| hours.contains(&clock.hour())) {
                let second = i64::from(clock.num_seconds_from_midnight());
                self.now += TimeDelta::seconds(i64::from(quiet.end) * 3600 - second);
            }
        }
    }

    // The actors.

    pub(super) fn household(&mut self) -> Household {
        let number = self.dice.random_range(0..HOUSEHOLDS);
        self.city.household(number)
    }

    pub(super) fn agent(&mut self) -> Actor {
        actor(format!("agent-{:02}", self.dice.random_range(1..40)), "agent", NATION)
    }

    /// Returns the path of a random crew of `station`.
    pub(super) fn crew(&mut self, station: &str) -> String {
        format!("{station}/crew-{}", self.dice.random_range(1..=CREWS_PER_STATION))
    }

    // Sequences of steps.

    /// Adds a step at the present time of the clock.
    pub(super) fn step(&mut self, ticket: Slot, who: &Actor, request: impl Into<Request>) -> &mut Step {
        self.draft.step(ticket, self.now, who, request)
    }

    /// Builds the request for a call of a household about `content`.
    pub(super) fn call(&mut self, house: &Household, business: BusinessType, content: &str) -> pb::ReceiveRequest {
        let channels = [Channel::Hotline, Channel::Hotline, Channel::Hotline, Channel::App, Channel::Web];
        let channel = channels.choose(&mut self.dice).copied().unwrap_or(Channel::Hotline);
        pb::ReceiveRequest {
            business_type: business.into(),
            channel: channel.into(),
            received_by: Some(NATION.to_owned()),
            caller: Some(house.caller.clone()),
            address: Some(house.address.clone()),
            content: content.to_owned(),
            place: Some(house.place.clone()),
            ..pb::ReceiveRequest::default()
        }
    }

    /// An agent opens a ticket.
    pub(super) fn receive(&mut self, house: &Household, business: BusinessType, content: &str) -> Slot {
        let (agent, call) = (self.agent(), self.call(house, business, content));
        self.draft.receive(self.now, &agent, call)
    }

    /// An agent opens a ticket with the request `call`.
    pub(super) fn receive_as(&mut self, call: pb::ReceiveRequest) -> Slot {
        let agent = self.agent();
        self.draft.receive(self.now, &agent, call)
    }

    /// The voice robot opens a ticket.
    pub(super) fn receive_by_robot(&mut self, house: &Household, business: BusinessType, content: &str) -> Slot {
        let call = pb::ReceiveRequest { channel: Channel::Ivr.into(), ..self.call(house, business, content) };
        self.draft.receive(self.now, &actor("ivr", "ivr", NATION), call)
    }

    /// An agent opens an urge as a ticket of its own that belongs to `other`.
    pub(super) fn receive_urge(&mut self, house: &Household, content: &str, other: Slot) -> Slot {
        let slot = self.receive(house, BusinessType::Urge, content);
        if let Some(step) = self.draft.last_mut() {
            step.about(other);
        }
        slot
    }

    /// The household calls again, and the call attaches to its open ticket.
    pub(super) fn ring_again(&mut self, ticket: Slot, house: &Household, business: BusinessType, content: &str) {
        let call = pb::ReceiveRequest { channel: Channel::Ivr.into(), ..self.call(house, business, content) };
        self.draft.ring_again(ticket, self.now, &actor("ivr", "ivr", NATION), call);
    }

    pub(super) fn classify(&mut self, ticket: Slot, category: &str, urgency: pb::Urgency, grade: pb::Grade) {
        let agent = self.agent();
        let request = pb::ClassifyRequest {
            category: category.to_owned(),
            urgency: urgency.into(),
            grade: grade.into(),
            ..pb::ClassifyRequest::default()
        };
        self.step(ticket, &agent, request);
    }

    pub(super) fn classify_plain(&mut self, ticket: Slot, category: &str) {
        self.classify(ticket, category, pb::Urgency::Normal, pb::Grade::Unspecified);
    }

    /// Dispatches the ticket down the chain of `units`; each accepts it before it dispatches it to the next.
    pub(super) fn send_down(&mut self, ticket: Slot, units: &[&str], sent: Delay, taken: Delay) {
        let mut sender = self.agent();
        for unit in units {
            self.take(sent);
            self.step(ticket, &sender, Request::dispatch(unit));
            self.take(taken);
            sender = of_unit(unit);
            self.step(ticket, &sender, Request::accept());
        }
    }

    /// The city chooses a crew; in a storm the ticket first waits for a free one.
    pub(super) fn send_crew(&mut self, ticket: Slot, city: &Actor, crew: &str) {
        self.now += self.weather.wait_for_crew(&mut self.dice);
        self.take(delays::CREW_NAMED);
        self.step(ticket, city, Request::dispatch(crew));
    }

    /// The crew accepts the ticket, drives to the household, diagnoses the fault, and restores power within this range
    /// of minutes after the diagnosis.
    pub(super) fn crew_on_site(&mut self, ticket: Slot, crew: &str, house: &Household, minutes: Range<i64>) {
        self.crew_leaves(ticket, crew);
        // The weather does not change the length of a drive.
        self.now += delays::drive(house.place.area()).drawn(&mut self.dice);
        self.crew_repairs(ticket, crew, minutes);
    }

    /// The crew accepts and leaves.
    pub(super) fn crew_leaves(&mut self, ticket: Slot, crew: &str) {
        let lead = of_unit(crew);
        self.take(delays::CREW_ACCEPTS);
        self.step(ticket, &lead, Request::progress(Crew::Accepted(pb::StepAccepted {})));
        self.take(delays::CREW_LEAVES);
        self.step(ticket, &lead, Request::progress(Crew::EnRoute(pb::StepEnRoute {})));
    }

    /// The crew arrives now, diagnoses the fault, gives an ETR and restores power.
    pub(super) fn crew_repairs(&mut self, ticket: Slot, crew: &str, minutes: Range<i64>) {
        let lead = of_unit(crew);
        self.step(ticket, &lead, Request::progress(Crew::Arrived(pb::StepArrived::default())));
        self.pass(3..15);
        let finding = self.cause();
        self.step(ticket, &lead, Request::progress(Crew::Diagnosed(pb::StepDiagnosed { finding, category: None })));
        let etr = self.now + TimeDelta::minutes(self.dice.random_range(minutes.clone()));
        self.step(ticket, &lead, Request::progress(Crew::EtrSet(pb::StepEtrSet { etr: Some(stamp(etr)) })));
        self.pass(minutes);
        self.step(ticket, &lead, Request::progress(Crew::Restored(pb::StepRestored {})));
    }

    pub(super) fn cause(&mut self) -> String {
        words::CAUSES.choose(&mut self.dice).copied().unwrap_or_default().to_owned()
    }

    /// The unit that did the work replies.
    pub(super) fn reply(&mut self, ticket: Slot, unit: &Actor, outcome: pb::ReplyOutcome, what: &str, category: &str) {
        self.take(delays::REPLIED);
        let request = pb::ReplyRequest {
            outcome: outcome.into(),
            facts: what.to_owned(),
            cause: self.cause(),
            measures: what.to_owned(),
            category: category.to_owned(),
            ..pb::ReplyRequest::default()
        };
        self.step(ticket, unit, request);
    }

    /// The reply audit goes up from the lowest of `units` to the national centre.
    pub(super) fn audit(&mut self, ticket: Slot, units: &[&str]) {
        for unit in units.iter().rev() {
            self.pass(5..30);
            self.step(ticket, &of_unit(unit), Request::passed());
        }
        self.pass(5..30);
        let agent = self.agent();
        self.step(ticket, &agent, Request::passed());
    }

    /// An agent asks the customer by phone, outside the quiet hours.
    pub(super) fn revisit(&mut self, ticket: Slot, outcome: Satisfaction) {
        self.pass(10..120);
        self.pass_quiet_hours();
        let agent = self.agent();
        self.step(ticket, &agent, Request::revisit(RevisitMethod::Call, outcome));
    }

    /// A revisit with an outcome that needs no further work: mostly satisfied, rarely neutral or refused.
    pub(super) fn revisit_content(&mut self, ticket: Slot) {
        let mood = match self.dice.random_range(0..100) {
            0..66 => Satisfaction::VerySatisfied,
            66..96 => Satisfaction::Satisfied,
            96..98 => Satisfaction::Neutral,
            _ => Satisfaction::Refused,
        };
        self.revisit(ticket, mood);
    }

    pub(super) fn close(&mut self, ticket: Slot) {
        self.pass(1..10);
        let agent = self.agent();
        self.step(ticket, &agent, Request::close());
    }
}
