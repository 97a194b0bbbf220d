//! The rows of an operator's file, read one by one: CSV, plain or gzip, of any size. A row that does not fit the
//! mapping yields a [`RowProblem`] with its line, and reading continues. Absent: memory of earlier rows.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use csv::StringRecord;
use flate2::read::MultiGzDecoder;
use switchboard_wire::proto as pb;

use crate::{
    Timestamp,
    mapping::{Mapping, MappingError, Row, Template},
    outage::Outage,
};

/// The longest field, in bytes. A row with a longer one is skipped.
pub const FIELD_BYTES_MAX: usize = 64 * 1024;
/// The longest row, in bytes. Reading ends at a longer row: most likely a quote was never closed.
pub const ROW_BYTES_MAX: usize = 1024 * 1024;

/// A row that could not become an outage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowProblem {
    /// Its line in the file, from 1; the header is on the first.
    pub line: u64,
    /// The problem in words.
    pub reason: String,
    /// True if the rest of the file cannot be read.
    pub fatal: bool,
}

/// An iterator over the rows of a file as outages.
pub struct Rows {
    mapping: Mapping,
    places: BTreeMap<String, usize>,
    reader: csv::Reader<Rationed>,
    fields: StringRecord,
    over: bool,
}

impl Rows {
    /// Opens the file at `path`; gzip is recognised by its first bytes.
    ///
    /// # Errors
    /// [`MappingError`] when the file cannot be read or lacks a column; no row was processed.
    pub fn open(mapping: Mapping, path: &Path) -> Result<Self, MappingError> {
        let unreadable = |source| MappingError::Unreadable { path: path.display().to_string(), source };
        let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
        let packed = file.fill_buf().map_err(unreadable)?.starts_with(&[0x1f, 0x8b]);
        let bytes: Box<dyn Read + Send> = if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        Self::new(mapping, bytes).map_err(|error| match error {
            MappingError::Unreadable { source, .. } => unreadable(source),
            other => other,
        })
    }

    /// Reads plain CSV from `bytes`.
    ///
    /// # Errors
    /// As [`Rows::open`].
    pub fn new(mapping: Mapping, bytes: Box<dyn Read + Send>) -> Result<Self, MappingError> {
        let rationed = Rationed { bytes, left: ROW_BYTES_MAX };
        let mut reader = csv::ReaderBuilder::new().delimiter(mapping.delimiter).from_reader(rationed);
        let headers = reader.headers().map_err(|error| MappingError::Unreadable {
            path: "the rows".to_owned(),
            source: io::Error::other(error.to_string()),
        })?;
        let places = mapping.bind(headers.iter().map(str::trim))?;
        Ok(Self { mapping, places, reader, fields: StringRecord::new(), over: false })
    }

    fn next_outage(&mut self) -> Option<Result<Outage, RowProblem>> {
        loop {
            self.reader.get_mut().left = ROW_BYTES_MAX;
            match self.reader.read_record(&mut self.fields) {
                Ok(false) => return None,
                Ok(true) => {}
                Err(error) => return Some(Err(self.unreadable(&error))),
            }
            let line = self.fields.position().map_or(0, csv::Position::line);
            let row = Row { places: &self.places, fields: &self.fields };
            let wanted = |(column, values): (&String, &Vec<String>)| values.iter().any(|v| v == row.get(column));
            if !self.mapping.when.iter().all(wanted) {
                continue;
            }
            return Some(outage(&self.mapping, &row, line).map_err(|reason| RowProblem { line, reason, fatal: false }));
        }
    }

    fn unreadable(&mut self, error: &csv::Error) -> RowProblem {
        let line = error.position().map_or_else(|| self.reader.position().line(), csv::Position::line);
        // After a row with a wrong length or encoding, reading continues. After an input error it ends.
        self.over = error.is_io_error();
        let reason = match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                format!("{len} fields where the header has {expected_len}")
            }
            csv::ErrorKind::Utf8 { .. } => "not UTF-8".to_owned(),
            csv::ErrorKind::Io(io) => format!("the file cannot be read on: {io}"),
            _ => error.to_string(),
        };
        RowProblem { line, reason, fatal: self.over }
    }
}

impl Iterator for Rows {
    type Item = Result<Outage, RowProblem>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over { None } else { self.next_outage() }
    }
}

/// A reader with a byte quota: reads fail when it is used up, until the quota is set again. It bounds the memory that
/// one row takes.
struct Rationed {
    bytes: Box<dyn Read + Send>,
    left: usize,
}

impl Read for Rationed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other(format!("a row is longer than {ROW_BYTES_MAX} bytes")));
        }
        let read = self.bytes.read(buffer)?;
        self.left = self.left.saturating_sub(read);
        Ok(read)
    }
}

