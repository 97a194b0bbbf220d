//! Our policy: the planner of `switchboard-dispatcher`. It hears of every change and improves its plan every 30
//! seconds. The run asks for recalls before offers. So the question that the process puts to each proposal
//! (`Planner::rather`) is already settled.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use switchboard_dispatcher::{board::Board, planner::Planner, policy::Policy};
use switchboard_domain::{Timestamp, crew::CrewId, ticket::TicketId};

use super::Dispatcher;

/// The rolling plan.
#[derive(Debug)]
pub struct Rolling {
    planner: Planner,
    iterations: u64,
    /// The instant of each crew's last recall. As in the process, a crew is not recalled again for a while.
    called_back: BTreeMap<CrewId, Timestamp>,
}

impl Rolling {
    /// Starts without a plan; improves it by that many iterations at each tick.
    #[must_use]
    pub fn new(policy: Policy, iterations: u64) -> Self {
        Self { planner: Planner::new(policy), iterations, called_back: BTreeMap::new() }
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

    fn diversions(&mut self, board: &Board, now: Timestamp) -> Vec<(CrewId, TicketId, TicketId)> {
        self.planner.settle_all(board, now);
        let pause = TimeDelta::minutes(i64::from(self.planner.policy().offers.divert_minutes));
        self.called_back.retain(|_, at| now - *at < pause);
        let has = |crew: &CrewId| board.crews.get(crew).into_iter().flat_map(|crew| &crew.committed);
        let lately = self.called_back.keys();
        let barred = lately.flat_map(|crew| has(crew).map(|(ticket, _)| (crew.clone(), *ticket))).collect();
        let turns = self.planner.diversions(board, now, &barred);
        self.called_back.extend(turns.iter().map(|turn| (turn.crew.clone(), now)));
        turns.into_iter().map(|turn| (turn.crew, turn.from, turn.to)).collect()
    }
}
