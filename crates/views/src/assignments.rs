//! Assignment changes: the offers and tickets of each crew, and the messages to the crew's app when they change.
//!
//! The tickets' streams hold offers and assignments. The case file of a ticket says which crew has it and which offers
//! are live. The difference between the case file before a fact and after it gives the messages to crews. Of the crews'
//! streams only the shift and the position are kept (`Standing`). Absent on purpose: personal data, and messages
//! about the crew's own reports.

mod changes;
mod standing;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use switchboard_domain::{
    Timestamp,
    crew::{CrewId, OfferId, ReleaseReason},
    fact::{Fact, TicketFact},
    fingerprint::{Source, of_sources},
    sources,
    ticket::{CaseFile, Category, Place, TicketId, Urgency, case_file::CASE_FILE_CODE},
};

pub use self::standing::Standing;

/// The source files that decide the assignment changes, besides those of a case file.
const CODE: [Source; 3] = sources!["assignments.rs", "assignments/changes.rs", "assignments/standing.rs"];

/// A fingerprint of the code that computes assignment changes. An index that other code made is rebuilt.
pub const TOLD_CODE: u64 = of_sources(&CODE) ^ CASE_FILE_CODE;

/// The data of a ticket that a crew needs before it sets out.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    /// The ticket.
    pub ticket: TicketId,
    /// The ticket number, for people.
    pub number: String,
    /// The place on the grid.
    pub place: Place,
    /// The accepted category.
    pub category: Option<Category>,
    /// The urgency.
    pub urgency: Urgency,
    /// The number of customers without power, if known.
    pub customers_out: Option<u32>,
    /// The instant of the customer's report.
    pub reported: Timestamp,
    /// True when the caller's identity is hidden. The place must then not be used to find the caller.
    pub confidential: bool,
}

/// An offer that may be accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// The offer's id.
    pub offer: OfferId,
    /// The fence that accept and decline must carry.
    pub fence: u64,
    /// The end of its lease. The offer stays live until a fact ends it.
    pub lease_until: Timestamp,
    /// True for life safety or an important customer.
    pub priority: bool,
    /// True when a person chose the crew.
    pub forced: bool,
    /// The ticket.
    pub ticket: Arc<Brief>,
}

/// A ticket that a crew has.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The ticket.
    pub ticket: Arc<Brief>,
    /// The offer that the crew accepted; `None` when a person assigned the ticket.
    pub offer: Option<OfferId>,
    /// The instant at which the crew got the ticket.
    pub since: Timestamp,
}

/// A message to a crew's app.
#[derive(Clone, Debug, PartialEq)]
pub enum AssignmentChange {
    /// An offer was made.
    Offered(Offer),
    /// An offer ended without the crew having the ticket.
    OfferGone {
        /// The offer.
        offer: OfferId,
        /// The ticket of the offer.
        ticket: TicketId,
        /// The reason.
        why: ReleaseReason,
    },
    /// The crew got the ticket.
    Assigned(Assignment),
    /// The crew no longer has the ticket, as [`Ticket::assigned_to`](switchboard_domain::ticket::Ticket::assigned_to)
    /// defines it. Restoration does not end the assignment: the app gets `done` at the reply, and the crew's stream
    /// says `done` when power is back.
    Ended {
        /// The ticket.
        ticket: TicketId,
        /// The reason.
        why: ReleaseReason,
    },
    /// Something else happened to a ticket that the crew has. The fact itself has the details.
    News {
        /// The ticket.
        ticket: TicketId,
    },
}

/// A message to one crew because of one fact. A fact causes at most one message for each crew.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The position of the fact in the log.
    pub position: u64,
    /// The instant at which the fact happened.
    pub occurred_at: Timestamp,
    /// The instant at which the engine recorded it.
    pub recorded_at: Timestamp,
    /// The message.
    pub told: AssignmentChange,
}

/// All offers and tickets of a crew, the oldest ticket first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// The live offers.
    pub offers: Vec<Offer>,
    /// The tickets that the crew has.
    pub assignments: Vec<Assignment>,
}

/// The fold. Its size is bounded by the open tickets and the crews of the roster: an ended ticket is dropped.
#[derive(Clone, Debug, Default)]
pub struct Assignments {
    tickets: BTreeMap<TicketId, CaseFile>,
    /// The tickets that are offered to a crew, or that it has.
    of_crew: BTreeMap<CrewId, BTreeSet<TicketId>>,
    crews: BTreeMap<CrewId, Standing>,
}

impl Assignments {
    /// A fold with these crews and no tickets. The caller passes in the history of each ticket when it is needed: see
    /// [`Self::forgotten`].
    #[must_use]
    pub fn resume(crews: BTreeMap<CrewId, Standing>) -> Self {
        Self { crews, ..Self::default() }
    }

