//! UmaDB through gRPC: one tag a ticket; an append is refused if an event with that tag stands after the caller's last.
//!
//! The Python package carries a server and a blocking Python client. The client would be measured more than the server,
//! so the one call that is needed is spoken here, over the same transport that drives our own server. The messages are
//! those of the published interface `umadb.v1`, cut down to the fields that are used.

use std::collections::BTreeMap;

use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic_prost::ProstCodec;
use uuid::Uuid;

use super::{Channels, Service};
use crate::arguments::Server;
use crate::workload::{Caller, Event, Fault, Refusal};

/// The one call.
const APPEND: PathAndQuery = PathAndQuery::from_static("/umadb.v1.DCB/Append");

#[derive(Clone, PartialEq, prost::Message)]
struct Pair {
    #[prost(string, tag = "1")]
    key: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct NewEvent {
    #[prost(string, tag = "1")]
    event_type: String,
    #[prost(string, repeated, tag = "2")]
    tags: Vec<String>,
    #[prost(bytes = "vec", tag = "3")]
    data: Vec<u8>,
    #[prost(string, tag = "4")]
    uuid: String,
    #[prost(message, repeated, tag = "5")]
    metadata: Vec<Pair>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct QueryItem {
    #[prost(string, repeated, tag = "2")]
    tags: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Query {
    #[prost(message, repeated, tag = "1")]
    items: Vec<QueryItem>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Condition {
    #[prost(message, optional, tag = "1")]
    fail_if_events_match: Option<Query>,
    #[prost(uint64, optional, tag = "2")]
    after: Option<u64>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct AppendRequest {
    #[prost(message, repeated, tag = "1")]
    events: Vec<NewEvent>,
    #[prost(message, optional, tag = "2")]
    condition: Option<Condition>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct AppendResponse {
    #[prost(uint64, tag = "1")]
    position: u64,
}

/// The server.
pub struct UmaDb {
    channels: Channels,
    pids: Vec<u32>,
    settings: BTreeMap<String, String>,
}

impl UmaDb {
    /// Connects.
    pub async fn connect(server: &Server, connections: usize) -> Result<Self, Fault> {
        let settings = BTreeMap::from([
            ("server".to_owned(), server.settings.clone()),
            ("connections".to_owned(), connections.to_string()),
        ]);
        let channels = Channels::open(&server.address, connections).await?;
        Ok(Self { channels, pids: server.pids.clone(), settings })
    }
}

impl Service for UmaDb {
    type Caller = Channel;

    async fn caller(&mut self) -> Result<Channel, Fault> {
        Ok(self.channels.next())
    }

    fn servers(&self) -> &[u32] {
        &self.pids
    }

    fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }
}

impl Caller for Channel {
    /// The position of the ticket's last event in the whole log.
    type Cursor = u64;

    async fn append(&self, ticket: Uuid, event: Event, expected: Option<&u64>) -> Result<u64, Refusal> {
        let tags = vec![format!("ticket-{}", ticket.simple())];
        let query = Query { items: vec![QueryItem { tags: tags.clone() }] };
        let request = AppendRequest {
            events: vec![NewEvent {
                event_type: event.kind.to_owned(),
                tags,
                data: event.data.into_bytes(),
                uuid: event.id.to_string(),
                metadata: vec![Pair { key: "meta".to_owned(), value: event.meta }],
            }],
            condition: Some(Condition { fail_if_events_match: Some(query), after: expected.copied() }),
        };
        let mut grpc = Grpc::new(self.clone());
        grpc.ready().await?;
        let codec = ProstCodec::<AppendRequest, AppendResponse>::default();
        match grpc.unary(tonic::Request::new(request), APPEND, codec).await {
            Ok(response) => Ok(response.into_inner().position),
            Err(status) if status.code() == tonic::Code::FailedPrecondition => Err(Refusal::Conflict),
            Err(status) => Err(status.into()),
        }
    }
}
