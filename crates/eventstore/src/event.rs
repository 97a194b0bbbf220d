//! The types of the port: revisions, events before and after they are recorded, and the limits.
//!
//! An event is opaque here: an id, a kind, and two byte strings. This crate does not interpret the bytes.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::{AppendError, Position, StreamName};

/// The most bytes of one event, data and meta together. Beyond it: [`AppendError::TooLarge`].
pub const EVENT_BYTES_MAX: usize = 64 * 1024;
/// The most bytes of one append: data, meta and kinds of all its events. Beyond it: [`AppendError::TooLarge`].
pub const APPEND_BYTES_MAX: usize = 1024 * 1024;
/// The most events of one append. Beyond it: [`AppendError::TooLarge`].
pub const APPEND_EVENTS_MAX: usize = 512;
/// The longest kind, in bytes. Beyond it: [`AppendError::TooLarge`].
pub const KIND_BYTES_MAX: usize = 128;
/// The most events that one read returns. A larger `max` is reduced to this.
pub const PAGE_EVENTS_MAX: usize = 512;

/// The number of an event in its stream: 0 for the first, then 1, 2 and so on, without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub u64);

impl Revision {
    /// The revision of the first event of a stream.
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

/// An event to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Unique in its stream, for ever. A retried append has the same ids, and the store recognises it by them. The
    /// caller creates ids that are unique in the whole log; an implementation need not check that across streams.
    pub id: Uuid,
    /// The kind of the event, for example `ticket.received.v1`; 1 to [`KIND_BYTES_MAX`] bytes.
    pub kind: Arc<str>,
    /// The payload.
    pub data: Vec<u8>,
    /// Data about the recording: actor, cause, time.
    pub meta: Vec<u8>,
}

/// An event of the log. It never changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its position in the log.
    pub position: Position,
    /// The stream that it belongs to.
    pub stream: StreamName,
    /// Its revision in that stream.
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

/// The caller's expectation about a stream. The append is executed only if the expectation holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// No expectation: append in any case.
    Any,
    /// The stream has no event yet.
    NoStream,
    /// The stream has at least one event.
    Exists,
    /// The last event of the stream has exactly this revision.
    Revision(Revision),
}

impl Expected {
    /// True when a stream whose last revision is `actual` (`None`: no event yet) meets the expectation.
    pub fn admits(self, actual: Option<Revision>) -> bool {
        match self {
            Expected::Any => true,
            Expected::NoStream => actual.is_none(),
            Expected::Exists => actual.is_some(),
            Expected::Revision(revision) => actual == Some(revision),
        }
    }
}

/// The place of a recorded append. No event of another append to the same stream lies between its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The position of its first event.
    pub first: Position,
    /// The position of its last event.
    pub last: Position,
    /// The revision of its last event.
    pub revision: Revision,
}

/// The direction of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Towards the newest event.
    Forward,
    /// Towards the first event.
    Backward,
}

/// Checks the limits that every implementation must enforce, and returns the size of the append in bytes.
///
/// Rejects an empty append, an empty kind, an exceeded limit, and an id that occurs twice.
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

/// The first id that occurs twice. A few ids are compared in pairs, without an allocation.
fn repeated(events: &[NewEvent]) -> Option<Uuid> {
    const PAIRWISE_MAX: usize = 16;
    if events.len() <= PAIRWISE_MAX {
        return (1..events.len()).find(|&i| events[..i].iter().any(|e| e.id == events[i].id)).map(|i| events[i].id);
    }
    let mut seen = HashSet::with_capacity(events.len());
    events.iter().find(|event| !seen.insert(event.id)).map(|event| event.id)
}
