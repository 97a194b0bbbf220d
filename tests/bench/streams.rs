//! Ten thousand crew apps on one server, each with a connection of its own. Measures:
//!
//! - the memory of a stream, with a connection of its own and where a hundred streams share one;
//! - the latency from a dispatch to its crew, at a steady rate of dispatches;
//! - the time until all streams have resumed, after all were disconnected at once. Tickets are dispatched meanwhile.
//!
//! The load is an open loop: each dispatch is sent at its due instant, even if earlier ones are not answered yet, and
//! latencies count from that instant. Server and clients share the machine.
//!
//! `CREWS=` is the number of crews, `DISPATCH_RATE=` the dispatches a second, and `DISPATCH_SECONDS=` the length of the
//! load.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use switchboard_wire::proto::{
    BusinessType, Caller, Channel as Intake, ClassifyRequest, CommandHeader, DispatchRequest, EnrolCrewRequest, Place,
    Position, ReceiveRequest, Skill, Urgency, WatchAssignmentsRequest, WatchAssignmentsResponse,
    assignment_change::Change, dispatch_service_client::DispatchServiceClient,
    ticket_service_client::TicketServiceClient, watch_assignments_response::Message,
};
use tokio::{sync::OnceCell, task::JoinSet};
use tonic::{
    Request, Streaming,
    metadata::MetadataValue,
    transport::{Channel, Endpoint},
};
use uuid::Uuid;

use crate::{Outcome, ms, server::Server, setting, stats::histogram};

/// The most requests in flight while crews enrol and tickets are made.
const ASKING_MAX: usize = 256;
/// The number of streams per connection, when the memory of a stream is measured without its connection. It is the
/// server's limit.
const SHARED: usize = 100;
/// The time for which all crews are disconnected, in seconds of dispatches at the usual rate.
const AWAY_SECONDS: f64 = 5.0;
/// The longest wait for all streams to become live, and for all assignments to arrive.
const PATIENCE: Duration = Duration::from_secs(300);
/// The pause before a crew app connects again after a failure, in milliseconds: the first number, plus up to the second
/// depending on the crew.
const AGAIN_MS: (u64, u64) = (100, 1_000);

/// Builds a request with the metadata of an actor.
pub fn request<T>(body: T, role: &'static str, org: &str) -> Outcome<Request<T>> {
    let mut request = Request::new(body);
    request.metadata_mut().insert("x-actor-id", MetadataValue::from_static("bench"));
    request.metadata_mut().insert("x-actor-role", MetadataValue::from_static(role));
    request.metadata_mut().insert("x-actor-org", MetadataValue::try_from(org)?);
    Ok(request)
}

fn crew_path(number: usize) -> String {
    format!("sgcc/zj/hz/c{}/s{}/crew{number}", number % 10, number % 200)
}

/// The messages that all crews received.
#[derive(Default)]
struct Heard {
    /// The instant of each ticket's first assignment message, and the number of such messages.
    tickets: Mutex<HashMap<String, (Instant, usize)>>,
    /// The newest resume token of each crew.
    tokens: Mutex<HashMap<usize, String>>,
    /// The number of checkpoint messages since `open`. A stream's first one says that it is live.
    started: AtomicU64,
    /// The number of attempts to open a stream.
    tries: AtomicU64,
}

impl Heard {
    fn note(&self, crew: usize, token: String, message: Option<Message>) {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(crew, token);
        match message {
            Some(Message::Change(change)) => {
                if let Some(Change::Assigned(assigned)) = change.change {
                    let ticket = assigned.ticket.map(|brief| brief.ticket_id).unwrap_or_default();
                    let mut tickets = self.tickets.lock().unwrap_or_else(PoisonError::into_inner);
                    tickets.entry(ticket).or_insert((Instant::now(), 0)).1 += 1;
                }
            }
            Some(Message::Checkpoint(_)) => drop(self.started.fetch_add(1, Ordering::Relaxed)),
            _ => {}
        }
    }

