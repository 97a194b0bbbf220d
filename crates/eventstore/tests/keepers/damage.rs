//! Damaged and altered logs: each is detected, never read as if it were intact, and never as absent.

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rusqlite::Connection;
use switchboard_eventstore::sqlite::{CheckReport, OpenError};
use switchboard_eventstore::{
    Direction, EventStore, Position, ReadError, Recorded, Revision, SqliteOptions, SqliteStore,
};

use crate::stage::{all, count, fill, name, open};

fn check(folder: &Path) -> CheckReport {
    SqliteStore::check(folder, |_, _| {}).unwrap()
}

fn alter(folder: &Path, sql: &str) {
    Connection::open(folder.join("log.db")).unwrap().execute_batch(sql).unwrap();
}

#[tokio::test]
async fn one_altered_byte_is_found_at_exactly_its_position() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 500).await;
    let sound = check(folder.path());
    assert!(sound.ok && sound.facts == 500 && sound.problems.is_empty(), "{sound:?}");
    alter(
        folder.path(),
        "UPDATE events SET data = CAST(replace(data, 'event 2', 'event 3') AS BLOB) WHERE position = 223",
    );
    let report = check(folder.path());
    assert!(!report.ok);
    assert_eq!(
        (report.first_bad, report.facts, report.problems.len()),
        (Some(Position::from_stored(223)), 500, 1),
        "{report:?}"
    );
    // The end of the chain is intact, so the store opens. A read of the altered event fails.
    let store = open(folder.path());
    let page = store.read_all(Position::from_stored(222), 1, Direction::Forward).await;
    assert!(
        matches!(page, Err(ReadError::Corrupt { position: Some(at), .. }) if at == Position::from_stored(223)),
        "{page:?}"
    );
    assert!(matches!(all(&store).await, Err(ReadError::Corrupt { .. })));
    assert_eq!(store.read_all(Position::from_stored(223), 10, Direction::Forward).await.unwrap().len(), 10);
}

#[tokio::test]
async fn every_part_of_an_event_is_covered() {
    let parts = [
        "UPDATE events SET meta = x'7b207d' WHERE position = 30",
        "UPDATE events SET id = x'000102030405060708090a0b0c0d0e0f' WHERE position = 30",
        "UPDATE events SET revision = revision + 1000 WHERE position = 30",
        "UPDATE events SET stream = stream % 2 + 1, revision = 999 WHERE position = 30",
        "INSERT INTO kinds VALUES (77, 'other.v1'); UPDATE events SET kind = 77 WHERE position = 30",
        "UPDATE events SET kind = 78 WHERE position = 30",
        "UPDATE events SET digest = zeroblob(32) WHERE position = 30",
        "UPDATE events SET data = CAST(data || x'00' AS BLOB) WHERE position = 30",
        "DELETE FROM events WHERE position = 30",
        "UPDATE events SET position = 3000 WHERE position = 30",
        "UPDATE events SET data = (SELECT data FROM events WHERE position = 31) WHERE position = 30",
    ];
    for sql in parts {
        let folder = tempfile::tempdir().unwrap();
        fill(folder.path(), 120).await;
        alter(folder.path(), sql);
        let report = check(folder.path());
        assert!(!report.ok, "{sql}");
        assert_eq!(report.first_bad, Some(Position::from_stored(30)), "{sql}: {report:?}");
        if let Ok(store) = SqliteStore::open(folder.path(), SqliteOptions::default()) {
            let page = store.read_all(Position::from_stored(25), 10, Direction::Forward).await;
            assert!(matches!(page, Err(ReadError::Corrupt { .. })), "{sql}: {page:?}");
        }
    }
}

#[tokio::test]
async fn damage_at_the_end_of_the_log_is_found_on_opening() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 100).await;
    alter(folder.path(), "UPDATE events SET meta = x'00' WHERE position = 98");
    let refused = SqliteStore::open(folder.path(), SqliteOptions::default()).err();
    assert!(
        matches!(refused, Some(OpenError::Corrupt { position: Some(at), .. }) if at == Position::from_stored(98)),
        "{refused:?}"
    );
}

