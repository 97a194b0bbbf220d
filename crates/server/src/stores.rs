//! The stores of a node in its data folder: the log, the keys and the read models. This is the only module that names
//! an event store implementation. The process that has the folder open holds its lock.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use serde_json::Value;
use switchboard_domain::{
    Timestamp,
    position::{LogId, LogPosition},
};
use switchboard_engine::{
    requests::{EventIds, Requests},
    vault::Vault,
};
use switchboard_eventstore::{
    Direction, EventStore, PAGE_EVENTS_MAX, Position, ReadError,
    keys::{KeyId, SqliteKeys},
    sqlite::{SqliteOptions, SqliteStore},
};
use switchboard_readmodel::{ClockHistories, CrewChanges, ReadModelError, TicketList};
use switchboard_wire::{seal, stored::Metadata};

/// The newest events whose keys are compared with the key file at the start.
const KEYS_CHECKED_EVENTS: usize = 4_096;

/// The open stores of one data folder.
#[derive(Clone)]
pub(crate) struct Stores {
    log: Arc<SqliteStore>,
    keys: Arc<SqliteKeys>,
    /// The list of tickets.
    pub(crate) list: TicketList,
    /// The clock histories of the tickets, and the published policies and calendars.
    pub(crate) clock_histories: ClockHistories,
    /// The index of crew changes: which fact changed which crew's assignments.
    pub(crate) crew_changes: CrewChanges,
}

impl Stores {
    /// Opens all stores in `data`.
    ///
    /// # Errors
    /// The folder is in use, damaged or of a newer version, or it holds a log without its keys.
    pub(crate) async fn open(data: &Path) -> anyhow::Result<Self> {
        let log = Arc::new(SqliteStore::open(data, SqliteOptions::default())?);
        let keyed = data.join(SqliteKeys::FILE_NAME).metadata().is_ok_and(|file| file.len() > 0);
        anyhow::ensure!(
            keyed || log.head() == Position::START,
            "{} holds a log but no keys; bring its {} back, or personal data cannot be read and repeated requests not be recognised",
            data.display(),
            SqliteKeys::FILE_NAME
        );
        let first = match log.read_all(Position::START, 1, Direction::Forward).await {
            Err(ReadError::Corrupt { .. }) => Vec::new(),
            first => first?,
        };
        let id = first.first().map(|first| {
            LogId::of(first.id, switchboard_domain::position::Position::from_stored(first.position.stored()))
        });
        let id = id.map(|id| id.stored().into_bytes());
        if let Some(id) = id
            && let Some(why) = SqliteKeys::misfit(data, id, &keys_used(&log).await?)?
        {
            log.close().await;
            anyhow::bail!(
                "{} in {} is an older copy, or belongs to another log ({why}); bring back the newest one: two people would share a key",
                SqliteKeys::FILE_NAME,
                data.display()
            );
        }
        let keys = Arc::new(SqliteKeys::open(data)?);
        if let Some(id) = id {
            keys.name_log(id)?;
        }
        let (list, clock_histories, crew_changes) =
            (TicketList::open(data)?, ClockHistories::open(data)?, CrewChanges::open(data)?);
        Ok(Self { log, keys, list, clock_histories, crew_changes })
    }

    /// Empties every read model that was built from another log, or that is ahead of `head`. Either happens when the
    /// log was replaced, or restored from an earlier copy.
    ///
    /// # Errors
    /// A file cannot be written.
    pub(crate) fn keep_to(&self, head: LogPosition) -> Result<(), ReadModelError> {
        unless_in(head, "ticket list", self.list.place(), || self.list.start_over())?;
        unless_in(head, "clock histories", self.clock_histories.place(), || self.clock_histories.start_over())?;
        unless_in(head, "crew changes", self.crew_changes.place(), || self.crew_changes.start_over())
    }

    /// The log.
    pub(crate) fn log(&self) -> Arc<dyn EventStore> {
        Arc::clone(&self.log) as Arc<dyn EventStore>
    }