    fn tickets(&self) -> HashMap<String, (Instant, usize)> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until the assignment of every ticket has arrived, at most for `PATIENCE`.
    async fn all(&self, told: &HashMap<String, Told>) {
        let settle = Instant::now();
        while settle.elapsed() < PATIENCE {
            let heard =
                |ticket: &String| self.tickets.lock().unwrap_or_else(PoisonError::into_inner).contains_key(ticket);
            if told.keys().all(heard) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// The instants of one dispatch.
pub struct Told {
    /// The instant at which the dispatch was due in the open loop.
    pub due: Instant,
    /// The instant at which the server answered the command.
    pub answered: Instant,
}

/// Opens a stream for every crew at once, `each` on a connection, and waits until all are live. Returns the tasks that
/// read the streams, and the time taken.
async fn open(endpoint: &str, crews: usize, each: usize, heard: &Arc<Heard>) -> Outcome<(JoinSet<()>, Duration)> {
    heard.started.store(0, Ordering::Relaxed);
    let begun = Instant::now();
    let tokens = heard.tokens.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let (mut streams, mut shared) = (JoinSet::new(), Arc::new(OnceCell::new()));
    for crew in 0..crews {
        if crew % each == 0 {
            shared = Arc::new(OnceCell::new());
        }
        let endpoint = Endpoint::from_shared(endpoint.to_owned())?.tcp_nodelay(true);
        let (shared, heard) = (Arc::clone(&shared), Arc::clone(heard));
        let resume_token = tokens.get(&crew).cloned();
        streams.spawn(async move {
            let mut stream = loop {
                heard.tries.fetch_add(1, Ordering::Relaxed);
                match watch(&endpoint, &shared, crew, resume_token.clone()).await {
                    Ok(stream) => break stream,
                    Err(_) => {
                        let pause = AGAIN_MS.0 + crew as u64 * 7_919 % AGAIN_MS.1;
                        tokio::time::sleep(Duration::from_millis(pause)).await;
                    }
                }
            };
            while let Ok(Some(message)) = stream.message().await {
                heard.note(crew, message.resume_token, message.message);
            }
        });
    }
    while heard.started.load(Ordering::Relaxed) < crews as u64 {
        if begun.elapsed() > PATIENCE {
            let live = heard.started.load(Ordering::Relaxed);
            return Err(format!("only {live} of {crews} streams are live after {PATIENCE:?}").into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok((streams, begun.elapsed()))
}

async fn watch(
    endpoint: &Endpoint,
    shared: &OnceCell<Channel>,
    crew: usize,
    resume_token: Option<String>,
) -> Outcome<Streaming<WatchAssignmentsResponse>> {
    let body = WatchAssignmentsRequest { crew: None, resume_token };
    let channel = shared.get_or_try_init(|| endpoint.connect()).await?;
    let mut client = DispatchServiceClient::new(channel.clone());
    Ok(client.watch_assignments(request(body, "crew", &crew_path(crew))?).await?.into_inner())
}

/// Enrols the crews.
async fn enrol(channel: &Channel, crews: usize) -> Outcome<()> {
    let mut enrolling = JoinSet::new();
    for crew in 0..crews {
        let mut client = DispatchServiceClient::new(channel.clone());
        let body = EnrolCrewRequest {
            request_id: Uuid::new_v4().to_string(),
            crew: crew_path(crew),
            home: Some(Position { latitude_e6: 30_250_000, longitude_e6: 120_150_000 }),
            territory: Vec::new(),
            skills: vec![Skill::LowVoltage.into()],
            members: Vec::new(),
            vehicle: None,
        };
        enrolling.spawn(async move {
            let asked = request(body, "desk", "sgcc/zj/hz")?;
            client.enrol_crew(asked).await?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        });
        if enrolling.len() >= ASKING_MAX {
            enrolling.join_next().await.ok_or("nothing to wait for")???;
        }
    }
    while let Some(enrolled) = enrolling.join_next().await {
        enrolled??;
    }
    Ok(())
}

/// Receives and classifies `count` tickets, and returns their ids. They are not dispatched.
pub async fn tickets(
    channel: &Channel,
    count: usize,
    place: impl Fn(usize) -> Option<Position>,
) -> Outcome<Vec<String>> {
    let mut making: JoinSet<Outcome<String>> = JoinSet::new();
    let mut made = Vec::new();
    for number in 0..count {
        let mut client = TicketServiceClient::new(channel.clone());
        let place = place(number).map(|at| Place {
            latitude_e6: Some(at.latitude_e6),
            longitude_e6: Some(at.longitude_e6),
            ..Default::default()
        });
        making.spawn(async move {
            let receive = ReceiveRequest {
                request_id: Uuid::new_v4().to_string(),
                business_type: BusinessType::FaultRepair.into(),
                channel: Intake::Hotline.into(),
                caller: Some(Caller { phone: Some(format!("138{number:08}")), ..Default::default() }),
                content: "no light".into(),
                received_by: Some("sgcc/zj/hz".into()),
                place,
                ..Default::default()
            };
            let answer = client.receive(request(receive, "desk", "sgcc/zj/hz")?).await?.into_inner();
            let ticket = answer.outcome.map(|outcome| outcome.ticket_id).unwrap_or_default();
            let header = Some(header(&ticket));
            let classify = ClassifyRequest {
                header,
                category: "fault/low-voltage/fuse".into(),
                urgency: Urgency::Normal.into(),
                ..Default::default()
            };
            client.classify(request(classify, "desk", "sgcc/zj/hz")?).await?;
            Ok(ticket)
        });
        if making.len() >= ASKING_MAX
            && let Some(one) = making.join_next().await
        {
            made.push(one??);
        }
    }
    while let Some(one) = making.join_next().await {
        made.push(one??);
    }
    Ok(made)
}

pub fn header(ticket: &str) -> CommandHeader {
    CommandHeader { request_id: Uuid::new_v4().to_string(), ticket: ticket.into(), ..Default::default() }
}

/// Dispatches the tickets in an open loop at `rate` a second, ticket number `n` to unit `to(n)`.
pub async fn dispatch(
    channel: &Channel,
    tickets: &[String],
    rate: f64,
    to: impl Fn(usize) -> String,
) -> Outcome<HashMap<String, Told>> {
    let (begun, mut asking) = (Instant::now(), JoinSet::new());
    for (number, ticket) in tickets.iter().enumerate() {
        let due = begun + Duration::from_secs_f64(number as f64 / rate);
        tokio::time::sleep_until(due.into()).await;
        let mut client = TicketServiceClient::new(channel.clone());
        let (ticket, to) = (ticket.clone(), to(number));
        asking.spawn(async move {
            let body = DispatchRequest { header: Some(header(&ticket)), to };
            client.dispatch(request(body, "desk", "sgcc/zj/hz")?).await?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>((ticket, Told { due, answered: Instant::now() }))
        });
    }
    let mut told = HashMap::new();
    while let Some(one) = asking.join_next().await {
        let (ticket, times) = one??;
        told.insert(ticket, times);
    }
    Ok(told)
}

pub fn percentiles(name: &str, latency: &Histogram<u64>) {
    let at = |q| latency.value_at_quantile(q) as f64 / 1e3;
    println!("{name}: p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms (n {})", at(0.5), at(0.99), at(1.0), latency.len());
}

/// Measures streams with a connection each, on a server that holds nothing else. Stops the server.
pub async fn run(server: Server) -> Outcome<()> {
    let crews: usize = setting("CREWS", 10_000);
    let rate: f64 = setting("DISPATCH_RATE", 200.0);
    let seconds: f64 = setting("DISPATCH_SECONDS", 20.0);
    let channel = Endpoint::from_shared(server.endpoint.clone())?.tcp_nodelay(true).connect().await?;
    enrol(&channel, crews).await?;
    let waiting = tickets(&channel, (rate * seconds) as usize, |_| None).await?;
    let meanwhile = tickets(&channel, (rate * AWAY_SECONDS) as usize, |_| None).await?;
    let heard = Arc::new(Heard::default());
    let (streams, took, kib) = weighed(&server, crews, 1, &heard).await?;
    println!(
        "{crews} streams, a connection each, opened at once: live after {took:.1} s; {kib:.1} KiB a stream (aim <= 40)"
    );

    let cpu = server.cpu();
    let to = |number| crew_path(number * 7_919 % crews);
    let told = dispatch(&channel, &waiting, rate, to).await?;
    heard.all(&told).await;
    let busy = server.cpu() - cpu;
    report(&heard, &told, rate);
    println!(
        "server CPU {:.0} ms for {} dispatches ({:.2} ms each)",
        ms(busy),
        told.len(),
        ms(busy) / told.len() as f64
    );

    drop(streams);
    let missed = dispatch(&channel, &meanwhile, rate, to).await?;
    heard.tries.store(0, Ordering::Relaxed);
    let (streams, took) = open(&server.endpoint, crews, 1, &heard).await?;
    heard.all(&missed).await;
    let arrived = heard.tickets();
    let (lost, twice) = told.keys().chain(missed.keys()).fold((0, 0), |(lost, twice), ticket| {
        let times = arrived.get(ticket).map_or(0, |(_, times)| *times);
        (lost + usize::from(times == 0), twice + usize::from(times > 1))
    });
    println!(
        "all {crews} cut off, {} dispatches meanwhile, all back at once with their tokens: {:.1} s until the last is live \
         ({} tries); of {} facts in all {lost} not heard, {twice} heard twice",
        missed.len(),
        took.as_secs_f64(),
        heard.tries.load(Ordering::Relaxed),
        told.len() + missed.len(),
    );
    println!("resident {:.1} MiB (peak {:.1} MiB)", server.memory("VmRSS"), server.memory("VmHWM"));
    drop(streams);
    server.stop()
}

/// Measures the memory of streams that share connections, on a server that holds nothing else. Stops the server.
pub async fn shared(server: Server) -> Outcome<()> {
    let crews: usize = setting("CREWS", 10_000);
    let channel = Endpoint::from_shared(server.endpoint.clone())?.tcp_nodelay(true).connect().await?;
    enrol(&channel, crews).await?;
    let (streams, took, kib) = weighed(&server, crews, SHARED, &Arc::default()).await?;
    println!("{crews} streams, {SHARED} a connection: live after {took:.1} s; {kib:.1} KiB a stream");
    drop(streams);
    server.stop()
}

/// Opens the streams. Returns their tasks, the seconds until all were live, and the KiB of resident memory per stream.
async fn weighed(server: &Server, crews: usize, each: usize, heard: &Arc<Heard>) -> Outcome<(JoinSet<()>, f64, f64)> {
    let before = server.memory("VmRSS");
    let (streams, took) = open(&server.endpoint, crews, each, heard).await?;
    let kib = (server.memory("VmRSS") - before) * 1024.0 / crews as f64;
    Ok((streams, took.as_secs_f64(), kib))
}

fn report(heard: &Heard, told: &HashMap<String, Told>, rate: f64) {
    let arrived = heard.tickets();
    let (mut from_due, mut answer, mut lost) = (histogram(), histogram(), 0);
    for (ticket, Told { due, answered }) in told {
        answer.saturating_record(answered.saturating_duration_since(*due).as_micros() as u64);
        match arrived.get(ticket) {
            Some((at, _)) => from_due.saturating_record(at.saturating_duration_since(*due).as_micros() as u64),
            None => lost += 1,
        }
    }
    println!("{rate} dispatches/s, open loop; {lost} not heard");
    percentiles("from the instant that a dispatch was due to its crew (aim p99 <= 500 ms)", &from_due);
    percentiles("from the same instant to the command's answer", &answer);
}
