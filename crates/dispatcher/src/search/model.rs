//! The trait that a problem implements. The search depends on nothing else.

/// The order in which jobs are reinserted, smaller keys first. The model defines the keys; it may give every job the
/// same key for an order that does not apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Random; the model is not asked.
    Random,
    /// Most demanding or most urgent first.
    Demand,
    /// Farthest from the starts of the routes first.
    Far,
    /// Closest to the starts of the routes first.
    Close,
    /// Shortest time window first.
    Narrow,
    /// Earliest start of the time window first.
    Early,
    /// Earliest end of the time window first.
    Due,
}

impl Order {
    /// The relative frequency of each order, as published for problems with time windows.
    pub const WEIGHTS: [(Self, u32); 7] = [
        (Self::Random, 4),
        (Self::Demand, 4),
        (Self::Far, 2),
        (Self::Close, 1),
        (Self::Narrow, 2),
        (Self::Early, 2),
        (Self::Due, 2),
    ];
}

/// The problem: jobs to insert into routes. Jobs and routes are dense indices. All prices are finite.
pub trait Model {
    /// The stored state of a route, so that an insertion is priced without walking the whole route.
    type Memory: Clone + Default;

    /// The number of jobs.
    fn jobs(&self) -> usize;

    /// The number of routes, including empty ones.
    fn routes(&self) -> usize;

    /// The jobs near `job`, nearest first, without `job`; the list may be incomplete.
    fn near(&self, job: u32) -> &[u32];

    /// The routes to try for `job`; `None` means all.
    fn candidates(&self, job: u32) -> Option<&[u32]>;

    /// True when all empty routes are equal, so that only one of them needs to be tried.
    fn interchangeable(&self) -> bool {
        false
    }

    /// The price of leaving `job` unplanned; may be very high.
    fn unplanned(&self, job: u32) -> f64;

    /// The price of route `route` with `stops`. It overwrites `memory` completely; before the call, `memory` may
    /// contain the state of *any* route. The stops always come from `cheapest` insertions, removals, or the caller's
    /// initial plan.
    fn price(&self, route: u32, stops: &[u32], memory: &mut Self::Memory) -> f64;

    /// The cheapest position of `job` in the route (0 = first, `stops.len()` = last), with the rise in price; `None`
    /// when no position is permitted. A position is skipped when `blink()` returns true; it need not be called for
    /// positions that are not permitted. If `blink` never skips, the result must depend on the arguments only.
    fn cheapest<B: FnMut() -> bool>(
        &self,
        route: u32,
        stops: &[u32],
        memory: &Self::Memory,
        job: u32,
        blink: &mut B,
    ) -> Option<(usize, f64)>;

    /// The sort key of a recreate order, smaller first. Never called for [`Order::Random`].
    fn key(&self, job: u32, order: Order) -> f64;
}

impl<M: Model> Model for &M {
    type Memory = M::Memory;

    fn jobs(&self) -> usize {
        (**self).jobs()
    }

    fn routes(&self) -> usize {
        (**self).routes()
    }

    fn near(&self, job: u32) -> &[u32] {
        (**self).near(job)
    }

    fn candidates(&self, job: u32) -> Option<&[u32]> {
        (**self).candidates(job)
    }

    fn interchangeable(&self) -> bool {
        (**self).interchangeable()
    }

    fn unplanned(&self, job: u32) -> f64 {
        (**self).unplanned(job)
    }

    fn price(&self, route: u32, stops: &[u32], memory: &mut Self::Memory) -> f64 {
        (**self).price(route, stops, memory)
    }

    fn cheapest<B: FnMut() -> bool>(
        &self,
        route: u32,
        stops: &[u32],
        memory: &Self::Memory,
        job: u32,
        blink: &mut B,
    ) -> Option<(usize, f64)> {
        (**self).cheapest(route, stops, memory, job, blink)
    }

    fn key(&self, job: u32, order: Order) -> f64 {
        (**self).key(job, order)
    }
}
