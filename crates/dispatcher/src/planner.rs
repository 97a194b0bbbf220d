//! The planner: keeps a plan in line with the board, improves it, and says what to offer next.
//!
//! What changed is marked; [`Planner::settle`] takes the marked jobs and crews over (`intake`) and puts what is loose
//! to its cheapest place (`insertion`), a bounded number of jobs at a bounded number of places however many wait: the
//! rest is the next settling's. [`Planner::improve_some`] does the rest of the thinking, a piece of a part of the plan
//! at a time (`part`). Only the first stop of a free crew's route is ever proposed (`offering`), with its grounds
//! (`explaining`).
//!
//! Two things are learnt on the way: where tickets come from (`demand`), and how long drives last (`pace`).
//!
//! Absent: whatever was told to whom, which is on the board; a plan that is lost is made again. Nor the curve of the
//! earth: all places are projected onto one plane around a home in the middle of all crews' homes. The limit is
//! [`PLANE_KM`] from there: one dispatcher plans for one province.

mod demand;
mod diverting;
mod explaining;
mod fingerprint;
mod grid;
mod insertion;
mod intake;
mod job_index;
mod offering;
mod pace;
mod part;
mod ranking;
mod roster;
mod showing;
#[cfg(test)]
mod tests;
mod timers;
mod weighing;

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
};

use chrono::TimeDelta;
use switchboard_domain::{
    Timestamp,
    crew::{CrewId, Forced, Point},
    ticket::TicketId,
};

use self::{
    insertion::Work,
    job_index::{JobIndex, Place},
    pace::Pace,
    part::Searching,
    roster::Roster,
    timers::{Timers, Whose},
};
use crate::{
    board::Board,
    model::{Memory, Walk},
    policy::Policy,
    scene::{Frame, Terms},
    travel::Plane,
};

/// How often a settling takes in what the one before it has marked; what is left is taken in by the next.
const PASSES_MAX: usize = 2;

/// How many timers that are due are looked at in one settling; the others by the next.
const DUE_MAX: usize = 256;

/// By how much a change must make the plan cheaper, in weighted minutes: more than rounding, or it would be made and
/// taken back for ever.
const GAIN_MIN: f64 = 1e-3;

/// How far from the middle of the plane a crew's home may lie, in kilometres. Legs due north are exact. A leg due
/// east or west at that distance north or south of the middle is off by 5 % at 30 degrees of latitude, 7 % at 40,
/// 11 % at 50 (at 100 km: 1, 1.4 and 1.9 %). Beyond it crews are planned for all the same, by times that are off by
/// more.
pub const PLANE_KM: f64 = 500.0;

/// A ticket that may be offered to a crew now.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The ticket.
    pub ticket: TicketId,
    /// To whom.
    pub crew: CrewId,
    /// Median arrival if it were accepted now.
    pub arrives: Timestamp,
    /// For life safety, an important customer or very many: a shorter lease.
    pub priority: bool,
    /// The person who chose the crew.
    pub forced: Option<Forced>,
    /// What the ticket weighs: customers and their like.
    pub weight: f64,
    /// What sending this crew costs, in weighted minutes.
    pub price: f64,
}

/// A crew on its way that is needed elsewhere more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diversion {
    /// The crew.
    pub crew: CrewId,
    /// The ticket that it is on its way to.
    pub from: TicketId,
    /// The ticket that needs it more.
    pub to: TicketId,
}

/// Keeps a plan. The same policy, calls and boards give the same plans.
#[derive(Clone, Debug)]
pub struct Planner {
    policy: Arc<Policy>,
    frame: Option<Frame>,
    /// Whether the whole board has been searched for a place to lay the plane around.
    searched_board: bool,
    job_index: JobIndex,
    roster: Roster,
    timers: Timers,
    jobs_marked: BTreeSet<TicketId>,
    crews_marked: BTreeSet<CrewId>,
    /// Crews whose first stop may be proposed; looked at again until it is not.
    attention: BTreeSet<u32>,
    /// Free crews that a settling did not come to; the next one does.
    underfilled: BTreeSet<u32>,
    /// The instant of the last settling.
    settled: Timestamp,
    /// The plan's name, until the plan changes.
    name: OnceLock<String>,
    storm: bool,
    /// Open tickets per crew on shift.
    load: f64,
    pace: Pace,
    /// How many slices of improvement have begun.
    pub(crate) slices: u64,
    /// How many iterations of the slice under way are done.
    searched: u64,
    /// The search of the slice under way, unless something has touched its part.
    searching: Option<Searching>,
    memory: Memory,
}

