//! The output of commands: tables, or JSON for scripts. JSON goes to stdout and is stable: field names as in the
//! protos, instants in RFC 3339, numbers as numbers. Errors go to stderr in the same form.

use std::io::Write;

use prost_reflect::{Kind, MessageDescriptor};
use serde_json::{Value, json};
use tonic_types::StatusExt;

use crate::{
    names::screaming,
    only,
    tables::{self, Frame},
    times,
};

/// The form of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Tables for people.
    Table,
    /// JSON for scripts.
    Json,
}

/// Prints a line. The process ends with success when the reader has closed the pipe (`| head -1`).
pub fn line(text: &impl std::fmt::Display) {
    if writeln!(std::io::stdout(), "{text}").is_err() {
        std::process::exit(0);
    }
}

/// Prints one JSON document on a line, or only its field that `--only` names.
///
/// # Errors
///
/// When the document has no such field.
pub fn json(value: &Value) -> anyhow::Result<()> {
    match only::asked() {
        None => line(value),
        Some(path) => only::lines(value, path)?.iter().for_each(line),
    }
    Ok(())
}

/// Prints rows under headings.
pub fn table(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
    line(&drawn(headings, rows));
}

/// Formats rows under headings, at most as wide as the terminal.
pub fn drawn(headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut sheet = Sheet::default();
    sheet.table(headings, rows);
    sheet.text()
}

/// Several tables and lines that belong together. One line at the end lists the columns that were left out.
#[derive(Default)]
pub struct Sheet {
    parts: Vec<String>,
    left_out: Vec<String>,
}

impl Sheet {
    /// Adds rows under headings.
    pub fn table(&mut self, headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        self.framed(Frame::Border, headings, rows);
    }

    /// Adds rows under headings without a border, indented, as details of the line above.
    pub fn indented(&mut self, headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        self.framed(Frame::Indented, headings, rows);
    }

    /// Adds a line.
    pub fn line(&mut self, text: impl Into<String>) {
        self.parts.push(text.into());
    }

    /// Returns the whole text.
    pub fn text(mut self) -> String {
        if !self.left_out.is_empty() {
            self.parts.push(format!("Left out: {} (--wide or --json shows all).", self.left_out.join(", ")));
        }
        self.parts.join("\n")
    }

    fn framed(&mut self, frame: Frame, headings: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let rows: Vec<Vec<String>> = rows.into_iter().collect();
        let (text, left_out) = tables::drawn(frame, headings, &rows, tables::width());
        self.parts.push(text);
        left_out.into_iter().for_each(|name| self.leave_out(name));
    }

    fn leave_out(&mut self, name: String) {
        if !self.left_out.contains(&name) {
            self.left_out.push(name);
        }
    }
}

/// The first columns of a table, in this order; all others follow.
const FIRST: [&str; 13] = [
    "number",
    "crew",
    "vetoes",
    "arrives",
    "position",
    "revision",
    "occurred_at",
    "received_at",
    "kind",
    "business_type",
    "stage",
    "crew_progress",
    "holder",
];
/// Objects that become one cell, because their field names differ from row to row.
const MAPS: [&str; 1] = ["prices"];
/// Columns that a table omits unless `--wide` is given.
const LEFT_OUT: [&str; 4] = ["id", "request_id", "recorded_at", "cycle"];

/// Prints the fields of an object one below the other, or a list of objects as a table. Instants are shown in China
/// Standard Time.
pub fn value(value: &Value) {
    let is_list = |value: &Value| matches!(value, Value::Array(items) if items.iter().any(Value::is_object));
    let (lists, single): (Vec<_>, Vec<_>) = fields(value).into_iter().partition(|(_, value)| is_list(value));
    let mut sheet = Sheet::default();
    let mut has_times = false;
    let mut shown = |value: &Value| {
        let instant = value.as_str().filter(|text| text.ends_with('Z')).and_then(|text| times::instant(text).ok());
        has_times |= instant.is_some();
        instant.map_or_else(|| text(value), times::in_china)
    };
    for (_, list) in &lists {
        let rows: Vec<Vec<(String, Value)>> = list.as_array().into_iter().flatten().map(fields).collect();
        let mut headings: Vec<&str> = Vec::new();
        for name in rows.iter().flatten().map(|(name, _)| name.as_str()) {
            if LEFT_OUT.contains(&name) && !tables::is_wide() {
                sheet.leave_out(name.to_owned());
            } else if !headings.contains(&name) {
                headings.push(name);
            }
        }
        headings.sort_by_key(|name| FIRST.iter().position(|first| first == name).unwrap_or(FIRST.len()));
        let mut cell = |row: &[(String, Value)], name: &str| {
            row.iter().find(|(n, _)| n == name).map_or_else(String::new, |(_, value)| shown(value))
        };
        let cells = rows.iter().map(|row| headings.iter().map(|name| cell(row, name)).collect());
        sheet.table(&headings, cells);
    }
    let single: Vec<Vec<String>> = single.iter().map(|(name, value)| vec![name.clone(), shown(value)]).collect();
    if !single.is_empty() {
        sheet.table(&["field", "value"], single);
    }
    if has_times {
        sheet.line("Times are China Standard Time (+08:00).");
    }
    line(&sheet.text());
}

