//! Ours, the event store alone, called in this process.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use switchboard_eventstore::{
    AppendError, EventStore, Expected, NewEvent, Revision, SqliteOptions, SqliteStore, StreamName,
};
use uuid::Uuid;

use super::Service;
use crate::workload::{Caller, Event, Fault, Refusal};

/// The open store.
pub struct Keeper {
    store: Arc<SqliteStore>,
    settings: BTreeMap<String, String>,
}

impl Keeper {
    /// Opens an empty store below a folder.
    pub fn open(folder: &Path) -> Result<Self, Fault> {
        let store = SqliteStore::open(&folder.join("keeper"), SqliteOptions::default())?;
        let options = format!("{:?}", SqliteOptions::default());
        Ok(Self { store: Arc::new(store), settings: BTreeMap::from([("options".to_owned(), options)]) })
    }
}

impl Service for Keeper {
    type Caller = Arc<SqliteStore>;

    async fn caller(&mut self) -> Result<Self::Caller, Fault> {
        Ok(self.store.clone())
    }

    fn servers(&self) -> &[u32] {
        &[]
    }

    fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }
}

impl Caller for Arc<SqliteStore> {
    type Cursor = Revision;

    async fn append(&self, ticket: Uuid, event: Event, expected: Option<&Revision>) -> Result<Revision, Refusal> {
        let stream = StreamName::new("ticket", ticket.simple())?;
        let expected = expected.map_or(Expected::NoStream, |revision| Expected::Revision(*revision));
        let event = NewEvent {
            id: event.id,
            kind: event.kind.into(),
            data: event.data.into_bytes(),
            meta: event.meta.into_bytes(),
        };
        match EventStore::append(self.as_ref(), &stream, expected, vec![event]).await {
            Ok(appended) => Ok(appended.revision),
            Err(AppendError::Conflict { .. }) => Err(Refusal::Conflict),
            Err(error) => Err(error.into()),
        }
    }
}
