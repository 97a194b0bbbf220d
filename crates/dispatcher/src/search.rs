//! Ruin and recreate for any objective: slack induction by string removals (SISR; Christiaens and Vanden Berghe 2020).
//!
//! An iteration removes strings of neighbouring stops from neighbouring routes (`ruin`), reinserts the jobs one by one
//! at their cheapest positions, with occasional blinks (`recreate`), and keeps or reverts the result by simulated
//! annealing (`acceptance`, `board`). The cost of an iteration depends on the stops that it touches and on the number
//! of candidate routes, not on the size of the plan: insertion prices are cached (`quotes`), and the best plan is
//! updated by its differences (`best`).
//!
//! Not here: time, tickets and crews, which belong to the [`Model`]; any clock; any randomness other than the seed's.

mod acceptance;
mod best;
mod board;
mod chance;
mod model;
mod quotes;
mod recreate;
mod ruin;
#[cfg(test)]
mod tests;

use acceptance::Acceptance;
use best::Best;
use board::Board;
use chance::{Blinks, Chance};
use quotes::Quotes;
use recreate::Recreate;

pub(crate) use chance::finalize;
pub use model::{Model, Order};

/// The parameters of the search. Prices and temperatures are in the model's unit.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The mean number of jobs removed per iteration, if routes are long enough.
    pub ruined_mean: f64,
    /// The longest string removed from one route.
    pub string_max: usize,
    /// The probability that a string is split around stops that stay, 0 to 1.
    pub split_chance: f64,
    /// The probability that one more stop stays within a split string, 0 to 1.
    pub keep_chance: f64,
    /// The probability of a blink: that a position is skipped, 0 to 1.
    pub blink_chance: f64,
    /// The probability that an iteration inserts every job that has a position, even at a price above that of leaving
    /// it out, 0 to 1. One such job may not pay off while several do; the result is accepted or rejected as a whole.
    pub dare_chance: f64,
    /// The most jobs, among those unplanned before the iteration, that one iteration tries. If there are more, a sample
    /// is taken, neighbours of the seed first.
    pub absent_max: usize,
    /// The temperature at progress 0: a plan dearer by this amount is kept with probability 1/e.
    pub hot: f64,
    /// The temperature at progress 1. Between the two it falls geometrically. 0 keeps only plans that are not dearer.
    pub cold: f64,
    /// The iterations over which [`Search::improve`] cools from `hot` to `cold`; then it stays cold.
    pub cooling_iterations: u64,
    /// The relative frequency of each recreate order.
    pub orders: Vec<(Order, u32)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ruined_mean: 10.0,
            string_max: 10,
            split_chance: 0.5,
            keep_chance: 0.01,
            blink_chance: 0.01,
            dare_chance: 0.1,
            absent_max: 20,
            hot: 10.0,
            cold: 0.1,
            cooling_iterations: 100_000,
            orders: Order::WEIGHTS.to_vec(),
        }
    }
}

/// A plan: the jobs of each route, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The stops of each route of the model.
    pub routes: Vec<Vec<u32>>,
    /// The jobs in no route, ascending.
    pub unplanned: Vec<u32>,
    /// The price of all routes and of the unplanned jobs.
    pub price: f64,
}

/// A search, over an owned or borrowed model. The same model, plan, seed, settings and calls give the same plans.
#[derive(Clone, Debug)]
pub struct Search<M: Model> {
    model: M,
    settings: Settings,
    acceptance: Acceptance,
    chance: Chance,
    blinks: Blinks,
    board: Board<M::Memory>,
    quotes: Quotes,
    recreate: Recreate,
    best: Best,
    done: u64,
}

impl<M: Model> Search<M> {
    /// Starts with all jobs unplanned.
    #[must_use]
    pub fn new(model: M, seed: u64, settings: Settings) -> Self {
        Self::resume(model, &[], seed, settings)
    }

    /// Starts with `plan`: the stops of the model's first routes. A repeated job stays at its first position; a job
    /// unknown to the model is dropped.
    #[must_use]
    pub fn resume(model: M, plan: &[Vec<u32>], seed: u64, settings: Settings) -> Self {
        let mut chance = Chance::new(seed);
        let board = Board::new(&model, plan);
        Self {
            acceptance: Acceptance::new(settings.hot, settings.cold),
            blinks: Blinks::new(settings.blink_chance, &mut chance),
            quotes: Quotes::new(model.jobs(), model.routes()),
            recreate: Recreate::new(&settings.orders),
            best: Best::of(&board),
            done: 0,
            model,
            settings,
            chance,
            board,
        }
    }

    /// Inserts all unplanned jobs at their cheapest positions, the most demanding first ([`Order::Demand`]). A job
    /// without a position, or with only a dearer one than leaving it out, stays unplanned.
    pub fn insert_missing(&mut self) {
        self.board.begin();
        self.recreate.everything(&self.board);
        self.put_back(Order::Demand, false);
        self.board.keep(|route| self.best.differs(route));
        self.best.follow(&self.board);
        self.best.settle(self.model.jobs());
    }

    /// Runs this many iterations, cooling over [`Settings::cooling_iterations`] counted from the first call.
    pub fn improve(&mut self, iterations: u64) {
        self.board.settle();
        for _ in 0..iterations {
            let progress = self.done as f64 / self.settings.cooling_iterations.max(1) as f64;
            self.done += 1;
            self.iterate(self.acceptance.temperature(progress));
        }
        self.best.settle(self.model.jobs());
    }

    /// Runs this many iterations at the temperature of `progress`, 0 (hot) to 1 (cold). For callers with a deadline.
    pub fn improve_at(&mut self, progress: f64, iterations: u64) {
        let temperature = self.acceptance.temperature(progress);
        self.board.settle();
        for _ in 0..iterations {
            self.iterate(temperature);
        }
        self.best.settle(self.model.jobs());
    }

    /// Counts this many iterations as done, to continue the cooling of a search that this one replaces.
    pub fn count_as_done(&mut self, iterations: u64) {
        self.done = iterations;
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The cheapest plan so far, including the initial one.
    #[must_use]
    pub fn best(&self) -> &Plan {
        self.best.plan()
    }

    fn iterate(&mut self, temperature: f64) {
        if self.model.jobs() == 0 {
            return;
        }
        let before = self.board.price();
        self.board.begin();
        let seed = ruin::ruin(&self.model, &self.settings, &mut self.board, &mut self.chance);
        self.recreate.sample(&self.model, &self.board, &mut self.chance, seed, self.settings.absent_max);
        let order = self.recreate.order(&mut self.chance);
        let dares = self.chance.happens(self.settings.dare_chance);
        self.put_back(order, dares);
        if self.acceptance.lets(self.board.price(), before, temperature, &mut self.chance) {
            self.board.keep(|route| self.best.differs(route));
            self.best.follow(&self.board);
        } else {
            self.board.take_back();
        }
    }

    fn put_back(&mut self, order: Order, dares: bool) {
        self.recreate.sort(&self.model, order, &mut self.chance);
        self.recreate.insert(&self.model, &mut self.board, &mut self.quotes, &mut self.blinks, &mut self.chance, dares);
    }
}