/// Converts one row to an outage. The error is the problem in words.
fn outage(mapping: &Mapping, row: &Row<'_>, line: u64) -> Result<Outage, String> {
    if let Some(place) = row.fields.iter().position(|field| field.len() > FIELD_BYTES_MAX) {
        let name = row.places.iter().find(|(_, at)| **at == place).map_or("", |(name, _)| name);
        return Err(format!("column {name} is longer than {FIELD_BYTES_MAX} bytes"));
    }
    let ticket = &mapping.ticket;
    let field = Fields { mapping, row };
    let key: Vec<_> = mapping.key.iter().map(|column| row.get(column)).collect();
    if key.iter().all(|part| part.is_empty()) {
        return Err(format!("empty key: {}", mapping.key.join(", ")));
    }
    let received = field.instant("received", Some(&ticket.received))?.ok_or("received: empty")?;
    let restored = field.instant("restored", ticket.restored.as_ref())?;
    if let Some(restored) = restored.filter(|restored| *restored < received) {
        return Err(format!("restored at {restored}, before it was received at {received}"));
    }
    let route = ticket.route.iter().map(|unit| unit.render(row)).collect::<Result<Vec<_>, _>>()?;
    if let Some(unit) = route.iter().find(|unit| !is_within(&mapping.operator, unit)) {
        return Err(format!("route: {unit:?} is not a unit of {} (segments of a-z, 0-9, '_', '-')", mapping.operator));
    }
    Ok(Outage {
        line,
        key: key.iter().map(|part| part.replace('\\', "\\\\").replace('|', "\\|")).collect::<Vec<_>>().join("|"),
        source: mapping.source.clone(),
        operator: mapping.operator.clone(),
        business_type: field.word("business_type", Some(&ticket.business_type), "BUSINESS_TYPE_", |name| {
            pb::BusinessType::from_str_name(name)
        })?,
        channel: field.word("channel", Some(&ticket.channel), "CHANNEL_", pb::Channel::from_str_name)?,
        content: field.text("content", Some(&ticket.content))?.ok_or("content: empty")?,
        category: field.text("category", Some(&ticket.category))?.ok_or("category: empty")?,
        cause: field.text("cause", Some(&ticket.cause))?.ok_or("cause: empty")?,
        received,
        arrived: field.instant("arrived", ticket.arrived.as_ref())?,
        etr: field.instant("etr", ticket.etr.as_ref())?,
        restored,
        route,
        external: field.text("external", ticket.external.as_ref())?,
        address: field.text("address", ticket.address.as_ref())?,
        urgency: field.word("urgency", ticket.urgency.as_ref(), "URGENCY_", pb::Urgency::from_str_name)?,
        grade: field.word("grade", ticket.grade.as_ref(), "GRADE_", pb::Grade::from_str_name)?,
        customers_out: field.number("customers_out", ticket.customers_out.as_ref())?,
        latitude_e6: field.degrees("latitude", ticket.latitude.as_ref(), 90.0)?,
        longitude_e6: field.degrees("longitude", ticket.longitude.as_ref(), 180.0)?,
        area: field.word("area", ticket.area.as_ref(), "AREA_", pb::Area::from_str_name)?,
        feeder: field.text("feeder", ticket.feeder.as_ref())?,
        transformer: field.text("transformer", ticket.transformer.as_ref())?,
    })
}

/// True if `unit` is a path within `operator` of at most six levels.
fn is_within(operator: &str, unit: &str) -> bool {
    let sound = |segment: &str| {
        !segment.is_empty()
            && segment.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
    };
    unit.strip_prefix(operator).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        && unit.split('/').all(sound)
        && unit.split('/').count() <= 6
}

/// Reads the fields of one row; every error names the field.
struct Fields<'f> {
    mapping: &'f Mapping,
    row: &'f Row<'f>,
}

impl Fields<'_> {
    fn text(&self, field: &str, template: Option<&Template>) -> Result<Option<String>, String> {
        let Some(template) = template else { return Ok(None) };
        let text = template.render(self.row).map_err(|problem| format!("{field}: {problem}"))?;
        Ok(Some(text).filter(|text| !text.trim().is_empty()))
    }

    fn read<T>(
        &self,
        field: &str,
        template: Option<&Template>,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, String> {
        let text = self.text(field, template)?;
        text.map(|text| read(text.trim()).map_err(|problem| format!("{field}: {problem}"))).transpose()
    }

    fn instant(&self, field: &str, template: Option<&Template>) -> Result<Option<Timestamp>, String> {
        self.read(field, template, |text| self.mapping.clock.read(text))
    }

    fn number(&self, field: &str, template: Option<&Template>) -> Result<Option<u32>, String> {
        self.read(field, template, |text| text.parse().map_err(|_| format!("{text:?} is no whole number")))
    }

    fn degrees(&self, field: &str, template: Option<&Template>, limit: f64) -> Result<Option<i32>, String> {
        self.read(field, template, |text| match text.parse::<f64>() {
            #[allow(clippy::cast_possible_truncation, reason = "the range was checked: at most 180,000,000")]
            Ok(degrees) if degrees.abs() <= limit => Ok((degrees * 1e6).round() as i32),
            _ => Err(format!("{text:?} is not a number of degrees up to {limit}")),
        })
    }

    /// Parses a word of the API: the name of an enum's value without its prefix, in lower case. Returns the default
    /// when the field is absent.
    fn word<E: Default>(
        &self,
        field: &str,
        template: Option<&Template>,
        prefix: &str,
        named: impl FnOnce(&str) -> Option<E>,
    ) -> Result<E, String> {
        let word = self.read(field, template, |text| {
            let name = format!("{prefix}{}", text.to_ascii_uppercase());
            named(&name).ok_or_else(|| format!("{text:?} is not a word of the API"))
        })?;
        Ok(word.unwrap_or_default())
    }
}
