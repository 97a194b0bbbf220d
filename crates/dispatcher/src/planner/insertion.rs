//! Insertion: an untried job goes to its cheapest position, and a crew with room takes up the job with the greatest
//! gain. Both try a bounded number of candidates.

use std::collections::BTreeSet;

use super::{
    GAIN_MIN, Planner,
    job_index::Place,
    ranking::{self, Ranked},
};
use crate::{
    model::Memory,
    rules::{self, workload},
    scene::Terms,
};

/// Crews tried for a job: those with the soonest rough arrival.
const CREWS_MAX: usize = 32;
/// Further crews tried for a job, because their routes contain its neighbours.
const NEIGHBOURS_MAX: usize = 6;
/// Jobs near a crew with room that the crew tries.
const NEAR_MAX: usize = 24;
/// The heaviest waiting jobs that a crew with room tries, and as many of the oldest. The number is divided among the
/// combinations of unit and skills that the crew serves, with at least one job each.
const HEAVIEST_MAX: usize = 12;
/// The maximum number of stops that a free crew takes up in one pass of `settle`; improvement adds the rest.
const FILL_MAX: usize = 2;
/// The maximum number of jobs tried in one `settle` call; the next call tries the others.
pub(super) const TRIES_MAX: usize = 32;
/// The maximum number of crews filled in one `settle` call; the next call fills the free crews that remain.
pub(super) const UNDERFILLED_MAX: usize = 12;
/// The maximum number of jobs ejected from full routes that look for another position in one pass of `settle`.
const EJECTED_MAX: usize = 16;

/// A position for a job in a route.
#[derive(Clone, Copy, Debug)]
pub struct Slot {
    /// The crew of the route.
    pub team: u32,
    /// The index of the stop before which the job goes.
    pub at: usize,
    /// The rise in price.
    pub rise: f64,
    /// True if the route is full, so that its last stop must leave.
    pub ejects: bool,
}

/// The remaining work of one `settle` call. It bounds the duration of the call, however much has changed at once.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    tries: usize,
    fill_budget: usize,
}

impl Default for Work {
    fn default() -> Self {
        Self { tries: TRIES_MAX, fill_budget: UNDERFILLED_MAX }
    }
}

impl Planner {
    /// Inserts untried jobs, pinned ones and then the heaviest first, and lets crews with room take up more, as far as
    /// `work` permits.
    pub(super) fn place(&mut self, underfilled: BTreeSet<u32>, now: f64, work: &mut Work) {
        let mut memory = std::mem::take(&mut self.memory);
        self.try_jobs(now, work, &mut memory);
        self.fill(underfilled, now, work, &mut memory);
        self.memory = memory;
    }

    fn try_jobs(&mut self, now: f64, work: &mut Work, memory: &mut Memory) {
        let mut ejected = Vec::new();
        while let Some(job) = (work.tries > 0).then(|| self.job_index.next_untried()).flatten() {
            work.tries -= 1;
            ejected.extend(self.insert(job, now, memory));
        }
        // Ejected jobs look for another position, in turn. Improvement places those beyond the limit.
        let mut turn = 0;
        while let Some(job) = ejected.get(turn).copied().filter(|_| turn < EJECTED_MAX) {
            turn += 1;
            ejected.extend(self.insert(job, now, memory));
        }
    }

    fn fill(&mut self, underfilled: BTreeSet<u32>, now: f64, work: &mut Work, memory: &mut Memory) {
        let mut underfilled: Vec<u32> = underfilled.into_iter().collect();
        let has_work = |team: &u32| !self.roster.member(*team).route.is_empty();
        underfilled.sort_by_key(|team| (!self.roster.member(*team).idle, has_work(team)));
        let mut filled = 0;
        while let Some(team) = underfilled.get(filled).copied().filter(|_| work.fill_budget > 0) {
            (filled, work.fill_budget) = (filled + 1, work.fill_budget - 1);
            let wants = if self.roster.member(team).idle { FILL_MAX } else { 1 };
            for _ in 0..wants {
                match self.take_up(team, now, memory) {
                    Some(Place::Routed(donor)) if self.roster.member(donor).idle => underfilled.push(donor),
                    Some(_) => {}
                    None => break,
                }
            }
        }
        // The next `settle` call fills the free crews that remain. Improvement fills the others.
        self.underfilled.extend(underfilled.into_iter().skip(filled).filter(|team| self.roster.member(*team).idle));
    }

