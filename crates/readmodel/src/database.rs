//! What keeps one read model: its file, the one connection that writes it and the few that read it. What a row is, and
//! what may be asked, is the model's own.

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

/// Connections that read at the same time; more readers wait.
const READERS: usize = 4;

/// A file with its connections. `W` is the hand that writes it.
pub(crate) struct Database<W> {
    file: ViewFile,
    // Dropped in this order: the last to close must be one that can write, for it empties the write-ahead log.
    readers: Vec<Mutex<Connection>>,
    writer: Mutex<W>,
    next_reader: AtomicUsize,
    position: AtomicU64,
    log: Mutex<Option<LogId>>,
}

impl<W> Database<W> {
    /// Opens a file of this form in `folder`, and gives its writing connection and its checkpoint to `begin`. What
    /// `begin` finds damaged is rebuilt at once.
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

    /// The log and the position that the file is true for. A file that facts reached and that names no log belongs to none.
    pub(crate) fn place(&self) -> LogPosition {
        let position = Position::from_stored(self.position());
        LogPosition { log: held(&self.log).unwrap_or_default(), position }
    }

    /// Writes down, once, the log that the file is made from.
    pub(crate) fn name_log(&self, log: LogId) -> Result<(), ReadModelError> {
        let mut named = held(&self.log);
        if *named != Some(log) && log != LogId::EMPTY {
            self.marking(self.file.name_log(log))?;
            *named = Some(log);
        }
        Ok(())
    }

    /// The log position that the file is true for; 0 when it is empty.
    pub(crate) fn position(&self) -> u64 {
        self.position.load(Ordering::Acquire)
    }

    /// Lets the one writer `change` the file; it answers the position that the file is true for then.
    pub(crate) fn write(
        &self,
        change: impl FnOnce(&mut W) -> Result<u64, ReadModelError>,
    ) -> Result<(), ReadModelError> {
        let mut writer = held(&self.writer);
        let position = self.marking(change(&mut writer))?;
        self.position.store(position, Ordering::Release);
        Ok(())
    }

    /// Runs `ask` on a free connection, within one snapshot of the file.
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

    /// Marks the file when an answer shows that it is damaged.
    fn marking<T>(&self, answer: Result<T, ReadModelError>) -> Result<T, ReadModelError> {
        if let Err(error @ ReadModelError::Corrupt(_)) = &answer {
            self.file.mark_damaged(error);
        }
        answer
    }
}

/// A lock that outlives a panic: a transaction that was under way was rolled back when it was dropped.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
