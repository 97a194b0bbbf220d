//! The planner: keeps a plan in line with the board, improves it, and proposes the next offers.
//!
//! Callers mark the jobs and crews that changed. [`Planner::settle`] takes over their state (`intake`) and puts loose
//! jobs at their cheapest positions (`insertion`). One call tries a bounded number of jobs at a bounded number of
//! positions, however many jobs wait; later calls do the rest. [`Planner::improve_some`] improves one part of the plan
//! at a time, in pieces (`part`). Only the first stop of a free crew's route is proposed (`offering`), with its grounds
//! (`explaining`).
//!
//! The planner learns two things from the board: where tickets come from (`demand`), and how long drives take (`pace`).
//!
//! Not here: which offers were made, which is on the board. A lost plan is computed again. Positions are projected onto
//! one plane around a home in the middle of all crews' homes. The limit is [`PLANE_KM`] from there: run one dispatcher
//! per province.

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

/// The passes of one `settle` call. Each pass takes in the jobs and crews that the pass before it marked; the next call
/// takes in the rest.
const PASSES_MAX: usize = 2;

/// The maximum number of due timers that one `settle` call handles; the next call handles the rest.
const DUE_MAX: usize = 256;

/// The minimum gain of a change to the plan, in weighted minutes. It is above rounding errors, so that no change is
/// made and reverted forever.
const GAIN_MIN: f64 = 1e-3;

/// The limit of the plane: the maximum distance of a crew's home from its middle, in kilometres. Legs due north are
/// exact. A leg due east or west, at that distance north or south of the middle, has an error that depends on the
/// latitude: 5 % at 30 degrees, 7 % at 40, 11 % at 50. At 100 km the errors are 1, 1.4 and 1.9 %. Crews beyond the
/// limit are planned all the same, with larger errors in their travel times.
pub const PLANE_KM: f64 = 500.0;

/// A ticket that may be offered to a crew now.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// The ticket.
    pub ticket: TicketId,
    /// The crew that would get the offer.
    pub crew: CrewId,
    /// Median arrival if the crew accepted now.
    pub arrives: Timestamp,
    /// True for danger to life, an important customer or very many customers; the lease is then shorter.
    pub priority: bool,
    /// The person who chose the crew; `None` when the plan did.
    pub forced: Option<Forced>,
    /// The ticket's weight: its customers plus the additions for its concerns.
    pub weight: f64,
    /// The price of sending this crew, in weighted minutes.
    pub price: f64,
}

/// A crew on its way that is recalled from one ticket for the sake of a priority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diversion {
    /// The crew.
    pub crew: CrewId,
    /// The ticket that it is on its way to.
    pub from: TicketId,
    /// The priority that the crew is recalled for.
    pub to: TicketId,
}

/// Keeps a plan. The same policy, calls and boards give the same plans.
#[derive(Clone, Debug)]
pub struct Planner {
    policy: Arc<Policy>,
    frame: Option<Frame>,
    /// True after the whole board has been searched for a position to place the plane.
    searched_board: bool,
    job_index: JobIndex,
    roster: Roster,
    timers: Timers,
    jobs_marked: BTreeSet<TicketId>,
    crews_marked: BTreeSet<CrewId>,
    /// Crews whose first stop may be proposed. `proposals` drops a crew that has none to propose.
    attention: BTreeSet<u32>,
    /// Free crews that the last `settle` call did not serve; the next call does.
    underfilled: BTreeSet<u32>,
    /// The instant of the last `settle` call.
    settled: Timestamp,
    /// The hash of the plan, computed on demand and dropped when the plan changes.
    name: OnceLock<String>,
    storm: bool,
    /// Open tickets per crew on shift.
    load: f64,
    pace: Pace,
    /// The number of slices of improvement begun so far.
    pub(crate) slices: u64,
    /// The iterations done in the current slice.
    searched: u64,
    /// The paused search of the current slice. `None` after a change within its part.
    searching: Option<Searching>,
    memory: Memory,
}

impl Planner {
    /// A planner without a plan; the first [`Self::settle`] takes in the whole board.
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

    /// The policy that it plans by.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Marks a ticket whose job appeared, changed or disappeared.
    pub fn job_changed(&mut self, ticket: TicketId) {
        self.jobs_marked.insert(ticket);
    }

    /// Marks a crew that changed, reported again, or left the roster.
    pub fn crew_changed(&mut self, crew: &CrewId) {
        self.crews_marked.insert(crew.clone());
    }

