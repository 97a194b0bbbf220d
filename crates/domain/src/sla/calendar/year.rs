//! One published year of a calendar, and its validation. The years themselves are data: files in `deploy/calendars`,
//! and facts.

use std::{collections::BTreeMap, fmt, ops::RangeInclusive};

use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

/// The years that a calendar can contain.
pub const YEARS: RangeInclusive<i32> = 2000..=2100;
/// The longest name of an exception, in bytes.
pub const NAME_BYTES_MAX: usize = 128;
/// The longest source of a year, in bytes.
pub const SOURCE_BYTES_MAX: usize = 1024;

/// The minutes of a day. China has no daylight saving, so all days are equal.
pub(super) const DAY_MINUTES: u16 = 24 * 60;

/// Working hours within one day, in minutes since midnight (0 to 1440).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// The start, inclusive.
    pub from: u16,
    /// The end, exclusive, at most 1440.
    pub to: u16,
}

/// A day that differs from its weekday.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// The reason, for example the name of the holiday.
    pub name: String,
    /// Its working hours; empty when the day is off.
    pub hours: Vec<Span>,
}

/// One published year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Year {
    /// The year.
    pub year: i32,
    /// The document that announced it.
    pub source: String,
    /// The working hours of an ordinary working day, in order, without overlaps.
    pub hours: Vec<Span>,
    /// Holidays, make-up working days, and days with other hours.
    pub exceptions: BTreeMap<NaiveDate, Exception>,
}

/// A fault of a year. `date` is the date of the exception; `None` means the hours of ordinary working days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum YearFault {
    /// The year is outside [`YEARS`].
    YearOutside {
        /// The year as given.
        year: i32,
    },
    /// The source is empty or longer than [`SOURCE_BYTES_MAX`].
    SourceLength {
        /// Its length in bytes.
        bytes: usize,
    },
    /// An ordinary working day has no hours.
    HoursEmpty,
    /// No day of the year has working hours.
    NoWorkingDay,
    /// An exception is outside the year.
    DateOutside {
        /// The date of the exception.
        date: NaiveDate,
    },
    /// The name of an exception is empty or longer than [`NAME_BYTES_MAX`].
    NameLength {
        /// The date of the exception.
        date: NaiveDate,
        /// The length in bytes.
        bytes: usize,
    },
    /// A span ends at or before its start.
    SpanEmpty {
        /// The exception, or `None` for the ordinary hours.
        date: Option<NaiveDate>,
        /// The span.
        span: Span,
    },
    /// A span ends after the end of the day.
    SpanOutsideDay {
        /// The exception, or `None` for the ordinary hours.
        date: Option<NaiveDate>,
        /// The span.
        span: Span,
    },
    /// Two spans overlap.
    SpansOverlap {
        /// The exception, or `None` for the ordinary hours.
        date: Option<NaiveDate>,
        /// The span written first.
        one: Span,
        /// The span written second.
        next: Span,
    },
    /// A span is earlier than the one written before it.
    SpansOutOfOrder {
        /// The exception, or `None` for the ordinary hours.
        date: Option<NaiveDate>,
        /// The span written first.
        one: Span,
        /// The span written second.
        next: Span,
    },
}

impl Span {
    /// Parses `08:30-12:00`; the day ends at `24:00`. An empty span parses; [`Year::check`] reports it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        Some(Self { from: minute_of_day(from)?, to: minute_of_day(to)? })
    }

    /// The length in minutes.
    #[must_use]
    pub fn minutes(self) -> u16 {
        self.to.saturating_sub(self.from)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

/// Parses `08:30` to 510.
fn minute_of_day(text: &str) -> Option<u16> {
    let two = |text: &str| -> Option<u16> {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits)
    };
    let (hour, minute) = text.split_once(':')?;
    let (hour, minute) = (two(hour)?, two(minute)?);
    Some(hour * 60 + minute).filter(|at| minute < 60 && *at <= DAY_MINUTES)
}

impl Year {
    /// All faults of the year; empty when it can be published.
    #[must_use]
    pub fn check(&self) -> Vec<YearFault> {
        let mut found = Vec::new();
        if !YEARS.contains(&self.year) {
            found.push(YearFault::YearOutside { year: self.year });
        }
        if !(1..=SOURCE_BYTES_MAX).contains(&self.source.len()) {
            found.push(YearFault::SourceLength { bytes: self.source.len() });
        }
        if self.hours.is_empty() {
            found.push(YearFault::HoursEmpty);
        }
        check_hours(None, &self.hours, &mut found);
        for (&date, exception) in &self.exceptions {
            if date.year() != self.year {
                found.push(YearFault::DateOutside { date });
            }
            if !(1..=NAME_BYTES_MAX).contains(&exception.name.len()) {
                found.push(YearFault::NameLength { date, bytes: exception.name.len() });
            }
            check_hours(Some(date), &exception.hours, &mut found);
        }
        if YEARS.contains(&self.year) && self.dates().all(|date| self.hours_on(date).is_empty()) {
            found.push(YearFault::NoWorkingDay);
        }
        found
    }

    /// The number of days of each kind.
    #[must_use]
    pub fn days(&self) -> Days {
        self.dates().fold(Days::default(), |days, date| {
            let (works, weekend) = (!self.hours_on(date).is_empty(), is_weekend(date));
            Days {
                working: days.working + u32::from(works),
                weekdays_off: days.weekdays_off + u32::from(!works && !weekend),
                weekends_worked: days.weekends_worked + u32::from(works && weekend),
            }
        })
    }

    /// All dates of the year; none when the date type cannot express the year.
    pub(super) fn dates(&self) -> impl Iterator<Item = NaiveDate> {
        dates(self.year)
    }

    /// The hours of a date as published, not normalised.
    pub(super) fn hours_on(&self, date: NaiveDate) -> &[Span] {
        match self.exceptions.get(&date) {
            Some(exception) => &exception.hours,
            None if is_weekend(date) => &[],
            None => &self.hours,
        }
    }
}

/// The number of days of each kind in a year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// Working days.
    pub working: u32,
    /// Weekdays that are off.
    pub weekdays_off: u32,
    /// Working days on a weekend (调休).
    pub weekends_worked: u32,
}

/// All dates of a year.
pub(super) fn dates(year: i32) -> impl Iterator<Item = NaiveDate> {
    let first = NaiveDate::from_yo_opt(year, 1);
    first.into_iter().flat_map(|first| first.iter_days()).take_while(move |date| date.year() == year)
}

/// True on Saturday and Sunday.
pub(super) fn is_weekend(date: NaiveDate) -> bool {
    matches!(date.weekday(), Weekday::Sat | Weekday::Sun)
}

fn check_hours(date: Option<NaiveDate>, hours: &[Span], found: &mut Vec<YearFault>) {
    for &span in hours {
        if span.to <= span.from {
            found.push(YearFault::SpanEmpty { date, span });
        }
        if span.from.max(span.to) > DAY_MINUTES {
            found.push(YearFault::SpanOutsideDay { date, span });
        }
    }
    for pair in hours.windows(2) {
        let (one, next) = (pair[0], pair[1]);
        if next.from < one.to && one.from < next.to {
            found.push(YearFault::SpansOverlap { date, one, next });
        } else if next.from < one.to {
            found.push(YearFault::SpansOutOfOrder { date, one, next });
        }
    }
}
