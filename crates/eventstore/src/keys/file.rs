//! The key file: its tables and SQL statements.
//!
//! Deleted keys are overwritten (`secure_delete`), and the write-ahead log that may contain them is truncated. Copies
//! that a file system or a disk keeps of overwritten blocks cannot be reached from here.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use super::{Key, KeyError, KeyId};
use crate::Cause;
use crate::private::{create_file, keep_database_from_others};
use crate::sqlite::{OpenError, failed, is_corrupt, open_file};

/// "SWKY" in ASCII.
const KEYS_APPLICATION: i64 = 0x5357_4b59;
const KEYS_FORMAT: i64 = 1;

/// `AUTOINCREMENT`, because ids are never reused. A key without a subject is in the pool, or orphaned (column `stray`).
const KEYS_TABLES: [&str; 3] = [
    "CREATE TABLE keys (id INTEGER PRIMARY KEY AUTOINCREMENT, subject TEXT, stray INTEGER NOT NULL DEFAULT 0, \
     material BLOB NOT NULL) STRICT",
    "CREATE INDEX keys_by_subject ON keys (subject) WHERE subject IS NOT NULL",
    "CREATE TABLE state (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT",
];

pub(super) type Pair = (KeyId, Key);

/// The state of the file when it was opened.
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) secret: Key,
    pub(super) pool: Vec<Pair>,
}

/// A connection for writing.
pub(super) struct File {
    connection: Connection,
}

/// A connection for reading.
pub(super) struct Lookup {
    connection: Connection,
}

pub(super) fn key_error(error: rusqlite::Error) -> KeyError {
    if is_corrupt(&error) {
        return KeyError::Corrupt { detail: error.to_string() };
    }
    KeyError::Unavailable(Cause::new(error))
}

fn pair(row: &rusqlite::Row<'_>) -> rusqlite::Result<Pair> {
    let id: i64 = row.get(0)?;
    Ok((KeyId(id.cast_unsigned()), Key::from_bytes(row.get(1)?)))
}

impl File {
    /// Opens or creates the file. After a clean close the pool is reused; after any other end its keys become orphaned.
    /// From now on the file counts as not cleanly closed.
    pub(super) fn open(path: &Path) -> Result<Opened, OpenError> {
        let made = create_file(path).and_then(|()| keep_database_from_others(path));
        made.map_err(|error| OpenError::Unavailable(Cause::new(error)))?;
        let mut connection = open_file(path, KEYS_APPLICATION, KEYS_FORMAT, &KEYS_TABLES)?;
        let fresh = Key::random().map_err(|error| OpenError::Unavailable(Cause::new(error)))?;
        let (secret, pool) = settle(&mut connection, &fresh).map_err(|error| failed(path, error))?;
        Ok(Opened { file: Self { connection }, secret, pool })
    }

    /// Stores assignments and adds new keys to the pool, in one sync.
    pub(super) fn settle(
        &mut self,
        assigned: &[(std::sync::Arc<str>, KeyId)],
        fresh: Vec<Key>,
    ) -> rusqlite::Result<Vec<Pair>> {
        let transaction = self.connection.transaction()?;
        {
            let mut name = transaction.prepare_cached("UPDATE keys SET subject = ?2 WHERE id = ?1")?;
            for (subject, id) in assigned {
                name.execute(params![id.0.cast_signed(), &**subject])?;
            }
        }
        let mut made = Vec::with_capacity(fresh.len());
        {
            let mut insert = transaction.prepare_cached("INSERT INTO keys (material) VALUES (?1)")?;
            for key in fresh {
                let id = insert.insert([&key.as_bytes()[..]])?;
                made.push((KeyId(id.cast_unsigned()), key));
            }
        }
        transaction.commit()?;
        Ok(made)
    }

    /// Destroys a subject's keys, and one more by id whose assignment may not be stored yet.
    pub(super) fn erase(&mut self, subject: &str, unnamed: Option<KeyId>) -> rusqlite::Result<usize> {
        let unnamed = unnamed.map(|id| id.0.cast_signed());
        let erased =
            self.connection.execute("DELETE FROM keys WHERE subject = ?1 OR id = ?2", params![subject, unnamed])?;
        if let Err(error) = self.empty_wal() {
            // The erasure is durable. The write-ahead log keeps the overwritten pages until its next reset.
            tracing::warn!(%error, "the key file's write-ahead log could not be emptied after an erasure");
        }
        Ok(erased)
    }

    /// Assigns an orphaned key to a subject.
    pub(super) fn adopt(&mut self, id: KeyId, subject: &str) -> rusqlite::Result<bool> {
        let sql = "UPDATE keys SET subject = ?2, stray = 0 WHERE id = ?1 AND subject IS NULL AND stray = 1";
        Ok(self.connection.execute(sql, params![id.0.cast_signed(), subject])? == 1)
    }

