//! `make bench`: what the engine does on this machine, with the machine's own limit beside it.
//!
//! Everything is measured in one run, contenders in alternating slices, and reported as medians of paired ratios with their
//! spread; nothing is discarded. The server is a process of its own, so that its CPU time and memory can be read.
//! `ONLY=` names a part and leaves the rest out: `engine`, `promises` (`clocks` its watch alone) or `dispatch`, of which `routing`,
//! `scenarios`, `recorded`, `decisions`, `growth`, `offers` and `streams` can be named alone. `SECONDS=` sets the length of a slice, `PAIRS=` how
//! many, `DATA=` the folder (its disk is what is measured); each part's file says by which names it is sized.

mod decisions;
mod disk;
mod dispatch;
mod fold;
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

use switchboard_eventstore::sqlite::{SqliteOptions, SqliteStore};

use crate::{
    load::Load,
    server::Server,
    stats::{Slice, median, ratio_line},
};

/// How many callers wait at once.
const CALLERS: [usize; 4] = [1, 8, 64, 256];

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
        "engine" => everything(&folder, slice, pairs).await?,
        "" => {
            everything(&folder, slice, pairs).await?;
            dispatch(&folder).await?;
        }
        other => return Err(format!("ONLY={other} names no part").into()),
    }
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

/// Everything about dispatch, quality first.
async fn dispatch(folder: &Path) -> Outcome<()> {
    for part in ["routing", "scenarios", "recorded"] {
        quality(part)?;
    }
    alone("decisions")?;
    alone("growth")?;
    offers(folder).await?;
    streams(folder).await
}

/// How good the plans are; needs no server.
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

/// A part in a process of its own, whose memory nothing else has touched.
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

async fn everything(folder: &Path, slice: Duration, pairs: usize) -> Outcome<()> {
    let server = Server::start(&folder.join("grpc"))?;
    promises::publish_shipped(&server.endpoint).await?;
    let load = Load::connect(&server.endpoint, 8).await?;
    let store = SqliteStore::open(&folder.join("keeper"), SqliteOptions::default())?;
    println!(
        "server: synchronous=FULL WAL, one sync per batch, release build, its own process; the shipped policy is published"
    );

    println!("\n# B1, B2: durable commands through gRPC, beside the keeper alone and a raw file");
    println!("raw = one write and fdatasync per batch of as many 700-byte records as there are callers");
    println!(
        "{:>7} {:>10} {:>10} {:>10} {:>9} {:>9} {:>9} {:>9} {:>11} {:>17} {:>17}",
        "callers",
        "raw/s",
        "keeper/s",
        "gRPC/s",
        "p50 ms",
        "p99 ms",
        "sync ms",
        "cpu us",
        "model/s",
        "gRPC:keeper",
        "gRPC:model"
    );
    for callers in CALLERS {
        let (mut raw, mut keeper, mut grpc) = (Vec::new(), Vec::new(), Vec::new());
        let (mut syncs, mut models) = (Vec::new(), Vec::new());
        load.run(callers, slice / 2).await?;
        for pair in 0..pairs {
            let sync = disk::probe(folder, 40)?.0;
            let order: [u8; 3] = if pair % 2 == 0 { [0, 1, 2] } else { [2, 1, 0] };
            for turn in order {
                match turn {
                    0 => raw.push(disk::batches(folder, callers, slice / 2)?),
                    1 => keeper.push(load::keeper(&store, callers, slice / 2).await?),
                    _ => {
                        let before = server.cpu();
                        let mut measured = load.run(callers, slice).await?;
                        measured.cpu = server.cpu() - before;
                        grpc.push(measured);
                    }
                }
            }
            syncs.push(sync.as_secs_f64());
            // N callers, sync time F, serial CPU c: N / (F + N c), with the CPU of this very slice.
            let last = &grpc[grpc.len() - 1];
            let cpu = last.cpu.as_secs_f64() / last.operations.max(1) as f64;
            models.push(callers as f64 / (sync.as_secs_f64() + callers as f64 * cpu));
        }
        let rate = |slices: &[Slice]| median(slices.iter().map(Slice::rate));
        let latency = stats::merged(&grpc);
        let cpu = median(grpc.iter().map(|s| s.cpu.as_secs_f64() * 1e6 / s.operations.max(1) as f64));
        println!(
            "{callers:>7} {:>10.0} {:>10.0} {:>10.0} {:>9.2} {:>9.2} {:>9.3} {cpu:>9.1} {:>11.0} {:>17} {:>17}",
            rate(&raw),
            rate(&keeper),
            rate(&grpc),
            latency.value_at_quantile(0.5) as f64 / 1e3,
            latency.value_at_quantile(0.99) as f64 / 1e3,
            median(syncs.iter().map(|s| s * 1e3)),
            median(models.iter().copied()),
            ratio_line(grpc.iter().zip(&keeper).map(|(a, b)| a.rate() / b.rate())),
            ratio_line(grpc.iter().zip(&models).map(|(a, b)| a.rate() / b)),
        );
    }

    println!("\n# B6: server CPU per full command, beside a call that does nothing (health check) on the same server");
    let (mut command, mut nothing) = (Vec::new(), Vec::new());
    for _ in 0..pairs {
        let before = server.cpu();
        let done = load.run(64, slice).await?.operations;
        let middle = server.cpu();
        let idle = load.nothing(64, slice / 2).await?;
        command.push((middle - before).as_secs_f64() * 1e6 / done.max(1) as f64);
        nothing.push((server.cpu() - middle).as_secs_f64() * 1e6 / idle.max(1) as f64);
    }
    println!(
        "command {:.1} us, nothing {:.1} us, ratio {}; {:.0} commands/s per core",
        median(command.iter().copied()),
        median(nothing.iter().copied()),
        ratio_line(command.iter().zip(&nothing).map(|(a, b)| a / b)),
        1e6 / median(command.iter().copied())
    );

    println!("\n# Memory of the server");
    let tickets = load.tickets();
    println!(
        "resident {:.1} MiB after {tickets} tickets (peak {:.1} MiB)",
        server.memory("VmRSS"),
        server.memory("VmHWM")
    );

    store.close().await;
    promises(server, folder).await?;

    println!("\n# B8: decode and fold, one core");
    fold::run(&folder.join("grpc"), pairs).await
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
