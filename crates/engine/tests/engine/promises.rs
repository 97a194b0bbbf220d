//! The watch of promises, from a published policy to the recorded promise events: once each, at the right instants,
//! with several watches and restarts. The judging of clocks is tested in `domain`.

use std::sync::Arc;

use chrono::TimeDelta;
use switchboard_domain::{
    Timestamp,
    actor::{Actor, Role},
    decider::Action,
    fact::Fact,
    organisation::Level,
    sla::{
        clock_history::{ClockHistory, FactName, Reading},
        policy::{Limit, Policy, Rule, Threshold, Title, Trigger, Warning, When},
        promise::{Event, Promises, Rejection},
        publication::{Policies, PolicyCommand},
        registry::PolicyRegistry,
        watch::{Intent, Watch},
    },
    ticket::{Command, RevisitMethod, Satisfaction, TicketId},
};
use switchboard_engine::{
    clock::Clock,
    command::{Aggregates, Failure, Request},
    feed::Feed,
    reactor::{self, ActionOutcome, Pace, Start},
};
use tokio::{task::JoinHandle, time::timeout};

use crate::{
    faults::Faulty,
    feed::{PATIENCE, caught_up},
    house::{Engine, House, Watched, agent, classify, dispatch, open, org, request},
};

/// One hour from receipt to reply, and a warning to the city after half of it.
fn policy(from: Timestamp) -> Policy {
    let on = |fact| Trigger { fact, is: Vec::new(), level: Vec::new(), time: Reading::Occurred };
    let title = Title { zh: "Reply within an hour".into(), en: "Reply within an hour".into() };
    let rule = Rule {
        id: "T01".into(),
        clock: "reply".into(),
        title,
        source: "A test".into(),
        hash: "0".repeat(64),
        when: When::default(),
        limit: Limit::Elapsed { seconds: 3600 },
        start: vec![on(FactName::Received), on(FactName::Reopened)],
        stop: vec![on(FactName::Replied)],
        pauses: Vec::new(),
        reset: Vec::new(),
        cancel: vec![on(FactName::Withdrawn)],
        revive: Vec::new(),
        extend: Vec::new(),
        warnings: vec![Warning { at: Threshold::Percent(50), tell: Some(Level::City) }],
    };
    Policy {
        operator: "sgcc".into(),
        effective_from: from,
        calendar: "cn".into(),
        source: "A test".into(),
        rules: vec![rule],
        averages: Vec::new(),
    }
}

async fn publish(house: &House) {
    let policies = house.aggregates::<Policies>();
    let command = PolicyCommand::Publish(Box::new(policy(house.clock.now() - TimeDelta::days(1))));
    policies.execute(&"sgcc".to_owned(), &command, &request(1_000)).await.unwrap();
}

/// Executes an action of the watch.
async fn say(said: Arc<Aggregates<Promises>>, want: Action<Intent>) -> ActionOutcome {
    let Intent { ticket, publish } = &want.intent;
    // Of one fact several things may come to be said in time: what is said belongs to the want's name.
    let cause = uuid::Uuid::from_u128(want.because.into());
    let (vault, target) = (said.journal().vault(), format!("{ticket}/{:?}", publish.events));
    let request_id = reactor::request_id(vault, "watch", &want, cause, &target);
    let actor = Actor { id: "watch".into(), role: Role::System, org: org("sgcc") };
    let request = Request { request_id, payload_hash: request_id.to_string(), actor, ..request(0) };
    match said.execute(ticket, publish, &request).await {
        Ok(outcome) => ActionOutcome::Done(outcome.position),
        // Another watch was faster. This one reads that fact before it reaches the head.
        Err(Failure::Rejected(Rejection::AlreadyRecorded)) => {
            let log = said.journal().read(ticket, 0).await.unwrap();
            ActionOutcome::Done(log.last().unwrap().position)
        }
        Err(Failure::Corrupt(detail)) => ActionOutcome::Refused(detail),
        Err(_) => ActionOutcome::Later,
    }
}

/// The data from which a watch starts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum From {
    /// The whole log.
    Log,
    /// The clock histories at the head of the log.
    ClockHistories,
}

/// A running watch, with the task of its feed.
struct Watching([JoinHandle<()>; 2]);

