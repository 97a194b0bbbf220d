//! The world: a clock under control, an agenda of the coming actions of people and crews, one log, and one or two
//! dispatch processes. Everything is drawn from one seed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use switchboard_dispatcher::{
    dispatch::Order,
    policy::{Policy, SkillRule},
};
use switchboard_domain::{
    Timestamp,
    actor::{Actor, Role},
    crew::{CrewId, OfferId, Skill, Skills},
    decider::Process,
    fact::Fact,
    organisation::OrgPath,
    ticket::{Category, TicketId},
};
use uuid::Uuid;

use crate::{
    dice::Dice,
    engine::Driver,
    phones::Phone,
    planted::Planted,
    rest,
    store::{Asking, Said, Store},
    words,
};

/// The least time between two wake-ups of a process, in seconds.
const WAKE_SECONDS: i64 = 5;
/// The interval of telemetry in minutes; shorter than the time after which a crew counts as silent.
const BEAT_MINUTES: i64 = 4;
/// The most rounds of actions until the process must be at rest, while no other actor does anything.
const WORDS_MAX: usize = 400;
/// The number of last facts that are shown after a violation.
const SHOWN: usize = 40;

/// The rates of faults: one in this many times; 0 means never.
#[derive(Clone, Copy, Debug, Default)]
pub struct Faults {
    /// The process is killed, before it reads or between two actions.
    pub kill: usize,
    /// The store is unavailable, and the action waits.
    pub later: usize,
    /// The action is executed, but the answer is lost.
    pub lost: usize,
    /// An action is executed twice.
    pub twice: usize,
    /// The feed lags behind the log.
    pub lag: usize,
    /// The process misses its turn.
    pub sleep: usize,
    /// Another actor does something between the proposal and the execution of an action.
    pub interleave: usize,
    /// A second process appears, at each trouble.
    pub rival: usize,
    /// The clock jumps or stands still, at each trouble.
    pub clock: usize,
    /// A crew's phone has no signal, at each of its actions.
    pub off_air: usize,
    /// A message of a phone is repeated.
    pub repeated: usize,
}

impl Faults {
    /// Draws for each kind of fault whether it occurs, and how often.
    pub fn drawn(dice: &mut Dice) -> Self {
        let mut rate = |rates: &[usize]| if dice.one_in(2) { 0 } else { dice.choose(rates) };
        Self {
            kill: rate(&[12, 60, 300]),
            later: rate(&[3, 20]),
            lost: rate(&[4, 20]),
            twice: rate(&[4, 20]),
            lag: rate(&[2, 8]),
            sleep: rate(&[2, 10]),
            interleave: rate(&[3, 20]),
            rival: rate(&[1, 4]),
            clock: rate(&[4, 12]),
            off_air: rate(&[6, 20]),
            repeated: rate(&[4, 20]),
        }
    }
}

/// A scheduled action.
#[derive(Clone, Debug)]
pub enum Deed {
    /// A customer calls.
    Call,
    /// The desk does the next step of the ticket: classifies, dispatches, audits, closes.
    Desk(TicketId),
    /// A desk or a customer does something to some ticket.
    Meddle,
    /// The crew's shift or presence changes.
    Roster(CrewId),
    /// Phones report their positions.
    Beat,
    /// A device of the crew answers an offer.
    Answer(CrewId, u8, TicketId, OfferId, u64),
    /// The crew does the next step of its work.
    Work(CrewId),
    /// The crew's phone has a signal again.
    OnAir(CrewId),
    /// Everything waits until the process has no more actions.
    Rest,
    /// A fault outside the process occurs.
    Trouble,
    /// The process that was replaced by its rival ends.
    RivalEnds,
}

/// The world.
#[derive(Debug)]
pub struct World {
    /// The log and its streams.
    pub store: Store,
    /// The engine's time.
    pub now: Timestamp,
    /// The source of every random choice.
    pub dice: Dice,
    /// The policy of the process.
    pub policy: Policy,
    /// The processes; mostly one.
    pub drivers: Vec<Driver>,
    /// The rates of faults.
    pub faults: Faults,
    /// The planted fault.
    pub planted: Planted,
    /// The tickets, oldest first.
    pub tickets: Vec<TicketId>,
    /// The crews' phones.
    pub phones: BTreeMap<CrewId, Phone>,
    /// The refusals of the processes' actions.
    pub refusals: Vec<String>,
    /// The actions that took effect.
    pub effects: BTreeSet<Uuid>,
    /// The number of kills of a process.
    pub kills: usize,
    /// The number of times that everything came to rest.
    pub rests: usize,
    /// The open tickets found at rest, by the reason for which they waited.
    pub waits: BTreeMap<&'static str, u64>,
    agenda: BTreeMap<(Timestamp, u64), Deed>,
    numbers: u64,
    seen: usize,
    /// The real time of the people.
    time: Timestamp,
    /// The lead of the engine's clock over it.
    ahead: TimeDelta,
    /// The time until which the engine's clock stands still.
    stuck_until: Option<Timestamp>,
}

