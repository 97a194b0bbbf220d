//! The identity of a ticket. It stands alone, so that [`crate::decider`] can name a ticket without its rules.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The identity of a ticket inside the engine. People use the ticket number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TicketId(pub Uuid);

impl TicketId {
    /// The id of the ticket that this request opens. A repeated request yields the same id.
    #[must_use]
    pub fn opened_by(request_id: Uuid) -> Self {
        Self(Uuid::new_v5(&request_id, b"ticket"))
    }

    /// Parses the form with or without dashes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for TicketId {
    /// 32 hexadecimal digits without dashes, as in stream names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

impl fmt::Debug for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
