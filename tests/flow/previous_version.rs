//! A data folder that the version before wrote: this version opens it, rebuilds its read models from the log, and gives
//! the same answers. The folder and the answers of the version before are in `fixtures/v0.1-before-layers`; its
//! `README.md` says how they were made.
//!
//! Nothing is open in that folder that a clock could end: every shift and every offer is over, every promise is kept,
//! broken or cancelled. So this version appends nothing to the log, and every answer is expected to be equal as JSON.
//! The exceptions:
//!
//! - [`EXCEPT`]: fields that depend on the present time, and tokens, which are opaque;
//! - checkpoints on a stream, except that one that says `live` ends it: how often a stream sends them is not promised.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::Stdio,
};

use flate2::read::GzDecoder;
use serde_json::{Value, json};
use switchboard_tests::stage::{Said, Server, Stage, eventually, run, switchboard};

/// Fields that are not compared, by their places in an answer without the indices of lists.
const EXCEPT: [&str; 6] = [
    // A token is opaque. What follows an old token is compared.
    "/resume_token",
    // Calls within the last two hours.
    "/recent_reports",
    // Years without a calendar, up to the coming one.
    "/calendars/missing",
    // A crew is silent when it was not heard of for some minutes.
    "/crews/silent",
    // The weight of a ticket that waits grows with time.
    "/proposals/weight",
    // The server's clock, in the answer to a crew's steps.
    "/server_time",
];

/// The files of the read models, by their present names.
const READ_MODELS: [&str; 3] = ["views.db", "promises.db", "crew_changes.db"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("flow/fixtures/v0.1-before-layers").join(name)
}

fn unpacked(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    bytes
}

/// A copy of the previous version's folder, a server of this version on it, and the previous version's answers.
struct Opened {
    stage: Stage,
    server: Server,
    before: Value,
}

impl Opened {
    /// Copies the folder, starts a server on it and waits until every read model has reached the end of the log.
    async fn new() -> Self {
        let stage = Stage::new();
        unpack(&stage);
        let before: Value = serde_json::from_slice(&unpacked(&fixture("answers.json.gz"))).unwrap();
        let opened = Self { server: stage.serve(), stage, before };
        let head = opened.before["head"].to_string();
        let period = ["kpi", "--from", "2026-09-01", "--to", "2026-12-31"];
        for ask in [&["ticket", "list"][..], &["dispatch", "list-crews", "--org", "sgcc"], &period] {
            let ask = [ask, &["--min-position", &head]].concat();
            eventually(&format!("{ask:?}"), async || opened.said(&ask).ok.then_some(())).await;
        }
        opened
    }

    fn said(&self, arguments: &[&str]) -> Said {
        let endpoint = self.server.endpoint();
        run([arguments, &["--server", &endpoint, "--json"]].concat())
    }

    /// Runs a command and returns its documents, in a list unless there is exactly one.
    fn asked(&self, what: &str, arguments: &[&str]) -> Value {
        let said = self.said(arguments);
        assert!(said.ok, "{what}: {arguments:?} is refused: {said:?}");
        let mut documents: Vec<Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        if documents.len() == 1 { documents.remove(0) } else { Value::Array(documents) }
    }

