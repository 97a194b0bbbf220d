//! Figures over many tickets: indicators, promised averages, and what another policy would have said. Each goes through the
//! clock histories once, off the async threads, and says which log position it is true for. What is counted is defined in `views`.

use std::{
    ops::ControlFlow,
    sync::{Arc, Weak},
    time::Duration,
};

use chrono::TimeDelta;
use switchboard_domain::{
    Problem, Timestamp, Violation,
    organisation::{Level, OrgPath},
    sla::{average::Sample, clock_history::ClockHistory, judge::judge, policy::Policy, registry::PolicyRegistry},
};
use switchboard_readmodel::ReadModelError;
use switchboard_views::{
    advice::Language,
    comparison::{self, Comparison},
    kpi,
};
use switchboard_wire::{answer, proto, refusal::Refusal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::{
    grpc::{
        call::Call,
        clocks::{self, Compared},
        streaming::queue,
    },
    promises::Promises,
    publishing,
};

/// Questions whose callers wait, under way at once; more wait within their deadlines.
const QUESTIONS_MAX: usize = 2;
/// Comparisons under way at once: each takes a core.
const COMPARISONS_MAX: usize = 1;
/// Comparisons that may wait for their turn; past it they are turned away.
const COMPARISONS_WAITING_MAX: usize = 8;
/// How long the reader of a comparison may take nothing.
const READER_PATIENCE: Duration = Duration::from_secs(30);
/// The longest period of one question.
const PERIOD_DAYS_MAX: i64 = 400;
/// The most indicators that one question may name.
const KPIS_MAX: usize = 64;
/// Flips that are sent one by one when no number is asked for.
const FLIPS_DEFAULT: u32 = 100;
/// The most flips that are sent one by one.
const FLIPS_MAX: u32 = 10_000;
/// A comparison says how far it is after so many tickets.
const PROGRESS_TICKETS: u64 = 10_000;
/// Messages of a comparison that may wait for its reader; past it the comparison waits.
const QUEUE_MESSAGES_MAX: usize = 64;

/// Everything that counts.
pub struct Figures {
    promises: Arc<Promises>,
    questions: Arc<Semaphore>,
    comparisons: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl std::fmt::Debug for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Figures(..)")
    }
}

/// Which clock histories a question goes through.
#[derive(Clone, Copy)]
enum Range {
    /// Those received in the period.
    Received(Timestamp, Timestamp),
    /// Those that anything happened to in the period.
    Touching(Timestamp, Timestamp),
}

