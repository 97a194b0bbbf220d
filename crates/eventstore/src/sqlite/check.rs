//! Verification: the end of the log at every opening, the whole log on request.
//!
//! A check never changes the file, and does not stop at the first finding. It cannot detect a log that was truncated at
//! an event, or rewritten together with all its digests. For that, compare [`CheckReport::digest`] with one that was
//! recorded elsewhere.

use std::path::Path;

use rusqlite::Connection;

use super::OpenError;
use super::chain::{Digest, GENESIS};
use super::folder::{Folder, log_path};
use super::ledger::End;
use super::rows::{COLUMNS, Decoder, Raw};
use super::schema::{LOG_TABLES, failed, open_to_read, recognise_log};
use crate::{Position, ReadError};

/// The most problems that a report lists. One more line says that there are others.
pub const PROBLEMS_MAX: usize = 100;
/// The number of events whose digests are verified at every opening.
const OPENING_EVENTS: u64 = 64;
/// The number of steps between two calls of `progress`.
const PROGRESS_STEPS: u64 = 4_096;
const CACHE_BYTES: usize = 16 << 20;

/// The result of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// True when no problem was found.
    pub ok: bool,
    /// The number of events that were read and verified, good or bad.
    pub facts: u64,
    /// The position of the last event in the file.
    pub head: Position,
    /// The stored digest of the last event, in hexadecimal. It identifies the whole log.
    pub digest: String,
    /// The first position at which an event is damaged, altered or missing.
    pub first_bad: Option<Position>,
    /// The problems in words; at most [`PROBLEMS_MAX`] lines, and one that says that there are more.
    pub problems: Vec<String>,
}

impl CheckReport {
    fn bad(&mut self, position: Option<Position>, problem: String) {
        self.ok = false;
        if let Some(position) = position {
            self.first_bad = Some(self.first_bad.map_or(position, |first| first.min(position)));
        }
        match self.problems.len() {
            n if n < PROBLEMS_MAX => self.problems.push(problem),
            n if n == PROBLEMS_MAX => self.problems.push("and more".into()),
            _ => {}
        }
    }
}

/// The end of the log, after its last events were verified.
pub(super) fn verify_end(connection: &Connection) -> Result<End, OpenError> {
    let corrupt = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::SystemIoFailure) => OpenError::Unavailable(crate::Cause::new(error)),
        _ => OpenError::Corrupt { position: None, detail: error.to_string() },
    };
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(corrupt);
    let head = number("SELECT coalesce(max(position), 0) FROM events")?;
    let mut end = End {
        position: Position(u64::try_from(head).unwrap_or(0)),
        digest: GENESIS,
        stream_last: number("SELECT coalesce(max(id), 0) FROM streams")?,
        kind_last: number("SELECT coalesce(max(id), 0) FROM kinds")?,
    };
    let from = Position(end.position.0.saturating_sub(OPENING_EVENTS));
    let mut chain = Chain::after(connection, from).map_err(corrupt)?;
    let mut bad = None;
    let mut found = 0;
    chain
        .walk(connection, from, |_, problem| {
            found += 1;
            bad = bad.take().or(problem);
        })
        .map_err(corrupt)?;
    if let Some((position, detail)) = bad {
        return Err(OpenError::Corrupt { position: Some(position), detail });
    }
    if found != end.position.0 - from.0 {
        return Err(OpenError::Corrupt { position: Some(from.next()), detail: "events are missing".into() });
    }
    end.digest = chain.previous.unwrap_or(GENESIS);
    Ok(end)
}

/// Verifies the log of a stopped store.
pub(super) fn run(folder: &Path, mut progress: impl FnMut(u64, u64)) -> Result<CheckReport, OpenError> {
    let path = log_path(folder);
    if !path.exists() {
        return Err(OpenError::Absent { path });
    }
    let _lock = Folder::claim_to_read(folder)?;
    let connection = open_to_read(&path, CACHE_BYTES).map_err(|error| failed(&path, error))?;
    let empty = recognise_log(&connection, &path)?;
    let mut report = CheckReport {
        ok: true,
        facts: 0,
        head: Position::START,
        digest: hex(&GENESIS),
        first_bad: None,
        problems: Vec::new(),
    };
    if empty {
        return Ok(report);
    }
    if let Err(error) = passes(&connection, &mut report, &mut progress) {
        report.bad(None, format!("the file cannot be read through: {error}"));
    }
    Ok(report)
}

