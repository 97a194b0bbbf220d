//! Online backups: each is a complete prefix of the log that opens and checks like the original.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use switchboard_eventstore::sqlite::BackupError;
use switchboard_eventstore::{EventStore, Expected, SqliteStore, StreamName};

use crate::stage::{all, event, fill, name, open};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_taken_while_others_append_is_a_whole_prefix() {
    let (folder, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fill(folder.path(), 4000).await;
    let store = Arc::new(open(folder.path()));
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|n| {
            let (store, stop) = (store.clone(), stop.clone());
            tokio::spawn(async move {
                let stream = StreamName::new("crew", n).unwrap();
                while !stop.load(Ordering::Relaxed) {
                    store.append(&stream, Expected::Any, vec![event("a"), event("b")]).await.unwrap();
                }
            })
        })
        .collect();
    let to = target.path().join("deep/copy");
    let (source, place) = (store.clone(), to.clone());
    let (report, steps) = tokio::task::spawn_blocking(move || {
        let mut steps = Vec::new();
        let report = source.backup(&place, |done, total| {
            steps.push((done, total));
            std::thread::sleep(std::time::Duration::from_millis(5));
        });
        (report.unwrap(), steps)
    })
    .await
    .unwrap();
    let went_on = store.head() > report.head;
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.unwrap();
    }
    assert!(went_on, "appends went on during the backup");
    assert!(steps.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[1].0 <= pair[1].1));
    assert!(steps.last().is_some_and(|(done, total)| done == total));
    let names: Vec<_> = std::fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["log.db"], "one file, and no keys");
    let checked = SqliteStore::check(&to, |_, _| {}).unwrap();
    assert!(checked.ok, "{checked:?}");
    assert_eq!(checked.head, report.head);
    let copy = all(&open(&to)).await.unwrap();
    let log = all(&*store).await.unwrap();
    assert!(copy.len() >= 4000 && copy[..] == log[..copy.len()]);
    // The copy is a store like any other.
    open(&to).append(&name("ticket-1"), Expected::Exists, vec![event("goes on")]).await.unwrap();
}

#[tokio::test]
async fn a_backup_into_a_folder_that_holds_something_is_refused() {
    let (folder, target) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let store = open(folder.path());
    std::fs::write(target.path().join("precious"), "x").unwrap();
    let refused = store.backup(target.path(), |_, _| {});
    assert!(matches!(refused, Err(BackupError::NotEmpty { .. })), "{refused:?}");
    assert_eq!(std::fs::read_dir(target.path()).unwrap().count(), 1);
}
