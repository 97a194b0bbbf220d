//! For any history of commands, with restarts and repeated requests at any time, the engine has the same result as the
//! pure fold.

use chrono::TimeDelta;
use proptest::{
    collection::vec,
    prelude::any,
    prop_assert, prop_assert_eq,
    test_runner::{Config, RngSeed, TestCaseError, TestRunner},
};
use switchboard_domain::{
    Timestamp,
    actor::{Actor, Role},
    crew::{CrewId, DeclineReason, OfferEnd, OfferId, Skill, Skills},
    decider::Context,
    personal::Personal,
    rules::Rules,
    ticket::{
        BusinessType, Category, Command, ContactOutcome, Escalation, Grade, Move, ReplyOutcome, ReturnReason,
        RevisitMethod, Satisfaction, State, Step, SuspendReason, Ticket, TicketId,
        command::{Offer, Reply, Verdict},
        decide, evolve, legal,
    },
};
use switchboard_engine::{
    clock::Clock,
    command::{Failure, Request},
};
use uuid::Uuid;

use crate::house::{House, agent, classify, dispatch, org, receive, request, supplement};

/// The number of random histories.
const CASES: u32 = 200;
/// The seed, unless `PROPTEST_RNG_SEED` sets another.
const SEED: u64 = 95598;
/// The number of tickets in one history.
const TICKETS: usize = 3;

fn text() -> Personal {
    "as told".into()
}

/// A reply that reports the work done.
pub fn reply() -> Command {
    Command::Reply(Box::new(Reply {
        outcome: ReplyOutcome::Resolved,
        facts: text(),
        cause: "A blown fuse".into(),
        measures: text(),
        customer_view: None,
        category: Category::parse("fault/low voltage").unwrap(),
        ownership: None,
        substantiated: None,
    }))
}

/// The audit passes the reply.
pub fn pass() -> Command {
    Command::AuditReply { verdict: Verdict::Passed { category: None } }
}

const CREW: &str = "sgcc/zj/hz/yuhang/liangzhu/crew3";

fn crew() -> CrewId {
    CrewId::of(&org(CREW)).unwrap()
}

/// The offer for a move about offers, with its fence: a live one, or else the last.
fn offered(ticket: Option<&Ticket>) -> (OfferId, u64) {
    let live = ticket.and_then(|t| t.offers.first()).map(|live| (live.offer, live.fence));
    live.unwrap_or((OfferId::of(id(0), ticket.map_or(1, |t| t.attempts)), 1))
}

fn offer(ticket: Option<&Ticket>, now: Timestamp) -> Command {
    let attempt = ticket.map_or(1, |t| t.attempts + 1);
    Command::Offer(Box::new(Offer {
        offer: OfferId::of(id(0), attempt),
        attempt,
        crew: crew(),
        fence: 1,
        lease_until: now + TimeDelta::seconds(180),
        priority: false,
        forced: None,
    }))
}

/// A command that makes this move. `roll` selects its arguments.
fn command(asked: Move, ticket: Option<&Ticket>, now: Timestamp, roll: usize) -> Command {
    let units = ["sgcc/zj", "sgcc/zj/hz", "sgcc/zj/hz/yuhang", CREW];
    let (made, fence) = offered(ticket);
    let to = units[roll % units.len()];
    let other = id(roll % TICKETS);
    let step = [Step::Accepted, Step::EnRoute, Step::Arrived { area: None }, Step::Restored][roll % 4].clone();
    match asked {
        Move::Receive => {
            receive(if roll.is_multiple_of(3) { BusinessType::Opinion } else { BusinessType::FaultRepair })
        }
        Move::Supplement => supplement("more"),
        Move::Classify => classify(),
        Move::CloseAtFirstContact => Command::CloseAtFirstContact { answer: text() },
        Move::Dispatch => dispatch(to),
        Move::Accept => Command::Accept,
        Move::Return => Command::Return { reason: ReturnReason::WrongArea, note: text() },
        Move::Reassign => Command::Reassign { to: org(to), reason: text() },
        Move::ReportProgress => Command::ReportProgress(step),
        Move::Contact => Command::Contact { outcome: ContactOutcome::Reached, note: Some(text()) },
        Move::Reply => reply(),
        Move::AuditReply if roll.is_multiple_of(4) => {
            Command::AuditReply { verdict: Verdict::SentBack { reason: text() } }
        }
        Move::AuditReply => pass(),
        Move::Revisit => {
            let outcome = [Satisfaction::Satisfied, Satisfaction::NoAnswer][roll % 2];
            Command::Revisit { method: RevisitMethod::Sms, outcome, reasons: Vec::new(), comment: None }
        }
        Move::Reopen => Command::Reopen { reason: text() },
        Move::Close => Command::Close { explanation: None },
        Move::Urge => Command::Urge { reason: text() },
        Move::Supervise => Command::Supervise { demand: text() },
        Move::Escalate => {
            let to = [Escalation::Urgent, Escalation::Complaint(Grade::Major)][roll % 2];
            Command::Escalate { to, reason: text() }
        }
        Move::Suspend => Command::Suspend { reason: SuspendReason::Weather, until: None, note: None },
        Move::Resume => Command::Resume,
        Move::Extend => Command::Extend { until: now + TimeDelta::days(1), reason: text() },
        Move::Merge => Command::Merge { master: other, evidence: text() },
        Move::Unmerge => Command::Unmerge { reason: text() },
        Move::AdoptChild => Command::AdoptChild { child: other },
        Move::ReleaseChild => Command::ReleaseChild { child: other },
        Move::FollowMaster => {
            Command::FollowMaster { master: ticket.and_then(|t| t.master).unwrap_or(other), restored: None }
        }
        Move::Withdraw => Command::Withdraw { reason: text() },
        Move::Reveal => Command::Reveal { purpose: "to call back".into() },
        Move::Offer => offer(ticket, now),
        Move::AcceptOffer => Command::AcceptOffer { offer: made, fence },
        Move::DeclineOffer => {
            Command::DeclineOffer { offer: made, fence, reason: DeclineReason::Road, note: Some(text()) }
        }
        Move::EndOffer => Command::EndOffer { offer: made, how: OfferEnd::Expired },
        Move::HandOver => Command::HandOver { needs: Skills::of(&[Skill::HighVoltage]), note: text() },
        Move::Recall => Command::Recall { crew: None, reason: text() },
        Move::Pin => Command::Pin { crew: roll.is_multiple_of(2).then(crew), reason: text() },
    }
}