impl World {
    /// Creates a world at dawn, with crews on the roster.
    pub fn new(seed: u64, faults: impl FnOnce(&mut Dice) -> Faults, planted: Planted) -> Self {
        let mut dice = Dice::of(seed);
        let faults = faults(&mut dice);
        let policy = policy(&mut dice);
        let first = Driver::resumed(&policy, None);
        let dawn = Timestamp::from_timestamp(1_795_000_000, 0).expect("an instant");
        let mut world = Self {
            // Every other world has a log with gaps.
            store: Store::new(1 + 6 * (seed % 2), planted),
            now: dawn,
            dice,
            policy,
            drivers: vec![first],
            faults,
            planted,
            tickets: Vec::new(),
            phones: BTreeMap::new(),
            refusals: Vec::new(),
            effects: BTreeSet::new(),
            kills: 0,
            rests: 0,
            waits: BTreeMap::new(),
            agenda: BTreeMap::new(),
            numbers: 0,
            seen: 0,
            time: dawn,
            ahead: TimeDelta::zero(),
            stuck_until: None,
        };
        world.found_town();
        world.after(BEAT_MINUTES * 60, Deed::Beat);
        world.after(1_800, Deed::Rest);
        world.after(600, Deed::Meddle);
        world.after(900, Deed::Trouble);
        world
    }

    /// Runs that many days, and comes to rest.
    pub fn live(&mut self, days: i64) -> Result<(), String> {
        for _ in 0..days {
            self.draw_calls();
            let end = self.time + TimeDelta::days(1);
            while let Some((at, _)) = self.agenda.first_key_value().map(|(when, _)| *when).filter(|(at, _)| *at < end) {
                self.wake_until(at)?;
                let Some((_, deed)) = self.agenda.pop_first() else { break };
                self.tick(at);
                self.act(deed)?;
                self.look_around();
                self.turn_all();
                self.check()?;
            }
            self.tick(end);
        }
        self.come_to_rest()?;
        let driver = &self.drivers[0];
        rest::fold_is_the_logs(&self.store, &self.policy, driver).map_err(|why| self.told(&why))
    }

    /// Schedules an action, that many seconds from now.
    pub fn after(&mut self, seconds: i64, deed: Deed) {
        let number = self.requests();
        self.agenda.insert((self.time + TimeDelta::seconds(seconds.max(0)), number), deed);
    }

