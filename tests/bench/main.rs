//! `make bench`: measures the engine on this machine, beside the limit of the machine's disk.
//!
//! One run measures everything. The compared programs run in alternating slices. The results are medians of paired
//! ratios with their spread; no slice is discarded. The server is a process of its own, so that the bench can read its
//! CPU time and memory.
//!
//! `ONLY=` selects one part: `engine` (includes `in-flight`), `promises` (includes `clocks`, the watch alone) or
//! `dispatch` (includes `routing`, `scenarios`, `recorded`, `decisions`, `growth`, `offers` and `streams`). Each of the
//! included parts can be selected alone. `flood` is measured only when it is selected. `load` measures nothing: it
//! keeps a server under load for a profiler.
//!
//! `SECONDS=` is the length of a slice, `PAIRS=` the number of pairs, `DATA=` the folder. The disk of that folder is
//! measured. The head of each part's file names the variables that set its size.

mod decisions;
mod disk;
mod dispatch;
mod engine;
mod flood;
mod fold;
mod in_flight;
mod load;
mod log;
mod offers;
mod promises;
mod routing;
mod server;
mod stats;
mod streams;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::server::Server;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn setting<T: std::str::FromStr>(name: &str, default: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[tokio::main]
async fn main() -> Outcome<()> {
    let slice = Duration::from_secs_f64(setting("SECONDS", 2.0));
    let pairs: usize = setting("PAIRS", 7);
    let base: PathBuf = setting("DATA", std::env::temp_dir().join("switchboard-bench"));
    let folder = base.join(format!("run-{}", std::process::id()));
    let only = setting::<String>("ONLY", String::new());
    match only.as_str() {
        "clocks" => return promises::clocks(),
        "decisions" => return decisions(),
        "growth" => return growth(),
        "routing" | "scenarios" | "recorded" => return quality(&only),
        _ => {}
    }
    std::fs::create_dir_all(&folder)?;

    println!("# Machine");
    let probe = disk::probe(&folder, 200)?;
    println!("cores {}, fdatasync of 4 KiB: p50 {:.3} ms, p99 {:.3} ms (n 200)", cores(), ms(probe.0), ms(probe.1));
    println!("slices of {slice:?}, {pairs} pairs, in {}", folder.display());

    match only.as_str() {
        "promises" => promises(Server::start(&folder.join("grpc"))?, &folder).await?,
        "offers" => offers(&folder).await?,
        "streams" => streams(&folder).await?,
        "dispatch" => dispatch(&folder).await?,
        "engine" => engine::run(&folder, slice, pairs).await?,
        "in-flight" => in_flight::run(&folder, slice, pairs).await?,
        "flood" => flood::run(&folder.join("flood")).await?,
        "load" => engine::under_load(&folder, Duration::from_secs_f64(setting("SECONDS", 30.0))).await?,
        "" => {
            engine::run(&folder, slice, pairs).await?;
            promises(Server::start(&folder.join("promises"))?, &folder).await?;
            dispatch(&folder).await?;
        }
        other => return Err(format!("ONLY={other} names no part").into()),
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// Runs all parts of dispatch: first the quality of the plans, then latency, memory and streams.
async fn dispatch(folder: &Path) -> Outcome<()> {
    for part in ["routing", "scenarios", "recorded"] {
        quality(part)?;
    }
    alone("decisions")?;
    alone("growth")?;
    offers(folder).await?;
    streams(folder).await
}

/// Measures the quality of the plans. Needs no server.
fn quality(part: &str) -> Outcome<()> {
    let data = || switchboard_tests::disk::recorded("");
    match part {
        "routing" => data().map_or(Ok(()), |data| routing::run(&data)),
        "recorded" => data().map_or(Ok(()), |data| dispatch::replay(&data)),
        _ => {
            dispatch::scenarios();
            Ok(())
        }
    }
}

fn decisions() -> Outcome<()> {
    println!("\n# Dispatch: decisions on one core");
    decisions::run()
}

fn growth() -> Outcome<()> {
    println!("\n# Dispatch: a step while more tickets are in flight, on one core");
    decisions::growth::run()
}

async fn offers(folder: &Path) -> Outcome<()> {
    println!("\n# Dispatch: to the offer on a crew's screen, through a server");
    offers::run(Server::start(&folder.join("offers"))?).await
}

async fn streams(folder: &Path) -> Outcome<()> {
    println!("\n# B10: crew streams on one server");
    streams::run(Server::start(&folder.join("streams"))?).await?;
    streams::shared(Server::start(&folder.join("shared"))?).await
}

/// Runs a part in a process of its own, so that no other part has changed the memory that it measures.
fn alone(part: &str) -> Outcome<()> {
    let alone = std::process::Command::new(std::env::current_exe()?).env("ONLY", part).status()?;
    if alone.success() { Ok(()) } else { Err(format!("{part} could not be measured").into()) }
}

async fn promises(server: Server, folder: &Path) -> Outcome<()> {
    println!("\n# Promises: from due to the recorded breach, through a server");
    promises::delay(&server.endpoint).await?;
    server.stop()?;
    println!("\n# Promises: the watch's memory and a simulated day, one core");
    alone("clocks")?;
    println!("\n# Promises: history judged under another policy, one core");
    promises::backtest(&folder.join("clock_histories"))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
