//! Speed beside others: durable conditional appends, ours and theirs in alternating slices on one disk.
//!
//! `setup.sh` brings the servers up and calls this program; `README.md` says how the figures come about. Starting and
//! stopping servers is absent here, and so is any opinion about the figures.
//!
//! In reading order: `arguments`, `workload` (the work of every contestant), `contestant`, `slice` (one measurement),
//! `disk` and `cpu` (read beside it), `pairs` (the comparison of measurements), `syncs` (the proof that answers are
//! durable), `report`.

mod arguments;
mod contestant;
mod cpu;
mod disk;
mod pairs;
mod report;
mod slice;
mod syncs;
mod workload;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use arguments::Arguments;
use contestant::{Contestant, Crowd, Name};
use report::{Comparison, Report};
use workload::{Fault, Work};

type Field = BTreeMap<Name, Box<dyn Contestant>>;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let arguments = Arguments::read()?;
    let mut report = Report { missing: arguments.missing.clone(), ..Report::default() };
    report.machine = machine(&arguments.folder);
    let plan = arguments.plan;
    report.method = BTreeMap::from([
        ("slice_ms".to_owned(), plan.slice.as_millis().to_string()),
        ("pairs".to_owned(), format!("{} in one mood, {} at most", plan.pairs, plan.pairs_max)),
        ("slow_over_us".to_owned(), plan.slow_over.as_micros().to_string()),
        (
            "events".to_owned(),
            format!(
                "1 an append or step, {} or {} a ticket, conditional, 300+150 bytes",
                Work::Appends.events(),
                Work::Life.events()
            ),
        ),
    ]);
    let mut field = gather(&arguments, &mut report).await;
    check(&mut field, &mut report, &arguments.folder).await;
    print!("{}", report.preamble());
    println!("\n{}", report::heading());
    compare(&arguments, &mut field, &mut report).await?;
    if let Some(path) = &arguments.json {
        std::fs::write(path, format!("{:#}\n", report.json()))?;
    }
    Ok(())
}

/// Opens or connects to every contestant. One that cannot be had is named, and the run goes on.
async fn gather(arguments: &Arguments, report: &mut Report) -> Field {
    let mut field = Field::new();
    let names: BTreeSet<Name> = matches(arguments).flat_map(|(ours, theirs)| [ours, theirs]).collect();
    for name in names {
        match open(name, arguments).await {
            Ok(contestant) => {
                report.settings.insert(name, contestant.settings().clone());
                field.insert(name, contestant);
            }
            // `setup.sh` may have given the reason already, and knows more.
            Err(_) if report.missing.iter().any(|missing| missing.starts_with(&format!("{}:", name.text()))) => {}
            Err(fault) => report.missing.push(format!("{}: {}", name.text(), in_full(&*fault))),
        }
    }
    field
}

/// The pairs of contestants, with the same work on both sides.
fn matches(arguments: &Arguments) -> impl Iterator<Item = (Name, Name)> {
    let ours = |theirs: Name| arguments.ours.iter().filter_map(move |ours| Some((ours.for_opponent(theirs)?, theirs)));
    arguments.against.iter().copied().flat_map(ours)
}

async fn open(name: Name, arguments: &Arguments) -> Result<Box<dyn Contestant>, Fault> {
    let Arguments { folder, connections, .. } = arguments;
    let switchboard = async || {
        contestant::switchboard::Switchboard::connect(arguments.server(Name::Switchboard)?, *connections).await
    };
    Ok(match name {
        Name::Keeper => Box::new(Crowd::new(contestant::keeper::Keeper::open(folder)?)),
        Name::RawFile => Box::new(contestant::raw_file::RawFile::new(folder)?),
        Name::Switchboard => Box::new(Crowd::new(switchboard().await?)),
        Name::Life => Box::new(Crowd::new(contestant::life::Life::new(switchboard().await?))),
        Name::Postgres => Box::new(Crowd::new(contestant::postgres::Postgres::prepare(arguments.server(name)?).await?)),
        Name::Umadb => {
            Box::new(Crowd::new(contestant::umadb::UmaDb::connect(arguments.server(name)?, *connections).await?))
        }
        #[cfg(feature = "nats")]
        Name::Nats => {
            Box::new(Crowd::new(contestant::nats::Nats::connect(arguments.server(name)?, *connections).await?))
        }
        #[cfg(feature = "restate")]
        Name::Restate => {
            let server = arguments.server(name)?;
            let admin = arguments.restate_admin.as_deref().ok_or("no admin API was given")?;
            let service = arguments.restate_service.as_deref().ok_or("no service was given")?;
            Box::new(Crowd::new(contestant::restate::Restate::connect(server, admin, service).await?))
        }
        #[cfg(not(feature = "nats"))]
        Name::Nats => return Err("this program was built without the feature `nats`".into()),
        #[cfg(not(feature = "restate"))]
        Name::Restate => return Err("this program was built without the feature `restate`".into()),
    })
}

/// Excludes a contestant that accepts an append on an older event, and counts the syncs of the others.
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
async fn compare(arguments: &Arguments, field: &mut Field, report: &mut Report) -> Result<(), Fault> {
    let mut ring = disk::Ring::new(&arguments.folder)?;
    for (ours, theirs) in matches(arguments) {
        // Two borrows of one map: the pair leaves the field while it is measured.
        let Some(mut us) = field.remove(&ours) else { continue };
        if let Some(mut them) = field.remove(&theirs) {
            for &callers in &arguments.callers {
                match pairs::run(us.as_mut(), them.as_mut(), callers, arguments.plan, &mut ring).await {
                    Ok(pairs) => {
                        let comparison = Comparison { ours, theirs, callers, pairs };
                        print!("{}", comparison.lines());
                        report.comparisons.push(comparison);
                    }
                    Err(fault) => {
                        let (ours, theirs) = (ours.text(), theirs.text());
                        let why = format!("{ours} against {theirs} at {callers} callers: {}", in_full(&*fault));
                        println!("MISSING {why}");
                        report.missing.push(why);
                    }
                }
            }
            field.insert(theirs, them);
        }
        field.insert(ours, us);
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
