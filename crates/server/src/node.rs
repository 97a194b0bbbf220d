//! Composes a node: opens the stores, then starts the feed and the projectors, the processes, and the listeners.

use std::{
    net::SocketAddr,
    panic::{AssertUnwindSafe, resume_unwind},
    sync::Arc,
};

use chrono::TimeDelta;
use futures::FutureExt as _;
use metrics_exporter_prometheus::PrometheusHandle;
use switchboard_domain::{
    actor::{Actor, Role},
    crew,
    decider::Action,
    linkage::{LINKAGE_CODE, Linkage},
    organisation::OrgPath,
    sla::watch::{Intent, Watch},
};
use switchboard_engine::{
    checkpoint::Checkpoint,
    clock::{Clock, SystemClock},
    feed::Feed,
    numbers::Numbers,
    projector::{self, Progress},
    reactor::{self, Pace, Start},
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

use crate::{
    config::Config,
    grpc::{
        admission::Admission,
        transport::{self, UseCases},
    },
    operations::{self, Observed},
    service::{
        Node,
        assignments::Assignments,
        crews::Crews,
        dispatch::{self, intended::Intended},
        figures::Figures,
        history::History,
        intake::Intake,
        linkage,
        promises::Promises,
        publishing::{self, Publishing},
        telemetry::Telemetry,
        tickets::Tickets,
    },
    stores::Stores,
    tasks::{TaskFailure, Tasks},
};

/// The pace of the watch: promises that come due together share the log's syncs.
const WATCH_PACE: Pace = Pace { actions_max: 1_024, at_once_max: 256 };
/// A log that is further ahead of the machine's clock than this is logged as a warning.
const CLOCK_AHEAD_TOLD: TimeDelta = TimeDelta::seconds(1);
/// The unit of the engine as an actor. It lies outside every operator's path.
const ENGINE_ORG: &str = "switchboard";
/// The most operators' streams, and the most calendars' streams, that are kept folded. Publications are few.
const PUBLICATIONS_CACHED: usize = 16;
/// The most days whose streams of ticket numbers are kept folded.
const NUMBERS_CACHED: usize = 64;

/// A running node.
pub(crate) struct Running {
    /// The addresses where gRPC and operations listen.
    pub(crate) addresses: (SocketAddr, SocketAddr),
    pub(crate) stores: Stores,
    pub(crate) listed: Progress,
    /// Set to true to drain the node.
    pub(crate) drain: watch::Sender<bool>,
    pub(crate) transport: JoinHandle<Result<(), tonic::transport::Error>>,
    pub(crate) operating: JoinHandle<()>,
    pub(crate) tasks: Tasks,
}

/// Opens the data folder and starts serving.
///
/// # Errors
/// The folder is in use, damaged or of a newer version; the dispatch policy has faults; or an address cannot be bound.
pub(crate) async fn start(config: &Config, metrics: Option<PrometheusHandle>) -> anyhow::Result<Running> {
    let org = OrgPath::parse(ENGINE_ORG).map_err(anyhow::Error::msg)?;
    let engine = Actor { id: "switchboard".into(), role: Role::System, org };
    // Read first: a policy with a fault must not create the data folder.
    let policy = config.dispatch_policy()?;

    // Stores: the log, the keys, the read models.
    let stores = Stores::open(&config.data).await?;

    // The feed, the projectors and the use cases of tickets and promises.
    let clock = clock(&stores).await?;
    let (feed, following) = Feed::follow(stores.log()).await?;
    stores.keep_to(feed.reached())?;
    let (listed, listing) = projector::project(&feed, Arc::new(stores.list.clone()));
    let (clocks_folded, clocks_folding) = projector::project(&feed, Arc::new(stores.clock_histories.clone()));
    let node = Arc::new(Node {
        clock: Arc::clone(&clock),
        store: stores.log(),
        requests: stores.requests(),
        vault: stores.vault(),
        feed: Arc::clone(&feed),
        rules: Arc::new(config.rules.clone()),
        deadline: config.deadline(),
    });
    let cached = config.tickets_cached;
    let numbers = Numbers::new(node.aggregates(NUMBERS_CACHED), engine.clone());
    let tickets =
        Tickets::new(Arc::clone(&node), node.aggregates(cached), numbers, stores.list.clone(), listed.clone());
    let tickets = Arc::new(tickets);
    let promises = Promises::new(
        Arc::clone(&tickets),
        node.aggregates(cached),
        stores.clock_histories.clone(),
        clocks_folded.clone(),
    );
    let promises = Arc::new(promises);
    let (policies, calendars) = (node.aggregates(PUBLICATIONS_CACHED), node.aggregates(PUBLICATIONS_CACHED));
    let publishing = Arc::new(Publishing::new(Arc::clone(&promises), policies, calendars));
    let figures = Arc::new(Figures::new(Arc::clone(&promises)));

    // Crews: commands, telemetry and assignment streams.
    let crew_streams = Arc::new(node.aggregates::<crew::Crews>(cached));
    let telemetry = Arc::new(Telemetry::default());
    let assignments = Assignments::resume(Arc::clone(&feed), stores.crew_changes.clone()).await?;
    let telling = tokio::spawn(Arc::clone(&assignments).run());
    let crews = Crews::new(Arc::clone(&tickets), Arc::clone(&crew_streams), assignments, Arc::clone(&telemetry));

    // Processes: linkage of merged tickets, the watch over promises, the dispatcher; and the check of calendar
    // coverage.
    let linking = {
        let (tickets, engine) = (Arc::clone(&tickets), engine.clone());
        let carry_out = move |want| linkage::carry_out(Arc::clone(&tickets), engine.clone(), want);
        let checkpoint = Checkpoint::new(&config.data, "linkage", LINKAGE_CODE);
        let start = Start::<Linkage>::resumed(checkpoint, feed.reached());
        reactor::run(&feed, Arc::clone(&clock), start, Pace::default(), carry_out)
    };
    let watching = {
        let (promises, engine) = (Arc::clone(&promises), engine.clone());
        let (position, registry, in_flight) = stores.clock_histories.in_flight()?;
        let start = Start::at(position, Watch::resume((*registry).clone(), in_flight));
        let carry_out = move |want: Action<Intent>| {
            let (promises, engine) = (Arc::clone(&promises), engine.clone());
            async move { promises.publish(&engine, want).await }
        };
        reactor::run(&feed, Arc::clone(&clock), start, WATCH_PACE, carry_out)
    };
    let (dispatching, dispatched) = {
        let parts = dispatch::Parts { tickets: Arc::clone(&tickets), crews: crew_streams, telemetry, engine, policy };
        dispatch::start(parts, &feed, clock, &config.data)
    };
    let covering = tokio::spawn(publishing::watch_coverage(Arc::clone(&promises)));

    // Listeners.
    let (drain, draining) = watch::channel(false);
    let task_failure = TaskFailure::default();
    let tasks = Tasks::new(task_failure.clone())
        .supervise("feed", following)
        .supervise("ticket list", listing)
        .supervise("clock_histories", clocks_folding)
        .supervise("linkage", linking)
        .supervise("watch", watching)
        .supervise("calendar coverage", covering)
        .supervise("assignments", telling)
        .supervise("dispatch", dispatched);
    let observed = Observed {
        stores: stores.clone(),
        feed: Arc::clone(&feed),
        listed: listed.clone(),
        clocks_folded,
        task_failure: task_failure.clone(),
    };
    let (operations, operating) = operations::serve(config.operations, observed, metrics, draining.clone()).await?;
    let intended = Intended { node: Arc::clone(&node), tickets: Arc::clone(&tickets), dispatching };
    let (intake, history) = (Intake::new(Arc::clone(&tickets)), History { node: Arc::clone(&node) });
    let crews = Arc::new(crews);
    let use_cases = UseCases { node, tickets, intake, crews, intended, promises, publishing, figures, history };
    let listener = TcpListener::bind(config.listen).await?;
    let listen = listener.local_addr()?;
    let admission = Admission::new(config.calls_max, config.streams_max);
    let serving = transport::serve(use_cases, admission, listener, draining.clone())?;
    let transport = tokio::spawn(async move {
        let ended = AssertUnwindSafe(serving).catch_unwind().await;
        if !*draining.borrow() {
            task_failure.record("transport", &ended);
        }
        ended.unwrap_or_else(|panic| resume_unwind(panic))
    });
    tracing::info!(%listen, %operations, data = %config.data.display(), head = feed.head(), "serving");
    Ok(Running { addresses: (listen, operations), stores, listed, drain, transport, operating, tasks })
}

/// Returns the engine's clock. It follows the machine's clock, but never runs behind the last fact of the log. If the
/// log is ahead of the machine's clock, a warning is logged.
async fn clock(stores: &Stores) -> anyhow::Result<Arc<dyn Clock>> {
    let clock = SystemClock::starting_at(stores.last_recorded().await?.unwrap_or_default());
    let ahead = clock.ahead();
    if ahead > CLOCK_AHEAD_TOLD {
        tracing::warn!(
            seconds = ahead.num_seconds(),
            "the log is ahead of this machine's clock; the engine's time goes on from the log's"
        );
    }
    Ok(Arc::new(clock))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_policy_with_a_fault_opens_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dispatch.toml");
        std::fs::write(&file, "colour = 1\n").unwrap();
        let data = folder.path().join("data");
        let dispatch = file.to_str().unwrap().to_owned();
        let config = Config { data: data.clone(), dispatch, ..Config::default() };
        assert!(start(&config, None).await.is_err());
        assert!(!data.exists());
    }
}
