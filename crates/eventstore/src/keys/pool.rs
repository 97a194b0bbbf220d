//! The key pool: keys that are durable before they are needed, and the thread that refills the pool.
//!
//! Assigning a key must not wait for a disk. Keys are therefore generated and synced in advance, without a subject. An
//! assignment takes a key from memory, and the thread stores assignments later, in batches. If the process dies before
//! that, the file has the key, which still opens its data, but no record of its use. Reusing such a key would seal the
//! data of two people with one key; so after an unclean end every pool key becomes an orphaned key. A clean close
//! stores everything, and its pool is reused.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

use super::file::{File, Lookup, Pair, key_error};
use super::{Key, KeyError, KeyId};
use crate::Cause;
use crate::episode::Episode;

/// The size of a full pool. It is refilled below half. With an empty pool, `assign` waits for a refill.
pub const POOL_KEYS_MAX: usize = 512;
/// The longest time for which an assignment exists in memory only.
pub const ASSIGNMENT_DELAY_MAX: Duration = Duration::from_millis(50);
/// The longest wait of `assign` for an empty pool, or of `flush` for the file, before it fails.
pub const KEY_WAIT_MAX: Duration = Duration::from_secs(10);
/// The most keys in memory: by subject, and again by id.
pub const KEYS_CACHED_MAX: NonZeroUsize = NonZeroUsize::new(65_536).unwrap();

pub(super) struct Pool {
    /// Lock order: `file` before `state`.
    file: Mutex<File>,
    state: Mutex<State>,
    /// Signals work for the thread.
    work: Condvar,
    /// Signals that the thread has done some work.
    done: Condvar,
}

struct State {
    lookup: Lookup,
    ready: Vec<Pair>,
    /// Assignments that are not stored yet; at most the size of the pool.
    unsettled: HashMap<Arc<str>, Pair>,
    unsettled_since: Option<Instant>,
    subjects: LruCache<Arc<str>, Pair>,
    numbers: LruCache<KeyId, Key>,
    /// True when a caller waits for the file.
    hurry: bool,
    /// Why the last write failed, until one succeeds.
    fault: Option<Cause>,
    /// Why the store accepts nothing more: it was closed.
    stopped: Option<Cause>,
}

type StateGuard<'a> = MutexGuard<'a, State>;

impl Pool {
    pub(super) fn new(file: File, lookup: Lookup, ready: Vec<Pair>) -> Self {
        let state = State {
            lookup,
            ready,
            unsettled: HashMap::new(),
            unsettled_since: None,
            subjects: LruCache::sparse(KEYS_CACHED_MAX),
            numbers: LruCache::sparse(KEYS_CACHED_MAX),
            hurry: false,
            fault: None,
            stopped: None,
        };
        Self { file: Mutex::new(file), state: Mutex::new(state), work: Condvar::new(), done: Condvar::new() }
    }

    fn state(&self) -> StateGuard<'_> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn file(&self) -> MutexGuard<'_, File> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn assign(&self, subject: &str) -> Result<Pair, KeyError> {
        let mut state = self.state();
        let begun = Instant::now();
        loop {
            if let Some(pair) = self.take(&mut state, subject)? {
                return Ok(pair);
            }
            state = self.wait(state, begun)?;
        }
    }

    pub(super) fn at_hand(&self, subject: &str) -> Result<Option<Pair>, KeyError> {
        self.take(&mut self.state(), subject)
    }

    /// A key from memory; if there is none, wakes the thread to create more.
    fn take(&self, state: &mut State, subject: &str) -> Result<Option<Pair>, KeyError> {
        if let Some(pair) = state.known(subject) {
            return Ok(Some(pair));
        }
        if let Some(cause) = &state.stopped {
            return Err(KeyError::Unavailable(cause.clone()));
        }
        let pair = state.ready.pop();
        // The thread sleeps until the oldest assignment is due. It must know of that one, and of a pool that runs low.
        let is_first = state.unsettled_since.is_none();
        if let Some(pair) = &pair {
            state.hand_out(subject, pair);
        }
        if is_first || state.is_low() {
            self.work.notify_one();
        }
        Ok(pair)
    }

    pub(super) fn key(&self, id: KeyId) -> Result<Option<Key>, KeyError> {
        let mut state = self.state();
        if let Some(key) = state.numbers.get(&id) {
            return Ok(Some(key.clone()));
        }
        let found = state.lookup.number(id).map_err(key_error)?;
        if let Some(key) = &found {
            state.numbers.put(id, key.clone());
        }
        Ok(found)
    }

    /// Blocks all other callers during the sync, so that the key cannot be read while it is destroyed.
    pub(super) fn erase(&self, subject: &str) -> Result<usize, KeyError> {
        let mut file = self.file();
        let mut state = self.state();
        if let Some(cause) = &state.stopped {
            return Err(KeyError::Unavailable(cause.clone()));
        }
        let unnamed = state.unsettled.get(subject).map(|(id, _)| *id);
        let erased = file.erase(subject, unnamed).map_err(key_error)?;
        state.unsettled.remove(subject);
        state.subjects.pop(subject);
        // The ids of the subject's keys are unknown now, so clear the cache; it is refilled on use.
        state.numbers.clear();
        Ok(erased)
    }

    pub(super) fn adopt(&self, id: KeyId, subject: &str) -> Result<bool, KeyError> {
        let mut file = self.file();
        if let Some(cause) = &self.state().stopped {
            return Err(KeyError::Unavailable(cause.clone()));
        }
        file.adopt(id, subject).map_err(key_error)
    }

