//! Guarantees that a log with gaps cannot give, and those that hold instead.

use switchboard_engine::command::Failure;

use crate::house::{House, open, request, supplement};

#[tokio::test]
async fn a_request_id_used_on_another_ticket_is_another_request_there_and_each_ticket_knows_its_own() {
    let house = House::new();
    let engine = house.engine();
    let (one, other) = (open(&engine, 1).await, open(&engine, 2).await);
    engine.execute(&one, &supplement("one"), &request(3)).await.unwrap();
    assert!(!engine.execute(&other, &supplement("other"), &request(3)).await.unwrap().replayed);
    for engine in [engine, house.engine()] {
        for id in [one, other] {
            assert!(engine.execute(&id, &supplement("again"), &request(3)).await.unwrap().replayed);
            let mut body = request(3);
            body.payload_hash = "another body".into();
            let refusal = engine.execute(&id, &supplement("two"), &body).await;
            assert!(matches!(refusal, Err(Failure::RequestIdReused)), "{refusal:?}");
        }
    }
    assert_eq!(house.count().await, 4);
}
