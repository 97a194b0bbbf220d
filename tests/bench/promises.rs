//! Promises: a million live clocks in the watch's memory, a simulated day of them, a back-test of closed tickets, and
//! the delay from due to the recorded breach through a server. The first three run in this process on one core. Only
//! the last uses a server.
//!
//! `CLOCKS=` is the number of live clocks. `TICKETS=` and `PASSES=` are the number of tickets of the back-test and how
//! often it reads them. `DUE_RATE=` and `DUE_SECONDS=` are the tickets a second and the duration of the last part.

use std::{
    ops::ControlFlow,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use switchboard_domain::{
    Timestamp,
    decider::{Process, Projection},
    fact::Fact,
    sla::{
        calendar::Year,
        clock_history::ClockHistory,
        judge::judge,
        policy::Policy,
        publication::{PolicyEvent, PolicyPublished, YearPublished},
        watch::Watch,
    },
    ticket::{self, BusinessType, Category, Grade, ReplyOutcome, Urgency, event},
};
use switchboard_readmodel::ClockHistories;
use switchboard_views::comparison::{self, Comparison};
use switchboard_wire::{calendar_file, policy_file, proto};
use uuid::Uuid;

use crate::{
    Outcome,
    log::{Log, org, received, ticket_id},
    setting,
};

/// The shipped policy, for all parts but the delay.
const POLICY: &str = include_str!("../../deploy/policies/sgcc.toml");
/// Tickets arrive evenly over this number of days, so that about a tenth of the live clocks comes due in one day.
const DAYS: u64 = 10;

/// The facts of the promise benches.
impl Log {
    /// Publishes the shipped policy and calendars.
    fn publications(&mut self, at: Timestamp) -> Outcome<Vec<Fact>> {
        let told = |faults: Vec<switchboard_wire::faults::Fault>| format!("{faults:?}");
        let policy = policy_file::read("sgcc.toml", POLICY).map_err(told)?;
        let published = PolicyEvent::Published(Box::new(PolicyPublished { policy: policy.clone() }));
        let mut facts = vec![Fact::Policy(self.record(policy.operator, 0, published, at))];
        for (revision, text) in (0..).zip(years()?) {
            let (name, year): (String, Year) = calendar_file::read("year.toml", &text).map_err(told)?;
            facts.push(Fact::Year(self.record(name, revision, YearPublished { year }, at)));
        }
        Ok(facts)
    }

    /// Returns the facts of a complaint: received, classified and dispatched. If `whole`, then all facts up to its
    /// closing.
    fn complaint(&mut self, number: u64, at: Timestamp, whole: bool) -> Outcome<Vec<Fact>> {
        let id = ticket_id(number);
        let (nation, province) = (org("sgcc")?, org(&format!("sgcc/p{}", number % 27))?);
        let (city, county) =
            (org(&format!("{province}/c{}", number % 11))?, org(&format!("{province}/c{}/x", number % 11))?);
        let category = Category::parse("complaint/service/attitude").map_err(|error| error.to_string())?;
        let minutes = |count: u64| at + chrono::TimeDelta::minutes(count.cast_signed());
        let spread = number % 97;
        let received = received(number, BusinessType::Complaint, nation.clone());
        let classified = event::Classified {
            business: BusinessType::Complaint,
            category: category.clone(),
            urgency: Urgency::Normal,
            grade: Some(Grade::General),
        };
        let mut steps: Vec<(u64, ticket::Event)> = vec![
            (0, received.into()),
            (3, classified.into()),
            (9, event::Dispatched { from: nation, to: province.clone() }.into()),
        ];
        if whole {
            let replied = event::Replied {
                by: county.clone(),
                outcome: ReplyOutcome::Resolved,
                facts: "x".into(),
                cause: "x".into(),
                measures: "x".into(),
                customer_view: None,
                category: category.clone(),
                ownership: None,
                substantiated: Some(true),
            };
            let revisited = event::Revisited {
                method: ticket::RevisitMethod::Call,
                outcome: ticket::Satisfaction::Satisfied,
                reasons: Vec::new(),
                comment: None,
            };
            let passed = event::ReplyPassed { by: province.clone(), last: true, category: Some(category) };
            let end = 1_440 + spread * 90;
            steps.extend([
                (40 + spread, event::Accepted { by: province.clone() }.into()),
                (60 + spread, event::Dispatched { from: province, to: city.clone() }.into()),
                (90 + spread, event::Accepted { by: city.clone() }.into()),
                (120 + spread, event::Dispatched { from: city, to: county.clone() }.into()),
                (150 + spread, event::Accepted { by: county }.into()),
                (200 + spread * 20, event::Contacted { outcome: ticket::ContactOutcome::Reached, note: None }.into()),
                (end, replied.into()),
                (end + 300, passed.into()),
                (end + 900, revisited.into()),
                (end + 960, event::Closed { explanation: None }.into()),
            ]);
        }
        let facts = (0..).zip(steps);
        Ok(facts
            .map(|(revision, (after, event))| Fact::Ticket(self.record(id, revision, event, minutes(after))))
            .collect())
    }
}

/// Returns the texts of the shipped calendar files, by year.
fn years() -> Outcome<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/calendars/cn");
    let mut files: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    files.sort_by_key(std::fs::DirEntry::path);
    Ok(files.into_iter().map(|file| std::fs::read_to_string(file.path())).collect::<Result<_, _>>()?)
}

