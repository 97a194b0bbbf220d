//! The embedded keeper: the log in one ordinary SQLite file, `log.db`, in a data folder.
//!
//! One thread writes and groups whatever has arrived into one transaction and one sync; readers have their own
//! connections and never wait for it. Every event carries a digest that covers it and everything before it, so a
//! damaged or altered log is found, by reads at once and by [`SqliteStore::check`] completely. There is no way here
//! to change or remove an event, and no silent repair: a damaged log is reported and left as it is.
//!
//! Parts, in reading order: `folder` (the lock), `schema` (the file), `chain` (the digests), `queue` (what waits),
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

/// How a SQLite log is opened. The defaults suit a node with a few GiB of memory.
#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// Create the folder and an empty log if there is none; otherwise [`OpenError::Absent`].
    pub create: bool,
    /// Most reads at the same time, each on its own connection; further reads wait.
    pub readers_max: usize,
    /// Page cache of the writer, in bytes.
    pub writer_cache_bytes: usize,
    /// Page cache of each reader, in bytes.
    pub reader_cache_bytes: usize,
    /// Check the digest of every event that is read, for about half a microsecond each.
    pub verify_reads: bool,
    /// A fault planted on purpose, to show that the crash tests find it. Never set outside tests.
    #[doc(hidden)]
    pub planted: Planted,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            create: true,
            readers_max: 4,
            writer_cache_bytes: 16 << 20,
            reader_cache_bytes: 8 << 20,
            verify_reads: true,
            planted: Planted::Nothing,
        }
    }
}

/// Faults that the crash tests must find.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// None: the only value outside tests.
    Nothing,
    /// Answers before the commit.
    AnswerEarly,
    /// Never syncs.
    SkipSync,
}

/// Why a log was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process (or another store in this one) has the folder open.
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
    /// The file is something else.
    #[error("{} is not a file of this program: {detail}", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was found instead.
        detail: String,
    },
    /// There is no log, and none was to be created.
    #[error("{} does not exist", path.display())]
    Absent {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged or was altered. It is left untouched.
    #[error("the log is corrupt: {detail}")]
    Corrupt {
        /// The position concerned, when it is known.
        position: Option<Position>,
        /// What was found.
        detail: String,
    },
    /// The file or folder cannot be used: permissions, space, hardware.
    #[error("the data folder cannot be used")]
    Unavailable(#[source] Cause),
}

/// The log in a data folder. Share it in an `Arc`; dropping it waits for the writer to finish its batch.
pub struct SqliteStore {
    queue: Arc<Queue>,
    readers: Arc<Readers>,
    tail: Arc<Tail>,
    meter: Arc<Meter>,
    head: watch::Receiver<Position>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl SqliteStore {
    /// Opens the log in a folder, creating both if they are absent, and verifies the end of the digest chain.
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

    /// Stops accepting, records what is already queued, moves everything into `log.db` and releases the folder.
    /// Later calls get `Unavailable`.
    pub async fn close(&self) {
        self.queue.stop(Stopped::Closed);
        let thread = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic of the writer has been reported to every caller already.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        self.readers.close();
    }

    /// Copies the log, as it stands now, into an absent or empty folder, while appends go on. Blocks until done.
    ///
    /// `progress` gets pages done and pages in total. The copy is complete or absent, is synced, and opens and checks
    /// like the original. It never holds sealing keys.
    pub fn backup(&self, to: &Path, progress: impl FnMut(u64, u64)) -> Result<BackupReport, BackupError> {
        self.readers.serving()?;
        backup::run(self.readers.path(), to, progress)
    }

    /// Copies the log of a folder as [`backup`](Self::backup) does, from any process, whether or not a store serves the folder.
    pub fn copy(folder: &Path, to: &Path, progress: impl FnMut(u64, u64)) -> Result<BackupReport, BackupError> {
        backup::run(&folder::log_path(folder), to, progress)
    }

    /// Counts what the log of a folder holds, from any process, whether or not a store serves the folder.
    pub fn census(folder: &Path) -> Result<Census, ReadError> {
        census::take(&folder::log_path(folder))
    }

    /// Verifies every event, every digest and the structure of a stopped store's file without changing it.
    ///
    /// `progress` gets steps done and steps in total. Damage is in the report; an error means that there was nothing
    /// to report on.
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

/// A forward page: from memory if its first event is still there, otherwise from the file.
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
