//! Who takes part, and what the run needs to know of each.
//!
//! - [`keeper`], [`switchboard`]: ours, without and with everything above the store
//! - [`postgres`], [`umadb`]: theirs
//! - [`raw_file`]: nobody's; what the disk allows

pub mod keeper;
pub mod postgres;
pub mod raw_file;
pub mod switchboard;
pub mod umadb;

use std::collections::BTreeMap;
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

use crate::slice::{Tally, closed_loop};
use crate::workload::{Busy, Caller, Fault, refuses_a_stale_append};

/// The names, as given on the command line and in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Name {
    /// Our SQLite keeper, called in this process.
    Keeper,
    /// The whole engine through gRPC.
    Switchboard,
    /// PostgreSQL with a Marten-like append function.
    Postgres,
    /// UmaDB through gRPC.
    Umadb,
    /// One write and one `fdatasync` for as many events as there are callers.
    RawFile,
}

impl Name {
    /// For tables.
    pub fn text(self) -> &'static str {
        match self {
            Name::Keeper => "keeper",
            Name::Switchboard => "switchboard",
            Name::Postgres => "postgres",
            Name::Umadb => "umadb",
            Name::RawFile => "raw-file",
        }
    }
}

/// Somebody who can be measured.
#[tonic::async_trait]
pub trait Contestant {
    /// The server's first process; `None` if everything happens in this process.
    fn server(&self) -> Option<u32>;
    /// Version and durable settings, to be printed.
    fn settings(&self) -> &BTreeMap<String, String>;
    /// Shows that its appends are conditional.
    async fn check(&mut self) -> Result<(), Fault>;
    /// One slice.
    async fn slice(&mut self, callers: usize, time: Duration) -> Result<Tally, Fault>;
}

/// A store that gives out callers.
pub trait Service: Send {
    /// Its callers.
    type Caller: Caller;
    /// Another caller, connected.
    fn caller(&mut self) -> impl Future<Output = Result<Self::Caller, Fault>> + Send;
    /// See [`Contestant::server`].
    fn server(&self) -> Option<u32>;
    /// See [`Contestant::settings`].
    fn settings(&self) -> &BTreeMap<String, String>;
}

/// A service and its callers, who stay connected from slice to slice.
pub struct Crowd<S: Service> {
    service: S,
    callers: Vec<Busy<S::Caller>>,
}

impl<S: Service> Crowd<S> {
    /// Nobody has called yet.
    pub fn new(service: S) -> Self {
        Self { service, callers: Vec::new() }
    }
}

#[tonic::async_trait]
impl<S: Service> Contestant for Crowd<S> {
    fn server(&self) -> Option<u32> {
        self.service.server()
    }

    fn settings(&self) -> &BTreeMap<String, String> {
        self.service.settings()
    }

    async fn check(&mut self) -> Result<(), Fault> {
        refuses_a_stale_append(&self.service.caller().await?).await
    }

    async fn slice(&mut self, callers: usize, time: Duration) -> Result<Tally, Fault> {
        while self.callers.len() < callers {
            self.callers.push(Busy::new(self.service.caller().await?));
        }
        let (callers, tally) = closed_loop(self.callers.drain(..callers).collect(), time).await?;
        self.callers.extend(callers);
        Ok(tally)
    }
}

/// Connections that callers share in turn, as a desk's gateway shares them. The settings are those of UmaDB's own client.
pub struct Channels {
    channels: Vec<Channel>,
    next: usize,
}

impl Channels {
    /// Opens them all.
    pub async fn open(address: &str, connections: usize) -> Result<Self, Fault> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?
            .tcp_nodelay(true)
            .initial_stream_window_size(4 << 20)
            .initial_connection_window_size(8 << 20);
        let mut channels = Vec::new();
        for _ in 0..connections.max(1) {
            channels.push(endpoint.connect().await?);
        }
        Ok(Self { channels, next: 0 })
    }

    /// The next one in turn.
    pub fn next(&mut self) -> Channel {
        self.next = (self.next + 1) % self.channels.len();
        self.channels[self.next].clone()
    }
}
