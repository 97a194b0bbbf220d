//! A small test problem: round trips from the origin, with a maximum number of stops per route.

use std::cell::Cell;

use crate::search::{Model, Order, Plan, chance::Chance};

/// The problem. It asserts that a route is priced before it is asked for a position.
#[derive(Clone, Debug)]
pub struct Toy {
    pub places: Vec<(f64, f64)>,
    pub near: Vec<Vec<u32>>,
    pub able: Vec<Option<Vec<u32>>>,
    pub routes: usize,
    pub stops_max: usize,
    pub unplanned: f64,
    pub alike: bool,
    /// The number of calls for the cheapest position.
    pub asked: Cell<usize>,
}

impl Toy {
    fn new(places: Vec<(f64, f64)>, routes: usize, stops_max: usize) -> Self {
        let apart = |a: usize, b: usize| (places[a].0 - places[b].0).hypot(places[a].1 - places[b].1);
        let near = |job: usize| {
            let mut others: Vec<usize> = (0..places.len()).filter(|other| *other != job).collect();
            others.sort_by(|a, b| apart(job, *a).total_cmp(&apart(job, *b)));
            others.into_iter().map(|other| other as u32).collect()
        };
        let near = (0..places.len()).map(near).collect();
        let able = vec![None; places.len()];
        Self { places, near, able, routes, stops_max, unplanned: 1000.0, alike: false, asked: Cell::new(0) }
    }

    /// Jobs on a line through the origin.
    pub fn line(places: &[f64], routes: usize) -> Self {
        Self::new(places.iter().map(|x| (*x, 0.0)).collect(), routes, usize::MAX)
    }

    /// Up to 40 jobs and 8 routes, possibly 0; some jobs are permitted in some routes only, or in none.
    pub fn of(chance: &mut Chance) -> Self {
        let (jobs, routes, stops_max) = (chance.below(41), chance.below(9), 1 + chance.below(9));
        let places = (0..jobs).map(|_| (100.0 * chance.unit(), 100.0 * chance.unit())).collect();
        let mut toy = Self::new(places, routes, stops_max);
        toy.unplanned = [5.0, 60.0, 1e6][chance.below(3)];
        toy.alike = chance.happens(0.3);
        for able in &mut toy.able {
            if chance.happens(0.3) {
                *able = Some((0..routes as u32).filter(|_| chance.happens(0.4)).collect());
            }
        }
        let most = chance.below(41);
        toy.near.iter_mut().for_each(|near| near.truncate(most));
        toy
    }

    /// Six jobs and two routes.
    pub fn small(chance: &mut Chance) -> Self {
        let places = (0..6).map(|_| (100.0 * chance.unit(), 100.0 * chance.unit())).collect();
        let mut toy = Self::new(places, 2, 2 + chance.below(4));
        toy.unplanned = 90.0;
        toy
    }

    pub fn may(&self, route: u32, job: u32) -> bool {
        self.able[job as usize].as_ref().is_none_or(|able| able.contains(&route))
    }

    fn length(&self, stops: &[u32]) -> f64 {
        let way: Vec<(f64, f64)> = stops.iter().map(|job| self.places[*job as usize]).collect();
        let legs = [(0.0, 0.0)].iter().chain(&way).zip(way.iter().chain(&[(0.0, 0.0)]));
        legs.map(|(a, b)| (a.0 - b.0).hypot(a.1 - b.1)).sum()
    }

    pub fn price_of(&self, plan: &Plan) -> f64 {
        let routes: f64 = plan.routes.iter().map(|stops| self.length(stops)).sum();
        routes + self.unplanned * plan.unplanned.len() as f64
    }

    /// The price of the cheapest plan, by enumeration.
    pub fn optimum(&self) -> f64 {
        let mut plan = Plan { routes: vec![Vec::new(); self.routes], ..Plan::default() };
        self.cheapest_from(0, &mut plan)
    }

    fn cheapest_from(&self, job: u32, plan: &mut Plan) -> f64 {
        if job as usize == self.jobs() {
            return self.price_of(plan);
        }
        plan.unplanned.push(job);
        let mut least = self.cheapest_from(job + 1, plan);
        plan.unplanned.pop();
        for route in 0..self.routes {
            for at in 0..=plan.routes[route].len() {
                if plan.routes[route].len() < self.stops_max {
                    plan.routes[route].insert(at, job);
                    least = least.min(self.cheapest_from(job + 1, plan));
                    plan.routes[route].remove(at);
                }
            }
        }
        least
    }
}

impl Model for Toy {
    /// The stops that were priced last.
    type Memory = Option<Vec<u32>>;

    fn jobs(&self) -> usize {
        self.places.len()
    }

    fn routes(&self) -> usize {
        self.routes
    }

    fn near(&self, job: u32) -> &[u32] {
        &self.near[job as usize]
    }

    fn candidates(&self, job: u32) -> Option<&[u32]> {
        self.able[job as usize].as_deref()
    }

    fn interchangeable(&self) -> bool {
        self.alike
    }

    fn unplanned(&self, _job: u32) -> f64 {
        self.unplanned
    }

    fn price(&self, _route: u32, stops: &[u32], memory: &mut Self::Memory) -> f64 {
        *memory = Some(stops.to_vec());
        self.length(stops)
    }

    fn cheapest<B: FnMut() -> bool>(
        &self,
        route: u32,
        stops: &[u32],
        memory: &Self::Memory,
        job: u32,
        blink: &mut B,
    ) -> Option<(usize, f64)> {
        self.asked.set(self.asked.get() + 1);
        assert_eq!(memory.as_deref(), Some(stops), "asked before it was priced");
        assert!(self.may(route, job) && !stops.contains(&job));
        if stops.len() >= self.stops_max {
            return None;
        }
        let rise = |at: usize| {
            let mut with = stops.to_vec();
            with.insert(at, job);
            self.length(&with) - self.length(stops)
        };
        let open = (0..=stops.len()).filter(|_| !blink());
        open.map(|at| (at, rise(at))).min_by(|a, b| a.1.total_cmp(&b.1))
    }

    fn key(&self, job: u32, order: Order) -> f64 {
        let (x, y) = self.places[job as usize];
        match order {
            Order::Random => panic!("a lot needs no key"),
            Order::Close => x.hypot(y),
            _ => -x.hypot(y),
        }
    }
}
