//! Use cases of promises: records the announcements of the watch, explains a ticket's clocks, and provides the registry
//! of publications. The rules and verdicts are the domain's. Figures over many tickets are in
//! [`crate::service::figures`].

use std::sync::Arc;

use switchboard_domain::{
    Timestamp,
    actor::Actor,
    decider::Action,
    fact::{PromiseFact, TicketFact},
    sla::{
        clock_history::ClockHistory,
        judge::{Clock, judge},
        promise::{Event, Promises as PromiseAggregate, Rejection},
        registry::PolicyRegistry,
        watch::Intent,
    },
    ticket::TicketId,
};
use switchboard_engine::{
    command::{Aggregates, Failure},
    journal::{self, JournalError},
    projector::Progress,
    reactor::ActionOutcome,
};
use switchboard_readmodel::ClockHistories;
use switchboard_wire::{command::TicketRef, refusal::Refusal};

use crate::service::{
    Node,
    access::{Act, permit},
    outcome, reach,
    tickets::{AsOf, Tickets},
    unreadable,
};

/// All clocks of a ticket, with the facts that they are computed from.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The clocks.
    pub clocks: Vec<Clock>,
    /// The clock history that the judge read.
    pub clock_history: ClockHistory,
    /// The ticket's facts.
    pub facts: Vec<TicketFact>,
    /// The announcements about the ticket's promises.
    pub said: Vec<PromiseFact>,
    /// The instant of the verdicts.
    pub at: Timestamp,
    /// The position for which the verdicts are true.
    pub position: u64,
    /// True if no policy is published for the ticket's operator.
    pub no_policy: bool,
}

/// The use cases of promises.
pub struct Promises {
    pub(crate) node: Arc<Node>,
    tickets: Arc<Tickets>,
    said: Aggregates<PromiseAggregate>,
    pub(crate) clock_histories: ClockHistories,
    clocks_folded: Progress,
    /// When this server started.
    started: Timestamp,
}

impl std::fmt::Debug for Promises {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Promises(..)")
    }
}

impl Promises {
    pub(crate) fn new(
        tickets: Arc<Tickets>,
        said: Aggregates<PromiseAggregate>,
        clock_histories: ClockHistories,
        clocks_folded: Progress,
    ) -> Self {
        let node = Arc::clone(&tickets.node);
        let started = node.now();
        Self { node, tickets, said, clock_histories, clocks_folded, started }
    }

    /// Returns the registry, once it includes the log up to `position`.
    pub(crate) async fn registry(&self, position: u64) -> Result<Arc<PolicyRegistry>, Refusal> {
        self.reach(Some(position)).await?;
        Ok(self.clock_histories.registry())
    }

    /// Waits until the clock histories include the log up to `position`. The caller's deadline bounds the wait.
    pub(crate) async fn reach(&self, position: Option<u64>) -> Result<(), Refusal> {
        reach(&self.clocks_folded, position, self.node.head()).await
    }

    /// Records the announcements of one action of the watch.
    pub(crate) async fn publish(&self, engine: &Actor, want: Action<Intent>) -> ActionOutcome {
        let Intent { ticket, publish } = &want.intent;
        let said: Vec<String> = publish.events.iter().map(|event| format!("{event:?}")).collect();
        let target = format!("{ticket}/{}", self.node.vault().hash(&[said.join("\n").as_bytes()]));
        let request = match self.node.caused("watch", &want, &target, engine.clone()).await {
            Ok(request) => request,
            Err(later) => return later,
        };
        match self.said.execute(ticket, publish, &request).await {
            // They were recorded before. The watch learns of them when it has folded the log up to this head.
            Err(Failure::Rejected(Rejection::AlreadyRecorded)) => ActionOutcome::Done(self.node.head()),
            Ok(outcome) => {
                measure(&outcome.events, self.started, self.node.now());
                ActionOutcome::Done(outcome.position)
            }
            failed => outcome(failed),
        }
    }

