//! Views: what screens and reports show, folded from facts.
//!
//! ```text
//!    command ──▶ decide ──▶ append ──▶ [project] ──▶ dispatch ──▶ subscribe
//!    server      domain     eventstore   VIEWS       dispatcher   server
//!       ╰───────────────  engine turns the wheel  ───────────────╯
//!                         wire carries it across
//! ```
//!
//! Modules in reading order, each for one screen or report:
//!
//! - [`ticket_list`]: the ticket list: its filter language and orders, over one case file a ticket
//! - [`ticket_page`]: the page of one ticket: its case file, and the data about the caller
//! - [`advice`]: the sentence for a customer who calls about a ticket
//! - [`promises`]: a promise in one sentence, with the responsible unit
//! - [`kpi`]: the service indicators
//! - [`assignments`]: the offers and tickets of each crew, and the messages to its app when they change
//! - [`comparison`]: the differences between the verdicts of two policies
//! - [`reconciliation`]: the check that no ticket is lost
//! - `random`: random histories and filters, for tests only
//!
//! Invariants, including what is absent: this crate is *pure*. It has no clock, no storage, no `async` and no protobuf.
//! `readmodel` stores the results in files; `server` masks and words them. Every fold is total: `apply` returns for any
//! facts in any order. No rule about tickets is repeated here: the state of a ticket is the domain's
//! [`CaseFile`](switchboard_domain::ticket::CaseFile). Start reading there.

pub mod advice;
pub mod assignments;
pub mod comparison;
pub mod kpi;
pub mod promises;
pub mod reconciliation;
pub mod ticket_list;
pub mod ticket_page;

#[cfg(any(test, feature = "random"))]
pub mod random;
#[cfg(test)]
mod story;

use switchboard_domain::{
    decider::Recorded,
    ticket::{Event, TicketId},
};

/// A ticket's fact with its position in the log.
pub type Fact = Recorded<Event, TicketId>;
