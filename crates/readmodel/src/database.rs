//! The file of one read model with its connections: one that writes, and a few that read. The rows and the queries
//! belong to the model.

use std::{
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use rusqlite::Connection;
use switchboard_domain::position::{LogId, LogPosition, Position};

use crate::{
    ReadModelError,
    file::{Form, ViewFile},
};

/// The number of connections that can read at the same time. More readers wait.
const READERS: usize = 4;

/// A file with its connections. `W` is the writer of the model.
pub(crate) struct Database<W> {
    file: ViewFile,
    // Fields are dropped in this order: the last connection to close must be able to write, because it empties the
    // write-ahead log.
    readers: Vec<Mutex<Connection>>,
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
        let readers = (0..READERS).map(|_| file.reader().map(Mutex::new)).collect::<Result<_, _>>()?;
        let (next_reader, position) = (AtomicUsize::new(0), AtomicU64::new(position));
        let log = Mutex::new(file.log()?);
        Ok(Self { file, readers, writer: Mutex::new(writer), next_reader, position, log })
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

    /// Runs `ask` on a free connection, in one snapshot of the file.
    pub(crate) fn read<T>(
        &self,
        ask: impl FnOnce(&Connection) -> Result<T, ReadModelError>,
    ) -> Result<T, ReadModelError> {
        let mut reader = self.reader();
        let answer = reader.transaction().map_err(ReadModelError::from).and_then(|snapshot| ask(&snapshot));
        self.marking(answer)
    }

    fn reader(&self) -> MutexGuard<'_, Connection> {
        if let Some(free) = self.readers.iter().find_map(|reader| reader.try_lock().ok()) {
            return free;
        }
        let turn = self.next_reader.fetch_add(1, Ordering::Relaxed) % self.readers.len();
        held(&self.readers[turn])
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
