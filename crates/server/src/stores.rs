//! What a node keeps: the log, the keys and the read models in its data folder. The only place that names a keeper;
//! whoever has the folder open holds its lock.

use std::{path::Path, sync::Arc};

use switchboard_domain::Timestamp;
use switchboard_engine::vault::Vault;
use switchboard_eventstore::{
    Direction, EventStore, Position,
    keys::SqliteKeys,
    sqlite::{SqliteOptions, SqliteStore},
};
use switchboard_readmodel::{ClockHistories, CrewChanges, ReadModelError, TicketList};
use switchboard_wire::stored::Metadata;

/// The open stores of one data folder.
#[derive(Clone)]
pub(crate) struct Stores {
    log: Arc<SqliteStore>,
    keys: Arc<SqliteKeys>,
    /// The list of tickets.
    pub(crate) list: TicketList,
    /// What the clocks look at, and what is published.
    pub(crate) clock_histories: ClockHistories,
    /// Which fact told which crew something.
    pub(crate) crew_changes: CrewChanges,
}

impl Stores {
    /// Opens everything in `data`.
    ///
    /// # Errors
    /// When the folder is in use, damaged or of a newer version, or holds a log without its keys.
    pub(crate) fn open(data: &Path) -> anyhow::Result<Self> {
        let log = Arc::new(SqliteStore::open(data, SqliteOptions::default())?);
        let keyed = data.join(SqliteKeys::FILE_NAME).metadata().is_ok_and(|file| file.len() > 0);
        anyhow::ensure!(
            keyed || log.head() == Position::START,
            "{} holds a log but no keys; bring its {} back, or personal data cannot be read and repeated requests not be recognised",
            data.display(),
            SqliteKeys::FILE_NAME
        );
        let keys = Arc::new(SqliteKeys::open(data)?);
        let head = log.head().0;
        let list =
            not_ahead("ticket list", TicketList::open(data)?, head, TicketList::checkpoint, TicketList::start_over)?;
        let clock_histories = not_ahead(
            "clock histories",
            ClockHistories::open(data)?,
            head,
            ClockHistories::checkpoint,
            ClockHistories::start_over,
        )?;
        let crew_changes = not_ahead(
            "crew changes",
            CrewChanges::open(data)?,
            head,
            CrewChanges::checkpoint,
            CrewChanges::start_over,
        )?;
        Ok(Self { log, keys, list, clock_histories, crew_changes })
    }

    /// The log.
    pub(crate) fn log(&self) -> Arc<dyn EventStore> {
        Arc::clone(&self.log) as Arc<dyn EventStore>
    }

    /// What seals and opens with the keys.
    pub(crate) fn vault(&self) -> Vault {
        Vault::new(Arc::clone(&self.keys) as Arc<_>)
    }

    /// When the last fact of the log was recorded.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(crate) async fn last_recorded(&self) -> anyhow::Result<Option<Timestamp>> {
        let before = Position(self.log.head().0.saturating_sub(1));
        let last = self.log.read_all(before, 1, Direction::Forward).await?;
        let metadata = last.first().and_then(|raw| Metadata::from_json(&raw.meta).ok());
        Ok(metadata.map(|metadata| metadata.recorded_at))
    }

    /// Whether the log takes facts.
    pub(crate) fn is_serving(&self) -> bool {
        self.log.stats().serving
    }

    /// Closes the log and the keys, in this order.
    pub(crate) async fn close(&self) {
        self.log.close().await;
        self.keys.close();
    }
}

/// A read model for a log with this head. One that is ahead of the log starts over: the log must have been restored.
fn not_ahead<M>(
    what: &str,
    model: M,
    head: u64,
    checkpoint: impl Fn(&M) -> u64,
    start_over: impl Fn(&M) -> Result<(), ReadModelError>,
) -> Result<M, ReadModelError> {
    if checkpoint(&model) > head {
        tracing::warn!("the {what} is ahead of the log, which must have been restored; it is built again");
        start_over(&model)?;
    }
    Ok(model)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_model_that_is_ahead_of_the_log_starts_over_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let list = TicketList::open(folder.path()).unwrap();
        list.apply(&[], 7).unwrap();
        let opened = |head| not_ahead("list", list.clone(), head, TicketList::checkpoint, TicketList::start_over);
        assert_eq!(opened(7).unwrap().checkpoint(), 7);
        assert_eq!(opened(6).unwrap().checkpoint(), 0);
    }
}