impl Planner {
    /// Begins without a plan; the first [`Self::settle`] plans the whole board.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            policy: Arc::new(policy),
            frame: None,
            searched_board: false,
            job_index: JobIndex::default(),
            roster: Roster::default(),
            timers: Timers::default(),
            jobs_marked: BTreeSet::new(),
            crews_marked: BTreeSet::new(),
            attention: BTreeSet::new(),
            underfilled: BTreeSet::new(),
            settled: Timestamp::MIN_UTC,
            name: OnceLock::new(),
            storm: false,
            load: 0.0,
            pace: Pace::default(),
            slices: 0,
            searched: 0,
            searching: None,
            memory: Memory::default(),
        }
    }

    /// By which policy it plans.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Notes that this ticket's job appeared, changed or went.
    pub fn job_changed(&mut self, ticket: TicketId) {
        self.jobs_marked.insert(ticket);
    }

    /// Notes that this crew changed, was heard of again, or went.
    pub fn crew_changed(&mut self, crew: &CrewId) {
        self.crews_marked.insert(crew.clone());
    }

    /// Brings the plan in line with what was noted and with what has come due. All of that is taken over; of the jobs
    /// and crews that it leaves without work or place a bounded number is come to, pinned and heavy jobs first, and the
    /// others by the next calls: see [`Self::is_settled`].
    pub fn settle(&mut self, board: &Board, now: Timestamp) {
        if self.frame.is_none() {
            // A board without a place has no middle yet.
            let Some(frame) = self.find_frame(board, now) else { return };
            self.frame = Some(frame);
            self.jobs_marked.extend(board.jobs.keys());
            self.crews_marked.extend(board.crews.keys().cloned());
        }
        for whose in (0..DUE_MAX).map_while(|_| self.timers.take_due(now)) {
            match whose {
                Whose::Job(job) => drop(self.jobs_marked.insert(self.job_index.entry(job).ticket)),
                Whose::Crew(crew) => drop(self.crews_marked.insert(self.roster.member(crew).id.clone())),
            }
        }
        self.settled = now;
        let now = self.minutes(now);
        let mut work = Work::default();
        // What is taken in may mark what it touches: a held neighbour, which then has no hold of its own.
        for _ in 0..PASSES_MAX {
            if self.jobs_marked.is_empty() && self.crews_marked.is_empty() && self.is_settled() {
                break;
            }
            self.name.take();
            let underfilled = self.take_in(board, now);
            self.place(underfilled, now, &mut work);
        }
    }

    /// The axis and the plane, as soon as any place is known. The whole board is searched the first time; after that only
    /// what is marked may have brought a place.
    fn find_frame(&mut self, board: &Board, now: Timestamp) -> Option<Frame> {
        let has_place = |ticket: &TicketId| board.jobs.get(ticket).is_some_and(|job| job.at.is_some());
        let news = self.crews_marked.iter().any(|crew| board.crews.contains_key(crew))
            || self.jobs_marked.iter().any(has_place);
        let search = !std::mem::replace(&mut self.searched_board, true) || news;
        let found = search.then(|| frame(board, now)).flatten();
        if found.is_none() {
            // All jobs on the board are marked once there is a plane.
            self.jobs_marked.clear();
        }
        found
    }

    /// Settles until every job and every free crew has been come to, however long that takes.
    pub fn settle_all(&mut self, board: &Board, now: Timestamp) {
        self.settle(board, now);
        while !self.is_settled() {
            self.settle(board, now);
        }
    }

    /// The next instant at which proposals may change without a fact: the end of a hold, a break, an exclusion, a
    /// shift, a silence long enough; at once while jobs or free crews have not been come to. It may be early, never
    /// late.
    #[must_use]
    pub fn wake(&self) -> Option<Timestamp> {
        if self.is_settled() { self.timers.next() } else { Some(self.settled) }
    }

    /// Whether the last settling came to every timer, job and free crew that it had to.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let due = self.timers.next().is_some_and(|at| at <= self.settled);
        !due && self.underfilled.is_empty() && self.job_index.untried.is_empty()
    }

    /// Whether the plan goes without this crew because it is away or was not heard of for too long, by the last
    /// settling: what is heard of it since has not been taken in.
    #[must_use]
    pub fn is_silent(&self, crew: &CrewId) -> bool {
        self.roster.index.get(crew).is_some_and(|team| !self.roster.member(*team).present)
    }

    /// Whether a place lies further from the middle of the plane than travel times hold; false while there is no plane.
    #[must_use]
    pub fn is_beyond_plane(&self, place: Point) -> bool {
        self.frame.is_some_and(|frame| frame.plane().origin().km_to(place) > PLANE_KM)
    }

    /// Whether the storm switch is on.
    #[must_use]
    pub fn storm(&self) -> bool {
        self.storm
    }

    fn minutes(&self, at: Timestamp) -> f64 {
        self.frame.map_or(0.0, |frame| frame.minutes(at))
    }

    fn instant(&self, minutes: f64) -> Timestamp {
        self.frame.map_or(Timestamp::MIN_UTC, |frame| frame.instant(minutes))
    }

    /// The first instant, to the millisecond, at which so many minutes have passed: what a timer is set to.
    fn passed(&self, minutes: f64) -> Timestamp {
        let at = self.instant(minutes);
        let short = TimeDelta::milliseconds(i64::from(self.minutes(at) < minutes));
        at.checked_add_signed(short).unwrap_or(Timestamp::MAX_UTC)
    }

    fn terms(&self, now: f64) -> Terms {
        let policy = Arc::clone(&self.policy);
        Terms { policy, now, storm: self.storm, load: self.load, pace: self.pace.factor() }
    }

    fn walk<'a>(&'a self, terms: &'a Terms) -> Walk<'a> {
        Walk { terms, tasks: &self.job_index.tasks }
    }

    /// Takes a job out of the route that it is in, which it leaves for `place`.
    fn unroute(&mut self, job: u32, place: Place) {
        self.stir_job(job);
        if let Place::Routed(team) = self.job_index.entry(job).place {
            self.stir_crew(team);
            self.roster.members[team as usize].route.retain(|stop| *stop != job);
            self.attention.insert(team);
        }
        self.job_index.put(job, place);
    }

    /// Puts a job that waits into a route.
    fn route(&mut self, job: u32, team: u32, at: usize) {
        self.stir_job(job);
        self.stir_crew(team);
        self.roster.members[team as usize].route.insert(at, job);
        self.job_index.put(job, Place::Routed(team));
        self.attention.insert(team);
    }

    /// How many stops at the front of a route are pinned there.
    fn pinned_stops(&self, team: u32) -> usize {
        let route = &self.roster.member(team).route;
        route.iter().take_while(|job| self.job_index.entry(**job).pinned.is_some()).count()
    }

    /// The price of `stops` as the route of a crew.
    fn price(&self, terms: &Terms, team: u32, stops: &[u32], memory: &mut Memory) -> f64 {
        let walk = self.walk(terms);
        walk.price(&walk.start(&self.roster.member(team).team), stops, memory)
    }
}

/// The axis and the plane for a board: around one of its crews' homes, or of its jobs' places while no crew is known.
fn frame(board: &Board, now: Timestamp) -> Option<Frame> {
    let mut places: Vec<Point> = board.crews.values().map(|crew| crew.home).collect();
    if places.is_empty() {
        places.extend(board.jobs.values().filter_map(|job| job.at));
    }
    Some(Frame::new(now, Plane::at(middle(&places)?)))
}

/// The first place that lies near the median of all: a home that was mistyped by degrees is no middle. The median
/// itself where none does.
fn middle(places: &[Point]) -> Option<Point> {
    let median = |coordinate: fn(&Point) -> i32| {
        let mut all: Vec<i32> = places.iter().map(coordinate).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied()
    };
    let median =
        Point { latitude_e6: median(|place| place.latitude_e6)?, longitude_e6: median(|place| place.longitude_e6)? };
    Some(places.iter().copied().find(|place| median.km_to(*place) <= PLANE_KM).unwrap_or(median))
}
