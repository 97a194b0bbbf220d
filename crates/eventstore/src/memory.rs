//! The memory keeper: the reference that the others are compared with, and the store of simulations.
//!
//! Nothing is durable and nothing is bounded but the limits of the port: the log lives as long as the value.
//! Clever structure is deliberately absent; every answer is read off one vector.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    AppendError, Appended, Direction, EventStore, Expected, NewEvent, PAGE_EVENTS_MAX, Position, ReadError, Recorded,
    Revision, StreamName, Subscription, event,
};

/// A log in memory. Clones share it.
#[derive(Clone)]
pub struct MemoryStore {
    log: Arc<Mutex<Log>>,
    head: watch::Sender<Position>,
}

#[derive(Default)]
struct Log {
    /// Index 0 holds position 1.
    events: Vec<Recorded>,
    streams: HashMap<StreamName, Vec<Position>>,
    ids: HashMap<Uuid, Position>,
}

impl MemoryStore {
    /// An empty log.
    pub fn new() -> Self {
        Self { log: Arc::default(), head: watch::Sender::new(Position::START) }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        // No code between lock and unlock can panic halfway through a change, so the log behind a poisoned lock is whole.
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl Log {
    fn at(&self, position: Position) -> Option<&Recorded> {
        self.events.get(usize::try_from(position.0.checked_sub(1)?).ok()?)
    }

    fn append(&mut self, stream: &StreamName, expected: Expected, new: Vec<NewEvent>) -> Result<Appended, AppendError> {
        if let Some(&position) = new.iter().find_map(|event| self.ids.get(&event.id)) {
            return Err(AppendError::Duplicate { position });
        }
        let known = self.streams.get(stream).map_or(0, Vec::len) as u64;
        let actual = known.checked_sub(1).map(Revision);
        if !expected.admits(actual) {
            return Err(AppendError::Conflict { actual });
        }
        let first = Position(self.events.len() as u64 + 1);
        let (mut last, mut revision) = (first, Revision(known));
        let places = self.streams.entry(stream.clone()).or_default();
        for (n, event) in (0..).zip(new) {
            (last, revision) = (Position(first.0 + n), Revision(known + n));
            places.push(last);
            self.ids.insert(event.id, last);
            self.events.push(Recorded {
                position: last,
                stream: stream.clone(),
                revision,
                id: event.id,
                kind: event.kind,
                data: event.data,
                meta: event.meta,
            });
        }
        Ok(Appended { first, last, revision })
    }

    fn read_all(&self, after: Position, max: usize, direction: Direction) -> Vec<Recorded> {
        let cut = usize::try_from(after.0).unwrap_or(usize::MAX);
        match direction {
            Direction::Forward => self.events.iter().skip(cut).take(max).cloned().collect(),
            Direction::Backward => {
                let below = cut.saturating_sub(1).min(self.events.len());
                self.events[..below].iter().rev().take(max).cloned().collect()
            }
        }
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
        // Inside the lock, so that the head never goes back.
        self.head.send_replace(appended.last);
        Ok(appended)
    }

    async fn read_stream(&self, stream: &StreamName, from: Revision, max: usize) -> Result<Vec<Recorded>, ReadError> {
        let log = self.log();
        let places = log.streams.get(stream).map_or(&[][..], Vec::as_slice);
        let from = usize::try_from(from.0).unwrap_or(usize::MAX);
        let page = places.iter().skip(from).take(max.min(PAGE_EVENTS_MAX));
        Ok(page.filter_map(|&position| log.at(position)).cloned().collect())
    }

    async fn read_all(&self, after: Position, max: usize, direction: Direction) -> Result<Vec<Recorded>, ReadError> {
        Ok(self.log().read_all(after, max.min(PAGE_EVENTS_MAX), direction))
    }

    async fn locate(&self, id: Uuid) -> Result<Option<Recorded>, ReadError> {
        let log = self.log();
        Ok(log.ids.get(&id).and_then(|&position| log.at(position)).cloned())
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
                Ok(log.read_all(after, max, Direction::Forward))
            }
        })
    }
}