    /// Inserts a waiting job at its cheapest position, if that is cheaper than leaving it out, or if a free crew has no
    /// stop. A pinned job goes behind the pinned stops of its crew. Returns the job that had to leave the route.
    fn insert(&mut self, job: u32, now: f64, memory: &mut Memory) -> Option<u32> {
        if let Some((team, _)) = self.job_index.entry(job).pinned {
            if self.roster.member(team).may(self.job_index.entry(job), now) {
                let at = self.pinned_stops(team);
                self.route(job, team, at);
                return self.make_room(team);
            }
            return None;
        }
        let terms = self.terms(now);
        let mut best: Option<Slot> = None;
        let mut limit = rules::service(&terms.left_out(self.job_index.task(job)));
        for team in self.crews_for(job, now) {
            let Some(slot) = self.best_slot(&terms, team, job, memory) else { continue };
            let starts = self.roster.member(team).route.is_empty() && self.roster.member(team).idle;
            if slot.rise < limit || (starts && best.is_none()) {
                limit = slot.rise;
                best = Some(slot);
            }
        }
        let slot = best?;
        self.route(job, slot.team, slot.at);
        self.make_room(slot.team)
    }

    /// Removes the last stop of a route that is too long.
    fn make_room(&mut self, team: u32) -> Option<u32> {
        let room = self.policy.horizon.stops_max.max(1).max(self.pinned_stops(team));
        let last = self.roster.member(team).route.get(room..).and_then(|over| over.last().copied())?;
        self.unroute(last, Place::Waiting);
        Some(last)
    }

    /// The crews worth trying for a job: those with the soonest rough arrival, and those whose routes contain its
    /// neighbours. The hard rules permit all of them.
    pub(super) fn crews_for(&self, job: u32, now: f64) -> Vec<u32> {
        let (entry, task) = (self.job_index.entry(job), self.job_index.task(job));
        let on_shift = self.roster.members.iter().filter(|member| member.on_shift);
        let may = on_shift.filter(|member| member.may(entry, now));
        let mut ranked: Vec<Ranked> =
            may.map(|member| (member.rough_arrival(task.spot, now), member.team.index)).collect();
        let mut crews = self.soonest(&mut ranked, job, now);
        let Some(spot) = task.spot else { return crews };
        let mut near = Vec::new();
        self.job_index.grid.near(spot, NEIGHBOURS_MAX, &mut near);
        for (_, neighbour) in near {
            if let Place::Routed(team) = self.job_index.entry(neighbour).place
                && !crews.contains(&team)
                && self.roster.member(team).may(entry, now)
            {
                crews.push(team);
            }
        }
        crews
    }

    /// The soonest of the crews ranked by rough arrival, without those that would arrive after their shift.
    fn soonest(&self, ranked: &mut [Ranked], job: u32, now: f64) -> Vec<u32> {
        let terms = self.terms(now);
        let mut crews = Vec::with_capacity(CREWS_MAX);
        let mut rest = ranked;
        while crews.len() < CREWS_MAX && !rest.is_empty() {
            let upto = CREWS_MAX.min(rest.len());
            if rest.len() > upto {
                rest.select_nth_unstable_by(upto, ranking::order);
            }
            let (next, behind) = rest.split_at_mut(upto);
            next.sort_unstable_by(ranking::order);
            crews.extend(next.iter().map(|(_, team)| *team).filter(|team| self.reaches(&terms, *team, job)));
            rest = behind;
        }
        crews.truncate(CREWS_MAX);
        crews
    }

