//! The world of every test: a log, keys and a clock that outlive the engines, and sample requests and commands.

use std::sync::Arc;

use chrono::DateTime;
use switchboard_domain::{
    Timestamp,
    actor::{Actor, Role},
    organisation::OrgPath,
    rules::Rules,
    sla::promise::{Announce, ClockKey, Event, Judged, StartedBy, VersionRef, Warned},
    ticket::{
        BusinessType, Category, Channel, Command, Place, Rejection, State, TicketId, Tickets, Urgency,
        command::{Caller, Receive},
    },
};
use switchboard_engine::{
    clock::{Clock, ManualClock},
    command::{Aggregates, Failure, Outcome, Request},
    journal::{Aggregate, Journal},
    vault::Vault,
};
use switchboard_eventstore::{
    Direction, EventStore, Expected, MemoryStore, NewEvent, Position, Recorded as Raw,
    keys::{Key, MemoryKeys},
};
use switchboard_wire::stored::Metadata;
use tokio::{sync::watch, time::timeout};
use uuid::Uuid;

use crate::feed::PATIENCE;

/// An engine for tickets.
pub type Engine = Aggregates<Tickets>;
/// The result of a command.
pub type ActionOutcome = Result<Outcome<Tickets>, Failure<Rejection>>;

/// The caller's phone number.
pub const PHONE: &str = "13857112233";
/// The content of the caller's report.
pub const CONTENT: &str = "The meter cabinet smokes.";

pub struct House {
    pub store: Arc<dyn EventStore>,
    pub keys: Arc<MemoryKeys>,
    pub clock: Arc<ManualClock>,
}

impl House {
    pub fn new() -> Self {
        Self::over(Arc::new(crate::store()))
    }

    /// A house with this store.
    pub fn over(store: Arc<dyn EventStore>) -> Self {
        let keys = Arc::new(MemoryKeys::with_secret(Key::from_bytes([7; 32])));
        Self { store, keys, clock: Arc::new(ManualClock::new(at("2026-11-21T02:00:00Z"))) }
    }

    pub fn vault(&self) -> Vault {
        Vault::new(self.keys.clone())
    }

    /// New aggregates on the same log, as after a restart.
    pub fn aggregates<D: Aggregate>(&self) -> Aggregates<D> {
        let journal = Journal::new(Arc::clone(&self.store), self.vault());
        Aggregates::new(journal, self.clock.clone(), Arc::new(Rules::default()), 64)
    }

    pub fn engine(&self) -> Engine {
        self.aggregates()
    }

    /// All events of the log.
    pub async fn log(&self) -> Vec<Raw> {
        let mut log: Vec<Raw> = Vec::new();
        loop {
            let after = log.last().map_or(Position::START, |last| last.position);
            let page = self.store.read_all(after, 512, Direction::Forward).await.unwrap();
            if page.is_empty() {
                return log;
            }
            log.extend(page);
        }
    }

    /// The request id of every fact, in the order of the log.
    pub async fn requests(&self) -> Vec<Uuid> {
        self.log().await.iter().map(|raw| Metadata::from_json(&raw.meta).unwrap().request_id).collect()
    }

    /// The state of a ticket, folded from its facts.
    pub async fn state(&self, id: TicketId) -> State {
        use switchboard_domain::decider::Decider;
        let facts = self.engine().journal().read(&id, 0).await.unwrap();
        facts.iter().fold(None, |state, fact| Tickets::evolve(state, &fact.event, fact.metadata.occurred_at))
    }

    pub fn head(&self) -> u64 {
        self.store.head().stored()
    }

    /// A copy of the log in another store, where every fact has another position.
    pub async fn copied(&self) -> Self {
        let copy = self.copied_up_to(usize::MAX).await;
        assert_ne!(copy.places().await, self.places().await);
        copy
    }

    /// The first facts of the log, at most `facts_max`, in another store.
    pub async fn copied_up_to(&self, facts_max: usize) -> Self {
        let store = MemoryStore::with_gaps(7);
        for Raw { stream, id, kind, data, meta, .. } in self.log().await.into_iter().take(facts_max) {
            store.append(&stream, Expected::Any, vec![NewEvent { id, kind, data, meta }]).await.unwrap();
        }
        Self { store: Arc::new(store), keys: Arc::clone(&self.keys), clock: Arc::clone(&self.clock) }
    }

