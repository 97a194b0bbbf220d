//! How an operator's export reads: a TOML file in which every field of a ticket is a template over the row's columns.
//! Strict: an unknown key, filter or table is refused when the mapping is read, an unknown column when it meets a file; both
//! before any row. Absent: code, conditions, arithmetic. What these templates cannot say belongs into the export.

mod clock;
mod template;

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use serde::Deserialize;

pub use self::{
    clock::Clock,
    template::{Row, Template},
};

/// The largest mapping file, in bytes.
pub const MAPPING_BYTES_MAX: u64 = 256 * 1024;

/// Why a mapping cannot be used. Nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The mapping or the rows cannot be opened or read.
    #[error("{path}: {source}")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Not a mapping: the place and what is wrong with it.
    #[error("not a mapping: {0}")]
    Malformed(String),
    /// The file has no such columns.
    #[error("the file has no column {}; it has {}", .missing.join(", "), .columns.join(", "))]
    NoSuchColumn {
        /// Asked for by the mapping.
        missing: Vec<String>,
        /// What the file has.
        columns: Vec<String>,
    },
    /// The file has several columns of one name.
    #[error("the file has several columns named {0}")]
    DoubledColumn(String),
}

/// A mapping as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    source: String,
    operator: String,
    key: Vec<String>,
    #[serde(default)]
    file: FileForm,
    time: TimeForm,
    #[serde(default)]
    when: BTreeMap<String, Vec<String>>,
    ticket: Ticket<String>,
    #[serde(default)]
    tables: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    delimiter: Option<char>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TimeForm {
    formats: Vec<String>,
    offset: Option<String>,
}

/// The fields of a ticket, each a template; one that comes out empty is absent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub struct Ticket<T> {
    /// Business type by its word, such as `fault_repair`.
    pub business_type: T,
    /// Channel by its word, such as `proactive`.
    pub channel: T,
    /// What is the matter.
    pub content: T,
    /// Category as a path.
    pub category: T,
    /// The cause in words, for the reply.
    pub cause: T,
    /// When it was reported or began.
    pub received: T,
    /// When the crew arrived; an instant that contradicts the others is estimated anew.
    pub arrived: Option<T>,
    /// When power was expected back.
    pub etr: Option<T>,
    /// When power came back; a row without stays open.
    pub restored: Option<T>,
    /// The units it was dispatched to one after the other, from the operator's root down. The last one did the work.
    pub route: Vec<T>,
    /// The number that the operator gave it.
    pub external: Option<T>,
    /// The service address.
    pub address: Option<T>,
    /// Urgency by its word; `normal` when absent.
    pub urgency: Option<T>,
    /// Grade of a complaint by its word; `general` when absent.
    pub grade: Option<T>,
    /// Customers without power.
    pub customers_out: Option<T>,
    /// Latitude in degrees.
    pub latitude: Option<T>,
    /// Longitude in degrees.
    pub longitude: Option<T>,
    /// Kind of area by its word.
    pub area: Option<T>,
    /// Feeder.
    pub feeder: Option<T>,
    /// Transformer service area.
    pub transformer: Option<T>,
}

/// A mapping, understood but not yet held against a file.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Names the export: the issuer of its numbers, and part of every request id.
    pub source: String,
    /// The operator's root unit, in whose name rows are imported.
    pub operator: String,
    /// The columns that tell one row from another.
    pub key: Vec<String>,
    /// What separates fields.
    pub delimiter: u8,
    /// How instants read.
    pub clock: Clock,
    /// Only rows whose column has one of these values are rows of this mapping.
    pub when: BTreeMap<String, Vec<String>>,
    /// The ticket's fields.
    pub ticket: Ticket<Template>,
}

impl Mapping {
    /// Reads the mapping in the file at `path`.
    ///
    /// # Errors
    /// [`MappingError`] when it cannot be read, is larger than [`MAPPING_BYTES_MAX`], or is no mapping.
    pub fn read(path: &Path) -> Result<Self, MappingError> {
        let unreadable = |source| MappingError::Unreadable { path: path.display().to_string(), source };
        if fs::metadata(path).map_err(unreadable)?.len() > MAPPING_BYTES_MAX {
            return Err(MappingError::Malformed(format!("larger than {MAPPING_BYTES_MAX} bytes")));
        }
        Self::parse(&fs::read_to_string(path).map_err(unreadable)?)
    }

