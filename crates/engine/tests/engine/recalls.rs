//! Processes that drop tickets: the history comes back once, complete and in order, before the fact that needs it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use switchboard_domain::{
    Timestamp,
    decider::{Action, Process, Projection},
    fact::Fact,
    sla::promise::Promises,
    ticket::{Command, Event, TicketId},
};
use switchboard_engine::{
    feed::Feed,
    reactor::{self, ActionOutcome, Pace, Start},
};
use switchboard_eventstore::{Expected, StreamName};
use tokio::{sync::watch, task::JoinHandle, time::timeout};

use crate::{
    faults::Faulty,
    feed::{PATIENCE, new_event},
    house::{Engine, House, open, request, supplement, warned},
};

/// A process that drops a ticket when it is withdrawn, and records the facts that it gets.
struct Forgetful {
    held: BTreeSet<TicketId>,
    told: Arc<Mutex<Vec<u64>>>,
    last: watch::Sender<u64>,
}

impl Projection for Forgetful {
    type Event = Fact;

    fn apply(&mut self, fact: &Fact) {
        self.told.lock().unwrap().push(fact.position());
        if let Fact::Ticket(fact) = fact {
            if matches!(fact.event, Event::Withdrawn(_)) {
                self.held.remove(&fact.id);
            } else {
                self.held.insert(fact.id);
            }
        }
        self.last.send_replace(fact.position());
    }
}

impl Process for Forgetful {
    type Intent = ();

    fn name(&self) -> &'static str {
        "forgetful"
    }

    fn pending(&mut self, _: Timestamp, _: usize) -> Vec<Action<()>> {
        Vec::new()
    }

    fn forgotten(&self, fact: &Fact) -> Option<TicketId> {
        let fact = fact.ticket()?;
        (fact.revision > 0 && !self.held.contains(&fact.id)).then_some(fact.id)
    }

    fn refused(&mut self, want: &Action<()>, reason: &str) {
        panic!("{want:?}: {reason}")
    }
}

/// A forgetful process on a house.
struct Listening {
    tasks: [JoinHandle<()>; 2],
    told: Arc<Mutex<Vec<u64>>>,
    last: watch::Receiver<u64>,
}

impl Listening {
    async fn start(house: &House) -> Self {
        let (told, (last, seen)) = (Arc::default(), watch::channel(0));
        let process = Forgetful { held: BTreeSet::new(), told: Arc::clone(&told), last };
        let (feed, following) = Feed::follow(Arc::clone(&house.store)).await.unwrap();
        let start = Start::at(0, process);
        let task = reactor::run(&feed, house.clock.clone(), start, Pace::default(), async |_| ActionOutcome::Later);
        Self { tasks: [following, task], told, last: seen }
    }

    /// The facts that it got up to the log's last fact, counted from 1.
    async fn told(mut self, house: &House) -> Vec<usize> {
        let places = house.places().await;
        timeout(PATIENCE, self.last.wait_for(|at| Some(at) == places.last())).await.expect("it is told").unwrap();
        self.tasks.iter().for_each(JoinHandle::abort);
        let told = self.told.lock().unwrap();
        told.iter().map(|position| places.binary_search(position).unwrap() + 1).collect()
    }
}

async fn withdraw(engine: &Engine, id: TicketId, n: u128) {
    engine.execute(&id, &Command::Withdraw { reason: "It came back.".into() }, &request(n)).await.unwrap();
}

async fn reveal(engine: &Engine, id: TicketId, n: u128) {
    engine.execute(&id, &Command::Reveal { purpose: "to call back".into() }, &request(n)).await.unwrap();
}

/// A ticket is withdrawn (facts 1, 3, 4, 6) and has promise events before and after that (5, 7), between the facts of
/// another ticket (2, 8). Then its personal data is shown twice (9, 10).
async fn story(house: &House) {
    let (engine, said) = (house.engine(), house.aggregates::<Promises>());
    let (gone, other) = (open(&engine, 1).await, open(&engine, 2).await);
    engine.execute(&gone, &supplement("more"), &request(3)).await.unwrap();
    engine.execute(&gone, &supplement("and more"), &request(4)).await.unwrap();
    said.execute(&gone, &warned(1), &request(5)).await.unwrap();
    withdraw(&engine, gone, 6).await;
    said.execute(&gone, &warned(2), &request(7)).await.unwrap();
    engine.execute(&other, &supplement("more"), &request(8)).await.unwrap();
    reveal(&engine, gone, 9).await;
    reveal(&engine, gone, 10).await;
}

/// All facts as they come. Before fact 9, the first ticket fact after the withdrawal, the ticket's own facts come
/// again.
const TOLD: [usize; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 4, 5, 6, 7, 9, 10];

#[tokio::test]
async fn a_history_comes_back_once_before_the_fact_that_it_is_needed_for() {
    for late in [false, true] {
        let house = House::new();
        if late {
            story(&house).await;
        }
        let listening = Listening::start(&house).await;
        if !late {
            story(&house).await;
        }
        assert_eq!(listening.told(&house).await, TOLD, "late: {late}");
    }
}

#[tokio::test]
async fn a_history_that_cannot_be_read_is_waited_for_and_not_passed_over() {
    let store = Arc::new(Faulty::sound());
    let house = House::over(store.clone());
    story(&house).await;
    store.blind(2);
    assert_eq!(Listening::start(&house).await.told(&house).await, TOLD);
    assert_eq!(store.blinded(), 0, "it was tried again as often as it failed");
}

#[tokio::test]
async fn a_fact_of_a_promise_that_cannot_be_read_stops_nobody_today_and_in_a_history() {
    let house = House::new();
    let (engine, said) = (house.engine(), house.aggregates::<Promises>());
    let id = open(&engine, 1).await;
    let stream = StreamName::new("promise", id).unwrap();
    house.store.append(&stream, Expected::NoStream, vec![new_event("promise.sung.v1")]).await.unwrap();
    withdraw(&engine, id, 3).await;
    reveal(&engine, id, 4).await;
    assert_eq!(Listening::start(&house).await.told(&house).await, [1, 3, 1, 3, 4]);
    // That ticket's promise stream accepts nothing more, because its events cannot be read. Another ticket's does.
    assert!(said.execute(&id, &warned(1), &request(5)).await.is_err());
    let sound = open(&engine, 6).await;
    assert!(said.execute(&sound, &warned(1), &request(7)).await.is_ok());
}
