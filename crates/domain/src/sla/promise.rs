//! The record of a ticket's warnings and breaches (服务承诺预警与超时), including breaches that a late fact overturned. It has a
//! stream of its own, so that a warning never conflicts with an agent's command.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    decider::{Context, Decider},
    organisation::OrgPath,
    ticket::TicketId,
};

/// The most runs of one clock whose warnings are remembered.
const RUNS_MAX: usize = 8;

/// The promise stream of one ticket.
#[derive(Clone, Copy, Debug)]
pub struct Promises;

/// The key of a clock: its name, the cycle of the ticket, and the run within the cycle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClockKey {
    /// The clock's name: `arrival`.
    pub clock: String,
    /// The ticket's cycle, from 1.
    pub cycle: u16,
    /// The number of the run within the cycle, from 1. Stored as `lap`.
    #[serde(rename = "lap")]
    pub run_number: u16,
}

/// A reference to a published version: its name and its number, from 1. Number 0 means that nothing was published.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VersionRef {
    /// The policy's operator, or the calendar's name.
    pub name: String,
    /// The version number.
    pub version: u64,
}

/// The fact that started a clock. The ticket's stream identifies it by its revision, which a copy of the log keeps; a
/// copy has other positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StartedBy {
    /// The fact's revision in the ticket's stream, from 0.
    Revision {
        /// The revision.
        started_by: u64,
    },
    /// The form of version 0.1: the fact's position in the log in which it was recorded.
    Position {
        /// The position.
        because: u64,
    },
}

/// A clock, and the rule that judged it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// The clock.
    #[serde(flatten)]
    pub key: ClockKey,
    /// The rule's id.
    pub rule: String,
    /// The rule's hash.
    pub rule_hash: String,
    /// The policy.
    pub policy: VersionRef,
    /// The calendar.
    pub calendar: VersionRef,
    /// The instant at which the clock started.
    pub started: Timestamp,
    /// The fact that started it.
    #[serde(flatten)]
    pub started_by: StartedBy,
    /// The due instant. In an [`Overturned`] event: the due instant of the breach that is overturned.
    pub due: Timestamp,
    /// The unit that held the ticket at the due instant: it is responsible for the breach.
    pub owner: OrgPath,
}

/// A step of the warning ladder was reached (预警).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warned {
    /// The promise.
    #[serde(flatten)]
    pub judged: Judged,
    /// The number of the step, from 1.
    pub level: u8,
    /// The instant of the step.
    pub at: Timestamp,
    /// The unit to notify.
    pub tell: OrgPath,
}

/// The promise was not met when it was due (超时).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breached {
    /// The promise.
    #[serde(flatten)]
    pub judged: Judged,
}

/// A recorded breach no longer holds, because of a late fact or a changed due instant. The breach itself stays in the
/// log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overturned {
    /// The promise, as the breach recorded it.
    #[serde(flatten)]
    pub judged: Judged,
    /// The state now: `kept`, `cancelled`, `running`, `paused`, or `gone` when the ticket no longer has the clock.
    pub now: String,
    /// The due instant now; `None` while the clock waits, or without a clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_now: Option<Timestamp>,
}

/// An event of the promise stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A step of the warning ladder was reached.
    Warned(Warned),
    /// The promise was breached.
    Breached(Breached),
    /// A breach was overturned.
    Overturned(Overturned),
}

impl Event {
    /// The promise that the event is about.
    #[must_use]
    pub fn judged(&self) -> &Judged {
        match self {
            Self::Warned(e) => &e.judged,
            Self::Breached(e) => &e.judged,
            Self::Overturned(e) => &e.judged,
        }
    }
}

/// Record these events, except those that were recorded before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announce {
    /// The events, in the order in which they are to be recorded.
    pub events: Vec<Event>,
}

/// Why nothing was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// All events were recorded before.
    AlreadyRecorded,
}

/// The recorded events of one clock, folded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The clock.
    #[serde(flatten)]
    pub key: ClockKey,
    /// The runs with warnings, latest last: a restarted clock warns again. Several are kept, because an engine that is
    /// behind may record a warning of an older run in between.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    runs: Vec<Run>,
    /// The breach that holds, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breach: Option<Box<Judged>>,
}

/// The warnings of one run of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    /// The fact that started it.
    #[serde(flatten)]
    by: StartedBy,
    /// The instant of its start.
    #[serde(with = "chrono::serde::ts_microseconds")]
    started: Timestamp,
    /// The recorded steps of the ladder, one bit each, lowest step first.
    steps: u8,
}

