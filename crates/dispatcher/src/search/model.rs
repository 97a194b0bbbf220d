//! What can be searched: the one trait a problem fulfils. The engine knows no more of it than this.

/// In which order jobs are put back; smaller keys first. What each means is the model's; an order that means nothing to
/// it may give every job the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By lot: the model is not asked.
    Random,
    /// The most demanding, or the most pressing, first.
    Demand,
    /// Far from where routes begin first.
    Far,
    /// Close to where routes begin first.
    Close,
    /// The shortest time window first.
    Narrow,
    /// The earliest start of the time window first.
    Early,
    /// The earliest end of the time window first.
    Due,
}

impl Order {
    /// How often each is drawn, as published for problems with time windows.
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

/// What is searched: jobs to be put into routes. Jobs and routes are dense indices. All prices are finite.
pub trait Model {
    /// What a route remembers so that an insertion is priced without walking all of it.
    type Memory: Clone + Default;

    /// How many jobs there are.
    fn jobs(&self) -> usize;

    /// How many routes there are, used or not.
    fn routes(&self) -> usize;

    /// Jobs near to `job`, nearest first, itself excluded; need not be all of them.
    fn near(&self, job: u32) -> &[u32];

    /// Routes worth trying for `job`; `None` = all.
    fn candidates(&self, job: u32) -> Option<&[u32]>;

    /// Whether all empty routes are alike, so that only one of them need be tried.
    fn interchangeable(&self) -> bool {
        false
    }

    /// The price of leaving `job` out of the plan; may be huge.
    fn unplanned(&self, job: u32) -> f64;

    /// The price of route `route` with `stops`, refreshing its memory, which may hold what *any* route left there and
    /// must be overwritten whole. Only called with stops that came from `cheapest` insertions and removals from them,
    /// or from a caller's starting plan.
    fn price(&self, route: u32, stops: &[u32], memory: &mut Self::Memory) -> f64;

    /// The cheapest place of `job` in the route: position (0 = first, `stops.len()` = last) and rise in price; `None` =
    /// nowhere allowed. `blink()` returning true skips a position; it need not be asked where nothing is allowed. With
    /// a blink that never skips, the answer must be a function of the arguments alone.
    fn cheapest<B: FnMut() -> bool>(
        &self,
        route: u32,
        stops: &[u32],
        memory: &Self::Memory,
        job: u32,
        blink: &mut B,
    ) -> Option<(usize, f64)>;

    /// Sort key for the recreate order, smaller first. Never asked for [`Order::Random`].
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
