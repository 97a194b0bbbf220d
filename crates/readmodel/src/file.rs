//! The file of a read model: its form, its checkpoint, the log that it belongs to, and when it is replaced by an empty
//! file. No row is read or written here.

use std::{
    borrow::Cow,
    fmt::Write,
    fs, io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig, types::ValueRef};
use switchboard_domain::position::LogId;
use switchboard_eventstore::private;
use uuid::Uuid;

use crate::ReadModelError;

/// The page cache of the writing connection, in KiB.
const WRITER_CACHE_KIB: i32 = 4 * 1024;
/// The page cache of each reading connection, in KiB.
const READER_CACHE_KIB: i32 = 16 * 1024;
/// When the write-ahead log has this many pages (64 MiB), SQLite copies it into the file and syncs. Facts change rows
/// all over the file: the more facts share one copy, the fewer pages are written twice.
const LOG_PAGES_MAX: i32 = 16 * 1024;

/// The first table of every read model's file.
const STATE: &str = "
    CREATE TABLE state (
        only_line INTEGER PRIMARY KEY CHECK (only_line = 0),
        view_version INTEGER NOT NULL,
        position INTEGER NOT NULL,
        log BLOB
    ) STRICT;
";

/// The parts in which the files of the read models differ.
pub(crate) struct Form {
    /// The file's name in the data folder.
    pub name: &'static str,
    /// The name of its content in log messages, for example `ticket list`.
    pub what: &'static str,
    /// The fingerprint of the code that makes such a file. A file with another version is rebuilt.
    pub version: u64,
    /// Its tables and indexes, besides the table of the state.
    pub tables: Cow<'static, str>,
}

pub(crate) struct ViewFile {
    form: Form,
    path: PathBuf,
    /// The path of the mark beside a file that was found damaged.
    damaged: PathBuf,
}

impl ViewFile {
    pub(crate) fn at(folder: &Path, form: Form) -> Self {
        let path = folder.join(form.name);
        Self { damaged: damaged(&path), path, form }
    }

    /// Opens the file for writing. Returns the connection and the checkpoint.
    pub(crate) fn open(&self) -> Result<(Connection, u64), ReadModelError> {
        private::keep_database_from_others(&self.path).map_err(unavailable)?;
        let fault = if self.damaged.exists() {
            Some("it was found damaged".to_owned())
        } else if self.path.exists() {
            match self.open_existing() {
                Ok(Some(found)) => return Ok(found),
                Ok(None) => Some("another version made it".to_owned()),
                Err(error) if is_unreadable(&error) => Some(error.to_string()),
                Err(error) => return Err(error.into()),
            }
        } else {
            None
        };
        if let Some(because) = fault {
            tracing::warn!(file = %self.path.display(), because, "rebuilding the {} from the log", self.form.what);
        }
        remove(&self.path)?;
        private::emptied(&self.path).map_err(unavailable)?;
        self.create().map_err(|error| ReadModelError::Unavailable(Box::new(error)))
    }

