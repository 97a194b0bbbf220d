//! How facts become a board: the case file of every open ticket and the state of every crew, both folded by the
//! domain, and what the planner sees of them. Total: whatever was recorded, there is a fold after it. Nothing is
//! chosen here.
//!
//! Bounded by open work, by the crews' commitments and by the crews that were ever enrolled: a ticket that has ended
//! is forgotten once no crew's time is taken for it, and told again if it is taken up again.

mod crew_record;
mod open_ticket;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use switchboard_domain::{
    Timestamp,
    actor::Role,
    crew::{self, COMMITMENTS_MAX, CrewId, Point},
    fact::{CrewFact, Fact, TicketFact},
    fingerprint::{Source, of_sources},
    sources,
    ticket::{Event, TicketId, case_file::CASE_FILE_CODE},
};

use self::open_ticket::Unfit;
pub use self::{crew_record::CrewRecord, open_ticket::OpenTicket};
use crate::{board::Board, cow_map::CowMap, policy::Policy};

/// The files that decide what the state is, beside those of a case file.
const CODE: [Source; 6] = sources![
    "cow_map.rs",
    "state.rs",
    "state/crew_record.rs",
    "state/open_ticket.rs",
    "../../domain/src/crew/evolve.rs",
    "../../domain/src/crew/state.rs",
];

/// Names the code that makes the state: a checkpoint that other code wrote is not read.
pub const STATE_CODE: u64 = of_sources(&CODE) ^ CASE_FILE_CODE;

/// Everything that the dispatcher remembers. A copy shares what neither it nor the original changes afterwards.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DispatchState {
    cases: CowMap<TicketId, OpenTicket>,
    members: CowMap<CrewId, CrewRecord>,
    /// Which crews' time is taken for a ticket, by a reservation or a commitment.
    taken: BTreeMap<TicketId, BTreeSet<CrewId>>,
    /// Which tickets a crew has, by the tickets' own streams.
    held: BTreeMap<CrewId, BTreeSet<TicketId>>,
    position: u64,
}

/// What one fact changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// These tickets.
    pub tickets: BTreeSet<TicketId>,
    /// These crews.
    pub crews: BTreeSet<CrewId>,
}

impl DispatchState {
    /// Position of the last fact that it was told.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// A ticket that is open, or that a crew's time is taken for.
    #[must_use]
    pub fn case(&self, ticket: TicketId) -> Option<&OpenTicket> {
        self.cases.get(&ticket)
    }

    /// A crew of the roster.
    #[must_use]
    pub fn member(&self, crew: &CrewId) -> Option<&CrewRecord> {
        self.members.get(crew)
    }

    /// The crews whose time is taken for a ticket.
    pub fn taken_for(&self, ticket: TicketId) -> impl Iterator<Item = &CrewId> {
        self.taken.get(&ticket).into_iter().flatten()
    }

    /// The ticket that is to be told again before `fact`: it had ended, or become something that takes no crew, and is taken up again.
    #[must_use]
    pub fn forgotten(&self, fact: &Fact) -> Option<TicketId> {
        let fact = fact.ticket()?;
        let again = fact.revision > 0 && matches!(fact.event, Event::Reopened(_) | Event::Returned(_));
        (again && !self.cases.contains_key(&fact.id)).then_some(fact.id)
    }

    /// Takes the next fact into account; or one that it was told before, of a ticket that it let go.
    pub fn apply(&mut self, fact: &Fact) -> Touched {
        let again = fact.position() <= self.position;
        self.position = self.position.max(fact.position());
        match fact {
            Fact::Ticket(fact) => self.take_ticket(fact, again),
            Fact::Crew(fact) => self.take_crew(fact),
            Fact::Promise(_) | Fact::Policy(_) | Fact::Year(_) => Touched::default(),
        }
    }

    /// Takes telemetry into account: the crew was heard of, perhaps with its position. Older news is no news.
    pub fn heard(&mut self, crew: &CrewId, at: Option<(Point, Timestamp)>, seen: Timestamp) -> bool {
        let Some(member) = self.members.get_mut(crew) else { return false };
        member.seen = member.seen.max(seen);
        if let Some((point, when)) = at.filter(|(_, when)| *when >= member.at_since) {
            (member.at, member.at_since) = (point, when);
        }
        true
    }

