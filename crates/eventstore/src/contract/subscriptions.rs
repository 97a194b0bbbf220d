//! Promises about subscriptions: catch up, live, resume; every event once, in order, without a gap.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;

use super::{append_each, events, fresh, positions, span};
use crate::{EventStore, Expected, Position, Recorded, SUBSCRIPTION_EVENTS_MAX, Subscription};

type Store = Arc<dyn EventStore>;

async fn take(subscription: &mut Subscription, count: usize) -> Vec<Recorded> {
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.push(subscription.next().await.expect("a subscription does not end").unwrap());
    }
    taken
}

async fn is_silent(subscription: &mut Subscription) -> bool {
    tokio::time::timeout(Duration::from_millis(50), subscription.next()).await.is_err()
}

pub(super) async fn a_subscription_catches_up_and_goes_on_live(store: Store) {
    let (start, stream) = (store.head(), fresh("ticket"));
    append_each(&*store, &stream, 5).await;
    let mut subscription = store.subscribe_all(start);
    assert_eq!(subscription.position(), start);
    assert_eq!(positions(&take(&mut subscription, 5).await), span(start, Position(start.0 + 5)));
    assert!(is_silent(&mut subscription).await);
    for n in 5..10 {
        let appended = append_each(&*store, &stream, 1).await;
        let live = take(&mut subscription, 1).await;
        assert_eq!(positions(&live), [appended[0].first.0]);
        assert_eq!(live[0].revision.0, n);
        assert_eq!(subscription.position(), appended[0].last);
    }
    assert!(is_silent(&mut subscription).await);
}

pub(super) async fn a_subscription_resumes_at_every_cut_point(store: Store) {
    let (start, stream) = (store.head(), fresh("ticket"));
    append_each(&*store, &stream, 6).await;
    let end = Position(start.0 + 12);
    let mut cuts: Vec<_> = (start.0..=end.0).map(|cut| (cut, store.subscribe_all(Position(cut)))).collect();
    // Some subscriptions are in the middle of their first page when the log grows, some wait already.
    for (cut, subscription) in &mut cuts {
        if *cut < start.0 + 6 {
            take(subscription, 1).await;
        } else {
            assert!(is_silent(subscription).await);
        }
    }
    append_each(&*store, &stream, 6).await;
    for (cut, mut subscription) in cuts {
        let skip = usize::from(cut < start.0 + 6);
        let wanted = span(Position(cut), end);
        assert_eq!(positions(&take(&mut subscription, wanted.len() - skip).await), wanted[skip..], "cut at {cut}");
        let mut again = store.subscribe_all(subscription.position());
        assert!(is_silent(&mut again).await, "resumed at {cut}");
    }
}

pub(super) async fn a_subscription_from_beyond_the_head_waits_for_its_place(store: Store) {
    let start = store.head();
    let mut subscription = store.subscribe_all(Position(start.0 + 3));
    append_each(&*store, &fresh("ticket"), 3).await;
    assert!(is_silent(&mut subscription).await);
    append_each(&*store, &fresh("ticket"), 2).await;
    assert_eq!(positions(&take(&mut subscription, 2).await), [start.0 + 4, start.0 + 5]);
}

pub(super) async fn a_subscription_misses_nothing_while_others_write(store: Store) {
    const WRITERS: usize = 16;
    const APPENDS: usize = 12;
    let start = store.head();
    let total = WRITERS * APPENDS * 2;
    let readers = (0..4).map(|_| {
        let mut subscription = store.subscribe_all(start);
        tokio::spawn(async move { take(&mut subscription, total).await })
    });
    let readers: Vec<_> = readers.collect();
    let writers = (0..WRITERS).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let stream = fresh("ticket");
            for _ in 0..APPENDS {
                store.append(&stream, Expected::Any, events(2)).await.unwrap();
            }
        })
    });
    for end in join_all(writers).await {
        end.unwrap();
    }
    let end = Position(start.0 + total as u64);
    for log in join_all(readers).await {
        assert_eq!(positions(&log.unwrap()), span(start, end));
    }
}

pub(super) async fn a_reader_that_sleeps_is_only_further_behind(store: Store) {
    let (start, stream) = (store.head(), fresh("ticket"));
    append_each(&*store, &stream, 1).await;
    let mut subscription = store.subscribe_all(start);
    take(&mut subscription, 1).await;
    let many = SUBSCRIPTION_EVENTS_MAX * 2 + 1;
    for _ in 0..3 {
        store.append(&stream, Expected::Any, events(many / 3 + 1)).await.unwrap();
    }
    let end = store.head();
    let wanted = span(start.next(), end);
    assert_eq!(positions(&take(&mut subscription, wanted.len()).await), wanted);
    assert!(is_silent(&mut subscription).await);
}
