//! Demand: recorded outages and a seeded city, played against the public API.
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
//! `import`, `replay`, `demo`, load and crash tests are one idea: something becomes **scripts**, and a **driver** plays them.
//! Where a dispatcher is to find the crews, a script leaves out what lies between dispatch and reply, and **crews** do it.
//!
//! Modules in reading order:
//!
//! - [`script`]: what somebody would do with tickets: timed steps, each a complete API request with its own id
//! - [`request`]: the calls of the API that a step can make
//! - [`driver`]: plays scripts against a server: bounded, paced, retried, reported
//! - [`mapping`], [`rows`]: how an operator's file reads, and its rows one by one
//! - [`outage`]: the script of a recorded outage, as an import or as a replay with callers
//! - [`city`]: a city that never was, a day of its calls, and faults that happen while they are played
//! - [`crews`]: crews that are offered work, drive and report
//!
//! Invariants, including what is absent: a script's request ids derive from the source, the row and the step, never from a clock
//! or a dice, so that playing it again appends nothing; crews name theirs by what happened and when. There is no rule about tickets in this crate: the server says no,
//! and the report quotes it. All people are generated; nothing is read but the file that was named. Nothing here is linked to
//! the engine: a script that works here works for any client of the API. Start reading at [`script::Script`].

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
