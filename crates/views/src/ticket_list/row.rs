//! One line of the list, folded fact by fact. It holds no personal data: callers are known by keyed hashes alone.

use serde::{Deserialize, Serialize};
use switchboard_domain::{
    Timestamp,
    organisation::OrgPath,
    ticket::{Category, Channel, Event, ExternalRef, Ticket, TicketId, event::Received, evolve},
};

use crate::Fact;

/// A fingerprint of the code that makes rows: a keeper of rows that finds another one rebuilds. Nobody has to remember
/// a version number, and a mere change of layout costs one rebuild.
pub const ROW_CODE: u64 = fingerprint(&[
    include_str!("row.rs"),
    include_str!("field.rs"),
    include_str!("../../../domain/src/ticket/evolve.rs"),
    include_str!("../../../domain/src/ticket/path.rs"),
    include_str!("../../../domain/src/ticket/state.rs"),
]);

/// FNV-1a over all parts: stable over processes and releases, and no protection against anybody.
#[must_use]
pub const fn fingerprint(parts: &[&str]) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut part = 0;
    while part < parts.len() {
        let bytes = parts[part].as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
            at += 1;
        }
        // A byte that no text holds, so that ["ab"] and ["a", "b"] differ.
        hash = (hash ^ 0xff).wrapping_mul(0x0100_0000_01b3);
        part += 1;
    }
    hash
}

/// One ticket in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The ticket.
    pub id: TicketId,
    /// The number that people use.
    pub number: String,
    /// Where it came in.
    pub channel: Channel,
    /// The unit that received it.
    pub received_by: OrgPath,
    /// Customers without power, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customers_out: Option<u32>,
    /// Another system's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalRef>,
    /// Keyed hash of the caller's phone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_key: Option<String>,
    /// Keyed hash of the caller's account number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_key: Option<String>,
    /// Position of its first fact: unique, and the tie-break of every order.
    pub opened: u64,
    /// Position of its last fact.
    pub position: u64,
    /// Revision of its last fact.
    pub revision: u64,
    /// When its last fact happened.
    pub updated_at: Timestamp,
    /// When it was closed or withdrawn; a reopening takes it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// The ticket as the domain sees it: stage, crew, holders and the rest.
    pub ticket: Ticket,
}

impl Row {
    /// Takes the next fact of the row's ticket into account. A ticket's first fact opens it; before that there is no row.
    /// What `decide` would never have written changes nothing but the row's place in the log.
    pub fn apply(row: &mut Option<Self>, fact: &Fact) {
        match (row.take(), &fact.event) {
            (None, Event::Received(received)) => *row = Self::opened_by(received, fact),
            (None, _) => {}
            (Some(mut known), event) => {
                known.position = fact.position;
                known.revision = fact.revision;
                known.updated_at = fact.occurred_at;
                if matches!(event, Event::Received(_)) {
                    *row = Some(known);
                    return;
                }
                let ended_before = known.ticket.stage.is_ended();
                let Some(ticket) = evolve(Some(known.ticket), event, fact.occurred_at) else { return };
                let ended_at = match (ended_before, ticket.stage.is_ended()) {
                    (_, false) => None,
                    (true, true) => known.ended_at,
                    (false, true) => Some(fact.occurred_at),
                };
                *row = Some(Self { ticket, ended_at, ..known });
            }
        }
    }

    fn opened_by(received: &Received, fact: &Fact) -> Option<Self> {
        let ticket = evolve(None, &fact.event, fact.occurred_at)?;
        Some(Self {
            id: fact.id,
            number: received.number.clone(),
            channel: received.channel,
            received_by: received.received_by.clone(),
            customers_out: received.customers_out,
            external: received.external.clone(),
            phone_key: received.phone_key.clone(),
            account_key: received.account_key.clone(),
            opened: fact.position,
            position: fact.position,
            revision: fact.revision,
            updated_at: fact.occurred_at,
            ended_at: None,
            ticket,
        })
    }

    /// Its present holder.
    #[must_use]
    pub fn holder(&self) -> &OrgPath {
        self.ticket.holder().unwrap_or(&self.received_by)
    }

    /// The audited, else confirmed, else accepted category.
    #[must_use]
    pub fn category(&self) -> Option<&Category> {
        let ticket = &self.ticket;
        [&ticket.audited_category, &ticket.confirmed_category, &ticket.accepted_category].into_iter().flatten().next()
    }

    /// Whether something is still to be done (in flight).
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.ticket.stage.is_ended()
    }
}
