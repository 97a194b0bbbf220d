//! What can go wrong, one enum per operation. A variant exists because some caller does something about it.
//!
//! A conflict or a duplicate is an answer, not a failure of the store. *Unknown outcome* is its own variant:
//! it is never reported as a failure, because the events may well be in the log. No keeper's own error types
//! appear here; they travel as a [`Cause`].

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::{Position, Revision};

/// Why a store could not serve, for the operator's log; shared, so that one fault can answer a whole batch.
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

/// Why an append was not (or not certainly) recorded.
///
/// Every variant but [`OutcomeUnknown`](AppendError::OutcomeUnknown) promises that nothing of the append is in
/// the log, except what [`Duplicate`](AppendError::Duplicate) points at.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The stream is not what the caller expected: read it again and decide again.
    #[error("the stream is not at the expected revision")]
    Conflict {
        /// The stream's last revision; `None` if it has no event.
        actual: Option<Revision>,
    },
    /// The stream already holds an id of this append: most likely an earlier attempt succeeded. Nothing was appended.
    /// This answer goes before `Conflict`, so that a retry is recognised although the stream has moved on. A keeper
    /// that knows all ids of the log gives it for an id of another stream, too.
    #[error("an event id of this append is already recorded at position {position}")]
    Duplicate {
        /// Where the first such id of the append stands.
        position: Position,
    },
    /// Two events of this append carry the same id: a fault of the caller.
    #[error("the append repeats the event id {id}")]
    Repeated {
        /// The id.
        id: Uuid,
    },
    /// A limit was passed: a fault of the caller.
    #[error("{what}: at most {limit}")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// The append has no event, or an event has no kind: a fault of the caller.
    #[error("an append needs at least one event, and each a kind")]
    Empty,
    /// No space is left. Nothing was appended; the same append may be tried again once there is space.
    #[error("no space is left for the log")]
    Full,
    /// The store cannot serve now. Nothing was appended; it may be tried again.
    #[error("the event store is unavailable")]
    Unavailable(#[source] Cause),
    /// It cannot be told whether the events are in the log. Ask again with the same ids.
    #[error("the outcome of the append is unknown")]
    OutcomeUnknown(#[source] Cause),
    /// A sync failed earlier, and nothing is accepted until the store has been reopened and verified. Nothing
    /// of this append was recorded.
    #[error("the event store stopped after a failed sync and must be reopened")]
    Poisoned,
}

/// Why a read gave no answer. A missing stream is not among the reasons: it is an empty page.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The log is damaged or was altered. Never answered as "absent".
    #[error("the log is corrupt: {detail}")]
    Corrupt {
        /// The position concerned, when it is known.
        position: Option<Position>,
        /// What was found, for the operator.
        detail: String,
    },
    /// No event of this log has the position that the read was to begin at, and the keeper cannot begin elsewhere:
    /// the position is another log's, or was made up.
    #[error("no event of this log stands at position {position}")]
    NoSuchPosition {
        /// The position that was asked for.
        position: Position,
    },
    /// The store cannot serve now; it may be tried again.
    #[error("the event store is unavailable")]
    Unavailable(#[source] Cause),
    /// A sync failed earlier, and nothing is answered until the store has been reopened and verified.
    #[error("the event store stopped after a failed sync and must be reopened")]
    Poisoned,
}
