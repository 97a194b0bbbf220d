//! The file of one read model with its connections: one that writes, and a few that read. The rows and the queries
//! belong to the model.

use std::{
    mem,
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use rusqlite::{Connection, InterruptHandle};
use switchboard_domain::position::{LogId, LogPosition, Position};

use crate::{
    ReadModelError,
    file::{Form, ViewFile},
};

/// The connections for questions that may read many rows. More readers wait.
const SCAN_READERS: usize = 3;
/// The connections for questions that read a few rows by an index. No scan can delay them.
const POINT_READERS: usize = 2;

/// A question that its caller may give up. The statement that answers it then ends early.
#[derive(Default)]
pub struct Question(Mutex<Asked>);

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Question(..)")
    }
}

#[derive(Default)]
enum Asked {
    #[default]
    Waiting,
    Running(InterruptHandle),
    GivenUp,
}

impl Question {
    /// Ends the statement that answers the question, now or as soon as it begins.
    pub fn give_up(&self) {
        if let Asked::Running(statement) = mem::replace(&mut *held(&self.0), Asked::GivenUp) {
            statement.interrupt();
        }
    }

    /// Connects the question with the connection that answers it.
    fn begins(&self, on: &Connection) -> Result<(), ReadModelError> {
        let mut asked = held(&self.0);
        if matches!(*asked, Asked::GivenUp) {
            return Err(ReadModelError::Unavailable("the caller gave the question up".into()));
        }
        *asked = Asked::Running(on.get_interrupt_handle());
        Ok(())
    }

    /// From now on the connection answers other questions.
    fn ends(&self) {
        *held(&self.0) = Asked::GivenUp;
    }
}

/// A file with its connections. `W` is the writer of the model.
pub(crate) struct Database<W> {
    file: ViewFile,
    // Fields are dropped in this order: the last connection to close must be able to write, because it empties the
    // write-ahead log.
    scans: Vec<Mutex<Connection>>,
    points: Vec<Mutex<Connection>>,
    writer: Mutex<W>,
    next_reader: AtomicUsize,
    position: AtomicU64,
    log: Mutex<Option<LogId>>,
}

impl<W> Database<W> {
    /// Opens a file of this form in `folder`, and passes its writing connection and its checkpoint to `begin`. If
    /// `begin` finds damage, the file is rebuilt at once.
    pub(crate) fn open(
        folder: &Path,
        form: Form,
        begin: impl Fn(Connection, u64) -> Result<W, ReadModelError>,
    ) -> Result<Self, ReadModelError> {
        let file = ViewFile::at(folder, form);
        let begun = || {
            let (connection, position) = file.open()?;
            Ok((begin(connection, position)?, position))
        };
        let (writer, position) = match begun() {
            Err(error @ ReadModelError::Corrupt(_)) => {
                file.mark_damaged(&error);
                begun()?
            }
            begun => begun?,
        };
        let readers = |count| (0..count).map(|_| file.reader().map(Mutex::new)).collect::<Result<_, _>>();
        let (scans, points) = (readers(SCAN_READERS)?, readers(POINT_READERS)?);
        let (next_reader, position) = (AtomicUsize::new(0), AtomicU64::new(position));
        let log = Mutex::new(file.log()?);
        Ok(Self { file, scans, points, writer: Mutex::new(writer), next_reader, position, log })
    }

    /// The log and the position that the file contains. A file with facts but without a recorded log belongs to no log.
    pub(crate) fn place(&self) -> LogPosition {
        let position = Position::from_stored(self.position());
        LogPosition { log: held(&self.log).unwrap_or_default(), position }
    }

    /// Records the log that the file is made from, unless it is recorded already.
    pub(crate) fn name_log(&self, log: LogId) -> Result<(), ReadModelError> {
        let mut named = held(&self.log);
        if *named != Some(log) && log != LogId::EMPTY {
            self.marking(self.file.name_log(log))?;
            *named = Some(log);
        }
        Ok(())
    }

    /// The position of the last fact in the file; 0 when it is empty.
    pub(crate) fn position(&self) -> u64 {
        self.position.load(Ordering::Acquire)
    }

