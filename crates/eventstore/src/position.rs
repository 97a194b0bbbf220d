//! The position of an event in the log. Positions are ordered; ids identify events.

use std::fmt;

/// The position of an event in the whole log. A later event has a greater position.
///
/// A position is opaque. Positions may be compared, printed and passed on (in tokens, answers and checkpoints). Do not
/// add to a position or subtract positions: an implementation may leave gaps. Code that needs a count must count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub(crate) u64);

impl Position {
    /// The position before the first event.
    pub const START: Position = Position(0);
    /// The position after any possible event. A backward read of the newest events begins here.
    pub const END: Position = Position(u64::MAX);

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

    /// The next position of a dense log. Only dense implementations may call this.
    pub(crate) fn next(self) -> Position {
        Position(self.0.saturating_add(1))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
