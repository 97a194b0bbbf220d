//! The queries of the dispatch desk: the crews, the proposals, and the explanation of a proposal. They are answered
//! from the state of the dispatch process at one position of the log. A plan is not binding.

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

/// The most facts after the process's position that are checked for one that the process receives.
const LOOK_AHEAD_FACTS: usize = 512;

/// The use cases of the dispatch desk.
#[derive(Clone, Debug)]
pub struct Intended {
    pub(crate) node: Arc<Node>,
    pub(crate) tickets: Arc<Tickets>,
    pub(crate) dispatching: Dispatching,
}

/// A requested page of lines.
#[derive(Clone, Debug)]
pub struct Paging {
    /// The unit whose lines are listed.
    pub org: OrgPath,
    /// The most lines of the page.
    pub size: usize,
    /// The key of the last line of the page before.
    pub after: Option<String>,
}

/// A page of lines, each as a key into the snapshot.
#[derive(Clone, Debug)]
pub struct Lines<K> {
    /// The board and the plan.
    pub snapshot: Arc<Snapshot>,
    /// The lines, in the order of their keys.
    pub keys: Vec<K>,
    /// True if more lines follow.
    pub more: bool,
}

/// The explanation of a proposal.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The ticket.
    pub row: CaseFile,
    /// The board and the plan that it was explained from.
    pub snapshot: Arc<Snapshot>,
    /// The answer of the process; `None` if the ticket needs no crew now.
    pub explained: Option<Explained>,
    /// The weighed crews that the actor may list.
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
    /// Returns a snapshot at `position` or later. An older one is also returned if the process receives no fact between
    /// it and `position`. The caller's deadline bounds the wait.
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

    /// True if the process receives no fact after `told` and up to `position`. False if `position` is more than a page
    /// away.
    async fn nothing_between(&self, told: u64, position: u64) -> Result<bool, Refusal> {
        let page = self.node.feed.page(told, LOOK_AHEAD_FACTS).await.map_err(|error| unreadable(error.into()))?;
        let reaches = page.last().is_some_and(|last| last.raw.position.stored() >= position);
        Ok(reaches && page.iter().all(|entry| entry.raw.position.stored() > position || entry.fact.is_none()))
    }

    /// Lists the crews of a unit.
    ///
    /// # Errors
    /// The unit is not the actor's.
    pub async fn crews(&self, paging: &Paging, min_position: u64, actor: &Actor) -> Result<Lines<CrewId>, Refusal> {
        permit(actor, Act::ListCrews(&paging.org))?;
        let snapshot = self.snapshot(min_position).await?;
        let crews = snapshot.board.crews.values().filter(|crew| paging.org.contains(crew.id.org()));
        Ok(paging.lines(&snapshot, crews.map(|crew| crew.id.clone()), |crew| crew.org().to_string()))
    }

    /// Lists the open jobs of a unit: the tickets that it holds and that need a crew.
    ///
    /// # Errors
    /// The unit is not the actor's.
    pub async fn tickets(&self, paging: &Paging, min_position: u64, actor: &Actor) -> Result<Lines<TicketId>, Refusal> {
        permit(actor, Act::ListProposals(&paging.org))?;
        let snapshot = self.snapshot(min_position).await?;
        let jobs = snapshot.board.jobs.values().filter(|job| paging.org.contains(&job.holder));
        Ok(paging.lines(&snapshot, jobs.map(|job| job.ticket), TicketId::to_string))
    }

    /// Explains the proposal for a ticket.
    ///
    /// # Errors
    /// The ticket does not exist, or the actor may not ask about it.
    pub async fn explain(&self, reference: &TicketRef, actor: &Actor) -> Result<Explanation, Refusal> {
        let ticket = self.tickets.resolve(reference).await?;
        let row = self.tickets.page(ticket, AsOf::Now).await?.file;
        let unit = row.ticket.holders.iter().rev().find(|unit| CrewId::of(unit).is_none()).unwrap_or(&row.received_by);
        permit(actor, Act::Explain(unit))?;
        // Wait for the ticket's own facts, so that the process knows a ticket received just now.
        let reached = self.snapshot(row.position).await?;
        let explained = self.dispatching.explain(ticket).await?;
        let snapshot = explained.as_ref().map_or(reached, |explained| Arc::clone(&explained.snapshot));
        let listed = |weighed: &&Weighed| permit(actor, Act::ListCrews(weighed.crew.org())).is_ok();
        let weighed = explained.iter().flat_map(|explained| explained.weighed.iter()).filter(listed).cloned().collect();
        Ok(Explanation { row, snapshot, explained, weighed })
    }
}
