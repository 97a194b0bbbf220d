//! The reactor runs processes. It folds the log into a process, wakes it at the requested time, executes its actions,
//! and reports rejected actions to it.
//!
//! The request id of an action derives from the process, the action's name and the fact that caused it, never from the
//! clock. So an action takes effect once, also after a crash between its execution and the fold of its facts. A process
//! is asked for actions only after its fold has passed its own last write. If a process has dropped a ticket, it gets
//! the ticket's history again before the fact that needs it. The reactor knows neither the meaning of an action nor the
//! reaction to a rejection.
//! process wants, and what it makes of a refusal, is not known here.

use std::{
    future::{self, Future},
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt, stream};
use serde::{Serialize, de::DeserializeOwned};
use switchboard_domain::{
    decider::{Action, Process},
    fact::{Fact, TicketFact},
    position::LogPosition,
    ticket::TicketId,
};
use tokio::{sync::Notify, task::JoinHandle, time};
use uuid::Uuid;

use crate::{
    checkpoint::{Checkpoint, facts_until_next},
    clock::Clock,
    feed::Feed,
    follower::{Fold, Follower},
    vault::Vault,
};

/// The delay before an action is tried again that the store could not accept.
pub const ACTION_RETRY: Duration = Duration::from_millis(500);
/// The longest sleep between two reads of the clock, so that a forward jump of the wall clock is noticed in time.
pub const WAKE_CAP: Duration = Duration::from_millis(500);
/// The shortest time between two questions to a process whose time has come and that returned no action, unless facts
/// come.
pub const WAKE_REST: Duration = Duration::from_millis(10);

/// The result of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionOutcome {
    /// Executed now or earlier, by this action or another. The process is asked again when its fold has reached this
    /// position. If it has reached it already and still proposes the action, the action is reported to it as rejected.
    Done(u64),
    /// Rejected for good, with the reason.
    Refused(String),
    /// Not executed; to be tried again.
    Later,
}

/// The request id of the command that carries an action out. `cause` is the id of the event at [`Action::because`]:
/// a copy of the log has the same event at another position, and must give the same action the same request id.
#[must_use]
pub fn request_id<I>(vault: &Vault, process: &str, action: &Action<I>, cause: Uuid, target: &str) -> Uuid {
    let parts = [b"process", process.as_bytes(), action.name.as_bytes(), cause.as_bytes(), target.as_bytes()];
    vault.request_id(&parts)
}

/// The facts that a process gets. A process selects them by the type of its events.
pub trait Hears: Sync {
    /// The fact in the form that the process takes; `None` when it does not take the fact.
    fn of(fact: &Fact) -> Option<&Self>;
}

impl Hears for Fact {
    fn of(fact: &Fact) -> Option<&Self> {
        Some(fact)
    }
}

impl Hears for TicketFact {
    fn of(fact: &Fact) -> Option<&Self> {
        fact.ticket()
    }
}

/// The limits for the actions of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The most actions that are requested from the process at once.
    pub actions_max: usize,
    /// The most actions that are executed concurrently, so that they share the store's syncs; 0 counts as 1.
    pub at_once_max: usize,
}

impl Default for Pace {
    /// One action at a time, in the order in which the process returns them.
    fn default() -> Self {
        Self { actions_max: 64, at_once_max: 1 }
    }
}

/// Writes a copied fold. Returns its size in bytes.
type Write = Box<dyn FnOnce() -> io::Result<u64> + Send>;
/// Copies the part of a process that its checkpoint contains, at a position.
type Save<P> = Box<dyn Fn(LogPosition, &P) -> Write + Send>;

/// A process, the position of its fold, and its checkpoint if it has one.
pub struct Start<P> {
    position: u64,
    process: P,
    save: Option<Save<P>>,
    /// The size of the last checkpoint, in bytes.
    saved_bytes: u64,
    nudge: Option<Arc<Notify>>,
}

impl<P> std::fmt::Debug for Start<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Start({})", self.position)
    }
}

impl<P> Start<P> {
    /// A process that has folded the log up to `position`, without a checkpoint.
    #[must_use]
    pub fn at(position: u64, process: P) -> Self {
        Self { position, process, save: None, saved_bytes: 0, nudge: None }
    }

