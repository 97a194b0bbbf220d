//! The contract of the port as tests. Every implementation runs the same tests, also one in another crate.
//!
//! [`cases`] hold for every implementation: they compare positions and never count with them. [`dense_cases`] hold for
//! a dense implementation in addition. Each case gets its own store and uses [`EventStore`] only. It does not assume
//! that the log is empty, only that no other writer uses it. A violated guarantee is a panic that names it. Guarantees
//! of one implementation only (files, locks, damage, power failures) are tested beside that implementation.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod appends;
mod dense;
mod races;
mod reads;
mod subscriptions;

use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use uuid::Uuid;

use crate::{Appended, Direction, EventStore, Expected, Locate, NewEvent, Position, Recorded, StreamName};

/// The longest time that one case may take.
pub const CASE_TIME_MAX: Duration = Duration::from_secs(60);

/// A dense implementation, which knows all ids of its log.
pub trait Dense: EventStore + Locate {}

impl<S: EventStore + Locate> Dense for S {}

/// A store to be tested, and a value that must live as long (a temporary folder, a test server).
pub struct Made<S: ?Sized = dyn EventStore> {
    /// The store.
    pub store: Arc<S>,
    /// Dropped after the store.
    pub keep: Box<dyn Any + Send>,
}

impl Made {
    /// A store with the guarantees of the port only.
    pub fn ordered(store: impl EventStore, keep: impl Any + Send) -> Self {
        Self { store: Arc::new(store), keep: Box::new(keep) }
    }
}

impl Made<dyn Dense> {
    /// A dense store.
    pub fn dense(store: impl Dense, keep: impl Any + Send) -> Self {
        Self { store: Arc::new(store), keep: Box::new(keep) }
    }
}

/// One guarantee and its test.
pub struct Case<S: ?Sized = dyn EventStore> {
    /// The guarantee, as a sentence.
    pub name: &'static str,
    /// The test.
    pub run: fn(Arc<S>) -> BoxFuture<'static, ()>,
}

macro_rules! cases {
    ($($module:ident :: $case:ident),* $(,)?) => {
        vec![$(Case { name: stringify!($case), run: |store| Box::pin($module::$case(store)) }),*]
    };
}

/// The guarantees of every implementation, in reading order.
pub fn cases() -> Vec<Case> {
    cases![
        appends::a_first_append_begins_at_revision_zero_and_a_later_position,
        appends::what_was_appended_is_read_back_byte_for_byte,
        appends::what_was_refused_leaves_no_event_behind,
        appends::revisions_count_each_stream_for_itself,
        appends::every_expectation_is_held_against_a_missing_and_a_present_stream,
        appends::a_conflict_names_the_actual_revision_and_appends_nothing,
        appends::several_events_of_one_append_stand_in_their_order,
        appends::a_repeated_append_is_a_duplicate_that_names_the_first_position,
        appends::one_duplicate_among_several_events_appends_none_of_them,
        appends::an_id_given_twice_in_one_append_is_refused,
        appends::an_empty_append_is_refused,
        appends::limits_hold_at_the_limit_and_one_past_it,
        reads::a_missing_stream_is_an_empty_page,
        reads::a_stream_is_read_from_any_revision_in_pages,
        reads::the_log_is_read_forward_from_any_event,
        reads::the_log_is_read_backward_from_any_event,
        reads::every_event_is_read_at_its_own_position_and_none_elsewhere,
        reads::a_page_is_never_longer_than_the_limit,
        reads::an_answer_is_visible_to_every_later_read,
        races::one_of_many_writers_with_the_same_expectation_wins,
        races::one_of_many_identical_appends_is_recorded,
        races::concurrent_appends_stay_whole_and_lose_nothing,
        races::optimistic_writers_count_exactly,
        races::the_head_never_goes_back,
        subscriptions::a_subscription_catches_up_and_goes_on_live,
        subscriptions::a_subscription_resumes_at_every_cut_point,
        subscriptions::a_subscription_misses_nothing_while_others_write,
        subscriptions::a_reader_that_sleeps_is_only_further_behind,
    ]
}

/// The additional guarantees of a dense implementation.
pub fn dense_cases() -> Vec<Case<dyn Dense>> {
    cases![
        dense::positions_have_no_gap_whatever_was_refused_between,
        dense::the_log_is_read_from_any_number,
        dense::a_duplicate_is_recognised_across_streams,
        dense::an_event_is_located_by_its_id,
        dense::a_subscription_from_beyond_the_head_waits_for_its_place,
    ]
}

/// Runs the cases for all implementations, each on a new store.
///
/// # Panics
///
/// The store violates a guarantee.
pub async fn run<F, R>(make: F)
where
    F: Fn() -> R,
    R: Future<Output = Made>,
{
    run_all(cases(), make).await;
}

/// Runs the cases for all implementations and those for dense ones, each on a new store.
///
/// # Panics
///
/// The store violates a guarantee.
pub async fn run_dense<F, R>(make: F)
where
    F: Fn() -> R,
    R: Future<Output = Made<dyn Dense>>,
{
    let ordered = || async {
        let Made { store, keep } = make().await;
        Made { store: store as Arc<dyn EventStore>, keep }
    };
    run_all(cases(), ordered).await;
    run_all(dense_cases(), make).await;
}

async fn run_all<S: ?Sized, F, R>(cases: Vec<Case<S>>, make: F)
where
    F: Fn() -> R,
    R: Future<Output = Made<S>>,
{
    for case in cases {
        let made = make().await;
        eprintln!("contract: {}", case.name);
        let ended = tokio::time::timeout(CASE_TIME_MAX, (case.run)(made.store.clone())).await;
        assert!(ended.is_ok(), "{}: not finished after {CASE_TIME_MAX:?}", case.name);
        drop(made.store);
        drop(made.keep);
    }
}

/// A stream that no other case uses.
pub(crate) fn fresh(category: &str) -> StreamName {
    StreamName::new(category, Uuid::new_v4().simple()).unwrap()
}

/// An event with a random id and short data and meta.
pub(crate) fn event(text: &str) -> NewEvent {
    NewEvent {
        id: Uuid::new_v4(),
        kind: "thing.happened.v1".into(),
        data: text.as_bytes().to_vec(),
        meta: b"{}".to_vec(),
    }
}

pub(crate) fn events(count: usize) -> Vec<NewEvent> {
    (0..count).map(|n| event(&format!("event {n}"))).collect()
}

/// Appends events one by one and returns their positions.
pub(crate) async fn append_each(
    store: &(impl EventStore + ?Sized),
    stream: &StreamName,
    count: usize,
) -> Vec<Appended> {
    let mut places = Vec::new();
    for event in events(count) {
        places.push(store.append(stream, Expected::Any, vec![event]).await.unwrap());
    }
    places
}

pub(crate) fn positions(page: &[Recorded]) -> Vec<Position> {
    page.iter().map(|event| event.position).collect()
}

/// The log after a position, read in pages.
pub(crate) async fn log_after(store: &(impl EventStore + ?Sized), after: Position) -> Vec<Recorded> {
    let mut log: Vec<Recorded> = Vec::new();
    loop {
        let from = log.last().map_or(after, |last| last.position);
        let page = store.read_all(from, 100, Direction::Forward).await.unwrap();
        if page.is_empty() {
            return log;
        }
        log.extend(page);
    }
}
