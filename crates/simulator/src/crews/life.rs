//! The life of one crew: it receives offers and assignments, and does each action of its [`Conduct`] at its time. It
//! works on one job at a time; further jobs wait. Absent: sending, which is the device's work.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::Duration,
};

use switchboard_wire::proto::{
    self as pb, ErrorReason, ReleaseReason, Skill, assignment_change::Change, step_report::Step,
    watch_assignments_response::Message,
};
use tokio::{sync::watch, time::Instant};
use tonic::Streaming;

use super::{
    Pace,
    conduct::{Conduct, Errand, Response},
    course::{self, Deed, Trip},
    device::{Device, ticket_of},
    roster::Member,
    tally::Shared,
};
use crate::{Timestamp, city::words, driver::Failure};

/// The length of a shift in hours.
const SHIFT_HOURS: i64 = 12;
/// The longest silence of an idle crew. It must be less than the time after which the dispatcher considers a crew
/// unreachable.
const SILENCE: Duration = Duration::from_secs(60);
/// The least time between two position reports.
const POSITIONS_APART: Duration = Duration::from_millis(200);
/// The wait before a stream is opened again.
const RECONNECT: Duration = Duration::from_millis(200);
/// The most attempts to end a shift, and the wait between them. The server refuses while the last commands have not yet
/// reached the crew's own stream.
const END_ATTEMPTS: u32 = 50;
const END_WAIT: Duration = Duration::from_millis(100);

/// A scheduled task.
#[derive(Clone, Debug)]
enum Task {
    /// Answer an offer.
    Answer(Box<pb::CrewOffer>, Response),
    /// Do the next action of a job.
    Do(String, Deed),
    /// Report the position after a silence.
    Tell,
    /// Open the stream.
    Listen,
}

/// A job with its course.
#[derive(Debug)]
struct Job {
    brief: pb::TicketBrief,
    errand: Errand,
    trip: Trip,
    begun: Instant,
}

/// The state of one crew.
#[derive(Debug)]
pub(super) struct Life {
    member: Member,
    conduct: Conduct,
    seed: u64,
    pace: Pace,
    device: Device,
    tally: Shared,
    at: pb::Position,
    on_line: bool,
    agenda: Vec<(Instant, Task)>,
    /// The offers received so far.
    offers: BTreeSet<String>,
    /// The jobs without a reply.
    jobs: BTreeMap<String, Job>,
    /// The job on which power is not restored yet.
    working: Option<String>,
    waiting: VecDeque<pb::Assignment>,
}

impl Life {
    pub(super) fn of(
        member: Member,
        conduct: Conduct,
        (seed, pace): (u64, Pace),
        device: Device,
        tally: Shared,
    ) -> Self {
        Self {
            at: member.home,
            member,
            conduct,
            seed,
            pace,
            device,
            tally,
            on_line: true,
            agenda: Vec::new(),
            offers: BTreeSet::new(),
            jobs: BTreeMap::new(),
            working: None,
            waiting: VecDeque::new(),
        }
    }

    /// Works a shift until `stop` is true.
    pub(super) async fn work(mut self, mut stop: watch::Receiver<bool>) {
        match self.device.start_shift(SHIFT_HOURS).await {
            // The shift of an earlier run is still open, because that run ended without ending it.
            Err(failure) if failure.reason == ErrorReason::RuleViolated.as_str_name() => {}
            Err(failure) => return self.device.trouble("start_shift", &failure),
            Ok(()) => {}
        }
        let mut stream = None;
        self.soon(Task::Tell, Duration::ZERO);
        self.soon(Task::Listen, Duration::ZERO);
        while !*stop.borrow() {
            let next = self.agenda.iter().map(|(at, _)| *at).min().unwrap_or_else(|| Instant::now() + SILENCE);
            tokio::select! {
                _ = stop.changed() => {}
                () = tokio::time::sleep_until(next) => self.next(&mut stream).await,
                said = hear(&mut stream) => match said {
                    Some(said) => self.heard(said),
                    None => {
                        stream = None;
                        self.soon(Task::Listen, RECONNECT);
                    }
                },
            }
            if !self.on_line {
                stream = None;
            }
        }
        self.go_home().await;
    }

