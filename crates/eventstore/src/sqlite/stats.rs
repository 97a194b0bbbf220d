//! Counters of a running store. The server publishes them, not this module.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::queue::Stopped;

/// Counters since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Recorded appends.
    pub appends: u64,
    /// Recorded events.
    pub events: u64,
    /// Recorded bytes of data, meta and kinds.
    pub bytes: u64,
    /// Appends that were answered with a conflict.
    pub conflicts: u64,
    /// Appends that were answered with a duplicate.
    pub duplicates: u64,
    /// Committed transactions; each has one sync.
    pub commits: u64,
    /// Appends in the largest batch.
    pub batch_appends_peak: u64,
    /// The time spent in commits; nearly all of it is sync.
    pub commit_time: Duration,
    /// The time of the slowest commit.
    pub commit_time_peak: Duration,
    /// The time that the writer spent in batches, without commits.
    pub apply_time: Duration,
    /// The number of checkpoints that the writer itself had to finish.
    pub checkpoints: u64,
    /// The time spent in those checkpoints.
    pub checkpoint_time: Duration,
    /// The present number of pages in the write-ahead log.
    pub wal_pages: u64,
    /// The present number of waiting appends.
    pub waiting: u64,
    /// True while the store serves: it is neither closed nor poisoned.
    pub serving: bool,
    /// True when a failed sync has stopped the store.
    pub poisoned: bool,
    /// True when an append was refused for lack of space in the last 10 seconds, and none succeeded since.
    pub full: bool,
}

/// How long a refusal for lack of space counts. Without callers nothing would show that there is space again.
pub const FULL_TOLD: Duration = Duration::from_secs(10);

/// The live counters. Only the writer changes them, so relaxed ordering is sufficient.
#[derive(Default)]
pub(super) struct Meter {
    pub(super) appends: AtomicU64,
    pub(super) events: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) conflicts: AtomicU64,
    pub(super) duplicates: AtomicU64,
    pub(super) commits: AtomicU64,
    pub(super) batch_appends_peak: AtomicU64,
    pub(super) commit_nanos: AtomicU64,
    pub(super) commit_nanos_peak: AtomicU64,
    pub(super) apply_nanos: AtomicU64,
    pub(super) checkpoints: AtomicU64,
    pub(super) checkpoint_nanos: AtomicU64,
    pub(super) wal_pages: AtomicU64,
    /// The last refusal for lack of space.
    full_since: Mutex<Option<Instant>>,
}

pub(super) fn add(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}

pub(super) fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

impl Meter {
    /// Records that appends were refused for lack of space, or that one succeeded.
    pub(super) fn set_full(&self, full: bool) {
        *self.full_since.lock().unwrap_or_else(PoisonError::into_inner) = full.then(Instant::now);
    }

    fn is_full(&self) -> bool {
        let since = *self.full_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| since.elapsed() < FULL_TOLD)
    }

    pub(super) fn read(&self, waiting: usize, stopped: Option<Stopped>) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let time = |counter: &AtomicU64| Duration::from_nanos(get(counter));
        Stats {
            appends: get(&self.appends),
            events: get(&self.events),
            bytes: get(&self.bytes),
            conflicts: get(&self.conflicts),
            duplicates: get(&self.duplicates),
            commits: get(&self.commits),
            batch_appends_peak: get(&self.batch_appends_peak),
            commit_time: time(&self.commit_nanos),
            commit_time_peak: time(&self.commit_nanos_peak),
            apply_time: time(&self.apply_nanos),
            checkpoints: get(&self.checkpoints),
            checkpoint_time: time(&self.checkpoint_nanos),
            wal_pages: get(&self.wal_pages),
            waiting: waiting as u64,
            full: self.is_full(),
            serving: stopped.is_none(),
            poisoned: stopped == Some(Stopped::Poisoned),
        }
    }
}
