//! The writer: one thread, one batch at a time, one sync per batch.
//!
//! There is no timer: a batch consists of the appends that arrived while the previous one was synced. The writer
//! answers only after the commit has succeeded. After a fault it answers the whole batch with what is known. Either
//! nothing was appended (no space, rolled back), or the outcome is unknown (a failed commit), and the store is
//! poisoned.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::watch;

use super::Planted;
use super::checkpoint::{self, Checkpointer, PAGES_BEHIND_MAX, WAL_PAGES_MAX};
use super::folder::Folder;
use super::ledger::{End, Ledger};
use super::queue::{Answer, Queue, Request, Stopped};
use super::stats::{Meter, add, nanos};
use super::tail::Tail;
use crate::{AppendError, Cause, Position, Recorded, Revision};

/// The most appends of one batch. Further ones are in the next batch.
pub const BATCH_APPENDS_MAX: usize = 512;
/// A batch of this many bytes takes no further append.
pub const BATCH_BYTES_MAX: usize = 4 << 20;

pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) queue: Arc<Queue>,
    pub(super) tail: Arc<Tail>,
    pub(super) meter: Arc<Meter>,
    pub(super) head: watch::Sender<Position>,
    pub(super) checkpointer: Checkpointer,
    pub(super) planted: Planted,
    pub(super) folder: Folder,
}

/// Poisons the queue if the writer's thread panics, so that no caller waits for it.
struct Mourner(Arc<Queue>);

impl Drop for Mourner {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the log's writer panicked; the store is poisoned");
            self.0.stop(Stopped::Poisoned);
        }
    }
}

impl Writer {
    /// Writes until the queue is stopped and empty, then releases the folder.
    pub(super) fn run(self, end: End) {
        let Self { folder, connection, queue, tail, meter, head, checkpointer, planted } = self;
        // Dropped last: no other process may open the folder before everything else is closed.
        let _folder = folder;
        let _mourner = Mourner(queue.clone());
        let connection = connection;
        {
            let mut round = match Ledger::new(&connection, end) {
                Ok(ledger) => Round {
                    ledger,
                    queue: &queue,
                    tail: &tail,
                    meter: &meter,
                    head,
                    planted,
                    requests: Vec::new(),
                    answers: Vec::new(),
                    recorded: Vec::new(),
                },
                Err(error) => {
                    tracing::error!(%error, "the log's writer cannot start; the store is poisoned");
                    return queue.stop(Stopped::Poisoned);
                }
            };
            let mut finish_at = WAL_PAGES_MAX;
            let mut looked_at = 0;
            while round.run() {
                let written = meter.bytes.load(Ordering::Relaxed)
                    + meter.appends.load(Ordering::Relaxed) * APPEND_BYTES_BESIDE
                    + meter.commits.load(Ordering::Relaxed) * COMMIT_BYTES_BESIDE;
                if written < looked_at + LOOK_BYTES {
                    continue;
                }
                looked_at = written;
                if let Err(error) = keep_short(&connection, &checkpointer, &meter, &mut finish_at) {
                    tracing::error!(%error, "a checkpoint failed; the store is poisoned");
                    queue.stop(Stopped::Poisoned);
                }
            }
        }
        drop(checkpointer);
        if queue.stopped() == Some(Stopped::Closed)
            && let Err(error) = checkpoint::truncate(&connection)
        {
            // Nothing is lost: the write-ahead log is read at the next opening.
            tracing::warn!(%error, "the write-ahead log could not be emptied while closing");
        }
    }
}

/// The writer reads the length of the write-ahead log after about this many bytes were written to it. Reading it costs
/// about as much as an append.
const LOOK_BYTES: u64 = 2 << 20;
/// An estimate of the bytes that an append writes beside its own: index pages.
const APPEND_BYTES_BESIDE: u64 = 2 << 10;
/// An estimate of the bytes that a commit writes: pages that are rewritten as a whole.
const COMMIT_BYTES_BESIDE: u64 = 16 << 10;

