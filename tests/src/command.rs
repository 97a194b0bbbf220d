//! One request of any kind to a ticket, as a value, so that a test can list, repeat, record and race requests.

use switchboard_wire::proto::{
    self, AcceptRequest, AuditReplyRequest, BusinessType, Caller, Channel, ClassifyRequest, CloseAtFirstContactRequest,
    CloseRequest, CommandHeader, CommandOutcome, ContactOutcome, ContactRequest, DispatchRequest, EscalateRequest,
    ExtendRequest, Grade, MergeRequest, ReassignRequest, ReceiveRequest, ReopenRequest, ReplyOutcome, ReplyRequest,
    ReportProgressRequest, ResumeRequest, ReturnReason, ReturnRequest, RevisitMethod, RevisitRequest, Satisfaction,
    SuperviseRequest, SupplementRequest, SuspendReason, SuspendRequest, UnmergeRequest, UrgeRequest, Urgency,
    WithdrawRequest, audit_reply_request::Verdict, escalate_request::To, report_progress_request::Step,
};
use tonic::Status;
use uuid::Uuid;

use crate::line::Tickets;

macro_rules! commands {
    ($($name:ident($request:ident) $method:ident,)+) => {
        /// One request of any kind.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Command {
            /// Opens a ticket.
            Receive(Box<ReceiveRequest>),
            $(
                #[doc = concat!("A `", stringify!($name), "` to an existing ticket.")]
                $name($request),
            )+
        }

        impl Command {
            /// Sends the request.
            ///
            /// # Errors
            /// The server's refusal or the transport's failure.
            pub async fn send(&self, tickets: &mut Tickets) -> Result<CommandOutcome, Status> {
                let outcome = match self {
                    Self::Receive(request) => tickets.receive((**request).clone()).await?.into_inner().outcome,
                    $(Self::$name(request) => tickets.$method(request.clone()).await?.into_inner().outcome,)+
                };
                outcome.ok_or_else(|| Status::internal("an answer without an outcome"))
            }

            /// Returns the header of a command to an existing ticket; `None` for a request that opens one.
            pub fn header_mut(&mut self) -> Option<&mut CommandHeader> {
                match self {
                    Self::Receive(_) => None,
                    $(Self::$name(request) => Some(request.header.get_or_insert_default()),)+
                }
            }
        }
        $(
            impl From<$request> for Command {
                fn from(request: $request) -> Self {
                    Self::$name(request)
                }
            }
        )+
    };
}

commands! {
    Supplement(SupplementRequest) supplement,
    Classify(ClassifyRequest) classify,
    CloseAtFirstContact(CloseAtFirstContactRequest) close_at_first_contact,
    Dispatch(DispatchRequest) dispatch,
    Accept(AcceptRequest) accept,
    Return(ReturnRequest) r#return,
    Reassign(ReassignRequest) reassign,
    ReportProgress(ReportProgressRequest) report_progress,
    Contact(ContactRequest) contact,
    Reply(ReplyRequest) reply,
    AuditReply(AuditReplyRequest) audit_reply,
    Revisit(RevisitRequest) revisit,
    Reopen(ReopenRequest) reopen,
    Close(CloseRequest) close,
    Urge(UrgeRequest) urge,
    Supervise(SuperviseRequest) supervise,
    Escalate(EscalateRequest) escalate,
    Suspend(SuspendRequest) suspend,
    Resume(ResumeRequest) resume,
    Extend(ExtendRequest) extend,
    Merge(MergeRequest) merge,
    Unmerge(UnmergeRequest) unmerge,
    Withdraw(WithdrawRequest) withdraw,
}

impl Command {
    /// Addresses the request to that ticket, under a fresh request id.
    #[must_use]
    pub fn about(self, ticket: &str) -> Self {
        self.named(Uuid::new_v4(), ticket)
    }

    /// Addresses the request to that ticket, under this request id.
    #[must_use]
    pub fn named(mut self, request_id: Uuid, ticket: &str) -> Self {
        match self.header_mut() {
            Some(header) => (header.request_id, header.ticket) = (request_id.to_string(), ticket.into()),
            None => {
                if let Self::Receive(receive) = &mut self {
                    receive.request_id = request_id.to_string();
                }
            }
        }
        self
    }

    /// Sets `occurred_at`.
    #[must_use]
    pub fn at(mut self, instant: prost_types::Timestamp) -> Self {
        if let Some(header) = self.header_mut() {
            header.occurred_at = Some(instant);
        } else if let Self::Receive(receive) = &mut self {
            receive.occurred_at = Some(instant);
        }
        self
    }

    /// Makes the command conditional: it is refused unless the ticket is at that revision.
    #[must_use]
    pub fn if_still(mut self, etag: &str) -> Self {
        if let Some(header) = self.header_mut() {
            header.etag = Some(etag.into());
        }
        self
    }

    /// Returns its request id.
    #[must_use]
    pub fn request_id(&self) -> String {
        match self.clone() {
            Self::Receive(receive) => receive.request_id,
            mut other => other.header_mut().map(|header| header.request_id.clone()).unwrap_or_default(),
        }
    }
}