    async fn go_home(mut self) {
        self.device.send_steps().await;
        let mut refused = None;
        for _ in 0..END_ATTEMPTS {
            match self.device.end_shift().await {
                Ok(()) => return,
                Err(failure) => refused = Some(failure),
            }
            tokio::time::sleep(END_WAIT).await;
        }
        if let Some(failure) = refused {
            self.device.trouble("end_shift", &failure);
        }
    }

    // The agenda.

    fn soon(&mut self, task: Task, after: Duration) {
        self.agenda.push((Instant::now() + after, task));
    }

    /// Does the task that is due first.
    async fn next(&mut self, stream: &mut Option<Streaming<pb::WatchAssignmentsResponse>>) {
        let first = (0..self.agenda.len()).min_by_key(|nth| self.agenda[*nth].0);
        let Some((_, task)) = first.map(|nth| self.agenda.remove(nth)) else { return };
        match task {
            Task::Listen if !self.on_line || stream.is_some() => {}
            Task::Listen => match self.device.watch().await {
                Ok(opened) => *stream = Some(opened),
                Err(failure) => {
                    self.device.trouble("watch_assignments", &failure);
                    self.soon(Task::Listen, RECONNECT);
                }
            },
            Task::Tell => {
                if self.on_line {
                    self.device.report_position(self.at).await;
                }
                self.soon(Task::Tell, SILENCE);
            }
            // An answer needs a signal, so it is postponed. If it is too late then, the offer is gone.
            Task::Answer(..) if !self.on_line => self.soon(task, self.pace.lasts(1.0)),
            Task::Answer(offer, response) => self.answer(&offer, response).await,
            Task::Do(ticket, deed) => self.act(ticket, deed).await,
        }
    }

    // Messages.

    fn heard(&mut self, said: pb::WatchAssignmentsResponse) {
        match self.device.heard(said) {
            Some(Message::Snapshot(snapshot)) => {
                snapshot.assignments.into_iter().for_each(|assignment| self.assigned(assignment));
                snapshot.offers.into_iter().for_each(|offer| self.offered(offer));
            }
            Some(Message::Change(change)) => match change.change {
                Some(Change::Offered(offer)) => self.offered(offer),
                Some(Change::OfferGone(gone)) => self.offer_gone(&gone),
                Some(Change::Assigned(assignment)) => self.assigned(assignment),
                Some(Change::Ended(ended)) => self.ended(&ended),
                Some(Change::News(_)) | None => {}
            },
            Some(Message::Checkpoint(_) | Message::Heartbeat(_)) | None => {}
        }
    }

    fn offered(&mut self, offer: pb::CrewOffer) {
        if !self.offers.insert(offer.offer.clone()) {
            return;
        }
        self.tally.write().offers += 1;
        let response = self.conduct.response(self.seed, &self.member.crew, &offer.offer);
        if let Response::Accept(after) | Response::Decline(after, _) = response {
            let after = self.pace.lasts(after);
            self.soon(Task::Answer(Box::new(offer), response), after);
        }
    }

    fn offer_gone(&mut self, gone: &pb::OfferGone) {
        self.agenda.retain(|(_, task)| !matches!(task, Task::Answer(offer, _) if offer.offer == gone.offer));
        let mut tally = self.tally.write();
        match gone.why() {
            ReleaseReason::Expired => tally.lapsed += 1,
            // Declined offers were counted when the answer was sent.
            ReleaseReason::Declined => {}
            _ => tally.gone += 1,
        }
    }

