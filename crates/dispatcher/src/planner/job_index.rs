//! The planner's jobs under dense numbers, indexed by position, weight and age.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use switchboard_domain::{
    crew::{Forced, Skills},
    organisation::OrgPath,
    ticket::{Area, TicketId},
};

use super::{fingerprint, grid::Grid};
use crate::scene::Task;

/// The place of a job in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is not to be planned: a crew holds it, an offer or reservation is live, or it is not open.
    Closed,
    /// It is held for neighbours, and may be planned afterwards.
    Held,
    /// It may be planned and is in no route.
    Waiting,
    /// It is in the route of this crew.
    Routed(u32),
}

/// The planner's data on a job besides its [`Task`].
#[derive(Clone, Debug)]
pub struct Entry {
    /// The ticket.
    pub ticket: TicketId,
    /// The number of the unit that holds it.
    pub unit: u32,
    /// The skills that it needs.
    pub needs: Skills,
    /// The crew that a person chose, whether on the roster or not, with the person.
    pub pinned: Option<(u32, Forced)>,
    /// Crews that must not be asked, each until this minute.
    pub excluded: Vec<(u32, f64)>,
    /// Crews from which it was taken, each until the minute when it may return.
    pub left: Vec<(u32, f64)>,
    /// Crews with a live offer of it or a reservation for it.
    pub asked: Vec<u32>,
    /// The crew that holds it.
    pub has: Option<u32>,
    /// True if it needs a crew now and none holds it, whether it is offered or not.
    pub open: bool,
    /// True if it would be open, except that it is too early for its appointment.
    pub early: bool,
    /// True if a crew let an offer of it expire.
    pub lapsed: bool,
    /// True for danger to life, an important customer, or very many customers.
    pub priority: bool,
    /// The driving minutes that the policy expects for the crew that holds it. `None` after the drive, and when its
    /// start or its end is an unknown position.
    pub drive: Option<f64>,
    /// True once it has been counted as demand.
    pub counted: bool,
    /// Its place in the plan.
    pub place: Place,
}

/// The waiting jobs of one unit that need the same skills.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    /// By weight, the heaviest first.
    pub heaviest: BTreeSet<(Reverse<u64>, u32)>,
    /// By time of report, the oldest first.
    pub oldest: BTreeSet<(i64, u32)>,
}

/// All jobs, with their indexes.
#[derive(Clone, Debug, Default)]
pub struct JobIndex {
    /// The number of each ticket.
    pub index: BTreeMap<TicketId, u32>,
    /// The entries by number. A number that is not in `index` is spare, and its entry is obsolete.
    pub entries: Vec<Entry>,
    /// The tasks by number.
    pub tasks: Vec<Task>,
    /// The jobs that are not closed and have a position.
    pub grid: Grid,
    /// The jobs that are not closed and have no position.
    pub placeless: BTreeSet<u32>,
    /// The waiting jobs by unit and skills: the territory and the skills of a crew permit all jobs of a shelf or none.
    pub shelves: BTreeMap<(u32, Skills), Shelf>,
    /// The held jobs.
    pub held: BTreeSet<u32>,
    /// Open jobs with a live offer or a reservation; some may get a parallel offer. Priorities first, then the
    /// heaviest.
    pub asked: BTreeSet<(Reverse<(bool, u64)>, u32)>,
    /// Waiting jobs that have not been tried since they began to wait: pinned ones first, then the heaviest.
    pub untried: BTreeSet<(bool, Reverse<u64>, u32)>,
    /// Priorities that are not closed, the heaviest first.
    pub priorities: BTreeSet<(Reverse<u64>, u32)>,
    /// The jobs pinned to each crew.
    pub pinned: BTreeMap<u32, BTreeSet<u32>>,
    /// The number of jobs that need a crew now and have none.
    pub open: usize,
    /// Identifies the set of waiting and held jobs: the sum of their fingerprints, modulo 2^64.
    pub waiting: u64,
    /// The units by number.
    units: Vec<OrgPath>,
    unit_index: BTreeMap<OrgPath, u32>,
    spare: Vec<u32>,
}

impl JobIndex {
    /// The number of a ticket; assigns one if it has none.
    pub fn number(&mut self, ticket: TicketId) -> u32 {
        if let Some(known) = self.index.get(&ticket) {
            return *known;
        }
        let (entry, task) = blank(ticket);
        let number = self.spare.pop().unwrap_or(self.entries.len() as u32);
        if (number as usize) < self.entries.len() {
            self.entries[number as usize] = entry;
            self.tasks[number as usize] = task;
        } else {
            self.entries.push(entry);
            self.tasks.push(task);
        }
        self.index.insert(ticket, number);
        number
    }

    /// Removes a ticket, which must be [`Place::Closed`], and reuses its number.
    pub fn forget(&mut self, ticket: TicketId) {
        if let Some(number) = self.index.remove(&ticket) {
            self.spare.push(number);
        }
    }

    /// The entry of a job.
    pub fn entry(&self, job: u32) -> &Entry {
        &self.entries[job as usize]
    }

