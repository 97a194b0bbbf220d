//! The ledger: the writer's knowledge of the log, and the execution of one append.
//!
//! Heads of streams are kept in memory, so checking an expectation reads no file. A rejected append has no effect, so
//! the other appends of the batch stand. Changes that a batch makes in memory are recorded until the commit; a rollback
//! removes them. Syncs, answers and threads are absent: see `writer`.

use std::num::NonZeroUsize;
use std::sync::Arc;

use lru::LruCache;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Statement, params};
use uuid::Uuid;

use super::chain::{Digest, Link};
use super::queue::Answer;
use crate::{AppendError, Appended, Expected, NewEvent, Position, Revision, StreamName};

/// The most stream heads in memory. The head of any other stream is read from the index.
const HEADS_MAX: NonZeroUsize = NonZeroUsize::new(65_536).unwrap();
/// The most kinds in memory.
const KINDS_MAX: NonZeroUsize = NonZeroUsize::new(1_024).unwrap();

/// The end of the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) position: Position,
    pub(super) digest: Digest,
    pub(super) stream_last: i64,
    pub(super) kind_last: i64,
}

#[derive(Debug, Clone, Copy)]
struct Head {
    stream: i64,
    /// The revision of the next event.
    next: u64,
}

pub(super) struct Ledger<'c> {
    connection: &'c Connection,
    statements: Statements<'c>,
    heads: LruCache<StreamName, Head>,
    kinds: LruCache<Arc<str>, i64>,
    end: End,
    committed: End,
    heads_changed: Vec<StreamName>,
    kinds_changed: Vec<Arc<str>>,
    scratch: Vec<u8>,
}

struct Statements<'c> {
    begin: Statement<'c>,
    commit: Statement<'c>,
    event: Statement<'c>,
    stream: Statement<'c>,
    kind: Statement<'c>,
    undo: Statement<'c>,
    find_stream: Statement<'c>,
    find_revision: Statement<'c>,
    find_kind: Statement<'c>,
    find_event: Statement<'c>,
}

impl<'c> Statements<'c> {
    fn prepare(c: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            begin: c.prepare("BEGIN IMMEDIATE")?,
            commit: c.prepare("COMMIT")?,
            event: c.prepare(
                "INSERT INTO events (position, stream, revision, kind, id, digest, meta, data) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?,
            stream: c.prepare("INSERT INTO streams (id, name) VALUES (?1, ?2)")?,
            kind: c.prepare("INSERT INTO kinds (id, name) VALUES (?1, ?2)")?,
            undo: c.prepare("DELETE FROM events WHERE position > ?1")?,
            find_stream: c.prepare("SELECT id FROM streams WHERE name = ?1")?,
            find_revision: c.prepare("SELECT max(revision) FROM events WHERE stream = ?1")?,
            find_kind: c.prepare("SELECT id FROM kinds WHERE name = ?1")?,
            find_event: c.prepare("SELECT position FROM events WHERE id = ?1")?,
        })
    }
}

