//! Closed-loop load: each caller waits for its answer before it sends the next command.
//!
//! The commands of a ticket are receive, classify, dispatch and the one that `Last` selects. Only the first fact has
//! personal data.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use switchboard_eventstore::{EventStore, Expected, NewEvent, StreamName, sqlite::SqliteStore};
use switchboard_wire::proto::{
    AcceptRequest, BusinessType, Caller, Channel as Intake, ClassifyRequest, CommandHeader, DispatchRequest,
    ReceiveRequest, Urgency, WithdrawRequest, ticket_service_client::TicketServiceClient,
};
use tonic::{
    Request,
    transport::{Channel, Endpoint},
};
use uuid::Uuid;

use crate::{
    Outcome,
    stats::{Slice, histogram},
};

/// The connections of all callers, and the number of their tickets.
pub struct Load {
    channels: Vec<Channel>,
    /// Tickets opened so far.
    tickets: Arc<AtomicU64>,
    /// Tickets withdrawn so far.
    withdrawn: Arc<AtomicU64>,
}

/// The last command of each ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// The ticket stays in flight.
    Accept,
    /// The ticket ends. Each run leaves at most one open ticket per caller.
    Withdraw,
    /// There is no fourth command: the ticket stays dispatched.
    Dispatch,
}

fn request<T>(body: T) -> Request<T> {
    let mut request = Request::new(body);
    for (name, value) in [("x-actor-id", "bench"), ("x-actor-role", "agent"), ("x-actor-org", "sgcc")] {
        request.metadata_mut().insert(name, tonic::metadata::MetadataValue::from_static(value));
    }
    request
}

/// One caller, with its present ticket and the next command for it.
struct Agent {
    client: TicketServiceClient<Channel>,
    /// The next command: 0 = receive, 1 = classify, 2 = dispatch, 3 = the last one.
    step: u8,
    ticket: String,
    tickets: Arc<AtomicU64>,
    withdrawn: Arc<AtomicU64>,
    last: Last,
}

impl Agent {
    fn open(&self) -> u64 {
        self.tickets.load(Ordering::Relaxed).saturating_sub(self.withdrawn.load(Ordering::Relaxed))
    }

    async fn act(&mut self) -> Result<(), tonic::Status> {
        let id = Uuid::new_v4().to_string();
        let header = Some(CommandHeader { request_id: id.clone(), ticket: self.ticket.clone(), ..Default::default() });
        match self.step {
            0 => {
                let serial = self.tickets.fetch_add(1, Ordering::Relaxed);
                let caller =
                    Caller { phone: Some(format!("138{serial:08}")), name: Some("Bench".into()), ..Default::default() };
                let body = ReceiveRequest {
                    request_id: id,
                    business_type: BusinessType::FaultRepair.into(),
                    channel: Intake::Hotline.into(),
                    caller: Some(caller),
                    address: Some("1 Example Road".into()),
                    content: "no light in the whole house, the switch did not trip, please look into it".into(),
                    ..Default::default()
                };
                let answer = self.client.receive(request(body)).await?.into_inner();
                self.ticket = answer.outcome.map(|outcome| outcome.ticket_id).unwrap_or_default();
            }
            1 => {
                let body = ClassifyRequest {
                    header,
                    category: "fault/low-voltage/fuse".into(),
                    urgency: Urgency::Normal.into(),
                    ..Default::default()
                };
                self.client.classify(request(body)).await?;
            }
            2 => {
                self.client.dispatch(request(DispatchRequest { header, to: "sgcc/zj/hz".into() })).await?;
            }
            _ if self.last == Last::Withdraw => {
                let reason = "power came back by itself".into();
                self.client.withdraw(request(WithdrawRequest { header, reason })).await?;
                self.withdrawn.fetch_add(1, Ordering::Relaxed);
            }
            _ => {
                self.client.accept(request(AcceptRequest { header })).await?;
            }
        }
        self.step = (self.step + 1) % if self.last == Last::Dispatch { 3 } else { 4 };
        Ok(())
    }
}

impl Load {
    pub async fn connect(endpoint: &str, connections: usize) -> Outcome<Self> {
        let mut channels = Vec::new();
        for _ in 0..connections {
            channels.push(Endpoint::from_shared(endpoint.to_owned())?.tcp_nodelay(true).connect().await?);
        }
        Ok(Self { channels, tickets: Arc::default(), withdrawn: Arc::default() })
    }

