//! `store`: operations on a data folder without a server. `check` needs exclusive use of the folder. Nothing here
//! repairs a log, and nothing copies keys.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::{Value, json};
use switchboard_eventstore::sqlite::SqliteStore;

use crate::{
    bars::bar,
    output::{self, Form},
};

fn folder() -> Arg {
    Arg::new("folder").value_name("FOLDER").required(true).value_parser(value_parser!(PathBuf)).help("The data folder")
}

pub fn command() -> Command {
    Command::new("store")
        .about("Looks after a data folder")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            Command::new("check")
                .about("Verifies every fact of a log that no server uses; ends with 1 when something is wrong")
                .arg(folder()),
        )
        .subcommand(
            Command::new("stats").about("Counts what the log holds, while a server uses it or not").arg(folder()),
        )
        .subcommand(
            Command::new("backup")
                .about("Copies the log, while a server uses it or not; never the keys that open personal data")
                .arg(folder())
                .arg(
                    Arg::new("to")
                        .value_name("TO")
                        .required(true)
                        .value_parser(value_parser!(PathBuf))
                        .help("The folder of the copy; absent or empty"),
                ),
        )
}

pub fn run(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let (name, matches) = matches.subcommand().context("no such command")?;
    let folder = matches.get_one::<PathBuf>("folder").context("no folder")?.clone();
    anyhow::ensure!(folder.is_dir(), "{} is not a folder", folder.display());
    match name {
        "check" => check(&folder, form),
        "stats" => stats(&folder, form),
        _ => backup(&folder, matches.get_one::<PathBuf>("to").context("no folder")?, form),
    }
}

fn check(folder: &Path, form: Form) -> anyhow::Result<ExitCode> {
    let progress = bar(0, "check");
    let report = SqliteStore::check(folder, |done, total| {
        progress.set_length(total);
        progress.set_position(done);
    })?;
    progress.finish_and_clear();
    let value = json!({
        "ok": report.ok,
        "facts": report.facts,
        "head": report.head.stored(),
        "digest": report.digest,
        "first_bad": report.first_bad.map(|position| position.stored()),
        "problems": report.problems,
    });
    print(&value, form)?;
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn stats(folder: &Path, form: Form) -> anyhow::Result<ExitCode> {
    let census = SqliteStore::census(folder)?;
    let listed = |counts: Vec<(String, u64)>, name: &str, of: &str| -> Vec<Value> {
        counts.into_iter().map(|(text, count)| json!({ name: text, of: count })).collect()
    };
    let value = json!({
        "facts": census.events,
        "head": census.head.stored(),
        "bytes": census.bytes,
        "streams": listed(census.categories, "category", "streams"),
        "kinds": listed(census.kinds, "kind", "facts"),
    });
    print(&value, form)?;
    Ok(ExitCode::SUCCESS)
}

fn backup(folder: &Path, to: &Path, form: Form) -> anyhow::Result<ExitCode> {
    let progress = bar(0, "backup");
    let report = SqliteStore::copy(folder, to, |done, total| {
        progress.set_length(total);
        progress.set_position(done);
    })?;
    progress.finish_and_clear();
    print(&json!({ "folder": to.display().to_string(), "head": report.head.stored(), "bytes": report.bytes }), form)?;
    Ok(ExitCode::SUCCESS)
}

fn print(value: &serde_json::Value, form: Form) -> anyhow::Result<()> {
    match form {
        Form::Json => output::json(value)?,
        Form::Table => output::value(value),
    }
    Ok(())
}
