//! The stored form of facts: JSON payloads that are readable without this program, each with a kind. The payload
//! structs are in the domain; the table of their permanent kinds is here. Storage itself is in `eventstore`.

mod metadata;

use serde::{Serialize, de::DeserializeOwned};
use switchboard_domain::{
    crew,
    numbering::Reserved,
    personal::Personal,
    sla::{
        promise,
        publication::{PolicyEvent, YearPublished},
    },
    ticket,
};
use uuid::Uuid;

pub use self::metadata::Metadata;
use crate::upcast;

/// The initial capacity of a payload, in bytes: enough for most, so that one allocation suffices.
const PAYLOAD_BYTES_USUAL: usize = 768;

/// An event with a stored form that stays readable.
pub trait Stored: Sized {
    /// The kinds that are written today.
    const KINDS: &'static [&'static str];

    /// The kind of this event, for example `ticket.received.v1`.
    fn kind(&self) -> &'static str;

    /// The payload: one JSON object without white space. Absent fields are omitted.
    ///
    /// # Errors
    /// [`EncodeError`] while it contains plain personal data, which must be sealed first.
    fn payload(&self) -> Result<Vec<u8>, EncodeError>;

    /// Reads a payload of one of [`Self::KINDS`]. Unknown fields are ignored.
    ///
    /// # Errors
    /// [`DecodeError::UnknownKind`] for another kind; [`DecodeError::Malformed`] for an invalid payload.
    fn read_current(kind: &str, payload: &[u8]) -> Result<Self, DecodeError>;

    /// Reads a payload of any kind that was ever written; [`upcast`] converts older kinds.
    ///
    /// # Errors
    /// As for [`Self::read_current`].
    fn read(kind: &str, payload: &[u8]) -> Result<Self, DecodeError> {
        match Self::read_current(kind, payload) {
            Err(DecodeError::UnknownKind(_)) => upcast::read(upcast::STEPS, kind, payload),
            read => read,
        }
    }

    /// Calls `each` for every personal field that is present, with its stored name. To seal or open a field, use the
    /// kind under which the fact is stored; for an old fact that is not [`Self::kind`].
    fn each_personal(&mut self, each: &mut dyn FnMut(&'static str, &mut Personal));
}

/// An event cannot be encoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} cannot be stored: {detail}")]
pub struct EncodeError {
    /// The kind.
    pub kind: &'static str,
    /// The cause, without personal data.
    pub detail: String,
}

/// A stored fact cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No version up to this one wrote this kind.
    #[error("unknown kind {0}")]
    UnknownKind(String),
    /// The payload does not have the form of its kind.
    #[error("{kind} cannot be read: {detail}")]
    Malformed {
        /// The kind.
        kind: String,
        /// The place and the cause, for the operator.
        detail: String,
    },
}

/// Declares the stored kind of every event of an aggregate, and its personal data. The match is exhaustive: an event
/// without a kind does not compile.
macro_rules! kinds {
    ($all:ty, $personal:expr, { $($event:ident = $kind:literal,)+ }) => {
        impl Stored for $all {
            const KINDS: &'static [&'static str] = &[$($kind,)+];

            fn kind(&self) -> &'static str {
                match self { $(Self::$event(_) => $kind,)+ }
            }

            fn payload(&self) -> Result<Vec<u8>, EncodeError> {
                match self { $(Self::$event(event) => write($kind, event),)+ }
            }

            fn read_current(kind: &str, payload: &[u8]) -> Result<Self, DecodeError> {
                match kind {
                    $($kind => parse(kind, payload).map(Self::$event),)+
                    _ => Err(DecodeError::UnknownKind(kind.to_owned())),
                }
            }

            fn each_personal(&mut self, each: &mut dyn FnMut(&'static str, &mut Personal)) {
                $personal(self, each);
            }
        }
    };
}

/// Declares the stored kind of an aggregate with a single event.
macro_rules! one_kind {
    ($event:ty = $kind:literal) => {
        impl Stored for $event {
            const KINDS: &'static [&'static str] = &[$kind];

            fn kind(&self) -> &'static str {
                $kind
            }

            fn payload(&self) -> Result<Vec<u8>, EncodeError> {
                write($kind, self)
            }

            fn read_current(kind: &str, payload: &[u8]) -> Result<Self, DecodeError> {
                if kind == $kind { parse(kind, payload) } else { Err(DecodeError::UnknownKind(kind.to_owned())) }
            }

            fn each_personal(&mut self, each: &mut dyn FnMut(&'static str, &mut Personal)) {
                nothing_personal(self, each);
            }
        }
    };
}

