//! Tests of an orderly stop: accepted calls are finished and answered, and every answered command is on record.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use switchboard_tests::{
    command::supplement,
    line::agent,
    stage::{Stage, eventually},
    story::received,
};
use switchboard_wire::proto::{BusinessType, GetRequest};
use tonic::Code;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_told_to_stop_finishes_what_it_took_and_records_nothing_that_it_did_not_answer() {
    let stage = Stage::new();
    let server = stage.serve();
    let answered = Arc::new(AtomicU64::new(0));
    let writers = (0..16).map(|_| {
        let (line, answered) = (server.lazy_line(), Arc::clone(&answered));
        tokio::spawn(async move {
            let ticket = received(&line, BusinessType::FaultRepair).await;
            let mut tickets = line.tickets(&agent());
            let mut accepted = BTreeSet::new();
            loop {
                let command = supplement("in the last minute").about(&ticket);
                match command.send(&mut tickets).await {
                    Ok(outcome) => {
                        assert!(accepted.insert(outcome.position));
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(status) => return (ticket, accepted, status),
                }
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    eventually("load", || async { (answered.load(Ordering::Relaxed) > 200).then_some(()) }).await;
    server.stop();
    let server = stage.serve();
    let line = server.line().await;
    for writer in writers {
        let (ticket, accepted, status) = writer.await.unwrap();
        // No answer leaves the outcome open: a call was accepted and answered, or not accepted.
        assert!(matches!(status.code(), Code::Unavailable | Code::Cancelled | Code::Unknown), "{status:?}");
        let history = line.history(&ticket).await.unwrap();
        let recorded: BTreeSet<u64> = history.iter().skip(1).map(|fact| fact.position).collect();
        assert_eq!(recorded, accepted, "after {status:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_waits_is_answered_before_the_server_goes() {
    let stage = Stage::new();
    let server = stage.serve_with(&["--set", "deadline_ms=2000"]);
    let line = server.line().await;
    let ticket = received(&line, BusinessType::FaultRepair).await;
    let waiting = tokio::spawn(async move {
        let ask = GetRequest { ticket, as_of: None, min_position: Some(1_000_000) };
        line.tickets(&agent()).get(ask).await
    });
    // The call is in flight once a second call on another connection is answered.
    let other = server.line().await;
    other.head().await.unwrap();
    server.stop();
    let status = waiting.await.unwrap().unwrap_err();
    assert!(matches!(status.code(), Code::DeadlineExceeded | Code::Unavailable), "{status:?}");
}
