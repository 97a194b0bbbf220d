//! Bundles of steps from a crew's device, possibly late and out of order. Each step is accepted or refused alone. The
//! steps of one ticket run in the order in which they happened; different tickets run concurrently.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::{StreamExt as _, stream};
use switchboard_domain::{
    Timestamp, Violation,
    actor::Actor,
    crew::CrewId,
    ticket::{Command, TicketId},
};
use switchboard_engine::command::Request;
use switchboard_wire::{
    command::{DeviceClock, ReadStep, TicketRef, happened},
    identity,
    refusal::Refusal,
};

use super::Crews;
use crate::service::{
    Asked,
    access::{Act, permit},
    tickets::Done,
};

/// The most tickets of one bundle that run concurrently. Their steps share the log's syncs.
const TICKETS_AT_ONCE: usize = 8;

/// A step, as an interface read it.
#[derive(Clone, Debug)]
pub struct ToStep {
    /// The step.
    pub step: ReadStep,
    /// As in [`Asked::former_hash`].
    pub former_hash: Option<String>,
}

/// A bundle, as an interface read it. A step that cannot be read is refused alone.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The crew that made the steps.
    pub crew: CrewId,
    /// The clock of the device that dated the steps.
    pub clock: DeviceClock,
    /// The steps, in the order of the request.
    pub steps: Vec<Result<ToStep, Vec<Violation>>>,
}

/// The results of a bundle.
#[derive(Clone, Debug)]
pub struct Reported {
    /// The result of each step, in the order of the request.
    pub results: Vec<Result<Done, Refusal>>,
    /// The engine's time.
    pub now: Timestamp,
}

/// A step with its index in the bundle.
struct Step {
    index: usize,
    /// When it happened by the device's corrected clock, which may be slightly fast.
    occurred_at: Timestamp,
    command: Command,
    /// The step as the device's clock showed it. It identifies the request, whatever the offset of the clock.
    shown: (Command, Timestamp),
    asked: Asked,
}

impl Crews {
    /// Executes a bundle. An inaccurate clock refuses the whole bundle: nothing is recorded, and the device keeps it.
    /// The steps count as the crew's, also when a unit above the crew reports them.
    ///
    /// # Errors
    /// A fault of the bundle itself. A fault of one step is the result of that step.
    pub async fn steps(&self, bundle: Bundle, actor: &Actor) -> Result<Reported, Refusal> {
        permit(actor, Act::SpeakFor(&bundle.crew))?;
        let now = self.node.now();
        bundle.clock.check(now)?;
        if actor.org == *bundle.crew.org() {
            self.heard(&bundle.crew);
        }
        let reporter = reporter(&bundle.crew, actor);
        let mut results: BTreeMap<usize, Result<Done, Refusal>> = BTreeMap::new();
        let mut read = Vec::with_capacity(bundle.steps.len());
        for (index, step) in bundle.steps.into_iter().enumerate() {
            match step {
                Ok(step) => read.push((step.step.header.ticket.clone(), placed(index, step, now))),
                Err(violations) => drop(results.insert(index, Err(Refusal::InvalidFields(violations)))),
            }
        }
        let known = self.resolve_all(read.iter().map(|(reference, _)| reference.clone()).collect()).await?;
        let mut by_ticket: BTreeMap<TicketId, Vec<Step>> = BTreeMap::new();
        for (reference, step) in read {
            match known.get(&reference) {
                Some(ticket) => by_ticket.entry(*ticket).or_default().push(step),
                None => drop(results.insert(step.index, Err(Refusal::TicketNotFound))),
            }
        }
        let tickets = stream::iter(by_ticket).map(|(ticket, steps)| self.in_order(ticket, steps, &reporter));
        let done: Vec<_> = tickets.buffer_unordered(TICKETS_AT_ONCE).collect().await;
        results.extend(done.into_iter().flatten());
        Ok(Reported { results: results.into_values().collect(), now })
    }

    /// Resolves references to tickets, each once. References that the list does not know are looked up again when the
    /// list has reached the head of the log.
    async fn resolve_all(&self, references: HashSet<TicketRef>) -> Result<HashMap<TicketRef, TicketId>, Refusal> {
        let mut known = HashMap::new();
        let mut unknown = Vec::new();
        for reference in references {
            match self.tickets.known(&reference).await? {
                Some(id) => drop(known.insert(reference, id)),
                None => unknown.push(reference),
            }
        }
        if !unknown.is_empty() {
            self.tickets.reach(Some(self.node.head())).await?;
        }
        for reference in unknown {
            if let Some(id) = self.tickets.known(&reference).await? {
                known.insert(reference, id);
            }
        }
        Ok(known)
    }

    /// Executes the steps of one ticket in the order in which they happened.
    async fn in_order(
        &self,
        ticket: TicketId,
        mut steps: Vec<Step>,
        reporter: &Actor,
    ) -> Vec<(usize, Result<Done, Refusal>)> {
        steps.sort_by_key(|step| (step.occurred_at, step.index));
        let mut results = Vec::with_capacity(steps.len());
        for step in steps {
            let request = self.step_request(ticket, step.shown, step.asked, reporter);
            results.push((step.index, self.tickets.execute(ticket, &step.command, &request).await));
        }
        results
    }

    /// The request of one step to its ticket. Its identity does not depend on the offset of the device's clock.
    fn step_request(&self, ticket: TicketId, shown: (Command, Timestamp), asked: Asked, reporter: &Actor) -> Request {
        let form = identity::of_ticket(&shown.0).to_ticket(ticket).at(Some(shown.1));
        let Asked { request_id, occurred_at, etag, former_hash } = asked;
        let identity = self.node.identity(&form, reporter);
        Request { occurred_at, etag, former_hash, ..Request::new(request_id, identity, reporter.clone()) }
    }
}

/// The reporter of a crew's steps: the actor, with the crew as its unit.
pub(crate) fn reporter(crew: &CrewId, actor: &Actor) -> Actor {
    Actor { org: crew.org().clone(), ..actor.clone() }
}

/// Prepares a step that is received at `now`. A clock that is slightly fast must not date a step in the future. If a
/// step is further ahead, its ticket rejects it, and the device may send it again.
fn placed(index: usize, step: ToStep, now: Timestamp) -> Step {
    let ToStep { step: ReadStep { header, command, shown }, former_hash } = step;
    let occurred_at = header.occurred_at.map(|at| happened(at, now));
    let asked = Asked { request_id: header.request_id, occurred_at, etag: None, former_hash };
    Step { index, occurred_at: header.occurred_at.unwrap_or(now), command, shown, asked }
}
