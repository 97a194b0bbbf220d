//! Which days and hours count (工作日历): years as data, holidays and make-up working days (调休) both ways, and how much
//! of a stretch of time counts. No year stands in the code; one that was not published counts Monday to Friday, and
//! [`Calendar::missing`] says so.
//!
//! - `year`: a year as it was published, and what can be wrong with one
//! - `table`: the same years as a table of dates, ready to be counted
//! - `arithmetic`: how much counts, and when enough has
//! - `closed`: the stretches that do not count

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

/// [`Calendar::closed`] and [`Calendar::missing`] look no further than so many days (12 years); no clock of the trade
/// runs longer. What lies past it is left out of what they say. Counting itself has no such end.
pub const TOLD_DAYS_MAX: i64 = 12 * 366;

/// Years put together. A year that is missing counts Monday to Friday, and says so.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calendar {
    years: BTreeMap<i32, Year>,
    table: Table,
}

impl Calendar {
    /// Of two years of the same number the later one counts. A year outside [`YEARS`] is not taken: it stays missing.
    ///
    /// Nothing else is refused here, for history cannot be: of spans that [`Year::check`] would fault, the part within
    /// the day counts, once.
    #[must_use]
    pub fn new(years: impl IntoIterator<Item = Year>) -> Self {
        let years = years.into_iter().filter(|year| YEARS.contains(&year.year));
        let years: BTreeMap<i32, Year> = years.map(|year| (year.year, year)).collect();
        Self { table: Table::of(&years), years }
    }

    /// The same calendar with one year more, or with that year in the place of the one that it had.
    #[must_use]
    pub fn with(&self, year: Year) -> Self {
        Self::new(self.years.values().cloned().chain([year]))
    }

    /// Whether that year was published.
    #[must_use]
    pub fn covers(&self, year: i32) -> bool {
        self.years.contains_key(&year)
    }

    /// Every published year, in order.
    pub fn years(&self) -> impl Iterator<Item = &Year> {
        self.years.values()
    }

    /// The working hours of a date, in order and apart; none when the day is off.
    #[must_use]
    pub fn hours(&self, date: NaiveDate) -> &[Span] {
        self.table.hours(day_number(date))
    }

    /// Whether anything of that date is working time.
    #[must_use]
    pub fn is_working(&self, date: NaiveDate) -> bool {
        !self.hours(date).is_empty()
    }

    /// Why that date is not what its weekday says, for example the holiday's name; none of an ordinary day.
    #[must_use]
    pub fn name(&self, date: NaiveDate) -> Option<&str> {
        let exception = self.years.get(&date.year())?.exceptions.get(&date)?;
        Some(&exception.name)
    }

    /// The years that `[from, to)` touches in China Standard Time and that were not published; told for
    /// [`TOLD_DAYS_MAX`] days from `from`.
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

/// Where telling ends that begins at `from`.
fn told_until(from: Timestamp, to: Timestamp) -> Timestamp {
    from.checked_add_signed(TimeDelta::days(TOLD_DAYS_MAX)).map_or(to, |horizon| horizon.min(to))
}

#[cfg(test)]
mod tests;
