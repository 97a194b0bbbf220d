//! `tests/golden` contains every kind ever shipped as `<kind>.json`, with every optional field that it had then. A file
//! is never edited, because logs already contain such facts. A later optional field has a file of its own,
//! `<kind>.<what it shows>.json`.

use std::{collections::BTreeSet, fs, path::PathBuf};

use serde_json::Value;
use switchboard_domain::{
    actor::Role,
    crew,
    numbering::Reserved,
    organisation::Level,
    personal::Personal,
    sla::{
        clock_history::{FactName, Reading, Word},
        promise,
        publication::{PolicyEvent, YearPublished},
    },
    ticket::*,
};
use switchboard_wire::stored::{Stored, known_kinds};

use crate::{
    draw::{Draw, MAKERS, crews},
    promised,
};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The number of parts of a kind, as in `ticket.received.v1`. Further parts of a file name distinguish files of one
/// kind.
const KIND_PARTS: usize = 3;

/// The kind and payload of every golden file.
fn golden() -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path());
    files
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap();
            let kind = name.split('.').take(KIND_PARTS).collect::<Vec<_>>().join(".");
            (kind, fs::read(path).unwrap().trim_ascii_end().to_vec())
        })
        .collect()
}

/// One event of every kind, with every field, in stored form.
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
    all.extend(crews::MAKERS.iter().map(|make| {
        let event = make(&mut Draw::full());
        (event.kind(), String::from_utf8(event.payload().unwrap()).unwrap())
    }));
    let reserved = Reserved { first: 1, last: 1000 };
    all.push((reserved.kind(), String::from_utf8(reserved.payload().unwrap()).unwrap()));
    all.extend(promised::complete());
    all
}

/// Reads a payload and encodes it again under its current kind.
fn rewritten(kind: &str, payload: &[u8]) -> (&'static str, Vec<u8>) {
    fn again<E: Stored>(kind: &str, payload: &[u8]) -> (&'static str, Vec<u8>) {
        let event = E::read(kind, payload).unwrap();
        (event.kind(), event.payload().unwrap())
    }
    match kind.split('.').next() {
        Some("ticket") => again::<Event>(kind, payload),
        Some("crew") => again::<crew::Event>(kind, payload),
        Some("numbering") => again::<Reserved>(kind, payload),
        Some("promise") => again::<promise::Event>(kind, payload),
        Some("policy") => again::<PolicyEvent>(kind, payload),
        Some("calendar") => again::<YearPublished>(kind, payload),
        _ => panic!("{kind}: of which aggregate?"),
    }
}

/// The paths of all fields, including nested ones and those in lists.
fn fields(payload: &[u8]) -> BTreeSet<String> {
    fn walk(path: &str, value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    let path = format!("{path}.{name}");
                    walk(&path, value, found);
                    found.insert(path);
                }
            }
            Value::Array(list) => list.iter().for_each(|value| walk(&format!("{path}[]"), value, found)),
            _ => {}
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
        let shipped: Vec<_> = golden.iter().filter(|(name, _)| name == kind).map(|(_, shipped)| shipped).collect();
        assert!(!shipped.is_empty(), "tests/golden/{kind}.json is missing, for example: {payload}");
        let shown = shipped.into_iter().flat_map(|shipped| fields(shipped)).collect();
        let absent: Vec<_> = fields(payload.as_bytes()).difference(&shown).cloned().collect();
        assert!(absent.is_empty(), "tests/golden/{kind}.*.json does not show {absent:?}, for example: {payload}");
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
    assert_eq!(words(Tier::ALL), "a b c");
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
    assert_eq!(words(crew::DeclineReason::ALL), "equipment skill road crew occupied safety");
    assert_eq!(words(crew::OfferEnd::ALL), "declined expired withdrawn");
    let released = "declined expired withdrawn taken_by_other not_offered done handed_over recalled reassigned \
                    ticket_ended suspended";
    assert_eq!(words(crew::ReleaseReason::ALL), released);
    assert_eq!(words(crew::Absence::ALL), "ill vehicle rest other_work");
    let skills = "high_voltage low_voltage power_quality metering live_line cable customer_side";
    assert_eq!(words(crew::Skill::ALL), skills);
    let facts = "received classified closed_at_first_contact dispatched accepted returned reassigned \
                 crew_accepted crew_en_route crew_arrived crew_diagnosed etr_set crew_restored contacted replied \
                 reply_passed reply_sent_back revisit_attempted revisited reopened closed urged supervised escalated \
                 suspended resumed extended merged unmerged master_followed withdrawn";
    assert_eq!(words(FactName::ALL), facts);
    let said = "reached unreachable customer works third_party weather wrong_area wrong_unit wrong_type incomplete \
                resolved not_ours explained last more very_satisfied satisfied neutral dissatisfied no_answer refused \
                complaint grade urgent";
    assert_eq!(words(Word::ALL), said);
    assert_eq!(words(&Level::ALL), "nation province city county station crew");
    let readings = [Reading::Occurred, Reading::Recorded, Reading::HungUp, Reading::Appointment];
    assert_eq!(words(&readings), "occurred recorded hung_up appointment");
    assert_eq!(words(&Role::ALL), "ivr agent desk crew inspector auditor operator importer system");
}
