//! A crew's device: it sends and receives for the crew. It has its own clock, keeps steps while there is no signal, and
//! resumes its stream with the last token. Absent: the decisions about what to send.

use chrono::TimeDelta;
use switchboard_wire::proto::{
    self as pb, ErrorReason, Skill, step_report::Step, step_result, watch_assignments_response::Message,
};
use tonic::Streaming;
use uuid::Uuid;

use super::{conduct::Blackout, tally::Shared};
use crate::{
    Timestamp,
    driver::{Failure, Speaker, address},
    request::Request,
    script::{Actor, Source, of_unit, stamp},
};

/// The most steps of one bundle; the server accepts no more.
const BUNDLE_MAX: usize = 200;
/// The metadata key of a refusal that names the rule, and the rule for a step that was reported before.
const RULE: &str = "rule";
const ALREADY_REPORTED: &str = "already_reported";

/// The device of one crew.
#[derive(Debug)]
pub(super) struct Device {
    speaker: Speaker,
    lead: Actor,
    /// The namespace of its request ids.
    names: Uuid,
    tally: Shared,
    /// The error of its clock: device time minus real time.
    error: TimeDelta,
    /// The correction of its clock in milliseconds, as learned from the server; `None` until then.
    offset_ms: Option<i64>,
    unsent: Vec<pb::StepReport>,
    token: Option<String>,
}

impl Device {
    pub(super) fn of(crew: &str, speaker: Speaker, tally: Shared, error: TimeDelta) -> Self {
        let names = Source::named("devices").script(crew);
        let lead = of_unit(crew);
        Self { speaker, lead, names, tally, error, offset_ms: None, unsent: Vec::new(), token: None }
    }

    /// Returns the crew's path.
    pub(super) fn crew(&self) -> &str {
        &self.lead.org
    }

    /// Returns the time that its clock shows.
    fn clock(&self) -> Timestamp {
        super::now() + self.error
    }

    fn name(&self, what: &str) -> String {
        Uuid::new_v5(&self.names, what.as_bytes()).to_string()
    }

    /// Logs a failure and adds it to the tally.
    pub(super) fn trouble(&self, call: &str, failure: &Failure) {
        tracing::debug!(crew = self.crew(), call, reason = %failure.reason, message = %failure.message, "refused");
        self.tally.write().trouble(self.crew(), call, failure);
    }

    /// Adopts the clock correction in a refusal; returns true if there was one.
    fn set_clock(&mut self, failure: &Failure) -> bool {
        let told = failure.metadata.get("offset_ms").and_then(|offset| offset.parse().ok());
        let Some(offset_ms) = told.filter(|_| failure.reason == ErrorReason::DeviceClock.as_str_name()) else {
            return false;
        };
        self.offset_ms = Some(offset_ms);
        self.tally.write().clocks_set += 1;
        true
    }