    /// Reads [`Process::wake`] again whenever `nudge` is notified. For a process that can get work other than facts.
    #[must_use]
    pub fn nudged_by(self, nudge: Arc<Notify>) -> Self {
        Self { nudge: Some(nudge), ..self }
    }
}

impl<P: Serialize + DeserializeOwned + Default + Clone + Send + 'static> Start<P> {
    /// A process restored from its checkpoint, in the log with this head. Its checkpoint is written from now on.
    #[must_use]
    pub fn resumed(checkpoint: Checkpoint, head: LogPosition) -> Self {
        Self::resumed_part(checkpoint, head, |process| process, |process| process)
    }
}

impl<P> Start<P> {
    /// A process of which the checkpoint contains only the part `N`: `wake` makes the process from it, `part` returns
    /// it. The part is copied between two steps, so copying it should be cheap. The copy is written in the background.
    #[must_use]
    pub fn resumed_part<N: Serialize + DeserializeOwned + Default + Clone + Send + 'static>(
        checkpoint: Checkpoint,
        head: LogPosition,
        wake: impl FnOnce(N) -> P,
        part: impl Fn(&P) -> &N + Send + 'static,
    ) -> Self {
        let (position, saved) = checkpoint.read(head);
        let saved_bytes = checkpoint.bytes();
        let save: Save<P> = Box::new(move |place, process| {
            let (checkpoint, saved) = (checkpoint.clone(), part(process).clone());
            Box::new(move || checkpoint.write(place, &saved))
        });
        Self { position, process: wake(saved), save: Some(save), saved_bytes, nudge: None }
    }
}

/// Starts a task that runs a process.
pub fn run<P, F, A>(
    feed: &Arc<Feed>,
    clock: Arc<dyn Clock>,
    start: Start<P>,
    pace: Pace,
    carry_out: F,
) -> JoinHandle<()>
where
    P: Process<Event: Hears> + 'static,
    F: Fn(Action<P::Intent>) -> A + Send + Sync + 'static,
    A: Future<Output = ActionOutcome> + Send + 'static,
{
    let Start { position, process, save, saved_bytes, nudge } = start;
    let saved_bytes = Arc::new(AtomicU64::new(saved_bytes));
    let folding = Folding { process, save, feed: Arc::clone(feed), unsaved: 0, saved_bytes, saving: None };
    let follower = Follower::new(feed, position, folding);
    tokio::spawn(Reactor { follower, feed: Arc::clone(feed), clock, pace, carry_out, spoken_at: 0, nudge }.run())
}

/// A process as a fold of the log, with its checkpoint.
struct Folding<P> {
    process: P,
    save: Option<Save<P>>,
    feed: Arc<Feed>,
    /// The number of facts since the last checkpoint.
    unsaved: u64,
    /// The size of the last checkpoint, in bytes.
    saved_bytes: Arc<AtomicU64>,
    /// The task that writes a checkpoint.
    saving: Option<JoinHandle<()>>,
}

impl<P: Process<Event: Hears>> Fold for Folding<P> {
    fn name(&self) -> &'static str {
        self.process.name()
    }

    fn forgotten(&self, fact: &Fact) -> Option<TicketId> {
        self.process.forgotten(P::Event::of(fact)?)
    }

    fn recall(&mut self, history: &[Arc<Fact>]) {
        history.iter().filter_map(|past| P::Event::of(past)).for_each(|past| self.process.apply(past));
    }

    fn apply(&mut self, fact: &Arc<Fact>) {
        self.unsaved += 1;
        if let Some(event) = P::Event::of(fact) {
            self.process.apply(event);
        }
    }

    /// Starts writing a checkpoint, if one is due and no other is being written: both would use the same temporary
    /// file.
    fn tell(&mut self, upto: u64) {
        let is_saving = self.saving.as_ref().is_some_and(|saving| !saving.is_finished());
        if self.unsaved < facts_until_next(self.saved_bytes.load(Ordering::Relaxed)) || is_saving {
            return;
        }
        let Some(save) = &self.save else { return };
        self.unsaved = 0;
        let (write, process) = (save(self.feed.place(upto), &self.process), self.process.name());
        let saved_bytes = Arc::clone(&self.saved_bytes);
        self.saving = Some(tokio::task::spawn_blocking(move || match write() {
            Ok(bytes) => saved_bytes.store(bytes, Ordering::Relaxed),
            Err(error) => tracing::warn!(process, %error, "the checkpoint cannot be written"),
        }));
    }
}

