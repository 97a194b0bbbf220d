//! Keeps read models up to date: pages of facts from the feed, applied in order, each page in one step of the model.
//! What a model looks like is not known here.

use std::{sync::Arc, time::Duration};

use switchboard_domain::{fact::Fact, read_model::ReadModel};
use tokio::{sync::watch, task::JoinHandle};

use crate::feed::Feed;

/// The most facts applied in one step.
pub const STEP_FACTS_MAX: usize = 512;
/// How long a failed step waits before it is tried again.
pub const STEP_RETRY: Duration = Duration::from_secs(1);

/// After a step a projector rests so many times as long as the step took, unless more than a step is waiting: it takes a fixed
/// share of a core at most, and its steps grow with the load.
pub const REST_FACTOR: u32 = 4;
/// It rests no longer than this.
pub const REST_MAX: Duration = Duration::from_millis(20);

/// A running projector: how far its model is.
#[derive(Clone, Debug)]
pub struct Progress(watch::Receiver<u64>);

impl Progress {
    /// The position up to which the model is true.
    #[must_use]
    pub fn position(&self) -> u64 {
        *self.0.borrow()
    }

    /// Waits until the model is true at least for `position`. Ends early, with `false`, when the projector stopped.
    pub async fn reach(&self, position: u64) -> bool {
        self.0.clone().wait_for(|at| *at >= position).await.is_ok()
    }
}

/// Starts keeping `model` up to date with `feed`.
#[must_use]
pub fn project(feed: &Arc<Feed>, model: Arc<dyn ReadModel>) -> (Progress, JoinHandle<()>) {
    let start = model.checkpoint();
    let (progress, reached) = watch::channel(start);
    let mut cursor = feed.cursor(start);
    let task = tokio::spawn(async move {
        loop {
            let page = match cursor.next(STEP_FACTS_MAX).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::error!(model = model.name(), %error, "the feed cannot be read; trying again");
                    tokio::time::sleep(STEP_RETRY).await;
                    continue;
                }
            };
            let facts: Arc<[Arc<Fact>]> = page.iter().filter_map(|entry| entry.fact.clone()).collect();
            let upto = cursor.position();
            let begun = tokio::time::Instant::now();
            loop {
                let (model, facts) = (Arc::clone(&model), Arc::clone(&facts));
                let name = model.name();
                match tokio::task::spawn_blocking(move || model.apply(&facts, upto)).await {
                    Ok(Ok(())) => break,
                    Ok(Err(error)) => tracing::error!(model = name, upto, error, "a step was not kept; trying again"),
                    Err(error) => tracing::error!(model = name, upto, %error, "a step broke off; trying again"),
                }
                tokio::time::sleep(STEP_RETRY).await;
            }
            progress.send_replace(upto);
            if page.len() < STEP_FACTS_MAX {
                tokio::time::sleep((begun.elapsed() * REST_FACTOR).min(REST_MAX)).await;
            }
        }
    });
    (Progress(reached), task)
}
