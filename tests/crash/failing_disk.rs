//! Tests with a disk that fails to sync or to write the log.

use std::path::Path;

use switchboard_tests::{
    command::{Command, receive},
    line::{Line, agent},
    refusal::reason,
    stage::{Server, Stage, eventually, serve},
};
use switchboard_wire::proto::{BusinessType, ErrorReason};
use uuid::Uuid;

use crate::{
    dice::Seed,
    shim,
    town::{Town, list_equals_a_rebuild, log_verifies},
};

/// Starts a server whose disk fails for the files of that name, in the way that `variable` names, once the file
/// `switch` exists.
fn failing(stage: &Stage, shim: &Path, file: &str, variable: &str, switch: &Path) -> Server {
    let mut command = serve(&stage.data(), &[]);
    command.env("LD_PRELOAD", shim).env("FAIL_FILE", file).env(variable, switch);
    Server::start(&mut command, &stage.beside("server.log")).unwrap_or_else(|said| panic!("{said}"))
}

/// The lines of the server's log that contain a text.
fn logged(stage: &Stage, text: &str) -> Vec<String> {
    let log = std::fs::read_to_string(stage.beside("server.log")).unwrap();
    log.lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
}

async fn survives(variable: &str, stays_stopped: bool) {
    let seed = Seed::choose();
    let stage = Stage::new();
    let Some(shim) = shim::compiled(&stage.beside("shim.so")) else { return };
    let switch = stage.beside("switch");
    let server = failing(&stage, &shim, "/log.db", variable, &switch);
    let line = server.line().await;
    let mut town = Town::new(&server, &seed, 0, &mut seed.dice()).await;
    for _ in 0..100 {
        town.first().ask(&line).await.unwrap();
    }
    std::fs::write(&switch, "").unwrap();
    let first = town.first().ask(&line).await.expect_err("nothing is acknowledged that was not kept");
    let open = [Some(ErrorReason::OutcomeUnknown), Some(ErrorReason::StoreUnavailable)];
    assert!(open.contains(&reason(&first)), "{first:?}");
    for _ in 0..3 {
        let again = town.first().settle(&line).await.unwrap_err();
        assert!(open.contains(&reason(&again)), "{again:?}");
    }
    std::fs::remove_file(&switch).unwrap();
    if stays_stopped {
        // The state on disk after a failed sync is unknown. So the log refuses appends until it was opened and verified
        // again.
        let still = town.first().settle(&line).await.unwrap_err();
        assert_eq!(reason(&still), Some(ErrorReason::StoreUnavailable), "{still:?}");
        let (ready, words) = server.ready();
        assert!(!ready && words.starts_with("the log takes nothing"), "{words}");
        let lines = logged(&stage, "ERROR");
        assert!(lines.len() < 40, "a lasting fault is logged once per reader, not in a loop: {lines:#?}");
    }
    server.kill();
    log_verifies(&stage.data(), None);
    let server = stage.serve();
    town.verify(&server.line().await).await;
    for _ in 0..20 {
        town.first().ask(&server.line().await).await.unwrap();
    }
    let server = list_equals_a_rebuild(server, &stage.data(), || stage.serve()).await;
    town.verify(&server.line().await).await;
    server.stop();
    log_verifies(&stage.data(), Some(town.ledger.facts()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_that_fails_stops_the_answers_until_the_log_was_opened_and_verified_anew() {
    survives("FAIL_SYNC", true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_that_fails_is_never_acknowledged_and_loses_nothing() {
    survives("FAIL_WRITE", false).await;
}

/// Opens a ticket for a caller whom the server does not know.
async fn new_caller(line: &Line, number: u32) -> Result<(), tonic::Status> {
    let opened = receive(BusinessType::FaultRepair, &format!("139{number:08}"));
    let command = Command::Receive(Box::new(opened)).named(Uuid::new_v4(), "");
    command.send(&mut line.tickets(&agent())).await.map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_file_that_cannot_sync_hands_out_the_keys_at_hand_and_recovers_without_a_restart() {
    let stage = Stage::new();
    let Some(shim) = shim::compiled(&stage.beside("shim.so")) else { return };
    let switch = stage.beside("switch");
    let server = failing(&stage, &shim, "/keys.db", "FAIL_SYNC", &switch);
    let line = server.line().await;
    new_caller(&line, 0).await.unwrap();
    std::fs::write(&switch, "").unwrap();
    for number in 1..=200 {
        new_caller(&line, number).await.unwrap_or_else(|status| panic!("caller {number}: {status:?}"));
    }
    eventually("not ready, by name", || async {
        let (ready, words) = server.ready();
        (!ready && words.starts_with("the key file cannot be written")).then_some(())
    })
    .await;
    let refused = async {
        let mut number = 1_000;
        loop {
            number += 1;
            if let Err(status) = new_caller(&line, number).await {
                return status;
            }
            assert!(number < 3_000, "keys that are not durable are handed out");
        }
    };
    assert_eq!(reason(&refused.await), Some(ErrorReason::StoreUnavailable));
    assert_eq!(logged(&stage, "the key file refused a write").len(), 1);
    std::fs::remove_file(&switch).unwrap();
    eventually("ready again", || async { server.ready().0.then_some(()) }).await;
    for number in 5_000..6_000 {
        new_caller(&line, number).await.unwrap_or_else(|status| panic!("caller {number}: {status:?}"));
    }
    server.stop();
}
