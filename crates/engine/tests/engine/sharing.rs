//! Engines that share a log: one whose cached state is stale, and many callers that compete through two engines.

use std::{collections::HashMap, sync::Arc};

use chrono::TimeDelta;
use futures::future::join_all;
use switchboard_domain::{
    actor::{Actor, Role},
    crew::{CrewId, OfferId},
    ticket::{Command, Rejection, Stage, command::Offer},
};
use switchboard_engine::{
    clock::Clock,
    command::{CONFLICTS_MAX, Failure, Request},
};

use crate::{
    faults::Faulty,
    house::{House, classify, dispatch, open, org, request, supplement},
};

const CITY: &str = "sgcc/zj/hz";

#[tokio::test]
async fn a_stale_etag_is_told_the_present_revision() {
    let house = House::new();
    let engine = house.engine();
    let id = open(&engine, 1).await;
    engine.execute(&id, &supplement("one"), &request(2)).await.unwrap();
    for engine in [engine, house.engine()] {
        for etag in [0, 2] {
            let refusal = engine.execute(&id, &classify(), &Request { etag: Some(etag), ..request(3) }).await;
            assert!(matches!(refusal, Err(Failure::RevisionConflict { current: Some(1) })), "{refusal:?}");
        }
    }
    let nobody = switchboard_domain::ticket::TicketId(uuid::Uuid::from_u128(9));
    let refusal = house.engine().execute(&nobody, &classify(), &Request { etag: Some(0), ..request(4) }).await;
    assert!(matches!(refusal, Err(Failure::RevisionConflict { current: None })), "{refusal:?}");
}

#[tokio::test]
async fn an_engine_whose_memory_lags_accepts_what_the_log_makes_legal() {
    let house = House::new();
    let (ahead, behind) = (house.engine(), house.engine());
    let id = open(&ahead, 1).await;
    behind.execute(&id, &supplement("cached here at revision 1"), &request(2)).await.unwrap();
    ahead.execute(&id, &classify(), &request(3)).await.unwrap();
    let sent = behind.execute(&id, &dispatch(CITY), &request(4)).await.unwrap();
    assert_eq!((sent.revision, sent.state.unwrap().stage), (3, Stage::Dispatched));

    ahead.execute(&id, &supplement("moves on to revision 4"), &request(5)).await.unwrap();
    let etag = Request { etag: Some(4), ..request(6) };
    assert_eq!(behind.execute(&id, &supplement("seen"), &etag).await.unwrap().revision, 5);
}

#[tokio::test]
async fn a_no_is_said_of_the_log_and_never_of_memory() {
    let house = House::new();
    let (ahead, behind) = (house.engine(), house.engine());
    let id = open(&ahead, 1).await;
    behind.execute(&id, &supplement("cached here"), &request(2)).await.unwrap();
    ahead.execute(&id, &classify(), &request(3)).await.unwrap();
    let refusal = behind.execute(&id, &Command::Close { explanation: None }, &request(4)).await;
    let Err(Failure::Rejected(Rejection::IllegalMove { stage, .. })) = refusal else { panic!("{refusal:?}") };
    assert_eq!(stage, Stage::Classified, "the refusal describes the log");

    // A command that the cached state permits and the log does not is rejected as well: the append detects it.
    ahead.execute(&id, &Command::Withdraw { reason: "It came back.".into() }, &request(5)).await.unwrap();
    let head = house.head();
    let refusal = behind.execute(&id, &supplement("too late"), &request(6)).await;
    let Err(Failure::Rejected(Rejection::IllegalMove { stage, .. })) = refusal else { panic!("{refusal:?}") };
    assert_eq!((stage, house.head()), (Stage::Withdrawn, head));
}

#[tokio::test]
async fn commands_racing_through_two_engines_are_each_recorded_once_without_a_gap() {
    const RACERS: u128 = 40;
    // This store yields between load and append, so that all callers compete.
    let house = House::over(Arc::new(Faulty::sound()));
    let engines = [house.engine(), house.engine()];
    let id = open(&engines[0], 1).await;
    let races = (0..RACERS * 2).map(|n| {
        // Every request is sent twice, once through each engine.
        let (engine, n) = (&engines[usize::from(n < RACERS)], 100 + n % RACERS);
        async move {
            for _ in 0..RACERS {
                match engine.execute(&id, &supplement("me too"), &request(n)).await {
                    Err(Failure::Contended) => {}
                    answer => return (n, answer.unwrap()),
                }
            }
            panic!("request {n} never got through");
        }
    });
    let mut answers: HashMap<u128, Vec<_>> = HashMap::new();
    for (n, outcome) in join_all(races).await {
        answers.entry(n).or_default().push((outcome.revision, outcome.position, outcome.replayed));
    }
    for (n, told) in &answers {
        assert_eq!(told.len(), 2);
        assert_eq!((told[0].0, told[0].1), (told[1].0, told[1].1), "both are told the same of {n}");
        assert_ne!(told[0].2, told[1].2, "one of the two did it: {n}");
    }
    let log = house.log().await;
    let revisions: Vec<_> = log.iter().map(|raw| u128::from(raw.revision.0)).collect();
    assert_eq!(revisions, (0..=RACERS).collect::<Vec<_>>());
    let mut requests = house.requests().await;
    requests.sort_unstable();
    requests.dedup();
    assert_eq!(requests.len(), log.len());
    assert!(RACERS > CONFLICTS_MAX as u128, "or nobody would have had to try again");
}

#[tokio::test]
async fn a_yes_without_events_is_said_of_the_log_and_never_of_memory() {
    let house = House::new();
    let (behind, ahead) = (house.engine(), house.engine());
    let crew = CrewId::of(&org("sgcc/zj/hz/xh/st/crew-1")).unwrap();
    let by =
        |n: u128, role, path: &str| Request { actor: Actor { id: path.into(), role, org: org(path) }, ..request(n) };
    let id = open(&behind, 1).await;
    let (offer, fence) = (OfferId::of(id, 1), 7);
    let lease_until = house.clock.now() + TimeDelta::minutes(3);
    let offered = Offer { offer, attempt: 1, crew: crew.clone(), fence, lease_until, priority: false, forced: None };
    let accept = Command::AcceptOffer { offer, fence };
    behind.execute(&id, &classify(), &request(2)).await.unwrap();
    behind.execute(&id, &dispatch(CITY), &request(3)).await.unwrap();
    behind.execute(&id, &Command::Offer(Box::new(offered)), &by(4, Role::System, "sgcc")).await.unwrap();
    behind.execute(&id, &accept, &by(5, Role::Crew, crew.org().as_str())).await.unwrap();
    let head = house.head();
    let again = behind.execute(&id, &accept, &by(6, Role::Crew, crew.org().as_str())).await.unwrap();
    assert_eq!((again.events.len(), house.head()), (0, head), "the crew has it: nothing is recorded");

    let recall = Command::Recall { crew: Some(crew.clone()), reason: "Needed elsewhere.".into() };
    ahead.execute(&id, &recall, &by(7, Role::Desk, CITY)).await.unwrap();
    let refusal = behind.execute(&id, &accept, &by(8, Role::Crew, crew.org().as_str())).await;
    assert!(matches!(refusal, Err(Failure::Rejected(Rejection::OfferNotLive { .. }))), "{refusal:?}");
}
