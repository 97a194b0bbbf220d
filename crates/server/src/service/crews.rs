//! Use cases of crews: commands and telemetry from crew apps and rosters. Commands of crews to tickets go through the
//! tickets. There is no rule about crews here.

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
    command::{PositionReport, check_occurred_at},
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

/// A command to a crew, as an interface read it.
#[derive(Clone, Debug)]
pub struct ToCrew {
    /// The crew that the command addresses.
    pub crew: CrewId,
    /// The command.
    pub command: Command,
    /// The other fields of the request.
    pub asked: Asked,
}

/// An accepted command to a crew.
#[derive(Clone, Debug)]
pub struct Done {
    /// The crew.
    pub crew: CrewId,
    /// Position of the command's last fact.
    pub position: u64,
    /// True if an earlier, equal request did it, or if the state was so already.
    pub replayed: bool,
}

/// The use cases of crews.
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

    /// Executes a command to a crew.
    ///
    /// # Errors
    /// Every refusal of `error_reason.proto` that a command to a crew can get.
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

    /// Executes a command to a ticket from a crew or its desk.
    ///
    /// # Errors
    /// As for [`Tickets::command`]; also for a crew's inaccurate clock, or for a chosen crew that is not on the roster.
    pub async fn to_ticket(&self, to: ToTicket, actor: &Actor) -> Result<tickets::Done, Refusal> {
        if actor.role == Role::Crew {
            self.placed(to.asked.request_id, to.asked.occurred_at).await?;
        }
        if let ticket::Command::Pin { crew: Some(chosen), .. } = &to.command {
            self.choosable(to.asked.request_id, chosen, actor).await?;
        }
        self.tickets.command(to, actor).await
    }

    /// Checks `occurred_at` against the engine's clock: a device that reports live must have an accurate clock. A
    /// request that was recorded before is answered as it was then, however late the repetition comes.
    async fn placed(&self, request_id: Uuid, occurred_at: Option<Timestamp>) -> Result<(), Refusal> {
        let checked = occurred_at.map_or(Ok(()), |at| check_occurred_at(at, self.node.now()));
        self.unless_recorded(request_id, checked).await
    }

    /// Checks that the crew which a person chose is on the roster, as of the head of the log. A mistyped crew must not
    /// recall another. If the actor may not choose this crew, the check passes: the ticket rejects the command, and the
    /// roster is not disclosed.
    async fn choosable(&self, request_id: Uuid, chosen: &CrewId, actor: &Actor) -> Result<(), Refusal> {
        if permit(actor, Act::SpeakFor(chosen)).is_err() {
            return Ok(());
        }
        self.caught_up().await?;
        let known = self.standing(chosen).await.map(|_| ());
        self.unless_recorded(request_id, known).await
    }

    /// Returns `checked`. An error becomes a success if the request was recorded before.
    async fn unless_recorded(&self, request_id: Uuid, checked: Result<(), Refusal>) -> Result<(), Refusal> {
        if checked.is_err() {
            let before = self.node.made_by(request_id).await?;
            return before.map_or(checked, |_| Ok(()));
        }
        checked
    }

    /// Records a sign of life of a crew. If the crew is not on the roster, its telemetry is forgotten instead.
    pub(crate) fn heard(&self, crew: &CrewId) {
        match self.assignments.standing(crew) {
            Some(_) => self.telemetry.heard(crew, self.node.now()),
            None => self.telemetry.forget(crew),
        }
    }

    /// Enrols a crew. Returns `None` if the roster has the same entry already, because clients send rosters as a whole.
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
            // The command has no effect, and the crew has no stream whose last fact could be the result.
            Err(Failure::RevisionConflict { current: None }) => {
                Err(Refusal::CrewRejected(crew::Rejection::NotEnrolled))
            }
            Err(failure) => Err(refusal(failure, request.request_id, Refusal::CrewRejected)),
        }
    }

    /// Checks that the actor may watch a crew's assignments: the actor is the crew or a unit above it, and the crew is
    /// on the roster.
    ///
    /// # Errors
    /// [`crew::Rejection::NotTheCrew`], [`crew::Rejection::NotEnrolled`].
    pub async fn followable(&self, crew: &CrewId, actor: &Actor) -> Result<(), Refusal> {
        permit(actor, Act::SpeakFor(crew))?;
        self.standing(crew).await.map(|_| ())
    }

    /// The standing of a crew on the roster. An unknown crew is looked up again as of the head of the log, within the
    /// caller's deadline.
    ///
    /// # Errors
    /// [`crew::Rejection::NotEnrolled`].
    async fn standing(&self, crew: &CrewId) -> Result<Standing, Refusal> {
        if let Some(standing) = self.assignments.standing(crew) {
            return Ok(standing);
        }
        // The crew may have been enrolled just now.
        self.caught_up().await?;
        self.assignments.standing(crew).ok_or(Refusal::CrewRejected(crew::Rejection::NotEnrolled))
    }

    /// The standing of a crew that is at work. Otherwise it is looked up again as of the head of the log, within the
    /// caller's deadline.
    async fn at_work(&self, crew: &CrewId, now: Timestamp) -> Result<Option<Standing>, Refusal> {
        if let Some(standing) = self.assignments.at_work(crew, now) {
            return Ok(Some(standing));
        }
        // The shift may have begun just now.
        self.caught_up().await?;
        Ok(self.assignments.at_work(crew, now))
    }

    /// Waits until the assignments have reached the head of the log.
    async fn caught_up(&self) -> Result<(), Refusal> {
        if self.assignments.reach(self.node.head()).await { Ok(()) } else { Err(Refusal::Draining) }
    }

    /// Records the position of a crew at work as telemetry, and from time to time as a point of its thinned track.
    /// Returns whether the point was stored in the track, and the engine's time. Off-shift positions are discarded
    /// (privacy: the app may still be running).
    ///
    /// # Errors
    /// The crew is not the actor's or not on the roster, or the device's clock is inaccurate.
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
        // A clock that is slightly fast must not make later points look older.
        let observed = report.clock.time().min(now);
        let fix = Fix { at: report.at, accuracy_m: report.accuracy_m, observed };
        let due = self.telemetry.located(&report.crew, fix, now, &standing);
        Ok((due && self.keep(&report.crew, fix, actor).await, now))
    }

    /// Stores a point of the track. A failure is only logged: the position stays in telemetry.
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
