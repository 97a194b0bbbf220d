//! Restate: a virtual object per ticket, one invocation per step, called through the HTTP ingress.
//!
//! The object lives in `restate/main.rs`, a process of its own that Restate calls. A step is answered when Restate has
//! recorded its result durably. Each caller has a connection of its own and speaks HTTP/1.1: Restate does not set
//! TCP_NODELAY on the connections that it accepts, and over HTTP/2 some answers, in two writes, wait 40 ms for the
//! acknowledgement of their first part.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::Service;
use crate::arguments::Server;
use crate::workload::{Caller, Event, Fault, Refusal, Work};

/// How long the service may take to be known to all of Restate.
const KNOWN_MAX: Duration = Duration::from_secs(20);

/// The server.
pub struct Restate {
    ingress: String,
    pids: Vec<u32>,
    settings: BTreeMap<String, String>,
}

impl Restate {
    /// Registers the service with Restate and connects to the ingress.
    pub async fn connect(server: &Server, admin: &str, service: &str) -> Result<Self, Fault> {
        let deployment = format!(r#"{{"uri":"http://{service}"}}"#);
        let (status, answer) = Ingress::open(admin).await?.post("/deployments", deployment).await?;
        if !status.is_success() {
            return Err(format!("Restate does not register the service: {status} {answer}").into());
        }
        let answer: serde_json::Value = serde_json::from_str(&answer)?;
        let settings = BTreeMap::from([
            ("server".to_owned(), server.settings.clone()),
            ("connections".to_owned(), "one per caller, HTTP/1.1".to_owned()),
            ("sdk".to_owned(), answer["sdk_version"].as_str().unwrap_or("not given").to_owned()),
            ("service".to_owned(), "restate/main.rs, TCP_NODELAY, no journal retention".to_owned()),
        ]);
        let restate = Self { ingress: server.address.clone(), pids: server.pids.clone(), settings };
        restate.known().await?;
        Ok(restate)
    }

    /// Waits until a first ticket can be received: Restate learns of the service with a delay.
    async fn known(&self) -> Result<(), Fault> {
        let ingress = Ingress::open(&self.ingress).await?;
        let first = async {
            loop {
                let ticket = Uuid::new_v4();
                match ingress.append(ticket, Event::of(Work::Life, ticket, 0), None).await {
                    Ok(_) => return,
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                }
            }
        };
        tokio::time::timeout(KNOWN_MAX, first).await.map_err(|_| "Restate does not call the service".into())
    }
}

impl Service for Restate {
    type Caller = Ingress;

    async fn caller(&mut self) -> Result<Ingress, Fault> {
        Ingress::open(&self.ingress).await
    }

    fn servers(&self) -> &[u32] {
        &self.pids
    }

    fn settings(&self) -> &BTreeMap<String, String> {
        &self.settings
    }
}

/// A connection. Its caller has one call in flight, so the lock is never waited for.
pub struct Ingress {
    address: String,
    sender: Mutex<SendRequest<Full<Bytes>>>,
}

impl Ingress {
    async fn open(address: &str) -> Result<Self, Fault> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // The connection ends with its senders. A fault of it reaches the next call.
        tokio::spawn(connection);
        Ok(Self { address: address.to_owned(), sender: Mutex::new(sender) })
    }

    async fn post(&self, path: &str, body: String) -> Result<(StatusCode, String), Fault> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(http::header::HOST, &self.address)
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))?;
        let mut sender = self.sender.lock().await;
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}

impl Caller for Ingress {
    /// The revision of the ticket.
    type Cursor = u64;
    const WORK: Work = Work::Life;

    /// No `idempotency-key`: Restate would keep one more record for each step.
    async fn append(&self, ticket: Uuid, event: Event, expected: Option<&u64>) -> Result<u64, Refusal> {
        let expected = expected.copied().unwrap_or(0);
        let body = format!(
            r#"{{"expected":{expected},"fact":{{"id":"{}","kind":"{}","data":{},"meta":{}}}}}"#,
            event.id, event.kind, event.data, event.meta
        );
        let path = format!("/Ticket/{}/{}", ticket.simple(), event.kind);
        let (status, answer) = self.post(&path, body).await.map_err(Refusal::Fault)?;
        match status {
            StatusCode::OK => Ok(answer.trim().parse()?),
            StatusCode::CONFLICT => Err(Refusal::Conflict),
            other => Err(Refusal::Fault(format!("{other}: {answer}").into())),
        }
    }
}
