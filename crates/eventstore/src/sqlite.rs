//! The embedded event store: the log in one ordinary SQLite file, `log.db`, in a data folder.
//!
//! One thread writes. It groups the appends that have arrived into one transaction and one sync. Readers have their own
//! connections and never wait for the writer. The digest of each event covers the event and everything before it, so a
//! damaged or altered log is detected: by each read for the events that it returns, and by [`SqliteStore::check`] for
//! the whole log. Nothing here can change or remove an event, and nothing is repaired silently: a damaged log is
//! reported and not changed.
//!
//! Parts, in reading order: `folder` (the lock), `schema` (the file), `chain` (the digests), `queue` (waiting appends),
//! `ledger` (one append), `writer` (one batch), `checkpoint` (moving the write-ahead log into the file), `readers`,
//! `tail` (the newest events in memory), `backup`, `check`, `stats`.

mod backup;
mod census;
mod chain;
mod check;
mod checkpoint;
mod folder;
mod ledger;
mod queue;
mod readers;
mod rows;
mod schema;
mod stats;
mod tail;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    AppendError, Appended, Cause, Direction, EventStore, Expected, Locate, NewEvent, PAGE_EVENTS_MAX, Position,
    ReadError, Recorded, Revision, StreamName, Subscription, event,
};

pub use backup::{BackupError, BackupReport};
pub use census::Census;
pub use check::{CheckReport, PROBLEMS_MAX};
pub use queue::{WRITE_QUEUE_APPENDS_MAX, WRITE_QUEUE_BYTES_MAX};
pub use stats::Stats;
pub use tail::{TAIL_BYTES_MAX, TAIL_EVENTS_MAX};
pub use writer::{BATCH_APPENDS_MAX, BATCH_BYTES_MAX};

pub(crate) use schema::{failed, is_corrupt, open_file};

use queue::{Queue, Stopped};
use readers::Readers;
use stats::Meter;
use tail::Tail;

/// The options for opening a SQLite log. The defaults suit a node with a few GiB of memory.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// True: creates the folder and an empty log if there is none. False: [`OpenError::Absent`] in that case.
    pub create: bool,
    /// The most reads at the same time, each on its own connection. Further reads wait.
    pub readers_max: usize,
    /// The page cache of the writer, in bytes.
    pub writer_cache_bytes: usize,
    /// The page cache of each reader, in bytes.
    pub reader_cache_bytes: usize,
    /// True: verifies the digest of every event that is read. This takes about half a microsecond an event.
    pub verify_reads: bool,
    /// A deliberate fault, to show that the crash tests detect it. Never set outside tests.
    #[doc(hidden)]
    pub planted: Planted,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            create: true,
            readers_max: 4,
            writer_cache_bytes: 4 << 20,
            reader_cache_bytes: 8 << 20,
            verify_reads: true,
            planted: Planted::Nothing,
        }
    }
}

/// Faults that the crash tests must detect.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// No fault: the only value outside tests.
    Nothing,
    /// The writer answers before the commit.
    AnswerEarly,
    /// The store never syncs.
    SkipSync,
}

/// The reason why a log was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process, or another store in this process, has the folder open.
    #[error("{} is in use by another process", folder.display())]
    Locked {
        /// The data folder.
        folder: PathBuf,
    },
    /// The file was written by a newer version of this program.
    #[error("the file has format {found}, this program knows formats up to {known}")]
    Newer {
        /// The format found in the file.
        found: i64,
        /// The newest format that this program can read.
        known: i64,
    },
    /// The file was not written by this program.
    #[error("{} is not a file of this program: {detail}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The finding.
        detail: String,
    },
    /// There is no log, and `create` is false.
    #[error("{} does not exist", path.display())]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged or was altered. It was not changed.
    #[error("the log is corrupt: {detail}")]
    Corrupt {
        /// The position of the damage, if known.
        position: Option<Position>,
        /// The finding.
        detail: String,
    },
    /// The file or folder cannot be used, because of permissions, space or hardware.
    #[error("the data folder cannot be used")]
    Unavailable(#[source] Cause),
}

