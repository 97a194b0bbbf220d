//! Calendars by example: nights, weekends, lunch breaks, holidays with make-up days, unpublished years. `laws` has the
//! general properties.

mod laws;

use super::*;
use crate::sla::{Basis, from_china_time};

/// Parses an instant in China Standard Time.
fn at(reading: &str) -> Timestamp {
    let long = if reading.len() == 16 { format!("{reading}:00") } else { reading.to_owned() };
    from_china_time(chrono::NaiveDateTime::parse_from_str(&long, "%Y-%m-%d %H:%M:%S%.f").unwrap())
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn spans(texts: &[&str]) -> Vec<Span> {
    texts.iter().map(|text| Span::parse(text).unwrap()).collect()
}

/// A year with the default hours, holidays `(name, first, last)` and make-up days; dates as month and day.
fn year(number: i32, off: &[(&str, &str, &str)], work: &[&str]) -> Year {
    let day = |text: &str| date(&format!("{number}-{text}"));
    let mut exceptions = BTreeMap::new();
    for &(name, first, last) in off {
        for date in day(first).iter_days().take_while(|date| *date <= day(last)) {
            exceptions.insert(date, Exception { name: name.into(), hours: Vec::new() });
        }
    }
    for text in work {
        exceptions.insert(day(text), Exception { name: "调休".into(), hours: DEFAULT_HOURS.to_vec() });
    }
    Year { year: number, source: "a notice".into(), hours: DEFAULT_HOURS.to_vec(), exceptions }
}

/// The parts of three years of mainland China that the examples need.
fn china() -> Calendar {
    let y2024 = year(
        2024,
        &[("春节", "02-10", "02-17"), ("劳动节", "05-01", "05-05"), ("国庆节", "10-01", "10-07")],
        &["02-04", "02-18", "04-28", "05-11", "09-29", "10-12"],
    );
    let y2025 = year(
        2025,
        &[("元旦", "01-01", "01-01"), ("春节", "01-28", "02-04"), ("国庆节、中秋节", "10-01", "10-08")],
        &["01-26", "02-08", "09-28", "10-11"],
    );
    let y2026 = year(2026, &[("元旦", "01-01", "01-03"), ("春节", "02-15", "02-23")], &["01-04", "02-14", "02-28"]);
    Calendar::new([y2024, y2025, y2026])
}

fn hours(amount: i64) -> TimeDelta {
    TimeDelta::hours(amount)
}

fn minutes(amount: i64) -> TimeDelta {
    TimeDelta::minutes(amount)
}

#[test]
fn working_time_is_due_when_the_last_of_it_was_worked() {
    let cases = [
        ("within a morning", "2024-03-05 09:00", 60, "2024-03-05 10:00"),
        (
            "an amount that ends with the morning is due at noon, not after lunch",
            "2024-03-05 11:00",
            60,
            "2024-03-05 12:00",
        ),
        ("a minute more is due after lunch", "2024-03-05 11:00", 61, "2024-03-05 13:31"),
        ("lunch does not count", "2024-03-05 12:40", 1, "2024-03-05 13:31"),
        ("what begins in the small hours waits for the morning", "2024-03-05 03:00", 30, "2024-03-05 09:00"),
        ("an amount that ends with the day is due that evening", "2024-03-05 08:00", 450, "2024-03-05 17:30"),
        ("a night is jumped", "2024-03-05 17:00", 60, "2024-03-06 09:00"),
        ("a weekend is jumped", "2024-03-08 17:00", 60, "2024-03-11 09:00"),
        ("a leap day counts", "2024-02-28 17:00", 31, "2024-02-29 08:31"),
        ("National Day 2024", "2024-09-30 17:00", 60, "2024-10-08 09:00"),
        ("a Sunday that is made up", "2024-09-27 17:00", 60, "2024-09-29 09:00"),
        ("a Saturday that is made up", "2024-10-11 17:00", 60, "2024-10-12 09:00"),
        ("National Day and Mid-Autumn 2025", "2025-09-30 17:00", 60, "2025-10-09 09:00"),
        ("Spring Festival 2025 begins in January", "2025-01-27 17:00", 60, "2025-02-05 09:00"),
        ("from one year into the next", "2025-12-31 17:00", 60, "2026-01-04 09:00"),
    ];
    for (what, from, amount, due) in cases {
        let (from, due) = (at(from), at(due));
        assert_eq!(china().advance(Basis::WorkingTime, from, minutes(amount)), due, "{what}");
        assert_eq!(china().measure(Basis::WorkingTime, from, due), minutes(amount), "{what}");
    }
}

#[test]
fn a_working_day_counts_from_midnight_to_midnight() {
    let cases = [
        ("a night counts", "2024-03-05 22:00", 4, "2024-03-06 02:00"),
        ("what ends with Friday is due at midnight, not on Monday", "2024-03-08 20:00", 4, "2024-03-09 00:00"),
        ("an hour more is due on Monday", "2024-03-08 20:00", 5, "2024-03-11 01:00"),
        ("a Saturday waits", "2024-03-09 15:00", 1, "2024-03-11 01:00"),
        ("five days from a Tuesday", "2024-03-05 09:00", 120, "2024-03-12 09:00"),
        ("a leap day is a day", "2024-02-28 12:00", 48, "2024-03-01 12:00"),
        ("three days across National Day 2024, one of them made up", "2024-09-28 10:00", 72, "2024-10-09 00:00"),
        ("ten days of a national service ticket across Spring Festival", "2024-02-08 09:00", 240, "2024-02-28 09:00"),
        ("across two years", "2025-12-30 18:00", 48, "2026-01-04 18:00"),
    ];
    for (what, from, amount, due) in cases {
        let (from, due) = (at(from), at(due));
        assert_eq!(china().advance(Basis::WorkingDays, from, hours(amount)), due, "{what}");
        assert_eq!(china().measure(Basis::WorkingDays, from, due), hours(amount), "{what}");
    }
}

#[test]
fn a_deadline_in_working_days_keeps_the_clock_time_of_its_start() {
    let cases = [
        ("a grid company's ticket, received on a Friday", "2026-08-14 09:43:05", 3, "2026-08-19 09:43:05"),
        ("from a Saturday", "2024-03-09 09:00", 1, "2024-03-11 09:00"),
        ("no day", "2024-03-09 09:00", 0, "2024-03-09 09:00"),
        ("from a night", "2024-03-05 23:59:59", 1, "2024-03-06 23:59:59"),
        ("to a Sunday that is made up", "2024-09-27 20:00", 1, "2024-09-29 20:00"),
        ("across National Day 2024", "2024-09-29 10:00", 2, "2024-10-08 10:00"),
        ("across National Day 2025", "2025-09-28 10:00", 3, "2025-10-09 10:00"),
        ("across Spring Festival and its make-up days", "2026-02-13 10:00", 3, "2026-02-25 10:00"),
        ("from New Year's Eve", "2024-12-31 10:00", 1, "2025-01-02 10:00"),
        ("a working year", "2024-03-04 10:00", 250, "2025-02-28 10:00"),
        ("into years that were not published", "2026-12-31 10:00", 2, "2027-01-04 10:00"),
    ];
    for (what, from, days, due) in cases {
        assert_eq!(china().after_working_days(at(from), days), at(due), "{what}");
    }
}

#[test]
fn natural_time_runs_day_and_night() {
    let (from, to) = (at("2024-09-30 23:50"), at("2024-10-01 00:35"));
    assert_eq!(china().measure(Basis::Elapsed, from, to), minutes(45));
    assert_eq!(china().advance(Basis::Elapsed, from, minutes(45)), to);
}

#[test]
fn nothing_is_measured_backwards_or_advanced_by_nothing() {
    let (early, late) = (at("2024-03-05 09:00"), at("2024-03-06 09:00"));
    for basis in [Basis::Elapsed, Basis::WorkingDays, Basis::WorkingTime] {
        assert_eq!(china().measure(basis, late, early), TimeDelta::zero());
        assert_eq!(china().measure(basis, late, late), TimeDelta::zero());
        for amount in [TimeDelta::zero(), hours(-5), TimeDelta::MIN] {
            assert_eq!(china().advance(basis, early, amount), early);
        }
        assert_eq!(china().closed(basis, late, early), []);
    }
    assert_eq!(china().missing(late, early), Vec::<i32>::new());
}

#[test]
fn an_exception_says_its_own_hours_whatever_the_weekday() {
    let mut special = year(2024, &[], &[]);
    let morning = spans(&["09:00-12:00"]);
    for day in ["2024-03-06", "2024-03-09"] {
        special.exceptions.insert(date(day), Exception { name: "值班".into(), hours: morning.clone() });
    }
    let calendar = Calendar::new([special]);
    assert_eq!(calendar.hours(date("2024-03-06")), morning, "a Wednesday that ends at noon");
    assert_eq!(calendar.hours(date("2024-03-09")), morning, "a Saturday on duty");
    assert_eq!(calendar.hours(date("2024-03-10")), []);
    assert_eq!(calendar.hours(date("2024-03-07")), DEFAULT_HOURS);
    assert_eq!(calendar.name(date("2024-03-09")), Some("值班"));
    assert_eq!(calendar.name(date("2024-03-10")), None);
    let from = at("2024-03-05 17:30");
    assert_eq!(calendar.advance(Basis::WorkingTime, from, hours(3)), at("2024-03-06 12:00"));
    assert_eq!(calendar.advance(Basis::WorkingTime, from, minutes(181)), at("2024-03-07 08:31"));
    let friday = at("2024-03-08 17:30");
    assert_eq!(calendar.advance(Basis::WorkingTime, friday, minutes(181)), at("2024-03-11 08:31"));
    assert_eq!(calendar.measure(Basis::WorkingDays, friday, at("2024-03-11 00:00")), minutes(390 + 24 * 60));
}

#[test]
fn what_does_not_count_is_told_with_the_name_of_the_holiday() {
    let told = |basis, from: &str, to: &str| -> Vec<(String, String, Option<String>)> {
        let reading = |instant| china_time(instant).format("%m-%d %H:%M").to_string();
        let closed = china().closed(basis, at(from), at(to));
        closed.into_iter().map(|stretch| (reading(stretch.from), reading(stretch.to), stretch.name)).collect()
    };
    let stretch = |from: &str, to: &str, name: Option<&str>| (from.to_owned(), to.to_owned(), name.map(str::to_owned));
    assert_eq!(told(Basis::Elapsed, "2024-09-30 17:00", "2024-10-08 09:00"), []);
    assert_eq!(
        told(Basis::WorkingTime, "2024-09-30 11:00", "2024-10-09 09:00"),
        [
            stretch("09-30 12:00", "09-30 13:30", None),
            stretch("09-30 17:30", "10-08 08:30", Some("国庆节")),
            stretch("10-08 12:00", "10-08 13:30", None),
            stretch("10-08 17:30", "10-09 08:30", None),
        ]
    );
    assert_eq!(
        told(Basis::WorkingDays, "2024-09-30 17:00", "2024-10-08 09:00"),
        [stretch("10-01 00:00", "10-08 00:00", Some("国庆节"))]
    );
    assert_eq!(
        told(Basis::WorkingDays, "2024-03-08 17:00", "2024-03-18 00:00"),
        [stretch("03-09 00:00", "03-11 00:00", None), stretch("03-16 00:00", "03-18 00:00", None)],
        "a weekend has no name"
    );
    assert_eq!(
        told(Basis::WorkingTime, "2024-04-30 18:00", "2024-05-01 00:00"),
        [stretch("04-30 18:00", "05-01 00:00", None)],
        "a night that ends at midnight has nothing of the holiday"
    );
    assert_eq!(
        told(Basis::WorkingTime, "2024-05-03 12:00", "2024-05-04 12:00"),
        [stretch("05-03 12:00", "05-04 12:00", Some("劳动节"))],
        "within a holiday"
    );
    assert_eq!(told(Basis::WorkingTime, "2024-03-05 09:00", "2024-03-05 12:00"), [], "nothing is closed");
    let mut bridge = year(2024, &[("甲", "03-08", "03-08"), ("乙", "03-11", "03-11")], &[]);
    bridge.source = "two holidays with a weekend between them".into();
    let closed = Calendar::new([bridge]).closed(Basis::WorkingDays, at("2024-03-07 00:00"), at("2024-03-13 00:00"));
    assert_eq!(closed, [Closed { from: at("2024-03-08 00:00"), to: at("2024-03-12 00:00"), name: None }]);
}

#[test]
fn a_year_that_was_not_published_counts_monday_to_friday_and_says_so() {
    let empty = Calendar::default();
    assert_eq!(empty, Calendar::new([]));
    assert!(empty.is_working(date("2024-10-01")), "nobody said that it is a holiday");
    assert!(!empty.is_working(date("2024-09-29")));
    assert_eq!(empty.hours(date("1999-12-31")), DEFAULT_HOURS);
    assert_eq!(empty.advance(Basis::WorkingTime, at("2024-03-08 17:00"), minutes(60)), at("2024-03-11 09:00"));
    assert_eq!(empty.measure(Basis::WorkingTime, at("1960-01-04 00:00"), at("1960-01-11 00:00")), minutes(5 * 450));
    assert_eq!(empty.missing(at("2024-12-31 23:59"), at("2025-01-01 00:00")), [2024]);
    assert_eq!(empty.missing(at("2024-12-31 23:59"), at("2025-01-01 00:01")), [2024, 2025]);

    let gap = Calendar::new([year(2024, &[], &["12-28"]), year(2026, &[("元旦", "01-01", "01-02")], &[])]);
    assert!(gap.covers(2024) && !gap.covers(2025) && gap.covers(2026));
    assert_eq!(gap.missing(at("2023-06-01 00:00"), at("2027-01-01 00:00")), [2023, 2025]);
    assert_eq!(gap.hours(date("2025-05-01")), DEFAULT_HOURS, "a Thursday");
    assert_eq!(gap.after_working_days(at("2025-12-31 10:00"), 1), at("2026-01-05 10:00"));
    assert_eq!(gap.after_working_days(at("2023-12-29 10:00"), 1), at("2024-01-01 10:00"));
    let friday = at("2023-12-29 17:00");
    assert_eq!(
        gap.advance(Basis::WorkingTime, friday, minutes(30)),
        at("2023-12-29 17:30"),
        "the last before the first"
    );
    assert_eq!(gap.years().map(|year| year.year).collect::<Vec<_>>(), [2024, 2026]);
}

#[test]
fn a_later_year_replaces_the_earlier_one_of_its_number() {
    let first = year(2019, &[("劳动节", "05-01", "05-01")], &[]);
    let revised = year(2019, &[("劳动节", "05-01", "05-04")], &["04-28", "05-05"]);
    let calendar = Calendar::new([first.clone(), revised.clone()]);
    assert_eq!(calendar, Calendar::new([first]).with(revised));
    assert!(!calendar.is_working(date("2019-05-02")) && calendar.is_working(date("2019-05-05")));
}

#[test]
fn time_ends_without_a_panic() {
    let (first, last) = (Timestamp::MIN_UTC, Timestamp::MAX_UTC);
    for calendar in [Calendar::default(), china()] {
        for basis in [Basis::Elapsed, Basis::WorkingDays, Basis::WorkingTime] {
            for from in [first, at("2024-03-05 09:00"), last] {
                assert_eq!(calendar.advance(basis, from, TimeDelta::MAX), last);
                assert!(calendar.measure(basis, first, from) <= calendar.measure(basis, first, last));
            }
            let whole = calendar.measure(basis, first, last);
            assert!(calendar.advance(basis, first, whole) <= last);
            assert!(calendar.closed(basis, first, last).len() < 3 * TOLD_DAYS_MAX as usize);
            assert!(calendar.closed(basis, last - hours(100), last).len() < 20);
        }
        assert_eq!(calendar.after_working_days(first, u32::MAX), last);
        assert_eq!(calendar.after_working_days(last, 1), last);
        assert!(calendar.missing(first, last).len() <= 14);
        assert!(calendar.hours(NaiveDate::MIN).len() <= 2 && calendar.hours(NaiveDate::MAX).len() <= 2);
    }
}

#[test]
fn a_leap_second_neither_counts_nor_moves_a_deadline() {
    let leap = at("2024-03-05 09:00:59") + TimeDelta::nanoseconds(1);
    let leap = chrono::DateTime::from_timestamp(leap.timestamp(), 1_500_000_000).unwrap();
    let due = china().advance(Basis::WorkingTime, leap, minutes(1));
    assert_eq!(due, at("2024-03-05 09:01:59.999999999"));
    assert_eq!(china().measure(Basis::WorkingTime, leap, due), minutes(1));
    let before = at("2024-03-05 09:00:59.9");
    assert_eq!(china().measure(Basis::WorkingTime, before, leap), TimeDelta::nanoseconds(99_999_999));
}

#[test]
fn spans_are_read_as_they_are_written() {
    for text in ["08:30-12:00", "13:30-24:00", "00:00-24:00", "00:00-00:01"] {
        assert_eq!(Span::parse(text).unwrap().to_string(), text);
    }
    assert_eq!(Span::parse("08:30-12:00"), Some(Span { from: 510, to: 720 }));
    let wrong = [
        "",
        "-",
        "08:30",
        "8:30-12:00",
        "08:30-12:0",
        "08:30-12:60",
        "08:30-24:01",
        "08:30-25:00",
        "+8:30-12:00",
        "08:30 - 12:00",
        "08.30-12.00",
        "08:30-12:00-13:00",
        "08:30-12:00:00",
    ];
    for text in wrong {
        assert_eq!(Span::parse(text), None, "{text}");
    }
}

#[test]
fn a_year_says_everything_that_is_wrong_with_it() {
    assert_eq!(china().years().flat_map(Year::check).collect::<Vec<_>>(), []);
    let span = |from, to| Span { from, to };
    let hours = vec![span(600, 600), span(700, 650), span(800, 1441), span(900, 1000), span(100, 200)];
    let (outside, odd) = (date("2025-01-01"), date("2024-03-05"));
    let exceptions = BTreeMap::from([
        (odd, Exception { name: String::new(), hours: vec![span(60, 120), span(120, 180), span(170, 240)] }),
        (outside, Exception { name: "x".repeat(NAME_BYTES_MAX + 1), hours: Vec::new() }),
    ]);
    let wrong = Year { year: 2024, source: String::new(), hours, exceptions };
    assert_eq!(
        wrong.check(),
        [
            YearFault::SourceLength { bytes: 0 },
            YearFault::SpanEmpty { date: None, span: span(600, 600) },
            YearFault::SpanEmpty { date: None, span: span(700, 650) },
            YearFault::SpanOutsideDay { date: None, span: span(800, 1441) },
            YearFault::SpansOverlap { date: None, one: span(800, 1441), next: span(900, 1000) },
            YearFault::SpansOutOfOrder { date: None, one: span(900, 1000), next: span(100, 200) },
            YearFault::NameLength { date: odd, bytes: 0 },
            YearFault::SpansOverlap { date: Some(odd), one: span(120, 180), next: span(170, 240) },
            YearFault::DateOutside { date: outside },
            YearFault::NameLength { date: outside, bytes: NAME_BYTES_MAX + 1 },
        ]
    );
    let idle = Year { hours: Vec::new(), ..year(2024, &[], &[]) };
    assert_eq!(idle.check(), [YearFault::HoursEmpty, YearFault::NoWorkingDay]);
    let idle = Year { exceptions: year(2024, &[], &["03-09"]).exceptions, ..idle };
    assert_eq!(idle.check(), [YearFault::HoursEmpty], "one day works");
    for number in [i32::MIN, 1999, 2101, i32::MAX] {
        let far = Year { year: number, ..year(2024, &[], &[]) };
        assert_eq!(far.check(), [YearFault::YearOutside { year: number }]);
        assert!(!Calendar::new([far]).covers(number), "it stays missing");
    }
}

#[test]
fn hours_that_a_check_would_fault_count_once_and_within_the_day() {
    let faulty = Year { hours: spans(&["13:00-15:00", "14:00-16:00", "09:00-08:00"]), ..year(2024, &[], &[]) };
    let calendar =
        Calendar::new([Year { hours: [faulty.hours.clone(), vec![Span { from: 1400, to: 9999 }]].concat(), ..faulty }]);
    let expected = spans(&["13:00-15:00", "15:00-16:00", "23:20-24:00"]);
    assert_eq!(calendar.hours(date("2024-03-05")), expected);
    assert_eq!(calendar.measure(Basis::WorkingTime, at("2024-03-05 00:00"), at("2024-03-06 00:00")), minutes(220));
}
