//! Tests of promises over time: the watch announces each warning and breach once, even through kills, and a late fact
//! overturns a breach. The policies here have limits of seconds, so that no test waits long.

use serde_json::{Value, json};
use switchboard_tests::{
    command::progress,
    line::{Line, agent, who},
    refusal::{fields, refused},
    stage::{Server, Stage, eventually, run},
    story::{CREW, Life, fault, from_now, received},
};
use switchboard_wire::proto::{
    self, BusinessType, ErrorReason, StepArrived, Verdict, admin_service_client::AdminServiceClient,
    report_progress_request::Step,
};
use tonic::Code;
use tonic_types::StatusExt as _;
use uuid::Uuid;

/// Builds a policy with one clock, `arrival`, with that limit and further keys.
fn policy(limit: &str, more: &str) -> String {
    format!(
        r#"
operator = "sgcc"
effective_from = 2020-01-01T00:00:00+08:00
calendar = "cn"
source = "a test"
[[clock]]
id = "T1"
clock = "arrival"
title = {{ zh = "\u5230\u8fbe\u73b0\u573a", en = "On site" }}
source = "a test"
when = {{ business = ["fault_repair"] }}
limit = "{limit}"
start = ["received"]
stop = ["crew_arrived"]
{more}
"#
    )
}

fn publish(stage: &Stage, server: &Server, text: &str) -> Value {
    let file = stage.beside("policy.toml");
    std::fs::write(&file, text).unwrap();
    let said = run(["policy", "publish", file.to_str().unwrap(), "--json", "--server", &server.endpoint()]);
    assert!(said.ok, "{said:?}");
    said.json()
}

/// Returns the announcements about a ticket's promises: each kind with its payload.
async fn said(line: &Line, ticket: &str) -> Vec<(String, Value)> {
    let stream = format!("promise-{ticket}");
    let log = line.log(0).await.unwrap();
    let of_it = log.into_iter().filter(|fact| fact.stream == stream);
    of_it.map(|fact| (fact.kind, serde_json::from_slice(&fact.data).unwrap())).collect()
}

/// Waits until the announcements have these kinds, and returns them.
async fn said_in_the_end(line: &Line, ticket: &str, kinds: &[&str]) -> Vec<(String, Value)> {
    let what = format!("{kinds:?} of {ticket}");
    eventually(&what, || async {
        let said = said(line, ticket).await;
        (said.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>() == kinds).then_some(said)
    })
    .await
}

