//! Tests of repeated requests: across a restart, in another spelling, with another body, on another ticket.

use switchboard_tests::{
    command::{Command, supplement},
    line::agent,
    refusal::refused,
    stage::Stage,
    story::{Life, complaint, fault, received},
};
use switchboard_wire::proto::{BusinessType, CommandHeader, ErrorReason, SupplementRequest};
use tonic::Code;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_of_a_life_repeated_after_a_restart_gets_its_first_answer_and_adds_nothing() {
    let stage = Stage::new();
    let server = stage.serve();
    let (mut one, mut other) = (Life::default(), Life::default());
    let line = server.line().await;
    one.live_all(&line, &fault()).await;
    other.live_all(&line, &complaint()).await;
    let head = line.head().await.unwrap();
    server.kill();

    let server = stage.serve();
    let line = server.line().await;
    for (who, command, first) in one.lived.iter().chain(&other.lived) {
        let again = command.send(&mut line.tickets(who)).await.unwrap();
        assert!(again.replayed, "{command:?}");
        assert_eq!(again, switchboard_wire::proto::CommandOutcome { replayed: true, ..first.clone() }, "{command:?}");
    }
    assert_eq!(line.head().await.unwrap(), head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_id_with_another_body_or_on_another_ticket_is_refused_before_and_after_a_restart() {
    let stage = Stage::new();
    let mut server = stage.serve();
    let line = server.line().await;
    let ticket = received(&line, BusinessType::FaultRepair).await;
    let other = received(&line, BusinessType::FaultRepair).await;
    let id = Uuid::new_v4();
    supplement("first").named(id, &ticket).send(&mut line.tickets(&agent())).await.unwrap();
    let head = line.head().await.unwrap();
    for _ in 0..2 {
        let line = server.line().await;
        let mut tickets = line.tickets(&agent());
        for reused in [supplement("second").named(id, &ticket), supplement("first").named(id, &other)] {
            let refusal = reused.send(&mut tickets).await;
            refused(refusal, Code::AlreadyExists, ErrorReason::RequestIdReused);
        }
        let mut receive = switchboard_tests::story::somebody(BusinessType::FaultRepair);
        receive.request_id = id.to_string();
        let refusal = Command::Receive(Box::new(receive)).send(&mut tickets).await;
        refused(refusal, Code::AlreadyExists, ErrorReason::RequestIdReused);
        assert!(supplement("first").named(id, &ticket).send(&mut tickets).await.unwrap().replayed);
        server.stop();
        server = stage.serve();
    }
    let line = server.line().await;
    let facts = line.log(0).await.unwrap();
    // A refused receipt may reserve numbers, which are facts of their own. No ticket got a fact.
    assert!(facts.iter().skip(usize::try_from(head).unwrap()).all(|fact| !fact.stream.starts_with("ticket-")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_in_another_spelling_is_the_same_request() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let ticket = received(&line, BusinessType::FaultRepair).await;
    let number = line.get(&ticket).await.unwrap().number;
    let id = Uuid::new_v4().to_string();
    let words = "The third floor too.";
    let mut outcomes = Vec::new();
    for (request_id, ticket, content) in [
        (id.clone(), ticket, words),
        (id.to_uppercase(), number.clone(), words),
        (id.replace('-', ""), number, "The fourth floor too."),
    ] {
        let header = CommandHeader { request_id, ticket, ..CommandHeader::default() };
        let request = SupplementRequest { header: Some(header), content: content.into() };
        outcomes.push(line.tickets(&agent()).supplement(request).await.map(|done| done.into_inner().outcome.unwrap()));
    }
    refused(outcomes.pop().unwrap(), Code::AlreadyExists, ErrorReason::RequestIdReused);
    let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(outcomes.iter().map(|outcome| outcome.replayed).collect::<Vec<_>>(), [false, true]);
    assert_eq!(outcomes[0].position, outcomes[1].position);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_opened_twice_under_one_request_id_is_one_ticket_with_one_number() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let receive = switchboard_tests::story::somebody(BusinessType::FaultRepair);
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(line.tickets(&agent()).receive(receive.clone()).await.unwrap().into_inner());
    }
    let outcomes: Vec<_> = answers.iter().map(|a| a.outcome.clone().unwrap()).collect();
    assert!(answers.iter().all(|answer| answer.number == answers[0].number && !answer.number.is_empty()));
    assert!(outcomes.iter().all(|outcome| outcome.ticket_id == outcomes[0].ticket_id));
    assert_eq!(outcomes.iter().map(|outcome| outcome.replayed).collect::<Vec<_>>(), [false, true, true]);
    assert_eq!(line.list("").await.unwrap().len(), 1);
    assert_eq!(line.get(&answers[0].number).await.unwrap().id, outcomes[0].ticket_id);
}
