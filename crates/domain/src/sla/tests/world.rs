//! An engine in miniature: a log, a clock, and watches that follow the log, speak, lag behind and are restarted. What is said
//! goes through [`Promises`], as it does in the engine.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use uuid::Uuid;

use super::tale::{at, line, recorded, told};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    decider::{Action, Context, Decider, Process, Projection},
    fact::{Fact, PolicyFact, TicketFact, YearFact},
    rules::Rules,
    sla::{
        calendar::Year,
        clock_history::ClockHistory,
        judge::{Clock, judge},
        policy::Policy,
        promise::{self, Announce, PromiseLog, Promises, Rejection},
        publication::{PolicyEvent, PolicyPublished, YearPublished},
        registry::PolicyRegistry,
        watch::{Intent, Watch},
    },
    ticket::{
        Event, TicketId,
        tests::sample::{NATION, org, ticket_id},
    },
};

/// More is never to be said at one instant: past it a watch is going in circles.
const WORDS_MAX: usize = 300;
/// The most wants that a watch is asked for at once.
const WANTS_MAX: usize = 3;

/// One engine's watch.
#[derive(Clone, Debug)]
pub struct Engine {
    pub watch: Watch,
    /// How many facts it has folded.
    pub read: usize,
    /// It speaks again when its fold has passed its own last word.
    own: u64,
}

/// The log, the time, and who watches.
#[derive(Clone, Debug)]
pub struct World {
    pub log: Vec<Fact>,
    pub now: Timestamp,
    pub engines: Vec<Engine>,
    /// Wants that were carried out, with the position of their last fact: carried out again, nothing happens.
    ledger: BTreeMap<String, u64>,
}

impl Engine {
    fn new() -> Self {
        Self { watch: Watch::default(), read: 0, own: 0 }
    }

    /// Folds the next `count` facts; of a ticket that was let go its history first.
    pub fn follow(&mut self, log: &[Fact], count: usize) {
        for fact in log.iter().skip(self.read).take(count) {
            if let Some(id) = self.watch.forgotten(fact) {
                let before = |known: &&Fact| known.position() < fact.position() && of(known) == Some(id);
                for known in log.iter().filter(before) {
                    self.watch.apply(known);
                }
            }
            self.watch.apply(fact);
            self.read += 1;
        }
    }
}

/// What is said of what is to be said, where this was said before.
pub fn decided(state: &PromiseLog, publish: &Announce) -> Result<Vec<promise::Event>, Rejection> {
    let actor = Actor { id: "watch".into(), role: Role::System, org: org(NATION) };
    let (now, rules) = (at("10:00"), Rules::default());
    let cx = Context { now, occurred_at: now, actor: &actor, request_id: Uuid::nil(), rules: &rules };
    Promises::decide(state, publish, &cx)
}

/// The ticket that a fact is about.
pub fn of(fact: &Fact) -> Option<TicketId> {
    match fact {
        Fact::Ticket(fact) => Some(fact.id),
        Fact::Promise(fact) => Some(fact.id),
        Fact::Policy(_) | Fact::Year(_) | Fact::Crew(_) => None,
    }
}

/// What a log says of one ticket.
pub fn clock_history(log: &[Fact], id: TicketId) -> ClockHistory {
    let mut clock_history = ClockHistory::new(id);
    for fact in log.iter().filter(|fact| of(fact) == Some(id)) {
        match fact {
            Fact::Ticket(fact) => {
                clock_history.take(fact);
            }
            Fact::Promise(fact) => clock_history.said.take(&fact.event),
            Fact::Policy(_) | Fact::Year(_) | Fact::Crew(_) => {}
        }
    }
    clock_history
}

/// What a log publishes.
pub fn registry(log: &[Fact]) -> PolicyRegistry {
    let mut registry = PolicyRegistry::default();
    for fact in log {
        match fact {
            Fact::Policy(fact) => registry.take_policy(fact),
            Fact::Year(fact) => registry.take_year(fact),
            Fact::Ticket(_) | Fact::Promise(_) | Fact::Crew(_) => {}
        }
    }
    registry
}

