//! Tests of imports: rows of an export become tickets with their own times, once. Rows that do not fit are reported by
//! line.

use std::fmt::Write as _;

use serde_json::{Value, json};
use switchboard_tests::stage::{Said, Stage, run};
use switchboard_wire::proto::{self, Stage as At};

const MAPPING: &str = r#"
source = "some-utility"
operator = "utility"
key = ["Nr"]

[time]
formats = ["%d.%m.%Y %H:%M"]
offset = "+08:00"

[ticket]
business_type = "{Art|kinds}"
channel = "letter"
external = "{Nr}"
content = "{Text}"
category = "old/{Art|slug}"
cause = "{Cause|or:Not stated}"
received = "{From}"
restored = "{To}"
route = ["utility/north/city", "utility/north/city/county/station/crew-1"]

[tables.kinds]
"Fault" = "fault_repair"
"#;

/// Builds rows: every seventh has an unknown kind, one ends before it begins, one has an invalid time.
fn rows(count: u32) -> String {
    let mut csv = String::from("Nr,Art,Text,Cause,From,To\n");
    for n in 1..=count {
        let kind = if n % 7 == 0 { "Riddle" } else { "Fault" };
        let (from, to) = match n {
            3 => ("04.05.2023 12:00", "04.05.2023 11:00"),
            5 => ("35.05.2023 12:00", "04.05.2023 13:00"),
            _ => ("04.05.2023 12:00", "04.05.2023 13:30"),
        };
        writeln!(csv, "A{n},{kind},\"No power, line {n}\",,{from},{to}").unwrap();
    }
    csv
}

