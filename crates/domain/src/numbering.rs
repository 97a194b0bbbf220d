//! Ticket numbers (工单编号): the date and eight digits, reserved in blocks. SGCC national tickets have this form (16
//! digits: yyyymmdd and 8 digits). A reservation is a fact appended under an expected revision, so no block is reserved
//! twice, however many engines run. Numbers are for people: no code parses them.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    decider::{Context, Decider},
};

/// The number of ticket numbers in one day: eight digits.
pub const NUMBERS_PER_DAY_MAX: u32 = 99_999_999;
/// The largest block.
pub const BLOCK_NUMBERS_MAX: u32 = 10_000;

/// The ticket numbers of one day. Its id is the date in China Standard Time: `20261121`.
#[derive(Clone, Debug)]
pub struct Numbering;

/// Reserve the next `count` numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserve {
    /// The size of the block, 1 to [`BLOCK_NUMBERS_MAX`].
    pub count: u32,
}

/// The numbers from `first` up to and including `last` were reserved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserved {
    /// The first number of the block.
    pub first: u32,
    /// The last number of the block, inclusive.
    pub last: u32,
}

/// Why the block was not reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// The day has too few numbers left.
    Day,
    /// The size is not 1 to [`BLOCK_NUMBERS_MAX`].
    Count,
}

impl Decider for Numbering {
    const CATEGORY: &'static str = "numbering";
    type Id = String;
    type Command = Reserve;
    type Event = Reserved;
    /// The last number reserved; 0 before the first.
    type State = u32;
    type Rejection = Exhausted;

    fn initial() -> u32 {
        0
    }

    fn decide(last: &u32, command: &Reserve, _: &Context<'_>) -> Result<Vec<Reserved>, Exhausted> {
        if command.count == 0 || command.count > BLOCK_NUMBERS_MAX {
            return Err(Exhausted::Count);
        }
        match last.checked_add(command.count) {
            Some(end) if end <= NUMBERS_PER_DAY_MAX => Ok(vec![Reserved { first: last + 1, last: end }]),
            _ => Err(Exhausted::Day),
        }
    }

    fn evolve(_: u32, event: &Reserved, _: Timestamp) -> u32 {
        event.last
    }
}

/// The number as people see it.
#[must_use]
pub fn format(date: &str, number: u32) -> String {
    format!("{date}{number:08}")
}
