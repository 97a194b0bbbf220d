//! Working-time arithmetic. A calendar maps each instant to the working time before it, which never decreases. A
//! measurement is the difference of two such counts; a deadline is the earliest instant with a given count. Both
//! therefore agree to the nanosecond, and no function iterates over days.

use chrono::{NaiveDate, TimeDelta, Timelike};

use super::{
    Calendar,
    table::day_number,
    year::{DAY_MINUTES, Span},
};
use crate::{
    Timestamp,
    sla::{Basis, china_time, from_china_time},
};

const SECOND_NANOS: u32 = 1_000_000_000;
const MINUTE_NANOS: i64 = 60 * SECOND_NANOS as i64;

/// A whole day.
pub(super) const WHOLE_DAY: Span = Span { from: 0, to: DAY_MINUTES };

/// A duration with nanosecond resolution: since midnight, or working time since the first day of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Count {
    minutes: i64,
    /// Nanoseconds of the started minute, less than [`MINUTE_NANOS`].
    nanos: i64,
}

/// An instant as a day number and a time of day, in China Standard Time.
fn day_and_time(instant: Timestamp) -> (i64, Count) {
    // A leap second counts as the last nanosecond of the second before it, so that all days have the same length.
    let plain = Some(instant).filter(|instant| instant.nanosecond() < SECOND_NANOS);
    let reading = china_time(plain.or_else(|| instant.with_nanosecond(SECOND_NANOS - 1)).unwrap_or(instant));
    let second = i64::from(reading.num_seconds_from_midnight());
    let nanos = second % 60 * i64::from(SECOND_NANOS) + i64::from(reading.nanosecond());
    (day_number(reading.date()), Count { minutes: second / 60, nanos })
}

/// The instant of a time of day, up to 24:00; `None` beyond the range of time stamps.
fn instant(day: i64, time: Count) -> Option<Timestamp> {
    let midnight = NaiveDate::from_epoch_days(i32::try_from(day).ok()?)?.and_hms_opt(0, 0, 0)?;
    let since = TimeDelta::try_minutes(time.minutes)?.checked_add(&TimeDelta::nanoseconds(time.nanos))?;
    midnight.checked_add_signed(since).map(from_china_time)
}

/// The instant of a minute of a day, limited to [`Timestamp::MAX_UTC`].
pub(super) fn instant_of_minute(day: i64, minute: u16) -> Timestamp {
    instant(day, Count { minutes: i64::from(minute), nanos: 0 }).unwrap_or(Timestamp::MAX_UTC)
}

/// The day number of an instant, in China Standard Time.
pub(super) fn day_of(instant: Timestamp) -> i64 {
    day_and_time(instant).0
}

impl Calendar {
    /// The hours of a day that count under `basis`.
    pub(super) fn counting(&self, basis: Basis, day: i64) -> &[Span] {
        match (basis, self.table.hours(day)) {
            (Basis::WorkingTime, hours) => hours,
            (Basis::WorkingDays, []) => &[],
            (Basis::WorkingDays | Basis::Elapsed, _) => std::slice::from_ref(&WHOLE_DAY),
        }
    }

    /// The working time before an instant, counted from the table's first day.
    fn count(&self, basis: Basis, at: Timestamp) -> Count {
        let (day, time) = day_and_time(at);
        let mut count = Count { minutes: self.table.before(basis, day), nanos: 0 };
        for span in self.counting(basis, day) {
            let (from, to) = (i64::from(span.from), i64::from(span.to));
            if time.minutes < from {
                break;
            }
            count.minutes += time.minutes.min(to) - from;
            if time.minutes < to {
                count.nanos = time.nanos;
            }
        }
        count
    }

    /// The time in `[from, to)` that counts; zero when `to` is not after `from`.
    #[must_use]
    pub fn measure(&self, basis: Basis, from: Timestamp, to: Timestamp) -> TimeDelta {
        if to <= from {
            return TimeDelta::zero();
        }
        if basis == Basis::Elapsed {
            return to - from;
        }
        let (before, after) = (self.count(basis, from), self.count(basis, to));
        TimeDelta::minutes(after.minutes - before.minutes) + TimeDelta::nanoseconds(after.nanos - before.nanos)
    }

    /// The earliest instant by which `amount` has passed: an amount that ends with the morning ends at noon, not after
    /// lunch. Zero or less ends at once. Beyond the range of time stamps: [`Timestamp::MAX_UTC`].
    #[must_use]
    pub fn advance(&self, basis: Basis, from: Timestamp, amount: TimeDelta) -> Timestamp {
        if amount <= TimeDelta::zero() {
            return from;
        }
        let reached = match basis {
            Basis::Elapsed => from.checked_add_signed(amount),
            Basis::WorkingDays | Basis::WorkingTime => {
                let before = self.count(basis, from);
                let whole = amount.num_minutes();
                let rest = (amount - TimeDelta::minutes(whole)).num_nanoseconds().unwrap_or_default();
                let nanos = before.nanos + rest;
                let minutes = before.minutes + whole + nanos / MINUTE_NANOS;
                self.earliest(basis, Count { minutes, nanos: nanos % MINUTE_NANOS })
            }
        };
        reached.unwrap_or(Timestamp::MAX_UTC)
    }

    /// The earliest instant with `count` working time before it; `None` beyond the range of time stamps.
    fn earliest(&self, basis: Basis, count: Count) -> Option<Timestamp> {
        let day = self.table.last_before(basis, count.minutes + i64::from(count.nanos > 0));
        let mut left = Count { minutes: count.minutes - self.table.before(basis, day), ..count };
        for span in self.counting(basis, day) {
            if left <= (Count { minutes: i64::from(span.minutes()), nanos: 0 }) {
                left.minutes += i64::from(span.from);
                break;
            }
            left.minutes -= i64::from(span.minutes());
        }
        instant(day, left)
    }

    /// The `days`-th working day after `from`'s date in China Standard Time, at `from`'s clock time; 0 days give
    /// `from`.
    ///
    /// A working-day deadline keeps the clock time of its start. Evidence: a CSG ticket received on Friday, 2026-08-14,
    /// at 09:43:05, with three working days, was due on Wednesday at 09:43:05.
    #[must_use]
    pub fn after_working_days(&self, from: Timestamp, days: u32) -> Timestamp {
        if days == 0 {
            return from;
        }
        let reading = china_time(from);
        let until_tonight = self.table.before(Basis::WorkingDays, day_number(reading.date()) + 1);
        let wanted = until_tonight + i64::from(days) * i64::from(DAY_MINUTES);
        let day = self.table.last_before(Basis::WorkingDays, wanted);
        let date = i32::try_from(day).ok().and_then(NaiveDate::from_epoch_days);
        date.map_or(Timestamp::MAX_UTC, |date| from_china_time(date.and_time(reading.time())))
    }
}