fn import(stage: &Stage, mapping: &str, csv: &str, more: &[&str]) -> Said {
    let (map, file) = (stage.beside("mapping.toml"), stage.beside("rows.csv"));
    std::fs::write(&map, mapping).unwrap();
    std::fs::write(&file, csv).unwrap();
    let data = stage.data();
    let fixed = [
        "import",
        "--json",
        "--mapping",
        map.to_str().unwrap(),
        file.to_str().unwrap(),
        "--data",
        data.to_str().unwrap(),
    ];
    run([&fixed[..], more].concat())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn good_rows_come_in_with_their_times_bad_ones_are_told_by_line_and_twice_adds_nothing() {
    let stage = Stage::new();
    let said = import(&stage, MAPPING, &rows(20), &[]);
    assert!(!said.ok, "rows were skipped, and the exit code says so");
    let report = said.json();
    let numbers = |report: &Value| {
        ["rows", "imported", "skipped", "already_present", "refused"].map(|name| report[name].as_u64().unwrap())
    };
    assert_eq!(numbers(&report), [20, 16, 4, 0, 0], "{report}");
    let mut problems: Vec<(u64, String)> = report["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (p["line"].as_u64().unwrap(), p["message"].as_str().unwrap().to_owned()))
        .collect();
    problems.sort();
    assert_eq!(problems.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [4, 6, 8, 15]);
    for ((_, message), part) in problems.iter().zip(["before", "35.05.2023", "Riddle", "Riddle"]) {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(report["ended"], json!(null));

    let server = stage.serve();
    let line = server.line().await;
    let head = line.head().await.unwrap();
    let list = line.list("").await.unwrap();
    assert_eq!(list.len(), 16);
    for row in &list {
        assert_eq!(row.stage(), At::Closed);
        let at = |time: Option<prost_types::Timestamp>| time.map(|time| time.seconds);
        assert_eq!(at(row.received_at), Some(1_683_172_800), "noon in China is four o'clock UTC");
        let ticket = line.get(&row.id).await.unwrap();
        assert_eq!(at(ticket.restored_at), Some(1_683_178_200));
    }
    let told = line.history(&list[0].id).await.unwrap();
    assert!(
        told.iter().all(|fact| fact.recorded_at.unwrap().seconds > 1_700_000_000
            && fact.occurred_at.unwrap().seconds < 1_683_200_000)
    );
    server.stop();

    let again = import(&stage, MAPPING, &rows(20), &[]).json();
    assert_eq!(numbers(&again), [20, 0, 4, 16, 0], "{again}");
    // A longer export through a running server: only the new rows are added.
    let server = stage.serve();
    assert_eq!(
        server.line().await.log(0).await.unwrap().iter().filter(|fact| fact.stream.starts_with("ticket-")).count(),
        told.len() * 16,
        "nothing was added by the second import; {head}"
    );
    let more = import(&stage, MAPPING, &rows(27), &["--server", &server.endpoint()]).json();
    assert_eq!(numbers(&more), [27, 6, 5, 16, 0], "{more}");
    assert_eq!(server.line().await.list("stage = closed").await.unwrap().len(), 22);
}

#[test]
fn a_mapping_that_does_not_fit_is_refused_with_the_place_and_nothing_is_imported() {
    let stage = Stage::new();
    let wrong = [
        (MAPPING.replace("{Text}", "{Txt}"), "Txt"),
        (MAPPING.replace("key = [\"Nr\"]", "key = [\"Number\"]"), "Number"),
        (MAPPING.replace("|kinds}", "|sorts}"), "ticket.business_type"),
        (MAPPING.replace("channel =", "chanel ="), "chanel"),
        (MAPPING.replace("offset = \"+08:00\"", "offset = \"China\""), "time"),
    ];
    for (mapping, named) in wrong {
        let said = import(&stage, &mapping, &rows(3), &[]);
        assert!(!said.ok && said.out.is_empty(), "{said:?}");
        let error = said.refusal()["error"].as_str().unwrap().to_owned();
        assert!(error.contains(named), "{named} in {error}");
        assert!(!stage.data().exists(), "nothing was touched");
    }
    let said = run(["import", "--json", "--mapping", "/nowhere.toml", "/nowhere.csv"]);
    assert!(!said.ok && said.refusal()["error"].as_str().unwrap().contains("/nowhere.toml"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_was_interrupted_ends_with_the_policies_of_an_undisturbed_one() {
    let policies = |stage: &Stage| {
        let server = stage.serve();
        let list = run(["policy", "list", "--json", "--server", &server.endpoint()]).json();
        server.stop();
        list["policies"].as_array().map_or(0, Vec::len)
    };
    let csv = rows(20);
    let (undisturbed, resumed, other) = (Stage::new(), Stage::new(), Stage::new());
    import(&undisturbed, MAPPING, &csv, &[]);
    // A run against a server publishes nothing, so it leaves what an interrupted run leaves.
    let half: String = csv.lines().take(9).map(|line| format!("{line}\n")).collect();
    for (stage, more) in [(&resumed, 0), (&other, 1)] {
        let server = stage.serve();
        let endpoint = server.endpoint();
        let (map, file) = (stage.beside("mapping.toml"), stage.beside("rows.csv"));
        std::fs::write(&map, MAPPING).unwrap();
        std::fs::write(&file, &half).unwrap();
        let said = run([
            "import",
            "--json",
            "--mapping",
            map.to_str().unwrap(),
            file.to_str().unwrap(),
            "--server",
            &endpoint,
        ]);
        assert!(said.json()["imported"].as_u64().unwrap() > 3, "{said:?}");
        for _ in 0..more {
            switchboard_tests::story::received(&server.line().await, proto::BusinessType::FaultRepair).await;
        }
        server.stop();
        assert_eq!(policies(stage), 0);
        let report = import(stage, MAPPING, &csv, &[]).json();
        assert!(report["already_present"].as_u64().unwrap() > 3, "{report}");
    }
    assert!(policies(&undisturbed) > 0);
    assert_eq!(policies(&resumed), policies(&undisturbed));
    assert_eq!(policies(&other), 0, "another ticket would be judged by a policy that nobody chose");
}
