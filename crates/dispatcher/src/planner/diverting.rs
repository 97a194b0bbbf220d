//! Diversions: a crew on its way is recalled when a far heavier priority would otherwise be reached too late.

use std::collections::BTreeSet;

use switchboard_domain::{Timestamp, crew::CrewId, ticket::TicketId};

use super::{
    Diversion, Planner, Proposal,
    job_index::Place,
    offering::rests,
    roster::{self, Member},
};
use crate::{
    board::{Board, Crew, Job},
    rules::{self, presence},
    scene::{State, Task},
};

/// The maximum number of priorities per call for which a diversion is sought, the heaviest first.
const NEEDS_MAX: usize = 16;
/// The maximum number of priorities per call whose planned arrival is checked, the heaviest first.
const LOOKED_AT_MAX: usize = 256;
/// A lower bound of the driving minutes per straight kilometre.
const KM_MINUTES_MIN: f64 = 0.5;
/// The minimum gain of a diversion: the crew arrives this many minutes sooner.
const SOONER_MINUTES: f64 = 5.0;

impl Planner {
    /// Crews on their way to recall for the sake of a priority. A diversion happens only if all of this holds:
    ///
    /// - no person chose a crew for the priority, and no free crew reaches it in time;
    /// - the crew on its way would reach it at least five minutes sooner than planned;
    /// - this crew has not arrived, its present ticket has no wire down, and no person chose the crew for it;
    /// - this crew is neither silent nor on a break, may serve the priority, and would arrive within its shift;
    /// - no crew was diverted from that ticket within `divert_minutes`;
    /// - if that ticket is a priority too, the other one weighs `divert_ratio` times as much.
    ///
    /// `barred` are the (crew, ticket) pairs that must not be recalled.
    #[must_use]
    pub fn diversions(&self, board: &Board, now: Timestamp, barred: &BTreeSet<(CrewId, TicketId)>) -> Vec<Diversion> {
        let minutes = self.minutes(now);
        let (mut found, mut taken) = (Vec::new(), BTreeSet::new());
        for (needed_at, job) in self.in_need(board, now) {
            let may = |crew: &CrewId, from| !taken.contains(crew) && !barred.contains(&(crew.clone(), from));
            if let Some(diversion) = self.diversion(board, job, needed_at, minutes, may) {
                taken.insert(diversion.crew.clone());
                found.push(diversion);
            }
        }
        found
    }

    /// The crew to recall instead of making `proposal`: for a priority that the proposed crew would reach too late.
    #[must_use]
    pub fn rather(
        &self,
        board: &Board,
        proposal: &Proposal,
        now: Timestamp,
        barred: impl FnOnce() -> BTreeSet<(CrewId, TicketId)>,
    ) -> Option<Diversion> {
        let job = *self.job_index.index.get(&proposal.ticket)?;
        let (minutes, arrives) = (self.minutes(now), self.minutes(proposal.arrives));
        let asked = !self.job_index.entry(job).asked.is_empty();
        if !proposal.priority || proposal.forced.is_some() || asked || self.is_in_time(job, arrives, minutes) {
            return None;
        }
        let barred = barred();
        self.diversion(board, job, arrives, minutes, |crew, from| !barred.contains(&(crew.clone(), from)))
    }