    /// The ticket whose history `Self::recall` needs before this fact is applied: it was dropped, or never seen.
    #[must_use]
    pub fn forgotten(&self, fact: &Fact) -> Option<TicketId> {
        let fact = fact.ticket()?;
        (fact.revision > 0 && !self.tickets.contains_key(&fact.id)).then_some(fact.id)
    }

    /// Applies a ticket's history up to the next fact. It causes no messages.
    pub fn recall<'f>(&mut self, history: impl IntoIterator<Item = &'f TicketFact>) {
        let mut known: Option<CaseFile> = None;
        for fact in history {
            CaseFile::apply(&mut known, fact);
        }
        if let Some(known) = known {
            self.index(known.id, &BTreeSet::new(), &concerned(&known));
            self.tickets.insert(known.id, known);
        }
    }

    /// Applies the next fact, and returns the messages to crews.
    pub fn apply(&mut self, fact: &Fact) -> Vec<(CrewId, Change)> {
        match fact {
            Fact::Ticket(fact) => self.ticket(fact),
            Fact::Crew(fact) => {
                let standing = self.crews.entry(fact.id.clone()).or_default();
                standing.apply(&fact.event, fact.occurred_at);
                if !standing.enrolled {
                    self.crews.remove(&fact.id);
                }
                Vec::new()
            }
            Fact::Promise(_) | Fact::Policy(_) | Fact::Year(_) => Vec::new(),
        }
    }

    fn ticket(&mut self, fact: &TicketFact) -> Vec<(CrewId, Change)> {
        let mut known = self.tickets.remove(&fact.id);
        let before = known.as_ref().map(concerned).unwrap_or_default();
        let changes = changes::apply(&mut known, fact);
        if let Some(known) = known {
            // An ended ticket is dropped. If its history continues later, the caller passes it in again.
            self.index(fact.id, &before, &concerned(&known));
            if known.is_open() {
                self.tickets.insert(fact.id, known);
            }
        }
        changes
    }

    fn index(&mut self, id: TicketId, before: &BTreeSet<CrewId>, after: &BTreeSet<CrewId>) {
        for crew in before.difference(after) {
            if let Some(tickets) = self.of_crew.get_mut(crew) {
                tickets.remove(&id);
                if tickets.is_empty() {
                    self.of_crew.remove(crew);
                }
            }
        }
        for crew in after.difference(before) {
            self.of_crew.entry(crew.clone()).or_default().insert(id);
        }
    }

    /// All offers and tickets of a crew.
    #[must_use]
    pub fn snapshot(&self, crew: &CrewId) -> Snapshot {
        let tickets = self.of_crew.get(crew).into_iter().flatten().filter_map(|id| self.tickets.get(id));
        let mut tickets: Vec<&CaseFile> = tickets.collect();
        tickets.sort_by_key(|file| (file.ticket.received, file.id));
        let mut snapshot = Snapshot::default();
        for file in tickets {
            snapshot.offers.extend(changes::offers_to(file, crew));
            snapshot.assignments.extend(changes::assignment_of(file, crew));
        }
        snapshot
    }

    /// The standing of a crew; `None` when it is not on the roster.
    #[must_use]
    pub fn standing(&self, crew: &CrewId) -> Option<&Standing> {
        self.crews.get(crew)
    }

    /// True when the crew has a ticket on which power is not restored. Only such a crew counts as on shift after the
    /// planned end of its shift.
    #[must_use]
    pub fn has_work(&self, crew: &CrewId) -> bool {
        let mut tickets = self.of_crew.get(crew).into_iter().flatten().filter_map(|id| self.tickets.get(id));
        tickets.any(|file| file.ticket.crew.restored.is_none() && file.ticket.assigned_to().as_ref() == Some(crew))
    }

    /// True when the ticket is offered to a crew, or a crew has it.
    #[must_use]
    pub fn concerns_a_crew(&self, ticket: TicketId) -> bool {
        self.tickets.get(&ticket).is_some_and(|file| !concerned(file).is_empty())
    }

    /// The numbers of tickets and crews in memory.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.tickets.len(), self.crews.len())
    }
}

/// The crews that an open ticket is offered to or that have it. An ended ticket has none, also while its history is
/// passed in again.
fn concerned(file: &CaseFile) -> BTreeSet<CrewId> {
    if file.is_open() { changes::crews(file) } else { BTreeSet::new() }
}

/// The messages to one crew about one ticket, computed from the ticket's whole history. They equal the messages that
/// were sent at the time.
#[must_use]
pub fn replay_changes<'f>(crew: &CrewId, history: impl IntoIterator<Item = &'f TicketFact>) -> Vec<Change> {
    let mut known = None;
    let told = history.into_iter().flat_map(|fact| changes::apply(&mut known, fact));
    told.filter(|(to, _)| to == crew).map(|(_, change)| change).collect()
}
