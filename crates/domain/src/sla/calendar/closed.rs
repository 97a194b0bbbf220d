//! The intervals that do not count, for drawing a clock: nights, weekends, and holidays by name.

use chrono::NaiveDate;

use super::{
    Calendar,
    arithmetic::{day_of, instant_of_minute},
    told_until,
};
use crate::{Timestamp, sla::Basis};

/// An interval that does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// The start, inclusive.
    pub from: Timestamp,
    /// The end, exclusive.
    pub to: Timestamp,
    /// The name of the holiday, when all its days off have the same name.
    pub name: Option<String>,
}

/// The names of the days off in one interval.
#[derive(Clone, Copy)]
enum Naming<'c> {
    NoDayOff,
    One(&'c str),
    Several,
}

impl<'c> Naming<'c> {
    fn and(self, name: Option<&'c str>) -> Self {
        match (self, name) {
            (Self::NoDayOff, Some(name)) => Self::One(name),
            (Self::One(known), Some(name)) if known == name => self,
            _ => Self::Several,
        }
    }

    fn name(self) -> Option<String> {
        match self {
            Self::One(name) => Some(name.to_owned()),
            Self::NoDayOff | Self::Several => None,
        }
    }
}

impl Calendar {
    fn name_of_day(&self, day: i64) -> Option<&str> {
        self.name(NaiveDate::from_epoch_days(i32::try_from(day).ok()?)?)
    }

    /// The intervals within `[from, to)` that do not count, in order, adjoining ones joined; empty for
    /// [`Basis::Elapsed`]. Limited to [`super::TOLD_DAYS_MAX`] days from `from`.
    #[must_use]
    pub fn closed(&self, basis: Basis, from: Timestamp, to: Timestamp) -> Vec<Closed> {
        let mut found = Vec::new();
        if basis == Basis::Elapsed || to <= from {
            return found;
        }
        let to = told_until(from, to);
        let (mut since, mut naming) = (from, Naming::NoDayOff);
        for day in day_of(from)..=day_of(to) {
            let counting = self.counting(basis, day);
            // An interval that ends at midnight includes nothing of the next day.
            if counting.is_empty() && instant_of_minute(day, 0) < to {
                naming = naming.and(self.name_of_day(day));
            }
            for span in counting {
                let (opens, closes) =
                    (instant_of_minute(day, span.from).min(to), instant_of_minute(day, span.to).min(to));
                if since < opens {
                    found.push(Closed { from: since, to: opens, name: naming.name() });
                }
                if since < closes {
                    (since, naming) = (closes, Naming::NoDayOff);
                }
            }
        }
        if since < to {
            found.push(Closed { from: since, to, name: naming.name() });
        }
        found
    }
}
