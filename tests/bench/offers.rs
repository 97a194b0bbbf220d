//! From the dispatch of a ticket to an offer on its crew's screen, through a live server: a thousand crews on shift who accept at once,
//! report power back at once, and are free again. Open loop. Each ticket makes some nine facts, all of which the dispatcher hears.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use switchboard_wire::proto::{
    AcceptOfferRequest, CrewHeader, CrewOffer, EnrolCrewRequest, Position, ReportStepsRequest, Skill,
    StartShiftRequest, StepArrived, StepReport, StepRestored, WatchAssignmentsRequest, assignment_change::Change,
    dispatch_service_client::DispatchServiceClient, step_report::Step, watch_assignments_response::Message,
};
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

use crate::{
    Outcome,
    server::Server,
    setting,
    stats::histogram,
    streams::{dispatch, header, percentiles, request, tickets},
};

/// Streams on one connection.
const CREWS_PER_CONNECTION: usize = 50;
/// Crews that are put on the roster at once.
const BEGINNING_MAX: usize = 128;
/// How long the last offers may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// The unit that holds the tickets, and within it all crews.
const UNIT: &str = "sgcc/zj/hz";

type Offered = Arc<Mutex<HashMap<String, Instant>>>;

fn crew_path(number: usize) -> String {
    format!("{UNIT}/c{}/s{}/crew{number}", number % 10, number % 100)
}

/// A place in a box of about 60 km around the city.
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
    offered: Offered,
}

impl Crew {
    async fn work(mut self) -> Outcome<()> {
        let body = WatchAssignmentsRequest::default();
        let mut stream = self.client.watch_assignments(request(body, "crew", &self.path)?).await?.into_inner();
        while let Some(message) = stream.message().await? {
            let Some(Message::Change(change)) = message.message else { continue };
            let Some(Change::Offered(offer)) = change.change else { continue };
            let ticket = offer.ticket.as_ref().map(|brief| brief.ticket_id.clone()).unwrap_or_default();
            self.offered.lock().unwrap_or_else(PoisonError::into_inner).entry(ticket).or_insert_with(Instant::now);
            self.serve(offer).await?;
        }
        Ok(())
    }

    async fn serve(&mut self, offer: CrewOffer) -> Outcome<()> {
        let ticket = offer.ticket.map(|brief| brief.ticket_id).unwrap_or_default();
        let accept = AcceptOfferRequest { header: Some(header(&ticket)), offer: offer.offer, fence: offer.fence };
        // Offers that ended in the meantime are no fault of the bench.
        if self.client.accept_offer(request(accept, "crew", &self.path)?).await.is_err() {
            return Ok(());
        }
        let step = |step| StepReport {
            request_id: Uuid::new_v4().to_string(),
            ticket: ticket.clone(),
            occurred_at: Some(now(Duration::ZERO)),
            step: Some(step),
        };
        let steps = vec![step(Step::Arrived(StepArrived::default())), step(Step::Restored(StepRestored {}))];
        let report = ReportStepsRequest { device_time: Some(now(Duration::ZERO)), steps, ..Default::default() };
        self.client.report_steps(request(report, "crew", &self.path)?).await?;
        Ok(())
    }
}

/// A crew on the roster and on shift.
async fn begin(mut client: DispatchServiceClient<Channel>, number: usize) -> Outcome<()> {
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

/// The whole of it, against a server of its own.
pub async fn run(server: Server) -> Outcome<()> {
    let crews: usize = setting("OFFER_CREWS", 1_000);
    let rate: f64 = setting("OFFER_RATE", 60.0);
    let seconds: f64 = setting("OFFER_SECONDS", 15.0);
    let offered = Offered::default();
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
    let mut working = JoinSet::new();
    for number in 0..crews {
        let client = clients[number / CREWS_PER_CONNECTION].clone();
        working.spawn(Crew { client, path: crew_path(number), offered: Arc::clone(&offered) }.work());
    }
    let channel = connect(&server).await?;
    let waiting = tickets(&channel, (rate * seconds) as usize, |number| Some(place(number + crews))).await?;
    let cpu = server.cpu();
    let told = dispatch(&channel, &waiting, rate, |_| UNIT.to_owned()).await?;
    let settle = Instant::now();
    while offered.lock().unwrap_or_else(PoisonError::into_inner).len() < told.len() && settle.elapsed() < PATIENCE {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let offered = offered.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut latency = histogram();
    for (ticket, (_, durable)) in &told {
        if let Some(at) = offered.get(ticket) {
            latency.saturating_record(at.saturating_duration_since(*durable).as_micros() as u64);
        }
    }
    println!(
        "{crews} crews, {rate} tickets/s (about {:.0} facts/s); {} of {} offered; server CPU {:.1} ms a ticket",
        rate * 9.0,
        latency.len(),
        told.len(),
        crate::ms(server.cpu() - cpu) / told.len() as f64
    );
    percentiles("dispatch acknowledged to offer on the crew's screen (aim: durable offer p99 <= 25 ms)", &latency);
    working.shutdown().await;
    server.stop()
}

async fn connect(server: &Server) -> Outcome<Channel> {
    Ok(Endpoint::from_shared(server.endpoint.clone())?.tcp_nodelay(true).connect().await?)
}