/// Returns the fields of an object; nested objects get dotted names.
fn fields(value: &Value) -> Vec<(String, Value)> {
    let Value::Object(map) = value else { return vec![("value".into(), value.clone())] };
    let mut found = Vec::new();
    for (name, value) in map {
        match value {
            Value::Object(map) if MAPS.contains(&name.as_str()) => {
                let cells: Vec<String> = map.iter().map(|(name, value)| format!("{name} {}", text(value))).collect();
                found.push((name.clone(), cells.join(", ").into()));
            }
            Value::Object(_) if name == "data_json" => found.push(("data".into(), value.clone())),
            Value::Object(_) => {
                let prefix = if matches!(name.as_str(), "outcome" | "ticket" | "place") {
                    String::new()
                } else {
                    format!("{name}.")
                };
                found.extend(fields(value).into_iter().map(|(inner, value)| (format!("{prefix}{inner}"), value)));
            }
            _ => found.push((name.clone(), value.clone())),
        }
    }
    found
}

/// Formats a value as a cell of a table.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
        Value::Null => String::new(),
        Value::Number(number) if number.is_f64() => format!("{:.2}", number.as_f64().unwrap_or_default()),
        other => other.to_string(),
    }
}

/// Prints the error of a failed command, with all details of a refusal and the context.
pub fn failure(error: &anyhow::Error, form: Form) {
    let Some(status) = error.chain().find_map(|cause| cause.downcast_ref::<tonic::Status>()) else {
        match form {
            Form::Json => eprintln!("{}", json!({ "error": format!("{error:#}") })),
            Form::Table => eprintln!("error: {error:#}"),
        }
        return;
    };
    // The context around the status, outermost first, says which of many requests was refused.
    let context = error.chain().take_while(|cause| !cause.is::<tonic::Status>()).map(ToString::to_string);
    let context: Vec<String> = context.collect();
    let details = status.get_error_details();
    let reason = details.error_info().map(|info| info.reason.clone());
    let fields = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
    let moves = details.precondition_failure().map(|failure| failure.violations.clone()).unwrap_or_default();
    match form {
        Form::Json => eprintln!(
            "{}",
            json!({
                "error": status.message(),
                "context": context,
                "code": format!("{:?}", status.code()),
                "reason": reason,
                "fields": fields.iter().map(|f| json!({ "field": f.field, "problem": f.description })).collect::<Vec<_>>(),
                "legal_moves": moves.iter().map(|m| m.subject.clone()).collect::<Vec<_>>(),
            })
        ),
        Form::Table => {
            let sentence = details.localized_message().map_or_else(|| status.message(), |m| m.message.as_str());
            let about: String = context.iter().map(|about| format!("{about}: ")).collect();
            eprintln!("refused: {about}{} ({})", sentence, reason.unwrap_or_else(|| format!("{:?}", status.code())));
            for field in fields {
                eprintln!("  {}: {}", field.field, field.description);
            }
            if !moves.is_empty() {
                let legal: Vec<&str> = moves.iter().map(|m| m.subject.as_str()).collect();
                eprintln!("  legal now: {}", legal.join(", "));
            }
        }
    }
}

/// Shortens enum values to their short names in lower case, and unpacks JSON in text fields.
pub fn shorten(value: &mut Value, message: &MessageDescriptor) {
    let Value::Object(map) = value else { return };
    for (name, value) in map {
        let Some(field) = message.get_field_by_name(name) else { continue };
        let each = |value: &mut Value| match field.kind() {
            Kind::Enum(list) => {
                if let Value::String(text) = value {
                    let prefix = format!("{}_", screaming(list.name()));
                    *text = text.strip_prefix(&prefix).unwrap_or(text).to_lowercase();
                }
            }
            Kind::Message(inner) => shorten(value, &inner),
            Kind::String if name == "data_json" => {
                if let Some(parsed) = value.as_str().and_then(|text| serde_json::from_str(text).ok()) {
                    *value = parsed;
                }
            }
            _ => {}
        };
        match value {
            Value::Array(items) => items.iter_mut().for_each(each),
            single => each(single),
        }
    }
}
