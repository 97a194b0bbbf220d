//! `store`: what can be done to a data folder by hand. `check` and `stats` need it to themselves; nothing here repairs.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Context;
use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::json;
use switchboard_eventstore::EventStore;
use switchboard_eventstore::sqlite::{SqliteOptions, SqliteStore};

use crate::{
    bars::bar,
    output::{self, Form},
};

fn folder() -> Arg {
    Arg::new("folder").value_name("FOLDER").required(true).value_parser(value_parser!(PathBuf)).help("The data folder")
}

pub fn command() -> Command {
    Command::new("store")
        .about("Looks after a data folder while no server uses it")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("check").about("Verifies every fact of the log; ends with 1 when something is wrong").arg(folder()))
        .subcommand(Command::new("stats").about("Counts what the log holds").arg(folder()))
        .subcommand(
            Command::new("backup")
                .about("Copies the log, without the keys that open personal data")
                .arg(folder())
                .arg(Arg::new("to").value_name("FILE").required(true).value_parser(value_parser!(PathBuf)).help("The copy; must not exist")),
        )
}

pub async fn run(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let (name, matches) = matches.subcommand().context("no such command")?;
    let folder = matches.get_one::<PathBuf>("folder").context("no folder")?.clone();
    anyhow::ensure!(folder.is_dir(), "{} is not a folder", folder.display());
    match name {
        "check" => check(folder, form),
        "stats" => stats(folder, form).await,
        _ => backup(folder, matches.get_one::<PathBuf>("to").context("no file")?.clone(), form).await,
    }
}

fn check(folder: PathBuf, form: Form) -> anyhow::Result<ExitCode> {
    let progress = bar(0, "check");
    let report = SqliteStore::check(&folder, |done, total| {
        progress.set_length(total);
        progress.set_position(done);
    })?;
    progress.finish_and_clear();
    let value = json!({
        "ok": report.ok,
        "facts": report.facts,
        "head": report.head.0,
        "first_bad": report.first_bad.map(|position| position.0),
        "problems": report.problems,
    });
    print(&value, form);
    Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn stats(folder: PathBuf, form: Form) -> anyhow::Result<ExitCode> {
    let store = SqliteStore::open(&folder, SqliteOptions::default())?;
    let value = json!({ "head": store.head().0 });
    store.close().await;
    print(&value, form);
    Ok(ExitCode::SUCCESS)
}

async fn backup(folder: PathBuf, to: PathBuf, form: Form) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(!to.exists(), "{} exists; a backup overwrites nothing", to.display());
    let store = SqliteStore::open(&folder, SqliteOptions::default())?;
    let progress = bar(0, "backup");
    let report = store.backup(&to, |done, total| {
        progress.set_length(total);
        progress.set_position(done);
    })?;
    progress.finish_and_clear();
    store.close().await;
    print(&json!({ "file": to.display().to_string(), "head": report.head.0, "bytes": report.bytes }), form);
    Ok(ExitCode::SUCCESS)
}

fn print(value: &serde_json::Value, form: Form) {
    match form {
        Form::Json => output::json(value),
        Form::Table => output::value(value),
    }
}
