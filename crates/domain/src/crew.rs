//! The crew (抢修班组): who may be sent, with what skills, until when, and the one place that says what it is committed to.
//!
//! Who holds a ticket stands on the ticket's stream; here stands only for which tickets the crew's time is taken, so that it
//! is never promised twice. Positions are telemetry and no facts, but for a thinned track. Reading order: the words, then
//! commands, events, `decide` and `evolve`.

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

/// The path is not a crew's: it has fewer than six segments, or is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotACrew;

impl fmt::Display for NotACrew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CrewId::FORM)
    }
}

/// The longest path of a crew, in bytes: with its category it names a stream.
pub const CREW_PATH_BYTES_MAX: usize = 120;

impl CrewId {
    /// The form, for people.
    pub const FORM: &'static str =
        "a path of six segments and at most 120 bytes, such as sgcc/zj/hz/yuhang/liangzhu/crew3";

    /// The crew at this place; `None` when the path is of another level, or longer than [`CREW_PATH_BYTES_MAX`].
    #[must_use]
    pub fn of(org: &OrgPath) -> Option<Self> {
        (org.level() == Level::Crew && org.as_str().len() <= CREW_PATH_BYTES_MAX).then(|| Self(org.clone()))
    }

    /// Reads the form in which a stream names it.
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
    /// The path with `.` for `/` and `~` for `-`, for it is part of a stream's name; neither occurs in a path.
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