    /// Reads the facts with personal data sealed: no clock uses it.
    async fn ticket_facts(&self, id: TicketId) -> Result<Vec<TicketFact>, JournalError> {
        let facts = self.tickets.streams.journal().read(&id, 0).await?;
        Ok(facts.into_iter().map(|fact| journal::recorded(id, fact)).collect())
    }

    async fn promise_facts(&self, id: TicketId) -> Result<Vec<PromiseFact>, JournalError> {
        let facts = self.said.journal().read(&id, 0).await?;
        Ok(facts.into_iter().map(|fact| journal::recorded(id, fact)).collect())
    }

    /// Judges all clocks of a ticket.
    ///
    /// # Errors
    /// [`Refusal::TicketNotFound`] if the ticket did not exist at that point.
    pub async fn explain(
        &self,
        reference: &TicketRef,
        as_of: AsOf,
        min_position: Option<u64>,
        actor: &Actor,
    ) -> Result<Explained, Refusal> {
        permit(actor, Act::ReadTickets)?;
        self.node.recorded(min_position).await?;
        let head = self.node.head();
        let position = if let AsOf::Position(position) = as_of { position.min(head) } else { head };
        let id = self.tickets.resolve(reference).await?;
        let mut facts = self.ticket_facts(id).await.map_err(unreadable)?;
        let mut said = self.promise_facts(id).await.map_err(unreadable)?;
        // A prefix of the facts, up to the first one past the point. So the ticket was once in this state, even if
        // recorded instants go back between two starts of the server.
        let unseen = |position, recorded| !as_of.sees(position, recorded);
        let known = facts.iter().position(|fact| unseen(fact.position, fact.recorded_at));
        facts.truncate(known.unwrap_or(facts.len()));
        let known = said.iter().position(|fact| unseen(fact.position, fact.recorded_at));
        said.truncate(known.unwrap_or(said.len()));
        let mut clock_history = ClockHistory::new(id);
        for fact in &facts {
            clock_history.take(fact);
        }
        for fact in &said {
            clock_history.announced.take(&fact.event);
        }
        let operator = clock_history.operator().ok_or(Refusal::TicketNotFound)?;
        let mut registry = self.registry(position).await?.as_of(position);
        if let AsOf::Time(time) = as_of {
            registry = registry.known_at(time);
        }
        let no_policy = registry.newest().is_none_or(|edition| edition.versions(operator).is_empty());
        let now = match as_of {
            AsOf::Now => self.node.now(),
            // The future is not judged.
            AsOf::Time(time) => time.min(self.node.now()),
            AsOf::Position(_) => self.recorded_at(position).await.unwrap_or_else(|| self.node.now()),
        };
        let clocks = judge(&clock_history, &registry, now);
        Ok(Explained { clocks, clock_history, facts, said, at: now, position, no_policy })
    }

    /// The instant at which the fact at a position was recorded.
    async fn recorded_at(&self, position: u64) -> Option<Timestamp> {
        let entry = self.node.feed.at(position).await.ok()??;
        Some(entry.metadata.as_ref()?.recorded_at)
    }
}

/// Counts announcements, and measures their delay. A promise that was due before the server started is not measured:
/// its delay shows the downtime.
fn measure(said: &[Event], started: Timestamp, now: Timestamp) {
    for event in said {
        let (what, since) = match event {
            Event::Warned(warned) => ("warned", Some(warned.at)),
            Event::Breached(breached) => ("breached", Some(breached.judged.due)),
            Event::Overturned(_) => ("overturned", None),
        };
        metrics::counter!("switchboard_promises_total", "said" => what).increment(1);
        if let Some(late) = since.filter(|since| *since >= started).and_then(|since| (now - since).to_std().ok()) {
            metrics::histogram!("switchboard_promise_delay_seconds", "said" => what).record(late.as_secs_f64());
        }
    }
}