    fn take_ticket(&mut self, fact: &TicketFact, again: bool) -> Touched {
        let mut touched = Touched { tickets: BTreeSet::from([fact.id]), crews: BTreeSet::new() };
        let known = self.cases.take(&fact.id);
        let before = known.as_ref().and_then(holder);
        touched.crews.extend(before.clone());
        let restored_before = known.as_ref().is_some_and(|case| case.file.ticket.crew.restored.is_some());
        touched.crews.extend(self.taken_for(fact.id).cloned());
        let case = OpenTicket::apply(known, fact);
        if !again {
            touched.crews.extend(self.notice_crew(fact, case.as_ref(), restored_before));
        }
        // A history that is told again ends with the fact that takes the ticket up: until then it is kept, though it has ended.
        // So is a ticket that a crew's time is still taken for: the crew is released for the reason in its case file.
        let kept = case.filter(|case| again || case.is_open() || self.taken.contains_key(&fact.id));
        self.hold(fact.id, before.as_ref(), kept.as_ref().and_then(holder));
        if let Some(case) = kept {
            touched.crews.extend(holder(&case));
            self.cases.insert(fact.id, case);
        }
        touched
    }

    /// What a ticket's fact says about the crew that reported it, which is the answer: it was heard of, and where it is.
    fn notice_crew(&mut self, fact: &TicketFact, case: Option<&OpenTicket>, restored_before: bool) -> Option<CrewId> {
        let crew = CrewId::of(&fact.actor.org).filter(|_| fact.actor.role == Role::Crew)?;
        let member = self.members.get_mut(&crew)?;
        member.seen = member.seen.max(fact.recorded_at);
        let Some(case) = case else { return Some(crew) };
        let here = matches!(fact.event, Event::CrewArrived(_) | Event::CrewRestored(_));
        if let Some(at) = case.at().filter(|_| here && fact.occurred_at >= member.at_since) {
            (member.at, member.at_since) = (at, fact.occurred_at);
        }
        // Of a crew that has it no longer, the sheet is not the ticket's; what is corrected was counted; and a shift's work begins
        // with the shift, whatever a device says.
        let ticket = &case.file.ticket;
        let counts = ticket.holder() == Some(&fact.actor.org) && !restored_before;
        let began = member.crew.shift.as_ref().map(|shift| shift.since);
        if let (Event::CrewRestored(_), Some(arrived), true) = (&fact.event, ticket.crew.arrived, counts) {
            let worked = (fact.occurred_at - arrived.max(began.unwrap_or(arrived))).num_seconds().max(0);
            member.worked_seconds = member.worked_seconds.saturating_add(worked);
        }
        Some(crew)
    }

    fn take_crew(&mut self, fact: &CrewFact) -> Touched {
        let mut touched = Touched { tickets: BTreeSet::new(), crews: BTreeSet::from([fact.id.clone()]) };
        let known = self.members.take(&fact.id);
        let commitments_before = known.as_ref().map_or(0, |member| member.crew.commitments.len());
        let was_enrolled = known.as_ref().is_some_and(|member| member.crew.enrolled);
        if known.is_none() && !matches!(fact.event, crew::Event::Enrolled(_)) {
            return touched;
        }
        let state = known.as_ref().map(|member| member.crew.clone());
        let Some(crew) = crew::evolve(state, &fact.event, fact.occurred_at) else { return touched };
        let mut member = known.unwrap_or_else(|| CrewRecord::new(crew.clone(), fact));
        member.take(crew, fact);
        // What becomes of its tickets hangs on whether it is there.
        touched.tickets.extend(member.crew.commitments.iter().map(|held| held.ticket));
        self.index(&fact.id, &fact.event, &mut touched);
        let had_no_room = matches!(fact.event, crew::Event::Released(_)) && commitments_before >= COMMITMENTS_MAX;
        if was_enrolled != member.crew.enrolled || had_no_room {
            // A crew may have tickets from before the roster knew it, after, and more than its time could be given to.
            touched.tickets.extend(self.held.get(&fact.id).into_iter().flatten());
        }
        self.members.insert(fact.id.clone(), member);
        touched
    }

