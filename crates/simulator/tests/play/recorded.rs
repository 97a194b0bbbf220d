//! Recorded outages: the shipped mapping, applied to rows in this file and, if present, to the real file.

use std::{
    collections::BTreeSet,
    io::Cursor,
    path::{Path, PathBuf},
};

use switchboard_domain::ticket::Stage;
use switchboard_simulator::{
    mapping::Mapping,
    outage::{Manner, Outage, script},
    rows::{RowProblem, Rows},
    script::Script,
};

use crate::{seeded::hasty, service::Stub};

const HEADER: &str = "id,gisId,regionId,municipality,area,cause,numCustomersOut,crewEta,dateOff,estDateOn,lastUpdated,\
                      regionName,crewEtr,latitude,longitude,dateOn";

/// Invented rows: a plain outage, one in two stages under one id, one without estimates, one whose crew arrived before
/// it, one whose crew arrived after it, a large one, one of zero duration, and two bad rows.
const ROWS: &[&str] = &[
    r#"1,1,1,Northport,"400 block A ST, 1 B ST",Wind storm,1,2024-03-01 10:20:00+00:00,2024-03-01 10:00:00+00:00,2024-03-01 12:00:00+00:00,x,Northern,,50.1,-120.5,2024-03-01 11:30:00+00:00"#,
    "2,2,1,Southport,C RD,Wire down,30,2024-03-01 13:00:00+00:00,2024-03-01 12:10:00+00:00,2024-03-01 15:00:00+00:00,x,South VI,,50.1,-120.5,2024-03-01 14:00:00+00:00",
    "2,2,1,Southport,C RD,Wire down,12,2024-03-01 13:00:00+00:00,2024-03-01 12:10:00+00:00,2024-03-01 15:00:00+00:00,x,South VI,,50.1,-120.5,2024-03-01 16:00:00+00:00",
    r#"3,3,1,"Eastport, Westport",D RD,Under investigation,4,,2024-03-01 12:20:00+00:00,,x,North VI,,50.1,-120.5,2024-03-01 12:25:00+00:00"#,
    "4,4,1,Eastport,D RD,Fire,80,2024-02-28 12:20:00+00:00,2024-03-01 12:30:00+00:00,,x,North VI,,50.1,-120.5,2024-03-01 18:25:00+00:00",
    "5,5,1,Eastport,D RD,Fire,600,2024-03-09 12:20:00+00:00,2024-03-01 12:40:00+00:00,2024-03-01 12:00:00+00:00,x,North VI,,50.1,-120.5,2024-03-01 18:25:00+00:00",
    "6,6,1,Thetis/ Is,E RD,Snow storm,2500,,2024-03-01 13:40:00+00:00,,x,Lower Mainland,,50.1,-120.5,2024-03-02 19:25:00+00:00",
    "7,7,1,Eastport,D RD,Fire,1,,2024-03-01 12:40:00+00:00,,x,North VI,,50.1,-120.5,2024-03-01 12:40:00+00:00",
    "8,8,1,Eastport,D RD,Sun storm,1,,2024-03-01 12:40:00+00:00,,x,North VI,,50.1,-120.5,2024-03-01 12:50:00+00:00",
    "9,9,1,Eastport,D RD,Fire,1,,soon,,x,North VI,,50.1,-120.5,2024-03-01 12:50:00+00:00",
];

fn mapping() -> Mapping {
    Mapping::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/mappings/outages-bc.toml")).unwrap()
}

fn rows() -> Rows {
    let text = format!("{HEADER}\n{}\n", ROWS.join("\n")).into_bytes();
    Rows::new(mapping(), Box::new(Cursor::new(text))).unwrap()
}

fn told(manner: Manner) -> impl Iterator<Item = Result<Script, RowProblem>> {
    rows().map(move |row| row.map(|outage| script(&outage, manner)))
}

const REPLAY: Manner = Manner::Replay { seed: 5 };

#[tokio::test]
async fn an_import_closes_a_ticket_for_every_good_row_and_names_the_bad_ones() {
    let stub = Stub::default();
    let driver = stub.driver(hasty()).await;
    let report = driver.play(told(Manner::Import), |_| ()).await;
    assert_eq!((report.rows, report.imported, report.skipped, report.refused), (10, 8, 2, 0), "{:#?}", report.problems);
    let mut lines: Vec<_> = report.problems.iter().map(|p| (p.line.unwrap(), p.message.as_str())).collect();
    lines.sort_unstable();
    assert_eq!(lines[0], (10, "category: column cause: \"Sun storm\" is not in table categories"));
    assert_eq!(lines[1].0, 11);
    assert_eq!(stub.world().stages(), [(Stage::Closed, 8)].into());

    let again = driver.play(told(Manner::Import), |_| ()).await;
    assert_eq!((again.imported, again.already_present, again.skipped), (0, 8, 2));
    assert_eq!(again.commands, again.replayed);
}

