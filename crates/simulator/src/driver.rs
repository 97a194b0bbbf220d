//! Plays scripts against a server with bounded concurrency, at a given pace or at full speed. It reports every refusal
//! and retries every transient failure under the same request id. The caller may drop it at any moment: playing the
//! same scripts again completes what is missing and adds nothing else. Absent: threads, storage, and rules about what
//! the server refuses.

mod attempt;
mod report;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{StreamExt as _, stream};
use switchboard_wire::proto::{HistoryRequest, ListRequest, ReportRequest, WithdrawRequest};
use tokio::time::Instant;
use tonic::transport::{Channel, Endpoint};

pub(crate) use self::attempt::{Failure, Speaker, address};
use self::report::Played;
pub use self::report::{Ended, PROBLEMS_MAX, Problem, Progress, Report};
use crate::{
    Timestamp,
    request::{Answer, Line, Request},
    rows::RowProblem,
    script::{Awaited, Script, Step},
};

/// Scripts in flight on one connection. A server admits 100 streams per connection.
const SCRIPTS_PER_CONNECTION: usize = 64;
/// The most connections of one driver.
pub const CONNECTIONS_MAX: usize = 8;
/// The most scripts in flight.
pub const IN_FLIGHT_MAX: usize = 65_536;

/// The settings of a driver.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Scripts in flight, 1 to [`IN_FLIGHT_MAX`]. In a paced run a script is in flight as long as its ticket was open,
    /// scaled by the pace; see [`Options::paced`].
    pub in_flight: usize,
    /// The speed as a multiple of the recorded speed; `None` plays at full speed.
    pub pace: Option<f64>,
    /// The deadline of one call.
    pub deadline: Duration,
    /// The most attempts of one call, including the first; only transient failures are retried.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles from one attempt to the next.
    pub backoff: Duration,
    /// The longest wait between two attempts.
    pub backoff_max: Duration,
    /// The longest time that a step waits for the facts that it depends on.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            in_flight: 64,
            pace: None,
            deadline: Duration::from_secs(5),
            attempts: 8,
            backoff: Duration::from_millis(50),
            backoff_max: Duration::from_secs(2),
            patience: Duration::from_secs(20),
        }
    }
}

impl Options {
    /// Returns options for `times` the recorded speed, with enough scripts in flight for tickets that were open at the
    /// same time.
    #[must_use]
    pub fn paced(times: f64) -> Self {
        Self { pace: Some(times), in_flight: 8192, ..Self::default() }
    }
}

/// Plays scripts over a few shared connections.
#[derive(Clone, Debug)]
pub struct Driver {
    /// The connections; never empty.
    lines: Vec<Line>,
    options: Options,
}

impl Driver {
    /// Creates a driver for the server at `endpoint`, such as `http://127.0.0.1:9595`. It connects at the first call,
    /// and reconnects whenever the connection is lost.
    ///
    /// # Errors
    /// When `endpoint` is not a valid address.
    pub fn to(endpoint: &str, options: Options) -> Result<Self, tonic::transport::Error> {
        let connections = options.in_flight.div_ceil(SCRIPTS_PER_CONNECTION).clamp(1, CONNECTIONS_MAX);
        Ok(Self { lines: lines(endpoint, connections, options.deadline)?, options })
    }

    /// Creates a driver over an existing connection.
    #[must_use]
    pub fn over(channel: Channel, options: Options) -> Self {
        Self { lines: vec![Line::new(channel)], options }
    }

    /// Plays `scripts` in their order, and the steps of each script one after the other. A row that is not a script
    /// counts as skipped. It calls `progress` after every script.
    pub async fn play<I>(&self, scripts: I, mut progress: impl FnMut(&Progress)) -> Report
    where
        I: IntoIterator<Item = Result<Script, RowProblem>>,
    {
        let begun = Instant::now();
        let turns = Turns::default();
        let (mut pace, mut next): (Option<Pace>, usize) = (None, 0);
        let plays = scripts.into_iter().map(|script| {
            let script = script?;
            if let (None, Some(times), Some(begins)) = (pace, self.options.pace, script.begins()) {
                pace = Some(Pace { begun, begins, times });
            }
            next = (next + 1) % self.lines.len();
            let speaker = Speaker { options: self.options.clone(), line: self.lines[next].clone() };
            let performer = Performer { speaker, pace };
            Ok((turns.of(&script.key), performer, script))
        });
        let mut played = stream::iter(plays).map(one).buffer_unordered(self.options.in_flight.clamp(1, IN_FLIGHT_MAX));
        let (mut report, mut latest) = (Report::default(), None);
        while let Some(one) = played.next().await {
            latest = latest.max(one.ends);
            if let Some(key) = &one.key {
                turns.over(key);
            }
            report.add(one);
            progress(&report.progress(latest));
            if report.ended.is_some() {
                break;
            }
        }
        report.seconds = begun.elapsed().as_secs_f64();
        report
    }
}

/// Creates `count` lazy connections; each connects at its first call.
pub(crate) fn lines(endpoint: &str, count: usize, patience: Duration) -> Result<Vec<Line>, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(endpoint.to_owned())?.connect_timeout(patience).tcp_nodelay(true);
    Ok((0..count).map(|_| Line::new(endpoint.connect_lazy())).collect())
}

/// Plays one script when its turn comes; a bad row is reported as skipped.
async fn one(play: Result<(Turn, Performer, Script), RowProblem>) -> Played {
    match play {
        Ok((turn, performer, script)) => {
            let _mine = turn.lock_owned().await;
            performer.play(script).await
        }
        Err(problem) => Played::skipped(problem),
    }
}

/// A lock per key: scripts with the same key run one after the other. A row that occurs twice is imported once and
/// found present the second time.
#[derive(Debug, Default)]
struct Turns(Mutex<HashMap<String, Turn>>);

