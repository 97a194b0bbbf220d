//! Improvement: the search improves a part of the plan, and each cheaper result replaces the part at once.
//!
//! A part consists of the crews nearest to a chosen crew, their stops, and waiting jobs near them. With few crews the
//! whole plan is one part. The policy's seed and the number of the slice determine the chosen crew. A slice may be done
//! in pieces. Between two pieces the search is paused; a change within its part discards it. The next piece then takes
//! the part out of the plan again, and cooling continues from the slice's progress.

use std::collections::BTreeSet;

use switchboard_domain::Timestamp;

use super::{
    GAIN_MIN, Planner,
    fingerprint::blend,
    insertion::Work,
    job_index::Place,
    ranking::{Ranked, keep_least},
    roster::{KM_MINUTES, Member},
};
use crate::{
    board::Board,
    model::{Beginning, Memory, Part},
    rules,
    scene::{State, Task},
    search::{Order, Search, Settings},
};

/// The maximum number of crews in a part.
const CREWS_MAX: usize = 48;
/// The maximum number of waiting jobs in a part.
pub(super) const WAITING_MAX: usize = 96;
/// The maximum number of waiting jobs near each crew of a part.
const WAITING_NEAR_MAX: usize = 8;
/// The maximum number of neighbours per job in the search.
const NEAR_MAX: usize = 16;
/// The mean number of jobs removed per iteration: about one route, because routes are short.
const RUINED_MEAN: f64 = 6.0;
/// The maximum number of waiting jobs tried per iteration.
const ABSENT_MAX: usize = 8;
/// The temperatures at the start and at the end of a slice, in weighted minutes: one hour and one minute of a customer.
/// A plan dearer by the temperature is kept with probability 1/e.
const TEMPERATURES: (f64, f64) = (60.0, 1.0);
/// The relative frequency of each recreate order.
const ORDERS: [(Order, u32); 4] = [(Order::Random, 4), (Order::Demand, 4), (Order::Due, 2), (Order::Early, 1)];

/// The crews and jobs of a part, by number, and the stops of each route after its pinned stops.
#[derive(Clone, Debug)]
struct Chosen {
    teams: Vec<u32>,
    jobs: Vec<u32>,
    /// The number of pinned stops of each route, and the crew's state after them.
    pinned: Vec<(usize, State)>,
    routes: Vec<Vec<u32>>,
}

/// The paused search of a slice.
#[derive(Clone, Debug)]
pub(super) struct Searching {
    chosen: Chosen,
    search: Search<Part>,
    /// The price of the part as it is in the plan.
    price: f64,
    /// The part's jobs, ascending.
    jobs: Vec<u32>,
}

impl Searching {
    fn of(chosen: Chosen, search: Search<Part>) -> Self {
        let mut jobs = chosen.jobs.clone();
        jobs.sort_unstable();
        Self { price: search.best().price, chosen, search, jobs }
    }
}

impl Planner {
    /// Runs one whole slice of improvement: settles, and searches one part of the plan for this many iterations. A
    /// cheaper plan is kept.
    pub fn improve(&mut self, board: &Board, now: Timestamp, iterations: u64) {
        self.searched = 0;
        self.searching = None;
        self.improve_some(board, now, iterations, iterations);
    }

    /// Runs one piece of a slice: settles, and does at most `piece` iterations, but at least one. A cheaper plan is
    /// kept. Returns true when the slice of `iterations` is over. It continues the slice even if its search was
    /// discarded.
    pub fn improve_some(&mut self, board: &Board, now: Timestamp, iterations: u64, piece: u64) -> bool {
        self.settle(board, now);
        let laid_aside = self.searching.take();
        let Some(mut searching) = laid_aside.or_else(|| self.take_part(board, now, iterations)) else {
            self.searched = 0;
            return true;
        };
        let piece = piece.max(1).min(iterations.saturating_sub(self.searched));
        searching.search.improve(piece);
        self.searched += piece;
        self.adopt(&mut searching);
        let over = self.searched >= iterations;
        if over {
            self.searched = 0;
        } else {
            self.searching = Some(searching);
        }
        over
    }

    /// Discards the paused search if this crew is in its part, because the crew has changed.
    pub(super) fn stir_crew(&mut self, team: u32) {
        // The crews are ascending, as `teams_of_part` returns them.
        self.searching.take_if(|searching| searching.chosen.teams.binary_search(&team).is_ok());
    }

    /// Discards the paused search if this job is in its part, because the job has changed.
    pub(super) fn stir_job(&mut self, job: u32) {
        self.searching.take_if(|searching| searching.jobs.binary_search(&job).is_ok());
    }