#[tokio::test]
async fn altered_tables_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 10).await;
    alter(folder.path(), "CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM kinds; END");
    let report = check(folder.path());
    assert!(!report.ok && report.first_bad.is_none(), "{report:?}");
}

#[tokio::test]
async fn a_check_reports_progress_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 5000).await;
    let before = std::fs::read(folder.path().join("log.db")).unwrap();
    let mut steps = Vec::new();
    let report = SqliteStore::check(folder.path(), |done, total| steps.push((done, total))).unwrap();
    assert!(report.ok, "{report:?}");
    assert_eq!((report.facts, report.head, report.digest.len()), (5000, Position::from_stored(5000), 64));
    assert!(steps.len() >= 3 && steps.last() == Some(&(10_000, 10_000)), "{steps:?}");
    assert_eq!(std::fs::read(folder.path().join("log.db")).unwrap(), before);
}

/// Overwrites a few bytes at many places, one at a time. The check must report it, unless the bytes do not matter.
/// Reads must return the true events or an error.
#[tokio::test]
async fn overwritten_bytes_anywhere_never_change_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let log = fill(folder.path(), 600).await;
    let path = folder.path().join("log.db");
    let sound = std::fs::read(&path).unwrap();
    let places = count("SWITCHBOARD_DAMAGES", 40) as usize;
    let mut found = 0;
    for n in 0..places {
        // Steps of an odd size, so that page headers, cells and gaps are all hit after some steps.
        let at = (sound.len() / 2 + n * 7919 + n * n * 13) % (sound.len() - 64);
        std::fs::write(&path, &sound).unwrap();
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        let bytes: Vec<u8> = sound[at..at + 24].iter().map(|byte| byte ^ 0xa5).collect();
        file.write_all_at(&bytes, at as u64).unwrap();
        drop(file);
        let checked = SqliteStore::check(folder.path(), |_, _| {});
        let reported = checked.as_ref().map_or(true, |report| !report.ok);
        found += usize::from(reported);
        let read = read_back(folder.path(), &log).await;
        assert!(reported || read, "bytes {at}..: the check found nothing, but reading failed");
    }
    assert!(found * 2 > places, "only {found} of {places} damages were found");
}

/// True when everything could be read. Panics if a read returned anything but the true events.
async fn read_back(folder: &Path, log: &[Recorded]) -> bool {
    let Ok(store) = SqliteStore::open(folder, SqliteOptions::default()) else { return false };
    let mut whole = true;
    match all(&store).await {
        Ok(read) => assert!(read == log, "another log was read"),
        Err(ReadError::Corrupt { .. }) => whole = false,
        Err(other) => panic!("{other:?}"),
    }
    for n in 0..7 {
        let stream = name(&format!("ticket-{n}"));
        match store.read_stream(&stream, Revision::FIRST, usize::MAX).await {
            Ok(read) => assert!(
                read.iter().eq(log.iter().filter(|event| event.stream == stream).take(read.len())),
                "another stream was read"
            ),
            Err(ReadError::Corrupt { .. }) => whole = false,
            Err(other) => panic!("{other:?}"),
        }
    }
    whole
}

#[tokio::test]
async fn a_truncated_file_is_refused_or_reported() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 600).await;
    let path = folder.path().join("log.db");
    let length = path.metadata().unwrap().len();
    OpenOptions::new().write(true).open(&path).unwrap().set_len(length / 2 / 4096 * 4096).unwrap();
    let report = SqliteStore::check(folder.path(), |_, _| {});
    assert!(report.as_ref().map_or(true, |report| !report.ok), "{report:?}");
    let opened = SqliteStore::open(folder.path(), SqliteOptions::default());
    if let Ok(store) = opened {
        assert!(matches!(all(&store).await, Err(ReadError::Corrupt { .. })));
    }
}
