//! Round trips: payloads, metadata and ids read back as they were written.

use chrono::{DateTime, SecondsFormat};
use proptest::prelude::*;
use switchboard_domain::{
    actor::{Actor, Role},
    crew,
    numbering::Reserved,
    organisation::OrgPath,
    ticket::{Event, event::Urged},
};
use switchboard_wire::{
    seal::{self, Place},
    stored::{DecodeError, Metadata, Stored, event_id},
};
use uuid::{Uuid, uuid};

use crate::draw::{any_event, crews};

const REQUEST: Uuid = uuid!("6ba7b810-9dad-41d1-80b4-00c04fd430c8");

proptest! {
    #[test]
    fn an_event_that_is_sealed_stored_read_and_opened_is_the_same_event(event in any_event(), key in any::<[u8; 32]>()) {
        let mut sealed = event.clone();
        let kind = sealed.kind();
        let place = |field| Place { stream: "ticket-1", kind, field };
        Stored::each_personal(&mut sealed, &mut |field, value| {
            let text = seal::seal(&key, 7, &place(field), value.plain().unwrap()).unwrap();
            *value = switchboard_domain::personal::Personal::Sealed(text);
        });
        let mut read = Event::read(kind, &sealed.payload().unwrap()).unwrap();
        prop_assert_eq!(&read, &sealed);
        Stored::each_personal(&mut read, &mut |field, value| {
            let switchboard_domain::personal::Personal::Sealed(text) = &*value else { panic!("{field} is not sealed") };
            *value = seal::open(&key, &place(field), text).unwrap().into();
        });
        prop_assert_eq!(read, event);
    }

    #[test]
    fn an_event_with_readable_personal_data_refuses_to_be_stored(event in any_event()) {
        let mut personal = 0;
        Stored::each_personal(&mut event.clone(), &mut |_, _| personal += 1);
        prop_assert_eq!(event.payload().is_err(), personal > 0);
    }

    #[test]
    fn an_event_of_a_crew_that_is_stored_and_read_is_the_same_event_and_holds_nothing_personal(event in crews::any_event()) {
        let read = crew::Event::read(event.kind(), &event.payload().unwrap()).unwrap();
        prop_assert_eq!(&read, &event);
        Stored::each_personal(&mut event.clone(), &mut |field, _| panic!("{field} is personal"));
    }

    #[test]
    fn no_bytes_at_all_make_reading_panic(kind in 0..Event::KINDS.len(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Event::read(Event::KINDS[kind], &bytes);
        let _ = crew::Event::read(crew::Event::KINDS[kind % crew::Event::KINDS.len()], &bytes);
        let _ = Metadata::from_json(&bytes);
    }
}

#[test]
fn a_reserved_block_of_numbers_goes_both_ways() {
    let reserved = Reserved { first: 1001, last: 2000 };
    let payload = reserved.payload().unwrap();
    assert_eq!(payload, br#"{"first":1001,"last":2000}"#);
    assert_eq!(Reserved::read(reserved.kind(), &payload), Ok(reserved));
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_the_kind() {
    assert_eq!(Event::read("ticket.sung.v1", b"{}"), Err(DecodeError::UnknownKind("ticket.sung.v1".into())));
    let unreadable = Event::read("ticket.urged.v1", br#"{"count":1}"#).unwrap_err();
    assert_eq!(unreadable.to_string(), "ticket.urged.v1 cannot be read: missing field `reason` at line 1 column 11");
    let bad_org = Event::read("ticket.accepted.v1", br#"{"by":"SGCC//"}"#);
    assert!(matches!(bad_org, Err(DecodeError::Malformed { kind, .. }) if kind == "ticket.accepted.v1"));
}

#[test]
fn the_refusal_to_store_readable_text_does_not_quote_it() {
    let refused = Event::from(Urged { count: 1, reason: "13812345678".into() }).payload().unwrap_err();
    assert!(!refused.to_string().contains("138"), "{refused}");
}

fn metadata() -> Metadata {
    let at = |text| DateTime::parse_from_rfc3339(text).unwrap().to_utc();
    Metadata {
        request_id: REQUEST,
        payload_hash: "00ff".into(),
        correlation_id: REQUEST,
        causation_id: Some(REQUEST),
        actor: Actor { id: "zhangsan@hz".into(), role: Role::Desk, org: OrgPath::parse("sgcc/zj/hz").unwrap() },
        occurred_at: at("2026-11-21T08:00:00+08:00"),
        recorded_at: at("2026-11-21T00:00:01.000002Z"),
    }
}

#[test]
fn metadata_is_written_in_one_form_for_ever() {
    let written = String::from_utf8(metadata().to_json().unwrap()).unwrap();
    assert_eq!(
        written,
        "{\"request_id\":\"6ba7b810-9dad-41d1-80b4-00c04fd430c8\",\"payload_hash\":\"00ff\",\
         \"correlation_id\":\"6ba7b810-9dad-41d1-80b4-00c04fd430c8\",\"causation_id\":\"6ba7b810-9dad-41d1-80b4-00c04fd430c8\",\
         \"actor\":{\"id\":\"zhangsan@hz\",\"role\":\"desk\",\"org\":\"sgcc/zj/hz\"},\
         \"occurred_at\":\"2026-11-21T00:00:00.000000Z\",\"recorded_at\":\"2026-11-21T00:00:01.000002Z\"}"
    );
    assert_eq!(Metadata::from_json(written.as_bytes()), Ok(metadata()));
}

#[test]
fn metadata_without_a_cause_leaves_it_out_and_a_field_of_a_newer_version_is_ignored() {
    let caused_by_nobody = Metadata { causation_id: None, ..metadata() };
    let written = String::from_utf8(caused_by_nobody.to_json().unwrap()).unwrap();
    assert!(!written.contains("causation_id"));
    let newer = written.replacen('{', "{\"newer\":1,", 1);
    assert_eq!(Metadata::from_json(newer.as_bytes()), Ok(caused_by_nobody));
    assert!(Metadata::from_json(b"{}").is_err());
}

#[test]
fn times_keep_their_microseconds() {
    let json = metadata().to_json().unwrap();
    let read = Metadata::from_json(&json).unwrap();
    assert_eq!(read.recorded_at.to_rfc3339_opts(SecondsFormat::Nanos, true), "2026-11-21T00:00:01.000002000Z");
}

#[test]
fn the_id_of_a_fact_derives_from_its_request_and_index_alone() {
    assert_eq!(event_id(REQUEST, 0), uuid!("974a19bb-20a3-5c30-8f29-8904f5dbe283"));
    assert_eq!(event_id(REQUEST, 10), uuid!("c8fa65fe-607a-5c56-a128-6d196ca3d71d"));
    assert_ne!(event_id(REQUEST, 0), event_id(Uuid::nil(), 0));
}
