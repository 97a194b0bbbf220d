//! Runs processes: folds the log into each, wakes it when it asked to be woken, carries out what it wants, and tells
//! it what was refused.
//!
//! A want's request id derives from the process, the want's name and the fact that caused it, never from the clock: a
//! crash between acting and observing acts once. A process is asked again only when its fold has passed its own last
//! write. One that let a ticket go is told the ticket's history again before the fact that it needs it for. What a
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

/// How long an action waits that the store could not take.
pub const RETRY: Duration = Duration::from_millis(500);
/// The longest sleep between two looks at the clock: a wall clock that jumps forward is noticed within it.
pub const WAKE_CAP: Duration = Duration::from_millis(500);
/// A process that was to be woken by now and wanted nothing is not asked again sooner, unless facts come.
pub const WAKE_REST: Duration = Duration::from_millis(10);

/// What became of a want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionOutcome {
    /// Done, now or earlier, by this want or another: the process is asked again when it knows the log up to this
    /// position. One that knows it already and wants the same still is told that the want is refused.
    Done(u64),
    /// Refused for good.
    Refused(String),
    /// Not now.
    Later,
}

/// The request id of the command that carries an action out. `cause` is the id of the event at [`Action::because`]:
/// a copy of the log has the same event at another position, and must give the same action the same request id.
#[must_use]
pub fn request_id<I>(vault: &Vault, process: &str, action: &Action<I>, cause: Uuid, target: &str) -> Uuid {
    let parts = [b"process", process.as_bytes(), action.name.as_bytes(), cause.as_bytes(), target.as_bytes()];
    vault.request_id(&parts)
}

/// Which facts a process is told: a process says so by the type of its events.
pub trait Hears: Sync {
    /// The fact as the process takes it; `None` when it is none of its.
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

/// How much a process does at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The most wants carried out between two looks at the log.
    pub actions_max: usize,
    /// How many of them at once, so that they share the store's syncs; 0 counts as 1.
    pub at_once_max: usize,
}

impl Default for Pace {
    /// One by one, in the order of the wants.
    fn default() -> Self {
        Self { actions_max: 64, at_once_max: 1 }
    }
}

/// Writes down what was copied for it; how many bytes that took.
type Write = Box<dyn FnOnce() -> io::Result<u64> + Send>;
/// Copies what is to be noted of a process at a position.
type Note<P> = Box<dyn Fn(LogPosition, &P) -> Write + Send>;

/// A process, the position that it is folded up to, and where that is noted as it goes on.
pub struct Start<P> {
    position: u64,
    process: P,
    note: Option<Note<P>>,
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
    /// A process that knows the log up to `position`. Nothing is noted.
    #[must_use]
    pub fn at(position: u64, process: P) -> Self {
        Self { position, process, note: None, saved_bytes: 0, nudge: None }
    }

    /// Has the process's [`Process::wake`] looked at again whenever `nudge` is notified: for a process that can be given work
    /// other than facts.
    #[must_use]
    pub fn nudged_by(self, nudge: Arc<Notify>) -> Self {
        Self { nudge: Some(nudge), ..self }
    }
}

impl<P: Serialize + DeserializeOwned + Default + Clone + Send + 'static> Start<P> {
    /// A process as its checkpoint says that it was, in a log with this head; it is noted there from now on.
    #[must_use]
    pub fn noted(checkpoint: Checkpoint, head: LogPosition) -> Self {
        Self::noted_part(checkpoint, head, |process| process, |process| process)
    }
}

impl<P> Start<P> {
    /// A process of which only the part `N` is noted: `wake` makes it from that part, `part` shows it. The part is copied
    /// between two steps of the process, so that its copy had better be cheap; it is written down beside them.
    #[must_use]
    pub fn noted_part<N: Serialize + DeserializeOwned + Default + Clone + Send + 'static>(
        checkpoint: Checkpoint,
        head: LogPosition,
        wake: impl FnOnce(N) -> P,
        part: impl Fn(&P) -> &N + Send + 'static,
    ) -> Self {
        let (position, noted) = checkpoint.read(head);
        let saved_bytes = checkpoint.bytes();
        let note: Note<P> = Box::new(move |place, process| {
            let (checkpoint, noted) = (checkpoint.clone(), part(process).clone());
            Box::new(move || checkpoint.write(place, &noted))
        });
        Self { position, process: wake(noted), note: Some(note), saved_bytes, nudge: None }
    }
}

/// Starts running a process.
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
    let Start { position, process, note, saved_bytes, nudge } = start;
    let saved_bytes = Arc::new(AtomicU64::new(saved_bytes));
    let folding = Folding { process, note, feed: Arc::clone(feed), unsaved: 0, saved_bytes, saving: None };
    let follower = Follower::new(feed, position, folding);
    tokio::spawn(Reactor { follower, feed: Arc::clone(feed), clock, pace, carry_out, spoken_at: 0, nudge }.run())
}

/// A process as a fold of the log, with its checkpoint.
struct Folding<P> {
    process: P,
    note: Option<Note<P>>,
    feed: Arc<Feed>,
    /// Facts since the last checkpoint.
    unsaved: u64,
    /// The size of the last checkpoint, in bytes.
    saved_bytes: Arc<AtomicU64>,
    /// The checkpoint that is being written.
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

    /// Starts writing a checkpoint, if one is due and the one before is written: they share a draft.
    fn tell(&mut self, upto: u64) {
        let is_saving = self.saving.as_ref().is_some_and(|saving| !saving.is_finished());
        if self.unsaved < facts_until_next(self.saved_bytes.load(Ordering::Relaxed)) || is_saving {
            return;
        }
        let Some(note) = &self.note else { return };
        self.unsaved = 0;
        let (write, process) = (note(self.feed.place(upto), &self.process), self.process.name());
        let saved_bytes = Arc::clone(&self.saved_bytes);
        self.saving = Some(tokio::task::spawn_blocking(move || match write() {
            Ok(bytes) => saved_bytes.store(bytes, Ordering::Relaxed),
            Err(error) => tracing::warn!(process, %error, "the checkpoint cannot be written"),
        }));
    }
}

/// What came of asking a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoken {
    /// It wants nothing.
    Silence,
    /// All that it wanted was done; the facts of that are on their way to it.
    All,
    /// Something was refused, which may make it want another thing, or has to wait.
    NotAll,
}

/// Returns after `patience`, for ever `None`, or when the process is nudged.
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
    /// The position of its own last write.
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
        // Whether there is a reason to ask beside the time: facts came, or a want is to be tried again.
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
                    Spoken::NotAll => Some(RETRY),
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

    /// Whether its fold has passed its own last write and whatever else is there to be known.
    fn may_speak(&self) -> bool {
        self.follower.position() >= self.feed.head().max(self.spoken_at)
    }

    /// Whether it is to be woken by now.
    fn is_time(&self) -> bool {
        self.process().wake().is_some_and(|at| at <= self.clock.now())
    }

    /// How long it may sleep if no facts come; for ever when only facts can wake it.
    fn sleep(&self) -> Option<Duration> {
        let left = (self.process().wake()? - self.clock.now()).to_std().unwrap_or_default();
        Some(if left.is_zero() { WAKE_REST } else { left.min(WAKE_CAP) })
    }

    /// Asks the process what it wants, and has that carried out.
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
                // Done long ago, and the fold that knows it wants it still: asking again would spin.
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
