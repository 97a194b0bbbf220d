//! Crashes: a writing process that is killed at any instant, and power cuts during writing.
//!
//! The test binary runs itself again as the process that dies. That process reports which appends were acknowledged.
//! Afterwards each of them must be in the log exactly once, at its position, and all other appends must be whole and in
//! order. Zero failures in N cycles bound the failure rate at 3/N with 95 % confidence, no better.
//!
//! After a power cut only acknowledgements from before the cut count. The ioctl that simulates the cut aborts the file
//! system's journal, and a sync that is in progress at that moment may return success although nothing was written. A
//! bare loop of `write` and `fsync`, without any database, loses such a write in about 3 of 100 cuts, and never one
//! from before the cut.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use switchboard_eventstore::keys::{KeyId, KeyStore, SqliteKeys};
use switchboard_eventstore::sqlite::Planted;
use switchboard_eventstore::{EventStore, Expected, NewEvent, Recorded, SqliteOptions, SqliteStore, StreamName};
use uuid::Uuid;

use crate::stage::{Disk, all, count, open};

const FOLDER: &str = "SWITCHBOARD_CHILD_FOLDER";
const PLANTED: &str = "SWITCHBOARD_CHILD_PLANTED";
const RUN: &str = "SWITCHBOARD_CHILD_RUN";
const WRITERS: u64 = 8;

/// Not a test of its own: the process that dies. Without the environment variables it does nothing.
#[test]
fn the_process_that_dies() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let run: u64 = std::env::var(RUN).unwrap().parse().unwrap();
    let planted = match std::env::var(PLANTED).unwrap().as_str() {
        "early" => Planted::AnswerEarly,
        "no sync" => Planted::SkipSync,
        _ => Planted::Nothing,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let options = SqliteOptions { planted, ..SqliteOptions::default() };
        let store = Arc::new(SqliteStore::open(Path::new(&folder), options).unwrap());
        let keys = Arc::new(SqliteKeys::open(Path::new(&folder)).unwrap());
        let writers = (0..WRITERS).map(|writer| tokio::spawn(write_for_ever(store.clone(), keys.clone(), run, writer)));
        futures::future::join_all(writers).await;
    });
}

/// Appends one to three events at a time. Each event names its writer, its number, its part and the key that it used.
async fn write_for_ever(store: Arc<SqliteStore>, keys: Arc<SqliteKeys>, run: u64, writer: u64) {
    for number in 0_u64.. {
        let parts = 1 + number % 3;
        let subject = format!("subject {run} {writer} {}", number / 5);
        let (key_id, key) = keys.assign(&subject).unwrap();
        let hex: String = key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let events = (0..parts).map(|part| NewEvent {
            id: id(run, writer, number, part),
            kind: "thing.happened.v1".into(),
            data: format!("{run} {writer} {number} {part} {parts} {key_id} {hex}").into_bytes(),
            meta: vec![b'x'; 200],
        });
        let stream = StreamName::new("ticket", format!("{run}.{}", if number % 4 == 0 { 99 } else { writer })).unwrap();
        let appended = store.append(&stream, Expected::Any, events.collect()).await.unwrap();
        let line = format!("ack {} {run} {writer} {number}\n", appended.first);
        let mut out = std::io::stdout().lock();
        out.write_all(line.as_bytes()).and_then(|()| out.flush()).unwrap();
    }
}

fn id(run: u64, writer: u64, number: u64, part: u64) -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{run} {writer} {number} {part}").as_bytes())
}

/// An acknowledged append: first position, run, writer, number.
type Ack = [u64; 4];

/// The process that dies, and the file to which it writes its acknowledgements.
struct Victim {
    child: Child,
    said: PathBuf,
}

impl Victim {
    fn start(folder: &Path, said: &Path, run: u64, planted: &str) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["crash::the_process_that_dies", "--exact", "--nocapture", "--test-threads", "1"])
            .env(FOLDER, folder)
            .env(RUN, run.to_string())
            .env(PLANTED, planted)
            .stdin(Stdio::null())
            .stdout(File::create(said).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, said: said.to_owned() }
    }

    /// Kills it, and returns the appends that it acknowledged within the first `limit` bytes of its output.
    fn kill(mut self, limit: usize) -> Vec<Ack> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let said = std::fs::read_to_string(&self.said).unwrap();
        let heard = &said[..said.len().min(limit)];
        // The last line may be incomplete.
        let whole = heard.rfind('\n').map_or("", |end| &heard[..end]);
        whole.lines().filter_map(acknowledged).collect()
    }
}

fn acknowledged(line: &str) -> Option<Ack> {
    let words: Vec<u64> = line.strip_prefix("ack ")?.split(' ').map_while(|word| word.parse().ok()).collect();
    words.try_into().ok()
}

/// A random number below `below`. A seed would be useless, because the instant of a crash cannot be repeated.
fn chance(below: u64) -> u64 {
    Uuid::new_v4().as_u64_pair().1 % below
}

