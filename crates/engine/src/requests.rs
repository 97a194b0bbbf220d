//! Where a request was recorded, whichever stream that is: asked for requests whose stream does not follow from their id.
//!
//! An open question here is "was it this request that opened or joined a ticket, and which?". A stream's own ledger cannot
//! answer it. A store that knows all event ids can; for any other store a read model keeps the answers.

use std::sync::Arc;

use async_trait::async_trait;
use switchboard_eventstore::{Locate, ReadError, StreamName};
use switchboard_wire::stored;
use uuid::Uuid;

/// Where the first event of a request stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundRequest {
    /// The stream.
    pub stream: StreamName,
    /// The revision of its first event there, from 0.
    pub revision: u64,
}

/// Knows the stream of every request.
#[async_trait]
pub trait Requests: Send + Sync + 'static {
    /// Where the request was recorded. It knows every request that was acknowledged before it was asked; `None` means
    /// that the request appended nothing until then.
    ///
    /// # Errors
    /// When it cannot be told now.
    async fn find(&self, request_id: Uuid) -> Result<Option<FoundRequest>, ReadError>;
}

/// The event ids of a store that knows them all.
#[derive(Clone)]
pub struct EventIds(Arc<dyn Locate>);

impl std::fmt::Debug for EventIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventIds(..)")
    }
}

impl EventIds {
    /// The ids of this store.
    #[must_use]
    pub fn new(store: Arc<dyn Locate>) -> Self {
        Self(store)
    }
}

#[async_trait]
impl Requests for EventIds {
    async fn find(&self, request_id: Uuid) -> Result<Option<FoundRequest>, ReadError> {
        let found = self.0.locate(stored::event_id(request_id, 0)).await?;
        Ok(found.map(|raw| FoundRequest { stream: raw.stream, revision: raw.revision.0 }))
    }
}
