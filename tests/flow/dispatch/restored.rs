//! Resume tokens that are newer than a restored log.

use switchboard_tests::{command::supplement, line::agent};
use switchboard_wire::proto::subscribe_request::From;

use super::{watching::*, *};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_past_the_end_of_a_restored_log_is_refused_and_a_snapshot_begins_anew() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    enrolled(&line, CREW).await;
    let life = with_the_crew(&line).await;
    let mut stream = watch(&line, crew_of(CREW), None, None).await.unwrap();
    let within = next(&mut stream).await.resume_token;
    server.stop();
    let kept = stage.beside("kept");
    std::fs::create_dir(&kept).unwrap();
    for name in ["log.db", "keys.db"] {
        std::fs::copy(stage.data().join(name), kept.join(name)).unwrap();
    }

    let server = stage.serve();
    let line = server.line().await;
    let more = supplement("Still dark.").about(&life.ticket);
    more.send(&mut line.tickets(&agent())).await.unwrap();
    let mut heard = Heard::default();
    let mut stream = watch(&line, crew_of(CREW), None, Some(&within)).await.unwrap();
    let beyond = loop {
        let said = next(&mut stream).await;
        let token = said.resume_token.clone();
        if heard.take(said) {
            break token;
        }
    };
    assert_eq!(heard.changes.len(), 1);
    let mut audit = line.subscribe(Some(From::Now(true)), None).await.unwrap();
    let audited = audit.message().await.unwrap().unwrap().resume_token;
    server.stop();

    std::fs::remove_dir_all(stage.data()).unwrap();
    std::fs::rename(&kept, stage.data()).unwrap();
    let server = stage.serve();
    let line = server.line().await;
    let answer = watch(&line, crew_of(CREW), None, Some(&beyond)).await;
    refused(answer, Code::InvalidArgument, ErrorReason::TokenMismatch);
    let answer = line.subscribe(Some(From::ResumeToken(audited)), None).await;
    refused(answer.map(drop), Code::InvalidArgument, ErrorReason::TokenMismatch);
    let fresh = Heard::to_the_end(&mut watch(&line, crew_of(CREW), None, None).await.unwrap()).await;
    assert_eq!(fresh.snapshot.unwrap().assignments.len(), 1);
    let on = Heard::to_the_end(&mut watch(&line, crew_of(CREW), None, Some(&within)).await.unwrap()).await;
    assert!(on.snapshot.is_none() && on.changes.is_empty(), "one that the log reaches goes on");
}
