//! Recorded outages of a real utility, imported and replayed through the binary. The file is not part of this project;
//! if it is absent, a message is printed. Its contents are counted here from its columns alone, without the mapping.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod figures;

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;
use serde_json::Value;
use switchboard_tests::{
    disk::{recorded, skipped},
    line::Line,
    stage::{Stage, run},
};
use switchboard_wire::proto::{Stage as At, TicketSummary};

const FILE: &str = "outages-bc-2024h1.csv.gz";

/// The outages as far as they are compared. Some numbers occur in several rows, so only a multiset is exact.
type Account = BTreeMap<(String, Option<u32>, i64), usize>;

/// Counts the rows that begin within these days, by number, customers and beginning.
fn counted(file: &Path, days: std::ops::Range<&str>) -> Account {
    let mut reader = csv::Reader::from_reader(GzDecoder::new(File::open(file).unwrap()));
    let column = |name: &str, headers: &csv::StringRecord| headers.iter().position(|found| found == name).unwrap();
    let headers = reader.headers().unwrap().clone();
    let [id, out, off] = ["id", "numCustomersOut", "dateOff"].map(|name| column(name, &headers));
    let mut account = Account::new();
    for row in reader.records() {
        let row = row.unwrap();
        if days.contains(&&row[off]) {
            *account.entry((row[id].to_owned(), row[out].parse().ok(), seconds(&row[off]))).or_default() += 1;
        }
    }
    account
}

/// Converts `2024-01-08 11:22:33+00:00` to seconds since 1970. The calendar is computed here so that the account
/// depends on no other code.
fn seconds(text: &str) -> i64 {
    assert!(text.ends_with("+00:00"), "{text}");
    let part = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let (year, month, day) = (part(0..4), part(5..7), part(8..10));
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
    days * 86_400 + part(11..13) * 3600 + part(14..16) * 60 + part(17..19)
}

/// Counts the tickets in the same way.
fn listed(rows: &[TicketSummary]) -> Account {
    let mut account = Account::new();
    for row in rows {
        let number = row.external.as_ref().map(|external| external.value.clone()).unwrap_or_default();
        *account.entry((number, row.customers_out, row.received_at.unwrap().seconds)).or_default() += 1;
    }
    account
}

fn mapping() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/mappings/outages-bc.toml")
}

/// Runs `import` or `replay` over the file and returns its report.
fn play(stage: &Stage, what: &str, file: &Path, more: &[&str]) -> Value {
    let (mapping, data) = (mapping(), stage.data());
    let fixed = [
        what,
        "--json",
        "--mapping",
        mapping.to_str().unwrap(),
        file.to_str().unwrap(),
        "--data",
        data.to_str().unwrap(),
    ];
    let said = run([&fixed[..], more].concat());
    assert!(said.ok, "{said:?}");
    said.json()
}

fn numbers(report: &Value) -> [u64; 5] {
    ["rows", "imported", "already_present", "skipped", "refused"].map(|name| report[name].as_u64().unwrap())
}

/// Checks that the tickets are the file's rows, all closed, and that the log is sound.
async fn closed_and_counted(stage: &Stage, expected: &Account) {
    let server = stage.serve();
    let line: Line = server.line().await;
    let rows = line.list("").await.unwrap();
    let open: Vec<_> = rows.iter().filter(|row| row.stage() != At::Closed).collect();
    assert!(open.is_empty(), "{} are not closed, such as {:?}", open.len(), open[0]);
    let found = listed(&rows);
    let differing: Vec<_> =
        expected.keys().chain(found.keys()).filter(|key| expected.get(key) != found.get(key)).collect();
    assert!(differing.is_empty(), "lost or doubled: {differing:?}");
    assert_eq!(rows.len(), expected.values().sum::<usize>());
    server.stop();
    assert_eq!(stage.check()["ok"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_week_of_real_outages_replayed_at_full_speed_ends_with_every_ticket_closed() {
    let Some(file) = recorded(FILE) else { return };
    let stage = Stage::new();
    let expected = counted(&file, "2024-01-08".."2024-01-15");
    let rows = expected.values().sum::<usize>() as u64;
    assert!(rows > 100, "{rows} rows are no week");
    let week = ["--from", "2024-01-08", "--days", "7"];
    let report = play(&stage, "replay", &file, &week);
    assert_eq!(numbers(&report), [rows, rows, 0, 0, 0], "{report}");
    eprintln!("{rows} outages replayed with {} commands in {} s", report["commands"], report["seconds"]);
    closed_and_counted(&stage, &expected).await;
    let again = play(&stage, "replay", &file, &week);
    assert_eq!(numbers(&again), [rows, 0, rows, 0, 0], "{again}");
    assert_eq!(again["commands"], again["replayed"]);
    closed_and_counted(&stage, &expected).await;
}

/// Copies the file's rows that begin within these days to another file.
fn excerpt(file: &Path, days: std::ops::Range<&str>, to: &Path) {
    let mut reader = csv::Reader::from_reader(GzDecoder::new(File::open(file).unwrap()));
    let mut writer = csv::Writer::from_path(to).unwrap();
    let headers = reader.headers().unwrap().clone();
    let off = headers.iter().position(|name| name == "dateOff").unwrap();
    writer.write_record(&headers).unwrap();
    for row in reader.records() {
        let row = row.unwrap();
        if days.contains(&&row[off]) {
            writer.write_record(&row).unwrap();
        }
    }
    writer.flush().unwrap();
}

async fn imported_twice(stage: &Stage, file: &Path, expected: &Account) {
    let rows = expected.values().sum::<usize>() as u64;
    let report = play(stage, "import", file, &[]);
    assert_eq!(numbers(&report), [rows, rows, 0, 0, 0], "{report}");
    closed_and_counted(stage, expected).await;
    let facts = stage.check()["facts"].clone();
    let again = play(stage, "import", file, &[]);
    assert_eq!(numbers(&again), [rows, 0, rows, 0, 0], "{again}");
    assert_eq!(stage.check()["facts"], facts, "the second import adds nothing");
    eprintln!("{rows} outages imported in {} s, again in {} s", report["seconds"], again["seconds"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_week_imported_twice_is_there_once() {
    let Some(file) = recorded(FILE) else { return };
    let stage = Stage::new();
    let week = stage.beside("week.csv");
    excerpt(&file, "2024-02-05".."2024-02-12", &week);
    imported_twice(&stage, &week, &counted(&file, "2024-02-05".."2024-02-12")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_half_year_imported_twice_is_there_once() {
    let Some(file) = recorded(FILE) else { return };
    if std::env::var_os("SWITCHBOARD_LONG").is_none() {
        return skipped("the whole half year takes minutes; SWITCHBOARD_LONG=1 imports it");
    }
    let everything = counted(&file, "".."9999");
    imported_twice(&Stage::new(), &file, &everything).await;
}
