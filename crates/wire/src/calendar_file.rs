//! The calendar file (工作日历文件): one year of one calendar in TOML. A file is read completely, or rejected with every
//! fault and its line. This module defines the format; [`Year::check`] validates the year. It opens no files: the
//! caller passes the text.

mod wording;

use std::{collections::BTreeMap, path::Path};

use chrono::{Datelike, NaiveDate};
use switchboard_domain::sla::calendar::{Exception, Span, Year, YearFault};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::faults::{Fault, line_of};

/// The largest file, in bytes.
pub const CALENDAR_BYTES_MAX: usize = 64 * 1024;
/// The longest name of a calendar, in bytes.
pub const CALENDAR_NAME_BYTES_MAX: usize = 32;

type Value<'d> = &'d Spanned<DeValue<'d>>;

/// Reads a file such as `deploy/calendars/cn/2024.toml`. Returns the calendar's name and the year.
///
/// # Errors
///
/// All faults, in the order of the lines. A caller that shows only some of them must say how many it leaves out. A text
/// that is not TOML gets TOML's faults only. A file named after a year must contain that year.
pub fn read(file_name: &str, text: &str) -> Result<(String, Year), Vec<Fault>> {
    if text.len() > CALENDAR_BYTES_MAX {
        let reason = format!("the file has {} bytes; at most {CALENDAR_BYTES_MAX} are read", text.len());
        return Err(vec![Fault { line: 1, reason }]);
    }
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader { text, faults: Vec::new(), exceptions: BTreeMap::new(), spans: BTreeMap::new() };
    for error in &errors {
        reader.fault(error.span().map_or(0, |span| span.start), error.message());
    }
    let read = if errors.is_empty() { reader.document(file_name, document.get_ref()) } else { None };
    reader.faults.sort_by_key(|fault| fault.line);
    reader.faults.dedup();
    match read {
        Some(read) if reader.faults.is_empty() => Ok(read),
        _ => Err(reader.faults),
    }
}

/// A table and its offset in the text.
#[derive(Clone, Copy)]
struct Section<'d> {
    table: &'d DeTable<'d>,
    at: usize,
}

impl<'d> Section<'d> {
    /// The offset of a key's value, or of the section when the key is absent.
    fn place(self, key: &str) -> usize {
        self.table.get(key).map_or(self.at, |value| value.span().start)
    }
}

/// The faults found so far. Places are offsets into the text.
struct Reader<'t> {
    text: &'t str,
    faults: Vec<Fault>,
    /// The offset of the section of each exception.
    exceptions: BTreeMap<NaiveDate, usize>,
    /// Every span that was read, by the date of its exception; `None` for the ordinary hours.
    spans: BTreeMap<Option<NaiveDate>, Vec<(Span, usize)>>,
}