fn instant(text: &str) -> Outcome<Timestamp> {
    Ok(chrono::DateTime::parse_from_rfc3339(text)?.to_utc())
}

/// Returns the resident memory of this process in bytes.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib = status.lines().find_map(|l| l.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) * 1024.0
}

/// Measures a watch with `CLOCKS` live clocks: its memory, the folding of a fact, and one simulated day.
pub fn clocks() -> Outcome<()> {
    let wanted: u64 = setting("CLOCKS", 1_000_000);
    let mut log = Log::new()?;
    let start = instant("2024-04-08T00:00:00+08:00")?;
    let published = log.publications(start)?;
    let mut watch = Watch::default();
    published.iter().for_each(|fact| watch.apply(fact));
    let sample = log.complaint(u64::MAX, start, false)?;
    let live_each = live(&sample, &watch, start);
    let tickets = wanted.div_ceil(live_each);
    let (before, begun) = (resident(), Instant::now());
    for number in 0..tickets {
        let after = DAYS * 86_400_000 * number / tickets;
        for fact in log.complaint(number, start + chrono::TimeDelta::milliseconds(after.cast_signed()), false)? {
            watch.apply(&fact);
        }
    }
    let (clocks, took) = ((tickets * live_each) as f64, begun.elapsed());
    println!(
        "{clocks} live clocks of {tickets} tickets: {:.0} bytes a clock, {:.1} us a fact folded and judged",
        (resident() - before) / clocks,
        took.as_secs_f64() * 1e6 / (tickets * 3) as f64
    );
    let now = start + chrono::TimeDelta::days(DAYS.cast_signed());
    let (said, took) = live_through(&mut watch, &mut log, now);
    println!("caught up with {said} announcements in {:.2} s: {:.1} us each", took.as_secs_f64(), us(took, said));
    let until = now + chrono::TimeDelta::days(1);
    let mut woken = 0_u64;
    let (mut said, begun) = (0, Instant::now());
    while let Some(at) = watch.wake().filter(|at| *at <= until) {
        woken += 1;
        said += live_through(&mut watch, &mut log, at).0;
    }
    let took = begun.elapsed();
    println!(
        "one day on: {woken} wake-ups, {said} announcements, {:.2} s in all: {:.1} us each",
        took.as_secs_f64(),
        us(took, said)
    );
    Ok(())
}

/// Returns the microseconds per item.
fn us(took: Duration, count: u64) -> f64 {
    took.as_secs_f64() * 1e6 / count.max(1) as f64
}