/// The log in a data folder. Share it in an `Arc`. Dropping it waits until the writer has recorded all queued appends.
pub struct SqliteStore {
    queue: Arc<Queue>,
    readers: Arc<Readers>,
    tail: Arc<Tail>,
    meter: Arc<Meter>,
    head: watch::Receiver<Position>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl SqliteStore {
    /// Opens the log in a folder and verifies the end of the digest chain. Creates both if they are absent and the
    /// options permit it.
    ///
    /// Blocks for a few syncs. The folder stays locked against other processes until the store is closed or dropped.
    pub fn open(folder: &Path, options: SqliteOptions) -> Result<Self, OpenError> {
        let folder = folder::Folder::claim(folder, options.create)?;
        let path = folder.log();
        let connection = schema::open_log(&path, &options)?;
        let end = check::verify_end(&connection)?;
        let checkpointer = checkpoint::Checkpointer::start(&path, options.planted)?;
        let queue = Arc::new(Queue::new());
        let tail = Arc::new(Tail::new(end.position));
        let meter = Arc::new(Meter::default());
        let readers = Arc::new(Readers::new(path, &options, queue.clone()));
        let (sender, head) = watch::channel(end.position);
        let writer = writer::Writer {
            connection,
            queue: queue.clone(),
            tail: tail.clone(),
            meter: meter.clone(),
            head: sender,
            checkpointer,
            planted: options.planted,
            folder,
        };
        let thread = std::thread::Builder::new()
            .name("log-writer".into())
            .spawn(move || writer.run(end))
            .map_err(|error| OpenError::Unavailable(Cause::new(error)))?;
        Ok(Self { queue, readers, tail, meter, head, writer: Mutex::new(Some(thread)) })
    }

    /// Stops accepting appends, records the queued ones, moves everything into `log.db` and releases the folder. Later
    /// calls get `Unavailable`.
    pub async fn close(&self) {
        self.queue.stop(Stopped::Closed);
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // Every caller has already received an error about a panic of the writer.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        self.readers.close();
    }

    /// Copies the log in its present state into an absent or empty folder, while appends continue. Blocks until it is
    /// done.
    ///
    /// `progress` gets the pages done and the pages in total. The copy is complete or absent, is synced, and opens and
    /// checks like the original. It never contains sealing keys.
    pub fn backup(&self, to: &Path, progress: impl FnMut(u64, u64)) -> Result<BackupReport, BackupError> {
        self.readers.serving()?;
        backup::run(self.readers.path(), to, progress)
    }

    /// Copies the log of a folder as [`backup`](Self::backup) does, but from any process. A store may serve the folder
    /// meanwhile.
    pub fn copy(folder: &Path, to: &Path, progress: impl FnMut(u64, u64)) -> Result<BackupReport, BackupError> {
        backup::run(&folder::log_path(folder), to, progress)
    }

    /// Counts the contents of a folder's log, from any process. A store may serve the folder meanwhile.
    pub fn census(folder: &Path) -> Result<Census, ReadError> {
        census::take(&folder::log_path(folder))
    }

    /// Verifies every event, every digest and the structure of the file of a stopped store, without changing it.
    ///
    /// `progress` gets the steps done and the steps in total. Damage is in the report. An error means that there was
    /// nothing to check.
    pub fn check(folder: &Path, progress: impl FnMut(u64, u64)) -> Result<CheckReport, OpenError> {
        check::run(folder, progress)
    }

    /// Counters since the store was opened.
    pub fn stats(&self) -> Stats {
        self.meter.read(self.queue.depth(), self.queue.stopped())
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.queue.stop(Stopped::Closed);
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

#[async_trait]
impl EventStore for SqliteStore {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        let bytes = event::admit(&events)?;
        self.queue.submit(stream.clone(), expected, events, bytes).await
    }

    async fn read_stream(&self, stream: &StreamName, from: Revision, max: usize) -> Result<Vec<Recorded>, ReadError> {
        let (stream, max, head) = (stream.clone(), max.min(PAGE_EVENTS_MAX), self.head());
        self.readers.run(move |reader| reader.stream(&stream, from, max, head)).await
    }

    async fn read_all(&self, after: Position, max: usize, direction: Direction) -> Result<Vec<Recorded>, ReadError> {
        let max = max.min(PAGE_EVENTS_MAX);
        match direction {
            Direction::Forward => forward(&self.readers, &self.tail, self.head(), after, max).await,
            Direction::Backward => {
                let head = self.head();
                self.readers.run(move |reader| reader.backward(after, max, head)).await
            }
        }
    }

    async fn read_at(&self, position: Position) -> Result<Option<Recorded>, ReadError> {
        let head = self.head();
        if position == Position::START || position > head {
            return Ok(None);
        }
        let before = Position(position.0 - 1);
        Ok(forward(&self.readers, &self.tail, head, before, 1).await?.pop())
    }

    fn head(&self) -> Position {
        *self.head.borrow()
    }

    fn watch_head(&self) -> watch::Receiver<Position> {
        self.head.clone()
    }

    fn subscribe_all(&self, after: Position) -> Subscription {
        let (readers, tail, head) = (self.readers.clone(), self.tail.clone(), self.head.clone());
        Subscription::new(after, self.head.clone(), move |after, max| {
            let (readers, tail, head) = (readers.clone(), tail.clone(), *head.borrow());
            async move { forward(&readers, &tail, head, after, max).await }
        })
    }
}

#[async_trait]
impl Locate for SqliteStore {
    async fn locate(&self, id: Uuid) -> Result<Option<Recorded>, ReadError> {
        let head = self.head();
        self.readers.run(move |reader| reader.locate(id, head)).await
    }
}

/// A page in forward order: from memory if its first event is there, otherwise from the file.
async fn forward(
    readers: &Arc<Readers>,
    tail: &Tail,
    head: Position,
    after: Position,
    max: usize,
) -> Result<Vec<Recorded>, ReadError> {
    readers.serving()?;
    if max == 0 || after >= head {
        return Ok(Vec::new());
    }
    if let Some(page) = tail.after(after, max, head) {
        return Ok(page);
    }
    readers.run(move |reader| reader.forward(after, max, head)).await
}
