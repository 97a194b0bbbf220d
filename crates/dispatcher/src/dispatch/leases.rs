//! When live offers are to be ended. A lease ends by the order of the ticket's stream: this clock only proposes.

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
    /// Sets the timers of a ticket's live offers, in place of those that it had: each so long after its lease.
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

    /// Those that have run out.
    pub fn lapsed(&self, now: Timestamp) -> impl Iterator<Item = (TicketId, OfferId)> {
        self.due.iter().take_while(move |(at, ..)| *at <= now).map(|(_, ticket, offer)| (*ticket, *offer))
    }

    /// The next instant at which one runs out.
    pub fn next(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, ..)| *at)
    }

    /// Its end would not be taken: it is looked at again when the ticket changes.
    pub fn forget(&mut self, ticket: TicketId, offer: OfferId) {
        let Some(armed) = self.of.get_mut(&ticket) else { return };
        for (at, _) in armed.extract_if(.., |(_, of)| *of == offer) {
            self.due.remove(&(at, ticket, offer));
        }
    }
}