impl World {
    /// Nothing happened yet, and one engine watches.
    pub fn new(now: Timestamp) -> Self {
        Self { log: Vec::new(), now, engines: vec![Engine::new()], ledger: BTreeMap::new() }
    }

    /// At eight in the morning of the ordinary Tuesday, under this policy.
    pub fn under(policy: Policy) -> Self {
        let mut world = Self::new(at("08:00"));
        world.publish(policy);
        world
    }

    fn position(&self) -> u64 {
        self.log.len() as u64 + 1
    }

    fn revision(&self, of_same: impl Fn(&Fact) -> bool) -> u64 {
        self.log.iter().filter(|fact| of_same(fact)).count() as u64
    }

    /// One more fact of a ticket, learnt now.
    pub fn ticket(&mut self, id: TicketId, happened: Timestamp, event: Event, role: Role) {
        let revision = self.revision(|fact| matches!(fact, Fact::Ticket(fact) if fact.id == id));
        let mut fact = TicketFact { revision, ..recorded(self.position(), id, event, happened, self.now) };
        fact.actor.role = role;
        self.log.push(Fact::Ticket(fact));
    }

    /// A policy is published now.
    pub fn publish(&mut self, policy: Policy) {
        let revision = self.revision(|fact| matches!(fact, Fact::Policy(fact) if fact.id == policy.operator));
        let id = policy.operator.clone();
        let event = PolicyEvent::Published(Box::new(PolicyPublished { policy }));
        let fact = recorded(self.position(), id, event, self.now, self.now);
        self.log.push(Fact::Policy(PolicyFact { revision, ..fact }));
    }

    /// A year is published now.
    pub fn publish_year(&mut self, year: Year) {
        let revision = self.revision(|fact| matches!(fact, Fact::Year(_)));
        let fact = recorded(self.position(), "cn".to_owned(), YearPublished { year }, self.now, self.now);
        self.log.push(Fact::Year(YearFact { revision, ..fact }));
    }

    /// Time passes until then, and this happens to the first ticket and is learnt at once.
    pub fn and(&mut self, reading: &str, event: impl Into<Event>) -> &mut Self {
        self.to(1, reading, event)
    }

    /// The same of another ticket.
    pub fn to(&mut self, ticket: u128, reading: &str, event: impl Into<Event>) -> &mut Self {
        self.until(reading);
        self.ticket(ticket_id(ticket), at(reading), event.into(), Role::Desk);
        self.rest()
    }

    /// It is learnt now that this had happened.
    pub fn late(&mut self, happened: &str, event: impl Into<Event>) -> &mut Self {
        self.ticket(ticket_id(1), at(happened), event.into(), Role::Crew);
        self.rest()
    }

    /// Time passes until then; whatever is to be said on the way is said.
    pub fn until(&mut self, reading: &str) -> &mut Self {
        self.pass(at(reading))
    }

    /// The same to an instant.
    pub fn pass(&mut self, instant: Timestamp) -> &mut Self {
        self.rest();
        while let Some(next) = self.engines.iter().filter_map(|engine| engine.watch.wake()).min() {
            if next > instant {
                break;
            }
            self.now = self.now.max(next);
            self.rest();
        }
        self.now = instant;
        self.rest()
    }

    /// Every engine reads everything and says whatever it wants to say now, until none wants anything.
    pub fn rest(&mut self) -> &mut Self {
        for _ in 0..WORDS_MAX {
            let mut silent = true;
            for engine in 0..self.engines.len() {
                self.follow(engine, usize::MAX);
                silent &= !self.speak(engine, self.now);
            }
            let ripe = |engine: &Engine| {
                engine.read < self.log.len() || engine.watch.wake().is_some_and(|next| next <= self.now)
            };
            if silent && !self.engines.iter().any(ripe) {
                return self;
            }
        }
        panic!("it never comes to rest: {:#?}\n{:#?}", self.said(), self.engines);
    }

    /// One engine folds the next facts.
    pub fn follow(&mut self, engine: usize, count: usize) {
        self.engines[engine].follow(&self.log, count);
    }

