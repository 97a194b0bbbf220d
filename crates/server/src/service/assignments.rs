//! Assignment streams: the changes of each crew's offers and assignments, live and from history. One task folds the log
//! and appends each change to the line of its crew. A watcher pulls the changes after its cursor.
//!
//! A line holds only the newest changes of one crew. A watcher that is further behind reads the index of crew changes
//! and the tickets' own streams, and gets the same changes. So nothing queues for a slow reader, and a token that is
//! weeks old still resumes. The index is written before a line is updated, so the index has every change that a line
//! has dropped. There is no transport here.

mod lines;

#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use switchboard_domain::{
    Timestamp,
    crew::CrewId,
    fact::{Fact, TicketFact},
    ticket::TicketId,
};
use switchboard_engine::{
    feed::Feed,
    follower::{self, Follower, Keep},
};
use switchboard_readmodel::crew_changes::{CrewChanges, Step};
use switchboard_views::assignments::{Assignments as Fold, Change, Snapshot, Standing, replay_changes};
use switchboard_wire::{refusal::Refusal, stored::Stored as _};
use tokio::sync::{Semaphore, watch};

use self::lines::Lines;
pub use self::lines::RING_CHANGES_MAX;
use crate::service::{off_thread, unreadable};

/// The most changes that one read of history returns.
pub const HISTORY_CHANGES_MAX: usize = 64;
/// The most reads of history in progress. Further reads wait.
const HISTORIES_MAX: usize = 16;
/// The file's checkpoint lags at most this many facts, if none of them concerned a crew. The next start folds them
/// again.
const IDLE_FACTS: usize = 1_000;

/// A change, with the stored kind of the fact that made it.
#[derive(Clone, Debug, PartialEq)]
pub struct CrewChange {
    /// The message to the crew.
    pub change: Change,
    /// The fact's stored kind, such as `ticket.urged.v1`.
    pub kind: &'static str,
}

/// Consecutive changes of one crew, in the order of the log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pulled {
    /// The changes.
    pub crew_changes: Vec<Arc<CrewChange>>,
    /// The position up to which the changes are complete.
    pub upto: u64,
}

/// The fold, with the position for which it is true.
#[derive(Debug)]
struct Folded {
    fold: Fold,
    position: u64,
}

/// The assignment streams of all crews.
pub struct Assignments {
    feed: Arc<Feed>,
    crew_changes: CrewChanges,
    folded: Mutex<Folded>,
    lines: Lines,
    histories: Semaphore,
}

impl std::fmt::Debug for Assignments {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Assignments({})", self.lines.position())
    }
}

impl Assignments {
    /// Resumes from the checkpoint of the file of crew changes. Reads only the streams of tickets that are offered to a
    /// crew or assigned to one.
    ///
    /// # Errors
    /// The file or the log cannot be read.
    pub(crate) async fn resume(feed: Arc<Feed>, crew_changes: CrewChanges) -> anyhow::Result<Arc<Self>> {
        Self::resume_with(feed, crew_changes, RING_CHANGES_MAX).await
    }

    async fn resume_with(feed: Arc<Feed>, crew_changes: CrewChanges, ring_max: usize) -> anyhow::Result<Arc<Self>> {
        let file = crew_changes.clone();
        let resumed = tokio::task::spawn_blocking(move || file.resume()).await??;
        let position = resumed.position;
        let mut fold = Fold::resume(resumed.crews);
        for ticket in resumed.live {
            fold.recall(tickets(&feed.history_upto(ticket, position).await?));
        }
        let folded = Mutex::new(Folded { fold, position });
        let (lines, histories) = (Lines::starting_at(position, ring_max), Semaphore::new(HISTORIES_MAX));
        Ok(Arc::new(Self { feed, crew_changes, folded, lines, histories }))
    }

    /// Follows the log until the task is aborted.
    pub(crate) async fn run(self: Arc<Self>) {
        let (feed, position) = (Arc::clone(&self.feed), self.lines.position());
        let following = Following { assignments: self, draft: Draft::default(), unkept: 0 };
        Follower::new(&feed, position, following).resting().run().await;
    }

    fn folded(&self) -> MutexGuard<'_, Folded> {
        self.folded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until every fact up to a position is folded and its changes are in the lines. The caller's deadline bounds
    /// the wait.
    pub(crate) async fn reach(&self, position: u64) -> bool {
        self.lines.reach(position).await
    }

    /// The standing of a crew; `None` if the crew is not on the roster.
    #[must_use]
    pub fn standing(&self, crew: &CrewId) -> Option<Standing> {
        self.folded().fold.standing(crew).copied()
    }

    /// The standing of a crew, if it is on the roster and at work at `now`.
    #[must_use]
    pub fn at_work(&self, crew: &CrewId, now: Timestamp) -> Option<Standing> {
        let folded = self.folded();
        let works = |standing: &&Standing| standing.is_at_work(now, folded.fold.has_work(crew));
        folded.fold.standing(crew).filter(works).copied()
    }

    /// All offers and assignments of a crew, and the position for which they are true.
    #[must_use]
    pub fn snapshot(&self, crew: &CrewId) -> (Snapshot, u64) {
        let folded = self.folded();
        (folded.fold.snapshot(crew), folded.position)
    }

    /// Watches the position of the crew's last change.
    #[must_use]
    pub fn watch(&self, crew: &CrewId) -> watch::Receiver<u64> {
        self.lines.watch(crew)
    }

