//! Conversion of requests to commands. It finds every fault of a request that does not depend on the ticket or on the
//! time, and reports all of them at once. The domain checks the rest.

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
        bundle, check_occurred_at, happened, position, step,
    },
    receive::{ReceiveHeader, receive},
};

/// True for the request ids of the engine's own actions ([`HashKey::uuid`](crate::seal::HashKey::uuid)): UUIDs of
/// version 8. A caller's request with such an id is refused.
#[must_use]
pub fn is_of_engine(request_id: Uuid) -> bool {
    request_id.get_version_num() == 8
}

/// A reference to a ticket in a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TicketRef {
    /// By id.
    Id(TicketId),
    /// By ticket number, an opaque string.
    Number(String),
}

/// The longest ticket number, in bytes.
pub const NUMBER_BYTES_MAX: usize = 32;

/// Parses a reference. A UUID, with or without dashes, is an id; any other printable text of at most
/// [`NUMBER_BYTES_MAX`] bytes is a number; anything else gives `None`.
#[must_use]
pub fn reference(text: &str) -> Option<TicketRef> {
    let text = text.trim();
    match TicketId::parse(text) {
        Some(id) => Some(TicketRef::Id(id)),
        None if text.is_empty() || text.len() > NUMBER_BYTES_MAX || text.chars().any(char::is_control) => None,
        None => Some(TicketRef::Number(text.to_owned())),
    }
}

/// The fields that every command to an existing ticket carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The caller's id for this request.
    pub request_id: Uuid,
    /// The ticket.
    pub ticket: TicketRef,
    /// The revision that the caller saw, for optimistic concurrency.
    pub etag: Option<u64>,
    /// The instant at which it happened; `None` means now.
    pub occurred_at: Option<Timestamp>,
}

/// A request that makes one move of an existing ticket.
pub trait TicketRequest: prost::Message {
    /// The method of `TicketService` or `DispatchService`, for example `ReportProgress`. Method names are unique across
    /// both.
    const METHOD: &'static str;

    /// Converts the request. If the command refers to another ticket by number, it contains the nil id until the caller
    /// has resolved the number; see [`Self::master`].
    ///
    /// # Errors
    /// Every violation at once, each field at most once, by its path in the request.
    fn read(&self) -> Result<(Header, Command), Vec<Violation>>;

    /// The other ticket that a merge refers to; `None` for all other commands.
    fn master(&self) -> Option<TicketRef> {
        None
    }
}