    /// The best crew to recall for a job that is otherwise reached at `needed_at`, among those that `may` permits.
    fn diversion(
        &self,
        board: &Board,
        job: u32,
        needed_at: f64,
        now: f64,
        may: impl Fn(&CrewId, TicketId) -> bool,
    ) -> Option<Diversion> {
        let divertible = self.divertible(board, job, needed_at, now).into_iter();
        let free = divertible.filter(|(_, team, from)| may(&self.roster.member(*team).id, *from));
        let (_, team, from) = free.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)))?;
        Some(Diversion { crew: self.roster.member(team).id.clone(), from, to: self.job_index.entry(job).ticket })
    }

    /// True if an arrival at `arrives` is in time for a priority: before it is due, or within the next few minutes.
    fn is_in_time(&self, job: u32, arrives: f64, now: f64) -> bool {
        arrives <= self.job_index.task(job).due.max(now + SOONER_MINUTES)
    }

    /// Priorities that no free crew reaches in time, the heaviest first, each with its planned arrival.
    fn in_need(&self, board: &Board, now: Timestamp) -> Vec<(f64, u32)> {
        let minutes = self.minutes(now);
        let jobs = self.job_index.priorities.iter().map(|(_, job)| *job);
        let needs =
            jobs.take(LOOKED_AT_MAX).filter(|job| self.job_index.entry(*job).pinned.is_none()).filter_map(|job| {
                let (arrives, free) = self.planned_arrival(board, job, now);
                (!(free && self.is_in_time(job, arrives, minutes))).then_some((arrives, job))
            });
        needs.take(NEEDS_MAX).collect()
    }

    /// The planned arrival at a job, and true if the job may be offered to the planned crew now.
    fn planned_arrival(&self, board: &Board, job: u32, now: Timestamp) -> (f64, bool) {
        let Place::Routed(team) = self.job_index.entry(job).place else { return (f64::INFINITY, false) };
        let member = self.roster.member(team);
        let terms = self.terms(self.minutes(now));
        let walk = self.walk(&terms);
        let mut arrives = f64::INFINITY;
        walk.visits(&walk.start(&member.team), &member.route, |stop, visit| {
            if stop == job {
                arrives = visit.service.arrives;
            }
        });
        let offerable = board.crews.get(&member.id).is_some_and(|crew| self.is_offerable(crew, now));
        (arrives, offerable && member.route.first() == Some(&job))
    }

    /// Crews on their way that may be diverted to the job and gain enough: arrival, crew, and the ticket that the crew
    /// leaves.
    fn divertible(&self, board: &Board, job: u32, needed_at: f64, now: f64) -> Vec<(f64, u32, TicketId)> {
        let (entry, task) = (self.job_index.entry(job), self.job_index.task(job));
        let at = |member: &Member| Some(member.on_its_way?.km(task.spot?));
        // Crews that are too far by a straight line at full speed are skipped.
        let near = |member: &&Member| at(member).is_some_and(|km| now + km * KM_MINUTES_MIN < needed_at);
        let on_its_way = self.roster.on_its_way.iter().map(|team| self.roster.member(*team));
        let near = on_its_way.filter(near).filter(|member| member.may(entry, now));
        let on_the_way = near.filter_map(|member| {
            let crew = board.crews.get(&member.id).filter(|crew| self.hears(crew, now))?;
            let from = roster::on_its_way(board, crew).filter(|from| self.weighs_more(job, from, now))?;
            let arrives = self.arrival_from(crew, member.team.index, task, now)?;
            (arrives + SOONER_MINUTES <= needed_at).then_some((arrives, member.team.index, from.ticket))
        });
        on_the_way.collect()
    }

    /// True if a crew on its way would notice the recall and drive on: it is neither silent nor on a break.
    fn hears(&self, crew: &Crew, now: f64) -> bool {
        let now = self.instant(now);
        !presence::is_silent(&self.policy.offers, crew, now) && !rests(crew, now)
    }

    fn weighs_more(&self, job: u32, from: &Job, now: f64) -> bool {
        let offers = &self.policy.offers;
        let again = f64::from(offers.divert_minutes);
        let lately = from.diverted.is_some_and(|at| self.minutes(at) + again > now);
        let (customers, concern) = from.weight(&self.policy.weights);
        let weight = customers + concern;
        let priority = rules::safety::is_priority(&self.policy, from, weight);
        let ratio = self.job_index.task(job).weight() / weight.max(1.0);
        !lately && !from.concerns.wire_down && (!priority || ratio >= offers.divert_ratio)
    }

    fn arrival_from(&self, crew: &Crew, team: u32, task: &Task, now: f64) -> Option<f64> {
        let frame = self.frame?;
        let terms = self.terms(now);
        let member = self.roster.member(team);
        let state = State { spot: Some(frame.plane().spot(crew.at)), free: now, variance: 0.0 };
        let leg = terms.leg(state.spot, task);
        let arrives = terms.visit(&member.team, &state, leg, task, true).0.service.arrives;
        (!rules::shift::forbids_arrival(&member.team, arrives)).then_some(arrives)
    }
}