impl Watching {
    async fn start(house: &House, clock: &Arc<Watched>, from: From) -> Self {
        let (feed, following) = Feed::follow(Arc::clone(&house.store)).await.unwrap();
        let start = match from {
            From::Log => Start::at(0, Watch::default()),
            From::ClockHistories => resumed(house, &feed).await,
        };
        let said = Arc::new(house.aggregates::<Promises>());
        let pace = Pace { actions_max: 1024, at_once_max: 256 };
        let say_one = move |want| say(Arc::clone(&said), want);
        Self([following, reactor::run(&feed, clock.clone(), start, pace, say_one)])
    }

    async fn kill(self) {
        for task in self.0 {
            assert!(!task.is_finished(), "nothing broke off");
            task.abort();
            let _ = task.await;
        }
    }
}

/// A watch that starts from clock histories, as the server starts it.
async fn resumed(house: &House, feed: &Feed) -> Start<Watch> {
    caught_up(feed, house).await;
    let (head, mut registry, mut clock_histories) =
        (feed.head(), PolicyRegistry::default(), Vec::<ClockHistory>::new());
    for entry in feed.page(0, 512).await.unwrap() {
        let id = TicketId::parse(entry.raw.stream.id());
        let clock_history = |clock_histories: &mut Vec<ClockHistory>| {
            clock_histories.iter().position(|clock_history| Some(clock_history.id) == id)
        };
        match entry.fact.as_deref() {
            Some(Fact::Policy(fact)) => registry.take_policy(fact),
            Some(Fact::Year(fact)) => registry.take_year(fact),
            Some(Fact::Ticket(fact)) => {
                let at = clock_history(&mut clock_histories).unwrap_or_else(|| {
                    clock_histories.push(ClockHistory::new(fact.id));
                    clock_histories.len() - 1
                });
                clock_histories[at].take(fact);
            }
            Some(Fact::Promise(fact)) => {
                let at = clock_history(&mut clock_histories).unwrap();
                clock_histories[at].announced.take(&fact.event);
            }
            Some(Fact::Crew(_)) | None => {}
        }
    }
    Start::at(head, Watch::resume(registry, clock_histories))
}

