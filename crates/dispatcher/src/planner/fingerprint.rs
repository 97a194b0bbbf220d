//! Fingerprints of tickets, crews and plans. They are equal on every machine and in every release, unlike the hashes of
//! the standard library. Not for cryptography.

use switchboard_domain::{crew::CrewId, ticket::TicketId};

use crate::search::finalize;

/// Combines two numbers into one; their order matters.
pub fn blend(before: u64, word: u64) -> u64 {
    finalize(before.rotate_left(23).wrapping_add(0x9e37_79b9_7f4a_7c15) ^ word)
}

/// The fingerprint of a ticket.
pub fn of_ticket(ticket: TicketId) -> u64 {
    let (high, low) = ticket.0.as_u64_pair();
    blend(blend(0, high), low)
}

/// The fingerprint of a crew.
pub fn of_crew(crew: &CrewId) -> u64 {
    crew.org().as_str().bytes().fold(0, |print, byte| blend(print, u64::from(byte)))
}
