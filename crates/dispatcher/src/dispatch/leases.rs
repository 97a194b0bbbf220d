//! The instants at which the process proposes to end live offers. The ticket's stream decides the end of a lease; the
//! clock here only proposes it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use switchboard_domain::{Timestamp, crew::OfferId, ticket::TicketId};

use crate::board::LiveOffer;

/// The timers of live offers.
#[derive(Debug, Default)]
pub(super) struct Leases {
    due: BTreeSet<(Timestamp, TicketId, OfferId)>,
    of: BTreeMap<TicketId, Vec<(Timestamp, OfferId)>>,
}

impl Leases {
    /// Replaces the timers of a ticket by those of its live offers: each is due `grace` after the end of the lease.
    pub fn arm(&mut self, ticket: TicketId, live: &[LiveOffer], grace: TimeDelta) {
        for (at, offer) in self.of.remove(&ticket).unwrap_or_default() {
            self.due.remove(&(at, ticket, offer));
        }
        let end = |at: Timestamp| at.checked_add_signed(grace).unwrap_or(at);
        let armed: Vec<_> = live.iter().map(|live| (end(live.lease_until), live.offer)).collect();
        self.due.extend(armed.iter().map(|(at, offer)| (*at, ticket, *offer)));
        if !armed.is_empty() {
            self.of.insert(ticket, armed);
        }
    }

    /// The offers whose timers are due.
    pub fn lapsed(&self, now: Timestamp) -> impl Iterator<Item = (TicketId, OfferId)> {
        self.due.iter().take_while(move |(at, ..)| *at <= now).map(|(_, ticket, offer)| (*ticket, *offer))
    }

    /// The instant of the next timer.
    pub fn next(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, ..)| *at)
    }

    /// Removes the timer of an offer whose end the ticket refused. `arm` may set it again when the ticket changes.
    pub fn forget(&mut self, ticket: TicketId, offer: OfferId) {
        let Some(armed) = self.of.get_mut(&ticket) else { return };
        for (at, _) in armed.extract_if(.., |(_, of)| *of == offer) {
            self.due.remove(&(at, ticket, offer));
        }
    }
}
