//! What a ticket *is*, what may happen to it, and every way of saying no.
//!
//! ```text
//!    command ──▶ [decide] ──▶ append ──▶ project ──▶ dispatch ──▶ subscribe
//!    server       DOMAIN     eventstore  views       dispatcher   server
//!       ╰───────────────  engine turns the wheel  ───────────────╯
//!                         wire carries it across
//! ```
//!
//! Modules in reading order:
//!
//! - [`decider`]: the three one-page traits through which the engine sees this crate
//! - [`organisation`], [`actor`], [`personal`]: where, who, and what must stay secret
//! - [`rules`]: the numbers of the trade that are data, not code
//! - [`ticket`]: the ticket, complete as a state machine
//! - [`crew`]: the crew, and what its time is promised to
//! - [`fact`]: a fact of the log, of whichever aggregate; [`ticket::case_file`], the one fold of a ticket's facts for
//!   all who look from outside; [`fingerprint`], how files name the code that made them
//! - [`linkage`]: the process that keeps masters and children of a merge in step
//! - [`numbering`]: ticket numbers, handed out in blocks that are facts
//!
//! Invariants, including what is absent: this crate is *pure*. There is no clock, no randomness, no I/O,
//! no `async`, no logging and no stored name in it. `decide` is a function of its arguments; `evolve` is
//! total, for history cannot be refused. Start reading at [`ticket::moves`], then [`ticket::decide()`].

pub mod actor;
#[cfg(test)]
mod chance;
pub mod crew;
pub mod decider;
pub mod fact;
pub mod fingerprint;
pub mod linkage;
pub mod numbering;
pub mod organisation;
pub mod personal;
pub mod rules;
pub mod sla;
pub mod ticket;

/// An instant in UTC, to the microsecond on the wire. People see it at +08:00.
pub type Timestamp = chrono::DateTime<chrono::Utc>;

/// One field of a command that cannot be accepted as it stands, whatever the ticket's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field's path as the caller wrote it, for example `caller.phone`.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What can be wrong with a field, as a value that every border words in its own language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A required field is absent or empty.
    Missing,
    /// Longer than the named limit, in bytes.
    TooLong {
        /// The most that is taken, in bytes.
        limit: usize,
    },
    /// More entries than the named limit.
    TooMany {
        /// The most that is taken.
        limit: usize,
    },
    /// Not a value of the field's form.
    Malformed {
        /// The form that is expected.
        expected: &'static str,
    },
    /// Written in a little language, and not readable; the detail says where and why, in English.
    Unreadable {
        /// Where and why.
        detail: String,
    },
    /// Contradicts another field.
    Contradicts {
        /// That field.
        other: &'static str,
    },
    /// An instant that lies too far ahead of the engine's clock.
    InTheFuture,
    /// An instant that lies in the past where a coming one is needed.
    InThePast,
    /// An instant that lies further ahead than the named limit.
    TooFarAhead {
        /// The furthest that is taken, in days.
        days_max: i64,
    },
}

impl Violation {
    /// The field is required.
    #[must_use]
    pub fn missing(field: &'static str) -> Self {
        Self { field, problem: Problem::Missing }
    }

    /// The field has another form than the expected one.
    #[must_use]
    pub fn malformed(field: &'static str, expected: &'static str) -> Self {
        Self { field, problem: Problem::Malformed { expected } }
    }

    /// The field is written in a little language and cannot be read.
    #[must_use]
    pub fn unreadable(field: &'static str, detail: String) -> Self {
        Self { field, problem: Problem::Unreadable { detail } }
    }

    /// The field says the opposite of another one.
    #[must_use]
    pub fn contradicts(field: &'static str, other: &'static str) -> Self {
        Self { field, problem: Problem::Contradicts { other } }
    }
}
