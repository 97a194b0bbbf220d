//! The sentences for the faults of a year.

use chrono::NaiveDate;
use switchboard_domain::sla::calendar::{NAME_BYTES_MAX, SOURCE_BYTES_MAX, YEARS, YearFault};

/// The sentence for a fault; the caller adds the line.
pub(super) fn of(fault: YearFault) -> String {
    match fault {
        YearFault::YearOutside { year } => {
            format!("year: {year} is not among {} to {}", YEARS.start(), YEARS.end())
        }
        YearFault::SourceLength { bytes } => {
            format!("source: {bytes} bytes; 1 to {SOURCE_BYTES_MAX} are taken")
        }
        YearFault::HoursEmpty => "hours: an ordinary working day has at least one span".into(),
        YearFault::NoWorkingDay => "year: no day of it has working hours".into(),
        YearFault::DateOutside { date } => format!("{date} is no day of the year"),
        YearFault::NameLength { bytes, .. } => {
            format!("name: {bytes} bytes; 1 to {NAME_BYTES_MAX} are taken")
        }
        YearFault::SpanEmpty { date, span } => format!("hours{}: {span} ends before it has begun", on(date)),
        YearFault::SpanOutsideDay { date, span } => format!("hours{}: {span} reaches past 24:00", on(date)),
        YearFault::SpansOverlap { date, one, next } => format!("hours{}: {next} overlaps {one}", on(date)),
        YearFault::SpansOutOfOrder { date, one, next } => {
            format!("hours{}: {next} is written after {one}, which is later", on(date))
        }
    }
}

fn on(date: Option<NaiveDate>) -> String {
    date.map(|date| format!(" of {date}")).unwrap_or_default()
}
