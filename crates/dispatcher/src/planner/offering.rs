//! Proposals: the first stop of every free crew's route, and a parallel offer for a ticket that cannot wait for one
//! answer.

use std::collections::BTreeSet;

use switchboard_domain::{Timestamp, crew::CrewId, ticket::TicketId};

use super::{Planner, Proposal, ranking};
use crate::{
    board::{Board, Crew},
    model::{Memory, Start},
    rules::{presence, shift},
    scene::{Task, Terms},
};

/// The maximum number of offered jobs per call that are examined for a parallel offer, priorities and the heaviest
/// first.
pub(super) const EXTRAS_MAX: usize = 64;

impl Planner {
    /// The tickets that may be offered now: pinned ones first, then the heaviest, at most one per crew and at most
    /// `limit`. A proposal is repeated until the board shows its offer. The cost depends on the free crews and the
    /// marks, not on the number of waiting jobs.
    pub fn proposals(&mut self, board: &Board, now: Timestamp, limit: usize) -> Vec<Proposal> {
        self.settle(board, now);
        let minutes = self.minutes(now);
        let late: Vec<u32> = self.attention.iter().copied().filter(|team| self.is_too_late(*team, minutes)).collect();
        if !late.is_empty() {
            self.crews_marked.extend(late.into_iter().map(|team| self.roster.member(team).id.clone()));
            self.settle(board, now);
        }
        let mut found: Vec<Proposal> = Vec::new();
        let mut memory = std::mem::take(&mut self.memory);
        let looked_at: Vec<u32> = self.attention.iter().copied().collect();
        for team in looked_at {
            match self.first_stop(board, team, now, minutes, &mut memory) {
                Some(proposal) => found.push(proposal),
                None => drop(self.attention.remove(&team)),
            }
        }
        self.extras(board, now, minutes, &mut found, &mut memory);
        self.memory = memory;
        found.sort_by(|a, b| {
            let forced = b.forced.is_some().cmp(&a.forced.is_some());
            forced.then(b.weight.total_cmp(&a.weight)).then_with(|| a.ticket.cmp(&b.ticket))
        });
        found.truncate(limit);
        found
    }

    /// True if an idle crew would now reach its first stop after its shift, because time has passed since the stop was
    /// planned.
    fn is_too_late(&self, team: u32, minutes: f64) -> bool {
        let member = self.roster.member(team);
        let Some(&job) = member.route.first().filter(|_| member.idle) else { return false };
        self.job_index.entry(job).pinned.is_none() && !self.reaches(&self.terms(minutes), team, job)
    }

    /// True if a crew that goes to a job as soon as it is free arrives within its shift.
    pub(super) fn reaches(&self, terms: &Terms, team: u32, job: u32) -> bool {
        let member = self.roster.member(team);
        let start = self.walk(terms).start(&member.team);
        !shift::forbids_arrival(&member.team, arrival(terms, &start, self.job_index.task(job)))
    }

    fn first_stop(
        &self,
        board: &Board,
        team: u32,
        now: Timestamp,
        minutes: f64,
        memory: &mut Memory,
    ) -> Option<Proposal> {
        let member = self.roster.member(team);
        let job = *member.route.first()?;
        let crew = board.crews.get(&member.id)?;
        if !self.is_offerable(crew, now) {
            return None;
        }
        let terms = self.terms(minutes);
        let with = self.price(&terms, team, &member.route, memory);
        let without = self.price(&terms, team, &member.route[1..], memory);
        self.proposal(&terms, team, job, with - without)
    }

    fn proposal(&self, terms: &Terms, team: u32, job: u32, price: f64) -> Option<Proposal> {
        let (entry, task, member) = (self.job_index.entry(job), self.job_index.task(job), self.roster.member(team));
        let arrives = arrival(terms, &self.walk(terms).start(&member.team), task);
        let forced = entry.pinned.as_ref().map(|(_, forced)| forced.clone());
        if forced.is_none() && shift::forbids_arrival(&member.team, arrives) {
            return None;
        }
        Some(Proposal {
            ticket: entry.ticket,
            crew: member.id.clone(),
            arrives: self.instant(arrives),
            priority: entry.priority,
            forced,
            weight: task.weight(),
            price,
        })
    }

