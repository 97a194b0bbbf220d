//! Where an event stands in the log. Positions order; ids identify.

use std::fmt;

/// The place of an event in the whole log: a later event has a greater position.
///
/// A position is opaque. It compares, prints and travels (in tokens, answers and checkpoints); nothing adds to it,
/// and the difference of two positions means nothing: a keeper may leave gaps. What must be counted is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub(crate) u64);

impl Position {
    /// Before the first event.
    pub const START: Position = Position(0);
    /// After any event that can ever be recorded: where a backward read of the newest events begins.
    pub const END: Position = Position(u64::MAX);

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

    /// The next position of a dense log. Only keepers without gaps may ask.
    pub(crate) fn next(self) -> Position {
        Position(self.0.saturating_add(1))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
