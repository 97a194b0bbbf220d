//! Processes: the linkage of merged tickets, executed by the engine, across restarts with and without a checkpoint.

use std::{path::Path, sync::Arc};

use switchboard_domain::{
    actor::{Actor, Role},
    decider::{Action, Process as _, Projection},
    linkage::{Intent, Linkage},
    ticket::{Command, Stage, State, TicketId},
};
use switchboard_engine::{
    checkpoint::Checkpoint,
    command::{Failure, Request},
    feed::Feed,
    reactor::{self, ActionOutcome, Pace, Start},
};
use switchboard_wire::stored::Metadata;
use tokio::{task::JoinHandle, time::timeout};
use uuid::Uuid;

use crate::{
    feed::PATIENCE,
    house::{Engine, House, agent, classify, dispatch, open, org, request},
};

fn checkpoint(folder: &Path) -> Checkpoint {
    Checkpoint::new(folder, "linkage", 1)
}

/// Carries out an action as a command of the engine's own.
async fn carry_out(engine: Arc<Engine>, feed: Arc<Feed>, want: Action<Intent>) -> ActionOutcome {
    let (target, command) = want.intent.command();
    let actor = Actor { id: "linkage".into(), role: Role::System, org: org("sgcc") };
    let cause = feed.at(want.because).await.unwrap().unwrap();
    let vault = engine.journal().vault();
    let request_id = reactor::request_id(vault, "linkage", &want, cause.raw.id, &target.to_string());
    let request = Request { request_id, payload_hash: request_id.to_string(), actor, ..request(0) };
    match engine.execute(&target, &command, &request).await {
        Ok(outcome) => ActionOutcome::Done(outcome.position),
        Err(Failure::Rejected(rejection)) => ActionOutcome::Refused(format!("{rejection:?}")),
        Err(_) => ActionOutcome::Later,
    }
}

/// A running process, with its feed.
struct Running {
    following: JoinHandle<()>,
    process: JoinHandle<()>,
}

impl Running {
    async fn start(house: &House, checkpoint: Checkpoint) -> Self {
        let engine = Arc::new(house.engine());
        let (feed, following) = Feed::follow(Arc::clone(&house.store)).await.unwrap();
        let start = Start::<Linkage>::resumed(checkpoint, feed.reached());
        let causes = Arc::clone(&feed);
        let process = reactor::run(&feed, house.clock.clone(), start, Pace::default(), move |want| {
            carry_out(Arc::clone(&engine), Arc::clone(&causes), want)
        });
        Self { following, process }
    }

    async fn kill(self) {
        self.process.abort();
        self.following.abort();
        let _ = (self.process.await, self.following.await);
    }
}

/// Waits until the ticket's state meets the condition. It is checked after every new fact.
async fn until(house: &House, id: TicketId, what: &str, is_so: impl Fn(&State) -> bool) {
    let mut head = house.store.watch_head();
    let looking = async {
        while !is_so(&house.state(id).await) {
            head.changed().await.unwrap();
        }
    };
    assert!(timeout(PATIENCE, looking).await.is_ok(), "{what}: {:?}", house.state(id).await);
}

async fn merge(engine: &Engine, child: TicketId, master: TicketId, n: u128) {
    let command = Command::Merge { master, evidence: "The same transformer.".into() };
    engine.execute(&child, &command, &request(n)).await.unwrap();
}

fn children(state: &State) -> usize {
    state.as_ref().map_or(0, |ticket| ticket.children.len())
}

#[tokio::test]
async fn a_master_adopts_its_children_and_lets_them_go() {
    let (house, folder) = (House::new(), tempfile::tempdir().unwrap());
    let engine = house.engine();
    let running = Running::start(&house, checkpoint(folder.path())).await;
    let (master, child) = (open(&engine, 1).await, open(&engine, 2).await);
    merge(&engine, child, master, 3).await;
    until(&house, master, "adopted", |state| children(state) == 1).await;
    let unmerge = Command::Unmerge { reason: "Another line.".into() };
    engine.execute(&child, &unmerge, &request(4)).await.unwrap();
    until(&house, master, "released", |state| children(state) == 0).await;
    running.kill().await;
}

#[tokio::test]
async fn a_merge_that_the_master_refuses_is_undone_by_the_process() {
    let (house, folder) = (House::new(), tempfile::tempdir().unwrap());
    let engine = house.engine();
    let running = Running::start(&house, checkpoint(folder.path())).await;
    let child = open(&engine, 1).await;
    merge(&engine, child, TicketId(Uuid::from_u128(99)), 2).await;
    let alone = |state: &State| state.as_ref().is_some_and(|ticket| ticket.master.is_none());
    until(&house, child, "undone", alone).await;
    let last = house.log().await.pop().unwrap();
    assert_eq!(&*last.kind, "ticket.unmerged.v1");
    assert_eq!(Metadata::from_json(&last.meta).unwrap().actor.role, Role::System);
    running.kill().await;
}

/// The way in which the process restarts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Restart {
    Never,
    WithoutNotebook,
    WithNotebook,
    WithGarbage,
}

/// Saves the fold of the first `count` facts, as a checkpoint that was written some time before a crash.
async fn note(house: &House, folder: &Path, count: usize) {
    let (feed, following) = Feed::follow(Arc::clone(&house.store)).await.unwrap();
    let mut process = Linkage::default();
    for entry in feed.page(0, count).await.unwrap() {
        let Some(fact) = entry.fact.as_ref().and_then(|fact| fact.ticket()) else { continue };
        if let Some(again) = process.forgotten(fact) {
            let history = feed.history(again, fact.position).await.unwrap();
            history.iter().filter_map(|past| past.ticket()).for_each(|past| process.apply(past));
        }
        process.apply(fact);
    }
    checkpoint(folder).write(feed.place(house.place(count).await), &process).unwrap();
    following.abort();
}