    /// The cheapest position in a crew's route. If the route is full, its last stop leaves for the job.
    pub(super) fn best_slot(&self, terms: &Terms, team: u32, job: u32, memory: &mut Memory) -> Option<Slot> {
        let member = self.roster.member(team);
        let walk = self.walk(terms);
        let start = walk.start(&member.team);
        let from = self.pinned_stops(team);
        walk.price(&start, &member.route, memory);
        let full = workload::forbids(member.route.len(), self.policy.horizon.stops_max);
        let stops = if full { member.route.len() - 1 } else { member.route.len() };
        if from > stops {
            return None;
        }
        let (at, rise) = walk.cheapest(&start, (&member.route[..stops], memory), from, job, &mut || false)?;
        let saved = if full {
            let last = member.route[stops];
            memory.prices()[stops] - rules::service(&terms.left_out(self.job_index.task(last)))
        } else {
            0.0
        };
        Some(Slot { team, at, rise: rise - saved, ejects: full })
    }

    /// Gives a crew the job with the greatest gain, among a bounded number: near jobs, waiting or in another route, and
    /// heavy and old waiting jobs. Returns the job's former place; `None` when no job gains anything.
    fn take_up(&mut self, team: u32, now: f64, memory: &mut Memory) -> Option<Place> {
        let terms = self.terms(now);
        let mut best: Option<(f64, u32, Slot)> = None;
        for job in self.jobs_for(team, now) {
            let Some(slot) = self.best_slot(&terms, team, job, memory) else { continue };
            let gain = self.cost_where_it_is(&terms, job, memory) - slot.rise;
            let starts = self.roster.member(team).route.is_empty() && self.job_index.entry(job).place == Place::Waiting;
            let worth = gain > GAIN_MIN || starts && self.roster.member(team).idle;
            if worth && best.as_ref().is_none_or(|(most, ..)| gain > *most) {
                best = Some((gain, job, slot));
            }
        }
        let (_, job, slot) = best?;
        let was = self.job_index.entry(job).place;
        self.unroute(job, Place::Waiting);
        self.route(job, team, slot.at);
        self.make_room(team);
        Some(was)
    }

    /// The present cost of a job: the price by which its route rises through it, or the price of leaving it out.
    fn cost_where_it_is(&self, terms: &Terms, job: u32, memory: &mut Memory) -> f64 {
        let Place::Routed(team) = self.job_index.entry(job).place else {
            return rules::service(&terms.left_out(self.job_index.task(job)));
        };
        let route = &self.roster.member(team).route;
        let with = self.price(terms, team, route, memory);
        let rest: Vec<u32> = route.iter().copied().filter(|stop| *stop != job).collect();
        with - self.price(terms, team, &rest, memory)
    }

    fn jobs_for(&self, team: u32, now: f64) -> Vec<u32> {
        let member = self.roster.member(team);
        let mut near = Vec::new();
        self.job_index.grid.near(member.team.spot, NEAR_MAX, &mut near);
        let mut jobs: Vec<u32> = near.into_iter().map(|(_, job)| job).collect();
        let may = |job: &u32| member.may(self.job_index.entry(*job), now);
        let shelves: Vec<_> =
            self.job_index.shelves.iter().filter(|((unit, needs), _)| member.fits(*unit, *needs)).collect();
        let each = (HEAVIEST_MAX / shelves.len().max(1)).max(1);
        for (_, shelf) in shelves {
            jobs.extend(shelf.heaviest.iter().map(|(_, job)| *job).filter(may).take(each));
            jobs.extend(shelf.oldest.iter().map(|(_, job)| *job).filter(may).take(each));
        }
        jobs.sort_unstable();
        jobs.dedup();
        jobs.retain(|job| {
            let entry = self.job_index.entry(*job);
            let there = matches!(entry.place, Place::Waiting | Place::Routed(_)) && entry.place != Place::Routed(team);
            there && entry.pinned.is_none() && member.may(entry, now)
        });
        jobs
    }
}
