//! Tests of the command line: settings with their origins, and the form of `--json`, on which scripts rely.

use serde_json::{Value, json};
use switchboard_tests::{
    stage::{Said, Server, Stage, finish, run, switchboard},
    story::{Life, PHONE, fault, received},
};
use switchboard_wire::proto::BusinessType;

fn names(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn call(server: &Server, arguments: &[&str]) -> Said {
    let endpoint = server.endpoint();
    run([arguments, &["--server", &endpoint, "--json"]].concat())
}

#[test]
fn settings_come_from_file_environment_and_flags_and_say_so() {
    let stage = Stage::new();
    let file = stage.beside("switchboard.toml");
    std::fs::write(&file, "calls_max = 7\ndrain_ms = 11\ndeadline_ms = 111\n[rules]\nurges_max = 3\n").unwrap();
    let mut command = switchboard(["config", "--json", "--set", "deadline_ms=333", "--config"]);
    command.arg(&file).env("SWITCHBOARD_DRAIN_MS", "22").env("SWITCHBOARD_DEADLINE_MS", "222");
    command.env("SWITCHBOARD_RULES__URGE_SPACING_MINUTES", "9").env("SWITCHBOARD_KILL_CYCLES", "5");
    let settings = finish(&mut command).json();
    let of = |name: &str| {
        let found = settings.as_array().unwrap().iter().find(|setting| setting["name"] == name).unwrap();
        assert_eq!(names(found), ["name", "origin", "value"]);
        (found["value"].to_string(), found["origin"].as_str().unwrap().to_owned())
    };
    let file = file.display().to_string();
    let expected = [
        ("streams_max", "20000", "default"),
        ("calls_max", "7", &file),
        ("rules.urges_max", "3", &file),
        ("drain_ms", "22", "environment"),
        ("rules.urge_spacing_minutes", "9", "environment"),
        ("deadline_ms", "333", "flag"),
    ];
    for (name, value, origin) in expected {
        assert_eq!(of(name), (value.into(), origin.into()), "{name}");
    }
}

#[test]
fn a_setting_that_is_unknown_or_out_of_range_is_refused_by_name() {
    for (setting, named) in [
        ("colour=red", "colour"),
        ("deadline_ms=1", "deadline_ms"),
        ("calls_max=many", "calls_max"),
        ("nonsense", "NAME=VALUE"),
    ] {
        let said = run(["config", "--json", "--set", setting]);
        assert!(!said.ok && said.refusal()["error"].as_str().unwrap().contains(named), "{said:?}");
    }
    let said = run(["config", "--config", "/nowhere/at/all.toml", "--json"]);
    assert!(!said.ok && said.err.contains("/nowhere/at/all.toml"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_on_the_command_line_has_the_documented_shape() {
    let stage = Stage::new();
    let server = stage.serve();
    let mut life = Life::default();
    life.live_all(&server.line().await, &fault()).await;

    let received = call(
        &server,
        &[
            "ticket",
            "receive",
            "--business-type",
            "fault_repair",
            "--channel",
            "hotline",
            "--content",
            "No power.",
            "--caller.phone",
            PHONE,
            "--org",
            "sgcc",
            "--role",
            "agent",
            "--request-id",
            "4b3f0ad6-31a8-4c1f-9c39-6c4bb9a5a9c1",
        ],
    );
    let received = received.json();
    assert_eq!(names(&received), ["number", "outcome"]);
    assert_eq!(names(&received["outcome"]), ["etag", "position", "replayed", "stage", "ticket_id"]);
    assert_eq!((&received["outcome"]["stage"], &received["outcome"]["etag"]), (&json!("received"), &json!("0")));
    assert!(received["outcome"]["position"].is_u64(), "numbers are numbers");

    let got = call(&server, &["ticket", "get", &life.ticket]).json();
    assert_eq!(names(&got), ["position", "ticket"]);
    let ticket = &got["ticket"];
    let expected = [
        "accepted_category",
        "address",
        "anonymous",
        "arrived_at",
        "audited_category",
        "business_type",
        "caller_account",
        "caller_name",
        "caller_phone",
        "channel",
        "children",
        "confidential",
        "confirmed_category",
        "content",
        "crew_progress",
        "cycle",
        "dispatched_at",
        "ended_at",
        "etag",
        "etr",
        "grade",
        "holders",
        "id",
        "legal_moves",
        "number",
        "place",
        "premises",
        "received_at",
        "replied_at",
        "restored_at",
        "satisfaction",
        "stage",
        "supervised",
        "suspended",
        "tier",
        "updated_at",
        "urgency",
        "urges",
    ];
    assert_eq!(names(ticket), expected);
    assert_eq!((&ticket["stage"], &ticket["business_type"]), (&json!("closed"), &json!("fault_repair")));
    assert_eq!((&ticket["caller_phone"], &ticket["satisfaction"]), (&json!("138****2233"), &json!("satisfied")));
    assert!(ticket["received_at"].as_str().unwrap().ends_with('Z'));

    let list = call(&server, &["ticket", "list", "--filter", "open = true"]).json();
    assert_eq!(names(&list), ["more_than_total", "next_page_token", "position", "tickets", "total"]);
    assert_eq!((&list["total"], &list["tickets"][0]["id"]), (&json!(1), &received["outcome"]["ticket_id"]));
    let expected = [
        "business_type",
        "channel",
        "confidential",
        "crew_progress",
        "cycle",
        "grade",
        "holder",
        "id",
        "number",
        "received_at",
        "received_by",
        "stage",
        "supervised",
        "suspended",
        "updated_at",
        "urgency",
        "urges",
    ];
    assert_eq!(names(&list["tickets"][0]), expected);

    let history = call(&server, &["ticket", "history", &life.ticket]).json();
    assert_eq!(names(&history), ["facts"]);
    let fact = &history["facts"][3];
    assert_eq!(
        names(fact),
        ["actor", "data_json", "kind", "occurred_at", "position", "recorded_at", "request_id", "revision"]
    );
    assert_eq!((&fact["kind"], &fact["data_json"]["to"]), (&json!("ticket.dispatched.v1"), &json!("sgcc/zj/hz")));
    assert_eq!(fact["actor"], json!({ "id": "agent-1", "role": "agent", "org": "sgcc" }));

    let streamed = call(&server, &["audit", "subscribe", "--limit", "3"]);
    assert!(streamed.ok);
    let messages: Vec<Value> = streamed.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(messages.iter().filter(|message| message["fact"].is_object()).count(), 3);
    assert!(messages.iter().all(|message| message["resume_token"].is_string()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_call_ends_with_a_failure_and_says_why_on_stderr() {
    let stage = Stage::new();
    let server = stage.serve();
    let said = call(&server, &["ticket", "receive", "--channel", "hotline"]);
    assert!(!said.ok && said.out.is_empty());
    let refusal = said.refusal();
    assert_eq!(names(&refusal), ["code", "context", "error", "fields", "legal_moves", "reason"]);
    assert_eq!(refusal["context"], json!([]), "it is about the one call that was made");
    assert_eq!((&refusal["reason"], &refusal["code"]), (&json!("INVALID_FIELDS"), &json!("InvalidArgument")));
    assert_eq!(refusal["fields"][0], json!({ "field": "business_type", "problem": "is required" }));
    let endpoint = server.endpoint();
    server.stop();
    let nobody = run(["ticket", "list", "--json", "--server", &endpoint]);
    assert!(!nobody.ok && nobody.refusal()["error"].as_str().unwrap().contains("no server answers"), "{nobody:?}");
}

#[test]
fn a_roster_that_is_refused_half_way_names_the_crew_and_counts_those_before_it() {
    let stage = Stage::new();
    let server = stage.serve();
    let crew = |path: &str| format!("[[crew]]\npath = \"{path}\"\nhome = [30.2, 120.1]\nskills = [\"cable\"]\n");
    let ours = ["liangzhu/c1", "liangzhu/c2", "pingyao/c1"].map(|name| format!("sgcc/zj/hz/yuhang/{name}"));
    let theirs = "sgcc/zj/nb/haishu/gulou/c1";
    let file = stage.beside("roster.toml");
    let roster = |crews: &[&str]| {
        std::fs::write(&file, crews.iter().map(|path| crew(path)).collect::<String>()).unwrap();
        ["crew", "roster", file.to_str().unwrap(), "--org", "sgcc/zj/hz"]
    };
    assert!(call(&server, &roster(&[&ours[0]])).ok);
    let arguments = roster(&[&ours[0], &ours[1], theirs, &ours[2]]);
    let said = call(&server, &arguments);
    assert!(!said.ok);
    let (done, refusal) = (said.json(), said.refusal());
    assert_eq!((&done["enrolled"], &done["unchanged"]), (&json!(1), &json!(1)), "what was done before it: {done}");
    assert_eq!(
        (&refusal["reason"], &refusal["context"]),
        (&json!("NOT_YOUR_CREW"), &json!([format!("crew {theirs}")]))
    );

    let told = run([&arguments[..], &["--server", &server.endpoint()]].concat());
    assert!(!told.ok && told.out.contains("0 enrolled or corrected, 2 unchanged."), "{told:?}");
    assert!(told.err.contains(&format!("refused: crew {theirs}: ")) && told.err.contains("NOT_YOUR_CREW"), "{told:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_commands_have_the_documented_shape() {
    let stage = Stage::new();
    let server = stage.serve();
    Life::default().live_all(&server.line().await, &fault()).await;
    let head = server.line().await.head().await.unwrap();
    server.stop();
    let check = stage.check();
    assert_eq!(names(&check), ["digest", "facts", "first_bad", "head", "ok", "problems"]);
    assert_eq!((&check["ok"], &check["facts"], &check["head"]), (&json!(true), &json!(head), &json!(head)));
    assert_eq!((&check["first_bad"], &check["problems"]), (&json!(null), &json!([])));
    let data = stage.data().display().to_string();
    let server = stage.serve();
    let stats = run(["store", "stats", &data, "--json"]).json();
    assert_eq!(names(&stats), ["bytes", "facts", "head", "kinds", "streams"]);
    assert_eq!((&stats["facts"], &stats["head"]), (&json!(head), &json!(head)));
    let streams = stats["streams"].as_array().unwrap();
    assert!(streams.contains(&json!({ "category": "ticket", "streams": 1 })), "{stats}");
    let kinds = stats["kinds"].as_array().unwrap();
    assert!(kinds.contains(&json!({ "kind": "ticket.dispatched.v1", "facts": 2 })), "{stats}");
    let copy = stage.beside("copy");
    let backup = run(["store", "backup", &data, copy.to_str().unwrap(), "--json"]).json();
    assert_eq!((names(&backup), &backup["head"]), (vec!["bytes", "folder", "head"], &json!(head)));
    received(&server.line().await, BusinessType::FaultRepair).await;
    server.stop();
    assert_eq!(switchboard_tests::stage::check(&copy)["facts"], head, "what was copied online verifies");
    assert!(!copy.join("keys.db").exists(), "a backup never holds the keys");
    let again = run(["store", "backup", &data, copy.to_str().unwrap(), "--json"]);
    assert!(!again.ok && again.refusal()["error"].as_str().unwrap().contains("copy"), "{again:?}");
    let nowhere = run(["store", "check", "/nowhere/at/all", "--json"]);
    assert!(!nowhere.ok && nowhere.refusal()["error"].as_str().unwrap().contains("/nowhere/at/all"), "{nowhere:?}");
}

#[test]
fn the_demo_tells_a_story_and_ends_clean() {
    let stage = Stage::new();
    let data = stage.data().display().to_string();
    let report = run(["demo", "--json", "--tickets", "30", "--data", &data]);
    assert!(report.ok, "{report:?}");
    let report = report.json();
    assert_eq!((&report["rows"], &report["imported"], &report["refused"]), (&json!(30), &json!(30), &json!(0)));
    let again = run(["demo", "--json", "--tickets", "30", "--data", &data]).json();
    assert_eq!((&again["imported"], &again["already_present"]), (&json!(0), &json!(30)));
    assert_eq!(stage.check()["ok"], true);
    let told = run(["demo", "--tickets", "30", "--data", &data]);
    assert!(told.ok && told.out.contains("The life of ticket") && told.out.contains("ticket.closed.v1"), "{told:?}");
}
