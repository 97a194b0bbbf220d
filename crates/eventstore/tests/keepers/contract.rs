//! The contract of the port, run by each implementation.

use switchboard_eventstore::contract::{self, Made};
use switchboard_eventstore::{MemoryStore, SqliteOptions, SqliteStore};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_keeps_the_contract() {
    contract::run_dense(|| async { Made::dense(MemoryStore::new(), ()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_with_gaps_keeps_what_every_keeper_promises() {
    contract::run(|| async { Made::ordered(MemoryStore::with_gaps(7), ()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_keeps_the_contract() {
    contract::run_dense(|| async {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path(), SqliteOptions::default()).unwrap();
        Made::dense(store, folder)
    })
    .await;
}

#[tokio::test]
async fn sqlite_keeps_the_contract_on_one_thread() {
    contract::run_dense(|| async {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions { readers_max: 1, verify_reads: false, ..SqliteOptions::default() };
        Made::dense(SqliteStore::open(folder.path(), options).unwrap(), folder)
    })
    .await;
}

#[tokio::test]
async fn a_log_with_gaps_cannot_be_read_from_a_position_that_nothing_has() {
    use switchboard_eventstore::{Direction, EventStore, Expected, Position, ReadError};
    let store = MemoryStore::with_gaps(7);
    let stream = crate::stage::name("ticket-1");
    let given = vec![crate::stage::event("one")];
    let appended = store.append(&stream, Expected::Any, given).await.unwrap();
    let before = Position::from_stored(appended.first.stored() - 1);
    let page = store.read_all(before, 1, Direction::Forward).await;
    assert!(matches!(page, Err(ReadError::NoSuchPosition { position }) if position == before), "{page:?}");
}
