//! The cheapest plan so far, brought up to date by the routes that differ from the plan as it stands.

use super::{Plan, board::Board};

/// By how much, relative to the price, a plan must be cheaper to be another best: more than rounding.
const GAIN_MIN: f64 = 1e-10;

/// The cheapest plan so far.
#[derive(Clone, Debug)]
pub struct Best {
    plan: Plan,
    prices: Vec<f64>,
    left_out: f64,
    /// Routes of the plan as it stands that are not those of this one, perhaps.
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

    /// Notes that this route of the plan as it stands has changed.
    pub fn differs(&mut self, route: u32) {
        if !std::mem::replace(&mut self.differs[route as usize], true) {
            self.differing.push(route);
        }
    }

    /// Takes the plan as it stands for the best if it is cheaper. Who is unplanned waits for [`Self::settle`].
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

    /// Finishes the plan: lists who is unplanned, and adds the prices up anew.
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