fn passes(
    connection: &Connection,
    report: &mut CheckReport,
    progress: &mut impl FnMut(u64, u64),
) -> rusqlite::Result<()> {
    let tables = tables(connection)?;
    if tables != LOG_TABLES {
        report.bad(None, "the tables are not those of this format".into());
    }
    let head: i64 = connection.query_row("SELECT coalesce(max(position), 0) FROM events", [], |row| row.get(0))?;
    report.head = Position(u64::try_from(head).unwrap_or(0));
    let total = report.head.0 * 2;
    let mut steps = 0;
    let mut step = |done: bool| {
        steps += u64::from(!done);
        if done || steps % PROGRESS_STEPS == 0 {
            progress(if done { total } else { steps.min(total) }, total);
        }
    };
    let mut chain = Chain::after(connection, Position::START)?;
    let walked = chain.walk(connection, Position::START, |_, problem| {
        report.facts += 1;
        step(false);
        if let Some((position, detail)) = problem {
            report.bad(Some(position), format!("position {position}: {detail}"));
        }
    });
    report.digest = hex(&chain.previous.unwrap_or(GENESIS));
    if let Err(error) = walked {
        let position = chain.last.next();
        report.bad(Some(position), format!("position {position}: {error}"));
    }
    revisions(connection, report, || step(false))?;
    structure(connection, report)?;
    step(true);
    Ok(())
}

/// The statements of the tables, without the indexes that SQLite itself adds.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_stat%' ORDER BY rowid";
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// Checks that the revisions of every stream are 0, 1, 2, and so on. Reads only the index, in constant memory.
fn revisions(connection: &Connection, report: &mut CheckReport, mut step: impl FnMut()) -> rusqlite::Result<()> {
    let sql = "SELECT stream, revision, position FROM events INDEXED BY events_by_stream ORDER BY stream, revision";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let (mut stream, mut next) = (None, 0_i64);
    while let Some(row) = rows.next()? {
        let (found, revision, position): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if stream != Some(found) {
            (stream, next) = (Some(found), 0);
        }
        if revision != next {
            let position = u64::try_from(position).ok().map(Position);
            report.bad(position, format!("stream number {found}: revision {revision} where {next} was due"));
        }
        next = revision.saturating_add(1);
        step();
    }
    Ok(())
}

/// SQLite's own verification: pages, order, and every index against its table, including unique ids.
fn structure(connection: &Connection, report: &mut CheckReport) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({PROBLEMS_MAX})"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let line: String = row.get(0)?;
        if line != "ok" {
            report.bad(None, format!("structure: {line}"));
        }
    }
    Ok(())
}

/// A walk over the log in order that verifies each digest.
struct Chain {
    previous: Option<Digest>,
    last: Position,
    decoder: Decoder,
}

impl Chain {
    fn after(connection: &Connection, position: Position) -> rusqlite::Result<Self> {
        let previous = match position {
            Position::START => GENESIS,
            Position(n) => {
                connection
                    .query_row("SELECT digest FROM events WHERE position = ?1", [n.cast_signed()], |row| row.get(0))?
            }
        };
        Ok(Self { previous: Some(previous), last: position, decoder: Decoder::new(true) })
    }

    /// Calls `each` for every event above `after`, with the problem if there is one. An altered event is one problem
    /// only: the next event is verified against the digest that is stored in the altered one.
    fn walk(
        &mut self,
        connection: &Connection,
        after: Position,
        mut each: impl FnMut(Position, Option<(Position, String)>),
    ) -> rusqlite::Result<()> {
        let sql = format!("SELECT {COLUMNS} FROM events e WHERE e.position > ?1 ORDER BY e.position");
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([after.0.cast_signed()])?;
        while let Some(row) = rows.next()? {
            let raw = Raw::read(row)?;
            let (position, digest, wanted) = (Position(raw.position), raw.digest, self.last.next());
            let mut problem = match self.decoder.decode(connection, raw, self.previous.as_ref()) {
                Ok(_) => None,
                Err(ReadError::Corrupt { detail, .. }) => Some((position, detail)),
                Err(error) => Some((position, error.to_string())),
            };
            if position != wanted {
                problem = Some((wanted, format!("missing; the next event is at {position}")));
            }
            each(position, problem);
            (self.previous, self.last) = (Some(digest), position);
        }
        Ok(())
    }
}

fn hex(digest: &Digest) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