    pub(super) fn orphaned(&self) -> Result<Vec<KeyId>, KeyError> {
        self.state().lookup.orphaned().map_err(key_error)
    }

    pub(super) fn flush(&self) -> Result<(), KeyError> {
        let mut state = self.state();
        let begun = Instant::now();
        let mine: Vec<KeyId> = state.unsettled.values().map(|(id, _)| *id).collect();
        while state.unsettled.values().any(|(id, _)| mine.contains(id)) {
            if let Some(cause) = &state.stopped {
                return Err(KeyError::Unavailable(cause.clone()));
            }
            state.hurry = true;
            self.work.notify_one();
            state = self.wait(state, begun)?;
        }
        Ok(())
    }

    /// Waits for the thread: until a time limit, and not while writes fail.
    fn wait<'a>(&self, state: StateGuard<'a>, begun: Instant) -> Result<StateGuard<'a>, KeyError> {
        if let Some(cause) = &state.fault {
            return Err(KeyError::Unavailable(cause.clone()));
        }
        let left = KEY_WAIT_MAX.saturating_sub(begun.elapsed());
        if left.is_zero() {
            return Err(KeyError::Unavailable("the key file is too slow".into()));
        }
        Ok(self.done.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Stops accepting work. The thread ends, and waiting callers get the cause.
    pub(super) fn stop(&self, cause: Cause) {
        self.state().stopped.get_or_insert(cause);
        self.work.notify_all();
        self.done.notify_all();
    }

    /// True when the last write failed.
    pub(super) fn faulty(&self) -> bool {
        self.state().fault.is_some()
    }

    /// The thread's loop: stores assignments and fills the pool, until stopped. After a failed write it retries with
    /// growing pauses: SQLite has undone the transaction, so a retry writes and syncs all of it again. Meanwhile the
    /// keys at hand are handed out, because they were synced before.
    pub(super) fn run(&self) {
        let mut episode = Episode::default();
        while self.sleep() {
            let Err(error) = self.settle() else {
                if let Some(failures) = episode.ends() {
                    tracing::info!(failures, "the key file takes writes again");
                }
                continue;
            };
            if episode.fails() {
                tracing::error!(%error, "the key file refused a write; retrying");
            }
            self.state().fault = Some(Cause::new(error));
            self.done.notify_all();
            self.pause(episode.pause());
        }
    }

    /// Waits, unless the pool is stopped.
    fn pause(&self, pause: Duration) {
        let begun = Instant::now();
        let mut state = self.state();
        while state.stopped.is_none() && begun.elapsed() < pause {
            let left = pause.saturating_sub(begun.elapsed());
            state = self.work.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Sleeps until there is work; `false` when stopped.
    fn sleep(&self) -> bool {
        let mut state = self.state();
        loop {
            if state.stopped.is_some() {
                return false;
            }
            let low = state.is_low();
            let age = state.unsettled_since.map_or(Duration::ZERO, |since| since.elapsed());
            let waits = !state.unsettled.is_empty();
            if low || waits && (state.hurry || age >= ASSIGNMENT_DELAY_MAX) {
                return true;
            }
            state.hurry = false;
            state = if waits {
                let left = ASSIGNMENT_DELAY_MAX.saturating_sub(age);
                self.work.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
            } else {
                self.work.wait(state).unwrap_or_else(PoisonError::into_inner)
            };
        }
    }

    /// Stores the pending assignments and the missing pool keys, in one sync.
    pub(super) fn settle(&self) -> rusqlite::Result<()> {
        let mut file = self.file();
        let (assigned, lacking) = {
            let mut state = self.state();
            state.hurry = false;
            let assigned: Vec<_> = state.unsettled.iter().map(|(name, (id, _))| (name.clone(), *id)).collect();
            (assigned, POOL_KEYS_MAX.saturating_sub(state.ready.len()))
        };
        let fresh = (0..lacking).map(|_| Key::random()).collect::<Result<_, _>>();
        let fresh = fresh.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        let made = file.settle(&assigned, fresh)?;
        let mut state = self.state();
        for (subject, id) in &assigned {
            if state.unsettled.get(subject).is_some_and(|(now, _)| now == id) {
                state.unsettled.remove(subject);
            }
        }
        state.unsettled_since = (!state.unsettled.is_empty()).then(Instant::now);
        // Keys are popped from the end: oldest first.
        state.ready.splice(0..0, made.into_iter().rev());
        state.fault = None;
        drop(state);
        self.done.notify_all();
        Ok(())
    }
}

impl State {
    fn is_low(&self) -> bool {
        self.ready.len() < POOL_KEYS_MAX / 2
    }

    /// The last key that this process assigned to the subject. The file is not read: a look-up for every new caller
    /// would cost more than the key that it saves.
    fn known(&mut self, subject: &str) -> Option<Pair> {
        self.subjects.get(subject).or_else(|| self.unsettled.get(subject)).cloned()
    }

    fn hand_out(&mut self, subject: &str, pair: &Pair) {
        let subject: Arc<str> = subject.into();
        self.unsettled_since.get_or_insert_with(Instant::now);
        self.unsettled.insert(subject.clone(), pair.clone());
        self.subjects.put(subject, pair.clone());
        self.numbers.put(pair.0, pair.1.clone());
    }
}
