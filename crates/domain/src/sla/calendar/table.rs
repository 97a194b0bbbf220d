//! The years as a table of dates: the working time before each date. Measuring an interval takes two look-ups, a
//! deadline one search. Outside the table all weeks are equal and are computed. A day is a number here (days since
//! 1970-01-01); instants are not used.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::year::{DAY_MINUTES, Span, Year, dates, is_weekend};
use crate::sla::Basis;

/// The hours of Monday to Friday in a year that was not published. An assumption: no State Council notice sets office
/// hours.
pub const DEFAULT_HOURS: [Span; 2] =
    [Span { from: 8 * 60 + 30, to: 12 * 60 }, Span { from: 13 * 60 + 30, to: 17 * 60 + 30 }];

/// A Monday: 1969-12-29.
const MONDAY: i64 = -3;

/// The working days and minutes before a day, counted from the first day of the table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Before {
    days: u32,
    minutes: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Day {
    before: Before,
    /// The index of the day's hours in the table.
    hours: usize,
}

/// Every day from the first published year to the last, including unpublished years between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Table {
    first: i64,
    days: Vec<Day>,
    total: Before,
    hours: Vec<Vec<Span>>,
}

impl Before {
    /// The value for `basis`, in minutes.
    fn counted(self, basis: Basis) -> i64 {
        match basis {
            Basis::WorkingTime => i64::from(self.minutes),
            Basis::Elapsed | Basis::WorkingDays => i64::from(self.days) * i64::from(DAY_MINUTES),
        }
    }
}

impl Table {
    pub(super) fn of(years: &BTreeMap<i32, Year>) -> Self {
        let (Some(first), Some(last)) = (years.keys().next(), years.keys().next_back()) else {
            return Self::default();
        };
        let mut table = Self { first: dates(*first).next().map_or(0, day_number), ..Self::default() };
        for number in *first..=*last {
            let year = years.get(&number);
            let ordinary = table.keep(year.map_or(&DEFAULT_HOURS, |year| &year.hours));
            let off = table.keep(&[]);
            for date in dates(number) {
                let hours = match year.and_then(|year| year.exceptions.get(&date)) {
                    Some(exception) => table.keep(&exception.hours),
                    None if is_weekend(date) => off,
                    None => ordinary,
                };
                table.push(hours);
            }
        }
        table
    }

    /// Adds hours to the table, normalised (within the day, sorted, without overlaps or empty spans), and returns their
    /// index.
    fn keep(&mut self, hours: &[Span]) -> usize {
        let mut sorted = hours.to_vec();
        sorted.sort_unstable();
        let mut apart: Vec<Span> = Vec::new();
        for span in sorted {
            let from = apart.last().map_or(0, |last| last.to).max(span.from);
            let to = span.to.min(DAY_MINUTES);
            if from < to {
                apart.push(Span { from, to });
            }
        }
        self.hours.iter().position(|known| *known == apart).unwrap_or_else(|| {
            self.hours.push(apart);
            self.hours.len() - 1
        })
    }

    fn push(&mut self, hours: usize) {
        self.days.push(Day { before: self.total, hours });
        let minutes: u32 = self.hours[hours].iter().map(|span| u32::from(span.minutes())).sum();
        self.total.minutes += minutes;
        self.total.days += u32::from(minutes > 0);
    }

    fn day(&self, day: i64) -> Option<&Day> {
        self.days.get(usize::try_from(day - self.first).ok()?)
    }

    /// The first day after the table.
    fn end(&self) -> i64 {
        self.first + self.days.len() as i64
    }

    pub(super) fn hours(&self, day: i64) -> &[Span] {
        match self.day(day) {
            Some(known) => &self.hours[known.hours],
            None if (day - MONDAY).rem_euclid(7) < 5 => &DEFAULT_HOURS,
            None => &[],
        }
    }

    /// The minutes that count before that day, from the first day of the table; negative for a day before the table.
    pub(super) fn before(&self, basis: Basis, day: i64) -> i64 {
        match self.day(day) {
            Some(known) => known.before.counted(basis),
            None if day < self.first => ordinary(basis, day) - ordinary(basis, self.first),
            None => self.total.counted(basis) + ordinary(basis, day) - ordinary(basis, self.end()),
        }
    }

    /// The last day before which fewer than `minutes` count. It is always a working day, because the next day has more
    /// before it.
    pub(super) fn last_before(&self, basis: Basis, minutes: i64) -> i64 {
        let total = self.total.counted(basis);
        if minutes <= 0 {
            last_ordinary_before(basis, minutes + ordinary(basis, self.first))
        } else if minutes <= total {
            let past = self.days.partition_point(|day| day.before.counted(basis) < minutes);
            self.first + past as i64 - 1
        } else {
            last_ordinary_before(basis, minutes - total + ordinary(basis, self.end()))
        }
    }
}

/// The number of a date: days since 1970-01-01.
pub(super) fn day_number(date: NaiveDate) -> i64 {
    i64::from(date.to_epoch_days())
}

/// The minutes that count on a weekday outside the table.
fn ordinary_minutes(basis: Basis) -> i64 {
    match basis {
        Basis::WorkingTime => DEFAULT_HOURS.iter().map(|span| i64::from(span.minutes())).sum(),
        Basis::Elapsed | Basis::WorkingDays => i64::from(DAY_MINUTES),
    }
}

/// The minutes from [`MONDAY`] to that day, if all weeks were ordinary.
fn ordinary(basis: Basis, day: i64) -> i64 {
    let days = day - MONDAY;
    (days.div_euclid(7) * 5 + days.rem_euclid(7).min(5)) * ordinary_minutes(basis)
}

/// [`Table::last_before`] if all weeks were ordinary, counted from [`MONDAY`].
fn last_ordinary_before(basis: Basis, minutes: i64) -> i64 {
    let working_days = (minutes - 1).div_euclid(ordinary_minutes(basis));
    MONDAY + working_days.div_euclid(5) * 7 + working_days.rem_euclid(5)
}