    /// Takes the part of the current slice out of the plan; `None` when the part has no jobs to search.
    fn take_part(&mut self, board: &Board, now: Timestamp, iterations: u64) -> Option<Searching> {
        if self.searched == 0 {
            self.slices += 1;
        }
        let minutes = self.frame?.minutes(now);
        let teams = self.teams_of_part(minutes);
        for &team in &teams {
            self.keep_time(board, team, minutes);
            self.review(team, minutes);
        }
        self.name.take();
        self.place(BTreeSet::new(), minutes, &mut Work::default());
        let chosen = self.choose(teams, minutes);
        let search = (!chosen.jobs.is_empty()).then(|| self.search(&chosen, minutes, iterations))?;
        Some(Searching::of(chosen, search))
    }

    /// Updates a crew whose work overruns. Its expected end moves on with the time alone, without a fact.
    fn keep_time(&mut self, board: &Board, team: u32, now: f64) {
        let Some(frame) = self.frame else { return };
        let member = self.roster.member(team);
        if !member.idle && member.team.ready <= now {
            let crew = board.crews.get(&member.id);
            let terms = self.terms(now);
            self.roster.take(team, crew, board, &frame, &terms);
        }
        self.compare(team);
    }

    /// All planned crews, or the crews nearest to a pseudo-random one if there are too many.
    fn teams_of_part(&self, now: f64) -> Vec<u32> {
        let planned = self.roster.members.iter().filter(|member| member.is_planned(now));
        let mut teams: Vec<u32> = planned.map(|member| member.team.index).collect();
        if teams.len() > CREWS_MAX {
            let centre = teams[(blend(self.policy.seed, self.slices) % teams.len() as u64) as usize];
            let centre = self.roster.member(centre).team.spot;
            let km = |team: u32| self.roster.member(team).team.spot.km(centre);
            let mut near: Vec<Ranked> = teams.into_iter().map(|team| (km(team), team)).collect();
            keep_least(&mut near, CREWS_MAX);
            teams = near.into_iter().map(|(_, team)| team).collect();
            teams.sort_unstable();
        }
        teams
    }

    fn choose(&self, teams: Vec<u32>, now: f64) -> Chosen {
        let terms = self.terms(now);
        let walk = self.walk(&terms);
        let mut memory = Memory::default();
        let (mut jobs, mut pinned, mut routes) = (Vec::new(), Vec::new(), Vec::new());
        for &team in &teams {
            let member = self.roster.member(team);
            let fixed = self.pinned_stops(team);
            walk.price(&walk.start(&member.team), &member.route[..fixed], &mut memory);
            pinned.push((fixed, memory.end().unwrap_or_default()));
            let first = jobs.len() as u32;
            jobs.extend_from_slice(&member.route[fixed..]);
            routes.push((first..jobs.len() as u32).collect());
        }
        jobs.extend(self.waiting_for(&teams));
        Chosen { teams, jobs, pinned, routes }
    }

    /// The jobs that wait for one of these crews: near ones, and the heaviest and the oldest of every unit and skills
    /// that some crew serves. If there are too many, those with the most weight per minute of the nearest crew's time.
    pub(super) fn waiting_for(&self, teams: &[u32]) -> Vec<u32> {
        let members: Vec<_> = teams.iter().map(|team| self.roster.member(*team)).collect();
        let mut waiting = BTreeSet::new();
        let mut near = Vec::new();
        for member in &members {
            self.job_index.grid.near(member.team.spot, 2 * WAITING_NEAR_MAX, &mut near);
            let waits = near.iter().map(|(_, job)| *job).filter(|job| self.waits_unpinned(*job));
            let fits = |job: &u32| member.fits(self.job_index.entry(*job).unit, self.job_index.entry(*job).needs);
            waiting.extend(waits.filter(fits).take(WAITING_NEAR_MAX));
        }
        for ((unit, needs), shelf) in &self.job_index.shelves {
            if members.iter().any(|member| member.fits(*unit, *needs)) {
                let (heaviest, oldest) = (shelf.heaviest.first(), shelf.oldest.first());
                let both = heaviest.map(|(_, job)| *job).into_iter().chain(oldest.map(|(_, job)| *job));
                waiting.extend(both.filter(|job| self.waits_unpinned(*job)));
            }
        }
        if waiting.len() <= WAITING_MAX {
            return waiting.into_iter().collect();
        }
        let yields = |job: &u32| {
            let task = self.job_index.task(*job);
            let way = |member: &&Member| task.spot.map_or(0.0, |spot| spot.km(member.team.spot));
            let way = members.iter().map(way).fold(f64::INFINITY, f64::min);
            task.weight() / (task.repair + way * KM_MINUTES).max(1.0)
        };
        let mut ranked: Vec<Ranked> = waiting.iter().map(|job| (-yields(job), *job)).collect();
        keep_least(&mut ranked, WAITING_MAX);
        let mut most: Vec<u32> = ranked.into_iter().map(|(_, job)| job).collect();
        most.sort_unstable();
        most
    }

