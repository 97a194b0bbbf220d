//! Guarantees about subscriptions: catch up, continue live, resume. Every event is delivered once, in order.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;

use super::{append_each, events, fresh, log_after, positions};
use crate::{EventStore, Expected, Recorded, SUBSCRIPTION_EVENTS_MAX, Subscription};

type Store = Arc<dyn EventStore>;

pub(super) async fn take(subscription: &mut Subscription, count: usize) -> Vec<Recorded> {
    let mut taken = Vec::new();
    while taken.len() < count {
        taken.push(subscription.next().await.expect("a subscription does not end").unwrap());
    }
    taken
}

pub(super) async fn is_silent(subscription: &mut Subscription) -> bool {
    tokio::time::timeout(Duration::from_millis(50), subscription.next()).await.is_err()
}

pub(super) async fn a_subscription_catches_up_and_goes_on_live(store: Store) {
    let (start, stream) = (store.head(), fresh("ticket"));
    append_each(&*store, &stream, 5).await;
    let mut subscription = store.subscribe_all(start);
    assert_eq!(subscription.position(), start);
    assert_eq!(take(&mut subscription, 5).await, log_after(&*store, start).await);
    assert!(is_silent(&mut subscription).await);
    for n in 5..10 {
        let appended = append_each(&*store, &stream, 1).await;
        let live = take(&mut subscription, 1).await;
        assert_eq!(positions(&live), [appended[0].first]);
        assert_eq!(live[0].revision.0, n);
        assert_eq!(subscription.position(), appended[0].last);
    }
    assert!(is_silent(&mut subscription).await);
}

pub(super) async fn a_subscription_resumes_at_every_cut_point(store: Store) {
    let (start, stream) = (store.head(), fresh("ticket"));
    append_each(&*store, &stream, 6).await;
    let known = positions(&log_after(&*store, start).await);
    let mut cuts: Vec<_> =
        [start].into_iter().chain(known).enumerate().map(|(read, cut)| (read, store.subscribe_all(cut))).collect();
    // When the log grows, some subscriptions are in the middle of their first page, and one waits already.
    for (read, subscription) in &mut cuts {
        if *read < 6 {
            take(subscription, 1).await;
        } else {
            assert!(is_silent(subscription).await);
        }
    }
    append_each(&*store, &stream, 6).await;
    let all = log_after(&*store, start).await;
    for (read, mut subscription) in cuts {
        let taken = if read < 6 { read + 1 } else { read };
        assert_eq!(take(&mut subscription, 12 - taken).await, all[taken..], "cut after {read}");
        let mut again = store.subscribe_all(subscription.position());
        assert!(is_silent(&mut again).await, "resumed after {read}");
    }
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
    let all = log_after(&*store, start).await;
    for log in join_all(readers).await {
        assert_eq!(log.unwrap(), all);
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
    let wanted = log_after(&*store, subscription.position()).await;
    assert!(wanted.len() >= many);
    assert_eq!(take(&mut subscription, wanted.len()).await, wanted);
    assert!(is_silent(&mut subscription).await);
}
