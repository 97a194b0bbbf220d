//! Tests that kill the server with SIGKILL at random instants under load.

use std::time::{Duration, Instant};

use switchboard_tests::stage::{Stage, count};

use crate::{
    dice::Seed,
    town::{Town, list_equals_a_rebuild, log_verifies},
};

/// The number of kills on one data folder before a fresh one is used. With a small log, more kills hit the interesting
/// moments.
const KILLS_PER_FOLDER: u32 = 50;
/// The number of kills between two verifications of the log by the binary. The acknowledged requests are compared with
/// the log after each kill.
const CHECK_EVERY: u32 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_acknowledged_survives_a_kill_at_any_instant() {
    let seed = Seed::choose();
    let mut dice = seed.dice();
    let kills = count("SWITCHBOARD_KILL_CYCLES", 200);
    let begun = Instant::now();
    let (mut acknowledged, mut facts, mut done) = (0, 0, 0);
    for round in 0..u64::from(kills.div_ceil(KILLS_PER_FOLDER)) {
        let stage = Stage::new();
        let mut server = stage.serve();
        let mut town = Town::new(&server, &seed, round, &mut dice).await;
        let mut held = 0;
        for kill in 0..KILLS_PER_FOLDER.min(kills - done) {
            let shift = town.begin(&server);
            tokio::time::sleep(Duration::from_micros(5_000 + dice.below(300_000))).await;
            server.kill();
            town.end(shift).await;
            if kill % CHECK_EVERY == 0 {
                log_verifies(&stage.data(), None);
            }
            server = stage.serve();
            held = town.verify(&server.line().await).await;
        }
        done += KILLS_PER_FOLDER.min(kills - done);
        let server = list_equals_a_rebuild(server, &stage.data(), || stage.serve()).await;
        town.verify(&server.line().await).await;
        server.stop();
        log_verifies(&stage.data(), None);
        (acknowledged, facts) = (acknowledged + held, facts + town.ledger.facts());
    }
    let seconds = begun.elapsed().as_secs_f64();
    eprintln!("{done} kills, {acknowledged} acknowledged commands of {facts} facts held, in {seconds:.0} s");
    assert!(acknowledged > done as usize, "there was no load to speak of");
}
