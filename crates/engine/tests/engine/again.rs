//! Repeated requests, from memory and after a restart, and a request id that is used for another command.

use switchboard_domain::{
    actor::{Actor, Role},
    crew::{CrewId, OfferId},
    ticket::{Command, Stage, command::Offer},
};
use switchboard_engine::command::{Failure, Request};

use crate::house::{House, agent, ask_to_open, at, classify, dispatch, open, org, request, supplement};

#[tokio::test]
async fn a_repeated_request_is_answered_as_first_and_appends_nothing_even_after_a_restart() {
    let house = House::new();
    let mut engine = house.engine();
    let opened = ask_to_open(&engine, 1).await.unwrap();
    let id = open(&engine, 1).await;
    let told = engine.execute(&id, &supplement("The third floor too."), &request(2)).await.unwrap();
    engine.execute(&id, &classify(), &request(3)).await.unwrap();
    let head = house.head();
    for restarted in [false, true] {
        if restarted {
            engine = house.engine();
        }
        let again = ask_to_open(&engine, 1).await.unwrap();
        assert!(again.replayed && !opened.replayed);
        assert_eq!((again.position, again.revision, &again.state), (opened.position, opened.revision, &opened.state));
        let again = engine.execute(&id, &supplement("The third floor too."), &request(2)).await.unwrap();
        assert!(again.replayed && !told.replayed);
        assert_eq!((again.position, again.revision, &again.state), (told.position, told.revision, &told.state));
        assert_eq!(again.state.unwrap().stage, Stage::Received, "as it was then, not as it is now");
        assert_eq!(again.events.len(), told.events.len());
        assert_eq!(house.head(), head);
    }
}

#[tokio::test]
async fn a_repeated_request_is_answered_although_its_etag_is_stale_and_the_move_no_longer_legal() {
    let house = House::new();
    let engine = house.engine();
    let id = open(&engine, 1).await;
    let classified = Request { etag: Some(0), ..request(2) };
    engine.execute(&id, &classify(), &classified).await.unwrap();
    let withdraw = switchboard_domain::ticket::Command::Withdraw { reason: "It came back.".into() };
    engine.execute(&id, &withdraw, &request(3)).await.unwrap();
    assert!(engine.execute(&id, &classify(), &classified).await.unwrap().replayed);
    assert!(house.engine().execute(&id, &classify(), &classified).await.unwrap().replayed);
}

#[tokio::test]
async fn a_request_id_with_another_body_is_refused() {
    let house = House::new();
    let engine = house.engine();
    let id = open(&engine, 1).await;
    engine.execute(&id, &supplement("one"), &request(2)).await.unwrap();
    let head = house.head();
    for engine in [engine, house.engine()] {
        let other = Request { payload_hash: "another body".into(), ..request(2) };
        let refusal = engine.execute(&id, &supplement("two"), &other).await;
        assert!(matches!(refusal, Err(Failure::RequestIdReused)), "{refusal:?}");
        // An opening does not read before it appends. The store's unique ids detect the repetition.
        let mut opening = Request { opens: true, ..request(1) };
        opening.payload_hash = "another body".into();
        let command = crate::house::receive(switchboard_domain::ticket::BusinessType::Complaint);
        let refusal = engine.execute(&id, &command, &opening).await;
        assert!(matches!(refusal, Err(Failure::RequestIdReused)), "{refusal:?}");
    }
    assert_eq!(house.head(), head);
}

/// A request as this version identifies it; `former` is its hash in the earlier version.
fn identified(n: u128, hash: &str, former: Option<&str>) -> Request {
    let former_hash = former.map(str::to_owned);
    Request { payload_hash: format!("2:{hash}"), former_hash, ..request(n) }
}

#[tokio::test]
async fn a_request_of_an_older_log_is_recognised_by_its_former_hash_or_by_its_actor() {
    let house = House::new();
    let engine = house.engine();
    let id = open(&engine, 1).await;
    engine.execute(&id, &supplement("one"), &request(2)).await.unwrap();
    let head = house.head();
    for engine in [engine, house.engine()] {
        let same = identified(2, "command", Some("body 2"));
        assert!(engine.execute(&id, &supplement("one"), &same).await.unwrap().replayed);
        let untold = identified(2, "command", None);
        assert!(engine.execute(&id, &supplement("one"), &untold).await.unwrap().replayed, "it came in other words");
        let other_body = identified(2, "command", Some("body 3"));
        let other_actor = Request { actor: Actor { id: "agent-2".into(), ..agent() }, ..untold };
        for other in [other_body, other_actor] {
            let refusal = engine.execute(&id, &supplement("one"), &other).await;
            assert!(matches!(refusal, Err(Failure::RequestIdReused)), "{refusal:?}");
        }
    }
    assert_eq!(house.head(), head);
}

#[tokio::test]
async fn a_request_that_was_recorded_by_its_command_is_known_by_nothing_else() {
    let house = House::new();
    let engine = house.engine();
    let id = open(&engine, 1).await;
    let first = identified(2, "command", Some("body"));
    engine.execute(&id, &supplement("one"), &first).await.unwrap();
    for engine in [engine, house.engine()] {
        let in_other_words = identified(2, "command", Some("other bytes"));
        assert!(engine.execute(&id, &supplement("one"), &in_other_words).await.unwrap().replayed);
        let other = identified(2, "another command", Some("body"));
        let refusal = engine.execute(&id, &supplement("two"), &other).await;
        assert!(matches!(refusal, Err(Failure::RequestIdReused)), "{refusal:?}");
    }
}

#[tokio::test]
async fn a_command_of_which_nothing_follows_is_answered_as_it_stands_and_appends_nothing() {
    let house = House::new();
    let engine = house.engine();
    let id = open(&engine, 1).await;
    engine.execute(&id, &classify(), &request(2)).await.unwrap();
    engine.execute(&id, &dispatch("sgcc/zj/hz"), &request(3)).await.unwrap();
    let crew = CrewId::of(&org("sgcc/zj/hz/yuhang/liangzhu/crew3")).unwrap();
    let (offer, lease_until) = (OfferId::of(id, 1), at("2026-11-22T10:03:00+08:00"));
    let made = Offer { offer, attempt: 1, crew: crew.clone(), fence: 4, lease_until, priority: false, forced: None };
    let system = Actor { role: Role::System, ..agent() };
    let offering = Request { actor: system, ..request(4) };
    engine.execute(&id, &Command::Offer(Box::new(made)), &offering).await.unwrap();
    let accept = Command::AcceptOffer { offer, fence: 4 };
    let speaking = |n| Request { actor: Actor { role: Role::Crew, org: crew.org().clone(), ..agent() }, ..request(n) };
    let first = engine.execute(&id, &accept, &speaking(5)).await.unwrap();
    assert!(!first.replayed && !first.events.is_empty());
    for engine in [engine, house.engine()] {
        let again = engine.execute(&id, &accept, &speaking(6)).await.unwrap();
        assert!(again.replayed && again.events.is_empty());
        assert_eq!((again.position, again.revision, &again.state), (first.position, first.revision, &first.state));
        assert_eq!(house.last().await, first.position);
    }
}