type Turn = Arc<tokio::sync::Mutex<()>>;

impl Turns {
    fn of(&self, key: &str) -> Turn {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(key.to_owned()).or_default())
    }

    /// Removes the key's lock when no other script waits for it, so that the map holds only keys in flight.
    fn over(&self, key: &str) {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.get(key).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            turns.remove(key);
        }
    }
}

/// The mapping from script time to wall-clock time of a paced run.
#[derive(Clone, Copy, Debug)]
struct Pace {
    begun: Instant,
    begins: Timestamp,
    times: f64,
}

impl Pace {
    async fn until(&self, at: Timestamp) {
        let seconds = (at - self.begins).as_seconds_f64() / self.times;
        if let Ok(wait) = Duration::try_from_secs_f64(seconds) {
            tokio::time::sleep_until(self.begun + wait).await;
        }
    }
}

/// The state for playing one script.
#[derive(Debug)]
struct Performer {
    speaker: Speaker,
    pace: Option<Pace>,
}

impl Performer {
    async fn play(self, script: Script) -> Played {
        let mut played = Played::begin(&script);
        let mut tickets: Vec<Option<Answer>> = vec![None; script.tickets()];
        for step in script.steps {
            if let Some(pace) = &self.pace {
                pace.until(step.at).await;
            }
            let name = step.name.clone();
            match self.take(step, &mut tickets).await {
                Ok(answers) => answers.iter().for_each(|answer| played.accepted(answer)),
                Err(failure) => {
                    played.refused(name, failure);
                    break;
                }
            }
        }
        played
    }

    /// Sends one step. If a report opens a new ticket instead of attaching to the known one, the new ticket is
    /// withdrawn at once. If a report attaches to another ticket of the caller, that ticket stays as it is, because the
    /// script did not open it.
    async fn take(&self, step: Step, tickets: &mut [Option<Answer>]) -> Result<Vec<Answer>, Failure> {
        if let Some(awaited) = step.after {
            self.facts(awaited, &step, tickets).await?;
        }
        let Step { at, actor, slot, other, mut request, .. } = step;
        let known = tickets.get(slot.0).cloned().flatten();
        fill(&mut request, known.as_ref(), other.and_then(|other| tickets.get(other.0)?.as_ref()));
        if let (Request::Report(_), Some(known)) = (&request, &known) {
            self.barrier(known.position, &actor).await?;
        }
        let answer = self.speaker.send(&actor, request.clone()).await?;
        if let (Request::Report(report), Some(known)) = (&request, &known)
            && answer.ticket != known.ticket
        {
            if answer.attached {
                return Ok(vec![answer]);
            }
            tracing::debug!(stray = %answer.ticket, ticket = %known.ticket, "a report did not attach");
            let withdrawn = self.speaker.send(&actor, withdrawal(report, &answer, known, at)).await?;
            return Ok(vec![answer, withdrawn]);
        }
        if let Some(ticket) = tickets.get_mut(slot.0) {
            *ticket = Some(answer.clone());
        }
        Ok(vec![answer])
    }

    /// Waits until the lists include the ticket, because a report attaches to what the lists show.
    async fn barrier(&self, position: u64, actor: &crate::script::Actor) -> Result<(), Failure> {
        let ask = ListRequest { page_size: 1, min_position: Some(position), ..ListRequest::default() };
        let listed = self.speaker.ask(actor, ask, |mut line, request| async move { line.tickets.list(request).await });
        listed.await.map(drop)
    }

    /// Waits until the facts that the engine adds are on record.
    async fn facts(&self, awaited: Awaited, step: &Step, tickets: &[Option<Answer>]) -> Result<(), Failure> {
        let Some(ticket) = tickets.get(awaited.slot.0).and_then(Option::as_ref) else { return Ok(()) };
        let begun = Instant::now();
        let mut wait = Duration::from_millis(2);
        loop {
            let ask = HistoryRequest { ticket: ticket.ticket.clone(), ..HistoryRequest::default() };
            let read = self
                .speaker
                .ask(&step.actor, ask, |mut line, request| async move { line.tickets.history(request).await });
            if read.await?.facts.iter().filter(|fact| fact.kind == awaited.kind).count() >= awaited.count {
                return Ok(());
            }
            if begun.elapsed() > self.speaker.options.patience {
                return Err(Failure::waited(awaited.kind, self.speaker.options.patience));
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(self.speaker.options.backoff_max);
        }
    }
}

/// Fills in the ticket ids, which only the server knows.
fn fill(request: &mut Request, ticket: Option<&Answer>, other: Option<&Answer>) {
    let id = |answer: Option<&Answer>| answer.map(|answer| answer.ticket.clone()).unwrap_or_default();
    match request {
        Request::Merge(merge) => merge.master = id(other),
        Request::Receive(receive) if other.is_some() => receive.linked_ticket = Some(id(other)),
        _ => {}
    }
    if let Some(header) = request.header_mut() {
        header.ticket = id(ticket);
    }
}

/// Builds the withdrawal of a ticket that a report opened although the caller had an open one. Its request id derives
/// from the report's.
fn withdrawal(report: &ReportRequest, stray: &Answer, known: &Answer, at: Timestamp) -> Request {
    let asked = report.receive.as_ref().map(|receive| receive.request_id.as_bytes()).unwrap_or_default();
    let mut request = Request::Withdraw(WithdrawRequest {
        header: None,
        reason: format!("The caller has ticket {} open for the same trouble.", known.ticket),
    });
    if let Some(header) = request.header_mut() {
        header.request_id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, asked).to_string();
        header.ticket.clone_from(&stray.ticket);
        header.occurred_at = Some(crate::script::stamp(at));
    }
    request
}
