//! Batched Kuhn-Munkres: every 30 seconds it matches free crews and waiting tickets at the least total price.
//!
//! The price of a pair is the minutes of the drive, less credits for the ticket's age and weight. Without credits, a
//! matching in a storm is the same as "nearest ticket" with a delay of half a minute.

use pathfinding::{kuhn_munkres::kuhn_munkres_min, matrix::Matrix};
use switchboard_dispatcher::board::{Board, Crew, Job};
use switchboard_domain::{Timestamp, crew::CrewId, ticket::TicketId};

use super::{Dispatcher, Known};

/// The price of a forbidden pair, in hundredths of a minute; above that of any permitted pair.
const NEVER: i64 = 1_000_000_000;

/// The cheapest matching of the waiting tickets at each tick.
#[derive(Clone, Debug)]
pub struct Batched {
    known: Known,
    name: &'static str,
    /// The minutes of drive that a minute of age is worth.
    age: f64,
    /// The minutes of drive that a doubling of the weight is worth.
    doubling: f64,
    due: bool,
}

impl Batched {
    /// Creates it with credits under which `storm45` comes close to the design's table.
    #[must_use]
    pub fn as_published(known: Known) -> Self {
        Self { known, name: "batched Kuhn-Munkres", age: 0.0, doubling: 2.0, due: false }
    }

    /// Creates it with the best credits found for the storms: heavy tickets gain weight, and age counts slightly
    /// against a ticket.
    #[must_use]
    pub fn tuned(known: Known) -> Self {
        Self { known, name: "the same, tuned", age: -0.05, doubling: 5.0, due: false }
    }

    fn price(&self, crew: &Crew, job: &Job, now: Timestamp) -> i64 {
        if !self.known.able(crew, job, now) {
            return NEVER;
        }
        let age = (now - job.reported).num_seconds() as f64 / 60.0;
        let price =
            self.known.drive(crew, job) - self.age * age - self.doubling * self.known.weight(job).max(1.0).log2();
        (price * 100.0).round() as i64
    }
}

impl Dispatcher for Batched {
    fn name(&self) -> &'static str {
        self.name
    }

    fn tick(&mut self, _board: &Board, _now: Timestamp) {
        self.due = true;
    }

    fn offers(&mut self, board: &Board, now: Timestamp) -> Vec<(TicketId, CrewId)> {
        if !std::mem::take(&mut self.due) {
            return Vec::new();
        }
        let crews: Vec<&Crew> = Known::free(board, now).collect();
        let jobs: Vec<&Job> = Known::waiting(board).collect();
        if crews.is_empty() || jobs.is_empty() {
            return Vec::new();
        }
        // The library requires at most as many rows as columns.
        let upright = crews.len() <= jobs.len();
        let (rows, columns) = if upright { (crews.len(), jobs.len()) } else { (jobs.len(), crews.len()) };
        let pair = |row: usize, column: usize| if upright { (row, column) } else { (column, row) };
        let prices = Matrix::from_fn(rows, columns, |(row, column)| {
            let (crew, job) = pair(row, column);
            self.price(crews[crew], jobs[job], now)
        });
        let (_, matched) = kuhn_munkres_min(&prices);
        let pairs = matched.into_iter().enumerate().filter(|(row, column)| prices[(*row, *column)] < NEVER);
        pairs
            .map(|(row, column)| {
                let (crew, job) = pair(row, column);
                (jobs[job].ticket, crews[crew].id.clone())
            })
            .collect()
    }
}