/// The result of asking a process for actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoken {
    /// There are no actions.
    Silence,
    /// All actions were executed. Their facts are not folded yet.
    All,
    /// Some action was rejected, after which the process may propose another, or must be tried again.
    NotAll,
}

/// Returns after `patience`, or when the process is nudged. `None` waits without limit.
async fn waited(patience: Option<Duration>, nudge: Option<Arc<Notify>>) {
    let slept = async {
        match patience {
            Some(patience) => time::sleep(patience).await,
            None => future::pending().await,
        }
    };
    let nudged = async {
        match &nudge {
            Some(nudge) => nudge.notified().await,
            None => future::pending().await,
        }
    };
    tokio::select! {
        () = slept => {}
        () = nudged => {}
    }
}

struct Reactor<P, F> {
    follower: Follower<Folding<P>>,
    feed: Arc<Feed>,
    clock: Arc<dyn Clock>,
    pace: Pace,
    carry_out: F,
    /// The position of the last fact that the process wrote.
    spoken_at: u64,
    nudge: Option<Arc<Notify>>,
}

impl<P, F, A> Reactor<P, F>
where
    P: Process<Event: Hears>,
    F: Fn(Action<P::Intent>) -> A + Send + Sync,
    A: Future<Output = ActionOutcome> + Send,
{
    async fn run(mut self) {
        // True when there is a reason to ask other than the time: new facts, or an action to be tried again.
        let mut ask = true;
        loop {
            let patience = if !self.may_speak() {
                None
            } else if ask || self.is_time() {
                let spoken = self.speak().await;
                ask = spoken == Spoken::NotAll;
                match spoken {
                    Spoken::Silence => self.sleep(),
                    Spoken::All => None,
                    Spoken::NotAll => Some(ACTION_RETRY),
                }
            } else {
                self.sleep()
            };
            let nudge = self.nudge.clone().filter(|_| !ask);
            ask |= self.follower.step(waited(patience, nudge)).await;
        }
    }

    fn process(&self) -> &P {
        &self.follower.fold.process
    }

    /// True when the fold has passed the process's own last write and has reached the head of the feed.
    fn may_speak(&self) -> bool {
        self.follower.position() >= self.feed.head().max(self.spoken_at)
    }

    /// True when the process's time to wake has come.
    fn is_time(&self) -> bool {
        self.process().wake().is_some_and(|at| at <= self.clock.now())
    }

    /// The longest sleep without new facts; `None` when only facts can wake the process.
    fn sleep(&self) -> Option<Duration> {
        let left = (self.process().wake()? - self.clock.now()).to_std().unwrap_or_default();
        Some(if left.is_zero() { WAKE_REST } else { left.min(WAKE_CAP) })
    }

    /// Asks the process for actions and executes them.
    async fn speak(&mut self) -> Spoken {
        let wants = self.follower.fold.process.pending(self.clock.now(), self.pace.actions_max);
        if wants.is_empty() {
            return Spoken::Silence;
        }
        let carry_out = &self.carry_out;
        let carried = stream::iter(wants).map(async |want| (carry_out(want.clone()).await, want));
        let mut carried = std::pin::pin!(carried.buffer_unordered(self.pace.at_once_max.max(1)));
        let mut spoken = Spoken::All;
        while let Some((answer, want)) = carried.next().await {
            let refusal = match answer {
                // Executed earlier, and the fold contains the result, but the action is still proposed. Asking again
                // would loop.
                ActionOutcome::Done(position) if position <= self.follower.position() => {
                    Some("carried out before, without the effect that was wanted".to_owned())
                }
                ActionOutcome::Done(position) => {
                    self.spoken_at = self.spoken_at.max(position);
                    continue;
                }
                ActionOutcome::Refused(reason) => Some(reason),
                ActionOutcome::Later => None,
            };
            spoken = Spoken::NotAll;
            if let Some(reason) = refusal {
                let (process, name, because) = (self.process().name(), want.name, want.because);
                tracing::warn!(process, want = name, because, reason, "refused");
                self.follower.fold.process.refused(&want, &reason);
            }
        }
        spoken
    }
}
