//! What the dispatch desk asks: which crews there are, who is to go where, and why. Answered from what the dispatch
//! process intends at one position of the log; a plan is no promise.

use std::sync::Arc;

use switchboard_dispatcher::explain::Weighed;
use switchboard_domain::ticket::CaseFile;
use switchboard_domain::{actor::Actor, crew::CrewId, organisation::OrgPath, ticket::TicketId};
use switchboard_wire::{command::TicketRef, refusal::Refusal};

use super::{Dispatching, Explained, Snapshot};
use crate::service::{
    Node,
    access::{Act, permit},
    tickets::{AsOf, Tickets},
    unreadable,
};

/// Facts between the process and a position that are looked at, whether any is one that it is told.
const LOOK_AHEAD_FACTS: usize = 512;

/// What is intended, for those who ask.
#[derive(Clone, Debug)]
pub struct Intended {
    pub(crate) node: Arc<Node>,
    pub(crate) tickets: Arc<Tickets>,
    pub(crate) dispatching: Dispatching,
}

/// A page of lines that is asked for.
#[derive(Clone, Debug)]
pub struct Paging {
    /// The unit that is asked about.
    pub org: OrgPath,
    /// How many lines.
    pub size: usize,
    /// The key of the last line that was given before.
    pub after: Option<String>,
}

/// A page of lines, each by its key in what is intended.
#[derive(Clone, Debug)]
pub struct Lines<K> {
    /// What is intended.
    pub snapshot: Arc<Snapshot>,
    /// The lines, in the order of their keys.
    pub keys: Vec<K>,
    /// Whether there are more.
    pub more: bool,
}

/// Why a ticket goes to whom.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The ticket.
    pub row: CaseFile,
    /// What is intended for all.
    pub snapshot: Arc<Snapshot>,
    /// What the process says of the ticket; `None` when it takes no crew now.
    pub explained: Option<Explained>,
    /// The crews that were weighed and that the actor may list.
    pub weighed: Vec<Weighed>,
}

impl Paging {
    fn lines<K>(
        &self,
        snapshot: &Arc<Snapshot>,
        keys: impl Iterator<Item = K>,
        text: impl Fn(&K) -> String,
    ) -> Lines<K> {
        let fresh = |key: &K| self.after.as_ref().is_none_or(|after| text(key) > *after);
        let mut keys: Vec<K> = keys.filter(fresh).take(self.size + 1).collect();
        let more = keys.len() > self.size;
        keys.truncate(self.size);
        Lines { snapshot: Arc::clone(snapshot), keys, more }
    }
}

impl Intended {
    /// What is intended, at `position` or later, or with nothing up to there that could change it; the caller's
    /// deadline bounds it.
    async fn snapshot(&self, position: u64) -> Result<Arc<Snapshot>, Refusal> {
        self.node.recorded(Some(position)).await?;
        loop {
            let snapshot = self.dispatching.snapshot().await?;
            if snapshot.position >= position || self.nothing_between(snapshot.position, position).await? {
                return Ok(snapshot);
            }
            self.dispatching.past(snapshot.position).await?;
        }
    }

    /// Whether no fact after one position and up to another is one that the process is told.
    async fn nothing_between(&self, told: u64, position: u64) -> Result<bool, Refusal> {
        let page = self.node.feed.page(told, LOOK_AHEAD_FACTS).await.map_err(|error| unreadable(error.into()))?;
        let reaches = page.last().is_some_and(|last| last.raw.position.stored() >= position);
        Ok(reaches && page.iter().all(|entry| entry.raw.position.stored() > position || entry.fact.is_none()))
    }

    /// The crews of a unit.
    ///
    /// # Errors
    /// A unit that is not the actor's.
    pub async fn crews(&self, paging: &Paging, min_position: u64, actor: &Actor) -> Result<Lines<CrewId>, Refusal> {
        permit(actor, Act::ListCrews(&paging.org))?;
        let snapshot = self.snapshot(min_position).await?;
        let crews = snapshot.board.crews.values().filter(|crew| paging.org.contains(crew.id.org()));
        Ok(paging.lines(&snapshot, crews.map(|crew| crew.id.clone()), |crew| crew.org().to_string()))
    }

    /// The tickets that a unit holds and that take a crew.
    ///
    /// # Errors
    /// A unit that is not the actor's.
    pub async fn tickets(&self, paging: &Paging, min_position: u64, actor: &Actor) -> Result<Lines<TicketId>, Refusal> {
        permit(actor, Act::ListProposals(&paging.org))?;
        let snapshot = self.snapshot(min_position).await?;
        let jobs = snapshot.board.jobs.values().filter(|job| paging.org.contains(&job.holder));
        Ok(paging.lines(&snapshot, jobs.map(|job| job.ticket), TicketId::to_string))
    }

    /// Why a ticket goes to whom.
    ///
    /// # Errors
    /// A ticket that nobody knows, or that is no concern of the actor's.
    pub async fn explain(&self, reference: &TicketRef, actor: &Actor) -> Result<Explanation, Refusal> {
        let ticket = self.tickets.resolve(reference).await?;
        let row = self.tickets.page(ticket, AsOf::Now).await?.file;
        let unit = row.ticket.holders.iter().rev().find(|unit| CrewId::of(unit).is_none()).unwrap_or(&row.received_by);
        permit(actor, Act::Explain(unit))?;
        // As far as the ticket's own facts: one that was received just now is known.
        let reached = self.snapshot(row.position).await?;
        let explained = self.dispatching.explain(ticket).await?;
        let snapshot = explained.as_ref().map_or(reached, |explained| Arc::clone(&explained.snapshot));
        let listed = |weighed: &&Weighed| permit(actor, Act::ListCrews(weighed.crew.org())).is_ok();
        let weighed = explained.iter().flat_map(|explained| explained.weighed.iter()).filter(listed).cloned().collect();
        Ok(Explanation { row, snapshot, explained, weighed })
    }
}