    /// The position of every fact, in the order of the log.
    pub async fn places(&self) -> Vec<u64> {
        self.log().await.iter().map(|raw| raw.position.stored()).collect()
    }

    /// The position of the `nth` fact, from 1.
    pub async fn place(&self, nth: usize) -> u64 {
        self.places().await[nth - 1]
    }

    /// The number of facts.
    pub async fn count(&self) -> usize {
        self.log().await.len()
    }

    /// The position of the last fact; 0 when there are none.
    pub async fn last(&self) -> u64 {
        self.places().await.last().copied().unwrap_or_default()
    }
}

/// The clock of a house. It counts how often it is read.
pub struct Watched {
    clock: Arc<ManualClock>,
    pub looks: watch::Sender<u64>,
}

impl Watched {
    pub fn over(house: &House) -> Self {
        Self { clock: house.clock.clone(), looks: watch::Sender::new(0) }
    }

    /// Waits until a process that sleeps by this clock has read its present time. A process that does not wait for an
    /// instant never reads it.
    pub async fn looked(&self) {
        let mut looks = self.looks.subscribe();
        let seen = *looks.borrow();
        // The process reads the clock twice in each turn, and a turn may be half over now.
        let looked = looks.wait_for(|looks| *looks >= seen + 4);
        timeout(PATIENCE, looked).await.expect("somebody looks at the clock").unwrap();
    }
}

impl Clock for Watched {
    fn now(&self) -> Timestamp {
        self.looks.send_modify(|looks| *looks += 1);
        self.clock.now()
    }
}

pub fn at(text: &str) -> Timestamp {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

pub fn org(path: &str) -> OrgPath {
    OrgPath::parse(path).unwrap()
}

pub fn agent() -> Actor {
    Actor { id: "agent-1".into(), role: Role::Agent, org: org("sgcc") }
}

/// The request with number `n`, always with the same body.
pub fn request(n: u128) -> Request {
    Request {
        request_id: Uuid::from_u128(n),
        payload_hash: format!("body {n}"),
        former_hash: None,
        actor: agent(),
        occurred_at: None,
        etag: None,
        opens: false,
        causation_id: None,
        correlation_id: None,
    }
}

pub fn receive(business: BusinessType) -> Command {
    Command::Receive(Box::new(Receive {
        number: "2026112100000001".into(),
        business,
        channel: Channel::Hotline,
        received_by: org("sgcc"),
        caller: Caller { phone: Some(PHONE.into()), ..Caller::default() },
        tier: None,
        address: None,
        content: CONTENT.into(),
        place: Place::default(),
        premises: None,
        customers_out: None,
        confidential: false,
        call_id: None,
        hung_up_at: None,
        appointment: None,
        external: None,
        linked: None,
    }))
}

pub fn supplement(content: &str) -> Command {
    Command::Supplement { content: content.into() }
}

pub fn classify() -> Command {
    let category = Category::parse("fault/low voltage").unwrap();
    Command::Classify { business: None, category, urgency: Urgency::Normal, grade: None }
}

pub fn dispatch(to: &str) -> Command {
    Command::Dispatch { to: org(to) }
}

/// Sends the command that opens the ticket of request `n`.
pub async fn ask_to_open(engine: &Engine, n: u128) -> ActionOutcome {
    let id = TicketId::opened_by(Uuid::from_u128(n));
    engine.execute(&id, &receive(BusinessType::FaultRepair), &Request { opens: true, ..request(n) }).await
}

/// Opens a fault with request `n`.
pub async fn open(engine: &Engine, n: u128) -> TicketId {
    ask_to_open(engine, n).await.unwrap();
    TicketId::opened_by(Uuid::from_u128(n))
}

/// A warning: the first clock of a ticket has reached this step of its ladder.
pub fn warned(level: u8) -> Announce {
    let version = |name: &str| VersionRef { name: name.into(), version: 1 };
    let judged = Judged {
        key: ClockKey { clock: "arrival".into(), cycle: 1, run_number: 1 },
        rule: "F05u".into(),
        rule_hash: "0".into(),
        policy: version("sgcc"),
        calendar: version("cn"),
        started: at("2026-11-21T02:00:00Z"),
        started_by: StartedBy::Revision { started_by: 0 },
        due: at("2026-11-21T02:45:00Z"),
        owner: org("sgcc"),
    };
    let at = at("2026-11-21T02:30:00Z");
    Announce { events: vec![Event::Warned(Warned { judged, level, at, tell: org("sgcc") })] }
}