    /// Returns a number that was not used before.
    pub fn requests(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Executes a command now, under a new request id.
    pub fn ask(&mut self, order: &Order, actor: Actor) -> Said {
        let request = Uuid::from_u128(u128::from(self.requests()));
        self.store.execute(order, &Asking { actor, request, now: self.now, at: self.now, knew: None })
    }

    /// Builds an actor of a unit.
    pub fn actor(id: &str, role: Role, org: &str) -> Actor {
        Actor { id: id.into(), role, org: OrgPath::parse(org).expect("a path") }
    }

    fn tick(&mut self, at: Timestamp) {
        self.time = self.time.max(at);
        if self.stuck_until.is_none_or(|until| at >= until) {
            self.stuck_until = None;
            self.now = self.now.max(self.time + self.ahead);
        }
    }

    /// Wakes the processes, when they asked for it, until the time of the next action.
    fn wake_until(&mut self, at: Timestamp) -> Result<(), String> {
        while self.stuck_until.is_none() {
            let soonest = self.now + TimeDelta::seconds(WAKE_SECONDS);
            let wake = self.drivers.iter().filter_map(|driver| driver.process.wake()).min();
            let wake = wake.map(|wake| wake.max(soonest) - self.ahead);
            let Some(wake) = wake.filter(|wake| *wake < at) else { return Ok(()) };
            self.tick(wake);
            self.turn_all();
            self.look_around();
            self.check()?;
        }
        Ok(())
    }

    fn act(&mut self, deed: Deed) -> Result<(), String> {
        match deed {
            Deed::Call => self.call(),
            Deed::Desk(ticket) => self.take_further(ticket),
            Deed::Meddle => {
                self.meddle();
                let pause = self.dice.between(60, 1_500);
                self.after(pause, Deed::Meddle);
            }
            Deed::Roster(crew) => self.change_shift(&crew),
            Deed::Beat => {
                self.beat();
                self.after(BEAT_MINUTES * 60, Deed::Beat);
            }
            Deed::Answer(crew, device, ticket, offer, fence) => self.answer(&crew, device, ticket, offer, fence),
            Deed::Work(crew) => self.work(&crew),
            Deed::OnAir(crew) => self.on_air(&crew),
            Deed::Rest => {
                self.come_to_rest()?;
                let pause = self.dice.between(1_200, 5_400);
                self.after(pause, Deed::Rest);
            }
            Deed::Trouble => {
                self.trouble();
                let pause = self.dice.between(600, 5_400);
                self.after(pause, Deed::Trouble);
            }
            Deed::RivalEnds => {
                if self.drivers.len() > 1 {
                    self.drivers.remove(0);
                }
            }
        }
        Ok(())
    }

    /// Lets a person or a crew act between the proposal and the execution of an action.
    pub fn somebody_acts(&mut self) {
        if self.dice.one_in(3) {
            self.meddle();
        } else {
            self.hasty_answer();
        }
        self.look_around();
    }

    fn trouble(&mut self) {
        if self.dice.one_in(self.faults.rival) && self.drivers.len() == 1 {
            let old = self.drivers.remove(0);
            let rival = self.successor(&old);
            self.drivers = vec![old, rival];
            let lasts = self.dice.between(60, 3_600);
            self.after(lasts, Deed::RivalEnds);
        }
        if self.dice.one_in(self.faults.clock) {
            if self.dice.one_in(2) {
                self.ahead += TimeDelta::minutes(self.dice.between(1, 300));
            } else {
                self.stuck_until = Some(self.time + TimeDelta::minutes(self.dice.between(1, 20)));
            }
        }
    }

    /// Phones report their positions to all processes.
    fn beat(&mut self) {
        let mut drivers = std::mem::take(&mut self.drivers);
        drivers.iter_mut().for_each(|driver| self.beat_for(driver));
        self.drivers = drivers;
    }

    /// Reports the positions to one process.
    pub fn beat_for(&self, driver: &mut Driver) {
        for (crew, phone) in self.phones.iter().filter(|(_, phone)| phone.is_heard(self.now)) {
            driver.process.heard(crew, Some((phone.at, self.now)), self.now);
        }
    }

    /// Shows new facts to crews and desks.
    pub fn look_around(&mut self) {
        while let Some(fact) = self.store.log.get(self.seen).cloned() {
            self.seen += 1;
            self.notice(&fact);
        }
    }

    /// Brings the process to rest: no other actor, no faults, and time stands still. Then all conditions must hold.
    pub fn come_to_rest(&mut self) -> Result<(), String> {
        let faults = std::mem::take(&mut self.faults);
        self.drivers.truncate(1);
        self.drivers[0].listen(&self.store, self.store.head(), self.planted != Planted::NoHistory);
        let mut silent = 0;
        for _ in 0..WORDS_MAX {
            let head = self.store.head();
            self.drivers[0].listen(&self.store, head, true);
            silent = if self.speak(0) { 0 } else { silent + 1 };
            // An improvement of the plan comes in slices, and may still lead to an offer.
            if silent > self.policy.horizon.slices + 1 {
                break;
            }
        }
        self.faults = faults;
        self.rests += 1;
        if silent == 0 {
            return Err(self.told("it never comes to rest"));
        }
        self.look_around();
        self.check()?;
        let process = &self.drivers[0].process;
        rest::all_agree(&self.store, process, &self.policy, self.now, &mut self.waits).map_err(|why| self.told(&why))
    }

    fn check(&self) -> Result<(), String> {
        self.store.watch.broken.first().map_or(Ok(()), |broken| Err(self.told(broken)))
    }

    /// Describes a violation: what is wrong, the last facts, and before them those of the tickets and crews that it
    /// names.
    pub fn told(&self, why: &str) -> String {
        let last = self.store.log.len().saturating_sub(SHOWN);
        let named = |fact: &&Fact| match fact {
            Fact::Ticket(fact) => why.contains(&fact.id.to_string()),
            Fact::Crew(fact) => why.contains(&fact.id.to_string()) || why.contains(fact.id.org().as_str()),
            _ => false,
        };
        let named: Vec<_> = self.store.log[..last].iter().filter(named).collect();
        let shown = named[named.len().saturating_sub(SHOWN)..].iter().copied().chain(&self.store.log[last..]);
        let facts: String = shown.map(|fact| words::told(fact) + "\n").collect();
        format!("{why}\nnow {}, {:?}\n{facts}", self.now, self.faults)
    }
}

/// The policy in force: as shipped, except for skills by category, the number of parallel offers, and an improvement
/// that is small enough for thousands of days.
fn policy(dice: &mut Dice) -> Policy {
    let mut policy = Policy::default();
    policy.offers.parallel_max = dice.choose(&[1, 1, 2, 3]);
    let rule = |name: &str, skills: &[Skill]| SkillRule {
        category: Category::parse(name).expect("a category"),
        needs: Skills::of(skills),
    };
    policy.skills = vec![
        rule("fault/high voltage", &[Skill::HighVoltage]),
        rule("fault/cable", &[Skill::HighVoltage, Skill::Cable]),
    ];
    policy.horizon.period_seconds = 900;
    policy.horizon.slices = 1;
    policy.horizon.slice_iterations = 20;
    policy
}
