//! A seal opens with its key in its place, and nowhere else. Erasure of keys is tested where keys are stored.

use std::collections::BTreeSet;

use proptest::prelude::*;
use switchboard_wire::seal::{HashKey, Place, SealError, key_id, keyed_hash, open, seal};

const KEY: [u8; 32] = [7; 32];
const PLACE: Place<'_> = Place { stream: "ticket-1", kind: "ticket.received.v1", field: "caller_phone" };

proptest! {
    #[test]
    fn any_text_comes_back_out_of_its_seal(text in ".{0,300}", id in any::<u64>(), key in any::<[u8; 32]>()) {
        let sealed = seal(&key, id, &PLACE, &text).unwrap();
        prop_assert_eq!(key_id(&sealed), Ok(id));
        prop_assert_eq!(open(&key, &PLACE, &sealed), Ok(text));
    }

    #[test]
    fn a_seal_with_any_byte_changed_does_not_open(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let sealed = seal(&KEY, 7, &PLACE, "13812345678").unwrap();
        let mut bytes = sealed.clone().into_bytes();
        let body = "1.7.".len();
        let at = body + at.index(bytes.len() - body);
        bytes[at] = to;
        if let Ok(text) = String::from_utf8(bytes) && text != sealed {
            prop_assert!(open(&KEY, &PLACE, &text).is_err());
        }
    }
}

#[test]
fn a_seal_opens_at_no_other_place_and_with_no_other_key() {
    let sealed = seal(&KEY, 7, &PLACE, "13812345678").unwrap();
    assert_eq!(open(&[8; 32], &PLACE, &sealed), Err(SealError::Mismatch));
    for place in [
        Place { stream: "ticket-2", ..PLACE },
        Place { kind: "ticket.received.v2", ..PLACE },
        Place { field: "caller_name", ..PLACE },
        // The same letters, split differently.
        Place { stream: "ticket-", kind: "1ticket.received.v1", ..PLACE },
    ] {
        assert_eq!(open(&KEY, &place, &sealed), Err(SealError::Mismatch), "{place:?}");
    }
}

#[test]
fn no_nonce_is_used_twice_on_any_thread() {
    let seal_many = || (0..1000).map(|_| seal(&KEY, 7, &PLACE, "x").unwrap()[..20].to_owned()).collect::<Vec<_>>();
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(seal_many)).collect();
    let seals: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert_eq!(seals.iter().collect::<BTreeSet<_>>().len(), seals.len());
}

#[test]
fn a_seal_made_by_the_first_version_opens_for_ever() {
    let sealed = "1.7.AAECAwQFBgcICQoLKbLRQS867XxBhd2FBMksujonxzzaEVsdGXJE";
    assert_eq!(open(&KEY, &PLACE, sealed), Ok("13812345678".into()));
}

#[test]
fn what_is_not_a_seal_is_called_malformed() {
    for text in [
        "",
        "1",
        "1.7",
        "1.x.AAAA",
        "2.7.AAAA",
        "1.7.",
        "1.7.AAAA",
        "1.7.!!!!",
        "1.-7.AAAA",
        "1.99999999999999999999.A",
    ] {
        assert_eq!(open(&KEY, &PLACE, text), Err(SealError::Malformed), "{text}");
    }
    assert_eq!(key_id("13812345678"), Err(SealError::Malformed));
}

#[test]
fn a_keyed_hash_depends_on_the_secret_and_on_where_the_parts_end() {
    let hash = HashKey::new(&KEY);
    assert_eq!(hash.hash(&[b"phone", b"13812345678"]), keyed_hash(&KEY, &[b"phone", b"13812345678"]));
    assert_eq!(
        hash.hash(&[b"phone", b"13812345678"]),
        "98b841a6569e1a87f11e2ab100bb3182fb2133df91d7ed315957182d42dc4a7f"
    );
    assert_ne!(hash.hash(&[b"ab", b"c"]), hash.hash(&[b"a", b"bc"]));
    assert_ne!(hash.hash(&[b"ab"]), hash.hash(&[b"ab", b""]));
    assert_ne!(keyed_hash(&[8; 32], &[b"ab"]), hash.hash(&[b"ab"]));
}
