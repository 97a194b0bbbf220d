//! Reconciliation of two independent counts: the flow of tickets counted from facts, and the stock counted from case
//! files. A lost ticket makes them differ.

use std::collections::{BTreeMap, BTreeSet};

use switchboard_domain::ticket::{BusinessType, CaseFile, Event, Stage, TicketId};

use crate::Fact;

/// The flow, counted from facts only. It keeps the ids of open tickets and of no others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Tickets received.
    pub received: u64,
    /// Closings, including repeated ones and `closed_at_first_contact`.
    pub closed: u64,
    /// Of these, the tickets closed at first contact.
    pub closed_at_first_contact: u64,
    /// Tickets withdrawn.
    pub withdrawn: u64,
    /// Closed tickets that were reopened.
    pub reopened: u64,
    /// Dispatches, including forwarding.
    pub dispatches: u64,
    open: BTreeSet<TicketId>,
}

impl Flow {
    /// Applies the next fact. A fact that does not fit the open or closed state of its ticket is not counted.
    pub fn apply(&mut self, fact: &Fact) {
        match &fact.event {
            Event::Received(_) => self.received += u64::from(self.open.insert(fact.id)),
            Event::Reopened(_) => self.reopened += u64::from(self.open.insert(fact.id)),
            Event::Closed(_) => self.closed += u64::from(self.open.remove(&fact.id)),
            Event::ClosedAtFirstContact(_) => {
                let counted = u64::from(self.open.remove(&fact.id));
                self.closed += counted;
                self.closed_at_first_contact += counted;
            }
            Event::Withdrawn(_) => self.withdrawn += u64::from(self.open.remove(&fact.id)),
            Event::Dispatched(_) => self.dispatches += 1,
            _ => {}
        }
    }

    /// The number of open tickets.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.open.len() as u64
    }
}

/// The stock, counted from case files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stock {
    /// The number of tickets by business type and stage; pairs without tickets may be absent.
    pub tickets: BTreeMap<(BusinessType, Stage), u64>,
}

impl Stock {
    /// Adds a ticket.
    pub fn add(&mut self, file: &CaseFile) {
        *self.tickets.entry((file.ticket.business, file.ticket.stage)).or_default() += 1;
    }

    /// The number of tickets for which `wanted` is true.
    #[must_use]
    pub fn count(&self, wanted: impl Fn(BusinessType, Stage) -> bool) -> u64 {
        self.tickets.iter().filter(|((business, stage), _)| wanted(*business, *stage)).map(|(_, count)| count).sum()
    }

    /// True when received = closed + withdrawn + in flight, and both counts agree.
    #[must_use]
    pub fn agrees_with(&self, flow: &Flow) -> bool {
        let closed = self.count(|_, stage| stage == Stage::Closed);
        let withdrawn = self.count(|_, stage| stage == Stage::Withdrawn);
        let in_flight = self.count(|_, stage| !stage.is_ended());
        flow.received == closed + withdrawn + in_flight
            && flow.closed == closed + flow.reopened
            && flow.withdrawn == withdrawn
            && flow.in_flight() == in_flight
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random;

    /// True when `decide` could have ended or reopened a ticket in this state with `event`.
    fn is_lawful(file: Option<&CaseFile>, event: &Event) -> bool {
        match (file.map(|file| file.ticket.stage), event) {
            (None, event) => matches!(event, Event::Received(_)),
            (Some(_), Event::Received(_)) => false,
            (Some(stage), Event::Reopened(_)) => stage != Stage::Withdrawn,
            (Some(stage), _) => !stage.is_ended(),
        }
    }

    #[test]
    fn empty_ledgers_agree_and_a_lost_ticket_makes_them_differ() {
        let flow = Flow::default();
        assert!(Stock::default().agrees_with(&flow));
        let lost = Flow { received: 1, ..flow };
        assert!(!Stock::default().agrees_with(&lost));
    }

    proptest! {
        #[test]
        fn the_flow_always_balances_with_itself(facts in random::history(80)) {
            let mut flow = Flow::default();
            for fact in &facts {
                flow.apply(fact);
                prop_assert_eq!(flow.received + flow.reopened, flow.closed + flow.withdrawn + flow.in_flight());
            }
        }

        #[test]
        fn files_and_facts_agree_until_a_file_is_lost(facts in random::history(120)) {
            let mut flow = Flow::default();
            let mut files: BTreeMap<TicketId, Option<CaseFile>> = BTreeMap::new();
            for fact in &facts {
                let file = files.entry(fact.id).or_default();
                if is_lawful(file.as_ref(), &fact.event) {
                    CaseFile::apply(file, fact);
                    flow.apply(fact);
                }
            }
            let stock = |skipped: usize| {
                let mut stock = Stock::default();
                files.values().flatten().skip(skipped).for_each(|file| stock.add(file));
                stock
            };
            prop_assert!(stock(0).agrees_with(&flow));
            prop_assert!(flow.received == 0 || !stock(1).agrees_with(&flow));
        }
    }
}