    /// Understands the mapping in `text`.
    ///
    /// # Errors
    /// [`MappingError::Malformed`] with the place.
    pub fn parse(text: &str) -> Result<Self, MappingError> {
        let written: Written = toml::from_str(text).map_err(|error| MappingError::Malformed(error.to_string()))?;
        let bad = |place: &str, problem: String| MappingError::Malformed(format!("{place}: {problem}"));
        let delimiter = written.file.delimiter.unwrap_or(',');
        let delimiter = u8::try_from(delimiter)
            .ok()
            .filter(|byte| byte.is_ascii() && !b"\"\r\n".contains(byte))
            .ok_or_else(|| bad("file.delimiter", format!("{delimiter:?} is not one ASCII character")))?;
        if written.key.is_empty() {
            return Err(bad("key", "names no column".to_owned()));
        }
        if written.source.trim().is_empty() || written.source.len() > 128 {
            return Err(bad("source", "needs 1 to 128 bytes".to_owned()));
        }
        if written.ticket.route.is_empty() {
            return Err(bad("ticket.route", "names no unit".to_owned()));
        }
        let clock = Clock::new(&written.time.formats, written.time.offset.as_deref()).map_err(|p| bad("time", p))?;
        let tables = written.tables.into_iter().map(|(name, table)| (name, Arc::new(table))).collect();
        let ticket = written
            .ticket
            .try_map(|field, text| Template::parse(&text, &tables).map_err(|p| bad(&format!("ticket.{field}"), p)))?;
        Ok(Self {
            source: written.source,
            operator: written.operator,
            key: written.key,
            delimiter,
            clock,
            when: written.when,
            ticket,
        })
    }

    /// Every column that the mapping asks for.
    fn columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = self.key.iter().map(String::as_str).collect();
        columns.extend(self.when.keys().map(String::as_str));
        self.ticket.each(|template| columns.extend(template.columns()));
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// Where each column of a file with these `headers` is.
    ///
    /// # Errors
    /// [`MappingError::NoSuchColumn`] with the columns that there are, or [`MappingError::DoubledColumn`].
    pub fn bind<'h>(&self, headers: impl Iterator<Item = &'h str>) -> Result<BTreeMap<String, usize>, MappingError> {
        let mut places = BTreeMap::new();
        let headers: Vec<&str> = headers.collect();
        for (place, name) in headers.iter().enumerate() {
            if places.insert((*name).to_owned(), place).is_some() {
                return Err(MappingError::DoubledColumn((*name).to_owned()));
            }
        }
        let missing: Vec<String> =
            self.columns().into_iter().filter(|name| !places.contains_key(*name)).map(str::to_owned).collect();
        if missing.is_empty() {
            return Ok(places);
        }
        Err(MappingError::NoSuchColumn { missing, columns: headers.into_iter().map(str::to_owned).collect() })
    }
}

/// Names every field once, for both ways of walking over them.
macro_rules! ticket_fields {
    (required: $($required:ident)+; optional: $($optional:ident)+) => {
        impl<T> Ticket<T> {
            fn try_map<U, E>(self, mut map: impl FnMut(&str, T) -> Result<U, E>) -> Result<Ticket<U>, E> {
                Ok(Ticket {
                    $($required: map(stringify!($required), self.$required)?,)+
                    $($optional: self.$optional.map(|text| map(stringify!($optional), text)).transpose()?,)+
                    route: self.route.into_iter().map(|text| map("route", text)).collect::<Result<_, E>>()?,
                })
            }

            fn each<'t>(&'t self, mut see: impl FnMut(&'t T)) {
                $(see(&self.$required);)+
                $(self.$optional.iter().for_each(&mut see);)+
                self.route.iter().for_each(see);
            }
        }
    };
}

ticket_fields! {
    required: business_type channel content category cause received;
    optional: arrived etr restored external address urgency grade customers_out latitude longitude area feeder transformer
}

#[cfg(test)]
mod tests;
