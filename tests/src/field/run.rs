//! The simulation of a day: discrete events over a [`World`], with a board as the dispatch process keeps it, and the
//! choices of a policy.
//!
//! A crew without work drives home at once and can be sent from any point of that drive. A crew that has a ticket at
//! the end of its shift finishes it. Absent: reactions of tickets or crews to a policy, other than by the world's own
//! draws.

mod crew;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use chrono::TimeDelta;
use switchboard_dispatcher::{
    board::{Assigned, Board, Concerns, Job, LiveOffer, Reserved, Shift},
    policy::Policy,
};
use switchboard_domain::{
    Timestamp,
    crew::{CrewId, OfferId, Skills},
    organisation::OrgPath,
    ticket::{TicketId, Urgency},
};

use self::crew::{Crew, Phase};
use super::{
    policy::Dispatcher,
    score::{Outcome, Served},
    world::{Answer, Millis, World, millis, minutes},
};

/// The time between two ticks, in milliseconds.
pub const TICK: Millis = 30_000;
/// A crew or a ticket that returns to its former partner within this many minutes went to and fro.
pub const TO_AND_FRO_MINUTES: f64 = 15.0;
/// The kilometres that a free crew moves before the policy hears of it.
const MOVED_KM: f64 = 0.5;
/// The most rounds of asking the policy at one instant. After an offer that was impossible, it may choose another.
const ROUNDS: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Reported(usize),
    On(usize, Millis),
    Off(usize),
    Accepted(usize),
    Declined(usize),
    Lapsed(usize),
    Arrived { crew: usize, trip: u64 },
    Done { crew: usize, trip: u64 },
    Tick,
}

struct Offer {
    ticket: usize,
    crew: usize,
    live: bool,
}

struct Run<'w> {
    world: &'w World,
    policy: Policy,
    board: Board,
    queue: BinaryHeap<Reverse<(Millis, u64, Event)>>,
    sequence: u64,
    now: Millis,
    crews: Vec<Crew>,
    offers: Vec<Offer>,
    /// The number of steps done, by ticket.
    steps: Vec<usize>,
    /// The crews that accepted, by ticket, with the time.
    takers: Vec<Vec<(usize, Millis)>>,
    open: usize,
    /// The end of the last shift.
    end: Millis,
    outcome: Outcome,
    holder: OrgPath,
    ticket_of: BTreeMap<TicketId, usize>,
    crew_of: BTreeMap<CrewId, usize>,
}

/// Runs the world until every ticket is restored or the last shift has ended.
pub fn play(world: &World, policy: &Policy, dispatcher: &mut dyn Dispatcher) -> Outcome {
    let mut run = Run::new(world, policy.clone());
    run.every(dispatcher);
    run.outcome
}

impl<'w> Run<'w> {
    fn new(world: &'w World, policy: Policy) -> Self {
        let holder = OrgPath::parse("sgcc/zj/hz").unwrap();
        let mut run = Self {
            world,
            policy,
            board: Board::default(),
            queue: BinaryHeap::new(),
            sequence: 0,
            now: 0,
            crews: world.crews.iter().map(|_| Crew::off()).collect(),
            offers: Vec::new(),
            steps: vec![0; world.tickets.len()],
            takers: vec![Vec::new(); world.tickets.len()],
            open: world.tickets.len(),
            end: world.crews.iter().flat_map(|roster| &roster.shifts).map(|(_, until)| *until).max().unwrap_or(0),
            outcome: Outcome::new(world),
            holder,
            ticket_of: world.tickets.iter().enumerate().map(|(index, ticket)| (ticket.id, index)).collect(),
            crew_of: world.crews.iter().enumerate().map(|(index, roster)| (roster.id.clone(), index)).collect(),
        };
        for (index, ticket) in world.tickets.iter().enumerate() {
            run.later(ticket.reported, Event::Reported(index));
        }
        for (index, roster) in world.crews.iter().enumerate() {
            run.board.crews.insert(roster.id.clone(), crew::on_board(roster, &run.holder, world.start));
            for (from, until) in &roster.shifts {
                run.later(*from, Event::On(index, *until));
                run.later(*until, Event::Off(index));
            }
        }
        run.later(0, Event::Tick);
        run
    }

