//! Calendar files: the shipped ones have no faults, and every fault is reported with its line.

use std::{fs, path::Path};

use switchboard_domain::sla::calendar::{Calendar, DEFAULT_HOURS, Span, Year};
use switchboard_wire::{
    calendar_file::{CALENDAR_BYTES_MAX, CALENDAR_NAME_BYTES_MAX, read},
    faults::line_of,
};

const SAMPLE: &str = r#"calendar = "cn"
year = 2024
source = "a notice"
hours = ["08:30-12:00", "13:30-17:30"]

[[off]]
name = "春节"
from = 2024-02-10
to = 2024-02-17

[[work]]
name = "春节调休"
date = 2024-02-04

[[work]]
name = "on duty"
date = 2024-02-18
hours = ["09:00-12:00"]
"#;

/// Changes to the sample, and the faults that they cause.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

fn shipped() -> Vec<(String, Year)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/calendars/cn");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = files.iter().map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        read(name, &fs::read_to_string(path).unwrap()).unwrap_or_else(|faults| panic!("{name}: {faults:?}"))
    });
    read.collect()
}

/// The faults of a file as displayed.
fn faults(file_name: &str, text: &str) -> Vec<String> {
    read(file_name, text).unwrap_err().iter().map(ToString::to_string).collect()
}

/// The faults of the sample after changes.
fn after(changes: &[(&str, &str)]) -> Vec<String> {
    let mut text = SAMPLE.to_owned();
    for (old, new) in changes {
        assert!(text.contains(old), "{old}");
        text = text.replacen(old, new, 1);
    }
    faults("2024.toml", &text)
}

#[test]
fn a_calendar_file_is_read_day_by_day() {
    let (name, year) = read("2024.toml", SAMPLE).unwrap();
    assert_eq!(name, "cn");
    assert_eq!((year.year, year.source.as_str(), year.hours.as_slice()), (2024, "a notice", &DEFAULT_HOURS[..]));
    assert_eq!(year.exceptions.len(), 8 + 2);
    let of = |date: &str| &year.exceptions[&date.parse().unwrap()];
    for date in ["2024-02-10", "2024-02-17"] {
        assert_eq!((of(date).name.as_str(), of(date).hours.len()), ("春节", 0));
    }
    assert_eq!((of("2024-02-04").name.as_str(), of("2024-02-04").hours.as_slice()), ("春节调休", &DEFAULT_HOURS[..]));
    assert_eq!(of("2024-02-18").hours, [Span { from: 540, to: 720 }]);
}

#[test]
fn the_shipped_calendars_read_without_fault_and_hold_2018_to_2026() {
    let read = shipped();
    assert!(read.iter().all(|(name, _)| name == "cn"));
    let years: Vec<i32> = read.iter().map(|(_, year)| year.year).collect();
    assert!(years.starts_with(&[2018, 2019, 2020, 2021, 2022, 2023, 2024, 2025, 2026]), "{years:?}");
    // The working days of each year, as published by others from the same notices.
    let calendar = Calendar::new(read.into_iter().map(|(_, year)| year));
    let working = |year: i32| {
        let first = chrono::NaiveDate::from_yo_opt(year, 1).unwrap();
        first.iter_days().take(if year % 4 == 0 { 366 } else { 365 }).filter(|date| calendar.is_working(*date)).count()
    };
    let counted: Vec<usize> = years.iter().take(9).map(|year| working(*year)).collect();
    assert_eq!(counted, [250, 250, 249, 250, 249, 249, 251, 248, 248]);
}

#[test]
fn shipped_days_are_those_of_the_notices() {
    let calendar = Calendar::new(shipped().into_iter().map(|(_, year)| year));
    let cases = [
        ("2019-05-02", false, "the revision of Labour Day 2019"),
        ("2019-05-05", true, "made up for it"),
        ("2020-01-31", false, "Spring Festival 2020 was extended"),
        ("2020-02-01", false, "and a make-up day fell away"),
        ("2020-02-03", true, "until this Monday"),
        ("2024-10-07", false, "National Day 2024"),
        ("2024-10-12", true, "made up on a Saturday"),
        ("2025-10-08", false, "National Day and Mid-Autumn 2025"),
        ("2026-02-23", false, "the ninth day of Spring Festival 2026"),
        ("2026-02-28", true, "made up on a Saturday"),
    ];
    for (date, works, why) in cases {
        assert_eq!(calendar.is_working(date.parse().unwrap()), works, "{date}: {why}");
    }
}

