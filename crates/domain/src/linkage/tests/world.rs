//! A small model of the engine: a log, the ids of executed requests, and one process that may lag.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use proptest::test_runner::TestCaseError;
use uuid::Uuid;

use super::super::{Intent, Linkage};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    chance::{Dice, Verdict},
    decider::{Action, Context, Process, Projection, Recorded},
    rules::Rules,
    ticket::{
        BusinessType, Command, Event, Move, State, Ticket, TicketId, decide, evolve,
        laws::{ask, later},
        tests::{
            sample::{NATION, classified, org, received, text, ticket_id},
            story::clock,
        },
    },
};

/// The number of tickets; commands refer to these and to one that does not exist.
const TICKETS: u128 = 3;
/// The most actions for so few tickets; more means that the process loops.
const ACTIONS_MAX: usize = 200;

fn id(n: u128) -> TicketId {
    ticket_id(n)
}

/// The moves of people; three moves belong to the process.
fn moves_of_people() -> Vec<Move> {
    let of_the_process = [Move::AdoptChild, Move::ReleaseChild, Move::FollowMaster];
    Move::ALL.iter().copied().filter(|m| !of_the_process.contains(m)).collect()
}

#[derive(Clone, Debug)]
pub struct World {
    pub tickets: BTreeMap<TicketId, State>,
    pub log: Vec<Recorded<Event, TicketId>>,
    pub process: Linkage,
    /// The actions of the process, and whether each was accepted.
    pub executed: Vec<(&'static str, bool)>,
    /// The number of facts that the process has applied.
    read: usize,
    /// The number of facts that it must have applied before it acts again.
    own: usize,
    /// The accepted requests; a repetition changes nothing.
    ledger: BTreeSet<(u64, &'static str, TicketId)>,
    now: Timestamp,
    rules: Rules,
}

impl World {
    /// Classified faults received at the centre; the process has done nothing yet.
    fn new() -> Self {
        let mut world = Self {
            tickets: BTreeMap::new(),
            log: Vec::new(),
            process: Linkage::default(),
            executed: Vec::new(),
            read: 0,
            own: 0,
            ledger: BTreeSet::new(),
            now: clock(21, "09:00"),
            rules: Rules::default(),
        };
        for n in 1..=TICKETS {
            world.record(id(n), received(BusinessType::FaultRepair), world.now);
            world.record(id(n), classified(BusinessType::FaultRepair), world.now);
        }
        world
    }

    /// Lives through the rolls: people act, the process reads and acts, the engine restarts.
    pub fn lived(rolls: &[u64]) -> Self {
        let moves = moves_of_people();
        let mut world = Self::new();
        for &roll in rolls {
            let mut dice = Dice::of(roll);
            match dice.below(20) {
                0..4 => world.somebody_asks(&[Move::Merge], &mut dice),
                4 | 5 => world.somebody_asks(&[Move::Unmerge], &mut dice),
                6..13 => world.somebody_asks(&moves, &mut dice),
                13..16 => world.read(1 + dice.below(4)),
                16..19 => {
                    world.act(&mut dice);
                }
                _ => world.restart(),
            }
        }
        world
    }

    /// The life in words, for the failure message.
    pub fn describe(rolls: &[u64]) -> String {
        let world = Self::lived(rolls);
        let line = |fact: &Recorded<Event, TicketId>| format!("{} {} {:?}\n", fact.position, fact.id, fact.event);
        let log: String = world.log.iter().map(line).collect();
        format!("{log}read {} of them\n{:#?}", world.read, world.process)
    }

    /// The tickets that exist.
    pub fn open(&self) -> impl Iterator<Item = (&TicketId, &Ticket)> {
        self.tickets.iter().filter_map(|(id, state)| Some((id, state.as_ref()?)))
    }

    /// Appends a fact.
    fn record(&mut self, id: TicketId, event: Event, at: Timestamp) {
        let state = self.tickets.remove(&id).flatten();
        self.tickets.insert(id, evolve(state, &event, at));
        let revision = self.log.iter().filter(|fact| fact.id == id).count() as u64;
        self.log.push(Recorded {
            position: self.log.len() as u64 + 1,
            id,
            revision,
            event,
            occurred_at: at,
            recorded_at: self.now,
            actor: Self::engine(),
            request_id: Uuid::nil(),
        });
    }

    fn engine() -> Actor {
        Actor { id: "linkage".into(), role: Role::System, org: org(NATION) }
    }

    fn somebody_asks(&mut self, among: &[Move], dice: &mut Dice) {
        self.now = later(self.now, dice);
        let id = id(1 + dice.below(TICKETS as usize) as u128);
        let state = &self.tickets[&id];
        let ask = ask(state, self.now, dice, among);
        for fact in decide(state, &ask.command, &ask.cx(&self.rules)).unwrap_or_default() {
            self.record(id, fact, ask.occurred_at);
        }
    }

    /// The process applies the next `n` facts.
    fn read(&mut self, n: usize) {
        for (at, fact) in self.log.iter().enumerate().skip(self.read).take(n) {
            if let Some(again) = self.process.forgotten(fact) {
                self.log[..at].iter().filter(|past| past.id == again).for_each(|past| self.process.apply(past));
            }
            self.process.apply(fact);
        }
        self.read = self.log.len().min(self.read + n);
    }

    /// The engine restarts: the process starts empty and has lost every rejection.
    pub fn restart(&mut self) {
        (self.process, self.read) = (Linkage::default(), 0);
        self.read(self.log.len());
    }

    /// The process executes one of its actions. False when there is none, or when it has not read its own last fact.
    fn act(&mut self, dice: &mut Dice) -> bool {
        let actions = self.process.pending(self.now, usize::MAX);
        if actions.is_empty() || self.read < self.own {
            return false;
        }
        self.execute(&dice.choose(&actions));
        true
    }

    /// Executes an action, as the reactor does.
    fn execute(&mut self, action: &Action<Intent>) {
        self.now += TimeDelta::seconds(1);
        let (to, command) = match action.intent {
            Intent::Adopt { master, child } => (master, Command::AdoptChild { child }),
            Intent::Release { master, child } => (master, Command::ReleaseChild { child }),
            Intent::Follow { child, master, restored } => (child, Command::FollowMaster { master, restored }),
            Intent::Undo { child, .. } => (child, Command::Unmerge { reason: text() }),
        };
        let request = (action.because, action.name, action.intent.child());
        if self.ledger.contains(&request) {
            return;
        }
        let actor = Self::engine();
        let (now, rules) = (self.now, &self.rules);
        let cx = Context { now, occurred_at: now, actor: &actor, request_id: Uuid::nil(), rules };
        let decision = decide(self.tickets.get(&to).unwrap_or(&None), &command, &cx);
        self.executed.push((action.name, decision.is_ok()));
        match decision {
            Ok(facts) => {
                for fact in facts {
                    self.record(to, fact, now);
                }
                self.ledger.insert(request);
                self.own = self.log.len();
            }
            Err(why) => self.process.refused(action, &format!("{why:?}")),
        }
    }

    /// No more commands by people; the process reads and acts until it has no actions.
    pub fn come_to_rest(&mut self) -> Verdict {
        for _ in 0..ACTIONS_MAX {
            self.read(self.log.len());
            if !self.act(&mut Dice::of(self.log.len() as u64)) {
                return Ok(());
            }
        }
        Err(TestCaseError::fail("it never comes to rest"))
    }
}
