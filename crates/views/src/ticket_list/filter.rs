//! The filter language of a list: terms joined by AND, each a field, a comparison and a value. It has no OR, no
//! brackets and no functions, on purpose: lists are requested often, and every term can use an index.
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

/// A filter: it selects the tickets for which every term holds. The empty filter selects all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

/// One term of a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The field to compare.
    pub field: Field,
    /// The comparison.
    pub comparison: Comparison,
    /// The value to compare with.
    pub value: Value,
}

/// The comparison of a field with a value. An empty field equals no value, so `!=` holds for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Equal; for a path, equal or within it.
    Equal,
    /// The opposite of [`Self::Equal`].
    NotEqual,
    /// Earlier than the value.
    Less,
    /// Not later than the value.
    LessOrEqual,
    /// Later than the value.
    Greater,
    /// Not earlier than the value.
    GreaterOrEqual,
}

/// The value of a term, in the form of its field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// True or false.
    Flag(bool),
    /// An instant in microseconds since 1970.
    Time(i64),
    /// A word of a closed list.
    Word(&'static str),
    /// A text, compared exactly.
    Text(String),
    /// A path. It equals itself and every path within it.
    Within(String),
}

/// The position and the kind of the first fault in a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilterError {
    /// Offset in the text, in bytes.
    pub at: usize,
    /// The kind of fault.
    pub problem: FilterProblem,
}

/// The kinds of fault in a filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FilterProblem {
    /// The filter is longer than [`FILTER_BYTES_MAX`].
    TooLong,
    /// The filter has more terms than [`FILTER_TERMS_MAX`].
    TooManyTerms,
    /// A term does not begin with the name of a field.
    NoField,
    /// No field has this name.
    UnknownField(String),
    /// No comparison follows the field.
    NoComparison(Field),
    /// The field permits only `=` and `!=`.
    NotOrdered(Field),
    /// No value follows the comparison.
    NoValue(Field),
    /// A quoted value does not end, or a backslash is followed by neither a quote nor a backslash.
    BadQuotes,
    /// The value does not have the form of the field.
    BadValue(Field),
    /// Two terms are not joined by `AND`.
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
    /// Parses a filter. An empty text selects every ticket.
    ///
    /// # Errors
    /// The first [`FilterError`], with its position.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parse::filter(text).map(|terms| Self { terms })
    }

    /// The terms.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// True when the filter selects the ticket with this case file. This method defines the filter language: every
    /// store of a list must give the same result.
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

/// True when the path `part` is `whole` or lies within it.
#[must_use]
pub fn is_within(whole: &str, part: &str) -> bool {
    part.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl Comparison {
    /// The operator sign in a filter.
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

/// Writes the canonical text. Parsing it gives an equal filter.
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

/// The text as a value, quoted if necessary.
fn quoted(text: &str) -> Cow<'_, str> {
    if text.is_empty() || text.chars().any(|c| c.is_whitespace() || c == '"') {
        Cow::Owned(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
    } else {
        Cow::Borrowed(text)
    }
}
