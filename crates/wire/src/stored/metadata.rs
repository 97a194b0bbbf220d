//! What stands beside every fact's payload: who, when, because of what. Personal data is absent from it by construction:
//! there is no field that could hold any.

use serde::{Deserialize, Serialize};
use switchboard_domain::{Timestamp, actor::Actor};
use uuid::Uuid;

use super::{DecodeError, EncodeError, parse, write};

/// The name under which errors speak of it.
const METADATA: &str = "metadata";

/// The metadata of one fact, stored as JSON. Times are RFC 3339 with microseconds and `Z`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The request that made the fact.
    pub request_id: Uuid,
    /// Keyed hash of the request's body, in hexadecimal digits: tells a repeated request from a reused id. Keyed because the
    /// plain hash of a phone number can be guessed.
    pub payload_hash: String,
    /// The first request of the chain of causes that this fact belongs to.
    pub correlation_id: Uuid,
    /// The fact that a process acted on, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<Uuid>,
    /// Who.
    pub actor: Actor,
    /// When it happened.
    #[serde(with = "micros")]
    pub occurred_at: Timestamp,
    /// When the engine learnt it.
    #[serde(with = "micros")]
    pub recorded_at: Timestamp,
}

impl Metadata {
    /// The stored form.
    ///
    /// # Errors
    /// [`EncodeError`] never in practice: every value of the type has a JSON form.
    pub fn to_json(&self) -> Result<Vec<u8>, EncodeError> {
        write(METADATA, self)
    }

    /// Reads the stored form. Unknown fields are ignored.
    ///
    /// # Errors
    /// [`DecodeError::Malformed`] for anything else.
    pub fn from_json(json: &[u8]) -> Result<Self, DecodeError> {
        parse(METADATA, json)
    }
}

/// Instants as RFC 3339 with exactly six digits of a second.
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
