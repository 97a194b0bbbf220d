//! A reader for the tables of a file that a person wrote, with offsets into the text. A missing, unknown or mistyped
//! value is reported and replaced by a placeholder, so that all faults are found at once. The contents are not
//! interpreted here.
//!
//! - `near`: suggestions for an unknown word

mod near;

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

pub(crate) use self::near::quoted;
use crate::faults::{FAULTS_MAX, Fault};

/// A value with its offsets.
pub type Value<'d> = &'d Spanned<DeValue<'d>>;

/// A table and its offset.
#[derive(Clone, Copy, Debug)]
pub struct Section<'d> {
    /// The table.
    pub table: &'d DeTable<'d>,
    /// The offset of its beginning.
    pub at: usize,
}

impl<'d> Section<'d> {
    /// The table in `value`; `None` when it is not a table.
    #[must_use]
    pub fn of(value: Value<'d>) -> Option<Self> {
        value.get_ref().as_table().map(|table| Self { table, at: value.span().start })
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Value<'d>> {
        self.table.get(key)
    }
}

/// The faults found so far. Places are offsets into the text.
#[derive(Debug)]
pub struct Reader {
    found: Vec<(usize, String)>,
    /// The offset of the end of each line.
    ends: Vec<usize>,
}

impl Reader {
    fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at);
        Self { found: Vec::new(), ends: ends.collect() }
    }

    /// The line, from 1, of the byte at `at`.
    #[must_use]
    pub fn line(&self, at: usize) -> usize {
        1 + self.ends.partition_point(|end| *end < at)
    }

    /// Adds a fault at an offset.
    pub fn fault(&mut self, at: usize, reason: impl Into<String>) {
        self.found.push((at, reason.into()));
    }

    /// The result of `read`, or `None` if it found a fault.
    pub fn whole<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let before = self.found.len();
        let made = read(self);
        (self.found.len() == before).then_some(made)
    }

    /// The faults, in the order of the lines.
    fn into_faults(mut self) -> Vec<Fault> {
        self.found.sort_by_key(|(at, _)| *at);
        self.found.dedup();
        let shown = self.found.iter().take(FAULTS_MAX);
        let mut faults: Vec<Fault> =
            shown.map(|(at, reason)| Fault { line: self.line(*at), reason: reason.clone() }).collect();
        if let Some((at, _)) = self.found.get(FAULTS_MAX) {
            let reason = format!("from here on {} more are not told", self.found.len() - FAULTS_MAX);
            faults.push(Fault { line: self.line(*at), reason });
        }
        faults
    }

    /// Reports every key that is not in `keys`.
    pub fn only(&mut self, section: Section<'_>, keys: &[&str]) {
        for key in section.table.keys().filter(|key| !keys.contains(&key.get_ref().as_ref())) {
            let reason = format!("{}: unknown key; {}", near::quoted(key.get_ref()), near::known(key.get_ref(), keys));
            self.fault(key.span().start, reason);
        }
    }

    /// Reads the value of a required key.
    pub fn field<'d>(&mut self, section: Section<'d>, key: &str) -> Option<Value<'d>> {
        let found = section.get(key);
        if found.is_none() {
            self.fault(section.at, format!("{key} is missing"));
        }
        found
    }

    /// Reports that `value` has another type than the expected one.
    pub fn expected(&mut self, key: &str, wanted: &str, value: Value<'_>) {
        let found = value.get_ref().type_str();
        self.fault(value.span().start, format!("{key}: {wanted} is expected, not a value of type {found}"));
    }

    /// Reads a required string.
    pub fn text(&mut self, section: Section<'_>, key: &str) -> String {
        let Some(value) = self.field(section, key) else { return String::new() };
        self.string(key, value).unwrap_or_default().to_owned()
    }

    /// Reads `value` as a string.
    pub fn string<'d>(&mut self, key: &str, value: Value<'d>) -> Option<&'d str> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.expected(key, "a string", value);
        }
        text
    }

    /// The entries of the list `value`; empty when it is not a list.
    pub fn entries<'d>(&mut self, key: &str, value: Value<'d>) -> impl Iterator<Item = Value<'d>> + use<'d> {
        let list = value.get_ref().as_array();
        if list.is_none() {
            self.expected(key, "a list in [ ]", value);
        }
        list.into_iter().flat_map(|list| list.iter())
    }

    /// The tables under `[[key]]`; empty when there is no such key.
    pub fn sections<'d>(&mut self, top: Section<'d>, key: &str) -> Vec<Section<'d>> {
        let Some(value) = top.get(key) else { return Vec::new() };
        let mut found = Vec::new();
        for entry in self.entries(key, value) {
            match Section::of(entry) {
                Some(section) => found.push(section),
                None => self.expected(key, &format!("[[{key}]]"), entry),
            }
        }
        found
    }

    /// Reads `value` as one of the words in `all`.
    pub fn word<T: Copy>(&mut self, key: &str, value: Value<'_>, all: &[(&str, T)]) -> Option<T> {
        let text = self.string(key, value)?;
        let found = all.iter().find(|(name, _)| *name == text).map(|(_, word)| *word);
        if found.is_none() {
            let names: Vec<&str> = all.iter().map(|(name, _)| *name).collect();
            let reason = format!("{key}: {} is not known; {}", near::quoted(text), near::known(text, &names));
            self.fault(value.span().start, reason);
        }
        found
    }

    /// Parses the string `value`; a failure is reported with the expected form.
    pub fn parsed<T>(
        &mut self,
        key: &str,
        value: Value<'_>,
        parse: impl Fn(&str) -> Option<T>,
        form: &str,
    ) -> Option<T> {
        let text = self.string(key, value)?;
        let made = parse(text);
        if made.is_none() {
            self.fault(value.span().start, format!("{key}: {} is not of the form: {form}", near::quoted(text)));
        }
        made
    }
}

/// Reads a TOML text with `read`. Returns its result, or all faults.
///
/// # Errors
/// All faults, in the order of the lines: at most [`FAULTS_MAX`], and one entry that says how many more there are. A
/// text that is not TOML gets TOML's faults only.
pub fn read_whole<T>(text: &str, read: impl FnOnce(&mut Reader, Section<'_>) -> T) -> Result<T, Vec<Fault>> {
    let (document, errors) = DeTable::parse_recoverable(text);
    let mut reader = Reader::new(text);
    for error in &errors {
        reader.fault(error.span().map_or(0, |span| span.start), error.message());
    }
    if !errors.is_empty() {
        return Err(reader.into_faults());
    }
    let made = read(&mut reader, Section { table: document.get_ref(), at: 0 });
    let faults = reader.into_faults();
    if faults.is_empty() { Ok(made) } else { Err(faults) }
}
