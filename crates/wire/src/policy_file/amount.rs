//! Durations as people write them: `45m` and `1d` of natural time, `4wd` for working days, `2wh` and `90wm` of working
//! hours, `75%` of a limit, `10m before` due. One whole number and one unit. Limits and natural time are also written.

use switchboard_domain::sla::policy::{Limit, Threshold};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Units of natural time, longest first.
const NATURAL: [(&str, i64); 4] = [("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", 1)];
/// Units of time within working hours, longest first.
const WORKING: [(&str, i64); 3] = [("wh", HOUR), ("wm", MINUTE), ("ws", 1)];
/// The unit of working days.
const WORKING_DAY: &str = "wd";

/// The expected form of a limit, for error messages.
pub(super) const LIMIT_FORM: &str = "\"45m\" (s, m, h, d), \"4wd\" or \"2wh\" (wh, wm)";
/// The expected form of natural time, for error messages.
pub(super) const NATURAL_FORM: &str = "\"45m\" (s, m, h, d)";
/// The expected form of a warning's time, for error messages.
pub(super) const THRESHOLD_FORM: &str = "\"50%\" or \"10m before\"";
/// The expected form of a window, for error messages.
pub(super) const WINDOW_FORM: &str = "\"30d\"";

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotATime {
    /// It is negative.
    Negative,
    /// It exceeds the range of the number type.
    TooLong,
    /// It has another form.
    Malformed,
}

/// Splits a text into a whole number and its unit.
fn split(text: &str) -> Result<(i64, &str), NotATime> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if text.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        return Err(NotATime::Negative);
    }
    if number.is_empty() {
        return Err(NotATime::Malformed);
    }
    Ok((number.parse().map_err(|_| NotATime::TooLong)?, unit))
}

/// The number of seconds, with a unit from `units`.
fn seconds(number: i64, unit: &str, units: &[(&str, i64)]) -> Result<i64, NotATime> {
    let (_, length) = units.iter().find(|(name, _)| *name == unit).ok_or(NotATime::Malformed)?;
    number.checked_mul(*length).ok_or(NotATime::TooLong)
}

/// Parses `45m`.
pub(super) fn natural(text: &str) -> Result<i64, NotATime> {
    let (number, unit) = split(text)?;
    seconds(number, unit, &NATURAL)
}

/// Parses `30d`.
pub(super) fn days(text: &str) -> Result<u32, NotATime> {
    match split(text)? {
        (number, "d") => u32::try_from(number).map_err(|_| NotATime::TooLong),
        _ => Err(NotATime::Malformed),
    }
}

/// Parses `45m`, `4wd` or `2wh`.
pub(super) fn limit(text: &str) -> Result<Limit, NotATime> {
    let (number, unit) = split(text)?;
    if unit == WORKING_DAY {
        return u32::try_from(number).map(|days| Limit::WorkingDays { days }).map_err(|_| NotATime::TooLong);
    }
    match seconds(number, unit, &NATURAL) {
        Err(NotATime::Malformed) => seconds(number, unit, &WORKING).map(|seconds| Limit::WorkingTime { seconds }),
        natural => natural.map(|seconds| Limit::Elapsed { seconds }),
    }
}

/// Parses `50%` or `10m before`.
pub(super) fn threshold(text: &str) -> Result<Threshold, NotATime> {
    if let Some(time) = text.strip_suffix(" before") {
        return natural(time.trim_end()).map(Threshold::Before);
    }
    match split(text)? {
        (share, "%") => u8::try_from(share).map(Threshold::Percent).map_err(|_| NotATime::TooLong),
        _ => Err(NotATime::Malformed),
    }
}

/// Formats `seconds` in the longest unit that divides it.
fn written(seconds: i64, units: &[(&str, i64)]) -> String {
    let fits = |(_, length): &&(&str, i64)| seconds != 0 && seconds % length == 0;
    let (unit, length) = units.iter().find(fits).or(units.last()).copied().unwrap_or(("s", 1));
    format!("{}{unit}", seconds / length)
}

