//! Conversion of the domain's words, times and actors to protobuf and back. Views are not converted here; the server
//! does that.

mod dispatch;
mod fact;
mod words;

use prost_types::Timestamp as WireTimestamp;
use switchboard_domain::{
    Timestamp,
    actor::Actor,
    ticket::{ExternalRef, Place},
};

pub use self::{
    dispatch::{Brief, brief, position, skills},
    fact::fact_json,
    words::{UnknownWord, Word, maybe_word, word},
};
use crate::proto;

/// 0001-01-01T00:00:00Z in seconds: the earliest instant that protobuf permits.
const SECONDS_MIN: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59Z in seconds: the latest.
const SECONDS_MAX: i64 = 253_402_300_799;

/// An instant in protobuf.
#[must_use]
pub fn timestamp(at: Timestamp) -> WireTimestamp {
    // chrono counts a leap second in the nanoseconds; protobuf has none, so it becomes the last instant before
    // midnight.
    let nanos = at.timestamp_subsec_nanos().min(999_999_999);
    WireTimestamp { seconds: at.timestamp(), nanos: nanos.cast_signed() }
}

/// A protobuf time truncated to microseconds, the resolution of the store; `None` outside the years 1 to 9999 or with
/// nanoseconds outside a second.
#[must_use]
pub fn instant(at: &WireTimestamp) -> Option<Timestamp> {
    let nanos = u32::try_from(at.nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
    let seconds = Some(at.seconds).filter(|seconds| (SECONDS_MIN..=SECONDS_MAX).contains(seconds))?;
    Timestamp::from_timestamp(seconds, nanos / 1000 * 1000)
}

/// An actor in protobuf.
#[must_use]
pub fn actor(actor: &Actor) -> proto::Actor {
    proto::Actor { id: actor.id.clone(), role: actor.role.as_str().into(), org: actor.org.as_str().into() }
}

/// A place in protobuf.
#[must_use]
pub fn place(place: &Place) -> proto::Place {
    proto::Place {
        area: maybe_word(place.area),
        feeder: place.feeder.clone(),
        transformer: place.transformer.clone(),
        latitude_e6: place.location_e6.map(|(latitude, _)| latitude),
        longitude_e6: place.location_e6.map(|(_, longitude)| longitude),
    }
}

/// A number of another system in protobuf.
#[must_use]
pub fn external(external: &ExternalRef) -> proto::ExternalRef {
    proto::ExternalRef { issuer: external.issuer.clone(), value: external.value.clone() }
}
