//! Checkpoints: they move pages from the write-ahead log into `log.db`, beside the writer.
//!
//! A checkpoint inside a commit would make one caller wait for all of it. So a separate thread copies and syncs while
//! the writer continues. From time to time the writer finishes the small rest, so that the write-ahead log is reset
//! instead of growing. A checkpoint that fails for lack of space loses nothing and is tried again. Any other failure
//! stops the store.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::folder::unusable;
use super::schema::failed;
use super::{OpenError, Planted};

/// When this many pages of the write-ahead log are not in the file yet, the thread copies them.
pub(super) const PAGES_BEHIND_MAX: i64 = 1_000;
/// When the write-ahead log has this many pages, the writer finishes the rest, so that it is reset. A reader that keeps
/// an old state for long (a backup) can make it grow beyond this.
pub(super) const WAL_PAGES_MAX: i64 = 3_000;

/// The number of pages in the write-ahead log, and how many of them are already in the file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    pub(super) pages: i64,
    pub(super) done: i64,
}

/// Copies the pages that can be copied without waiting for another connection.
pub(super) fn passive(connection: &Connection) -> rusqlite::Result<Progress> {
    pragma(connection, "PRAGMA wal_checkpoint(PASSIVE)")
}

/// Reads the progress and copies nothing.
pub(super) fn progress(connection: &Connection) -> rusqlite::Result<Progress> {
    pragma(connection, "PRAGMA wal_checkpoint(NOOP)")
}

/// Copies everything and empties the write-ahead log, when the store opens and when it closes.
pub(super) fn truncate(connection: &Connection) -> rusqlite::Result<Progress> {
    pragma(connection, "PRAGMA wal_checkpoint(TRUNCATE)")
}

fn pragma(connection: &Connection, sql: &str) -> rusqlite::Result<Progress> {
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row([], |row| Ok(Progress { pages: row.get(1)?, done: row.get(2)? }))
}

/// The thread that copies pages.
pub(super) struct Checkpointer {
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    failed: Arc<AtomicBool>,
}

impl Checkpointer {
    pub(super) fn start(path: &Path, planted: Planted) -> Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sync = if planted == Planted::SkipSync { "OFF" } else { "FULL" };
        let connection = Connection::open_with_flags(path, flags)
            .and_then(|connection| {
                connection.execute_batch(&format!("PRAGMA synchronous = {sync}; PRAGMA wal_autocheckpoint = 0;"))?;
                Ok(connection)
            })
            .map_err(|error| failed(path, error))?;
        let (wake, woken) = sync_channel(1);
        let failed = Arc::new(AtomicBool::new(false));
        let flag = failed.clone();
        let thread = std::thread::Builder::new()
            .name("log-checkpoint".into())
            .spawn(move || copy(&connection, &woken, &flag))
            .map_err(unusable)?;
        Ok(Self { wake: Some(wake), thread: Some(thread), failed })
    }

    /// Requests a copy. It has no effect while a request is pending.
    pub(super) fn wake(&self) {
        if let Some(wake) = &self.wake {
            let _ = wake.try_send(());
        }
    }

    /// True when a copy failed in a way that leaves the file in doubt.
    pub(super) fn failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn copy(connection: &Connection, woken: &Receiver<()>, failed: &AtomicBool) {
    while woken.recv().is_ok() {
        if let Err(error) = passive(connection)
            && !harmless(&error)
        {
            failed.store(true, Ordering::Release);
            return;
        }
    }
}

/// True when a failed checkpoint can simply be tried again.
pub(super) fn harmless(error: &rusqlite::Error) -> bool {
    let again = matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    );
    tracing::warn!(%error, again, "a checkpoint of the log failed");
    again
}
