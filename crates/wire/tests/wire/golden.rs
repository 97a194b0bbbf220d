//! `tests/golden` holds every kind ever shipped, one file each, with every optional field present. A file is never edited
//! except to add a new optional field; the fact that it stands for is already in somebody's log.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::Value;
use switchboard_domain::{actor::Role, numbering::Reserved, personal::Personal, ticket::*};
use switchboard_wire::stored::{Stored, known_kinds};

use crate::draw::{Draw, MAKERS};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Kind and payload of every golden file.
fn golden() -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    files
        .map(|path| {
            let kind = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (kind, fs::read(path).unwrap().trim_ascii_end().to_vec())
        })
        .collect()
}

/// One event of every kind, everything present, as it would be stored.
fn complete() -> Vec<(&'static str, String)> {
    let sealed = |event: &mut Event| {
        Stored::each_personal(event, &mut |_, value| *value = Personal::Sealed("1.42.c2VhbGVk".into()));
    };
    let mut all: Vec<_> = MAKERS
        .iter()
        .map(|make| {
            let mut event = make(&mut Draw::full());
            sealed(&mut event);
            (event.kind(), String::from_utf8(event.payload().unwrap()).unwrap())
        })
        .collect();
    let reserved = Reserved { first: 1, last: 1000 };
    all.push((reserved.kind(), String::from_utf8(reserved.payload().unwrap()).unwrap()));
    all
}

/// Reads a payload and writes it again under the kind of today.
fn rewritten(kind: &str, payload: &[u8]) -> (&'static str, Vec<u8>) {
    if kind.starts_with("numbering.") {
        let event = Reserved::read(kind, payload).unwrap();
        (event.kind(), event.payload().unwrap())
    } else {
        let event = Event::read(kind, payload).unwrap();
        (event.kind(), event.payload().unwrap())
    }
}

/// The paths of all fields, nested ones included.
fn fields(payload: &[u8]) -> BTreeSet<String> {
    fn walk(path: &str, value: &Value, found: &mut BTreeSet<String>) {
        if let Value::Object(object) = value {
            for (name, value) in object {
                let path = format!("{path}.{name}");
                walk(&path, value, found);
                found.insert(path);
            }
        }
    }
    let mut found = BTreeSet::new();
    walk("", &serde_json::from_slice(payload).unwrap(), &mut found);
    found
}

#[test]
fn every_kind_is_drawn_and_has_a_golden_file_with_every_field() {
    let complete = complete();
    assert_eq!(complete.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), known_kinds().collect::<Vec<_>>());
    let golden = golden();
    for (kind, payload) in complete {
        let file = golden.iter().find(|(name, _)| name == kind);
        let (_, shipped) =
            file.unwrap_or_else(|| panic!("tests/golden/{kind}.json is missing, for example: {payload}"));
        let absent: Vec<_> = fields(payload.as_bytes()).difference(&fields(shipped)).cloned().collect();
        assert!(absent.is_empty(), "tests/golden/{kind}.json does not show {absent:?}");
    }
}

#[test]
fn every_kind_ever_shipped_reads_and_a_kind_of_today_is_written_back_byte_for_byte() {
    for (kind, payload) in golden() {
        let (written_as, written) = rewritten(&kind, &payload);
        if written_as == kind {
            assert_eq!(String::from_utf8(written).unwrap(), String::from_utf8(payload).unwrap(), "{kind}");
        }
    }
}

#[test]
fn a_field_of_a_newer_version_is_ignored() {
    for (kind, payload) in golden() {
        let mut value: Value = serde_json::from_slice(&payload).unwrap();
        value["of_a_newer_version"] = serde_json::json!({ "nested": [1, 2] });
        assert_eq!(rewritten(&kind, &serde_json::to_vec(&value).unwrap()), rewritten(&kind, &payload), "{kind}");
    }
}

/// The stored form of every word of a list.
fn words<W: serde::Serialize>(all: &[W]) -> String {
    all.iter().map(|word| serde_json::to_string(word).unwrap()).collect::<Vec<_>>().join(" ").replace('"', "")
}

#[test]
fn the_words_of_stored_facts_never_change() {
    let business = "information_query consultation fault_repair complaint report opinion suggestion praise service_application urge";
    assert_eq!(words(BusinessType::ALL), business);
    let channels = "hotline ivr app web sms letter counter regulator city_hotline media proactive";
    assert_eq!(words(Channel::ALL), channels);
    assert_eq!(words(Urgency::ALL), "normal urgent");
    assert_eq!(words(Grade::ALL), "general important major special");
    assert_eq!(words(Area::ALL), "urban rural remote");
    assert_eq!(words(Premises::ALL), "single multiple");
    assert_eq!(words(ReturnReason::ALL), "wrong_area wrong_unit wrong_type incomplete");
    assert_eq!(words(SuspendReason::ALL), "customer works third_party weather");
    assert_eq!(words(ContactOutcome::ALL), "reached unreachable");
    assert_eq!(words(ReplyOutcome::ALL), "resolved not_ours explained");
    assert_eq!(words(RevisitMethod::ALL), "call bot sms");
    let satisfaction = "very_satisfied satisfied neutral dissatisfied no_answer refused unreachable";
    assert_eq!(words(Satisfaction::ALL), satisfaction);
    assert_eq!(words(DissatisfactionReason::ALL), "attitude quality arrival_time speed not_repaired other");
    assert_eq!(words(Ownership::ALL), "utility customer third_party");
    let grade = Grade::Major;
    let escalations = [Escalation::Complaint(grade), Escalation::Grade(grade), Escalation::Urgent];
    assert_eq!(words(&escalations), "{complaint:major} {grade:major} urgent");
    assert_eq!(words(&[Personal::Sealed("1.2.x".into()), Personal::Erased]), "{sealed:1.2.x} {erased:true}");
    assert_eq!(words(&Role::ALL), "ivr agent desk crew inspector auditor operator importer system");
}