    /// Computes the clock correction from the server's time, once. It assumes that the server read its clock half-way
    /// between request and answer.
    fn compare_clocks(&mut self, asked: Timestamp, server: Option<prost_types::Timestamp>) {
        let server = server.and_then(|at| Timestamp::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?));
        if let (None, Some(server)) = (self.offset_ms, server) {
            let half = (self.clock() - asked) / 2;
            self.offset_ms = Some((server - asked - half).num_milliseconds());
        }
    }

    /// Begins a shift of that many hours.
    pub(super) async fn start_shift(&self, hours: i64) -> Result<(), Failure> {
        let now = super::now();
        let header = pb::CrewHeader {
            request_id: self.name(&format!("start/{}", now.timestamp_micros())),
            ..pb::CrewHeader::default()
        };
        let until = Some(stamp(now + TimeDelta::hours(hours)));
        let ask = pb::StartShiftRequest { header: Some(header), until, ..pb::StartShiftRequest::default() };
        let call = |mut line: crate::request::Line, ask| async move { line.dispatch.start_shift(ask).await };
        self.speaker.ask(&self.lead, ask, call).await.map(drop)
    }

    /// Ends the shift.
    pub(super) async fn end_shift(&self) -> Result<(), Failure> {
        let request_id = self.name(&format!("end/{}", super::now().timestamp_micros()));
        let ask = pb::EndShiftRequest { header: Some(pb::CrewHeader { request_id, ..pb::CrewHeader::default() }) };
        let call = |mut line: crate::request::Line, ask| async move { line.dispatch.end_shift(ask).await };
        self.speaker.ask(&self.lead, ask, call).await.map(drop)
    }

    /// Reports the crew's position. A position that cannot be sent is dropped, because the next one replaces it.
    pub(super) async fn report_position(&mut self, at: pb::Position) {
        for _ in 0..2 {
            let asked = self.clock();
            let ask = pb::ReportPositionRequest {
                crew: None,
                at: Some(at),
                accuracy_m: 15,
                observed_at: Some(stamp(asked)),
                clock_offset_ms: self.offset_ms.unwrap_or_default(),
            };
            let call = |mut line: crate::request::Line, ask| async move { line.dispatch.report_position(ask).await };
            match self.speaker.ask(&self.lead, ask, call).await {
                Err(failure) if self.set_clock(&failure) => {}
                Err(failure) => return self.trouble("report_position", &failure),
                Ok(answer) => return self.compare_clocks(asked, answer.server_time),
            }
        }
    }

    /// Builds the header of a command to a ticket; `what` makes its request id unique within the ticket.
    fn header(&self, ticket: &str, what: &str) -> Option<pb::CommandHeader> {
        let request_id = self.name(&format!("{ticket}/{what}"));
        Some(pb::CommandHeader { request_id, ticket: ticket.to_owned(), ..pb::CommandHeader::default() })
    }

    /// Accepts an offer.
    pub(super) async fn accept(&self, offer: &pb::CrewOffer) -> Result<(), Failure> {
        let header = self.header(ticket_of(offer), &format!("accept/{}", offer.offer));
        let ask = pb::AcceptOfferRequest { header, offer: offer.offer.clone(), fence: offer.fence };
        let call = |mut line: crate::request::Line, ask| async move { line.dispatch.accept_offer(ask).await };
        self.speaker.ask(&self.lead, ask, call).await.map(drop)
    }

    /// Declines an offer.
    pub(super) async fn decline(&self, offer: &pb::CrewOffer, reason: pb::DeclineReason) -> Result<(), Failure> {
        let header = self.header(ticket_of(offer), &format!("decline/{}", offer.offer));
        let ask = pb::DeclineOfferRequest {
            header,
            offer: offer.offer.clone(),
            fence: offer.fence,
            reason: reason.into(),
            note: None,
        };
        let call = |mut line: crate::request::Line, ask| async move { line.dispatch.decline_offer(ask).await };
        self.speaker.ask(&self.lead, ask, call).await.map(drop)
    }

    /// Hands a ticket over to a crew with the skill for high voltage.
    pub(super) async fn hand_over(&self, ticket: &str, note: &str) -> Result<(), Failure> {
        let header = self.header(ticket, &format!("hand_over/{}", super::now().timestamp_micros()));
        let ask = pb::HandOverRequest { header, needs: vec![Skill::HighVoltage.into()], note: note.to_owned() };
        let call = |mut line: crate::request::Line, ask| async move { line.dispatch.hand_over(ask).await };
        self.speaker.ask(&self.lead, ask, call).await.map(drop)
    }

    /// Sends the reply to a ticket.
    pub(super) async fn reply(&self, ticket: &str, reply: pb::ReplyRequest) -> Result<(), Failure> {
        let header = self.header(ticket, &format!("reply/{}", super::now().timestamp_micros()));
        let reply = Request::Reply(pb::ReplyRequest { header, ..reply });
        self.speaker.send(&self.lead, reply).await.map(drop)
    }

    /// Queues a step that happens now.
    pub(super) fn step(&mut self, ticket: &str, step: Step) {
        let at = self.clock();
        let request_id = self.name(&format!("{ticket}/step/{}/{}", at.timestamp_micros(), self.unsent.len()));
        let (ticket, occurred_at) = (ticket.to_owned(), Some(stamp(at)));
        self.unsent.push(pb::StepReport { request_id, ticket, occurred_at, step: Some(step) });
    }

    /// Builds the step that gives an ETR, by the device's clock.
    pub(super) fn etr(&self, after: std::time::Duration) -> Step {
        let after = TimeDelta::from_std(after).unwrap_or(TimeDelta::zero());
        Step::EtrSet(pb::StepEtrSet { etr: Some(stamp(self.clock() + after)) })
    }

    /// Sends the queued steps.
    pub(super) async fn send_steps(&mut self) {
        while !self.unsent.is_empty() {
            let bundle: Vec<pb::StepReport> = self.unsent.iter().take(BUNDLE_MAX).cloned().collect();
            match self.send(bundle).await {
                Ok(0) => return,
                Ok(_) => {}
                Err(failure) => return self.trouble("report_steps", &failure),
            }
        }
    }

    /// Sends the steps that were queued without signal, with the faults that the blackout prescribes.
    pub(super) async fn send_late(&mut self, blackout: &Blackout) {
        if self.unsent.is_empty() {
            return;
        }
        {
            let mut tally = self.tally.write();
            tally.bundles_late += 1;
            tally.bundles_twice += u64::from(blackout.twice);
            tally.bundles_shuffled += u64::from(blackout.shuffled && self.unsent.len() > 1);
        }
        let copy = self.unsent.clone();
        if blackout.shuffled {
            // Sends the steps in separate bundles, the last first. A server may sort the steps within one bundle, but
            // it cannot sort these.
            let kept = std::mem::take(&mut self.unsent);
            for step in kept.into_iter().rev() {
                self.unsent.push(step);
                self.send_steps().await;
            }
        } else {
            self.send_steps().await;
        }
        if blackout.twice {
            // The copy also contains steps that could not be sent at all.
            self.unsent = copy;
            self.send_steps().await;
        }
    }

    /// Sends a bundle and removes the steps that were recorded or refused for good. Returns the number of removed
    /// steps.
    async fn send(&mut self, bundle: Vec<pb::StepReport>) -> Result<usize, Failure> {
        for last in [false, true] {
            let ask = pb::ReportStepsRequest {
                crew: None,
                device_time: Some(stamp(self.clock())),
                clock_offset_ms: self.offset_ms.unwrap_or_default(),
                steps: bundle.clone(),
            };
            let call = |mut line: crate::request::Line, ask| async move { line.dispatch.report_steps(ask).await };
            match self.speaker.ask(&self.lead, ask, call).await {
                Err(failure) if !last && self.set_clock(&failure) => {}
                Err(failure) => return Err(failure),
                Ok(answer) => return Ok(self.settled(&answer.results)),
            }
        }
        Ok(0)
    }

    fn settled(&mut self, results: &[pb::StepResult]) -> usize {
        let before = self.unsent.len();
        for result in results {
            match &result.result {
                Some(step_result::Result::Refusal(refusal)) if refusal.retryable => continue,
                Some(step_result::Result::Refusal(refusal)) => self.refused(refusal),
                Some(step_result::Result::Outcome(outcome)) => {
                    let mut tally = self.tally.write();
                    tally.steps += 1;
                    tally.steps_repeated += u64::from(outcome.replayed);
                }
                None => {}
            }
            self.unsent.retain(|step| step.request_id != result.request_id);
        }
        before - self.unsent.len()
    }

    /// Records a refused step. A step that was reported before is no problem: a device that restarts does not know what
    /// it has sent.
    fn refused(&self, refusal: &pb::StepRefusal) {
        if refusal.metadata.get(RULE).is_some_and(|rule| rule == ALREADY_REPORTED) {
            return;
        }
        let failure = Failure {
            reason: refusal.reason.clone(),
            message: refusal.message.clone(),
            transient: false,
            metadata: refusal.metadata.clone(),
        };
        self.trouble("step", &failure);
    }

    /// Opens the stream and resumes after the last message.
    pub(super) async fn watch(&mut self) -> Result<Streaming<pb::WatchAssignmentsResponse>, Failure> {
        let ask = pb::WatchAssignmentsRequest { crew: None, resume_token: self.token.clone() };
        let ask = address(&self.lead, ask)?;
        let mut line = self.speaker.line.clone();
        let opened = tokio::time::timeout(self.speaker.options.deadline, line.dispatch.watch_assignments(ask)).await;
        let opened = opened.unwrap_or_else(|_| Err(tonic::Status::deadline_exceeded("the stream does not open")));
        let stream = opened.map_err(|status| Failure::of(&status))?.into_inner();
        if self.token.is_some() {
            self.tally.write().resumed += 1;
        }
        Ok(stream)
    }

    /// Remembers the resume token of a message, and returns its content.
    pub(super) fn heard(&mut self, said: pb::WatchAssignmentsResponse) -> Option<Message> {
        if !said.resume_token.is_empty() {
            self.token = Some(said.resume_token);
        }
        said.message
    }
}

/// Returns the ticket of an offer.
pub(super) fn ticket_of(offer: &pb::CrewOffer) -> &str {
    offer.ticket.as_ref().map(|ticket| ticket.ticket_id.as_str()).unwrap_or_default()
}
