//! The orders of a list. Ties are settled by the position of a ticket's first fact, so every order is total and stable.

use std::{cmp::Ordering, fmt};

use switchboard_domain::ticket::CaseFile;

use super::field::Field;

/// What a list is ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderKey {
    /// When the customer reported.
    ReceivedAt,
    /// When the last fact happened.
    UpdatedAt,
    /// The number, as text.
    Number,
}

impl OrderKey {
    /// The field that it reads.
    #[must_use]
    pub fn field(self) -> Field {
        match self {
            Self::ReceivedAt => Field::ReceivedAt,
            Self::UpdatedAt => Field::UpdatedAt,
            Self::Number => Field::Number,
        }
    }
}

/// How a list is ordered. The default is the latest report first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    /// By what.
    pub key: OrderKey,
    /// From the greatest to the least.
    pub descending: bool,
}

/// The text names no order.
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
    /// Reads an order; an empty text is the default one.
    ///
    /// # Errors
    /// [`UnknownOrder`] for any other text than its own wording describes.
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

    /// Which of two tickets comes first.
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