    /// Marks that no key without a subject was handed out.
    pub(super) fn mark_clean(&mut self) -> rusqlite::Result<()> {
        self.connection.execute("INSERT OR REPLACE INTO state VALUES ('clean', x'01')", [])?;
        self.empty_wal()
    }

    /// Records the log that the file belongs to, unless it is recorded already.
    pub(super) fn name_log(&self, log: [u8; 16]) -> rusqlite::Result<()> {
        self.connection.execute("INSERT OR IGNORE INTO state VALUES ('log', ?1)", [&log[..]])?;
        Ok(())
    }

    /// Copies the file.
    pub(super) fn copy(&self, to: &Path) -> rusqlite::Result<()> {
        let mut target = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        target.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
        rusqlite::backup::Backup::new(&self.connection, &mut target)?.step(-1)?;
        target.close().map_err(|(_, error)| error)
    }

    fn empty_wal(&self) -> rusqlite::Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }
}

fn settle(connection: &mut Connection, fresh: &Key) -> rusqlite::Result<(Key, Vec<Pair>)> {
    connection.execute_batch("PRAGMA secure_delete = ON;")?;
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let state = |name: &str| {
        transaction
            .query_row("SELECT value FROM state WHERE name = ?1", [name], |row| row.get::<_, Vec<u8>>(0))
            .optional()
    };
    transaction.execute("INSERT OR IGNORE INTO state VALUES ('secret', ?1)", [&fresh.as_bytes()[..]])?;
    let secret = transaction.query_row("SELECT value FROM state WHERE name = 'secret'", [], |row| row.get(0))?;
    let mut pool = Vec::new();
    if state("clean")?.is_some_and(|value| value == [1]) {
        let mut unused = transaction.prepare("SELECT id, material FROM keys WHERE subject IS NULL AND stray = 0")?;
        for found in unused.query_map([], pair)? {
            pool.push(found?);
        }
    } else {
        transaction.execute("UPDATE keys SET stray = 1 WHERE subject IS NULL AND stray = 0", [])?;
    }
    transaction.execute("INSERT OR REPLACE INTO state VALUES ('clean', x'00')", [])?;
    transaction.commit()?;
    Ok((Key::from_bytes(secret), pool))
}

/// Why a key file does not fit a log with this id, in which these keys were used; `None` when it fits. Nothing is
/// written.
pub(super) fn misfit(path: &Path, log: [u8; 16], used: &[KeyId]) -> Result<Option<String>, OpenError> {
    let lookup = Lookup::open(path)?;
    let named = lookup.state("log").map_err(|error| failed(path, error))?;
    if named.is_some_and(|named| named != log) {
        return Ok(Some("it names another log".into()));
    }
    let number = |sql: &str, id: Option<i64>| {
        let answer = match id {
            Some(id) => lookup.connection.query_row(sql, [id], |row| row.get::<_, i64>(0)),
            None => lookup.connection.query_row(sql, [], |row| row.get::<_, i64>(0)),
        };
        answer.map_err(|error| failed(path, error))
    };
    let last = number("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'keys'", None)?;
    for id in used {
        let key = id.0.cast_signed();
        if key > last {
            return Ok(Some(format!("key {key} is used in the log, but the file ends at key {last}")));
        }
        let unused = "SELECT count(*) FROM keys WHERE id = ?1 AND subject IS NULL AND stray = 0";
        // After an unclean end unused keys are set aside. After a clean one they are handed out again.
        let clean = lookup.state("clean").map_err(|error| failed(path, error))?;
        if number(unused, Some(key))? > 0 && clean.is_some_and(|value| value == [1]) {
            return Ok(Some(format!("key {key} is used in the log, but the file has it as unused")));
        }
    }
    Ok(None)
}

impl Lookup {
    fn state(&self, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
        let sql = "SELECT value FROM state WHERE name = ?1";
        self.connection.query_row(sql, [name], |row| row.get(0)).optional()
    }

    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Connection::open_with_flags(path, flags)
            .and_then(|connection| {
                connection.execute_batch("PRAGMA busy_timeout = 10000; PRAGMA cell_size_check = ON;")?;
                Ok(Self { connection })
            })
            .map_err(|error| failed(path, error))
    }

    pub(super) fn number(&self, id: KeyId) -> rusqlite::Result<Option<Key>> {
        let Ok(id) = i64::try_from(id.0) else { return Ok(None) };
        let sql = "SELECT id, material FROM keys WHERE id = ?1";
        Ok(self.connection.prepare_cached(sql)?.query_row([id], pair).optional()?.map(|(_, key)| key))
    }

    pub(super) fn orphaned(&self) -> rusqlite::Result<Vec<KeyId>> {
        let sql = "SELECT id FROM keys WHERE subject IS NULL AND stray = 1 ORDER BY id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let ids = statement.query_map([], |row| row.get::<_, i64>(0))?;
        ids.map(|id| id.map(|id| KeyId(id.cast_unsigned()))).collect()
    }
}