    fn agent(&self, caller: usize, last: Last) -> Agent {
        let client = TicketServiceClient::new(self.channels[caller % self.channels.len()].clone());
        let (tickets, withdrawn) = (Arc::clone(&self.tickets), Arc::clone(&self.withdrawn));
        Agent { client, step: 0, ticket: String::new(), tickets, withdrawn, last }
    }

    /// Opens and dispatches tickets until at least `open` tickets are open.
    pub async fn fill(&self, callers: usize, open: u64) -> Outcome<()> {
        let mut tasks = Vec::new();
        for caller in 0..callers {
            let mut agent = self.agent(caller, Last::Dispatch);
            tasks.push(tokio::spawn(async move {
                while agent.step != 0 || agent.open() < open {
                    agent.act().await?;
                }
                Ok::<_, tonic::Status>(())
            }));
        }
        for task in tasks {
            task.await??;
        }
        Ok(())
    }

    /// Returns the number of tickets opened so far.
    pub fn tickets(&self) -> u64 {
        self.tickets.load(Ordering::Relaxed)
    }

    /// Runs `callers` for `time`. The slice has no CPU time; `Contender::slice` adds it.
    pub async fn run(&self, callers: usize, time: Duration, last: Last) -> Outcome<Slice> {
        let begun = Instant::now();
        let mut tasks = Vec::new();
        for caller in 0..callers {
            let mut agent = self.agent(caller, last);
            tasks.push(tokio::spawn(async move {
                let (mut operations, mut latency) = (0_u64, histogram());
                while begun.elapsed() < time {
                    let asked = Instant::now();
                    agent.act().await?;
                    latency.saturating_record(asked.elapsed().as_micros() as u64);
                    operations += 1;
                }
                Ok::<_, tonic::Status>((operations, latency))
            }));
        }
        let (mut operations, mut latency) = (0, histogram());
        for task in tasks {
            let (done, times) = task.await??;
            operations += done;
            latency.add(&times)?;
        }
        Ok(Slice { operations, wall: begun.elapsed(), cpu: Duration::ZERO, latency })
    }

    /// Sends health checks from `callers` for `time`, and returns the number of answers.
    pub async fn nothing(&self, callers: usize, time: Duration) -> Outcome<u64> {
        let begun = Instant::now();
        let mut tasks = Vec::new();
        for caller in 0..callers {
            let mut client =
                tonic_health::pb::health_client::HealthClient::new(self.channels[caller % self.channels.len()].clone());
            tasks.push(tokio::spawn(async move {
                let mut operations = 0_u64;
                while begun.elapsed() < time {
                    let body = tonic_health::pb::HealthCheckRequest { service: String::new() };
                    client.check(request(body)).await?;
                    operations += 1;
                }
                Ok::<_, tonic::Status>(operations)
            }));
        }
        let mut operations = 0;
        for task in tasks {
            operations += task.await??;
        }
        Ok(operations)
    }
}

/// Runs the event store alone: `callers` append facts of about a command's size, each to streams of its own,
/// four to a stream.
pub async fn event_store(store: &SqliteStore, callers: usize, time: Duration) -> Outcome<Slice> {
    let begun = Instant::now();
    let work = (0..callers).map(|_| async move {
        let (mut operations, mut latency) = (0_u64, histogram());
        let mut stream = None;
        while begun.elapsed() < time {
            let asked = Instant::now();
            let (name, expected) = match stream.take() {
                Some(name) => (name, Expected::Exists),
                None => (StreamName::new("bench", Uuid::new_v4().simple())?, Expected::NoStream),
            };
            let event = NewEvent {
                id: Uuid::new_v4(),
                kind: "bench.done.v1".into(),
                data: vec![b'x'; 300],
                meta: vec![b'y'; 330],
            };
            store.append(&name, expected, vec![event]).await?;
            operations += 1;
            latency.saturating_record(asked.elapsed().as_micros() as u64);
            stream = Some(name).filter(|_| operations % 4 != 0);
        }
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>((operations, latency))
    });
    let (mut operations, mut latency) = (0, histogram());
    for done in futures::future::join_all(work).await {
        let (count, times) = done?;
        operations += count;
        latency.add(&times)?;
    }
    Ok(Slice { operations, wall: begun.elapsed(), cpu: Duration::ZERO, latency })
}
