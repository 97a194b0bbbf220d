//! Templates: text that contains `{column}`, where each column may be followed by filters for its value, as in
//! `outages/{region|regions}/{place|first|slug}`. Absent: nesting, and literal braces.

use std::{collections::BTreeMap, sync::Arc};

use csv::StringRecord;

/// Value tables by name.
type Tables = BTreeMap<String, Arc<BTreeMap<String, String>>>;

/// The table key that stands for any other value. In a table without it, a value that is not listed makes the row bad.
pub const ANYTHING_ELSE: &str = "*";

/// A row of a file with the index of each column.
#[derive(Clone, Copy, Debug)]
pub struct Row<'r> {
    /// The index of each column by name.
    pub places: &'r BTreeMap<String, usize>,
    /// The fields of the row.
    pub fields: &'r StringRecord,
}

impl<'r> Row<'r> {
    /// Returns the trimmed value of a column; empty when the row or the file has none.
    #[must_use]
    pub fn get(&self, column: &str) -> &'r str {
        self.places.get(column).and_then(|&place| self.fields.get(place)).unwrap_or_default().trim()
    }
}

/// A parsed template: literal text and columns with filters.
#[derive(Clone, Debug)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Column { name: String, filters: Vec<Filter> },
}

/// A transformation of a column's value.
#[derive(Clone, Debug)]
enum Filter {
    /// `or:TEXT`: TEXT, if the value is empty.
    Or(String),
    /// `first`: the text before the first comma.
    First,
    /// `slug`: the value as a segment of a unit's path, in lower case, with one dash for each run of other characters
    /// than letters and digits.
    Slug,
    /// `spread:N`: a number from 1 to N, derived from a hash of the value.
    Spread(u64),
    /// `NAME`: the value's entry in the table of that name.
    Table(String, Arc<BTreeMap<String, String>>),
}

impl Template {
    /// Parses `text`; `tables` are the value tables that it may name.
    ///
    /// # Errors
    /// The problem in words.
    pub fn parse(text: &str, tables: &Tables) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (inside, next) = after.split_once('}').ok_or_else(|| format!("a brace stays open in {text:?}"))?;
            let mut words = inside.split('|');
            let name = words.next().unwrap_or_default().trim().to_owned();
            if name.is_empty() || inside.contains('{') {
                return Err(format!("{{{inside}}} names no column in {text:?}"));
            }
            let filters = words.map(|word| Filter::parse(word.trim(), tables)).collect::<Result<_, _>>()?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(Part::Column { name, filters });
            rest = next;
        }
        if rest.contains('}') {
            return Err(format!("a brace closes that was not open in {text:?}"));
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// Returns the columns that the template names.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Column { name, .. } => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Renders the text for `row`.
    ///
    /// # Errors
    /// The column and its value that has no entry in its table.
    pub fn render(&self, row: &Row<'_>) -> Result<String, String> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(piece) => text.push_str(piece),
                Part::Column { name, filters } => {
                    let value = filters.iter().try_fold(row.get(name).to_owned(), |value, filter| filter.apply(value));
                    text.push_str(&value.map_err(|problem| format!("column {name}: {problem}"))?);
                }
            }
        }
        Ok(text)
    }
}

impl Filter {
    fn parse(word: &str, tables: &Tables) -> Result<Self, String> {
        match word.split_once(':') {
            Some(("or", text)) => Ok(Self::Or(text.to_owned())),
            Some(("spread", number)) => match number.parse() {
                Ok(0) | Err(_) => Err(format!("spread:{number} needs a number from 1")),
                Ok(number) => Ok(Self::Spread(number)),
            },
            None if word == "first" => Ok(Self::First),
            None if word == "slug" => Ok(Self::Slug),
            _ => tables.get(word).map(|table| Self::Table(word.to_owned(), Arc::clone(table))).ok_or_else(|| {
                let known: Vec<_> = tables.keys().map(String::as_str).collect();
                format!(
                    "{word:?} is no filter (or:TEXT, first, slug, spread:N) and no table; tables: {}",
                    known.join(", ")
                )
            }),
        }
    }

    fn apply(&self, value: String) -> Result<String, String> {
        Ok(match self {
            Self::Or(text) if value.is_empty() => text.clone(),
            Self::Or(_) => value,
            Self::First => value.split(',').next().unwrap_or_default().trim().to_owned(),
            Self::Slug => slug(&value),
            Self::Spread(n) => {
                let hash = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, value.as_bytes()).as_u64_pair().0;
                (hash % n + 1).to_string()
            }
            Self::Table(name, table) => table
                .get(&value)
                .or_else(|| table.get(ANYTHING_ELSE))
                .cloned()
                .ok_or_else(|| format!("{value:?} is not in table {name}"))?,
        })
    }
}

/// Converts a value to a segment of a unit's path.
fn slug(value: &str) -> String {
    let words = value.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-")
}
