//! Guarantees about reading: pages, directions, limits, and that a read sees everything that was answered before it
//! began.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use super::{append_each, event, events, fresh, log_after, positions};
use crate::{Direction, EventStore, Expected, PAGE_EVENTS_MAX, Position, Revision};

type Store = Arc<dyn EventStore>;

pub(super) async fn a_missing_stream_is_an_empty_page(store: Store) {
    append_each(&*store, &fresh("ticket"), 1).await;
    assert!(store.read_stream(&fresh("ticket"), Revision::FIRST, 10).await.unwrap().is_empty());
}

pub(super) async fn a_stream_is_read_from_any_revision_in_pages(store: Store) {
    let (stream, other) = (fresh("ticket"), fresh("ticket"));
    for _ in 0..7 {
        append_each(&*store, &stream, 1).await;
        append_each(&*store, &other, 1).await;
    }
    for from in 0..9 {
        for max in [0, 1, 3, 7, 100] {
            let page = store.read_stream(&stream, Revision(from), max).await.unwrap();
            let revisions: Vec<_> = page.iter().map(|event| event.revision.0).collect();
            let wanted: Vec<_> = (from..7).take(max).collect();
            assert_eq!(revisions, wanted, "from {from}, at most {max}");
            assert!(page.iter().all(|event| event.stream == stream));
        }
    }
    assert!(store.read_stream(&stream, Revision(u64::MAX), 10).await.unwrap().is_empty());
}

pub(super) async fn the_log_is_read_forward_from_any_event(store: Store) {
    let start = store.head();
    append_each(&*store, &fresh("ticket"), 8).await;
    let all = positions(&log_after(&*store, start).await);
    assert_eq!(all.len(), 8);
    for (read, after) in [start].iter().chain(&all).enumerate() {
        for max in [0, 1, 3, 8, 100] {
            let page = store.read_all(*after, max, Direction::Forward).await.unwrap();
            let wanted: Vec<_> = all[read..].iter().copied().take(max).collect();
            assert_eq!(positions(&page), wanted, "after {after}, at most {max}");
        }
    }
    for beyond in [store.head(), Position::END] {
        assert!(store.read_all(beyond, 10, Direction::Forward).await.unwrap().is_empty());
    }
}

pub(super) async fn the_log_is_read_backward_from_any_event(store: Store) {
    let start = store.head();
    append_each(&*store, &fresh("ticket"), 8).await;
    let all = positions(&log_after(&*store, start).await);
    for (above, before) in all.iter().enumerate() {
        for max in [0, 1, 3] {
            let page = store.read_all(*before, max.min(above), Direction::Backward).await.unwrap();
            let wanted: Vec<_> = all[..above].iter().rev().copied().take(max).collect();
            assert_eq!(positions(&page), wanted, "before {before}, at most {max}");
        }
    }
    let newest = store.read_all(Position::END, 8, Direction::Backward).await.unwrap();
    assert!(positions(&newest).iter().eq(all.iter().rev()));
    assert!(store.read_all(Position::START, 8, Direction::Backward).await.unwrap().is_empty());
}

pub(super) async fn every_event_is_read_at_its_own_position_and_none_elsewhere(store: Store) {
    let start = store.head();
    append_each(&*store, &fresh("ticket"), 8).await;
    for event in log_after(&*store, start).await {
        assert_eq!(store.read_at(event.position).await.unwrap().as_ref(), Some(&event));
    }
    for nowhere in [Position::START, Position::END] {
        assert_eq!(store.read_at(nowhere).await.unwrap(), None);
    }
}

pub(super) async fn a_page_is_never_longer_than_the_limit(store: Store) {
    let (start, stream) = (store.head(), fresh("ticket"));
    for _ in 0..3 {
        store.append(&stream, Expected::Any, events(PAGE_EVENTS_MAX / 2)).await.unwrap();
    }
    let all = store.read_all(start, usize::MAX, Direction::Forward).await.unwrap();
    assert_eq!(all.len(), PAGE_EVENTS_MAX);
    assert_eq!(store.read_all(Position::END, usize::MAX, Direction::Backward).await.unwrap().len(), PAGE_EVENTS_MAX);
    let page = store.read_stream(&stream, Revision::FIRST, usize::MAX).await.unwrap();
    assert_eq!(page.len(), PAGE_EVENTS_MAX);
}

pub(super) async fn an_answer_is_visible_to_every_later_read(store: Store) {
    let stream = fresh("ticket");
    for n in 0..20 {
        let given = event("seen at once");
        let id = given.id;
        let appended = store.append(&stream, Expected::Any, vec![given]).await.unwrap();
        assert!(store.head() >= appended.last);
        assert!(*store.watch_head().borrow() >= appended.last);
        assert_eq!(store.read_stream(&stream, Revision(n), 10).await.unwrap().len(), 1);
        let newest = store.read_all(Position::END, 1, Direction::Backward).await.unwrap();
        assert_eq!(newest[0].id, id);
    }
}
