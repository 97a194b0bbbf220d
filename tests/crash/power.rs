//! Tests that cut the power under a working server, on a file system of its own.

use std::time::{Duration, Instant};

use switchboard_tests::{
    disk::{Disk, skipped},
    stage::{Server, count, serve},
};

use crate::{
    dice::Seed,
    shim,
    town::{Town, list_equals_a_rebuild, log_verifies},
};

/// Cuts the power of a working server that many times, and panics when a guarantee is broken. Returns the number of
/// acknowledged commands, or `None` where power cannot be cut. A lying disk reports a sync without doing it.
async fn cut(cuts: u32, lying: bool) -> Option<usize> {
    let seed = Seed::choose();
    let mut dice = seed.dice();
    let mut disk = Disk::make(256)?;
    let lies = if lying { Some(shim::compiled(&disk.beside("shim.so"))?) } else { None };
    let (data, log) = (disk.path().join("data"), disk.beside("server.log"));
    let lying_from_now = disk.beside("lying");
    let start = || {
        let mut command = serve(&data, &[]);
        if let Some(shim) = &lies {
            command.env("LD_PRELOAD", shim).env("LIE_SYNC", &lying_from_now);
        }
        Server::start(&mut command, &log).unwrap_or_else(|said| panic!("{said}"))
    };
    let mut server = start();
    let mut town = Town::new(&server, &seed, 0, &mut dice).await;
    std::fs::write(&lying_from_now, "").unwrap();
    let mut held = 0;
    for cut in 0..cuts {
        let switch = match disk.switch() {
            Ok(switch) => switch,
            Err(error) => {
                skipped(&format!("no python3 to cut the power with: {error}"));
                return None;
            }
        };
        let shift = town.begin(&server);
        tokio::time::sleep(Duration::from_micros(20_000 + dice.below(250_000))).await;
        if cut % 2 == 1 {
            // First a kill. Answers to repeated requests after it must be as durable as first answers, although the
            // facts may have been only in the page cache.
            server.kill();
            town.end(shift).await;
            server = start();
            town.settle(&server.line().await).await;
            switch.cut().unwrap();
            server.kill();
        } else {
            town.cut();
            switch.cut().unwrap();
            server.kill();
            town.end(shift).await;
        }
        disk.unmount().unwrap();
        disk.mount().unwrap();
        log_verifies(&data, None);
        server = start();
        held = town.verify(&server.line().await).await;
    }
    let server = list_equals_a_rebuild(server, &data, start).await;
    town.verify(&server.line().await).await;
    server.stop();
    log_verifies(&data, Some(town.ledger.facts()));
    Some(held)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_acknowledged_survives_a_power_cut_at_any_instant() {
    let (cuts, begun) = (count("SWITCHBOARD_POWER_CYCLES", 20), Instant::now());
    if let Some(held) = cut(cuts, false).await {
        let seconds = begun.elapsed().as_secs_f64();
        eprintln!("{cuts} power cuts, {held} acknowledged commands held, in {seconds:.0} s");
        assert!(held > 0);
    }
}

/// The control: the test above detects a disk that lies.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_only_says_that_it_syncs_is_caught_by_the_power_cut() {
    match tokio::spawn(cut(10, true)).await {
        Err(broken) => assert!(broken.is_panic()),
        Ok(None) => {}
        Ok(Some(held)) => panic!("{held} commands survived that were never synced"),
    }
}

/// A command is written but not synced when the server is killed. The next server finds it in the page cache. It must
/// make the command durable before it answers the repeated request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_server_had_not_synced_is_durable_before_a_repeated_request_is_answered() {
    let seed = Seed::choose();
    let Some(mut disk) = Disk::make(256) else { return };
    let Some(shim) = shim::compiled(&disk.beside("shim.so")) else { return };
    let (data, log, hangs) = (disk.path().join("data"), disk.beside("server.log"), disk.beside("hangs"));
    let start = || {
        let mut command = serve(&data, &[]);
        command.env("LD_PRELOAD", &shim).env("HANG_SYNC", &hangs);
        Server::start(&mut command, &log).unwrap_or_else(|said| panic!("{said}"))
    };
    let server = start();
    let mut town = Town::new(&server, &seed, 0, &mut seed.dice()).await;
    let line = server.line().await;
    for _ in 0..20 {
        town.first().ask(&line).await.unwrap();
    }
    let switch = match disk.switch() {
        Ok(switch) => switch,
        Err(error) => return skipped(&format!("no python3 to cut the power with: {error}")),
    };
    std::fs::write(&hangs, "").unwrap();
    town.first().ask(&line).await.expect_err("no answer without a sync");
    server.kill();
    std::fs::remove_file(&hangs).unwrap();

    let server = start();
    let settled = town.settle(&server.line().await).await;
    assert_eq!(settled, 1, "the request that had no answer");
    switch.cut().unwrap();
    server.kill();
    disk.unmount().unwrap();
    disk.mount().unwrap();
    log_verifies(&data, None);
    let server = start();
    town.verify(&server.line().await).await;
    server.stop();
}
