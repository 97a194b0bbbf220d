//! The jobs that the planner plans, under dense numbers, and the orders in which it looks them up: by place, weight and
//! age.

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

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is not to be planned: somebody has it or is asked, or it is not open.
    Closed,
    /// It may be planned when its hold is over.
    Held,
    /// It is in no route.
    Waiting,
    /// It is in this crew's route.
    Routed(u32),
}

/// What the planner keeps of a job beside its [`Task`].
#[derive(Clone, Debug)]
pub struct Entry {
    /// The ticket.
    pub ticket: TicketId,
    /// Number of the unit that answers for it.
    pub unit: u32,
    /// Skills that it takes.
    pub needs: Skills,
    /// The crew that a person chose, on the roster or not.
    pub pinned: Option<(u32, Forced)>,
    /// Crews that are not asked again, and until when.
    pub excluded: Vec<(u32, f64)>,
    /// Crews that it was taken from, and until when it does not return.
    pub left: Vec<(u32, f64)>,
    /// Crews with a live offer of it, or reserved for one.
    pub asked: Vec<u32>,
    /// The crew that has it.
    pub has: Option<u32>,
    /// Whether it needs a crew now and has none, asked or not.
    pub open: bool,
    /// Whether it would be open, were it not too early for its appointment.
    pub early: bool,
    /// Whether a crew let an offer of it lapse.
    pub lapsed: bool,
    /// Life, an important customer, or very many.
    pub priority: bool,
    /// What the policy expects of the drive of the crew that has it, in minutes; `None` once it is over, or when nobody saw
    /// it begin.
    pub drive: Option<f64>,
    /// Whether it is among the tickets that came lately, or was.
    pub counted: bool,
    /// Where it stands.
    pub place: Place,
}

/// Waiting jobs of one unit that take the same skills.
#[derive(Clone, Debug, Default)]
pub struct Shelf {
    /// The heaviest first.
    pub heaviest: BTreeSet<(Reverse<u64>, u32)>,
    /// The oldest first.
    pub oldest: BTreeSet<(i64, u32)>,
}

/// Jobs.
#[derive(Clone, Debug, Default)]
pub struct JobIndex {
    /// By ticket.
    pub index: BTreeMap<TicketId, u32>,
    /// By number; of those not in the index, what was there before.
    pub entries: Vec<Entry>,
    /// Beside `entries`.
    pub tasks: Vec<Task>,
    /// Jobs to be planned that have a position.
    pub grid: Grid,
    /// Jobs to be planned without a position.
    pub placeless: BTreeSet<u32>,
    /// Waiting jobs by unit and skills: whatever a crew may do of them it may do of all on one shelf.
    pub shelves: BTreeMap<(u32, Skills), Shelf>,
    /// Held jobs.
    pub held: BTreeSet<u32>,
    /// Open jobs that have been offered, of which some may be offered once more at the same time; priorities first, the
    /// heaviest of them first.
    pub asked: BTreeSet<(Reverse<(bool, u64)>, u32)>,
    /// Waiting jobs that have not been tried since they came to wait: pinned ones first, then the heaviest.
    pub untried: BTreeSet<(bool, Reverse<u64>, u32)>,
    /// Jobs to be planned that are priorities, the heaviest first.
    pub priorities: BTreeSet<(Reverse<u64>, u32)>,
    /// Jobs pinned to a crew.
    pub pinned: BTreeMap<u32, BTreeSet<u32>>,
    /// How many jobs need a crew and have none.
    pub open: usize,
    /// Names the set of jobs that wait or are held: the sum of their prints.
    pub waiting: u64,
    /// Units by number.
    units: Vec<OrgPath>,
    unit_index: BTreeMap<OrgPath, u32>,
    spare: Vec<u32>,
}

impl JobIndex {
    /// The number of a ticket, a new one if it has none.
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

    /// Forgets a ticket, which must be [`Place::Closed`].
    pub fn forget(&mut self, ticket: TicketId) {
        if let Some(number) = self.index.remove(&ticket) {
            self.spare.push(number);
        }
    }

    /// What is kept of a job.
    pub fn entry(&self, job: u32) -> &Entry {
        &self.entries[job as usize]
    }

    /// What is kept of a job, to be changed; never its place.
    pub fn entry_mut(&mut self, job: u32) -> &mut Entry {
        &mut self.entries[job as usize]
    }

    /// The job as prices see it.
    pub fn task(&self, job: u32) -> &Task {
        &self.tasks[job as usize]
    }

    /// The number of a unit, a new one if it has none.
    pub fn unit(&mut self, unit: &OrgPath) -> u32 {
        if let Some(known) = self.unit_index.get(unit) {
            return *known;
        }
        let number = self.units.len() as u32;
        self.units.push(unit.clone());
        self.unit_index.insert(unit.clone(), number);
        number
    }

    /// Units by number.
    pub fn units(&self) -> &[OrgPath] {
        &self.units
    }

    /// Notes that a job has been offered.
    pub fn ask(&mut self, job: u32) {
        self.asked.insert(self.asked_key(job));
    }

    /// Takes that back; before the job changes, for it is found by its weight.
    pub fn unask(&mut self, job: u32) {
        self.asked.remove(&self.asked_key(job));
    }

    fn asked_key(&self, job: u32) -> (Reverse<(bool, u64)>, u32) {
        let Reverse(weight) = weight_key(self.task(job));
        (Reverse((self.entry(job).priority, weight)), job)
    }

    /// Notes that a job that waits is to be tried; it is until it is taken for that, or moved.
    pub fn try_soon(&mut self, job: u32) {
        self.untried.insert(self.untried_key(job));
    }

    /// The next job to be tried, taken off the list.
    pub fn next_untried(&mut self) -> Option<u32> {
        self.untried.pop_first().map(|(.., job)| job)
    }

    /// Whether a job is still to be tried.
    pub fn is_untried(&self, job: u32) -> bool {
        self.untried.contains(&self.untried_key(job))
    }

    fn untried_key(&self, job: u32) -> (bool, Reverse<u64>, u32) {
        (self.entry(job).pinned.is_none(), weight_key(self.task(job)), job)
    }

    /// Moves a job to its place, out of and into the orders that it is looked up by.
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

/// Sorts the heavier first.
fn weight_key(task: &Task) -> Reverse<u64> {
    Reverse((task.weight() * 16.0) as u64)
}

/// What stands of a job until the board's word is taken over.
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
        told: None,
    };
    (entry, task)
}
