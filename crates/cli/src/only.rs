//! `--only FIELD`: prints one field of an answer, a line for each row, for use as `NUMBER=$(switchboard ...)`. Absent:
//! a query language. A path names fields; use a tool that reads `--json` for anything more.

use std::{collections::BTreeSet, sync::OnceLock};

use serde_json::Value;

/// The path that `--only` gave; set once, before anything is printed.
static ONLY: OnceLock<String> = OnceLock::new();

/// The stream messages without data. They are no rows, and `--limit` does not count them.
pub const NO_NEWS: [&str; 3] = ["checkpoint", "heartbeat", "progress"];

/// The stream messages with data.
const NEWS: [&str; 5] = ["fact", "change", "snapshot", "flip", "summary"];

/// Reduces every answer to this field from now on.
pub fn set(path: &str) {
    let _ = ONLY.set(path.to_owned());
}

/// Returns the field that `--only` gave.
pub fn asked() -> Option<&'static str> {
    ONLY.get().map(String::as_str)
}

/// Returns the field at `path`, a line for each row of the answer.
///
/// The search looks at the top of the document, then at the rows of each of its lists, then in each of its objects. The
/// first place that has the field is used. A row without the field is an empty line.
///
/// # Errors
///
/// When no part of the answer has the field; the error names the fields that it has.
pub fn lines(answer: &Value, path: &str) -> anyhow::Result<Vec<String>> {
    let names: Vec<&str> = path.split('.').collect();
    if let Some(found) = at(answer, &names) {
        return Ok(vec![text(found)]);
    }
    let within = || answer.as_object().into_iter().flat_map(serde_json::Map::values);
    for rows in within().filter_map(Value::as_array).chain(answer.as_array()) {
        let found: Vec<Option<&Value>> = rows.iter().map(|row| at(row, &names)).collect();
        if rows.is_empty() || found.iter().any(Option::is_some) {
            return Ok(found.into_iter().map(|value| value.map(text).unwrap_or_default()).collect());
        }
    }
    if let Some(found) = within().find_map(|inner| at(inner, &names)) {
        return Ok(vec![text(found)]);
    }
    // Messages of a stream differ in kind, so a message of another kind may lack the field.
    let is_other = NEWS.contains(&names[0]) && NEWS.iter().any(|kind| *kind != names[0] && answer.get(kind).is_some());
    if is_other || NO_NEWS.iter().any(|name| answer.get(name).is_some()) {
        return Ok(Vec::new());
    }
    let mut known = BTreeSet::new();
    fields(answer, "", &mut known);
    let known: Vec<String> = known.into_iter().collect();
    anyhow::bail!("the answer has no field {path:?}; it has: {}", known.join(", "))
}

fn at<'v>(value: &'v Value, names: &[&str]) -> Option<&'v Value> {
    names.iter().try_fold(value, |value, name| value.as_object()?.get(*name))
}

/// Formats a value: a text without quotes, null as nothing, anything else as JSON.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Collects every path that [`lines`] would find.
fn fields(value: &Value, prefix: &str, known: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (name, inner) in map {
                let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                match inner {
                    Value::Array(rows) if prefix.is_empty() && rows.iter().any(Value::is_object) => {
                        rows.iter().for_each(|row| fields(row, "", known));
                    }
                    Value::Object(_) => fields(inner, &path, known),
                    _ => {
                        known.insert(path);
                    }
                }
            }
        }
        Value::Array(rows) => rows.iter().for_each(|row| fields(row, prefix, known)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_found_at_the_top_in_every_row_and_in_what_the_answer_wraps() {
        let received = json!({ "number": "20261201", "outcome": { "stage": "received", "position": 7 } });
        assert_eq!(lines(&received, "number").unwrap(), ["20261201"]);
        assert_eq!(lines(&received, "outcome.position").unwrap(), ["7"]);
        assert_eq!(lines(&received, "stage").unwrap(), ["received"]);
        let list = json!({ "tickets": [{ "number": "1", "etr": "soon" }, { "number": "2" }], "total": 2 });
        assert_eq!(lines(&list, "number").unwrap(), ["1", "2"]);
        assert_eq!(lines(&list, "etr").unwrap(), ["soon", ""], "a row without it is an empty line");
        assert_eq!(lines(&list, "total").unwrap(), ["2"]);
        let facts = json!({ "facts": [{ "actor": { "org": "sgcc" } }], "next_revision": null });
        assert_eq!(lines(&facts, "actor.org").unwrap(), ["sgcc"]);
        assert_eq!(lines(&json!([{ "name": "listen" }]), "name").unwrap(), ["listen"]);
    }

    #[test]
    fn a_list_without_rows_prints_nothing() {
        assert!(lines(&json!({ "tickets": [], "total": 0 }), "number").unwrap().is_empty());
    }

    #[test]
    fn a_wrong_path_is_refused_with_the_fields_that_there_are() {
        let list = json!({ "tickets": [{ "number": "1", "place": { "area": "urban" } }], "total": 2 });
        for wrong in ["nummer", "tickets.number", "number.first", ""] {
            let refused = lines(&list, wrong).unwrap_err().to_string();
            assert_eq!(refused, format!("the answer has no field {wrong:?}; it has: number, place.area, total"));
        }
    }

    #[test]
    fn a_message_of_another_kind_is_no_row() {
        let summary = json!({ "summary": { "flips": 2 } });
        assert!(lines(&summary, "flip.ticket").unwrap().is_empty() && lines(&summary, "ticket").is_err());
        let alive = json!({ "heartbeat": { "time": "now" }, "resume_token": "t" });
        assert!(lines(&alive, "fact.kind").unwrap().is_empty());
        assert!(lines(&json!({ "fact": { "kind": "x" }, "resume_token": "t" }), "fact.colour").is_err());
    }
}