    /// One engine that has read what it said last says what it wants at `now` by its own clock; whether it wanted anything.
    pub fn speak(&mut self, engine: usize, now: Timestamp) -> bool {
        if (self.engines[engine].read as u64) < self.own(engine) {
            return false;
        }
        let wants = self.engines[engine].watch.pending(now, WANTS_MAX);
        for want in &wants {
            self.say(engine, want, now);
        }
        !wants.is_empty()
    }

    fn own(&self, engine: usize) -> u64 {
        self.engines[engine].own
    }

    /// What the reactor does with a want.
    fn say(&mut self, engine: usize, want: &Action<Intent>, now: Timestamp) {
        let id = want.intent.ticket;
        let name = format!("{}/{}/{id}/{:?}", want.name, want.because, want.intent.publish.events);
        let done = self.ledger.get(&name).copied();
        let decision = match done {
            Some(position) if position <= self.engines[engine].read as u64 => Err("carried out before"),
            Some(position) => Ok(position),
            None => self.decide(id, want, now).inspect(|position| {
                self.ledger.insert(name, *position);
            }),
        };
        match decision {
            Ok(position) => self.engines[engine].own = self.own(engine).max(position),
            Err(why) => self.engines[engine].watch.refused(want, why),
        }
    }

    fn decide(&mut self, id: TicketId, want: &Action<Intent>, now: Timestamp) -> Result<u64, &'static str> {
        let facts = self.log.iter().filter_map(|fact| match fact {
            Fact::Promise(fact) if fact.id == id => Some(fact),
            _ => None,
        });
        let (state, revision) = facts.fold((Promises::initial(), 0), |(state, revision), fact| {
            (Promises::evolve(state, &fact.event, fact.occurred_at), revision + 1)
        });
        let said = decided(&state, &want.intent.publish).map_err(|_| "said before")?;
        for (revision, event) in (revision..).zip(said) {
            let fact = recorded(self.position(), id, event, now, now.max(self.now));
            self.log.push(Fact::Promise(crate::fact::PromiseFact { revision, ..fact }));
        }
        Ok(self.log.len() as u64)
    }

    /// One engine starts anew: from the log up to here, with the tickets that are in flight.
    pub fn restart(&mut self, engine: usize) {
        let log = &self.log[..self.engines[engine].read];
        let ids: BTreeSet<TicketId> = log.iter().filter_map(of).collect();
        let watch = Watch::resume(registry(log), ids.into_iter().map(|id| clock_history(log, id)));
        self.engines[engine].watch = watch;
    }

    /// One more engine, which has read nothing yet.
    pub fn another_engine(&mut self) {
        self.engines.push(Engine::new());
    }

    /// A ticket's clocks as they stand now.
    pub fn clocks(&self, id: TicketId) -> Vec<Clock> {
        judge(&clock_history(&self.log, id), &registry(&self.log), self.now)
    }

    /// The first ticket's clocks as they stand now, in words.
    pub fn stands(&self) -> Vec<String> {
        let told = |clock: &Clock| format!("{} by version {}", line(clock), clock.version.number);
        self.clocks(ticket_id(1)).iter().map(told).collect()
    }

    /// Everything that was said, in words.
    pub fn said(&self) -> Vec<String> {
        let said = self.log.iter().filter_map(|fact| match fact {
            Fact::Promise(fact) => Some(format!("{} {}", told(fact.recorded_at), words(&fact.event))),
            _ => None,
        });
        said.collect()
    }
}

/// What was said, in words.
pub fn words(event: &promise::Event) -> String {
    let judged = event.judged();
    let key = &judged.key;
    let clock = format!("{} {}.{}", key.clock, key.cycle, key.run_number);
    match event {
        promise::Event::Warned(e) => format!("{clock} warned {} of {}, tell {}", e.level, told(judged.due), e.tell),
        promise::Event::Breached(_) => format!("{clock} breached {} by {}", told(judged.due), judged.owner),
        promise::Event::Overturned(e) => {
            let due = e.due_now.map_or("never".to_owned(), told);
            format!("{clock} overturned {}: {}, due {due}", told(judged.due), e.now)
        }
    }
}

/// A microsecond.
pub const TICK: TimeDelta = TimeDelta::microseconds(1);
