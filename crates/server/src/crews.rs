//! The desk of crews: what crew apps and rosters ask of crews, as commands and telemetry. What crews do to tickets goes through
//! the tickets' desk. There is no transport here, and no rule about crews.

mod steps;

use std::sync::Arc;

use prost::Message;
use switchboard_domain::{
    Timestamp,
    actor::{Actor, Role},
    crew::{self, Command, CrewId, Crews},
    ticket,
};
use switchboard_engine::command::{Aggregates, Failure, Request};
use switchboard_views::assignments::Standing;
use switchboard_wire::{
    answer,
    command::{self, CrewRequest, TicketRequest},
    proto,
    refusal::Refusal,
};
use uuid::Uuid;

use crate::{
    assignments::Assignments,
    desk::{self, Desk, refusal, unreadable},
    telemetry::{Fix, Telemetry},
};

/// An accepted command to a crew.
#[derive(Clone, Debug)]
pub struct Done {
    /// The crew.
    pub crew: CrewId,
    /// Position of the command's last fact.
    pub position: u64,
    /// Whether an earlier, same request had it done, or it was so already.
    pub replayed: bool,
}

/// Everything that answers for crews.
pub struct CrewDesk {
    pub(crate) desk: Arc<Desk>,
    crews: Arc<Aggregates<Crews>>,
    pub(crate) assignments: Arc<Assignments>,
    pub(crate) telemetry: Arc<Telemetry>,
}

impl std::fmt::Debug for CrewDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CrewDesk(..)")
    }
}

impl CrewDesk {
    pub(crate) fn new(
        desk: Arc<Desk>,
        crews: Arc<Aggregates<Crews>>,
        assignments: Arc<Assignments>,
        telemetry: Arc<Telemetry>,
    ) -> Self {
        Self { desk, crews, assignments, telemetry }
    }

    /// The engine's time.
    pub(crate) fn now(&self) -> Timestamp {
        self.crews.clock().now()
    }

    /// Executes a request to a crew.
    ///
    /// # Errors
    /// Every refusal of `error_reason.proto` that a command to a crew can meet.
    pub async fn command<R: CrewRequest + Message>(&self, body: &R, actor: &Actor) -> Result<Done, Refusal> {
        let (header, command) = body.read(actor).map_err(Refusal::InvalidFields)?;
        if !matches!(command, Command::Dismiss) {
            self.placed(header.request_id, header.occurred_at).await?;
        }
        let identity = self.desk.identity(R::METHOD, actor, body);
        let request =
            Request { occurred_at: header.occurred_at, ..Request::new(header.request_id, identity, actor.clone()) };
        let done = self.execute(&header.crew, &command, &request).await?;
        if matches!(command, Command::EndShift) {
            self.telemetry.off_work(&header.crew);
        }
        if matches!(command, Command::Dismiss) {
            self.telemetry.forget(&header.crew);
        } else if actor.org == *header.crew.org() {
            self.telemetry.heard(&header.crew, self.now());
        }
        Ok(done)
    }

    /// Executes what a crew or its desk says of a ticket.
    ///
    /// # Errors
    /// As for [`Desk::command`], a crew's clock that is wrong, and a crew that is chosen and not on the roster.
    pub async fn to_ticket<R: TicketRequest + Message>(&self, body: &R, actor: &Actor) -> Result<desk::Done, Refusal> {
        // A request that cannot be read is refused below, with all that is wrong with it.
        if let Ok((header, command)) = body.read() {
            if actor.role == Role::Crew {
                self.placed(header.request_id, header.occurred_at).await?;
            }
            if let ticket::Command::Pin { crew: Some(chosen), .. } = &command {
                self.choosable(header.request_id, chosen, actor).await?;
            }
        }
        self.desk.command(body, actor).await
    }

    /// What a device says at once is placed by a clock that is right. A request that was recorded before is answered as it was
    /// then, however long its answer was under way.
    async fn placed(&self, request_id: Uuid, occurred_at: Option<Timestamp>) -> Result<(), Refusal> {
        let checked = occurred_at.map_or(Ok(()), |at| command::said_at(at, self.now()));
        self.unless_recorded(request_id, checked).await
    }

    /// Whom a person chooses is on the roster, as the log says now: a slip of the pen calls nobody back. Of a crew that is not
    /// the actor's to choose the ticket says so, and nothing is said of the roster.
    async fn choosable(&self, request_id: Uuid, chosen: &CrewId, actor: &Actor) -> Result<(), Refusal> {
        if !actor.org.contains(chosen.org()) {
            return Ok(());
        }
        self.caught_up().await?;
        let known = self.standing(chosen).await.map(|_| ());
        self.unless_recorded(request_id, known).await
    }

    /// A *no* that is not said to a request which was recorded before.
    async fn unless_recorded(&self, request_id: Uuid, checked: Result<(), Refusal>) -> Result<(), Refusal> {
        if checked.is_err() {
            let before = self.desk.requests.find(request_id).await.map_err(|e| unreadable(e.into()))?;
            return before.map_or(checked, |_| Ok(()));
        }
        checked
    }

    /// A crew that is on the roster was heard of; of one that left it nothing is remembered.
    pub(crate) fn heard(&self, crew: &CrewId) {
        match self.assignments.standing(crew) {
            Some(_) => self.telemetry.heard(crew, self.now()),
            None => self.telemetry.forget(crew),
        }
    }

