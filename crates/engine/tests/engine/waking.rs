//! Processes and time. They are woken when they asked for it, and at no other time, however the clock moves. An action
//! that cannot be executed now is executed later. No more actions run concurrently than permitted.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use chrono::TimeDelta;
use switchboard_domain::{
    Timestamp,
    decider::{Action, Process, Projection},
    fact::TicketFact,
    ticket::{Event, TicketId},
};
use switchboard_engine::{
    clock::Clock,
    command::{Failure, Request},
    feed::Feed,
    reactor::{self, ActionOutcome, Pace, Start},
};
use switchboard_eventstore::Position;
use tokio::{
    sync::{Barrier, watch},
    task::JoinHandle,
    time::{Instant, timeout},
};

use crate::{
    faults::{Fault, Faulty},
    feed::PATIENCE,
    house::{Engine, House, Watched, classify, open, request, supplement},
};

/// A record of the questions to an alarm and of its executed actions.
#[derive(Default)]
struct Diary {
    asked: Mutex<Vec<Timestamp>>,
    tried: Mutex<Vec<usize>>,
    /// The position of the last fact that it got.
    heard: watch::Sender<u64>,
    at_once: AtomicUsize,
    at_once_seen: AtomicUsize,
}

/// A process that rings once at each of its instants; ringing is a supplement to its ticket.
struct Alarm {
    diary: Arc<Diary>,
    instants: Vec<Timestamp>,
    rung: usize,
    /// True for an alarm that wakes but has no action.
    idle: bool,
}

impl Projection for Alarm {
    type Event = TicketFact;

    fn apply(&mut self, fact: &TicketFact) {
        self.rung += usize::from(matches!(fact.event, Event::Supplemented(_)));
        self.diary.heard.send_replace(fact.position);
    }
}

impl Process for Alarm {
    type Intent = usize;

    fn name(&self) -> &'static str {
        "alarm"
    }

    fn pending(&mut self, now: Timestamp, limit: usize) -> Vec<Action<usize>> {
        self.diary.asked.lock().unwrap().push(now);
        let due = self.instants.iter().enumerate().skip(self.rung).take_while(|(_, at)| **at <= now && !self.idle);
        due.take(limit).map(|(intent, _)| Action { because: 1, name: "ring", intent }).collect()
    }

    fn wake(&self) -> Option<Timestamp> {
        self.instants.get(self.rung).copied()
    }

    fn refused(&mut self, want: &Action<usize>, reason: &str) {
        panic!("{want:?}: {reason}")
    }
}

/// A house with one ticket and a clock, for tests with an alarm.
struct Bedroom {
    house: House,
    ticket: TicketId,
    clock: Arc<Watched>,
    diary: Arc<Diary>,
    engine: Arc<Engine>,
}

impl Bedroom {
    async fn over(house: House) -> Self {
        let engine = Arc::new(house.engine());
        let ticket = open(&engine, 1).await;
        let clock = Arc::new(Watched::over(&house));
        Self { house, ticket, clock, diary: Arc::default(), engine }
    }

    /// Starts an alarm for these hours from now. Its actions wait until `together` of them run at once.
    async fn sleep(&self, hours: RangeInclusive<i64>, idle: bool, pace: Pace, together: usize) -> [JoinHandle<()>; 2] {
        let now = self.house.clock.now();
        let instants = hours.map(|hour| now + TimeDelta::hours(hour)).collect();
        let alarm = Alarm { diary: Arc::clone(&self.diary), instants, rung: 0, idle };
        let (feed, following) = Feed::follow(Arc::clone(&self.house.store)).await.unwrap();
        let (engine, diary, ticket) = (Arc::clone(&self.engine), Arc::clone(&self.diary), self.ticket);
        let barrier = Arc::new(Barrier::new(together));
        let ring = move |want| ring(Arc::clone(&engine), Arc::clone(&diary), Arc::clone(&barrier), ticket, want);
        [following, reactor::run(&feed, self.clock.clone(), Start::at(0, alarm), pace, ring)]
    }

    /// Waits until the log has this many facts.
    async fn recorded(&self, count: usize) {
        let mut head = self.house.store.watch_head();
        let counting = async {
            while self.house.count().await < count {
                head.changed().await.unwrap();
            }
        };
        timeout(PATIENCE, counting).await.expect("it rings");
    }

    /// Waits until the alarm got the fact at this position.
    async fn heard(&self, position: u64) {
        let mut heard = self.diary.heard.subscribe();
        timeout(PATIENCE, heard.wait_for(|at| *at >= position)).await.expect("it hears facts").unwrap();
    }

    fn asked(&self) -> Vec<Timestamp> {
        self.diary.asked.lock().unwrap().clone()
    }

    fn tried(&self) -> Vec<usize> {
        self.diary.tried.lock().unwrap().clone()
    }
}

async fn ring(
    engine: Arc<Engine>,
    diary: Arc<Diary>,
    barrier: Arc<Barrier>,
    ticket: TicketId,
    want: Action<usize>,
) -> ActionOutcome {
    diary.tried.lock().unwrap().push(want.intent);
    let at_once = diary.at_once.fetch_add(1, Ordering::SeqCst) + 1;
    diary.at_once_seen.fetch_max(at_once, Ordering::SeqCst);
    barrier.wait().await;
    let vault = engine.journal().vault();
    let request_id = reactor::request_id(vault, "alarm", &want, uuid::Uuid::nil(), &want.intent.to_string());
    let request = Request { request_id, payload_hash: request_id.to_string(), ..request(0) };
    let outcome = engine.execute(&ticket, &supplement("ring"), &request).await;
    diary.at_once.fetch_sub(1, Ordering::SeqCst);
    match outcome {
        Ok(outcome) => ActionOutcome::Done(outcome.position),
        Err(Failure::Unavailable(_)) => ActionOutcome::Later,
        Err(failure) => panic!("{failure:?}"),
    }
}

