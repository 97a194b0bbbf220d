//! A small model of the engine: a log, a clock, and several watches that follow the log, lag and restart. Promise
//! events are decided by [`Promises`], as in the engine.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use uuid::Uuid;

use super::tale::{at, in_words, line, recorded};
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

/// The most actions at one instant; more means that a watch loops.
const ACTIONS_MAX: usize = 300;
/// The most actions that a watch is asked for at once.
const ACTIONS_ASKED_MAX: usize = 3;

/// One engine with its watch.
#[derive(Clone, Debug)]
pub struct Engine {
    pub watch: Watch,
    /// The number of facts applied.
    pub read: usize,
    /// The watch acts again only after it has read its own last fact.
    own: u64,
}

/// The log, the time and the engines.
#[derive(Clone, Debug)]
pub struct World {
    pub log: Vec<Fact>,
    pub now: Timestamp,
    pub engines: Vec<Engine>,
    /// The executed actions, each with the position of its last fact: a repetition changes nothing.
    ledger: BTreeMap<String, u64>,
}

impl Engine {
    fn new() -> Self {
        Self { watch: Watch::default(), read: 0, own: 0 }
    }

    /// Applies the next `count` facts; for a dropped ticket, its history first.
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

/// The decision of the promise stream on this command.
pub fn decided(state: &PromiseLog, publish: &Announce) -> Result<Vec<promise::Event>, Rejection> {
    let actor = Actor { id: "watch".into(), role: Role::System, org: org(NATION) };
    let (now, rules) = (at("10:00"), Rules::default());
    let cx = Context { now, occurred_at: now, actor: &actor, request_id: Uuid::nil(), rules: &rules };
    Promises::decide(state, publish, &cx)
}

/// The ticket of a fact.
pub fn of(fact: &Fact) -> Option<TicketId> {
    match fact {
        Fact::Ticket(fact) => Some(fact.id),
        Fact::Promise(fact) => Some(fact.id),
        Fact::Policy(_) | Fact::Year(_) | Fact::Crew(_) => None,
    }
}

/// The clock history of a ticket in a log.
pub fn clock_history(log: &[Fact], id: TicketId) -> ClockHistory {
    let mut clock_history = ClockHistory::new(id);
    for fact in log.iter().filter(|fact| of(fact) == Some(id)) {
        match fact {
            Fact::Ticket(fact) => {
                clock_history.take(fact);
            }
            Fact::Promise(fact) => clock_history.announced.take(&fact.event),
            Fact::Policy(_) | Fact::Year(_) | Fact::Crew(_) => {}
        }
    }
    clock_history
}

/// The registry of a log.
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
    /// An empty world with one engine.
    pub fn new(now: Timestamp) -> Self {
        Self { log: Vec::new(), now, engines: vec![Engine::new()], ledger: BTreeMap::new() }
    }

    /// A world at 08:00 on the default day, with this policy.
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

    /// Appends a fact of a ticket, recorded now.
    pub fn ticket(&mut self, id: TicketId, happened: Timestamp, event: Event, role: Role) {
        let revision = self.revision(|fact| matches!(fact, Fact::Ticket(fact) if fact.id == id));
        let mut fact = TicketFact { revision, ..recorded(self.position(), id, event, happened, self.now) };
        fact.actor.role = role;
        self.log.push(Fact::Ticket(fact));
    }

    /// Publishes a policy now.
    pub fn publish(&mut self, policy: Policy) {
        let revision = self.revision(|fact| matches!(fact, Fact::Policy(fact) if fact.id == policy.operator));
        let id = policy.operator.clone();
        let event = PolicyEvent::Published(Box::new(PolicyPublished { policy }));
        let fact = recorded(self.position(), id, event, self.now, self.now);
        self.log.push(Fact::Policy(PolicyFact { revision, ..fact }));
    }

    /// Publishes a year now.
    pub fn publish_year(&mut self, year: Year) {
        let revision = self.revision(|fact| matches!(fact, Fact::Year(_)));
        let fact = recorded(self.position(), "cn".to_owned(), YearPublished { year }, self.now, self.now);
        self.log.push(Fact::Year(YearFact { revision, ..fact }));
    }

    /// Advances to `reading`; then this happens to the first ticket and is recorded.
    pub fn and(&mut self, reading: &str, event: impl Into<Event>) -> &mut Self {
        self.to(1, reading, event)
    }

    /// The same for another ticket.
    pub fn to(&mut self, ticket: u128, reading: &str, event: impl Into<Event>) -> &mut Self {
        self.until(reading);
        self.ticket(ticket_id(ticket), at(reading), event.into(), Role::Desk);
        self.rest()
    }

    /// Records now what happened earlier.
    pub fn late(&mut self, happened: &str, event: impl Into<Event>) -> &mut Self {
        self.ticket(ticket_id(1), at(happened), event.into(), Role::Crew);
        self.rest()
    }

    /// Advances to `reading`; the engines record what falls due on the way.
    pub fn until(&mut self, reading: &str) -> &mut Self {
        self.pass(at(reading))
    }

    /// Advances to an instant.
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

