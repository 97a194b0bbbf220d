//! The dispatch process: it folds the log into a board, lets the planner choose, and carries each offer through the
//! crew's stream and the ticket's stream. No append spans both streams.
//!
//! ```text
//!   crew:   reserved ─────────────────────▶ committed ──▶ released (done, recalled, ...)
//!              │                               ▲    └───▶ released (declined, expired, ...)
//!   ticket:    └─▶ offered ─▶ offer accepted ──┘
//!                         └─▶ offer ended
//! ```
//!
//! The crew's stream says which ticket the crew's time is taken for; the ticket's stream says which crew holds the
//! ticket. The fact of each step causes the next action, so after a crash the process continues with the next step.
//!
//! The actions of `reconcile` follow from the current states alone, after a restart as at any other time. They handle a
//! reservation without an offer and a commitment to a ticket that another crew holds. `leases` finds the expired
//! leases. New work is planned only after both. The ticket's stream decides the end of a lease; the clock here only
//! proposes it.

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

/// The name of the process; part of the identity of all its actions.
pub const NAME: &str = "dispatch";

/// How long a crew is not reserved for a ticket after a refused reservation, and the minimum after a refused offer.
const UNFIT: TimeDelta = TimeDelta::minutes(1);

/// Iterations of improvement per piece. A fact that arrives meanwhile waits for at most one piece.
const PIECE_ITERATIONS: u64 = 25;

/// Under a continuous stream of facts, one piece of improvement is still run per this interval. That is enough for all
/// slices of a period under the default policy.
const PIECE_EVERY: TimeDelta = TimeDelta::milliseconds(250);

/// The minimum distance, in kilometres, by which a crew must move before it is planned again.
const MOVED_KM: f64 = 0.3;

/// The dispatch process.
#[derive(Debug)]
pub struct Dispatch {
    fold: DispatchState,
    board: Board,
    planner: Planner,
    touched: Touched,
    /// The reconciling actions, by the ticket or crew from whose state they follow.
    ticket_duties: BTreeMap<TicketId, Vec<Action<Intent>>>,
    crew_duties: BTreeMap<CrewId, Vec<Action<Intent>>>,
    leases: Leases,
    refused: Refused,
    /// Crews whose reservation the engine refused, each with the position of its last known fact. A crew is not
    /// reserved again before a newer fact of the crew or this instant.
    stale: BTreeMap<CrewId, (u64, Timestamp)>,
    /// Priorities for which a crew is being recalled.
    reserved_for: BTreeMap<TicketId, Reserved>,
    /// The latest time of any recorded fact and any call of `pending`.
    latest: Timestamp,
    /// Crews whose recall from a ticket the engine refused; cleared when the ticket changes.
    not_recalled: BTreeMap<TicketId, BTreeSet<CrewId>>,
    /// Crews that were recalled recently; cleared when their pause is over.
    called_back: BTreeSet<CrewId>,
    /// The number of jobs on the board that may be offered.
    open: usize,
    slices_left: u32,
    next_slices: Timestamp,
    /// The instant of the last piece of improvement, or of the start of the period.
    improved: Timestamp,
}

