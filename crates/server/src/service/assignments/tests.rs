//! Random tests of lines, index and history over a real log. The limits are small, so that every path is taken.

mod cuts;

use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{TestCaseResult, TestRunner},
};
use switchboard_domain::{
    actor::{Actor, Role},
    ticket::Tickets,
};
use switchboard_engine::{
    journal::{Journal, Recording},
    vault::Vault,
};
use switchboard_eventstore::{
    EventStore,
    keys::SqliteKeys,
    sqlite::{SqliteOptions, SqliteStore},
};
use switchboard_views::random::crews::{CREWS, crew, dispatched, fact, log, org};
use uuid::Uuid;

use super::*;
use switchboard_views::assignments::AssignmentChange;

/// The length of a line in these tests.
const RING: usize = 3;

/// A log on disk with its feed.
struct World {
    folder: tempfile::TempDir,
    store: Arc<dyn EventStore>,
    journal: Journal<Tickets>,
    feed: Arc<Feed>,
    revisions: BTreeMap<TicketId, u64>,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store: Arc<dyn EventStore> = Arc::new(SqliteStore::open(folder.path(), SqliteOptions::default()).unwrap());
        let vault = Vault::new(Arc::new(SqliteKeys::open(folder.path()).unwrap()));
        let journal = Journal::new(Arc::clone(&store), vault);
        let (feed, _) = Feed::follow(Arc::clone(&store)).await.unwrap();
        Self { folder, store, journal, feed, revisions: BTreeMap::new() }
    }

    /// Appends one fact without `decide`.
    async fn append(&mut self, fact: &TicketFact) {
        let recording = Recording {
            request_id: Uuid::new_v4(),
            payload_hash: String::new(),
            correlation_id: Uuid::nil(),
            causation_id: None,
            actor: Actor { id: "desk-1".into(), role: Role::Desk, org: org("sgcc") },
            occurred_at: fact.occurred_at,
            recorded_at: fact.recorded_at,
        };
        let revision = self.revisions.get(&fact.id).copied();
        let events = [fact.event.clone()];
        let appended = self.journal.append(&fact.id, "nobody", revision, &events, &recording).await.unwrap();
        self.revisions.insert(fact.id, appended.revision.0);
    }

    fn head(&self) -> u64 {
        self.store.head().stored()
    }

    /// Resumes the assignments, and waits until they reach the end of the log.
    async fn assignments(&self) -> (Arc<Assignments>, tokio::task::JoinHandle<()>) {
        let crew_changes = CrewChanges::open(self.folder.path()).unwrap();
        let assignments = Assignments::resume_with(Arc::clone(&self.feed), crew_changes, RING).await.unwrap();
        let running = tokio::spawn(Arc::clone(&assignments).run());
        assert!(assignments.reach(self.head()).await);
        (assignments, running)
    }

    /// The changes of each crew, computed by the fold alone.
    async fn expected(&self) -> BTreeMap<CrewId, Vec<(u64, AssignmentChange)>> {
        let (mut fold, mut told) = (Fold::default(), BTreeMap::<_, Vec<_>>::new());
        for entry in self.feed.page(0, 10_000).await.unwrap() {
            let Some(fact) = &entry.fact else { continue };
            if let Some(id) = fold.forgotten(fact) {
                let past = self.feed.history(id, fact.position()).await.unwrap();
                fold.recall(tickets(&past));
            }
            for (crew, change) in fold.apply(fact) {
                told.entry(crew).or_default().push((change.position, change.told));
            }
        }
        told
    }
}

/// All changes after a position, as a watcher pulls them.
async fn watched(assignments: &Assignments, crew: &CrewId, mut after: u64, head: u64) -> Vec<Arc<CrewChange>> {
    let mut told = Vec::new();
    loop {
        let pulled = assignments.pull(crew, after).await.unwrap();
        let done = pulled.crew_changes.is_empty() && pulled.upto >= head;
        told.extend(pulled.crew_changes);
        after = pulled.upto;
        if done {
            return told;
        }
    }
}

