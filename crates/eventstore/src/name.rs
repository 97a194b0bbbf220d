//! Stream names: `<category>-<id>`, for example `ticket-8f3a`.
//!
//! A name contains the category of a stream and its id. The categories are not defined here: a store accepts any
//! well-formed name. Never put personal data in a name, because names are stored in plain text and cannot be erased.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest stream name, in bytes, including the dash.
pub const STREAM_NAME_BYTES_MAX: usize = 128;

/// The name of a stream: a category, one dash, an id. Cheap to clone.
///
/// Both parts are non-empty and contain only ASCII lowercase letters, digits, `_`, `.` and `~`; the whole name has at
/// most [`STREAM_NAME_BYTES_MAX`] bytes. Every store, shell and URL can carry such a name without escaping, and the
/// first dash ends the category.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamName(Arc<str>);

/// The reason why a text is not a stream name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// The category or the id is empty.
    #[error("a stream name needs a category and an id")]
    Empty,
    /// The name is longer than [`STREAM_NAME_BYTES_MAX`].
    #[error("a stream name has at most {limit} bytes")]
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The name does not contain exactly one dash.
    #[error("a stream name has exactly one dash")]
    Dashes,
    /// A character outside lowercase ASCII letters, digits, `_`, `.` and `~`.
    #[error("a stream name cannot hold {found:?}")]
    Character {
        /// The first such character.
        found: char,
    },
}

impl StreamName {
    /// Joins a category and an id.
    pub fn new(category: &str, id: impl fmt::Display) -> Result<Self, InvalidName> {
        if category.is_empty() {
            return Err(InvalidName::Empty);
        }
        Self::parse(&format!("{category}-{id}"))
    }

    /// Parses a whole name.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        if text.len() > STREAM_NAME_BYTES_MAX {
            return Err(InvalidName::TooLong { limit: STREAM_NAME_BYTES_MAX });
        }
        let odd = |c: &char| !matches!(c, 'a'..='z' | '0'..='9' | '_' | '.' | '~' | '-');
        if let Some(found) = text.chars().find(odd) {
            return Err(InvalidName::Character { found });
        }
        let (category, id) =
            text.split_once('-').ok_or(if text.is_empty() { InvalidName::Empty } else { InvalidName::Dashes })?;
        if id.contains('-') {
            return Err(InvalidName::Dashes);
        }
        if category.is_empty() || id.is_empty() {
            return Err(InvalidName::Empty);
        }
        Ok(Self(text.into()))
    }

    /// The part before the dash.
    pub fn category(&self) -> &str {
        self.0.split_once('-').map_or("", |(category, _)| category)
    }

    /// The part after the dash.
    pub fn id(&self) -> &str {
        self.0.split_once('-').map_or("", |(_, id)| id)
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for StreamName {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::parse(text)
    }
}

/// Permits looking up a name by text in a map.
impl Borrow<str> for StreamName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn a_name_falls_into_category_and_id() {
        let name = StreamName::new("ticket", "8f3a.b_1").unwrap();
        assert_eq!((name.category(), name.id(), name.as_str()), ("ticket", "8f3a.b_1", "ticket-8f3a.b_1"));
        assert_eq!("ticket-8f3a.b_1".parse(), Ok(name));
    }

    #[test]
    fn a_malformed_name_is_refused_with_its_reason() {
        assert_eq!(StreamName::parse(""), Err(InvalidName::Empty));
        assert_eq!(StreamName::parse("-x"), Err(InvalidName::Empty));
        assert_eq!(StreamName::parse("ticket-"), Err(InvalidName::Empty));
        assert_eq!(StreamName::new("", "x"), Err(InvalidName::Empty));
        assert_eq!(StreamName::parse("ticket"), Err(InvalidName::Dashes));
        assert_eq!(StreamName::parse("ticket-a-b"), Err(InvalidName::Dashes));
        assert_eq!(StreamName::parse("Ticket-a"), Err(InvalidName::Character { found: 'T' }));
        let long = "a".repeat(STREAM_NAME_BYTES_MAX);
        assert_eq!(StreamName::new("ticket", long), Err(InvalidName::TooLong { limit: STREAM_NAME_BYTES_MAX }));
    }
}
