//! A year of a calendar as it was published, and everything that can be wrong with one. No year in particular stands
//! here; those are files (`deploy/calendars`) and facts.

use std::{collections::BTreeMap, fmt, ops::RangeInclusive};

use chrono::{Datelike, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

/// The years that a calendar can hold.
pub const YEARS: RangeInclusive<i32> = 2000..=2100;
/// The longest name of an exception, in bytes.
pub const NAME_BYTES_MAX: usize = 128;
/// The longest source of a year, in bytes.
pub const SOURCE_BYTES_MAX: usize = 1024;

/// Minutes of a day in China, where every day has as many.
pub(super) const DAY_MINUTES: u16 = 24 * 60;

/// Working hours within one day: from a minute of the day up to but not including another, 0 to 1440.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Span {
    /// First minute.
    pub from: u16,
    /// First minute after it, at most 1440.
    pub to: u16,
}

/// One day that is not what its weekday says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exception {
    /// Why, for example the holiday's name.
    pub name: String,
    /// Its working hours; none when the day is off.
    pub hours: Vec<Span>,
}

/// One year as it was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Year {
    /// The year.
    pub year: i32,
    /// Where it was published.
    pub source: String,
    /// The working hours of an ordinary working day, in order, apart from each other.
    pub hours: Vec<Span>,
    /// Holidays, make-up working days, days with other hours.
    pub exceptions: BTreeMap<NaiveDate, Exception>,
}

/// What is wrong with a year. The date is the exception's; hours without one are those of an ordinary working day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum YearFault {
    /// The year is not among [`YEARS`].
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
    /// No day of the year has hours.
    NoWorkingDay,
    /// An exception is no day of the year.
    DateOutside {
        /// That date.
        date: NaiveDate,
    },
    /// The name of an exception is empty or longer than [`NAME_BYTES_MAX`].
    NameLength {
        /// Its date.
        date: NaiveDate,
        /// The name's length in bytes.
        bytes: usize,
    },
    /// A span ends where it begins, or before.
    SpanEmpty {
        /// Whose hours.
        date: Option<NaiveDate>,
        /// The span.
        span: Span,
    },
    /// A span reaches past the end of the day.
    SpanOutsideDay {
        /// Whose hours.
        date: Option<NaiveDate>,
        /// The span.
        span: Span,
    },
    /// Two spans have minutes in common.
    SpansOverlap {
        /// Whose hours.
        date: Option<NaiveDate>,
        /// The one that is written first.
        one: Span,
        /// The one that is written next.
        next: Span,
    },
    /// A span lies before the one that is written first.
    SpansOutOfOrder {
        /// Whose hours.
        date: Option<NaiveDate>,
        /// The one that is written first.
        one: Span,
        /// The one that is written next.
        next: Span,
    },
}

impl Span {
    /// Reads `08:30-12:00`; the day ends at `24:00`. Says nothing of whether the span is empty: [`Year::check`] does.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (from, to) = text.split_once('-')?;
        Some(Self { from: minute_of_day(from)?, to: minute_of_day(to)? })
    }

    /// Its length in minutes.
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

/// Reads `08:30` as 510.
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
    /// Everything that is wrong with it; nothing for a year that can be published.
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

    /// What kinds of days it has.
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

    /// Every date of the year; none of a year that dates cannot express.
    pub(super) fn dates(&self) -> impl Iterator<Item = NaiveDate> {
        dates(self.year)
    }

    /// The hours of a date as they are written.
    pub(super) fn hours_on(&self, date: NaiveDate) -> &[Span] {
        match self.exceptions.get(&date) {
            Some(exception) => &exception.hours,
            None if is_weekend(date) => &[],
            None => &self.hours,
        }
    }
}

/// How many days of which kind a year has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days {
    /// Working days.
    pub working: u32,
    /// Weekdays that are off.
    pub weekdays_off: u32,
    /// Weekend days that are worked (调休).
    pub weekends_worked: u32,
}

/// Every date of a year.
pub(super) fn dates(year: i32) -> impl Iterator<Item = NaiveDate> {
    let first = NaiveDate::from_yo_opt(year, 1);
    first.into_iter().flat_map(|first| first.iter_days()).take_while(move |date| date.year() == year)
}

/// Saturday or Sunday.
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
