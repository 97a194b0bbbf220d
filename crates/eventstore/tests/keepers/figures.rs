//! Measurements of the SQLite implementation, for developers who change it. Run with
//! `cargo test --release -p switchboard-eventstore -- --ignored --nocapture figures`.
//!
//! Closed loop, single events of 300 bytes, each caller with its own stream. Each line also shows the time of a raw
//! write with `fdatasync` just before: without it the measurement means nothing. Comparisons with other systems are in
//! the workspace's benches.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use switchboard_eventstore::{Direction, EventStore, Expected, Position, Revision, SqliteStore, StreamName};

use crate::stage::{count, event, open};

/// The processor time of this process, in clock ticks of 10 ms.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit(')').next().unwrap();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// The median time of a raw append with `fdatasync`.
fn raw_sync(folder: &Path) -> Duration {
    let mut file = File::create(folder.join("probe")).unwrap();
    let mut times: Vec<_> = (0..31)
        .map(|_| {
            let begun = Instant::now();
            file.write_all(&[7; 4096]).unwrap();
            file.sync_data().unwrap();
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[15]
}

async fn measure(store: &Arc<SqliteStore>, callers: u64, time: Duration) -> (u64, Vec<Duration>) {
    let end = Instant::now() + time;
    let tasks = (0..callers).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut latencies = Vec::new();
            while Instant::now() < end {
                // A ticket has a few events; then the next ticket begins.
                let stream = StreamName::new("ticket", uuid::Uuid::new_v4().simple()).unwrap();
                for n in 0..10 {
                    let expected = if n == 0 { Expected::NoStream } else { Expected::Revision(Revision(n - 1)) };
                    let begun = Instant::now();
                    store.append(&stream, expected, vec![event(vec![7; 300])]).await.unwrap();
                    latencies.push(begun.elapsed());
                }
            }
            latencies
        })
    });
    let mut latencies = Vec::new();
    for task in futures::future::join_all(tasks).await {
        latencies.extend(task.unwrap());
    }
    latencies.sort();
    (latencies.len() as u64, latencies)
}

#[ignore = "a measurement, not a test"]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_of_appending() {
    let folder = tempfile::tempdir_in(".").unwrap();
    let store = Arc::new(open(folder.path()));
    let time = Duration::from_millis(u64::from(count("SWITCHBOARD_FIGURE_MILLISECONDS", 2000)));
    println!(
        "callers  events/s  appends/batch   p50 us   p99 us  cpu us  apply us  commit us  checkpoint us  raw us  head"
    );
    for callers in [1, 4, 16, 64, 256, 64, 16, 1] {
        let raw = raw_sync(folder.path());
        let (before, cpu, begun) = (store.stats(), processor_time(), Instant::now());
        let (events, latencies) = measure(&store, callers, time).await;
        let (after, cpu, wall) = (store.stats(), processor_time() - cpu, begun.elapsed());
        let commits = after.commits - before.commits;
        let micros = |time: Duration, by: u64| time.as_secs_f64() * 1e6 / by.max(1) as f64;
        println!(
            "{callers:7} {:9.0} {:14.1} {:8.0} {:8.0} {:7.1} {:9.1} {:10.0} {:14.1} {:7.0} {:5}",
            events as f64 / wall.as_secs_f64(),
            events as f64 / commits as f64,
            micros(latencies[latencies.len() / 2], 1),
            micros(latencies[latencies.len() * 99 / 100], 1),
            micros(cpu, events),
            micros(after.apply_time - before.apply_time, events),
            micros(after.commit_time - before.commit_time, commits),
            micros(after.checkpoint_time - before.checkpoint_time, events),
            raw.as_secs_f64() * 1e6,
            after.events,
        );
    }
    let (begun, cpu) = (Instant::now(), processor_time());
    let (mut after, head) = (Position::START, store.head());
    while after < head {
        let page = store.read_all(after, 512, Direction::Forward).await.unwrap();
        after = page.last().unwrap().position;
    }
    let per_event = |time: Duration| time.as_secs_f64() * 1e6 / head.stored() as f64;
    println!(
        "read_all: {:.2} us an event, {:.2} us of processor",
        per_event(begun.elapsed()),
        per_event(processor_time() - cpu)
    );
    store.close().await;
    println!("{:?}", store.stats());
}
