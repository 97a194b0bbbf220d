//! Projectors: every fact once and in order, whatever happens to the model.

use std::{
    error::Error,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use switchboard_domain::{fact::Fact, position::LogId, read_model::ReadModel};
use switchboard_engine::{
    feed::Feed,
    follower::STEP_FACTS_MAX,
    projector::{project, project_resting},
};
use tokio::time::timeout;

use crate::{
    feed::{PATIENCE, append_unknown_kind},
    house::{House, open, request, supplement},
};

/// A model that records what it is given.
#[derive(Default)]
struct Diary {
    begun_at: u64,
    tries: AtomicU64,
    applied: Mutex<Vec<u64>>,
    upto: AtomicU64,
    log: Mutex<LogId>,
    /// True for a model that panics in its first step, and fails in the second.
    frail: bool,
}

impl ReadModel for Diary {
    fn name(&self) -> &'static str {
        "diary"
    }

    fn checkpoint(&self) -> u64 {
        self.begun_at
    }

    fn name_log(&self, log: LogId) -> Result<(), Box<dyn Error + Send + Sync>> {
        assert_ne!(log, LogId::EMPTY, "facts come from a log that has a name");
        *self.log.lock().unwrap() = log;
        Ok(())
    }

    fn apply(&self, facts: &[Arc<Fact>], upto: u64) -> Result<(), Box<dyn Error + Send + Sync>> {
        match self.tries.fetch_add(1, Ordering::SeqCst) {
            0 if self.frail => panic!("on purpose"),
            1 if self.frail => return Err("on purpose".into()),
            _ => {}
        }
        self.applied.lock().unwrap().extend(facts.iter().map(|fact| fact.position()));
        assert!(self.upto.swap(upto, Ordering::SeqCst) < upto, "a step goes forward");
        Ok(())
    }
}

#[tokio::test]
async fn a_model_that_fails_twice_is_given_every_fact_once_and_in_order() {
    let house = House::new();
    let engine = house.engine();
    let id = open(&engine, 1).await;
    for n in 2..=20 {
        engine.execute(&id, &supplement("more"), &request(n)).await.unwrap();
    }
    let (feed, following) = Feed::follow(Arc::clone(&house.store)).await.unwrap();
    let model = Arc::new(Diary { frail: true, ..Diary::default() });
    let (progress, projecting) = project(&feed, model.clone());
    assert_eq!(progress.position(), 0);
    assert!(timeout(PATIENCE, progress.reach(house.last().await)).await.expect("it is tried again"));
    for n in 21..=30 {
        engine.execute(&id, &supplement("more"), &request(n)).await.unwrap();
    }
    assert!(timeout(PATIENCE, progress.reach(house.last().await)).await.expect("it goes on"));
    let places = house.places().await;
    assert_eq!((places.len(), progress.position()), (30, places[29]));
    assert_eq!(*model.applied.lock().unwrap(), places);
    assert_eq!(*model.log.lock().unwrap(), feed.reached().log);
    projecting.abort();
    following.abort();
}

#[tokio::test]
async fn a_model_goes_on_after_its_checkpoint_and_reaches_positions_that_hold_no_fact_for_it() {
    let house = House::new();
    let engine = house.engine();
    let id = open(&engine, 1).await;
    for n in 2..=STEP_FACTS_MAX as u128 + 50 {
        engine.execute(&id, &supplement("more"), &request(n)).await.unwrap();
    }
    append_unknown_kind(&house, id).await;
    let places = house.places().await;
    let (begun_at, last) = (places[6], places[places.len() - 1]);
    let (feed, following) = Feed::follow(Arc::clone(&house.store)).await.unwrap();
    let model = Arc::new(Diary { begun_at, upto: begun_at.into(), ..Diary::default() });
    let (progress, projecting) = project(&feed, model.clone());
    assert!(timeout(PATIENCE, progress.reach(last)).await.expect("it gets there"));
    assert_eq!(*model.applied.lock().unwrap(), places[7..places.len() - 1]);
    assert_eq!(model.upto.load(Ordering::SeqCst), last);
    projecting.abort();
    following.abort();
}

#[tokio::test]
async fn who_waits_for_a_projector_that_stopped_is_told_so() {
    let house = House::new();
    open(&house.engine(), 1).await;
    let (feed, following) = Feed::follow(Arc::clone(&house.store)).await.unwrap();
    let (progress, projecting) = project(&feed, Arc::new(Diary::default()));
    assert!(timeout(PATIENCE, progress.reach(house.last().await)).await.expect("it gets there"));
    projecting.abort();
    assert!(!timeout(PATIENCE, progress.reach(house.last().await + 1)).await.expect("nobody waits for ever"));
    following.abort();
}

#[tokio::test]
async fn a_projector_does_not_rest_while_a_reader_waits() {
    let house = House::new();
    let engine = house.engine();
    let (feed, following) = Feed::follow(Arc::clone(&house.store)).await.unwrap();
    let (progress, projecting) = project_resting(&feed, Arc::new(Diary::default()), Duration::MAX);
    for n in 1..=5 {
        open(&engine, n).await;
        let reached = timeout(PATIENCE, progress.reach(house.last().await)).await;
        assert_eq!(reached, Ok(true), "it would rest for ever");
    }
    projecting.abort();
    following.abort();
}
