//! The dispatcher: it computes a deterministic plan of crews and tickets with its reasons, and carries the plan out by
//! offers.
//!
//! ```text
//!    command ──▶ decide ──▶ append ──▶ project ──▶ [dispatch] ──▶ subscribe
//!    server      domain     eventstore  views       DISPATCHER    server
//!       ╰───────────────  engine turns the wheel  ───────────────╯
//!                         wire carries it across
//! ```
//!
//! Modules in reading order:
//!
//! - [`policy`]: the weights, limits and parameters of the plan, as data with a version
//! - [`board`]: the planner's input, jobs and crews; [`state`]: how facts become a board; [`cow_map`]: the
//!   copy-on-write map of both
//! - `scene`: jobs and crews in the form that prices need; `travel` and `repair`: travel and repair times
//! - [`rules`]: hard rules that forbid a crew and soft rules with a price, one rule per file
//! - [`search`]: ruin and recreate for any objective; `model`: the objective of dispatch
//! - [`plan`]: the routes, and why the other tickets wait; [`planner`]: keeps the plan in line with the board;
//!   [`explain`]: the price and the vetoes of each crew for a ticket
//! - [`dispatch`]: the process that carries each offer through the crew's stream and the ticket's stream
//!
//! Invariants: this crate is *pure* and depends on the domain only. It has no clock, no randomness except a seed, no
//! road graph and no storage. A plan is a cache and never a fact. Start reading at [`dispatch::Dispatch`], and in the
//! planner at [`planner::Planner`].

pub mod board;
pub mod cow_map;
pub mod dispatch;
pub mod explain;
mod model;
pub mod plan;
pub mod planner;
pub mod policy;
mod repair;
pub mod rules;
mod scene;
pub mod search;
pub mod state;
mod travel;
