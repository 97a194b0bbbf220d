//! Ruin and recreate over any objective: slack induction by string removals (SISR; Christiaens and Vanden Berghe 2020).
//!
//! One iteration tears strings of neighbouring stops out of neighbouring routes (`ruin`), puts the torn-out jobs back
//! one by one, each at its cheapest place but for an occasional blink (`recreate`), and keeps the outcome if
//! simulated annealing lets it (`acceptance`), or else takes it back (`board`). What an iteration costs depends on
//! what it touches and on how many routes the model offers to a job, never on the size of the plan: insertion prices
//! are remembered (`quotes`) and the best plan is brought up to date by difference (`best`).
//!
//! Absent: any idea of time, of tickets and of crews, which are the [`Model`]'s; any clock; any randomness but the
//! seed's.

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

/// How the search goes about it. Prices and temperatures are in the model's unit.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many jobs an iteration tears out on average, where routes are long enough.
    pub ruined_mean: f64,
    /// The longest string of stops torn out of one route.
    pub string_max: usize,
    /// How often a string is torn out around stops that stay, 0 to 1.
    pub split_chance: f64,
    /// How often one more stop stays within a split string, 0 to 1.
    pub keep_chance: f64,
    /// How often a position is overlooked, 0 to 1.
    pub blink_chance: f64,
    /// How often an iteration puts in whatever has a place, even where that is dearer than staying out, 0 to 1: what
    /// does not pay for one job may pay for the next, and the outcome is judged as a whole.
    pub dare_chance: f64,
    /// How many of the jobs that were unplanned already are tried in one iteration; past it a sample of so many, the
    /// seed's neighbours first.
    pub absent_max: usize,
    /// Temperature at progress 0: a plan dearer by this is kept with probability 1/e.
    pub hot: f64,
    /// Temperature at progress 1; between the two it falls geometrically. 0 = only what is no dearer.
    pub cold: f64,
    /// Over how many iterations [`Search::improve`] cools from `hot` to `cold`; past them it stays cold.
    pub cooling_iterations: u64,
    /// How often each order of recreating is drawn, relative to the others.
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

/// Who does what, in which order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The stops of each route, as many as the model has routes.
    pub routes: Vec<Vec<u32>>,
    /// Jobs in no route, ascending.
    pub unplanned: Vec<u32>,
    /// The price of all routes and of what is unplanned.
    pub price: f64,
}

/// A search under way, of a model of its own or of one that it borrows. The same model, plan, seed, settings and calls
/// give the same plans.
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
    /// Begins with all jobs unplanned.
    #[must_use]
    pub fn new(model: M, seed: u64, settings: Settings) -> Self {
        Self::resume(model, &[], seed, settings)
    }

    /// Begins with `plan`: the stops of the model's first routes. What is named twice stays where it is named first,
    /// and what the model does not know is left out.
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

    /// Puts all that is unplanned to its cheapest place, the most demanding first ([`Order::Demand`]); what has none,
    /// or only one dearer than staying out, stays unplanned.
    pub fn insert_missing(&mut self) {
        self.board.begin();
        self.recreate.everything(&self.board);
        self.put_back(Order::Demand, false);
        self.board.keep(|route| self.best.differs(route));
        self.best.follow(&self.board);
        self.best.settle(self.model.jobs());
    }

    /// Searches for so many iterations, cooling over [`Settings::cooling_iterations`] counted from the first call.
    pub fn improve(&mut self, iterations: u64) {
        self.board.settle();
        for _ in 0..iterations {
            let progress = self.done as f64 / self.settings.cooling_iterations.max(1) as f64;
            self.done += 1;
            self.iterate(self.acceptance.temperature(progress));
        }
        self.best.settle(self.model.jobs());
    }

    /// Searches for so many iterations at the temperature of `progress`, 0 (hot) to 1 (cold): for a caller who has a
    /// deadline.
    pub fn improve_at(&mut self, progress: f64, iterations: u64) {
        let temperature = self.acceptance.temperature(progress);
        self.board.settle();
        for _ in 0..iterations {
            self.iterate(temperature);
        }
        self.best.settle(self.model.jobs());
    }

    /// Cools on from here: so many iterations count as done, by a search that this one takes over from.
    pub fn count_as_done(&mut self, iterations: u64) {
        self.done = iterations;
    }

    /// What is searched.
    #[must_use]
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The cheapest plan found so far, the first included.
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
