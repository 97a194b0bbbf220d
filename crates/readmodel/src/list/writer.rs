//! The only writer of the list. It folds facts into rows and stores the changed rows in one transaction.

use std::{
    num::NonZeroUsize,
    sync::{Arc, LazyLock},
};

use rusqlite::{Connection, Statement, params, types::Null};
use switchboard_domain::{
    fact::Fact,
    ticket::{CaseFile, TicketId},
};
use switchboard_views::ticket_list::{Datum, Field};

use super::question;
use crate::{
    ReadModelError,
    file::stored,
    folded::{Folded, Writer},
};

/// The most rows in memory for their next fact, about 1 KiB each. Other rows are read from the file.
const ROWS_CACHED_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(16_383);

/// The most prepared statements in memory.
const STATEMENTS_MAX: usize = 32;

/// The fields that a ticket's first fact sets for good. An update does not write them or their indexes.
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

pub(super) struct ListWriter {
    writer: Writer,
    rows: Folded<TicketId, CaseFile>,
}

impl ListWriter {
    pub(super) fn new(connection: Connection, position: u64) -> Self {
        let writer = Writer::new(connection, position);
        writer.keep_statements(STATEMENTS_MAX);
        Self { writer, rows: Folded::new(ROWS_CACHED_MAX) }
    }

    /// Applies the facts beyond the checkpoint. Returns the new checkpoint.
    pub(super) fn apply(&mut self, facts: &[Arc<Fact>], upto: u64) -> Result<u64, ReadModelError> {
        let Some((fresh, position)) = self.writer.beyond(facts, upto) else { return Ok(self.writer.position()) };
        let mut batch = self.rows.batch();
        self.writer.write(position, |whole| {
            for fact in fresh.iter().filter_map(|fact| fact.ticket()) {
                let draft = batch.draft(fact.id, |id| question::row(whole, id))?;
                CaseFile::apply(&mut draft.row, fact);
                draft.changed = true;
            }
            store(whole, &batch.changed(|row| row.opened))
        })?;
        batch.keep();
        Ok(position)
    }

    /// Removes all rows. Returns the checkpoint of an empty file.
    pub(super) fn clear(&mut self) -> Result<u64, ReadModelError> {
        self.rows.clear();
        self.writer.clear("DELETE FROM ticket; DELETE FROM ticket_row;")
    }
}

/// Stores rows, oldest ticket first. The flag of a row is true when the file already had it.
fn store(connection: &Connection, rows: &[(bool, &CaseFile)]) -> Result<(), ReadModelError> {
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

/// Binds the values of `fields`, beginning with the parameter `first`. Returns the next free parameter.
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
