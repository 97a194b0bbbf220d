//! Tests of the intake: identification of callers, their reports, and the answers to them.

use switchboard_tests::{
    command::receive,
    line::{agent, who},
    refusal::{fields, refused},
    stage::Stage,
    story::{Life, PHONE, fault, received, with_the_crew},
};
use switchboard_wire::proto::{
    self, AdviseRequest, BusinessType, CheckState, ErrorReason, IdentifyRequest, ListRequest, ReportRequest,
};
use tonic::Code;

fn identify(phone: &str) -> IdentifyRequest {
    IdentifyRequest { phone: Some(phone.into()), account: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_is_recognised_by_phone_or_account_with_what_is_open_for_them() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut intake = line.intake(&who("ivr", "sgcc"));
    let nobody = intake.identify(identify(PHONE)).await.unwrap().into_inner();
    assert!(!nobody.known && nobody.open_tickets.is_empty() && nobody.tickets_total == 0);
    let open = received(&line, BusinessType::FaultRepair).await;
    let mut closed = Life::default();
    closed.live_all(&line, &fault()).await;
    let account = IdentifyRequest { phone: None, account: Some(switchboard_tests::story::ACCOUNT.into()) };
    for ask in [identify(PHONE), account] {
        let known = intake.identify(ask).await.unwrap().into_inner();
        assert!(known.known);
        assert_eq!((known.tickets_total, known.recent_reports), (2, 2));
        assert_eq!(known.open_tickets.iter().map(|t| t.id.as_str()).collect::<Vec<_>>(), [open.as_str()]);
        assert!(known.checks.iter().all(|check| check.state() == CheckState::Done), "{:?}", known.checks);
        assert_eq!(known.position, line.head().await.unwrap());
    }
    let status =
        refused(intake.identify(IdentifyRequest::default()).await, Code::InvalidArgument, ErrorReason::InvalidFields);
    assert_eq!(fields(&status), ["phone"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_a_supplement_cannot_hold_opens_a_ticket_of_its_own() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut intake = line.intake(&who("ivr", "sgcc"));
    let report = |change: &dyn Fn(&mut proto::ReceiveRequest)| {
        let mut receive = receive(BusinessType::Complaint, PHONE);
        change(&mut receive);
        ReportRequest { receive: Some(receive) }
    };
    let number = |value: &str| Some(proto::ExternalRef { issuer: "12345".into(), value: value.into() });
    let opened = intake.report(report(&|r| r.external = number("DH1"))).await.unwrap().into_inner();
    assert!(!opened.attached);
    let in_confidence = intake.report(report(&|r| r.confidential = true)).await.unwrap().into_inner();
    assert!(!in_confidence.attached, "a wish for confidence is not lost in an open ticket");
    let another = intake.report(report(&|r| r.external = number("DH2"))).await.unwrap().into_inner();
    assert!(!another.attached, "another system's number is not lost");
    let [told, agreed] = [0, 86_400].map(|s| Some(prost_types::Timestamp { seconds: 1_700_000_000 + s, nanos: 0 }));
    let visit = report(&|r| (r.occurred_at, r.appointment) = (told, agreed));
    let visit = intake.report(visit).await.unwrap().into_inner();
    assert!(!visit.attached, "an appointment is not lost");
    assert_eq!(line.get(&visit.outcome.unwrap().ticket_id).await.unwrap().appointment, agreed);
    let same = intake.report(report(&|r| r.external = number("DH1"))).await.unwrap().into_inner();
    assert_eq!((same.attached, same.number), (true, opened.number));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_of_one_caller_at_once_become_one_ticket() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let reports = (0..8).map(|_| {
        let mut intake = line.intake(&who("ivr", "sgcc"));
        let report = ReportRequest { receive: Some(receive(BusinessType::FaultRepair, PHONE)) };
        async move { intake.report(report).await.unwrap().into_inner() }
    });
    let answers = futures::future::join_all(reports).await;
    assert_eq!(answers.iter().filter(|answer| !answer.attached).count(), 1, "{answers:#?}");
    assert!(answers.iter().all(|answer| answer.number == answers[0].number));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_report_attaches_to_the_open_ticket_and_a_repeated_one_is_answered_as_before() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut intake = line.intake(&who("ivr", "sgcc"));
    let report = |business| ReportRequest { receive: Some(receive(business, PHONE)) };
    let first = report(BusinessType::FaultRepair);
    let opened = intake.report(first.clone()).await.unwrap().into_inner();
    assert!(!opened.attached);
    let outcome = opened.outcome.clone().unwrap();
    let seen = ListRequest { min_position: Some(outcome.position), ..Default::default() };
    line.tickets(&agent()).list(seen).await.unwrap();

    let second = report(BusinessType::FaultRepair);
    let attached = intake.report(second.clone()).await.unwrap().into_inner();
    assert!(attached.attached);
    assert_eq!(attached.number, opened.number);
    assert_eq!(line.kinds(&outcome.ticket_id).await.unwrap(), ["received", "supplemented"]);
    let other = intake.report(report(BusinessType::Complaint)).await.unwrap().into_inner();
    assert!(!other.attached && other.number != opened.number, "another type is another ticket");

    server.kill();
    let server = stage.serve();
    let line = server.line().await;
    let mut intake = line.intake(&who("ivr", "sgcc"));
    let head = line.head().await.unwrap();
    for (request, answer) in [(first.clone(), &opened), (second, &attached)] {
        let again = intake.report(request).await.unwrap().into_inner();
        let (now, before) = (again.outcome.unwrap(), answer.outcome.clone().unwrap());
        assert!(now.replayed);
        assert_eq!((now.position, now.etag, now.ticket_id), (before.position, before.etag, before.ticket_id));
        assert_eq!((again.number, again.attached), (answer.number.clone(), answer.attached));
    }
    assert_eq!(line.head().await.unwrap(), head);
    let mut changed = first;
    changed.receive.as_mut().unwrap().content = "Something else.".into();
    refused(intake.report(changed).await, Code::AlreadyExists, ErrorReason::RequestIdReused);
    let nothing = intake.report(ReportRequest { receive: None }).await;
    assert_eq!(fields(&refused(nothing, Code::InvalidArgument, ErrorReason::InvalidFields)), ["receive"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_is_told_where_the_ticket_stands_in_their_language() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let life = with_the_crew(&line).await;
    let mut reader = who("ivr", "sgcc");
    let ask = AdviseRequest { ticket: life.ticket.clone() };
    let english = line.intake(&reader).advise(ask.clone()).await.unwrap().into_inner();
    assert!(english.sentence.is_ascii() && english.sentence.ends_with('.'), "{}", english.sentence);
    assert_eq!((english.stage(), english.crew_progress()), (proto::Stage::Accepted, proto::CrewProgress::Accepted));
    reader.language = "zh-CN";
    let chinese = line.intake(&reader).advise(ask).await.unwrap().into_inner();
    assert!(!chinese.sentence.is_ascii(), "{}", chinese.sentence);
    let nobody = AdviseRequest { ticket: "2026010100000001".into() };
    refused(line.intake(&reader).advise(nobody).await, Code::NotFound, ErrorReason::TicketNotFound);
}
