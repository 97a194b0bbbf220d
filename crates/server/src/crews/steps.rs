//! Bundles of steps that a crew's device brings, late and out of order: each is taken or refused for itself, those of one ticket in
//! the order in which they happened, those of different tickets side by side.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::{StreamExt as _, stream};
use switchboard_domain::{
    Timestamp,
    actor::Actor,
    ticket::{Command, TicketId},
};
use switchboard_engine::command::Request;
use switchboard_wire::{
    answer,
    command::{self, Header, TicketRef},
    proto::{self, step_result::Result as Became},
    refusal::{Language, Refusal},
};
use tonic_types::StatusExt as _;

use super::CrewDesk;
use crate::{desk::Done, grpc::present};

/// Tickets of one bundle that are worked on at once: their steps share the log's syncs.
const TICKETS_AT_ONCE: usize = 8;

/// A step that could be read, with its place in the bundle.
struct Step {
    index: usize,
    /// When it happened by the device's corrected clock, which may be a little fast.
    occurred_at: Timestamp,
    command: Command,
    request: Request,
}

impl CrewDesk {
    /// Takes a bundle. A clock that is wrong refuses it whole: nothing is recorded, and the device keeps it. The steps are the
    /// named crew's, whoever above it reports them.
    ///
    /// # Errors
    /// What is wrong with the bundle itself; what is wrong with a step is its own result.
    pub async fn steps(
        &self,
        body: &proto::ReportStepsRequest,
        actor: &Actor,
        language: Language,
    ) -> Result<proto::ReportStepsResponse, Refusal> {
        let bundle = command::bundle(body, actor).map_err(Refusal::InvalidFields)?;
        self.speaks_for(actor, &bundle.crew)?;
        let now = self.now();
        bundle.clock.check(now)?;
        if actor.org == *bundle.crew.org() {
            self.heard(&bundle.crew);
        }
        let reporter = Actor { org: bundle.crew.org().clone(), ..actor.clone() };
        let mut results: BTreeMap<usize, Result<Done, Refusal>> = BTreeMap::new();
        let mut read = Vec::with_capacity(bundle.steps.len());
        for (index, report) in bundle.steps.iter().enumerate() {
            match command::step(report, bundle.clock.offset) {
                Ok((header, command)) => {
                    let ticket = header.ticket.clone();
                    read.push((ticket, self.step(index, report, (header, command), &reporter, now)));
                }
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
        let tickets = stream::iter(by_ticket).map(|(ticket, steps)| self.in_order(ticket, steps));
        let done: Vec<_> = tickets.buffer_unordered(TICKETS_AT_ONCE).collect().await;
        results.extend(done.into_iter().flatten());
        let results = bundle.steps.iter().enumerate().filter_map(|(index, report)| {
            let result = Some(became(results.get(&index)?, language));
            Some(proto::StepResult { request_id: report.request_id.clone(), result })
        });
        Ok(proto::ReportStepsResponse { results: results.collect(), server_time: Some(answer::timestamp(now)) })
    }

    /// One step as a request to its ticket. A clock that is a little fast must not put a step into the future; a step that lies in
    /// it all the same is refused by its ticket, and may be sent again.
    fn step(
        &self,
        index: usize,
        report: &proto::StepReport,
        (header, command): (Header, Command),
        reporter: &Actor,
        now: Timestamp,
    ) -> Step {
        let identity = self.desk.identity(command::STEPS_METHOD, reporter, report);
        let request = Request {
            occurred_at: header.occurred_at.map(|at| command::happened(at, now)),
            ..Request::new(header.request_id, identity, reporter.clone())
        };
        Step { index, occurred_at: header.occurred_at.unwrap_or(now), command, request }
    }

    /// The tickets that references name, each looked up once; those that the list does not know are asked for once more when it
    /// is as far as the log is now.
    async fn resolve_all(&self, references: HashSet<TicketRef>) -> Result<HashMap<TicketRef, TicketId>, Refusal> {
        let mut known = HashMap::new();
        let mut unknown = Vec::new();
        for reference in references {
            match self.desk.known(&reference).await? {
                Some(id) => drop(known.insert(reference, id)),
                None => unknown.push(reference),
            }
        }
        if !unknown.is_empty() {
            self.desk.reach(Some(self.desk.head())).await?;
        }
        for reference in unknown {
            if let Some(id) = self.desk.known(&reference).await? {
                known.insert(reference, id);
            }
        }
        Ok(known)
    }

    /// The steps of one ticket as they happened, whatever the order in which they came.
    async fn in_order(&self, ticket: TicketId, mut steps: Vec<Step>) -> Vec<(usize, Result<Done, Refusal>)> {
        steps.sort_by_key(|step| (step.occurred_at, step.index));
        let mut results = Vec::with_capacity(steps.len());
        for step in steps {
            results.push((step.index, self.desk.execute(ticket, &step.command, &step.request).await));
        }
        results
    }
}

fn became(result: &Result<Done, Refusal>, language: Language) -> Became {
    match result {
        Ok(done) => Became::Outcome(present::outcome(done)),
        Err(refusal) => Became::Refusal(refused(refusal, language)),
    }
}

fn refused(refusal: &Refusal, language: Language) -> proto::StepRefusal {
    let details = refusal.status(language).get_error_details();
    let mut metadata = details.error_info().map(|info| info.metadata.clone()).unwrap_or_default();
    if !refusal.violations().is_empty() {
        let fields: Vec<&str> = refusal.violations().iter().map(|violation| violation.field).collect();
        metadata.insert("field".into(), fields.join(" "));
    }
    proto::StepRefusal {
        reason: refusal.reason().as_str_name().into(),
        message: refusal.sentence(language),
        metadata,
        retryable: refusal.is_retryable(),
    }
}