    fn waits_unpinned(&self, job: u32) -> bool {
        let entry = self.job_index.entry(job);
        entry.place == Place::Waiting && entry.pinned.is_none()
    }

    /// A search of the part that continues from the slice's progress.
    fn search(&self, chosen: &Chosen, now: f64, iterations: u64) -> Search<Part> {
        let terms = self.terms(now);
        let tasks: Vec<_> = chosen.jobs.iter().map(|job| *self.job_index.task(*job)).collect();
        let stops_max = self.policy.horizon.stops_max.max(1);
        let starts = chosen.teams.iter().zip(&chosen.pinned).map(|(team, (fixed, state))| Beginning {
            team: self.roster.member(*team).team.clone(),
            state: *state,
            next: *fixed == 0,
        });
        let part = Part {
            starts: starts.collect(),
            rooms: chosen.pinned.iter().map(|(fixed, _)| stops_max.saturating_sub(*fixed)).collect(),
            left_out: tasks.iter().map(|task| rules::service(&terms.left_out(task))).collect(),
            near: (0..tasks.len()).map(|job| near(&tasks, job)).collect(),
            candidates: (0..tasks.len()).map(|job| self.candidates(chosen, job, now)).collect(),
            terms,
            tasks,
        };
        let settings = Settings {
            ruined_mean: RUINED_MEAN,
            string_max: stops_max,
            absent_max: ABSENT_MAX,
            hot: TEMPERATURES.0,
            cold: TEMPERATURES.1,
            cooling_iterations: iterations,
            orders: ORDERS.to_vec(),
            ..Settings::default()
        };
        let seed = blend(self.policy.seed, self.slices.wrapping_mul(2).wrapping_add(1));
        let seed = if self.searched == 0 { seed } else { blend(seed, self.searched) };
        let mut search = Search::resume(part, &chosen.routes, seed, settings);
        search.count_as_done(self.searched);
        search
    }

    /// The crews of the part that the hard rules permit for one of its jobs, the soonest rough arrival first. The job's
    /// own crew is always included.
    fn candidates(&self, chosen: &Chosen, job: usize, now: f64) -> Vec<u32> {
        let number = chosen.jobs[job];
        let (entry, task) = (self.job_index.entry(number), self.job_index.task(number));
        let mut ranked: Vec<Ranked> = Vec::new();
        for (route, team) in (0..).zip(&chosen.teams) {
            let member = self.roster.member(*team);
            if member.may(entry, now) {
                let own = entry.place == Place::Routed(*team);
                let there = if own { f64::NEG_INFINITY } else { member.rough_arrival(task.spot, now) };
                ranked.push((there, route));
            }
        }
        let most = if self.storm { self.policy.storm.candidates_max } else { self.policy.horizon.candidates_max };
        keep_least(&mut ranked, most.max(1));
        ranked.into_iter().map(|(_, route)| route).collect()
    }

    /// Replaces the routes of the part with the best routes found, if they are cheaper and every arrival is within its
    /// shift.
    fn adopt(&mut self, searching: &mut Searching) {
        let Searching { chosen, search, price, .. } = searching;
        let best = search.best();
        if best.price >= *price - GAIN_MIN {
            return;
        }
        let mut memory = Memory::default();
        let differs: Vec<usize> =
            (0..best.routes.len()).filter(|route| best.routes[*route] != chosen.routes[*route]).collect();
        if !differs.iter().all(|route| search.model().is_sound(*route, &best.routes[*route], &mut memory)) {
            return;
        }
        *price = best.price;
        self.name.take();
        for route in &differs {
            let left = chosen.routes[*route].iter().map(|job| chosen.jobs[*job as usize]);
            left.for_each(|job| self.job_index.put(job, Place::Waiting));
        }
        for route in differs {
            let (team, (fixed, _)) = (chosen.teams[route], chosen.pinned[route]);
            let stops = &mut self.roster.members[team as usize].route;
            stops.truncate(fixed);
            stops.extend(best.routes[route].iter().map(|job| chosen.jobs[*job as usize]));
            stops[fixed..].iter().for_each(|job| self.job_index.put(*job, Place::Routed(team)));
            self.attention.insert(team);
            chosen.routes[route].clone_from(&best.routes[route]);
        }
    }
}

/// The nearest jobs of the part; a job without a position is near no other job.
fn near(tasks: &[Task], job: usize) -> Vec<u32> {
    let Some(here) = tasks[job].spot else { return Vec::new() };
    let others = (0..).zip(tasks).filter(|(other, _)| *other as usize != job);
    let mut near: Vec<Ranked> = others.filter_map(|(other, task)| Some((task.spot?.km(here), other))).collect();
    keep_least(&mut near, NEAR_MAX);
    near.into_iter().map(|(_, job)| job).collect()
}
