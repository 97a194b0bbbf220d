//! The process that finds crews for tickets: it folds the log into a board, asks the planner, and carries each offer through two
//! streams that nothing appends to both of.
//!
//! ```text
//!   crew:   reserved ─────────────────────▶ committed ──▶ released (done, recalled, ...)
//!              │                               ▲    └───▶ released (declined, expired, ...)
//!   ticket:    └─▶ offered ─▶ offer accepted ──┘
//!                         └─▶ offer ended
//! ```
//!
//! The crew's stream says what its time is taken for, the ticket's who has it; each step is wanted because of the fact before it, so
//! that a crash between two steps resumes with the second. `reconcile` follow from the state alone and are the sweeper: a
//! reservation that no offer answers, a commitment to a ticket that somebody else has, a lease that ran out are all found by looking,
//! at a restart as at any other time. Only then is new work planned. A lease ends by the order of the ticket's stream: the clock here
//! only proposes.

mod intent;
mod leases;
mod recall;
mod reconcile;
mod refused;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use switchboard_domain::{
    Timestamp,
    crew::{self, CrewId, OfferEnd, OfferId, Point},
    decider::{Action, Process, Projection},
    fact::Fact,
    ticket::TicketId,
};

pub use self::intent::{Intent, Order};
use self::{
    leases::Leases,
    recall::Reserved,
    refused::{Identity, Refused},
};
use crate::{
    board::Board,
    planner::{Planner, Proposal},
    policy::Policy,
    rules::presence,
    state::{DispatchState, Touched},
};

/// The process's name, part of the identity of all that it wants.
pub const NAME: &str = "dispatch";

/// The shortest pause after a crew could not be kept for a ticket, or the ticket would not take the offer.
const UNFIT: TimeDelta = TimeDelta::minutes(1);

/// Iterations of improvement at a time: a fact that comes meanwhile waits for no more than so many.
const PIECE_ITERATIONS: u64 = 25;

/// When facts come without a pause, a piece of improvement is done all the same once in so many milliseconds: as many
/// as the policy asks for in a period, and some.
const PIECE_EVERY: TimeDelta = TimeDelta::milliseconds(250);

/// A crew that moved less than this is where it was, in kilometres.
const MOVED_KM: f64 = 0.3;

/// The process.
#[derive(Debug)]
pub struct Dispatch {
    fold: DispatchState,
    board: Board,
    planner: Planner,
    touched: Touched,
    /// What follows from the state, by ticket or crew that it follows from.
    ticket_duties: BTreeMap<TicketId, Vec<Action<Intent>>>,
    crew_duties: BTreeMap<CrewId, Vec<Action<Intent>>>,
    leases: Leases,
    refused: Refused,
    /// Crews that the engine would not reserve: not asked for again before something is known that was not then, or a while passed.
    stale: BTreeMap<CrewId, (u64, Timestamp)>,
    /// Priorities that a crew is called back for.
    reserved_for: BTreeMap<TicketId, Reserved>,
    /// The latest time that anything told.
    latest: Timestamp,
    /// Crews that the engine would not call back from a ticket, until that changes.
    not_recalled: BTreeMap<TicketId, BTreeSet<CrewId>>,
    /// Crews that were called back a short time ago.
    called_back: BTreeSet<CrewId>,
    /// How many jobs may be offered.
    open: usize,
    slices_left: u32,
    next_slices: Timestamp,
    /// When a piece of improvement was done last, or came to be due.
    improved: Timestamp,
}

