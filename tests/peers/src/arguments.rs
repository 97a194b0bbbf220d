//! The options of the program. They are built without derive macros, because no other crate of the workspace compiles
//! clap with them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use crate::contestant::Name;
use crate::pairs::Plan;
use crate::workload::Fault;

/// The contestants that are servers.
const SERVERS: [Name; 5] = [Name::Switchboard, Name::Postgres, Name::Umadb, Name::Nats, Name::Restate];

/// A running server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its address: host:port, or the connection string of PostgreSQL.
    pub address: String,
    /// The first process of each of its process trees, for CPU time and for `strace`.
    pub pids: Vec<u32>,
    /// Version and options, to be printed.
    pub settings: String,
}

/// All options.
#[derive(Debug)]
pub struct Arguments {
    /// Folder for our own data and for the probe, on the disk that the servers use, too.
    pub folder: PathBuf,
    servers: BTreeMap<Name, Server>,
    /// Address of Restate's admin API, host:port.
    #[cfg_attr(not(feature = "restate"), expect(dead_code, reason = "read with the feature only"))]
    pub restate_admin: Option<String>,
    /// Address of the service that Restate calls, host:port.
    #[cfg_attr(not(feature = "restate"), expect(dead_code, reason = "read with the feature only"))]
    pub restate_service: Option<String>,
    /// Ours. Each is measured against all of theirs.
    pub ours: Vec<Name>,
    /// Theirs.
    pub against: Vec<Name>,
    /// Numbers of concurrent callers.
    pub callers: Vec<usize>,
    /// Slices, pairs and the threshold between the moods of the disk.
    pub plan: Plan,
    /// Connections to a server, shared by all callers.
    pub connections: usize,
    /// Contestants that could not be had, with the reason: `name: reason`.
    pub missing: Vec<String>,
    /// Where to write everything as JSON.
    pub json: Option<PathBuf>,
}

impl Arguments {
    /// Reads the command line. Ends the process with a message if it is wrong.
    pub fn read() -> Result<Self, Fault> {
        Self::of(&command().get_matches())
    }

    /// The running server of that name.
    ///
    /// # Errors
    /// No address was given for it.
    pub fn server(&self, name: Name) -> Result<&Server, Fault> {
        self.servers.get(&name).ok_or_else(|| "no server was given".into())
    }

    fn of(matches: &ArgMatches) -> Result<Self, Fault> {
        let text = |id: &str| matches.get_one::<String>(id).cloned();
        let number = |id: &str| matches.get_one::<u64>(id).copied().unwrap_or_default();
        let count = |id: &str| matches.get_one::<usize>(id).copied().unwrap_or_default();
        let names = |id: &str| matches.get_many::<Name>(id).into_iter().flatten().copied().collect::<Vec<_>>();
        let mut servers = BTreeMap::new();
        for name in SERVERS {
            let Some(address) = text(name.text()) else { continue };
            let pids = matches.get_many::<u32>(&format!("{}-pid", name.text())).into_iter().flatten().copied();
            let settings = text(&format!("{}-settings", name.text())).unwrap_or_else(|| "not given".to_owned());
            servers.insert(name, Server { address, pids: pids.collect(), settings });
        }
        Ok(Self {
            folder: matches.get_one::<PathBuf>("folder").cloned().ok_or("--folder is missing")?,
            servers,
            restate_admin: text("restate-admin"),
            restate_service: text("restate-service"),
            ours: names("ours"),
            against: names("against"),
            callers: matches.get_many::<usize>("callers").into_iter().flatten().copied().collect(),
            plan: Plan {
                slice: Duration::from_millis(number("slice-ms")),
                pairs: count("pairs"),
                pairs_max: count("pairs-max"),
                slow_over: Duration::from_micros(number("slow-over-us")),
            },
            connections: count("connections"),
            missing: matches.get_many::<String>("missing").into_iter().flatten().cloned().collect(),
            json: matches.get_one::<PathBuf>("json").cloned(),
        })
    }
}

fn option(name: impl Into<String>, help: impl Into<String>) -> Arg {
    let name: String = name.into();
    Arg::new(name.clone()).long(name).help(help.into())
}

fn command() -> Command {
    let name = |text: &str| Name::parse(text).ok_or_else(|| format!("there is no contestant {text}"));
    let mut command = Command::new("switchboard-peers")
        .about("Compares durable conditional appends per second, in pairs of slices.")
        .arg(option("folder", "Folder for our data and the probe").required(true).value_parser(value_parser!(PathBuf)));
    for server in SERVERS.map(Name::text) {
        command = command
            .arg(option(server, format!("Address of a running {server}")))
            .arg(
                option(format!("{server}-pid"), "Its first processes, for CPU time and strace")
                    .value_delimiter(',')
                    .value_parser(value_parser!(u32)),
            )
            .arg(option(format!("{server}-settings"), "Its version and options, to be printed"));
    }
    command
        .arg(option("restate-admin", "Address of Restate's admin API"))
        .arg(option("restate-service", "Address of the service that Restate calls"))
        .arg(
            option("ours", "Ours, each against all of theirs")
                .value_delimiter(',')
                .value_parser(name)
                .default_value("keeper,switchboard"),
        )
        .arg(
            option("against", "Theirs")
                .env("PEERS")
                .value_delimiter(',')
                .value_parser(name)
                .default_value("postgres,umadb,raw-file"),
        )
        .arg(
            option("callers", "Concurrent callers")
                .value_delimiter(',')
                .value_parser(value_parser!(usize))
                .default_value("1,16,64"),
        )
        .arg(option("slice-ms", "Length of a slice").value_parser(value_parser!(u64)).default_value("2000"))
        .arg(
            option("pairs", "Pairs in one mood that end a comparison")
                .value_parser(value_parser!(usize))
                .default_value("7"),
        )
        .arg(
            option("pairs-max", "Pairs in any mood that end it").value_parser(value_parser!(usize)).default_value("21"),
        )
        .arg(
            option("slow-over-us", "Median sync time of a slow disk")
                .value_parser(value_parser!(u64))
                .default_value("1000"),
        )
        .arg(option("connections", "Connections to a server").value_parser(value_parser!(usize)).default_value("4"))
        .arg(option("missing", "A contestant that could not be had: `name: reason`").action(ArgAction::Append))
        .arg(option("json", "File for everything as JSON").value_parser(value_parser!(PathBuf)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &[&str]) -> Arguments {
        let arguments = ["switchboard-peers", "--folder", "/tmp"].iter().chain(arguments);
        // The variable of the caller's shell must not reach the test.
        let command = command().mut_arg("against", |against| against.env(None));
        Arguments::of(&command.try_get_matches_from(arguments).unwrap()).unwrap()
    }

    #[test]
    fn a_server_is_known_by_its_address_with_all_its_processes() {
        let arguments = read(&["--restate", "127.0.0.1:1", "--restate-pid", "7,8", "--restate-settings", "1.7"]);
        let restate = arguments.server(Name::Restate).unwrap();
        assert_eq!((restate.address.as_str(), &restate.pids[..]), ("127.0.0.1:1", &[7, 8][..]));
        assert!(arguments.server(Name::Nats).is_err());
    }

    #[test]
    fn a_run_without_options_leaves_out_what_must_be_asked_for() {
        let arguments = read(&[]);
        assert_eq!(arguments.ours, [Name::Keeper, Name::Switchboard]);
        assert_eq!(arguments.against, [Name::Postgres, Name::Umadb, Name::RawFile]);
        assert_eq!(read(&["--against", "nats,restate"]).against, [Name::Nats, Name::Restate]);
    }
}
