//! A small reactor: a dispatch process, its position in the log, and the outcomes of its actions. It fails in every way
//! in which a real one can. It is killed between two actions, and resumed from an old checkpoint or from nothing. It
//! loses answers, executes actions twice, lags behind the log, or runs beside an unknown second process.

use switchboard_dispatcher::{
    dispatch::{Dispatch, Intent, Order},
    policy::Policy,
    state::DispatchState,
};
use switchboard_domain::{
    actor::{Actor, Role},
    crew::{Command, OfferEnd, ReleaseReason},
    decider::{Action, Process, Projection},
    organisation::OrgPath,
};
use uuid::Uuid;

use crate::{
    planted::Planted,
    store::{Asking, Said, Store},
    world::World,
};

/// The dispatch process as an actor.
pub const ENGINE: &str = "dispatch";
/// The most actions between two reads of the log.
const WANTS_MAX: usize = 64;
/// A process notes what it knows after so many facts.
const NOTE_FACTS: usize = 120;
/// The most saved folds from which a process can be resumed.
const NOTES_MAX: usize = 3;
/// The most times that a process is asked for actions in one turn.
const BREATH: usize = 12;

/// The outcome of an action.
enum Answer {
    Done(u64),
    Refused(String),
    Later,
}

/// A process and its position in the log.
#[derive(Debug)]
pub struct Driver {
    /// The process.
    pub process: Dispatch,
    /// The position up to which it has folded the log.
    pub cursor: u64,
    /// The number of those facts.
    folded: usize,
    feed: u64,
    spoken_at: u64,
    noted: usize,
    notes: Vec<Note>,
}

/// A saved fold: how many facts it holds, up to which position, and its text.
type Note = (usize, u64, String);

impl Driver {
    /// A process that knows what the note says; nothing without one.
    pub fn resumed(policy: &Policy, note: Option<Note>) -> Self {
        let notes = note.iter().cloned().collect();
        let (folded, cursor, fold) = match note {
            Some((folded, position, text)) => {
                (folded, position, serde_json::from_str(&text).expect("a fold is read as it was written"))
            }
            None => (0, 0, DispatchState::default()),
        };
        let process = Dispatch::resume(policy.clone(), fold);
        Self { process, cursor, folded, feed: cursor, spoken_at: 0, noted: folded, notes }
    }

    /// Counts the next fact as folded.
    fn advance(&mut self, store: &Store) {
        self.folded += 1;
        self.cursor = store.position(self.folded);
    }

    /// Folds the log up to a position.
    pub fn listen(&mut self, store: &Store, upto: u64, history: bool) {
        self.feed = self.feed.max(upto);
        while self.cursor < upto.min(store.head()) {
            let fact = &store.log[self.folded];
            if let Some(ticket) = self.process.forgotten(fact).filter(|_| history) {
                store.history(ticket, fact.position()).for_each(|past| self.process.apply(past));
            }
            self.process.apply(fact);
            self.advance(store);
        }
        if self.folded - self.noted >= NOTE_FACTS {
            self.noted = self.folded;
            let text = serde_json::to_string(self.process.fold()).expect("a fold is written");
            self.notes.push((self.folded, self.cursor, text));
            if self.notes.len() > NOTES_MAX {
                self.notes.remove(0);
            }
        }
    }

    /// True if the process has folded its own last write and everything that its feed has delivered.
    fn may_speak(&self) -> bool {
        self.cursor >= self.feed.max(self.spoken_at)
    }
}

impl World {
    /// Creates the process that follows one that was killed.
    pub fn successor(&mut self, of: &Driver) -> Driver {
        let note = if of.notes.is_empty() || self.dice.one_in(3) { None } else { Some(self.dice.choose(&of.notes)) };
        let mut next = Driver::resumed(&self.policy, note);
        next.notes.clone_from(&of.notes);
        if self.planted == Planted::CursorAhead && next.cursor < self.store.head() {
            next.advance(&self.store);
        }
        self.beat_for(&mut next);
        next
    }

    /// Gives every process its turn.
    pub fn turn_all(&mut self) {
        let mut at = 0;
        while at < self.drivers.len() {
            if !self.dice.one_in(self.faults.sleep) {
                self.turn(at);
            }
            at += 1;
        }
    }

    fn turn(&mut self, at: usize) {
        for _ in 0..BREATH {
            let behind = if self.dice.one_in(self.faults.lag) { self.dice.below(6) } else { 0 };
            let upto = self.store.position(self.store.log.len().saturating_sub(behind));
            let history = self.planted != Planted::NoHistory;
            self.drivers[at].listen(&self.store, upto, history);
            if self.dice.one_in(self.faults.kill) {
                self.kill(at);
            }
            if !self.speak(at) {
                return;
            }
        }
    }

