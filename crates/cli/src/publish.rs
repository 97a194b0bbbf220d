//! Files that operators publish: read, checked locally, or sent to a server one after the other. Absent: the contents
//! of the files, which are the matter of [`crate::policy`] and [`crate::calendar`].

use std::{future::Future, process::ExitCode};

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command};
use prost_reflect::DynamicMessage;
use serde_json::{Map, Value, json};
use switchboard_wire::{faults::Fault, proto::VersionRef};
use uuid::Uuid;

use crate::{
    calls, client, flag, option,
    output::{self, Form},
};

/// A file and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The path as given on the command line.
    pub name: String,
    /// The content.
    pub text: String,
}

impl File {
    /// Reads the file at the path `name`.
    pub fn read(name: &str) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(name).with_context(|| format!("{name} cannot be read"))?;
        Ok(Self { name: name.to_owned(), text })
    }
}

/// Builds the argument that names files.
pub fn files_argument(help: &'static str) -> Arg {
    Arg::new("file").value_name("FILE").num_args(1..).action(ArgAction::Append).help(help)
}

/// Reads every file that the arguments name.
pub fn files(matches: &ArgMatches) -> anyhow::Result<Vec<File>> {
    matches.get_many::<String>("file").into_iter().flatten().map(|name| File::read(name)).collect()
}

/// The result of checking a file without fault: for people, and for scripts.
pub struct Sound {
    /// A line without the file's name.
    pub line: String,
    /// Fields that are added to `file_name`, `ok` and `faults`.
    pub fields: Map<String, Value>,
}

/// Checks files locally, without a server. The exit code is 1 if any has a fault.
///
/// # Errors
///
/// When `--only` names a field that the result lacks.
pub fn check(
    files: &[File],
    form: Form,
    read: impl Fn(&File) -> Result<Sound, Vec<Fault>>,
) -> anyhow::Result<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for file in files {
        let found = read(file);
        if found.is_err() {
            code = ExitCode::FAILURE;
        }
        match form {
            Form::Json => output::json(&judged(&file.name, found))?,
            Form::Table => told(&file.name, found).iter().for_each(output::line),
        }
    }
    Ok(code)
}

/// Formats one line for each fault, or one for a file without fault.
fn told(name: &str, found: Result<Sound, Vec<Fault>>) -> Vec<String> {
    match found {
        Ok(sound) => vec![format!("{name}: {}", sound.line)],
        Err(faults) => faults.iter().map(|fault| format!("{name}:{fault}")).collect(),
    }
}

fn judged(name: &str, found: Result<Sound, Vec<Fault>>) -> Value {
    let (ok, faults, more) = match found {
        Ok(sound) => (true, Vec::new(), sound.fields),
        Err(faults) => (false, faults, Map::new()),
    };
    let faults: Vec<Value> = faults.iter().map(|f| json!({ "line": f.line, "reason": f.reason })).collect();
    let mut document = Map::from_iter([
        ("file_name".to_owned(), name.into()),
        ("ok".to_owned(), ok.into()),
        ("faults".to_owned(), faults.into()),
    ]);
    document.extend(more);
    Value::Object(document)
}

/// Adds the arguments of a command that publishes files as an operator.
pub fn command(command: Command) -> Command {
    client::speaker(command, "operator")
        .arg(files_argument("The files").required(true))
        .arg(flag("dry-run", "Only let the server check"))
        .arg(option("request-id", "UUID", "Of the request, for one file; a fresh one when absent"))
}

