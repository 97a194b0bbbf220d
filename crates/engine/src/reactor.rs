//! Runs processes: folds the log into each, carries out what it wants, and tells it what was refused.
//!
//! A want's request id derives from the process, the want's name and the fact that caused it, never from the clock: a crash
//! between acting and observing acts once. A process is asked again only when its fold has passed its own last write.

use std::{future::Future, sync::Arc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use switchboard_domain::decider::{Process, Want};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::{
    clock::Clock,
    feed::{Fact, Feed},
    notebook::Notebook,
};

/// The most wants carried out between two looks at the log.
pub const WANTS_MAX: usize = 64;
/// The most facts folded in one step.
pub const STEP_FACTS_MAX: usize = 512;
/// After so many facts a process notes where it is.
pub const NOTE_FACTS: u64 = 10_000;
/// How long a want waits that could not be carried out for want of a store.
pub const RETRY: Duration = Duration::from_millis(500);

/// What became of a want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Done, now or earlier; its facts end at this position.
    Done(u64),
    /// Refused for good.
    Refused(String),
    /// Not now.
    Later,
}

/// The name of a want for ever: the request id of the command that carries it out.
#[must_use]
pub fn request_id<I>(process: &str, want: &Want<I>, target: &str) -> Uuid {
    let name = format!("{process}/{}/{}/{target}", want.name, want.because);
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes())
}

/// Starts running the process `P` from where its notebook says it was.
pub fn run<P, F, A>(feed: &Arc<Feed>, notebook: Notebook, clock: Arc<dyn Clock>, carry_out: F) -> JoinHandle<()>
where
    P: Process<Event = Fact> + Serialize + DeserializeOwned + Default + 'static,
    F: Fn(Want<P::Intent>) -> A + Send + 'static,
    A: Future<Output = Answer> + Send,
{
    let (mut noted, mut process) = notebook.read::<P>(feed.head());
    let mut cursor = feed.cursor(noted);
    let feed = Arc::clone(feed);
    tokio::spawn(async move {
        let mut spoken_at = 0;
        loop {
            let caught_up = cursor.position() >= feed.head();
            let wants = if caught_up && cursor.position() >= spoken_at {
                process.pending(clock.now(), WANTS_MAX)
            } else {
                Vec::new()
            };
            let mut later = false;
            for want in wants {
                match carry_out(want.clone()).await {
                    // Done long ago, and the fold that knows it wants it still: asking again would spin.
                    Answer::Done(position) if position <= cursor.position() => {
                        process.refused(&want, "carried out before, without the effect that was wanted");
                    }
                    Answer::Done(position) => spoken_at = spoken_at.max(position),
                    Answer::Refused(reason) => {
                        tracing::warn!(
                            process = process.name(),
                            want = want.name,
                            because = want.because,
                            reason,
                            "refused"
                        );
                        process.refused(&want, &reason);
                        later = true;
                    }
                    Answer::Later => later = true,
                }
            }
            let next = cursor.next(STEP_FACTS_MAX);
            let page = if later { tokio::time::timeout(RETRY, next).await } else { Ok(next.await) };
            match page {
                Ok(Ok(page)) => {
                    page.iter().filter_map(|entry| entry.fact.as_deref()).for_each(|fact| process.apply(fact))
                }
                Ok(Err(error)) => {
                    tracing::error!(process = process.name(), %error, "the feed cannot be read; trying again");
                    tokio::time::sleep(RETRY).await;
                }
                Err(_) => {}
            }
            if cursor.position() - noted >= NOTE_FACTS {
                noted = cursor.position();
                if let Err(error) = notebook.write(noted, &process) {
                    tracing::warn!(process = process.name(), %error, "the notebook cannot be written");
                }
            }
        }
    })
}
