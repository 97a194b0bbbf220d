//! Nearest ticket: each free crew gets the nearest ticket that it has the skills for, whatever its age.

use std::collections::BTreeSet;

use switchboard_dispatcher::board::Board;
use switchboard_domain::{Timestamp, crew::CrewId, ticket::TicketId};

use super::{Dispatcher, Known};

/// Nearest ticket.
#[derive(Clone, Debug)]
pub struct Nearest(pub Known);

impl Dispatcher for Nearest {
    fn name(&self) -> &'static str {
        "nearest ticket"
    }

    fn offers(&mut self, board: &Board, now: Timestamp) -> Vec<(TicketId, CrewId)> {
        let known = &self.0;
        let mut pairs: Vec<(f64, TicketId, &CrewId)> = Known::free(board, now)
            .flat_map(|crew| {
                Known::waiting(board)
                    .filter(|job| known.able(crew, job, now))
                    .map(|job| (known.drive(crew, job), job.ticket, &crew.id))
            })
            .collect();
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| (a.1, a.2).cmp(&(b.1, b.2))));
        let (mut tickets, mut crews) = (BTreeSet::new(), BTreeSet::new());
        let mut offers = Vec::new();
        for (_, ticket, crew) in pairs {
            if !tickets.contains(&ticket) && crews.insert(crew) {
                tickets.insert(ticket);
                offers.push((ticket, crew.clone()));
            }
        }
        offers
    }
}
