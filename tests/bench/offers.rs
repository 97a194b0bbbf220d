//! The latency to the offer on a crew's screen, through a live server. A thousand crews are on shift, and each accepts
//! an offer at once.
//!
//! 1. With idle crews: the latency from a ticket's dispatch to its offer. Each crew reports restoration at once.
//! 2. With nine tickets waiting for each crew: the latency from a crew's report of restoration to its next offer. The
//!    bench gives each crew its turn to report.
//!
//! The load is an open loop: a latency counts from the instant at which the dispatch or report was due. Each ticket
//! makes about nine facts, and the dispatcher folds all of them.
//!
//! `OFFER_CREWS=` is the number of crews, `OFFER_RATE=` the dispatches or reports a second, `OFFER_SECONDS=` the length
//! of each part, and `OFFER_QUEUE=` the number of waiting tickets.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use switchboard_wire::proto::{
    AcceptOfferRequest, CrewHeader, CrewOffer, EnrolCrewRequest, Position, ReportStepsRequest, Skill,
    StartShiftRequest, StepArrived, StepReport, StepRestored, WatchAssignmentsRequest, assignment_change::Change,
    dispatch_service_client::DispatchServiceClient, step_report::Step, watch_assignments_response::Message,
};
use tokio::{sync::mpsc, task::JoinSet};
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

use crate::{
    Outcome,
    server::Server,
    setting,
    stats::histogram,
    streams::{Told, dispatch, header, percentiles, request, tickets},
};

/// The number of crews, each with one stream, on one connection.
const CREWS_PER_CONNECTION: usize = 50;
/// The most crews that enrol and start their shift at the same time.
const BEGINNING_MAX: usize = 128;
/// The longest wait for the last offers of a part.
const PATIENCE: Duration = Duration::from_secs(30);
/// The rate at which the tickets of the queue are dispatched, in tickets a second.
const QUEUED_A_SECOND: f64 = 500.0;
/// The approximate number of facts of a ticket, for the printed rate.
const FACTS: f64 = 9.0;
/// The unit that holds the tickets. All crews are below it.
const UNIT: &str = "sgcc/zj/hz";

/// The observations of all crews.
#[derive(Default)]
struct Seen {
    /// The instant at which a crew first received an offer of the ticket.
    tickets: Mutex<HashMap<String, Instant>>,
    /// The time from each due report to the next offer of the same crew.
    waits: Mutex<Vec<Duration>>,
    /// The number of crews that arrived and wait for their turn to report.
    holding: AtomicUsize,
}

impl Seen {
    fn tickets(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waits(&self) -> MutexGuard<'_, Vec<Duration>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn crew_path(number: usize) -> String {
    format!("{UNIT}/c{}/s{}/crew{number}", number % 10, number % 100)
}

/// Returns a place in a box of about 55 km by 58 km around the city.
fn place(number: usize) -> Position {
    let (north, east) = ((number * 7_919 % 1_000) as i32, (number * 104_729 % 1_000) as i32);
    Position { latitude_e6: 30_000_000 + north * 500, longitude_e6: 119_900_000 + east * 600 }
}

fn now(ahead: Duration) -> prost_types::Timestamp {
    (std::time::SystemTime::now() + ahead).into()
}

struct Crew {
    client: DispatchServiceClient<Channel>,
    path: String,
    seen: Arc<Seen>,
    /// True if the crew reports restoration only at its turn, false if at once.
    hold: Arc<AtomicBool>,
    /// The due instants of the crew's reports.
    turns: mpsc::UnboundedReceiver<Instant>,
    /// The due instant of the report that made the crew free.
    freed: Option<Instant>,
}

impl Crew {
    async fn work(mut self) -> Outcome<()> {
        let body = WatchAssignmentsRequest::default();
        let mut stream = self.client.watch_assignments(request(body, "crew", &self.path)?).await?.into_inner();
        while let Some(message) = stream.message().await? {
            let Some(Message::Change(change)) = message.message else { continue };
            let Some(Change::Offered(offer)) = change.change else { continue };
            let ticket = offer.ticket.as_ref().map(|brief| brief.ticket_id.clone()).unwrap_or_default();
            let now = Instant::now();
            self.seen.tickets().entry(ticket).or_insert(now);
            if let Some(due) = self.freed.take() {
                self.seen.waits().push(now - due);
            }
            self.serve(offer).await?;
        }
        Ok(())
    }

    async fn serve(&mut self, offer: CrewOffer) -> Outcome<()> {
        let ticket = offer.ticket.map(|brief| brief.ticket_id).unwrap_or_default();
        let accept = AcceptOfferRequest { header: Some(header(&ticket)), offer: offer.offer, fence: offer.fence };
        // The offer may have ended in the meantime; this is not an error of the bench.
        if self.client.accept_offer(request(accept, "crew", &self.path)?).await.is_err() {
            return Ok(());
        }
        self.report(&ticket, Step::Arrived(StepArrived::default())).await?;
        if self.hold.load(Ordering::Relaxed) {
            self.seen.holding.fetch_add(1, Ordering::Relaxed);
            self.freed = self.turns.recv().await;
            self.seen.holding.fetch_sub(1, Ordering::Relaxed);
        }
        self.report(&ticket, Step::Restored(StepRestored {})).await
    }

