//! The orders of a list. The position of a ticket's first fact breaks ties, so every order is total and stable.

use std::{cmp::Ordering, fmt};

use switchboard_domain::ticket::CaseFile;

use super::field::Field;

/// The key by which a list is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderKey {
    /// The instant of the customer's report.
    ReceivedAt,
    /// The instant of the last fact.
    UpdatedAt,
    /// The ticket number, compared as text.
    Number,
}

impl OrderKey {
    /// The field that has this key.
    #[must_use]
    pub fn field(self) -> Field {
        match self {
            Self::ReceivedAt => Field::ReceivedAt,
            Self::UpdatedAt => Field::UpdatedAt,
            Self::Number => Field::Number,
        }
    }
}

/// The order of a list. The default is the latest report first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    /// The sort key.
    pub key: OrderKey,
    /// True for descending order.
    pub descending: bool,
}

/// The text is not an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownOrder;

impl fmt::Display for UnknownOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("received_at, updated_at or number, with ` desc` for the reverse")
    }
}

impl std::error::Error for UnknownOrder {}

impl Default for Order {
    fn default() -> Self {
        Self { key: OrderKey::ReceivedAt, descending: true }
    }
}

impl Order {
    /// Parses an order. An empty text gives the default.
    ///
    /// # Errors
    /// [`UnknownOrder`] for any other text that does not have the form that its `Display` describes.
    pub fn parse(text: &str) -> Result<Self, UnknownOrder> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (name, descending) = match words[..] {
            [] => return Ok(Self::default()),
            [name] => (name, false),
            [name, "desc"] => (name, true),
            _ => return Err(UnknownOrder),
        };
        let key = match name {
            "received_at" => OrderKey::ReceivedAt,
            "updated_at" => OrderKey::UpdatedAt,
            "number" => OrderKey::Number,
            _ => return Err(UnknownOrder),
        };
        Ok(Self { key, descending })
    }

    /// Compares two tickets; the lesser one comes first.
    #[must_use]
    pub fn compare(self, a: &CaseFile, b: &CaseFile) -> Ordering {
        let field = self.key.field();
        let ascending = field.of(a).cmp(&field.of(b)).then(a.opened.cmp(&b.opened));
        if self.descending { ascending.reverse() } else { ascending }
    }
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.key.field().as_str(), if self.descending { " desc" } else { "" })
    }
}