fn stop(tasks: [JoinHandle<()>; 2]) {
    for task in tasks {
        assert!(!task.is_finished(), "nothing broke off");
        task.abort();
    }
}

#[tokio::test]
async fn a_process_wakes_at_its_instant_without_a_fact_and_neither_before_nor_twice() {
    let room = Bedroom::over(House::new()).await;
    let (start, tick) = (room.house.clock.now(), TimeDelta::microseconds(1));
    let tasks = room.sleep(1..=1, false, Pace::default(), 1).await;
    room.clock.looked().await;
    room.house.clock.advance(TimeDelta::hours(1) - tick);
    room.clock.looked().await;
    assert!(!room.asked().is_empty() && room.asked().iter().all(|at| *at == start), "{:?}", room.asked());
    room.house.clock.advance(tick);
    room.recorded(2).await;
    // Its only instant has passed, so it never rings again.
    room.house.clock.advance(TimeDelta::days(1));
    room.engine.execute(&room.ticket, &classify(), &request(2)).await.unwrap();
    let later = room.house.clock.now();
    let mut looks = room.clock.looks.subscribe();
    let asked_again = async {
        while !room.asked().contains(&later) {
            looks.changed().await.unwrap();
        }
    };
    timeout(PATIENCE, asked_again).await.expect("facts are a reason to ask");
    assert_eq!((room.tried(), room.house.count().await), (vec![0], 3));
    let woken = room.asked().into_iter().find(|at| *at != start);
    assert_eq!(woken, Some(start + TimeDelta::hours(1)));
    stop(tasks);
}

#[tokio::test]
async fn a_clock_that_jumps_forward_is_caught_up_with() {
    let room = Bedroom::over(House::new()).await;
    let tasks = room.sleep(1..=3, false, Pace::default(), 1).await;
    room.clock.looked().await;
    assert!(room.tried().is_empty());
    room.house.clock.advance(TimeDelta::days(1));
    room.recorded(4).await;
    assert_eq!(room.tried(), [0, 1, 2]);
    stop(tasks);
}

#[tokio::test]
async fn a_process_that_is_awake_for_nothing_holds_nobody_up_and_is_asked_again() {
    let room = Bedroom::over(House::new()).await;
    let tasks = room.sleep(-1..=-1, true, Pace::default(), 1).await;
    room.clock.looked().await;
    let (asked, begun) = (room.asked().len(), Instant::now());
    while room.asked().len() < asked + 5 {
        room.clock.looked().await;
    }
    // A sleep is never shorter than requested: this is the only certain statement about time here.
    assert!(begun.elapsed() >= reactor::WAKE_REST * 4, "it rests between two questions");
    room.engine.execute(&room.ticket, &supplement("by hand"), &request(2)).await.unwrap();
    room.heard(room.house.place(2).await).await;
    assert!(room.tried().is_empty());
    stop(tasks);
}

#[tokio::test]
async fn what_the_store_does_not_take_now_is_asked_for_again() {
    let store = Arc::new(Faulty::sound());
    let room = Bedroom::over(House::over(store.clone())).await;
    store.meet(&[Fault::Unavailable; 2]);
    let tasks = room.sleep(0..=0, false, Pace::default(), 1).await;
    room.recorded(2).await;
    assert_eq!((room.tried(), room.house.count().await), (vec![0, 0, 0], 2));
    stop(tasks);
}

#[tokio::test]
async fn a_process_does_not_speak_again_before_it_has_heard_itself() {
    let store = Arc::new(Faulty::sound());
    let room = Bedroom::over(House::over(store.clone())).await;
    let hearing = store.lag();
    let tasks = room.sleep(1..=1, false, Pace::default(), 1).await;
    room.clock.looked().await;
    // A fact of another actor lies between its fold and its own action.
    room.engine.execute(&room.ticket, &classify(), &request(2)).await.unwrap();
    room.house.clock.advance(TimeDelta::hours(1));
    room.recorded(3).await;
    for nth in [2, 3] {
        let position = room.house.place(nth).await;
        hearing.send_replace(Position::from_stored(position));
        room.heard(position).await;
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert_eq!(room.tried(), [0], "told up to {position}");
    }
    stop(tasks);
}

#[tokio::test]
async fn so_many_wants_are_carried_out_at_once_as_the_pace_says_and_each_of_them_once() {
    for at_once_max in [1, 4] {
        let room = Bedroom::over(House::new()).await;
        // Each action waits for the three others of its group of four. With fewer at once, none would ever finish.
        let pace = Pace { actions_max: 8, at_once_max };
        let tasks = room.sleep(-20..=-1, false, pace, at_once_max).await;
        room.recorded(21).await;
        let mut tried = room.tried();
        tried.sort_unstable();
        assert_eq!(tried, (0..20).collect::<Vec<_>>());
        assert_eq!(room.diary.at_once_seen.load(Ordering::SeqCst), at_once_max);
        stop(tasks);
    }
}
