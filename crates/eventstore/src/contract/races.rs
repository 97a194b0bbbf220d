//! Guarantees under concurrency: one append wins, none is recorded twice, and nothing is lost or incomplete.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use futures::future::join_all;

use super::{append_each, events, fresh, log_after};
use crate::{AppendError, EventStore, Expected, Revision};

type Store = Arc<dyn EventStore>;

const WRITERS: usize = 32;

pub(super) async fn one_of_many_writers_with_the_same_expectation_wins(store: Store) {
    let stream = fresh("ticket");
    append_each(&*store, &stream, 1).await;
    for round in 0..10 {
        let expected = Expected::Revision(Revision(round));
        let race = (0..WRITERS).map(|_| {
            let (store, stream) = (store.clone(), stream.clone());
            tokio::spawn(async move { store.append(&stream, expected, events(1)).await })
        });
        let mut winners = 0;
        for end in join_all(race).await {
            match end.unwrap() {
                Ok(appended) => {
                    winners += 1;
                    assert_eq!(appended.revision, Revision(round + 1));
                }
                Err(AppendError::Conflict { actual }) => assert_eq!(actual, Some(Revision(round + 1))),
                Err(other) => panic!("neither won nor lost: {other:?}"),
            }
        }
        assert_eq!(winners, 1, "round {round}");
    }
}

pub(super) async fn one_of_many_identical_appends_is_recorded(store: Store) {
    let (start, given, stream) = (store.head(), events(2), fresh("ticket"));
    let race = (0..WRITERS).map(|n| {
        let (store, given, stream) = (store.clone(), given.clone(), stream.clone());
        let expected = if n % 2 == 0 { Expected::NoStream } else { Expected::Any };
        tokio::spawn(async move { store.append(&stream, expected, given).await })
    });
    let mut answers = Vec::new();
    for end in join_all(race).await {
        answers.push(end.unwrap());
    }
    let won: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    let [won] = won[..] else { panic!("recorded {} times", won.len()) };
    for lost in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(matches!(lost, AppendError::Duplicate { position } if *position == won.first), "{lost:?}");
    }
    assert_eq!(log_after(&*store, start).await.len(), 2);
}

pub(super) async fn concurrent_appends_stay_whole_and_lose_nothing(store: Store) {
    let start = store.head();
    let shared = fresh("policy");
    let writers = (0..WRITERS).map(|n| {
        let (store, shared) = (store.clone(), shared.clone());
        tokio::spawn(async move {
            let own = fresh("ticket");
            let mut places = Vec::new();
            for round in 0..8 {
                let stream = if round % 2 == 0 { &own } else { &shared };
                let given = events(1 + (n + round) % 4);
                let ids: Vec<_> = given.iter().map(|event| event.id).collect();
                // A rejected append in between must not affect others.
                store.append(&own, Expected::Revision(Revision(1_000_000)), events(1)).await.unwrap_err();
                places.push((store.append(stream, Expected::Any, given).await.unwrap(), stream.clone(), ids));
            }
            places
        })
    });
    let places: Vec<_> = join_all(writers).await.into_iter().flat_map(Result::unwrap).collect();
    let log = log_after(&*store, start).await;
    assert!(log.windows(2).all(|pair| pair[0].position < pair[1].position));
    assert_eq!(log.len(), places.iter().map(|(_, _, ids)| ids.len()).sum::<usize>());
    for (appended, stream, ids) in places {
        let of_stream: Vec<_> = log.iter().filter(|event| event.stream == stream).collect();
        let from = of_stream.iter().position(|event| event.position == appended.first).unwrap();
        let whole = &of_stream[from..from + ids.len()];
        assert_eq!(whole.last().unwrap().position, appended.last);
        assert_eq!(whole.last().unwrap().revision, appended.revision);
        assert!(whole.iter().map(|event| event.id).eq(ids));
    }
}

pub(super) async fn optimistic_writers_count_exactly(store: Store) {
    let stream = fresh("policy");
    append_each(&*store, &stream, 1).await;
    let writers = (0..8).map(|_| {
        let (store, stream) = (store.clone(), stream.clone());
        tokio::spawn(async move {
            let mut revision = Revision::FIRST;
            for _ in 0..5 {
                revision = loop {
                    match store.append(&stream, Expected::Revision(revision), events(1)).await {
                        Ok(appended) => break appended.revision,
                        Err(AppendError::Conflict { actual }) => {
                            let actual = actual.unwrap();
                            assert!(actual > revision, "a conflict must show something newer");
                            revision = actual;
                        }
                        Err(other) => panic!("{other:?}"),
                    }
                };
            }
        })
    });
    for end in join_all(writers).await {
        end.unwrap();
    }
    assert_eq!(store.read_stream(&stream, Revision::FIRST, 100).await.unwrap().len(), 41);
}

pub(super) async fn the_head_never_goes_back(store: Store) {
    let start = store.head();
    let mut watch = store.watch_head();
    let (done, mut end) = tokio::sync::oneshot::channel();
    let watcher = tokio::spawn(async move {
        let mut seen = *watch.borrow_and_update();
        let mut last = None;
        while last.is_none_or(|last| seen < last) {
            tokio::select! {
                found = &mut end, if last.is_none() => last = Some(found.unwrap()),
                moved = watch.changed() => {
                    moved.unwrap();
                    let now = *watch.borrow_and_update();
                    assert!(now > seen, "{now} after {seen}");
                    seen = now;
                }
            }
        }
    });
    let writers = (0..WRITERS).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            for place in append_each(&*store, &fresh("ticket"), 5).await {
                assert!(store.head() >= place.last);
            }
        })
    });
    for end in join_all(writers).await {
        end.unwrap();
    }
    assert_eq!(log_after(&*store, start).await.len(), 5 * WRITERS);
    done.send(store.head()).unwrap();
    watcher.await.unwrap();
}
