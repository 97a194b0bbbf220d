//! NATS JetStream: one stream in files, one subject per ticket. A publish is refused if the last sequence of its
//! subject is not the expected one.
//!
//! One stream, because one log has one order, here as for all other contestants. The publish is acknowledged by the
//! server; `sync_interval: always` in the server's configuration makes it sync first.

use std::collections::BTreeMap;

use async_nats::HeaderMap;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{Config, StorageType};
use async_nats::jetstream::{self, Context};
use uuid::Uuid;

use super::Service;
use crate::arguments::Server;
use crate::workload::{Caller, Event, Fault, Refusal};

/// The stream of all tickets.
const STREAM: &str = "tickets";

/// The server.
pub struct Nats {
    contexts: Vec<Context>,
    next: usize,
    pids: Vec<u32>,
    settings: BTreeMap<String, String>,
}

impl Nats {
    /// Connects and creates the stream.
    pub async fn connect(server: &Server, connections: usize) -> Result<Self, Fault> {
        let mut contexts = Vec::new();
        for _ in 0..connections.max(1) {
            contexts.push(jetstream::new(async_nats::connect(&server.address).await?));
        }
        let context = contexts.first().ok_or("no connection")?;
        let config = Config {
            name: STREAM.to_owned(),
            subjects: vec!["ticket.*".into()],
            storage: StorageType::File,
            num_replicas: 1,
            ..Config::default()
        };
        let stream = context.create_stream(config).await?;
        let info = stream.cached_info();
        let settings = BTreeMap::from([
            ("server".to_owned(), server.settings.clone()),
            ("connections".to_owned(), connections.to_string()),
            ("storage".to_owned(), format!("{:?}", info.config.storage)),
            ("replicas".to_owned(), info.config.num_replicas.to_string()),
        ]);
        Ok(Self { contexts, next: 0, pids: server.pids.clone(), settings })
    }
}

impl Service for Nats {
    type Caller = Context;

    async fn caller(&mut self) -> Result<Context, Fault> {
        self.next = (self.next + 1) % self.contexts.len();
        Ok(self.contexts[self.next].clone())
    }

    fn servers(&self) -> &[u32] {
        &self.pids
    }

    fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }
}

impl Caller for Context {
    /// The sequence of the subject's last message in the stream.
    type Cursor = u64;

    /// The data is the payload; id, kind and metadata are headers. There is no `Nats-Msg-Id`, because no other peer
    /// looks for repeated ids.
    async fn append(&self, ticket: Uuid, event: Event, expected: Option<&u64>) -> Result<u64, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert("id", event.id.to_string());
        headers.insert("kind", event.kind);
        headers.insert("meta", event.meta);
        let message = PublishMessage::build()
            .headers(headers)
            .expected_last_subject_sequence(expected.copied().unwrap_or(0))
            .payload(event.data.into());
        let sent = self.send_publish(format!("ticket.{}", ticket.simple()), message).await?;
        match sent.await {
            Ok(acknowledged) => Ok(acknowledged.sequence),
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Err(Refusal::Conflict),
            Err(error) => Err(error.into()),
        }
    }
}
