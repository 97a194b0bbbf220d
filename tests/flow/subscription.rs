//! Tests of subscriptions: all facts, in order, once, with filters, restarts and tokens.

use std::time::Duration;

use switchboard_tests::{
    command::supplement,
    line::{Line, agent},
    refusal::{reason, refused},
    stage::Stage,
    story::{Life, fault, received},
};
use switchboard_wire::proto::{
    BusinessType, ErrorReason, Fact, FactFilter, SubscribeResponse, subscribe_request::From,
    subscribe_response::Message,
};
use tonic::{Code, Status, Streaming};

/// Returns the next message, within a bounded time.
async fn next(stream: &mut Streaming<SubscribeResponse>) -> Result<Option<SubscribeResponse>, Status> {
    tokio::time::timeout(Duration::from_secs(20), stream.message()).await.expect("a message in time")
}

/// Returns the facts up to the live end, and the token after each message.
async fn to_the_end(stream: &mut Streaming<SubscribeResponse>) -> (Vec<Fact>, Vec<(usize, String)>) {
    let (mut facts, mut tokens) = (Vec::new(), Vec::new());
    loop {
        let said = next(stream).await.unwrap().expect("a stream without end");
        match said.message {
            Some(Message::Fact(fact)) => facts.push(fact),
            Some(Message::Checkpoint(checkpoint)) if checkpoint.live => {
                tokens.push((facts.len(), said.resume_token));
                return (facts, tokens);
            }
            _ => {}
        }
        tokens.push((facts.len(), said.resume_token));
    }
}

async fn everything(line: &Line, filter: Option<FactFilter>) -> Vec<Fact> {
    to_the_end(&mut line.subscribe(None, filter).await.unwrap()).await.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_from_zero_is_the_log_and_resumes_at_every_cut_after_a_restart() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    Life::default().live_all(&line, &fault()).await;
    let log = line.log(0).await.unwrap();
    let positions: Vec<u64> = log.iter().map(|fact| fact.position).collect();
    assert_eq!(positions, (1..=log.len() as u64).collect::<Vec<_>>(), "gapless from 1");
    let mut stream = line.subscribe(None, None).await.unwrap();
    let (facts, tokens) = to_the_end(&mut stream).await;
    assert_eq!(facts, log);
    server.kill();
    for (i, (seen, token)) in tokens.into_iter().enumerate() {
        let server = stage.serve();
        let line = server.line().await;
        let from = From::ResumeToken(token);
        let rest = to_the_end(&mut line.subscribe(Some(from), None).await.unwrap()).await.0;
        assert_eq!(rest, log[seen..], "resumed after {seen} facts");
        let from = From::AfterPosition(seen as u64);
        assert_eq!(to_the_end(&mut line.subscribe(Some(from), None).await.unwrap()).await.0, log[seen..]);
        if i % 2 == 0 { server.stop() } else { server.kill() }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_lets_through_what_it_says_and_its_tokens_are_its_own() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    Life::default().live_all(&line, &fault()).await;
    let log = line.log(0).await.unwrap();
    let dispatches = FactFilter { kinds: vec!["ticket.dispatched.v1".into()], ..Default::default() };
    let by_the_city = FactFilter { org: Some("sgcc/zj/hz".into()), ..Default::default() };
    let of_tickets = FactFilter { categories: vec!["ticket".into()], ..Default::default() };
    let middle = log[log.len() / 2].recorded_at;
    let early = FactFilter { recorded_to: middle, ..Default::default() };
    let late = FactFilter { recorded_from: middle, ..Default::default() };
    let of = |judge: &dyn Fn(&Fact) -> bool| log.iter().filter(|fact| judge(fact)).cloned().collect::<Vec<_>>();
    let time = |fact: &Fact| fact.recorded_at.map(|at| (at.seconds, at.nanos));
    let halves = middle.map(|at| (at.seconds, at.nanos));
    assert_eq!(everything(&line, Some(dispatches.clone())).await, of(&|f| f.kind == "ticket.dispatched.v1"));
    let org = |f: &Fact| f.actor.as_ref().is_some_and(|a| a.org.starts_with("sgcc/zj/hz"));
    assert_eq!(everything(&line, Some(by_the_city)).await, of(&org));
    assert_eq!(everything(&line, Some(of_tickets)).await, of(&|f| f.stream.starts_with("ticket-")));
    assert_eq!(everything(&line, Some(early)).await, of(&|f| time(f) < halves));
    assert_eq!(everything(&line, Some(late)).await, of(&|f| time(f) >= halves));

    let mut stream = line.subscribe(None, Some(dispatches.clone())).await.unwrap();
    let (_, tokens) = to_the_end(&mut stream).await;
    let token = tokens.last().unwrap().1.clone();
    let resumed = line.subscribe(Some(From::ResumeToken(token.clone())), Some(dispatches)).await.unwrap();
    drop(resumed);
    for foreign in [token.clone(), format!("{token}x"), "rubbish".into(), String::new()] {
        let answer = line.subscribe(Some(From::ResumeToken(foreign)), None).await;
        refused(answer.map(drop), Code::InvalidArgument, ErrorReason::TokenMismatch);
    }
    let beyond = line.subscribe(Some(From::AfterPosition(1_000_000)), None).await;
    refused(beyond.map(drop), Code::InvalidArgument, ErrorReason::InvalidFields);
    let bad = FactFilter { org: Some("Not A Unit".into()), kinds: vec!["k".into(); 65], ..Default::default() };
    let status =
        refused(line.subscribe(None, Some(bad)).await.map(drop), Code::InvalidArgument, ErrorReason::InvalidFields);
    assert_eq!(switchboard_tests::refusal::fields(&status), ["filter.kinds", "filter.org"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_live_reader_hears_each_fact_once_and_a_drain_ends_it_resumable() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let ticket = received(&line, BusinessType::FaultRepair).await;
    let mut stream = line.subscribe(Some(From::Now(true)), None).await.unwrap();
    let (facts, _) = to_the_end(&mut stream).await;
    assert!(facts.is_empty(), "only what comes now");
    let mut heard = Vec::new();
    let mut token = String::new();
    for n in 0..20 {
        let command = supplement(&format!("word {n}")).about(&ticket);
        let outcome = command.send(&mut line.tickets(&agent())).await.unwrap();
        while heard.last() != Some(&outcome.position) {
            let said = next(&mut stream).await.unwrap().unwrap();
            token = said.resume_token;
            if let Some(Message::Fact(fact)) = said.message {
                heard.push(fact.position);
            }
        }
    }
    assert!(heard.len() == 20 && heard.is_sorted_by(|a, b| a < b), "{heard:?}");
    server.terminate();
    let end = loop {
        match next(&mut stream).await {
            Ok(Some(said)) => {
                assert!(!matches!(said.message, Some(Message::Fact(_))), "nothing new was recorded");
                token = said.resume_token;
            }
            Ok(None) => panic!("the stream ends without a word"),
            Err(status) => break status,
        }
    };
    assert_eq!((end.code(), reason(&end)), (Code::Unavailable, Some(ErrorReason::Draining)), "{end:?}");
    assert!(server.ended().success());

    let server = stage.serve();
    let line = server.line().await;
    let outcome = supplement("after").about(&ticket).send(&mut line.tickets(&agent())).await.unwrap();
    let mut stream = line.subscribe(Some(From::ResumeToken(token)), None).await.unwrap();
    let facts = to_the_end(&mut stream).await.0;
    assert_eq!(facts.iter().map(|fact| fact.position).collect::<Vec<_>>(), [outcome.position]);
}
