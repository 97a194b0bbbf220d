//! The fold of facts into the dispatcher's state: the case file of every open ticket and the state of every crew, both
//! folded by the domain. It also derives the planner's board from the state. The fold is total: it accepts every
//! recorded fact. Nothing is chosen here.
//!
//! The size is bounded by the open tickets, the crews' commitments, and the crews ever enrolled. A ticket that has
//! ended is dropped once no crew's time is taken for it. If it is taken up again, its history is replayed.

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

/// The source files that determine the state, besides those of a case file.
const CODE: [Source; 6] = sources![
    "cow_map.rs",
    "state.rs",
    "state/crew_record.rs",
    "state/open_ticket.rs",
    "../../domain/src/crew/evolve.rs",
    "../../domain/src/crew/state.rs",
];

/// The fingerprint of the code that produces the state. A checkpoint of other code is not read.
pub const STATE_CODE: u64 = of_sources(&CODE) ^ CASE_FILE_CODE;

/// The folded state of the dispatcher. A copy shares all entries that neither it nor the original changes afterwards.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DispatchState {
    cases: CowMap<TicketId, OpenTicket>,
    members: CowMap<CrewId, CrewRecord>,
    /// The crews whose time is reserved for or committed to each ticket.
    taken: BTreeMap<TicketId, BTreeSet<CrewId>>,
    /// The tickets that each crew holds, according to the tickets' streams.
    held: BTreeMap<CrewId, BTreeSet<TicketId>>,
    position: u64,
}

/// The tickets and crews that a fact changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// The changed tickets.
    pub tickets: BTreeSet<TicketId>,
    /// The changed crews.
    pub crews: BTreeSet<CrewId>,
}

impl DispatchState {
    /// Position of the last fact applied.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// A ticket that is open, or for which a crew's time is taken.
    #[must_use]
    pub fn case(&self, ticket: TicketId) -> Option<&OpenTicket> {
        self.cases.get(&ticket)
    }

    /// A crew that was ever enrolled.
    #[must_use]
    pub fn member(&self, crew: &CrewId) -> Option<&CrewRecord> {
        self.members.get(crew)
    }

    /// The crews whose time is reserved for or committed to a ticket.
    pub fn taken_for(&self, ticket: TicketId) -> impl Iterator<Item = &CrewId> {
        self.taken.get(&ticket).into_iter().flatten()
    }

    /// The ticket whose history must be replayed before `fact`. It was dropped when it ended or became work without a
    /// crew, and `fact` takes it up again.
    #[must_use]
    pub fn forgotten(&self, fact: &Fact) -> Option<TicketId> {
        let fact = fact.ticket()?;
        let again = fact.revision > 0 && matches!(fact.event, Event::Reopened(_) | Event::Returned(_));
        (again && !self.cases.contains_key(&fact.id)).then_some(fact.id)
    }

    /// Applies the next fact, or replays an earlier fact of a ticket that was dropped.
    pub fn apply(&mut self, fact: &Fact) -> Touched {
        let again = fact.position() <= self.position;
        self.position = self.position.max(fact.position());
        match fact {
            Fact::Ticket(fact) => self.take_ticket(fact, again),
            Fact::Crew(fact) => self.take_crew(fact),
            Fact::Promise(_) | Fact::Policy(_) | Fact::Year(_) => Touched::default(),
        }
    }

    /// Takes telemetry: a sign of activity of a crew, perhaps with its position. A position older than the known one is
    /// ignored. Returns false for an unknown crew.
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
        // A replayed history ends with the fact that takes the ticket up again; until then the ended ticket is kept. A
        // ticket for which a crew's time is taken is kept too, because the reason for the crew's release is in its case
        // file.
        let kept = case.filter(|case| again || case.is_open() || self.taken.contains_key(&fact.id));
        self.hold(fact.id, before.as_ref(), kept.as_ref().and_then(holder));
        if let Some(case) = kept {
            touched.crews.extend(holder(&case));
            self.cases.insert(fact.id, case);
        }
        touched
    }

    /// Updates the activity, position and time on site of the crew that reported a ticket's fact. Returns this crew.
    fn notice_crew(&mut self, fact: &TicketFact, case: Option<&OpenTicket>, restored_before: bool) -> Option<CrewId> {
        let crew = CrewId::of(&fact.actor.org).filter(|_| fact.actor.role == Role::Crew)?;
        let member = self.members.get_mut(&crew)?;
        member.seen = member.seen.max(fact.recorded_at);
        let Some(case) = case else { return Some(crew) };
        let here = matches!(fact.event, Event::CrewArrived(_) | Event::CrewRestored(_));
        if let Some(at) = case.at().filter(|_| here && fact.occurred_at >= member.at_since) {
            (member.at, member.at_since) = (at, fact.occurred_at);
        }
        // Time on site counts only if the crew holds the ticket, and only once: later reports correct the first. It
        // starts with the shift at the earliest, because a device's clock may be wrong.
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
        // The actions for the crew's tickets depend on the crew's state.
        touched.tickets.extend(member.crew.commitments.iter().map(|held| held.ticket));
        self.index(&fact.id, &fact.event, &mut touched);
        let had_no_room = matches!(fact.event, crew::Event::Released(_)) && commitments_before >= COMMITMENTS_MAX;
        if was_enrolled != member.crew.enrolled || had_no_room {
            // A crew may hold tickets from before its enrolment or after its dismissal, and more than its time can be
            // committed to.
            touched.tickets.extend(self.held.get(&fact.id).into_iter().flatten());
        }
        self.members.insert(fact.id.clone(), member);
        touched
    }

    /// Records which crew holds a ticket, and removes it from the former holder.
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

    /// Updates a board for everything in `touched`.
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

    /// Excludes a crew from a ticket until `until` or the ticket's next fact, because it could not be offered to the
    /// crew. `refused` means that the ticket refused the offer; otherwise the crew could not be reserved.
    pub fn turn_down(&mut self, ticket: TicketId, crew: &CrewId, until: Timestamp, refused: bool) {
        if let Some(case) = self.cases.get_mut(&ticket) {
            let refused = refused || case.refuses(crew);
            case.unfit.insert(crew.clone(), Unfit { position: case.file.position, until, refused });
        }
    }

    /// All tickets and crews, as if each had changed.
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
        // `vocabulary.rs` is one of the case file's sources. The others define commands, rejections, events and tests.
        let apart = ["command.rs", "decide.rs", "event.rs", "laws.rs", "rejection.rs", "tests.rs", "vocabulary.rs"];
        let crew = crew.filter(|name| name.ends_with(".rs") && !apart.contains(&name.as_str()));
        let crew = crew.map(|name| format!("../../domain/src/crew/{name}"));
        let mut wanted: BTreeSet<String> = parts.chain(crew).collect();
        wanted.extend(["state.rs", "cow_map.rs"].map(str::to_owned));
        assert_eq!(wanted, CODE.iter().map(|(path, _)| (*path).to_owned()).collect());
    }
}
