//! The composition root and every way in.
//!
//! ```text
//!   [command] ──▶ decide ──▶ append ──▶ project ──▶ dispatch ──▶ [subscribe]
//!    SERVER       domain     eventstore  views       dispatcher    SERVER
//!       ╰───────────────  engine turns the wheel  ───────────────╯
//!                         wire carries it across
//! ```
//!
//! Modules in reading order, each knowing those above it only:
//!
//! - [`dispatch_file`], [`config`]: the dispatch policy's file; what an operator may set
//! - `stores`: what a node keeps, and the only place that names a keeper
//! - [`tasks`]: what runs as long as the server
//! - [`service`]: the use cases, typed; every one takes the actor
//! - [`operations`]: health and metrics over HTTP
//! - [`grpc`]: the transport, its services, and the words of the API
//! - `node`: composes a node, from top to bottom
//!
//! Invariants, including what is absent: no rule about tickets, no stored name, no retry; no protobuf in a use case,
//! and no arrow from a lower room to a higher one (`tests/tidy/layers.rs` reads the `use` lines). Start reading at
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
    /// Where gRPC listens.
    pub listen: SocketAddr,
    /// Where operations listen.
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
    /// When the folder is in use, damaged or of a newer version, or an address cannot be bound.
    pub async fn start(config: &Config, metrics: Option<PrometheusHandle>) -> anyhow::Result<Self> {
        let running = node::start(config, metrics).await?;
        let (listen, operations) = running.addresses;
        Ok(Self { listen, operations, running, drain_time: Duration::from_millis(config.drain_ms) })
    }

    /// Stops: no new calls, those in flight finish, streams are told to come again, then everything is closed.
    ///
    /// # Errors
    /// When the transport had failed, or the store could not be closed in order.
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