impl Dispatch {
    /// A process that knows nothing yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self::resume(policy, DispatchState::default())
    }

    /// A process that knows what `fold` knows.
    #[must_use]
    pub fn resume(policy: Policy, fold: DispatchState) -> Self {
        let mut process = Self {
            touched: fold.everything(),
            fold,
            board: Board::default(),
            planner: Planner::new(policy),
            ticket_duties: BTreeMap::new(),
            crew_duties: BTreeMap::new(),
            leases: Leases::default(),
            refused: Refused::default(),
            not_recalled: BTreeMap::new(),
            called_back: BTreeSet::new(),
            open: 0,
            stale: BTreeMap::new(),
            reserved_for: BTreeMap::new(),
            latest: Timestamp::default(),
            slices_left: 0,
            next_slices: Timestamp::default(),
            improved: Timestamp::default(),
        };
        process.settle();
        process
    }

    /// What it knows, to be noted down.
    #[must_use]
    pub fn fold(&self) -> &DispatchState {
        &self.fold
    }

    /// The board as it stands.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// The planner, for those who ask why.
    #[must_use]
    pub fn planner(&self) -> &Planner {
        &self.planner
    }

    /// Telemetry: a crew was heard of, perhaps with its position. It is no fact; what depends on it is planned anew when the crew
    /// moved, or had been silent.
    pub fn heard(&mut self, id: &CrewId, at: Option<(Point, Timestamp)>, seen: Timestamp) {
        if !self.fold.heard(id, at, seen) {
            return;
        }
        let Some(crew) = self.board.crews.get_mut(id) else { return };
        let was_silent = presence::is_silent(&self.planner.policy().offers, crew, seen) || self.planner.is_silent(id);
        let moved = at.is_some_and(|(at, _)| crew.at.km_to(at) >= MOVED_KM);
        crew.seen = crew.seen.max(seen);
        if was_silent || moved {
            self.touched.crews.insert(id.clone());
        }
    }

    /// Brings board, plan and reconciliation in line with what changed.
    fn settle(&mut self) {
        let touched = std::mem::take(&mut self.touched);
        let open_before = open_of(&self.board, &touched.tickets);
        self.fold.show(&mut self.board, &touched, self.planner.policy());
        self.open = self.open - open_before + open_of(&self.board, &touched.tickets);
        for crew in &touched.crews {
            if self.fold.member(crew).is_some_and(|member| member.called_back.is_some()) {
                self.called_back.insert(crew.clone());
            }
            self.planner.crew_changed(crew);
            let reconcile = reconcile::of_crew(&self.fold, &self.board, crew);
            self.refused.forget(self.crew_duties.get(crew), &reconcile);
            set_actions(&mut self.crew_duties, crew.clone(), reconcile);
        }
        for ticket in &touched.tickets {
            self.not_recalled.remove(ticket);
            self.planner.job_changed(*ticket);
            let reconcile = reconcile::of_ticket(&self.fold, &self.board, *ticket);
            self.refused.forget(self.ticket_duties.get(ticket), &reconcile);
            set_actions(&mut self.ticket_duties, *ticket, reconcile);
            let live = self.board.jobs.get(ticket).map_or(&[][..], |job| &job.offers);
            let grace = TimeDelta::seconds(i64::from(self.planner.policy().offers.grace_seconds));
            self.leases.arm(*ticket, live, grace);
        }
    }

    /// Offers whose lease has run out.
    fn lapsed(&self, now: Timestamp) -> impl Iterator<Item = (OfferId, Action<Intent>)> {
        self.leases.lapsed(now).filter_map(|(ticket, offer)| {
            let because = self.fold.case(ticket)?.offered_at(offer);
            Some((offer, Intent::End(ticket, offer, OfferEnd::Expired).want(because)))
        })
    }

    /// New offers, each beginning with the crew's reservation; none to a crew whose time is being given to a ticket.
    fn reservations(&mut self, now: Timestamp, limit: usize, given: &BTreeSet<CrewId>) -> Vec<Action<Intent>> {
        let mut wants = self.for_called_back(now);
        // What there is no room for is wanted again: who is called back is kept until it is done.
        wants.truncate(limit);
        let proposals = self.planner.proposals(&self.board, now, limit - wants.len());
        let mut begun: BTreeSet<TicketId> = self.reserved_for.keys().copied().collect();
        let reserved_for: BTreeSet<CrewId> =
            self.reserved_for.values().map(|reserved_for| reserved_for.crew.clone()).collect();
        let free = |proposal: &Proposal| !reserved_for.contains(&proposal.crew) && !given.contains(&proposal.crew);
        for proposal in proposals.into_iter().filter(free) {
            // One at a time for a ticket: the next attempt's number is known when this one's offer stands.
            if !self.between_offers(proposal.ticket) || !begun.insert(proposal.ticket) {
                continue;
            }
            let rather = self.planner.rather(&self.board, &proposal, now, || self.barred(now));
            let back = rather.and_then(|diversion| self.call_back(diversion, now));
            wants.extend(back.or_else(|| self.reservation(&proposal, now)));
        }
        wants
    }

    /// Whether no reservation for the ticket still waits for its offer.
    fn between_offers(&self, ticket: TicketId) -> bool {
        let live = |offer| self.board.jobs.get(&ticket).is_some_and(|job| job.offers.iter().any(|o| o.offer == offer));
        self.fold.taken_for(ticket).all(|crew| {
            let kept = self.fold.member(crew).and_then(|member| member.crew.reserved);
            kept.is_none_or(|kept| kept.ticket != ticket || live(kept.offer))
        })
    }

    fn reservation(&self, proposal: &Proposal, now: Timestamp) -> Option<Action<Intent>> {
        let job = self.board.jobs.get(&proposal.ticket)?;
        let crew = self.board.crews.get(&proposal.crew)?;
        if self.stale.get(&proposal.crew).is_some_and(|(known, until)| *known >= crew.because && now < *until) {
            return None;
        }
        let offers = &self.planner.policy().offers;
        let seconds = if proposal.priority { offers.lease_priority_seconds } else { offers.lease_seconds };
        let reserve = crew::command::Reserve {
            offer: OfferId::of(proposal.ticket, job.attempts.saturating_add(1)),
            ticket: proposal.ticket,
            lease_until: now + TimeDelta::seconds(i64::from(seconds)),
            priority: proposal.priority,
            forced: proposal.forced.clone(),
            grounds: self.planner.grounds(proposal, now),
        };
        let because = job.because.max(crew.because);
        Some(Intent::Reserve(proposal.crew.clone(), Box::new(reserve)).want(because))
    }

    /// A piece of improvement, when it is time for one and nothing else is to be done: neither was anything new in this
    /// turn, nor is there anything that the plan has not come to.
    fn improve(&mut self, now: Timestamp, news: bool) {
        let horizon = &self.planner.policy().horizon;
        if self.slices_left == 0 {
            if now < self.next_slices {
                return;
            }
            self.next_slices = now + TimeDelta::seconds(i64::from(horizon.period_seconds.max(1)));
            self.slices_left = if self.open > 0 { horizon.slices } else { 0 };
            self.improved = now;
        }
        let quiet = !news && self.planner.is_settled();
        if self.slices_left == 0 || !quiet && now < self.improved + PIECE_EVERY {
            return;
        }
        self.improved = now;
        let over = self.planner.improve_some(&self.board, now, horizon.slice_iterations, PIECE_ITERATIONS);
        self.slices_left -= u32::from(over);
    }

    /// The crew is not the ticket's until then; the next best is.
    fn turn_down(&mut self, ticket: TicketId, crew: &CrewId, until: Timestamp, refused: bool) {
        self.fold.turn_down(ticket, crew, until, refused);
        self.touched.tickets.insert(ticket);
        self.touched.crews.insert(crew.clone());
    }

    fn was_refused(&self, want: &Action<Intent>) -> bool {
        !self.refused.is_empty() && self.refused.contains(&Identity::of(want))
    }
}

