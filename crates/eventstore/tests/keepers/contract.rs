//! The contract of the port, run by each keeper.

use switchboard_eventstore::contract::{self, Made};
use switchboard_eventstore::{MemoryStore, SqliteOptions, SqliteStore};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_keeps_the_contract() {
    contract::run(|| async { Made::alone(MemoryStore::new()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_keeps_the_contract() {
    contract::run(|| async {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path(), SqliteOptions::default()).unwrap();
        Made::with(store, folder)
    })
    .await;
}

#[tokio::test]
async fn sqlite_keeps_the_contract_on_one_thread() {
    contract::run(|| async {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions { readers_max: 1, verify_reads: false, ..SqliteOptions::default() };
        Made::with(SqliteStore::open(folder.path(), options).unwrap(), folder)
    })
    .await;
}
