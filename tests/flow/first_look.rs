//! Tests of a newcomer's first commands. They cover one field of an answer, tables that fit a screen, and a stream that
//! ends after a number of facts. They also cover a demo whose day keeps its promises as a utility does.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use serde_json::{Value, json};
use switchboard_tests::{
    stage::{Said, Server, Stage, finish, run, switchboard},
    story::{Life, fault, received},
};
use switchboard_wire::proto::BusinessType;

fn call(server: &Server, arguments: &[&str]) -> Said {
    run([arguments, &["--server", &server.endpoint()]].concat())
}

/// Columns of a line on a screen, where a Chinese character takes two.
fn columns(line: &str) -> usize {
    line.chars().map(|c| if ('\u{2e80}'..='\u{ff60}').contains(&c) { 2 } else { 1 }).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_field_is_printed_for_each_row_and_a_wrong_one_names_those_that_there_are() {
    let stage = Stage::new();
    let server = stage.serve();
    let mut life = Life::default();
    life.live_all(&server.line().await, &fault()).await;
    let list = call(&server, &["ticket", "list", "--only", "id"]);
    assert!(list.ok && list.out == format!("{}\n", life.ticket), "{list:?}");
    assert_eq!(call(&server, &["ticket", "get", &life.ticket, "--only", "stage"]).out, "closed\n");
    let roles = call(&server, &["ticket", "history", &life.ticket, "--only", "actor.role"]).out;
    assert!(roles.lines().count() > 5 && roles.lines().any(|role| role == "crew"), "{roles}");
    let wrong = call(&server, &["ticket", "list", "--only", "nummer"]);
    assert!(!wrong.ok && wrong.out.is_empty());
    assert!(wrong.err.contains("no field \"nummer\"; it has: ") && wrong.err.contains(", number, "), "{wrong:?}");
    let both = call(&server, &["ticket", "list", "--only", "id", "--json"]);
    assert!(!both.ok && both.err.contains("cannot be used with"), "{both:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_and_a_list_fit_a_screen_and_say_what_they_leave_out() {
    let stage = Stage::new();
    let server = stage.serve();
    let mut life = Life::default();
    life.live_all(&server.line().await, &fault()).await;
    for (call, width) in [("history", 100), ("get", 100), ("promises", 100), ("history", 72)] {
        let mut command = switchboard(["ticket", call, &life.ticket, "--server", &server.endpoint()]);
        command.env_remove("COLUMNS");
        if width != 100 {
            command.env("COLUMNS", width.to_string());
        }
        let said = finish(&mut command);
        let widest = said.out.lines().filter(|line| line.starts_with(['┌', '│', '└'])).map(columns).max();
        assert!(said.ok && widest.unwrap_or(0) <= width, "{call} {widest:?}: {}", said.out);
    }
    let history = call(&server, &["ticket", "history", &life.ticket]).out;
    assert!(history.contains("actor.org") && history.contains("Left out: ") && history.contains("data"), "{history}");
    let wide = call(&server, &["ticket", "history", &life.ticket, "--wide"]).out;
    assert!(
        wide.contains("request_id") && wide.contains("\"to\":\"sgcc/zj/hz\"") && !wide.contains("Left out"),
        "{wide}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limited_subscription_counts_facts_and_no_checkpoint() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    received(&line, BusinessType::FaultRepair).await;
    let endpoint = server.endpoint();
    let arguments =
        ["audit", "subscribe", "--filter.kinds", "ticket.received.v1", "--limit", "2", "--json", "--server", &endpoint];
    let mut reader = switchboard(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(reader.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut message = || lines.next().map(|line| serde_json::from_str::<Value>(&line).unwrap());
    // The reader has reached the live end and keeps reading.
    let mut seen = Vec::new();
    while !seen.iter().any(|message: &Value| message["checkpoint"]["live"] == true) {
        seen.push(message().expect("it ends only after a second fact"));
    }
    received(&line, BusinessType::FaultRepair).await;
    while let Some(message) = message() {
        seen.push(message);
    }
    assert!(reader.wait().unwrap().success());
    let facts = seen.iter().filter(|message| message["fact"].is_object()).count();
    assert!(facts == 2 && seen.last().unwrap()["fact"]["kind"] == "ticket.received.v1", "{seen:#?}");
}

/// Returns the kept and the broken promises of one clock, or of all.
fn counts(report: &Value, clock: Option<&str>) -> (u64, u64) {
    let clocks = report["promises"]["clocks"].as_array().unwrap();
    let of = |name: &str| {
        let counted = clocks.iter().filter(|counts| clock.is_none_or(|clock| counts["clock"] == clock));
        counted.map(|counts| counts[name].as_u64().unwrap()).sum()
    };
    (of("kept"), of("broken"))
}

#[test]
fn the_demos_day_keeps_its_promises_as_a_utility_does_and_a_storm_breaks_more() {
    let day = |seed: &str, more: &[&str]| {
        let stage = Stage::new();
        let data = stage.data().display().to_string();
        let arguments = ["demo", "--json", "--tickets", "200", "--crews", "0", "--seed", seed, "--data", &data];
        let said = run([&arguments, more].concat());
        assert!(said.ok, "{said:?}");
        said.json()
    };
    let percent = |(kept, broken): (u64, u64)| kept * 100 / (kept + broken);
    for seed in ["95598", "7"] {
        let fair = day(seed, &[]);
        let (all, arrival) = (counts(&fair, None), counts(&fair, Some("arrival")));
        assert!((96..=99).contains(&percent(all)) && percent(arrival) >= 90, "seed {seed}: {all:?} {arrival:?}");
        assert_eq!(fair["promises"]["broken"].as_array().unwrap().len() as u64, all.1);
        assert_eq!(fair["promises"]["not_counted"], json!(["arrival_report", "restoration_report"]));
        let stormy = day(seed, &["--storm"]);
        let (all, arrival) = (counts(&stormy, None), counts(&stormy, Some("arrival")));
        assert!((50..=85).contains(&percent(all)) && percent(arrival) <= 80, "seed {seed}: {all:?} {arrival:?}");
        let broken = &stormy["promises"]["broken"][0];
        assert!(broken["late_seconds"].as_i64() > Some(3600) && broken["longest_before"] != "", "{broken}");
    }
}

#[test]
fn the_demo_says_which_promises_were_broken_and_who_answers_for_them_in_both_languages() {
    let stage = Stage::new();
    let data = stage.data().display().to_string();
    let arguments = ["demo", "--tickets", "60", "--crews", "0", "--storm", "--data", &data];
    for (language, words) in [("en", ["share kept", "late by", "were broken"]), ("zh-CN", ["兑现率", "逾期", "未兑现"])]
    {
        let said = run([&arguments[..], &["--language", language]].concat());
        assert!(said.ok && words.iter().all(|word| said.out.contains(word)), "{said:?}");
        assert!(said.out.lines().all(|line| columns(line) <= 120), "{}", said.out);
    }
    let server = stage.serve();
    let kept = ["kpi", "kept", "--from", "2026-03-03", "--to", "2026-03-04", "--without", "arrival_report"];
    let said = call(&server, &kept);
    assert!(
        said.ok && said.out.contains("restoration_report") && said.out.contains("Not counted: arrival_report."),
        "{said:?}"
    );
}
