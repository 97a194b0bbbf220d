//! Where a fact stands, and in which log. Positions order; ids identify.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The place of a fact in the whole log: a later fact has a greater position.
///
/// A position is opaque. It compares, prints and travels (in tokens, answers and checkpoints); nothing adds to it, and the
/// difference of two positions means nothing, for a log may have gaps. What must be counted is counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(u64);

impl Position {
    /// Before the first fact.
    pub const START: Self = Self(0);

    /// The position that was written down as this number. For storage and transport only.
    #[must_use]
    pub const fn from_stored(number: u64) -> Self {
        Self(number)
    }

    /// The number under which the position is written down. For storage and transport only: it keeps the order.
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

/// Which log: two logs with the same id have the same first fact at the same position.
///
/// A backup has the id of its log. A log that was copied event by event into another store has the same id only if the
/// store gave the first event the same position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogId(Uuid);

impl LogId {
    /// Of a log without a fact.
    pub const EMPTY: Self = Self(Uuid::nil());

    /// Of the log whose first event has this id and position.
    #[must_use]
    pub fn of(first: Uuid, position: Position) -> Self {
        Self(Uuid::new_v5(&first, &position.stored().to_be_bytes()))
    }

    /// The id as it is written down.
    #[must_use]
    pub const fn stored(self) -> Uuid {
        self.0
    }

    /// The id that was written down so.
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

/// A position, and the log that it belongs to: what tokens, checkpoints and files of read models name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPosition {
    /// The log.
    pub log: LogId,
    /// The position in it.
    pub position: Position,
}

impl LogPosition {
    /// The beginning of any log.
    pub const START: Self = Self { log: LogId::EMPTY, position: Position::START };

    /// Whether a log that reaches up to `head` has come past this place: it is the beginning, or the same log reaches so far.
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