    fn later(&mut self, at: Millis, event: Event) {
        self.sequence += 1;
        self.queue.push(Reverse((at, self.sequence, event)));
    }

    fn every(&mut self, dispatcher: &mut dyn Dispatcher) {
        let mut news = false;
        while self.open > 0 {
            let Some(Reverse((at, _, event))) = self.queue.pop() else { return };
            if at > self.end {
                return;
            }
            self.now = at;
            news |= self.happens(event, dispatcher);
            let more = self.queue.peek().is_some_and(|Reverse((next, _, _))| *next == at);
            if news && !more {
                self.ask(dispatcher);
                news = false;
            }
        }
    }

    fn instant(&self) -> Timestamp {
        self.world.at(self.now)
    }

    /// Executes an event; returns true if the policy may have something to decide.
    fn happens(&mut self, event: Event, dispatcher: &mut dyn Dispatcher) -> bool {
        match event {
            Event::Reported(ticket) => self.reported(ticket, dispatcher),
            Event::On(crew, until) => self.on(crew, until, dispatcher),
            Event::Off(crew) => self.off(crew, dispatcher),
            Event::Accepted(offer) if self.offers[offer].live => self.accepted(offer, dispatcher),
            Event::Declined(offer) if self.offers[offer].live => {
                let minutes = self.policy.offers.declined_minutes;
                self.refused(offer, minutes, dispatcher);
            }
            Event::Lapsed(offer) if self.offers[offer].live => {
                let ticket = self.world.tickets[self.offers[offer].ticket].id;
                self.board.jobs.get_mut(&ticket).unwrap().lapsed = true;
                let minutes = self.policy.offers.expired_minutes;
                self.refused(offer, minutes, dispatcher);
            }
            Event::Arrived { crew, trip } if self.crews[crew].trip == trip => self.arrived(crew, dispatcher),
            Event::Done { crew, trip } if self.crews[crew].trip == trip => self.done(crew, dispatcher),
            Event::Tick => {
                self.positions(dispatcher);
                dispatcher.tick(&self.board, self.instant());
                self.later(self.now + TICK, Event::Tick);
            }
            _ => return false,
        }
        true
    }

    fn ask(&mut self, dispatcher: &mut dyn Dispatcher) {
        for (crew, from, to) in dispatcher.diversions(&self.board, self.instant()) {
            self.outcome.decided(self.now, &format!("{crew} from {from} to {to}"));
            self.divert(&crew, from, to, dispatcher);
        }
        for _ in 0..ROUNDS {
            let offers = dispatcher.offers(&self.board, self.instant());
            if offers.is_empty() {
                return;
            }
            for (ticket, crew) in offers {
                self.outcome.decided(self.now, &format!("{ticket} to {crew}"));
                self.offer(ticket, &crew, dispatcher);
            }
        }
    }

    fn told(&self, ticket: usize, crew: usize, dispatcher: &mut dyn Dispatcher) {
        dispatcher.job_changed(self.world.tickets[ticket].id);
        dispatcher.crew_changed(&self.world.crews[crew].id);
    }

    fn reported(&mut self, ticket: usize, dispatcher: &mut dyn Dispatcher) {
        let at = self.instant();
        let truth = &self.world.tickets[ticket];
        self.sequence += 1;
        let job = Job {
            ticket: truth.id,
            number: ticket.to_string(),
            holder: self.holder.clone(),
            at: Some(truth.at),
            area: truth.area,
            reported: at,
            promised_from: at,
            opens: None,
            category: Some(truth.category.clone()),
            urgency: Urgency::Normal,
            customers: truth.customers,
            concerns: Concerns { wire_down: truth.wire_down, important: truth.important, pressed: false },
            needs: Skills::NONE,
            pinned: None,
            excluded: Default::default(),
            lapsed: false,
            last_offered_to: None,
            left: Default::default(),
            attempts: 0,
            offers: Vec::new(),
            crew: None,
            open: true,
            diverted: None,
            because: self.sequence,
        };
        self.board.jobs.insert(truth.id, job);
        dispatcher.job_changed(truth.id);
    }

