//! Files that operators publish: read, checked where they lie, or handed to a server one after the other. What stands in them is
//! [`crate::policy`]'s and [`crate::calendar`]'s to say.

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
    /// As it was named.
    pub name: String,
    /// What it says.
    pub text: String,
}

impl File {
    /// Reads a file.
    pub fn read(name: &str) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(name).with_context(|| format!("{name} cannot be read"))?;
        Ok(Self { name: name.to_owned(), text })
    }
}

/// The argument that names files.
pub fn files_argument(help: &'static str) -> Arg {
    Arg::new("file").value_name("FILE").num_args(1..).action(ArgAction::Append).help(help)
}

/// Every file that was named.
pub fn files(matches: &ArgMatches) -> anyhow::Result<Vec<File>> {
    matches.get_many::<String>("file").into_iter().flatten().map(|name| File::read(name)).collect()
}

/// What a check says of a file without fault: for people, and for scripts.
pub struct Sound {
    /// A line without the file's name.
    pub line: String,
    /// More fields beside `file_name`, `ok` and `faults`.
    pub fields: Map<String, Value>,
}

/// Checks files here, without a server. Whether any has a fault is the exit code.
///
/// # Errors
///
/// `--only` names a field that is not printed.
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

/// One line for each fault, or one for a file that has none.
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

/// A command that publishes files, as an operator.
pub fn command(command: Command) -> Command {
    client::speaker(command, "operator")
        .arg(files_argument("The files").required(true))
        .arg(flag("dry-run", "Only let the server check"))
        .arg(option("request-id", "UUID", "Of the request, for one file; a fresh one when absent"))
}

/// Hands files to the server by `send`, which is told whether it is only to check, and under which request id.
///
/// Several files are all checked before the first is published. Every request has an id of its own unless one is named: an id
/// made from the text would let the return to an earlier text pass for a repetition of its first publication. Publishing again
/// what is published already is harmless all the same, for the server finds it unchanged.
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

/// Whether the server finds no fault in any file. What it refuses is printed, all of it.
async fn all_sound<F: Future<Output = anyhow::Result<DynamicMessage>>>(
    files: &[File],
    form: Form,
    check: impl Fn(File) -> F,
) -> anyhow::Result<bool> {
    let mut sound = true;
    for file in files {
        if let Err(error) = check(file.clone()).await {
            // Only what the server said of this file says nothing about the next.
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

/// What became of a file, in a word.
pub fn outcome(dry_run: bool, unchanged: bool, replayed: bool) -> String {
    let word = match (dry_run, unchanged, replayed) {
        (true, ..) => "no fault",
        (_, true, _) => "unchanged",
        (_, _, true) => "answered before",
        _ => "published",
    };
    word.into()
}

/// A version's number; `-` when there is none.
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
