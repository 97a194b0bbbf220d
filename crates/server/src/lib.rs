//! The composition root and every way in.
//!
//! ```text
//!   [command] ──▶ decide ──▶ append ──▶ project ──▶ dispatch ──▶ [subscribe]
//!    SERVER       domain     eventstore  views       dispatcher    SERVER
//!       ╰───────────────  engine turns the wheel  ───────────────╯
//!                         wire carries it across
//! ```
//!
//! Modules in reading order: [`config`], what an operator may set; [`desk`], a request to the engine and back; [`promises`],
//! [`publishing`] and [`figures`], the clocks of tickets, what they are judged by, and what they come to; [`crews`], [`telemetry`] and
//! [`assignments`], what crews ask and report, where they are, and what they are told; [`dispatching`] and [`dispatch_file`], who is
//! sent, and by which policy; [`grpc`], the transport and its services;
//! [`operations`], health and metrics; [`tasks`], what runs as long as the server.
//!
//! Invariants, including what is absent: no rule about tickets, no stored name, no retry. [`Server::start`] chooses every
//! implementation, from top to bottom; start reading there.

pub mod assignments;
pub mod config;
pub mod crews;
pub mod desk;
pub mod dispatch_file;
pub mod dispatching;
pub mod figures;
pub mod grpc;
pub mod operations;
pub mod promises;
pub mod publishing;
pub mod tasks;
pub mod telemetry;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use chrono::TimeDelta;
use metrics_exporter_prometheus::PrometheusHandle;
use switchboard_domain::{
    actor::{Actor, Role},
    crew::Crews as CrewAggregate,
    decider::Action,
    linkage::{Intent, Linkage},
    organisation::OrgPath,
    rules::Rules,
    sla::{
        promise::Promises as PromiseAggregate,
        publication::{Calendars, Policies},
        watch::Watch,
    },
    ticket::Tickets as TicketAggregate,
};
use switchboard_engine::{
    checkpoint::Checkpoint,
    clock::{Clock, SystemClock},
    command::{Aggregates, Failure, Outcome},
    feed::Feed,
    journal::{Aggregate, Journal},
    numbers::Numbers,
    projector,
    reactor::{self, ActionOutcome, Pace, Start},
    vault::Vault,
};
use switchboard_eventstore::{
    Direction, EventStore, Position,
    keys::SqliteKeys,
    sqlite::{SqliteOptions, SqliteStore},
};
use switchboard_readmodel::{ClockHistories, CrewChanges, TicketList};
use switchboard_wire::{
    proto::{
        self, admin_service_server::AdminServiceServer, audit_service_server::AuditServiceServer,
        board_service_server::BoardServiceServer, dispatch_service_server::DispatchServiceServer,
        intake_service_server::IntakeServiceServer, ticket_service_server::TicketServiceServer,
    },
    stored::Metadata,
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};
use tonic::transport::server::TcpIncoming;

use crate::{
    assignments::Assignments,
    config::Config,
    crews::CrewDesk,
    desk::Desk,
    dispatching::Dispatching,
    figures::Figures,
    grpc::{
        admin::Admin,
        admission::Admission,
        audit::Audit,
        board::Board,
        dispatch::Dispatch,
        intake::Intake,
        tickets::Tickets,
        transport_errors::{REQUEST_BYTES_MAX, TransportErrorsLayer},
    },
    operations::Observed,
    promises::Promises,
    publishing::Publishing,
    tasks::{TaskFailure, Tasks},
    telemetry::Telemetry,
};

/// Streams that one connection may have open at once.
const CONNECTION_STREAMS_MAX: u32 = 100;
/// How old a connection may grow before it is asked to come again; what it has open it may finish. With a grace, tonic 0.14 does not
/// ask, it only cuts off when that has passed.
const CONNECTION_AGE_MAX: Duration = Duration::from_mins(30);
/// How often a silent connection is asked whether it lives, and how long it may take to answer.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));
/// Raised whenever the fold of the linkage process changes: its checkpoint is then not read.
const LINKAGE_VERSION: u32 = 2;
/// How much the watch says at a time: promises that come due together share the log's syncs.
const WATCH_PACE: Pace = Pace { actions_max: 1_024, at_once_max: 256 };
/// A log that is more than this ahead of the machine's clock is told.
const CLOCK_AHEAD_TOLD: TimeDelta = TimeDelta::seconds(1);
/// The unit that the engine itself acts for: every operator's path lies beside it.
const ENGINE_ORG: &str = "switchboard";