/// Takes note of what follows from one ticket or crew, in place of what followed before.
fn set_actions<K: Ord>(all: &mut BTreeMap<K, Vec<Action<Intent>>>, from: K, reconcile: Vec<Action<Intent>>) {
    if reconcile.is_empty() {
        all.remove(&from);
    } else {
        all.insert(from, reconcile);
    }
}

/// How many of these tickets have a job on the board that may be offered.
fn open_of(board: &Board, tickets: &BTreeSet<TicketId>) -> usize {
    tickets.iter().filter(|ticket| board.jobs.get(ticket).is_some_and(|job| job.open)).count()
}

impl Projection for Dispatch {
    type Event = Fact;

    fn apply(&mut self, fact: &Fact) {
        self.latest = self.latest.max(fact.recorded_at());
        let touched = self.fold.apply(fact);
        self.touched.tickets.extend(touched.tickets);
        self.touched.crews.extend(touched.crews);
    }
}

impl Process for Dispatch {
    type Intent = Intent;

    fn name(&self) -> &'static str {
        NAME
    }

    fn pending(&mut self, now: Timestamp, limit: usize) -> Vec<Action<Intent>> {
        let now = now.max(self.latest);
        self.latest = now;
        let news = !self.touched.tickets.is_empty() || !self.touched.crews.is_empty();
        self.settle();
        let reconcile = self.ticket_duties.values().chain(self.crew_duties.values()).flatten().cloned();
        let reconcile = reconcile.map(|want| reconcile::in_time(want, &self.fold, &self.board, now));
        let mut wants: Vec<_> = reconcile.filter(|want| !self.was_refused(want)).take(limit).collect();
        // A crew whose time is being given to a ticket is not asked for another in the same append.
        let given: BTreeSet<CrewId> = wants.iter().filter_map(|want| want.intent.gives().cloned()).collect();
        wants.retain(|want| !matches!(&want.intent, Intent::Offer(_, offer) if given.contains(&offer.crew)));
        // What is taken back at the same moment does not lapse.
        let ends =
            |of: OfferId| wants.iter().any(|want| matches!(&want.intent, Intent::End(_, offer, _) if *offer == of));
        let lapsed = self.lapsed(now).filter(|(offer, want)| !ends(*offer) && !self.was_refused(want));
        let lapsed: Vec<_> = lapsed.map(|(_, want)| want).take(limit - wants.len()).collect();
        wants.extend(lapsed);
        if wants.len() < limit {
            let more = self.reservations(now, limit - wants.len(), &given);
            wants.extend(more);
        }
        if wants.is_empty() {
            wants = self.diversions(now);
            wants.truncate(limit);
            self.improve(now, news);
        }
        wants
    }

    fn wake(&self) -> Option<Timestamp> {
        let busy = self.slices_left > 0 || !self.touched.crews.is_empty() || !self.touched.tickets.is_empty();
        let slice = if busy { self.latest } else { self.next_slices };
        [self.leases.next(), self.planner.wake(), (busy || self.open > 0).then_some(slice)].into_iter().flatten().min()
    }

    fn forgotten(&self, fact: &Fact) -> Option<TicketId> {
        self.fold.forgotten(fact)
    }

    fn refused(&mut self, want: &Action<Intent>, _reason: &str) {
        match &want.intent {
            // The crew is not what the board says; something is on its way, or a person must look.
            Intent::Reserve(crew, reserve) => {
                let known = self.board.crews.get(crew).map_or(0, |crew| crew.because);
                let until = self.latest + UNFIT;
                self.stale.insert(crew.clone(), (known, until));
                self.turn_down(reserve.ticket, crew, until, false);
                return;
            }
            // The ticket would not have it: the crew is let go, unless something that is on its way explains it.
            Intent::Offer(ticket, offer) => {
                let declined = TimeDelta::minutes(i64::from(self.planner.policy().offers.declined_minutes));
                self.turn_down(*ticket, &offer.crew, self.latest + declined.max(UNFIT), true);
                return;
            }
            Intent::Recall(ticket, crew, _) => {
                self.not_recalled.entry(*ticket).or_default().insert(crew.clone());
            }
            // Its lease is looked at again when the ticket changes.
            Intent::End(ticket, offer, _) => self.leases.forget(*ticket, *offer),
            _ => {}
        }
        self.refused.insert(Identity::of(want));
    }
}
