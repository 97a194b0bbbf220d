//! `serve`: runs a server in this process until it is stopped. `config`: prints its settings with their origins.

use std::{path::PathBuf, process::ExitCode};

use clap::{ArgMatches, Command, value_parser};
use switchboard_server::{
    Server,
    config::{Config, Flags, Setting},
};

use crate::{
    option,
    output::{self, Form},
    signal,
};

/// The settings with an own option: name, value name, help.
const FLAGS: [(&str, &str, &str); 3] = [
    ("data", "FOLDER", "The folder that holds the log, the keys and the views"),
    ("listen", "ADDRESS", "Where gRPC listens; port 0 takes a free one"),
    ("operations", "ADDRESS", "Where health and metrics are served; port 0 takes a free one"),
];

fn with_settings(command: Command) -> Command {
    let command = command
        .arg(
            option("config", "FILE", "A TOML file with settings")
                .value_parser(value_parser!(PathBuf))
                .env("SWITCHBOARD_CONFIG"),
        )
        .arg(
            option("set", "NAME=VALUE", "Any setting by name, for example rules.urges_max=3")
                .action(clap::ArgAction::Append),
        );
    FLAGS.into_iter().fold(command, |command, (name, value, help)| command.arg(option(name, value, help)))
}

pub fn command() -> Command {
    with_settings(
        Command::new("serve").about("Serves tickets from one folder, in one process, until it is told to stop"),
    )
}

pub fn config_command() -> Command {
    with_settings(Command::new("config").about("Prints every setting with the place that it comes from"))
}

/// Loads the configuration from the arguments.
pub fn load(matches: &ArgMatches) -> anyhow::Result<(Config, Vec<Setting>)> {
    let mut flags = Flags::new();
    for (name, ..) in FLAGS {
        if let Some(value) = matches.get_one::<String>(name) {
            flags.push((name.into(), value.clone()));
        }
    }
    for setting in matches.get_many::<String>("set").into_iter().flatten() {
        match setting.split_once('=') {
            Some((name, value)) => flags.push((name.into(), value.into())),
            None => anyhow::bail!("--set takes NAME=VALUE, not {setting:?}"),
        }
    }
    let file = matches.get_one::<PathBuf>("config");
    Ok(Config::load(file.map(PathBuf::as_path), &flags)?)
}

pub async fn serve(matches: &ArgMatches) -> anyhow::Result<ExitCode> {
    let (config, _) = load(matches)?;
    refuse_huge_pages();
    let metrics = metrics_exporter_prometheus::PrometheusBuilder::new().install_recorder().ok();
    let server = Server::start(&config, metrics).await?;
    // The signal handlers are installed before the line below is printed, because its reader may send a signal at once.
    let stop = signal::stopped();
    // Scripts wait for this line.
    println!("listening on {} (operations on {}), data in {}", server.listen, server.operations, config.data.display());
    stop.await;
    server.stop().await?;
    Ok(ExitCode::SUCCESS)
}

/// Asks the kernel for pages of 4 KiB only. A connection has 36 KiB of buffers, of which little is ever written. The
/// allocator requests pages of 2 MiB, which become resident as a whole. They made two fifths of the memory of ten
/// thousand streams.
fn refuse_huge_pages() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::thread::disable_transparent_huge_pages(true) {
        tracing::warn!(%error, "huge pages stay: each open stream takes some 20 KiB more");
    }
}

pub fn config(matches: &ArgMatches, form: Form) -> anyhow::Result<ExitCode> {
    let (_, settings) = load(matches)?;
    match form {
        Form::Json => output::json(&serde_json::to_value(&settings)?)?,
        Form::Table => {
            let rows = settings.into_iter().map(|s| vec![s.name, output::text(&s.value), s.origin]);
            output::table(&["setting", "value", "origin"], rows);
        }
    }
    Ok(ExitCode::SUCCESS)
}
