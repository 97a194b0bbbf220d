//! The one imperative loop: load, decide, append, fan out, react, retry.
//!
//! ```text
//!    command ──▶ decide ──▶ append ──▶ project ──▶ dispatch ──▶ subscribe
//!    server       domain     eventstore  views       dispatcher   server
//!       ╰───────────────  [ENGINE turns the wheel]  ──────────────╯
//!                         wire carries it across
//! ```
//!
//! Modules in reading order:
//!
//! - [`command`]: the command loop, with optimistic concurrency and the request ledger; [`requests`]: the ledger over streams
//! - [`journal`]: facts to stored bytes and back; [`vault`]: sealing what is personal
//! - [`feed`]: the log as it grows, read once and handed to everyone; [`follower`]: the one loop that follows it
//! - [`projector`]: read models kept up to date; [`reactor`]: processes that say "whenever X happens, also Y" and
//!   "when it is time, Z", with a [`checkpoint`] where they need one
//! - [`numbers`]: ticket numbers; [`clock`]: the only place that reads the time
//!
//! Invariants, including what is absent: there is no rule about tickets in this crate, no protobuf and no gRPC. A
//! command is acknowledged only after its facts are durable. Two writers on one ticket are settled by revisions, never
//! by a lock. A process is asked when facts come and when it is time, and not otherwise. Nothing here queues without a
//! bound. Start reading at [`command::Aggregates::execute`].

pub mod checkpoint;
pub mod clock;
pub mod command;
pub mod feed;
pub mod follower;
pub mod journal;
pub mod numbers;
pub mod projector;
pub mod reactor;
pub mod requests;
pub mod vault;
