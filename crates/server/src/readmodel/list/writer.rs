//! The one hand that writes the list: folds facts into rows and stores the rows that changed, all or nothing.

use std::{
    collections::{HashMap, hash_map::Entry},
    num::NonZeroUsize,
    sync::{Arc, LazyLock},
};

use lru::LruCache;
use rusqlite::{Connection, Statement, TransactionBehavior, params, types::Null};
use switchboard_domain::{
    fact::Fact,
    ticket::{CaseFile, TicketId},
};
use switchboard_views::ticket_list::{Datum, Field};

use super::question;
use crate::readmodel::{
    ReadModelError,
    file::{set_position, stored},
};

/// Rows kept at hand for their next fact, about 1 KiB each; one that fell out is read from the file again.
const ROWS_CACHED_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(16_383);

/// The fields that a ticket's first fact settles for ever. An update leaves them and their indexes alone.
const SETTLED: [Field; 5] = [Field::Channel, Field::Number, Field::External, Field::ReceivedBy, Field::ReceivedAt];

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let columns: Vec<&str> = Field::ALL.iter().map(|field| field.as_str()).collect();
    let places = vec!["?"; 4 + columns.len()].join(", ");
    format!("INSERT INTO ticket (opened, id, phone_key, account_key, {}) VALUES ({places})", columns.join(", "))
});

static UPDATE: LazyLock<String> = LazyLock::new(|| {
    let columns: Vec<String> = unsettled().map(|field| format!("{} = ?", field.as_str())).collect();
    format!("UPDATE ticket SET {} WHERE opened = ?", columns.join(", "))
});

fn unsettled() -> impl Iterator<Item = Field> {
    Field::ALL.iter().copied().filter(|field| !SETTLED.contains(field))
}

pub(super) struct Writer {
    connection: Connection,
    position: u64,
    recent: LruCache<TicketId, CaseFile>,
}

/// A row in the course of a batch.
struct Draft {
    row: Option<CaseFile>,
    stored_before: bool,
}

impl Writer {
    pub(super) fn new(connection: Connection, position: u64) -> Self {
        connection.set_prepared_statement_cache_capacity(32);
        Self { connection, position, recent: LruCache::new(ROWS_CACHED_MAX) }
    }

    /// Takes the facts beyond the checkpoint into account; the new checkpoint.
    pub(super) fn apply(&mut self, facts: &[Arc<Fact>], upto: u64) -> Result<u64, ReadModelError> {
        let before = self.position;
        let fresh = || facts.iter().filter(|fact| fact.position() > before);
        let position = fresh().map(|fact| fact.position()).fold(upto.max(before), u64::max);
        if position == before {
            return Ok(before);
        }
        let whole = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut drafts: HashMap<TicketId, Draft> = HashMap::new();
        for fact in fresh().filter_map(|fact| fact.ticket()) {
            let draft = match drafts.entry(fact.id) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(free) => {
                    let row = match self.recent.pop(&fact.id) {
                        Some(row) => Some(row),
                        None => question::row(&whole, fact.id)?,
                    };
                    free.insert(Draft { stored_before: row.is_some(), row })
                }
            };
            CaseFile::apply(&mut draft.row, fact);
        }
        let mut changed: Vec<(bool, CaseFile)> =
            drafts.into_values().filter_map(|draft| Some((draft.stored_before, draft.row?))).collect();
        changed.sort_unstable_by_key(|(_, row)| row.opened);
        store(&whole, &changed)?;
        set_position(&whole, position)?;
        whole.commit()?;
        self.position = position;
        for (_, row) in changed {
            self.recent.put(row.id, row);
        }
        Ok(position)
    }

    /// Forgets everything; the checkpoint of nothing.
    pub(super) fn clear(&mut self) -> Result<u64, ReadModelError> {
        let whole = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        whole.execute_batch("DELETE FROM ticket; DELETE FROM ticket_row;")?;
        set_position(&whole, 0)?;
        whole.commit()?;
        self.recent.clear();
        self.position = 0;
        Ok(0)
    }
}

/// Writes rows, oldest ticket first; each with whether it was there before.
fn store(connection: &Connection, rows: &[(bool, CaseFile)]) -> Result<(), ReadModelError> {
    let mut insert = connection.prepare_cached(&INSERT)?;
    let mut update = connection.prepare_cached(&UPDATE)?;
    let mut insert_row = connection.prepare_cached("INSERT INTO ticket_row VALUES (?1, ?2)")?;
    let mut update_row = connection.prepare_cached("UPDATE ticket_row SET json = ?2 WHERE opened = ?1")?;
    for (stored_before, row) in rows {
        let opened = stored(row.opened);
        let json = serde_json::to_string(row)?;
        if *stored_before {
            let next = bind_fields(&mut update, 1, unsettled(), row)?;
            update.raw_bind_parameter(next, opened)?;
            update.raw_execute()?;
            update_row.execute(params![opened, json])?;
        } else {
            insert.raw_bind_parameter(1, opened)?;
            insert.raw_bind_parameter(2, row.id.0.as_bytes())?;
            insert.raw_bind_parameter(3, &row.phone_key)?;
            insert.raw_bind_parameter(4, &row.account_key)?;
            bind_fields(&mut insert, 5, Field::ALL.iter().copied(), row)?;
            insert.raw_execute()?;
            insert_row.execute(params![opened, json])?;
        }
    }
    Ok(())
}

/// Binds what stands in `fields`, from the parameter `first` on; the first parameter that is still free.
fn bind_fields(
    statement: &mut Statement<'_>,
    first: usize,
    fields: impl Iterator<Item = Field>,
    row: &CaseFile,
) -> Result<usize, rusqlite::Error> {
    let mut next = first;
    for field in fields {
        match field.of(row) {
            Datum::Nothing => statement.raw_bind_parameter(next, Null)?,
            Datum::Flag(flag) => statement.raw_bind_parameter(next, flag)?,
            Datum::Time(micros) => statement.raw_bind_parameter(next, micros)?,
            Datum::Text(text) => statement.raw_bind_parameter(next, text.as_ref())?,
        }
        next += 1;
    }
    Ok(next)
}
