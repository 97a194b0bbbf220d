//! What crew apps and rosters ask of crews, as commands and telemetry. What crews do to tickets goes through the
//! tickets. No rule about crews is here.

mod steps;

use std::sync::Arc;

use switchboard_domain::{
    Timestamp,
    actor::{Actor, Role},
    crew::{self, Command, CrewId},
    ticket,
};
use switchboard_engine::command::{Aggregates, Failure, Request};
use switchboard_views::assignments::Standing;
use switchboard_wire::{
    command::{PositionReport, said_at},
    identity,
    refusal::Refusal,
};
use uuid::Uuid;

pub(crate) use self::steps::reporter;
pub use self::steps::{Bundle, Reported, ToStep};
use crate::service::{
    Asked, Node,
    access::{Act, permit},
    assignments::Assignments,
    refusal,
    telemetry::{Fix, Telemetry},
    tickets::{self, Tickets, ToTicket},
};

/// A command to a crew, as a way in read it.
#[derive(Clone, Debug)]
pub struct ToCrew {
    /// Which crew.
    pub crew: CrewId,
    /// What is asked of it.
    pub command: Command,
    /// What the request brings beside it.
    pub asked: Asked,
}

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
pub struct Crews {
    pub(crate) node: Arc<Node>,
    tickets: Arc<Tickets>,
    streams: Arc<Aggregates<crew::Crews>>,
    pub(crate) assignments: Arc<Assignments>,
    telemetry: Arc<Telemetry>,
}

impl std::fmt::Debug for Crews {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Crews(..)")
    }
}

impl Crews {
    pub(crate) fn new(
        tickets: Arc<Tickets>,
        streams: Arc<Aggregates<crew::Crews>>,
        assignments: Arc<Assignments>,
        telemetry: Arc<Telemetry>,
    ) -> Self {
        Self { node: Arc::clone(&tickets.node), tickets, streams, assignments, telemetry }
    }

    /// Gives a command to a crew.
    ///
    /// # Errors
    /// Every refusal of `error_reason.proto` that a command to a crew can meet.
    pub async fn command(&self, to: ToCrew, actor: &Actor) -> Result<Done, Refusal> {
        permit(actor, Act::CommandCrew)?;
        let ToCrew { crew, command, asked } = to;
        if !matches!(command, Command::Dismiss) {
            self.placed(asked.request_id, asked.occurred_at).await?;
        }
        let request = self.node.request(asked, identity::of_crew(&command).to_crew(&crew), actor);
        let done = self.execute(&crew, &command, &request).await?;
        if matches!(command, Command::EndShift) {
            self.telemetry.off_work(&crew);
        }
        if matches!(command, Command::Dismiss) {
            self.telemetry.forget(&crew);
        } else if actor.org == *crew.org() {
            self.telemetry.heard(&crew, self.node.now());
        }
        Ok(done)
    }

    /// Gives a command to a ticket, as a crew or its desk says it.
    ///
    /// # Errors
    /// As for [`Tickets::command`], a crew's clock that is wrong, and a crew that is chosen and not on the roster.
    pub async fn to_ticket(&self, to: ToTicket, actor: &Actor) -> Result<tickets::Done, Refusal> {
        if actor.role == Role::Crew {
            self.placed(to.asked.request_id, to.asked.occurred_at).await?;
        }
        if let ticket::Command::Pin { crew: Some(chosen), .. } = &to.command {
            self.choosable(to.asked.request_id, chosen, actor).await?;
        }
        self.tickets.command(to, actor).await
    }

    /// What a device says at once is placed by a clock that is right. A request that was recorded before is answered as
    /// it was then, however long its answer was under way.
    async fn placed(&self, request_id: Uuid, occurred_at: Option<Timestamp>) -> Result<(), Refusal> {
        let checked = occurred_at.map_or(Ok(()), |at| said_at(at, self.node.now()));
        self.unless_recorded(request_id, checked).await
    }

    /// A crew that a person chooses is on the roster, as the log says now: a slip of the pen calls nobody back. Of a
    /// crew that is not the actor's to choose the ticket says so, and nothing is said of the roster.
    async fn choosable(&self, request_id: Uuid, chosen: &CrewId, actor: &Actor) -> Result<(), Refusal> {
        if permit(actor, Act::SpeakFor(chosen)).is_err() {
            return Ok(());
        }
        self.caught_up().await?;
        let known = self.standing(chosen).await.map(|_| ());
        self.unless_recorded(request_id, known).await
    }

