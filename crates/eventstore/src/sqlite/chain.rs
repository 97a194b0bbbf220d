//! The digest chain: the digest of each event covers the event and the digest before it.
//!
//! So a change anywhere in the log, by accident or on purpose, is detected at exactly that event. Someone able to
//! rewrite all later events could rewrite the digests as well. A digest that was recorded elsewhere detects that;
//! recording it is not a task of this crate.

use aws_lc_rs::digest::{SHA256, digest};
use uuid::Uuid;

/// SHA-256 over an event and its predecessor's digest.
pub(super) type Digest = [u8; 32];

/// The digest before the first event.
pub(super) const GENESIS: Digest = [0; 32];

/// The data that a digest covers, borrowed.
pub(super) struct Link<'a> {
    pub(super) position: u64,
    pub(super) stream: &'a str,
    pub(super) revision: u64,
    pub(super) id: Uuid,
    pub(super) kind: &'a str,
    pub(super) data: &'a [u8],
    pub(super) meta: &'a [u8],
}

impl Link<'_> {
    /// The digest of this event after `previous`. `scratch` is a buffer that is reused between calls.
    ///
    /// Order and widths: previous digest (32 bytes), position (8, big-endian), stream, revision (8), id (16), kind,
    /// data, meta. Texts and byte strings are preceded by their length (4 bytes).
    pub(super) fn digest(&self, previous: &Digest, scratch: &mut Vec<u8>) -> Digest {
        scratch.clear();
        scratch.extend_from_slice(previous);
        scratch.extend_from_slice(&self.position.to_be_bytes());
        prefixed(scratch, self.stream.as_bytes());
        scratch.extend_from_slice(&self.revision.to_be_bytes());
        scratch.extend_from_slice(self.id.as_bytes());
        prefixed(scratch, self.kind.as_bytes());
        prefixed(scratch, self.data);
        prefixed(scratch, self.meta);
        let mut out = GENESIS;
        out.copy_from_slice(digest(&SHA256, scratch).as_ref());
        out
    }
}

fn prefixed(scratch: &mut Vec<u8>, bytes: &[u8]) {
    // The limits of an event bound these lengths. If a stored one is longer, the digest does not match.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    scratch.extend_from_slice(&length.to_be_bytes());
    scratch.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn link<'a>(kind: &'a str, data: &'a [u8], meta: &'a [u8]) -> Link<'a> {
        Link { position: 1, stream: "ticket-1", revision: 0, id: Uuid::nil(), kind, data, meta }
    }

    #[test]
    fn moving_a_byte_over_a_border_changes_the_digest() {
        let mut scratch = Vec::new();
        let one = link("k", b"ab", b"c").digest(&GENESIS, &mut scratch);
        assert_ne!(one, link("k", b"a", b"bc").digest(&GENESIS, &mut scratch));
        assert_ne!(one, link("ka", b"b", b"c").digest(&GENESIS, &mut scratch));
        assert_ne!(one, link("k", b"ab", b"c").digest(&one, &mut scratch));
        assert_eq!(one, link("k", b"ab", b"c").digest(&GENESIS, &mut scratch));
    }

    /// The layout is part of the file format, so this value must never change.
    #[test]
    fn the_layout_of_a_digest_is_fixed() {
        let digest = link("ticket.received.v1", b"{}", b"[]").digest(&GENESIS, &mut Vec::new());
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "747c3e54dd404cebbadaf328c85b28e81d74c9cac203a311ca71dd3488ead63d");
    }
}
