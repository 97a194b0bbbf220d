//! The implementation in memory: the reference for the others, and the store of simulations.
//!
//! Nothing is durable, and only the limits of the port bound it: the log lives as long as the value. It has no clever
//! data structure, on purpose: every answer is read from one vector.
//!
//! [`MemoryStore::new`] is dense, as the embedded log is. [`MemoryStore::with_gaps`] guarantees no more than a
//! distributed log can: positions have gaps, an id is known in its own stream only, and a read cannot begin at a
//! position without an event.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    AppendError, Appended, Direction, EventStore, Expected, Locate, NewEvent, PAGE_EVENTS_MAX, Position, ReadError,
    Recorded, Revision, StreamName, Subscription, event,
};

/// The largest distance between two neighbouring positions in a log with gaps.
const GAP_MAX: u64 = 300;

/// A log in memory. Clones share it.
#[derive(Clone)]
pub struct MemoryStore {
    log: Arc<Mutex<Log>>,
    head: watch::Sender<Position>,
}

/// The distances between the positions of a log.
#[derive(Clone, Copy, Default)]
enum Spacing {
    /// 1, 2, 3, ...
    #[default]
    Dense,
    /// Random distances from 1 to [`GAP_MAX`], drawn from this state.
    Gaps(u64),
}

#[derive(Default)]
struct Log {
    /// The events in the order of their positions.
    events: Vec<Recorded>,
    /// The indices of each stream's events in `events`.
    streams: HashMap<StreamName, Vec<usize>>,
    ids: HashMap<Uuid, usize>,
    spacing: Spacing,
    end: Position,
}

impl MemoryStore {
    /// An empty log without gaps.
    pub fn new() -> Self {
        Self::spaced(Spacing::Dense)
    }

    /// An empty log whose positions have gaps. The same seed gives the same gaps.
    pub fn with_gaps(seed: u64) -> Self {
        Self::spaced(Spacing::Gaps(seed))
    }

    fn spaced(spacing: Spacing) -> Self {
        let log = Log { spacing, ..Log::default() };
        Self { log: Arc::new(Mutex::new(log)), head: watch::Sender::new(Position::START) }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // No code panics between lock and unlock in the middle of a change, so the log behind a poisoned lock is
        // consistent.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Log {
    /// Moves the end of the log to the next position, and returns it.
    fn step(&mut self) -> Position {
        let step = match &mut self.spacing {
            Spacing::Dense => 1,
            Spacing::Gaps(state) => {
                // A linear congruential generator. Its high bits are random enough for gaps.
                *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                1 + (*state >> 33) % GAP_MAX
            }
        };
        self.end = Position(self.end.0 + step);
        self.end
    }

    fn is_dense(&self) -> bool {
        matches!(self.spacing, Spacing::Dense)
    }

    /// The position of the recorded event that makes the append a duplicate.
    fn duplicate(&self, stream: &StreamName, new: &[NewEvent]) -> Option<Position> {
        let known = new.iter().filter_map(|event| self.ids.get(&event.id)).map(|index| &self.events[*index]);
        let mut counts = known.filter(|event| self.is_dense() || event.stream == *stream);
        counts.next().map(|event| event.position)
    }

    fn append(&mut self, stream: &StreamName, expected: Expected, new: Vec<NewEvent>) -> Result<Appended, AppendError> {
        if let Some(position) = self.duplicate(stream, &new) {
            return Err(AppendError::Duplicate { position });
        }
        let known = self.streams.get(stream).map_or(0, Vec::len) as u64;
        let actual = known.checked_sub(1).map(Revision);
        if !expected.admits(actual) {
            return Err(AppendError::Conflict { actual });
        }
        let mut appended: Option<Appended> = None;
        for (revision, event) in (known..).map(Revision).zip(new) {
            let position = self.step();
            let first = appended.map_or(position, |appended| appended.first);
            appended = Some(Appended { first, last: position, revision });
            self.streams.entry(stream.clone()).or_default().push(self.events.len());
            self.ids.entry(event.id).or_insert(self.events.len());
            self.events.push(Recorded {
                position,
                stream: stream.clone(),
                revision,
                id: event.id,
                kind: event.kind,
                data: event.data,
                meta: event.meta,
            });
        }
        appended.ok_or(AppendError::Empty)
    }

    /// The events above or below a position, at most `max`.
    fn read_all(&self, from: Position, max: usize, direction: Direction) -> Result<Vec<Recorded>, ReadError> {
        let found = self.events.binary_search_by_key(&from, |event| event.position);
        let is_edge = from == Position::START || from == Position::END;
        if !self.is_dense() && !is_edge && found.is_err() {
            return Err(ReadError::NoSuchPosition { position: from });
        }
        let below = found.unwrap_or_else(|index| index);
        Ok(match direction {
            Direction::Forward => {
                self.events[below..].iter().skip(usize::from(found.is_ok())).take(max).cloned().collect()
            }
            Direction::Backward => self.events[..below].iter().rev().take(max).cloned().collect(),
        })
    }
}

#[async_trait]
impl EventStore for MemoryStore {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        event::admit(&events)?;
        let mut log = self.log();
        let appended = log.append(stream, expected, events)?;
        // Set while the lock is held, so that the head never goes back.
        self.head.send_replace(appended.last);
        Ok(appended)
    }

    async fn read_stream(&self, stream: &StreamName, from: Revision, max: usize) -> Result<Vec<Recorded>, ReadError> {
        let log = self.log();
        let places = log.streams.get(stream).map_or(&[][..], Vec::as_slice);
        let from = usize::try_from(from.0).unwrap_or(usize::MAX);
        let page = places.iter().skip(from).take(max.min(PAGE_EVENTS_MAX));
        Ok(page.map(|index| log.events[*index].clone()).collect())
    }

    async fn read_all(&self, after: Position, max: usize, direction: Direction) -> Result<Vec<Recorded>, ReadError> {
        self.log().read_all(after, max.min(PAGE_EVENTS_MAX), direction)
    }

    async fn read_at(&self, position: Position) -> Result<Option<Recorded>, ReadError> {
        let log = self.log();
        let found = log.events.binary_search_by_key(&position, |event| event.position);
        Ok(found.ok().map(|index| log.events[index].clone()))
    }

    fn head(&self) -> Position {
        *self.head.borrow()
    }

    fn watch_head(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    fn subscribe_all(&self, after: Position) -> Subscription {
        let log = self.log.clone();
        Subscription::new(after, self.watch_head(), move |after, max| {
            let log = log.clone();
            async move {
                let log = log.lock().unwrap_or_else(PoisonError::into_inner);
                log.read_all(after, max, Direction::Forward)
            }
        })
    }
}

#[async_trait]
impl Locate for MemoryStore {
    async fn locate(&self, id: Uuid) -> Result<Option<Recorded>, ReadError> {
        let log = self.log();
        Ok(log.ids.get(&id).map(|index| log.events[*index].clone()))
    }
}
