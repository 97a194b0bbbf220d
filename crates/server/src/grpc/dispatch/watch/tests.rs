//! A change that arrives while a reader reads history. The test polls the reader by hand, so that the change always
//! arrives at the same moment.

use std::{
    pin::pin,
    task::{Context, Wake},
    time::Duration,
};

use futures::{FutureExt as _, StreamExt as _};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use switchboard_domain::{
    actor::{Actor, Role},
    rules::Rules,
    ticket::{TicketId, Tickets},
};
use switchboard_engine::{
    clock::SystemClock,
    feed::Feed,
    journal::{Journal, Recording},
    numbers::Numbers,
    projector,
    requests::EventIds,
    vault::Vault,
};
use switchboard_eventstore::{
    EventStore,
    keys::SqliteKeys,
    sqlite::{SqliteOptions, SqliteStore},
};
use switchboard_readmodel::{CrewChanges, TicketList};
use switchboard_views::random::crews::{CREWS, at, crew, dispatched, log, org, ticket};
use tokio::sync::Notify;
use tonic::metadata::MetadataMap;
use uuid::Uuid;

use super::*;
use crate::service::{Node, assignments::Assignments, tickets};

/// The longest wait for an expected message.
const PATIENCE: Duration = Duration::from_secs(5);

/// Records that it was woken.
#[derive(Default)]
struct Woken(Notify);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

/// A log on disk, with the parts of an assignment stream.
struct World {
    folder: tempfile::TempDir,
    node: Arc<Node>,
}

fn desk_clerk() -> Actor {
    Actor { id: "desk-1".into(), role: Role::Desk, org: org("sgcc") }
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(folder.path(), SqliteOptions::default()).unwrap());
        let (requests, log) = (Arc::new(EventIds::new(store.clone())), store as Arc<dyn EventStore>);
        let vault = Vault::new(Arc::new(SqliteKeys::open(folder.path()).unwrap()));
        let (feed, _) = Feed::follow(Arc::clone(&log)).await.unwrap();
        let (clock, rules) = (Arc::new(SystemClock::default()), Arc::new(Rules::default()));
        Self { folder, node: Arc::new(Node { clock, store: log, requests, vault, feed, rules, deadline: PATIENCE }) }
    }

    /// Opens a ticket and dispatches it to a crew.
    async fn sent(&self, id: TicketId, to: usize) {
        let journal = Journal::<Tickets>::new(Arc::clone(&self.node.store), self.node.vault.clone());
        let recording = Recording {
            request_id: Uuid::new_v4(),
            payload_hash: String::new(),
            correlation_id: Uuid::nil(),
            causation_id: None,
            actor: desk_clerk(),
            occurred_at: at(0),
            recorded_at: at(0),
        };
        // The first fact of a generated log opens a ticket.
        let opened = log(2).new_tree(&mut TestRunner::deterministic()).unwrap().current().remove(0).event;
        let events = [opened, dispatched("sgcc", CREWS[to])];
        journal.append(&id, "nobody", None, &events, &recording).await.unwrap();
    }

    /// Resumes the assignments from the file, and waits until they reach the end of the log.
    async fn assignments(&self) -> (Arc<Assignments>, tokio::task::JoinHandle<()>) {
        let crew_changes = CrewChanges::open(self.folder.path()).unwrap();
        let assignments = Assignments::resume(Arc::clone(&self.node.feed), crew_changes).await.unwrap();
        let running = tokio::spawn(Arc::clone(&assignments).run());
        assert!(assignments.reach(self.node.store.head().stored()).await);
        (assignments, running)
    }

    fn crews(&self, assignments: Arc<Assignments>) -> Arc<Crews> {
        let numbers = Numbers::new(self.node.aggregates(8), desk_clerk());
        let list = TicketList::open(self.folder.path()).unwrap();
        let (listed, _) = projector::project(&self.node.feed, Arc::new(list.clone()));
        let node = Arc::clone(&self.node);
        let tickets = tickets::Tickets::new(node, self.node.aggregates(8), numbers, list, listed);
        let streams = Arc::new(self.node.aggregates(8));
        Arc::new(Crews::new(Arc::new(tickets), streams, assignments, Arc::default()))
    }
}

#[test]
fn a_change_that_comes_while_a_reader_looks_into_history_is_told_at_once() {
    // With a single thread for blocking work, file queries run one after another.
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).enable_all().build().unwrap();
    runtime.block_on(looks_while_something_comes());
}

async fn looks_while_something_comes() {
    let world = World::new().await;
    world.sent(ticket(0), 1).await;
    let (_, first) = world.assignments().await;
    first.abort();
    let _ = first.await;
    // Only the file knows the time before this start. It has no changes of this crew.
    let (assignments, _running) = world.assignments().await;

    let (_drain, draining) = watch::channel(false);
    let call = Call::read(&MetadataMap::new(), PATIENCE);
    let (writer, mut messages) = StreamWriter::open(call, draining, QUEUE_MESSAGES_MAX, String::new());
    let crews = world.crews(Arc::clone(&assignments));
    let token = Token::of(&world.node, &[b"assignments"]);
    let mut reader = Reader { watcher: Watcher { crews, crew: crew(0), own: true, token }, writer };
    let mut following = pin!(reader.follow(Some(0)));
    let woken = Arc::new(Woken::default());
    let waker = Arc::clone(&woken).into();
    let (let_go, held) = std::sync::mpsc::channel::<()>();
    let holding = tokio::task::spawn_blocking(move || held.recv());
    assert!(following.poll_unpin(&mut Context::from_waker(&waker)).is_pending());
    let_go.send(()).unwrap();
    holding.await.unwrap().unwrap();
    // The history query has found nothing. Before the reader is polled again, append a change.
    tokio::time::timeout(PATIENCE, woken.0.notified()).await.unwrap();
    world.sent(ticket(1), 0).await;
    let head = world.node.store.head().stored();
    assert!(assignments.reach(head).await);

    let told = async {
        loop {
            if let Some(Said::Change(change)) = messages.next().await.unwrap().unwrap().message {
                return change.position;
            }
        }
    };
    tokio::select! {
        told = tokio::time::timeout(PATIENCE, told) => assert_eq!(told, Ok(head)),
        ended = following => panic!("the stream ends: {ended:?}"),
    }
}