impl Run {
    /// True for the run that the fact `by` started at `started`. Where either side names the fact by a position, the
    /// instant decides: positions differ between a log and its copy.
    fn is(&self, by: StartedBy, started: Timestamp) -> bool {
        match (self.by, by) {
            (StartedBy::Revision { .. }, StartedBy::Revision { .. }) => self.by == by,
            _ => self.started == started,
        }
    }
}

/// The promise stream of a ticket, folded. Its size is bounded by the number of clocks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PromiseLog(Vec<LogEntry>);

impl LogEntry {
    /// True when `level` (from 1) was recorded as warned, in the run that the fact `by` started at `started`.
    #[must_use]
    pub fn was_warned(&self, by: StartedBy, started: Timestamp, level: u8) -> bool {
        self.runs.iter().any(|run| run.is(by, started) && run.steps & bit(level) != 0)
    }

    fn warn(&mut self, judged: &Judged, level: u8) {
        let (by, started) = (judged.started_by, judged.started);
        let known = self.runs.iter().position(|run| run.is(by, started));
        let known = known.unwrap_or_else(|| {
            if self.runs.len() >= RUNS_MAX {
                self.runs.remove(0);
            }
            self.runs.push(Run { by, started, steps: 0 });
            self.runs.len() - 1
        });
        self.runs[known].steps |= bit(level);
    }
}

impl PromiseLog {
    /// True when nothing was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One entry for each clock, in the order of the first record.
    pub fn each(&self) -> impl Iterator<Item = &LogEntry> {
        self.0.iter()
    }

    /// The entry of one clock.
    #[must_use]
    pub fn of(&self, clock: &str, cycle: u16, run: u16) -> Option<&LogEntry> {
        self.0.iter().find(|said| said.key.run_number == run && said.key.cycle == cycle && said.key.clock == clock)
    }

    /// True when recording `event` would add nothing.
    #[must_use]
    pub fn knows(&self, event: &Event) -> bool {
        let key = &event.judged().key;
        let said = self.of(&key.clock, key.cycle, key.run_number);
        match event {
            Event::Warned(e) => {
                said.is_some_and(|said| said.was_warned(e.judged.started_by, e.judged.started, e.level))
            }
            Event::Breached(_) => said.is_some_and(|said| said.breach.is_some()),
            // Another breach holds than the one to overturn.
            Event::Overturned(e) => said.and_then(|said| said.breach.as_deref()) != Some(&e.judged),
        }
    }

    /// Applies a recorded event.
    pub fn take(&mut self, event: &Event) {
        let judged = event.judged();
        let at = self.0.iter().position(|said| said.key == judged.key).unwrap_or_else(|| {
            self.0.push(LogEntry { key: judged.key.clone(), runs: Vec::new(), breach: None });
            self.0.len() - 1
        });
        let said = &mut self.0[at];
        match event {
            Event::Warned(e) => said.warn(judged, e.level),
            // The breach may be of another run and may be overturned later; the recorded warnings stay, so that they
            // are not repeated.
            Event::Breached(e) => said.breach = Some(Box::new(e.judged.clone())),
            Event::Overturned(_) => said.breach = None,
        }
    }
}

/// The bit of a step of the ladder. Steps are 1 to 4; any above 8 shares the last bit.
fn bit(level: u8) -> u8 {
    1 << level.saturating_sub(1).min(7)
}

impl Decider for Promises {
    const CATEGORY: &'static str = "promise";
    type Id = TicketId;
    type Command = Announce;
    type Event = Event;
    type State = PromiseLog;
    type Rejection = Rejection;

    fn initial() -> PromiseLog {
        PromiseLog::default()
    }

    fn decide(state: &PromiseLog, command: &Announce, _: &Context<'_>) -> Result<Vec<Event>, Rejection> {
        let mut after = state.clone();
        let mut fresh = Vec::new();
        for event in &command.events {
            if !after.knows(event) {
                after.take(event);
                fresh.push(event.clone());
            }
        }
        if fresh.is_empty() { Err(Rejection::AlreadyRecorded) } else { Ok(fresh) }
    }

    fn evolve(mut state: PromiseLog, event: &Event, _: Timestamp) -> PromiseLog {
        state.take(event);
        state
    }
}
