//! The engine through gRPC: durable commands beside the event store and the disk, CPU per command, and memory.
//!
//! `AGAINST=` names the binary of another version. The bench measures it beside ours in alternating slices, with the
//! same client. `CALLERS=` lists the numbers of concurrent callers.

use std::{path::Path, time::Duration};

use switchboard_eventstore::sqlite::{SqliteOptions, SqliteStore};

use crate::{
    Outcome, disk, fold, in_flight,
    load::{self, Last, Load},
    promises,
    server::Server,
    setting,
    stats::{self, Slice, median, ratio_line},
};

/// A server under measurement, with its load generator.
pub struct Contender {
    pub name: &'static str,
    pub server: Server,
    pub load: Load,
}

impl Contender {
    async fn new(name: &'static str, server: Server) -> Outcome<Self> {
        promises::publish_shipped(&server.endpoint).await?;
        let load = Load::connect(&server.endpoint, 8).await?;
        Ok(Self { name, server, load })
    }

    /// Starts our server and, if `AGAINST` names a binary, that server too. Each has an empty folder below `folder`.
    pub async fn all(folder: &Path) -> Outcome<Vec<Self>> {
        std::fs::create_dir_all(folder)?;
        let mut all = vec![Self::new("ours", Server::start(&folder.join("ours"))?).await?];
        if let Some(binary) = Server::against() {
            all.push(Self::new("against", Server::of(&binary, &folder.join("against"))?).await?);
        }
        Ok(all)
    }

    /// Runs one slice of load, and adds the server's CPU time during it.
    pub async fn slice(&self, callers: usize, time: Duration, last: Last) -> Outcome<Slice> {
        let before = self.server.cpu();
        let mut measured = self.load.run(callers, time, last).await?;
        measured.cpu = self.server.cpu() - before;
        Ok(measured)
    }
}

/// Returns the CPU time per operation in microseconds.
pub fn cpu_us(slice: &Slice) -> f64 {
    slice.cpu.as_secs_f64() * 1e6 / slice.operations.max(1) as f64
}

/// Returns the numbers, separated by commas, of an environment variable; `default` if it has none.
pub fn listed(name: &str, default: &[usize]) -> Vec<usize> {
    let text: String = setting(name, String::new());
    let named: Vec<usize> = text.split(',').filter_map(|number| number.trim().parse().ok()).collect();
    if named.is_empty() { default.to_vec() } else { named }
}

pub async fn run(folder: &Path, slice: Duration, pairs: usize) -> Outcome<()> {
    let contenders = Contender::all(&folder.join("grpc")).await?;
    println!(
        "server: synchronous=FULL WAL, one sync per batch, release build, its own process; the shipped policy is published"
    );
    if let Some(binary) = Server::against() {
        println!("against: {}", binary.display());
    }
    commands(&contenders, folder, slice, pairs).await?;
    against_nothing(&contenders[0], slice, pairs).await?;

    println!("\n# Memory of the server");
    for Contender { name, server, load } in &contenders {
        let (now, peak) = (server.memory("VmRSS"), server.memory("VmHWM"));
        println!("{name}: resident {now:.1} MiB after {} tickets (peak {peak:.1} MiB)", load.tickets());
    }
    for contender in contenders {
        contender.server.stop()?;
    }

    println!("\n# B8: decode and fold, one core");
    fold::run(&folder.join("grpc").join("ours"), pairs).await?;
    in_flight::run(&folder.join("in-flight"), slice, pairs).await
}

