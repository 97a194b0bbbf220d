//! The raw facts of the log from any position: read page by page, or followed without end. Nothing queues for a slow
//! reader: it pulls from the feed, and only falls behind.

use std::sync::Arc;

use switchboard_domain::{Timestamp, actor::Actor, organisation::OrgPath};
use switchboard_engine::feed::{Cursor, Entry};
use switchboard_wire::refusal::Refusal;

use crate::service::{
    Node,
    access::{Act, permit},
    unreadable,
};

/// The most facts that are read from the feed in one step.
const PAGE_FACTS_MAX: usize = 256;
/// The scan for one answer ends after this many facts.
const READ_SCAN_MAX: usize = 50_000;
/// An answer ends once it holds this many bytes of payload. By default a client accepts 4 MiB.
const READ_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The facts that a reader wants. All conditions must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// The stream is of one of these categories; all when empty.
    pub categories: Vec<String>,
    /// The fact is of one of these kinds; all when empty.
    pub kinds: Vec<String>,
    /// The actor is of this unit, or of one below it.
    pub org: Option<OrgPath>,
    /// Recorded at this instant or later.
    pub from: Option<Timestamp>,
    /// Recorded before this instant.
    pub to: Option<Timestamp>,
}

impl Filter {
    /// True if the reader wants this fact.
    #[must_use]
    pub fn admits(&self, entry: &Entry) -> bool {
        let raw = &entry.raw;
        let listed = |list: &[String], value: &str| list.is_empty() || list.iter().any(|item| item == value);
        let metadata = entry.metadata.as_ref();
        listed(&self.categories, raw.stream.category())
            && listed(&self.kinds, &raw.kind)
            && self.org.as_ref().is_none_or(|org| metadata.is_some_and(|m| org.contains(&m.actor.org)))
            && self.from.is_none_or(|from| metadata.is_some_and(|m| m.recorded_at >= from))
            && self.to.is_none_or(|to| metadata.is_some_and(|m| m.recorded_at < to))
    }
}

/// A page of the log, in its order.
#[derive(Clone, Debug)]
pub struct LogPage {
    /// The facts that the filter admits.
    pub entries: Vec<Arc<Entry>>,
    /// The position after which the next page begins.
    pub next_after: u64,
    /// True if the page reaches the end of the log.
    pub end: bool,
}

/// The use cases of raw facts.
#[derive(Clone, Debug)]
pub struct History {
    pub(crate) node: Arc<Node>,
}

/// A reader that follows the log.
pub struct Follower {
    node: Arc<Node>,
    cursor: Cursor,
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Follower({})", self.cursor.position())
    }
}

impl Follower {
    /// The position up to which it has read.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.cursor.position()
    }

    /// True if it has read every durable fact.
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        self.cursor.position() >= self.node.head()
    }

    /// The engine's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.node.now()
    }

    /// Returns the next facts; waits if there are none. Safe to drop and to start again.
    ///
    /// # Errors
    /// The log cannot be read.
    pub(crate) async fn next(&mut self) -> Result<Vec<Arc<Entry>>, Refusal> {
        self.cursor.next(PAGE_FACTS_MAX).await.map_err(|error| unreadable(error.into()))
    }
}

impl History {
    /// The position of the last durable fact, for an actor who may read the log.
    ///
    /// # Errors
    /// The actor may not.
    pub fn head(&self, actor: &Actor) -> Result<u64, Refusal> {
        permit(actor, Act::ReadLog)?;
        Ok(self.node.head())
    }

    /// Follows the log after a position.
    ///
    /// # Errors
    /// The actor may not read the log.
    pub fn follow(&self, after: u64, actor: &Actor) -> Result<Follower, Refusal> {
        permit(actor, Act::ReadLog)?;
        Ok(Follower { node: Arc::clone(&self.node), cursor: self.node.feed.cursor(after) })
    }

    /// Reads at most `facts_max` facts after a position. A selective filter must not use up the deadline, so an answer
    /// may be empty and only name the position to continue after.
    ///
    /// # Errors
    /// The actor may not read the log, or the log cannot be read.
    pub async fn read(&self, filter: &Filter, after: u64, facts_max: usize, actor: &Actor) -> Result<LogPage, Refusal> {
        permit(actor, Act::ReadLog)?;
        // The answer includes every fact that was durable at the request: wait until the feed has read it.
        let durable = self.node.head();
        let _ = self.node.feed.watch().wait_for(|seen| *seen >= durable).await;
        let (mut next_after, mut entries, mut bytes, mut scanned) = (after, Vec::new(), 0, 0);
        while scanned < READ_SCAN_MAX {
            let page = self.node.feed.page(next_after, PAGE_FACTS_MAX).await;
            let page = page.map_err(|error| unreadable(error.into()))?;
            if page.is_empty() {
                return Ok(LogPage { entries, next_after, end: true });
            }
            scanned += page.len();
            for entry in page {
                next_after = entry.raw.position.stored();
                if filter.admits(&entry) {
                    bytes += entry.raw.data.len() + entry.raw.meta.len();
                    entries.push(entry);
                    if entries.len() == facts_max || bytes >= READ_BYTES_MAX {
                        return Ok(LogPage { entries, next_after, end: false });
                    }
                }
            }
        }
        Ok(LogPage { entries, next_after, end: false })
    }
}