    /// A refusal that is not said to a request which was recorded before.
    async fn unless_recorded(&self, request_id: Uuid, checked: Result<(), Refusal>) -> Result<(), Refusal> {
        if checked.is_err() {
            let before = self.node.made_by(request_id).await?;
            return before.map_or(checked, |_| Ok(()));
        }
        checked
    }

    /// A crew that is on the roster was heard of; of one that left it nothing is remembered.
    pub(crate) fn heard(&self, crew: &CrewId) {
        match self.assignments.standing(crew) {
            Some(_) => self.telemetry.heard(crew, self.node.now()),
            None => self.telemetry.forget(crew),
        }
    }

    /// Puts a crew on the roster; `None` when the roster says so already: rosters are sent whole.
    ///
    /// # Errors
    /// As for [`Self::command`].
    pub async fn enrol(&self, to: ToCrew, actor: &Actor) -> Result<Option<Done>, Refusal> {
        match self.command(to, actor).await {
            Err(Refusal::CrewRejected(crew::Rejection::Unchanged)) => Ok(None),
            done => done.map(Some),
        }
    }

    async fn execute(&self, crew: &CrewId, command: &Command, request: &Request) -> Result<Done, Refusal> {
        match self.streams.execute(crew, command, request).await {
            Ok(done) => Ok(Done { crew: crew.clone(), position: done.position, replayed: done.replayed }),
            // Nothing follows, and there is no crew whose fact it could stand on.
            Err(Failure::RevisionConflict { current: None }) => {
                Err(Refusal::CrewRejected(crew::Rejection::NotEnrolled))
            }
            Err(failure) => Err(refusal(failure, request.request_id, Refusal::CrewRejected)),
        }
    }

    /// Whether the actor may follow what a crew is told: the crew's own, or a unit above it, and a crew of the roster.
    ///
    /// # Errors
    /// [`crew::Rejection::NotTheCrew`], [`crew::Rejection::NotEnrolled`].
    pub async fn followable(&self, crew: &CrewId, actor: &Actor) -> Result<(), Refusal> {
        permit(actor, Act::SpeakFor(crew))?;
        self.standing(crew).await.map(|_| ())
    }

    /// How a crew of the roster stands: at least as the log says now, within the caller's deadline.
    ///
    /// # Errors
    /// [`crew::Rejection::NotEnrolled`].
    async fn standing(&self, crew: &CrewId) -> Result<Standing, Refusal> {
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
        if self.assignments.reach(self.node.head()).await { Ok(()) } else { Err(Refusal::Draining) }
    }

    /// Where a crew at work is: telemetry, and now and then a point of its track. Answers whether it became a point of
    /// the track, and the engine's time. Off-shift positions are discarded (privacy: the app may still be running).
    ///
    /// # Errors
    /// A crew that is another's or not on the roster, a clock that is wrong.
    pub async fn position(&self, report: PositionReport, actor: &Actor) -> Result<(bool, Timestamp), Refusal> {
        permit(actor, Act::SpeakFor(&report.crew))?;
        self.standing(&report.crew).await?;
        let now = self.node.now();
        report.clock.check(now)?;
        let Some(standing) = self.at_work(&report.crew, now).await? else {
            self.telemetry.heard(&report.crew, now);
            self.telemetry.off_work(&report.crew);
            return Ok((false, now));
        };
        // A clock that is a little fast must not keep later points from counting.
        let observed = report.clock.time().min(now);
        let fix = Fix { at: report.at, accuracy_m: report.accuracy_m, observed };
        let due = self.telemetry.located(&report.crew, fix, now, &standing);
        Ok((due && self.keep(&report.crew, fix, actor).await, now))
    }

    /// Keeps a point of the track. What cannot be kept is telemetry all the same.
    async fn keep(&self, crew: &CrewId, fix: Fix, actor: &Actor) -> bool {
        let name = format!("{crew}/{}", fix.observed.timestamp_micros());
        let parts: [&[u8]; 2] = [b"track", name.as_bytes()];
        let (request_id, identity) = (self.node.vault().request_id(&parts), self.node.vault().hash(&parts));
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