#[tokio::test]
async fn a_row_that_is_there_twice_is_imported_once() {
    let stub = Stub::default();
    let twice = told(Manner::Import).flat_map(|row| [row.clone(), row]);
    let report = stub.driver(hasty()).await.play(twice, |_| ()).await;
    assert_eq!((report.rows, report.imported, report.already_present, report.skipped), (20, 8, 8, 4));
    assert_eq!(stub.world().stages(), [(Stage::Closed, 8)].into());
}

#[tokio::test]
async fn a_replay_closes_one_ticket_for_every_good_row_with_callers_who_ring_again() {
    let stub = Stub::default();
    let report = stub.driver(hasty()).await.play(told(REPLAY), |_| ()).await;
    assert_eq!((report.imported, report.refused), (8, 0), "{:#?}", report.problems);
    assert_eq!(stub.world().stages(), [(Stage::Closed, 8)].into(), "calls that attach open nothing");
    let kinds: Vec<_> = told(REPLAY).flatten().flat_map(|s| s.steps).map(|step| step.request.call()).collect();
    assert_eq!(kinds.iter().filter(|call| **call == "report").count(), 1 + 2 + 3);
    assert_eq!(kinds.iter().filter(|call| **call == "revisit").count(), 8);
}

#[test]
fn the_recorded_times_are_the_scripts_times_and_what_contradicts_is_estimated() {
    let at = |id: &str, step: usize| -> String {
        let outage = rows().flatten().find(|outage| outage.external.as_deref() == Some(id)).unwrap();
        let steps = script(&outage, Manner::Import).steps;
        let progress: Vec<_> = steps.iter().filter(|step| step.request.call() == "report_progress").collect();
        progress[step].at.format("%d %H:%M:%S").to_string()
    };
    assert_eq!(at("1", 2), "01 10:20:00", "the arrival as recorded");
    assert_eq!(at("1", 4), "01 11:30:00", "power back as recorded");
    assert_eq!(at("3", 2), "01 12:22:30", "half of five minutes");
    assert_eq!(at("4", 2), "01 13:15:00", "a crew before the outage is not believed: 45 minutes");
    assert_eq!(at("5", 2), "01 13:25:00", "a crew after the outage is not believed");
}

#[test]
fn the_same_row_is_the_same_script_and_the_manners_never_share_an_id() {
    let ids = |manner| -> BTreeSet<String> {
        told(manner).flatten().map(|script| format!("{:?}", script.steps[0].request)).collect()
    };
    assert_eq!(ids(REPLAY), ids(REPLAY));
    assert_eq!(ids(Manner::Import).intersection(&ids(REPLAY)).count(), 0);
    for script in told(REPLAY).flatten() {
        assert!(script.steps.windows(2).all(|pair| pair[0].at <= pair[1].at), "{}", script.key);
    }
}

#[test]
fn a_row_that_is_not_over_yet_stays_open_where_it_was() {
    let outage = Outage { restored: None, ..rows().flatten().next().unwrap() };
    let steps = script(&outage, REPLAY).steps;
    assert_eq!(steps.last().unwrap().request.call(), "report_progress");
    assert!(!steps.iter().any(|step| step.request.call() == "reply"));
}

/// Uses the real file if it is present (`SWITCHBOARD_DEMAND`, else `../shared/data` beside the workspace). Every row of
/// it must be an outage, and all keys must differ.
#[tokio::test]
async fn every_row_of_the_real_file_imports() {
    let beside = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let folder = std::env::var_os("SWITCHBOARD_DEMAND").map_or(beside, PathBuf::from);
    let path = folder.join("outages-bc-2024h1.csv.gz");
    if !path.exists() {
        println!("SKIPPED: {} is not here; set SWITCHBOARD_DEMAND to the folder that holds it", path.display());
        return;
    }
    let outages: Vec<Outage> = Rows::open(mapping(), &path).unwrap().map(|row| row.expect("a good row")).collect();
    assert_eq!(outages.len(), 14_186);
    let keys: BTreeSet<&str> = outages.iter().map(|outage| outage.key.as_str()).collect();
    assert_eq!(keys.len(), 14_186, "distinct outages stay distinct");
    let recorded = |o: &&Outage| o.arrived.is_some_and(|at| at >= o.received && at <= o.restored.unwrap());
    assert_eq!(outages.iter().filter(recorded).count(), 12_080);
    assert_eq!(outages.iter().filter(|outage| outage.etr.is_some()).count(), 10_137);

    // Every fortieth row, in both manners, against the domain.
    let stub = Stub::default();
    let driver = stub.driver(hasty()).await;
    for manner in [Manner::Import, REPLAY] {
        let sample = outages.iter().step_by(40).map(|outage| Ok(script(outage, manner)));
        let report = driver.play(sample, |_| ()).await;
        assert!(report.is_clean(), "{:#?}", report.problems);
        assert_eq!(report.imported, 355);
    }
    assert_eq!(stub.world().stages(), [(Stage::Closed, 710)].into());
}
