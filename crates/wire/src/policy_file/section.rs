//! Tables of a policy file and their places in the text. What is missing, unknown or of another type is noted here, and reading
//! goes on with something of the right type, so that all faults are found at once. No word about clocks.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{FAULTS_MAX, near};
use crate::faults::Fault;

/// A value and where it stands.
pub(super) type Value<'d> = &'d Spanned<DeValue<'d>>;

/// A table and where it begins.
#[derive(Clone, Copy)]
pub(super) struct Section<'d> {
    pub(super) table: &'d DeTable<'d>,
    pub(super) at: usize,
}

impl<'d> Section<'d> {
    /// The table that `value` is, if it is one.
    pub(super) fn of(value: Value<'d>) -> Option<Self> {
        value.get_ref().as_table().map(|table| Self { table, at: value.span().start })
    }

    pub(super) fn get(self, key: &str) -> Option<Value<'d>> {
        self.table.get(key)
    }
}

/// What was found so far. Places are offsets into the text.
pub(super) struct Reader {
    found: Vec<(usize, String)>,
    /// Where each line of the text ends.
    ends: Vec<usize>,
}

impl Reader {
    pub(super) fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at);
        Self { found: Vec::new(), ends: ends.collect() }
    }

    /// The line, from 1, in which the byte at `at` stands.
    pub(super) fn line(&self, at: usize) -> usize {
        1 + self.ends.partition_point(|end| *end < at)
    }

    pub(super) fn fault(&mut self, at: usize, reason: impl Into<String>) {
        self.found.push((at, reason.into()));
    }

    /// What `read` makes, unless it found a fault.
    pub(super) fn whole<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let before = self.found.len();
        let made = read(self);
        (self.found.len() == before).then_some(made)
    }

    /// In the order of the lines.
    pub(super) fn into_faults(mut self) -> Vec<Fault> {
        self.found.sort_by_key(|(at, _)| *at);
        self.found.dedup();
        let told = self.found.iter().take(FAULTS_MAX);
        let mut faults: Vec<Fault> =
            told.map(|(at, reason)| Fault { line: self.line(*at), reason: reason.clone() }).collect();
        if let Some((at, _)) = self.found.get(FAULTS_MAX) {
            let reason = format!("from here on {} more are not told", self.found.len() - FAULTS_MAX);
            faults.push(Fault { line: self.line(*at), reason });
        }
        faults
    }

    /// Faults every key but these.
    pub(super) fn only(&mut self, section: Section<'_>, keys: &[&str]) {
        for key in section.table.keys().filter(|key| !keys.contains(&key.get_ref().as_ref())) {
            let reason = format!("{}: unknown key; {}", near::quoted(key.get_ref()), near::known(key.get_ref(), keys));
            self.fault(key.span().start, reason);
        }
    }

    pub(super) fn field<'d>(&mut self, section: Section<'d>, key: &str) -> Option<Value<'d>> {
        let found = section.get(key);
        if found.is_none() {
            self.fault(section.at, format!("{key} is missing"));
        }
        found
    }

    pub(super) fn expected(&mut self, key: &str, wanted: &str, value: Value<'_>) {
        let found = value.get_ref().type_str();
        self.fault(value.span().start, format!("{key}: {wanted} is expected, not a value of type {found}"));
    }

    /// A required string.
    pub(super) fn text(&mut self, section: Section<'_>, key: &str) -> String {
        let Some(value) = self.field(section, key) else { return String::new() };
        self.string(key, value).unwrap_or_default().to_owned()
    }

    /// The string that `value` is.
    pub(super) fn string<'d>(&mut self, key: &str, value: Value<'d>) -> Option<&'d str> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.expected(key, "a string", value);
        }
        text
    }

    /// The entries of the list that `value` is; none when it is no list.
    pub(super) fn entries<'d>(&mut self, key: &str, value: Value<'d>) -> impl Iterator<Item = Value<'d>> + use<'d> {
        let list = value.get_ref().as_array();
        if list.is_none() {
            self.expected(key, "a list in [ ]", value);
        }
        list.into_iter().flat_map(|list| list.iter())
    }

    /// The tables under `[[key]]`; none when there is no such key.
    pub(super) fn sections<'d>(&mut self, top: Section<'d>, key: &str) -> Vec<Section<'d>> {
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
}
