//! Online backup: a copy of one committed state of the log while appends continue.
//!
//! The copy is made in one read transaction, so it is a prefix of the log. The writer does not wait, and does not cause
//! the copy to start again. Until the copy ends, the write-ahead log cannot be reset, so it grows. The copy never
//! contains keys. Incremental backups and restoring are absent: a copy is a data folder, and is simply opened.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::folder::log_path;
use super::schema::open_to_read;
use crate::private::{create_file, create_folder, sync_folder};
use crate::{Cause, Position, ReadError};

/// Pages per step. `progress` is called after each step.
const STEP_PAGES: i32 = 512;
/// The page cache of the source connection, in bytes.
const CACHE_BYTES: usize = 2 << 20;

/// The result of a backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupReport {
    /// The position of the last event in the copy.
    pub head: Position,
    /// The size of the copy, in bytes.
    pub bytes: u64,
    /// The file of the copy.
    pub path: PathBuf,
}

/// The reason why there is no copy.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BackupError {
    /// The target folder is not empty. Nothing was changed.
    #[error("{} is not empty", folder.display())]
    NotEmpty {
        /// The target folder.
        folder: PathBuf,
    },
    /// The log is damaged.
    #[error("the log is corrupt: {detail}")]
    Corrupt {
        /// The finding.
        detail: String,
    },
    /// The source or the target cannot be used.
    #[error("the backup failed")]
    Unavailable(#[source] Cause),
    /// A sync failed earlier. The store must be reopened first.
    #[error("the event store stopped after a failed sync and must be reopened")]
    Poisoned,
}

impl From<io::Error> for BackupError {
    fn from(error: io::Error) -> Self {
        Self::Unavailable(Cause::new(error))
    }
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        super::rows::read_error(error).into()
    }
}

impl From<ReadError> for BackupError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Corrupt { detail, .. } => Self::Corrupt { detail },
            ReadError::Unavailable(cause) => Self::Unavailable(cause),
            ReadError::NoSuchPosition { .. } => Self::Unavailable(Cause::new(error)),
            ReadError::Poisoned => Self::Poisoned,
        }
    }
}

/// Copies the log into `to/log.db`. A partial file is renamed to that name after it is complete and synced.
pub(super) fn run(from: &Path, to: &Path, progress: impl FnMut(u64, u64)) -> Result<BackupReport, BackupError> {
    create_folder(to)?;
    if std::fs::read_dir(to)?.next().is_some() {
        return Err(BackupError::NotEmpty { folder: to.to_owned() });
    }
    let partial = to.join("log.db.partial");
    let copied = create_file(&partial).map_err(BackupError::from).and_then(|()| copy(from, &partial, progress));
    let head = match copied {
        Ok(head) => head,
        Err(error) => {
            // Best effort: a file that stays is named as partial.
            let _ = std::fs::remove_file(&partial);
            return Err(error);
        }
    };
    let file = File::open(&partial)?;
    file.sync_all()?;
    let path = log_path(to);
    std::fs::rename(&partial, &path)?;
    sync_folder(to)?;
    Ok(BackupReport { head, bytes: file.metadata()?.len(), path })
}

fn copy(from: &Path, to: &Path, mut progress: impl FnMut(u64, u64)) -> Result<Position, BackupError> {
    let source = open_to_read(from, CACHE_BYTES)?;
    let snapshot = source.unchecked_transaction()?;
    let head: i64 = snapshot.query_row("SELECT coalesce(max(position), 0) FROM events", [], |row| row.get(0))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(to, flags)?;
    // A partial copy is worthless, so it needs no journal, and no sync before the last one.
    target.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    {
        let backup = Backup::new(&source, &mut target)?;
        loop {
            let step = backup.step(STEP_PAGES)?;
            let now = backup.progress();
            let total = u64::try_from(now.pagecount).unwrap_or(0);
            progress(total.saturating_sub(u64::try_from(now.remaining).unwrap_or(0)), total);
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => std::thread::yield_now(),
            }
        }
    }
    target.close().map_err(|(_, error)| error)?;
    Ok(Position(u64::try_from(head).unwrap_or(0)))
}