/// Returns the number of live clocks of a ticket after these facts; at least 1.
fn live(facts: &[Fact], watch: &Watch, now: Timestamp) -> u64 {
    let mut clock_history: Option<ClockHistory> = None;
    for fact in facts.iter().filter_map(Fact::ticket) {
        clock_history.get_or_insert_with(|| ClockHistory::new(fact.id)).take(fact);
    }
    let clocks = clock_history.map(|clock_history| judge(&clock_history, watch.registry(), now)).unwrap_or_default();
    clocks.iter().filter(|clock| clock.run.end.is_none()).count().max(1) as u64
}

/// Makes every announcement that is due by `now`. As in the engine, the watch folds each recorded announcement. Returns
/// their number and the time taken.
fn live_through(watch: &mut Watch, log: &mut Log, now: Timestamp) -> (u64, Duration) {
    let (mut said, begun) = (0, Instant::now());
    loop {
        let wants = watch.pending(now, 1_024);
        if wants.is_empty() {
            return (said, begun.elapsed());
        }
        for want in wants {
            for event in want.intent.publish.events {
                said += 1;
                watch.apply(&Fact::Promise(log.record(want.intent.ticket, 0, event, now)));
            }
        }
    }
}

/// Measures a back-test: reads `TICKETS` closed tickets from the clock histories' file, `PASSES` times, and judges each
/// under two policies.
pub fn backtest(folder: &Path) -> Outcome<()> {
    let (tickets, passes): (u64, u64) = (setting("TICKETS", 200_000), setting("PASSES", 5));
    let mut log = Log::new()?;
    let start = instant("2024-04-08T00:00:00+08:00")?;
    std::fs::create_dir_all(folder)?;
    let clock_histories = ClockHistories::open(folder)?;
    let mut facts: Vec<Arc<Fact>> = log.publications(start)?.into_iter().map(Arc::new).collect();
    let begun = Instant::now();
    for number in 0..tickets {
        let at = start + chrono::TimeDelta::seconds((number * 40).cast_signed());
        facts.extend(log.complaint(number, at, true)?.into_iter().map(Arc::new));
        if facts.len() >= 10_000 || number + 1 == tickets {
            clock_histories.apply(&facts, log.position)?;
            facts.clear();
        }
    }
    println!("{tickets} whole tickets, {} facts, written in {:.1} s", log.position, begun.elapsed().as_secs_f64());
    let registry = clock_histories.registry();
    let (from, to) = (start - chrono::TimeDelta::days(1), start + chrono::TimeDelta::days(3_650));
    let begun = Instant::now();
    let mut read = 0_u64;
    clock_histories.received(from, to, &mut |_| {
        read += 1;
        ControlFlow::Continue(())
    })?;
    let reading = begun.elapsed();
    let newest = registry.newest().ok_or("nothing is published")?;
    let mut stricter: Policy = newest.versions("sgcc").last().ok_or("no policy")?.policy.clone();
    for rule in &mut stricter.rules {
        if let switchboard_domain::sla::policy::Limit::WorkingDays { days } = &mut rule.limit {
            *days = days.saturating_sub(1).max(1);
        }
    }
    let other = comparison::under(newest, stricter);
    let now = start + chrono::TimeDelta::days(4_000);
    let (mut compared, begun) = (Comparison::default(), Instant::now());
    for _ in 0..passes {
        clock_histories.received(from, to, &mut |clock_history| {
            let (was, would_be) = (judge(&clock_history, &registry, now), judge(&clock_history, &other, now));
            compared.add(&was, &comparison::flips(&clock_history, &was, &would_be));
            ControlFlow::Continue(())
        })?;
    }
    let took = begun.elapsed();
    println!(
        "back-test: {} tickets, {} clocks, {} flips in {:.1} s on one core: {:.1} s a million, of which reading {:.1} s",
        compared.tickets(),
        compared.clocks(),
        compared.flips(),
        took.as_secs_f64(),
        us(took, compared.tickets()),
        us(reading, read)
    );
    Ok(())
}

