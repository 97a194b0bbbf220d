//! Figures over many tickets: indicators, promised averages, and what another policy would have said. Each goes through
//! the clock histories once, off the async threads, and says which log position it is true for. What is counted is
//! defined in `views`.

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

/// Questions whose callers wait, under way at once; more wait within their deadlines.
const QUESTIONS_MAX: usize = 2;
/// Comparisons under way at once: each takes a core.
const COMPARISONS_MAX: usize = 1;
/// Comparisons that may wait for their turn; past it they are turned away.
const COMPARISONS_WAITING_MAX: usize = 8;
/// How long the reader of a comparison may take nothing.
const READER_PATIENCE: Duration = Duration::from_secs(30);
/// Flips that are sent one by one when no number is asked for.
const FLIPS_DEFAULT: u32 = 100;
/// The most flips that are sent one by one.
const FLIPS_MAX: u32 = 10_000;
/// A comparison says how far it is after so many tickets.
const PROGRESS_TICKETS: u64 = 10_000;
/// Messages of a comparison that may wait for its reader; past it the comparison waits.
const QUEUE_MESSAGES_MAX: usize = 64;

/// Which indicators are asked for, and of whom.
#[derive(Clone, Debug)]
pub struct Question {
    /// From when on.
    pub from: Timestamp,
    /// Before when.
    pub to: Timestamp,
    /// Of which unit; of all when absent.
    pub org: Option<OrgPath>,
    /// By units of which level; in one when absent.
    pub level: Option<Level>,
    /// Which indicators; all when empty.
    pub kpis: Vec<String>,
}

/// The averages that a policy promises.
#[derive(Clone, Debug)]
pub struct Averages {
    /// The policy.
    pub version: Arc<Version>,
    /// The means of each of its averages, in its order.
    pub means: Vec<Vec<Mean>>,
    /// The position that they are true for.
    pub position: u64,
}

/// What is said of a comparison, as it goes on.
#[derive(Clone, Debug)]
pub enum Compared {
    /// How many tickets were looked at.
    Progress(u64),
    /// A clock that two policies judge differently.
    Flip(Flip),
    /// What it came to, at a position.
    Summary(Box<Comparison>, u64),
}

/// The messages of a comparison, the last of which may be why it ended.
pub type Comparing = Receiver<Result<Compared, Refusal>>;

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
        let scan = off_thread(move || {
            let _place = place;
            let mut as_of = None;
            let mut each = |clock_history: ClockHistory| {
                if waited_for.strong_count() == 0 {
                    return ControlFlow::Break(());
                }
                // Looked at after the first page was read: nothing that the answer's position covers is missing from
                // the registry.
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

    /// A place for a question that its caller waits for.
    async fn place(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.questions).acquire_owned().await.map_err(|_| Refusal::Draining)
    }

    /// Every indicator with its definition.
    ///
    /// # Errors
    /// None yet: every actor may know them.
    pub fn definitions(&self, actor: &Actor) -> Result<&'static [Kpi], Refusal> {
        permit(actor, Act::ReadFigures)?;
        Ok(kpi::definitions())
    }

    /// Indicators over a period, and the position that they are true for.
    ///
    /// # Errors
    /// When the clock histories do not answer.
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

    /// The averages that the policy in force at an instant promises; now when none is named.
    ///
    /// # Errors
    /// An operator without policy.
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

    /// What another policy would have said of the tickets received in a period. Changes nothing. `place` is held as
    /// long as the comparison runs.
    ///
    /// # Errors
    /// The file's faults; an actor who may not ask.
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

    /// Where an operator's shadow disagrees with the policy in force. `place` is held as long as the comparison runs.
    ///
    /// # Errors
    /// An operator without shadow; an actor who may not ask.
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

    /// Starts a comparison; its messages come as the stream is read.
    ///
    /// # Errors
    /// [`Refusal::Overloaded`] when too many wait already.
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