/// A running server.
pub struct Server {
    /// Where gRPC listens.
    pub listen: SocketAddr,
    /// Where operations listen.
    pub operations: SocketAddr,
    desk: Arc<Desk>,
    store: Arc<SqliteStore>,
    keys: Arc<SqliteKeys>,
    drain: watch::Sender<bool>,
    drain_time: Duration,
    transport: JoinHandle<Result<(), tonic::transport::Error>>,
    operating: JoinHandle<()>,
    tasks: Tasks,
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
        let rules = Arc::new(config.rules.clone());
        let engine = Actor {
            id: "switchboard".into(),
            role: Role::System,
            org: OrgPath::parse(ENGINE_ORG).map_err(anyhow::Error::msg)?,
        };

        // A policy with a fault opens nothing.
        let policy = config.dispatch_policy()?;

        // What is kept: the log, the keys, the list.
        let store = Arc::new(SqliteStore::open(&config.data, SqliteOptions::default())?);
        let keyed = config.data.join(SqliteKeys::FILE_NAME).metadata().is_ok_and(|file| file.len() > 0);
        anyhow::ensure!(
            keyed || store.head() == Position::START,
            "{} holds a log but no keys; bring its {} back, or personal data cannot be read and repeated requests not be recognised",
            config.data.display(),
            SqliteKeys::FILE_NAME
        );
        let keys = Arc::new(SqliteKeys::open(&config.data)?);
        let clock = clock_of(&store).await?;
        let list = TicketList::open(&config.data)?;
        if list.checkpoint() > store.head().0 {
            tracing::warn!("the ticket list is ahead of the log, which must have been restored; it is built again");
            list.start_over()?;
        }
        let clock_histories = ClockHistories::open(&config.data)?;
        if clock_histories.checkpoint() > store.head().0 {
            tracing::warn!(
                "the clock_histories are ahead of the log, which must have been restored; they are built again"
            );
            clock_histories.start_over()?;
        }
        let crew_changes = CrewChanges::open(&config.data)?;
        if crew_changes.checkpoint() > store.head().0 {
            tracing::warn!(
                "the crew_changes are ahead of the log, which must have been restored; they are built again"
            );
            crew_changes.start_over()?;
        }
        let log: Arc<dyn EventStore> = store.clone();
        let vault = Vault::new(keys.clone());

        // What turns: commands, numbers, the feed, the projectors.
        let loops = Loops { log: Arc::clone(&log), vault, clock: Arc::clone(&clock), rules };
        let numbers = Numbers::new(loops.of(64), engine.clone());
        let (feed, following) = Feed::follow(log);
        let (listed, listing) = projector::project(&feed, Arc::new(list.clone()));
        let (clocks_folded, clocks_folding) = projector::project(&feed, Arc::new(clock_histories.clone()));
        let tickets = loops.of::<TicketAggregate>(config.tickets_cached);
        let desk = Arc::new(Desk::new(tickets, numbers, list, listed, Arc::clone(&feed), config.deadline()));
        let said = loops.of::<PromiseAggregate>(config.tickets_cached);
        let promises = Arc::new(Promises::new(Arc::clone(&desk), said, clock_histories.clone(), clocks_folded));
        let (policies, calendars) = (loops.of::<Policies>(16), loops.of::<Calendars>(16));
        let publishing = Publishing::new(Arc::clone(&desk), Arc::clone(&promises), policies, calendars);
        let figures = Arc::new(Figures::new(Arc::clone(&promises)));

        // Crews: what they ask and report, where they are, what they are told.
        let crew_streams = Arc::new(loops.of::<CrewAggregate>(config.tickets_cached));
        let telemetry = Arc::new(Telemetry::default());
        let assignments = Assignments::resume(Arc::clone(&feed), crew_changes).await?;
        let telling = tokio::spawn(Arc::clone(&assignments).run());
        let crews =
            Arc::new(CrewDesk::new(Arc::clone(&desk), Arc::clone(&crew_streams), assignments, Arc::clone(&telemetry)));

        // What reacts: masters and children of a merge, and promises that come due.
        let linking = {
            let (desk, engine) = (Arc::clone(&desk), engine.clone());
            let carry_out = move |want| link(Arc::clone(&desk), engine.clone(), want);
            let checkpoint = Checkpoint::new(&config.data, "linkage", LINKAGE_VERSION);
            let start = Start::<Linkage>::noted(checkpoint, feed.head());
            reactor::run(&feed, Arc::clone(&clock), start, Pace::default(), carry_out)
        };
        let watching = {
            let (promises, engine) = (Arc::clone(&promises), engine.clone());
            let (position, registry, in_flight) = clock_histories.in_flight()?;
            let start = Start::at(position, Watch::resume((*registry).clone(), in_flight));
            let carry_out = move |want| {
                let (promises, engine) = (Arc::clone(&promises), engine.clone());
                async move { promises.publish(&engine, want).await }
            };
            reactor::run(&feed, Arc::clone(&clock), start, WATCH_PACE, carry_out)
        };
        let (dispatching, dispatched) = {
            let (desk, telemetry, engine) = (Arc::clone(&desk), Arc::clone(&telemetry), engine.clone());
            let parts = dispatching::Parts { desk, crews: crew_streams, telemetry, engine, policy };
            dispatching::start(parts, &feed, Arc::clone(&clock), &config.data)
        };
        let covering = tokio::spawn(publishing::watch_coverage(Arc::clone(&promises)));

