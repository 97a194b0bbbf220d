//! Tests with days of the seeded city.

use std::{pin::Pin, time::Duration};

use chrono::NaiveDate;
use switchboard_domain::ticket::Stage;
use switchboard_simulator::{
    city::{City, stormy_calls},
    driver::{Options, Report},
    rows::RowProblem,
    script::Script,
};

use crate::service::Stub;

pub fn day(seed: u64, calls: u32) -> impl Iterator<Item = Result<Script, RowProblem>> {
    let midnight = City::midnight(NaiveDate::from_ymd_opt(2025, 3, 3).unwrap()).unwrap();
    City::new(seed).day(midnight, calls).map(Ok)
}

/// Options with short waits.
pub fn hasty() -> Options {
    Options { backoff: Duration::from_millis(1), backoff_max: Duration::from_millis(5), ..Options::default() }
}

async fn played(stub: &Stub, seed: u64, calls: u32) -> Report {
    stub.driver(hasty()).await.play(day(seed, calls), |_| ()).await
}

#[tokio::test]
async fn every_step_of_a_seeded_day_is_legal_and_everything_ends() {
    for seed in 0..4 {
        let stub = Stub::default();
        let report = played(&stub, seed, 250).await;
        assert!(report.is_clean(), "seed {seed}: {:#?}", report.problems);
        assert_eq!((report.rows, report.imported, report.replayed), (250, 250, 0));
        let world = stub.world();
        let opened: usize = day(seed, 250).map(|script| script.unwrap().tickets()).sum();
        let stages = world.stages();
        assert_eq!(world.tickets.len(), opened, "no ticket that no script opened");
        assert!(stages.keys().all(|stage| stage.is_ended()), "seed {seed}: {stages:?}");
        assert!(stages[&Stage::Closed] > 200 && stages[&Stage::Withdrawn] >= 1, "{stages:?}");
    }
}

#[tokio::test]
async fn every_step_of_a_stormy_day_is_legal_too() {
    let midnight = City::midnight(NaiveDate::from_ymd_opt(2025, 3, 3).unwrap()).unwrap();
    for seed in 0..2 {
        let stub = Stub::default();
        let report = stub.driver(hasty()).await.play(City::new(seed).stormy_day(midnight, 250).map(Ok), |_| ()).await;
        assert!(report.is_clean(), "seed {seed}: {:#?}", report.problems);
        assert_eq!(report.rows, u64::from(stormy_calls(250)));
        assert!(stub.world().stages().keys().all(|stage| stage.is_ended()));
    }
}

#[tokio::test]
async fn a_day_played_twice_appends_nothing() {
    let stub = Stub::default();
    let first = played(&stub, 9, 120).await;
    stub.world().link_all();
    let facts = stub.world().facts.len();
    let second = played(&stub, 9, 120).await;
    assert_eq!(stub.world().facts.len(), facts);
    assert_eq!((second.imported, second.already_present), (0, 120));
    assert_eq!((second.commands, second.replayed), (first.commands, first.commands));
}

#[tokio::test]
async fn a_pace_keeps_the_distances_between_the_calls() {
    // A paced day of a few calls must last until the time of its last step.
    let scripts: Vec<_> = day(2, 5).collect();
    let begins = scripts[0].as_ref().unwrap().begins().unwrap();
    let ends = scripts.iter().flatten().filter_map(Script::ends).max().unwrap();
    let times = (ends - begins).as_seconds_f64() / 0.3;
    let stub = Stub::default();
    let options = Options { pace: Some(times), ..hasty() };
    let mut rows = Vec::new();
    let driver = stub.driver(options).await;
    // The future must be `Send`, so that it can move to another thread.
    let playing: Pin<Box<dyn Future<Output = Report> + Send + '_>> =
        Box::pin(driver.play(scripts, |progress| rows.push(progress.rows)));
    let report = playing.await;
    assert!(report.is_clean(), "{:#?}", report.problems);
    assert!(report.seconds >= 0.3, "{}", report.seconds);
    assert_eq!(rows, [1, 2, 3, 4, 5]);
}
