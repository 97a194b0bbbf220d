//! Readers: a few connections that read committed events and never wait for the writer.
//!
//! Reads block on the file, so they run on the runtime's blocking threads, at most `readers_max` at a time. No read
//! returns an event above the head that was durable when the read began.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::SqliteOptions;
use super::chain::{Digest, GENESIS};
use super::queue::{Queue, Stopped};
use super::rows::{COLUMNS, Decoder, Raw, corrupt, read_error};
use super::schema::open_to_read;
use crate::{Cause, Position, ReadError, Recorded, Revision, StreamName};

pub(super) struct Readers {
    path: PathBuf,
    cache_bytes: usize,
    verify: bool,
    idle: Mutex<Vec<Reader>>,
    room: Arc<Semaphore>,
    queue: Arc<Queue>,
}

impl Readers {
    pub(super) fn new(path: PathBuf, options: &SqliteOptions, queue: Arc<Queue>) -> Self {
        Self {
            path,
            cache_bytes: options.reader_cache_bytes,
            verify: options.verify_reads,
            idle: Mutex::default(),
            room: Arc::new(Semaphore::new(options.readers_max.max(1))),
            queue,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// An error when the store has stopped.
    pub(super) fn serving(&self) -> Result<(), ReadError> {
        match self.queue.stopped() {
            Some(stopped) => Err(stopped.read_error()),
            None => Ok(()),
        }
    }

    /// Runs a read on an idle connection, or on a new one.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&mut Reader) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        self.serving()?;
        let Ok(room) = self.room.clone().acquire_owned().await else {
            return Err(self.queue.stopped().unwrap_or(Stopped::Closed).read_error());
        };
        let readers = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            let _room = room;
            let idle = readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut reader = match idle {
                Some(reader) => reader,
                None => Reader::open(&readers.path, readers.cache_bytes, readers.verify).map_err(read_error)?,
            };
            let found = read(&mut reader);
            // After a fault the connection is dropped, with everything that it may have cached.
            if found.is_ok() && readers.queue.stopped().is_none() {
                readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
            }
            found
        });
        task.await.unwrap_or_else(|error| Err(ReadError::Unavailable(Cause::new(error))))
    }

    /// Releases the file. Running reads finish.
    pub(super) fn close(&self) {
        self.room.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// One connection for reading.
pub(super) struct Reader {
    connection: Connection,
    decoder: Decoder,
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

impl Reader {
    fn open(path: &Path, cache_bytes: usize, verify: bool) -> rusqlite::Result<Self> {
        Ok(Self { connection: open_to_read(path, cache_bytes)?, decoder: Decoder::new(verify) })
    }

    /// The events above `after`, at most `max`, none above `head`. If fewer are found than there must be, the log is
    /// damaged.
    pub(super) fn forward(&mut self, after: Position, max: usize, head: Position) -> Result<Vec<Recorded>, ReadError> {
        let last = head.0.min(after.0.saturating_add(max as u64));
        if last <= after.0 {
            return Ok(Vec::new());
        }
        let Self { connection, decoder } = self;
        let mut previous = digest_at(connection, after)?;
        let sql =
            format!("SELECT {COLUMNS} FROM events e WHERE e.position > ?1 AND e.position <= ?2 ORDER BY e.position");
        let mut statement = connection.prepare_cached(&sql).map_err(read_error)?;
        let mut rows = statement.query(params![signed(after.0), signed(last)]).map_err(read_error)?;
        let mut page = Vec::with_capacity(usize::try_from(last - after.0).unwrap_or(0));
        let mut wanted = after.next();
        while let Some(row) = rows.next().map_err(read_error)? {
            let raw = Raw::read(row).map_err(read_error)?;
            if raw.position != wanted.0 {
                break;
            }
            let digest = raw.digest;
            page.push(decoder.decode(connection, raw, previous.as_ref())?);
            previous = Some(digest);
            wanted = wanted.next();
        }
        if wanted.0 != last + 1 {
            return Err(corrupt(wanted, "the event is missing"));
        }
        Ok(page)
    }

    /// The events below `before`, at most `max`, newest first.
    pub(super) fn backward(
        &mut self,
        before: Position,
        max: usize,
        head: Position,
    ) -> Result<Vec<Recorded>, ReadError> {
        let last = before.0.saturating_sub(1).min(head.0);
        let after = last.saturating_sub(max as u64);
        let mut page = self.forward(Position(after), max, Position(last))?;
        page.reverse();
        Ok(page)
    }

    /// The events of one stream from revision `from` on, at most `max`.
    pub(super) fn stream(
        &mut self,
        stream: &StreamName,
        from: Revision,
        max: usize,
        head: Position,
    ) -> Result<Vec<Recorded>, ReadError> {
        let Self { connection, decoder } = self;
        let sql = format!(
            "SELECT {COLUMNS}, (SELECT p.digest FROM events p WHERE p.position = e.position - 1) FROM events e \
             WHERE e.stream = (SELECT id FROM streams WHERE name = ?1) AND e.revision >= ?2 \
             ORDER BY e.revision LIMIT ?3"
        );
        let mut statement = connection.prepare_cached(&sql).map_err(read_error)?;
        let mut rows =
            statement.query(params![stream.as_str(), signed(from.0), signed(max as u64)]).map_err(read_error)?;
        let mut page = Vec::new();
        let mut wanted = from;
        while let Some(row) = rows.next().map_err(read_error)? {
            let raw = Raw::read(row).map_err(read_error)?;
            if raw.position > head.0 {
                break;
            }
            let previous = predecessor(raw.position, row.get(8).map_err(read_error)?);
            let event = decoder.decode(connection, raw, previous.as_ref())?;
            if event.revision != wanted || event.stream != *stream {
                return Err(corrupt(event.position, "the stream has a hole before this event"));
            }
            page.push(event);
            wanted = wanted.next();
        }
        Ok(page)
    }

    /// The event with this id; `None` when the log does not have it.
    pub(super) fn locate(&mut self, id: Uuid, head: Position) -> Result<Option<Recorded>, ReadError> {
        let Self { connection, decoder } = self;
        let sql = format!(
            "SELECT {COLUMNS}, (SELECT p.digest FROM events p WHERE p.position = e.position - 1) FROM events e \
             WHERE e.id = ?1"
        );
        let mut statement = connection.prepare_cached(&sql).map_err(read_error)?;
        let found = statement
            .query_row([id.as_bytes()], |row| Ok((Raw::read(row)?, row.get(8)?)))
            .optional()
            .map_err(read_error)?;
        let Some((raw, previous)) = found else { return Ok(None) };
        if raw.position > head.0 {
            return Ok(None);
        }
        let previous = predecessor(raw.position, previous);
        decoder.decode(connection, raw, previous.as_ref()).map(Some)
    }
}

fn predecessor(position: u64, found: Option<Digest>) -> Option<Digest> {
    if position == 1 { Some(GENESIS) } else { found }
}

fn digest_at(connection: &Connection, position: Position) -> Result<Option<Digest>, ReadError> {
    if position == Position::START {
        return Ok(Some(GENESIS));
    }
    let mut statement =
        connection.prepare_cached("SELECT digest FROM events WHERE position = ?1").map_err(read_error)?;
    statement.query_row([signed(position.0)], |row| row.get(0)).optional().map_err(read_error)
}