/// A policy whose only clock is breached five seconds after the ticket was received.
const HASTY: &str = r#"
operator = "bench"
effective_from = 2020-01-01T00:00:00+08:00
calendar = "cn"
source = "for measuring"
[[clock]]
id = "B1"
clock = "answer"
title = { zh = "测量", en = "Measured" }
source = "for measuring"
when = { business = ["fault_repair"] }
limit = "5s"
start = ["received"]
stop = ["replied"]
"#;

fn call<T>(body: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(body);
    for (name, value) in [("x-actor-id", "bench"), ("x-actor-role", "operator"), ("x-actor-org", "bench")] {
        request.metadata_mut().insert(name, tonic::metadata::MetadataValue::from_static(value));
    }
    request
}

async fn publish(endpoint: &str, text: &str) -> Outcome<()> {
    let mut admin = proto::admin_service_client::AdminServiceClient::connect(endpoint.to_owned()).await?;
    let request_id = Uuid::new_v4().to_string();
    let policy = proto::PublishPolicyRequest { request_id, text: text.into(), ..Default::default() };
    admin.publish_policy(call(policy)).await?;
    Ok(())
}

/// Publishes the shipped policy, so that the tickets of the other benches have clocks.
pub async fn publish_shipped(endpoint: &str) -> Outcome<()> {
    publish(endpoint, POLICY).await
}

/// Measures the delay from due to the recorded breach. Tickets arrive in an open loop; the promise of each is
/// breached.
pub async fn delay(endpoint: &str) -> Outcome<()> {
    let (rate, seconds): (u64, u64) = (setting("DUE_RATE", 400), setting("DUE_SECONDS", 15));
    publish(endpoint, HASTY).await?;
    let channel = tonic::transport::Endpoint::from_shared(endpoint.to_owned())?.connect().await?;
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..seconds * 100 {
        ticks.tick().await;
        for _ in 0..rate / 100 {
            let mut client = proto::ticket_service_client::TicketServiceClient::new(channel.clone());
            let body = proto::ReceiveRequest {
                request_id: Uuid::new_v4().to_string(),
                business_type: proto::BusinessType::FaultRepair.into(),
                channel: proto::Channel::Proactive.into(),
                content: "no light".into(),
                ..Default::default()
            };
            callers.spawn(async move { client.receive(call(body)).await.map(|_| ()) });
        }
    }
    let mut sent = 0_usize;
    while let Some(done) = callers.join_next().await {
        done??;
        sent += 1;
    }
    tokio::time::sleep(Duration::from_secs(8)).await;
    let mut audit = proto::audit_service_client::AuditServiceClient::new(channel);
    let filter = proto::FactFilter { kinds: vec!["promise.breached.v1".into()], ..Default::default() };
    let (mut delays, mut after) = (Vec::new(), 0);
    loop {
        let ask = proto::ReadLogRequest { after_position: after, filter: Some(filter.clone()), page_size: 1_000 };
        let page = audit.read_log(call(ask)).await?.into_inner();
        for fact in &page.facts {
            let said: serde_json::Value = serde_json::from_slice(&fact.data)?;
            let due = instant(said["due"].as_str().ok_or("a breach without due")?)?;
            let recorded = fact.recorded_at.and_then(|at| switchboard_wire::answer::instant(&at)).ok_or("no time")?;
            delays.push((recorded - due).as_seconds_f64() * 1e3);
        }
        after = page.next_after_position;
        if page.end {
            break;
        }
    }
    delays.sort_by(f64::total_cmp);
    let at =
        |part: f64| delays.get((part * delays.len().saturating_sub(1) as f64) as usize).copied().unwrap_or(f64::NAN);
    println!(
        "{sent} tickets at {rate}/s, {} breaches recorded: after due p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms (aim p99 < 1000)",
        delays.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
    Ok(())
}
