//! The contestants, and what the run needs from each.
//!
//! - `keeper`, [`switchboard`], [`life`]: ours; the event store alone, and the whole engine with two kinds of work
//! - [`postgres`], [`umadb`], `nats`: theirs, measured with appends
//! - `restate`: theirs, measured with the life of a ticket
//! - [`raw_file`]: the limit of the disk
//!
//! `nats` and `restate` are compiled with the features of the same names.

pub mod keeper;
pub mod life;
#[cfg(feature = "nats")]
pub mod nats;
pub mod postgres;
pub mod raw_file;
#[cfg(feature = "restate")]
pub mod restate;
pub mod switchboard;
pub mod umadb;

use std::collections::BTreeMap;
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};

use crate::slice::{Tally, closed_loop};
use crate::workload::{Busy, Caller, Fault, refuses_a_stale_append};

/// The contestants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// Our SQLite event store, called in this process.
    Keeper,
    /// The whole engine through gRPC, measured with appends.
    Switchboard,
    /// The whole engine through gRPC, measured with the life of a ticket.
    Life,
    /// PostgreSQL with a Marten-like append function.
    Postgres,
    /// UmaDB through gRPC.
    Umadb,
    /// NATS JetStream through its own protocol.
    Nats,
    /// Restate through its HTTP ingress.
    Restate,
    /// One write and one `fdatasync` for as many events as there are callers.
    RawFile,
}

impl Name {
    /// The names that a command line may hold. [`Name::Life`] follows from the opponent, see [`Name::for_opponent`].
    const ASKED: [Name; 7] =
        [Name::Keeper, Name::Switchboard, Name::Postgres, Name::Umadb, Name::Nats, Name::Restate, Name::RawFile];

    /// For command lines and tables.
    pub fn text(self) -> &'static str {
        match self {
            Name::Keeper => "keeper",
            Name::Switchboard => "switchboard",
            Name::Life => "switchboard-life",
            Name::Postgres => "postgres",
            Name::Umadb => "umadb",
            Name::Nats => "nats",
            Name::Restate => "restate",
            Name::RawFile => "raw-file",
        }
    }

    /// The contestant of that name on a command line.
    pub fn parse(text: &str) -> Option<Name> {
        Name::ASKED.into_iter().find(|name| name.text() == text)
    }

    /// The contestant with the same work as the opponent. `None` if this contestant cannot do that work: an event store
    /// alone has no tickets.
    pub fn for_opponent(self, theirs: Name) -> Option<Name> {
        match (self, theirs) {
            (Name::Switchboard, Name::Restate) => Some(Name::Life),
            (_, Name::Restate) => None,
            (ours, _) => Some(ours),
        }
    }
}

/// A program that can be measured.
#[tonic::async_trait]
pub trait Contestant {
    /// The first process of each process tree of the server; empty if everything happens in this process.
    fn servers(&self) -> &[u32];
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
    /// See [`Contestant::servers`].
    fn servers(&self) -> &[u32];
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
    fn servers(&self) -> &[u32] {
        self.service.servers()
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

/// Connections that callers share in turn, as a desk's gateway shares them. The settings are those of UmaDB's own
/// client.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_as_it_is_written() {
        for name in Name::ASKED {
            assert_eq!(Name::parse(name.text()), Some(name));
        }
        assert_eq!(Name::parse(Name::Life.text()), None, "it follows from the opponent");
    }

    #[test]
    fn a_ticket_engine_is_measured_with_tickets_and_a_log_with_appends() {
        assert_eq!(Name::Switchboard.for_opponent(Name::Restate), Some(Name::Life));
        assert_eq!(Name::Keeper.for_opponent(Name::Restate), None);
        assert_eq!(Name::Switchboard.for_opponent(Name::Nats), Some(Name::Switchboard));
    }
}
