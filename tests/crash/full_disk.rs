//! Tests with a disk that fills up under a working server, and has space again.

use switchboard_tests::{
    disk::Disk,
    refusal::refused,
    stage::{Server, eventually, serve},
};
use switchboard_wire::proto::ErrorReason;
use tonic::Code;

use crate::{
    dice::Seed,
    town::{Town, list_equals_a_rebuild, log_verifies},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_stops_the_answers_loses_nothing_and_is_overcome_without_a_restart() {
    let seed = Seed::choose();
    let Some(disk) = Disk::make(48) else { return };
    let (data, log) = (disk.path().join("data"), disk.beside("server.log"));
    let start = || Server::start(&mut serve(&data, &[]), &log).unwrap_or_else(|said| panic!("{said}"));
    let server = start();
    let line = server.line().await;
    let mut town = Town::new(&server, &seed, 0, &mut seed.dice()).await;
    for _ in 0..50 {
        town.first().ask(&line).await.unwrap();
    }
    let filler = disk.fill_up(512 << 10).unwrap();
    let mut asked = 0;
    let status = loop {
        asked += 1;
        if let Err(status) = town.first().ask(&line).await {
            break status;
        }
        assert!(asked < 100_000, "the disk never fills");
    };
    let status = refused(Err::<(), _>(status), Code::Unavailable, ErrorReason::StoreUnavailable);
    assert!(tonic_types::StatusExt::get_details_retry_info(&status).is_some(), "it says when to try again");
    // The state persists, and reads still work.
    for _ in 0..3 {
        let status = town.first().settle(&line).await.unwrap_err();
        refused(Err::<(), _>(status), Code::Unavailable, ErrorReason::StoreUnavailable);
    }
    let (ready, words) = server.ready();
    assert!(!ready && words.starts_with("the disk of the log is full"), "{words}");
    town.ledger.read(&line).await;
    town.held();
    std::fs::remove_file(filler).unwrap();
    let client = tokio::sync::Mutex::new(&mut town);
    eventually("an answer when there is space again", || async {
        client.lock().await.first().settle(&line).await.ok()
    })
    .await;
    eventually("ready again", || async { server.ready().0.then_some(()) }).await;
    for _ in 0..50 {
        town.first().ask(&line).await.unwrap();
    }
    town.verify(&line).await;
    eventually("a list that has caught up", || async { line.list("").await.ok() }).await;
    let server = list_equals_a_rebuild(server, &data, start).await;
    town.verify(&server.line().await).await;
    server.stop();
    log_verifies(&data, Some(town.ledger.facts()));
    eprintln!("the disk was full after {asked} commands");
}
