//! Recreate: the jobs in hand go back one by one, in an order drawn by lot, each to its cheapest place of all routes
//! offered. Now and then a position is overlooked (a blink), which is what leads out of what greed alone would always
//! rebuild.

use super::{
    board::Board,
    chance::{Blinks, Chance},
    model::{Model, Order},
    quotes::Quotes,
};

/// The jobs in hand.
#[derive(Clone, Debug)]
pub struct Recreate {
    orders: Vec<(Order, u32)>,
    weights: usize,
    /// Sort key and job.
    hand: Vec<(f64, u32)>,
}

impl Recreate {
    pub fn new(orders: &[(Order, u32)]) -> Self {
        let weights = orders.iter().map(|(_, weight)| *weight as usize).sum();
        Self { orders: orders.to_vec(), weights, hand: Vec::new() }
    }

    /// An order drawn by lot; without any to draw from, by lot itself.
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

    /// Takes all that is absent in hand.
    pub fn everything<R: Clone + Default>(&mut self, board: &Board<R>) {
        self.hand.clear();
        self.hand.extend(board.absent().iter().map(|job| (0.0, *job)));
    }

    /// Takes in hand what was torn out around `seed`, and of what was absent before at most `absent_max`: up to half of
    /// it near the seed, where room has just been made, the rest by lot.
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
        // What was torn out last stands last among the absent.
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

    /// Brings the hand in order.
    pub fn sort<M: Model>(&mut self, model: &M, order: Order, chance: &mut Chance) {
        for (key, job) in &mut self.hand {
            *key = if order == Order::Random { chance.unit() } else { model.key(*job, order) };
        }
        self.hand.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    }

    /// Puts the hand into routes. What has no place stays out; so does what is dearer in than out, unless one `dares`.
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

/// One job's look around.
struct Looking<'a, M: Model> {
    model: &'a M,
    board: &'a Board<M::Memory>,
    quotes: &'a mut Quotes,
    blinks: &'a mut Blinks,
    chance: &'a mut Chance,
    job: u32,
    best: Option<(u32, usize)>,
    /// Only what is cheaper than this is of interest.
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
