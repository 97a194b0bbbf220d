//! The queue of appends for the writer. It is bounded in appends and in bytes, and closed for good when the writer
//! stops.
//!
//! Callers beyond the bound wait in order of arrival; no append is rejected because the queue is full. No caller waits
//! for a writer that has stopped: stopping the queue answers all callers in it. Priorities are absent: the callers
//! decide what to send.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::{AppendError, Appended, Expected, NewEvent, ReadError, StreamName};

/// The most bytes of appends that wait or are being written. Callers of further appends wait before they enter the
/// queue.
pub const WRITE_QUEUE_BYTES_MAX: usize = 16 << 20;
/// The most appends that wait or are being written.
pub const WRITE_QUEUE_APPENDS_MAX: usize = WRITE_QUEUE_BYTES_MAX / APPEND_WEIGHT_MIN;
/// The weight of the smallest append, in bytes. With it one bound limits both the bytes and the number of appends.
const APPEND_WEIGHT_MIN: usize = 4096;

pub(super) type Answer = Result<Appended, AppendError>;

/// One append in the queue.
pub(super) struct Request {
    pub(super) stream: StreamName,
    pub(super) expected: Expected,
    pub(super) events: Vec<NewEvent>,
    pub(super) bytes: usize,
    pub(super) answer: oneshot::Sender<Answer>,
    _room: OwnedSemaphorePermit,
}

/// The reason why the store no longer serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stopped {
    /// An orderly close. Queued appends are still recorded.
    Closed,
    /// A fault after which the state of the file is in doubt.
    Poisoned,
}

impl Stopped {
    pub(super) fn append_error(self) -> AppendError {
        match self {
            Stopped::Closed => AppendError::Unavailable("the event store was closed".into()),
            Stopped::Poisoned => AppendError::Poisoned,
        }
    }

    pub(super) fn read_error(self) -> ReadError {
        match self {
            Stopped::Closed => ReadError::Unavailable("the event store was closed".into()),
            Stopped::Poisoned => ReadError::Poisoned,
        }
    }
}

pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    room: Arc<Semaphore>,
    stopped: AtomicU8,
}

#[derive(Default)]
struct Waiting {
    requests: VecDeque<Request>,
    /// True while the writer sleeps. The caller that adds a request then wakes it; other callers skip that cost.
    idle: bool,
    stopped: Option<Stopped>,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            waiting: Mutex::default(),
            arrived: Condvar::new(),
            room: Arc::new(Semaphore::new(WRITE_QUEUE_BYTES_MAX)),
            stopped: AtomicU8::new(0),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends an append to the writer and waits for its answer.
    pub(super) async fn submit(
        &self,
        stream: StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
        bytes: usize,
    ) -> Answer {
        let weight = u32::try_from(bytes.max(APPEND_WEIGHT_MIN)).unwrap_or(u32::MAX);
        let Ok(room) = self.room.clone().acquire_many_owned(weight).await else {
            return Err(self.stopped().unwrap_or(Stopped::Poisoned).append_error());
        };
        let (answer, answered) = oneshot::channel();
        let request = Request { stream, expected, events, bytes, answer, _room: room };
        {
            let mut waiting = self.waiting();
            if let Some(stopped) = waiting.stopped {
                return Err(stopped.append_error());
            }
            waiting.requests.push_back(request);
            if std::mem::take(&mut waiting.idle) {
                self.arrived.notify_one();
            }
        }
        match answered.await {
            Ok(answer) => answer,
            Err(_) => Err(AppendError::OutcomeUnknown("the writer stopped without an answer".into())),
        }
    }

    /// Moves waiting requests into `batch`, until it has `appends` of them or `bytes` bytes. Sleeps while there are
    /// none, for at most `patience` if that is given. `false` when the queue is stopped and empty.
    pub(super) fn take(
        &self,
        batch: &mut Vec<Request>,
        appends: usize,
        bytes: usize,
        patience: Option<Duration>,
    ) -> bool {
        let mut waiting = self.waiting();
        while waiting.requests.is_empty() {
            if waiting.stopped.is_some() {
                return false;
            }
            waiting.idle = true;
            match patience {
                None => waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(limit) if limit.is_zero() => {
                    waiting.idle = false;
                    return true;
                }
                Some(limit) => {
                    let (guard, late) =
                        self.arrived.wait_timeout(waiting, limit).unwrap_or_else(PoisonError::into_inner);
                    waiting = guard;
                    if late.timed_out() && waiting.requests.is_empty() {
                        waiting.idle = false;
                        return true;
                    }
                }
            }
        }
        let mut sum = 0;
        for _ in 0..appends {
            let Some(request) = waiting.requests.pop_front() else { break };
            sum += request.bytes;
            batch.push(request);
            if sum >= bytes {
                break;
            }
        }
        true
    }

