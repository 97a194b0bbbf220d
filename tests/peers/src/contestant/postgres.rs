//! PostgreSQL as an event store: `postgres.sql`, one connection a caller, the append prepared once on each.

use std::collections::BTreeMap;

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls, Statement};
use uuid::Uuid;

use super::Service;
use crate::arguments::Server;
use crate::workload::{Caller, Event, Fault, Refusal};

/// The settings that decide whether an answer is durable, and how fast it is.
const SETTINGS: [&str; 14] = [
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "wal_sync_method",
    "wal_level",
    "commit_delay",
    "shared_buffers",
    "wal_buffers",
    "min_wal_size",
    "max_wal_size",
    "checkpoint_timeout",
    "autovacuum",
    "listen_addresses",
];

/// The server.
pub struct Postgres {
    config: String,
    pids: Vec<u32>,
    settings: BTreeMap<String, String>,
}

impl Postgres {
    /// Creates the tables and the function in an empty data base.
    pub async fn prepare(server: &Server) -> Result<Self, Fault> {
        let client = connect(&server.address).await?;
        client.batch_execute(include_str!("../../postgres.sql")).await?;
        let mut settings = BTreeMap::new();
        for name in SETTINGS {
            let row = client.query_one("SELECT current_setting($1)", &[&name]).await?;
            settings.insert(name.to_owned(), row.try_get(0)?);
        }
        for name in ["fsync", "synchronous_commit", "full_page_writes"] {
            if settings.get(name).map(String::as_str) != Some("on") {
                return Err(format!("{name} is not on: an acknowledged append would not be durable").into());
            }
        }
        Ok(Self { config: server.address.clone(), pids: server.pids.clone(), settings })
    }
}

async fn connect(config: &str) -> Result<Client, Fault> {
    let (client, connection) = tokio_postgres::connect(config, NoTls).await?;
    // The connection ends with its client, and a fault of it reaches the client's next call.
    tokio::spawn(connection);
    Ok(client)
}

impl Service for Postgres {
    type Caller = Session;

    async fn caller(&mut self) -> Result<Session, Fault> {
        let client = connect(&self.config).await?;
        let append = client.prepare("SELECT append($1, $2, $3, $4, $5::text[]::jsonb[], $6::text[]::jsonb[])").await?;
        Ok(Session { client, append })
    }

    fn servers(&self) -> &[u32] {
        &self.pids
    }

    fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }
}

/// One connection.
pub struct Session {
    client: Client,
    append: Statement,
}

impl Caller for Session {
    /// The version of the stream.
    type Cursor = i64;

    async fn append(&self, ticket: Uuid, event: Event, expected: Option<&i64>) -> Result<i64, Refusal> {
        let expected = expected.copied().unwrap_or(0);
        let (ids, kinds, datas, metas) = ([event.id], [event.kind], [event.data], [event.meta]);
        let answer = self
            .client
            .query_one(&self.append, &[&ticket, &expected, &&ids[..], &&kinds[..], &&datas[..], &&metas[..]])
            .await;
        match answer {
            Ok(row) => Ok(row.try_get(0)?),
            Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => Err(Refusal::Conflict),
            Err(error) => Err(error.into()),
        }
    }
}