/// For events without personal fields.
fn nothing_personal<E>(_: &mut E, _: &mut dyn FnMut(&'static str, &mut Personal)) {}

kinds!(ticket::Event, ticket::Event::each_personal, {
    Received = "ticket.received.v1",
    Supplemented = "ticket.supplemented.v1",
    Classified = "ticket.classified.v1",
    ClosedAtFirstContact = "ticket.closed_at_first_contact.v1",
    Dispatched = "ticket.dispatched.v1",
    Accepted = "ticket.accepted.v1",
    Returned = "ticket.returned.v1",
    Reassigned = "ticket.reassigned.v1",
    CrewAccepted = "ticket.crew_accepted.v1",
    CrewEnRoute = "ticket.crew_en_route.v1",
    CrewArrived = "ticket.crew_arrived.v1",
    CrewDiagnosed = "ticket.crew_diagnosed.v1",
    EtrSet = "ticket.etr_set.v1",
    CrewRestored = "ticket.crew_restored.v1",
    Contacted = "ticket.contacted.v1",
    Replied = "ticket.replied.v1",
    ReplyPassed = "ticket.reply_passed.v1",
    ReplySentBack = "ticket.reply_sent_back.v1",
    RevisitAttempted = "ticket.revisit_attempted.v1",
    Revisited = "ticket.revisited.v1",
    Reopened = "ticket.reopened.v1",
    Closed = "ticket.closed.v1",
    Urged = "ticket.urged.v1",
    Supervised = "ticket.supervised.v1",
    Escalated = "ticket.escalated.v1",
    Suspended = "ticket.suspended.v1",
    Resumed = "ticket.resumed.v1",
    Extended = "ticket.extended.v1",
    Merged = "ticket.merged.v1",
    Unmerged = "ticket.unmerged.v1",
    ChildAdopted = "ticket.child_adopted.v1",
    ChildReleased = "ticket.child_released.v1",
    MasterFollowed = "ticket.master_followed.v1",
    Withdrawn = "ticket.withdrawn.v1",
    PersonalRevealed = "ticket.personal_revealed.v1",
    Offered = "ticket.offered.v1",
    OfferAccepted = "ticket.offer_accepted.v1",
    OfferEnded = "ticket.offer_ended.v1",
    HandedOver = "ticket.handed_over.v1",
    Recalled = "ticket.recalled.v1",
    Pinned = "ticket.pinned.v1",
});

kinds!(crew::Event, nothing_personal, {
    Enrolled = "crew.enrolled.v1",
    Dismissed = "crew.dismissed.v1",
    ShiftStarted = "crew.shift_started.v1",
    ShiftEnded = "crew.shift_ended.v1",
    WentAway = "crew.went_away.v1",
    CameBack = "crew.came_back.v1",
    Located = "crew.located.v1",
    Reserved = "crew.reserved.v1",
    Committed = "crew.committed.v1",
    Released = "crew.released.v1",
});

kinds!(promise::Event, nothing_personal, {
    Warned = "promise.warned.v1",
    Breached = "promise.breached.v1",
    Overturned = "promise.overturned.v1",
});

kinds!(PolicyEvent, nothing_personal, {
    Published = "policy.published.v1",
    ShadowPublished = "policy.shadow_published.v1",
    ShadowEnded = "policy.shadow_ended.v1",
});

one_kind!(Reserved = "numbering.reserved.v1");
one_kind!(YearPublished = "calendar.year_published.v1");

/// The kinds that are written today, of all aggregates.
pub fn known_kinds() -> impl Iterator<Item = &'static str> {
    let each = [
        ticket::Event::KINDS,
        crew::Event::KINDS,
        Reserved::KINDS,
        promise::Event::KINDS,
        PolicyEvent::KINDS,
        YearPublished::KINDS,
    ];
    each.into_iter().flatten().copied()
}

/// The id of the fact with this index, from 0, in a request: a UUIDv5 in the request's own name space, of the index in
/// decimal digits. With it, a store recognises a repeated append.
#[must_use]
pub fn event_id(request_id: Uuid, index: usize) -> Uuid {
    Uuid::new_v5(&request_id, index.to_string().as_bytes())
}

fn write(kind: &'static str, value: &impl Serialize) -> Result<Vec<u8>, EncodeError> {
    let mut payload = Vec::with_capacity(PAYLOAD_BYTES_USUAL);
    match serde_json::to_writer(&mut payload, value) {
        Ok(()) => Ok(payload),
        Err(error) => Err(EncodeError { kind, detail: error.to_string() }),
    }
}

fn parse<T: DeserializeOwned>(kind: &str, payload: &[u8]) -> Result<T, DecodeError> {
    serde_json::from_slice(payload)
        .map_err(|error| DecodeError::Malformed { kind: kind.to_owned(), detail: error.to_string() })
}
