//! Guarantees of dense implementations only: positions without a gap, any number as a start of a read, ids unique over
//! all streams. The engine does not rely on them; tools and tests of the embedded log do.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use uuid::Uuid;

use super::subscriptions::{is_silent, take};
use super::{Dense, append_each, event, events, fresh, log_after, positions};
use crate::{AppendError, Direction, Expected, Position, Revision};

type Store = Arc<dyn Dense>;

/// The `count` positions directly after `start`.
fn span(start: Position, count: u64) -> Vec<Position> {
    (start.0 + 1..=start.0 + count).map(Position).collect()
}

pub(super) async fn positions_have_no_gap_whatever_was_refused_between(store: Store) {
    let (start, stream) = (store.head(), fresh("ticket"));
    let known = event("known");
    store.append(&stream, Expected::Any, vec![known.clone()]).await.unwrap();
    for _ in 0..3 {
        store.append(&stream, Expected::NoStream, events(2)).await.unwrap_err();
        store.append(&stream, Expected::Any, vec![event("new"), known.clone()]).await.unwrap_err();
        let appended = store.append(&fresh("crew"), Expected::Any, events(3)).await.unwrap();
        assert_eq!((appended.last, store.head()), (Position(appended.first.0 + 2), appended.last));
    }
    assert_eq!(positions(&log_after(&*store, start).await), span(start, 10));
}

pub(super) async fn the_log_is_read_from_any_number(store: Store) {
    let start = store.head();
    append_each(&*store, &fresh("ticket"), 8).await;
    for read in 0..=10 {
        let from = Position(start.0 + read);
        let page = store.read_all(from, 100, Direction::Forward).await.unwrap();
        assert_eq!(positions(&page), span(from, 8_u64.saturating_sub(read)), "after {from}");
        let page = store.read_all(from, 3, Direction::Backward).await.unwrap();
        let wanted: Vec<_> = (1..from.0.min(start.0 + 9)).rev().take(3).map(Position).collect();
        assert_eq!(positions(&page), wanted, "before {from}");
    }
}

pub(super) async fn a_duplicate_is_recognised_across_streams(store: Store) {
    let given = events(1);
    let first = store.append(&fresh("ticket"), Expected::Any, given.clone()).await.unwrap();
    let (head, other) = (store.head(), fresh("crew"));
    for expected in [Expected::Any, Expected::NoStream, Expected::Exists] {
        let again = store.append(&other, expected, given.clone()).await;
        assert!(matches!(again, Err(AppendError::Duplicate { position }) if position == first.first), "{again:?}");
    }
    assert_eq!(store.head(), head);
    assert!(store.read_stream(&other, Revision::FIRST, 10).await.unwrap().is_empty());
    // The stream of the rejected append does not exist, so it begins like any other.
    let appended = store.append(&other, Expected::NoStream, events(1)).await.unwrap();
    assert_eq!(appended.revision, Revision::FIRST);
}

pub(super) async fn an_event_is_located_by_its_id(store: Store) {
    let stream = fresh("ticket");
    let given = vec![event("one"), event("two"), event("three")];
    let appended = store.append(&stream, Expected::Any, given.clone()).await.unwrap();
    assert_eq!(store.locate(Uuid::new_v4()).await.unwrap(), None);
    for (given, n) in given.iter().zip(0..) {
        let found = store.locate(given.id).await.unwrap().unwrap();
        assert_eq!((found.position, found.revision), (Position(appended.first.0 + n), Revision(n)));
        assert_eq!((found.id, &found.data, &found.stream), (given.id, &given.data, &stream));
    }
}

pub(super) async fn a_subscription_from_beyond_the_head_waits_for_its_place(store: Store) {
    let start = store.head();
    let mut subscription = store.subscribe_all(Position(start.0 + 3));
    append_each(&*store, &fresh("ticket"), 3).await;
    assert!(is_silent(&mut subscription).await);
    append_each(&*store, &fresh("ticket"), 2).await;
    assert_eq!(positions(&take(&mut subscription, 2).await), span(Position(start.0 + 3), 2));
}
