//! The case file (工单档案): one ticket as every reader beside the engine sees it. It holds the data of the receipt, the
//! domain's state, the crews that have or had the ticket, and the place in the log. It is the only such fold: the
//! ticket list, the crews' streams, the linkage process and the dispatcher keep case files, and pages show one.
//!
//! It holds no personal data: callers are identified by keyed hashes only. The history that clocks are judged by is
//! another fold (`sla::clock_history`), because it orders facts by the instants at which they happened.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    fact::TicketFact,
    fingerprint::{Source, of_sources},
    organisation::OrgPath,
    sources,
    ticket::{
        TicketId,
        event::{Event, Received},
        evolve::evolve,
        state::Ticket,
        stint::{Before, Stints},
        vocabulary::{Category, Channel, ExternalRef, Place, Tier},
    },
};

/// The source files that decide what a case file is: its fold, the domain's fold, and the types of its parts.
const CODE: [Source; 13] = sources![
    "case_file.rs",
    "evolve.rs",
    "moves.rs",
    "path.rs",
    "state.rs",
    "stint.rs",
    "vocabulary.rs",
    "../crew.rs",
    "../crew/vocabulary.rs",
    "../decider.rs",
    "../fact.rs",
    "../organisation.rs",
    "../ticket.rs",
];

/// A fingerprint of the code that makes case files. A stored file with another fingerprint is rebuilt.
pub const CASE_FILE_CODE: u64 = of_sources(&CODE);

/// A case file: one ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFile {
    /// The ticket's id.
    pub id: TicketId,
    /// The ticket number, for people.
    pub number: String,
    /// The channel of the report.
    pub channel: Channel,
    /// The unit that received it.
    pub received_by: OrgPath,
    /// The customer's tier as known at intake.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The place on the grid. If the crew reported another kind of area on site, that one.
    #[serde(default)]
    pub place: Place,
    /// The number of customers without power, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customers_out: Option<u32>,
    /// The instant agreed with the customer at intake (约时).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub appointment: Option<Timestamp>,
    /// The number that another system gave to the ticket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalRef>,
    /// Keyed hash of the caller's phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_key: Option<String>,
    /// Keyed hash of the caller's account number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_key: Option<String>,
    /// Position of its first fact. It is unique, and breaks ties in every order.
    pub opened: u64,
    /// Position of its last fact.
    pub position: u64,
    /// Revision of its last fact.
    pub revision: u64,
    /// The instant at which its last fact happened.
    pub updated_at: Timestamp,
    /// The instant of the last reopening.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened_at: Option<Timestamp>,
    /// The instant at which it was closed or withdrawn; `None` again after a reopening.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The ticket as the domain sees it: stage, crew, holders and so on.
    pub ticket: Ticket,
    /// The crews that have or had the ticket, and the reason for the end of each stint and offer.
    pub stints: Stints,
}

impl CaseFile {
    /// Applies the next fact of the ticket. The receipt opens the file; before it there is none. Total: an event that
    /// `decide` never accepts, such as a second receipt, changes only the place in the log.
    pub fn apply(file: &mut Option<Self>, fact: &TicketFact) {
        *file = match (file.take(), &fact.event) {
            (None, Event::Received(received)) => Self::opened_by(received, fact),
            (None, _) => None,
            (Some(known), event) => {
                let known =
                    Self { position: fact.position, revision: fact.revision, updated_at: fact.occurred_at, ..known };
                if matches!(event, Event::Received(_)) { Some(known) } else { known.after(fact) }
            }
        };
    }

    fn opened_by(received: &Received, fact: &TicketFact) -> Option<Self> {
        let ticket = evolve(None, &fact.event, fact.occurred_at)?;
        let mut stints = Stints::default();
        stints.apply(&Before::default(), fact, &ticket);
        Some(Self {
            id: fact.id,
            number: received.number.clone(),
            channel: received.channel,
            received_by: received.received_by.clone(),
            tier: received.tier,
            place: received.place.clone(),
            customers_out: received.customers_out,
            appointment: received.appointment,
            external: received.external.clone(),
            phone_key: received.phone_key.clone(),
            account_key: received.account_key.clone(),
            opened: fact.position,
            position: fact.position,
            revision: fact.revision,
            updated_at: fact.occurred_at,
            reopened_at: None,
            ended_at: None,
            ticket,
            stints,
        })
    }

    fn after(mut self, fact: &TicketFact) -> Option<Self> {
        match &fact.event {
            Event::CrewArrived(e) => self.place.area = e.area.or(self.place.area),
            Event::Reopened(_) => self.reopened_at = Some(fact.occurred_at),
            _ => {}
        }
        let (before, ended_before) = (Before::of(&self.ticket), self.ticket.stage.is_ended());
        let ticket = evolve(Some(self.ticket), &fact.event, fact.occurred_at)?;
        self.stints.apply(&before, fact, &ticket);
        let ended_at = match (ended_before, ticket.stage.is_ended()) {
            (_, false) => None,
            (true, true) => self.ended_at,
            (false, true) => Some(fact.occurred_at),
        };
        Some(Self { ticket, ended_at, ..self })
    }

    /// Its present holder.
    #[must_use]
    pub fn holder(&self) -> &OrgPath {
        self.ticket.holder().unwrap_or(&self.received_by)
    }

    /// The audited category; else the confirmed one; else the accepted one.
    #[must_use]
    pub fn category(&self) -> Option<&Category> {
        let ticket = &self.ticket;
        [&ticket.audited_category, &ticket.confirmed_category, &ticket.accepted_category].into_iter().flatten().next()
    }

    /// True while the ticket is in flight: neither closed nor withdrawn.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.ticket.stage.is_ended()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files of this folder that do not affect the fold: commands, decisions, rejections, and the form of the facts.
    const APART: [&str; 7] =
        ["command.rs", "decide.rs", "event.rs", "laws.rs", "rejection.rs", "tests.rs", "validate.rs"];

    #[test]
    fn every_file_that_a_case_file_is_made_of_decides_its_code() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ticket");
        let mut seen = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if name.ends_with(".rs") {
                let named = CODE.iter().any(|(path, _)| *path == name);
                assert!(named != APART.contains(&name.as_str()), "{name} is named in one of the two lists");
                seen += 1;
            }
        }
        assert!(seen >= APART.len() + 7);
    }
}
