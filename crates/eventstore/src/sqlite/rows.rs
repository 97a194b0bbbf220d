//! Conversion of rows into events: numbers become names, and every digest is verified.
//!
//! A row that does not fit is reported as `Corrupt`, never skipped.

use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;
use rusqlite::{Connection, Row};
use uuid::Uuid;

use super::chain::{Digest, Link};
use super::schema::is_corrupt;
use crate::{Cause, Position, ReadError, Recorded, Revision, StreamName};

/// The most stream names that one connection caches.
const STREAM_NAMES_MAX: NonZeroUsize = NonZeroUsize::new(16_384).unwrap();
/// The most kinds that one connection caches.
const KINDS_MAX: NonZeroUsize = NonZeroUsize::new(1_024).unwrap();

/// The columns that [`Raw::read`] expects, in this order.
pub(super) const COLUMNS: &str = "e.position, e.stream, e.revision, e.kind, e.id, e.digest, e.meta, e.data";

/// A row as stored.
pub(super) struct Raw {
    pub(super) position: u64,
    stream: i64,
    revision: u64,
    kind: i64,
    id: Uuid,
    pub(super) digest: Digest,
    meta: Vec<u8>,
    data: Vec<u8>,
}

impl Raw {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            position: unsigned(row, 0)?,
            stream: row.get(1)?,
            revision: unsigned(row, 2)?,
            kind: row.get(3)?,
            id: Uuid::from_bytes(row.get(4)?),
            digest: row.get(5)?,
            meta: row.get(6)?,
            data: row.get(7)?,
        })
    }
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// Converts raw rows into events. It caches names and has a buffer for digests.
pub(super) struct Decoder {
    streams: LruCache<i64, StreamName>,
    kinds: LruCache<i64, Arc<str>>,
    scratch: Vec<u8>,
    verify: bool,
}

impl Decoder {
    pub(super) fn new(verify: bool) -> Self {
        Self {
            streams: LruCache::sparse(STREAM_NAMES_MAX),
            kinds: LruCache::sparse(KINDS_MAX),
            scratch: Vec::new(),
            verify,
        }
    }

    /// The event in a row, if the row's digest follows from the event and the previous digest.
    pub(super) fn decode(
        &mut self,
        connection: &Connection,
        raw: Raw,
        previous: Option<&Digest>,
    ) -> Result<Recorded, ReadError> {
        let position = Position(raw.position);
        let (stream, kind) = self.names(connection, &raw).map_err(|error| at(position, error))?;
        if self.verify {
            let link = Link {
                position: raw.position,
                stream: stream.as_str(),
                revision: raw.revision,
                id: raw.id,
                kind: &kind,
                data: &raw.data,
                meta: &raw.meta,
            };
            if previous.is_none_or(|previous| link.digest(previous, &mut self.scratch) != raw.digest) {
                return Err(corrupt(position, "the event does not match its digest"));
            }
        }
        Ok(Recorded {
            position,
            stream,
            revision: Revision(raw.revision),
            id: raw.id,
            kind,
            data: raw.data,
            meta: raw.meta,
        })
    }

    fn names(&mut self, connection: &Connection, raw: &Raw) -> rusqlite::Result<(StreamName, Arc<str>)> {
        let name = |sql, id: i64| -> rusqlite::Result<Arc<str>> {
            connection.prepare_cached(sql)?.query_row([id], |row| row.get(0))
        };
        let stream = self.streams.try_get_or_insert(raw.stream, || {
            let text = name("SELECT name FROM streams WHERE id = ?1", raw.stream)?;
            StreamName::parse(&text).map_err(|error| {
                rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error))
            })
        })?;
        let kind = self.kinds.try_get_or_insert(raw.kind, || name("SELECT name FROM kinds WHERE id = ?1", raw.kind))?;
        Ok((stream.clone(), kind.clone()))
    }
}

pub(super) fn corrupt(position: Position, detail: &str) -> ReadError {
    ReadError::Corrupt { position: Some(position), detail: detail.to_owned() }
}

/// The error of a read near `position`, from an error of SQLite.
fn at(position: Position, error: rusqlite::Error) -> ReadError {
    match read_error(error) {
        ReadError::Corrupt { detail, .. } => ReadError::Corrupt { position: Some(position), detail },
        other => other,
    }
}

/// The error of a read, from an error of SQLite.
pub(super) fn read_error(error: rusqlite::Error) -> ReadError {
    if is_corrupt(&error) {
        return ReadError::Corrupt { position: None, detail: error.to_string() };
    }
    ReadError::Unavailable(Cause::new(error))
}
