//! The file of the list: its form, and when it is replaced by an empty one. No row is read or written here.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, ErrorCode, OpenFlags, config::DbConfig};
use switchboard_views::ticket_list::{Field, ROW_CODE, fingerprint};

use super::ReadModelError;

/// The file's name in the data folder.
pub const FILE_NAME: &str = "views.db";
/// Lies beside a file that was found damaged.
const DAMAGED_NAME: &str = "views.damaged";

/// Names the code that made a file: its form and the folding of rows. A file with another one is rebuilt.
pub const VIEW_VERSION: u64 = fingerprint(&[include_str!("file.rs"), include_str!("writer.rs")]) ^ ROW_CODE;

/// Page cache of the writing connection, in KiB.
const WRITER_CACHE_KIB: i32 = 16 * 1024;
/// Page cache of each reading connection, in KiB.
const READER_CACHE_KIB: i32 = 16 * 1024;
/// The write-ahead log is carried over into the file, and synced, when it has grown by so many pages (64 MiB). Facts touch
/// rows all over the file: the more of them share one carrying over, the fewer pages are written twice.
const LOG_PAGES_MAX: i32 = 16 * 1024;

/// `ticket` is what is searched, a narrow line each; `ticket_row` is what is answered. `opened` is the position of a
/// ticket's first fact: new lines go to the end of both, and every index carries it as the tie-break of the orders.
/// The columns after `account_key` are the filter's fields and are named by them.
const FORM: &str = "
    CREATE TABLE state (
        only_line INTEGER PRIMARY KEY CHECK (only_line = 0),
        view_version INTEGER NOT NULL,
        position INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE ticket (
        opened INTEGER PRIMARY KEY,
        id BLOB NOT NULL UNIQUE,
        phone_key TEXT,
        account_key TEXT,
        {fields}
    ) STRICT;
    CREATE TABLE ticket_row (opened INTEGER PRIMARY KEY, json TEXT NOT NULL) STRICT;
    CREATE INDEX ticket_received ON ticket (received_at);
    CREATE INDEX ticket_open ON ticket (received_at) WHERE open = 1;
    CREATE INDEX ticket_updated ON ticket (updated_at);
    CREATE INDEX ticket_number ON ticket (number);
    CREATE INDEX ticket_holder ON ticket (holder);
    CREATE INDEX ticket_phone ON ticket (phone_key) WHERE phone_key IS NOT NULL;
    CREATE INDEX ticket_account ON ticket (account_key) WHERE account_key IS NOT NULL;
    CREATE INDEX ticket_external ON ticket (external) WHERE external IS NOT NULL;
";

pub(super) struct ViewFile {
    path: PathBuf,
    damaged: PathBuf,
}

impl ViewFile {
    pub(super) fn at(folder: &Path) -> Self {
        Self { path: folder.join(FILE_NAME), damaged: folder.join(DAMAGED_NAME) }
    }

    /// The writing connection and the position that the file is true for.
    pub(super) fn open(&self) -> Result<(Connection, u64), ReadModelError> {
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
            tracing::warn!(file = %self.path.display(), because, "rebuilding the ticket list from the log");
        }
        self.remove()?;
        self.create().map_err(|error| ReadModelError::Unavailable(Box::new(error)))
    }

    fn open_existing(&self) -> Result<Option<(Connection, u64)>, rusqlite::Error> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let (version, position): (i64, i64) =
            connection
                .query_row("SELECT view_version, position FROM state", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((version == VIEW_VERSION.cast_signed()).then_some((connection, position.unsigned_abs())))
    }

    fn create(&self) -> Result<(Connection, u64), rusqlite::Error> {
        let mut connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
        let whole = connection.transaction()?;
        whole.execute_batch(&FORM.replace("{fields}", &field_columns()))?;
        whole.execute("INSERT INTO state VALUES (0, ?1, 0)", [VIEW_VERSION.cast_signed()])?;
        whole.commit()?;
        Ok((connection, 0))
    }

    fn connect(&self, flags: OpenFlags) -> Result<Connection, rusqlite::Error> {
        let connection = Connection::open_with_flags(&self.path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // A power cut may lose the last transactions, whole; the log has their facts still.
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
        connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES_MAX)?;
        Ok(connection)
    }

    /// A connection that cannot write.
    pub(super) fn reader(&self) -> Result<Connection, ReadModelError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        Ok(connection)
    }

    /// Leaves a mark, so that the next opening starts from nothing: a whole check at every start would take minutes.
    pub(super) fn mark_damaged(&self, error: &ReadModelError) {
        tracing::error!(file = %self.path.display(), error = %DisplayChain(error), "the ticket list is damaged");
        if let Err(error) = fs::write(&self.damaged, b"") {
            tracing::error!(file = %self.damaged.display(), %error, "cannot mark the ticket list as damaged; delete it before the next start");
        }
    }

    fn remove(&self) -> Result<(), ReadModelError> {
        for suffix in ["", "-wal", "-shm"] {
            let mut name = self.path.clone().into_os_string();
            name.push(suffix);
            absent(fs::remove_file(name))?;
        }
        // The mark goes last: a crash on the way starts over.
        absent(fs::remove_file(&self.damaged))
    }
}

fn absent(removed: io::Result<()>) -> Result<(), ReadModelError> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(ReadModelError::Unavailable(Box::new(error))),
        _ => Ok(()),
    }
}

/// Whether an existing file is not one that this code could have written, as opposed to one that cannot be reached.
fn is_unreadable(error: &rusqlite::Error) -> bool {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown) => true,
        Some(_) => false,
        // No line, or a value of another type.
        None => true,
    }
}

fn field_columns() -> String {
    let column = |field: &Field| {
        let kind = match field {
            Field::Open | Field::Supervised | Field::Suspended | Field::Confidential => "INTEGER NOT NULL",
            Field::ReceivedAt | Field::UpdatedAt => "INTEGER NOT NULL",
            Field::Grade | Field::External | Field::Category => "TEXT",
            _ => "TEXT NOT NULL",
        };
        format!("{} {kind}", field.as_str())
    };
    Field::ALL.iter().map(column).collect::<Vec<_>>().join(", ")
}

/// An error with its causes, for the log.
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
