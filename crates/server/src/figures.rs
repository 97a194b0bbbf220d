//! Figures over many tickets: indicators, promised averages, and what another policy would have said. Each goes through the
//! dockets once, off the async threads, and says which log position it is true for. What is counted is defined in `views`.

use std::{
    collections::BTreeMap,
    ops::ControlFlow,
    sync::{Arc, Weak},
};

use chrono::TimeDelta;
use switchboard_domain::{
    Problem, Timestamp, Violation,
    organisation::{Level, OrgPath},
    sla::{average::Sample, docket::Docket, judge::judge, policy::Policy},
};
use switchboard_views::{
    advice::Language,
    comparison::{self, Comparison},
    kpi,
};
use switchboard_wire::{answer, proto, refusal::Refusal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::{
    grpc::{
        call::Call,
        clocks::{self, Compared},
    },
    promises::Promises,
    publishing,
    readmodel::ReadModelError,
};

/// Questions that go through many dockets, under way at once; more wait.
const SCANS_MAX: usize = 2;
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
    scans: Arc<Semaphore>,
}

impl std::fmt::Debug for Figures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Figures(..)")
    }
}

/// Which dockets a question goes through.
#[derive(Clone, Copy)]
enum Range {
    /// Those received in the period.
    Received(Timestamp, Timestamp),
    /// Those that anything happened to in the period.
    Touching(Timestamp, Timestamp),
}

impl Figures {
    pub(crate) fn new(promises: Arc<Promises>) -> Self {
        Self { promises, scans: Arc::new(Semaphore::new(SCANS_MAX)) }
    }