    fn kill(&mut self, at: usize) {
        let killed = self.drivers.remove(at);
        let next = self.successor(&killed);
        self.drivers.insert(at, next);
        self.kills += 1;
    }

    /// Asks a process for actions and executes them; returns true if there were any.
    pub fn speak(&mut self, at: usize) -> bool {
        if !self.drivers[at].may_speak() {
            return false;
        }
        let wants = self.drivers[at].process.pending(self.now, WANTS_MAX);
        let spoke = !wants.is_empty();
        for want in wants {
            if self.dice.one_in(self.faults.kill) {
                self.kill(at);
                return true;
            }
            if self.dice.one_in(self.faults.interleave) {
                self.somebody_acts();
            }
            let knew = self.drivers[at].cursor;
            let refusal = match self.carry_out(&want, knew) {
                Answer::Done(position) if position <= knew => {
                    Some("carried out before, without the effect that was wanted".to_owned())
                }
                Answer::Done(position) => {
                    let driver = &mut self.drivers[at];
                    driver.spoken_at = driver.spoken_at.max(position);
                    None
                }
                Answer::Refused(reason) => Some(reason),
                Answer::Later => None,
            };
            if let Some(reason) = refusal {
                self.refusals.push(format!("after {knew}: {want:?}: {reason}"));
                self.drivers[at].process.refused(&want, &reason);
            }
        }
        spoke
    }

    fn carry_out(&mut self, want: &Action<Intent>, knew: u64) -> Answer {
        let Some(order) = self.tampered(&want.intent) else { return Answer::Later };
        if self.dice.one_in(self.faults.later) {
            return Answer::Later;
        }
        let name = format!("{ENGINE}/{}/{}/{}", want.name, want.because, want.intent.target());
        let name = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
        let said = self.say(name, &order, knew);
        if self.dice.one_in(self.faults.twice) {
            let again = self.say(name, &order, knew);
            if again != said {
                self.store.watch.broken.push(format!("{want:?}: answered {said:?}, and again {again:?}"));
            }
        }
        if self.dice.one_in(self.faults.lost) {
            return Answer::Later;
        }
        match said {
            Said::Done(position) => Answer::Done(position),
            Said::No(reason) => Answer::Refused(reason),
        }
    }

    /// Executes a command on the store. An action may take effect only once, whatever the request id.
    fn say(&mut self, name: Uuid, order: &Order, knew: u64) -> Said {
        let fresh = self.planted == Planted::FreshRequestIds;
        let request = if fresh { Uuid::new_v5(&name, &self.requests().to_be_bytes()) } else { name };
        let actor = Actor { id: ENGINE.into(), role: Role::System, org: OrgPath::parse("sgcc").expect("a path") };
        let before = self.store.head();
        let said = self.store.execute(order, &Asking { actor, request, now: self.now, at: self.now, knew: Some(knew) });
        if self.store.head() > before && !self.effects.insert(name) {
            self.store.watch.broken.push(format!("at {before}: {order:?} took effect twice"));
        }
        said
    }

    /// Returns the command that follows from an intent, unless a planted fault changes or drops it.
    fn tampered(&mut self, intent: &Intent) -> Option<Order> {
        let order = intent.order();
        match (self.planted, intent) {
            (Planted::NoOffer, Intent::Offer(..))
            | (Planted::NoExpiry, Intent::End(_, _, OfferEnd::Expired))
            | (Planted::NoRelease, Intent::Release(_, _, Some(_), _))
            | (Planted::NoCommitment, Intent::Commit(_, _, Some(_)))
            | (Planted::NoRecall, Intent::Recall(..)) => None,
            (Planted::ExpiryByClock, Intent::End(ticket, offer, OfferEnd::Expired)) => {
                let live = self.store.tickets.get(ticket)?.offers.iter().find(|live| live.offer == *offer)?;
                let (ticket, offer, why) = (*ticket, Some(*offer), ReleaseReason::Expired);
                Some(Order::Crew(live.crew.clone(), Command::Release { ticket, offer, why }))
            }
            (Planted::PinIgnored, Intent::Reserve(crew, reserve)) if reserve.forced.is_some() => {
                let other = self.store.crews.keys().find(|other| *other != crew)?.clone();
                Some(Order::Crew(other, Command::Reserve(reserve.clone())))
            }
            _ => Some(order),
        }
    }
}
