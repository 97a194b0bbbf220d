//! The index of crew changes, in the file `crew_changes.db` in the data folder: which fact caused a message to which
//! crew. A crew app that resumes its stream after weeks finds the facts here. The messages are computed again from the
//! tickets' streams.
//!
//! It has one row for each crew change, of 24 bytes, in one index. It also has the standing of each crew of the roster,
//! and the tickets that are offered or assigned to a crew: the fold of [`switchboard_views::assignments`] resumes from
//! these. The crews' own streams are not sufficient: a ticket that a desk assigned to a crew may leave it before the
//! crew's stream has an event about it.

#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::BTreeMap, path::Path, sync::Arc};

use rusqlite::{Connection, OptionalExtension, Row, params};
use switchboard_domain::{
    Timestamp,
    crew::{CrewId, Point},
    fingerprint::fingerprint,
    organisation::OrgPath,
    position::{LogId, LogPosition},
    ticket::TicketId,
};
use switchboard_views::assignments::{Standing, TOLD_CODE};
use uuid::Uuid;

use crate::{
    ReadModelError,
    database::Database,
    file::{self, Form, stored},
    folded::Writer,
};

/// File names of earlier versions. Opening removes such files, because no code reads them.
const FORMER_NAMES: [&str; 1] = ["notices.db"];

const VIEW_VERSION: u64 =
    fingerprint(&[include_str!("file.rs"), include_str!("folded.rs"), include_str!("crew_changes.rs")]) ^ TOLD_CODE;

/// Times are microseconds since 1970. A crew that left the roster keeps its number, because its crew changes stay.
const TABLES: &str = "
    CREATE TABLE crew (
        id INTEGER PRIMARY KEY,
        path TEXT NOT NULL UNIQUE,
        enrolled INTEGER NOT NULL,
        shift_until INTEGER,
        latitude_e6 INTEGER,
        longitude_e6 INTEGER,
        kept_at INTEGER
    ) STRICT;
    CREATE TABLE crew_change (
        crew INTEGER NOT NULL,
        position INTEGER NOT NULL,
        ticket BLOB NOT NULL,
        PRIMARY KEY (crew, position)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE live (ticket BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
";

const ALL: [&str; 3] = [
    "SELECT path, enrolled, shift_until, latitude_e6, longitude_e6, kept_at FROM crew ORDER BY path",
    "SELECT path, position, ticket FROM crew_change JOIN crew ON crew.id = crew_change.crew ORDER BY position, path",
    "SELECT ticket FROM live ORDER BY ticket",
];

/// The changes that a page of facts makes to the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// The crew changes: the crew, the position of the fact, and the ticket.
    pub crew_changes: Vec<(CrewId, u64, TicketId)>,
    /// The crews whose standing changed, with the new standing; `None` for a crew that left the roster.
    pub crews: BTreeMap<CrewId, Option<Standing>>,
    /// The tickets for which this changed; true when the ticket is now offered or assigned to a crew.
    pub live: BTreeMap<TicketId, bool>,
}

impl Step {
    /// True when there is nothing to store.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.crew_changes.is_empty() && self.crews.is_empty() && self.live.is_empty()
    }
}

/// The data from which a fold resumes, from one snapshot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resumed {
    /// The position of the last fact in it.
    pub position: u64,
    /// The crews of the roster.
    pub crews: BTreeMap<CrewId, Standing>,
    /// The tickets that are offered or assigned to a crew.
    pub live: Vec<TicketId>,
}

/// The index of crew changes. Clones share one file.
#[derive(Clone)]
pub struct CrewChanges {
    database: Arc<Database<Writer>>,
}

impl std::fmt::Debug for CrewChanges {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CrewChanges({})", self.checkpoint())
    }
}

impl CrewChanges {
    /// Opens the file in `folder`; creates an empty one if there is none. A file that other code made, and one that
    /// cannot be read, is replaced by an empty file: [`Self::checkpoint`] is then 0, and the caller applies the log. A
    /// file with a former name is removed.
    ///
    /// # Errors
    /// [`ReadModelError::Unavailable`] when the file can be neither opened nor created.
    pub fn open(folder: &Path) -> Result<Self, ReadModelError> {
        for name in FORMER_NAMES {
            file::remove(&folder.join(name))?;
        }
        let form = Form {
            name: "crew_changes.db",
            what: "crew_changes",
            version: VIEW_VERSION,
            tables: Cow::Borrowed(TABLES),
        };
        Ok(Self {
            database: Arc::new(Database::open(folder, form, |connection, position| {
                Ok(Writer::new(connection, position))
            })?),
        })
    }

    /// The position of the last fact in the file; 0 when it is empty.
    #[must_use]
    pub fn checkpoint(&self) -> u64 {
        self.database.position()
    }

    /// The log and the position that the file contains.
    #[must_use]
    pub fn place(&self) -> LogPosition {
        self.database.place()
    }

