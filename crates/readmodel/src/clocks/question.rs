//! Queries of the clock histories as SQL. Nothing is written here.

use rusqlite::{Connection, Params, Row, params};
use switchboard_domain::{Timestamp, sla::clock_history::ClockHistory, ticket::TicketId};

use super::writer::Line;
use crate::{ReadModelError, file::position};

/// All clock histories in a fixed order.
pub(super) const ALL: &str = "SELECT * FROM clock_history ORDER BY opened";

/// The open ones in the order of the log, then those that ended after position `?1`. The indexes are named, because a
/// scan of the whole table would be slow, and SQLite cannot know how few are open.
pub(super) const IN_FLIGHT: &str = "
    SELECT json FROM clock_history INDEXED BY clock_history_open WHERE over = 0
    UNION ALL
    SELECT json FROM (
        SELECT json FROM clock_history INDEXED BY clock_history_ended WHERE over = 1 ORDER BY last_position DESC LIMIT ?1
    )";

/// A page of a scan.
pub(super) const PAGE: &str = "
    SELECT received_at, opened, json FROM clock_history INDEXED BY clock_history_received
    WHERE (received_at, opened) > (?1, ?2) AND received_at < ?3 AND (last_at >= ?4 OR over = 0)
    ORDER BY received_at, opened LIMIT ?5";

/// A key before every position of the log.
const BEFORE_ALL: i64 = -1;

/// The clock histories that a scan returns. Instants are microseconds since 1970.
pub(super) struct Range {
    received_from: i64,
    received_before: i64,
    last_from: i64,
}

impl Range {
    /// Those received from `from` on and before `to`.
    pub(super) fn received(from: Timestamp, to: Timestamp) -> Self {
        Self { received_from: from.timestamp_micros(), received_before: to.timestamp_micros(), last_from: i64::MIN }
    }

    /// Those received before `to` that are open, or have an instant at or after `from`. Open ones count because a clock
    /// may become due without a fact.
    pub(super) fn touching(from: Timestamp, to: Timestamp) -> Self {
        Self { received_from: i64::MIN, received_before: to.timestamp_micros(), last_from: from.timestamp_micros() }
    }
}

/// The end of a page: `received_at` and `opened` of its last clock history. No later fact changes these values.
pub(super) type Key = (i64, i64);

/// One page of a scan.
pub(super) struct Page {
    pub clock_histories: Vec<ClockHistory>,
    /// The key after which the next page begins; `None` on the last page.
    pub next: Option<Key>,
    /// The checkpoint of the snapshot.
    pub position: u64,
}

pub(super) fn page(
    connection: &Connection,
    range: &Range,
    after: Option<Key>,
    rows: usize,
) -> Result<Page, ReadModelError> {
    let (received_at, opened) = after.unwrap_or((range.received_from, BEFORE_ALL));
    let mut statement = connection.prepare_cached(PAGE)?;
    let limit = i64::try_from(rows).unwrap_or(i64::MAX);
    let mut found = statement.query(params![received_at, opened, range.received_before, range.last_from, limit])?;
    let mut clock_histories = Vec::with_capacity(rows);
    let mut last = None;
    while let Some(line) = found.next()? {
        last = Some((line.get(0)?, line.get(1)?));
        clock_histories.push(clock_history(line, 2)?);
    }
    let next = last.filter(|_| clock_histories.len() == rows);
    Ok(Page { clock_histories, next, position: position(connection)? })
}

pub(super) fn in_flight(connection: &Connection, ended_max: u32) -> Result<Vec<ClockHistory>, ReadModelError> {
    all(connection, IN_FLIGHT, [ended_max])
}

/// The clock history of a ticket, with the position of its last fact.
pub(super) fn line(connection: &Connection, id: TicketId) -> Result<Option<Line>, ReadModelError> {
    let mut statement = connection.prepare_cached("SELECT last_position, json FROM clock_history WHERE id = ?1")?;
    let mut found = statement.query(params![id.0.as_bytes()])?;
    let Some(row) = found.next()? else { return Ok(None) };
    Ok(Some(Line { last_position: row.get::<_, i64>(0)?.unsigned_abs(), clock_history: clock_history(row, 1)? }))
}

fn all(connection: &Connection, sql: &str, bound: impl Params) -> Result<Vec<ClockHistory>, ReadModelError> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut found = statement.query(bound)?;
    let mut clock_histories = Vec::new();
    while let Some(line) = found.next()? {
        clock_histories.push(clock_history(line, 0)?);
    }
    Ok(clock_histories)
}

fn clock_history(row: &Row<'_>, column: usize) -> Result<ClockHistory, ReadModelError> {
    Ok(serde_json::from_str(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)?)
}