impl<'c> Ledger<'c> {
    pub(super) fn new(connection: &'c Connection, end: End) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            statements: Statements::prepare(connection)?,
            heads: LruCache::sparse(HEADS_MAX),
            kinds: LruCache::sparse(KINDS_MAX),
            end,
            committed: end,
            heads_changed: Vec::new(),
            kinds_changed: Vec::new(),
            scratch: Vec::new(),
        })
    }

    /// The last position, including the open batch.
    pub(super) fn position(&self) -> Position {
        self.end.position
    }

    pub(super) fn begin(&mut self) -> rusqlite::Result<()> {
        self.statements.begin.execute([]).map(drop)
    }

    /// Commits, and syncs if the file is set up so. After an error call [`rollback`](Ledger::rollback).
    pub(super) fn commit(&mut self) -> rusqlite::Result<()> {
        self.statements.commit.execute([])?;
        self.committed = self.end;
        self.heads_changed.clear();
        self.kinds_changed.clear();
        Ok(())
    }

    /// Undoes the open batch in the file and in memory, and verifies that the file contains nothing of it.
    pub(super) fn rollback(&mut self) -> rusqlite::Result<()> {
        for stream in self.heads_changed.drain(..) {
            self.heads.pop(&stream);
        }
        for kind in self.kinds_changed.drain(..) {
            self.kinds.pop(&kind);
        }
        self.end = self.committed;
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("ROLLBACK")?;
        }
        let last: i64 =
            self.connection.query_row("SELECT coalesce(max(position), 0) FROM events", [], |row| row.get(0))?;
        if u64::try_from(last) != Ok(self.committed.position.0) {
            return Err(rusqlite::Error::IntegralValueOutOfRange(0, last));
        }
        Ok(())
    }

    /// Executes one append. The inner result is the answer to its caller. An `Err` concerns the whole batch.
    pub(super) fn append(
        &mut self,
        stream: &StreamName,
        expected: Expected,
        events: &[NewEvent],
    ) -> rusqlite::Result<Answer> {
        let known = self.head(stream)?;
        let before = known.map_or(0, |head| head.next);
        let actual = before.checked_sub(1).map(Revision);
        if !expected.admits(actual) {
            let duplicate = self.first_known(events)?;
            return Ok(Err(match duplicate {
                Some(position) => AppendError::Duplicate { position },
                None => AppendError::Conflict { actual },
            }));
        }
        let start = self.end;
        let number = known.map_or(start.stream_last + 1, |head| head.stream);
        let mut next = before;
        for event in events {
            if !self.insert(stream, number, next, event)? {
                return self.undo(start, event.id).map(Err);
            }
            next += 1;
        }
        if known.is_none() {
            self.statements.stream.execute(params![number, stream.as_str()])?;
            self.end.stream_last = number;
        }
        self.remember(stream, Head { stream: number, next });
        Ok(Ok(Appended {
            first: start.position.next(),
            last: self.end.position,
            revision: Revision(next.saturating_sub(1)),
        }))
    }

    /// Inserts an event. `false` when a constraint is violated: mostly because the log already has the id.
    fn insert(&mut self, stream: &StreamName, number: i64, revision: u64, event: &NewEvent) -> rusqlite::Result<bool> {
        let kind = self.kind(&event.kind)?;
        let position = self.end.position.next();
        let link = Link {
            position: position.0,
            stream: stream.as_str(),
            revision,
            id: event.id,
            kind: &event.kind,
            data: &event.data,
            meta: &event.meta,
        };
        let digest = link.digest(&self.end.digest, &mut self.scratch);
        let row = &mut self.statements.event;
        row.raw_bind_parameter(1, position.0.cast_signed())?;
        row.raw_bind_parameter(2, number)?;
        row.raw_bind_parameter(3, revision.cast_signed())?;
        row.raw_bind_parameter(4, kind)?;
        row.raw_bind_parameter(5, &event.id.as_bytes()[..])?;
        row.raw_bind_parameter(6, &digest[..])?;
        row.raw_bind_parameter(7, &event.meta[..])?;
        row.raw_bind_parameter(8, &event.data[..])?;
        match row.raw_execute() {
            Ok(_) => {
                self.end.position = position;
                self.end.digest = digest;
                Ok(true)
            }
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Removes the inserted events of an append whose event `id` is a duplicate.
    fn undo(&mut self, start: End, id: Uuid) -> rusqlite::Result<AppendError> {
        if self.end.position > start.position {
            self.statements.undo.execute([start.position.0.cast_signed()])?;
        }
        // Kinds that the append added stay. An unused kind does no harm.
        self.end = End { kind_last: self.end.kind_last, ..start };
        match self.find(id)? {
            Some(position) => Ok(AppendError::Duplicate { position }),
            // Another constraint was violated: the heads in memory and the file disagree. This must never happen.
            None => Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT),
                Some("the file disagrees with the heads of its streams".into()),
            )),
        }
    }

    fn first_known(&mut self, events: &[NewEvent]) -> rusqlite::Result<Option<Position>> {
        for event in events {
            if let Some(position) = self.find(event.id)? {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    fn find(&mut self, id: Uuid) -> rusqlite::Result<Option<Position>> {
        let found = self.statements.find_event.query_row([&id.as_bytes()[..]], |row| row.get::<_, i64>(0));
        Ok(found.optional()?.map(|position| Position(position.cast_unsigned())))
    }

    /// The number and the next revision of a stream; `None` when it has no events.
    fn head(&mut self, stream: &StreamName) -> rusqlite::Result<Option<Head>> {
        if let Some(head) = self.heads.get(stream) {
            return Ok(Some(*head));
        }
        let number = self.statements.find_stream.query_row([stream.as_str()], |row| row.get::<_, i64>(0));
        let Some(number) = number.optional()? else { return Ok(None) };
        let last: i64 = self.statements.find_revision.query_row([number], |row| row.get(0))?;
        let head = Head { stream: number, next: last.cast_unsigned() + 1 };
        self.remember(stream, head);
        Ok(Some(head))
    }

    fn remember(&mut self, stream: &StreamName, head: Head) {
        self.heads.put(stream.clone(), head);
        self.heads_changed.push(stream.clone());
    }

    fn kind(&mut self, name: &Arc<str>) -> rusqlite::Result<i64> {
        if let Some(&kind) = self.kinds.get(name) {
            return Ok(kind);
        }
        let found = self.statements.find_kind.query_row([&**name], |row| row.get(0)).optional()?;
        let kind = match found {
            Some(kind) => kind,
            None => {
                let kind = self.end.kind_last + 1;
                self.statements.kind.execute(params![kind, &**name])?;
                self.end.kind_last = kind;
                kind
            }
        };
        self.kinds.put(name.clone(), kind);
        self.kinds_changed.push(name.clone());
        Ok(kind)
    }
}
