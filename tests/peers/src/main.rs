//! Speed beside others: durable conditional appends, ours and theirs in alternating slices on one disk.
//!
//! `setup.sh` brings the servers up and calls this program; `README.md` says how the figures come about. Starting and
//! stopping servers is absent here, and so is any opinion about the figures.
//!
//! In reading order: `workload` (what everybody does), `contestant` (who), `slice` (one measurement), `disk` and `cpu`
//! (what is read beside it), `pairs` (how measurements are compared), `syncs` (whether the answers are durable), `report`.

mod contestant;
mod cpu;
mod disk;
mod pairs;
mod report;
mod slice;
mod syncs;
mod workload;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;
use contestant::{Contestant, Crowd, Name};
use pairs::Plan;
use report::{Comparison, Report};
use workload::Fault;

/// Compares durable conditional appends per second, in pairs of slices.
#[derive(Debug, Parser)]
struct Arguments {
    /// Folder for our own data and the probe, on the disk that the servers use too.
    #[arg(long)]
    folder: PathBuf,
    /// Connection string of an empty PostgreSQL data base.
    #[arg(long)]
    postgres: Option<String>,
    /// First process of the PostgreSQL server, for its CPU time.
    #[arg(long)]
    postgres_pid: Option<u32>,
    /// Address of an UmaDB server, host:port.
    #[arg(long)]
    umadb: Option<String>,
    /// Process of the UmaDB server.
    #[arg(long)]
    umadb_pid: Option<u32>,
    /// Version and options of the UmaDB server, to be printed.
    #[arg(long, default_value = "not said")]
    umadb_settings: String,
    /// Address of a switchboard server, host:port.
    #[arg(long)]
    switchboard: Option<String>,
    /// Process of the switchboard server.
    #[arg(long)]
    switchboard_pid: Option<u32>,
    /// Version and options of the switchboard server, to be printed.
    #[arg(long, default_value = "not said")]
    switchboard_settings: String,
    /// Ours, each against all of theirs.
    #[arg(long, value_delimiter = ',', default_value = "keeper,switchboard")]
    ours: Vec<Name>,
    /// Theirs.
    #[arg(long, value_delimiter = ',', default_value = "postgres,umadb,raw-file")]
    against: Vec<Name>,
    /// Callers at the same time.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    callers: Vec<usize>,
    /// Length of a slice in milliseconds.
    #[arg(long, default_value_t = 2000)]
    slice_ms: u64,
    /// Pairs in one mood of the disk after which a comparison is done.
    #[arg(long, default_value_t = 7)]
    pairs: usize,
    /// Pairs in any mood after which it is done all the same.
    #[arg(long, default_value_t = 21)]
    pairs_max: usize,
    /// Median sync time in microseconds above which the disk counts as slow.
    #[arg(long, default_value_t = 1000)]
    slow_over_us: u64,
    /// gRPC connections that the callers of a server share.
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Somebody who could not be had, and why; printed with the rest.
    #[arg(long)]
    missing: Vec<String>,
    /// Where to write everything as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

type Field = BTreeMap<Name, Box<dyn Contestant>>;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let arguments = Arguments::parse();
    let mut report = Report { missing: arguments.missing.clone(), ..Report::default() };
    report.machine = machine(&arguments.folder);
    let plan = Plan {
        slice: Duration::from_millis(arguments.slice_ms),
        pairs: arguments.pairs,
        pairs_max: arguments.pairs_max,
        slow_over: Duration::from_micros(arguments.slow_over_us),
    };
    report.method = BTreeMap::from([
        ("slice_ms".to_owned(), arguments.slice_ms.to_string()),
        ("pairs".to_owned(), format!("{} in one mood, {} at most", plan.pairs, plan.pairs_max)),
        ("slow_over_us".to_owned(), arguments.slow_over_us.to_string()),
        ("events".to_owned(), format!("1 an append, {} a ticket, conditional, 300+150 bytes", workload::TICKET_EVENTS)),
    ]);
    let mut field = gather(&arguments, &mut report).await;
    check(&mut field, &mut report, &arguments.folder).await;
    print!("{}", report.preamble());
    println!("\n{}", report::heading());
    compare(&arguments, plan, &mut field, &mut report).await?;
    if let Some(path) = &arguments.json {
        std::fs::write(path, format!("{:#}\n", report.json()))?;
    }
    Ok(())
}

