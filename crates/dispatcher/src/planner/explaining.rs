//! Explanations: the evaluation of all eligible crews for one ticket, for callers that ask and for the grounds of an
//! offer.

use switchboard_domain::{
    Timestamp,
    crew::{CANDIDATES_MAX, CrewId, Grounds},
    organisation::OrgPath,
    ticket::TicketId,
};

use super::{Planner, Proposal};
use crate::{
    board::{Board, Crew},
    explain::Weighed,
    model::Memory,
};

/// Other crews evaluated for the grounds of one proposal.
const WORTH_MAX: usize = 12;

impl Planner {
    /// The evaluation of each crew of the ticket's unit for this ticket, the cheapest first and forbidden crews last;
    /// `None` when the planner does not know the ticket. The unit's crews are those within it, and those whose
    /// territory contains it. A crew whose route contains the ticket is evaluated with that route; another crew with
    /// the ticket at its cheapest position. If the ticket is offered or assigned, it is evaluated as if it were open
    /// and had never been offered: the crews engaged for it count as free of it.
    #[must_use]
    pub fn explain(&self, board: &Board, ticket: TicketId, now: Timestamp) -> Option<Vec<Weighed>> {
        let engaged = engaged(board, ticket);
        if engaged.is_empty() {
            return self.weigh(ticket, of_its_unit(board, ticket), now);
        }
        let board = undecided(board, ticket, &engaged);
        let mut aside = self.aside();
        aside.job_changed(ticket);
        engaged.iter().for_each(|crew| aside.crew_changed(crew));
        aside.settle(&board, now);
        aside.weigh(ticket, of_its_unit(&board, ticket), now)
    }

    /// The grounds of a proposal, for the reservation: the proposed crew first, then the cheapest of the other crews
    /// worth trying.
    #[must_use]
    pub fn grounds(&self, proposal: &Proposal, now: Timestamp) -> Grounds {
        let job = self.job_index.index.get(&proposal.ticket);
        let worth_trying = job.map(|job| self.crews_for(*job, self.minutes(now))).unwrap_or_default();
        let others = worth_trying.iter().take(WORTH_MAX).map(|team| &self.roster.member(*team).id);
        let tried = others.filter(|crew| **crew != proposal.crew).chain(std::iter::once(&proposal.crew));
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
            candidates: weighed.into_iter().map(Into::into).collect(),
        }
    }

    /// The evaluations of the known crews among `crews`, the cheapest first; `None` when the ticket is unknown.
    fn weigh<'c>(
        &self,
        ticket: TicketId,
        crews: impl Iterator<Item = &'c CrewId>,
        now: Timestamp,
    ) -> Option<Vec<Weighed>> {
        let job = *self.job_index.index.get(&ticket)?;
        let teams = crews.filter_map(|crew| self.roster.index.get(crew));
        let mut weighed: Vec<Weighed> = teams.map(|team| self.weigh_one(job, *team, self.minutes(now))).collect();
        weighed.sort_by(|a, b| a.price.total_cmp(&b.price).then_with(|| a.crew.cmp(&b.crew)));
        Some(weighed)
    }

    /// A copy for trial computations, without the paused search, which is the largest part.
    fn aside(&self) -> Self {
        Self {
            policy: self.policy.clone(),
            frame: self.frame,
            searched_board: self.searched_board,
            job_index: self.job_index.clone(),
            roster: self.roster.clone(),
            timers: self.timers.clone(),
            jobs_marked: self.jobs_marked.clone(),
            crews_marked: self.crews_marked.clone(),
            attention: self.attention.clone(),
            underfilled: self.underfilled.clone(),
            settled: self.settled,
            name: self.name.clone(),
            storm: self.storm,
            load: self.load,
            pace: self.pace,
            slices: self.slices,
            searched: self.searched,
            searching: None,
            memory: Memory::default(),
        }
    }
}

/// The crews of the ticket's unit: those within it, and those whose territory contains it.
fn of_its_unit(board: &Board, ticket: TicketId) -> impl Iterator<Item = &CrewId> {
    let unit = board.jobs.get(&ticket).map(|job| &job.holder);
    let concerned = move |crew: &&Crew, unit: &OrgPath| {
        unit.contains(crew.id.org()) || crew.territory.iter().any(|own| own.contains(unit))
    };
    board.crews.values().filter(move |crew| unit.is_some_and(|unit| concerned(crew, unit))).map(|crew| &crew.id)
}

/// The crews whose time is reserved for or committed to a ticket.
fn engaged(board: &Board, ticket: TicketId) -> Vec<CrewId> {
    let taken = |crew: &&Crew| {
        crew.reserved.as_ref().is_some_and(|kept| kept.ticket == ticket)
            || crew.committed.iter().any(|(held, _)| *held == ticket)
    };
    board.crews.values().filter(taken).map(|crew| crew.id.clone()).collect()
}

/// The board as if no crew were engaged for the ticket.
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
        job.last_offered_to = None;
        job.open = true;
    }
    board
}
