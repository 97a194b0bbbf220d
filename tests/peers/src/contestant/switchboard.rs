//! Ours, everything: commands through gRPC, decided, sealed, stored, answered. One fact a command.
//!
//! A ticket is received and then supplemented; each supplement carries the etag of the answer before, so that it is as
//! conditional as an append of the others.

use std::collections::BTreeMap;

use switchboard_wire::proto::ticket_service_client::TicketServiceClient;
use switchboard_wire::proto::{
    BusinessType, Caller as Customer, Channel as Intake, CommandHeader, CommandOutcome, ReceiveRequest,
    SupplementRequest,
};
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use uuid::Uuid;

use super::{Channels, Service};
use crate::arguments::Server;
use crate::workload::{Caller, Event, Fault, Refusal};

/// The words of a supplement. Sealed and wrapped they make events of about 240 bytes with 340 bytes of metadata. The
/// other stores keep 450 bytes in all; the engine's own metadata cannot be made shorter.
pub const CONTENT: &str =
    "The meter box hums, the whole stairwell is dark, and the caller asks when somebody will come to look at it.";

/// The server.
pub struct Switchboard {
    channels: Channels,
    pids: Vec<u32>,
    settings: BTreeMap<String, String>,
}

impl Switchboard {
    /// Connects.
    pub async fn connect(server: &Server, connections: usize) -> Result<Self, Fault> {
        let settings = BTreeMap::from([
            ("server".to_owned(), server.settings.clone()),
            ("connections".to_owned(), connections.to_string()),
        ]);
        let channels = Channels::open(&server.address, connections).await?;
        Ok(Self { channels, pids: server.pids.clone(), settings })
    }

    /// A client on the next connection.
    pub fn client(&mut self) -> TicketServiceClient<Channel> {
        TicketServiceClient::new(self.channels.next())
    }
}

impl Service for Switchboard {
    type Caller = TicketServiceClient<Channel>;

    async fn caller(&mut self) -> Result<Self::Caller, Fault> {
        Ok(self.client())
    }

    fn servers(&self) -> &[u32] {
        &self.pids
    }

    fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }
}

/// A ticket under the id that the server gave it, with its revision.
#[derive(Clone)]
pub struct Seen {
    pub ticket: String,
    pub etag: String,
}

/// A command with its actor in the metadata of the call.
pub fn by<T>(role: &'static str, org: &'static str, command: T) -> Request<T> {
    let mut request = Request::new(command);
    for (key, value) in [("x-actor-id", "a-1017"), ("x-actor-role", role), ("x-actor-org", org)] {
        request.metadata_mut().insert(key, MetadataValue::from_static(value));
    }
    request
}

/// The ticket and its new revision, from the answer to a command.
pub fn seen(answer: Result<Option<CommandOutcome>, Status>) -> Result<Seen, Refusal> {
    match answer {
        Ok(Some(CommandOutcome { ticket_id, etag, replayed: false, .. })) => Ok(Seen { ticket: ticket_id, etag }),
        Ok(_) => Err(Refusal::Fault("an answer without an outcome, or one that was given before".into())),
        Err(status) if status.code() == Code::Aborted => Err(Refusal::Conflict),
        Err(status) => Err(status.into()),
    }
}

impl Caller for TicketServiceClient<Channel> {
    type Cursor = Seen;

    /// The ticket's id is the server's choice, and its content ours: of the event only the id is used.
    async fn append(&self, _ticket: Uuid, event: Event, expected: Option<&Seen>) -> Result<Seen, Refusal> {
        let mut client = self.clone();
        let request_id = event.id.to_string();
        let answer = match expected {
            None => client.receive(by_an_agent(receive(request_id))).await.map(|answer| answer.into_inner().outcome),
            Some(last) => client
                .supplement(by_an_agent(supplement(request_id, last)))
                .await
                .map(|answer| answer.into_inner().outcome),
        };
        seen(answer)
    }
}

/// A command of an agent of the city.
fn by_an_agent<T>(command: T) -> Request<T> {
    by("agent", "sgcc/zj/hz", command)
}

/// A ticket of a new customer.
pub fn receive(request_id: String) -> ReceiveRequest {
    ReceiveRequest {
        request_id,
        business_type: BusinessType::FaultRepair.into(),
        channel: Intake::Hotline.into(),
        // A new number each time: tickets of one customer would be found together.
        caller: Some(Customer { phone: Some(phone()), ..Customer::default() }),
        content: CONTENT.to_owned(),
        ..ReceiveRequest::default()
    }
}

fn supplement(request_id: String, seen: &Seen) -> SupplementRequest {
    SupplementRequest { header: Some(header(request_id, seen)), content: CONTENT.to_owned() }
}

/// The header of a command on the ticket at that revision.
pub fn header(request_id: String, seen: &Seen) -> CommandHeader {
    CommandHeader { request_id, ticket: seen.ticket.clone(), etag: Some(seen.etag.clone()), ..CommandHeader::default() }
}

fn phone() -> String {
    format!("13{:09}", Uuid::new_v4().as_u128() % 1_000_000_000)
}