    /// Stops accepting requests. The first reason stays, except that poison overrides an orderly close.
    pub(super) fn stop(&self, reason: Stopped) {
        let mut waiting = self.waiting();
        if waiting.stopped != Some(Stopped::Poisoned) {
            waiting.stopped = Some(reason);
            self.stopped.store(1 + reason as u8, Ordering::Release);
        }
        if reason == Stopped::Poisoned {
            for request in waiting.requests.drain(..) {
                // A caller that has gone away needs no answer.
                let _ = request.answer.send(Err(reason.append_error()));
            }
        }
        drop(waiting);
        self.room.close();
        self.arrived.notify_all();
    }

    pub(super) fn stopped(&self) -> Option<Stopped> {
        match self.stopped.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Stopped::Closed),
            _ => Some(Stopped::Poisoned),
        }
    }

    pub(super) fn depth(&self) -> usize {
        self.waiting().requests.len()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use uuid::Uuid;

    use super::*;

    fn queue() -> Arc<Queue> {
        Arc::new(Queue::new())
    }

    fn submit(queue: &Arc<Queue>, bytes: usize) -> tokio::task::JoinHandle<Answer> {
        let queue = queue.clone();
        let event = NewEvent { id: Uuid::nil(), kind: "k".into(), data: Vec::new(), meta: Vec::new() };
        tokio::spawn(async move {
            let stream = StreamName::parse("ticket-1").unwrap();
            queue.submit(stream, Expected::Any, vec![event], bytes).await
        })
    }

    async fn settle() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn the_queue_is_bounded_in_appends_and_in_bytes() {
        for (bytes, limit) in [(10, WRITE_QUEUE_APPENDS_MAX), (1 << 20, WRITE_QUEUE_BYTES_MAX >> 20)] {
            let queue = queue();
            let callers: Vec<_> = (0..limit + 5).map(|_| submit(&queue, bytes)).collect();
            settle().await;
            assert_eq!(queue.depth(), limit);
            // Requests that were taken keep their share of the bound until they are answered.
            let mut batch = Vec::new();
            assert!(queue.take(&mut batch, 3, usize::MAX, None));
            settle().await;
            assert_eq!(queue.depth(), limit - 3);
            batch.drain(..).for_each(|request| request.answer.send(Err(AppendError::Full)).unwrap());
            settle().await;
            assert_eq!(queue.depth(), limit);
            queue.stop(Stopped::Poisoned);
            for caller in callers {
                assert!(matches!(caller.await.unwrap(), Err(AppendError::Full | AppendError::Poisoned)));
            }
        }
    }

    #[tokio::test]
    async fn a_batch_ends_at_its_bounds() {
        let queue = queue();
        let _callers: Vec<_> = (0..10).map(|_| submit(&queue, 100)).collect();
        settle().await;
        let mut batch = Vec::new();
        assert!(queue.take(&mut batch, 4, usize::MAX, None));
        assert_eq!(batch.len(), 4);
        assert!(queue.take(&mut batch, 100, 250, None));
        assert_eq!(batch.len(), 7);
        assert!(queue.take(&mut batch, 100, usize::MAX, None));
        assert!(queue.take(&mut batch, 100, usize::MAX, Some(Duration::ZERO)));
        assert_eq!(batch.len(), 10);
    }

    #[tokio::test]
    async fn an_orderly_stop_leaves_what_is_queued_to_the_writer() {
        let queue = queue();
        let caller = submit(&queue, 10);
        settle().await;
        queue.stop(Stopped::Closed);
        assert!(matches!(submit(&queue, 10).await.unwrap(), Err(AppendError::Unavailable(_))));
        let mut batch = Vec::new();
        assert!(queue.take(&mut batch, 10, usize::MAX, None));
        assert!(!queue.take(&mut Vec::new(), 10, usize::MAX, None));
        batch.drain(..).for_each(|request| request.answer.send(Err(AppendError::Full)).unwrap());
        assert!(matches!(caller.await.unwrap(), Err(AppendError::Full)));
    }
}