/// The id of ticket `n` of a history.
fn id(n: usize) -> TicketId {
    TicketId(Uuid::from_u128(900 + n as u128))
}

/// An accepted request, with the result that its repetition must have.
struct Accepted {
    ticket: usize,
    command: Command,
    request: Request,
    position: u64,
    revision: u64,
    after: State,
}

async fn live(rolls: &[u64]) -> Result<(), TestCaseError> {
    let (house, rules) = (House::new(), Rules::default());
    let mut engines = [house.engine(), house.engine()];
    let mut states: [State; TICKETS] = Default::default();
    let mut lived: Vec<Accepted> = Vec::new();
    let mut facts = 0;
    for (n, &roll) in rolls.iter().enumerate() {
        // Independent choices from one roll.
        let part = |shift: u32| usize::try_from(roll >> shift & 0xff).unwrap_or_default();
        let engine = part(0) % 2;
        match part(8) % 8 {
            0 => engines[engine] = house.engine(),
            1 | 2 if !lived.is_empty() => {
                let first = &lived[part(16) % lived.len()];
                let again = engines[engine].execute(&id(first.ticket), &first.command, &first.request).await.unwrap();
                prop_assert!(again.replayed);
                prop_assert_eq!((again.position, again.revision), (first.position, first.revision));
                prop_assert_eq!(&again.state, &first.after, "as it was then");
                continue;
            }
            _ => {}
        }
        house.clock.advance(TimeDelta::minutes(i64::try_from(part(24)).unwrap_or_default()));
        let ticket = part(32) % TICKETS;
        let before = states[ticket].clone();
        // Mostly a legal move, sometimes any.
        let among: Vec<_> = if part(40) % 6 == 0 { Move::ALL.to_vec() } else { legal(&before).iter().collect() };
        let command = command(among[part(48) % among.len()], before.as_ref(), house.clock.now(), part(56));
        let holder = before.as_ref().and_then(Ticket::holder).filter(|_| part(4) % 3 > 0).cloned();
        let (role, holder) = match command.as_move() {
            Move::Offer | Move::EndOffer => (Role::System, holder),
            Move::AcceptOffer | Move::DeclineOffer => (Role::Crew, holder.map(|_| org(CREW))),
            _ => (Role::Desk, holder),
        };
        let actor = Actor { role, org: holder.unwrap_or_else(|| org("sgcc")), ..agent() };
        let opens = before.is_none() && part(12) % 2 == 0;
        let request = Request { actor, opens, ..request(n as u128) };
        let now = house.clock.now();
        let cx =
            Context { now, occurred_at: now, actor: &request.actor, request_id: request.request_id, rules: &rules };
        let answer = engines[engine].execute(&id(ticket), &command, &request).await;
        match decide(&before, &command, &cx) {
            Ok(events) if events.is_empty() => {
                let outcome = answer.unwrap();
                prop_assert!(outcome.replayed && outcome.events.is_empty(), "it was so already: nothing is appended");
                prop_assert_eq!(&outcome.state, &before);
            }
            Ok(events) => {
                let outcome = answer.unwrap();
                facts += events.len();
                states[ticket] = events.iter().fold(before, |state, event| evolve(state, event, now));
                prop_assert!(!outcome.replayed);
                prop_assert_eq!(&outcome.events, &events);
                prop_assert_eq!(&outcome.state, &states[ticket]);
                prop_assert_eq!(outcome.position, house.last().await);
                prop_assert_eq!(house.count().await, facts, "acknowledged and nothing else was appended");
                let (position, revision, after) = (outcome.position, outcome.revision, outcome.state);
                lived.push(Accepted { ticket, command, request, position, revision, after });
            }
            Err(why) => {
                prop_assert!(matches!(&answer, Err(Failure::Rejected(told)) if *told == why), "{answer:?} for {why:?}");
            }
        }
    }
    for (n, state) in states.iter().enumerate() {
        prop_assert_eq!(&house.state(id(n)).await, state);
    }
    let mut requests = house.requests().await;
    requests.dedup();
    prop_assert_eq!(requests, lived.iter().map(|accepted| accepted.request.request_id).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn any_history_through_restarted_engines_is_the_pure_fold_with_every_request_recorded_once() {
    let mut config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    if matches!(config.rng_seed, RngSeed::Random) {
        config.rng_seed = RngSeed::Fixed(SEED);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let broken = TestRunner::new(config).run(&vec(any::<u64>(), 1..60), |rolls| runtime.block_on(live(&rolls)));
    if let Err(why) = broken {
        panic!("{why}");
    }
}