/// Builds the receipt of a ticket of that type from a caller with that phone, under a fresh request id.
#[must_use]
pub fn receive(business: BusinessType, phone: &str) -> ReceiveRequest {
    ReceiveRequest {
        request_id: Uuid::new_v4().to_string(),
        business_type: business.into(),
        channel: Channel::Hotline.into(),
        received_by: Some("sgcc".into()),
        caller: Some(Caller { phone: Some(phone.into()), ..Caller::default() }),
        content: "No power in the whole building since noon.".into(),
        ..ReceiveRequest::default()
    }
}

/// Builds a supplement with more words of the customer.
#[must_use]
pub fn supplement(content: &str) -> Command {
    SupplementRequest { header: None, content: content.into() }.into()
}

/// Builds a classification with normal urgency; a complaint needs a grade.
#[must_use]
pub fn classify(category: &str, grade: Option<Grade>) -> Command {
    let grade = grade.map_or(0, Into::into);
    ClassifyRequest { category: category.into(), urgency: Urgency::Normal.into(), grade, ..Default::default() }.into()
}

/// Builds a dispatch to a unit.
#[must_use]
pub fn dispatch(to: &str) -> Command {
    DispatchRequest { header: None, to: to.into() }.into()
}

/// Builds an acceptance.
#[must_use]
pub fn accept() -> Command {
    AcceptRequest::default().into()
}

/// Builds a return to the level above.
#[must_use]
pub fn give_back(reason: ReturnReason) -> Command {
    ReturnRequest { reason: reason.into(), note: "Not our street.".into(), ..Default::default() }.into()
}

/// Builds a step of crew work.
#[must_use]
pub fn progress(step: Step) -> Command {
    ReportProgressRequest { header: None, step: Some(step) }.into()
}

/// Builds a contact that reached the customer.
#[must_use]
pub fn contact() -> Command {
    let note = Some("Told when the power will be back.".into());
    ContactRequest { outcome: ContactOutcome::Reached.into(), note, ..Default::default() }.into()
}

/// Builds the reply for finished work.
#[must_use]
pub fn reply(category: &str, substantiated: Option<bool>) -> Command {
    ReplyRequest {
        outcome: ReplyOutcome::Resolved.into(),
        facts: "Found as told.".into(),
        cause: "A blown fuse".into(),
        measures: "Replaced it.".into(),
        category: category.into(),
        substantiated,
        ..Default::default()
    }
    .into()
}

/// Builds a reply audit that passes the reply.
#[must_use]
pub fn passed() -> Command {
    let verdict = Some(Verdict::Passed(proto::ReplyPassed::default()));
    AuditReplyRequest { header: None, verdict }.into()
}

/// Builds a reply audit that sends the reply back.
#[must_use]
pub fn sent_back() -> Command {
    let verdict = Some(Verdict::SentBack(proto::ReplySentBack { reason: "Which fuse?".into() }));
    AuditReplyRequest { header: None, verdict }.into()
}

/// Builds a revisit by text message, which may be sent at any hour.
#[must_use]
pub fn revisit(outcome: Satisfaction, reasons: &[proto::DissatisfactionReason]) -> Command {
    RevisitRequest {
        method: RevisitMethod::Sms.into(),
        outcome: outcome.into(),
        reasons: reasons.iter().map(|reason| (*reason).into()).collect(),
        ..Default::default()
    }
    .into()
}

/// Builds a close.
#[must_use]
pub fn close(explanation: Option<&str>) -> Command {
    CloseRequest { header: None, explanation: explanation.map(Into::into) }.into()
}

/// Builds an urge.
#[must_use]
pub fn urge() -> Command {
    UrgeRequest { header: None, reason: "When at last?".into() }.into()
}

/// Builds a supervision by a unit above.
#[must_use]
pub fn supervise() -> Command {
    SuperviseRequest { header: None, demand: "A report by tonight.".into() }.into()
}

/// Builds an escalation to a higher grade.
#[must_use]
pub fn escalate(grade: Grade) -> Command {
    EscalateRequest { to: Some(To::Grade(grade.into())), reason: "The third time.".into(), ..Default::default() }.into()
}

/// Builds a suspension that waits for the customer.
#[must_use]
pub fn suspend() -> Command {
    SuspendRequest { reason: SuspendReason::Customer.into(), ..Default::default() }.into()
}

/// Builds a resumption.
#[must_use]
pub fn resume() -> Command {
    ResumeRequest::default().into()
}

/// Builds an extension until that instant.
#[must_use]
pub fn extend(until: prost_types::Timestamp) -> Command {
    ExtendRequest { until: Some(until), reason: "A part is on order.".into(), ..Default::default() }.into()
}

/// Builds a reopening.
#[must_use]
pub fn reopen() -> Command {
    ReopenRequest { header: None, reason: "The customer is right.".into() }.into()
}

/// Builds a merge into a master.
#[must_use]
pub fn merge(master: &str) -> Command {
    MergeRequest { header: None, master: master.into(), evidence: "The same transformer.".into() }.into()
}

/// Builds an unmerge.
#[must_use]
pub fn unmerge() -> Command {
    UnmergeRequest { header: None, reason: "Another house line.".into() }.into()
}

/// Builds a withdrawal by the customer.
#[must_use]
pub fn withdraw() -> Command {
    WithdrawRequest { header: None, reason: "The power came back by itself.".into() }.into()
}