    fn on(&mut self, crew: usize, until: Millis, dispatcher: &mut dyn Dispatcher) {
        let roster = &self.world.crews[crew];
        let now = self.instant();
        let entry = self.board.crews.get_mut(&roster.id).unwrap();
        entry.shift = Some(Shift { until: self.world.at(until), breaks: Vec::new() });
        entry.worked_minutes = 0.0;
        entry.seen = now;
        // A crew that is still out from its last shift continues from its present place.
        if matches!(self.crews[crew].phase, Phase::Off) {
            self.crews[crew].phase = Phase::Idle { since: self.now, from: roster.home };
            entry.at = roster.home;
        }
        dispatcher.crew_changed(&roster.id);
    }

    fn off(&mut self, crew: usize, dispatcher: &mut dyn Dispatcher) {
        if matches!(self.crews[crew].phase, Phase::Idle { .. }) {
            self.home(crew);
        }
        dispatcher.crew_changed(&self.world.crews[crew].id);
    }

    /// The shift is over and the crew has no work: it goes off shift.
    fn home(&mut self, crew: usize) {
        self.crews[crew].phase = Phase::Off;
        self.board.crews.get_mut(&self.world.crews[crew].id).unwrap().shift = None;
    }

    /// The crew becomes free at its present place.
    fn free(&mut self, crew: usize) {
        let roster = &self.world.crews[crew];
        let at = self.crews[crew].at(self.world, crew, self.now);
        let now = self.instant();
        let entry = self.board.crews.get_mut(&roster.id).unwrap();
        entry.at = at;
        entry.reserved = None;
        entry.committed.clear();
        let over = entry.shift.as_ref().is_none_or(|shift| shift.until <= now);
        self.crews[crew].phase = Phase::Idle { since: self.now, from: at };
        self.crews[crew].trip += 1;
        if over {
            self.home(crew);
        }
    }

    fn positions(&mut self, dispatcher: &mut dyn Dispatcher) {
        let now = self.instant();
        for (index, roster) in self.world.crews.iter().enumerate() {
            let crew = &self.crews[index];
            if matches!(crew.phase, Phase::Off) {
                continue;
            }
            let at = crew.at(self.world, index, self.now);
            let entry = self.board.crews.get_mut(&roster.id).unwrap();
            entry.seen = now;
            let moving = matches!(crew.phase, Phase::Driving { .. });
            if moving || entry.at.km_to(at) > MOVED_KM {
                entry.at = at;
                dispatcher.crew_changed(&roster.id);
            }
        }
    }

