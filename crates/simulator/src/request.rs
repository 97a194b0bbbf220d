//! The API calls that a step can make, as one enum, and the code that sends them. Absent: queries (`Get`, `List`, ...),
//! because scripts only send commands; the driver queries. Absent, too: validation of fields, which is the server's
//! work.

use switchboard_wire::proto::{
    self as pb, dispatch_service_client::DispatchServiceClient, intake_service_client::IntakeServiceClient,
    ticket_service_client::TicketServiceClient,
};
use tonic::transport::Channel;

/// The answer to an accepted call, reduced to the fields that the next steps of a script need.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The ticket's id.
    pub ticket: String,
    /// The position of the command's last fact.
    pub position: u64,
    /// True if the server had accepted this request before.
    pub replayed: bool,
    /// True if a report attached to an open ticket instead of opening one.
    pub attached: bool,
}

impl Answer {
    fn of(outcome: Option<pb::CommandOutcome>) -> Self {
        let outcome = outcome.unwrap_or_default();
        Self { ticket: outcome.ticket_id, position: outcome.position, replayed: outcome.replayed, attached: false }
    }
}

/// The clients of the services that scripts and crews call, over one connection.
#[derive(Clone, Debug)]
pub struct Line {
    /// The client of the ticket service, for agents, desks and crews.
    pub tickets: TicketServiceClient<Channel>,
    /// The client of the intake service, for callers.
    pub intake: IntakeServiceClient<Channel>,
    /// The client of the dispatch service, for crews and dispatchers.
    pub dispatch: DispatchServiceClient<Channel>,
}

impl Line {
    /// Creates the clients over `channel`, which may be shared.
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
        /// One call, complete except for the ticket's id. The driver learns the id from the answer to
        /// [`Request::Receive`] or `Request::Report`.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Request {
            /// Opens a ticket.
            Receive(Box<pb::ReceiveRequest>),
            /// A report by a caller: opens a ticket, or attaches to the caller's open one.
            Report(Box<pb::ReportRequest>),
            $(
                #[doc = concat!("`TicketService.", stringify!($variant), "`")]
                $variant(pb::$body),
            )+
        }

        impl Request {
            /// Returns the call's name, such as `dispatch`; step names contain it.
            #[must_use]
            pub fn call(&self) -> &'static str {
                match self {
                    Self::Receive(_) => "receive",
                    Self::Report(_) => "report",
                    $(Self::$variant(_) => $call,)+
                }
            }

            /// Returns the header of a command to an existing ticket; `None` for a request that opens one.
            pub(crate) fn header_mut(&mut self) -> Option<&mut pb::CommandHeader> {
                match self {
                    Self::Receive(_) | Self::Report(_) => None,
                    $(Self::$variant(body) => Some(body.header.get_or_insert_default()),)+
                }
            }

            /// Sends the request.
            ///
            /// # Errors
            /// The server's refusal or the transport's failure, unchanged.
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
    /// Builds a progress report with one step of crew work.
    #[must_use]
    pub fn progress(step: pb::report_progress_request::Step) -> Self {
        Self::ReportProgress(pb::ReportProgressRequest { header: None, step: Some(step) })
    }

    /// Builds a reply audit that passes the reply.
    #[must_use]
    pub fn passed() -> Self {
        let verdict = pb::audit_reply_request::Verdict::Passed(pb::ReplyPassed { category: None });
        Self::AuditReply(pb::AuditReplyRequest { header: None, verdict: Some(verdict) })
    }

    /// Builds a reply audit that sends the reply back for more work.
    #[must_use]
    pub fn sent_back(reason: &str) -> Self {
        let verdict = pb::audit_reply_request::Verdict::SentBack(pb::ReplySentBack { reason: reason.to_owned() });
        Self::AuditReply(pb::AuditReplyRequest { header: None, verdict: Some(verdict) })
    }

    /// Builds a dispatch of the ticket to `unit`.
    #[must_use]
    pub fn dispatch(unit: &str) -> Self {
        Self::Dispatch(pb::DispatchRequest { header: None, to: unit.to_owned() })
    }

    /// Builds the holder's acceptance of the ticket.
    #[must_use]
    pub fn accept() -> Self {
        Self::Accept(pb::AcceptRequest { header: None })
    }

    /// Builds the record of one attempt to ask the customer, whether or not it succeeded.
    #[must_use]
    pub fn revisit(method: pb::RevisitMethod, outcome: pb::Satisfaction) -> Self {
        Self::Revisit(pb::RevisitRequest {
            method: method.into(),
            outcome: outcome.into(),
            ..pb::RevisitRequest::default()
        })
    }

    /// Builds a close without a comment.
    #[must_use]
    pub fn close() -> Self {
        Self::Close(pb::CloseRequest::default())
    }

    /// Returns the body of a request that opens a ticket or attaches to one; `None` for a command to an existing
    /// ticket.
    pub(crate) fn receive_mut(&mut self) -> Option<&mut pb::ReceiveRequest> {
        match self {
            Self::Receive(body) => Some(body),
            Self::Report(body) => Some(body.receive.get_or_insert_default()),
            _ => None,
        }
    }
}
