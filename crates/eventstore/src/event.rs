//! The nouns of the port: revisions, events before and after they are recorded, and the limits.
//!
//! An event is opaque here: an id, a kind, and two byte strings. What the bytes mean is absent from this crate.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::{AppendError, Position, StreamName};

/// Most bytes of one event, data and meta together. Past it: [`AppendError::TooLarge`].
pub const EVENT_BYTES_MAX: usize = 64 * 1024;
/// Most bytes of one append, data, meta and kinds of all its events. Past it: [`AppendError::TooLarge`].
pub const APPEND_BYTES_MAX: usize = 1024 * 1024;
/// Most events of one append. Past it: [`AppendError::TooLarge`].
pub const APPEND_EVENTS_MAX: usize = 512;
/// Longest kind in bytes. Past it: [`AppendError::TooLarge`].
pub const KIND_BYTES_MAX: usize = 128;
/// Most events that one read returns; a larger `max` is taken as this one.
pub const PAGE_EVENTS_MAX: usize = 512;

/// The place of an event in its stream: 0 for the first, then 1, 2, ... without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub u64);

impl Revision {
    /// The first event of a stream.
    pub const FIRST: Revision = Revision(0);

    /// The next revision.
    pub fn next(self) -> Revision {
        Revision(self.0.saturating_add(1))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An event that somebody wants to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Unique in its stream, for ever. A retried append carries the same ids, and the store recognises it by them.
    /// The caller makes ids that are unique in the whole log; a keeper need not check that across streams.
    pub id: Uuid,
    /// What kind of fact this is, for example `ticket.received.v1`; 1 to [`KIND_BYTES_MAX`] bytes.
    pub kind: Arc<str>,
    /// The fact.
    pub data: Vec<u8>,
    /// What is known about the recording of it: who, why, when.
    pub meta: Vec<u8>,
}

/// An event as it stands in the log, for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its place in the log.
    pub position: Position,
    /// The stream that it belongs to.
    pub stream: StreamName,
    /// Its place in that stream.
    pub revision: Revision,
    /// Its id, as given.
    pub id: Uuid,
    /// Its kind, as given.
    pub kind: Arc<str>,
    /// Its data, byte for byte as given.
    pub data: Vec<u8>,
    /// Its meta, byte for byte as given.
    pub meta: Vec<u8>,
}

/// What the caller believes about a stream; an append happens only if it is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Nothing: append in any case.
    Any,
    /// The stream has no event yet.
    NoStream,
    /// The stream has at least one event.
    Exists,
    /// The last event of the stream has exactly this revision.
    Revision(Revision),
}

impl Expected {
    /// Whether a stream whose last revision is `actual` (`None`: no event yet) is what was expected.
    pub fn admits(self, actual: Option<Revision>) -> bool {
        match self {
            Expected::Any => true,
            Expected::NoStream => actual.is_none(),
            Expected::Exists => actual.is_some(),
            Expected::Revision(revision) => actual == Some(revision),
        }
    }
}

/// Where an accepted append stands. No event of another append to the same stream lies between its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Position of its first event.
    pub first: Position,
    /// Position of its last event.
    pub last: Position,
    /// Revision of its last event.
    pub revision: Revision,
}

/// Which way a read walks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Towards the newest event.
    Forward,
    /// Towards the first event.
    Backward,
}

/// Checks the limits that hold for every keeper and returns the append's size in bytes.
///
/// Refuses an empty append, an empty kind, anything past a limit, and one id given twice.
pub fn admit(events: &[NewEvent]) -> Result<usize, AppendError> {
    if events.is_empty() {
        return Err(AppendError::Empty);
    }
    if events.len() > APPEND_EVENTS_MAX {
        return Err(AppendError::TooLarge { what: "append events", limit: APPEND_EVENTS_MAX });
    }
    let mut bytes = 0_usize;
    for event in events {
        if event.kind.is_empty() {
            return Err(AppendError::Empty);
        }
        if event.kind.len() > KIND_BYTES_MAX {
            return Err(AppendError::TooLarge { what: "kind bytes", limit: KIND_BYTES_MAX });
        }
        let size = event.data.len() + event.meta.len();
        if size > EVENT_BYTES_MAX {
            return Err(AppendError::TooLarge { what: "event bytes", limit: EVENT_BYTES_MAX });
        }
        bytes += size + event.kind.len();
    }
    if bytes > APPEND_BYTES_MAX {
        return Err(AppendError::TooLarge { what: "append bytes", limit: APPEND_BYTES_MAX });
    }
    match repeated(events) {
        Some(id) => Err(AppendError::Repeated { id }),
        None => Ok(bytes),
    }
}

/// The first id that stands twice. Pairs are compared directly while they are few: no allocation.
fn repeated(events: &[NewEvent]) -> Option<Uuid> {
    const PAIRWISE_MAX: usize = 16;
    if events.len() <= PAIRWISE_MAX {
        return (1..events.len()).find(|&i| events[..i].iter().any(|e| e.id == events[i].id)).map(|i| events[i].id);
    }
    let mut seen = HashSet::with_capacity(events.len());
    events.iter().find(|event| !seen.insert(event.id)).map(|event| event.id)
}
