//! Plays scripts against a server: so many at a time, at a pace or as fast as it goes, every refusal reported and every
//! failure retried under the same request id. It may be dropped at any moment: playing the same scripts again completes
//! what is missing and adds nothing else. Absent: threads, storage, a judgement on what the server refuses.

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

/// Scripts in flight on one connection; a server admits 100 streams to each.
const SCRIPTS_PER_CONNECTION: usize = 64;
/// Connections of one driver, at most.
pub const CONNECTIONS_MAX: usize = 8;
/// Scripts in flight, at most.
pub const IN_FLIGHT_MAX: usize = 65_536;

/// How to play.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Scripts in flight, 1 to [`IN_FLIGHT_MAX`]. At a pace, a script stays in flight as long as its ticket did: see [`Options::paced`].
    pub in_flight: usize,
    /// So many times as fast as it happened; `None` is as fast as it goes.
    pub pace: Option<f64>,
    /// Deadline of one call.
    pub deadline: Duration,
    /// How often a call is tried in all when the failure may pass.
    pub attempts: u32,
    /// Wait before the second attempt; it doubles from one to the next.
    pub backoff: Duration,
    /// The longest wait between two attempts.
    pub backoff_max: Duration,
    /// How long a step waits for the facts that it comes after.
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
    /// `times` as fast as it happened, with room for the tickets that were open at once.
    #[must_use]
    pub fn paced(times: f64) -> Self {
        Self { pace: Some(times), in_flight: 8192, ..Self::default() }
    }
}

/// Plays scripts over a few shared connections.
#[derive(Clone, Debug)]
pub struct Driver {
    /// Never empty.
    lines: Vec<Line>,
    options: Options,
}

impl Driver {
    /// A driver to the server at `endpoint`, such as `http://127.0.0.1:9595`. It connects with the first call, and again whenever a
    /// connection is lost.
    ///
    /// # Errors
    /// When `endpoint` is not an address.
    pub fn to(endpoint: &str, options: Options) -> Result<Self, tonic::transport::Error> {
        let connections = options.in_flight.div_ceil(SCRIPTS_PER_CONNECTION).clamp(1, CONNECTIONS_MAX);
        Ok(Self { lines: lines(endpoint, connections, options.deadline)?, options })
    }

    /// A driver over a connection that is there already.
    #[must_use]
    pub fn over(channel: Channel, options: Options) -> Self {
        Self { lines: vec![Line::new(channel)], options }
    }

    /// Plays `scripts` in their order, steps of one script one after the other. A row that is no script is counted as skipped.
    /// `progress` is told after every script.
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

/// So many connections, each made with its first call.
pub(crate) fn lines(endpoint: &str, count: usize, patience: Duration) -> Result<Vec<Line>, tonic::transport::Error> {
    let endpoint = Endpoint::from_shared(endpoint.to_owned())?.connect_timeout(patience).tcp_nodelay(true);
    Ok((0..count).map(|_| Line::new(endpoint.connect_lazy())).collect())
}

/// Plays one script when it is its turn, unless the row is none.
async fn one(play: Result<(Turn, Performer, Script), RowProblem>) -> Played {
    match play {
        Ok((turn, performer, script)) => {
            let _mine = turn.lock_owned().await;
            performer.play(script).await
        }
        Err(problem) => Played::skipped(problem),
    }
}

/// Scripts of the same key take turns: a row that is there twice is imported once, and found present the second time.
#[derive(Debug, Default)]
struct Turns(Mutex<HashMap<String, Turn>>);

type Turn = Arc<tokio::sync::Mutex<()>>;

impl Turns {
    fn of(&self, key: &str) -> Turn {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(key.to_owned()).or_default())
    }

    /// Forgets the key when nobody else waits for it: only what is in flight is remembered.
    fn over(&self, key: &str) {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.get(key).is_some_and(|turn| Arc::strong_count(turn) == 1) {
            turns.remove(key);
        }
    }
}

/// When things happen, if not as fast as they go.
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

/// One script being played.
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

    /// Takes one step. A report that did not attach opened a ticket too many; it is withdrawn at once. One that attached to
    /// another ticket of the caller's stays there: that ticket is not ours to take back.
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

    /// Until the lists have seen the ticket: a report attaches to what they show.
    async fn barrier(&self, position: u64, actor: &crate::script::Actor) -> Result<(), Failure> {
        let ask = ListRequest { page_size: 1, min_position: Some(position), ..ListRequest::default() };
        let listed = self.speaker.ask(actor, ask, |mut line, request| async move { line.tickets.list(request).await });
        listed.await.map(drop)
    }

    /// Until the facts are on record that the engine adds by itself.
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

/// Fills in the ids that only the server knows.
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

/// Takes back the ticket that a report opened although the caller had one open. Its id derives from the report's.
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
