//! Disks that fill up or fail, tested on a small file system of its own. Without root the tests are skipped, with a
//! message.

use std::fs::File;
use std::io::Write;

use futures::StreamExt;
use switchboard_eventstore::keys::{KeyStore, SqliteKeys};
use switchboard_eventstore::{AppendError, EventStore, Expected, ReadError, Revision, SqliteStore};

use crate::stage::{Disk, all, event, name, open};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_appends_and_forgets_nothing_until_there_is_space_again() {
    let Some(disk) = Disk::make(24) else { return };
    let folder = disk.path().join("data");
    let store = open(&folder);
    let stream = name("ticket-1");
    store.append(&stream, Expected::NoStream, vec![event("first")]).await.unwrap();
    let filler = disk.path().join("filler");
    let mut file = File::create(&filler).unwrap();
    while file.write_all(&[1; 1 << 16]).is_ok() {}
    // Leaves some free space, so that the log fills up while it is written and not at once.
    file.set_len(file.metadata().unwrap().len() - (1 << 20)).unwrap();
    file.sync_all().unwrap();
    let mut accepted = 1;
    let refused = loop {
        match store.append(&stream, Expected::Exists, vec![event(vec![7; 30_000]), event("small")]).await {
            Ok(_) => accepted += 2,
            Err(refused) => break refused,
        }
        assert!(accepted < 10_000, "the disk never fills");
    };
    assert!(matches!(refused, AppendError::Full), "{refused:?}");
    assert_eq!(store.head().stored(), accepted);
    for _ in 0..3 {
        let refused = store.append(&stream, Expected::Exists, vec![event(vec![7; 60_000])]).await;
        assert!(matches!(refused, Err(AppendError::Full)), "{refused:?}");
    }
    assert_eq!(all(&store).await.unwrap().len() as u64, accepted);
    drop(file);
    std::fs::remove_file(&filler).unwrap();
    let appended = store
        .append(&stream, Expected::Revision(Revision(accepted - 1)), vec![event(vec![7; 60_000])])
        .await
        .expect("there is space again");
    assert_eq!(appended.first.stored(), accepted + 1);
    assert!(!store.stats().poisoned);
    store.close().await;
    let report = SqliteStore::check(&folder, |_, _| {}).unwrap();
    assert!(report.ok && report.facts == accepted + 1, "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_sync_poisons_the_store_until_it_is_reopened() {
    let Some(mut disk) = Disk::make(24) else { return };
    let folder = disk.path().join("data");
    let store = open(&folder);
    let stream = name("ticket-1");
    let kept = store.append(&stream, Expected::NoStream, vec![event("kept")]).await.unwrap();
    let mut subscription = store.subscribe_all(store.head());
    if let Err(error) = disk.switch(&std::env::current_exe().unwrap()).and_then(|switch| switch.cut()) {
        eprintln!("SKIPPED: no python3 to cut the power with: {error}");
        return;
    }
    let unknown = store.append(&stream, Expected::Exists, vec![event("?")]).await;
    assert!(matches!(unknown, Err(AppendError::OutcomeUnknown(_))), "{unknown:?}");
    for _ in 0..3 {
        let refused = store.append(&stream, Expected::Exists, vec![event("!")]).await;
        assert!(matches!(refused, Err(AppendError::Poisoned)), "{refused:?}");
        let refused = store.read_stream(&stream, Revision::FIRST, 1).await;
        assert!(matches!(refused, Err(ReadError::Poisoned)), "{refused:?}");
    }
    assert!(matches!(subscription.next().await, Some(Err(ReadError::Poisoned))));
    assert!(subscription.next().await.is_none());
    assert!(store.stats().poisoned && store.head() == kept.last);
    drop((store, subscription));
    disk.unmount().unwrap();
    disk.mount().unwrap();
    let store = open(&folder);
    assert_eq!(store.head(), kept.last);
    store.append(&stream, Expected::Revision(Revision(0)), vec![event("goes on")]).await.unwrap();
    store.close().await;
    assert!(SqliteStore::check(&folder, |_, _| {}).unwrap().ok);
}

#[test]
fn a_full_disk_leaves_the_keys_that_there_are() {
    let Some(disk) = Disk::make(16) else { return };
    let keys = SqliteKeys::open(&disk.path().join("data")).unwrap();
    let known = keys.assign("known").unwrap();
    keys.flush().unwrap();
    let filler = disk.path().join("filler");
    let mut file = File::create(&filler).unwrap();
    while file.write_all(&[1; 4096]).is_ok() {}
    file.sync_all().unwrap();
    let mut handed = 0;
    let refused = loop {
        match keys.assign(&format!("new {handed}")) {
            Ok(_) => handed += 1,
            Err(refused) => break refused,
        }
        assert!(handed < 1_000_000, "the disk never fills");
    };
    eprintln!("{handed} keys were handed out, then: {refused}");
    assert_eq!(keys.assign("known").unwrap(), known);
    assert_eq!(keys.key(known.0).unwrap(), Some(known.1));
    drop(file);
    std::fs::remove_file(&filler).unwrap();
    for n in 0..100 {
        if keys.assign(&format!("later {n}")).is_ok() {
            keys.flush().unwrap();
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("the keys do not recover when there is space again");
}
