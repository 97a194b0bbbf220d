//! Working calendar (工作日历): the days and hours that count, including holidays and make-up working days (调休). Years are
//! published data; no year is in the code. In a year that was not published, Monday to Friday count, and
//! [`Calendar::missing`] reports the year. Source of the years: the yearly holiday notice of the State Council
//! (国务院办公厅); see `deploy/calendars`.
//!
//! - `year`: one published year and its validation
//! - `table`: the years as a table of dates
//! - `arithmetic`: elapsed working time, and deadlines
//! - `closed`: the intervals that do not count

mod arithmetic;
mod closed;
mod table;
mod year;

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, TimeDelta};

use self::table::{Table, day_number};
pub use self::{
    closed::Closed,
    table::DEFAULT_HOURS,
    year::{Days, Exception, NAME_BYTES_MAX, SOURCE_BYTES_MAX, Span, YEARS, Year, YearFault},
};
use crate::{Timestamp, sla::china_time};

/// [`Calendar::closed`] and [`Calendar::missing`] stop after this many days (12 years) and report nothing later. No
/// deadline of a policy is longer. Counting has no such limit.
pub const TOLD_DAYS_MAX: i64 = 12 * 366;

/// A set of published years. In a year that is not in the set, Monday to Friday count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    years: BTreeMap<i32, Year>,
    table: Table,
}

impl Calendar {
    /// If two years have the same number, the later one wins. A year outside [`YEARS`] is ignored and stays missing.
    ///
    /// Invalid spans are not rejected, because the log may contain them: only the part within the day counts, and
    /// overlaps count once. [`Year::check`] rejects such a year before it is published.
    #[must_use]
    pub fn new(years: impl IntoIterator<Item = Year>) -> Self {
        let years = years.into_iter().filter(|year| YEARS.contains(&year.year));
        let years: BTreeMap<i32, Year> = years.map(|year| (year.year, year)).collect();
        Self { table: Table::of(&years), years }
    }

    /// A copy with `year` added, or replaced.
    #[must_use]
    pub fn with(&self, year: Year) -> Self {
        Self::new(self.years.values().cloned().chain([year]))
    }

    /// True when that year was published.
    #[must_use]
    pub fn covers(&self, year: i32) -> bool {
        self.years.contains_key(&year)
    }

    /// All published years, in order.
    pub fn years(&self) -> impl Iterator<Item = &Year> {
        self.years.values()
    }

    /// The working hours of a date, in order, without overlaps; empty when the day is off.
    #[must_use]
    pub fn hours(&self, date: NaiveDate) -> &[Span] {
        self.table.hours(day_number(date))
    }

    /// True when the date has working hours.
    #[must_use]
    pub fn is_working(&self, date: NaiveDate) -> bool {
        !self.hours(date).is_empty()
    }

    /// The name of the exception on that date, for example of the holiday; `None` on an ordinary day.
    #[must_use]
    pub fn name(&self, date: NaiveDate) -> Option<&str> {
        let exception = self.years.get(&date.year())?.exceptions.get(&date)?;
        Some(&exception.name)
    }

    /// The unpublished years that `[from, to)` touches in China Standard Time, within [`TOLD_DAYS_MAX`] days from
    /// `from`.
    #[must_use]
    pub fn missing(&self, from: Timestamp, to: Timestamp) -> Vec<i32> {
        if to <= from {
            return Vec::new();
        }
        let last = told_until(from, to).checked_sub_signed(TimeDelta::nanoseconds(1)).unwrap_or(from);
        let touched = china_time(from).year()..=china_time(last).year();
        touched.filter(|year| !self.covers(*year)).collect()
    }
}

/// The end of a report that begins at `from`: `to`, or [`TOLD_DAYS_MAX`] days later if that is earlier.
fn told_until(from: Timestamp, to: Timestamp) -> Timestamp {
    from.checked_add_signed(TimeDelta::days(TOLD_DAYS_MAX)).map_or(to, |horizon| horizon.min(to))
}

#[cfg(test)]
mod tests;
