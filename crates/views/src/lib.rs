//! What people want to look at, folded from facts.
//!
//! ```text
//!    command ──▶ decide ──▶ append ──▶ [project] ──▶ dispatch ──▶ subscribe
//!    server      domain     eventstore   VIEWS       dispatcher   server
//!       ╰───────────────  engine turns the wheel  ───────────────╯
//!                         wire carries it across
//! ```
//!
//! Modules in reading order, each the answer to one question on a screen:
//!
//! - [`ticket_list`]: which tickets are there? The filter language and the orders, over one case file a ticket
//! - [`ticket_page`]: what is known of this ticket? Its case file, and everything about the person behind it
//! - [`advice`]: what do we tell the one who calls about it?
//! - [`promises`]: how does this promise stand, and who answers for it?
//! - [`kpi`]: how good is the service, by the indicators of the trade?
//! - [`assignments`]: what is a crew offered, what has it, and what is it told as that changes?
//! - [`comparison`]: what would another policy have said?
//! - [`reconciliation`]: does everything that came in still add up?
//! - `random`: histories and filters by chance, for tests alone
//!
//! Invariants, including what is absent: this crate is *pure*. There is no clock, no storage, no `async` and no protobuf
//! in it; `server` keeps what is folded in a file, and the borders mask and word what is shown. Every fold is total:
//! whatever the log holds, in whatever order, `apply` returns. No rule about tickets is repeated here: what is known
//! of a ticket is the domain's [`CaseFile`](switchboard_domain::ticket::CaseFile). Start reading there.

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

/// A ticket's fact with its place in the log.
pub type Fact = Recorded<Event, TicketId>;
