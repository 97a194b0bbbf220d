//! Tests with a disk that fails to sync or to write the log.

use std::path::Path;

use switchboard_tests::{
    refusal::reason,
    stage::{Server, Stage, serve},
};
use switchboard_wire::proto::ErrorReason;

use crate::{
    dice::Seed,
    shim,
    town::{Town, list_equals_a_rebuild, log_verifies},
};

/// Starts a server whose disk fails, in the way that `variable` names, once the file `switch` exists.
fn failing(stage: &Stage, shim: &Path, variable: &str, switch: &Path) -> Server {
    let mut command = serve(&stage.data(), &[]);
    command.env("LD_PRELOAD", shim).env(variable, switch);
    Server::start(&mut command, &stage.beside("server.log")).unwrap_or_else(|said| panic!("{said}"))
}

async fn survives(variable: &str, stays_stopped: bool) {
    let seed = Seed::choose();
    let stage = Stage::new();
    let Some(shim) = shim::compiled(&stage.beside("shim.so")) else { return };
    let switch = stage.beside("switch");
    let server = failing(&stage, &shim, variable, &switch);
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
