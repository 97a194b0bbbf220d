//! Who is let in when there is too much to do: a bounded number of calls at once, the last places kept for what must
//! not wait.

use std::sync::Arc;

use switchboard_wire::refusal::Refusal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How a call is ranked when places are short. The least is shed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Questions: turned away when half of the places are taken.
    Query,
    /// Desk commands: turned away when four fifths are taken.
    Command,
    /// A caller on the line, a crew in the field: turned away only when every place is taken.
    Urgent,
}

/// The places.
#[derive(Clone, Debug)]
pub struct Admission {
    calls: Arc<Semaphore>,
    calls_max: usize,
    streams: Arc<Semaphore>,
    streams_max: usize,
}

impl Admission {
    /// So many calls and streams at once.
    #[must_use]
    pub fn new(calls_max: usize, streams_max: usize) -> Self {
        let (calls, streams) = (Arc::new(Semaphore::new(calls_max)), Arc::new(Semaphore::new(streams_max)));
        Self { calls, calls_max, streams, streams_max }
    }

    /// A place for one call, given back when dropped.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] naming the limit.
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

    /// A place for one stream.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] naming the limit.
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
