//! Guarantees about appending: expectations, duplicates, atomicity, limits. One caller at a time; `races` has several.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use super::{append_each, event, events, fresh, log_after};
use crate::{
    APPEND_BYTES_MAX, APPEND_EVENTS_MAX, AppendError, EVENT_BYTES_MAX, EventStore, Expected, KIND_BYTES_MAX, Revision,
};

type Store = Arc<dyn EventStore>;

pub(super) async fn a_first_append_begins_at_revision_zero_and_a_later_position(store: Store) {
    let start = store.head();
    let appended = store.append(&fresh("ticket"), Expected::NoStream, events(1)).await.unwrap();
    assert_eq!((appended.first, appended.revision), (appended.last, Revision::FIRST));
    assert!(appended.first > start && store.head() >= appended.last);
}

pub(super) async fn what_was_appended_is_read_back_byte_for_byte(store: Store) {
    let stream = fresh("ticket");
    let mut odd = event("");
    odd.data = (0..=255).collect();
    odd.meta = vec![0; 100];
    odd.kind = "\u{5de5}\u{5355}.v1".into();
    let given = vec![event("one"), odd];
    let appended = store.append(&stream, Expected::Any, given.clone()).await.unwrap();
    let page = store.read_stream(&stream, Revision::FIRST, 10).await.unwrap();
    assert_eq!(page.len(), 2);
    assert_eq!((page[0].position, page[1].position), (appended.first, appended.last));
    for ((found, given), n) in page.iter().zip(&given).zip(0..) {
        assert_eq!((&found.stream, found.revision), (&stream, Revision(n)));
        assert_eq!((found.id, &found.kind), (given.id, &given.kind));
        assert_eq!((&found.data, &found.meta), (&given.data, &given.meta));
    }
}

pub(super) async fn what_was_refused_leaves_no_event_behind(store: Store) {
    let (start, stream) = (store.head(), fresh("ticket"));
    let known = event("known");
    let mut ids = vec![known.id];
    store.append(&stream, Expected::Any, vec![known.clone()]).await.unwrap();
    for _ in 0..3 {
        store.append(&stream, Expected::NoStream, events(2)).await.unwrap_err();
        store.append(&stream, Expected::Any, vec![event("new"), known.clone()]).await.unwrap_err();
        store.append(&fresh("crew"), Expected::Exists, events(1)).await.unwrap_err();
        let given = events(3);
        ids.extend(given.iter().map(|event| event.id));
        store.append(&fresh("crew"), Expected::Any, given).await.unwrap();
    }
    let all = log_after(&*store, start).await;
    assert!(all.iter().map(|event| event.id).eq(ids));
    assert!(all.windows(2).all(|pair| pair[0].position < pair[1].position));
}

pub(super) async fn revisions_count_each_stream_for_itself(store: Store) {
    let (one, two) = (fresh("ticket"), fresh("crew"));
    for n in 0..5 {
        for stream in [&one, &two] {
            let appended = store.append(stream, Expected::Any, events(1)).await.unwrap();
            assert_eq!(appended.revision, Revision(n));
        }
    }
}

pub(super) async fn every_expectation_is_held_against_a_missing_and_a_present_stream(store: Store) {
    let present = fresh("ticket");
    append_each(&*store, &present, 2).await;
    let table = [
        (Expected::Any, true, true),
        (Expected::NoStream, true, false),
        (Expected::Exists, false, true),
        (Expected::Revision(Revision(0)), false, false),
        (Expected::Revision(Revision(1)), false, true),
        (Expected::Revision(Revision(2)), false, false),
        (Expected::Revision(Revision(u64::MAX)), false, false),
    ];
    for (expected, on_missing, on_present) in table {
        let missing = store.append(&fresh("ticket"), expected, events(1)).await;
        assert_eq!(missing.is_ok(), on_missing, "{expected:?} against a missing stream: {missing:?}");
        let twin = fresh("ticket");
        append_each(&*store, &twin, 2).await;
        let there = store.append(&twin, expected, events(1)).await;
        assert_eq!(there.is_ok(), on_present, "{expected:?} against a present stream: {there:?}");
    }
}

pub(super) async fn a_conflict_names_the_actual_revision_and_appends_nothing(store: Store) {
    let stream = fresh("ticket");
    let refused = store.append(&stream, Expected::Revision(Revision(0)), events(1)).await;
    assert!(matches!(refused, Err(AppendError::Conflict { actual: None })), "{refused:?}");
    append_each(&*store, &stream, 3).await;
    let head = store.head();
    for expected in [Expected::NoStream, Expected::Revision(Revision(1)), Expected::Revision(Revision(9))] {
        let refused = store.append(&stream, expected, events(2)).await;
        assert!(matches!(refused, Err(AppendError::Conflict { actual: Some(Revision(2)) })), "{refused:?}");
    }
    assert_eq!(store.head(), head);
    assert_eq!(store.read_stream(&stream, Revision::FIRST, 10).await.unwrap().len(), 3);
}

