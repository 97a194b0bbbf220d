//! The description of an operator's export: a TOML file in which every field of a ticket is a template over the row's
//! columns. It is strict, and both checks come before the first row. Parsing refuses an unknown key, filter or table;
//! opening a file refuses an unknown column. Absent: code, conditions, arithmetic. Prepare in the export what the
//! templates cannot express.

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

/// The reason why a mapping cannot be used. Nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The mapping or the rows cannot be opened or read.
    #[error("{path}: {source}")]
    Unreadable {
        /// The path of the file.
        path: String,
        /// The error of the operating system or of the CSV reader.
        source: std::io::Error,
    },
    /// The mapping is not valid: the place and the problem.
    #[error("not a mapping: {0}")]
    Malformed(String),
    /// The file lacks columns that the mapping names.
    #[error("the file has no column {}; it has {}", .missing.join(", "), .columns.join(", "))]
    NoSuchColumn {
        /// The columns that the mapping names and the file lacks.
        missing: Vec<String>,
        /// The columns of the file.
        columns: Vec<String>,
    },
    /// The file has several columns with this name.
    #[error("the file has several columns named {0}")]
    DoubledColumn(String),
}

/// The mapping as written in TOML.
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

/// The fields of a ticket, each a template. A field whose template renders to an empty text is absent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub struct Ticket<T> {
    /// Business type as a word of the API, such as `fault_repair`.
    pub business_type: T,
    /// Channel as a word of the API, such as `proactive`.
    pub channel: T,
    /// Description of the problem.
    pub content: T,
    /// Category as a path.
    pub category: T,
    /// The cause in words; it goes into the reply.
    pub cause: T,
    /// The instant at which it was reported or began.
    pub received: T,
    /// The instant at which the crew arrived. One that contradicts the others is replaced by an estimate.
    pub arrived: Option<T>,
    /// The instant at which power was expected back.
    pub etr: Option<T>,
    /// The instant at which power came back; a row without one stays open.
    pub restored: Option<T>,
    /// The units that it was dispatched to, in order, from the operator's root down. The last one did the work.
    pub route: Vec<T>,
    /// The operator's own number of the ticket.
    pub external: Option<T>,
    /// The service address.
    pub address: Option<T>,
    /// Urgency as a word of the API; `normal` when absent.
    pub urgency: Option<T>,
    /// Grade of a complaint as a word of the API; `general` when absent.
    pub grade: Option<T>,
    /// Customers without power.
    pub customers_out: Option<T>,
    /// Latitude in degrees.
    pub latitude: Option<T>,
    /// Longitude in degrees.
    pub longitude: Option<T>,
    /// Kind of area as a word of the API.
    pub area: Option<T>,
    /// Feeder.
    pub feeder: Option<T>,
    /// Transformer service area.
    pub transformer: Option<T>,
}

/// A parsed mapping, not yet bound to a file.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// The name of the export: the issuer of its numbers, and part of every request id.
    pub source: String,
    /// The operator's root unit; rows are imported in its name.
    pub operator: String,
    /// The columns that together identify a row.
    pub key: Vec<String>,
    /// The byte that separates fields.
    pub delimiter: u8,
    /// The formats of instants.
    pub clock: Clock,
    /// The row filter: for each column, the accepted values. Other rows are ignored without a report.
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

    /// Parses the mapping in `text`.
    ///
    /// # Errors
    /// [`MappingError::Malformed`] with the place and the problem.
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

    /// Returns every column that the mapping names, sorted, without duplicates.
    fn columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = self.key.iter().map(String::as_str).collect();
        columns.extend(self.when.keys().map(String::as_str));
        self.ticket.each(|template| columns.extend(template.columns()));
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// Returns the index of each column in a file with these `headers`.
    ///
    /// # Errors
    /// [`MappingError::NoSuchColumn`] with the columns of the file, or [`MappingError::DoubledColumn`].
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

/// Lists every field once and generates both traversals of `Ticket`.
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
