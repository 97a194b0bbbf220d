//! Tests of refusals, and of the advice that they carry.

use std::time::Duration;

use switchboard_tests::{
    command::{classify, close, dispatch, merge, receive, supplement, urge},
    line::{agent, who},
    refusal::{fields, legal_moves, reason, refused, told},
    stage::Stage,
    story::{received, with_the_crew},
};
use switchboard_wire::proto::{
    self, BusinessType, CommandHeader, ErrorReason, ticket_service_client::TicketServiceClient,
};
use tonic::{Code, Request};
use tonic_types::StatusExt as _;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stale_etag_is_refused_with_the_current_one() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut tickets = line.tickets(&agent());
    let ticket = received(&line, BusinessType::FaultRepair).await;
    let first = supplement("one").about(&ticket).if_still("0").send(&mut tickets).await.unwrap();
    assert_eq!(first.etag, "1");
    let status = supplement("two").about(&ticket).if_still("0").send(&mut tickets).await;
    let status = refused(status, Code::Aborted, ErrorReason::RevisionConflict);
    let current = told(&status, "current").expect("the current revision");
    assert_eq!(current, "1");
    supplement("two").about(&ticket).if_still(&current).send(&mut tickets).await.unwrap();
    // A repeated request gets its first answer even if its etag is stale by now.
    let repeated = supplement("three").about(&ticket).if_still("2");
    repeated.send(&mut tickets).await.unwrap();
    assert!(repeated.send(&mut tickets).await.unwrap().replayed);
    let nonsense = supplement("four").about(&ticket).if_still("abc").send(&mut tickets).await;
    assert_eq!(fields(&refused(nonsense, Code::InvalidArgument, ErrorReason::InvalidFields)), ["header.etag"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_illegal_move_names_the_moves_that_are_legal_now() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let ticket = received(&line, BusinessType::FaultRepair).await;
    let answer = close(None).about(&ticket).send(&mut line.tickets(&agent())).await;
    let status = refused(answer, Code::FailedPrecondition, ErrorReason::IllegalMove);
    assert_eq!(legal_moves(&status), line.get(&ticket).await.unwrap().legal_moves);
    assert!(legal_moves(&status).contains(&"classify".to_owned()));
    assert_eq!((told(&status, "asked"), told(&status, "stage")), (Some("close".into()), Some("received".into())));
    let english = status.get_details_localized_message().unwrap();
    assert_eq!(english.locale, "en");
    let mut reader = agent();
    reader.language = "zh-CN";
    let status = close(None).about(&ticket).send(&mut line.tickets(&reader)).await.unwrap_err();
    let chinese = status.get_details_localized_message().unwrap();
    assert_eq!(chinese.locale, "zh-CN");
    assert!(!chinese.message.is_ascii() && status.message() == english.message);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_and_contradictory_fields_are_all_listed_at_once() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut tickets = line.tickets(&agent());
    let empty = tickets.receive(proto::ReceiveRequest::default()).await;
    let status = refused(empty, Code::InvalidArgument, ErrorReason::InvalidFields);
    assert_eq!(fields(&status), ["request_id", "business_type", "channel", "content", "caller.phone"]);
    let contradictory = proto::ReceiveRequest {
        caller: Some(proto::Caller { anonymous: true, phone: Some("not a phone".into()), ..proto::Caller::default() }),
        received_by: Some("SGCC//".into()),
        content: "x".repeat(20_000),
        place: Some(proto::Place { latitude_e6: Some(1), ..proto::Place::default() }),
        ..receive(BusinessType::Urge, "")
    };
    let status = refused(tickets.receive(contradictory).await, Code::InvalidArgument, ErrorReason::InvalidFields);
    let listed = fields(&status);
    for field in ["received_by", "content", "place.longitude_e6", "linked_ticket"] {
        assert!(listed.iter().any(|found| found == field), "{field} in {listed:?}");
    }
    assert!(listed.iter().any(|field| field.starts_with("caller.")), "{listed:?}");
    let empty = tickets.classify(proto::ClassifyRequest::default()).await;
    let status = refused(empty, Code::InvalidArgument, ErrorReason::InvalidFields);
    assert_eq!(fields(&status), ["header.ticket", "header.request_id", "category", "urgency"]);
    let problem = status.get_details_bad_request().unwrap();
    assert!(problem.field_violations.iter().all(|field| field.reason == "MISSING" && !field.description.is_empty()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_enum_number_is_refused_by_field() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let unknown = proto::ReceiveRequest { business_type: 4711, channel: -1, ..receive(BusinessType::Praise, "95598") };
    let status = line.tickets(&agent()).receive(unknown).await;
    let status = refused(status, Code::InvalidArgument, ErrorReason::InvalidFields);
    assert_eq!(fields(&status), ["business_type", "channel"]);
    assert_eq!(line.head().await.unwrap(), 0, "nothing is on record");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_acts_must_be_said_and_be_sound() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut bare = TicketServiceClient::new(line.channel.clone());
    let cases: [(&[(&'static str, &'static str)], &str); 5] = [
        (&[], "x-actor-id"),
        (&[("x-actor-id", "a"), ("x-actor-org", "sgcc")], "x-actor-role"),
        (&[("x-actor-id", "a"), ("x-actor-role", "agent")], "x-actor-org"),
        (&[("x-actor-id", "a"), ("x-actor-role", "system"), ("x-actor-org", "sgcc")], "x-actor-role"),
        (&[("x-actor-id", "Zhang San"), ("x-actor-role", "agent"), ("x-actor-org", "sgcc")], "x-actor-id"),
    ];
    for (metadata, missing) in cases {
        let mut request = Request::new(receive(BusinessType::FaultRepair, "95598"));
        for (name, value) in metadata {
            request.metadata_mut().insert(*name, value.parse().unwrap());
        }
        let status = refused(bare.receive(request).await, Code::Unauthenticated, ErrorReason::ActorMissing);
        assert_eq!(told(&status, "missing").as_deref(), Some(missing));
    }
    // A query needs an actor, too.
    let asked = bare.list(proto::ListRequest::default()).await;
    refused(asked, Code::Unauthenticated, ErrorReason::ActorMissing);
    let stranger = line.tickets(&who("desk", "csg/gd"));
    let life = with_the_crew(&line).await;
    for foreign in [dispatch("sgcc/zj/hz"), urge()] {
        // Every actor may urge; only an actor of the holding unit may move the work.
        let answer = foreign.about(&life.ticket).send(&mut stranger.clone()).await;
        if let Err(status) = answer {
            assert!(matches!(status.code(), Code::PermissionDenied | Code::FailedPrecondition), "{status:?}");
        }
    }
    let foreign = switchboard_tests::command::reply("fault_repair/x", None).about(&life.ticket);
    refused(foreign.send(&mut stranger.clone()).await, Code::PermissionDenied, ErrorReason::NotYourTicket);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_ends_a_wait_and_is_answered_by_name() {
    let stage = Stage::new();
    let server = stage.serve_with(&["--set", "deadline_ms=300"]);
    let line = server.line().await;
    let ticket = received(&line, BusinessType::FaultRepair).await;
    let waiting = proto::GetRequest { ticket: ticket.clone(), min_position: Some(1_000_000), ..Default::default() };
    let begun = std::time::Instant::now();
    // A caller without a deadline gets the server's.
    let status = line.tickets(&agent()).get(waiting.clone()).await;
    refused(status, Code::DeadlineExceeded, ErrorReason::TimedOut);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let mut short = Request::new(waiting);
    short.metadata_mut().insert("grpc-timeout", "20m".parse().unwrap());
    let status = line.tickets(&agent()).get(short).await.unwrap_err();
    // The client's own deadline may fire first; then there is no reason.
    assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled), "{status:?}");
    assert!(reason(&status).is_none_or(|why| why == ErrorReason::TimedOut));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_not_found_and_what_contradicts_is_told_by_rule() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut tickets = line.tickets(&agent());
    for nobody in [Uuid::new_v4().simple().to_string(), "2026010100000001".into()] {
        refused(line.get(&nobody).await, Code::NotFound, ErrorReason::TicketNotFound);
        refused(line.history(&nobody).await, Code::NotFound, ErrorReason::TicketNotFound);
        let answer = supplement("x").about(&nobody).send(&mut tickets).await;
        refused(answer, Code::NotFound, ErrorReason::TicketNotFound);
    }
    let ticket = received(&line, BusinessType::FaultRepair).await;
    classify("fault_repair/x", None).about(&ticket).send(&mut tickets).await.unwrap();
    let outside = dispatch("csg/gd").about(&ticket).send(&mut tickets).await;
    let status = refused(outside, Code::FailedPrecondition, ErrorReason::RuleViolated);
    assert_eq!(told(&status, "rule").as_deref(), Some("outside_holder"));
    let too_high = dispatch("sgcc/zj").about(&ticket).send(&mut tickets).await;
    let status = refused(too_high, Code::FailedPrecondition, ErrorReason::RuleViolated);
    assert_eq!(told(&status, "rule").as_deref(), Some("wrong_level"));
    let itself = merge(&ticket).about(&ticket).send(&mut tickets).await;
    refused(itself, Code::InvalidArgument, ErrorReason::InvalidFields);
    dispatch("sgcc/zj/hz").about(&ticket).send(&mut tickets).await.unwrap();
    urge().about(&ticket).send(&mut tickets).await.unwrap();
    let status = urge().about(&ticket).send(&mut tickets).await;
    let status = refused(status, Code::FailedPrecondition, ErrorReason::TooSoon);
    assert!(status.get_details_retry_info().and_then(|info| info.retry_delay).is_some());
    let header = CommandHeader { request_id: Uuid::new_v4().to_string(), ticket, ..Default::default() };
    let no_step = tickets.report_progress(proto::ReportProgressRequest { header: Some(header), step: None }).await;
    assert_eq!(fields(&refused(no_step, Code::InvalidArgument, ErrorReason::InvalidFields)), ["step"]);
}
