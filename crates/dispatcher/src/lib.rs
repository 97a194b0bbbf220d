//! Who should go: a deterministic plan that can say why, and the process that carries it out.
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
//! - [`policy`]: what the plan weighs, as data under a version
//! - [`board`]: what is known of jobs and crews; [`state`], how it comes from facts; [`cow_map`], how both are copied
//! - `scene`: jobs and crews as prices need them; `travel` and `repair`, the times that they go by
//! - [`rules`]: what forbids and what costs, one rule a file
//! - [`search`]: ruin and recreate over any objective; `model`, its dispatch form
//! - [`plan`]: who does what after what, and why the rest waits; [`planner`], how it is kept while the board changes; [`explain`],
//!   what each rule said of each crew
//! - [`dispatch`]: the process that carries each offer through the crew's stream and the ticket's
//!
//! Invariants, including what is absent: this crate is *pure* and knows nothing but the domain; no clock, no randomness but a
//! seed, no roads, no storage. A plan is a cache and never a fact. Start reading at [`dispatch::Dispatch`], and in the planner at
//! [`planner::Planner`].

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
