//! The gRPC transport: its limits, its services, and its shutdown.

use std::{sync::Arc, time::Duration};

use switchboard_wire::proto::{
    self, admin_service_server::AdminServiceServer, audit_service_server::AuditServiceServer,
    board_service_server::BoardServiceServer, dispatch_service_server::DispatchServiceServer,
    intake_service_server::IntakeServiceServer, ticket_service_server::TicketServiceServer,
};
use tokio::{net::TcpListener, sync::watch};
use tonic::{server::NamedService, transport::server::Router};
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{
    grpc::{
        admin::AdminApi,
        admission::Admission,
        audit::AuditApi,
        board::BoardApi,
        bodies::BodiesLayer,
        connections,
        dispatch::DispatchApi,
        intake::IntakeApi,
        tickets::TicketApi,
        transport_errors::{REQUEST_BYTES_MAX, TransportErrorsLayer},
    },
    service::{
        Node, crews::Crews, dispatch::intended::Intended, figures::Figures, history::History, intake::Intake,
        promises::Promises, publishing::Publishing, tickets::Tickets,
    },
};

/// The most open streams of one connection.
const CONNECTION_STREAMS_MAX: u32 = 100;
/// The age at which the server asks a client to reconnect. Open calls may finish. No grace period is set: with one,
/// tonic 0.14 does not ask, and only cuts the connection when the period has passed.
const CONNECTION_AGE_MAX: Duration = Duration::from_mins(30);
/// The interval of keep-alive pings on a silent connection, and the longest wait for their answer.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(10));

/// The use cases that the services call.
pub(crate) struct UseCases {
    pub(crate) node: Arc<Node>,
    pub(crate) tickets: Arc<Tickets>,
    pub(crate) intake: Intake,
    pub(crate) crews: Arc<Crews>,
    pub(crate) intended: Intended,
    pub(crate) promises: Arc<Promises>,
    pub(crate) publishing: Arc<Publishing>,
    pub(crate) figures: Arc<Figures>,
    pub(crate) history: History,
}

/// The parts that every service is built from.
struct Parts {
    use_cases: UseCases,
    admission: Admission,
    draining: watch::Receiver<bool>,
}

/// Lists every service once: how it is built, how it is served with the limit on requests, and how its health is
/// reported.
macro_rules! services {
    ($parts:ident: $($server:ident<$api:ident> { $($field:ident: $value:expr),* })+) => {
        fn with_services<L>(mut router: Router<L>, $parts: &Parts) -> Router<L> {
            $({
                let api = $api { $($field: $value.clone(),)* admission: $parts.admission.clone() };
                router = router.add_service($server::new(api).max_decoding_message_size(REQUEST_BYTES_MAX));
            })+
            router
        }

        async fn tell_health(reporter: &HealthReporter, serving: bool) {
            let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
            $(reporter.set_service_status(<$server<$api> as NamedService>::NAME, status).await;)+
        }
    };
}

services! { parts:
    TicketServiceServer<TicketApi> {
        node: parts.use_cases.node, tickets: parts.use_cases.tickets, promises: parts.use_cases.promises
    }
    IntakeServiceServer<IntakeApi> { node: parts.use_cases.node, intake: parts.use_cases.intake }
    BoardServiceServer<BoardApi> { node: parts.use_cases.node, figures: parts.use_cases.figures }
    AdminServiceServer<AdminApi> {
        node: parts.use_cases.node, publishing: parts.use_cases.publishing, figures: parts.use_cases.figures
    }
    DispatchServiceServer<DispatchApi> {
        node: parts.use_cases.node, crews: parts.use_cases.crews, intended: parts.use_cases.intended,
        draining: parts.draining
    }
    AuditServiceServer<AuditApi> {
        node: parts.use_cases.node, history: parts.use_cases.history, draining: parts.draining
    }
}

/// Builds the transport with its limits and services. It ends when the server drains.
///
/// # Errors
/// The descriptors for gRPC reflection cannot be built.
pub(crate) fn serve(
    use_cases: UseCases,
    admission: Admission,
    listener: TcpListener,
    draining: watch::Receiver<bool>,
) -> anyhow::Result<impl Future<Output = Result<(), tonic::transport::Error>> + Send + 'static> {
    let mut head = use_cases.node.store.watch_head();
    let connections_max = connections::connections_max(admission.streams_max());
    let parts = Parts { use_cases, admission, draining: draining.clone() };
    let described = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let (reporter, health) = tonic_health::server::health_reporter();
    let router = tonic::transport::Server::builder()
        .max_concurrent_streams(CONNECTION_STREAMS_MAX)
        .max_connection_age(CONNECTION_AGE_MAX)
        .http2_keepalive_interval(Some(KEEPALIVE.0))
        .http2_keepalive_timeout(Some(KEEPALIVE.1))
        .http2_max_header_list_size(16 * 1024)
        .layer(TransportErrorsLayer)
        .layer(BodiesLayer::new(parts.use_cases.node.deadline()))
        .add_service(health)
        .add_service(described().build_v1()?)
        .add_service(described().build_v1alpha()?);
    let router = with_services(router, &parts);
    Ok(async move {
        tell_health(&reporter, true).await;
        let (unwell, mut stop) = (reporter.clone(), draining);
        // The head ends when the log takes no more appends. Health checks then fail, so that a supervisor can restart
        // the server.
        let watching = tokio::spawn(async move {
            while head.changed().await.is_ok() {}
            tell_health(&unwell, false).await;
        });
        let drained = async move {
            let _ = stop.wait_for(|draining| *draining).await;
            tell_health(&reporter, false).await;
            watching.abort();
        };
        let incoming = connections::accepted(listener, connections_max);
        router.serve_with_incoming_shutdown(incoming, drained).await
    })
}