/// Keeps the write-ahead log short. After an error the state of the file is in doubt.
fn keep_short(
    connection: &Connection,
    checkpointer: &Checkpointer,
    meter: &Meter,
    finish_at: &mut i64,
) -> Result<(), Cause> {
    if checkpointer.failed() {
        return Err("the checkpoint thread failed".into());
    }
    let Ok(now) = checkpoint::progress(connection) else { return Ok(()) };
    meter.wal_pages.store(now.pages.max(0).cast_unsigned(), std::sync::atomic::Ordering::Relaxed);
    let behind = now.pages - now.done;
    if behind >= PAGES_BEHIND_MAX {
        checkpointer.wake();
    }
    if now.pages < WAL_PAGES_MAX {
        *finish_at = WAL_PAGES_MAX;
    } else if behind > 0 && (now.pages >= *finish_at && behind < PAGES_BEHIND_MAX || now.pages >= 4 * *finish_at) {
        let begun = Instant::now();
        match checkpoint::passive(connection) {
            Err(error) if !checkpoint::harmless(&error) => return Err(Cause::new(error)),
            _ => {}
        }
        add(&meter.checkpoints, 1);
        add(&meter.checkpoint_nanos, nanos(begun.elapsed()));
        *finish_at = now.pages + PAGES_BEHIND_MAX;
    }
    Ok(())
}

/// The state of the writer while it writes batch after batch.
struct Round<'a> {
    ledger: Ledger<'a>,
    queue: &'a Queue,
    tail: &'a Tail,
    meter: &'a Meter,
    head: watch::Sender<Position>,
    planted: Planted,
    requests: Vec<Request>,
    answers: Vec<Answer>,
    recorded: Vec<Recorded>,
}