    /// Returns the answer to a question. For a list with pages it is every page, without its token.
    fn answer(&self, question: &Value) -> Value {
        let what = question["name"].as_str().unwrap();
        let arguments = arguments(&question["arguments"]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        if question["pages"] != true {
            return self.asked(what, &arguments);
        }
        let (mut pages, mut token) = (Vec::new(), String::new());
        loop {
            let next: &[&str] = if token.is_empty() { &[] } else { &["--page-token", &token] };
            let mut page = self.asked(what, &[&arguments, next].concat());
            let found = page.as_object_mut().unwrap().remove("next_page_token").unwrap();
            found.as_str().unwrap().clone_into(&mut token);
            pages.push(page);
            if token.is_empty() {
                return Value::Array(pages);
            }
        }
    }

    /// Asks every question whose name begins with `prefix`, and compares the answers.
    fn answers_the_same(&self, prefix: &str) {
        let questions = self.before["questions"].as_array().unwrap();
        let of = |question: &&Value| question["name"].as_str().unwrap().starts_with(prefix);
        let questions: Vec<&Value> = questions.iter().filter(of).collect();
        assert!(!questions.is_empty(), "no question begins with {prefix}");
        for question in questions {
            same(question["name"].as_str().unwrap(), &self.answer(question), &question["answer"]);
        }
    }

    /// Returns every message of a stream up to the first checkpoint that says `live`.
    fn heard(&self, what: &str, arguments: &[String]) -> Vec<Value> {
        let endpoint = self.server.endpoint();
        let mut command = switchboard(arguments);
        command.args(["--json", "--server", &endpoint]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut messages = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let message: Value = serde_json::from_str(&line.unwrap()).unwrap();
            messages.push(message);
            if messages.last().is_some_and(is_live) {
                let _ = child.kill();
                child.wait().unwrap();
                return messages;
            }
        }
        panic!("{what}: {arguments:?} ends before it is live: {:?}", child.wait_with_output().unwrap());
    }
}

/// Writes the data folder as the previous version left it.
fn unpack(stage: &Stage) {
    std::fs::create_dir(stage.data()).unwrap();
    for file in std::fs::read_dir(fixture("data")).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap();
        std::fs::write(stage.data().join(name), unpacked(&path)).unwrap();
    }
}

/// Returns the recorded arguments. `{policy}` stands for the policy of the back-test, `{now}` for the present time.
fn arguments(recorded: &Value) -> Vec<String> {
    let now = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now());
    let now = now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let policy = fixture("other-policy.toml").display().to_string();
    let text = |value: &Value| value.as_str().unwrap().replace("{now}", &now).replace("{policy}", &policy);
    recorded.as_array().unwrap().iter().map(text).collect()
}

fn is_live(message: &Value) -> bool {
    message["checkpoint"]["live"] == true
}

/// Returns the messages of a stream without checkpoints and heartbeats.
fn told(messages: &[Value]) -> Value {
    let of = |message: &&Value| message["checkpoint"].is_null() && message["heartbeat"].is_null();
    Value::Array(messages.iter().filter(of).cloned().collect())
}

/// An answer of the version before, with the names of today: the number of a clock's run was called `lap`, and every
/// total was exact.
fn renamed(before: Value) -> Value {
    match before {
        Value::Array(items) => items.into_iter().map(renamed).collect(),
        Value::Object(fields) => {
            let is_list = fields.contains_key("total") && fields.contains_key("tickets");
            let name = |name: String| if name == "lap" { "run_number".into() } else { name };
            let fields = fields.into_iter().map(|(field, value)| (name(field), renamed(value)));
            fields.chain(is_list.then(|| ("more_than_total".into(), Value::Bool(false)))).collect()
        }
        plain => plain,
    }
}

/// Compares two answers, and names the first place where they differ.
#[track_caller]
fn same(what: &str, now: &Value, before: &Value) {
    if let Some(difference) = difference("", now, &renamed(before.clone())) {
        panic!("{what}: this version answers otherwise than the version before: {difference}");
    }
}

fn difference(place: &str, now: &Value, before: &Value) -> Option<String> {
    match (now, before) {
        (Value::Object(now), Value::Object(before)) => {
            let names: std::collections::BTreeSet<&String> = now.keys().chain(before.keys()).collect();
            let mut places = names.into_iter().map(|name| (format!("{place}/{name}"), now.get(name), before.get(name)));
            places.find_map(|(place, now, before)| {
                let (now, before) = (now.unwrap_or(&Value::Null), before.unwrap_or(&Value::Null));
                if is_excepted(&place) { None } else { difference(&place, now, before) }
            })
        }
        (Value::Array(now), Value::Array(before)) if now.len() == before.len() => {
            let mut pairs = now.iter().zip(before).enumerate();
            pairs.find_map(|(i, (now, before))| difference(&format!("{place}/{i}"), now, before))
        }
        (now, before) if now == before => None,
        (now, before) => Some(format!("at {place}: {now} instead of {before}")),
    }
}

