//! Instants and durations as people write and read them: in China Standard Time (北京时间), whatever the machine's time
//! zone. JSON uses UTC and does not pass through this module.

use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};
use prost_types::Timestamp;

/// The offset of China Standard Time from UTC in hours, all year.
const CHINA_HOURS: i64 = 8;
/// The length of a default period in days.
pub const PERIOD_DAYS: u64 = 30;
/// The format in which an instant is shown and may be written.
const READING: &str = "%Y-%m-%d %H:%M:%S";

/// Parses `2024-01-01` (midnight in China), `2024-01-01 08:30:00` (in China), or RFC 3339 with an offset of its own.
///
/// # Errors
///
/// The expected form, in words.
pub fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.to_utc());
    }
    let date = |text: &str| text.parse::<NaiveDate>().map(|date| date.and_time(NaiveTime::MIN)).ok();
    let reading = date(text).or_else(|| NaiveDateTime::parse_from_str(text, READING).ok());
    let instant = reading.and_then(from_china);
    instant.ok_or_else(|| {
        "expected a date such as 2024-01-01 (midnight in China) or an instant such as 2024-01-01T08:30:00+08:00".into()
    })
}

fn from_china(reading: NaiveDateTime) -> Option<DateTime<Utc>> {
    Some(reading.checked_sub_signed(TimeDelta::hours(CHINA_HOURS))?.and_utc())
}

fn to_china(instant: DateTime<Utc>) -> Option<NaiveDateTime> {
    instant.naive_utc().checked_add_signed(TimeDelta::hours(CHINA_HOURS))
}

/// Returns the year in China.
pub fn year(instant: DateTime<Utc>) -> i32 {
    chrono::Datelike::year(&to_china(instant).unwrap_or(instant.naive_utc()))
}

/// Returns the period from `from` up to but not including `to`. The default end is the end of today in China; the
/// default length is [`PERIOD_DAYS`] days. Returns `None` outside the range of representable dates.
pub fn period(
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    let tomorrow = to_china(now)?.date().checked_add_days(Days::new(1))?;
    let to = to.or_else(|| from_china(tomorrow.and_time(NaiveTime::MIN)))?;
    Some((from.or_else(|| to.checked_sub_days(Days::new(PERIOD_DAYS)))?, to))
}

/// Converts a protobuf timestamp to an instant.
pub fn of(time: Option<&Timestamp>) -> Option<DateTime<Utc>> {
    let time = time?;
    DateTime::from_timestamp(time.seconds, time.nanos.try_into().ok()?)
}

/// Formats a protobuf timestamp in China Standard Time, to the second; `-` if there is none.
pub fn shown(time: Option<&Timestamp>) -> String {
    let reading = of(time).and_then(to_china);
    reading.map_or_else(|| "-".into(), |reading| reading.format(READING).to_string())
}

/// Formats an instant in China Standard Time, to the second.
pub fn in_china(instant: DateTime<Utc>) -> String {
    to_china(instant).map_or_else(|| instant.to_rfc3339(), |reading| reading.format(READING).to_string())
}

/// Formats a duration: `45s`, `44m 02s`, `3h 05m 00s`, `2d 01h 00m 00s`.
pub fn stretch(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let seconds = seconds.unsigned_abs();
    let (days, hours, minutes, rest) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{rest}s"),
        (0, 0, _) => format!("{sign}{minutes}m {rest:02}s"),
        (0, _, _) => format!("{sign}{hours}h {minutes:02}m {rest:02}s"),
        _ => format!("{sign}{days}d {hours:02}h {minutes:02}m {rest:02}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_date_is_its_midnight_in_china_and_an_instant_keeps_its_own_offset() {
        for (text, expected) in [
            ("2024-01-01", "2023-12-31T16:00:00Z"),
            ("2024-03-01 08:30:00", "2024-03-01T00:30:00Z"),
            ("2024-01-01T08:30:00+08:00", "2024-01-01T00:30:00Z"),
            ("2024-01-01T08:30:00Z", "2024-01-01T08:30:00Z"),
        ] {
            assert_eq!(instant(text), Ok(utc(expected)), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused_with_an_example_of_one() {
        for text in ["", "yesterday", "2024-02-30", "2024-1", "01.02.2024", "2024-01-01 25:00:00"] {
            assert!(instant(text).unwrap_err().contains("2024-01-01"), "{text}");
        }
    }

    #[test]
    fn a_period_that_nobody_named_is_thirty_days_and_ends_with_today_in_china() {
        // Seven in the morning of 2 March in China is still 1 March in UTC.
        let now = utc("2024-03-01T23:00:00Z");
        let (from, to) = period(None, None, now).unwrap();
        assert_eq!((from, to), (utc("2024-02-01T16:00:00Z"), utc("2024-03-02T16:00:00Z")));
        let (begun, ended) = (instant("2023-01-01").unwrap(), instant("2023-02-01").unwrap());
        assert_eq!(period(Some(begun), None, now).unwrap(), (begun, to));
        assert_eq!(period(None, Some(ended), now).unwrap(), (instant("2023-01-02").unwrap(), ended));
        assert_eq!(period(Some(begun), Some(ended), now).unwrap(), (begun, ended));
        assert_eq!(period(None, None, DateTime::<Utc>::MAX_UTC), None);
    }

    #[test]
    fn an_instant_is_shown_as_the_clocks_in_china_show_it_and_can_be_written_so() {
        let time = Timestamp { seconds: 1_704_068_999, nanos: 500_000_000 };
        assert_eq!(shown(Some(&time)), "2024-01-01 08:29:59");
        assert_eq!(instant(&shown(Some(&time))).unwrap().timestamp(), time.seconds);
        assert_eq!(shown(None), "-");
        assert_eq!(shown(Some(&Timestamp { seconds: i64::MAX, nanos: 0 })), "-");
    }

    #[test]
    fn the_new_year_begins_in_china() {
        assert_eq!((year(utc("2023-12-31T15:59:59Z")), year(utc("2023-12-31T16:00:00Z"))), (2023, 2024));
    }

    #[test]
    fn a_stretch_is_told_in_the_units_that_it_has() {
        for (seconds, expected) in [
            (0, "0s"),
            (59, "59s"),
            (60, "1m 00s"),
            (2642, "44m 02s"),
            (3600, "1h 00m 00s"),
            (90_061, "1d 01h 01m 01s"),
            (-61, "-1m 01s"),
        ] {
            assert_eq!(stretch(seconds), expected);
        }
    }
}
