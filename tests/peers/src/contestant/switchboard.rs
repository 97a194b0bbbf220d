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
use tonic::{Code, Request};
use uuid::Uuid;

use super::{Channels, Service};
use crate::workload::{Caller, Event, Fault, Refusal};

/// What a customer adds. Sealed and wrapped it makes events of about 240 bytes with 340 of metadata, more than everybody
/// else's 450 together; the engine's own metadata cannot be made shorter.
const CONTENT: &str =
    "The meter box hums, the whole stairwell is dark, and the caller asks when somebody will come to look at it.";

/// The server.
pub struct Switchboard {
    channels: Channels,
    server: Option<u32>,
    settings: BTreeMap<String, String>,
}

impl Switchboard {
    /// Connects. `settings` says with what version and options the server was started.
    pub async fn connect(
        address: &str,
        connections: usize,
        server: Option<u32>,
        settings: &str,
    ) -> Result<Self, Fault> {
        let settings = BTreeMap::from([
            ("server".to_owned(), settings.to_owned()),
            ("connections".to_owned(), connections.to_string()),
        ]);
        Ok(Self { channels: Channels::open(address, connections).await?, server, settings })
    }
}

impl Service for Switchboard {
    type Caller = TicketServiceClient<Channel>;

    async fn caller(&mut self) -> Result<Self::Caller, Fault> {
        Ok(TicketServiceClient::new(self.channels.next()))
    }

    fn server(&self) -> Option<u32> {
        self.server
    }

    fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }
}

/// A ticket as the server named it, and where it stands.
#[derive(Clone)]
pub struct Seen {
    ticket: String,
    etag: String,
}

/// A command with the actor beside it.
fn by_an_agent<T>(command: T) -> Request<T> {
    let mut request = Request::new(command);
    for (key, value) in [("x-actor-id", "a-1017"), ("x-actor-role", "agent"), ("x-actor-org", "sgcc/zj/hz")] {
        request.metadata_mut().insert(key, MetadataValue::from_static(value));
    }
    request
}

impl Caller for TicketServiceClient<Channel> {
    type Cursor = Seen;

    /// The ticket's id is the server's choice, and its content ours: of the event only the id is used.
    async fn append(&self, _ticket: Uuid, event: Event, expected: Option<&Seen>) -> Result<Seen, Refusal> {
        let mut client = self.clone();
        let request_id = event.id.to_string();
        let answer = match expected {
            None => client.receive(by_an_agent(receive(request_id))).await.map(|answer| answer.into_inner().outcome),
            Some(seen) => client
                .supplement(by_an_agent(supplement(request_id, seen)))
                .await
                .map(|answer| answer.into_inner().outcome),
        };
        match answer {
            Ok(Some(CommandOutcome { ticket_id, etag, replayed: false, .. })) => Ok(Seen { ticket: ticket_id, etag }),
            Ok(_) => Err(Refusal::Fault("an answer without an outcome, or one that was given before".into())),
            Err(status) if status.code() == Code::Aborted => Err(Refusal::Conflict),
            Err(status) => Err(status.into()),
        }
    }
}

fn receive(request_id: String) -> ReceiveRequest {
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
    let header = CommandHeader {
        request_id,
        ticket: seen.ticket.clone(),
        etag: Some(seen.etag.clone()),
        ..CommandHeader::default()
    };
    SupplementRequest { header: Some(header), content: CONTENT.to_owned() }
}

fn phone() -> String {
    format!("13{:09}", Uuid::new_v4().as_u128() % 1_000_000_000)
}