    async fn report(&mut self, ticket: &str, step: Step) -> Outcome<()> {
        let step = StepReport {
            request_id: Uuid::new_v4().to_string(),
            ticket: ticket.to_owned(),
            occurred_at: Some(now(Duration::ZERO)),
            step: Some(step),
        };
        let report =
            ReportStepsRequest { device_time: Some(now(Duration::ZERO)), steps: vec![step], ..Default::default() };
        self.client.report_steps(request(report, "crew", &self.path)?).await?;
        Ok(())
    }
}

/// Enrols a crew and starts its shift of eight hours.
pub async fn begin(mut client: DispatchServiceClient<Channel>, number: usize) -> Outcome<()> {
    let enrol = EnrolCrewRequest {
        request_id: Uuid::new_v4().to_string(),
        crew: crew_path(number),
        home: Some(place(number)),
        territory: vec![UNIT.into()],
        skills: vec![Skill::LowVoltage.into()],
        ..Default::default()
    };
    client.enrol_crew(request(enrol, "desk", UNIT)?).await?;
    let header = CrewHeader { request_id: Uuid::new_v4().to_string(), ..Default::default() };
    let shift = StartShiftRequest {
        header: Some(header),
        until: Some(now(Duration::from_secs(8 * 3_600))),
        ..Default::default()
    };
    client.start_shift(request(shift, "crew", &crew_path(number))?).await?;
    Ok(())
}

/// Runs both parts against `server`, which holds nothing else, and stops it.
pub async fn run(server: Server) -> Outcome<()> {
    let crews: usize = setting("OFFER_CREWS", 1_000);
    let rate: f64 = setting("OFFER_RATE", 60.0);
    let seconds: f64 = setting("OFFER_SECONDS", 15.0);
    let queue: usize = setting("OFFER_QUEUE", 9_000);
    let mut clients = Vec::new();
    let mut beginning = JoinSet::new();
    for number in 0..crews {
        if number % CREWS_PER_CONNECTION == 0 {
            clients.push(DispatchServiceClient::new(connect(&server).await?));
        }
        let client = clients.last().ok_or("no connection")?.clone();
        beginning.spawn(begin(client, number));
        if beginning.len() >= BEGINNING_MAX
            && let Some(begun) = beginning.join_next().await
        {
            begun??;
        }
    }
    while let Some(begun) = beginning.join_next().await {
        begun??;
    }
    let (seen, hold) = (Arc::new(Seen::default()), Arc::new(AtomicBool::new(false)));
    let (mut working, mut turns) = (JoinSet::new(), Vec::new());
    for number in 0..crews {
        let (turn, mine) = mpsc::unbounded_channel();
        turns.push(turn);
        let client = clients[number / CREWS_PER_CONNECTION].clone();
        let (seen, hold) = (Arc::clone(&seen), Arc::clone(&hold));
        working.spawn(Crew { client, path: crew_path(number), seen, hold, turns: mine, freed: None }.work());
    }
    let channel = connect(&server).await?;
    let at = |number| Some(place(number + crews));
    let to_spare = tickets(&channel, (rate * seconds) as usize, at).await?;
    let waiting = tickets(&channel, crews + queue, at).await?;

    let cpu = server.cpu();
    let told = dispatch(&channel, &to_spare, rate, |_| UNIT.to_owned()).await?;
    settled(|| seen.tickets().len() >= told.len()).await;
    let (offered, mut latency) = (seen.tickets().clone(), histogram());
    for (ticket, Told { due, .. }) in &told {
        if let Some(at) = offered.get(ticket) {
            latency.saturating_record(at.saturating_duration_since(*due).as_micros() as u64);
        }
    }
    println!(
        "{crews} crews to spare, {rate} tickets/s (about {:.0} facts/s); {} of {} offered; server CPU {:.1} ms a ticket",
        rate * FACTS,
        latency.len(),
        told.len(),
        crate::ms(server.cpu() - cpu) / told.len() as f64
    );
    percentiles("a ticket's dispatch was due, to the offer on a crew's screen (aim p99 <= 25 ms)", &latency);

    hold.store(true, Ordering::Relaxed);
    dispatch(&channel, &waiting, QUEUED_A_SECOND, |_| UNIT.to_owned()).await?;
    settled(|| seen.holding.load(Ordering::Relaxed) >= crews).await;
    let holding = seen.holding.load(Ordering::Relaxed);
    let (begun, cpu) = (Instant::now(), server.cpu());
    let reports = (rate * seconds) as usize;
    for number in 0..reports {
        let due = begun + Duration::from_secs_f64(number as f64 / rate);
        tokio::time::sleep_until(due.into()).await;
        turns[number % crews].send(due)?;
    }
    settled(|| seen.waits().len() >= reports).await;
    let mut latency = histogram();
    for wait in seen.waits().iter() {
        latency.saturating_record(wait.as_micros() as u64);
    }
    println!(
        "{queue} tickets waiting, {holding} of {crews} crews at work, {rate} of them done a second; {} of {reports} got the \
         next; server CPU {:.1} ms each",
        latency.len(),
        crate::ms(server.cpu() - cpu) / reports as f64
    );
    percentiles("a crew's last report was due, to the next offer on its screen (aim p99 <= 25 ms)", &latency);
    working.shutdown().await;
    server.stop()
}

/// Waits until `so` returns true, at most for `PATIENCE`.
async fn settled(so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() && begun.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn connect(server: &Server) -> Outcome<Channel> {
    Ok(Endpoint::from_shared(server.endpoint.clone())?.tcp_nodelay(true).connect().await?)
}