/// Measures B1 and B2 of `docs/benches.md`: durable commands, beside the event store, a raw file and the model.
async fn commands(contenders: &[Contender], folder: &Path, slice: Duration, pairs: usize) -> Outcome<()> {
    println!("\n# B1, B2: durable commands through gRPC, beside the event store alone and a raw file");
    println!("raw = one write and fdatasync per batch of as many 700-byte records as there are callers");
    println!(
        "{:>7} {:>7} {:>9} {:>9} {:>9} {:>8} {:>8} {:>8} {:>8} {:>9} {:>17} {:>17}",
        "callers",
        "",
        "raw/s",
        "store/s",
        "gRPC/s",
        "p50 ms",
        "p99 ms",
        "sync ms",
        "cpu us",
        "model/s",
        "gRPC:store",
        "gRPC:model"
    );
    let store = SqliteStore::open(&folder.join("store"), SqliteOptions::default())?;
    for callers in listed("CALLERS", &[1, 8, 64, 256]) {
        let (mut raw, mut alone, mut syncs) = (Vec::new(), Vec::new(), Vec::new());
        let mut grpc: Vec<Vec<Slice>> = contenders.iter().map(|_| Vec::new()).collect();
        for contender in contenders {
            contender.load.run(callers, slice / 2, Last::Accept).await?;
        }
        for pair in 0..pairs {
            syncs.push(disk::probe(folder, 40)?.0.as_secs_f64());
            let mut order: Vec<usize> = (0..2 + contenders.len()).collect();
            if pair % 2 == 1 {
                order.reverse();
            }
            for turn in order {
                match turn {
                    0 => raw.push(disk::batches(folder, callers, slice / 2)?),
                    1 => alone.push(load::event_store(&store, callers, slice / 2).await?),
                    _ => grpc[turn - 2].push(contenders[turn - 2].slice(callers, slice, Last::Accept).await?),
                }
            }
        }
        let rate = |slices: &[Slice]| median(slices.iter().map(Slice::rate));
        for (contender, slices) in contenders.iter().zip(&grpc) {
            // The model of `docs/benches.md`: N / (F + N c) for N callers, F seconds per sync, and c seconds of CPU per
            // command in the same slice.
            let model = |(slice, sync): (&Slice, &f64)| callers as f64 / (sync + callers as f64 * cpu_us(slice) / 1e6);
            let models: Vec<f64> = slices.iter().zip(&syncs).map(model).collect();
            let latency = stats::merged(slices);
            println!(
                "{callers:>7} {:>7} {:>9.0} {:>9.0} {:>9.0} {:>8.2} {:>8.2} {:>8.3} {:>8.1} {:>9.0} {:>17} {:>17}",
                contender.name,
                rate(&raw),
                rate(&alone),
                rate(slices),
                latency.value_at_quantile(0.5) as f64 / 1e3,
                latency.value_at_quantile(0.99) as f64 / 1e3,
                median(syncs.iter().map(|sync| sync * 1e3)),
                median(slices.iter().map(cpu_us)),
                median(models.iter().copied()),
                ratio_line(slices.iter().zip(&alone).map(|(a, b)| a.rate() / b.rate())),
                ratio_line(slices.iter().zip(&models).map(|(a, b)| a.rate() / b)),
            );
        }
        if let [ours, theirs] = grpc.as_slice() {
            let pairs = || ours.iter().zip(theirs);
            println!(
                "{:>15} commands/s {}, CPU per command {}",
                "ours : against",
                ratio_line(pairs().map(|(a, b)| a.rate() / b.rate())),
                ratio_line(pairs().map(|(a, b)| cpu_us(a) / cpu_us(b)))
            );
        }
    }
    store.close().await;
    Ok(())
}

/// Measures B6: the server's CPU per command, beside a health check on the same server.
async fn against_nothing(contender: &Contender, slice: Duration, pairs: usize) -> Outcome<()> {
    println!("\n# B6: server CPU per full command, beside a call that does nothing (health check) on the same server");
    let (mut command, mut nothing) = (Vec::new(), Vec::new());
    for _ in 0..pairs {
        command.push(cpu_us(&contender.slice(64, slice, Last::Accept).await?));
        let before = contender.server.cpu();
        let idle = contender.load.nothing(64, slice / 2).await?;
        nothing.push((contender.server.cpu() - before).as_secs_f64() * 1e6 / idle.max(1) as f64);
    }
    println!(
        "command {:.1} us, nothing {:.1} us, ratio {}; {:.0} commands/s per core",
        median(command.iter().copied()),
        median(nothing.iter().copied()),
        ratio_line(command.iter().zip(&nothing).map(|(a, b)| a / b)),
        1e6 / median(command.iter().copied())
    );
    Ok(())
}

/// `ONLY=load`: keeps a server under load for `SECONDS`, for a profiler. Prints the server's pid first. With
/// `WITHDRAW=1` the last command of each ticket is withdraw, so that the number of open tickets does not grow.
pub async fn under_load(folder: &Path, time: Duration) -> Outcome<()> {
    let contenders = Contender::all(&folder.join("grpc")).await?;
    let callers = listed("CALLERS", &[64])[0];
    let withdrawn = setting("WITHDRAW", 0) == 1;
    for contender in &contenders {
        let (name, pid) = (contender.name, contender.server.pid());
        println!("{name}: pid {pid}, {}, {callers} callers for {time:?}", contender.server.endpoint);
        let last = if withdrawn { Last::Withdraw } else { Last::Accept };
        let slice = contender.slice(callers, time, last).await?;
        println!("{name}: {:.0} commands/s, {:.1} us of CPU per command", slice.rate(), cpu_us(&slice));
    }
    Ok(())
}
