//! The current plan: routes, the place of each job, prices, and the undo state of an iteration.
//!
//! A route is saved before its first change in an iteration and restored if the iteration is rejected. Routes that are
//! not touched are never copied.

use super::model::Model;

/// The place of a job that is in no route.
pub const NOWHERE: u32 = u32::MAX;

/// One route of the plan.
#[derive(Clone, Debug, Default)]
pub struct Route<R> {
    pub stops: Vec<u32>,
    pub memory: R,
    pub price: f64,
    /// Identifies this content of this route; no other content ever has the same version.
    pub version: u64,
}

/// The current plan.
#[derive(Clone, Debug)]
pub struct Board<R> {
    routes: Vec<Route<R>>,
    places: Vec<u32>,
    absent: Vec<u32>,
    /// The index of a job in `absent`, if it is there.
    ranks: Vec<u32>,
    used: usize,
    routed: f64,
    left_out: f64,
    versions: u64,
    way_back: WayBack<R>,
}

/// The undo state of the current iteration.
#[derive(Clone, Debug)]
struct WayBack<R> {
    saved: Vec<(u32, Route<R>)>,
    /// Unused routes, kept for their allocations.
    spare: Vec<Route<R>>,
    /// For each route, the last iteration that touched it.
    touched: Vec<u64>,
    iteration: u64,
    moves: Vec<(u32, u32)>,
    used: usize,
    routed: f64,
    left_out: f64,
}

impl<R: Clone + Default> Board<R> {
    pub fn new<M: Model<Memory = R>>(model: &M, plan: &[Vec<u32>]) -> Self {
        let (jobs, routes) = (model.jobs(), model.routes());
        let way_back = WayBack {
            saved: Vec::new(),
            spare: Vec::new(),
            touched: vec![0; routes],
            iteration: 0,
            moves: Vec::new(),
            used: 0,
            routed: 0.0,
            left_out: 0.0,
        };
        let mut board = Self {
            routes: vec![Route::default(); routes],
            places: vec![NOWHERE; jobs],
            absent: Vec::with_capacity(jobs),
            ranks: vec![0; jobs],
            used: 0,
            routed: 0.0,
            left_out: 0.0,
            versions: routes as u64,
            way_back,
        };
        for (route, stops) in (0..).zip(plan.iter().take(routes)) {
            for &job in stops {
                if let Some(place) = board.places.get_mut(job as usize).filter(|place| **place == NOWHERE) {
                    *place = route;
                    board.routes[route as usize].stops.push(job);
                }
            }
        }
        for job in (0..jobs as u32).filter(|job| board.places[*job as usize] == NOWHERE) {
            board.ranks[job as usize] = board.absent.len() as u32;
            board.absent.push(job);
            board.left_out += model.unplanned(job);
        }
        for route in 0..routes as u32 {
            board.used += usize::from(!board.stops(route).is_empty());
            board.reprice(model, route);
        }
        board
    }

    pub fn routes(&self) -> &[Route<R>] {
        &self.routes
    }

    pub fn route(&self, route: u32) -> &Route<R> {
        &self.routes[route as usize]
    }

    pub fn stops(&self, route: u32) -> &[u32] {
        &self.routes[route as usize].stops
    }

    /// The route of a job, or [`NOWHERE`].
    pub fn place(&self, job: u32) -> u32 {
        self.places[job as usize]
    }

    /// The jobs in no route, unordered.
    pub fn absent(&self) -> &[u32] {
        &self.absent
    }

    /// The price of all jobs that are in no route.
    pub fn left_out(&self) -> f64 {
        self.left_out
    }

    /// True when the current iteration has changed this route.
    pub fn is_touched(&self, route: u32) -> bool {
        self.way_back.touched[route as usize] == self.way_back.iteration
    }

    /// True when this job is among the first `waiting` absent jobs.
    pub fn waits(&self, job: u32, waiting: usize) -> bool {
        self.place(job) == NOWHERE && (self.ranks[job as usize] as usize) < waiting
    }

    /// The jobs removed in this iteration; some may be back.
    pub fn torn_out(&self) -> impl Iterator<Item = u32> {
        self.way_back.moves.iter().filter(|(_, from)| *from != NOWHERE).map(|(job, _)| *job)
    }

    /// The mean number of stops of the non-empty routes.
    pub fn stops_mean(&self) -> f64 {
        (self.places.len() - self.absent.len()) as f64 / self.used.max(1) as f64
    }