async fn explained(line: &Line, ticket: &str, as_of: Option<proto::AsOf>) -> proto::ExplainPromisesResponse {
    let ask = proto::ExplainPromisesRequest { ticket: ticket.into(), as_of, ..Default::default() };
    line.tickets(&agent()).explain_promises(ask).await.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_promise_is_warned_of_and_recorded_once_with_its_owner_though_the_server_is_killed_in_between() {
    let stage = Stage::new();
    let mut server = stage.serve();
    publish(&stage, &server, &policy("3s", r#"warn = ["10%"]"#));
    let ticket = received(&server.line().await, BusinessType::FaultRepair).await;
    let warned = said_in_the_end(&server.line().await, &ticket, &["promise.warned.v1"]).await;
    assert_eq!((&warned[0].1["level"], &warned[0].1["tell"]), (&json!(1), &json!("sgcc")));
    // Killed before the due instant and again right after: no announcement may be lost or repeated.
    for _ in 0..2 {
        server.kill();
        server = stage.serve();
        let kinds = ["promise.warned.v1", "promise.breached.v1"];
        let all = said_in_the_end(&server.line().await, &ticket, &kinds).await;
        let breach = &all[1].1;
        assert_eq!(
            (&breach["clock"], &breach["rule"], &breach["owner"]),
            (&json!("arrival"), &json!("T1"), &json!("sgcc"))
        );
        assert_eq!(breach["policy"], json!({ "name": "sgcc", "version": 1 }));
    }
    let explained = explained(&server.line().await, &ticket, None).await;
    let arrival = &explained.promises[0];
    assert_eq!((arrival.verdict(), arrival.announcements.len()), (Verdict::Breached, 2));
    let due = arrival.due_at.unwrap();
    let recorded = arrival.announcements[1].recorded_at.unwrap();
    assert!((recorded.seconds, recorded.nanos) > (due.seconds, due.nanos), "never early: {arrival:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_arrival_reported_late_takes_the_breach_back_and_both_stay_in_the_log() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    publish(&stage, &server, &policy("4s", ""));
    let mut life = Life::default();
    life.live_all(&line, &fault()[..8]).await;
    let ticket = life.ticket.clone();
    let before_due = from_now(1);
    said_in_the_end(&line, &ticket, &["promise.breached.v1"]).await;
    let breached_at = line.head().await.unwrap();
    // The crew was there in time but had no signal.
    let arrived = progress(Step::Arrived(StepArrived::default())).named(Uuid::new_v4(), &ticket).at(before_due);
    arrived.send(&mut line.tickets(&who("crew", CREW))).await.unwrap();
    let all = said_in_the_end(&line, &ticket, &["promise.breached.v1", "promise.overturned.v1"]).await;
    assert_eq!(all[1].1["now"], "kept");
    let now = explained(&line, &ticket, None).await;
    assert_eq!(now.promises[0].verdict(), Verdict::Kept, "{now:?}");
    // A point in the future is judged as of now.
    let point = Some(proto::as_of::Point::Time(from_now(1_000_000_000)));
    let ahead = explained(&line, &ticket, Some(proto::AsOf { point })).await;
    assert!(ahead.at.unwrap().seconds < from_now(60).seconds, "{ahead:?}");
    // The judgement as known at the earlier position.
    let point = Some(proto::as_of::Point::Position(breached_at));
    let then = explained(&line, &ticket, Some(proto::AsOf { point })).await;
    assert_eq!(then.promises[0].verdict(), Verdict::Breached, "{then:?}");
    assert_eq!(then.promises[0].announcements.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_published_later_changes_clocks_that_run_and_no_verdict_that_was_given() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    publish(&stage, &server, &policy("1s", ""));
    let broken = received(&line, BusinessType::FaultRepair).await;
    said_in_the_end(&line, &broken, &["promise.breached.v1"]).await;
    publish(&stage, &server, &policy("90m", ""));
    let running = received(&line, BusinessType::FaultRepair).await;
    publish(&stage, &server, &policy("45m", ""));
    let (broken, running) = (explained(&line, &broken, None).await, explained(&line, &running, None).await);
    let version = |promises: &proto::ExplainPromisesResponse| promises.promises[0].policy.clone().unwrap().version;
    assert_eq!((broken.promises[0].verdict(), version(&broken)), (Verdict::Breached, 1));
    assert_eq!((running.promises[0].verdict(), version(&running)), (Verdict::Running, 3));
    assert_eq!(running.promises[0].limit, "45m");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shadow_judges_and_is_not_heard() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    publish(&stage, &server, &policy("45m", ""));
    let file = stage.beside("shadow.toml");
    std::fs::write(&file, policy("1s", "")).unwrap();
    let endpoint = server.endpoint();
    let shadow = run(["policy", "publish", "--shadow", file.to_str().unwrap(), "--server", &endpoint]);
    assert!(shadow.ok, "{shadow:?}");
    let ticket = received(&line, BusinessType::FaultRepair).await;
    let flips = eventually("the shadow's disagreement", || async {
        let said = run(["policy", "shadow", "--operator", "sgcc", "--json", "--server", &endpoint]);
        assert!(said.ok, "{said:?}");
        (said.out.contains(&ticket)).then_some(said.out)
    })
    .await;
    assert!(flips.contains(r#""would_be":"breached""#), "{flips}");
    assert_eq!(said(&line, &ticket).await, []);
    assert_eq!(explained(&line, &ticket, None).await.promises[0].verdict(), Verdict::Running);
    let ended = run(["policy", "end-shadow", "--operator", "sgcc", "--server", &endpoint]);
    assert!(ended.ok, "{ended:?}");
    assert!(!run(["policy", "shadow", "--operator", "sgcc", "--server", &endpoint]).ok, "there is none any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_policy_with_faults_is_refused_with_every_line_and_nothing_is_published() {
    let stage = Stage::new();
    let server = stage.serve();
    let channel = tonic::transport::Endpoint::from_shared(server.endpoint()).unwrap().connect().await.unwrap();
    let mut admin = AdminServiceClient::new(channel);
    let asked = |role: &'static str, text: String| {
        let request_id = Uuid::new_v4().to_string();
        let body = proto::PublishPolicyRequest { request_id, text, file_name: "p.toml".into(), ..Default::default() };
        let mut request = tonic::Request::new(body);
        for (name, value) in [("x-actor-id", "t"), ("x-actor-role", role), ("x-actor-org", "sgcc")] {
            request.metadata_mut().insert(name, value.parse().unwrap());
        }
        request
    };
    let clock = |text: &str| format!("[[clock]]{}", text.split_once("[[clock]]").unwrap().1);
    // The same clock for the same tickets, with a negative limit, and cancelled by no known fact.
    let text = policy("45m", "") + &clock(&policy("-5m", r#"cancel = ["flown_away"]"#));
    let no = admin.publish_policy(asked("operator", text)).await;
    let told = refused(no, Code::InvalidArgument, ErrorReason::InvalidFields);
    assert!(fields(&told).len() >= 2, "{told:?}");
    // A file with more faults than a refusal can carry still gets one, which says how many are omitted.
    let many = policy("45m", "") + &clock(&policy("-5m", r#"cancel = ["flown_away"]"#)).repeat(100);
    let no = admin.publish_policy(asked("operator", many)).await;
    let told = refused(no, Code::InvalidArgument, ErrorReason::InvalidFields);
    let violations = format!("{:?}", told.get_error_details().bad_request());
    assert!(violations.contains("p.toml:22: ") && violations.contains(" more are not told"), "{violations}");
    let no = admin.publish_policy(asked("agent", policy("45m", ""))).await;
    refused(no, Code::PermissionDenied, ErrorReason::NotPermitted);
    assert_eq!(server.line().await.head().await.unwrap(), 0, "nothing was recorded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_of_an_operator_without_policy_has_no_clocks_and_says_so() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let ticket = received(&line, BusinessType::FaultRepair).await;
    let explained = explained(&line, &ticket, None).await;
    assert!(explained.no_policy && explained.promises.is_empty(), "{explained:?}");
    let missing = proto::ExplainPromisesRequest { ticket: Uuid::new_v4().to_string(), ..Default::default() };
    let no = line.tickets(&agent()).explain_promises(missing).await;
    refused(no, Code::NotFound, ErrorReason::TicketNotFound);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comparisons_that_nobody_reads_hold_up_no_figures() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    publish(&stage, &server, &policy("45m", ""));
    for _ in 0..150 {
        received(&line, BusinessType::FaultRepair).await;
    }
    let head = line.head().await.unwrap().to_string();
    let reached = run(["kpi", "--json", "--min-position", &head, "--server", &server.endpoint()]);
    assert!(reached.ok, "{reached:?}");
    // The differences exceed every buffer on the way to a client that does not read.
    let other = policy("1m", "").replace("arrival", "approach");
    let clock = &other[other.find("[[clock]]").unwrap()..];
    let more = (2..=60).map(|n| clock.replace("approach", &format!("approach_{n}")).replace("T1", &format!("T{n}")));
    let other = std::iter::once(other.clone()).chain(more).collect::<String>();
    let channel = tonic::transport::Endpoint::from_shared(server.endpoint()).unwrap();
    let channel = channel.initial_stream_window_size(1_024).connect().await.unwrap();
    let mut readers = Vec::new();
    let turned_away = loop {
        let (from, to) = (Some(from_now(-3_600)), Some(from_now(3_600)));
        let body =
            proto::BacktestPolicyRequest { text: other.clone(), from, to, flips_max: 10_000, ..Default::default() };
        let mut request = tonic::Request::new(body);
        for (name, value) in [("x-actor-id", "t"), ("x-actor-role", "auditor"), ("x-actor-org", "sgcc")] {
            request.metadata_mut().insert(name, value.parse().unwrap());
        }
        match AdminServiceClient::new(channel.clone()).backtest_policy(request).await {
            Ok(unread) => readers.push(unread),
            Err(status) => break status,
        }
        assert!(readers.len() < 100, "somebody is turned away in the end");
    };
    refused(Err::<(), _>(turned_away), Code::ResourceExhausted, ErrorReason::Overloaded);
    let figures = run(["kpi", "--json", "--server", &server.endpoint()]);
    assert!(figures.ok, "{figures:?}");
}