/// One story with a restart in its middle. Merges are requested while the process does not run. Returns the final
/// tickets, and the recorded requests.
async fn family(restart: Restart) -> (Vec<State>, Vec<Uuid>) {
    let (house, folder) = (House::new(), tempfile::tempdir().unwrap());
    let engine = house.engine();
    let mut running = Some(Running::start(&house, checkpoint(folder.path())).await);
    let mut tickets = Vec::new();
    for n in 1..=5 {
        tickets.push(open(&engine, n).await);
    }
    let [master, one, two, three, closed] = tickets[..] else { panic!() };
    merge(&engine, one, master, 11).await;
    until(&house, master, "the first child", |state| children(state) == 1).await;
    if let Some(killed) = running.take_if(|_| restart != Restart::Never) {
        killed.kill().await;
        match restart {
            // The checkpoint is from before the adoption: the action is still pending, although it was executed.
            Restart::WithNotebook => note(&house, folder.path(), house.count().await - 1).await,
            Restart::WithGarbage => std::fs::write(folder.path().join("linkage.json"), b"garbage").unwrap(),
            _ => {}
        }
    }
    engine.execute(&closed, &Command::Withdraw { reason: "It came back.".into() }, &request(12)).await.unwrap();
    merge(&engine, two, master, 13).await;
    merge(&engine, three, closed, 14).await;
    let running = match running {
        Some(running) => running,
        None => Running::start(&house, checkpoint(folder.path())).await,
    };
    until(&house, master, "the second child", |state| children(state) == 2).await;
    until(&house, three, "undone", |state| state.as_ref().unwrap().master.is_none()).await;
    // The master gets an outcome, and its children take it over.
    let desk = Request { actor: Actor { org: org("sgcc/zj/hz"), role: Role::Desk, ..agent() }, ..request(0) };
    let reply = crate::histories::reply();
    for (n, command, by) in [
        (21, classify(), request(0)),
        (22, dispatch("sgcc/zj/hz"), request(0)),
        (23, Command::Accept, desk.clone()),
        (24, reply, desk),
        (25, crate::histories::pass(), request(0)),
    ] {
        let Request { request_id, payload_hash, .. } = request(n);
        engine.execute(&master, &command, &Request { request_id, payload_hash, ..by }).await.unwrap();
    }
    for child in [one, two] {
        let followed = |state: &State| state.as_ref().unwrap().stage == Stage::AwaitingRevisit;
        until(&house, child, "followed", followed).await;
    }
    until(&house, master, "all released", |state| children(state) == 0).await;
    running.kill().await;
    let mut states = Vec::new();
    for id in tickets {
        states.push(house.state(id).await);
    }
    (states, house.requests().await)
}

#[tokio::test]
async fn a_restart_with_or_without_a_notebook_leaves_the_same_tickets_and_nothing_said_twice() {
    let (states, requests) = family(Restart::Never).await;
    for restart in [Restart::WithoutNotebook, Restart::WithNotebook, Restart::WithGarbage] {
        let (after, recorded) = family(restart).await;
        assert_eq!(after, states, "{restart:?}");
        assert_eq!(recorded.len(), requests.len(), "{restart:?}");
        let distinct: std::collections::HashSet<_> = recorded.iter().collect();
        assert_eq!(distinct.len(), recorded.len(), "{restart:?}");
    }
}

#[tokio::test]
async fn no_action_is_repeated_after_the_log_was_copied_into_another_store() {
    let (house, folder) = (House::new(), tempfile::tempdir().unwrap());
    let engine = house.engine();
    let running = Running::start(&house, checkpoint(folder.path())).await;
    let (master, one, two) = (open(&engine, 1).await, open(&engine, 2).await, open(&engine, 3).await);
    merge(&engine, one, master, 4).await;
    until(&house, master, "adopted", |state| children(state) == 1).await;
    running.kill().await;

    let (copy, other) = (house.copied().await, tempfile::tempdir().unwrap());
    let (engine, before) = (copy.engine(), copy.count().await);
    let running = Running::start(&copy, checkpoint(other.path())).await;
    merge(&engine, two, master, 5).await;
    until(&copy, master, "the second child", |state| children(state) == 2).await;
    assert_eq!(copy.count().await, before + 2, "the merge and the adoption of the second child alone");
    running.kill().await;
}

#[tokio::test]
async fn an_action_has_the_same_request_id_in_a_copy_of_its_log() {
    let (house, folder) = (House::new(), tempfile::tempdir().unwrap());
    let engine = house.engine();
    let (master, one) = (open(&engine, 1).await, open(&engine, 2).await);
    merge(&engine, one, master, 3).await;
    let before = house.count().await;
    let copy = house.copied_up_to(before).await;
    let mut adoptions = Vec::new();
    for (house, checkpoint) in [(&house, checkpoint(folder.path())), (&copy, checkpoint(&folder.path().join("copy")))] {
        let running = Running::start(house, checkpoint).await;
        until(house, master, "adopted", |state| children(state) == 1).await;
        running.kill().await;
        adoptions.push(house.log().await.remove(before));
    }
    let [original, copied] = adoptions.as_slice() else { panic!("two adoptions") };
    assert_eq!((&original.kind, original.id), (&copied.kind, copied.id));
    assert_ne!(original.position, copied.position);
}