#[test]
fn every_fault_of_form_is_told_with_its_line() {
    let cases: &[Case] = &[
        (&[("calendar = \"cn\"\n", "")], &["1: calendar is missing"]),
        (&[("\"cn\"", "\"CN\"")], &["1: calendar: 1 to 32 of a-z, 0-9 and _ are expected"]),
        (&[("\"cn\"", "\"\"")], &["1: calendar: 1 to 32 of a-z, 0-9 and _ are expected"]),
        (&[("\"cn\"", "7")], &["1: calendar: a string is expected, not a value of type integer"]),
        (&[("year = 2024", "year = \"2024\"")], &["2: year: a number such as 2024 is expected"]),
        (&[("year = 2024", "year = 99999999999")], &["2: year: a number such as 2024 is expected"]),
        (
            &[("source = \"a notice\"", "source = true")],
            &["3: source: a string is expected, not a value of type boolean"],
        ),
        (&[("name = \"春节\"\n", "")], &["6: name is missing"]),
        (&[("[[off]]", "[off]")], &["6: off: [[off]] is expected, not a value of type table"]),
        (&[("[[off]]", "pff = 1\n[[off]]")], &["6: pff: unknown; known are calendar, year, source, hours, off, work"]),
        (
            &[("to = 2024-02-17", "until = 2024-02-17")],
            &["6: to is missing", "9: until: unknown; known are name, from, to"],
        ),
        (
            &[("2024-02-10", "\"2024-02-10\"")],
            &["8: from: a date such as 2024-02-10, without quotes, is expected, not a value of type string"],
        ),
        (
            &[("2024-02-10", "2024-02-10T08:00:00")],
            &["8: from: a date such as 2024-02-10, without quotes, is expected, not a value of type datetime"],
        ),
        (&[("2024-02-10", "2023-02-10")], &["8: from: 2023-02-10 is no day of 2024"]),
        (&[("to = 2024-02-17", "to = 2024-02-09")], &["9: to: 2024-02-09 is before 2024-02-10"]),
        (&[("date = 2024-02-04", "date = 2024-02-11")], &["11: 2024-02-11 is said before, in line 6"]),
        (&[("date = 2024-02-18", "date = 2024-02-04")], &["15: 2024-02-04 is said before, in line 11"]),
        (&[("[\"09:00-12:00\"]", "[]")], &["18: hours: a day without hours stands under [[off]]"]),
        (&[("[\"09:00-12:00\"]", "[\"9-12\"]")], &["18: hours: \"9-12\" is not of the form \"08:30-12:00\""]),
        (
            &[("[\"09:00-12:00\"]", "\"09:00-12:00\"")],
            &["18: hours: a list such as [\"08:30-12:00\", \"13:30-17:30\"] is expected, not a value of type string"],
        ),
    ];
    for (changes, expected) in cases {
        assert_eq!(&after(changes), expected, "{changes:?}");
    }
}

#[test]
fn what_the_domain_finds_is_told_with_its_line() {
    let cases: &[Case] = &[
        (&[("source = \"a notice\"", "source = \"\"")], &["3: source: 0 bytes; 1 to 1024 are taken"]),
        (&[("[\"08:30-12:00\", \"13:30-17:30\"]", "[]")], &["4: hours: an ordinary working day has at least one span"]),
        (&[("\"08:30-12:00\"", "\"12:00-12:00\"")], &["4: hours: 12:00-12:00 ends before it has begun"]),
        (&[("\"13:30-17:30\"", "\n  \"11:30-17:30\"")], &["5: hours: 11:30-17:30 overlaps 08:30-12:00"]),
        (
            &[("\"13:30-17:30\"", "\n\n  \"06:30-08:00\"")],
            &["6: hours: 06:30-08:00 is written after 08:30-12:00, which is later"],
        ),
        (&[("\"09:00-12:00\"", "\"13:00-12:00\"")], &["18: hours of 2024-02-18: 13:00-12:00 ends before it has begun"]),
        (&[("\"春节\"", "\"\"")], &["6: name: 0 bytes; 1 to 128 are taken"]),
    ];
    for (changes, expected) in cases {
        assert_eq!(&after(changes), expected, "{changes:?}");
    }
    let idle = "calendar = \"cn\"\nyear = 2024\nsource = \"x\"\nhours = [\"08:00-12:00\"]\n\
                [[off]]\nname = \"all\"\nfrom = 2024-01-01\nto = 2024-12-31\n";
    assert_eq!(faults("2024.toml", idle), ["2: year: no day of it has working hours"]);
    let far = "calendar = \"cn\"\nyear = 1999\nsource = \"x\"\nhours = [\"08:00-12:00\"]\n";
    assert_eq!(faults("x.toml", far), ["2: year: 1999 is not among 2000 to 2100"]);
}