    fn offer(&mut self, ticket: TicketId, crew: &CrewId, dispatcher: &mut dyn Dispatcher) {
        let now = self.instant();
        let (Some(ticket), Some(crew)) = (self.ticket_of.get(&ticket).copied(), self.crew_of.get(crew).copied()) else {
            return;
        };
        let truth = &self.world.tickets[ticket];
        let roster = &self.world.crews[crew];
        let priority = truth.priority();
        let (Some(job), Some(entry)) = (self.board.jobs.get_mut(&truth.id), self.board.crews.get_mut(&roster.id))
        else {
            return;
        };
        let parallel = if priority || job.attempts > 0 { self.policy.offers.parallel_max.max(1) } else { 1 };
        let able = roster.skills.covers(truth.skills.union(job.needs));
        let free = matches!(self.crews[crew].phase, Phase::Idle { .. }) && entry.shift.is_some();
        if !able || !free || job.crew.is_some() || job.offers.len() >= parallel {
            self.outcome.impossible += 1;
            return;
        }
        job.attempts += 1;
        self.sequence += 1;
        let rules = &self.policy.offers;
        let lease = if priority { rules.lease_priority_seconds } else { rules.lease_seconds } + rules.grace_seconds;
        let lease_until = now + TimeDelta::seconds(i64::from(lease));
        let id = OfferId::of(truth.id, job.attempts);
        job.offers.push(LiveOffer { offer: id, crew: roster.id.clone(), lease_until, because: self.sequence });
        job.last_offered_to = Some(roster.id.clone());
        let fence = self.sequence;
        entry.at = self.crews[crew].at(self.world, crew, self.now);
        entry.reserved =
            Some(Reserved { offer: id, ticket: truth.id, fence, lease_until, priority, forced: None, because: fence });
        self.crews[crew].phase = Phase::Asked { at: entry.at };
        let attempt = job.attempts;
        self.outcome.served[ticket].offers += 1;
        self.offers.push(Offer { ticket, crew, live: true });
        let offer = self.offers.len() - 1;
        let (after, event) = match self.world.answer(ticket, attempt) {
            Answer::Accepts(after) => (millis(after), Event::Accepted(offer)),
            Answer::Declines(after) => (millis(after), Event::Declined(offer)),
            Answer::Silence => (Millis::MAX, Event::Lapsed(offer)),
        };
        let lapse = i64::from(lease) * 1_000;
        if after < lapse {
            self.later(self.now + after, event);
        } else {
            self.later(self.now + lapse, Event::Lapsed(offer));
        }
        self.told(ticket, crew, dispatcher);
    }

    fn refused(&mut self, offer: usize, minutes: u32, dispatcher: &mut dyn Dispatcher) {
        let Offer { ticket, crew, .. } = self.offers[offer];
        let until = self.instant() + TimeDelta::minutes(i64::from(minutes));
        let roster = &self.world.crews[crew];
        let job = self.board.jobs.get_mut(&self.world.tickets[ticket].id).unwrap();
        job.offers.retain(|live| live.crew != roster.id);
        job.excluded.insert(roster.id.clone(), until);
        self.offers[offer].live = false;
        self.free(crew);
        self.told(ticket, crew, dispatcher);
    }

    fn accepted(&mut self, offer: usize, dispatcher: &mut dyn Dispatcher) {
        let Offer { ticket, crew, .. } = self.offers[offer];
        let now = self.instant();
        self.offers[offer].live = false;
        self.sequence += 1;
        let truth = &self.world.tickets[ticket];
        let roster = &self.world.crews[crew];
        let job = self.board.jobs.get_mut(&truth.id).unwrap();
        job.last_offered_to = None;
        let others: Vec<CrewId> = job.offers.drain(..).map(|live| live.crew).filter(|id| *id != roster.id).collect();
        job.crew = Some(Assigned {
            crew: roster.id.clone(),
            since: now,
            en_route: Some(now),
            arrived: None,
            restored: None,
            offer: Some(OfferId::of(truth.id, job.attempts)),
            because: self.sequence,
        });
        let entry = self.board.crews.get_mut(&roster.id).unwrap();
        entry.reserved = None;
        entry.committed = vec![(truth.id, self.sequence)];
        let from = entry.at;
        for other in others {
            self.withdrawn(ticket, &other, dispatcher);
        }
        let drive = self.world.roads.minutes(from, truth.at, truth.area) * self.world.noise(ticket);
        let leave = self.now + millis(self.world.turn_out(self.now));
        let arrive = leave + millis(drive);
        let state = &mut self.crews[crew];
        state.trip += 1;
        state.phase = Phase::Driving { ticket, from, leave, arrive };
        let trip = state.trip;
        self.later(arrive, Event::Arrived { crew, trip });
        self.note_taker(ticket, crew);
        self.told(ticket, crew, dispatcher);
    }

    /// Another crew accepted first: the offer is withdrawn.
    fn withdrawn(&mut self, ticket: usize, other: &CrewId, dispatcher: &mut dyn Dispatcher) {
        let Some(crew) = self.crew_of.get(other).copied() else { return };
        for offer in self.offers.iter_mut().rev().filter(|offer| offer.live) {
            if (offer.ticket, offer.crew) == (ticket, crew) {
                offer.live = false;
            }
        }
        self.outcome.served[ticket].withdrawn += 1;
        self.free(crew);
        self.told(ticket, crew, dispatcher);
    }

