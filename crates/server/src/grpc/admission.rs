//! Admission (back-pressure): a limit on the calls in progress and on the open streams. The last call slots are
//! reserved for calls that must not wait.

use std::sync::Arc;

use switchboard_wire::refusal::Refusal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The priority of a call when slots are short. The lowest class is refused first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Queries: refused when half of the slots are taken.
    Query,
    /// Desk commands: refused when four fifths of the slots are taken.
    Command,
    /// Calls for a caller on the line or a crew in the field: refused only when every slot is taken.
    Urgent,
}

/// The slots for calls and streams.
#[derive(Clone, Debug)]
pub struct Admission {
    calls: Arc<Semaphore>,
    calls_max: usize,
    streams: Arc<Semaphore>,
    streams_max: usize,
}

impl Admission {
    /// Creates the slots: the most calls in progress, and the most open streams.
    #[must_use]
    pub fn new(calls_max: usize, streams_max: usize) -> Self {
        let (calls, streams) = (Arc::new(Semaphore::new(calls_max)), Arc::new(Semaphore::new(streams_max)));
        Self { calls, calls_max, streams, streams_max }
    }

    /// The most open streams.
    pub(crate) fn streams_max(&self) -> usize {
        self.streams_max
    }

    /// Takes a slot for one call. Dropping the permit gives the slot back.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`], which names the limit.
    pub fn enter(&self, class: Class) -> Result<OwnedSemaphorePermit, Refusal> {
        let reserve = match class {
            Class::Query => self.calls_max / 2,
            Class::Command => self.calls_max / 5,
            Class::Urgent => 0,
        };
        let overloaded = || {
            metrics::counter!("switchboard_calls_shed_total", "class" => format!("{class:?}")).increment(1);
            Refusal::Overloaded { limit: "calls_max", value: self.calls_max as u64 }
        };
        if self.calls.available_permits() <= reserve {
            return Err(overloaded());
        }
        Arc::clone(&self.calls).try_acquire_owned().map_err(|_| overloaded())
    }

    /// Takes a slot for one stream. Dropping the permit gives the slot back.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`], which names the limit.
    pub fn enter_stream(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.streams)
            .try_acquire_owned()
            .map_err(|_| Refusal::Overloaded { limit: "streams_max", value: self.streams_max as u64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_places_are_kept_for_those_who_must_not_wait() {
        let admission = Admission::new(10, 1);
        let mut held = Vec::new();
        while let Ok(place) = admission.enter(Class::Query) {
            held.push(place);
        }
        assert_eq!(held.len(), 5);
        while let Ok(place) = admission.enter(Class::Command) {
            held.push(place);
        }
        assert_eq!(held.len(), 8);
        while let Ok(place) = admission.enter(Class::Urgent) {
            held.push(place);
        }
        assert_eq!(held.len(), 10);
        assert!(matches!(admission.enter(Class::Urgent), Err(Refusal::Overloaded { limit: "calls_max", value: 10 })));
        held.clear();
        assert!(admission.enter(Class::Query).is_ok(), "places are given back");
    }
}
