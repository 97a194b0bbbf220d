//! Additional guarantees of the engine on a store that knows the event ids of all streams.

use switchboard_engine::{
    command::Failure,
    requests::{EventIds, FoundRequest, Requests},
};
use switchboard_eventstore::StreamName;
use uuid::Uuid;

use crate::house::{House, open, request, supplement};

#[tokio::test]
async fn a_request_id_used_on_another_ticket_is_refused_with_the_same_body_too() {
    let house = House::new();
    let engine = house.engine();
    let (one, other) = (open(&engine, 1).await, open(&engine, 2).await);
    engine.execute(&one, &supplement("one"), &request(3)).await.unwrap();
    let before = house.count().await;
    for engine in [engine, house.engine()] {
        let refusal = engine.execute(&other, &supplement("one"), &request(3)).await;
        assert!(matches!(refusal, Err(Failure::RequestIdReused)), "{refusal:?}");
        assert!(engine.execute(&other, &supplement("two"), &request(4)).await.is_ok(), "it works on under another id");
    }
    assert_eq!(house.count().await, before + 1);
}

#[tokio::test]
async fn a_request_is_found_by_its_id_in_whichever_stream() {
    let store = std::sync::Arc::new(crate::store());
    let (house, requests) = (House::over(store.clone()), EventIds::new(store));
    let engine = house.engine();
    let id = open(&engine, 1).await;
    engine.execute(&id, &supplement("one"), &request(2)).await.unwrap();
    let stream = StreamName::new("ticket", id).unwrap();
    for (n, revision) in [(1, 0), (2, 1)] {
        let found = requests.find(Uuid::from_u128(n)).await.unwrap();
        assert_eq!(found, Some(FoundRequest { stream: stream.clone(), revision }));
    }
    assert_eq!(requests.find(Uuid::from_u128(3)).await.unwrap(), None);
}
