//! Bundles of steps that a crew's device brings, late and out of order: each is taken or refused for itself, those of
//! one ticket in the order in which they happened, those of different tickets side by side.

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

/// Tickets of one bundle that are worked on at once: their steps share the log's syncs.
const TICKETS_AT_ONCE: usize = 8;

/// A step, as a way in read it.
#[derive(Clone, Debug)]
pub struct ToStep {
    /// The step.
    pub step: ReadStep,
    /// As in [`Asked::former_hash`].
    pub former_hash: Option<String>,
}

/// A bundle, as a way in read it: a step that could not be read is refused for itself.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// Whose steps.
    pub crew: CrewId,
    /// The clock that placed them.
    pub clock: DeviceClock,
    /// The steps, in the order of the request.
    pub steps: Vec<Result<ToStep, Vec<Violation>>>,
}

/// What became of a bundle.
#[derive(Clone, Debug)]
pub struct Reported {
    /// What became of each step, in the order of the request.
    pub results: Vec<Result<Done, Refusal>>,
    /// The engine's time.
    pub now: Timestamp,
}

/// A step with its place in the bundle.
struct Step {
    index: usize,
    /// When it happened by the device's corrected clock, which may be a little fast.
    occurred_at: Timestamp,
    command: Command,
    /// What identifies it, whatever the offset of the device's clock: the step as the device showed it.
    shown: (Command, Timestamp),
    asked: Asked,
}

impl Crews {
    /// Takes a bundle. A clock that is wrong refuses it whole: nothing is recorded, and the device keeps it. The steps
    /// are the named crew's, whoever above it reports them.
    ///
    /// # Errors
    /// What is wrong with the bundle itself; what is wrong with a step is its own result.
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

    /// The tickets that references name, each looked up once; those that the list does not know are asked for once more
    /// when it is as far as the log is now.
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

    /// The steps of one ticket as they happened, whatever the order in which they came.
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

    /// One step as a request to its ticket: the same request whatever the offset of the device's clock.
    fn step_request(&self, ticket: TicketId, shown: (Command, Timestamp), asked: Asked, reporter: &Actor) -> Request {
        let form = identity::of_ticket(&shown.0).to_ticket(ticket).at(Some(shown.1));
        let Asked { request_id, occurred_at, etag, former_hash } = asked;
        let identity = self.node.identity(&form, reporter);
        Request { occurred_at, etag, former_hash, ..Request::new(request_id, identity, reporter.clone()) }
    }
}

/// Who reports a crew's steps: the actor in the crew's place.
pub(crate) fn reporter(crew: &CrewId, actor: &Actor) -> Actor {
    Actor { org: crew.org().clone(), ..actor.clone() }
}

/// A step as it is taken at `now`. A clock that is a little fast must not put a step into the future; a step that lies
/// in it all the same is refused by its ticket, and may be sent again.
fn placed(index: usize, step: ToStep, now: Timestamp) -> Step {
    let ToStep { step: ReadStep { header, command, shown }, former_hash } = step;
    let occurred_at = header.occurred_at.map(|at| happened(at, now));
    let asked = Asked { request_id: header.request_id, occurred_at, etag: None, former_hash };
    Step { index, occurred_at: header.occurred_at.unwrap_or(now), command, shown, asked }
}
