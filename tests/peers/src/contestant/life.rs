//! Ours, the whole engine, with the life of a ticket: receive, classify, dispatch, accept, reply, audit.
//!
//! The same server as in `switchboard.rs`. Each command carries the etag of the answer before, and an actor who may
//! give it: an agent of the national centre, or the desk of the city to which the ticket is dispatched.

use std::collections::BTreeMap;

use switchboard_wire::proto::audit_reply_request::Verdict;
use switchboard_wire::proto::ticket_service_client::TicketServiceClient;
use switchboard_wire::proto::{
    AcceptRequest, AuditReplyRequest, ClassifyRequest, DispatchRequest, ReplyOutcome, ReplyPassed, ReplyRequest,
    Urgency,
};
use tonic::Request;
use tonic::transport::Channel;
use uuid::Uuid;

use super::Service;
use super::switchboard::{CONTENT, Seen, Switchboard, by, header, receive, seen};
use crate::workload::{Caller, Event, Fault, Refusal, Work};

/// The unit that repairs the fault.
const CITY: &str = "sgcc/zj/hz";

/// The server.
pub struct Life(Switchboard);

impl Life {
    /// Takes a connected server.
    pub fn new(server: Switchboard) -> Self {
        Self(server)
    }
}

impl Service for Life {
    type Caller = Clerk;

    async fn caller(&mut self) -> Result<Clerk, Fault> {
        Ok(Clerk(self.0.client()))
    }

    fn servers(&self) -> &[u32] {
        self.0.servers()
    }

    fn settings(&self) -> &BTreeMap<String, String> {
        self.0.settings()
    }
}

/// A client that takes the steps.
pub struct Clerk(TicketServiceClient<Channel>);

impl Caller for Clerk {
    type Cursor = Seen;
    const WORK: Work = Work::Life;

    /// The server chooses the id of the ticket. Of the event only the id and the step are used.
    async fn append(&self, _ticket: Uuid, event: Event, expected: Option<&Seen>) -> Result<Seen, Refusal> {
        let mut client = self.0.clone();
        let request_id = event.id.to_string();
        let Some(last) = expected else {
            let answer = client.receive(by_the_centre(receive(request_id))).await;
            return seen(answer.map(|answer| answer.into_inner().outcome));
        };
        let header = Some(header(request_id, last));
        let answer = match event.kind {
            "classify" => {
                let request = by_the_centre(ClassifyRequest {
                    header,
                    category: "fault_repair/low_voltage".to_owned(),
                    urgency: Urgency::Normal.into(),
                    ..ClassifyRequest::default()
                });
                client.classify(request).await.map(|answer| answer.into_inner().outcome)
            }
            "dispatch" => {
                let request = by_the_centre(DispatchRequest { header, to: CITY.to_owned() });
                client.dispatch(request).await.map(|answer| answer.into_inner().outcome)
            }
            "accept" => {
                let request = by_the_city(AcceptRequest { header });
                client.accept(request).await.map(|answer| answer.into_inner().outcome)
            }
            "reply" => {
                let request = by_the_city(ReplyRequest {
                    header,
                    outcome: ReplyOutcome::Resolved.into(),
                    facts: CONTENT.to_owned(),
                    cause: "A blown fuse".to_owned(),
                    measures: "Replaced the fuse".to_owned(),
                    category: "fault_repair/low_voltage/fuse".to_owned(),
                    ..ReplyRequest::default()
                });
                client.reply(request).await.map(|answer| answer.into_inner().outcome)
            }
            "audit" => {
                let verdict = Some(Verdict::Passed(ReplyPassed::default()));
                let request = by_the_centre(AuditReplyRequest { header, verdict });
                client.audit_reply(request).await.map(|answer| answer.into_inner().outcome)
            }
            other => return Err(Refusal::Fault(format!("there is no step {other}").into())),
        };
        seen(answer)
    }
}

fn by_the_centre<T>(command: T) -> Request<T> {
    by("agent", "sgcc", command)
}

fn by_the_city<T>(command: T) -> Request<T> {
    by("desk", CITY, command)
}
