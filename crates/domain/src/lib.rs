//! The rules of tickets, crews and service promises: states, commands, events, and every reason to reject a command.
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
//! - [`decider`], [`read_model`]: the traits through which the engine calls this crate and keeps read models
//! - [`position`]: the place of a fact, and the id of the log that it belongs to
//! - [`organisation`], [`actor`], [`personal`]: units, actors with their roles, and personal data
//! - [`rules`]: the limits for revisits, urges and time stamps; they are data, not code
//! - [`ticket_id`]: the identity of a ticket
//! - [`ticket`]: the ticket as a state machine; [`ticket::case_file`] is the one fold of its facts for readers
//! - [`crew`]: the crew, and which tickets its time is reserved for or committed to
//! - [`fact`]: a fact of any stream, as processes and read models receive it
//! - [`fingerprint`]: fingerprints of source code, by which a stored file names the code that made it
//! - [`linkage`]: the process that carries a merge to the child tickets
//! - [`sla`]: service promises: policies, calendars, clocks, and the judge that gives verdicts
//! - [`numbering`]: ticket numbers, reserved in blocks
//!
//! Invariants: this crate is *pure*. It has no clock, no randomness, no I/O, no `async` and no logging. `decide` is a
//! function of its arguments. `evolve` is total: it never rejects an event of the log. Start reading at
//! [`ticket::moves`], then [`ticket::decide()`].

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
pub mod position;
pub mod read_model;
pub mod rules;
pub mod sla;
pub mod ticket;
pub mod ticket_id;

/// An instant in UTC, in microseconds on the wire. User interfaces show it in China Standard Time (UTC+8).
pub type Timestamp = chrono::DateTime<chrono::Utc>;

/// A field of a command that is invalid whatever the state of the ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field's path as the caller wrote it, for example `caller.phone`.
    pub field: &'static str,
    /// The kind of fault.
    pub problem: Problem,
}

/// The kinds of invalid field. A value, so that each API words it in its own language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A required field is absent or empty.
    Missing,
    /// Longer than the named limit, in bytes.
    TooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A list has more entries than the limit.
    TooMany {
        /// The largest number of entries.
        limit: usize,
    },
    /// The value does not have the form of this field.
    Malformed {
        /// The expected form, in English.
        expected: &'static str,
    },
    /// An expression (a filter or a rule) that does not parse.
    Unreadable {
        /// The position and the reason, in English.
        detail: String,
    },
    /// Contradicts another field.
    Contradicts {
        /// The path of the other field.
        other: &'static str,
    },
    /// An instant later than the engine's time plus the permitted clock skew.
    InTheFuture,
    /// An instant in the past, in a field that requires a future one.
    InThePast,
    /// An instant further ahead than the limit.
    TooFarAhead {
        /// The limit, in days.
        days_max: i64,
    },
}

impl Violation {
    /// A required field is absent.
    #[must_use]
    pub fn missing(field: &'static str) -> Self {
        Self { field, problem: Problem::Missing }
    }

    /// A field does not have its expected form.
    #[must_use]
    pub fn malformed(field: &'static str, expected: &'static str) -> Self {
        Self { field, problem: Problem::Malformed { expected } }
    }

    /// A field holds an expression that does not parse.
    #[must_use]
    pub fn unreadable(field: &'static str, detail: String) -> Self {
        Self { field, problem: Problem::Unreadable { detail } }
    }

    /// A field contradicts another one.
    #[must_use]
    pub fn contradicts(field: &'static str, other: &'static str) -> Self {
        Self { field, problem: Problem::Contradicts { other } }
    }
}
