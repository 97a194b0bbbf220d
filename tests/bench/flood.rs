//! Callers on the line while pages of the list flood the server: how long a report waits, and how often a caller who
//! reports again gets a second ticket.
//!
//! `FLOOD_TICKETS=` is the number of tickets, `FLOOD_LISTS=` the number of clients that ask for lists without a pause,
//! `FLOOD_SECONDS=` the length of each part, `AGAINST=` another binary.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use switchboard_wire::proto::{
    BusinessType, Caller, Channel as Intake, ListRequest, ReceiveRequest, ReportRequest,
    intake_service_client::IntakeServiceClient, ticket_service_client::TicketServiceClient,
};
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

use crate::{Outcome, engine::Contender, setting, stats::histogram, streams::request};

/// A filter that nearly every ticket matches, and an order that needs them all.
const FILTER: &str = "number != \"1\" AND external != \"a:b\"";
/// How many callers wait at once.
const CALLERS: u64 = 8;

/// The reports of one part.
#[derive(Default)]
struct Reports {
    refused: u64,
    pairs: u64,
    second_tickets: u64,
}

pub async fn run(folder: &Path) -> Outcome<()> {
    let tickets: u64 = setting("FLOOD_TICKETS", 60_000);
    let lists: usize = setting("FLOOD_LISTS", 400);
    let time = Duration::from_secs(setting("FLOOD_SECONDS", 10));
    println!("\n# Reports of callers while {lists} clients ask for lists of {tickets} tickets, {time:?} each");
    println!(
        "{:>8} {:>7} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>14}",
        "", "lists", "reports", "p50 ms", "p99 ms", "max ms", "refused", "lists/s", "second tickets"
    );
    for contender in Contender::all(folder).await? {
        contender.load.fill(64, tickets).await?;
        for flooding in [0, lists] {
            let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
            let mut flood = JoinSet::new();
            for _ in 0..flooding {
                let channel = connection(&contender)?;
                flood.spawn(ask_for_lists(channel, Arc::clone(&stop), Arc::clone(&answered)));
            }
            let (reports, latency) = report(&contender, time).await?;
            stop.store(true, Ordering::Relaxed);
            flood.abort_all();
            let ms = |quantile| latency.value_at_quantile(quantile) as f64 / 1e3;
            println!(
                "{:>8} {flooding:>7} {:>8} {:>8.1} {:>8.1} {:>8.1} {:>8} {:>8.0} {:>14}",
                contender.name,
                latency.len(),
                ms(0.5),
                ms(0.99),
                ms(1.0),
                reports.refused,
                answered.load(Ordering::Relaxed) as f64 / time.as_secs_f64(),
                format!("{} of {}", reports.second_tickets, reports.pairs)
            );
        }
        contender.server.stop()?;
    }
    Ok(())
}

/// A connection for one client, made with its first call.
fn connection(contender: &Contender) -> Outcome<Channel> {
    Ok(Endpoint::from_shared(contender.server.endpoint.clone())?.tcp_nodelay(true).connect_lazy())
}

/// Asks for one page after another. A refusal is an answer.
async fn ask_for_lists(channel: Channel, stop: Arc<AtomicBool>, answered: Arc<AtomicU64>) {
    let mut client = TicketServiceClient::new(channel);
    while !stop.load(Ordering::Relaxed) {
        let body = ListRequest { filter: FILTER.into(), order_by: "updated_at".into(), ..Default::default() };
        let Ok(body) = request(body, "desk", "sgcc") else { return };
        if client.list(body).await.is_ok() {
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Callers who report, and report again when the first report was answered.
async fn report(contender: &Contender, time: Duration) -> Outcome<(Reports, Histogram<u64>)> {
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let channel = connection(contender)?;
        callers.spawn(async move {
            let (mut reports, mut latency) = (Reports::default(), histogram());
            let mut client = IntakeServiceClient::new(channel);
            let mut serial = Uuid::new_v4().as_u64_pair().0 % 10_000_000;
            while begun.elapsed() < time {
                serial += 1;
                let mut first = None;
                for _ in 0..2 {
                    let asked = Instant::now();
                    let answer = client.report(request(one(caller, serial), "ivr", "sgcc")?).await;
                    latency.saturating_record(asked.elapsed().as_micros() as u64);
                    match (answer.map(tonic::Response::into_inner), first.is_some()) {
                        (Err(_), _) => reports.refused += 1,
                        (Ok(answer), false) => first = Some(answer),
                        (Ok(answer), true) => {
                            reports.pairs += 1;
                            reports.second_tickets += u64::from(!answer.attached);
                        }
                    }
                }
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>((reports, latency))
        });
    }
    let (mut all, mut latency) = (Reports::default(), histogram());
    while let Some(ended) = callers.join_next().await {
        let (reports, times) = ended??;
        all.refused += reports.refused;
        all.pairs += reports.pairs;
        all.second_tickets += reports.second_tickets;
        latency.add(&times)?;
    }
    Ok((all, latency))
}

fn one(caller: u64, serial: u64) -> ReportRequest {
    let caller = Caller { phone: Some(format!("13{caller}{serial:08}")), ..Default::default() };
    let receive = ReceiveRequest {
        request_id: Uuid::new_v4().to_string(),
        business_type: BusinessType::FaultRepair.into(),
        channel: Intake::Ivr.into(),
        caller: Some(caller),
        content: "a wire is down".into(),
        ..Default::default()
    };
    ReportRequest { receive: Some(receive) }
}