    /// Brings the plan in line with the marks and the due timers. It takes in all marked jobs and crews, and a bounded
    /// number of timers. It then serves a bounded number of the jobs without a place and of the crews with room, pinned
    /// and heavy jobs first. The next calls serve the others: see [`Self::is_settled`].
    pub fn settle(&mut self, board: &Board, now: Timestamp) {
        if self.frame.is_none() {
            // The board has no position yet, so the plane has no middle.
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
        // Intake may mark other jobs: a held neighbour, for example, whose hold ends because it has a neighbour now.
        for _ in 0..PASSES_MAX {
            if self.jobs_marked.is_empty() && self.crews_marked.is_empty() && self.is_settled() {
                break;
            }
            self.name.take();
            let underfilled = self.take_in(board, now);
            self.place(underfilled, now, &mut work);
        }
    }

    /// The time axis and the plane, as soon as any position is known. The first call searches the whole board. Later
    /// only a marked job or crew can have brought a position.
    fn find_frame(&mut self, board: &Board, now: Timestamp) -> Option<Frame> {
        let has_place = |ticket: &TicketId| board.jobs.get(ticket).is_some_and(|job| job.at.is_some());
        let news = self.crews_marked.iter().any(|crew| board.crews.contains_key(crew))
            || self.jobs_marked.iter().any(has_place);
        let search = !std::mem::replace(&mut self.searched_board, true) || news;
        let found = search.then(|| frame(board, now)).flatten();
        if found.is_none() {
            // No mark is lost: all jobs on the board are marked once there is a plane.
            self.jobs_marked.clear();
        }
        found
    }

    /// Calls `settle` until every job and every free crew has been served, however long that takes.
    pub fn settle_all(&mut self, board: &Board, now: Timestamp) {
        self.settle(board, now);
        while !self.is_settled() {
            self.settle(board, now);
        }
    }

    /// The next instant at which the proposals may change without a fact: when a hold, break, exclusion or shift ends,
    /// or a crew becomes silent. While jobs or free crews are not served, it is the instant of the last `settle` call.
    /// It may be too early, never too late.
    #[must_use]
    pub fn wake(&self) -> Option<Timestamp> {
        if self.is_settled() { self.timers.next() } else { Some(self.settled) }
    }

    /// True if the last `settle` call served every due timer, untried job and free crew.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let due = self.timers.next().is_some_and(|at| at <= self.settled);
        !due && self.underfilled.is_empty() && self.job_index.untried.is_empty()
    }

    /// True if the plan excludes a known crew, because it is away, silent or not on the roster. The answer is that of
    /// the last `settle` call; later signs of the crew do not count yet.
    #[must_use]
    pub fn is_silent(&self, crew: &CrewId) -> bool {
        self.roster.index.get(crew).is_some_and(|team| !self.roster.member(*team).present)
    }

    /// True if a position lies more than `PLANE_KM` from the middle of the plane; false while there is no plane.
    #[must_use]
    pub fn is_beyond_plane(&self, place: Point) -> bool {
        self.frame.is_some_and(|frame| frame.plane().origin().km_to(place) > PLANE_KM)
    }

    /// True in storm mode.
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

    /// The first instant, in whole milliseconds, at which this many minutes have passed. Timers are set to it.
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

    /// Moves a job to `place`, and removes it from its route if it is in one.
    fn unroute(&mut self, job: u32, place: Place) {
        self.stir_job(job);
        if let Place::Routed(team) = self.job_index.entry(job).place {
            self.stir_crew(team);
            self.roster.members[team as usize].route.retain(|stop| *stop != job);
            self.attention.insert(team);
        }
        self.job_index.put(job, place);
    }

    /// Inserts a waiting job into a route, before the stop at `at`.
    fn route(&mut self, job: u32, team: u32, at: usize) {
        self.stir_job(job);
        self.stir_crew(team);
        self.roster.members[team as usize].route.insert(at, job);
        self.job_index.put(job, Place::Routed(team));
        self.attention.insert(team);
    }

    /// The number of pinned stops at the start of a crew's route.
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

/// The time axis and the plane of a board. The middle is one of the crews' homes; without crews, one of the jobs'
/// positions.
fn frame(board: &Board, now: Timestamp) -> Option<Frame> {
    let mut places: Vec<Point> = board.crews.values().map(|crew| crew.home).collect();
    if places.is_empty() {
        places.extend(board.jobs.values().filter_map(|job| job.at));
    }
    Some(Frame::new(now, Plane::at(middle(&places)?)))
}

/// The first position within `PLANE_KM` of the median of all positions; the median itself when there is none. A home
/// with a typing error of some degrees thus never becomes the middle.
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
