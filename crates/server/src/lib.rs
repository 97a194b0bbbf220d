//! The composition root, and every interface of the server.
//!
//! ```text
//!   [command] ──▶ decide ──▶ append ──▶ project ──▶ dispatch ──▶ [subscribe]
//!    SERVER       domain     eventstore  views       dispatcher    SERVER
//!       ╰───────────────  engine turns the wheel  ───────────────╯
//!                         wire carries it across
//! ```
//!
//! Modules in reading order. Each module uses only the modules above it:
//!
//! - [`dispatch_file`], [`config`]: the file of the dispatch policy, and the settings of the server
//! - `stores`: the stores of a node; the only module that names an event store implementation
//! - [`tasks`]: the background tasks, which run as long as the server
//! - [`service`]: the typed use cases; every use case takes the actor
//! - [`operations`]: health and metrics over HTTP
//! - [`grpc`]: the transport, its services, and the mapping to the messages of the API
//! - `node`: composes a node from the parts above
//!
//! Invariants: this crate has no rule about tickets, no stored names and no retries. A use case knows no protobuf. No
//! module depends on a module above its own layer; `tests/tidy/layers.rs` checks the `use` lines. Start reading at
//! `node::start`.

pub mod config;
pub mod dispatch_file;
pub mod grpc;
mod node;
pub mod operations;
pub mod service;
mod stores;
pub mod tasks;

use std::{net::SocketAddr, time::Duration};

use metrics_exporter_prometheus::PrometheusHandle;

use crate::{config::Config, node::Running};

/// A running server.
pub struct Server {
    /// The address where gRPC listens.
    pub listen: SocketAddr,
    /// The address where operations listen.
    pub operations: SocketAddr,
    running: Running,
    drain_time: Duration,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Server({})", self.listen)
    }
}

impl Server {
    /// Opens the data folder and starts serving.
    ///
    /// # Errors
    /// The folder is in use, damaged or of a newer version; the dispatch policy has faults; or an address cannot be
    /// bound.
    pub async fn start(config: &Config, metrics: Option<PrometheusHandle>) -> anyhow::Result<Self> {
        let running = node::start(config, metrics).await?;
        let (listen, operations) = running.addresses;
        Ok(Self { listen, operations, running, drain_time: Duration::from_millis(config.drain_ms) })
    }

    /// Stops the server. It takes no new calls, lets calls in flight finish within the drain time, and ends the streams
    /// with a status after which clients reconnect. Then it closes the stores.
    ///
    /// # Errors
    /// The transport failed, or its task panicked.
    pub async fn stop(self) -> anyhow::Result<()> {
        let Running { stores, listed, drain, mut transport, operating, tasks, .. } = self.running;
        drain.send_replace(true);
        let ended = tokio::time::timeout(self.drain_time, &mut transport).await;
        transport.abort();
        let head = stores.log().head().stored();
        if tokio::time::timeout(self.drain_time, listed.reach(head)).await.is_err() {
            tracing::warn!(head, "the list did not catch up before the stop; it will after the next start");
        }
        tasks.end();
        operating.abort();
        stores.close().await;
        tracing::info!(head, "stopped");
        match ended {
            Ok(joined) => Ok(joined??),
            Err(_) => {
                tracing::warn!("calls were still in flight when the drain time ended");
                Ok(())
            }
        }
    }
}
