//! The place at which a request was recorded, in any stream. This is for requests whose stream does not follow from
//! their id.
//!
//! For example: did this request open a ticket or attach to one, and to which? A stream's own ledger cannot answer
//! that. A store that knows all event ids can; for any other store a read model must keep the answers.

use std::sync::Arc;

use async_trait::async_trait;
use switchboard_eventstore::{Locate, ReadError, StreamName};
use switchboard_wire::stored;
use uuid::Uuid;

/// The place of the first event of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundRequest {
    /// The stream.
    pub stream: StreamName,
    /// The revision of its first event in that stream, from 0.
    pub revision: u64,
}

/// An index of requests by id.
#[async_trait]
pub trait Requests: Send + Sync + 'static {
    /// The place at which the request was recorded. It knows every request that was acknowledged before the call.
    /// `None` means that the request has appended nothing so far.
    ///
    /// # Errors
    /// The place cannot be found now.
    async fn find(&self, request_id: Uuid) -> Result<Option<FoundRequest>, ReadError>;
}

/// The index of a store that knows all event ids.
#[derive(Clone)]
pub struct EventIds(Arc<dyn Locate>);

impl std::fmt::Debug for EventIds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("EventIds(..)")
    }
}

impl EventIds {
    /// The index of this store.
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