    pub fn price(&self) -> f64 {
        self.routed + self.left_out
    }

    /// Recomputes the prices, so that rounding errors do not accumulate over slices.
    pub fn settle(&mut self) {
        self.routed = self.routes.iter().map(|route| route.price).sum();
    }

    /// Starts an iteration; [`Self::take_back`] reverts to this point.
    pub fn begin(&mut self) {
        let back = &mut self.way_back;
        back.iteration += 1;
        back.moves.clear();
        (back.used, back.routed, back.left_out) = (self.used, self.routed, self.left_out);
    }

    /// Removes the stops `from..to`. The route has no valid price until [`Self::reprice`].
    pub fn tear<M: Model>(&mut self, model: &M, route: u32, from: usize, to: usize) {
        self.touch(route);
        for at in from..to {
            let job = self.routes[route as usize].stops[at];
            self.left_out += model.unplanned(job);
            self.ranks[job as usize] = self.absent.len() as u32;
            self.absent.push(job);
            self.places[job as usize] = NOWHERE;
            self.way_back.moves.push((job, route));
        }
        let stops = &mut self.routes[route as usize].stops;
        stops.drain(from..to);
        self.used -= usize::from(from < to && stops.is_empty());
    }

    /// Inserts an absent job.
    pub fn put<M: Model<Memory = R>>(&mut self, model: &M, route: u32, at: usize, job: u32) {
        self.touch(route);
        self.used += usize::from(self.stops(route).is_empty());
        self.routes[route as usize].stops.insert(at, job);
        self.leave_absent(job);
        // With no absent jobs the sum is exactly 0, whatever the rounding errors.
        self.left_out = if self.absent.is_empty() { 0.0 } else { self.left_out - model.unplanned(job) };
        self.places[job as usize] = route;
        self.way_back.moves.push((job, NOWHERE));
        self.reprice(model, route);
    }

    /// Computes the price of a changed route.
    pub fn reprice<M: Model<Memory = R>>(&mut self, model: &M, route: u32) {
        let Route { stops, memory, price, version } = &mut self.routes[route as usize];
        self.routed -= *price;
        *price = model.price(route, stops, memory);
        self.routed += *price;
        self.versions += 1;
        // An empty route always has the same version.
        *version = if stops.is_empty() { u64::from(route) + 1 } else { self.versions };
    }

    /// Keeps the result of the iteration, and calls `differs` with each route that changed. A route with its old
    /// content gets its old version back, so that cached prices stay valid.
    pub fn keep(&mut self, mut differs: impl FnMut(u32)) {
        for (route, mut aside) in self.way_back.saved.drain(..) {
            let stands = &mut self.routes[route as usize];
            if aside.stops == stands.stops {
                std::mem::swap(stands, &mut aside);
            } else {
                differs(route);
            }
            self.way_back.spare.push(aside);
        }
    }

    /// Reverts the iteration.
    pub fn take_back(&mut self) {
        for (route, aside) in self.way_back.saved.drain(..) {
            self.way_back.spare.push(std::mem::replace(&mut self.routes[route as usize], aside));
        }
        while let Some((job, from)) = self.way_back.moves.pop() {
            if from == NOWHERE {
                self.ranks[job as usize] = self.absent.len() as u32;
                self.absent.push(job);
            } else {
                self.leave_absent(job);
            }
            self.places[job as usize] = from;
        }
        (self.used, self.routed, self.left_out) = (self.way_back.used, self.way_back.routed, self.way_back.left_out);
    }

    fn leave_absent(&mut self, job: u32) {
        let rank = self.ranks[job as usize];
        self.absent.swap_remove(rank as usize);
        if let Some(moved) = self.absent.get(rank as usize) {
            self.ranks[*moved as usize] = rank;
        }
    }

    fn touch(&mut self, route: u32) {
        if self.is_touched(route) {
            return;
        }
        let back = &mut self.way_back;
        back.touched[route as usize] = back.iteration;
        let mut aside = back.spare.pop().unwrap_or_default();
        let stands = &mut self.routes[route as usize];
        std::mem::swap(stands, &mut aside);
        // The memory is not copied: pricing overwrites it before it is read.
        stands.stops.clone_from(&aside.stops);
        stands.price = aside.price;
        back.saved.push((route, aside));
    }
}
