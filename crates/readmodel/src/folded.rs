//! The frame that every writer of a read model shares: one transaction for each batch of facts, with the checkpoint in
//! it, and the rows of a batch folded in memory before they are stored. What a row is, and its SQL, is the model's own.

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

/// The connection that writes a file, and the log position that the file is true for.
pub(crate) struct Writer {
    connection: Connection,
    position: u64,
}

impl Writer {
    pub(crate) fn new(connection: Connection, position: u64) -> Self {
        Self { connection, position }
    }

    /// How many prepared statements are kept at hand.
    pub(crate) fn keep_statements(&self, max: usize) {
        self.connection.set_prepared_statement_cache_capacity(max);
    }

    /// The log position that the file is true for.
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
    /// Nothing is changed then.
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

    /// Empties the file with `sql`; the checkpoint of an empty file.
    ///
    /// # Errors
    /// Nothing is changed then.
    pub(crate) fn clear(&mut self, sql: &str) -> Result<u64, ReadModelError> {
        self.write(0, |whole| Ok(whole.execute_batch(sql)?))?;
        Ok(0)
    }
}

/// Rows that are folded one batch at a time. The rows of the last batches stay at hand for their next fact.
pub(crate) struct Folded<K: Hash + Eq, V> {
    recent: LruCache<K, V>,
}

impl<K: Hash + Eq + Copy, V> Folded<K, V> {
    /// At most so many rows are kept at hand; one that fell out is read from the file again.
    pub(crate) fn new(rows_max: NonZeroUsize) -> Self {
        Self { recent: LruCache::new(rows_max) }
    }

    /// Begins a batch.
    pub(crate) fn batch(&mut self) -> Batch<'_, K, V> {
        Batch { recent: &mut self.recent, drafts: HashMap::new() }
    }

    /// Forgets the rows at hand.
    pub(crate) fn clear(&mut self) {
        self.recent.clear();
    }
}

/// The rows that one batch touches. A batch that is dropped leaves the rows that it took to be read from the file
/// again.
pub(crate) struct Batch<'a, K: Hash + Eq, V> {
    recent: &'a mut LruCache<K, V>,
    drafts: HashMap<K, Draft<V>>,
}

/// A row in the course of a batch.
pub(crate) struct Draft<V> {
    /// The row as folded so far; `None` for one that no fact began.
    pub(crate) row: Option<V>,
    /// Whether the file held it before the batch.
    pub(crate) stored_before: bool,
    /// Whether the batch changed it.
    pub(crate) changed: bool,
}

impl<K: Hash + Eq + Copy, V> Batch<'_, K, V> {
    /// The draft of a row: begun in this batch, at hand, or what `read` finds in the file.
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

    /// The rows that the batch changed, ordered by `place`: new rows go to the end of their table. Each with whether
    /// the file held it before.
    pub(crate) fn changed(&self, place: impl Fn(&V) -> u64) -> Vec<(bool, &V)> {
        let changed = self.drafts.values().filter(|draft| draft.changed);
        let mut rows: Vec<(bool, &V)> =
            changed.filter_map(|draft| Some((draft.stored_before, draft.row.as_ref()?))).collect();
        rows.sort_unstable_by_key(|(_, row)| place(row));
        rows
    }

    /// Keeps the rows at hand, once the batch is stored.
    pub(crate) fn keep(self) {
        for (key, draft) in self.drafts {
            if let Some(row) = draft.row {
                self.recent.put(key, row);
            }
        }
    }
}
