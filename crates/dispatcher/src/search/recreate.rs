//! Recreate: the removed jobs are reinserted one by one, in a random order, each at its cheapest position among all
//! candidate routes. An occasional blink skips a position, so that the search leaves local optima.

use super::{
    board::Board,
    chance::{Blinks, Chance},
    model::{Model, Order},
    quotes::Quotes,
};

/// The jobs to reinsert.
#[derive(Clone, Debug)]
pub struct Recreate {
    orders: Vec<(Order, u32)>,
    weights: usize,
    /// The sort key and the job.
    hand: Vec<(f64, u32)>,
}

impl Recreate {
    pub fn new(orders: &[(Order, u32)]) -> Self {
        let weights = orders.iter().map(|(_, weight)| *weight as usize).sum();
        Self { orders: orders.to_vec(), weights, hand: Vec::new() }
    }

    /// A random order by frequency; [`Order::Random`] when no frequencies are given.
    pub fn order(&self, chance: &mut Chance) -> Order {
        let mut rest = chance.below(self.weights);
        for &(order, weight) in &self.orders {
            if rest < weight as usize {
                return order;
            }
            rest -= weight as usize;
        }
        Order::Random
    }

    /// Takes all absent jobs.
    pub fn everything<R: Clone + Default>(&mut self, board: &Board<R>) {
        self.hand.clear();
        self.hand.extend(board.absent().iter().map(|job| (0.0, *job)));
    }

    /// Takes the jobs removed around `seed`, and at most `absent_max` of those absent before: up to half of them near
    /// the seed, where there is now room, the rest at random.
    pub fn sample<M: Model>(
        &mut self,
        model: &M,
        board: &Board<M::Memory>,
        chance: &mut Chance,
        seed: u32,
        absent_max: usize,
    ) {
        self.hand.clear();
        self.hand.extend(board.torn_out().map(|job| (0.0, job)));
        // The jobs removed last are at the end of the absent jobs.
        let waiting = &board.absent()[..board.absent().len() - self.hand.len()];
        if waiting.len() <= absent_max {
            self.hand.extend(waiting.iter().map(|job| (0.0, *job)));
            return;
        }
        let near = std::iter::once(&seed).chain(model.near(seed)).filter(|job| board.waits(**job, waiting.len()));
        let torn = self.hand.len();
        self.hand.extend(near.take(absent_max / 2).map(|job| (0.0, *job)));
        while self.hand.len() < torn + absent_max {
            self.hand.push((0.0, waiting[chance.below(waiting.len())]));
        }
        self.hand[torn..].sort_unstable_by_key(|(_, job)| *job);
        self.hand.dedup_by_key(|(_, job)| *job);
    }

    /// Sorts the jobs.
    pub fn sort<M: Model>(&mut self, model: &M, order: Order, chance: &mut Chance) {
        for (key, job) in &mut self.hand {
            *key = if order == Order::Random { chance.unit() } else { model.key(*job, order) };
        }
        self.hand.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    }

    /// Inserts the jobs. A job without a position stays out; so does a job that is dearer in than out, unless `dares`.
    pub fn insert<M: Model>(
        &self,
        model: &M,
        board: &mut Board<M::Memory>,
        quotes: &mut Quotes,
        blinks: &mut Blinks,
        chance: &mut Chance,
        dares: bool,
    ) {
        for &(_, job) in &self.hand {
            let limit = if dares { f64::INFINITY } else { model.unplanned(job) };
            let mut looking = Looking { model, board, quotes, blinks, chance, job, best: None, limit };
            looking.around();
            if let Some((route, at)) = looking.best {
                board.put(model, route, at, job);
            }
        }
    }
}

/// The search for the position of one job.
struct Looking<'a, M: Model> {
    model: &'a M,
    board: &'a Board<M::Memory>,
    quotes: &'a mut Quotes,
    blinks: &'a mut Blinks,
    chance: &'a mut Chance,
    job: u32,
    best: Option<(u32, usize)>,
    /// Only a smaller rise is of interest.
    limit: f64,
}

impl<M: Model> Looking<'_, M> {
    fn around(&mut self) {
        let (model, board, job) = (self.model, self.board, self.job);
        let mut closed = false;
        let mut look = |route| {
            if model.interchangeable() && board.stops(route).is_empty() {
                if closed {
                    return;
                }
                closed = true;
            }
            self.at(route);
        };
        match model.candidates(job) {
            Some(routes) => routes.iter().for_each(|route| look(*route)),
            None => (0..board.routes().len() as u32).for_each(look),
        }
    }

    fn at(&mut self, route: u32) {
        let (model, job, stands) = (self.model, self.job, self.board.route(route));
        let positions = stands.stops.len() + 1;
        let quote = if self.blinks.none_within(positions) {
            let ask = || model.cheapest(route, &stands.stops, &stands.memory, job, &mut || false);
            self.quotes.get(job, route, stands.version, ask)
        } else {
            let mut asked = 0;
            let mut blink = || {
                asked += 1;
                self.blinks.blink(self.chance)
            };
            let place = model.cheapest(route, &stands.stops, &stands.memory, job, &mut blink);
            self.blinks.pass(positions.saturating_sub(asked), self.chance);
            place.unwrap_or((0, f64::INFINITY))
        };
        if quote.1 < self.limit {
            self.limit = quote.1;
            self.best = Some((route, quote.0));
        }
    }
}
