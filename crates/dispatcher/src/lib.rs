//! Who should go: the room of the dispatch plan, kept free between what is known and who is told.
//!
//! ```text
//!    command ──▶ decide ──▶ append ──▶ project ──▶ [dispatch] ──▶ subscribe
//!    server      domain     eventstore  views       DISPATCHER    server
//!       ╰───────────────  engine turns the wheel  ───────────────╯
//!                         wire carries it across
//! ```
//!
//! There is no code here: people choose the unit, with the commands `Dispatch` and `Reassign` of `switchboard-domain`, and the
//! engine neither proposes nor prefers any. What holds already, by manifest and lints: this crate is *pure* and knows nothing
//! but the domain, so that whatever is computed here is a function of its arguments.

pub mod board;
pub mod fold;
pub mod dispatch;
pub mod policy;
pub mod plan;
pub mod planner;
pub mod explain;
pub mod model;
pub mod repair;
pub mod rules;
pub mod scene;
pub mod travel;
pub mod search;
