//! What crews are told, as it happens and again later: one task folds the log and hands each change to the crew's line;
//! a watcher pulls from there what is after its cursor.
//!
//! A line holds the newest changes of one crew, and no more: who is further behind reads the index of crew changes and
//! the tickets' own streams, and is told the same. So nothing queues for a slow reader, and a token of weeks ago goes
//! on where it was. The index is written before a line is told, so that whatever fell out of a line is found there.
//! There is no transport here.

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

/// The most changes that one look into history brings.
pub const HISTORY_CHANGES_MAX: usize = 64;
/// Looks into history under way at once; more wait.
const HISTORIES_MAX: usize = 16;
/// The file's checkpoint may lie so many facts behind when none of them concerned a crew: they are folded again at the next start.
const IDLE_FACTS: usize = 1_000;
/// A change, with the stored kind of the fact that made it.
#[derive(Clone, Debug, PartialEq)]
pub struct CrewChange {
    /// What the crew is told.
    pub change: Change,
    /// The fact's stored kind, such as `ticket.urged.v1`.
    pub kind: &'static str,
}

/// Some changes of one crew, in the order of the log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pulled {
    /// They.
    pub crew_changes: Vec<Arc<CrewChange>>,
    /// Every change up to here was told with them.
    pub upto: u64,
}

/// The fold with the position that it is true for.
#[derive(Debug)]
struct Folded {
    fold: Fold,
    position: u64,
}

/// What crews are told.
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
    /// What crews are told from where the file of crew changes stands: read are the streams of the tickets that some
    /// crew is offered or has, and nothing else.
    ///
    /// # Errors
    /// When the file or the log cannot be read.
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

    /// Follows the log for ever.
    pub(crate) async fn run(self: Arc<Self>) {
        let (feed, position) = (Arc::clone(&self.feed), self.lines.position());
        let following = Following { assignments: self, draft: Draft::default(), unkept: 0 };
        Follower::new(&feed, position, following).resting().run().await;
    }

    fn folded(&self) -> MutexGuard<'_, Folded> {
        self.folded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until everything up to a position of the log was folded and told; the caller's deadline bounds it.
    pub(crate) async fn reach(&self, position: u64) -> bool {
        self.lines.reach(position).await
    }

    /// How a crew of the roster stands; `None` when the roster does not know it.
    #[must_use]
    pub fn standing(&self, crew: &CrewId) -> Option<Standing> {
        self.folded().fold.standing(crew).copied()
    }

    /// How a crew of the roster stands, if it is at work at `now`.
    #[must_use]
    pub fn at_work(&self, crew: &CrewId, now: Timestamp) -> Option<Standing> {
        let folded = self.folded();
        let works = |standing: &&Standing| standing.is_at_work(now, folded.fold.has_work(crew));
        folded.fold.standing(crew).filter(works).copied()
    }

    /// All that a crew is offered and has, and the position that it is true for.
    #[must_use]
    pub fn snapshot(&self, crew: &CrewId) -> (Snapshot, u64) {
        let folded = self.folded();
        (folded.fold.snapshot(crew), folded.position)
    }

    /// The crew's line as it moves: the position of its last change.
    #[must_use]
    pub fn watch(&self, crew: &CrewId) -> watch::Receiver<u64> {
        self.lines.watch(crew)
    }

    /// Changes of a crew after a position: from its line where that reaches back so far, else from history, a page of
    /// which may not be all.
    ///
    /// # Errors
    /// When the file or the log gives no answer.
    pub(crate) async fn pull(&self, crew: &CrewId, after: u64) -> Result<Pulled, Refusal> {
        match self.lines.after(crew, after) {
            Some(pulled) => Ok(pulled),
            // Boxed: a stream that waits for news must not carry the room for it.
            None => Box::pin(self.history(crew, after, HISTORY_CHANGES_MAX)).await,
        }
    }

    /// What the crew was told after a position, told again from the log: at most `max` changes.
    ///
    /// # Errors
    /// When the file or the log gives no answer.
    pub(crate) async fn history(&self, crew: &CrewId, after: u64, max: usize) -> Result<Pulled, Refusal> {
        let _place = self.histories.acquire().await.map_err(|_| Refusal::Draining)?;
        let (crew_changes, asked) = (self.crew_changes.clone(), crew.clone());
        let (found, upto) = off_thread(move || crew_changes.after(&asked, after, max)).await?;
        // A page that is full may not be the last: what is told ends with it.
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

/// The tickets' facts of a history.
/// The assignments as a fold of the log: what a page comes to is kept, and then told.
struct Following {
    assignments: Arc<Assignments>,
    draft: Draft,
    /// Facts since the checkpoint of the file.
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

fn tickets(history: &[Arc<Fact>]) -> Vec<&TicketFact> {
    history.iter().filter_map(|fact| fact.ticket()).collect()
}

/// What a page of facts comes to.
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
