//! The objective: the price of a route, and the price of one more stop. The search and the planner both use it.
//!
//! A route stores the crew's state before each stop, so that an insertion is priced from that stop on. Not here: which
//! crew may do which job. Callers check the hard rules first, except the end of the shift, which depends on the
//! arrival.

use crate::{
    rules::{self, shift},
    scene::{State, Task, Team, Terms, Visit},
    search::{Model, Order},
};

/// The stored state of a priced route.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// The crew's state before each stop, and after the last.
    states: Vec<State>,
    /// Driving minutes to each stop.
    legs: Vec<f64>,
    /// The price of each stop.
    prices: Vec<f64>,
    /// True when every arrival lies within the shift.
    sound: bool,
}

impl Memory {
    /// True when every arrival lies within the shift.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.sound
    }

    /// The price of each stop.
    #[must_use]
    pub fn prices(&self) -> &[f64] {
        &self.prices
    }

    /// The state after the last stop.
    #[must_use]
    pub fn end(&self) -> Option<State> {
        self.states.last().copied()
    }
}

/// The start of a route.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// The crew.
    pub team: &'a Team,
    /// The position and the time.
    pub state: State,
    /// True when the first stop is the crew's next activity.
    pub next: bool,
}

/// Prices routes over these tasks.
#[derive(Clone, Copy, Debug)]
pub struct Walk<'a> {
    /// Weights, time and storm state.
    pub terms: &'a Terms,
    /// The tasks, by number.
    pub tasks: &'a [Task],
}

impl<'a> Walk<'a> {
    fn task(&self, job: u32) -> &'a Task {
        &self.tasks[job as usize]
    }

    /// The start of the crew's route from its own position.
    #[must_use]
    pub fn start(&self, team: &'a Team) -> Start<'a> {
        Start { team, state: self.terms.start(team), next: true }
    }

    /// The price of the stops; stores all intermediate results in `memory`.
    pub fn price(&self, start: &Start<'_>, stops: &[u32], memory: &mut Memory) -> f64 {
        let mut state = start.state;
        memory.states.clear();
        memory.legs.clear();
        memory.prices.clear();
        memory.states.push(state);
        memory.sound = true;
        let mut total = 0.0;
        for (at, &job) in stops.iter().enumerate() {
            let leg = self.terms.leg(state.spot, self.task(job));
            let (visit, after) = self.terms.visit(start.team, &state, leg, self.task(job), start.next && at == 0);
            let price = rules::visit(&visit);
            memory.sound &= !shift::forbids_arrival(start.team, visit.service.arrives);
            memory.legs.push(leg);
            memory.prices.push(price);
            memory.states.push(after);
            total += price;
            state = after;
        }
        total
    }

    /// Calls `each` with every visit of the route, in order.
    pub fn visits(&self, start: &Start<'_>, stops: &[u32], mut each: impl FnMut(u32, &Visit<'_>)) {
        let mut state = start.state;
        for (at, &job) in stops.iter().enumerate() {
            let leg = self.terms.leg(state.spot, self.task(job));
            let (visit, after) = self.terms.visit(start.team, &state, leg, self.task(job), start.next && at == 0);
            each(job, &visit);
            state = after;
        }
    }

    /// The cheapest position of `job` from `from` on, with the rise in price; `None` when no arrival is permitted.
    pub fn cheapest<B: FnMut() -> bool>(
        &self,
        start: &Start<'_>,
        (stops, memory): (&[u32], &Memory),
        from: usize,
        job: u32,
        blink: &mut B,
    ) -> Option<(usize, f64)> {
        let mut best = None;
        let mut limit = f64::INFINITY;
        for at in from..=stops.len() {
            if blink() {
                continue;
            }
            if let Some(rise) = self.rise(start, (stops, memory), at, job, limit) {
                limit = rise;
                best = Some((at, rise));
            }
        }
        best
    }

    /// The rise in price when `job` is inserted at `at`; `None` when it is not below `limit`, or when an arrival is not
    /// permitted.
    #[must_use]
    pub fn rise(
        &self,
        start: &Start<'_>,
        (stops, memory): (&[u32], &Memory),
        at: usize,
        job: u32,
        limit: f64,
    ) -> Option<f64> {
        let (terms, team) = (self.terms, start.team);
        let state = &memory.states[at];
        let leg = terms.leg(state.spot, self.task(job));
        let (visit, mut state) = terms.visit(team, state, leg, self.task(job), start.next && at == 0);
        if shift::forbids_arrival(team, visit.service.arrives) {
            return None;
        }
        let mut rise = rules::visit(&visit);
        for (behind, &stop) in stops.iter().enumerate().skip(at) {
            // No later stop is served earlier, so the rise can only grow.
            if rise >= limit {
                return None;
            }
            let leg = if behind == at { terms.leg(state.spot, self.task(stop)) } else { memory.legs[behind] };
            let (visit, after) = terms.visit(team, &state, leg, self.task(stop), false);
            if shift::forbids_arrival(team, visit.service.arrives) {
                return None;
            }
            rise += rules::visit(&visit) - memory.prices[behind];
            state = after;
        }
        (rise < limit).then_some(rise)
    }
}

