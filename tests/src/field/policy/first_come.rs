//! First come, nearest crew: the oldest ticket first, to the nearest free crew with the skills.

use switchboard_dispatcher::board::{Board, Crew, Job};
use switchboard_domain::{Timestamp, crew::CrewId, ticket::TicketId};

use super::{Dispatcher, Known};

/// First come, nearest crew.
#[derive(Clone, Debug)]
pub struct FirstCome(pub Known);

impl Dispatcher for FirstCome {
    fn name(&self) -> &'static str {
        "first come, nearest crew"
    }

    fn offers(&mut self, board: &Board, now: Timestamp) -> Vec<(TicketId, CrewId)> {
        let mut free: Vec<&Crew> = Known::free(board, now).collect();
        if free.is_empty() {
            return Vec::new();
        }
        let mut waiting: Vec<&Job> = Known::waiting(board).collect();
        waiting.sort_by_key(|job| (job.reported, job.ticket));
        let mut offers = Vec::new();
        for job in waiting {
            let able = free.iter().enumerate().filter(|(_, crew)| self.0.able(crew, job, now));
            let nearest = able.min_by(|a, b| self.0.drive(a.1, job).total_cmp(&self.0.drive(b.1, job)));
            if let Some((index, crew)) = nearest {
                offers.push((job.ticket, crew.id.clone()));
                free.swap_remove(index);
            }
            if free.is_empty() {
                break;
            }
        }
        offers
    }
}