    /// Every engine reads all facts and executes its actions, until no engine has any.
    pub fn rest(&mut self) -> &mut Self {
        for _ in 0..ACTIONS_MAX {
            let mut silent = true;
            for engine in 0..self.engines.len() {
                self.follow(engine, usize::MAX);
                silent &= !self.act(engine, self.now);
            }
            let ripe = |engine: &Engine| {
                engine.read < self.log.len() || engine.watch.wake().is_some_and(|next| next <= self.now)
            };
            if silent && !self.engines.iter().any(ripe) {
                return self;
            }
        }
        panic!("it never comes to rest: {:#?}\n{:#?}", self.events(), self.engines);
    }

    /// One engine applies the next facts.
    pub fn follow(&mut self, engine: usize, count: usize) {
        self.engines[engine].follow(&self.log, count);
    }

    /// One engine, if it has read its own last fact, executes an action that is due at `now` by its own clock. Returns
    /// true if there was one.
    pub fn act(&mut self, engine: usize, now: Timestamp) -> bool {
        if (self.engines[engine].read as u64) < self.own(engine) {
            return false;
        }
        let actions = self.engines[engine].watch.pending(now, ACTIONS_ASKED_MAX);
        for action in &actions {
            self.execute(engine, action, now);
        }
        !actions.is_empty()
    }

    fn own(&self, engine: usize) -> u64 {
        self.engines[engine].own
    }

    /// Executes an action, as the reactor does.
    fn execute(&mut self, engine: usize, action: &Action<Intent>, now: Timestamp) {
        let id = action.intent.ticket;
        let name = format!("{}/{}/{id}/{:?}", action.name, action.because, action.intent.publish.events);
        let done = self.ledger.get(&name).copied();
        let decision = match done {
            Some(position) if position <= self.engines[engine].read as u64 => Err("carried out before"),
            Some(position) => Ok(position),
            None => self.decide(id, action, now).inspect(|position| {
                self.ledger.insert(name, *position);
            }),
        };
        match decision {
            Ok(position) => self.engines[engine].own = self.own(engine).max(position),
            Err(why) => self.engines[engine].watch.refused(action, why),
        }
    }

    fn decide(&mut self, id: TicketId, action: &Action<Intent>, now: Timestamp) -> Result<u64, &'static str> {
        let facts = self.log.iter().filter_map(|fact| match fact {
            Fact::Promise(fact) if fact.id == id => Some(fact),
            _ => None,
        });
        let (state, revision) = facts.fold((Promises::initial(), 0), |(state, revision), fact| {
            (Promises::evolve(state, &fact.event, fact.occurred_at), revision + 1)
        });
        let said = decided(&state, &action.intent.publish).map_err(|_| "said before")?;
        for (revision, event) in (revision..).zip(said) {
            let fact = recorded(self.position(), id, event, now, now.max(self.now));
            self.log.push(Fact::Promise(crate::fact::PromiseFact { revision, ..fact }));
        }
        Ok(self.log.len() as u64)
    }

    /// One engine restarts, with the facts that it has read and the tickets in flight.
    pub fn restart(&mut self, engine: usize) {
        let log = &self.log[..self.engines[engine].read];
        let ids: BTreeSet<TicketId> = log.iter().filter_map(of).collect();
        let watch = Watch::resume(registry(log), ids.into_iter().map(|id| clock_history(log, id)));
        self.engines[engine].watch = watch;
    }

    /// Adds an engine that has read nothing.
    pub fn another_engine(&mut self) {
        self.engines.push(Engine::new());
    }

    /// The clocks of a ticket now.
    pub fn clocks(&self, id: TicketId) -> Vec<Clock> {
        judge(&clock_history(&self.log, id), &registry(&self.log), self.now)
    }

    /// The clocks of the first ticket now, in words.
    pub fn stands(&self) -> Vec<String> {
        let by_version = |clock: &Clock| format!("{} by version {}", line(clock), clock.version.number);
        self.clocks(ticket_id(1)).iter().map(by_version).collect()
    }

    /// All promise events in the log, in words.
    pub fn events(&self) -> Vec<String> {
        let said = self.log.iter().filter_map(|fact| match fact {
            Fact::Promise(fact) => Some(format!("{} {}", in_words(fact.recorded_at), words(&fact.event))),
            _ => None,
        });
        said.collect()
    }
}

/// A promise event in words.
pub fn words(event: &promise::Event) -> String {
    let judged = event.judged();
    let key = &judged.key;
    let clock = format!("{} {}.{}", key.clock, key.cycle, key.run_number);
    match event {
        promise::Event::Warned(e) => format!("{clock} warned {} of {}, tell {}", e.level, in_words(judged.due), e.tell),
        promise::Event::Breached(_) => format!("{clock} breached {} by {}", in_words(judged.due), judged.owner),
        promise::Event::Overturned(e) => {
            let due = e.due_now.map_or("never".to_owned(), in_words);
            format!("{clock} overturned {}: {}, due {due}", in_words(judged.due), e.now)
        }
    }
}

/// One microsecond.
pub const TICK: TimeDelta = TimeDelta::microseconds(1);
