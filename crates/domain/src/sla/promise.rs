//! What was said of a ticket's promises (服务承诺预警与超时): warned, breached, and taken back when a late fact showed otherwise.
//! A stream of its own beside the ticket's, so that a warning never gets in the way of an agent's command.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    decider::{Context, Decider},
    organisation::OrgPath,
    ticket::TicketId,
};

/// So many runs of one clock are remembered with what was warned of in them.
const RUNS_MAX: usize = 8;

/// The promises of one ticket.
#[derive(Clone, Copy, Debug)]
pub struct Promises;

/// A clock of a ticket: its name, the cycle of the ticket and the run within it, each from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ClockKey {
    /// The clock's name: `arrival`.
    pub clock: String,
    /// The ticket's cycle.
    pub cycle: u16,
    /// The number of the run within the cycle, from 1. Stored as `lap`.
    #[serde(rename = "lap")]
    pub run_number: u16,
}

/// A version of something published: its name and its number, from 1; 0 stands for none published.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VersionRef {
    /// The policy's operator, or the calendar's name.
    pub name: String,
    /// The number.
    pub version: u64,
}

/// The fact of the ticket that started a clock. It is named by its place in the ticket's stream, which a copy of the log
/// keeps; positions are another log's there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StartedBy {
    /// Its revision in the ticket's stream, from 0.
    Revision {
        /// The revision.
        started_by: u64,
    },
    /// What was stored before there were revisions: its position in the log that it was recorded in.
    Position {
        /// The position.
        because: u64,
    },
}

/// Which promise is meant, and under which rule it was judged.
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
    /// When the clock started.
    pub started: Timestamp,
    /// The fact that started it.
    #[serde(flatten)]
    pub started_by: StartedBy,
    /// The due instant. When it is being taken back, the one that it was said of.
    pub due: Timestamp,
    /// Who held the ticket at that instant: the one who answers for it.
    pub owner: OrgPath,
}

/// A step of the warning ladder was reached (预警).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warned {
    /// Which promise.
    #[serde(flatten)]
    pub judged: Judged,
    /// Which step, from 1.
    pub level: u8,
    /// When it was reached.
    pub at: Timestamp,
    /// The unit that is told.
    pub tell: OrgPath,
}

/// Due passed and the promise was not kept (超时).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breached {
    /// Which promise.
    #[serde(flatten)]
    pub judged: Judged,
}

/// A breach no longer stands, for a fact that came late or changed what was due. What was said before stays in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overturned {
    /// Which promise.
    #[serde(flatten)]
    pub judged: Judged,
    /// What it is now: `kept`, `cancelled`, `running`, `paused`, or `gone` when the ticket has no such clock any more.
    pub now: String,
    /// The due instant now, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_now: Option<Timestamp>,
}

/// Anything that can be said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Warned.
    Warned(Warned),
    /// Breached.
    Breached(Breached),
    /// Overturned.
    Overturned(Overturned),
}

impl Event {
    /// Which promise it is about.
    #[must_use]
    pub fn judged(&self) -> &Judged {
        match self {
            Self::Warned(e) => &e.judged,
            Self::Breached(e) => &e.judged,
            Self::Overturned(e) => &e.judged,
        }
    }
}

/// Say these things, as far as they were not said before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announce {
    /// In the order in which they are to be recorded.
    pub events: Vec<Event>,
}

/// Why nothing was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// All of it was said before.
    AlreadySaid,
}

/// What was said so far of one clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// Which clock.
    #[serde(flatten)]
    pub key: ClockKey,
    /// The runs that were warned of, the latest last: a clock that starts over is warned of anew. More than one, for an engine
    /// that knows less may speak of an older run in between.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    runs: Vec<Run>,
    /// The breach that stands, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub breach: Option<Box<Judged>>,
}

/// What was warned of in one run of a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Run {
    /// The fact that started it.
    #[serde(flatten)]
    by: StartedBy,
    /// When it started.
    #[serde(with = "chrono::serde::ts_microseconds")]
    started: Timestamp,
    /// The steps of its ladder, bit by bit from the lowest.
    steps: u8,
}

impl Run {
    /// Whether this is the run that a fact started at an instant. A position says nothing in a copy of its log, so the
    /// instant decides where either fact is named by one.
    fn is(&self, by: StartedBy, started: Timestamp) -> bool {
        match (self.by, by) {
            (StartedBy::Revision { .. }, StartedBy::Revision { .. }) => self.by == by,
            _ => self.started == started,
        }
    }
}

/// What was said so far of a ticket's promises. Bounded by its clocks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PromiseLog(Vec<LogEntry>);

impl LogEntry {
    /// Whether that step, from 1, was warned of in the run that the fact started at the instant.
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
    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was said of each clock, in the order in which it was first spoken of.
    pub fn each(&self) -> impl Iterator<Item = &LogEntry> {
        self.0.iter()
    }

    /// What was said of one clock.
    #[must_use]
    pub fn of(&self, clock: &str, cycle: u16, run: u16) -> Option<&LogEntry> {
        self.0.iter().find(|said| said.key.run_number == run && said.key.cycle == cycle && said.key.clock == clock)
    }

    /// Whether saying `event` would say nothing new.
    #[must_use]
    pub fn knows(&self, event: &Event) -> bool {
        let key = &event.judged().key;
        let said = self.of(&key.clock, key.cycle, key.run_number);
        match event {
            Event::Warned(e) => {
                said.is_some_and(|said| said.was_warned(e.judged.started_by, e.judged.started, e.level))
            }
            Event::Breached(_) => said.is_some_and(|said| said.breach.is_some()),
            // Another breach than the one that is meant stands.
            Event::Overturned(e) => said.and_then(|said| said.breach.as_deref()) != Some(&e.judged),
        }
    }

    /// Takes note of what was said.
    pub fn take(&mut self, event: &Event) {
        let judged = event.judged();
        let at = self.0.iter().position(|said| said.key == judged.key).unwrap_or_else(|| {
            self.0.push(LogEntry { key: judged.key.clone(), runs: Vec::new(), breach: None });
            self.0.len() - 1
        });
        let said = &mut self.0[at];
        match event {
            Event::Warned(e) => said.warn(judged, e.level),
            // A breach may be of another run, and be taken back: what was warned of the run before it is not said again then.
            Event::Breached(e) => said.breach = Some(Box::new(e.judged.clone())),
            Event::Overturned(_) => said.breach = None,
        }
    }
}

/// The bit of a step of the ladder; steps are 1 to 4, and a greater one counts as the last.
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
        if fresh.is_empty() { Err(Rejection::AlreadySaid) } else { Ok(fresh) }
    }

    fn evolve(mut state: PromiseLog, event: &Event, _: Timestamp) -> PromiseLog {
        state.take(event);
        state
    }
}