    /// True if the crew may get an offer now: on shift, not away, not silent, not on a break, and without a reservation
    /// or commitment.
    pub(super) fn is_offerable(&self, crew: &Crew, now: Timestamp) -> bool {
        let free = crew.reserved.is_none() && crew.committed.is_empty();
        let on_shift = crew.shift.as_ref().is_some_and(|shift| now < shift.until);
        free && on_shift && !rests(crew, now) && !presence::forbids(&self.policy.offers, crew, now)
    }

    /// Parallel offers for priorities and for jobs with an expired offer: to the next best free crew, while another
    /// crew has not answered yet.
    fn extras(&self, board: &Board, now: Timestamp, minutes: f64, found: &mut Vec<Proposal>, memory: &mut Memory) {
        let terms = self.terms(minutes);
        let mut taken = BTreeSet::new();
        for &(_, job) in self.job_index.asked.iter().take(EXTRAS_MAX) {
            let entry = self.job_index.entry(job);
            let live = board.jobs.get(&entry.ticket).map_or(0, |board_job| board_job.offers.len());
            let waits_for_one = entry.asked.len() == live && live < self.policy.offers.parallel_max;
            if !(waits_for_one && (entry.priority || entry.lapsed)) || entry.pinned.is_some() {
                continue;
            }
            let best = self.next_best(board, &terms, job, now, &taken, memory);
            let Some(proposal) = best.and_then(|(price, team)| self.proposal(&terms, team, job, price)) else {
                continue;
            };
            let other = found.iter().position(|other| other.crew == proposal.crew);
            match other {
                Some(at) if found[at].forced.is_some() || found[at].weight >= proposal.weight => continue,
                Some(at) => drop(found.remove(at)),
                None => {}
            }
            taken.insert(proposal.crew.clone());
            found.push(proposal);
        }
    }

    fn next_best(
        &self,
        board: &Board,
        terms: &Terms,
        job: u32,
        now: Timestamp,
        taken: &BTreeSet<CrewId>,
        memory: &mut Memory,
    ) -> Option<(f64, u32)> {
        let entry = self.job_index.entry(job);
        let free = self.roster.idle.iter().filter(|team| {
            let member = self.roster.member(**team);
            !entry.asked.contains(team) && !taken.contains(&member.id)
        });
        let priced = free.filter_map(|&team| Some((self.next(board, terms, job, team, now, memory)?, team)));
        priced.min_by(ranking::order)
    }

    /// The rise in price when a job becomes a crew's next stop; `None` when the job may not be offered to the crew now.
    fn next(
        &self,
        board: &Board,
        terms: &Terms,
        job: u32,
        team: u32,
        now: Timestamp,
        memory: &mut Memory,
    ) -> Option<f64> {
        let (entry, member) = (self.job_index.entry(job), self.roster.member(team));
        let offerable = board.crews.get(&member.id).is_some_and(|crew| self.is_offerable(crew, now));
        if !offerable || !member.may(entry, terms.now) {
            return None;
        }
        let walk = self.walk(terms);
        let start = walk.start(&member.team);
        let others: Vec<u32> = member.route.iter().copied().filter(|stop| *stop != job).collect();
        walk.price(&start, &others, memory);
        walk.rise(&start, (&others, memory), 0, job, f64::INFINITY)
    }

    /// The offer to a recalled crew of the ticket that it was recalled for; `None` until the offer may be made.
    pub fn reserved_for(&mut self, board: &Board, ticket: TicketId, crew: &CrewId, now: Timestamp) -> Option<Proposal> {
        let (job, team) = (*self.job_index.index.get(&ticket)?, *self.roster.index.get(crew)?);
        let mut memory = std::mem::take(&mut self.memory);
        let terms = self.terms(self.minutes(now));
        let price = self.next(board, &terms, job, team, now, &mut memory);
        let proposal = price.and_then(|price| self.proposal(&terms, team, job, price));
        self.memory = memory;
        proposal
    }
}

/// True if a crew is on a break.
pub(super) fn rests(crew: &Crew, now: Timestamp) -> bool {
    let mut breaks = crew.shift.iter().flat_map(|shift| &shift.breaks);
    breaks.any(|rest| rest.from <= now && now < rest.until)
}

/// The median arrival at a job, from the start of a crew's route.
pub(super) fn arrival(terms: &Terms, start: &Start<'_>, task: &Task) -> f64 {
    let leg = terms.leg(start.state.spot, task);
    terms.visit(start.team, &start.state, leg, task, start.next).0.service.arrives
}