/// Verifies that the folder holds everything that was guaranteed.
async fn verify(folder: &Path, acks: &[Ack]) -> Result<usize, String> {
    let report = SqliteStore::check(folder, |_, _| {}).map_err(|error| format!("check: {error}"))?;
    if !report.ok {
        return Err(format!("check: {report:?}"));
    }
    let store = SqliteStore::open(folder, SqliteOptions::default()).map_err(|error| format!("open: {error}"))?;
    let log = all(&store).await.map_err(|error| format!("read: {error}"))?;
    if log.len() as u64 != report.facts {
        return Err(format!("{} events read, {} checked", log.len(), report.facts));
    }
    for &[first, run, writer, number] in acks {
        let found = log.get(usize::try_from(first - 1).unwrap()).map(|event| event.id);
        if found != Some(id(run, writer, number, 0)) {
            return Err(format!("acknowledged at {first} and not there: {run} {writer} {number}"));
        }
    }
    in_order(&log)?;
    let keys = SqliteKeys::open(folder).map_err(|error| format!("keys: {error}"))?;
    sealed(&log, &keys)?;
    store.close().await;
    Ok(log.len())
}

fn words(event: &Recorded) -> Vec<&str> {
    std::str::from_utf8(&event.data).unwrap().split(' ').collect()
}

/// Verifies that the log has every writer's appends from its first to some last one, whole, in order and without a
/// hole.
fn in_order(log: &[Recorded]) -> Result<(), String> {
    let mut next: HashMap<(u64, u64), u64> = HashMap::new();
    let mut rest = log;
    while let Some(first) = rest.first() {
        let [run, writer, number, _, parts] =
            words(first)[..5].iter().map(|word| word.parse().unwrap()).collect::<Vec<u64>>()[..]
        else {
            return Err("unreadable".into());
        };
        let due = next.entry((run, writer)).or_default();
        if number != *due {
            return Err(format!("writer {run} {writer}: append {number} where {due} was due"));
        }
        *due += 1;
        let whole = rest.len() as u64 >= parts
            && (0..parts).zip(rest).all(|(part, event)| event.id == id(run, writer, number, part));
        if !whole {
            return Err(format!("append {run} {writer} {number} is torn"));
        }
        rest = &rest[usize::try_from(parts).unwrap()..];
    }
    Ok(())
}

/// Verifies that every key that an event names exists, is unchanged, and served one subject only.
fn sealed(log: &[Recorded], keys: &SqliteKeys) -> Result<(), String> {
    let mut owners: HashMap<u64, String> = HashMap::new();
    for event in log {
        let words = words(event);
        let (key_id, hex) = (words[5].parse().unwrap(), words[6]);
        let owner = format!("{} {} {}", words[0], words[1], words[2].parse::<u64>().unwrap() / 5);
        let known = owners.entry(key_id).or_insert_with(|| owner.clone());
        if *known != owner {
            return Err(format!("key {key_id} sealed for {known} and for {owner}"));
        }
        let found = keys.key(KeyId(key_id)).map_err(|error| format!("key {key_id}: {error}"))?;
        let found: String = found.iter().flat_map(|key| key.as_bytes()).map(|byte| format!("{byte:02x}")).collect();
        if found != hex {
            return Err(format!("key {key_id} is not the one that was used"));
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill_at_any_instant() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut acks = Vec::new();
    let cycles = count("SWITCHBOARD_KILL_CYCLES", 30);
    for run in 0..u64::from(cycles) {
        let victim = Victim::start(folder.path(), &elsewhere.path().join("said"), run, "");
        std::thread::sleep(Duration::from_micros(chance(120_000)));
        acks.extend(victim.kill(usize::MAX));
        verify(folder.path(), &acks).await.unwrap_or_else(|broken| panic!("cycle {run}: {broken}"));
    }
    eprintln!("{cycles} kills, {} acknowledged appends survived", acks.len());
    assert!(!acks.is_empty());
    drop(open(folder.path()));
}

/// Cuts the power under a writing process until a guarantee is violated; `Ok` when none was in that many cycles.
async fn power_cuts(cycles: u32, planted: &str) -> Option<Result<usize, String>> {
    let mut disk = Disk::make(192)?;
    let elsewhere = tempfile::tempdir().unwrap();
    let (folder, said) = (disk.path().join("data"), elsewhere.path().join("said"));
    let mut acks = Vec::new();
    for run in 0..u64::from(cycles) {
        let victim = Victim::start(&folder, &said, run, planted);
        let switch = match disk.switch(&said) {
            Ok(switch) => switch,
            Err(error) => {
                eprintln!("SKIPPED: no python3 to cut the power with: {error}");
                victim.kill(0);
                return None;
            }
        };
        std::thread::sleep(Duration::from_micros(50_000 + chance(200_000)));
        let heard = switch.cut().unwrap();
        acks.extend(victim.kill(heard));
        disk.unmount().unwrap();
        disk.mount().unwrap();
        if let Err(broken) = verify(&folder, &acks).await {
            return Some(Err(format!("cycle {run}: {broken}")));
        }
    }
    Some(Ok(acks.len()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_power_cut_at_any_instant() {
    let cycles = count("SWITCHBOARD_POWER_CYCLES", 5);
    match power_cuts(cycles, "").await {
        None => {}
        Some(Err(broken)) => panic!("{broken}"),
        Some(Ok(acks)) => {
            eprintln!("{cycles} power cuts, {acks} acknowledged appends survived");
            assert!(acks > 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_does_not_sync_is_caught_by_the_power_cut() {
    if let Some(end) = power_cuts(10, "no sync").await {
        eprintln!("caught: {}", end.expect_err("a store that never syncs must lose something"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_answers_before_the_commit_is_caught_by_the_power_cut() {
    if let Some(end) = power_cuts(40, "early").await {
        eprintln!("caught: {}", end.expect_err("a store that answers early must lose something"));
    }
}