#[test]
fn all_faults_are_told_at_once_in_the_order_of_the_lines() {
    let found = after(&[
        ("\"cn\"", "\"c n\""),
        ("\"08:30-12:00\"", "\"08:30-14:00\""),
        ("2024-02-10", "2025-02-10"),
        ("date = 2024-02-04", "day = 2024-02-04"),
        ("\"09:00-12:00\"", "\"12:00-09:00\""),
    ]);
    let lines: Vec<&str> = found.iter().filter_map(|fault| fault.split(':').next()).collect();
    assert_eq!(lines, ["1", "4", "8", "11", "13", "18"], "{found:?}");
}

#[test]
fn text_that_is_no_toml_is_told_before_anything_else() {
    let found = after(&[("\"cn\"", "\"cn"), ("date = 2024-02-04", "date 2024-02-04"), ("\"a notice\"", "7")]);
    let lines: Vec<&str> = found.iter().filter_map(|fault| fault.split(':').next()).collect();
    assert!(lines.contains(&"1") && lines.contains(&"13") && !lines.contains(&"3"), "{found:?}");
    assert_eq!(after(&[("year = 2024", "year = 2024\nyear = 2024")]), ["3: duplicate key"]);
    assert!(after(&[("2024-02-10", "2024-02-30")])[0].starts_with("8: "), "a day that no month has");
}

#[test]
fn a_file_that_is_named_after_another_year_is_refused() {
    assert_eq!(faults("2025.toml", SAMPLE), ["2: year: 2024 stands in a file that is named 2025"]);
    for name in ["2024.toml", "deploy/calendars/cn/2024.toml", "draft.toml", "20245.toml", ""] {
        assert!(read(name, SAMPLE).is_ok(), "{name}");
    }
}

#[test]
fn a_file_and_a_name_have_a_greatest_length() {
    let filled = |bytes: usize| format!("{SAMPLE}#{}", "x".repeat(bytes - SAMPLE.len() - 1));
    assert!(read("", &filled(CALENDAR_BYTES_MAX)).is_ok());
    assert_eq!(faults("", &filled(CALENDAR_BYTES_MAX + 1)), ["1: the file has 65537 bytes; at most 65536 are read"]);
    let named = |bytes: usize| SAMPLE.replacen("\"cn\"", &format!("\"{}\"", "a".repeat(bytes)), 1);
    assert!(read("", &named(CALENDAR_NAME_BYTES_MAX)).is_ok());
    assert_eq!(faults("", &named(CALENDAR_NAME_BYTES_MAX + 1)).len(), 1);
}

#[test]
fn lines_are_counted_from_one() {
    let text = "ab\ncd\n";
    let lines: Vec<usize> = [0, 2, 3, 5, 6, 99].into_iter().map(|offset| line_of(text, offset)).collect();
    assert_eq!(lines, [1, 1, 2, 2, 3, 3]);
}

#[test]
fn whatever_is_cut_out_of_a_file_it_is_read_or_refused_with_lines_of_its_own() {
    let places: Vec<usize> = SAMPLE.char_indices().map(|(at, _)| at).collect();
    let (mut read_whole, mut refused) = (0, 0);
    for (i, &from) in places.iter().enumerate() {
        for &to in places[i..].iter().step_by(5) {
            let text = format!("{}{}", &SAMPLE[..from], &SAMPLE[to..]);
            match read("2024.toml", &text) {
                Ok((name, year)) => {
                    assert!(!name.is_empty() && year.check().is_empty(), "{text}");
                    read_whole += 1;
                }
                Err(faults) => {
                    assert!(!faults.is_empty() && faults.is_sorted_by_key(|fault| fault.line), "{faults:?}");
                    let last = line_of(&text, text.len());
                    assert!(faults.iter().all(|fault| (1..=last).contains(&fault.line)), "{faults:?} in\n{text}");
                    refused += 1;
                }
            }
        }
    }
    assert!(read_whole > 100 && refused > 1000, "{read_whole} and {refused}");
}