fn is_excepted(place: &str) -> bool {
    let fields = place.split('/').filter(|part| part.parse::<usize>().is_err()).collect::<Vec<_>>().join("/");
    EXCEPT.contains(&fields.as_str())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_of_the_previous_version_reads_as_before_now_and_as_of_a_position() {
    let opened = Opened::new().await;
    opened.answers_the_same("ticket: ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_of_a_ticket_of_the_previous_version_reads_as_before() {
    let opened = Opened::new().await;
    opened.answers_the_same("history: ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_promises_of_a_ticket_of_the_previous_version_are_explained_as_before() {
    let opened = Opened::new().await;
    opened.answers_the_same("promises: ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_of_the_previous_version_is_rebuilt_alike_in_every_order_and_page() {
    let opened = Opened::new().await;
    opened.answers_the_same("list: ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_of_the_previous_version_is_known_and_told_what_was_told_before() {
    let opened = Opened::new().await;
    opened.answers_the_same("intake: ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_figures_of_the_previous_version_are_counted_as_before() {
    let opened = Opened::new().await;
    opened.answers_the_same("figures: ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_policies_and_calendars_of_the_previous_version_are_in_force_and_judge_as_before() {
    let opened = Opened::new().await;
    opened.answers_the_same("published: ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_crews_of_the_previous_version_stand_as_before_and_so_does_what_waits_for_them() {
    let opened = Opened::new().await;
    opened.answers_the_same("crews: ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_the_previous_version_reads_byte_for_byte_and_nothing_is_added_to_it() {
    let opened = Opened::new().await;
    let ask = ["audit", "read-log", "--role", "auditor", "--page-size", "1000"];
    let page = opened.asked("the log", &ask);
    assert_eq!(page["end"], true, "the log fits into one page");
    same("the log", &page["facts"], &opened.before["log"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_of_the_previous_version_goes_on_where_it_was() {
    let opened = Opened::new().await;
    for stream in opened.before["streams"].as_array().unwrap() {
        let what = stream["name"].as_str().unwrap();
        let ask = [arguments(&stream["arguments"]), arguments(&stream["resume"])].concat();
        same(what, &told(&opened.heard(what, &ask)), &told(stream["messages"].as_array().unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_of_the_previous_version_that_is_repeated_gets_its_answer_and_adds_nothing() {
    let opened = Opened::new().await;
    for request in opened.before["repeated"].as_array().unwrap() {
        let what = format!("{} again", request["name"].as_str().unwrap());
        let ask = arguments(&request["arguments"]);
        let answer = opened.asked(&what, &ask.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(replayed(&request["answer"]), "{what}: the fixture holds a first answer");
        assert!(replayed(&answer), "{what}: it is taken for a new request: {answer}");
        same(&what, &answer, &request["answer"]);
    }
    let line = opened.server.line().await;
    assert_eq!(json!(line.head().await.unwrap()), opened.before["head"], "a repeated request adds nothing");
}

fn replayed(answer: &Value) -> bool {
    let outcome = answer.get("outcome").or_else(|| answer.pointer("/results/0/outcome"));
    outcome.is_some_and(|outcome| outcome["replayed"] == true)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_the_previous_version_is_sound_and_its_file_of_a_former_name_is_removed() {
    let stage = Stage::new();
    unpack(&stage);
    assert!(stage.data().join("notices.db").exists(), "the fixture holds a file of a former name");
    let sound = stage.check();
    let opened = Opened::new().await;
    same("store check", &sound, &opened.before["check"]);
    let Opened { stage, server, before } = opened;
    server.stop();
    same("store check after a server of this version", &stage.check(), &before["check"]);
    let mut left: Vec<String> =
        std::fs::read_dir(stage.data()).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert!(!left.iter().any(|name| name.starts_with("notices.")), "a file of a former name stays: {left:?}");
    assert!(READ_MODELS.iter().all(|name| left.iter().any(|file| file == name)), "{left:?}");
}
