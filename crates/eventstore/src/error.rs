//! The errors, one enum per operation. A variant exists only if some caller acts on it.
//!
//! A conflict or a duplicate is an answer, not a failure of the store. *Unknown outcome* is a variant of its own. It is
//! never reported as a failure, because the events may be in the log. Error types of an implementation do not appear
//! here; they are wrapped in a [`Cause`].

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::{Position, Revision};

/// The technical reason of a fault, for the operator's text log. It is shared, so that one fault can answer a whole
/// batch.
#[derive(Clone)]
pub struct Cause(Arc<dyn Error + Send + Sync>);

impl Cause {
    /// Wraps an error.
    pub fn new(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }
}

impl From<&str> for Cause {
    fn from(text: &str) -> Self {
        Self(Box::<dyn Error + Send + Sync>::from(text).into())
    }
}

impl From<String> for Cause {
    fn from(text: String) -> Self {
        Self(Box::<dyn Error + Send + Sync>::from(text).into())
    }
}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// The reason why an append was not recorded, or not certainly.
///
/// Every variant except [`OutcomeUnknown`](AppendError::OutcomeUnknown) guarantees that nothing of the append is in the
/// log, except the event to which [`Duplicate`](AppendError::Duplicate) refers.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The stream does not meet the caller's expectation. Read it again and decide again.
    #[error("the stream is not at the expected revision")]
    Conflict {
        /// The stream's last revision; `None` if it has no event.
        actual: Option<Revision>,
    },
    /// The stream already has an id of this append: most likely an earlier attempt succeeded. Nothing was appended.
    /// This is checked before `Conflict`, so that a retry is recognised although the stream has grown. An
    /// implementation that knows all ids of the log also gives this answer for an id of another stream.
    #[error("an event id of this append is already recorded at position {position}")]
    Duplicate {
        /// The position of the event with the first such id.
        position: Position,
    },
    /// Two events of this append have the same id: an error of the caller.
    #[error("the append repeats the event id {id}")]
    Repeated {
        /// The id.
        id: Uuid,
    },
    /// A limit was exceeded: an error of the caller.
    #[error("{what}: at most {limit}")]
    TooLarge {
        /// The name of the limited value.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The append has no event, or an event has no kind: an error of the caller.
    #[error("an append needs at least one event, and each a kind")]
    Empty,
    /// No space is left. Nothing was appended. The caller may retry when there is space.
    #[error("no space is left for the log")]
    Full,
    /// The store cannot serve now. Nothing was appended. The caller may retry.
    #[error("the event store is unavailable")]
    Unavailable(#[source] Cause),
    /// It is unknown whether the events are in the log. Retry with the same ids.
    #[error("the outcome of the append is unknown")]
    OutcomeUnknown(#[source] Cause),
    /// A sync failed earlier. The store accepts nothing until it was reopened and verified. Nothing of this append was
    /// recorded.
    #[error("the event store stopped after a failed sync and must be reopened")]
    Poisoned,
}

/// The reason why a read failed. A missing stream is not a reason: it is an empty page.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The log is damaged or was altered. This is never reported as absence.
    #[error("the log is corrupt: {detail}")]
    Corrupt {
        /// The position of the damage, if known.
        position: Option<Position>,
        /// The finding, for the operator.
        detail: String,
    },
    /// No event of this log has the position at which the read should begin, and the implementation cannot begin
    /// elsewhere. The position belongs to another log, or was made up.
    #[error("no event of this log stands at position {position}")]
    NoSuchPosition {
        /// The requested position.
        position: Position,
    },
    /// The store cannot serve now. The caller may retry.
    #[error("the event store is unavailable")]
    Unavailable(#[source] Cause),
    /// A sync failed earlier. The store answers nothing until it was reopened and verified.
    #[error("the event store stopped after a failed sync and must be reopened")]
    Poisoned,
}
