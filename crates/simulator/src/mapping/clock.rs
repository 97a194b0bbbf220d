//! The formats of instants in a file. Absent: guessing. A text that fits none of the formats is an error.

use chrono::{
    DateTime, FixedOffset, NaiveDateTime, TimeZone as _, Utc,
    format::{Item, StrftimeItems},
};

use crate::Timestamp;

/// The formats that a file's instants may have; they are tried in order.
#[derive(Clone, Debug)]
pub struct Clock {
    formats: Vec<Format>,
    offset: Option<FixedOffset>,
}

#[derive(Clone, Debug)]
enum Format {
    /// `rfc3339`
    Rfc3339,
    /// `unix`: seconds since 1970, optionally with a fraction.
    Unix,
    /// A format string of the `chrono` crate, such as `%Y-%m-%d %H:%M:%S%:z`.
    Strftime(String),
}

impl Clock {
    /// Parses `formats`. `offset`, such as `+08:00`, applies to times that have no offset of their own.
    ///
    /// # Errors
    /// The problem in words.
    pub fn new(formats: &[String], offset: Option<&str>) -> Result<Self, String> {
        let known = |text: &String| match text.as_str() {
            "rfc3339" => Ok(Format::Rfc3339),
            "unix" => Ok(Format::Unix),
            other if other.contains('%') && StrftimeItems::new(other).all(|item| item != Item::Error) => {
                Ok(Format::Strftime(text.clone()))
            }
            _ => Err(format!("formats: {text:?} is not rfc3339, unix or a chrono format string")),
        };
        let formats: Vec<_> = formats.iter().map(known).collect::<Result<_, _>>()?;
        if formats.is_empty() {
            return Err("formats: names none".to_owned());
        }
        let offset = offset.map(str::parse).transpose();
        let offset = offset.map_err(|_| "offset: expected one such as +08:00".to_owned())?;
        Ok(Self { formats, offset })
    }

    /// Parses the instant in `text`.
    ///
    /// # Errors
    /// The problem in words.
    pub fn read(&self, text: &str) -> Result<Timestamp, String> {
        let read = self.formats.iter().find_map(|format| match format {
            Format::Rfc3339 => DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc()),
            Format::Unix => unix(text),
            Format::Strftime(format) => match DateTime::parse_from_str(text, format) {
                Ok(at) => Some(at.to_utc()),
                Err(_) => {
                    let naive = NaiveDateTime::parse_from_str(text, format).ok()?;
                    Some(self.offset?.from_local_datetime(&naive).single()?.to_utc())
                }
            },
        });
        read.ok_or_else(|| format!("{text:?} is no instant in the formats of the mapping"))
    }
}

fn unix(text: &str) -> Option<Timestamp> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let nanos: u32 = format!("{fraction:0<9.9}").parse().ok()?;
    DateTime::<Utc>::from_timestamp(seconds.parse().ok()?, nanos)
}