impl Figures {
    pub(crate) fn new(promises: Arc<Promises>) -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        let (questions, comparisons) = (places(QUESTIONS_MAX), places(COMPARISONS_MAX));
        Self { promises, questions, comparisons, waiting: places(COMPARISONS_WAITING_MAX) }
    }

    /// Goes through the clock histories of a range. Ends early when nobody waits for the answer any more.
    async fn scan<T: Send + 'static>(
        &self,
        place: OwnedSemaphorePermit,
        range: Range,
        mut state: T,
        mut step: impl FnMut(&mut T, &AsOf, &ClockHistory) -> ControlFlow<()> + Send + 'static,
    ) -> Result<(u64, T), Refusal> {
        let promises = Arc::clone(&self.promises);
        let asked = Arc::new(());
        let waited_for: Weak<()> = Arc::downgrade(&asked);
        let scan = tokio::task::spawn_blocking(move || {
            let _place = place;
            let mut as_of = None;
            let mut each = |clock_history: ClockHistory| {
                if waited_for.strong_count() == 0 {
                    return ControlFlow::Break(());
                }
                // Looked at after the first page was read: nothing that the answer's position covers is missing from the registry.
                let as_of = as_of
                    .get_or_insert_with(|| AsOf { registry: promises.clock_histories.registry(), now: promises.now() });
                step(&mut state, as_of, &clock_history)
            };
            let position = match range {
                Range::Received(from, to) => promises.clock_histories.received(from, to, &mut each),
                Range::Touching(from, to) => promises.clock_histories.touching(from, to, &mut each),
            };
            position.map(|position| (position, state))
        });
        let answer = scan.await;
        drop(asked);
        let unavailable = |detail: String| Refusal::StoreUnavailable { detail };
        match answer.map_err(|error| unavailable(error.to_string()))? {
            Err(ReadModelError::Corrupt(_)) => Err(Refusal::StoreCorrupt),
            answer => answer.map_err(|error| unavailable(error.to_string())),
        }
    }

    /// A place for a question that its caller waits for.
    async fn place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.questions).acquire_owned().await.map_err(|_| Refusal::Draining)
    }

    /// Every indicator with its definition.
    pub(crate) fn definitions(language: Language) -> proto::ListKpisResponse {
        proto::ListKpisResponse { kpis: kpi::definitions().iter().map(|kpi| clocks::kpi(kpi, language)).collect() }
    }

    /// Indicators over a period.
    ///
    /// # Errors
    /// A period, indicator, unit or level that cannot be read.
    pub(crate) async fn kpis(&self, request: &proto::GetKpisRequest) -> Result<proto::GetKpisResponse, Refusal> {
        let (from, to) = period(request.from.as_ref(), request.to.as_ref())?;
        let (org, level) = units(request)?;
        let names = request.kpis.clone();
        self.promises.reach(request.min_position).await?;
        let tally = kpi::Tally::new(from, to, org, level);
        let count = |tally: &mut kpi::Tally, as_of: &AsOf, clock_history: &ClockHistory| {
            tally.add(clock_history, &judge(clock_history, &as_of.registry, as_of.now));
            ControlFlow::Continue(())
        };
        let (position, tally) = self.scan(self.place().await?, Range::Touching(from, to), tally, count).await?;
        let wanted = |value: &kpi::Value| names.is_empty() || names.iter().any(|name| name == value.name);
        let values = tally.finish().into_iter().filter(wanted).map(clocks::kpi_value).collect();
        Ok(proto::GetKpisResponse { values, position })
    }

    /// The averages that the policy in force promises.
    ///
    /// # Errors
    /// An operator without policy, an instant that cannot be read.
    pub(crate) async fn averages(
        &self,
        request: &proto::GetAveragesRequest,
        language: Language,
    ) -> Result<proto::GetAveragesResponse, Refusal> {
        self.promises.reach(request.min_position).await?;
        let at = request.at.as_ref().map(|at| answer::instant(at).ok_or_else(|| malformed("at", "an instant")));
        let at = at.transpose()?.unwrap_or_else(|| self.promises.now());
        let registry = self.promises.clock_histories.registry();
        let version = registry.newest().and_then(|edition| edition.version(&request.operator, at)).cloned();
        let version =
            version.ok_or_else(|| match registry.newest().map(|edition| edition.versions(&request.operator)) {
                Some([_, ..]) => malformed("at", "an instant at which a policy of the operator is in force"),
                _ => malformed("operator", "an operator whose policy is published"),
            })?;
        let days = version.policy.averages.iter().map(|average| average.window_days).max().unwrap_or(0);
        let range = Range::Touching(at - TimeDelta::days(i64::from(days)), at);
        let samples: Vec<Vec<Sample>> = vec![Vec::new(); version.policy.averages.len()];
        let policy = Arc::clone(&version);
        let collect = move |samples: &mut Vec<Vec<Sample>>, _: &AsOf, clock_history: &ClockHistory| {
            if clock_history.operator() == Some(policy.policy.operator.as_str()) {
                for (rule, found) in policy.policy.averages.iter().zip(samples) {
                    found.extend(rule.samples(clock_history));
                }
            }
            ControlFlow::Continue(())
        };
        let (position, samples) = self.scan(self.place().await?, range, samples, collect).await?;
        let judged = version.policy.averages.iter().zip(&samples);
        let values = judged.flat_map(|(rule, samples)| {
            let means = rule.means(samples.iter(), at);
            means.into_iter().map(|mean| clocks::average(rule, &mean, &version, language)).collect::<Vec<_>>()
        });
        Ok(proto::GetAveragesResponse { values: values.collect(), position })
    }

    /// What another policy would have said of the tickets of a period. Changes nothing.
    ///
    /// # Errors
    /// The file's faults; a period that cannot be read.
    pub(crate) async fn backtest(
        self: &Arc<Self>,
        request: &proto::BacktestPolicyRequest,
        call: Call,
        place: OwnedSemaphorePermit,
    ) -> Result<ReceiverStream<Result<proto::BacktestPolicyResponse, Status>>, Refusal> {
        let policy = publishing::read_policy(&request.file_name, &request.text).await?;
        let (from, to) = (instant("from", request.from.as_ref())?, instant("to", request.to.as_ref())?);
        if from >= to {
            return Err(Refusal::InvalidFields(vec![Violation::contradicts("from", "to")]));
        }
        self.promises.reach(Some(self.promises.desk.head())).await?;
        self.compare(policy, Range::Received(from, to), request.flips_max, call, place)
    }

    /// Where an operator's shadow disagrees with the policy in force.
    ///
    /// # Errors
    /// An operator without shadow.
    pub(crate) async fn disagreements(
        self: &Arc<Self>,
        request: &proto::ListDisagreementsRequest,
        call: Call,
        place: OwnedSemaphorePermit,
    ) -> Result<ReceiverStream<Result<proto::ListDisagreementsResponse, Status>>, Refusal> {
        self.promises.reach(Some(self.promises.desk.head())).await?;
        let registry = self.promises.clock_histories.registry();
        let shadow = registry.newest().and_then(|edition| edition.shadow(&request.operator)).cloned();
        let shadow = shadow.ok_or_else(|| malformed("operator", "an operator with a shadow policy"))?;
        let published = registry.editions().iter().find(|edition| edition.position == shadow.position);
        let since = published.map_or(shadow.policy.effective_from, |edition| edition.recorded);
        let from = since.max(shadow.policy.effective_from);
        let range = Range::Received(from, self.promises.now() + TimeDelta::days(1));
        self.compare(shadow.policy.clone(), range, request.flips_max, call, place)
    }

    /// Starts a comparison; its messages come as the stream is read.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] when too many wait already.
    fn compare<M: Compared>(
        self: &Arc<Self>,
        policy: Policy,
        range: Range,
        flips_max: u32,
        call: Call,
        stream_place: OwnedSemaphorePermit,
    ) -> Result<ReceiverStream<Result<M, Status>>, Refusal> {
        let full = |_| Refusal::Overloaded { limit: "comparisons_waiting", value: COMPARISONS_WAITING_MAX as u64 };
        let waiting = Arc::clone(&self.waiting).try_acquire_owned().map_err(full)?;
        let flips_left = if flips_max == 0 { FLIPS_DEFAULT } else { flips_max.min(FLIPS_MAX) };
        let (out, stream, last_word) = queue(QUEUE_MESSAGES_MAX);
        let figures = Arc::clone(self);
        let work = Work { policy, other: None, compared: Comparison::default(), flips_left, slow: false };
        tokio::spawn(async move {
            let _stream_place = stream_place;
            let place = tokio::select! {
                place = Arc::clone(&figures.comparisons).acquire_owned() => place,
                () = out.closed() => return,
            };
            let Ok(place) = place else { return };
            drop(waiting);
            let (said, runtime) = (out.clone(), tokio::runtime::Handle::current());
            let step = move |work: &mut Work, as_of: &AsOf, clock_history: &ClockHistory| {
                for message in work.judge::<M>(as_of, clock_history) {
                    let send = tokio::time::timeout(READER_PATIENCE, said.send(Ok(message)));
                    match runtime.block_on(send) {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) => return ControlFlow::Break(()),
                        Err(_) => {
                            work.slow = true;
                            return ControlFlow::Break(());
                        }
                    }
                }
                if said.is_closed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let last = match figures.scan(place, range, work, step).await {
                Ok((_, work)) if work.slow => Err(call.refuse(&Refusal::SlowReader { resume_token: String::new() })),
                Ok((position, work)) => Ok(M::summary(clocks::comparison(&work.compared, position))),
                Err(refusal) => Err(call.refuse(&refusal)),
            };
            last_word.say(last);
        });
        Ok(ReceiverStream::new(stream))
    }
}