/// Opens or connects to everybody who is wanted. Whoever cannot be had is named, and the run goes on.
async fn gather(arguments: &Arguments, report: &mut Report) -> Field {
    let mut field = Field::new();
    for name in arguments.ours.iter().chain(&arguments.against).copied() {
        if field.contains_key(&name) {
            continue;
        }
        match open(name, arguments).await {
            Ok(contestant) => {
                report.settings.insert(name, contestant.settings().clone());
                field.insert(name, contestant);
            }
            // Whoever started the servers may have said why already, and knows better.
            Err(_) if report.missing.iter().any(|missing| missing.starts_with(name.text())) => {}
            Err(fault) => report.missing.push(format!("{}: {}", name.text(), in_full(&*fault))),
        }
    }
    field
}

async fn open(name: Name, arguments: &Arguments) -> Result<Box<dyn Contestant>, Fault> {
    let Arguments { folder, connections, .. } = arguments;
    let absent = "no server was given";
    Ok(match name {
        Name::Keeper => Box::new(Crowd::new(contestant::keeper::Keeper::open(folder)?)),
        Name::RawFile => Box::new(contestant::raw_file::RawFile::new(folder)?),
        Name::Postgres => {
            let config = arguments.postgres.as_deref().ok_or(absent)?;
            Box::new(Crowd::new(contestant::postgres::Postgres::prepare(config, arguments.postgres_pid).await?))
        }
        Name::Umadb => {
            let address = arguments.umadb.as_deref().ok_or(absent)?;
            let (pid, settings) = (arguments.umadb_pid, &arguments.umadb_settings);
            Box::new(Crowd::new(contestant::umadb::UmaDb::connect(address, *connections, pid, settings).await?))
        }
        Name::Switchboard => {
            let address = arguments.switchboard.as_deref().ok_or(absent)?;
            let (pid, settings) = (arguments.switchboard_pid, &arguments.switchboard_settings);
            let server = contestant::switchboard::Switchboard::connect(address, *connections, pid, settings).await?;
            Box::new(Crowd::new(server))
        }
    })
}

/// Sends home whoever takes an append that builds on an older event, and counts the syncs of the others.
async fn check(field: &mut Field, report: &mut Report, folder: &Path) {
    let names: Vec<Name> = field.keys().copied().collect();
    for name in names {
        let Some(contestant) = field.get_mut(&name) else { continue };
        if let Err(fault) = contestant.check().await {
            report.missing.push(format!("{}: {}", name.text(), in_full(&*fault)));
            field.remove(&name);
            continue;
        }
        let syncs = syncs::per_append(contestant.as_mut(), folder).await;
        report.syncs.insert(name, syncs.map_err(|fault| in_full(&*fault)));
    }
}

/// Every one of ours against every one of theirs. A fault ends its comparison and is named; the others are still made.
async fn compare(arguments: &Arguments, plan: Plan, field: &mut Field, report: &mut Report) -> Result<(), Fault> {
    let mut ring = disk::Ring::new(&arguments.folder)?;
    for &theirs in &arguments.against {
        for &ours in &arguments.ours {
            // Two borrows of one map: the pair leaves the field while it plays.
            let Some(mut us) = field.remove(&ours) else { continue };
            if let Some(mut them) = field.remove(&theirs) {
                for &callers in &arguments.callers {
                    match pairs::run(us.as_mut(), them.as_mut(), callers, plan, &mut ring).await {
                        Ok(pairs) => {
                            let comparison = Comparison { ours, theirs, callers, pairs };
                            print!("{}", comparison.lines());
                            report.comparisons.push(comparison);
                        }
                        Err(fault) => {
                            let why = format!(
                                "{} against {} at {callers} callers: {}",
                                ours.text(),
                                theirs.text(),
                                in_full(&*fault)
                            );
                            println!("MISSING {why}");
                            report.missing.push(why);
                        }
                    }
                }
                field.insert(theirs, them);
            }
            field.insert(ours, us);
        }
    }
    Ok(())
}

fn machine(folder: &Path) -> BTreeMap<String, String> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let model = read("/proc/cpuinfo");
    let model =
        model.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("", |(_, name)| name);
    BTreeMap::from([
        ("processors".to_owned(), std::thread::available_parallelism().map_or(0, usize::from).to_string()),
        ("model".to_owned(), model.to_owned()),
        ("kernel".to_owned(), read("/proc/sys/kernel/osrelease")),
        ("load_before".to_owned(), read("/proc/loadavg")),
        ("folder".to_owned(), folder.display().to_string()),
    ])
}

/// A fault and everything beneath it.
fn in_full(fault: &(dyn std::error::Error + 'static)) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}
