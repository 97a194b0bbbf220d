//! Why this crew: what every rule charges every crew for a ticket, and which rules forbid it. The prices are those that the plan was
//! made by; `workload` is what the crew's other stops lose.

use std::collections::BTreeMap;

use switchboard_domain::{
    Timestamp,
    crew::{CANDIDATES_MAX, Candidate, CrewId, Grounds},
    ticket::TicketId,
};

use crate::{
    board::Board,
    planner::{Planner, Proposal},
};

/// One crew as weighed for one ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighed {
    /// The crew.
    pub crew: CrewId,
    /// The sum of the prices, in weighted minutes; infinite where a rule forbids it.
    pub price: f64,
    /// What each rule charges, by its name; rules that charge nothing are left out.
    pub prices: BTreeMap<&'static str, f64>,
    /// The rules that forbid it, by name.
    pub vetoes: Vec<&'static str>,
    /// Median arrival, where it could go.
    pub arrives: Option<Timestamp>,
}

impl Planner {
    /// What every rule says of every crew for this ticket, the cheapest first and those that may not go last; `None` when the
    /// planner does not know the ticket. The crew whose route it is in is weighed as the route stands, others at their cheapest place.
    #[must_use]
    pub fn explain(&self, board: &Board, ticket: TicketId, now: Timestamp) -> Option<Vec<Weighed>> {
        self.weigh(ticket, board.crews.keys(), now)
    }

    /// Why this proposal, for whoever asks later: the crew first, then the next best of those that were worth trying.
    #[must_use]
    pub fn grounds(&self, _board: &Board, proposal: &Proposal, now: Timestamp) -> Grounds {
        let others: Vec<CrewId> = self.worth_trying(proposal.ticket, now);
        let tried = others.iter().filter(|crew| **crew != proposal.crew).chain(std::iter::once(&proposal.crew));
        let mut weighed = self.weigh(proposal.ticket, tried, now).unwrap_or_default();
        let chosen = weighed.iter().position(|weighed| weighed.crew == proposal.crew);
        if let Some(chosen) = chosen {
            weighed[..=chosen].rotate_right(1);
        }
        weighed.truncate(CANDIDATES_MAX);
        Grounds {
            policy: self.policy().version.clone(),
            seed: self.policy().seed,
            plan_hash: self.hash(),
            candidates: weighed.into_iter().map(candidate).collect(),
        }
    }

    fn weigh<'c>(
        &self,
        ticket: TicketId,
        crews: impl Iterator<Item = &'c CrewId>,
        now: Timestamp,
    ) -> Option<Vec<Weighed>> {
        let mut weighed: Vec<Weighed> = crews.filter_map(|crew| self.weigh_one(ticket, crew, now)).collect();
        weighed.sort_by(|a, b| a.price.total_cmp(&b.price).then_with(|| a.crew.cmp(&b.crew)));
        (!weighed.is_empty()).then_some(weighed)
    }
}

fn candidate(weighed: Weighed) -> Candidate {
    Candidate {
        crew: weighed.crew.org().clone(),
        prices: weighed.prices.into_iter().map(|(rule, price)| (rule.to_owned(), price)).collect(),
        arrives: weighed.arrives,
        vetoes: weighed.vetoes.into_iter().map(str::to_owned).collect(),
    }
}
