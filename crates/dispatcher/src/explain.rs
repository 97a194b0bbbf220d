//! Why this crew: what every rule charges every crew for a ticket, and which rules forbid it. The prices are those that
//! the plan was made by; `workload` is what the crew's other stops lose.

use std::collections::BTreeMap;

use switchboard_domain::{
    Timestamp,
    crew::{CANDIDATES_MAX, Candidate, CrewId, Grounds},
    organisation::OrgPath,
    ticket::TicketId,
};

use crate::{
    board::{Board, Crew},
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
    /// What every rule says of each crew of the ticket's unit for this ticket, the cheapest first and those that may not go
    /// last; `None` when the planner does not know the ticket. Of the unit are the crews within it, and those whose territory
    /// takes it in. The crew whose route it is in is weighed as the route stands, others
    /// at their cheapest place.
    /// For a ticket that is offered or that a crew has, the choice is weighed as though it were still to be made: whoever is
    /// engaged for it is free of it.
    #[must_use]
    pub fn explain(&self, board: &Board, ticket: TicketId, now: Timestamp) -> Option<Vec<Weighed>> {
        let engaged = engaged(board, ticket);
        if engaged.is_empty() {
            return self.weigh(ticket, of_its_unit(board, ticket), now);
        }
        let board = undecided(board, ticket, &engaged);
        let mut aside = self.clone();
        aside.disregard_told(ticket);
        aside.job_changed(ticket);
        engaged.iter().for_each(|crew| aside.crew_changed(crew));
        aside.settle(&board, now);
        aside.weigh(ticket, of_its_unit(&board, ticket), now)
    }

    /// Why this proposal, for whoever asks later: the crew first, then the next best of those that were worth trying.
    #[must_use]
    pub fn grounds(&self, proposal: &Proposal, now: Timestamp) -> Grounds {
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
        self.knows(ticket).then_some(weighed)
    }
}

/// The crews of the unit that answers for a ticket: those within it, and those whose territory takes it in.
fn of_its_unit(board: &Board, ticket: TicketId) -> impl Iterator<Item = &CrewId> {
    let unit = board.jobs.get(&ticket).map(|job| &job.holder);
    let concerned = move |crew: &&Crew, unit: &OrgPath| {
        unit.contains(crew.id.org()) || crew.territory.iter().any(|own| own.contains(unit))
    };
    board.crews.values().filter(move |crew| unit.is_some_and(|unit| concerned(crew, unit))).map(|crew| &crew.id)
}

/// The crews whose time is taken for a ticket.
fn engaged(board: &Board, ticket: TicketId) -> Vec<CrewId> {
    let taken = |crew: &&Crew| {
        crew.reserved.as_ref().is_some_and(|kept| kept.ticket == ticket)
            || crew.committed.iter().any(|(held, _)| *held == ticket)
    };
    board.crews.values().filter(taken).map(|crew| crew.id.clone()).collect()
}

/// The board as it would be if nobody were engaged for the ticket.
fn undecided(board: &Board, ticket: TicketId, engaged: &[CrewId]) -> Board {
    let mut board = board.clone();
    for crew in engaged {
        let Some(crew) = board.crews.get_mut(crew) else { continue };
        crew.reserved.take_if(|kept| kept.ticket == ticket);
        crew.committed.retain(|(held, _)| *held != ticket);
    }
    if let Some(job) = board.jobs.get_mut(&ticket) {
        job.offers.clear();
        job.crew = None;
        job.open = true;
    }
    board
}

/// Prices are kept to a hundredth of a minute: more digits are noise, and would not all be read back as they were written.
fn hundredths(price: f64) -> f64 {
    (price * 100.0).round() / 100.0
}

fn candidate(weighed: Weighed) -> Candidate {
    Candidate {
        crew: weighed.crew.org().clone(),
        prices: weighed.prices.into_iter().map(|(rule, price)| (rule.to_owned(), hundredths(price))).collect(),
        arrives: weighed.arrives,
        vetoes: weighed.vetoes.into_iter().map(str::to_owned).collect(),
    }
}