    /// Returns changes of a crew after a position: from its line if that reaches back far enough, else one page of
    /// history. A page may end before the newest change.
    ///
    /// # Errors
    /// The file or the log cannot be read.
    pub(crate) async fn pull(&self, crew: &CrewId, after: u64) -> Result<Pulled, Refusal> {
        match self.lines.after(crew, after) {
            Some(pulled) => Ok(pulled),
            // Boxed, so that a stream which waits for changes does not carry the memory of this future.
            None => Box::pin(self.history(crew, after, HISTORY_CHANGES_MAX)).await,
        }
    }

    /// Recomputes the crew's changes after a position from the log: at most `max`.
    ///
    /// # Errors
    /// The file or the log cannot be read.
    pub(crate) async fn history(&self, crew: &CrewId, after: u64, max: usize) -> Result<Pulled, Refusal> {
        let _place = self.histories.acquire().await.map_err(|_| Refusal::Draining)?;
        let (crew_changes, asked) = (self.crew_changes.clone(), crew.clone());
        let (found, upto) = off_thread(move || crew_changes.after(&asked, after, max)).await?;
        // A full page may not be the last one: the changes are complete only up to its last change.
        let upto = match found.last() {
            Some((last, _)) if found.len() >= max => *last,
            _ => upto.max(after),
        };
        let mut told = BTreeMap::new();
        let concerned: BTreeSet<TicketId> = found.iter().map(|(_, ticket)| *ticket).collect();
        for ticket in concerned {
            let history = self.feed.history_upto(ticket, upto).await.map_err(|error| unreadable(error.into()))?;
            let facts = tickets(&history);
            let kinds: BTreeMap<u64, &'static str> =
                facts.iter().map(|fact| (fact.position, fact.event.kind())).collect();
            let changes = replay_changes(crew, facts).into_iter().filter(|change| change.position > after);
            told.extend(changes.map(|change| (change.position, crew_change(change, &kinds))));
        }
        let crew_changes: Vec<Arc<CrewChange>> =
            found.iter().filter_map(|(position, _)| told.remove(position)).collect();
        if crew_changes.len() < found.len() || !told.is_empty() {
            tracing::error!(%crew, after, "the crew_changes name other facts than those that told the crew something");
            return Err(Refusal::StoreCorrupt);
        }
        Ok(Pulled { crew_changes, upto })
    }
}

fn crew_change(change: Change, kinds: &BTreeMap<u64, &'static str>) -> Arc<CrewChange> {
    let kind = kinds.get(&change.position).copied().unwrap_or_default();
    Arc::new(CrewChange { change, kind })
}

/// The follower that folds the log. It keeps the changes of a page in the file, and then updates the lines.
struct Following {
    assignments: Arc<Assignments>,
    draft: Draft,
    /// Facts since the last checkpoint of the file.
    unkept: usize,
}

impl follower::Fold for Following {
    fn name(&self) -> &'static str {
        "assignments"
    }

    fn forgotten(&self, fact: &Fact) -> Option<TicketId> {
        self.assignments.folded().fold.forgotten(fact)
    }

    fn recall(&mut self, history: &[Arc<Fact>]) {
        self.assignments.folded().fold.recall(tickets(history));
    }

    fn apply(&mut self, fact: &Arc<Fact>) {
        let mut folded = self.assignments.folded();
        folded.position = fact.position();
        self.draft.take(&mut folded.fold, fact);
        self.unkept += 1;
    }

    fn keep(&mut self, upto: u64) -> Option<Keep> {
        self.assignments.folded().position = upto;
        if self.draft.step.is_empty() && self.unkept < IDLE_FACTS {
            return None;
        }
        self.unkept = 0;
        let (crew_changes, step) = (self.assignments.crew_changes.clone(), mem::take(&mut self.draft.step));
        let log = self.assignments.feed.place(upto).log;
        Some(Arc::new(move || {
            crew_changes.name_log(log)?;
            Ok(crew_changes.keep(&step, upto)?)
        }))
    }

    fn tell(&mut self, upto: u64) {
        self.assignments.lines.tell(mem::take(&mut self.draft.told), upto);
    }
}

/// The facts of tickets in a history.
fn tickets(history: &[Arc<Fact>]) -> Vec<&TicketFact> {
    history.iter().filter_map(|fact| fact.ticket()).collect()
}

/// The changes that a page of facts makes.
#[derive(Default)]
struct Draft {
    step: Step,
    told: Vec<(CrewId, Arc<CrewChange>)>,
}

impl Draft {
    fn take(&mut self, fold: &mut Fold, fact: &Fact) {
        match fact {
            Fact::Ticket(ticket) => {
                let before = fold.concerns_a_crew(ticket.id);
                for (crew, change) in fold.apply(fact) {
                    self.step.crew_changes.push((crew.clone(), change.position, ticket.id));
                    self.told.push((crew, Arc::new(CrewChange { change, kind: ticket.event.kind() })));
                }
                let after = fold.concerns_a_crew(ticket.id);
                if before != after {
                    self.step.live.insert(ticket.id, after);
                }
            }
            Fact::Crew(crew) => {
                let before = fold.standing(&crew.id).copied();
                fold.apply(fact);
                let after = fold.standing(&crew.id).copied();
                if before != after {
                    self.step.crews.insert(crew.id.clone(), after);
                }
            }
            Fact::Promise(_) | Fact::Policy(_) | Fact::Year(_) => {}
        }
    }
}
