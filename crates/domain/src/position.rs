//! The position of a fact in a log, and the id of the log. Positions are ordered; a log id says which log a position
//! belongs to.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The position of a fact in the whole log. A later fact has a greater position.
///
/// A position is opaque. Positions may be compared, printed and passed on (in tokens, answers and checkpoints). Do not
/// add to a position or subtract positions: a log may have gaps. Code that needs a count must count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(u64);

impl Position {
    /// The position before the first fact.
    pub const START: Self = Self(0);

    /// The position that is stored as this number. For storage and transport only.
    #[must_use]
    pub const fn from_stored(number: u64) -> Self {
        Self(number)
    }

    /// The number that the position is stored as. For storage and transport only. Numbers have the same order as
    /// positions.
    #[must_use]
    pub const fn stored(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The id of a log. Two logs with the same id have the same first fact at the same position.
///
/// A backup has the id of its log. A log that was copied event by event into another store has the same id only if that
/// store gave the first event the same position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogId(Uuid);

impl LogId {
    /// The id of a log without facts.
    pub const EMPTY: Self = Self(Uuid::nil());

    /// The id of the log whose first event has this id and position.
    #[must_use]
    pub fn of(first: Uuid, position: Position) -> Self {
        Self(Uuid::new_v5(&first, &position.stored().to_be_bytes()))
    }

    /// The id in its stored form.
    #[must_use]
    pub const fn stored(self) -> Uuid {
        self.0
    }

    /// The id with this stored form.
    #[must_use]
    pub const fn from_stored(id: Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}

/// A position and the log that it belongs to. Tokens, checkpoints and files of read models contain one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPosition {
    /// The log.
    pub log: LogId,
    /// The position in that log.
    pub position: Position,
}

impl LogPosition {
    /// The beginning of any log.
    pub const START: Self = Self { log: LogId::EMPTY, position: Position::START };

    /// True for the beginning, and for a position that the log of `head` has reached: same log id, and not past `head`.
    #[must_use]
    pub fn is_in(self, head: Self) -> bool {
        self.position == Position::START || (self.log == head.log && self.position <= head.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(first: u128, position: u64) -> LogPosition {
        let log = LogId::of(Uuid::from_u128(first), Position::from_stored(1));
        LogPosition { log, position: Position::from_stored(position) }
    }

    #[test]
    fn a_place_is_in_its_own_log_up_to_the_head_and_in_no_other() {
        let head = place(1, 9);
        assert!(place(1, 9).is_in(head) && place(1, 3).is_in(head));
        assert!(!place(1, 10).is_in(head), "the log was put back to an earlier copy");
        assert!(!place(2, 3).is_in(head), "another log");
        assert!(LogPosition::START.is_in(head) && LogPosition::START.is_in(LogPosition::START));
        assert!(!place(1, 3).is_in(LogPosition::START));
    }

    #[test]
    fn the_same_first_event_at_another_position_makes_another_log() {
        let first = Uuid::from_u128(7);
        assert_ne!(LogId::of(first, Position::from_stored(1)), LogId::of(first, Position::from_stored(58)));
        assert_ne!(LogId::of(first, Position::from_stored(1)), LogId::of(Uuid::from_u128(8), Position::from_stored(1)));
    }
}
