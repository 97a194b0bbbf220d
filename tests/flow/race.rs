//! Tests of many callers on one ticket: revisions settle the race, and no request takes effect twice.

use std::collections::BTreeSet;

use switchboard_tests::{
    command::{Command, accept, dispatch, supplement, urge},
    line::{Line, Who, agent, who},
    refusal::reason,
    stage::Stage,
    story::{CITY, from_now, received},
};
use switchboard_wire::proto::{BusinessType, CommandOutcome, ErrorReason};
use tonic::Status;
use uuid::Uuid;

const RACERS: usize = 64;

/// Sends all commands at once. A contended command is repeated under its id, as the API demands.
async fn race(line: &Line, who: &Who, commands: Vec<Command>) -> Vec<Result<CommandOutcome, Status>> {
    let racers = commands.into_iter().map(|command| {
        let mut tickets = line.tickets(who);
        tokio::spawn(async move {
            loop {
                match command.send(&mut tickets).await {
                    Err(status) if reason(&status) == Some(ErrorReason::Contended) => {}
                    answer => return answer,
                }
            }
        })
    });
    let mut answers = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        answers.push(racer.await.unwrap());
    }
    answers
}

/// Checks that exactly one was accepted, and every other refused for this reason.
fn one_accepted(answers: &[Result<CommandOutcome, Status>], why: ErrorReason) {
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    for status in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(reason(status), Some(why), "{status:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn racing_supplements_all_get_in_at_revisions_of_their_own() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let ticket = received(&line, BusinessType::FaultRepair).await;
    let commands = (0..RACERS).map(|n| supplement(&format!("voice {n}")).about(&ticket)).collect::<Vec<_>>();
    let answers = race(&line, &agent(), commands).await;
    let outcomes: Vec<CommandOutcome> = answers.into_iter().map(|answer| answer.expect("accepted")).collect();
    let revisions: BTreeSet<u64> = outcomes.iter().map(|outcome| outcome.etag.parse().unwrap()).collect();
    assert_eq!(revisions, (1..=RACERS as u64).collect());
    let history = line.history(&ticket).await.unwrap();
    assert_eq!(history.len(), RACERS + 1);
    for outcome in &outcomes {
        let revision: usize = outcome.etag.parse().unwrap();
        assert_eq!(history[revision].position, outcome.position);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_racing_accepts_exactly_one_is_accepted() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let ticket = received(&line, BusinessType::FaultRepair).await;
    let classify = switchboard_tests::command::classify("fault_repair/x", None);
    classify.about(&ticket).send(&mut line.tickets(&agent())).await.unwrap();
    dispatch(CITY).about(&ticket).send(&mut line.tickets(&agent())).await.unwrap();
    let commands = (0..RACERS).map(|_| accept().about(&ticket)).collect();
    one_accepted(&race(&line, &who("desk", CITY), commands).await, ErrorReason::IllegalMove);
    assert_eq!(line.kinds(&ticket).await.unwrap(), ["received", "classified", "dispatched", "accepted"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_racing_urges_one_counts_and_the_others_come_too_soon() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let ticket = received(&line, BusinessType::FaultRepair).await;
    let classify = switchboard_tests::command::classify("fault_repair/x", None);
    classify.about(&ticket).send(&mut line.tickets(&agent())).await.unwrap();
    dispatch(CITY).about(&ticket).send(&mut line.tickets(&agent())).await.unwrap();
    let now = from_now(0);
    let commands = (0..RACERS).map(|_| urge().about(&ticket).at(now)).collect();
    one_accepted(&race(&line, &agent(), commands).await, ErrorReason::TooSoon);
    assert_eq!(line.get(&ticket).await.unwrap().urges, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_request_raced_by_its_own_copies_is_done_once_and_answered_to_all() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let ticket = received(&line, BusinessType::FaultRepair).await;
    let copy = supplement("only once").named(Uuid::new_v4(), &ticket);
    let answers = race(&line, &agent(), vec![copy; RACERS]).await;
    let outcomes: Vec<CommandOutcome> = answers.into_iter().map(|answer| answer.expect("accepted")).collect();
    assert_eq!(outcomes.iter().filter(|outcome| !outcome.replayed).count(), 1);
    assert!(outcomes.iter().all(|o| (o.position, &o.etag) == (outcomes[0].position, &outcomes[0].etag)));
    assert_eq!(line.history(&ticket).await.unwrap().len(), 2);

    let opening = Command::Receive(Box::new(switchboard_tests::story::somebody(BusinessType::FaultRepair)));
    let answers = race(&line, &agent(), vec![opening; RACERS]).await;
    let outcomes: Vec<CommandOutcome> = answers.into_iter().map(|answer| answer.expect("accepted")).collect();
    assert_eq!(outcomes.iter().map(|outcome| &outcome.ticket_id).collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(line.list("").await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tickets_opened_at_once_never_share_a_number() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let openings =
        (0..300).map(|_| Command::Receive(Box::new(switchboard_tests::story::somebody(BusinessType::Praise))));
    let answers = race(&line, &agent(), openings.collect()).await;
    assert!(answers.iter().all(Result::is_ok));
    let rows = line.list("").await.unwrap();
    assert_eq!(rows.iter().map(|row| &row.number).collect::<BTreeSet<_>>().len(), 300);
}