        // What listens.
        let (drain, draining) = watch::channel(false);
        let task_failure = TaskFailure::default();
        let observed =
            Observed { promises: Arc::clone(&promises), store: Arc::clone(&store), task_failure: task_failure.clone() };
        let (operations, operating) = operations::serve(config.operations, observed, metrics, draining.clone()).await?;
        let services = Services {
            desk: Arc::clone(&desk),
            promises,
            publishing: Arc::new(publishing),
            figures,
            crews,
            dispatching,
            admission: Admission::new(config.calls_max, config.streams_max),
        };
        let listener = TcpListener::bind(config.listen).await?;
        let listen = listener.local_addr()?;
        let transport = tokio::spawn(transport(services, listener, draining)?);
        tracing::info!(%listen, %operations, data = %config.data.display(), head = desk.head(), "serving");
        let drain_time = Duration::from_millis(config.drain_ms);
        let tasks = Tasks::new(task_failure)
            .supervise("feed", following)
            .supervise("ticket list", listing)
            .supervise("clock_histories", clocks_folding)
            .supervise("linkage", linking)
            .supervise("watch", watching)
            .supervise("calendar coverage", covering)
            .supervise("assignments", telling)
            .supervise("dispatch", dispatched);
        Ok(Self { listen, operations, desk, store, keys, drain, drain_time, transport, operating, tasks })
    }

    /// Stops: no new calls, those in flight finish, streams are told to come again, then everything is closed.
    ///
    /// # Errors
    /// When the transport had failed, or the store could not be closed in order.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.drain.send_replace(true);
        let mut transport = self.transport;
        let ended = tokio::time::timeout(self.drain_time, &mut transport).await;
        transport.abort();
        let head = self.desk.head();
        if tokio::time::timeout(self.drain_time, self.desk.listed.reach(head)).await.is_err() {
            tracing::warn!(head, "the list did not catch up before the stop; it will after the next start");
        }
        self.tasks.end();
        self.operating.abort();
        self.store.close().await;
        self.keys.close();
        tracing::info!(head, "stopped");
        match ended {
            Ok(joined) => Ok(joined??),
            Err(_) => {
                tracing::warn!("calls were still in flight when the drain time ended");
                Ok(())
            }
        }
    }

    /// The durable head of the log.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.desk.head()
    }

    /// The log, for backups while serving.
    #[must_use]
    pub fn store(&self) -> &SqliteStore {
        &self.store
    }
}

/// The engine's time: the machine's, and no earlier than the last fact. A log that is ahead of the machine's clock is told loudly.
async fn clock_of(store: &SqliteStore) -> anyhow::Result<Arc<dyn Clock>> {
    let before = Position(store.head().0.saturating_sub(1));
    let last = store.read_all(before, 1, Direction::Forward).await?;
    let recorded =
        last.first().and_then(|raw| Metadata::from_json(&raw.meta).ok()).map(|metadata| metadata.recorded_at);
    let clock = SystemClock::starting_at(recorded.unwrap_or_default());
    let ahead = clock.ahead();
    if ahead > CLOCK_AHEAD_TOLD {
        tracing::warn!(
            seconds = ahead.num_seconds(),
            "the log is ahead of this machine's clock; the engine's time goes on from the log's"
        );
    }
    Ok(Arc::new(clock))
}

/// Makes the command loops of all aggregates alike.
struct Loops {
    log: Arc<dyn EventStore>,
    vault: Vault,
    clock: Arc<dyn Clock>,
    rules: Arc<Rules>,
}

impl Loops {
    /// The loop of one kind of aggregate, of which so many are kept folded.
    fn of<D: Aggregate>(&self, cached_max: usize) -> Aggregates<D> {
        let journal = Journal::new(Arc::clone(&self.log), self.vault.clone());
        Aggregates::new(journal, Arc::clone(&self.clock), Arc::clone(&self.rules), cached_max)
    }
}

/// What the services answer from.
struct Services {
    desk: Arc<Desk>,
    promises: Arc<Promises>,
    publishing: Arc<Publishing>,
    figures: Arc<Figures>,
    crews: Arc<CrewDesk>,
    dispatching: Dispatching,
    admission: Admission,
}

