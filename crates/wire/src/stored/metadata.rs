//! The metadata of a fact: actor, instants and cause. It has no field for personal data.

use serde::{Deserialize, Serialize};
use switchboard_domain::{Timestamp, actor::Actor};
use uuid::Uuid;

use super::{DecodeError, EncodeError, parse, write};

/// The name of the metadata in error messages.
const METADATA: &str = "metadata";

/// The metadata of one fact, stored as JSON. Times are RFC 3339 with microseconds and `Z`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The request that made the fact.
    pub request_id: Uuid,
    /// Keyed hash of the request's body, in hexadecimal. It distinguishes a repeated request from a reused id. A plain
    /// hash would allow guessing a phone number.
    pub payload_hash: String,
    /// The first request in the chain of causes.
    pub correlation_id: Uuid,
    /// The fact that a process reacted to, if a process caused this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Uuid>,
    /// The actor.
    pub actor: Actor,
    /// The instant at which it happened.
    #[serde(with = "micros")]
    pub occurred_at: Timestamp,
    /// The instant at which the engine recorded it.
    #[serde(with = "micros")]
    pub recorded_at: Timestamp,
}

impl Metadata {
    /// The stored form.
    ///
    /// # Errors
    /// [`EncodeError`] does not occur in practice: every value has a JSON form.
    pub fn to_json(&self) -> Result<Vec<u8>, EncodeError> {
        write(METADATA, self)
    }

    /// Reads the stored form. Unknown fields are ignored.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] for an invalid form.
    pub fn from_json(json: &[u8]) -> Result<Self, DecodeError> {
        parse(METADATA, json)
    }
}

/// Instants as RFC 3339 with six decimals.
mod micros {
    use chrono::{DateTime, SecondsFormat, Utc};
    use serde::{Deserializer, Serializer, de};
    use switchboard_domain::Timestamp;

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::Micros, true))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        struct Instant;
        impl de::Visitor<'_> for Instant {
            type Value = Timestamp;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an instant in RFC 3339")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                DateTime::parse_from_rfc3339(text).map(|at| at.with_timezone(&Utc)).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Instant)
    }
}
