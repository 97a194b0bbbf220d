//! Operations over HTTP: liveness, readiness and metrics. The configuration admits loopback addresses only. Nothing
//! here is about tickets.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, extract::State, http::StatusCode, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use switchboard_engine::{feed::Feed, projector::Progress};
use tokio::{net::TcpListener, sync::watch};

use crate::{stores::Stores, tasks::TaskFailure};

/// The interval at which the samples of histograms are merged.
const UPKEEP: Duration = Duration::from_secs(5);

/// The parts that health and metrics read.
#[derive(Clone)]
pub struct Observed {
    pub(crate) stores: Stores,
    pub(crate) feed: Arc<Feed>,
    pub(crate) listed: Progress,
    pub(crate) clocks_folded: Progress,
    pub(crate) task_failure: TaskFailure,
}

impl std::fmt::Debug for Observed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Observed(..)")
    }
}

#[derive(Clone)]
struct Shared {
    observed: Observed,
    metrics: Option<PrometheusHandle>,
    draining: watch::Receiver<bool>,
}

/// Serves until the server drains. Returns the address where it listens, and its task.
///
/// # Errors
/// The address cannot be bound.
pub async fn serve(
    address: SocketAddr,
    observed: Observed,
    metrics: Option<PrometheusHandle>,
    draining: watch::Receiver<bool>,
) -> std::io::Result<(SocketAddr, tokio::task::JoinHandle<()>)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let mut stop = draining.clone();
    let upkeep = metrics.clone();
    let shared = Shared { observed, metrics, draining };
    let routes = Router::new()
        .route("/health/live", get(|| async { "live\n" }))
        .route("/health/ready", get(ready))
        .route("/metrics", get(numbers))
        .with_state(shared);
    let task = tokio::spawn(async move {
        let stopped = async move {
            let _ = stop.wait_for(|draining| *draining).await;
        };
        let serving = axum::serve(listener, routes).with_graceful_shutdown(stopped).into_future();
        tokio::select! {
            ended = serving => if let Err(error) = ended {
                tracing::error!(%error, "operations are not served any more");
            },
            () = keep_up(upkeep) => {}
        }
    });
    Ok((address, task))
}

/// Merges the samples of histograms, which are kept one by one until then, also when nobody scrapes them. Never ends.
async fn keep_up(metrics: Option<PrometheusHandle>) {
    let Some(metrics) = metrics else { return std::future::pending().await };
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}

async fn ready(State(shared): State<Shared>) -> (StatusCode, String) {
    let Observed { stores, listed, clocks_folded, task_failure, .. } = &shared.observed;
    let (listed, clocks_folded) = (listed.position(), clocks_folded.position());
    let state = format!("head {}, list {listed}, clock_histories {clocks_folded}\n", stores.log().head().stored());
    let refused = if *shared.draining.borrow() {
        Some("draining")
    } else if let Some(fault) = stores.fault() {
        Some(fault)
    } else if task_failure.any() {
        Some("a task of the server has ended")
    } else {
        None
    };
    refused.map_or((StatusCode::OK, state.clone()), |why| (StatusCode::SERVICE_UNAVAILABLE, format!("{why}, {state}")))
}

async fn numbers(State(shared): State<Shared>) -> String {
    let Observed { stores, feed, listed, clocks_folded, .. } = &shared.observed;
    let (head, listed, clocks_folded) = (stores.log().head().stored(), listed.position(), clocks_folded.position());
    metrics::gauge!("switchboard_log_head").set(head as f64);
    metrics::gauge!("switchboard_store_fault").set(f64::from(u8::from(stores.fault().is_some())));
    metrics::gauge!("switchboard_list_lag_facts").set(feed.behind(listed) as f64);
    metrics::gauge!("switchboard_clock_histories_lag_facts").set(feed.behind(clocks_folded) as f64);
    shared.metrics.map_or_else(String::new, |handle| handle.render())
}