    fn assigned(&mut self, assignment: pb::Assignment) {
        let known = assignment.ticket.as_ref().is_none_or(|brief| {
            let same =
                |waiting: &pb::Assignment| waiting.ticket.as_ref().is_some_and(|w| w.ticket_id == brief.ticket_id);
            self.working.as_ref() == Some(&brief.ticket_id) || self.waiting.iter().any(same)
        });
        if known {
            return;
        }
        if assignment.offer.is_none() {
            self.tally.write().sent += 1;
        }
        self.waiting.push_back(assignment);
        self.begin();
    }

    /// Begins the next job, if none is in progress.
    fn begin(&mut self) {
        if self.working.is_some() {
            return;
        }
        let Some(assignment) = self.waiting.pop_front() else { return };
        let Some(brief) = assignment.ticket else { return self.begin() };
        let ticket = brief.ticket_id.clone();
        if assignment.offer.is_none() {
            self.device.step(&ticket, Step::Accepted(pb::StepAccepted {}));
        }
        let customers_out = brief.customers_out.unwrap_or(1);
        let errand = self.conduct.errand(self.seed, &self.member.crew, &ticket, customers_out);
        let trip = Trip::of(self.at, brief.place.as_ref(), &errand);
        let begun = Instant::now();
        let report_every = self.pace.minutes(POSITIONS_APART).max(1.0);
        for act in course::acts(&errand, &trip, self.member.can(Skill::HighVoltage), report_every) {
            self.agenda.push((begun + self.pace.lasts(act.after), Task::Do(ticket.clone(), act.deed)));
        }
        self.working = Some(ticket.clone());
        self.jobs.insert(ticket, Job { brief, errand, trip, begun });
    }

    /// Handles the end of an assignment. With reason `Done` only the crew's time is free, and the reply is still to
    /// come; with any other reason the job is dropped.
    fn ended(&mut self, ended: &pb::AssignmentEnded) {
        if matches!(ended.why(), ReleaseReason::Done) {
            return;
        }
        if !matches!(ended.why(), ReleaseReason::HandedOver) && self.jobs.contains_key(&ended.ticket_id) {
            self.tally.write().taken_away += 1;
        }
        self.leave(&ended.ticket_id);
    }

    /// Drops the job with its scheduled actions. The loss and return of the signal stay scheduled.
    fn leave(&mut self, left: &str) {
        self.waiting.retain(|waiting| waiting.ticket.as_ref().is_none_or(|brief| brief.ticket_id != left));
        let signal = |deed: &Deed| matches!(deed, Deed::LoseSignal | Deed::RegainSignal(_));
        self.agenda.retain(|(_, task)| match task {
            Task::Do(ticket, deed) => ticket != left || signal(deed),
            _ => true,
        });
        self.jobs.remove(left);
        if self.working.as_deref() == Some(left) {
            self.working = None;
            self.begin();
        }
    }

    // Actions.

    async fn answer(&mut self, offer: &pb::CrewOffer, response: Response) {
        let answered = match response {
            Response::Accept(_) => self.device.accept(offer).await,
            Response::Decline(_, reason) => self.device.decline(offer, reason).await,
            Response::Silence => return,
        };
        match (answered, response) {
            (Ok(()), Response::Accept(_)) => self.tally.write().accepted += 1,
            (Ok(()), _) => self.tally.write().declined += 1,
            // The stream also reports this, and it is counted there.
            (Err(failure), _) if failure.reason == ErrorReason::OfferGone.as_str_name() => {
                tracing::debug!(crew = self.device.crew(), ticket = ticket_of(offer), "too late");
            }
            (Err(failure), Response::Accept(_)) => self.device.trouble("accept_offer", &failure),
            (Err(failure), _) => self.device.trouble("decline_offer", &failure),
        }
    }