    /// Runs `change` on the only writer. It returns the new checkpoint.
    pub(crate) fn write(
        &self,
        change: impl FnOnce(&mut W) -> Result<u64, ReadModelError>,
    ) -> Result<(), ReadModelError> {
        let mut writer = held(&self.writer);
        let position = self.marking(change(&mut writer))?;
        self.position.store(position, Ordering::Release);
        Ok(())
    }

    /// Runs `ask`, which may read many rows, in one snapshot of the file.
    pub(crate) fn read<T>(
        &self,
        ask: impl FnOnce(&Connection) -> Result<T, ReadModelError>,
    ) -> Result<T, ReadModelError> {
        self.on(self.free(&self.scans), ask)
    }

    /// As [`Self::read`], for a question that its caller may give up.
    pub(crate) fn answer<T>(
        &self,
        question: &Question,
        ask: impl FnOnce(&Connection) -> Result<T, ReadModelError>,
    ) -> Result<T, ReadModelError> {
        self.read(|connection| {
            question.begins(connection)?;
            let answer = ask(connection);
            // Before the connection is free again: a late interrupt would end another question.
            question.ends();
            answer
        })
    }

    /// Runs `ask`, which reads a few rows by an index, in one snapshot of the file. It does not wait for a scan.
    pub(crate) fn read_point<T>(
        &self,
        ask: impl FnOnce(&Connection) -> Result<T, ReadModelError>,
    ) -> Result<T, ReadModelError> {
        self.on(self.free(&self.points), ask)
    }

    fn on<T>(
        &self,
        mut reader: MutexGuard<'_, Connection>,
        ask: impl FnOnce(&Connection) -> Result<T, ReadModelError>,
    ) -> Result<T, ReadModelError> {
        let answer = reader.transaction().map_err(ReadModelError::from).and_then(|snapshot| ask(&snapshot));
        self.marking(answer)
    }

    fn free<'a>(&self, readers: &'a [Mutex<Connection>]) -> MutexGuard<'a, Connection> {
        if let Some(free) = readers.iter().find_map(|reader| reader.try_lock().ok()) {
            return free;
        }
        let turn = self.next_reader.fetch_add(1, Ordering::Relaxed) % readers.len();
        held(&readers[turn])
    }

    /// Marks the file as damaged when the result shows that.
    fn marking<T>(&self, answer: Result<T, ReadModelError>) -> Result<T, ReadModelError> {
        if let Err(error @ ReadModelError::Corrupt(_)) = &answer {
            self.file.mark_damaged(error);
        }
        answer
    }
}

/// Locks a mutex also after a panic. The transaction of the panicking thread was rolled back when it was dropped.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{borrow::Cow, sync::Arc, thread};

    use super::*;

    /// A question whose answer never ends by itself.
    const ENDLESS: &str = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n";

    fn number(connection: &Connection, sql: &str) -> Result<i64, ReadModelError> {
        Ok(connection.query_row(sql, [], |row| row.get(0))?)
    }

    #[test]
    fn endless_questions_delay_no_look_up_and_end_when_they_are_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let form = Form { name: "x.db", what: "x", version: 1, tables: Cow::Borrowed("") };
        let database = Arc::new(Database::open(folder.path(), form, |_, _| Ok(())).unwrap());
        let questions: Vec<_> = (0..=SCAN_READERS).map(|_| Arc::new(Question::default())).collect();
        let threads: Vec<_> = questions
            .iter()
            .map(|question| {
                let (database, question) = (Arc::clone(&database), Arc::clone(question));
                thread::spawn(move || database.answer(&question, |connection| number(connection, ENDLESS)))
            })
            .collect();
        let is_running = |question: &Question| matches!(*held(&question.0), Asked::Running(_));
        while questions.iter().filter(|question| is_running(question)).count() < SCAN_READERS {
            thread::yield_now();
        }
        // One question waits, because every connection for scans is taken. A look-up does not wait.
        assert_eq!(database.read_point(|connection| number(connection, "SELECT 7")).unwrap(), 7);
        questions.iter().for_each(|question| question.give_up());
        for thread in threads {
            assert!(matches!(thread.join().unwrap(), Err(ReadModelError::Unavailable(_))));
        }
        assert_eq!(database.read(|connection| number(connection, "SELECT 8")).unwrap(), 8, "the connections are free");
        let late = Question::default();
        late.give_up();
        assert!(database.answer(&late, |_| Ok(())).is_err(), "given up before it began");
    }
}
