//! The loop that follows the log. It takes a page, loads dropped histories, folds, stores the step, and reports the new
//! position.
//!
//! Projectors, processes and the service of assignment changes use it, each with its own fold. A fold gets every fact
//! once and in order. A step is stored before its position is reported. Storing is retried until it succeeds.

use std::{
    error::Error,
    future::{self, Future},
    sync::Arc,
    time::Duration,
};

use switchboard_domain::{fact::Fact, ticket::TicketId};
use switchboard_eventstore::episode::Episode;
use tokio::{
    sync::Notify,
    task,
    time::{self, Instant},
};

use crate::feed::{Cursor, Feed};

/// The most facts folded in one step.
pub const STEP_FACTS_MAX: usize = 512;
/// After a step, a resting follower sleeps this many times as long as the step took, unless the step was full. So it
/// uses a bounded share of a core, and its steps grow with the load.
pub const REST_FACTOR: u32 = 4;
/// The longest rest of a follower whose facts are awaited.
pub const REST_MAX: Duration = Duration::from_millis(20);

/// The pause between two steps.
#[derive(Debug)]
enum Rest {
    /// There is none.
    Never,
    /// In proportion to the step, up to [`REST_MAX`].
    Short,
    /// This long, unless a reader waits.
    UntilHurried(Arc<Notify>, Duration),
}

/// Stores a step. It is called on a blocking thread, and again until it succeeds.
pub type Keep = Arc<dyn Fn() -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync>;

/// A fold of the log, fact by fact.
pub trait Fold: Send {
    /// Its name in the text log.
    fn name(&self) -> &'static str;
    /// The ticket whose history the fold has dropped and needs again before it applies this fact.
    fn forgotten(&self, _: &Fact) -> Option<TicketId> {
        None
    }
    /// Applies a ticket's history up to the next fact.
    fn recall(&mut self, _: &[Arc<Fact>]) {}
    /// Applies the next fact.
    fn apply(&mut self, fact: &Arc<Fact>);
    /// The function that stores the step of the facts up to this position; `None` when there is nothing to store.
    fn keep(&mut self, _: u64) -> Option<Keep> {
        None
    }
    /// The facts up to this position are folded and stored. The fold may report that.
    fn tell(&mut self, _: u64) {}
}

/// A fold with its place in the log.
pub struct Follower<F> {
    /// The fold.
    pub fold: F,
    feed: Arc<Feed>,
    cursor: Cursor,
    rest: Rest,
    /// Failures to read the feed.
    reading: Episode,
}

impl<F> std::fmt::Debug for Follower<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Follower({})", self.cursor.position())
    }
}

impl<F: Fold> Follower<F> {
    /// A follower whose fold contains the log up to `position`.
    #[must_use]
    pub fn new(feed: &Arc<Feed>, position: u64, fold: F) -> Self {
        Self {
            fold,
            feed: Arc::clone(feed),
            cursor: feed.cursor(position),
            rest: Rest::Never,
            reading: Episode::default(),
        }
    }

    /// The same follower, but it rests for a short time after each step that was not full.
    #[must_use]
    pub fn resting(self) -> Self {
        Self { rest: Rest::Short, ..self }
    }

    /// The same follower, but after each step that was not full it rests for `rest`, or until `hurry` is notified.
    #[must_use]
    pub fn resting_until(self, hurry: Arc<Notify>, rest: Duration) -> Self {
        Self { rest: Rest::UntilHurried(hurry, rest), ..self }
    }

    /// The position of the last folded fact.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.cursor.position()
    }

    /// Follows the log. It never returns.
    pub async fn run(mut self) {
        loop {
            self.step(future::pending()).await;
        }
    }

    /// Makes one step with the next page. Waits for the page until `until` completes. Returns true when a page was
    /// folded. Once there is a page, the step is finished.
    pub async fn step(&mut self, until: impl Future<Output = ()>) -> bool {
        let page = tokio::select! {
            biased;
            page = self.cursor.next(STEP_FACTS_MAX) => page,
            () = until => return false,
        };
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                if self.reading.fails() {
                    tracing::error!(follower = self.fold.name(), %error, "the feed cannot be read; retrying");
                }
                self.reading.rest().await;
                return false;
            }
        };
        self.reading.ends();
        let begun = Instant::now();
        for fact in page.iter().filter_map(|entry| entry.fact.as_ref()) {
            if let Some(ticket) = self.fold.forgotten(fact) {
                let history = self.history(ticket, fact.position()).await;
                self.fold.recall(&history);
            }
            self.fold.apply(fact);
        }
        let upto = self.cursor.position();
        if let Some(keep) = self.fold.keep(upto) {
            self.keep(keep, upto).await;
        }
        self.fold.tell(upto);
        match &self.rest {
            Rest::Short if page.len() < STEP_FACTS_MAX => {
                time::sleep((begun.elapsed() * REST_FACTOR).min(REST_MAX)).await;
            }
            Rest::UntilHurried(hurry, rest) if page.len() < STEP_FACTS_MAX => {
                let _ = time::timeout(*rest, hurry.notified()).await;
            }
            // Folding may take long: let the other tasks of this thread run between two pages.
            _ => task::yield_now().await,
        }
        true
    }

    /// Reads a ticket's history before a position. The fold would be wrong without it, so reading is retried until it
    /// succeeds.
    async fn history(&mut self, ticket: TicketId, before: u64) -> Vec<Arc<Fact>> {
        let mut episode = Episode::default();
        loop {
            match self.feed.history(ticket, before).await {
                Ok(history) => return history,
                Err(error) if episode.fails() => {
                    let follower = self.fold.name();
                    tracing::error!(follower, %ticket, %error, "a history cannot be read; retrying");
                }
                Err(_) => {}
            }
            episode.rest().await;
        }
    }

    /// Stores a step. The next steps depend on it, so storing is retried until it succeeds.
    async fn keep(&mut self, keep: Keep, upto: u64) {
        let (follower, mut episode) = (self.fold.name(), Episode::default());
        loop {
            let keep = Arc::clone(&keep);
            let kept = task::spawn_blocking(move || keep()).await.unwrap_or_else(|error| Err(error.into()));
            let Err(error) = kept else { break };
            if episode.fails() {
                tracing::error!(follower, upto, error, "a step was not kept; retrying");
            }
            episode.rest().await;
        }
        if let Some(failures) = episode.ends() {
            tracing::info!(follower, upto, failures, "steps are kept again");
        }
    }
}
