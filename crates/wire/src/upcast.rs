//! Upcasting: reading facts of kinds that are no longer written. Each step is a pure function from one kind to the
//! next; steps are applied until the kind is current. Stored bytes are never rewritten, and current kinds are not
//! upcast.

use serde_json::Value;

use crate::stored::{DecodeError, Stored};

/// One step: the conversion of a kind to its next version.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The kind that it reads.
    pub from: &'static str,
    /// The kind that it produces.
    pub to: &'static str,
    /// Converts the payload. Total: unknown fields stay as they are.
    pub lift: fn(Value) -> Value,
}

/// All steps; none yet. A step is never removed, and has a golden file of its old kind.
pub const STEPS: &[Step] = &[];

/// Applies the step for `kind`; without one, returns both unchanged.
#[must_use]
pub fn upcast(steps: &[Step], kind: &str, payload: Value) -> (String, Value) {
    match steps.iter().find(|step| step.from == kind) {
        Some(step) => (step.to.to_owned(), (step.lift)(payload)),
        None => (kind.to_owned(), payload),
    }
}

/// Applies steps, at most as many as are known, until the kind is current.
pub(crate) fn read<E: Stored>(steps: &[Step], kind: &str, payload: &[u8]) -> Result<E, DecodeError> {
    let unknown = || DecodeError::UnknownKind(kind.to_owned());
    let malformed =
        |error: serde_json::Error| DecodeError::Malformed { kind: kind.to_owned(), detail: error.to_string() };
    if !steps.iter().any(|step| step.from == kind) {
        return Err(unknown());
    }
    let mut lifted = (kind.to_owned(), serde_json::from_slice(payload).map_err(malformed)?);
    for _ in steps {
        lifted = upcast(steps, &lifted.0, lifted.1);
        if E::KINDS.contains(&lifted.0.as_str()) {
            return E::read_current(&lifted.0, &serde_json::to_vec(&lifted.1).map_err(malformed)?);
        }
    }
    Err(unknown())
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use switchboard_domain::ticket::{Event, event};

    use super::*;

    // A fictional history: urges had another name before, and were not counted.
    const PAST: &[Step] = &[
        Step { from: "ticket.pressed.v2", to: "ticket.urged.v1", lift: counted },
        Step { from: "ticket.pressed.v1", to: "ticket.pressed.v2", lift: renamed },
    ];

    fn renamed(mut payload: Value) -> Value {
        let why = payload["why"].take();
        json!({ "reason": why })
    }

    fn counted(mut payload: Value) -> Value {
        payload["count"] = json!(1);
        payload
    }

    #[test]
    fn an_old_fact_is_lifted_step_by_step_to_the_kind_of_today() {
        let old = br#"{"why":{"sealed":"1.7.x"}}"#;
        let event: Event = read(PAST, "ticket.pressed.v1", old).unwrap();
        let reason = switchboard_domain::personal::Personal::Sealed("1.7.x".into());
        assert_eq!(event, event::Urged { count: 1, reason }.into());
    }

    #[test]
    fn a_kind_that_no_step_lifts_stays_unknown() {
        let unknown = Err(DecodeError::UnknownKind("ticket.sung.v1".into()));
        assert_eq!(read::<Event>(PAST, "ticket.sung.v1", b"{}"), unknown);
        assert_eq!(Event::read("ticket.sung.v1", b"{}"), unknown);
    }

    #[test]
    fn steps_that_lead_in_a_circle_end() {
        let circle = &[Step { from: "a", to: "b", lift: |v| v }, Step { from: "b", to: "a", lift: |v| v }];
        assert_eq!(read::<Event>(circle, "a", b"{}"), Err(DecodeError::UnknownKind("a".into())));
    }

    #[test]
    fn every_step_starts_from_a_kind_that_is_no_longer_written() {
        for step in STEPS {
            assert!(!crate::stored::known_kinds().any(|kind| kind == step.from), "{} is current", step.from);
        }
    }
}