pub(super) async fn several_events_of_one_append_stand_in_their_order(store: Store) {
    let (start, stream) = (store.head(), fresh("ticket"));
    let given = events(APPEND_EVENTS_MAX.min(40));
    let appended = store.append(&stream, Expected::NoStream, given.clone()).await.unwrap();
    assert_eq!(appended.revision, Revision(39));
    let page = store.read_stream(&stream, Revision::FIRST, 100).await.unwrap();
    assert_eq!((page[0].position, page[39].position), (appended.first, appended.last));
    assert_eq!(page, log_after(&*store, start).await);
    assert!(page.iter().map(|event| event.id).eq(given.iter().map(|event| event.id)));
}

pub(super) async fn a_repeated_append_is_a_duplicate_that_names_the_first_position(store: Store) {
    let stream = fresh("ticket");
    let given = events(3);
    let first = store.append(&stream, Expected::NoStream, given.clone()).await.unwrap();
    append_each(&*store, &stream, 2).await;
    let head = store.head();
    // For any expectation the answer is that the append is a repetition.
    for expected in [Expected::NoStream, Expected::Any, Expected::Exists, Expected::Revision(Revision(2))] {
        let again = store.append(&stream, expected, given.clone()).await;
        assert!(matches!(again, Err(AppendError::Duplicate { position }) if position == first.first), "{again:?}");
    }
    assert_eq!(store.head(), head);
}

pub(super) async fn one_duplicate_among_several_events_appends_none_of_them(store: Store) {
    let stream = fresh("ticket");
    let known = event("known");
    let first = store.append(&stream, Expected::Any, vec![known.clone()]).await.unwrap();
    let head = store.head();
    for place in 0..4 {
        let mut given = events(3);
        given.insert(place, known.clone());
        let refused = store.append(&stream, Expected::Exists, given).await;
        assert!(matches!(refused, Err(AppendError::Duplicate { position }) if position == first.first), "{refused:?}");
        assert_eq!(store.head(), head);
        assert_eq!(store.read_stream(&stream, Revision::FIRST, 10).await.unwrap().len(), 1);
    }
    let appended = store.append(&stream, Expected::Revision(Revision(0)), events(2)).await.unwrap();
    assert!(appended.first > head);
    assert_eq!(appended.revision, Revision(2));
}

pub(super) async fn an_id_given_twice_in_one_append_is_refused(store: Store) {
    let head = store.head();
    for count in [2, 30] {
        let mut given = events(count);
        given[count - 1].id = given[0].id;
        let id = given[0].id;
        let refused = store.append(&fresh("ticket"), Expected::Any, given).await;
        assert!(matches!(refused, Err(AppendError::Repeated { id: found }) if found == id), "{refused:?}");
    }
    assert_eq!(store.head(), head);
}

pub(super) async fn an_empty_append_is_refused(store: Store) {
    let stream = fresh("ticket");
    let refused = store.append(&stream, Expected::Any, Vec::new()).await;
    assert!(matches!(refused, Err(AppendError::Empty)), "{refused:?}");
    let mut nameless = event("no kind");
    nameless.kind = "".into();
    let refused = store.append(&stream, Expected::Any, vec![nameless]).await;
    assert!(matches!(refused, Err(AppendError::Empty)), "{refused:?}");
    assert!(store.read_stream(&stream, Revision::FIRST, 1).await.unwrap().is_empty());
}

pub(super) async fn limits_hold_at_the_limit_and_one_past_it(store: Store) {
    let sized = |data: usize, meta: usize| {
        let mut event = event("");
        (event.data, event.meta) = (vec![7; data], vec![8; meta]);
        event
    };
    let kind = |bytes: usize| {
        let mut event = event("");
        event.kind = "k".repeat(bytes).into();
        event
    };
    let stream = fresh("ticket");
    store.append(&stream, Expected::Any, vec![sized(EVENT_BYTES_MAX - 10, 10)]).await.unwrap();
    store.append(&stream, Expected::Any, vec![kind(KIND_BYTES_MAX)]).await.unwrap();
    store.append(&stream, Expected::Any, events(APPEND_EVENTS_MAX)).await.unwrap();
    let many = APPEND_BYTES_MAX / EVENT_BYTES_MAX;
    let large = || (0..many - 1).map(|_| sized(EVENT_BYTES_MAX - 17, 0)).collect::<Vec<_>>();
    let rest = APPEND_BYTES_MAX - (many - 1) * EVENT_BYTES_MAX - 17;
    store.append(&stream, Expected::Any, large().into_iter().chain([sized(rest, 0)]).collect()).await.unwrap();
    let head = store.head();
    let past = [
        vec![sized(EVENT_BYTES_MAX - 9, 10)],
        vec![kind(KIND_BYTES_MAX + 1)],
        events(APPEND_EVENTS_MAX + 1),
        large().into_iter().chain([sized(rest + 1, 0)]).collect(),
    ];
    for given in past {
        let refused = store.append(&stream, Expected::Any, given).await;
        assert!(matches!(refused, Err(AppendError::TooLarge { .. })), "{refused:?}");
    }
    assert_eq!(store.head(), head);
}
