//! Counts of the contents of a log, read from its file. Nothing is verified here; `check` does that.

use std::path::Path;

use super::rows::read_error;
use super::schema::open_to_read;
use crate::{Position, ReadError};

/// The page cache of the connection, in bytes.
const CACHE_BYTES: usize = 2 << 20;

/// The counts of one committed state of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Census {
    /// The last position.
    pub head: Position,
    /// The number of events.
    pub events: u64,
    /// The number of streams by category, in the order of the names.
    pub categories: Vec<(String, u64)>,
    /// The number of events by kind, in the order of the names.
    pub kinds: Vec<(String, u64)>,
    /// The size of the file in bytes, without the write-ahead log.
    pub bytes: u64,
}

pub(super) fn take(path: &Path) -> Result<Census, ReadError> {
    let connection = open_to_read(path, CACHE_BYTES).map_err(read_error)?;
    let state = connection.unchecked_transaction().map_err(read_error)?;
    let number = |sql: &str| state.query_row(sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs);
    let counts = |sql: &str| {
        let mut statement = state.prepare(sql)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
        rows.collect::<rusqlite::Result<Vec<(String, u64)>>>()
    };
    let census = || {
        Ok(Census {
            head: Position(number("SELECT coalesce(max(position), 0) FROM events")?),
            events: number("SELECT count(*) FROM events")?,
            categories: counts(
                "SELECT substr(name, 1, instr(name, '-') - 1) AS c, count(*) FROM streams GROUP BY c ORDER BY c",
            )?,
            kinds: counts(
                "SELECT k.name, count(*) FROM events e JOIN kinds k ON k.id = e.kind GROUP BY k.name ORDER BY k.name",
            )?,
            bytes: number("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")?,
        })
    };
    census().map_err(read_error)
}
