//! The driver's behaviour under faults.

use std::time::Duration;

use switchboard_domain::ticket::Stage;
use switchboard_simulator::{
    driver::{Ended, Options},
    request::Request,
    rows::RowProblem,
    script::{MASTER_FOLLOWED, Slot},
};

use crate::{
    seeded::{day, hasty},
    service::{Stub, Trouble},
};

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_nothing_is_done_twice() {
    let stub = Stub::default();
    *stub.trouble() = Trouble { lose_answer_every: Some(7), busy_every: Some(5), ..Trouble::default() };
    // Faults occur at fixed intervals, so one call may hit them many times in a row.
    let options = Options { attempts: 50, ..hasty() };
    let report = stub.driver(options).await.play(day(1, 60), |_| ()).await;
    assert!(report.is_clean(), "{:#?}", report.problems);
    // A script whose answers were all lost counts as already present.
    assert_eq!(report.imported + report.already_present, 60);
    assert!(report.replayed > 0, "a lost answer comes back as a replayed one");
    let stages = stub.world().stages();
    assert!(stages.keys().all(|stage| stage.is_ended()), "{stages:?}");
}

#[tokio::test]
async fn a_server_that_stays_down_ends_the_playing_and_playing_again_completes_it() {
    let stub = Stub::default();
    stub.trouble().down_after = Some(100);
    let options = Options { attempts: 3, in_flight: 8, ..hasty() };
    let driver = stub.driver(options).await;
    let report = driver.play(day(1, 60), |_| ()).await;
    assert_eq!(report.ended, Some(Ended::ServerUnavailable));
    assert!(report.rows < 60);
    assert_eq!(report.problems.last().unwrap().reason, "OVERLOADED");

    *stub.trouble() = Trouble::default();
    let again = driver.play(day(1, 60), |_| ()).await;
    assert!(again.is_clean(), "{:#?}", again.problems);
    assert_eq!(again.imported + again.already_present, 60);
    let opened: usize = day(1, 60).map(|script| script.unwrap().tickets()).sum();
    assert_eq!(stub.world().tickets.len(), opened);
}

#[tokio::test]
async fn a_driver_that_is_dropped_leaves_nothing_that_cannot_be_completed() {
    let stub = Stub::default();
    let driver = stub.driver(hasty()).await;
    let mut rows = 0;
    {
        let (enough, stop) = tokio::sync::oneshot::channel();
        let mut enough = Some(enough);
        let playing = driver.play(day(4, 80), |progress| {
            rows = progress.rows;
            if progress.rows == 20
                && let Some(enough) = enough.take()
            {
                enough.send(()).unwrap();
            }
        });
        tokio::select! {
            biased;
            _ = stop => {}
            report = playing => panic!("it was not stopped: {report:?}"),
        }
    }
    assert!((20..80).contains(&rows), "{rows}");
    let again = driver.play(day(4, 80), |_| ()).await;
    assert!(again.is_clean(), "{:#?}", again.problems);
    assert!(again.already_present >= 20);
    let stages = stub.world().stages();
    assert!(stages.keys().all(|stage| stage.is_ended()), "{stages:?}");
}

#[tokio::test]
async fn a_refused_step_is_reported_by_name_and_the_other_scripts_go_on() {
    let stub = Stub::default();
    let mut scripts: Vec<_> = day(1, 30).collect();
    let broken = scripts[3].as_mut().unwrap();
    broken.line = Some(17);
    let key = broken.key.clone();
    // A close directly after the receive is an illegal move.
    broken.steps.truncate(1);
    let mut close = broken.steps[0].clone();
    close.name = "0.close.1".to_owned();
    close.request = Request::Close(switchboard_wire::proto::CloseRequest {
        header: Some(switchboard_wire::proto::CommandHeader {
            request_id: "6f0bb1de-0000-4000-8000-000000000001".to_owned(),
            ..Default::default()
        }),
        explanation: None,
    });
    broken.steps.push(close);
    scripts.push(Err(RowProblem { line: 99, reason: "bad".to_owned(), fatal: false }));
    let report = stub.driver(hasty()).await.play(scripts, |_| ()).await;
    assert_eq!((report.rows, report.imported, report.refused, report.skipped), (31, 29, 1, 1));
    assert_eq!(report.ended, None);
    let refused = report.problems.iter().find(|problem| problem.step.is_some()).unwrap();
    assert_eq!(
        (refused.line, refused.key.as_deref(), refused.step.as_deref(), refused.reason.as_str()),
        (Some(17), Some(key.as_str()), Some("0.close.1"), "ILLEGAL_MOVE")
    );
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["rows"], 31);
    assert!(json["problems"].as_array().unwrap().iter().any(|p| p["reason"] == "ROW" && p["line"] == 99));
}

#[tokio::test]
async fn a_file_that_breaks_off_ends_the_playing() {
    let stub = Stub::default();
    let torn = RowProblem { line: 9, reason: "the file cannot be read on".to_owned(), fatal: true };
    let scripts = day(1, 3).chain([Err(torn)]);
    let report = stub.driver(Options { in_flight: 1, ..hasty() }).await.play(scripts, |_| ()).await;
    assert_eq!((report.rows, report.imported, report.ended), (4, 3, Some(Ended::FileUnreadable)));
}

#[tokio::test]
async fn a_report_that_opens_a_ticket_too_many_has_it_withdrawn() {
    let stub = Stub::default();
    stub.world().blind = true;
    let again = |s: &switchboard_simulator::script::Script| {
        s.steps.iter().filter(|step| matches!(step.request, Request::Report(_))).count()
    };
    let scripts: Vec<_> = day(1, 60).collect();
    let strays: usize = scripts.iter().flatten().map(again).sum();
    let opened: usize = scripts.iter().flatten().map(|script| script.tickets()).sum();
    assert!(strays > 0);
    let withdrawn = scripts.iter().flatten().filter(|s| s.steps.last().unwrap().request.call() == "withdraw").count();
    let report = stub.driver(hasty()).await.play(scripts, |_| ()).await;
    assert!(report.is_clean(), "{:#?}", report.problems);
    let world = stub.world();
    assert_eq!(world.tickets.len(), opened + strays);
    assert_eq!(world.stages()[&Stage::Withdrawn], withdrawn + strays);
}

#[tokio::test]
async fn a_fact_that_never_comes_is_waited_for_no_longer_than_patience() {
    let stub = Stub::default();
    let mut scripts: Vec<_> = day(1, 1).collect();
    let script = scripts[0].as_mut().unwrap();
    script.steps[1].after(Slot(0), MASTER_FOLLOWED, 1);
    let options = Options { patience: Duration::from_millis(20), ..hasty() };
    let report = stub.driver(options).await.play(scripts, |_| ()).await;
    assert_eq!(report.problems[0].reason, "FACT_AWAITED");
    assert_eq!(report.ended, None);
}