    /// Notes which crew has a ticket, in place of the one that had it.
    fn hold(&mut self, ticket: TicketId, before: Option<&CrewId>, after: Option<CrewId>) {
        if before == after.as_ref() {
            return;
        }
        if let Some((crew, held)) = before.and_then(|crew| Some((crew, self.held.get_mut(crew)?))) {
            held.remove(&ticket);
            if held.is_empty() {
                self.held.remove(crew);
            }
        }
        if let Some(crew) = after {
            self.held.entry(crew).or_default().insert(ticket);
        }
    }

    fn index(&mut self, crew: &CrewId, event: &crew::Event, touched: &mut Touched) {
        let ticket = match event {
            crew::Event::Reserved(e) => e.ticket,
            crew::Event::Committed(e) => e.ticket,
            crew::Event::Released(e) => e.ticket,
            _ => return,
        };
        touched.tickets.insert(ticket);
        if matches!(event, crew::Event::Released(_)) {
            if let Some(crews) = self.taken.get_mut(&ticket) {
                crews.remove(crew);
                if crews.is_empty() {
                    self.taken.remove(&ticket);
                    if self.cases.get(&ticket).is_some_and(|case| !case.is_open()) {
                        let ended = self.cases.take(&ticket);
                        self.hold(ticket, ended.as_ref().and_then(holder).as_ref(), None);
                    }
                }
            }
        } else {
            self.taken.entry(ticket).or_default().insert(crew.clone());
        }
    }

    /// Brings a board in line with what was touched.
    pub fn show(&self, board: &mut Board, touched: &Touched, policy: &Policy) {
        for ticket in &touched.tickets {
            match self.cases.get(ticket).and_then(|case| case.job(*ticket, policy)) {
                Some(job) => board.jobs.insert(*ticket, job),
                None => drop(board.jobs.remove(ticket)),
            }
        }
        for id in &touched.crews {
            match self.members.get(id).filter(|member| member.is_there()) {
                Some(member) => board.crews.insert(id.clone(), member.crew(id)),
                None => drop(board.crews.remove(id)),
            }
        }
    }

    /// A crew that the ticket could not be offered to after all is not asked for it again before then, unless the ticket changes.
    /// `refused` = it was the ticket that would not have it; else the crew's time could not be kept.
    pub fn turn_down(&mut self, ticket: TicketId, crew: &CrewId, until: Timestamp, refused: bool) {
        if let Some(case) = self.cases.get_mut(&ticket) {
            let refused = refused || case.refuses(crew);
            case.unfit.insert(crew.clone(), Unfit { position: case.file.position, until, refused });
        }
    }

    /// All that there is, as though everything had been touched.
    #[must_use]
    pub fn everything(&self) -> Touched {
        Touched { tickets: self.cases.keys().copied().collect(), crews: self.members.keys().cloned().collect() }
    }
}

/// The crew that holds a ticket.
fn holder(case: &OpenTicket) -> Option<CrewId> {
    case.file.stints.present.as_ref().map(|stint| stint.crew.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_that_the_state_is_made_of_decides_its_code() {
        let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let parts = std::fs::read_dir(source.join("state")).unwrap();
        let parts = parts.map(|part| format!("state/{}", part.unwrap().file_name().to_str().unwrap()));
        let crew = std::fs::read_dir(source.join("../../domain/src/crew")).unwrap();
        let crew = crew.map(|part| part.unwrap().file_name().into_string().unwrap());
        // Words are among the case file's; the others say what may be asked and refused, and the form of the facts.
        let apart = ["command.rs", "decide.rs", "event.rs", "laws.rs", "rejection.rs", "tests.rs", "vocabulary.rs"];
        let crew = crew.filter(|name| name.ends_with(".rs") && !apart.contains(&name.as_str()));
        let crew = crew.map(|name| format!("../../domain/src/crew/{name}"));
        let mut wanted: BTreeSet<String> = parts.chain(crew).collect();
        wanted.extend(["state.rs", "cow_map.rs"].map(str::to_owned));
        assert_eq!(wanted, CODE.iter().map(|(path, _)| (*path).to_owned()).collect());
    }
}
