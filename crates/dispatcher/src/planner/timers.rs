//! Timers for changes of the plan without a fact: at most one per job and one per crew, the earliest first.

use std::collections::{BTreeMap, BTreeSet};

use switchboard_domain::Timestamp;

/// The owner of a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whose {
    /// A job: a hold or an exclusion ends, or the time before an appointment begins.
    Job(u32),
    /// A crew: a break begins or ends, the shift ends, or the crew becomes silent.
    Crew(u32),
}

/// The timers by time and by owner.
#[derive(Clone, Debug, Default)]
pub struct Timers {
    due: BTreeSet<(Timestamp, Whose)>,
    set: BTreeMap<Whose, Timestamp>,
}

impl Timers {
    /// Sets the timer to the earliest of these instants after `now`; removes it when there is none.
    pub fn set(&mut self, whose: Whose, instants: impl Iterator<Item = Timestamp>, now: Timestamp) {
        let next = instants.filter(|at| *at > now).min();
        let before = match next {
            Some(at) => self.set.insert(whose, at),
            None => self.set.remove(&whose),
        };
        if let Some(at) = before {
            self.due.remove(&(at, whose));
        }
        self.due.extend(next.map(|at| (at, whose)));
    }

    /// Removes and returns the next timer, if it is due.
    pub fn take_due(&mut self, now: Timestamp) -> Option<Whose> {
        let (at, whose) = *self.due.first()?;
        if at > now {
            return None;
        }
        self.due.remove(&(at, whose));
        self.set.remove(&whose);
        Some(whose)
    }

    /// The instant of the next timer.
    pub fn next(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::at;

    #[test]
    fn a_timer_that_is_set_anew_is_due_once() {
        let mut timers = Timers::default();
        timers.set(Whose::Job(1), [at(5), at(3), at(-1)].into_iter(), at(0));
        timers.set(Whose::Crew(1), [at(4)].into_iter(), at(0));
        assert_eq!(timers.next(), Some(at(3)));
        timers.set(Whose::Job(1), [at(6)].into_iter(), at(0));
        assert_eq!((timers.take_due(at(5)), timers.take_due(at(5))), (Some(Whose::Crew(1)), None));
        timers.set(Whose::Job(1), std::iter::empty(), at(0));
        assert_eq!(timers.next(), None);
    }
}