/// Sends files to the server with `send`, which gets the file, whether it is a dry run, and the request id.
///
/// Several files are all checked before the first is published. Every request gets a fresh id, unless the arguments
/// name one. An id derived from the text would make the return to an earlier text look like a repetition of its first
/// publication. Publishing the present text again is harmless, because the server finds it unchanged.
pub async fn publish<F: Future<Output = anyhow::Result<DynamicMessage>>>(
    matches: &ArgMatches,
    form: Form,
    headings: &[&str],
    send: impl Fn(File, bool, String) -> F,
    row: impl Fn(&DynamicMessage, bool) -> anyhow::Result<Vec<String>>,
) -> anyhow::Result<ExitCode> {
    let (files, dry_run) = (files(matches)?, matches.get_flag("dry-run"));
    let named = matches.get_one::<String>("request-id");
    anyhow::ensure!(named.is_none() || files.len() == 1, "--request-id goes with one file, here are {}", files.len());
    let id = || named.cloned().unwrap_or_else(|| Uuid::new_v4().to_string());
    if files.len() > 1 && !dry_run && !all_sound(&files, form, |file| send(file, true, id())).await? {
        return Ok(ExitCode::FAILURE);
    }
    let (mut rows, mut failed) = (Vec::new(), None);
    for file in files {
        let name = file.name.clone();
        let answer = match send(file, dry_run, id()).await {
            Ok(answer) => answer,
            Err(error) => {
                failed = Some(error);
                break;
            }
        };
        match form {
            Form::Json => output::json(&with_name(&name, calls::printable(&answer, form)?))?,
            Form::Table => rows.push([vec![name], row(&answer, dry_run)?].concat()),
        }
    }
    if !rows.is_empty() {
        output::table(&[&["file"], headings].concat(), rows);
    }
    failed.map_or(Ok(ExitCode::SUCCESS), Err)
}

/// True if the server finds no fault in any file. Prints every refusal.
async fn all_sound<F: Future<Output = anyhow::Result<DynamicMessage>>>(
    files: &[File],
    form: Form,
    check: impl Fn(File) -> F,
) -> anyhow::Result<bool> {
    let mut sound = true;
    for file in files {
        if let Err(error) = check(file.clone()).await {
            // Only a refusal of this file says nothing about the next file; any other error ends the check.
            if error.downcast_ref::<tonic::Status>().is_none_or(|status| status.code() != tonic::Code::InvalidArgument)
            {
                return Err(error);
            }
            output::failure(&error, form);
            sound = false;
        }
    }
    Ok(sound)
}

fn with_name(name: &str, answer: Value) -> Value {
    let mut document = Map::from_iter([("file_name".to_owned(), Value::from(name))]);
    if let Value::Object(fields) = answer {
        document.extend(fields);
    }
    Value::Object(document)
}

/// Returns the outcome for a file in a word or two.
pub fn outcome(dry_run: bool, unchanged: bool, replayed: bool) -> String {
    let word = match (dry_run, unchanged, replayed) {
        (true, ..) => "no fault",
        (_, true, _) => "unchanged",
        (_, _, true) => "answered before",
        _ => "published",
    };
    word.into()
}

/// Formats a version's number; `-` if there is none.
pub fn number(version: Option<&VersionRef>) -> String {
    match version.map(|version| version.version) {
        None | Some(0) => "-".into(),
        Some(number) => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults() -> Vec<Fault> {
        vec![Fault { line: 3, reason: "limit is missing".into() }, Fault { line: 9, reason: "unknown".into() }]
    }

    fn sound() -> Sound {
        Sound { line: "policy of sgcc".into(), fields: Map::from_iter([("operator".to_owned(), "sgcc".into())]) }
    }

    #[test]
    fn every_fault_has_its_line_and_a_sound_file_has_one() {
        assert_eq!(told("p.toml", Err(faults())), ["p.toml:3: limit is missing", "p.toml:9: unknown"]);
        assert_eq!(told("p.toml", Ok(sound())), ["p.toml: policy of sgcc"]);
    }

    #[test]
    fn a_check_is_one_document_for_each_file() {
        let faulty = judged("p.toml", Err(faults()));
        assert_eq!(
            faulty,
            json!({ "file_name": "p.toml", "ok": false, "faults": [
                { "line": 3, "reason": "limit is missing" },
                { "line": 9, "reason": "unknown" },
            ] })
        );
        let found = judged("p.toml", Ok(sound()));
        assert_eq!(found, json!({ "file_name": "p.toml", "ok": true, "faults": [], "operator": "sgcc" }));
    }

    #[test]
    fn an_answer_keeps_its_fields_beside_the_name_of_its_file() {
        let document = with_name("p.toml", json!({ "rules": 3, "unchanged": true }));
        assert_eq!(document, json!({ "file_name": "p.toml", "rules": 3, "unchanged": true }));
    }

    #[test]
    fn what_became_of_a_file_is_one_word_and_a_check_is_never_a_publication() {
        assert_eq!(outcome(true, false, false), "no fault");
        assert_eq!(outcome(false, false, false), "published");
        assert_eq!(outcome(false, true, false), "unchanged");
        assert_eq!(outcome(false, false, true), "answered before");
    }
}
