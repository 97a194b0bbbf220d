//! Tests of masters and children through the linkage process.

use switchboard_tests::{
    command::{accept, classify, close, dispatch, merge, passed, progress, reply, revisit, unmerge, withdraw},
    line::{Line, agent, who},
    refusal::refused,
    stage::{Stage, eventually},
    story::{CREW, Life, fault, received},
};
use switchboard_wire::proto::{
    self, BusinessType, ErrorReason, Satisfaction, Stage as At, report_progress_request::Step as Crew,
};
use tonic::Code;

/// Waits until the ticket has that many facts of a kind.
async fn has(line: &Line, ticket: &str, kind: &str, count: usize) {
    eventually(&format!("{count} x {kind} of {ticket}"), || async {
        let kinds = line.kinds(ticket).await.unwrap();
        (kinds.iter().filter(|found| *found == kind).count() >= count).then_some(())
    })
    .await;
}

async fn send(line: &Line, role: &str, org: &str, command: switchboard_tests::command::Command, ticket: &str) {
    command.about(ticket).send(&mut line.tickets(&who(role, org))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn children_follow_their_master_to_its_outcome_and_close_on_their_own() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let master = received(&line, BusinessType::FaultRepair).await;
    let mut children = Vec::new();
    for _ in 0..3 {
        children.push(received(&line, BusinessType::FaultRepair).await);
    }
    for child in &children {
        send(&line, "agent", "sgcc", merge(&master), child).await;
    }
    has(&line, &master, "child_adopted", 3).await;
    let view = line.get(&children[0]).await.unwrap();
    assert_eq!(view.master.as_deref(), Some(master.as_str()));
    let mut adopted = line.get(&master).await.unwrap().children;
    adopted.sort();
    let mut expected = children.clone();
    expected.sort();
    assert_eq!(adopted, expected);
    // A child cannot be worked on separately.
    let answer = classify("fault_repair/x", None).about(&children[0]).send(&mut line.tickets(&agent())).await;
    refused(answer, Code::FailedPrecondition, ErrorReason::IllegalMove);
    // One child is unmerged, and the master releases it.
    send(&line, "agent", "sgcc", unmerge(), &children[2]).await;
    has(&line, &master, "child_released", 1).await;

    server.kill();
    let server = stage.serve();
    let line = server.line().await;
    send(&line, "agent", "sgcc", classify("fault_repair/x", None), &master).await;
    send(&line, "agent", "sgcc", dispatch(CREW), &master).await;
    send(&line, "crew", CREW, accept(), &master).await;
    send(&line, "crew", CREW, progress(Crew::Arrived(proto::StepArrived::default())), &master).await;
    send(&line, "crew", CREW, progress(Crew::Restored(proto::StepRestored {})), &master).await;
    send(&line, "crew", CREW, reply("fault_repair/x", None), &master).await;
    send(&line, "agent", "sgcc", passed(), &master).await;
    for child in &children[..2] {
        has(&line, child, "master_followed", 1).await;
        let view = line.get(child).await.unwrap();
        assert_eq!((view.stage(), view.restored_at.is_some()), (At::AwaitingRevisit, true));
        send(&line, "agent", "sgcc", revisit(Satisfaction::Satisfied, &[]), child).await;
        send(&line, "agent", "sgcc", close(None), child).await;
        assert_eq!(line.get(child).await.unwrap().stage(), At::Closed);
    }
    has(&line, &master, "child_released", 3).await;
    assert_eq!(line.get(&master).await.unwrap().children, Vec::<String>::new());
    assert_eq!(line.get(&children[2]).await.unwrap().stage(), At::Received);
    assert!(!line.kinds(&children[2]).await.unwrap().contains(&"master_followed".to_owned()));
    // No fact is repeated, not even after a restart that folds the process again.
    let head = line.head().await.unwrap();
    server.stop();
    let server = stage.serve();
    let line = server.line().await;
    received(&line, BusinessType::Praise).await;
    let added = line.log(head).await.unwrap();
    assert!(
        added.iter().all(|fact| fact.kind == "ticket.received.v1" || fact.stream.starts_with("number")),
        "{added:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merge_into_a_closed_master_is_undone_by_the_process() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut life = Life::default();
    life.live_all(&line, &fault()).await;
    let child = received(&line, BusinessType::FaultRepair).await;
    send(&line, "agent", "sgcc", merge(&life.ticket), &child).await;
    has(&line, &child, "unmerged", 1).await;
    let view = line.get(&child).await.unwrap();
    assert_eq!((view.master.as_deref(), view.stage()), (None, At::Received));
    let undone = line.history(&child).await.unwrap().pop().unwrap();
    assert_eq!(undone.actor.unwrap().role, "system");
    // It continues as if it had never been merged.
    send(&line, "agent", "sgcc", classify("fault_repair/x", None), &child).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_merge_into_nobody_or_another_type_comes_to_nothing_and_a_withdrawn_master_frees_its_children() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let child = received(&line, BusinessType::FaultRepair).await;
    for master in [uuid::Uuid::new_v4().simple().to_string(), received(&line, BusinessType::Complaint).await] {
        let before = line.kinds(&child).await.unwrap().iter().filter(|kind| *kind == "unmerged").count();
        send(&line, "agent", "sgcc", merge(&master), &child).await;
        has(&line, &child, "unmerged", before + 1).await;
        assert_eq!(line.get(&child).await.unwrap().master, None);
    }
    let master = received(&line, BusinessType::FaultRepair).await;
    send(&line, "agent", "sgcc", merge(&master), &child).await;
    has(&line, &master, "child_adopted", 1).await;
    send(&line, "agent", "sgcc", withdraw(), &master).await;
    has(&line, &child, "unmerged", 3).await;
    has(&line, &master, "child_released", 1).await;
    assert_eq!(line.get(&child).await.unwrap().stage(), At::Received);
}
