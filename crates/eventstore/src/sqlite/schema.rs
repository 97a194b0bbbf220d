//! The file: its tables, its format number, and the setup of its connections.
//!
//! The header identifies the program (`application_id`) and the format (`user_version`). A newer format and a foreign
//! file are rejected, each with its own error. Migrations are absent: there is one format so far.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::checkpoint;
use super::folder::unusable;
use super::{OpenError, Planted, SqliteOptions};
use crate::{Cause, private};

/// "SWLG" in ASCII.
const LOG_APPLICATION: i64 = 0x5357_4c47;
/// The format that this program writes, and the newest that it can read.
pub(super) const LOG_FORMAT: i64 = 1;
/// The longest wait for another connection's lock, in milliseconds. Such locks are held for microseconds.
const BUSY_MILLISECONDS: u32 = 10_000;

/// Streams and kinds are stored as numbers, so that the index that every append changes stays small and local. The
/// statements are in the order in which `sqlite_schema` lists them; `check` compares them.
pub(super) const LOG_TABLES: [&str; 4] = [
    "CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
    "CREATE TABLE kinds (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT",
    "CREATE TABLE events (position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, revision INTEGER NOT NULL, \
     kind INTEGER NOT NULL, id BLOB NOT NULL UNIQUE, digest BLOB NOT NULL, meta BLOB NOT NULL, data BLOB NOT NULL) STRICT",
    "CREATE UNIQUE INDEX events_by_stream ON events (stream, revision)",
];

/// Opens the log for writing. Creates its tables in an empty file.
pub(super) fn open_log(path: &Path, options: &SqliteOptions) -> Result<Connection, OpenError> {
    if !path.exists() {
        // A write-ahead log without its file is the rest of a lost log, not an empty log.
        let left = path.with_file_name("log.db-wal");
        if left.metadata().is_ok_and(|found| found.len() > 0) {
            return Err(OpenError::Corrupt { position: None, detail: "log.db is missing, log.db-wal is not".into() });
        }
        if !options.create {
            return Err(OpenError::Absent { path: path.to_owned() });
        }
        private::create_file(path).map_err(unusable)?;
    }
    private::keep_database_from_others(path).map_err(unusable)?;
    let connection = open_file(path, LOG_APPLICATION, LOG_FORMAT, &LOG_TABLES)?;
    let sync = if options.planted == Planted::SkipSync { "OFF" } else { "FULL" };
    let pages = options.writer_cache_bytes / 1024;
    connection
        .execute_batch(&format!(
            "PRAGMA synchronous = {sync}; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -{pages};"
        ))
        .map_err(|error| failed(path, error))?;
    Ok(connection)
}

/// Opens a file of this program for writing. It must have a known format, or be empty; an empty file gets its tables.
pub(crate) fn open_file(path: &Path, application: i64, format: i64, tables: &[&str]) -> Result<Connection, OpenError> {
    let failed = |error| failed(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    settle(&connection).map_err(failed)?;
    let fresh = recognise(&connection, path, application, format)?;
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;").map_err(failed)?;
    make_durable(&connection).map_err(failed)?;
    if fresh {
        let transaction = connection.transaction().map_err(failed)?;
        for table in tables {
            transaction.execute_batch(table).map_err(failed)?;
        }
        transaction
            .execute_batch(&format!("PRAGMA application_id = {application}; PRAGMA user_version = {format};"))
            .map_err(failed)?;
        transaction.commit().map_err(failed)?;
    }
    Ok(connection)
}

/// Moves what the write-ahead log holds into the file, synced, before anything is read from it.
///
/// A process that was killed between a write and its sync leaves transactions that are in the page cache only, and so
/// does a sync that failed: the system then takes the pages for clean, although the disk does not have them. Reading
/// such transactions would acknowledge what a power cut can still remove. So all of them are written and synced again.
fn make_durable(connection: &Connection) -> rusqlite::Result<()> {
    let left = checkpoint::truncate(connection)?;
    // Another process may be reading an old state. Then the write-ahead log stays, but all of it is in the file.
    if left.done < left.pages {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
            Some("another process reads the file; its write-ahead log cannot be made durable".into()),
        ));
    }
    Ok(())
}

/// Opens the log for reading. The file must exist.
pub(super) fn open_to_read(path: &Path, cache_bytes: usize) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    settle(&connection)?;
    connection.execute_batch(&format!("PRAGMA query_only = ON; PRAGMA cache_size = -{};", cache_bytes / 1024))?;
    Ok(connection)
}

/// Settings of every connection: detect damage early, and execute nothing that the file contains.
fn settle(connection: &Connection) -> rusqlite::Result<()> {
    // A prepared statement keeps its plan for all parameters. Otherwise many statements would be prepared again at each
    // use.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.execute_batch(&format!(
        "PRAGMA busy_timeout = {BUSY_MILLISECONDS}; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF; \
         PRAGMA temp_store = MEMORY;"
    ))
}

/// `true` for an empty file, `false` for a log of this program. Any other file is an error.
pub(super) fn recognise_log(connection: &Connection, path: &Path) -> Result<bool, OpenError> {
    recognise(connection, path, LOG_APPLICATION, LOG_FORMAT)
}

fn recognise(connection: &Connection, path: &Path, application: i64, format: i64) -> Result<bool, OpenError> {
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|error| failed(path, error));
    let found = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    if found == application {
        return match version {
            v if v > format => Err(OpenError::Newer { found: v, known: format }),
            v if v < 1 => Err(OpenError::Foreign { path: path.to_owned(), detail: format!("format {v}") }),
            _ => Ok(false),
        };
    }
    if found == 0 && version == 0 && number("SELECT count(*) FROM sqlite_schema")? == 0 {
        return Ok(true);
    }
    Err(OpenError::Foreign { path: path.to_owned(), detail: format!("application {found:#010x}") })
}

/// The error for a caller that opens a file, from an error of SQLite.
pub(crate) fn failed(path: &Path, error: rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            OpenError::Foreign { path: path.to_owned(), detail: "not an SQLite file".into() }
        }
        _ if is_corrupt(&error) => OpenError::Corrupt { position: None, detail: error.to_string() },
        _ => OpenError::Unavailable(Cause::new(error)),
    }
}

/// True when SQLite reports that the file is damaged, not only inaccessible.
pub(crate) fn is_corrupt(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, QueryReturnedNoRows};
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
        || matches!(
            error,
            FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..) | QueryReturnedNoRows
        )
}
