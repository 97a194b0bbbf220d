//! The cheapest plan so far, updated from the routes that differ from the current plan.

use super::{Plan, board::Board};

/// The minimum relative gain of a new best plan, above rounding errors.
const GAIN_MIN: f64 = 1e-10;

/// The cheapest plan so far.
#[derive(Clone, Debug)]
pub struct Best {
    plan: Plan,
    prices: Vec<f64>,
    left_out: f64,
    /// The routes of the current plan that may differ from this one.
    differing: Vec<u32>,
    differs: Vec<bool>,
}

impl Best {
    pub fn of<R: Clone + Default>(board: &Board<R>) -> Self {
        let routes = board.routes();
        let mut best = Self {
            plan: Plan {
                routes: routes.iter().map(|route| route.stops.clone()).collect(),
                unplanned: board.absent().to_vec(),
                price: board.price(),
            },
            prices: routes.iter().map(|route| route.price).collect(),
            left_out: board.left_out(),
            differing: Vec::new(),
            differs: vec![false; routes.len()],
        };
        best.plan.unplanned.sort_unstable();
        best
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Records that this route of the current plan has changed.
    pub fn differs(&mut self, route: u32) {
        if !std::mem::replace(&mut self.differs[route as usize], true) {
            self.differing.push(route);
        }
    }

    /// Takes over the current plan if it is cheaper. The list of unplanned jobs is updated later, by [`Self::settle`].
    pub fn follow<R: Clone + Default>(&mut self, board: &Board<R>) {
        if board.price() >= self.plan.price - GAIN_MIN * self.plan.price.abs() {
            return;
        }
        self.plan.price = board.price();
        self.left_out = board.left_out();
        for route in self.differing.drain(..) {
            let (route, stands) = (route as usize, board.route(route));
            self.differs[route] = false;
            self.prices[route] = stands.price;
            self.plan.routes[route].clone_from(&stands.stops);
        }
    }

    /// Completes the plan: lists the unplanned jobs and recomputes the price.
    pub fn settle(&mut self, jobs: usize) {
        let mut planned = vec![false; jobs];
        for job in self.plan.routes.iter().flatten() {
            planned[*job as usize] = true;
        }
        self.plan.unplanned.clear();
        self.plan.unplanned.extend((0..jobs as u32).filter(|job| !planned[*job as usize]));
        self.plan.price = self.prices.iter().sum::<f64>() + self.left_out;
    }
}
