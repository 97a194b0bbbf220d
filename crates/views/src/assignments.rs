//! What is a crew offered, what has it, and what is it told as that changes?
//!
//! Offers and assignments stand on the tickets' streams: who has a ticket, and which offers of it are live, is asked
//! of its case file before and after each fact, and the difference is what crews are told. Of the crews' streams only
//! their standing is kept. Absent on purpose: the crew's own reports, which it need not be told, and everything
//! personal.

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

/// The files that decide who is told what, beside those of a case file.
const CODE: [Source; 3] = sources!["assignments.rs", "assignments/changes.rs", "assignments/standing.rs"];

/// Names the code that decides who is told what: an index of what was told that other code made is made again.
pub const TOLD_CODE: u64 = of_sources(&CODE) ^ CASE_FILE_CODE;

/// What a crew needs to know of a ticket to set out.
#[derive(Clone, Debug, PartialEq)]
pub struct Brief {
    /// The ticket.
    pub ticket: TicketId,
    /// The number that people use.
    pub number: String,
    /// Where on the grid.
    pub place: Place,
    /// Category as accepted.
    pub category: Option<Category>,
    /// Urgency.
    pub urgency: Urgency,
    /// Customers without power, where known.
    pub customers_out: Option<u32>,
    /// When the customer reported.
    pub reported: Timestamp,
    /// Whether the one who spoke is hidden: the place may then lead to nobody's door.
    pub confidential: bool,
}

/// An offer that may be accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// Its identity.
    pub offer: OfferId,
    /// The fence to carry with accept and decline.
    pub fence: u64,
    /// When its lease ends; a fact ends it, not the clock.
    pub lease_until: Timestamp,
    /// For life safety or an important customer.
    pub priority: bool,
    /// Whether a person chose the crew.
    pub forced: bool,
    /// The ticket.
    pub ticket: Arc<Brief>,
}

/// A ticket that a crew has.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The ticket.
    pub ticket: Arc<Brief>,
    /// The offer that it came by, if it came by one.
    pub offer: Option<OfferId>,
    /// Since when.
    pub since: Timestamp,
}

/// What a crew is told.
#[derive(Clone, Debug, PartialEq)]
pub enum AssignmentChange {
    /// An offer was made.
    Offered(Offer),
    /// An offer ended without the crew having the ticket.
    OfferGone {
        /// Which.
        offer: OfferId,
        /// Of this ticket.
        ticket: TicketId,
        /// Why.
        why: ReleaseReason,
    },
    /// The crew has a ticket.
    Assigned(Assignment),
    /// The crew has it no longer, by [`Ticket::assigned_to`](switchboard_domain::ticket::Ticket::assigned_to).
    /// Restoration does not end it: the app hears `done` at the reply, the crew's stream says `done` when power is
    /// back.
    Ended {
        /// The ticket.
        ticket: TicketId,
        /// Why.
        why: ReleaseReason,
    },
    /// Something happened to a ticket that the crew has; the fact itself says what.
    News {
        /// The ticket.
        ticket: TicketId,
    },
}

/// What one fact changed for one crew: at most one change for each of both.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The fact's place in the log.
    pub position: u64,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When the engine learnt it.
    pub recorded_at: Timestamp,
    /// What the crew is told of it.
    pub told: AssignmentChange,
}

/// All that a crew is offered and has, the oldest ticket first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Live offers.
    pub offers: Vec<Offer>,
    /// Tickets that it has.
    pub assignments: Vec<Assignment>,
}

/// The fold. Bounded by the open tickets and the crews of the roster: a ticket that ended is let go.
#[derive(Clone, Debug, Default)]
pub struct Assignments {
    tickets: BTreeMap<TicketId, CaseFile>,
    /// The tickets that are offered to a crew or that it has.
    of_crew: BTreeMap<CrewId, BTreeSet<TicketId>>,
    crews: BTreeMap<CrewId, Standing>,
}

impl Assignments {
    /// A fold that knows these crews, and no ticket: each is recalled when it is needed, see [`Self::forgotten`].
    #[must_use]
    pub fn resume(crews: BTreeMap<CrewId, Standing>) -> Self {
        Self { crews, ..Self::default() }
    }

    /// The ticket whose history is to be recalled before this fact is applied: one that was let go, or was never known.
    #[must_use]
    pub fn forgotten(&self, fact: &Fact) -> Option<TicketId> {
        let fact = fact.ticket()?;
        (fact.revision > 0 && !self.tickets.contains_key(&fact.id)).then_some(fact.id)
    }

    /// Takes a ticket's history up to the next fact into account; nobody is told anything of it.
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

    /// Takes the next fact into account; who is told what of it.
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
            // A ticket that ended is let go; a history that goes on after that is recalled.
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

    /// All that a crew is offered and has.
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

    /// How a crew of the roster stands; `None` when the roster does not know it.
    #[must_use]
    pub fn standing(&self, crew: &CrewId) -> Option<&Standing> {
        self.crews.get(crew)
    }

    /// Whether the crew has a ticket on which power is not back yet: what it takes to be out on the road past the shift's end.
    #[must_use]
    pub fn has_work(&self, crew: &CrewId) -> bool {
        let mut tickets = self.of_crew.get(crew).into_iter().flatten().filter_map(|id| self.tickets.get(id));
        tickets.any(|file| file.ticket.crew.restored.is_none() && file.ticket.assigned_to().as_ref() == Some(crew))
    }

    /// Whether some crew is offered the ticket or has it.
    #[must_use]
    pub fn concerns_a_crew(&self, ticket: TicketId) -> bool {
        self.tickets.get(&ticket).is_some_and(|file| !concerned(file).is_empty())
    }

    /// How many tickets and crews are in memory.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.tickets.len(), self.crews.len())
    }
}

/// The crews that an open ticket is offered to or that have it. A ticket that ended concerns no crew, also while its
/// history is recalled because a fact takes it up again.
fn concerned(file: &CaseFile) -> BTreeSet<CrewId> {
    if file.is_open() { changes::crews(file) } else { BTreeSet::new() }
}

/// What one crew was told of one ticket, from the ticket's whole history: the same as it was told then.
#[must_use]
pub fn replay_changes<'f>(crew: &CrewId, history: impl IntoIterator<Item = &'f TicketFact>) -> Vec<Change> {
    let mut known = None;
    let told = history.into_iter().flat_map(|fact| changes::apply(&mut known, fact));
    told.filter(|(to, _)| to == crew).map(|(_, change)| change).collect()
}