/// A promise event: ticket, cycle, kind, instant, and the unit that is notified or responsible.
type Said = (TicketId, u16, &'static str, Timestamp, String);

/// All promise events, in the order of tickets and instants.
async fn said(house: &House) -> Vec<Said> {
    let (feed, following) = Feed::follow(Arc::clone(&house.store)).await.unwrap();
    let mut all = Vec::new();
    for entry in feed.page(0, 512).await.unwrap() {
        if let Some(Fact::Promise(fact)) = entry.fact.as_deref() {
            let judged = fact.event.judged();
            let (what, at, org) = match &fact.event {
                Event::Warned(e) => ("warned", e.at, &e.tell),
                Event::Breached(_) => ("breached", judged.due, &judged.owner),
                Event::Overturned(_) => ("overturned", judged.due, &judged.owner),
            };
            all.push((fact.id, judged.key.cycle, what, at, org.to_string()));
        }
    }
    following.abort();
    all.sort();
    all
}

/// Waits until this many promise events are recorded. They are counted after every new fact.
async fn until_said(house: &House, count: usize) {
    let mut head = house.store.watch_head();
    let counting = async {
        while said(house).await.len() < count {
            head.changed().await.unwrap();
        }
    };
    assert!(timeout(PATIENCE, counting).await.is_ok(), "{count} things: {:?}", said(house).await);
}

/// Three tickets, ten minutes apart, without replies. The watch may restart while warnings of two tickets become due,
/// and there may be several watches. Returns the promise events.
async fn unanswered(watches: usize, restart: Option<From>) -> Vec<Said> {
    let house = House::over(Arc::new(Faulty::sound()));
    let (engine, clock) = (house.engine(), Arc::new(Watched::over(&house)));
    publish(&house).await;
    let mut watching = Vec::new();
    for _ in 0..watches {
        watching.push(Watching::start(&house, &clock, From::Log).await);
    }
    for n in 1..=3 {
        open(&engine, n).await;
        house.clock.advance(TimeDelta::minutes(10));
    }
    until_said(&house, 1).await;
    if let Some(from) = restart {
        for watch in watching.drain(..) {
            watch.kill().await;
        }
        house.clock.advance(TimeDelta::minutes(20));
        assert_eq!(said(&house).await.len(), 1, "nobody watches");
        for _ in 0..watches {
            watching.push(Watching::start(&house, &clock, from).await);
        }
    } else {
        clock.looked().await;
        house.clock.advance(TimeDelta::minutes(20));
    }
    until_said(&house, 3).await;
    clock.looked().await;
    house.clock.advance(TimeDelta::hours(5));
    until_said(&house, 6).await;
    // One more ticket, so that every watch has passed the earlier events and could have repeated them.
    open(&engine, 4).await;
    clock.looked().await;
    house.clock.advance(TimeDelta::hours(5));
    until_said(&house, 7).await;
    for watch in watching {
        watch.kill().await;
    }
    said(&house).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn warnings_and_breaches_are_recorded_once_by_one_watch_or_two_and_over_restarts() {
    let (start, minutes) = (House::new().clock.now(), TimeDelta::minutes);
    let id = |n: u128| TicketId::opened_by(uuid::Uuid::from_u128(n));
    let mut expected = Vec::new();
    for n in 1..=3_u8 {
        let received = start + minutes(10) * i32::from(n - 1);
        expected.push((id(n.into()), 1, "breached", received + minutes(60), "sgcc".to_owned()));
        expected.push((id(n.into()), 1, "warned", received + minutes(30), "sgcc".to_owned()));
    }
    // No watch ran when the warning of the fourth ticket became due.
    expected.push((id(4), 1, "breached", start + minutes(350 + 60), "sgcc".to_owned()));
    expected.sort();
    let ways =
        [1, 2].into_iter().flat_map(|n| [None, Some(From::Log), Some(From::ClockHistories)].map(|from| (n, from)));
    let told = ways.map(async |(watches, restart)| ((watches, restart), unanswered(watches, restart).await));
    for (way, said) in futures::future::join_all(told).await {
        assert_eq!(said, expected, "watches and restart: {way:?}");
    }
}

/// Completes a ticket: replied in time, revisited and archived.
async fn file_away(house: &House, engine: &Engine, id: TicketId) {
    let desk = Actor { org: org("sgcc/zj/hz"), role: Role::Desk, ..agent() };
    let content = Command::Revisit {
        method: RevisitMethod::Sms,
        outcome: Satisfaction::Satisfied,
        reasons: Vec::new(),
        comment: None,
    };
    for (n, command, actor) in [
        (21, classify(), agent()),
        (22, dispatch("sgcc/zj/hz"), agent()),
        (23, Command::Accept, desk.clone()),
        (24, crate::histories::reply(), desk),
        (25, crate::histories::pass(), agent()),
        (26, content, agent()),
        (27, Command::Close { explanation: None }, agent()),
    ] {
        house.clock.advance(TimeDelta::minutes(1));
        engine.execute(&id, &command, &Request { actor, ..request(n) }).await.unwrap();
    }
}

#[tokio::test]
async fn a_ticket_that_was_let_go_and_is_taken_up_again_is_watched_again() {
    let house = House::new();
    let (engine, clock) = (house.engine(), Arc::new(Watched::over(&house)));
    publish(&house).await;
    let watching = Watching::start(&house, &clock, From::Log).await;
    let id = open(&engine, 1).await;
    file_away(&house, &engine, id).await;
    let reopen = Command::Reopen { reason: "It is dark again.".into() };
    engine.execute(&id, &reopen, &request(31)).await.unwrap();
    let reopened = house.clock.now();
    clock.looked().await;
    house.clock.advance(TimeDelta::minutes(31));
    until_said(&house, 1).await;
    clock.looked().await;
    house.clock.advance(TimeDelta::minutes(31));
    until_said(&house, 2).await;
    let minutes = TimeDelta::minutes;
    // After the reopening the receiving unit holds it.
    let (breached, warned) = (reopened + minutes(60), reopened + minutes(30));
    let expected = [(id, 2, "breached", breached, "sgcc".into()), (id, 2, "warned", warned, "sgcc".into())];
    assert_eq!(said(&house).await, expected);
    watching.kill().await;
}

#[tokio::test]
async fn what_was_said_is_not_said_again_after_the_log_was_copied_into_another_store() {
    let house = House::new();
    let clock = Arc::new(Watched::over(&house));
    publish(&house).await;
    let watching = Watching::start(&house, &clock, From::Log).await;
    open(&house.engine(), 1).await;
    clock.looked().await;
    house.clock.advance(TimeDelta::minutes(31));
    until_said(&house, 1).await;
    watching.kill().await;

    let copy = house.copied().await;
    let (clock, before) = (Arc::new(Watched::over(&copy)), copy.count().await);
    let watching = Watching::start(&copy, &clock, From::Log).await;
    clock.looked().await;
    copy.clock.advance(TimeDelta::minutes(31));
    until_said(&copy, 2).await;
    assert_eq!(copy.count().await, before + 1, "the breach, and nothing again: {:?}", said(&copy).await);
    watching.kill().await;
}
