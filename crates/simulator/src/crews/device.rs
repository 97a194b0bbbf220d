//! A crew's device: what it sends and hears, with a clock of its own, steps that are kept while there is no signal, and the token
//! of the last message, with which its stream goes on. Absent: why anything is sent.

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

/// Steps of one bundle, at most: the server takes no more.
const BUNDLE_MAX: usize = 200;
/// The metadata of a refusal that names the rule, and the rule that a step was reported before.
const RULE: &str = "rule";
const ALREADY_REPORTED: &str = "already_reported";

/// The device.
#[derive(Debug)]
pub(super) struct Device {
    speaker: Speaker,
    lead: Actor,
    /// Names its requests.
    names: Uuid,
    tally: Shared,
    /// By how much its clock is ahead of the world's.
    error: TimeDelta,
    /// What is to be added to it, in milliseconds, as far as the server has told.
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

    /// The crew's path.
    pub(super) fn crew(&self) -> &str {
        &self.lead.org
    }

    /// What its clock shows.
    fn clock(&self) -> Timestamp {
        super::now() + self.error
    }

    fn name(&self, what: &str) -> String {
        Uuid::new_v5(&self.names, what.as_bytes()).to_string()
    }

    /// Notes what went wrong.
    pub(super) fn trouble(&self, call: &str, failure: &Failure) {
        tracing::debug!(crew = self.crew(), call, reason = %failure.reason, message = %failure.message, "refused");
        self.tally.write().trouble(self.crew(), call, failure);
    }

    /// Takes over the clock's correction that a refusal tells; whether it told one.
    fn set_clock(&mut self, failure: &Failure) -> bool {
        let told = failure.metadata.get("offset_ms").and_then(|offset| offset.parse().ok());
        let Some(offset_ms) = told.filter(|_| failure.reason == ErrorReason::DeviceClock.as_str_name()) else {
            return false;
        };
        self.offset_ms = Some(offset_ms);
        self.tally.write().clocks_set += 1;
        true
    }

    /// Learns by how much its clock is off, once: the server's time is taken to be that of half the way.
    fn compare_clocks(&mut self, asked: Timestamp, server: Option<prost_types::Timestamp>) {
        let server = server.and_then(|at| Timestamp::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?));
        if let (None, Some(server)) = (self.offset_ms, server) {
            let half = (self.clock() - asked) / 2;
            self.offset_ms = Some((server - asked - half).num_milliseconds());
        }
    }

    /// Begins a shift of so many hours.
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

    /// Says where the crew is. What cannot be said is dropped: the next position is as good.
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

    /// What every command to a ticket carries.
    fn header(&self, ticket: &str, what: &str) -> Option<pb::CommandHeader> {
        let request_id = self.name(&format!("{ticket}/{what}"));
        Some(pb::CommandHeader { request_id, ticket: ticket.to_owned(), ..pb::CommandHeader::default() })
    }

    /// Takes an offer.
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

    /// Hands a ticket over to a crew for high voltage.
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

    /// Keeps a step that happens now, to be sent.
    pub(super) fn step(&mut self, ticket: &str, step: Step) {
        let at = self.clock();
        let request_id = self.name(&format!("{ticket}/step/{}/{}", at.timestamp_micros(), self.unsent.len()));
        let (ticket, occurred_at) = (ticket.to_owned(), Some(stamp(at)));
        self.unsent.push(pb::StepReport { request_id, ticket, occurred_at, step: Some(step) });
    }

    /// An estimate of the time when power is back, by the device's clock.
    pub(super) fn etr(&self, after: std::time::Duration) -> Step {
        let after = TimeDelta::from_std(after).unwrap_or(TimeDelta::zero());
        Step::EtrSet(pb::StepEtrSet { etr: Some(stamp(self.clock() + after)) })
    }

    /// Sends the steps that are kept.
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

    /// Sends what was kept while there was no signal, as the blackout has it.
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
            // One by one, the last first: a server may put the steps of one bundle in order, but not these.
            let kept = std::mem::take(&mut self.unsent);
            for step in kept.into_iter().rev() {
                self.unsent.push(step);
                self.send_steps().await;
            }
        } else {
            self.send_steps().await;
        }
        if blackout.twice {
            // What could not be sent at all is in the copy too.
            self.unsent = copy;
            self.send_steps().await;
        }
    }

    /// Sends a bundle, and forgets what was recorded or refused for good; how many steps that were.
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

    /// A step that was reported before is no trouble: a device that starts anew does not know what it said.
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

    /// Opens the stream where it was left.
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

    /// What a message says; its token is remembered.
    pub(super) fn heard(&mut self, said: pb::WatchAssignmentsResponse) -> Option<Message> {
        if !said.resume_token.is_empty() {
            self.token = Some(said.resume_token);
        }
        said.message
    }
}

/// The ticket that an offer is for.
pub(super) fn ticket_of(offer: &pb::CrewOffer) -> &str {
    offer.ticket.as_ref().map(|ticket| ticket.ticket_id.as_str()).unwrap_or_default()
}