/// What a question is answered as of.
struct AsOf {
    registry: Arc<PolicyRegistry>,
    now: Timestamp,
}

/// A comparison under way.
struct Work {
    policy: Policy,
    /// The registry in which the other policy is the operator's only one.
    other: Option<PolicyRegistry>,
    compared: Comparison,
    /// Flips that may still be sent one by one.
    flips_left: u32,
    /// Whether its reader took nothing for too long.
    slow: bool,
}

impl Work {
    /// Judges one clock history under both; what is to be said of it.
    fn judge<M: Compared>(&mut self, as_of: &AsOf, clock_history: &ClockHistory) -> Vec<M> {
        let mut messages = Vec::new();
        if clock_history.operator() != Some(self.policy.operator.as_str()) {
            return messages;
        }
        let policy = &self.policy;
        let other = self.other.get_or_insert_with(|| {
            comparison::under(&as_of.registry.newest().cloned().unwrap_or_default(), policy.clone())
        });
        let (was, would_be) =
            (judge(clock_history, &as_of.registry, as_of.now), judge(clock_history, other, as_of.now));
        let flips = comparison::flips(clock_history, &was, &would_be);
        self.compared.add(&was, &flips);
        for flip in flips.iter().take(usize::try_from(self.flips_left).unwrap_or(usize::MAX)) {
            messages.push(M::flip(clocks::flip(flip)));
            self.flips_left -= 1;
        }
        if self.compared.tickets().is_multiple_of(PROGRESS_TICKETS) {
            messages.push(M::progress(proto::Progress { tickets: self.compared.tickets() }));
        }
        messages
    }
}