    /// Goes through the dockets of a range. Ends early when nobody waits for the answer any more.
    async fn scan<T: Send + 'static>(
        &self,
        range: Range,
        mut state: T,
        mut step: impl FnMut(&mut T, &Docket) -> ControlFlow<()> + Send + 'static,
    ) -> Result<(u64, T), Refusal> {
        let place = Arc::clone(&self.scans).acquire_owned().await.map_err(|_| Refusal::Draining)?;
        let dockets = self.promises.dockets.clone();
        let asked = Arc::new(());
        let waited_for: Weak<()> = Arc::downgrade(&asked);
        let scan = tokio::task::spawn_blocking(move || {
            let _place = place;
            let mut each = |docket: Docket| {
                if waited_for.strong_count() == 0 { ControlFlow::Break(()) } else { step(&mut state, &docket) }
            };
            let position = match range {
                Range::Received(from, to) => dockets.received(from, to, &mut each),
                Range::Touching(from, to) => dockets.touching(from, to, &mut each),
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
        let (book, now) = (self.promises.dockets.book(), self.promises.now());
        let tally = kpi::Tally::new(from, to, org, level);
        let count = move |tally: &mut kpi::Tally, docket: &Docket| {
            tally.add(docket, &judge(docket, &book, now));
            ControlFlow::Continue(())
        };
        let (position, tally) = self.scan(Range::Touching(from, to), tally, count).await?;
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
        let book = self.promises.dockets.book();
        let version = book.newest().and_then(|edition| edition.version(&request.operator, at)).cloned();
        let version = version.ok_or_else(|| malformed("operator", "an operator whose policy is published"))?;
        let days = version.policy.averages.iter().map(|average| average.window_days).max().unwrap_or(0);
        let range = Range::Touching(at - TimeDelta::days(i64::from(days)), at);
        let samples: Vec<Vec<Sample>> = vec![Vec::new(); version.policy.averages.len()];
        let policy = Arc::clone(&version);
        let collect = move |samples: &mut Vec<Vec<Sample>>, docket: &Docket| {
            if docket.operator() == Some(policy.policy.operator.as_str()) {
                for (rule, found) in policy.policy.averages.iter().zip(samples) {
                    found.extend(rule.samples(docket));
                }
            }
            ControlFlow::Continue(())
        };
        let (position, samples) = self.scan(range, samples, collect).await?;
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
        let policy = publishing::read_policy(&request.file_name, &request.text)?;
        let (from, to) = (instant("from", request.from.as_ref())?, instant("to", request.to.as_ref())?);
        if from >= to {
            return Err(Refusal::InvalidFields(vec![Violation::contradicts("from", "to")]));
        }
        self.promises.reach(Some(self.promises.desk.head())).await?;
        Ok(self.compare(policy, Range::Received(from, to), request.flips_max, call, place))
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
        let book = self.promises.dockets.book();
        let shadow = book.newest().and_then(|edition| edition.shadow(&request.operator)).cloned();
        let shadow = shadow.ok_or_else(|| malformed("operator", "an operator with a shadow policy"))?;
        let published = book.editions().iter().find(|edition| edition.position == shadow.position);
        let since = published.map_or(shadow.policy.effective_from, |edition| edition.recorded);
        let from = since.max(shadow.policy.effective_from);
        let range = Range::Received(from, self.promises.now() + TimeDelta::days(1));
        Ok(self.compare(shadow.policy.clone(), range, request.flips_max, call, place))
    }

    /// Starts a comparison; its messages come as the stream is read.
    fn compare<M: Compared>(
        self: &Arc<Self>,
        policy: Policy,
        range: Range,
        flips_max: u32,
        call: Call,
        place: OwnedSemaphorePermit,
    ) -> ReceiverStream<Result<M, Status>> {
        let flips_left = if flips_max == 0 { FLIPS_DEFAULT } else { flips_max.min(FLIPS_MAX) };
        let (out, stream) = mpsc::channel(QUEUE_MESSAGES_MAX);
        let operator = policy.operator.clone();
        let (in_force, now) = (self.promises.dockets.book(), self.promises.now());
        let newest = in_force.newest().cloned().unwrap_or_default();
        let other = comparison::under(&newest, policy);
        let said = out.clone();
        let step = move |state: &mut (Comparison, u32), docket: &Docket| {
            if docket.operator() != Some(operator.as_str()) {
                return if said.is_closed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
            }
            let (comparison, flips_left) = state;
            let (was, would_be) = (judge(docket, &in_force, now), judge(docket, &other, now));
            let flips = comparison::flips(docket, &was, &would_be);
            comparison.add(&was, &flips);
            let mut messages = Vec::new();
            for flip in flips.iter().take(usize::try_from(*flips_left).unwrap_or(usize::MAX)) {
                messages.push(M::flip(clocks::flip(flip)));
                *flips_left -= 1;
            }
            if comparison.tickets() % PROGRESS_TICKETS == 0 {
                messages.push(M::progress(proto::Progress { tickets: comparison.tickets() }));
            }
            let taken = messages.into_iter().all(|message| said.blocking_send(Ok(message)).is_ok());
            if taken && !said.is_closed() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let figures = Arc::clone(self);
        tokio::spawn(async move {
            let _place = place;
            let ended = figures.scan(range, (Comparison::default(), flips_left), step).await;
            let last = ended
                .map(|(position, (comparison, _))| M::summary(clocks::comparison(&comparison, position)))
                .map_err(|refusal| call.refuse(&refusal));
            // A reader that went away wants no summary.
            let _ = out.send(last).await;
        });
        ReceiverStream::new(stream)
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
    let levels: BTreeMap<&str, Level> =
        ["nation", "province", "city", "county", "station", "crew"].into_iter().zip(Level::ALL).collect();
    let level = levels.get(request.by_level.as_str()).copied();
    if org.is_err() {
        found.push(Violation::malformed("org", OrgPath::FORM));
    }
    if level.is_none() && !request.by_level.is_empty() {
        found.push(Violation::malformed("by_level", "nation, province, city, county, station or crew"));
    }
    if found.is_empty() { Ok((org.unwrap_or_default(), level)) } else { Err(Refusal::InvalidFields(found)) }
}
