//! The calls of the API that a step can make, as one enum, and how each is sent.
//! Absent: questions (`Get`, `List`, ...), for a script asks nothing; the driver does. No field is judged here, that is the server's.

use switchboard_wire::proto::{
    self as pb, dispatch_service_client::DispatchServiceClient, intake_service_client::IntakeServiceClient,
    ticket_service_client::TicketServiceClient,
};
use tonic::transport::Channel;

/// What an accepted call answered, as far as a script's next steps need it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The ticket's id.
    pub ticket: String,
    /// Position of the command's last fact.
    pub position: u64,
    /// Whether the server had accepted this request before.
    pub replayed: bool,
    /// Whether a report joined an open ticket instead of opening one.
    pub attached: bool,
}

impl Answer {
    fn of(outcome: Option<pb::CommandOutcome>) -> Self {
        let outcome = outcome.unwrap_or_default();
        Self { ticket: outcome.ticket_id, position: outcome.position, replayed: outcome.replayed, attached: false }
    }
}

/// The services that scripts and crews talk to, over one connection.
#[derive(Clone, Debug)]
pub struct Line {
    /// Agents, desks and crews.
    pub tickets: TicketServiceClient<Channel>,
    /// Callers.
    pub intake: IntakeServiceClient<Channel>,
    /// Crews and those who send them.
    pub dispatch: DispatchServiceClient<Channel>,
}

impl Line {
    /// Speaks over `channel`, which may be shared.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        Self {
            tickets: TicketServiceClient::new(channel.clone()),
            intake: IntakeServiceClient::new(channel.clone()),
            dispatch: DispatchServiceClient::new(channel),
        }
    }
}

macro_rules! requests {
    ($($variant:ident($body:ident) = $call:literal $method:ident,)+) => {
        /// One call, complete but for the ticket's id, which the driver learns from the answer to [`Request::Receive`].
        #[derive(Clone, Debug, PartialEq)]
        pub enum Request {
            /// Opens a ticket.
            Receive(Box<pb::ReceiveRequest>),
            /// A caller reports: opens a ticket, or attaches to the caller's open one.
            Report(Box<pb::ReportRequest>),
            $(
                #[doc = concat!("`TicketService.", stringify!($variant), "`")]
                $variant(pb::$body),
            )+
        }

        impl Request {
            /// The call's name.
            #[must_use]
            pub fn call(&self) -> &'static str {
                match self {
                    Self::Receive(_) => "receive",
                    Self::Report(_) => "report",
                    $(Self::$variant(_) => $call,)+
                }
            }

            /// The header of a command to an existing ticket; `None` for what opens one.
            pub(crate) fn header_mut(&mut self) -> Option<&mut pb::CommandHeader> {
                match self {
                    Self::Receive(_) | Self::Report(_) => None,
                    $(Self::$variant(body) => Some(body.header.get_or_insert_default()),)+
                }
            }

            /// Sends it.
            ///
            /// # Errors
            /// The server's refusal, or the transport's failure, as it came.
            pub async fn send(request: tonic::Request<Self>, mut line: Line) -> Result<Answer, tonic::Status> {
                let (metadata, extensions, body) = request.into_parts();
                macro_rules! call {
                    ($client:ident, $name:ident, $message:expr) => {
                        line.$client.$name(tonic::Request::from_parts(metadata, extensions, $message)).await?.into_inner()
                    };
                }
                Ok(match body {
                    Self::Receive(message) => Answer::of(call!(tickets, receive, *message).outcome),
                    Self::Report(message) => {
                        let reported = call!(intake, report, *message);
                        Answer { attached: reported.attached, ..Answer::of(reported.outcome) }
                    }
                    $(Self::$variant(message) => Answer::of(call!(tickets, $method, message).outcome),)+
                })
            }
        }

        $(impl From<pb::$body> for Request {
            fn from(body: pb::$body) -> Self {
                Self::$variant(body)
            }
        })+
    };
}

requests! {
    Supplement(SupplementRequest) = "supplement" supplement,
    Classify(ClassifyRequest) = "classify" classify,
    CloseAtFirstContact(CloseAtFirstContactRequest) = "close_at_first_contact" close_at_first_contact,
    Dispatch(DispatchRequest) = "dispatch" dispatch,
    Accept(AcceptRequest) = "accept" accept,
    Return(ReturnRequest) = "return" r#return,
    Reassign(ReassignRequest) = "reassign" reassign,
    ReportProgress(ReportProgressRequest) = "report_progress" report_progress,
    Contact(ContactRequest) = "contact" contact,
    Reply(ReplyRequest) = "reply" reply,
    AuditReply(AuditReplyRequest) = "audit_reply" audit_reply,
    Revisit(RevisitRequest) = "revisit" revisit,
    Reopen(ReopenRequest) = "reopen" reopen,
    Close(CloseRequest) = "close" close,
    Urge(UrgeRequest) = "urge" urge,
    Supervise(SuperviseRequest) = "supervise" supervise,
    Escalate(EscalateRequest) = "escalate" escalate,
    Suspend(SuspendRequest) = "suspend" suspend,
    Resume(ResumeRequest) = "resume" resume,
    Extend(ExtendRequest) = "extend" extend,
    Merge(MergeRequest) = "merge" merge,
    Unmerge(UnmergeRequest) = "unmerge" unmerge,
    Withdraw(WithdrawRequest) = "withdraw" withdraw,
}

impl Request {
    /// What a step of crew work reports.
    #[must_use]
    pub fn progress(step: pb::report_progress_request::Step) -> Self {
        Self::ReportProgress(pb::ReportProgressRequest { header: None, step: Some(step) })
    }

    /// A reply that is good as it stands.
    #[must_use]
    pub fn passed() -> Self {
        let verdict = pb::audit_reply_request::Verdict::Passed(pb::ReplyPassed { category: None });
        Self::AuditReply(pb::AuditReplyRequest { header: None, verdict: Some(verdict) })
    }

    /// A reply that is to be investigated again.
    #[must_use]
    pub fn sent_back(reason: &str) -> Self {
        let verdict = pb::audit_reply_request::Verdict::SentBack(pb::ReplySentBack { reason: reason.to_owned() });
        Self::AuditReply(pb::AuditReplyRequest { header: None, verdict: Some(verdict) })
    }

    /// The ticket goes to `unit`.
    #[must_use]
    pub fn dispatch(unit: &str) -> Self {
        Self::Dispatch(pb::DispatchRequest { header: None, to: unit.to_owned() })
    }

    /// The holder takes it.
    #[must_use]
    pub fn accept() -> Self {
        Self::Accept(pb::AcceptRequest { header: None })
    }

    /// One finished or failed try to ask the customer.
    #[must_use]
    pub fn revisit(method: pb::RevisitMethod, outcome: pb::Satisfaction) -> Self {
        Self::Revisit(pb::RevisitRequest {
            method: method.into(),
            outcome: outcome.into(),
            ..pb::RevisitRequest::default()
        })
    }

    /// Files it away, with nothing left to explain.
    #[must_use]
    pub fn close() -> Self {
        Self::Close(pb::CloseRequest::default())
    }

    /// What opens a ticket or adds to it as a caller would.
    pub(crate) fn receive_mut(&mut self) -> Option<&mut pb::ReceiveRequest> {
        match self {
            Self::Receive(body) => Some(body),
            Self::Report(body) => Some(body.receive.get_or_insert_default()),
            _ => None,
        }
    }
}