    async fn act(&mut self, ticket: String, deed: Deed) {
        match deed {
            Deed::LoseSignal => self.on_line = false,
            Deed::RegainSignal(blackout) => {
                self.on_line = true;
                self.device.send_late(&blackout).await;
                self.soon(Task::Listen, Duration::ZERO);
            }
            // The crew makes these calls only with a signal; they are not queued.
            Deed::HandOver | Deed::Reply if !self.on_line => {
                self.soon(Task::Do(ticket, deed), self.pace.lasts(1.0));
            }
            Deed::HandOver => self.hand_over(&ticket).await,
            Deed::Reply => self.reply(&ticket).await,
            Deed::Report => {
                let Some(job) = self.jobs.get(&ticket) else { return };
                self.at = job.trip.at(self.pace.minutes(job.begun.elapsed()));
                if self.on_line {
                    self.device.report_position(self.at).await;
                }
            }
            Deed::SetOut | Deed::Arrive | Deed::Diagnose | Deed::Estimate(_) | Deed::Restore => {
                self.take_step(&ticket, deed).await;
            }
        }
    }

    async fn take_step(&mut self, ticket: &str, deed: Deed) {
        let Some(job) = self.jobs.get(ticket) else { return };
        let step = match deed {
            Deed::SetOut => Step::EnRoute(pb::StepEnRoute {}),
            Deed::Arrive => {
                self.at = job.trip.at(job.trip.ends());
                let reported = job
                    .brief
                    .reported_at
                    .and_then(|at| Timestamp::from_timestamp(at.seconds, u32::try_from(at.nanos).unwrap_or_default()));
                if let Some(waited) = reported.and_then(|reported| (super::now() - reported).to_std().ok()) {
                    self.tally.arrived(self.pace.minutes(waited));
                }
                Step::Arrived(pb::StepArrived::default())
            }
            Deed::Diagnose => Step::Diagnosed(pb::StepDiagnosed { finding: cause(job).to_owned(), category: None }),
            Deed::Estimate(minutes) => self.device.etr(self.pace.lasts(minutes)),
            _ => {
                self.tally.write().restored += 1;
                Step::Restored(pb::StepRestored {})
            }
        };
        let restored = matches!(step, Step::Restored(_));
        self.device.step(ticket, step);
        if self.on_line {
            self.device.send_steps().await;
        }
        if restored {
            self.working = None;
            self.begin();
        }
    }

    async fn hand_over(&mut self, ticket: &str) {
        self.device.send_steps().await;
        match self.device.hand_over(ticket, words::BEYOND_LOW_VOLTAGE).await {
            Ok(()) => self.tally.write().handed_over += 1,
            Err(failure) => self.device.trouble("hand_over", &failure),
        }
        self.leave(ticket);
    }

    async fn reply(&mut self, ticket: &str) {
        self.device.send_steps().await;
        let Some(job) = self.jobs.remove(ticket) else { return };
        let category = job.brief.category.clone().unwrap_or_else(|| words::CATEGORY_SINGLE.to_owned());
        let reply = pb::ReplyRequest {
            outcome: pb::ReplyOutcome::Resolved.into(),
            facts: words::FAULT_MEASURES.to_owned(),
            cause: cause(&job).to_owned(),
            measures: words::FAULT_MEASURES.to_owned(),
            category,
            ..pb::ReplyRequest::default()
        };
        if let Err(failure) = self.device.reply(ticket, reply).await {
            self.device.trouble("reply", &failure);
        }
    }
}

/// Returns the cause that the crew finds; it is derived from the length of the repair.
fn cause(job: &Job) -> &'static str {
    // Repairs last minutes, so the cast is exact enough.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let nth = (job.errand.repair * 10.0) as usize;
    words::CAUSES[nth % words::CAUSES.len()]
}

/// Receives the next message; `None` when the stream has ended. Without a stream it never completes.
async fn hear(stream: &mut Option<Streaming<pb::WatchAssignmentsResponse>>) -> Option<pb::WatchAssignmentsResponse> {
    match stream {
        Some(stream) => stream.message().await.unwrap_or_else(|status| {
            let failure = Failure::of(&status);
            tracing::debug!(reason = %failure.reason, message = %failure.message, "a stream broke");
            None
        }),
        None => std::future::pending().await,
    }
}
