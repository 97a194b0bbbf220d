//! The newest events in memory, so that readers that keep up do not read the file.
//!
//! Only committed events enter, in order. The tail is a cache: other events are read from the file, and the file
//! contains every event of the tail.

use std::collections::VecDeque;
use std::sync::{PoisonError, RwLock};

use crate::{Position, Recorded};

/// The most events in memory. Older ones are dropped.
pub const TAIL_EVENTS_MAX: usize = 4096;
/// The most bytes of data and meta in memory. Older events are dropped.
pub const TAIL_BYTES_MAX: usize = 16 << 20;

pub(super) struct Tail(RwLock<Newest>);

struct Newest {
    /// Consecutive events: positions `last - len + 1` to `last`.
    events: VecDeque<Recorded>,
    last: Position,
    bytes: usize,
}

fn size(event: &Recorded) -> usize {
    event.data.len() + event.meta.len()
}

impl Tail {
    pub(super) fn new(last: Position) -> Self {
        Self(RwLock::new(Newest { events: VecDeque::new(), last, bytes: 0 }))
    }

    /// Adds the events of one committed batch.
    pub(super) fn extend(&self, batch: &mut Vec<Recorded>) {
        let mut newest = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for event in batch.drain(..) {
            newest.bytes += size(&event);
            newest.last = event.position;
            newest.events.push_back(event);
        }
        while newest.events.len() > TAIL_EVENTS_MAX || newest.bytes > TAIL_BYTES_MAX {
            let Some(oldest) = newest.events.pop_front() else { break };
            newest.bytes -= size(&oldest);
        }
    }

    /// The page above `after` and not above `head`; `None` if its first event is not in memory.
    pub(super) fn after(&self, after: Position, max: usize, head: Position) -> Option<Vec<Recorded>> {
        let newest = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let before_first = newest.last.0 - newest.events.len() as u64;
        let skip = usize::try_from(after.0.checked_sub(before_first)?).ok()?;
        let known = usize::try_from(head.0.saturating_sub(before_first)).ok()?.min(newest.events.len());
        if skip >= known {
            return None;
        }
        Some(newest.events.range(skip..known.min(skip + max)).cloned().collect())
    }
}