impl Reader<'_> {
    fn fault(&mut self, at: usize, reason: impl Into<String>) {
        self.faults.push(Fault { line: line_of(self.text, at), reason: reason.into() });
    }

    fn document<'d>(&mut self, file_name: &str, table: &'d DeTable<'d>) -> Option<(String, Year)> {
        let top = Section { table, at: 0 };
        self.only(top, &["calendar", "year", "source", "hours", "off", "work"]);
        let calendar = self.calendar(top);
        let number = self.year(top, file_name);
        let source = self.string(top, "source");
        let hours = self.field(top, "hours").map(|value| self.hours(value)).unwrap_or_default();
        let mut year = Year {
            year: number.unwrap_or_default(),
            source: source.unwrap_or_default().to_owned(),
            hours: hours.iter().map(|(span, _)| *span).collect(),
            exceptions: BTreeMap::new(),
        };
        self.spans.insert(None, hours);
        for section in self.sections(top, "off") {
            self.off(section, number, &mut year);
        }
        for section in self.sections(top, "work") {
            self.work(section, number, &mut year);
        }
        number?;
        self.check(top, &year);
        Some((calendar?.to_owned(), year))
    }

    fn calendar<'d>(&mut self, top: Section<'d>) -> Option<&'d str> {
        let name = self.string(top, "calendar")?;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !(1..=CALENDAR_NAME_BYTES_MAX).contains(&name.len()) || !name.bytes().all(plain) {
            self.fault(
                top.place("calendar"),
                format!("calendar: 1 to {CALENDAR_NAME_BYTES_MAX} of a-z, 0-9 and _ are expected"),
            );
            return None;
        }
        Some(name)
    }

    fn year(&mut self, top: Section<'_>, file_name: &str) -> Option<i32> {
        let value = self.field(top, "year")?;
        let at = value.span().start;
        let number = match value.get_ref() {
            DeValue::Integer(integer) => i32::from_str_radix(integer.as_str(), integer.radix()).ok(),
            _ => None,
        };
        let Some(number) = number else {
            self.fault(at, "year: a number such as 2024 is expected");
            return None;
        };
        let stem = Path::new(file_name).file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let named: Option<i32> = stem.parse().ok().filter(|_| stem.len() == 4);
        if let Some(named) = named.filter(|named| *named != number) {
            self.fault(at, format!("year: {number} stands in a file that is named {named}"));
        }
        Some(number)
    }

    /// Reads days off: `name`, and every day from `from` to `to`.
    fn off(&mut self, section: Section<'_>, number: Option<i32>, year: &mut Year) {
        self.only(section, &["name", "from", "to"]);
        let name = self.string(section, "name").unwrap_or("-");
        let (from, to) = (self.date(section, "from", number), self.date(section, "to", number));
        let (Some(from), Some(to)) = (from, to) else { return };
        if to < from {
            self.fault(section.place("to"), format!("to: {to} is before {from}"));
            return;
        }
        let days = from.iter_days().take_while(|date| *date <= to);
        let twice: Vec<NaiveDate> = days.clone().filter(|date| self.exceptions.contains_key(date)).collect();
        if let Some(date) = twice.first() {
            self.twice(section, *date);
        }
        for date in days.filter(|date| !twice.contains(date)) {
            self.exceptions.insert(date, section.at);
            year.exceptions.insert(date, Exception { name: name.to_owned(), hours: Vec::new() });
        }
    }

    /// Reads a working day: `name`, `date`, and `hours` unless it has the ordinary ones.
    fn work(&mut self, section: Section<'_>, number: Option<i32>, year: &mut Year) {
        self.only(section, &["name", "date", "hours"]);
        let name = self.string(section, "name").unwrap_or("-");
        let date = self.date(section, "date", number);
        let own = section.table.get("hours").map(|value| self.hours(value));
        if section.table.get("hours").and_then(|value| value.get_ref().as_array()).is_some_and(|array| array.is_empty())
        {
            self.fault(section.place("hours"), "hours: a day without hours stands under [[off]]");
        }
        let Some(date) = date else { return };
        if self.exceptions.contains_key(&date) {
            self.twice(section, date);
            return;
        }
        self.exceptions.insert(date, section.at);
        let hours = match own {
            Some(own) => {
                let spans = own.iter().map(|(span, _)| *span).collect();
                self.spans.insert(Some(date), own);
                spans
            }
            None => year.hours.clone(),
        };
        year.exceptions.insert(date, Exception { name: name.to_owned(), hours });
    }

    fn twice(&mut self, section: Section<'_>, date: NaiveDate) {
        let before = self.exceptions.get(&date).map_or(0, |at| line_of(self.text, *at));
        self.fault(section.at, format!("{date} is said before, in line {before}"));
    }

    /// Reports the faults that [`Year::check`] finds, with their lines. Faults that may only follow from a format fault
    /// are left out.
    fn check(&mut self, top: Section<'_>, year: &Year) {
        let whole = self.faults.is_empty();
        for fault in year.check() {
            let place = match fault {
                YearFault::YearOutside { .. } => Some(top.place("year")),
                YearFault::SourceLength { .. } => {
                    top.table.get("source").filter(|value| value.get_ref().is_str()).map(|value| value.span().start)
                }
                YearFault::HoursEmpty => Some(top.place("hours")).filter(|_| whole),
                YearFault::NoWorkingDay => Some(top.place("year")).filter(|_| whole),
                YearFault::DateOutside { date } | YearFault::NameLength { date, .. } => {
                    self.exceptions.get(&date).copied()
                }
                YearFault::SpanEmpty { date, span } | YearFault::SpanOutsideDay { date, span } => self.span(date, span),
                YearFault::SpansOverlap { date, next, .. } | YearFault::SpansOutOfOrder { date, next, .. } => {
                    self.span(date, next)
                }
            };
            if let Some(at) = place {
                self.fault(at, wording::of(fault));
            }
        }
    }

    /// The offset of a span. A day with the ordinary hours has no span of its own, so a fault of these is reported
    /// once.
    fn span(&self, date: Option<NaiveDate>, span: Span) -> Option<usize> {
        let written = self.spans.get(&date)?;
        written.iter().rev().find(|(known, _)| *known == span).map(|(_, at)| *at)
    }

    /// Reports every key that is not in `keys`.
    fn only(&mut self, section: Section<'_>, keys: &[&str]) {
        let unknown = section.table.keys().filter(|key| !keys.contains(&key.get_ref().as_ref()));
        for key in unknown {
            self.fault(key.span().start, format!("{}: unknown; known are {}", key.get_ref(), keys.join(", ")));
        }
    }

    fn field<'d>(&mut self, section: Section<'d>, key: &str) -> Option<Value<'d>> {
        let found = section.table.get(key);
        if found.is_none() {
            self.fault(section.at, format!("{key} is missing"));
        }
        found
    }

    fn expected(&mut self, key: &str, wanted: &str, value: Value<'_>) {
        let reason = format!("{key}: {wanted} is expected, not a value of type {}", value.get_ref().type_str());
        self.fault(value.span().start, reason);
    }

    fn string<'d>(&mut self, section: Section<'d>, key: &str) -> Option<&'d str> {
        let value = self.field(section, key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.expected(key, "a string", value);
        }
        text
    }

    /// Reads a date of the year, if the year is known.
    fn date(&mut self, section: Section<'_>, key: &str, year: Option<i32>) -> Option<NaiveDate> {
        let value = self.field(section, key)?;
        let written = value.get_ref().as_datetime().filter(|at| at.time.is_none());
        let Some(written) = written.and_then(|at| at.date) else {
            self.expected(key, "a date such as 2024-02-10, without quotes,", value);
            return None;
        };
        let date = NaiveDate::from_ymd_opt(written.year.into(), written.month.into(), written.day.into());
        let Some(date) = date else {
            self.fault(value.span().start, format!("{key}: there is no {written}"));
            return None;
        };
        if date.year() != year? {
            self.fault(value.span().start, format!("{key}: {date} is no day of {}", year?));
            return None;
        }
        Some(date)
    }

    /// Reads working hours such as `["08:30-12:00", "13:30-17:30"]`, each span with its offset.
    fn hours(&mut self, value: Value<'_>) -> Vec<(Span, usize)> {
        let wanted = r#"a list such as ["08:30-12:00", "13:30-17:30"]"#;
        let Some(array) = value.get_ref().as_array() else {
            self.expected("hours", wanted, value);
            return Vec::new();
        };
        let mut read = Vec::new();
        for item in array.iter() {
            let at = item.span().start;
            match item.get_ref().as_str().map(|text| (text, Span::parse(text))) {
                Some((_, Some(span))) => read.push((span, at)),
                Some((text, None)) => self.fault(at, format!("hours: {text:?} is not of the form \"08:30-12:00\"")),
                None => self.expected("hours", wanted, item),
            }
        }
        read
    }

    /// The tables under `[[key]]`; empty when there is no such key.
    fn sections<'d>(&mut self, top: Section<'d>, key: &str) -> Vec<Section<'d>> {
        let Some(value) = top.table.get(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.expected(key, &format!("[[{key}]]"), value);
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in array.iter() {
            match item.get_ref().as_table() {
                Some(table) => found.push(Section { table, at: item.span().start }),
                None => self.expected(key, &format!("[[{key}]]"), item),
            }
        }
        found
    }
}
