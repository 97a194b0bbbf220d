//! The common part of all writers of read models: one transaction for each batch of facts, including the checkpoint.
//! The rows of a batch are folded in memory before they are stored. The rows and their SQL belong to the model.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    num::NonZeroUsize,
    sync::Arc,
};

use lru::LruCache;
use rusqlite::{Connection, TransactionBehavior};
use switchboard_domain::fact::Fact;

use crate::{ReadModelError, file::set_position};

/// The connection that writes a file, and the checkpoint of the file.
pub(crate) struct Writer {
    connection: Connection,
    position: u64,
}

impl Writer {
    pub(crate) fn new(connection: Connection, position: u64) -> Self {
        Self { connection, position }
    }

    /// Sets the most prepared statements in memory.
    pub(crate) fn keep_statements(&self, max: usize) {
        self.connection.set_prepared_statement_cache_capacity(max);
    }

    /// The position of the last fact in the file.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The facts beyond the checkpoint, and the checkpoint after them; `None` when the checkpoint would not move.
    pub(crate) fn beyond<'f>(&self, facts: &'f [Arc<Fact>], upto: u64) -> Option<(&'f [Arc<Fact>], u64)> {
        let fresh = &facts[facts.partition_point(|fact| fact.position() <= self.position)..];
        let reached = fresh.last().map_or(upto, |last| upto.max(last.position()));
        (reached > self.position).then_some((fresh, reached))
    }

    /// Changes rows and checkpoint in one transaction.
    ///
    /// # Errors
    /// Nothing was changed.
    pub(crate) fn write<T>(
        &mut self,
        position: u64,
        change: impl FnOnce(&Connection) -> Result<T, ReadModelError>,
    ) -> Result<T, ReadModelError> {
        let whole = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let changed = change(&whole)?;
        set_position(&whole, position)?;
        whole.commit()?;
        self.position = position;
        Ok(changed)
    }

    /// Empties the file with `sql`. Returns the checkpoint of an empty file.
    ///
    /// # Errors
    /// Nothing was changed.
    pub(crate) fn clear(&mut self, sql: &str) -> Result<u64, ReadModelError> {
        self.write(0, |whole| Ok(whole.execute_batch(sql)?))?;
        Ok(0)
    }
}

/// Rows that are folded batch by batch. The rows of recent batches stay in memory for their next fact.
pub(crate) struct Folded<K: Hash + Eq, V> {
    recent: LruCache<K, V>,
}

impl<K: Hash + Eq + Copy, V> Folded<K, V> {
    /// Keeps at most this many rows in memory. Others are read from the file.
    pub(crate) fn new(rows_max: NonZeroUsize) -> Self {
        Self { recent: LruCache::new(rows_max) }
    }

    /// Begins a batch.
    pub(crate) fn batch(&mut self) -> Batch<'_, K, V> {
        Batch { recent: &mut self.recent, drafts: HashMap::new() }
    }

    /// Drops the rows in memory.
    pub(crate) fn clear(&mut self) {
        self.recent.clear();
    }
}

/// The rows of one batch. If a batch is dropped, its rows are read from the file again.
pub(crate) struct Batch<'a, K: Hash + Eq, V> {
    recent: &'a mut LruCache<K, V>,
    drafts: HashMap<K, Draft<V>>,
}

/// A row while a batch is folded.
pub(crate) struct Draft<V> {
    /// The row folded so far; `None` when no fact created it.
    pub(crate) row: Option<V>,
    /// True when the file had the row before the batch.
    pub(crate) stored_before: bool,
    /// True when the batch changed the row.
    pub(crate) changed: bool,
}

impl<K: Hash + Eq + Copy, V> Batch<'_, K, V> {
    /// The draft of a row: from this batch, from memory, or from `read`, which reads the file.
    pub(crate) fn draft(
        &mut self,
        key: K,
        read: impl FnOnce(K) -> Result<Option<V>, ReadModelError>,
    ) -> Result<&mut Draft<V>, ReadModelError> {
        match self.drafts.entry(key) {
            Entry::Occupied(begun) => Ok(begun.into_mut()),
            Entry::Vacant(free) => {
                let row = match self.recent.pop(&key) {
                    Some(row) => Some(row),
                    None => read(key)?,
                };
                Ok(free.insert(Draft { stored_before: row.is_some(), row, changed: false }))
            }
        }
    }

    /// The rows that the batch changed, ordered by `place`, so that new rows are appended to their table. The flag is
    /// true when the file had the row before the batch.
    pub(crate) fn changed(&self, place: impl Fn(&V) -> u64) -> Vec<(bool, &V)> {
        let changed = self.drafts.values().filter(|draft| draft.changed);
        let mut rows: Vec<(bool, &V)> =
            changed.filter_map(|draft| Some((draft.stored_before, draft.row.as_ref()?))).collect();
        rows.sort_unstable_by_key(|(_, row)| place(row));
        rows
    }

    /// Keeps the rows in memory. Call it after the batch was stored.
    pub(crate) fn keep(self) {
        for (key, draft) in self.drafts {
            if let Some(row) = draft.row {
                self.recent.put(key, row);
            }
        }
    }
}