    /// The entry of a job, mutable. Change its place only with `put`.
    pub fn entry_mut(&mut self, job: u32) -> &mut Entry {
        &mut self.entries[job as usize]
    }

    /// The task of a job, as prices use it.
    pub fn task(&self, job: u32) -> &Task {
        &self.tasks[job as usize]
    }

    /// The number of a unit; assigns one if it has none.
    pub fn unit(&mut self, unit: &OrgPath) -> u32 {
        if let Some(known) = self.unit_index.get(unit) {
            return *known;
        }
        let number = self.units.len() as u32;
        self.units.push(unit.clone());
        self.unit_index.insert(unit.clone(), number);
        number
    }

    /// The units by number.
    pub fn units(&self) -> &[OrgPath] {
        &self.units
    }

    /// Adds a job to `asked`.
    pub fn ask(&mut self, job: u32) {
        self.asked.insert(self.asked_key(job));
    }

    /// Removes a job from `asked`. Call it before the job changes, because the key contains its priority and weight.
    pub fn unask(&mut self, job: u32) {
        self.asked.remove(&self.asked_key(job));
    }

    fn asked_key(&self, job: u32) -> (Reverse<(bool, u64)>, u32) {
        let Reverse(weight) = weight_key(self.task(job));
        (Reverse((self.entry(job).priority, weight)), job)
    }

    /// Marks a waiting job as untried, until it is tried or moved.
    pub fn try_soon(&mut self, job: u32) {
        self.untried.insert(self.untried_key(job));
    }

    /// The next untried job, which is no longer untried.
    pub fn next_untried(&mut self) -> Option<u32> {
        self.untried.pop_first().map(|(.., job)| job)
    }

    /// True if a job is untried.
    pub fn is_untried(&self, job: u32) -> bool {
        self.untried.contains(&self.untried_key(job))
    }

    fn untried_key(&self, job: u32) -> (bool, Reverse<u64>, u32) {
        (self.entry(job).pinned.is_none(), weight_key(self.task(job)), job)
    }

    /// Moves a job to `place`, and updates all indexes.
    pub fn put(&mut self, job: u32, place: Place) {
        let before = std::mem::replace(&mut self.entries[job as usize].place, place);
        let task = self.tasks[job as usize];
        let key = (self.entries[job as usize].unit, self.entries[job as usize].needs);
        let weight = weight_key(&task);
        let reported = (task.reported * 60.0) as i64;
        match before {
            Place::Waiting => {
                self.untried.remove(&self.untried_key(job));
                let shelf = self.shelves.entry(key).or_default();
                shelf.heaviest.remove(&(weight, job));
                shelf.oldest.remove(&(reported, job));
                if shelf.oldest.is_empty() {
                    self.shelves.remove(&key);
                }
            }
            Place::Held => {
                self.held.remove(&job);
            }
            Place::Closed | Place::Routed(_) => {}
        }
        match place {
            Place::Waiting => {
                let shelf = self.shelves.entry(key).or_default();
                shelf.heaviest.insert((weight, job));
                shelf.oldest.insert((reported, job));
            }
            Place::Held => {
                self.held.insert(job);
            }
            Place::Closed | Place::Routed(_) => {}
        }
        let waits = |place| matches!(place, Place::Waiting | Place::Held);
        let fingerprint = fingerprint::of_ticket(self.entries[job as usize].ticket);
        if waits(before) {
            self.waiting = self.waiting.wrapping_sub(fingerprint);
        }
        if waits(place) {
            self.waiting = self.waiting.wrapping_add(fingerprint);
        }
        match (before == Place::Closed, place == Place::Closed) {
            (true, false) => self.appear(job, &task),
            (false, true) => self.vanish(job, &task),
            _ => {}
        }
    }

    fn appear(&mut self, job: u32, task: &Task) {
        match task.spot {
            Some(spot) => self.grid.insert(job, spot),
            None => drop(self.placeless.insert(job)),
        }
        if self.entry(job).priority {
            self.priorities.insert((weight_key(task), job));
        }
    }

    fn vanish(&mut self, job: u32, task: &Task) {
        match task.spot {
            Some(spot) => self.grid.remove(job, spot),
            None => drop(self.placeless.remove(&job)),
        }
        self.priorities.remove(&(weight_key(task), job));
    }
}

/// Sorts the heavier first, in steps of 1/16.
fn weight_key(task: &Task) -> Reverse<u64> {
    Reverse((task.weight() * 16.0) as u64)
}

/// The entry and the task of a job before the board's state is taken over.
fn blank(ticket: TicketId) -> (Entry, Task) {
    let entry = Entry {
        ticket,
        unit: 0,
        needs: Skills::NONE,
        pinned: None,
        excluded: Vec::new(),
        left: Vec::new(),
        asked: Vec::new(),
        has: None,
        open: false,
        early: false,
        lapsed: false,
        priority: false,
        drive: None,
        counted: false,
        place: Place::Closed,
    };
    let task = Task {
        spot: None,
        area: Area::Urban,
        reported: 0.0,
        due: 0.0,
        customers: 1.0,
        concern: 0.0,
        repair: 0.0,
        repair_spread: 0.0,
        last_offered_to: None,
    };
    (entry, task)
}
