//! Requests become commands: everything that a caller can get wrong without knowing the ticket is found here, all of it at
//! once. What depends on the ticket is the domain's to say; what depends on the time of the engine too.

mod crew;
mod device;
mod reader;
mod receive;
mod requests;

use switchboard_domain::{
    Timestamp, Violation,
    ticket::{Command, TicketId},
};
use uuid::Uuid;

pub use self::{
    crew::{CrewHeader, CrewRequest, crew},
    device::{
        Bundle, CLOCK_OFF_MINUTES_MAX, DeviceClock, OFFSET_DAYS_MAX, PositionReport, ReadStep, STEPS_MAX, STEPS_METHOD,
        bundle, happened, position, said_at, step,
    },
    receive::{ReceiveHeader, receive},
};

/// A ticket as callers name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TicketRef {
    /// By identity.
    Id(TicketId),
    /// By the number that people use; opaque.
    Number(String),
}

/// Longest ticket number that is looked up, in bytes.
pub const NUMBER_BYTES_MAX: usize = 32;

/// The ticket that the text names: a UUID with or without dashes is an id, any other printable text of at most
/// [`NUMBER_BYTES_MAX`] bytes a number. `None` for anything else.
#[must_use]
pub fn reference(text: &str) -> Option<TicketRef> {
    let text = text.trim();
    match TicketId::parse(text) {
        Some(id) => Some(TicketRef::Id(id)),
        None if text.is_empty() || text.len() > NUMBER_BYTES_MAX || text.chars().any(char::is_control) => None,
        None => Some(TicketRef::Number(text.to_owned())),
    }
}

/// What every command to an existing ticket carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The caller's name for this request.
    pub request_id: Uuid,
    /// Which ticket.
    pub ticket: TicketRef,
    /// The revision that the caller saw.
    pub etag: Option<u64>,
    /// When it happened, if that is not now.
    pub occurred_at: Option<Timestamp>,
}

/// A request that asks one move of an existing ticket.
pub trait TicketRequest: prost::Message {
    /// The method of `TicketService` or `DispatchService` that takes it, for example `ReportProgress`. No two share a name.
    const METHOD: &'static str;

    /// The command that it means. A ticket that the command names by number stands in it as the nil id until the caller has
    /// looked it up; see [`Self::master`].
    ///
    /// # Errors
    /// Every violation at once, each field at most once, by its path in the request.
    fn read(&self) -> Result<(Header, Command), Vec<Violation>>;

    /// The other ticket that the command names, for a merge; `None` for everything else.
    fn master(&self) -> Option<TicketRef> {
        None
    }
}
