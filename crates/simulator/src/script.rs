//! A script: the actions on one ticket, or on a few related tickets, in order of time. Every step is a complete API
//! request with its id; the driver fills in only the ticket ids. Absent: a check that a step is legal. The server
//! decides that, and a test plays every script against the domain.

use std::{collections::HashMap, fmt};

pub use switchboard_wire::proto::Actor;
use switchboard_wire::proto::{ReceiveRequest, ReportRequest};
use uuid::Uuid;

use crate::{Timestamp, request::Request};

/// A timed sequence of requests about one ticket or a few related ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Script {
    /// The script's name within its source: the key of a row, or the number of a call of the city's day.
    pub key: String,
    /// The line of the input file that the script was made from; `None` for generated scripts.
    pub line: Option<u64>,
    /// The steps, in non-decreasing order of time.
    pub steps: Vec<Step>,
}

impl Script {
    /// Returns the time of the first step.
    #[must_use]
    pub fn begins(&self) -> Option<Timestamp> {
        self.steps.first().map(|step| step.at)
    }

    /// Returns the time of the last step.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        self.steps.last().map(|step| step.at)
    }

    /// Returns the number of tickets that the script uses.
    #[must_use]
    pub fn tickets(&self) -> usize {
        self.steps.iter().map(|step| step.slot.0 + 1).max().unwrap_or(0)
    }
}

/// One request of a script.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The step's name within the script: slot, call and ordinal among the same calls, such as `0.dispatch.2`.
    pub name: String,
    /// The instant of the step. It is also the request's `occurred_at`, unless the script is live.
    pub at: Timestamp,
    /// The actor, sent in the call's metadata.
    pub actor: Actor,
    /// The ticket of the script that the step is about.
    pub slot: Slot,
    /// The other ticket of the step: the master of a merge, or the ticket that an urge belongs to.
    pub other: Option<Slot>,
    /// Facts that must be on record before the step is sent. The engine's own processes add them.
    pub after: Option<Awaited>,
    /// The request.
    pub request: Request,
}

impl Step {
    /// Sets the other ticket: the master of a merge, or the ticket that an urge belongs to.
    pub fn about(&mut self, other: Slot) -> &mut Self {
        self.other = Some(other);
        self
    }

    /// Makes the driver wait until `slot` has `count` facts of `kind`. Facts are permanent, so a second run never
    /// waits.
    pub fn after(&mut self, slot: Slot, kind: &'static str, count: usize) -> &mut Self {
        self.after = Some(Awaited { slot, kind, count });
        self
    }
}

/// A ticket of a script, numbered from 0 in the order in which the tickets are opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Slot(pub usize);

/// Facts that must be on record before a step is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// The ticket that must have them.
    pub slot: Slot,
    /// The kind of the facts, such as `REPLIED`.
    pub kind: &'static str,
    /// The least number of facts of that kind.
    pub count: usize,
}

/// The kind of the fact by which a master takes a child.
pub const CHILD_ADOPTED: &str = "ticket.child_adopted.v1";
/// The kind of the fact by which a child takes over its master's outcome.
pub const MASTER_FOLLOWED: &str = "ticket.master_followed.v1";
/// The kind of the fact that records a reply.
pub const REPLIED: &str = "ticket.replied.v1";

/// The origin of scripts: the namespace of their request ids. The same source, key and step always give the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source(Uuid);

impl Source {
    /// Creates the source with that name, such as `import/bc-outages`.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("switchboard:{name}").as_bytes()))
    }

    /// Returns the namespace of one script. Its bits also seed the random numbers of that script.
    #[must_use]
    pub fn script(&self, key: &str) -> Uuid {
        Uuid::new_v5(&self.0, key.as_bytes())
    }
}

/// A script under construction. Steps may be added ticket by ticket; `finish` sorts them by time.
#[derive(Debug)]
pub struct Draft {
    namespace: Uuid,
    script: Script,
    tickets: usize,
    live: bool,
    /// The number of steps so far for each ticket and call.
    names: HashMap<(Slot, &'static str), u32>,
}

impl Draft {
    /// Begins the script `key` of `source`.
    #[must_use]
    pub fn new(source: &Source, key: impl Into<String>) -> Self {
        let script = Script { key: key.into(), line: None, steps: Vec::new() };
        Self { namespace: source.script(&script.key), script, tickets: 0, live: false, names: HashMap::new() }
    }

    /// Sets the line of the input file that the script was made from.
    #[must_use]
    pub fn line(mut self, line: u64) -> Self {
        self.script.line = Some(line);
        self
    }

    /// Makes the script live: no request has an `occurred_at`, and the times of the steps serve only for pacing.
    #[must_use]
    pub fn live(mut self) -> Self {
        self.live = true;
        self
    }

    /// Opens a ticket with `TicketService.Receive`. The draft fills in the request id and `occurred_at`.
    pub fn receive(&mut self, at: Timestamp, actor: &Actor, receive: ReceiveRequest) -> Slot {
        self.open(at, actor, Request::Receive(Box::new(receive)))
    }

    /// Opens a ticket with `IntakeService.Report`. Use it only for a caller that has no open ticket of the same type:
    /// the report would attach to that ticket.
    pub fn report(&mut self, at: Timestamp, actor: &Actor, receive: ReceiveRequest) -> Slot {
        self.open(at, actor, Request::Report(Box::new(ReportRequest { receive: Some(receive) })))
    }

    /// Adds a repeated call by the same caller: `IntakeService.Report`, which attaches to the ticket in `slot`.
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

    /// Returns the step that was added last, for further changes.
    pub fn last_mut(&mut self) -> Option<&mut Step> {
        self.script.steps.last_mut()
    }

    /// Returns the script with its steps in order of time. Steps of the same instant keep the order in which they were
    /// added.
    #[must_use]
    pub fn finish(mut self) -> Script {
        self.script.steps.sort_by_key(|step| step.at);
        self.script
    }
}

/// Converts an instant to its form on the wire.
#[must_use]
pub fn stamp(at: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: at.timestamp(),
        nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(999_999_999),
    }
}

/// Builds an actor; `role` is one of the API's role names.
#[must_use]
pub fn actor(id: impl Into<String>, role: &str, org: impl Into<String>) -> Actor {
    Actor { id: id.into(), role: role.to_owned(), org: org.into() }
}

/// Builds an actor that acts for `unit`: the lead of a crew on the sixth level, a desk on the levels above.
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