    /// Puts a crew on the roster. A roster that says so already is no error: rosters are sent whole.
    ///
    /// # Errors
    /// As for [`Self::command`].
    pub async fn enrol(
        &self,
        body: &proto::EnrolCrewRequest,
        actor: &Actor,
    ) -> Result<proto::EnrolCrewResponse, Refusal> {
        match self.command(body, actor).await {
            Err(Refusal::CrewRejected(crew::Rejection::Unchanged)) => {
                let (position, replayed) = (self.desk.head(), false);
                let outcome = proto::CrewOutcome { crew: body.crew.clone(), position, replayed };
                Ok(proto::EnrolCrewResponse { outcome: Some(outcome), unchanged: true })
            }
            done => Ok(proto::EnrolCrewResponse { outcome: Some(outcome(&done?)), unchanged: false }),
        }
    }

    async fn execute(&self, crew: &CrewId, command: &Command, request: &Request) -> Result<Done, Refusal> {
        match self.crews.execute(crew, command, request).await {
            Ok(done) => Ok(Done { crew: crew.clone(), position: done.position, replayed: done.replayed }),
            // Nothing follows, and there is no crew whose fact it could stand on.
            Err(Failure::RevisionConflict { current: None }) => {
                Err(Refusal::CrewRejected(crew::Rejection::NotEnrolled))
            }
            Err(failure) => Err(refusal(failure, request.request_id, Refusal::CrewRejected)),
        }
    }

    /// Whoever asks about a crew, or reports for it, is of the crew or of a unit above it.
    ///
    /// # Errors
    /// [`crew::Rejection::NotTheCrew`].
    pub fn speaks_for(&self, actor: &Actor, crew: &CrewId) -> Result<(), Refusal> {
        if actor.org.contains(crew.org()) {
            return Ok(());
        }
        Err(Refusal::CrewRejected(crew::Rejection::NotTheCrew { actor: actor.org.clone() }))
    }

    /// How a crew of the roster stands: at least as the log says now, within the caller's deadline.
    ///
    /// # Errors
    /// [`crew::Rejection::NotEnrolled`].
    pub async fn standing(&self, crew: &CrewId) -> Result<Standing, Refusal> {
        if let Some(standing) = self.assignments.standing(crew) {
            return Ok(standing);
        }
        // Perhaps it was enrolled just now.
        self.caught_up().await?;
        self.assignments.standing(crew).ok_or(Refusal::CrewRejected(crew::Rejection::NotEnrolled))
    }

    /// How a crew stands if it is at work: at least as the log says now, within the caller's deadline.
    async fn at_work(&self, crew: &CrewId, now: Timestamp) -> Result<Option<Standing>, Refusal> {
        if let Some(standing) = self.assignments.at_work(crew, now) {
            return Ok(Some(standing));
        }
        // Perhaps its shift began just now.
        self.caught_up().await?;
        Ok(self.assignments.at_work(crew, now))
    }

    /// Waits until what is told of crews is as far as the log.
    async fn caught_up(&self) -> Result<(), Refusal> {
        if self.assignments.reach(self.desk.head()).await { Ok(()) } else { Err(Refusal::Draining) }
    }

    /// Where a crew at work is: telemetry, and now and then a point of its track. Of one that is not at work nothing is kept: an app
    /// that nobody closed would follow people home.
    ///
    /// # Errors
    /// Fields that are wrong, a crew that is another's or not on the roster, a clock that is wrong.
    pub async fn position(
        &self,
        body: &proto::ReportPositionRequest,
        actor: &Actor,
    ) -> Result<proto::ReportPositionResponse, Refusal> {
        let report = command::position(body, actor).map_err(Refusal::InvalidFields)?;
        self.speaks_for(actor, &report.crew)?;
        self.standing(&report.crew).await?;
        let now = self.now();
        report.clock.check(now)?;
        let answer = |kept| proto::ReportPositionResponse { server_time: Some(answer::timestamp(now)), kept };
        let Some(standing) = self.at_work(&report.crew, now).await? else {
            self.telemetry.heard(&report.crew, now);
            self.telemetry.off_work(&report.crew);
            return Ok(answer(false));
        };
        // A clock that is a little fast must not keep later points from counting.
        let observed = report.clock.time().min(now);
        let fix = Fix { at: report.at, accuracy_m: report.accuracy_m, observed };
        let due = self.telemetry.located(&report.crew, fix, now, &standing);
        let kept = due && self.keep(&report.crew, fix, actor).await;
        Ok(answer(kept))
    }

    /// Keeps a point of the track. What cannot be kept is telemetry all the same.
    async fn keep(&self, crew: &CrewId, fix: Fix, actor: &Actor) -> bool {
        let name = format!("track/{crew}/{}", fix.observed.timestamp_micros());
        let request_id = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes());
        let identity = self.desk.vault().hash(&[b"track", name.as_bytes()]);
        let request = Request { occurred_at: Some(fix.observed), ..Request::new(request_id, identity, actor.clone()) };
        let command = Command::Locate { at: fix.at, accuracy_m: fix.accuracy_m };
        let kept = self.execute(crew, &command, &request).await;
        if let Err(refusal) = &kept {
            tracing::debug!(%crew, %refusal, "a point of the track was not kept");
            self.telemetry.untracked(crew);
        }
        kept.is_ok()
    }
}

/// What an accepted command to a crew answers.
pub(crate) fn outcome(done: &Done) -> proto::CrewOutcome {
    proto::CrewOutcome { crew: done.crew.org().to_string(), position: done.position, replayed: done.replayed }
}
