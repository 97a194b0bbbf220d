//! The `switchboard` binary: the command line.
//!
//! ```text
//!    command ──▶ decide ──▶ append ──▶ project ──▶ dispatch ──▶ subscribe
//!    server       domain     eventstore  views       dispatcher   server
//!       ╰───────────────  engine turns the wheel  ───────────────╯
//!                         wire carries it across
//! ```
//!
//! `serve` and `demo` start a server in this process, `import` and `replay` play a file against one, and every other
//! command is one call to one. The commands under `ticket`, `dispatch`, `intake`, `audit`, `board` and `admin` are
//! generated from the protos, so none can be missing ([`calls`]). The commands of daily use are written by hand
//! ([`promises`], [`policy`], [`calendar`], [`kpi`], [`crew`]). There is no rule about tickets here. Only `store` reads
//! a data folder directly.

mod bars;
mod calendar;
mod calls;
mod client;
mod comparison;
mod crew;
mod kept;
mod kpi;
mod live;
mod names;
mod only;
mod output;
mod play;
mod policy;
mod promises;
mod publish;
mod serve;
mod shipped;
mod signal;
mod store;
mod tables;
mod times;

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use output::Form;
use tracing_subscriber::EnvFilter;

/// A command makes some hundred small allocations on one thread and frees them on another. This allocator is made for
/// that pattern.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The server's address when neither an option nor the environment names one.
const SERVER_DEFAULT: &str = "http://127.0.0.1:9559";

fn main() -> ExitCode {
    let matches = command().get_matches();
    logging(matches.get_one::<String>("log").map_or("warn", String::as_str), matches.get_flag("log-json"));
    let only = matches.get_one::<String>("only");
    if let Some(path) = only {
        only::set(path);
    }
    tables::set(matches.get_flag("wide"));
    let form = if matches.get_flag("json") || only.is_some() { Form::Json } else { Form::Table };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(&matches, form)) {
        Ok(code) => code,
        Err(error) => {
            output::failure(&error, if matches.get_flag("json") { Form::Json } else { Form::Table });
            ExitCode::FAILURE
        }
    }
}

async fn run(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    match matches.subcommand() {
        Some(("serve", matches)) => serve::serve(matches).await,
        Some(("config", matches)) => serve::config(matches, form),
        Some(("demo", matches)) => play::demo(matches, form).await,
        Some(("import", matches)) => play::import(matches, form).await,
        Some(("replay", matches)) => play::replay(matches, form).await,
        Some(("store", matches)) => store::run(matches, form),
        Some(("policy", matches)) => policy::run(matches, form).await,
        Some(("calendar", matches)) => calendar::run(matches, form).await,
        Some(("kpi", matches)) => kpi::run(matches, form).await,
        Some(("crew", matches)) => crew::run(matches, form).await,
        Some(("ticket", matches)) if let Some(("promises", matches)) = matches.subcommand() => {
            promises::run(matches, form).await
        }
        Some((service, matches)) => calls::run(service, matches, form).await,
        None => Ok(ExitCode::FAILURE),
    }
}

pub(crate) fn command() -> Command {
    let command = Command::new("switchboard")
        .version(env!("CARGO_PKG_VERSION"))
        .about("An event-sourced ticket engine for the 95598 power-service hotline: the log is the truth, and you can ask it anything.")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(flag("json", "Print JSON instead of tables").global(true))
        .arg(
            option("only", "FIELD", "Print only this field of the answer, a line for each row: `number`, `actor.org`")
                .global(true)
                .conflicts_with("json"),
        )
        .arg(flag("wide", "Show every column of a table, however wide; otherwise it fits the terminal, or 100 columns").global(true))
        .arg(flag("log-json", "Write logs as JSON").global(true))
        .arg(option("log", "FILTER", "What to log to stderr: error, warn, info, debug, or a filter per module").global(true).env("SWITCHBOARD_LOG"))
        .subcommand(serve::command())
        .subcommand(serve::config_command());
    let command = play::commands().into_iter().fold(command, Command::subcommand).subcommand(store::command());
    let by_hand = [crew::command(), policy::command(), calendar::command(), kpi::command()];
    let command = by_hand.into_iter().fold(command, Command::subcommand);
    let command = calls::commands().into_iter().fold(command, Command::subcommand);
    command.mut_subcommand("ticket", |ticket| ticket.subcommand(promises::command()))
}

/// Builds an option that takes a value.
fn option(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).help(help)
}

/// Builds an option that takes no value.
fn flag(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

/// Builds the option that names a server.
fn server() -> Arg {
    option("server", "URL", "The server to call")
        .default_value(SERVER_DEFAULT)
        .env("SWITCHBOARD_SERVER")
        .value_parser(value_parser!(String))
}

fn logging(filter: &str, json: bool) {
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("warn"));
    let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json { logs.json().init() } else { logs.init() }
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_command_has_two_options_of_one_name_nor_any_other_contradiction() {
        super::command().debug_assert();
    }
}
