//! Tests of whole lives of tickets over gRPC, with restarts of the server.

use switchboard_tests::{
    stage::Stage,
    story::{Life, Scene, complaint, fault},
};
use switchboard_wire::proto::Stage as At;

/// Sends `scenes` with a restart before each scene that `restarts` admits, alternately an orderly stop and a kill.
async fn lived(scenes: &[Scene], restarts: impl Fn(usize) -> bool) -> (Stage, Life) {
    let stage = Stage::new();
    let mut server = stage.serve();
    let mut life = Life::default();
    for (i, scene) in scenes.iter().enumerate() {
        if restarts(i) {
            if i % 2 == 0 {
                server.stop()
            } else {
                server.kill()
            }
            server = stage.serve();
        }
        life.live_all(&server.line().await, std::slice::from_ref(scene)).await;
    }
    server.stop();
    (stage, life)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_lives_from_received_to_closed_through_a_restart_before_every_step() {
    let (stage, life) = lived(&fault(), |_| true).await;
    let server = stage.serve();
    let line = server.line().await;
    let kinds = line.kinds(&life.ticket).await.unwrap();
    let expected = [
        "received",
        "supplemented",
        "classified",
        "dispatched",
        "accepted",
        "dispatched",
        "crew_accepted",
        "crew_en_route",
        "crew_arrived",
        "crew_diagnosed",
        "etr_set",
        "contacted",
        "urged",
        "crew_restored",
        "replied",
        "reply_passed",
        "reply_passed",
        "revisited",
        "closed",
    ];
    assert_eq!(kinds, expected);
    let ticket = line.get(&life.ticket).await.unwrap();
    assert_eq!(ticket.stage(), At::Closed);
    assert_eq!(ticket.holders, ["sgcc", "sgcc/zj/hz", "sgcc/zj/hz/yuhang/liangzhu/crew3"]);
    assert_eq!((ticket.urges, ticket.cycle), (1, 1));
    assert!(ticket.arrived_at.is_some() && ticket.restored_at.is_some() && ticket.ended_at.is_some());
    for (i, (_, _, outcome)) in life.lived.iter().enumerate() {
        assert_eq!(outcome.etag, i.to_string(), "one fact a step, gapless revisions");
        assert!(!outcome.replayed);
    }
    let positions: Vec<u64> = life.lived.iter().map(|(.., outcome)| outcome.position).collect();
    assert!(positions.is_sorted());
    server.stop();
    let report = stage.check();
    assert_eq!(report["ok"], true, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_complaint_goes_down_and_up_its_chain_is_reopened_and_closed_with_an_explanation() {
    let scenes = complaint();
    let middle = scenes.len() / 2;
    let (stage, life) = lived(&scenes, |i| i == middle).await;
    let server = stage.serve();
    let line = server.line().await;
    let ticket = line.get(&life.ticket).await.unwrap();
    assert_eq!((ticket.stage(), ticket.cycle, ticket.supervised), (At::Closed, 2, true));
    assert_eq!(ticket.grade(), switchboard_wire::proto::Grade::Important);
    let kinds = line.kinds(&life.ticket).await.unwrap();
    assert_eq!(kinds.len(), scenes.len());
    for kind in
        ["returned", "supervised", "escalated", "suspended", "resumed", "extended", "reply_sent_back", "reopened"]
    {
        assert_eq!(kinds.iter().filter(|found| *found == kind).count(), 1, "{kind} in {kinds:?}");
    }
    assert_eq!(kinds.iter().filter(|kind| *kind == "revisited").count(), 2);
}
