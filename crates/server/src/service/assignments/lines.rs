//! The lines of the crews. A line holds the newest changes of one crew and wakes the watchers of that crew.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use switchboard_domain::crew::CrewId;
use tokio::sync::watch;

use super::{CrewChange, Pulled};

/// The most changes that are kept in memory for each crew. A watcher that is further behind reads history.
pub const RING_CHANGES_MAX: usize = 64;

/// The line of one crew.
struct Line {
    ring: VecDeque<Arc<CrewChange>>,
    /// Every change after this position is in the ring.
    floor: u64,
    last: watch::Sender<u64>,
}

impl Line {
    fn new(floor: u64) -> Self {
        Self { ring: VecDeque::new(), floor, last: watch::Sender::new(floor) }
    }
}

pub(super) struct Lines {
    crews: Mutex<HashMap<CrewId, Line>>,
    ring_max: usize,
    /// No line knows the changes up to this position.
    start: u64,
    /// The position up to which all changes are in the lines.
    position: watch::Sender<u64>,
}

impl Lines {
    pub(super) fn starting_at(position: u64, ring_max: usize) -> Self {
        Self { crews: Mutex::default(), ring_max, start: position, position: watch::Sender::new(position) }
    }

    fn crews(&self) -> MutexGuard<'_, HashMap<CrewId, Line>> {
        self.crews.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn position(&self) -> u64 {
        *self.position.borrow()
    }

    pub(super) async fn reach(&self, position: u64) -> bool {
        self.position.subscribe().wait_for(|told| *told >= position).await.is_ok()
    }

    pub(super) fn watch(&self, crew: &CrewId) -> watch::Receiver<u64> {
        let mut crews = self.crews();
        crews.entry(crew.clone()).or_insert_with(|| Line::new(self.start)).last.subscribe()
    }

    /// Appends changes in the order of the log. After them the lines are complete up to `upto`.
    pub(super) fn tell(&self, told: Vec<(CrewId, Arc<CrewChange>)>, upto: u64) {
        let mut crews = self.crews();
        for (crew, crew_change) in told {
            let line = crews.entry(crew).or_insert_with(|| Line::new(self.start));
            let position = crew_change.change.position;
            line.ring.push_back(crew_change);
            if line.ring.len() > self.ring_max
                && let Some(oldest) = line.ring.pop_front()
            {
                line.floor = oldest.change.position;
            }
            line.last.send_replace(position);
        }
        // Set while the lines are locked, so that a reader who sees the new position also sees the changes up to it.
        self.position.send_replace(upto);
    }

    /// The changes of a crew after a position; `None` if its line does not reach back so far.
    pub(super) fn after(&self, crew: &CrewId, after: u64) -> Option<Pulled> {
        let crews = self.crews();
        let upto = self.position().max(after);
        let floor = crews.get(crew).map_or(self.start, |line| line.floor);
        if after < floor {
            return None;
        }
        let ring = crews.get(crew).map(|line| &line.ring);
        let from = ring.map_or(0, |ring| ring.partition_point(|crew_change| crew_change.change.position <= after));
        let crew_changes = ring.into_iter().flat_map(|ring| ring.iter().skip(from)).cloned().collect();
        Some(Pulled { crew_changes, upto })
    }
}
