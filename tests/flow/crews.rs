//! Tests of simulated crews with the server's dispatcher. Each fault finds a crew. Each step is recorded once with its
//! own time, even if a device sends it late, repeatedly or out of order. Server, callers and crews are in this process.

use std::collections::{BTreeMap, BTreeSet};

use switchboard_server::{Server, config::Config};
use switchboard_simulator::{
    city::{CITY, City, live::Faults},
    crews::{Fleet, Play, Tally, conduct::Conduct, hurry, roster},
    driver::{Driver, Options, Report},
    script::of_unit,
};
use switchboard_tests::{line::Line, stage::Stage};
use switchboard_wire::proto::FactView;

const SEED: u64 = 95598;
const CREWS: usize = 10;
const FAULTS: Faults = Faults { count: 40, minutes: 120, storm: false };
/// Simulated time runs 3000 times as fast as real time, so a minute takes 20 ms.
const TIMES: f64 = 3000.0;

/// High rates, so that every kind of trouble occurs. Every crew answers, because a lease runs in the server's real
/// time.
fn conduct() -> Conduct {
    Conduct {
        accepts: 0.8,
        declines: 0.2,
        signal_lost: 0.8,
        bundle_shuffled: 0.8,
        beyond_low_voltage: 0.4,
        ..Conduct::default()
    }
}

async fn server(stage: &Stage) -> Server {
    let free = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let policy = stage.beside("dispatch.toml");
    let shipped = include_str!("../../deploy/dispatch/sgcc.toml");
    std::fs::write(&policy, hurry::policy(shipped, TIMES).unwrap()).unwrap();
    let dispatch = policy.display().to_string();
    let config = Config { data: stage.data(), listen: free, operations: free, dispatch, ..Config::default() };
    Server::start(&config, None).await.unwrap()
}

/// Plays the city's faults with its crews to the end.
async fn played(endpoint: &str) -> (Report, Tally) {
    let city = City::new(SEED);
    let members = roster::of_city(&city, CREWS);
    let scripts: Vec<_> = city.faults(&FAULTS, &members).into_iter().map(Ok).collect();
    let play = Play { seed: SEED, times: TIMES, conduct: conduct(), options: Options::default() };
    let fleet = Fleet::enrol(endpoint, &of_unit(CITY), members, play).await.unwrap();
    let options = Options { patience: switchboard_tests::stage::PATIENCE, ..Options::paced(TIMES) };
    let driver = Driver::to(endpoint, options).unwrap();
    fleet.work(driver.play(scripts, |_| ())).await
}

/// Returns a crew's steps in the order in which they were recorded, each with its time of occurrence: `(kind, micros)`.
fn steps(history: &[FactView]) -> Vec<(&str, i64)> {
    let step = |fact: &FactView| fact.kind.starts_with("ticket.crew_") || fact.kind.starts_with("ticket.etr_");
    let micros = |fact: &FactView| {
        let at = fact.occurred_at.unwrap();
        at.seconds * 1_000_000 + i64::from(at.nanos / 1000)
    };
    history.iter().filter(|fact| step(fact)).map(|fact| (fact.kind.as_str(), micros(fact))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_finds_a_crew_and_every_step_is_told_once_however_late_it_comes() {
    let stage = Stage::new();
    let server = server(&stage).await;
    let endpoint = format!("http://{}", server.listen);
    let (report, tally) = played(&endpoint).await;
    eprintln!("{}", serde_json::to_string(&tally).unwrap());
    assert!(report.is_clean(), "{:#?}", report.problems);
    assert!(tally.is_clean(), "{tally:#?}");
    assert_eq!(report.imported, 40);
    assert!(tally.accepted >= 40 && tally.declined > 0 && tally.handed_over > 0, "{tally:?}");
    assert!(tally.bundles_late > 0 && tally.bundles_twice > 0 && tally.bundles_shuffled > 0, "{tally:?}");
    assert!(tally.steps_repeated > 0 && tally.resumed > 0, "a copy is told from the first: {tally:?}");

    let line = Line::to(&endpoint).await;
    let closed = line.list("stage = closed AND crew_progress = restored").await.unwrap();
    assert_eq!(closed.len(), 40, "all are restored and closed");
    let (mut crews, mut late) = (BTreeSet::new(), 0);
    for ticket in &closed {
        let history = line.history(&ticket.id).await.unwrap();
        let told = steps(&history);
        late += usize::from(told.windows(2).any(|pair| pair[0].1 > pair[1].1));
        let restored: Vec<_> = told.iter().filter(|(kind, _)| *kind == "ticket.crew_restored.v1").collect();
        assert_eq!(restored.len(), 1, "{told:?}");
        let arrived: BTreeMap<&str, i64> = told.iter().copied().collect();
        assert!(arrived["ticket.crew_arrived.v1"] <= restored[0].1, "by the crew's own times: {told:?}");
        let replied = history.iter().find(|fact| fact.kind == "ticket.replied.v1").unwrap();
        crews.insert(replied.actor.as_ref().unwrap().org.clone());
    }
    assert!(crews.len() > 3, "many crews share the work: {crews:?}");
    assert!(late > 0, "steps were recorded out of the order in which they happened");
    assert_eq!(report.commands, 40 * 7, "from the call to the close");

    // Playing again adds nothing: the faults are on record, and no crew is needed.
    let (again, idle) = played(&endpoint).await;
    assert_eq!((again.already_present, again.replayed), (40, again.commands), "{:#?}", again.problems);
    assert!(idle.is_clean() && idle.offers == 0 && idle.steps == 0, "{idle:?}");
    server.stop().await.unwrap();
    assert_eq!(stage.check()["ok"], true);
}