impl Round<'_> {
    /// Writes one batch. `false` when the queue is stopped and nothing is left to write.
    fn run(&mut self) -> bool {
        self.requests.clear();
        self.answers.clear();
        if !self.queue.take(&mut self.requests, BATCH_APPENDS_MAX, BATCH_BYTES_MAX, None) {
            return false;
        }
        if self.queue.stopped() == Some(Stopped::Poisoned) {
            self.refuse(|_| AppendError::Poisoned);
            return true;
        }
        let begun = Instant::now();
        if let Err(error) = self.fill() {
            self.abandon(error, false);
            return true;
        }
        if self.planted == Planted::AnswerEarly {
            self.answer();
        }
        let filled = Instant::now();
        if let Err(error) = self.ledger.commit() {
            self.abandon(error, true);
            return true;
        }
        self.count(filled - begun, filled.elapsed());
        self.publish();
        self.answer();
        true
    }

    /// Executes the appends of the batch, and those that arrive meanwhile.
    fn fill(&mut self) -> rusqlite::Result<()> {
        self.ledger.begin()?;
        let mut bytes = 0;
        loop {
            while let Some(request) = self.requests.get(self.answers.len()) {
                let answer = self.ledger.append(&request.stream, request.expected, &request.events)?;
                bytes += request.bytes;
                self.answers.push(answer);
            }
            let (appends, room) = (BATCH_APPENDS_MAX - self.requests.len(), BATCH_BYTES_MAX.saturating_sub(bytes));
            if appends == 0 || room == 0 {
                return Ok(());
            }
            self.queue.take(&mut self.requests, appends, room, Some(Duration::ZERO));
            if self.requests.len() == self.answers.len() {
                return Ok(());
            }
        }
    }

    /// Makes the committed events visible to readers, then moves the head.
    fn publish(&mut self) {
        for (request, answer) in self.requests.iter_mut().zip(&self.answers) {
            let Ok(appended) = answer else { continue };
            let events = std::mem::take(&mut request.events);
            let before = events.len() as u64 - 1;
            let (first, revision) = (appended.first.0, appended.revision.0 - before);
            for (n, event) in (0..).zip(events) {
                self.recorded.push(Recorded {
                    position: Position(first + n),
                    stream: request.stream.clone(),
                    revision: Revision(revision + n),
                    id: event.id,
                    kind: event.kind,
                    data: event.data,
                    meta: event.meta,
                });
            }
        }
        if !self.recorded.is_empty() {
            self.tail.extend(&mut self.recorded);
            self.head.send_replace(self.ledger.position());
        }
    }

    fn answer(&mut self) {
        for (request, answer) in self.requests.drain(..).zip(self.answers.drain(..)) {
            // A caller that has gone away needs no answer. Its append stands.
            let _ = request.answer.send(answer);
        }
    }

    fn refuse(&mut self, why: impl Fn(Option<Answer>) -> AppendError) {
        let mut answers = self.answers.drain(..);
        for request in self.requests.drain(..) {
            let _ = request.answer.send(Err(why(answers.next())));
        }
    }

    /// Answers a batch that failed before or during its commit.
    fn abandon(&mut self, error: rusqlite::Error, committing: bool) {
        let code = error.sqlite_error_code();
        let cause = Cause::new(error);
        let gone = self.ledger.rollback().is_ok();
        let passing = matches!(code, Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked));
        if gone && passing {
            tracing::warn!(error = %cause, "a batch was rolled back");
            self.meter.set_full(code == Some(ErrorCode::DiskFull));
            return self.refuse(|_| match code {
                Some(ErrorCode::DiskFull) => AppendError::Full,
                _ => AppendError::Unavailable(cause.clone()),
            });
        }
        tracing::error!(error = %cause, committing, "a batch failed; the store is poisoned");
        self.queue.stop(Stopped::Poisoned);
        self.refuse(|answer| match answer {
            // An append that was already rejected is certainly not in the log.
            Some(Err(_)) => AppendError::Poisoned,
            _ if committing => AppendError::OutcomeUnknown(cause.clone()),
            _ => AppendError::Unavailable(cause.clone()),
        });
    }

    fn count(&self, apply: Duration, commit: Duration) {
        let meter = self.meter;
        for (request, answer) in self.requests.iter().zip(&self.answers) {
            match answer {
                Ok(_) => {
                    add(&meter.appends, 1);
                    add(&meter.events, request.events.len() as u64);
                    add(&meter.bytes, request.bytes as u64);
                }
                Err(AppendError::Conflict { .. }) => add(&meter.conflicts, 1),
                Err(_) => add(&meter.duplicates, 1),
            }
        }
        let relaxed = std::sync::atomic::Ordering::Relaxed;
        meter.set_full(false);
        add(&meter.commits, 1);
        add(&meter.apply_nanos, nanos(apply));
        add(&meter.commit_nanos, nanos(commit));
        meter.commit_nanos_peak.fetch_max(nanos(commit), relaxed);
        meter.batch_appends_peak.fetch_max(self.requests.len() as u64, relaxed);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use uuid::Uuid;

    use super::*;
    use crate::{Expected, NewEvent, StreamName};

    #[tokio::test]
    async fn nobody_waits_for_a_writer_that_has_died() {
        let queue = Arc::new(Queue::new());
        let append = || {
            let event = NewEvent { id: Uuid::nil(), kind: "k".into(), data: Vec::new(), meta: Vec::new() };
            let stream = StreamName::parse("ticket-1").unwrap();
            queue.submit(stream, Expected::Any, vec![event], 1)
        };
        let dying = queue.clone();
        let writer = std::thread::spawn(move || {
            let _mourner = Mourner(dying.clone());
            let mut batch = Vec::new();
            dying.take(&mut batch, 1, usize::MAX, None);
            panic!("on purpose, with {} append in hand", batch.len());
        });
        let ends = futures::future::join_all((0..10).map(|_| append())).await;
        assert!(writer.join().is_err());
        let unknown = ends.iter().filter(|end| matches!(end, Err(AppendError::OutcomeUnknown(_)))).count();
        let poisoned = ends.iter().filter(|end| matches!(end, Err(AppendError::Poisoned))).count();
        assert_eq!((unknown, poisoned), (1, 9), "{ends:?}");
        assert!(matches!(append().await, Err(AppendError::Poisoned)));
    }
}
