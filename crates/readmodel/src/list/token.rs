//! Page tokens: the end of a page, and the query that it belongs to. A token is opaque to callers, contains no personal
//! data and needs no memory in the server. It is not secret, and grants no access.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use switchboard_domain::{fingerprint::fingerprint, ticket::CaseFile};
use switchboard_views::ticket_list::{Datum, Order};

use super::Query;

/// The longest token, in bytes.
const TOKEN_BYTES_MAX: usize = 1024;
/// The first byte of a token.
const TOKEN_VERSION: u8 = 1;

/// The end of a page. The next page begins after it, whatever was written meanwhile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(super) key: Key,
    pub(super) opened: u64,
}

/// The sort key of the last row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// An instant, in microseconds since 1970.
    Time(i64),
    /// A ticket number.
    Text(String),
}

/// The text is not a token, or the token belongs to another filter, order or page size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the page token does not belong to these arguments")]
pub struct ForeignToken;

impl Cursor {
    /// The cursor after `row` in `order`.
    pub(super) fn at(row: &CaseFile, order: Order) -> Self {
        let key = match order.key.field().of(row) {
            Datum::Time(micros) => Key::Time(micros),
            Datum::Text(text) => Key::Text(text.into_owned()),
            Datum::Flag(_) | Datum::Nothing => Key::Text(String::new()),
        };
        Self { key, opened: row.opened }
    }
}

impl Query {
    /// The token with which a caller continues this query after `cursor`.
    #[must_use]
    pub fn token(&self, cursor: &Cursor) -> String {
        let mut bytes = vec![TOKEN_VERSION];
        bytes.extend(self.fingerprint().to_be_bytes());
        bytes.extend(cursor.opened.to_be_bytes());
        match &cursor.key {
            Key::Time(micros) => bytes.extend(micros.to_be_bytes()),
            Key::Text(text) => bytes.extend(text.as_bytes()),
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// This query, continued after `token`; from the beginning for an empty token.
    ///
    /// # Errors
    /// [`ForeignToken`] unless [`Self::token`] made the token for the same filter, order and page size.
    pub fn continued(self, token: &str) -> Result<Self, ForeignToken> {
        if token.is_empty() {
            return Ok(Self { after: None, ..self });
        }
        if token.len() > TOKEN_BYTES_MAX {
            return Err(ForeignToken);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| ForeignToken)?;
        let (version, rest) = bytes.split_first().ok_or(ForeignToken)?;
        let (asked, rest) = rest.split_first_chunk().ok_or(ForeignToken)?;
        let (opened, key) = rest.split_first_chunk().ok_or(ForeignToken)?;
        if *version != TOKEN_VERSION || u64::from_be_bytes(*asked) != self.fingerprint() {
            return Err(ForeignToken);
        }
        let key = if self.order.key.field().is_time() {
            Key::Time(i64::from_be_bytes(key.try_into().map_err(|_| ForeignToken)?))
        } else {
            Key::Text(String::from_utf8(key.to_vec()).map_err(|_| ForeignToken)?)
        };
        Ok(Self { after: Some(Cursor { key, opened: u64::from_be_bytes(*opened) }), ..self })
    }

    /// A fingerprint of the parts that must be the same for every page. Two spellings of one filter have the same
    /// fingerprint.
    fn fingerprint(&self) -> u64 {
        fingerprint(&[&self.filter.to_string(), &self.order.to_string(), &self.page_size.to_string()])
    }
}
