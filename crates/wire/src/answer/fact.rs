//! A fact as JSON for people: the stored form, with personal data as plain text, masked unless revealed. Proofs and
//! auditors' subscriptions use the stored bytes instead.

use serde_json::{Map, Value};
use switchboard_domain::{
    personal::Personal,
    ticket::{Event, event::Received},
};

use crate::stored::Stored;

/// The payload as JSON. Opened personal data is masked, or readable when `reveal` is set; sealed and erased data is
/// marked as such. Without `reveal`, a confidential ticket shows no field that identifies the caller. The keyed hashes
/// are never shown, because they would tell whether two tickets have the same caller.
#[must_use]
pub fn fact_json(event: &Event, reveal: bool) -> String {
    let mut event = event.clone();
    let mut shown = Vec::new();
    Event::each_personal(&mut event, &mut |field, value| {
        let text = value.plain().filter(|_| reveal).map_or_else(|| value.masked(), str::to_owned);
        shown.push((field, text));
        // Plain personal text cannot be serialised. Put a placeholder here; the shown text replaces it below.
        *value = Personal::Erased;
    });
    let payload = event.payload().unwrap_or_default();
    let mut fields: Map<String, Value> = serde_json::from_slice(&payload).unwrap_or_default();
    fields.extend(shown.into_iter().map(|(field, text)| (field.to_owned(), Value::String(text))));
    if let Event::Received(received) = &event {
        hide(received, reveal, &mut fields);
    }
    Value::Object(fields).to_string()
}

/// The fields that identify the caller.
const CALLER_FIELDS: [&str; 11] = [
    "caller_name",
    "caller_phone",
    "caller_account",
    "tier",
    "address",
    "place",
    "premises",
    "call_id",
    "hung_up_at",
    "external",
    "linked",
];

fn hide(received: &Received, reveal: bool, fields: &mut Map<String, Value>) {
    for hash in ["phone_key", "account_key"] {
        fields.remove(hash);
    }
    if received.confidential && !reveal {
        for field in CALLER_FIELDS {
            fields.remove(field);
        }
    }
}

#[cfg(test)]
mod tests {
    use switchboard_domain::ticket::{
        Tier,
        event::{Contacted, Received},
    };

    use super::*;

    fn received(confidential: bool) -> Event {
        let stored = format!(
            r#"{{"number":"2026112100000001","business":"report","channel":"hotline","received_by":"sgcc",
            "confidential":{confidential},"content":{{"erased":true}},"phone_key":"ab","account_key":"cd"}}"#
        );
        let mut event: Received = serde_json::from_str(&stored).unwrap();
        event.caller_phone = Some("13812345678".into());
        event.tier = Some(Tier::A);
        event.content = "a secret".into();
        event.into()
    }

    #[test]
    fn personal_data_is_masked_unless_it_is_revealed() {
        let masked = fact_json(&received(false), false);
        assert!(
            masked.contains(r#""caller_phone":"138****5678""#) && masked.contains(r#""content":"a***""#),
            "{masked}"
        );
        let revealed = fact_json(&received(false), true);
        assert!(revealed.contains("13812345678") && revealed.contains("a secret"), "{revealed}");
    }

    #[test]
    fn a_confidential_ticket_does_not_show_who_spoke() {
        let masked = fact_json(&received(true), false);
        assert!(!masked.contains("caller") && !masked.contains("tier"), "{masked}");
        let revealed = fact_json(&received(true), true);
        assert!(revealed.contains("13812345678") && revealed.contains(r#""tier":"a""#), "{revealed}");
    }

    #[test]
    fn keyed_hashes_are_not_shown_to_people() {
        for reveal in [false, true] {
            assert!(!fact_json(&received(false), reveal).contains("_key"));
        }
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let note =
            |value| Contacted { outcome: switchboard_domain::ticket::ContactOutcome::Reached, note: Some(value) };
        let erased = fact_json(&note(Personal::Erased).into(), true);
        assert_eq!(erased, r#"{"note":"[erased]","outcome":"reached"}"#);
        let sealed = fact_json(&note(Personal::Sealed("1.2.x".into())).into(), true);
        assert_eq!(sealed, r#"{"note":"[sealed]","outcome":"reached"}"#);
    }
}