    fn open_existing(&self) -> Result<Option<(Connection, u64)>, rusqlite::Error> {
        let connection = self.connect()?;
        let (version, position): (i64, i64) =
            connection
                .query_row("SELECT view_version, position FROM state", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((version == self.form.version.cast_signed()).then_some((connection, position.unsigned_abs())))
    }

    fn create(&self) -> Result<(Connection, u64), rusqlite::Error> {
        let mut connection = self.connect()?;
        let whole = connection.transaction()?;
        whole.execute_batch(STATE)?;
        whole.execute_batch(&self.form.tables)?;
        whole.execute("INSERT INTO state VALUES (0, ?1, 0, NULL)", [self.form.version.cast_signed()])?;
        whole.commit()?;
        Ok((connection, 0))
    }

    fn connect(&self) -> Result<Connection, rusqlite::Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // A power failure may lose the last transactions, each as a whole. Their facts are still in the log.
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES_MAX)?;
        Ok(connection)
    }

    /// A read-only connection.
    pub(crate) fn reader(&self) -> Result<Connection, ReadModelError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        Ok(connection)
    }

    /// The log that the file is made from; `None` until a log is recorded.
    pub(crate) fn log(&self) -> Result<Option<LogId>, ReadModelError> {
        let stored: Option<[u8; 16]> = self.reader()?.query_row("SELECT log FROM state", [], |row| row.get(0))?;
        Ok(stored.map(|bytes| LogId::from_stored(Uuid::from_bytes(bytes))))
    }

    /// Records the log that the file is made from.
    pub(crate) fn name_log(&self, log: LogId) -> Result<(), ReadModelError> {
        self.connect()?.execute("UPDATE state SET log = ?1", [log.stored().into_bytes()])?;
        Ok(())
    }

    /// Marks the file as damaged, so that the next opening replaces it. A complete check at every start would take
    /// minutes.
    pub(crate) fn mark_damaged(&self, error: &ReadModelError) {
        let what = self.form.what;
        tracing::error!(file = %self.path.display(), error = %DisplayChain(error), "the {what} is damaged");
        if let Err(error) = private::emptied(&self.damaged) {
            tracing::error!(file = %self.damaged.display(), %error, "cannot mark the {what} as damaged; delete it before the next start");
        }
    }
}

/// Removes the file at `path` and all files that belong to it. Missing ones are ignored.
pub(super) fn remove(path: &Path) -> Result<(), ReadModelError> {
    for file in private::database(path) {
        absent(fs::remove_file(file))?;
    }
    // The mark is removed last, so a crash before that starts the removal again.
    absent(fs::remove_file(damaged(path)))
}

/// The path of the mark for a damaged file.
fn damaged(path: &Path) -> PathBuf {
    path.with_extension("damaged")
}

/// The checkpoint of a file.
pub(crate) fn position(connection: &Connection) -> Result<u64, ReadModelError> {
    let position: i64 = connection.prepare_cached("SELECT position FROM state")?.query_row([], |row| row.get(0))?;
    Ok(position.unsigned_abs())
}

/// Stores the checkpoint. Call it in the transaction that changes the rows.
pub(crate) fn set_position(connection: &Connection, position: u64) -> Result<(), ReadModelError> {
    connection.prepare_cached("UPDATE state SET position = ?1")?.execute([stored(position)])?;
    Ok(())
}

/// A log position in SQLite's form.
pub(crate) fn stored(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

/// Passes the state, and the rows that `rows` selects, to `each` as text, line by line.
pub(crate) fn dump(connection: &Connection, rows: &[&str], each: &mut dyn FnMut(&str)) -> Result<(), ReadModelError> {
    for sql in ["SELECT * FROM state"].iter().chain(rows) {
        let mut statement = connection.prepare(sql)?;
        let columns = statement.column_count();
        let mut found = statement.query([])?;
        while let Some(row) = found.next()? {
            let mut line = String::new();
            for column in 0..columns {
                let _ = match row.get_ref(column)? {
                    ValueRef::Null => write!(line, "NULL|"),
                    ValueRef::Integer(number) => write!(line, "{number}|"),
                    ValueRef::Real(number) => write!(line, "{number}|"),
                    ValueRef::Text(text) => write!(line, "{}|", String::from_utf8_lossy(text).escape_default()),
                    ValueRef::Blob(bytes) => write!(line, "{bytes:02x?}|"),
                };
            }
            each(&line);
        }
    }
    Ok(())
}

fn absent(removed: io::Result<()>) -> Result<(), ReadModelError> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unavailable(error)),
        _ => Ok(()),
    }
}

fn unavailable(error: io::Error) -> ReadModelError {
    ReadModelError::Unavailable(Box::new(error))
}

/// True when this code cannot have written the existing file; false when the file is only inaccessible.
fn is_unreadable(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown) => true,
        Some(_) => false,
        // A row is missing, or a value has another type.
        None => true,
    }
}

/// An error with its causes, for log messages.
struct DisplayChain<'a>(&'a ReadModelError);

impl std::fmt::Display for DisplayChain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = std::error::Error::source(self.0);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