/// The start of a route in a part, owned.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// The crew.
    pub team: Team,
    /// The position and the time.
    pub state: State,
    /// True when the first stop is the crew's next activity.
    pub next: bool,
}

impl Beginning {
    fn start(&self) -> Start<'_> {
        Start { team: &self.team, state: self.state, next: self.next }
    }
}

/// A part of the plan for the search, with its own dense numbers. It owns all its data, so that a search can be paused
/// and continued.
#[derive(Clone, Debug)]
pub struct Part {
    /// Weights, time and storm state when the part was taken out of the plan.
    pub terms: Terms,
    /// The part's jobs.
    pub tasks: Vec<Task>,
    /// The start of each route.
    pub starts: Vec<Beginning>,
    /// The maximum number of stops of each route.
    pub rooms: Vec<usize>,
    /// The price of leaving each job unplanned.
    pub left_out: Vec<f64>,
    /// Jobs near each job, nearest first.
    pub near: Vec<Vec<u32>>,
    /// The routes to try for each job; the hard rules permit all of them.
    pub candidates: Vec<Vec<u32>>,
}

impl Part {
    fn walk(&self) -> Walk<'_> {
        Walk { terms: &self.terms, tasks: &self.tasks }
    }

    /// True when every arrival of the route lies within the crew's shift.
    #[must_use]
    pub fn is_sound(&self, route: usize, stops: &[u32], memory: &mut Memory) -> bool {
        self.walk().price(&self.starts[route].start(), stops, memory);
        memory.is_sound()
    }
}

impl Model for Part {
    type Memory = Memory;

    fn jobs(&self) -> usize {
        self.tasks.len()
    }

    fn routes(&self) -> usize {
        self.starts.len()
    }

    fn near(&self, job: u32) -> &[u32] {
        &self.near[job as usize]
    }

    fn candidates(&self, job: u32) -> Option<&[u32]> {
        Some(&self.candidates[job as usize])
    }

    fn unplanned(&self, job: u32) -> f64 {
        self.left_out[job as usize]
    }

    fn price(&self, route: u32, stops: &[u32], memory: &mut Memory) -> f64 {
        self.walk().price(&self.starts[route as usize].start(), stops, memory)
    }

    fn cheapest<B: FnMut() -> bool>(
        &self,
        route: u32,
        stops: &[u32],
        memory: &Memory,
        job: u32,
        blink: &mut B,
    ) -> Option<(usize, f64)> {
        if stops.len() >= self.rooms[route as usize] {
            return None;
        }
        self.walk().cheapest(&self.starts[route as usize].start(), (stops, memory), 0, job, blink)
    }

    fn key(&self, job: u32, order: Order) -> f64 {
        let task = &self.tasks[job as usize];
        let way = || {
            let ways = self.starts.iter().filter_map(|start| Some(start.state.spot?.km(task.spot?)));
            ways.fold(f64::INFINITY, f64::min)
        };
        match order {
            Order::Demand => -task.weight() / task.repair.max(1.0),
            Order::Far => -way(),
            Order::Close => way(),
            Order::Early => task.reported,
            Order::Narrow | Order::Due => task.due,
            Order::Random => 0.0,
        }
    }
}