/// The gRPC transport with its limits and services; ends when it drains.
fn transport(
    services: Services,
    listener: TcpListener,
    draining: watch::Receiver<bool>,
) -> anyhow::Result<impl Future<Output = Result<(), tonic::transport::Error>> + Send + 'static> {
    let Services { desk, promises, publishing, figures, crews, dispatching, admission } = services;
    let tickets = Tickets { desk: Arc::clone(&desk), promises, admission: admission.clone() };
    let intake = Intake { desk: Arc::clone(&desk), admission: admission.clone() };
    let board = Board { desk: Arc::clone(&desk), figures: Arc::clone(&figures), admission: admission.clone() };
    let admin = Admin { desk: Arc::clone(&desk), publishing, figures, admission: admission.clone() };
    let dispatch = Dispatch { crews, dispatching, admission: admission.clone(), draining: draining.clone() };
    let mut head = desk.tickets.journal().store().watch_head();
    let audit = Audit { desk, admission, draining: draining.clone() };
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let reflection_alpha = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1alpha()?;
    let (reporter, health) = tonic_health::server::health_reporter();
    let server = tonic::transport::Server::builder()
        .max_concurrent_streams(CONNECTION_STREAMS_MAX)
        .max_connection_age(CONNECTION_AGE_MAX)
        .http2_keepalive_interval(Some(KEEPALIVE.0))
        .http2_keepalive_timeout(Some(KEEPALIVE.1))
        .http2_max_header_list_size(16 * 1024)
        .layer(TransportErrorsLayer)
        .add_service(health)
        .add_service(reflection)
        .add_service(reflection_alpha)
        .add_service(TicketServiceServer::new(tickets).max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(IntakeServiceServer::new(intake).max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(BoardServiceServer::new(board).max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(AdminServiceServer::new(admin).max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(DispatchServiceServer::new(dispatch).max_decoding_message_size(REQUEST_BYTES_MAX))
        .add_service(AuditServiceServer::new(audit).max_decoding_message_size(REQUEST_BYTES_MAX));
    Ok(async move {
        reporter.set_serving::<TicketServiceServer<Tickets>>().await;
        reporter.set_serving::<IntakeServiceServer<Intake>>().await;
        reporter.set_serving::<BoardServiceServer<Board>>().await;
        reporter.set_serving::<AdminServiceServer<Admin>>().await;
        reporter.set_serving::<DispatchServiceServer<Dispatch>>().await;
        reporter.set_serving::<AuditServiceServer<Audit>>().await;
        let (unwell, mut stop) = (reporter.clone(), draining);
        // A log that takes nothing more is said so; who asks for health can start the server anew.
        let watching = tokio::spawn(async move {
            while head.changed().await.is_ok() {}
            not_serving(&unwell).await;
        });
        let drained = async move {
            let _ = stop.wait_for(|draining| *draining).await;
            not_serving(&reporter).await;
            watching.abort();
        };
        // Said of the sockets themselves, which the builder does not make: a message after a message must not wait for an
        // acknowledgement that the reader delays.
        let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
        server.serve_with_incoming_shutdown(incoming, drained).await
    })
}

async fn not_serving(reporter: &tonic_health::server::HealthReporter) {
    reporter.set_not_serving::<TicketServiceServer<Tickets>>().await;
    reporter.set_not_serving::<IntakeServiceServer<Intake>>().await;
    reporter.set_not_serving::<BoardServiceServer<Board>>().await;
    reporter.set_not_serving::<AdminServiceServer<Admin>>().await;
    reporter.set_not_serving::<DispatchServiceServer<Dispatch>>().await;
    reporter.set_not_serving::<AuditServiceServer<Audit>>().await;
}

/// Carries one want of the linkage process out as a command of the engine itself.
async fn link(desk: Arc<Desk>, engine: Actor, want: Action<Intent>) -> ActionOutcome {
    let (target, command) = want.intent.command();
    let request_id = reactor::request_id("linkage", &want, &target.to_string());
    let request = desk.because("linkage", request_id, want.because, engine).await;
    answer(desk.tickets.execute(&target, &command, &request).await)
}

/// What became of a want, by what the engine says of its command.
fn answer<D: Aggregate>(outcome: Result<Outcome<D>, Failure<D::Rejection>>) -> ActionOutcome {
    match outcome {
        Ok(outcome) => ActionOutcome::Done(outcome.position),
        Err(Failure::Rejected(rejection)) => ActionOutcome::Refused(format!("{rejection:?}")),
        // One ticket that cannot be read must not hold up the others.
        Err(Failure::Corrupt(detail)) => ActionOutcome::Refused(detail),
        Err(Failure::RequestIdReused | Failure::RevisionConflict { .. }) => {
            ActionOutcome::Refused("another request has its name".into())
        }
        Err(failure @ (Failure::Contended | Failure::Unavailable(_) | Failure::OutcomeUnknown(_))) => {
            tracing::warn!(%failure, "a want waits");
            ActionOutcome::Later
        }
    }
}
