//! The feed: equal pages from memory and from the store, every fact once and in order, and facts that cannot be read.

use std::{sync::Arc, time::Duration};

use switchboard_domain::ticket::TicketId;
use switchboard_engine::feed::{Entry, Feed, TAIL_FACTS_MAX};
use switchboard_eventstore::{EventStore, Expected, NewEvent, StreamName};
use tokio::time::timeout;
use uuid::Uuid;

use crate::house::{House, open, request, supplement};

/// The longest wait for an expected event.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// An event of a kind that this program cannot read.
pub fn new_event(kind: &str) -> NewEvent {
    NewEvent { id: Uuid::new_v4(), kind: kind.into(), data: b"{}".to_vec(), meta: b"{}".to_vec() }
}

/// Appends such an event to a ticket's stream.
pub async fn append_unknown_kind(house: &House, id: TicketId) {
    let stream = StreamName::new("ticket", id).unwrap();
    house.store.append(&stream, Expected::Exists, vec![new_event("ticket.sung.v1")]).await.unwrap();
}

/// Appends this many facts that belong to no ticket.
async fn append_many(store: &Arc<dyn EventStore>, count: usize) {
    let stream = StreamName::new("other", "x").unwrap();
    for begun in (0..count).step_by(500) {
        let events = (begun..count.min(begun + 500)).map(|_| new_event("other.happened.v1")).collect();
        store.append(&stream, Expected::Any, events).await.unwrap();
    }
}

/// Waits until the feed has reached the head of the log.
pub async fn caught_up(feed: &Feed, house: &House) {
    let last = house.last().await;
    timeout(PATIENCE, feed.watch().wait_for(|at| *at >= last)).await.expect("the feed follows").unwrap();
}

fn positions(page: &[Arc<Entry>]) -> Vec<u64> {
    page.iter().map(|entry| entry.raw.position.stored()).collect()
}

#[tokio::test]
async fn pages_from_memory_and_from_the_store_agree_at_every_starting_position() {
    let house = House::new();
    append_many(&house.store, 30).await;
    let (feed, following) = Feed::follow(Arc::clone(&house.store)).await.unwrap();
    // More facts than memory holds, so that the first ones are dropped from it.
    append_many(&house.store, TAIL_FACTS_MAX + 100).await;
    caught_up(&feed, &house).await;
    let log = house.log().await;
    let places = house.places().await;
    assert_eq!((log.len(), Some(&feed.head())), (TAIL_FACTS_MAX + 130, places.last()));
    for (read, after) in [0].iter().chain(&places).enumerate() {
        let page = feed.page(*after, 3).await.unwrap();
        assert!(page.iter().map(|entry| &entry.raw).eq(log[read..].iter().take(3)), "after {after}");
    }
    let whole = feed.page(places[129], TAIL_FACTS_MAX).await.unwrap();
    assert_eq!(positions(&whole), places[130..]);
    following.abort();
}

#[tokio::test]
async fn every_cursor_sees_every_fact_once_and_in_order_while_appends_go_on() {
    const FACTS: usize = 1_500;
    let house = House::new();
    append_many(&house.store, 10).await;
    let begun = house.places().await;
    let (feed, following) = Feed::follow(Arc::clone(&house.store)).await.unwrap();
    let store = Arc::clone(&house.store);
    let appends = tokio::spawn(async move {
        let mut count = 10;
        while count < FACTS {
            let more = (1 + count % 7).min(FACTS - count);
            append_many(&store, more).await;
            count += more;
            tokio::task::yield_now().await;
        }
    });
    let readers = [(0, 0, 7), (3, begun[2], 512), (10, begun[9], 1)].map(|(skipped, start, max)| {
        let mut cursor = feed.cursor(start);
        async move {
            let mut seen = Vec::new();
            while seen.len() < FACTS - skipped {
                let page = timeout(PATIENCE, cursor.next(max)).await.expect("facts come").unwrap();
                assert!(!page.is_empty() && page.len() <= max);
                seen.extend(positions(&page));
            }
            (skipped, seen)
        }
    });
    let read = futures::future::join_all(readers).await;
    appends.await.unwrap();
    let places = house.places().await;
    for (skipped, seen) in read {
        assert_eq!(seen, places[skipped..], "after {skipped} facts");
    }
    following.abort();
}

#[tokio::test]
async fn a_fact_of_unknown_kind_passes_as_such_and_stops_nobody() {
    let house = House::new();
    let engine = house.engine();
    let (feed, following) = Feed::follow(Arc::clone(&house.store)).await.unwrap();
    let mut cursor = feed.cursor(0);
    let (sick, sound) = (open(&engine, 1).await, open(&engine, 2).await);
    append_unknown_kind(&house, sick).await;
    engine.execute(&sound, &supplement("one"), &request(3)).await.unwrap();
    append_many(&house.store, 1).await;
    caught_up(&feed, &house).await;
    let page = cursor.next(512).await.unwrap();
    assert_eq!(positions(&page), house.places().await);
    let place = |nth: usize| page[nth - 1].raw.position.stored();
    let ticket = |entry: &Arc<Entry>| entry.fact.as_ref()?.ticket().map(|fact| (fact.position, fact.id));
    let facts: Vec<_> = page.iter().map(ticket).collect();
    assert_eq!(facts, [Some((place(1), sick)), Some((place(2), sound)), None, Some((place(4), sound)), None]);
    assert_eq!(&*page[2].raw.kind, "ticket.sung.v1");
    // A feed that starts later returns the same facts from the store.
    let (late, late_following) = Feed::follow(Arc::clone(&house.store)).await.unwrap();
    let again = late.page(0, 512).await.unwrap();
    assert_eq!(
        again.iter().map(|e| e.fact.clone()).collect::<Vec<_>>(),
        page.iter().map(|e| e.fact.clone()).collect::<Vec<_>>()
    );
    following.abort();
    late_following.abort();
}