/// All changes after a position, from history in pages of two.
async fn retold_in_pages(assignments: &Assignments, crew: &CrewId, mut after: u64) -> Vec<Arc<CrewChange>> {
    let mut told = Vec::new();
    loop {
        let page = assignments.history(crew, after, 2).await.unwrap();
        let last = page.crew_changes.len() < 2;
        told.extend(page.crew_changes);
        after = page.upto;
        if last {
            return told;
        }
    }
}

fn plain(crew_changes: &[Arc<CrewChange>]) -> Vec<(u64, AssignmentChange)> {
    crew_changes.iter().map(|crew_change| (crew_change.change.position, crew_change.change.told.clone())).collect()
}

async fn every_way_tells_the_same(log: Vec<TicketFact>, restart: usize) -> TestCaseResult {
    let mut world = World::new().await;
    let (early, late) = log.split_at(restart.min(log.len()));
    for fact in early {
        world.append(fact).await;
    }
    // The first instance ends here. Its file stays.
    let (_, first) = world.assignments().await;
    first.abort();
    let _ = first.await;
    let (assignments, _) = world.assignments().await;
    for fact in late {
        world.append(fact).await;
    }
    let head = world.head();
    prop_assert!(assignments.reach(head).await);
    let expected = world.expected().await;
    for n in 0..3 {
        let crew = crew(n);
        let whole = expected.get(&crew).cloned().unwrap_or_default();
        let from_zero = retold_in_pages(&assignments, &crew, 0).await;
        prop_assert_eq!(plain(&from_zero), whole.clone(), "from the beginning");
        prop_assert!(from_zero.iter().all(|crew_change| crew_change.kind.starts_with("ticket.")));
        for cut in 0..=head {
            let rest: Vec<_> = whole.iter().filter(|(position, _)| *position > cut).cloned().collect();
            let told = watched(&assignments, &crew, cut, head).await;
            prop_assert_eq!(plain(&told), rest, "resumed after {}", cut);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_reader_that_leaves_anywhere_is_told_the_rest_once_whichever_way(log in log(40), restart in 0usize..40) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(every_way_tells_the_same(log, restart))?;
    }

    #[test]
    fn a_file_that_was_resumed_is_the_file_that_was_built_at_once(log in log(40), restart in 0usize..40) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for (n, fact) in log.iter().enumerate() {
                if n == restart {
                    let (_, first) = world.assignments().await;
                    first.abort();
                    let _ = first.await;
                }
                world.append(fact).await;
            }
            let (resumed, _) = world.assignments().await;
            let elsewhere = tempfile::tempdir().unwrap();
            let fresh = CrewChanges::open(elsewhere.path()).unwrap();
            let fresh = Assignments::resume_with(Arc::clone(&world.feed), fresh, RING).await.unwrap();
            let _running = tokio::spawn(Arc::clone(&fresh).run());
            prop_assert!(fresh.reach(world.head()).await);
            let (resumed_rows, fresh_rows) = (rows(&resumed), rows(&fresh));
            prop_assert_eq!(resumed_rows, fresh_rows);
            for n in 0..3 {
                prop_assert_eq!(resumed.snapshot(&crew(n)), fresh.snapshot(&crew(n)));
            }
            Ok(())
        })?;
    }
}

/// The rows of the file without its checkpoint, which may lag behind facts that concern no crew.
fn rows(assignments: &Assignments) -> Vec<String> {
    let mut rows = Vec::new();
    assignments.crew_changes.dump(&mut |line| rows.push(line.to_owned())).unwrap();
    rows.remove(0);
    rows
}

#[tokio::test]
async fn a_watcher_is_woken_by_its_own_crew_alone() {
    let mut world = World::new().await;
    let (assignments, _) = world.assignments().await;
    let (ours, theirs) = (assignments.watch(&crew(0)), assignments.watch(&crew(1)));
    let mut runner = TestRunner::deterministic();
    let first = log(2).new_tree(&mut runner).unwrap().current().remove(0);
    world.append(&first).await;
    let to_us = dispatched("sgcc", crew(0).org().as_str());
    world.append(&fact(9, first.id, to_us)).await;
    assert!(assignments.reach(world.head()).await);
    assert!(ours.has_changed().unwrap() && !theirs.has_changed().unwrap());
    assert_eq!(assignments.snapshot(&crew(0)).0.assignments.len(), 1);
}