fn malformed(field: &'static str, expected: &'static str) -> Refusal {
    Refusal::InvalidFields(vec![Violation::malformed(field, expected)])
}

fn instant(field: &'static str, time: Option<&prost_types::Timestamp>) -> Result<Timestamp, Refusal> {
    let time = time.ok_or_else(|| Refusal::InvalidFields(vec![Violation::missing(field)]))?;
    answer::instant(time).ok_or_else(|| malformed(field, "an instant"))
}

/// Reads a period, which has a greatest length.
fn period(
    from: Option<&prost_types::Timestamp>,
    to: Option<&prost_types::Timestamp>,
) -> Result<(Timestamp, Timestamp), Refusal> {
    let (from, to) = (instant("from", from)?, instant("to", to)?);
    if from >= to {
        return Err(Refusal::InvalidFields(vec![Violation::contradicts("from", "to")]));
    }
    if to - from > TimeDelta::days(PERIOD_DAYS_MAX) {
        return Err(malformed("to", "at most 400 days after from"));
    }
    Ok((from, to))
}

/// Reads which units and indicators are asked for.
fn units(request: &proto::GetKpisRequest) -> Result<(Option<OrgPath>, Option<Level>), Refusal> {
    let mut found = Vec::new();
    if request.kpis.len() > KPIS_MAX {
        found.push(Violation { field: "kpis", problem: Problem::TooMany { limit: KPIS_MAX } });
    }
    if request.kpis.iter().any(|name| kpi::definitions().iter().all(|kpi| kpi.name != name)) {
        found.push(Violation::malformed("kpis", "names that ListKpis gives"));
    }
    let org = (!request.org.is_empty()).then(|| OrgPath::parse(&request.org)).transpose();
    let level = Level::parse(&request.by_level);
    if org.is_err() {
        found.push(Violation::malformed("org", OrgPath::FORM));
    }
    if level.is_none() && !request.by_level.is_empty() {
        found.push(Violation::malformed("by_level", "nation, province, city, county, station or crew"));
    }
    if found.is_empty() { Ok((org.unwrap_or_default(), level)) } else { Err(Refusal::InvalidFields(found)) }
}