/// Formats natural time: `45m`, `1d`.
#[must_use]
pub fn seconds_text(seconds: i64) -> String {
    written(seconds, &NATURAL)
}

/// Formats a limit: `45m`, `4wd`, `2wh`. [`super::read`] parses the same form.
#[must_use]
pub fn limit_text(limit: &Limit) -> String {
    match *limit {
        Limit::Elapsed { seconds } => seconds_text(seconds),
        Limit::WorkingDays { days } => format!("{days}{WORKING_DAY}"),
        Limit::WorkingTime { seconds } => written(seconds, &WORKING),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn elapsed(seconds: i64) -> Result<Limit, NotATime> {
        Ok(Limit::Elapsed { seconds })
    }

    #[test]
    fn a_limit_is_a_number_and_a_unit() {
        for (text, read) in [
            ("45m", elapsed(2_700)),
            ("90s", elapsed(90)),
            ("24h", elapsed(86_400)),
            ("007d", elapsed(7 * 86_400)),
            ("0m", elapsed(0)),
            ("4wd", Ok(Limit::WorkingDays { days: 4 })),
            ("2wh", Ok(Limit::WorkingTime { seconds: 7_200 })),
            ("90wm", Ok(Limit::WorkingTime { seconds: 5_400 })),
            ("5ws", Ok(Limit::WorkingTime { seconds: 5 })),
            ("-45m", Err(NotATime::Negative)),
            ("-4wd", Err(NotATime::Negative)),
            ("99999999999999999999m", Err(NotATime::TooLong)),
            ("9999999999999999d", Err(NotATime::TooLong)),
            ("5000000000wd", Err(NotATime::TooLong)),
        ] {
            assert_eq!(limit(text), read, "{text}");
        }
        for text in ["", "m", "45", "45 m", " 45m", "1.5h", "1h30m", "45M", "+45m", "4w", "--5m", "-m", "\u{ff14}5m"] {
            assert_eq!(limit(text), Err(NotATime::Malformed), "{text}");
        }
    }

    #[test]
    fn a_warning_is_a_share_or_a_time_before_due() {
        assert_eq!(threshold("50%"), Ok(Threshold::Percent(50)));
        assert_eq!(threshold("10m before"), Ok(Threshold::Before(600)));
        for (text, why) in [
            ("-5%", NotATime::Negative),
            ("256%", NotATime::TooLong),
            ("50", NotATime::Malformed),
            ("before", NotATime::Malformed),
            ("10m after", NotATime::Malformed),
            ("1wd before", NotATime::Malformed),
            ("-10m before", NotATime::Negative),
        ] {
            assert_eq!(threshold(text), Err(why), "{text}");
        }
    }

    #[test]
    fn a_time_is_written_in_its_longest_whole_unit() {
        for (limit, text) in [
            (Limit::Elapsed { seconds: 2_700 }, "45m"),
            (Limit::Elapsed { seconds: 3_600 }, "1h"),
            (Limit::Elapsed { seconds: 86_400 }, "1d"),
            (Limit::Elapsed { seconds: 90_000 }, "25h"),
            (Limit::Elapsed { seconds: 61 }, "61s"),
            (Limit::Elapsed { seconds: 0 }, "0s"),
            (Limit::WorkingDays { days: 4 }, "4wd"),
            (Limit::WorkingTime { seconds: 5_400 }, "90wm"),
            (Limit::WorkingTime { seconds: 86_400 }, "24wh"),
            (Limit::WorkingTime { seconds: 7 }, "7ws"),
        ] {
            assert_eq!(limit_text(&limit), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(seconds in 0..i64::MAX / 2, number: u32, share: u8) {
            for kept in [Limit::Elapsed { seconds }, Limit::WorkingTime { seconds }, Limit::WorkingDays { days: number }] {
                prop_assert_eq!(limit(&limit_text(&kept)), Ok(kept));
            }
            prop_assert_eq!(threshold(&format!("{share}%")), Ok(Threshold::Percent(share)));
            let before = format!("{} before", seconds_text(seconds));
            prop_assert_eq!(threshold(&before), Ok(Threshold::Before(seconds)));
        }
    }
}
