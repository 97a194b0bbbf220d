//! A connection to a server with its actor: the generated clients, with the actor in every call's metadata.

use std::time::Duration;

use switchboard_wire::proto::{
    self, audit_service_client::AuditServiceClient, intake_service_client::IntakeServiceClient,
    subscribe_response::Message, ticket_service_client::TicketServiceClient,
};
use tonic::{
    Request, Status, Streaming,
    metadata::AsciiMetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

/// The longest time to connect.
const CONNECT: Duration = Duration::from_secs(10);

/// The client of the ticket service with an actor.
pub type Tickets = TicketServiceClient<InterceptedService<Channel, Who>>;
/// The client of the intake service with an actor.
pub type Intake = IntakeServiceClient<InterceptedService<Channel, Who>>;
/// The client of the audit service with an actor.
pub type Audit = AuditServiceClient<InterceptedService<Channel, Who>>;

/// An actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The role.
    pub role: String,
    /// The unit.
    pub org: String,
    /// The language of sentences.
    pub language: &'static str,
}

/// Returns an actor of that role and unit, with English as the language.
#[must_use]
pub fn who(role: &str, org: &str) -> Who {
    Who { role: role.into(), org: org.into(), language: "en" }
}

/// Returns an agent of the national centre.
#[must_use]
pub fn agent() -> Who {
    who("agent", "sgcc")
}

impl Interceptor for Who {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let id = format!("{}-1", self.role);
        for (name, value) in [
            ("x-actor-id", id.as_str()),
            ("x-actor-role", &self.role),
            ("x-actor-org", &self.org),
            ("accept-language", self.language),
        ] {
            let value: AsciiMetadataValue = value.parse().map_err(|_| Status::internal("not ASCII"))?;
            request.metadata_mut().insert(name, value);
        }
        Ok(request)
    }
}

/// A connection.
#[derive(Clone, Debug)]
pub struct Line {
    /// The bare channel, for calls that no normal client would make.
    pub channel: Channel,
}

fn endpoint(endpoint: &str) -> Endpoint {
    let endpoint = Endpoint::from_shared(endpoint.to_owned()).expect("an address");
    endpoint.connect_timeout(CONNECT).tcp_nodelay(true)
}

impl Line {
    /// Connects to the server at `address`.
    ///
    /// # Panics
    /// When no server answers.
    pub async fn to(address: &str) -> Self {
        Self { channel: endpoint(address).connect().await.expect("a server") }
    }

    /// Creates a connection that is made with the first call.
    ///
    /// # Panics
    /// When `address` is not valid.
    #[must_use]
    pub fn lazy(address: &str) -> Self {
        Self { channel: endpoint(address).connect_lazy() }
    }

    /// Connects with the smallest flow-control windows that HTTP/2 has by default, as a slow reader does.
    ///
    /// # Panics
    /// When no server answers.
    pub async fn narrow(address: &str) -> Self {
        let endpoint = endpoint(address).initial_stream_window_size(65_535).initial_connection_window_size(65_535);
        Self { channel: endpoint.connect().await.expect("a server") }
    }

    /// Returns the client of the ticket service for an actor.
    #[must_use]
    pub fn tickets(&self, who: &Who) -> Tickets {
        TicketServiceClient::with_interceptor(self.channel.clone(), who.clone())
    }

    /// Returns the client of the intake service for an actor.
    #[must_use]
    pub fn intake(&self, who: &Who) -> Intake {
        IntakeServiceClient::with_interceptor(self.channel.clone(), who.clone())
    }

    /// Returns the client of the audit service for an auditor.
    #[must_use]
    pub fn audit(&self) -> Audit {
        AuditServiceClient::with_interceptor(self.channel.clone(), who("auditor", "sgcc"))
    }

    /// Returns one ticket.
    ///
    /// # Errors
    /// The server's refusal, or the transport's failure.
    pub async fn get(&self, ticket: &str) -> Result<proto::TicketView, Status> {
        let ask = proto::GetRequest { ticket: ticket.into(), ..Default::default() };
        let answer = self.tickets(&agent()).get(ask).await?.into_inner();
        answer.ticket.ok_or_else(|| Status::internal("an answer without a ticket"))
    }

    /// Returns every fact of one ticket.
    ///
    /// # Errors
    /// The server's refusal, or the transport's failure.
    pub async fn history(&self, ticket: &str) -> Result<Vec<proto::FactView>, Status> {
        let ask = proto::HistoryRequest { ticket: ticket.into(), ..Default::default() };
        Ok(self.tickets(&agent()).history(ask).await?.into_inner().facts)
    }

    /// Returns the kinds of a ticket's facts, without prefix and version.
    ///
    /// # Errors
    /// The server's refusal, or the transport's failure.
    pub async fn kinds(&self, ticket: &str) -> Result<Vec<String>, Status> {
        let bare = |kind: &str| kind.trim_start_matches("ticket.").trim_end_matches(".v1").to_owned();
        Ok(self.history(ticket).await?.iter().map(|fact| bare(&fact.kind)).collect())
    }

    /// Returns the whole log after a position; reads it page by page.
    ///
    /// # Errors
    /// The server's refusal, or the transport's failure.
    pub async fn log(&self, mut after: u64) -> Result<Vec<proto::Fact>, Status> {
        let mut facts = Vec::new();
        loop {
            let ask = proto::ReadLogRequest { after_position: after, page_size: 1000, filter: None };
            let page = self.audit().read_log(ask).await?.into_inner();
            facts.extend(page.facts);
            after = page.next_after_position;
            if page.end {
                return Ok(facts);
            }
        }
    }

    /// Returns the head of the log.
    ///
    /// # Errors
    /// The server's refusal, or the transport's failure.
    pub async fn head(&self) -> Result<u64, Status> {
        let ask = proto::SubscribeRequest { from: Some(proto::subscribe_request::From::Now(true)), filter: None };
        let mut stream = self.audit().subscribe(ask).await?.into_inner();
        match stream.message().await?.and_then(|said| said.message) {
            Some(Message::Checkpoint(checkpoint)) => Ok(checkpoint.position),
            Some(Message::Fact(fact)) => Ok(fact.position),
            other => Err(Status::internal(format!("{other:?}"))),
        }
    }

    /// Returns all tickets that a filter admits, in the default order. The answer reflects at least the present head.
    ///
    /// # Errors
    /// The server's refusal, or the transport's failure.
    pub async fn list(&self, filter: &str) -> Result<Vec<proto::TicketSummary>, Status> {
        let head = self.head().await?;
        let mut rows = Vec::new();
        let mut ask = proto::ListRequest {
            page_size: 1000,
            filter: filter.into(),
            min_position: Some(head),
            ..Default::default()
        };
        loop {
            let page = self.tickets(&agent()).list(ask.clone()).await?.into_inner();
            rows.extend(page.tickets);
            if page.next_page_token.is_empty() {
                return Ok(rows);
            }
            ask.page_token = page.next_page_token;
        }
    }

    /// Subscribes to the log.
    ///
    /// # Errors
    /// The server's refusal, or the transport's failure.
    pub async fn subscribe(
        &self,
        from: Option<proto::subscribe_request::From>,
        filter: Option<proto::FactFilter>,
    ) -> Result<Streaming<proto::SubscribeResponse>, Status> {
        Ok(self.audit().subscribe(proto::SubscribeRequest { from, filter }).await?.into_inner())
    }
}
