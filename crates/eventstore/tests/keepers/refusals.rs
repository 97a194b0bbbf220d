//! Logs that cannot be opened, and the errors: another process, a newer format, a foreign file, no file.

use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;
use switchboard_eventstore::keys::SqliteKeys;
use switchboard_eventstore::sqlite::OpenError;
use switchboard_eventstore::{EventStore, Expected, Position, SqliteOptions, SqliteStore};

use crate::stage::{event, fill, name, open};

fn try_open(folder: &std::path::Path) -> Result<SqliteStore, OpenError> {
    SqliteStore::open(folder, SqliteOptions::default())
}

#[tokio::test]
async fn a_folder_in_use_is_refused_by_name_until_it_is_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let refused = try_open(folder.path()).err();
    assert!(matches!(&refused, Some(OpenError::Locked { folder: named }) if named == folder.path()), "{refused:?}");
    let refused = SqliteStore::check(folder.path(), |_, _| {}).err();
    assert!(matches!(refused, Some(OpenError::Locked { .. })), "{refused:?}");
    store.append(&name("ticket-1"), Expected::Any, vec![event("undisturbed")]).await.unwrap();
    drop(store);
    assert_eq!(open(folder.path()).head(), Position::from_stored(1));
}

#[tokio::test]
async fn a_newer_format_is_refused_by_its_number() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 3).await;
    Connection::open(folder.path().join("log.db")).unwrap().pragma_update(None, "user_version", 7).unwrap();
    let refused = try_open(folder.path()).err();
    assert!(matches!(refused, Some(OpenError::Newer { found: 7, known: 1 })), "{refused:?}");
    let refused = SqliteStore::check(folder.path(), |_, _| {}).err();
    assert!(matches!(refused, Some(OpenError::Newer { found: 7, known: 1 })), "{refused:?}");
}

#[test]
fn a_foreign_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.db");
    let other = Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE addresses (street TEXT);").unwrap();
    drop(other);
    let before = std::fs::read(&path).unwrap();
    let refused = try_open(folder.path()).err();
    assert!(matches!(refused, Some(OpenError::Foreign { .. })), "{refused:?}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    std::fs::write(&path, "Dear diary, ".repeat(1000)).unwrap();
    for refused in [try_open(folder.path()).err(), SqliteStore::check(folder.path(), |_, _| {}).err()] {
        assert!(matches!(refused, Some(OpenError::Foreign { .. })), "{refused:?}");
    }
    std::fs::remove_file(&path).unwrap();
    drop(SqliteKeys::open(folder.path()).unwrap());
    std::fs::rename(folder.path().join("keys.db"), &path).unwrap();
    let refused = try_open(folder.path()).err();
    assert!(matches!(refused, Some(OpenError::Foreign { .. })), "{refused:?}");
}

#[tokio::test]
async fn an_absent_log_is_created_only_when_that_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b/c");
    let wanted = SqliteOptions { create: false, ..SqliteOptions::default() };
    let refused = SqliteStore::open(&deep, wanted.clone()).err();
    assert!(matches!(refused, Some(OpenError::Absent { .. })), "{refused:?}");
    assert!(matches!(SqliteStore::check(&deep, |_, _| {}), Err(OpenError::Absent { .. })));
    assert!(!deep.exists());
    drop(open(&deep));
    let report = SqliteStore::check(&deep, |_, _| {}).unwrap();
    assert!(report.ok && report.facts == 0 && report.head == Position::START, "{report:?}");
    SqliteStore::open(&deep, wanted).unwrap();
    let mode = |path: std::path::PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(["log.db", "lock"].map(|name| mode(deep.join(name))), [0o600; 2]);
    assert_eq!(mode(deep), 0o700, "a folder that was made for it");
}

#[tokio::test]
async fn a_lost_log_is_not_taken_for_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    fill(folder.path(), 3).await;
    let path = folder.path().join("log.db");
    std::fs::rename(&path, folder.path().join("log.db-wal")).unwrap();
    let refused = try_open(folder.path()).err();
    assert!(matches!(refused, Some(OpenError::Corrupt { .. })), "{refused:?}");
    assert!(!path.exists());
}

#[test]
fn a_key_file_of_a_newer_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    drop(SqliteKeys::open(folder.path()).unwrap());
    Connection::open(folder.path().join("keys.db")).unwrap().pragma_update(None, "user_version", 2).unwrap();
    let refused = SqliteKeys::open(folder.path()).err();
    assert!(matches!(refused, Some(OpenError::Newer { found: 2, known: 1 })), "{refused:?}");
}
