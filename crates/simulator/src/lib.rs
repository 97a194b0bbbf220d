//! The simulator: turns recorded outages and a generated city into API calls and plays them against a server.
//!
//! ```text
//!    command ──▶ decide ──▶ append ──▶ project ──▶ dispatch ──▶ subscribe
//!    server      domain     eventstore  views       dispatcher   server
//!       ╰───────────────  engine turns the wheel  ───────────────╯
//!       ▲                 wire carries it across
//!   SIMULATOR
//!
//!    an operator's CSV ──▶ [mapping] ──▶ [rows] ──▶ [outage] ──╮
//!                                                              ├──▶ [script] ──▶ [driver] ──▶ gRPC
//!                                       a seed ──▶ [city] ─────╯
//!                                                  ╰──▶ [crews] ───────────────▶ gRPC
//! ```
//!
//! `import`, `replay`, `demo`, the load tests and the crash tests share one design: input becomes **scripts**, and a
//! **driver** plays them. When the dispatcher is to choose the crews, the script omits the steps between dispatch and
//! reply. Simulated **crews** do these steps.
//!
//! Modules in reading order:
//!
//! - [`script`]: the timed actions on one or a few tickets; each step is a complete API request with its own id
//! - [`request`]: the calls of the API that a step can make
//! - [`driver`]: plays scripts against a server, with bounded concurrency, pacing, retries and a report
//! - [`mapping`], [`rows`]: the description of an operator's file, and the iterator over its rows
//! - [`outage`]: the script of a recorded outage, as an import or as a replay with callers
//! - [`city`]: a generated city, one day of its calls, and faults that occur during the run
//! - [`crews`]: simulated crews that answer offers, drive and report
//!
//! Invariants, including what is absent. A script's request ids derive from the source, the row and the step, never
//! from a clock or a random number. Playing a script again therefore appends nothing. Crews derive their ids from the
//! event and its time. This crate has no rule about tickets: the server refuses, and the report quotes the refusal. All
//! people are generated. The crate reads no file except the one that the caller names. It does not link the engine, so
//! a script that works here works for any client of the API. Start reading at [`script::Script`].

pub mod city;
pub mod crews;
pub mod driver;
pub mod mapping;
pub mod outage;
pub mod request;
pub mod rows;
pub mod script;

/// An instant in UTC.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
