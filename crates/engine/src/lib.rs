//! The engine: the imperative loop around the domain. It loads, decides, appends, distributes facts, runs processes and
//! retries.
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
//! - [`command`]: the command loop, with optimistic concurrency and the ledger of requests
//! - [`requests`]: the index of requests over all streams
//! - [`journal`]: the conversion of facts to stored bytes and back
//! - [`vault`]: sealing of personal data
//! - [`feed`]: the log as it grows, read once for all readers
//! - [`follower`]: the loop that follows the log
//! - [`projector`]: keeps read models up to date
//! - [`reactor`]: runs processes, which react to facts and to time, with a [`checkpoint`] if they need one
//! - [`numbers`]: ticket numbers
//! - [`clock`]: the only place that reads the time
//!
//! Invariants, including what is absent: this crate has no rule about tickets, no protobuf and no gRPC. A command is
//! acknowledged only after its facts are durable. Concurrent writers of one ticket are settled by revisions, never by a
//! lock. A process is asked for actions only when there are new facts, when its time has come, or when it is nudged.
//! Nothing queues without a bound. Start reading at [`command::Aggregates::execute`].

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
