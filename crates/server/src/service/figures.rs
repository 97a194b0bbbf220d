//! Figures over many tickets: indicators, promised averages, and back-tests. Each query scans the clock histories once,
//! on a thread that may block. The answer names the log position for which it is true. `views` defines what is counted.

use std::{
    ops::ControlFlow,
    sync::{Arc, Weak},
    time::Duration,
};

use chrono::TimeDelta;
use switchboard_domain::{
    Timestamp, Violation,
    actor::Actor,
    organisation::{Level, OrgPath},
    sla::{
        average::{Mean, Sample},
        clock_history::ClockHistory,
        judge::judge,
        policy::Policy,
        registry::{PolicyRegistry, Version},
    },
};
use switchboard_views::{
    comparison::{self, Comparison, Flip},
    kpi::{self, Kpi},
};
use switchboard_wire::refusal::Refusal;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc::Receiver};

use crate::service::{
    access::{Act, permit},
    off_thread,
    promises::Promises,
    publishing::{self, SourceFile},
    queue::queue,
};

/// The most queries in progress whose callers wait. Further ones wait within their deadlines.
const QUESTIONS_MAX: usize = 2;
/// The most comparisons in progress: each takes a core.
const COMPARISONS_MAX: usize = 1;
/// The most comparisons that wait for their turn. Further ones are refused.
const COMPARISONS_WAITING_MAX: usize = 8;
/// The longest time that the reader of a comparison may take no message.
const READER_PATIENCE: Duration = Duration::from_secs(30);
/// The flips that are sent one by one when the request states no number.
const FLIPS_DEFAULT: u32 = 100;
/// The most flips that are sent one by one.
const FLIPS_MAX: u32 = 10_000;
/// A comparison reports its progress after every so many tickets.
const PROGRESS_TICKETS: u64 = 10_000;
/// The most messages that wait for the reader of a comparison. When the queue is full, the comparison waits.
const QUEUE_MESSAGES_MAX: usize = 64;

/// A query for indicators.
#[derive(Clone, Debug)]
pub struct Question {
    /// The begin of the period, inclusive.
    pub from: Timestamp,
    /// The end of the period, exclusive.
    pub to: Timestamp,
    /// The unit; all units when absent.
    pub org: Option<OrgPath>,
    /// The level by whose units the values are grouped; a single group when absent.
    pub level: Option<Level>,
    /// The names of the indicators; all when empty.
    pub kpis: Vec<String>,
}

/// The averages that a policy promises.
#[derive(Clone, Debug)]
pub struct Averages {
    /// The policy.
    pub version: Arc<Version>,
    /// The means for each average of the policy, in the policy's order.
    pub means: Vec<Vec<Mean>>,
    /// The position for which they are true.
    pub position: u64,
}

/// A message of a comparison in progress.
#[derive(Clone, Debug)]
pub enum Compared {
    /// The number of tickets compared so far.
    Progress(u64),
    /// A clock that two policies judge differently.
    Flip(Flip),
    /// The result, and the position for which it is true.
    Summary(Box<Comparison>, u64),
}

/// The messages of a comparison. The last one may be the refusal that ended it.
pub type Comparing = Receiver<Result<Compared, Refusal>>;

/// The use cases of figures.
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

/// The clock histories that a query scans.
#[derive(Clone, Copy)]
enum Range {
    /// Received in the period.
    Received(Timestamp, Timestamp),
    /// Received before the end of the period, and still open at its begin or changed since.
    Touching(Timestamp, Timestamp),
}

