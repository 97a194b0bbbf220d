//! A script: what people would do with a ticket, or a few that belong together, in the order of their times.
//! Every step is a complete API request with its id; only the tickets' ids are filled in when it is played.
//! Absent: whether a step is legal. The server judges, and a test plays every script against the domain.

use std::{collections::HashMap, fmt};

pub use switchboard_wire::proto::Actor;
use switchboard_wire::proto::{ReceiveRequest, ReportRequest};
use uuid::Uuid;

use crate::{Timestamp, request::Request};

/// A timed sequence of requests about one ticket, or a few.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// Names it within its source: a row's key, a call of the city's day.
    pub key: String,
    /// The line of the file that it stands for.
    pub line: Option<u64>,
    /// What happens, times never decreasing.
    pub steps: Vec<Step>,
}

impl Script {
    /// When it begins.
    #[must_use]
    pub fn begins(&self) -> Option<Timestamp> {
        self.steps.first().map(|step| step.at)
    }

    /// When it ends.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        self.steps.last().map(|step| step.at)
    }

    /// How many tickets it opens.
    #[must_use]
    pub fn tickets(&self) -> usize {
        self.steps.iter().map(|step| step.slot.0 + 1).max().unwrap_or(0)
    }
}

/// One request of a script.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Names it within the script: the ticket's place, the call, and which of its kind, such as `0.dispatch.2`.
    pub name: String,
    /// When it happened, and the request's `occurred_at` unless the script is live.
    pub at: Timestamp,
    /// Who acts, by the call's metadata.
    pub actor: Actor,
    /// Which of the script's tickets it is about.
    pub slot: Slot,
    /// The ticket that this one is merged into, or belongs to.
    pub other: Option<Slot>,
    /// What must be on record before: facts that the engine's own processes add.
    pub after: Option<Awaited>,
    /// What is asked.
    pub request: Request,
}

impl Step {
    /// Names the other ticket: the master of a merge, the ticket that an urge belongs to.
    pub fn about(&mut self, other: Slot) -> &mut Self {
        self.other = Some(other);
        self
    }

    /// Waits, when played, until `slot` has `count` facts of `kind`. Facts stay for ever, so that a second playing never waits.
    pub fn after(&mut self, slot: Slot, kind: &'static str, count: usize) -> &mut Self {
        self.after = Some(Awaited { slot, kind, count });
        self
    }
}

/// A ticket of a script, by the order in which they were drafted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot(pub usize);

/// Facts that must be on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// Of this ticket.
    pub slot: Slot,
    /// Of this kind.
    pub kind: &'static str,
    /// So many.
    pub count: usize,
}

/// The kind of the fact by which a master takes a child.
pub const CHILD_ADOPTED: &str = "ticket.child_adopted.v1";
/// The kind of the fact by which a child takes over its master's outcome.
pub const MASTER_FOLLOWED: &str = "ticket.master_followed.v1";
/// The kind of the fact that a reply is there.
pub const REPLIED: &str = "ticket.replied.v1";

/// Where scripts come from: the name space of their request ids. The same source, key and step give the same id, for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source(Uuid);

impl Source {
    /// The source of that name, such as `import/bc-outages`.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("switchboard:{name}").as_bytes()))
    }

    /// The name space of one script. Its bits also serve as a seed that belongs to the row alone.
    #[must_use]
    pub fn script(&self, key: &str) -> Uuid {
        Uuid::new_v5(&self.0, key.as_bytes())
    }
}

/// A script being written. Steps may be added ticket by ticket; the finished script has them in order of time.
#[derive(Debug)]
pub struct Draft {
    namespace: Uuid,
    script: Script,
    tickets: usize,
    live: bool,
    /// How many steps of a name there are.
    names: HashMap<(Slot, &'static str), u32>,
}

impl Draft {
    /// Begins the script `key` of `source`.
    #[must_use]
    pub fn new(source: &Source, key: impl Into<String>) -> Self {
        let script = Script { key: key.into(), line: None, steps: Vec::new() };
        Self { namespace: source.script(&script.key), script, tickets: 0, live: false, names: HashMap::new() }
    }

    /// The line of the file that it stands for.
    #[must_use]
    pub fn line(mut self, line: u64) -> Self {
        self.script.line = Some(line);
        self
    }

    /// Its steps happen when they are played: no request says when, and the times of the steps are their pace alone.
    #[must_use]
    pub fn live(mut self) -> Self {
        self.live = true;
        self
    }

    /// Opens a ticket with `TicketService.Receive`; its id, time and number are filled in.
    pub fn receive(&mut self, at: Timestamp, actor: &Actor, receive: ReceiveRequest) -> Slot {
        self.open(at, actor, Request::Receive(Box::new(receive)))
    }

    /// Opens a ticket with `IntakeService.Report`. Only for callers who surely have no open ticket of the same type.
    pub fn report(&mut self, at: Timestamp, actor: &Actor, receive: ReceiveRequest) -> Slot {
        self.open(at, actor, Request::Report(Box::new(ReportRequest { receive: Some(receive) })))
    }

    /// The same caller rings again: `IntakeService.Report`, which attaches to the ticket in `slot`.
    pub fn ring_again(&mut self, slot: Slot, at: Timestamp, actor: &Actor, receive: ReceiveRequest) -> &mut Step {
        self.step(slot, at, actor, Request::Report(Box::new(ReportRequest { receive: Some(receive) })))
    }

    fn open(&mut self, at: Timestamp, actor: &Actor, request: Request) -> Slot {
        let slot = Slot(self.tickets);
        self.tickets += 1;
        self.step(slot, at, actor, request);
        slot
    }

    /// Adds a step about the ticket in `slot`.
    pub fn step(&mut self, slot: Slot, at: Timestamp, actor: &Actor, request: impl Into<Request>) -> &mut Step {
        let mut request = request.into();
        let call = request.call();
        let nth = self.names.entry((slot, call)).or_default();
        *nth += 1;
        let name = format!("{}.{call}.{nth}", slot.0);
        let request_id = Uuid::new_v5(&self.namespace, name.as_bytes()).to_string();
        let occurred_at = (!self.live).then(|| stamp(at));
        if let Some(header) = request.header_mut() {
            header.request_id = request_id;
            header.occurred_at = occurred_at;
        } else if let Some(receive) = request.receive_mut() {
            receive.request_id = request_id;
            receive.occurred_at = occurred_at;
        }
        let index = self.script.steps.len();
        self.script.steps.push(Step { name, at, actor: actor.clone(), slot, other: None, after: None, request });
        &mut self.script.steps[index]
    }

    /// The step added last, to say more about it.
    pub fn last_mut(&mut self) -> Option<&mut Step> {
        self.script.steps.last_mut()
    }

    /// The script, its steps in order of time; steps of one instant stay in the order in which they were added.
    #[must_use]
    pub fn finish(mut self) -> Script {
        self.script.steps.sort_by_key(|step| step.at);
        self.script
    }
}

/// An instant on the wire.
#[must_use]
pub fn stamp(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.timestamp(),
        nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(999_999_999),
    }
}

/// Somebody who acts: `role` is one of the API's role names.
#[must_use]
pub fn actor(id: impl Into<String>, role: &str, org: impl Into<String>) -> Actor {
    Actor { id: id.into(), role: role.to_owned(), org: org.into() }
}

/// Somebody who stands for `unit`: a crew's lead on the sixth level, a desk above.
#[must_use]
pub fn of_unit(unit: &str) -> Actor {
    match unit.split('/').count() {
        6 => actor("crew-lead", "crew", unit),
        _ => actor("desk", "desk", unit),
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ticket {}", self.0)
    }
}
