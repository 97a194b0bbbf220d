//! Prints: numbers that stand for tickets, crews and plans, the same on every machine and in every release, as those of the
//! standard library's hasher are not. Not for secrets.

use switchboard_domain::{crew::CrewId, ticket::TicketId};

use crate::search::finalize;

/// One number of two, of which the order matters.
pub fn blend(before: u64, word: u64) -> u64 {
    finalize(before.rotate_left(23).wrapping_add(0x9e37_79b9_7f4a_7c15) ^ word)
}

/// A number that stands for a ticket.
pub fn of_ticket(ticket: TicketId) -> u64 {
    let (high, low) = ticket.0.as_u64_pair();
    blend(blend(0, high), low)
}

/// A number that stands for a crew.
pub fn of_crew(crew: &CrewId) -> u64 {
    crew.org().as_str().bytes().fold(0, |print, byte| blend(print, u64::from(byte)))
}