impl Figures {
    pub(crate) fn new(promises: Arc<Promises>) -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        let (questions, comparisons) = (places(QUESTIONS_MAX), places(COMPARISONS_MAX));
        Self { promises, questions, comparisons, waiting: places(COMPARISONS_WAITING_MAX) }
    }

    /// Scans the clock histories of a range. Stops early when the caller no longer waits.
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
        let scan = off_thread(move || {
            let _place = place;
            let mut as_of = None;
            let mut each = |clock_history: ClockHistory| {
                if waited_for.strong_count() == 0 {
                    return ControlFlow::Break(());
                }
                // Read after the first page of histories, so that the registry includes everything up to the answer's
                // position.
                let as_of = as_of.get_or_insert_with(|| AsOf {
                    registry: promises.clock_histories.registry(),
                    now: promises.node.now(),
                });
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
        answer
    }

    /// Takes a slot for a query whose caller waits.
    async fn place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.questions).acquire_owned().await.map_err(|_| Refusal::Draining)
    }

    /// Returns every indicator with its definition.
    ///
    /// # Errors
    /// None yet: every actor may read them.
    pub fn definitions(&self, actor: &Actor) -> Result<&'static [Kpi], Refusal> {
        permit(actor, Act::ReadFigures)?;
        Ok(kpi::definitions())
    }

    /// Counts indicators over a period. Returns them with the position for which they are true.
    ///
    /// # Errors
    /// The clock histories cannot be read.
    pub async fn kpis(
        &self,
        question: Question,
        min_position: Option<u64>,
        actor: &Actor,
    ) -> Result<(Vec<kpi::Value>, u64), Refusal> {
        permit(actor, Act::ReadFigures)?;
        let Question { from, to, org, level, kpis } = question;
        self.promises.reach(min_position).await?;
        let tally = kpi::Tally::new(from, to, org, level);
        let count = |tally: &mut kpi::Tally, as_of: &AsOf, clock_history: &ClockHistory| {
            tally.add(clock_history, &judge(clock_history, &as_of.registry, as_of.now));
            ControlFlow::Continue(())
        };
        let (position, tally) = self.scan(self.place().await?, Range::Touching(from, to), tally, count).await?;
        let wanted = |value: &kpi::Value| kpis.is_empty() || kpis.iter().any(|name| name == value.name);
        Ok((tally.finish().into_iter().filter(wanted).collect(), position))
    }

    /// Computes the averages that the policy in force at an instant promises; `None` means now.
    ///
    /// # Errors
    /// The operator has no policy, or none in force at that instant.
    pub async fn averages(
        &self,
        operator: &str,
        at: Option<Timestamp>,
        min_position: Option<u64>,
        actor: &Actor,
    ) -> Result<Averages, Refusal> {
        permit(actor, Act::ReadFigures)?;
        self.promises.reach(min_position).await?;
        let at = at.unwrap_or_else(|| self.promises.node.now());
        let registry = self.promises.clock_histories.registry();
        let version = registry.newest().and_then(|edition| edition.version(operator, at)).cloned();
        let version = version.ok_or_else(|| match registry.newest().map(|edition| edition.versions(operator)) {
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
        let means = judged.map(|(rule, samples)| rule.means(samples.iter(), at)).collect();
        Ok(Averages { version, means, position })
    }

    /// Compares the verdicts of another policy with the recorded ones, for the tickets received in a period. Nothing is
    /// changed. `place` is held as long as the comparison runs.
    ///
    /// # Errors
    /// The file has faults, or the actor may not ask.
    pub async fn backtest(
        self: &Arc<Self>,
        file: &SourceFile,
        (from, to): (Timestamp, Timestamp),
        flips_max: u32,
        place: OwnedSemaphorePermit,
        actor: &Actor,
    ) -> Result<Comparing, Refusal> {
        permit(actor, Act::ReadPolicies)?;
        let policy = publishing::read_policy(file).await?;
        self.promises.reach(Some(self.promises.node.head())).await?;
        self.compare(policy, Range::Received(from, to), flips_max, place)
    }

    /// Compares the verdicts of an operator's shadow policy with those of the policy in force. `place` is held as long
    /// as the comparison runs.
    ///
    /// # Errors
    /// The operator has no shadow policy, or the actor may not ask.
    pub async fn disagreements(
        self: &Arc<Self>,
        operator: &str,
        flips_max: u32,
        place: OwnedSemaphorePermit,
        actor: &Actor,
    ) -> Result<Comparing, Refusal> {
        permit(actor, Act::ReadPolicies)?;
        self.promises.reach(Some(self.promises.node.head())).await?;
        let registry = self.promises.clock_histories.registry();
        let shadow = registry.newest().and_then(|edition| edition.shadow(operator)).cloned();
        let shadow = shadow.ok_or_else(|| malformed("operator", "an operator with a shadow policy"))?;
        let published = registry.editions().iter().find(|edition| edition.position == shadow.position);
        let since = published.map_or(shadow.policy.effective_from, |edition| edition.recorded);
        let from = since.max(shadow.policy.effective_from);
        let range = Range::Received(from, self.promises.node.now() + TimeDelta::days(1));
        self.compare(shadow.policy.clone(), range, flips_max, place)
    }

    /// Starts a comparison. Its messages are computed as the reader takes them.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] when too many comparisons wait already.
    fn compare(
        self: &Arc<Self>,
        policy: Policy,
        range: Range,
        flips_max: u32,
        stream_place: OwnedSemaphorePermit,
    ) -> Result<Comparing, Refusal> {
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
                for message in work.judge(as_of, clock_history) {
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
                Ok((_, work)) if work.slow => Err(Refusal::SlowReader { resume_token: String::new() }),
                Ok((position, work)) => Ok(Compared::Summary(Box::new(work.compared), position)),
                Err(refusal) => Err(refusal),
            };
            last_word.say(last);
        });
        Ok(stream)
    }
}

/// The registry and the instant that a query is answered with.
struct AsOf {
    registry: Arc<PolicyRegistry>,
    now: Timestamp,
}

/// A comparison in progress.
struct Work {
    policy: Policy,
    /// The registry in which the other policy is the operator's only one.
    other: Option<PolicyRegistry>,
    compared: Comparison,
    /// Flips that may still be sent one by one.
    flips_left: u32,
    /// True if the reader took no message for too long.
    slow: bool,
}

impl Work {
    /// Judges one clock history under both policies. Returns the messages to send.
    fn judge(&mut self, as_of: &AsOf, clock_history: &ClockHistory) -> Vec<Compared> {
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
        for flip in flips.into_iter().take(usize::try_from(self.flips_left).unwrap_or(usize::MAX)) {
            messages.push(Compared::Flip(flip));
            self.flips_left -= 1;
        }
        if self.compared.tickets().is_multiple_of(PROGRESS_TICKETS) {
            messages.push(Compared::Progress(self.compared.tickets()));
        }
        messages
    }
}

fn malformed(field: &'static str, expected: &'static str) -> Refusal {
    Refusal::InvalidFields(vec![Violation::malformed(field, expected)])
}