    /// Records the log that the file is made from. Cheap when it is recorded already.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn name_log(&self, log: LogId) -> Result<(), ReadModelError> {
        self.database.name_log(log)
    }

    /// Stores the changes that the facts up to `upto` make, in one transaction. Idempotent.
    ///
    /// # Errors
    /// Nothing was changed; the caller may pass the same step again.
    pub fn keep(&self, step: &Step, upto: u64) -> Result<(), ReadModelError> {
        self.database.write(|writer| {
            writer.write(upto, |whole| store(whole, step))?;
            Ok(upto)
        })
    }

    /// Removes everything and sets the checkpoint to 0. For a log that turns out to be shorter than the file.
    ///
    /// # Errors
    /// Nothing was changed.
    pub fn start_over(&self) -> Result<(), ReadModelError> {
        self.database.write(|writer| writer.clear("DELETE FROM crew_change; DELETE FROM live; DELETE FROM crew;"))
    }

    /// The data from which the fold resumes. Its size is bounded by the roster and the work in the field.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn resume(&self) -> Result<Resumed, ReadModelError> {
        self.database.read(|connection| {
            let position = file::position(connection)?;
            let mut crews = connection.prepare(
                "SELECT path, shift_until, latitude_e6, longitude_e6, kept_at FROM crew WHERE enrolled = 1 ORDER BY path",
            )?;
            let crews = crews.query_and_then([], standing)?.collect::<Result<_, ReadModelError>>()?;
            let mut live = connection.prepare("SELECT ticket FROM live ORDER BY ticket")?;
            let live = live.query_and_then([], |row| ticket(row, 0))?.collect::<Result<_, ReadModelError>>()?;
            Ok(Resumed { position, crews, live })
        })
    }

    /// The facts after a position that caused messages to the crew, each with its ticket, at most `max` in the order of
    /// the log; and the checkpoint of the file.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn after(&self, crew: &CrewId, after: u64, max: usize) -> Result<(Vec<(u64, TicketId)>, u64), ReadModelError> {
        self.database.read(|connection| {
            let position = file::position(connection)?;
            let Some(crew) = number(connection, crew)? else { return Ok((Vec::new(), position)) };
            let mut found = connection.prepare_cached(
                "SELECT position, ticket FROM crew_change WHERE crew = ?1 AND position > ?2 ORDER BY position LIMIT ?3",
            )?;
            let max = i64::try_from(max).unwrap_or(i64::MAX);
            let rows = found.query_and_then(params![crew, stored(after), max], |row| {
                let position: i64 = row.get(0)?;
                Ok((position.unsigned_abs(), ticket(row, 1)?))
            })?;
            Ok((rows.collect::<Result<_, ReadModelError>>()?, position))
        })
    }

    /// Passes everything to `each` as text, line by line in a fixed order.
    ///
    /// # Errors
    /// See [`ReadModelError`].
    pub fn dump(&self, each: &mut dyn FnMut(&str)) -> Result<(), ReadModelError> {
        self.database.read(|connection| file::dump(connection, &ALL, each))
    }
}

fn store(whole: &Connection, step: &Step) -> Result<(), ReadModelError> {
    for (crew, standing) in &step.crews {
        stand(whole, crew, standing.unwrap_or_default())?;
    }
    for (crew, position, ticket) in &step.crew_changes {
        let crew = match number(whole, crew)? {
            Some(number) => number,
            None => stand(whole, crew, Standing::default())?,
        };
        whole
            .prepare_cached("INSERT OR IGNORE INTO crew_change (crew, position, ticket) VALUES (?1, ?2, ?3)")?
            .execute(params![crew, stored(*position), ticket.0.as_bytes()])?;
    }
    for (ticket, live) in &step.live {
        let sql = if *live {
            "INSERT OR IGNORE INTO live (ticket) VALUES (?1)"
        } else {
            "DELETE FROM live WHERE ticket = ?1"
        };
        whole.prepare_cached(sql)?.execute([ticket.0.as_bytes()])?;
    }
    Ok(())
}

fn number(connection: &Connection, crew: &CrewId) -> Result<Option<i64>, ReadModelError> {
    let mut found = connection.prepare_cached("SELECT id FROM crew WHERE path = ?1")?;
    Ok(found.query_row([crew.org().as_str()], |row| row.get(0)).optional()?)
}

/// Stores the standing of a crew. Returns the crew's number.
fn stand(connection: &Connection, crew: &CrewId, standing: Standing) -> Result<i64, ReadModelError> {
    let (point, at) = standing.kept.unzip();
    let mut kept = connection.prepare_cached(
        "INSERT INTO crew (path, enrolled, shift_until, latitude_e6, longitude_e6, kept_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (path) DO UPDATE SET enrolled = excluded.enrolled, shift_until = excluded.shift_until,
            latitude_e6 = excluded.latitude_e6, longitude_e6 = excluded.longitude_e6, kept_at = excluded.kept_at
        RETURNING id",
    )?;
    let values = params![
        crew.org().as_str(),
        standing.enrolled,
        standing.shift_until.map(|until| until.timestamp_micros()),
        point.map(|point| point.latitude_e6),
        point.map(|point| point.longitude_e6),
        at.map(|at| at.timestamp_micros()),
    ];
    Ok(kept.query_row(values, |row| row.get(0))?)
}

fn standing(row: &Row<'_>) -> Result<(CrewId, Standing), ReadModelError> {
    let path: String = row.get(0)?;
    let crew = OrgPath::parse(&path).ok().and_then(|org| CrewId::of(&org));
    let crew = crew.ok_or_else(|| ReadModelError::Corrupt(format!("{path} is no crew").into()))?;
    let (latitude, longitude): (Option<i32>, Option<i32>) = (row.get(2)?, row.get(3)?);
    let at: Option<i64> = row.get(4)?;
    let kept = latitude
        .zip(longitude)
        .and_then(|(latitude, longitude)| Point::new(latitude, longitude))
        .zip(at.and_then(Timestamp::from_timestamp_micros));
    let until: Option<i64> = row.get(1)?;
    Ok((crew, Standing { enrolled: true, shift_until: until.and_then(Timestamp::from_timestamp_micros), kept }))
}

fn ticket(row: &Row<'_>, column: usize) -> Result<TicketId, ReadModelError> {
    let bytes: [u8; 16] = row.get(column)?;
    Ok(TicketId(Uuid::from_bytes(bytes)))
}
