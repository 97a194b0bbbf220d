//! The filter language of a list: terms joined by AND, each a field, a comparison and a value. It has no OR, no brackets
//! and no functions, on purpose: a list is asked for often, and every term can use an index.
//!
//! ```text
//! filter     = [ term *( "AND" term ) ]
//! term       = field comparison value
//! comparison = "=" / "!=" / "<" / "<=" / ">" / ">="        ; the last four for times
//! value      = 1*(any but white space and '"') / '"' *(any but '"' and '\' / '\"' / '\\') '"'
//! ```

mod parse;

use std::{borrow::Cow, fmt};

use switchboard_domain::ticket::CaseFile;

use super::field::{Datum, Field};

/// The longest filter, in bytes.
pub const FILTER_BYTES_MAX: usize = 4096;
/// The most terms of a filter.
pub const FILTER_TERMS_MAX: usize = 32;

/// Which rows are wanted: those for which every term holds. The empty filter wants all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

/// One term of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// What is looked at.
    pub field: Field,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub value: Value,
}

/// How a field is compared with a value. A field that holds nothing equals nothing, so `!=` is true of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Is it; of a path, is it or lies within it.
    Equal,
    /// The opposite of [`Self::Equal`].
    NotEqual,
    /// Before.
    Less,
    /// Not after.
    LessOrEqual,
    /// After.
    Greater,
    /// Not before.
    GreaterOrEqual,
}

/// What a field is compared with, already of the field's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// An instant in microseconds since 1970.
    Time(i64),
    /// A word of a closed list.
    Word(&'static str),
    /// A text, compared as it stands.
    Text(String),
    /// A path: equal is the path itself and everything below it.
    Within(String),
}

/// Where a filter cannot be read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// Offset in the text, in bytes.
    pub at: usize,
    /// What is wrong there.
    pub problem: FilterProblem,
}

/// What can be wrong with a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterProblem {
    /// More than [`FILTER_BYTES_MAX`].
    TooLong,
    /// More than [`FILTER_TERMS_MAX`].
    TooManyTerms,
    /// A term begins with a field's name; nothing of that kind is here.
    NoField,
    /// There is no such field.
    UnknownField(String),
    /// A comparison must follow the field.
    NoComparison(Field),
    /// This field only takes `=` and `!=`.
    NotOrdered(Field),
    /// A value must follow the comparison.
    NoValue(Field),
    /// A quoted value does not end, or a backslash stands before something else than a quote or a backslash.
    BadQuotes,
    /// The value is not of the field's form.
    BadValue(Field),
    /// Terms are joined by `AND`.
    NoAnd,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: ", self.at)?;
        match &self.problem {
            FilterProblem::TooLong => write!(f, "a filter has at most {FILTER_BYTES_MAX} bytes"),
            FilterProblem::TooManyTerms => write!(f, "a filter has at most {FILTER_TERMS_MAX} terms"),
            FilterProblem::NoField => f.write_str("a field's name is expected"),
            FilterProblem::UnknownField(name) => {
                let known: Vec<&str> = Field::ALL.iter().map(|field| field.as_str()).collect();
                write!(f, "there is no field `{name}`; the fields are {}", known.join(", "))
            }
            FilterProblem::NoComparison(field) if field.is_time() => {
                write!(f, "one of = != < <= > >= is expected after {}", field.as_str())
            }
            FilterProblem::NoComparison(field) => write!(f, "= or != is expected after {}", field.as_str()),
            FilterProblem::NotOrdered(field) => write!(f, "{} only takes = and !=", field.as_str()),
            FilterProblem::NoValue(field) => write!(f, "a value is expected for {}", field.as_str()),
            FilterProblem::BadQuotes => f.write_str("a quoted value ends with \"; inside it write \\\" and \\\\"),
            FilterProblem::BadValue(field) => write!(f, "{} is {}", field.as_str(), field.form()),
            FilterProblem::NoAnd => f.write_str("terms are joined by AND"),
        }
    }
}

impl std::error::Error for FilterError {}

impl Filter {
    /// Reads a filter; an empty text wants every row.
    ///
    /// # Errors
    /// The first [`FilterError`], with its place.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parse::filter(text).map(|terms| Self { terms })
    }

    /// Its terms.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// Whether the ticket with this case file is wanted. This is what the language means; every keeper of a list
    /// answers the same.
    #[must_use]
    pub fn matches(&self, file: &CaseFile) -> bool {
        self.terms.iter().all(|term| term.holds(file))
    }
}

impl Term {
    fn holds(&self, file: &CaseFile) -> bool {
        let seen = self.field.of(file);
        let equal = match (&self.value, &seen) {
            (Value::Time(wanted), Datum::Time(seen)) => return self.comparison.holds(*seen, *wanted),
            (Value::Flag(wanted), Datum::Flag(seen)) => wanted == seen,
            (Value::Word(wanted), Datum::Text(seen)) => wanted == seen,
            (Value::Text(wanted), Datum::Text(seen)) => wanted == seen,
            (Value::Within(wanted), Datum::Text(seen)) => is_within(wanted, seen),
            _ => false,
        };
        equal == (self.comparison == Comparison::Equal)
    }
}

/// Whether the path `part` is the path `whole` or lies below it.
#[must_use]
pub fn is_within(whole: &str, part: &str) -> bool {
    part.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Comparison {
    /// The sign.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    fn holds(self, seen: i64, wanted: i64) -> bool {
        match self {
            Self::Equal => seen == wanted,
            Self::NotEqual => seen != wanted,
            Self::Less => seen < wanted,
            Self::LessOrEqual => seen <= wanted,
            Self::Greater => seen > wanted,
            Self::GreaterOrEqual => seen >= wanted,
        }
    }
}

/// The canonical text: reading it gives the same filter.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            let joint = if index == 0 { "" } else { " AND " };
            write!(f, "{joint}{} {} {}", term.field.as_str(), term.comparison.as_str(), term.value)?;
        }
        Ok(())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Time(micros) => f.write_str(&parse::time_text(*micros)),
            Self::Word(word) => f.write_str(word),
            Self::Text(text) | Self::Within(text) => f.write_str(&quoted(text)),
        }
    }
}

/// The text as a value, in quotes where it needs them.
fn quoted(text: &str) -> Cow<'_, str> {
    if text.is_empty() || text.chars().any(|c| c.is_whitespace() || c == '"') {
        Cow::Owned(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
    } else {
        Cow::Borrowed(text)
    }
}
