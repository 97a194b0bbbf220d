//! A store with faults: the answer that the caller gets, and the effect of a repeated request.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use switchboard_engine::command::{CONFLICTS_MAX, Failure};
use switchboard_eventstore::{
    AppendError, Appended, Direction, EventStore, Expected, NewEvent, Position, ReadError, Recorded, Revision,
    StreamName, Subscription, memory::MemoryStore,
};
use tokio::sync::watch;

use crate::house::{House, ask_to_open, open, request, supplement};

/// The fault of one append.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// The events are recorded, but the answer is lost.
    AnswerLost,
    /// Nothing is recorded.
    Unavailable,
    /// Every attempt conflicts with another writer.
    Conflict,
    /// The events are recorded, but no answer ever comes.
    Silence,
}

/// A log in memory whose next appends have these faults. Every other append yields once and succeeds.
pub struct Faulty {
    log: MemoryStore,
    coming: Mutex<VecDeque<Fault>>,
    /// The number of appends that were tried.
    appends: AtomicUsize,
    /// The number of further reads of a stream that fail.
    blind: AtomicUsize,
    /// The position up to which subscriptions get the log.
    lag: Mutex<Option<watch::Receiver<Position>>>,
}

impl Faulty {
    pub fn sound() -> Self {
        Self {
            log: crate::store(),
            coming: Mutex::default(),
            appends: AtomicUsize::new(0),
            blind: AtomicUsize::new(0),
            lag: Mutex::default(),
        }
    }

    /// Makes the next `reads` reads of streams fail.
    pub fn blind(&self, reads: usize) {
        self.blind.store(reads, Ordering::SeqCst);
    }

    /// The number of reads that still have to fail.
    pub fn blinded(&self) -> usize {
        self.blind.load(Ordering::SeqCst)
    }

    /// Makes later subscriptions lag: they get the log up to the position that is sent.
    pub fn lag(&self) -> watch::Sender<Position> {
        let (allowed, lag) = watch::channel(self.log.head());
        *self.lag.lock().unwrap() = Some(lag);
        allowed
    }

    /// Sets the faults of the next appends.
    pub fn meet(&self, faults: &[Fault]) {
        self.coming.lock().unwrap().extend(faults);
    }

    fn coming(&self) -> usize {
        self.coming.lock().unwrap().len()
    }
}

#[async_trait]
impl EventStore for Faulty {
    async fn append(
        &self,
        stream: &StreamName,
        expected: Expected,
        events: Vec<NewEvent>,
    ) -> Result<Appended, AppendError> {
        self.appends.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        let fault = self.coming.lock().unwrap().pop_front();
        match fault {
            None => self.log.append(stream, expected, events).await,
            Some(Fault::AnswerLost) => {
                self.log.append(stream, expected, events).await?;
                Err(AppendError::OutcomeUnknown("the answer was lost".into()))
            }
            Some(Fault::Unavailable) => Err(AppendError::Unavailable("not now".into())),
            Some(Fault::Conflict) => Err(AppendError::Conflict { actual: None }),
            Some(Fault::Silence) => {
                self.log.append(stream, expected, events).await?;
                std::future::pending().await
            }
        }
    }

    async fn read_stream(&self, stream: &StreamName, from: Revision, max: usize) -> Result<Vec<Recorded>, ReadError> {
        let fewer = |left: usize| left.checked_sub(1);
        if self.blind.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_ok() {
            return Err(ReadError::Unavailable("not now".into()));
        }
        self.log.read_stream(stream, from, max).await
    }

    async fn read_all(&self, after: Position, max: usize, direction: Direction) -> Result<Vec<Recorded>, ReadError> {
        self.log.read_all(after, max, direction).await
    }

    async fn read_at(&self, position: Position) -> Result<Option<Recorded>, ReadError> {
        self.log.read_at(position).await
    }

    fn head(&self) -> Position {
        self.log.head()
    }

    fn watch_head(&self) -> watch::Receiver<Position> {
        self.log.watch_head()
    }

    fn subscribe_all(&self, after: Position) -> Subscription {
        let Some(lag) = self.lag.lock().unwrap().clone() else { return self.log.subscribe_all(after) };
        let (log, allowed) = (self.log.clone(), lag.clone());
        Subscription::new(after, lag, move |after, max| {
            let (log, allowed) = (log.clone(), *allowed.borrow());
            async move {
                let page = log.read_all(after, max, Direction::Forward).await?;
                Ok(page.into_iter().take_while(|event| event.position <= allowed).collect())
            }
        })
    }
}

fn house() -> (Arc<Faulty>, House) {
    let store = Arc::new(Faulty::sound());
    (store.clone(), House::over(store))
}

