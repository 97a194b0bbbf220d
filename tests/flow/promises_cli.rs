//! Tests of promises on the command line: publishing a policy and its calendar, a ticket's clocks, figures, a
//! back-test, and the faults of files. Absent: tests of the verdicts themselves.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use switchboard_tests::{
    stage::{Said, Server, Stage, run},
    story::{Life, fault, received},
};
use switchboard_wire::proto::BusinessType;

/// Returns the path of a shipped file.
fn deployed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name)
}

fn call(server: &Server, arguments: &[&str]) -> Said {
    let endpoint = server.endpoint();
    run([arguments, &["--server", &endpoint]].concat())
}

fn asked(server: &Server, arguments: &[&str]) -> Value {
    let said = call(server, &[arguments, &["--json"]].concat());
    assert!(said.ok, "{arguments:?}: {said:?}");
    said.json()
}

fn documents(said: &Said) -> Vec<Value> {
    said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Publishes the shipped policy of the operator of the stories' tickets.
fn publish(server: &Server) -> Value {
    asked(server, &["policy", "publish", deployed("policies/sgcc.toml").to_str().unwrap()])
}

/// Writes the shipped policy without any promise about arrival.
fn laxer(stage: &Stage) -> PathBuf {
    let text = std::fs::read_to_string(deployed("policies/sgcc.toml")).unwrap();
    let sections: Vec<&str> = text.split("\n[[").collect();
    let kept: Vec<&str> = sections.iter().copied().filter(|part| !part.contains("clock = \"arrival\"")).collect();
    assert!(kept.len() < sections.len());
    let file = stage.beside("laxer.toml");
    std::fs::write(&file, kept.join("\n[[")).unwrap();
    file
}

#[test]
fn a_policy_file_is_checked_without_a_server_and_every_fault_has_its_line() {
    let stage = Stage::new();
    let (good, bad) = (deployed("policies/sgcc.toml"), stage.beside("bad.toml"));
    let text = std::fs::read_to_string(&good).unwrap();
    std::fs::write(&bad, format!("colour = \"red\"\n{text}\n[[rule]]\nid = \"X1\"\n")).unwrap();
    let (good, bad) = (good.to_str().unwrap(), bad.to_str().unwrap());

    let said = run(["policy", "check", good]);
    assert!(said.ok && said.out.starts_with(&format!("{good}: no fault: policy of sgcc")), "{said:?}");
    let said = run(["policy", "check", good, bad]);
    assert!(!said.ok, "{said:?}");
    assert!(said.out.lines().any(|line| line.starts_with(&format!("{bad}:1: "))), "{said:?}");

    let said = run(["policy", "check", good, bad, "--json"]);
    let [sound, faulty] = &documents(&said)[..] else { panic!("two documents: {said:?}") };
    assert_eq!(names(sound), ["calendar", "effective_from", "faults", "file_name", "ok", "operator", "rules"]);
    assert_eq!((&sound["ok"], &sound["operator"]), (&json!(true), &json!("sgcc")));
    assert_eq!((&faulty["ok"], &faulty["file_name"]), (&json!(false), &json!(bad)));
    assert_eq!(names(&faulty["faults"][0]), ["line", "reason"]);
    assert_eq!(faulty["faults"][0]["line"], 1);
    let missing = run(["policy", "check", "/nowhere/at/all.toml", "--json"]);
    assert!(!missing.ok && missing.refusal()["error"].as_str().unwrap().contains("/nowhere/at/all.toml"));
}

#[test]
fn a_policy_is_published_once_however_often_it_is_asked_for_and_only_by_an_operator() {
    let stage = Stage::new();
    let server = stage.serve();
    let file = deployed("policies/sgcc.toml");
    let file = file.to_str().unwrap();
    let dry = asked(&server, &["policy", "publish", "--dry-run", file]);
    assert_eq!((&dry["version"]["version"], &dry["position"]), (&json!(0), &json!(0)));

    let first = publish(&server);
    assert_eq!(first["version"], json!({ "name": "sgcc", "version": 1 }));
    assert_eq!((&first["unchanged"], &first["file_name"]), (&json!(false), &json!(file)));
    let again = publish(&server);
    assert_eq!((&again["unchanged"], &again["version"]), (&json!(true), &first["version"]));
    let list = asked(&server, &["policy", "list", "--operator", "sgcc"]);
    assert_eq!(list["policies"].as_array().unwrap().len(), 1);
    assert_eq!(list["policies"][0]["rules"].as_array().unwrap().len(), first["rules"]);

    let said = call(&server, &["policy", "publish", "--role", "desk", laxer(&stage).to_str().unwrap()]);
    assert!(!said.ok && said.err.contains("refused"), "{said:?}");

    let named = ["policy", "publish", "--request-id", "4b3f0ad6-31a8-4c1f-9c39-6c4bb9a5a9c1"];
    let lax = laxer(&stage);
    let named = [&named[..], &[lax.to_str().unwrap()]].concat();
    assert_eq!(asked(&server, &named)["replayed"], false);
    assert_eq!(asked(&server, &named)["replayed"], true);

    // The earlier text is published again as a new version; it does not count as a repetition.
    let back = publish(&server);
    assert_eq!((&back["unchanged"], &back["replayed"]), (&json!(false), &json!(false)));
    assert_eq!(back["version"]["version"], 3);
}

#[test]
fn of_several_files_none_is_published_while_one_has_a_fault() {
    let stage = Stage::new();
    let server = stage.serve();
    let (good, bad) = (deployed("policies/sgcc.toml"), stage.beside("bad.toml"));
    std::fs::write(&bad, "colour = \"red\"\n").unwrap();
    let said = call(&server, &["policy", "publish", good.to_str().unwrap(), bad.to_str().unwrap()]);
    assert!(!said.ok && said.out.is_empty(), "{said:?}");
    let fault = format!("{}:1: ", bad.display());
    assert!(said.err.lines().any(|line| line.contains(&fault) && line.contains("colour")), "{said:?}");
    assert_eq!(asked(&server, &["policy", "list"])["policies"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_clocks_of_a_ticket_name_the_facts_that_moved_them() {
    let stage = Stage::new();
    let server = stage.serve();
    let early = received(&server.line().await, BusinessType::FaultRepair).await;
    let none = asked(&server, &["ticket", "promises", &early]);
    assert_eq!((&none["no_policy"], &none["promises"]), (&json!(true), &json!([])));

    publish(&server);
    let mut life = Life::default();
    life.live_all(&server.line().await, &fault()).await;
    let explained = asked(&server, &["ticket", "promises", &life.ticket]);
    assert_eq!(names(&explained), ["at", "no_policy", "position", "promises"]);
    let promises = explained["promises"].as_array().unwrap();
    let arrival = promises.iter().find(|promise| promise["clock"] == "arrival").unwrap();
    assert_eq!((&arrival["verdict"], &arrival["policy"]["version"]), (&json!("kept"), &json!(1)));
    let log = server.line().await.log(0).await.unwrap();
    for segment in promises.iter().flat_map(|promise| promise["segments"].as_array().unwrap()) {
        let fact = log.iter().find(|fact| segment["fact_id"] == json!(fact.event_id)).unwrap();
        assert_eq!(segment["fact_position"], json!(fact.position));
    }
    // As it stood when the ticket was dispatched, before the crew arrived.
    let dispatched = life.lived[3].2.position.to_string();
    let then = asked(&server, &["ticket", "promises", &life.ticket, "--as-of-position", &dispatched]);
    let then = then["promises"].as_array().unwrap().iter().find(|promise| promise["clock"] == "arrival").unwrap();
    assert_eq!((&then["verdict"], &then["ended_at"]), (&json!("running"), &json!(null)));
    let before = call(&server, &["ticket", "promises", &life.ticket, "--as-of-time", "2020-01-01", "--json"]);
    assert!(!before.ok && before.refusal()["reason"] == "TICKET_NOT_FOUND", "{before:?}");

    let told = call(&server, &["ticket", "promises", &life.ticket]);
    assert!(told.ok && told.out.contains(arrival["sentence"].as_str().unwrap()), "{told:?}");
    let wide = call(&server, &["ticket", "promises", &life.ticket, "--wide"]);
    assert!(wide.out.contains(arrival["segments"][0]["fact_id"].as_str().unwrap()), "{wide:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn indicators_are_counted_and_say_what_they_count() {
    let stage = Stage::new();
    let server = stage.serve();
    publish(&server);
    let mut life = Life::default();
    life.live_all(&server.line().await, &fault()).await;
    let defined = asked(&server, &["kpi", "list"]);
    let defined = defined["kpis"].as_array().unwrap().iter().filter(|kpi| kpi["missing"] == "");
    let defined: Vec<&Value> = defined.map(|kpi| &kpi["name"]).collect();
    let seen = life.lived.last().unwrap().2.position.to_string();
    let figures = asked(&server, &["kpi", "--min-position", &seen]);
    assert_eq!(names(&figures), ["position", "values"]);
    let values = figures["values"].as_array().unwrap();
    assert_eq!(values.iter().map(|value| &value["name"]).collect::<Vec<_>>(), defined);
    assert!(values.iter().any(|value| value["numerator"].as_f64().unwrap() >= 1.0), "{figures}");
    let name = defined[0].as_str().unwrap();
    let one = asked(&server, &["kpi", "--kpi", name]);
    assert_eq!(one["values"].as_array().unwrap().iter().map(|value| &value["name"]).collect::<Vec<_>>(), [name]);
    let nothing = |figures: Value| figures["values"].as_array().unwrap().iter().all(|value| value["numerator"] == 0.0);
    assert!(nothing(asked(&server, &["kpi", "--from", "2020-01-01", "--to", "2020-02-01"])));
    assert!(nothing(asked(&server, &["kpi", "--org", "sgcc/sx"])));
    let told = call(&server, &["kpi", "--by", "city"]);
    assert!(told.ok && told.out.contains("sgcc/zj/hz") && told.out.contains("(+08:00)"), "{told:?}");
    let wrong = call(&server, &["kpi", "--from", "soon"]);
    assert!(!wrong.ok && wrong.err.contains("2024-01-01"), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_back_test_tells_which_clocks_another_policy_would_judge_otherwise() {
    let stage = Stage::new();
    let server = stage.serve();
    publish(&server);
    let mut life = Life::default();
    life.live_all(&server.line().await, &fault()).await;
    let period = ["--from", "2020-01-01", "--to", "2100-01-01"];
    let same = deployed("policies/sgcc.toml");
    let same =
        call(&server, &[&["policy", "backtest", "--json", "--policy", same.to_str().unwrap()], &period[..]].concat());
    let [summary] = &documents(&same)[..] else { panic!("only a summary: {same:?}") };
    assert_eq!((&summary["summary"]["tickets"], &summary["summary"]["flips"]), (&json!(1), &json!(0)));

    let other = laxer(&stage);
    let ask = [&["policy", "backtest", "--policy", other.to_str().unwrap()], &period[..]].concat();
    let said = call(&server, &[&ask[..], &["--json"]].concat());
    assert!(said.ok, "{said:?}");
    let messages = documents(&said);
    let (summary, flips) = messages.split_last().unwrap();
    assert_eq!(summary["summary"]["flips"], flips.len());
    let counted: u64 =
        summary["summary"]["counts"].as_array().unwrap().iter().map(|c| c["count"].as_u64().unwrap()).sum();
    assert_eq!(summary["summary"]["flips"], counted);
    let arrival = flips.iter().map(|flip| &flip["flip"]).find(|flip| flip["clock"] == "arrival").unwrap();
    assert_eq!(
        (&arrival["ticket"], &arrival["was"], &arrival["would_be"]),
        (&json!(life.ticket), &json!("kept"), &json!("none"))
    );
    let told = call(&server, &ask);
    assert!(told.ok && told.err.is_empty(), "no progress but on a terminal: {told:?}");
    assert!(told.out.contains("kept (F05u"), "{told:?}");
    assert!(told.out.lines().last().unwrap().starts_with("1 tickets, "), "{told:?}");
}

#[test]
fn a_shadow_is_published_beside_the_policy_in_force_and_ended() {
    let stage = Stage::new();
    let server = stage.serve();
    publish(&server);
    let shadow = asked(&server, &["policy", "publish", "--shadow", laxer(&stage).to_str().unwrap()]);
    assert_eq!(shadow["unchanged"], false);
    let listed = asked(&server, &["policy", "list"]);
    let shadows: Vec<&Value> = listed["policies"].as_array().unwrap().iter().map(|policy| &policy["shadow"]).collect();
    assert_eq!(shadows, [false, true]);
    let compared = call(&server, &["policy", "shadow", "--operator", "sgcc"]);
    assert!(
        compared.ok && compared.out.starts_with("0 tickets, 0 clocks; 0 would be judged otherwise."),
        "{compared:?}"
    );
    assert_eq!(asked(&server, &["policy", "end-shadow", "--operator", "sgcc"])["ended"], true);
    assert_eq!(asked(&server, &["policy", "end-shadow", "--operator", "sgcc"])["ended"], false);
}

#[test]
fn a_policy_in_force_without_its_years_is_warned_of_until_they_are_published() {
    let stage = Stage::new();
    let server = stage.serve();
    assert_eq!(asked(&server, &["calendar", "check"]), json!({ "calendars": [], "lacking": [] }));
    publish(&server);
    let check = |ok| {
        let said = call(&server, &["calendar", "check", "--json"]);
        assert_eq!(said.ok, ok, "{said:?}");
        said
    };
    let lacking = check(false);
    assert!(lacking.refusal()["warning"].as_str().unwrap().contains("calendar cn"), "{lacking:?}");
    let lacking = lacking.json()["lacking"][0].clone();
    assert_eq!((&lacking["calendar"], &lacking["operators"]), (&json!("cn"), &json!(["sgcc"])));
    let years: Vec<i64> = lacking["years"].as_array().unwrap().iter().map(|year| year.as_i64().unwrap()).collect();
    assert_eq!(years.len(), 2, "the present and the coming one");
    let files: Vec<PathBuf> = years.iter().map(|year| stage.beside(&format!("{year}.toml"))).collect();
    for (file, year) in files.iter().zip(&years) {
        let text = format!("calendar = \"cn\"\nyear = {year}\nsource = \"a notice\"\nhours = [\"08:30-17:30\"]\n");
        std::fs::write(file, text).unwrap();
    }
    let named: Vec<&str> = files.iter().map(|file| file.to_str().unwrap()).collect();
    let checked = run([&["calendar", "check"], &named[..]].concat());
    assert!(checked.ok && checked.out.contains("working days"), "{checked:?}");
    let published = call(&server, &[&["calendar", "publish", "--json"], &named[..]].concat());
    let published = documents(&published);
    assert_eq!(published.iter().map(|one| one["year"].as_i64().unwrap()).collect::<Vec<_>>(), years);
    let covered = check(true);
    assert_eq!(covered.json()["lacking"], json!([]));
    assert!(covered.err.is_empty(), "{covered:?}");
    assert_eq!(covered.json()["calendars"][0]["years"].as_array().unwrap().len(), 2);
}

#[test]
fn a_demo_on_an_empty_folder_has_promises_and_a_second_one_publishes_nothing() {
    let stage = Stage::new();
    let data = stage.data().display().to_string();
    let demo = run(["demo", "--tickets", "22", "--data", &data]);
    assert!(demo.ok && demo.out.contains("Its promises"), "{demo:?}");
    let published = || {
        let server = stage.serve();
        let operators: Vec<(Value, Value)> = asked(&server, &["policy", "list"])["policies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|policy| (policy["version"]["name"].clone(), policy["version"]["version"].clone()))
            .collect();
        server.stop();
        operators
    };
    let first = published();
    assert_eq!(first, [(json!("csg"), json!(1)), (json!("sgcc"), json!(1))]);
    assert!(run(["demo", "--tickets", "22", "--data", &data]).ok);
    assert_eq!(published(), first);
}
