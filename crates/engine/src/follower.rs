//! The one loop that follows the log: take a page, recall what was let go, fold, keep, tell.
//!
//! Projectors, processes and the list of what crews are told are uses of it; what they fold is theirs. A fold is told
//! every fact once and in order. What it keeps on disk is kept before anybody is told, and tried again until it is kept.

use std::{
    error::Error,
    future::{self, Future},
    sync::Arc,
    time::Duration,
};

use switchboard_domain::{fact::Fact, ticket::TicketId};
use tokio::{
    task,
    time::{self, Instant},
};

use crate::feed::{Cursor, Feed};

/// The most facts folded in one step.
pub const STEP_FACTS_MAX: usize = 512;
/// How long a page, a history or a step waits that could not be read or kept.
pub const RETRY: Duration = Duration::from_millis(500);
/// After a step a resting follower sleeps so many times as long as the step took, unless more than a step is waiting: it
/// takes a fixed share of a core at most, and its steps grow with the load.
pub const REST_FACTOR: u32 = 4;
/// The longest rest.
pub const REST_MAX: Duration = Duration::from_millis(20);

/// Writes a step down. Called on a thread that may block, and again until it succeeds.
pub type Keep = Arc<dyn Fn() -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync>;

/// What is made of the log, fact by fact.
pub trait Fold: Send {
    /// Its name, for the operator's log.
    fn name(&self) -> &'static str;
    /// The ticket whose history the fold let go and needs again before it takes this fact.
    fn forgotten(&self, _: &Fact) -> Option<TicketId> {
        None
    }
    /// Takes a ticket's history up to the next fact into account.
    fn recall(&mut self, _: &[Arc<Fact>]) {}
    /// Takes the next fact into account.
    fn apply(&mut self, fact: &Arc<Fact>);
    /// What is to be written down of the facts since the last step, which reach up to a position. `None`: nothing.
    fn keep(&mut self, _: u64) -> Option<Keep> {
        None
    }
    /// The step up to this position was folded and kept: whoever waits for it may know.
    fn tell(&mut self, _: u64) {}
}

/// A fold and its place in the log.
pub struct Follower<F> {
    /// The fold.
    pub fold: F,
    feed: Arc<Feed>,
    cursor: Cursor,
    rests: bool,
}

impl<F> std::fmt::Debug for Follower<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Follower({})", self.cursor.position())
    }
}

impl<F: Fold> Follower<F> {
    /// A fold that knows the log up to `position`.
    #[must_use]
    pub fn new(feed: &Arc<Feed>, position: u64, fold: F) -> Self {
        Self { fold, feed: Arc::clone(feed), cursor: feed.cursor(position), rests: false }
    }

    /// The same, resting between two steps that were not full.
    #[must_use]
    pub fn resting(self) -> Self {
        Self { rests: true, ..self }
    }

    /// Everything up to here was folded.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.cursor.position()
    }

    /// Follows the log for ever.
    pub async fn run(mut self) {
        loop {
            self.step(future::pending()).await;
        }
    }

    /// One step: the next page, for which it waits no longer than `until`. Whether there was one. Once a page is there, the
    /// step is finished.
    pub async fn step(&mut self, until: impl Future<Output = ()>) -> bool {
        let page = tokio::select! {
            biased;
            page = self.cursor.next(STEP_FACTS_MAX) => page,
            () = until => return false,
        };
        let page = match page {
            Ok(page) => page,
            Err(error) => {
                tracing::error!(follower = self.fold.name(), %error, "the feed cannot be read; trying again");
                time::sleep(RETRY).await;
                return false;
            }
        };
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
        if self.rests && page.len() < STEP_FACTS_MAX {
            time::sleep((begun.elapsed() * REST_FACTOR).min(REST_MAX)).await;
        } else {
            // Folding may be work: the other tasks of this thread have their turn between two pages.
            task::yield_now().await;
        }
        true
    }

    /// A ticket's history before a position. A fold without it would be another one, so it is tried until it is there.
    async fn history(&mut self, ticket: TicketId, before: u64) -> Vec<Arc<Fact>> {
        loop {
            match self.feed.history(ticket, before).await {
                Ok(history) => return history,
                Err(error) => {
                    let follower = self.fold.name();
                    tracing::error!(follower, %ticket, %error, "a history cannot be read; trying again");
                    time::sleep(RETRY).await;
                }
            }
        }
    }

    /// Has a step written down. What follows stands on it, so it is tried until it is kept.
    async fn keep(&mut self, keep: Keep, upto: u64) {
        let follower = self.fold.name();
        loop {
            let keep = Arc::clone(&keep);
            match task::spawn_blocking(move || keep()).await {
                Ok(Ok(())) => return,
                Ok(Err(error)) => tracing::error!(follower, upto, error, "a step was not kept; trying again"),
                Err(error) => tracing::error!(follower, upto, %error, "a step broke off; trying again"),
            }
            time::sleep(RETRY).await;
        }
    }
}
