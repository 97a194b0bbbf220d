//! The crew (抢修班组): its skills, its shift, and the tickets that its time is reserved for or committed to.
//!
//! The ticket's stream says which crew holds the ticket. The crew's stream says only which tickets occupy the crew, so
//! that its time is never reserved twice. Positions are telemetry: only a thinned track is recorded. Reading order:
//! vocabulary, commands, events, `decide`, `evolve`.

pub mod command;
pub mod decide;
pub mod event;
pub mod evolve;
pub mod rejection;
pub mod state;
pub mod vocabulary;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use self::{
    command::Command,
    decide::{COMMITMENTS_MAX, decide},
    event::Event,
    evolve::evolve,
    rejection::Rejection,
    state::{Commitment, Crew, Reservation, Shift, State},
    vocabulary::*,
};
use crate::{
    Timestamp,
    decider::{Context, Decider},
    organisation::{Level, OrgPath},
};

/// A crew's identity: its place in the organisation, which is always a path of crew level.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "OrgPath", into = "OrgPath")]
pub struct CrewId(OrgPath);

/// The text is not a crew's path: it does not have six segments, or is longer than [`CREW_PATH_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotACrew;

impl fmt::Display for NotACrew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CrewId::FORM)
    }
}

/// The longest path of a crew, in bytes. A stream name holds the path and its category.
pub const CREW_PATH_BYTES_MAX: usize = 120;

impl CrewId {
    /// The expected form, for error messages.
    pub const FORM: &'static str =
        "a path of six segments and at most 120 bytes, such as sgcc/zj/hz/yuhang/liangzhu/crew3";

    /// The crew at this path; `None` unless the path has crew level and at most [`CREW_PATH_BYTES_MAX`] bytes.
    #[must_use]
    pub fn of(org: &OrgPath) -> Option<Self> {
        (org.level() == Level::Crew && org.as_str().len() <= CREW_PATH_BYTES_MAX).then(|| Self(org.clone()))
    }

    /// Parses the form that stream names use; see [`fmt::Display`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let path: String = text
            .chars()
            .map(|c| {
                if c == '.' {
                    '/'
                } else if c == '~' {
                    '-'
                } else {
                    c
                }
            })
            .collect();
        Self::of(&OrgPath::parse(&path).ok()?)
    }

    /// Its place in the organisation.
    #[must_use]
    pub fn org(&self) -> &OrgPath {
        &self.0
    }
}

impl TryFrom<OrgPath> for CrewId {
    type Error = NotACrew;
    fn try_from(org: OrgPath) -> Result<Self, NotACrew> {
        Self::of(&org).ok_or(NotACrew)
    }
}

impl From<CrewId> for OrgPath {
    fn from(id: CrewId) -> Self {
        id.0
    }
}

impl fmt::Display for CrewId {
    /// The form that stream names use: the path with `.` for `/` and `~` for `-`. Neither `.` nor `~` occurs in a path.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_str().chars().try_for_each(|c| {
            let shown = match c {
                '/' => '.',
                '-' => '~',
                other => other,
            };
            fmt::Write::write_char(f, shown)
        })
    }
}

impl fmt::Debug for CrewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The crew as the engine sees it.
#[derive(Clone, Copy, Debug)]
pub struct Crews;

impl Decider for Crews {
    const CATEGORY: &'static str = "crew";
    type Id = CrewId;
    type Command = Command;
    type Event = Event;
    type State = State;
    type Rejection = Rejection;

    fn initial() -> State {
        None
    }

    fn decide(state: &State, command: &Command, cx: &Context<'_>) -> Result<Vec<Event>, Rejection> {
        decide(state, command, cx)
    }

    fn evolve(state: State, event: &Event, at: Timestamp) -> State {
        evolve(state, event, at)
    }
}