    /// Finds the stream in which a request was recorded.
    pub(crate) fn requests(&self) -> Arc<dyn Requests> {
        Arc::new(EventIds::new(Arc::clone(&self.log) as Arc<_>))
    }

    /// Seals and opens personal data with the stored keys.
    pub(crate) fn vault(&self) -> Vault {
        Vault::new(Arc::clone(&self.keys) as Arc<_>)
    }

    /// Returns when the last fact of the log was recorded; `None` if the log is empty, or if that fact's metadata
    /// cannot be read.
    ///
    /// # Errors
    /// The log cannot be read.
    pub(crate) async fn last_recorded(&self) -> anyhow::Result<Option<Timestamp>> {
        let last = self.log.read_all(Position::END, 1, Direction::Backward).await?;
        let metadata = last.first().and_then(|raw| Metadata::from_json(&raw.meta).ok());
        Ok(metadata.map(|metadata| metadata.recorded_at))
    }

    /// Why the stores cannot serve commands now; `None` when they can.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let log = self.log.stats();
        if !log.serving {
            Some("the log takes nothing")
        } else if log.full {
            Some("the disk of the log is full")
        } else if self.keys.is_faulty() {
            Some("the key file cannot be written")
        } else {
            None
        }
    }

    /// Closes the log and the keys, in this order.
    pub(crate) async fn close(&self) {
        self.log.close().await;
        self.keys.close();
    }
}

/// The keys that sealed personal data in the newest events of the log.
async fn keys_used(log: &SqliteStore) -> anyhow::Result<Vec<KeyId>> {
    let (mut used, mut before) = (BTreeSet::new(), Position::END);
    for _ in 0..KEYS_CHECKED_EVENTS / PAGE_EVENTS_MAX {
        let page = match log.read_all(before, PAGE_EVENTS_MAX, Direction::Backward).await {
            // Damage further back is reported where it is read. It does not stop the start.
            Err(ReadError::Corrupt { .. }) => break,
            page => page?,
        };
        let Some(first) = page.last() else { break };
        before = first.position;
        for event in &page {
            if let Ok(data) = serde_json::from_slice(&event.data) {
                each_seal(&data, &mut |id| {
                    used.insert(id);
                });
            }
        }
    }
    Ok(used.into_iter().map(KeyId).collect())
}

/// Passes the key id of every sealed text in `data` to `each`.
fn each_seal(data: &Value, each: &mut dyn FnMut(u64)) {
    match data {
        Value::String(text) => {
            if let Ok(id) = seal::key_id(text) {
                each(id);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| each_seal(item, each)),
        Value::Object(fields) => fields.values().for_each(|field| each_seal(field, each)),
        _ => {}
    }
}

/// Starts a read model over if its `place` is not in the log that reaches up to `head`.
fn unless_in(
    head: LogPosition,
    what: &str,
    place: LogPosition,
    start_over: impl FnOnce() -> Result<(), ReadModelError>,
) -> Result<(), ReadModelError> {
    if place.is_in(head) {
        return Ok(());
    }
    tracing::warn!(position = %place.position, head = %head.position, "the {what} is not of this log as it is now; it is built again");
    start_over()
}

#[cfg(test)]
mod tests {
    use switchboard_domain::position::{LogId, Position};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_read_model_that_is_not_of_this_log_starts_over_and_no_other() {
        let place = |log: u128, position| LogPosition {
            log: LogId::of(Uuid::from_u128(log), Position::from_stored(1)),
            position: Position::from_stored(position),
        };
        let after = |head: LogPosition| {
            let folder = tempfile::tempdir().unwrap();
            let list = TicketList::open(folder.path()).unwrap();
            list.name_log(place(1, 7).log).unwrap();
            list.apply(&[], 7).unwrap();
            drop(list);
            let list = TicketList::open(folder.path()).unwrap();
            unless_in(head, "list", list.place(), || list.start_over()).unwrap();
            list.checkpoint()
        };
        assert_eq!(after(place(1, 7)), 7);
        assert_eq!(after(place(1, 6)), 0, "the log was restored from an earlier copy");
        assert_eq!(after(place(2, 9)), 0, "another log");
    }
}