#[tokio::test]
async fn a_lost_answer_is_an_unknown_outcome_and_the_same_request_is_told_that_it_was_done() {
    for restarts in [false, true] {
        let (store, house) = house();
        let mut engine = house.engine();
        store.meet(&[Fault::AnswerLost]);
        let lost = ask_to_open(&engine, 1).await;
        assert!(matches!(lost, Err(Failure::OutcomeUnknown(_))), "{lost:?}");
        if restarts {
            engine = house.engine();
        }
        assert!(ask_to_open(&engine, 1).await.unwrap().replayed);
        let id = open(&engine, 1).await;

        store.meet(&[Fault::AnswerLost]);
        let lost = engine.execute(&id, &supplement("one"), &request(2)).await;
        assert!(matches!(lost, Err(Failure::OutcomeUnknown(_))), "{lost:?}");
        if restarts {
            engine = house.engine();
        }
        let again = engine.execute(&id, &supplement("one"), &request(2)).await.unwrap();
        assert_eq!((again.replayed, again.revision, house.count().await), (true, 1, 2));
        let next = engine.execute(&id, &supplement("two"), &request(3)).await.unwrap();
        assert_eq!((next.replayed, next.revision), (false, 2));
    }
}

#[tokio::test]
async fn a_store_that_took_nothing_is_unavailable_and_the_same_request_is_then_recorded() {
    let (store, house) = house();
    let engine = house.engine();
    store.meet(&[Fault::Unavailable]);
    let refusal = ask_to_open(&engine, 1).await;
    assert!(matches!(refusal, Err(Failure::Unavailable(_))), "{refusal:?}");
    assert!(!ask_to_open(&engine, 1).await.unwrap().replayed);
    let id = open(&engine, 1).await;
    store.meet(&[Fault::Unavailable]);
    let refusal = engine.execute(&id, &supplement("one"), &request(2)).await;
    assert!(matches!(refusal, Err(Failure::Unavailable(_))), "{refusal:?}");
    let told = engine.execute(&id, &supplement("one"), &request(2)).await.unwrap();
    assert_eq!((told.replayed, told.revision, house.count().await), (false, 1, 2));
}

#[tokio::test]
async fn a_command_gives_up_after_so_many_conflicts_and_not_before() {
    let (store, house) = house();
    let engine = house.engine();
    let id = open(&engine, 1).await;
    store.meet(&[Fault::Conflict; CONFLICTS_MAX]);
    let refusal = engine.execute(&id, &supplement("one"), &request(2)).await;
    assert!(matches!(refusal, Err(Failure::Contended)), "{refusal:?}");
    assert_eq!((store.coming(), house.count().await), (0, 1));
    store.meet(&[Fault::Conflict; CONFLICTS_MAX - 1]);
    assert!(!engine.execute(&id, &supplement("one"), &request(2)).await.unwrap().replayed);
}

#[tokio::test]
async fn a_ticket_with_a_fact_that_cannot_be_read_takes_no_command_and_its_neighbour_does() {
    let house = House::new();
    let engine = house.engine();
    let (sick, sound) = (open(&engine, 1).await, open(&engine, 2).await);
    crate::feed::append_unknown_kind(&house, sick).await;
    let refusal = house.engine().execute(&sick, &supplement("one"), &request(3)).await;
    let Err(Failure::Corrupt(detail)) = refusal else { panic!("{refusal:?}") };
    assert!(detail.contains(&format!("position {}", house.last().await)), "{detail}");
    // An engine that has the ticket in memory must not append after facts that it cannot read.
    let refusal = engine.execute(&sick, &supplement("one"), &request(3)).await;
    assert!(matches!(refusal, Err(Failure::Corrupt(_))), "{refusal:?}");
    assert!(engine.execute(&sound, &supplement("one"), &request(4)).await.is_ok());
}

#[tokio::test]
async fn the_state_behind_an_append_that_its_caller_gave_up_is_not_used_again() {
    let (store, house) = house();
    let engine = Arc::new(house.engine());
    let id = open(&engine, 1).await;
    store.meet(&[Fault::Silence]);
    let (asked, mut head) = (Arc::clone(&engine), house.store.watch_head());
    let asking = tokio::spawn(async move { asked.execute(&id, &supplement("one"), &request(2)).await });
    head.wait_for(|head| *head > Position::START).await.unwrap();
    while house.count().await < 2 {
        head.changed().await.unwrap();
    }
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());

    let tried = store.appends.load(Ordering::SeqCst);
    let next = engine.execute(&id, &supplement("two"), &request(3)).await.unwrap();
    assert_eq!(
        (next.revision, store.appends.load(Ordering::SeqCst)),
        (2, tried + 1),
        "no conflict with its own append"
    );
}
