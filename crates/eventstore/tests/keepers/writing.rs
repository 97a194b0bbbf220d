//! The writer from outside: callers that go away, stores that close, batches, counters.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use switchboard_eventstore::{
    AppendError, Direction, EventStore, Expected, Position, ReadError, Revision, SqliteStore, StreamName,
};

use crate::stage::{all, event, name, open};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_goes_away_leaves_an_append_whole_or_absent() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(folder.path()));
    let mut given = Vec::new();
    for round in 0..300 {
        let (store, events) = (store.clone(), vec![event("a"), event("b"), event("c")]);
        given.push(events.iter().map(|event| event.id).collect::<Vec<_>>());
        let task = tokio::spawn(async move {
            let stream = StreamName::new("ticket", round % 10).unwrap();
            store.append(&stream, Expected::Any, events).await
        });
        if round % 3 != 0 {
            tokio::task::yield_now().await;
        }
        task.abort();
        let _ = task.await;
    }
    let last = store.append(&name("crew-1"), Expected::NoStream, vec![event("still here")]).await.unwrap();
    assert_eq!(store.head(), last.last);
    let log = all(&*store).await.unwrap();
    for ids in given {
        let found: Vec<_> = log.iter().filter(|event| ids.contains(&event.id)).collect();
        assert!(found.is_empty() || found.len() == 3, "torn: {found:?}");
        assert!(found.windows(2).all(|pair| pair[0].position.stored() + 1 == pair[1].position.stored()));
    }
    drop(store);
    assert!(SqliteStore::check(folder.path(), |_, _| {}).unwrap().ok);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_store_says_so_and_lets_go_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(folder.path()));
    store.append(&name("ticket-1"), Expected::Any, vec![event("kept")]).await.unwrap();
    let mut subscription = store.subscribe_all(store.head());
    let waiting = tokio::spawn(async move { subscription.next().await });
    let racing = join_all((0..50).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            store.append(&StreamName::new("crew", n).unwrap(), Expected::Any, vec![event("?")]).await
        })
    }));
    let (ends, ()) = tokio::join!(racing, store.close());
    let kept = ends.into_iter().filter(|end| end.as_ref().unwrap().is_ok()).count();
    let refused = store.append(&name("ticket-1"), Expected::Any, vec![event("late")]).await;
    assert!(matches!(refused, Err(AppendError::Unavailable(_))), "{refused:?}");
    let refused = store.read_stream(&name("ticket-1"), Revision::FIRST, 1).await;
    assert!(matches!(refused, Err(ReadError::Unavailable(_))), "{refused:?}");
    let mut last = tokio::time::timeout(Duration::from_secs(5), waiting).await.unwrap().unwrap();
    assert!(matches!(last.take().unwrap(), Ok(_) | Err(ReadError::Unavailable(_))));
    store.close().await;
    assert!(!store.stats().serving);
    assert!(!folder.path().join("log.db-wal").exists(), "a clean close leaves one file");
    let again = open(folder.path());
    assert_eq!(all(&again).await.unwrap().len(), kept + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrives_during_a_sync_shares_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(folder.path()));
    let callers = (0..64).map(|caller| {
        let store = store.clone();
        tokio::spawn(async move {
            let stream = StreamName::new("ticket", caller).unwrap();
            for n in 0..20 {
                let expected = if n == 0 { Expected::NoStream } else { Expected::Revision(Revision(n - 1)) };
                store.append(&stream, expected, vec![event("x")]).await.unwrap();
            }
        })
    });
    for end in join_all(callers).await {
        end.unwrap();
    }
    let stats = store.stats();
    assert_eq!((stats.appends, stats.events, stats.conflicts), (1280, 1280, 0));
    assert!(stats.commits < 640, "{stats:?}");
    assert!(stats.batch_appends_peak > 4, "{stats:?}");
    assert!(stats.serving && !stats.poisoned);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_write_ahead_log_stays_short_under_load() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(folder.path()));
    let callers = (0..8).map(|caller| {
        let store = store.clone();
        tokio::spawn(async move {
            let stream = StreamName::new("ticket", caller).unwrap();
            for _ in 0..100 {
                store.append(&stream, Expected::Any, vec![event(vec![7; 40_000])]).await.unwrap();
            }
        })
    });
    for end in join_all(callers).await {
        end.unwrap();
    }
    let wal = folder.path().join("log.db-wal").metadata().unwrap().len();
    assert!(wal < 64 << 20, "{wal} bytes for 32 MB of events; {:?}", store.stats());
    assert!(store.stats().checkpoints > 0, "{:?}", store.stats());
}

#[tokio::test]
async fn old_events_come_from_the_file_and_new_ones_from_memory_alike() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let stream = name("ticket-1");
    for n in 0..12 {
        let events = (0..500).map(|m| event(format!("{n} {m}"))).collect();
        store.append(&stream, Expected::Any, events).await.unwrap();
    }
    assert_eq!(store.head(), Position::from_stored(6000));
    let warm = all(&store).await.unwrap();
    drop(store);
    let store = open(folder.path());
    assert_eq!(all(&store).await.unwrap(), warm);
    let mut back = store.read_all(Position::END, 300, Direction::Backward).await.unwrap();
    back.reverse();
    assert_eq!(back, warm[5700..]);
}