impl Dispatch {
    /// A process with an empty state.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self::resume(policy, DispatchState::default())
    }

    /// A process that continues from the folded state of a checkpoint.
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

    /// The folded state, for the checkpoint.
    #[must_use]
    pub fn fold(&self) -> &DispatchState {
        &self.fold
    }

    /// The current board.
    #[must_use]
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// The planner, for queries.
    #[must_use]
    pub fn planner(&self) -> &Planner {
        &self.planner
    }

    /// Takes telemetry: a sign of activity of a crew, perhaps with its position. It is not a fact. The crew is planned
    /// again if it moved or had been silent.
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

    /// Updates the board and the reconciling actions, and marks for the planner what changed.
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

    /// The expiries to propose: offers whose lease and grace have run out.
    fn lapsed(&self, now: Timestamp) -> impl Iterator<Item = (OfferId, Action<Intent>)> {
        self.leases.lapsed(now).filter_map(|(ticket, offer)| {
            let because = self.fold.case(ticket)?.offered_at(offer);
            Some((offer, Intent::End(ticket, offer, OfferEnd::Expired).want(because)))
        })
    }

    /// New offers, each of which begins with the crew's reservation. `given` are the crews that are being committed to
    /// a ticket; they get none.
    fn reservations(&mut self, now: Timestamp, limit: usize, given: &BTreeSet<CrewId>) -> Vec<Action<Intent>> {
        let mut wants = self.for_called_back(now);
        // An action beyond the limit is proposed again, because `reserved_for` keeps the recalled crew.
        wants.truncate(limit);
        let proposals = self.planner.proposals(&self.board, now, limit - wants.len());
        let mut begun: BTreeSet<TicketId> = self.reserved_for.keys().copied().collect();
        let reserved_for: BTreeSet<CrewId> =
            self.reserved_for.values().map(|reserved_for| reserved_for.crew.clone()).collect();
        let free = |proposal: &Proposal| !reserved_for.contains(&proposal.crew) && !given.contains(&proposal.crew);
        for proposal in proposals.into_iter().filter(free) {
            // One reservation per ticket at a time: the next attempt number is known only after the offer of this one.
            if !self.between_offers(proposal.ticket) || !begun.insert(proposal.ticket) {
                continue;
            }
            let rather = self.planner.rather(&self.board, &proposal, now, || self.barred(now));
            let back = rather.and_then(|diversion| self.call_back(diversion, now));
            wants.extend(back.or_else(|| self.reservation(&proposal, now)));
        }
        wants
    }

    /// True if no reservation for the ticket still waits for its offer.
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

    /// Runs a piece of improvement, if a period has begun and there is no other work: no new facts, and nothing that
    /// the planner has not served. Under continuous work a piece is run per `PIECE_EVERY`.
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

    /// Excludes a crew from the ticket until `until`, so that the next best crew gets it. `refused` means that the
    /// ticket refused the offer.
    fn turn_down(&mut self, ticket: TicketId, crew: &CrewId, until: Timestamp, refused: bool) {
        self.fold.turn_down(ticket, crew, until, refused);
        self.touched.tickets.insert(ticket);
        self.touched.crews.insert(crew.clone());
    }

    fn was_refused(&self, want: &Action<Intent>) -> bool {
        !self.refused.is_empty() && self.refused.contains(&Identity::of(want))
    }
}

/// Replaces the reconciling actions of one ticket or crew.
fn set_actions<K: Ord>(all: &mut BTreeMap<K, Vec<Action<Intent>>>, from: K, reconcile: Vec<Action<Intent>>) {
    if reconcile.is_empty() {
        all.remove(&from);
    } else {
        all.insert(from, reconcile);
    }
}

/// The number of these tickets that may be offered.
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
        // A crew that is being committed to a ticket gets no offer of another in the same batch.
        let given: BTreeSet<CrewId> = wants.iter().filter_map(|want| want.intent.gives().cloned()).collect();
        wants.retain(|want| !matches!(&want.intent, Intent::Offer(_, offer) if given.contains(&offer.crew)));
        // An offer that is withdrawn in this batch does not expire in it.
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
            // The crew's state differs from the board: either a fact is still to come, or an operator must look into
            // it.
            Intent::Reserve(crew, reserve) => {
                let known = self.board.crews.get(crew).map_or(0, |crew| crew.because);
                let until = self.latest + UNFIT;
                self.stale.insert(crew.clone(), (known, until));
                self.turn_down(reserve.ticket, crew, until, false);
                return;
            }
            // The ticket refused the offer. The crew is released, unless a fact that is still to come explains the
            // refusal.
            Intent::Offer(ticket, offer) => {
                let declined = TimeDelta::minutes(i64::from(self.planner.policy().offers.declined_minutes));
                self.turn_down(*ticket, &offer.crew, self.latest + declined.max(UNFIT), true);
                return;
            }
            Intent::Recall(ticket, crew, _) => {
                self.not_recalled.entry(*ticket).or_default().insert(crew.clone());
            }
            // The lease is checked again when the ticket changes.
            Intent::End(ticket, offer, _) => self.leases.forget(*ticket, *offer),
            _ => {}
        }
        self.refused.insert(Identity::of(want));
    }
}