    /// Records the crew that accepted, and counts it if it is a return to the former partner.
    fn note_taker(&mut self, ticket: usize, crew: usize) {
        let back = |past: &[(usize, Millis)], what: usize, now: Millis| {
            past.iter().rev().nth(1).is_some_and(|(was, when)| {
                *was == what && past[past.len() - 1].0 != what && minutes(now - when) <= TO_AND_FRO_MINUTES
            })
        };
        let takers = &mut self.takers[ticket];
        let taken = &mut self.crews[crew].taken;
        self.outcome.to_and_fro += usize::from(back(takers, crew, self.now) || back(taken, ticket, self.now));
        takers.push((crew, self.now));
        taken.push((ticket, self.now));
    }

    fn divert(&mut self, crew: &CrewId, from: TicketId, to: TicketId, dispatcher: &mut dyn Dispatcher) {
        let (Some(index), Some(ticket)) = (self.crew_of.get(crew).copied(), self.ticket_of.get(&from).copied()) else {
            return;
        };
        if !matches!(self.crews[index].phase, Phase::Driving { ticket: has, .. } if has == ticket) {
            self.outcome.impossible += 1;
            return;
        }
        let now = self.instant();
        let back = now + TimeDelta::minutes(i64::from(self.policy.offers.return_minutes));
        let job = self.board.jobs.get_mut(&from).unwrap();
        job.crew = None;
        job.diverted = Some(now);
        job.left.insert(crew.clone(), back);
        self.outcome.served[ticket].recalled += 1;
        self.free(index);
        self.told(ticket, index, dispatcher);
        self.offer(to, crew, dispatcher);
    }

    fn arrived(&mut self, crew: usize, dispatcher: &mut dyn Dispatcher) {
        let Phase::Driving { ticket, .. } = self.crews[crew].phase else { return };
        let now = self.instant();
        let truth = &self.world.tickets[ticket];
        if let Some(assigned) = self.board.jobs.get_mut(&truth.id).and_then(|job| job.crew.as_mut()) {
            assigned.arrived = Some(now);
        }
        let served: &mut Served = &mut self.outcome.served[ticket];
        served.arrived.get_or_insert(self.now);
        self.board.crews.get_mut(&self.world.crews[crew].id).unwrap().at = truth.at;
        self.works(ticket, crew);
        self.told(ticket, crew, dispatcher);
    }

    /// The next step on site begins.
    fn works(&mut self, ticket: usize, crew: usize) {
        let step = &self.world.tickets[ticket].steps[self.steps[ticket]];
        let trip = self.crews[crew].trip;
        self.crews[crew].phase = Phase::OnSite { ticket, at: self.world.tickets[ticket].at };
        self.later(self.now + millis(step.minutes), Event::Done { crew, trip });
    }

    fn done(&mut self, crew: usize, dispatcher: &mut dyn Dispatcher) {
        let Phase::OnSite { ticket, .. } = self.crews[crew].phase else { return };
        let truth = &self.world.tickets[ticket];
        let worked = truth.steps[self.steps[ticket]].minutes;
        let roster = &self.world.crews[crew];
        self.outcome.worked[crew] += worked;
        self.board.crews.get_mut(&roster.id).unwrap().worked_minutes += worked;
        self.steps[ticket] += 1;
        match truth.steps.get(self.steps[ticket]) {
            Some(next) if roster.skills.covers(next.needs) => return self.works(ticket, crew),
            Some(next) => {
                self.outcome.served[ticket].handed_over += 1;
                let job = self.board.jobs.get_mut(&truth.id).unwrap();
                job.needs = job.needs.union(next.needs);
                job.crew = None;
            }
            None => {
                self.outcome.served[ticket].restored = Some(self.now);
                self.board.jobs.remove(&truth.id);
                self.open -= 1;
            }
        }
        self.free(crew);
        self.told(ticket, crew, dispatcher);
    }
}
