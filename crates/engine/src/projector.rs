//! Projectors keep read models up to date. A projector applies pages of facts from the feed in order, each page in one
//! step. It does not know the contents of a model.

use std::{mem, sync::Arc};

use switchboard_domain::{fact::Fact, read_model::ReadModel};
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    feed::Feed,
    follower::{Fold, Follower, Keep},
};

/// The progress of a running projector.
#[derive(Clone, Debug)]
pub struct Progress(watch::Receiver<u64>);

impl Progress {
    /// The position of the last fact that the model contains.
    #[must_use]
    pub fn position(&self) -> u64 {
        *self.0.borrow()
    }

    /// Waits until the model contains `position`. Returns `false` when the projector stopped before that.
    pub async fn reach(&self, position: u64) -> bool {
        self.0.clone().wait_for(|at| *at >= position).await.is_ok()
    }
}

/// Starts a task that applies `feed` to `model`.
#[must_use]
pub fn project(feed: &Arc<Feed>, model: Arc<dyn ReadModel>) -> (Progress, JoinHandle<()>) {
    let start = model.checkpoint();
    let (progress, reached) = watch::channel(start);
    let projector = Projector { model, feed: Arc::clone(feed), facts: Vec::new(), progress };
    (Progress(reached), tokio::spawn(Follower::new(feed, start, projector).resting().run()))
}

/// Collects the facts of a page for a model.
struct Projector {
    model: Arc<dyn ReadModel>,
    feed: Arc<Feed>,
    facts: Vec<Arc<Fact>>,
    progress: watch::Sender<u64>,
}

impl Fold for Projector {
    fn name(&self) -> &'static str {
        self.model.name()
    }

    fn apply(&mut self, fact: &Arc<Fact>) {
        self.facts.push(Arc::clone(fact));
    }

    fn keep(&mut self, upto: u64) -> Option<Keep> {
        let (model, facts, log) = (Arc::clone(&self.model), mem::take(&mut self.facts), self.feed.place(upto).log);
        Some(Arc::new(move || model.name_log(log).and_then(|()| model.apply(&facts, upto))))
    }

    fn tell(&mut self, upto: u64) {
        self.progress.send_replace(upto);
    }
}
