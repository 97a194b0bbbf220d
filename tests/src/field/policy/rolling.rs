//! Ours: the planner of `switchboard-dispatcher`, told of every change and given a slice of improvement every 30 seconds.

use std::collections::BTreeSet;

use switchboard_dispatcher::{board::Board, planner::Planner, policy::Policy};
use switchboard_domain::{Timestamp, crew::CrewId, ticket::TicketId};

use super::Dispatcher;

/// The rolling plan.
#[derive(Debug)]
pub struct Rolling {
    planner: Planner,
    iterations: u64,
}

impl Rolling {
    /// Begins without a plan; improves by so many iterations at each tick.
    #[must_use]
    pub fn new(policy: Policy, iterations: u64) -> Self {
        Self { planner: Planner::new(policy), iterations }
    }
}

impl Dispatcher for Rolling {
    fn name(&self) -> &'static str {
        "rolling plan (ours)"
    }

    fn job_changed(&mut self, ticket: TicketId) {
        self.planner.job_changed(ticket);
    }

    fn crew_changed(&mut self, crew: &CrewId) {
        self.planner.crew_changed(crew);
    }

    fn tick(&mut self, board: &Board, now: Timestamp) {
        self.planner.settle_all(board, now);
        if self.iterations > 0 {
            self.planner.improve(board, now, self.iterations);
        }
    }

    fn offers(&mut self, board: &Board, now: Timestamp) -> Vec<(TicketId, CrewId)> {
        self.planner.settle_all(board, now);
        let limit = board.crews.len();
        self.planner.proposals(board, now, limit).into_iter().map(|chosen| (chosen.ticket, chosen.crew)).collect()
    }

    fn diversions(&mut self, board: &Board, now: Timestamp) -> Vec<(CrewId, TicketId)> {
        self.planner.settle_all(board, now);
        let turns = self.planner.diversions(board, now, &BTreeSet::new());
        turns.into_iter().map(|turn| (turn.crew, turn.from)).collect()
    }
}
