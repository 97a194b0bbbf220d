//! One request per move, with the fields that make its command. The domain checks required texts and their sizes.

use switchboard_domain::{
    Violation,
    ticket::{
        Command, Escalation, Step, TicketId,
        command::{Reply, Verdict},
    },
};
use uuid::Uuid;

use super::{
    Header, TicketRef, TicketRequest,
    reader::{Reader, given, personal},
    reference,
};
use crate::proto::{self, audit_reply_request, escalate_request, report_progress_request::Step as WireStep};

/// Declares requests: the method, and the command built from the fields.
macro_rules! requests {
    ($($method:ident($request:ident: $type:ident, $reader:ident) => $command:expr;)+) => {$(
        impl TicketRequest for proto::$type {
            const METHOD: &'static str = stringify!($method);

            fn read(&self) -> Result<(Header, Command), Vec<Violation>> {
                #[allow(unused_variables)]
                fn command($request: &proto::$type, $reader: &mut Reader) -> Option<Command> {
                    Some($command)
                }
                let mut reader = Reader::default();
                let header = reader.header(self.header.as_ref());
                let command = command(self, &mut reader);
                reader.finish(header, command)
            }
        }
    )+};
}

requests! {
    Supplement(request: SupplementRequest, reader) => Command::Supplement { content: request.content.as_str().into() };
    Classify(request: ClassifyRequest, reader) => Command::Classify {
        business: reader.maybe_word("business_type", request.business_type),
        category: reader.category("category", &request.category)?,
        urgency: reader.word("urgency", request.urgency)?,
        grade: reader.maybe_word("grade", request.grade),
    };
    CloseAtFirstContact(request: CloseAtFirstContactRequest, reader) => Command::CloseAtFirstContact {
        answer: request.answer.as_str().into(),
    };
    Dispatch(request: DispatchRequest, reader) => Command::Dispatch { to: reader.org("to", &request.to)? };
    Accept(request: AcceptRequest, reader) => Command::Accept;
    Return(request: ReturnRequest, reader) => Command::Return {
        reason: reader.word("reason", request.reason)?,
        note: request.note.as_str().into(),
    };
    Reassign(request: ReassignRequest, reader) => Command::Reassign {
        to: reader.org("to", &request.to)?,
        reason: request.reason.as_str().into(),
    };
    ReportProgress(request: ReportProgressRequest, reader) => Command::ReportProgress(step(request.step.as_ref(), reader)?);
    Contact(request: ContactRequest, reader) => Command::Contact {
        outcome: reader.word("outcome", request.outcome)?,
        note: personal(request.note.as_deref()),
    };
    Reply(request: ReplyRequest, reader) => Command::Reply(Box::new(Reply {
        outcome: reader.word("outcome", request.outcome)?,
        facts: request.facts.as_str().into(),
        cause: request.cause.clone(),
        measures: request.measures.as_str().into(),
        customer_view: personal(request.customer_view.as_deref()),
        category: reader.category("category", &request.category)?,
        ownership: reader.maybe_word("ownership", request.ownership),
        substantiated: request.substantiated,
    }));
    AuditReply(request: AuditReplyRequest, reader) => Command::AuditReply { verdict: verdict(request, reader)? };
    Revisit(request: RevisitRequest, reader) => Command::Revisit {
        method: reader.word("method", request.method)?,
        outcome: reader.word("outcome", request.outcome)?,
        reasons: request.reasons.iter().filter_map(|&reason| reader.word("reasons", reason)).collect(),
        comment: personal(request.comment.as_deref()),
    };
    Reopen(request: ReopenRequest, reader) => Command::Reopen { reason: request.reason.as_str().into() };
    Close(request: CloseRequest, reader) => Command::Close { explanation: personal(request.explanation.as_deref()) };
    Urge(request: UrgeRequest, reader) => Command::Urge { reason: request.reason.as_str().into() };
    Supervise(request: SuperviseRequest, reader) => Command::Supervise { demand: request.demand.as_str().into() };
    Escalate(request: EscalateRequest, reader) => Command::Escalate {
        to: escalation(request, reader)?,
        reason: request.reason.as_str().into(),
    };
    Suspend(request: SuspendRequest, reader) => Command::Suspend {
        reason: reader.word("reason", request.reason)?,
        until: reader.time("until", request.until.as_ref()),
        note: personal(request.note.as_deref()),
    };
    Resume(request: ResumeRequest, reader) => Command::Resume;
    Extend(request: ExtendRequest, reader) => Command::Extend {
        until: reader.required_time("until", request.until.as_ref()),
        reason: request.reason.as_str().into(),
    };
    Unmerge(request: UnmergeRequest, reader) => Command::Unmerge { reason: request.reason.as_str().into() };
    Withdraw(request: WithdrawRequest, reader) => Command::Withdraw { reason: request.reason.as_str().into() };
    Reveal(request: RevealRequest, reader) => Command::Reveal { purpose: request.purpose.clone() };
    AcceptOffer(request: AcceptOfferRequest, reader) => Command::AcceptOffer {
        offer: reader.offer("offer", &request.offer),
        fence: reader.fence("fence", request.fence),
    };
    DeclineOffer(request: DeclineOfferRequest, reader) => Command::DeclineOffer {
        offer: reader.offer("offer", &request.offer),
        fence: reader.fence("fence", request.fence),
        reason: reader.word("reason", request.reason)?,
        note: personal(request.note.as_deref()),
    };
    HandOver(request: HandOverRequest, reader) => Command::HandOver {
        needs: reader.skills("needs", &request.needs),
        note: request.note.as_str().into(),
    };
    Recall(request: RecallRequest, reader) => Command::Recall { crew: None, reason: request.reason.as_str().into() };
    Assign(request: AssignRequest, reader) => Command::Pin {
        crew: given(request.crew.as_deref()).and_then(|crew| reader.crew("crew", crew)),
        reason: request.reason.as_str().into(),
    };
}

/// The only request that refers to a second ticket.
impl TicketRequest for proto::MergeRequest {
    const METHOD: &'static str = "Merge";

    fn read(&self) -> Result<(Header, Command), Vec<Violation>> {
        let mut reader = Reader::default();
        let header = reader.header(self.header.as_ref());
        let master = reader.ticket("master", &self.master);
        if master.as_ref() == Some(&header.ticket) {
            reader.refuse(Violation::contradicts("master", "header.ticket"));
        }
        let master = match master {
            Some(TicketRef::Id(id)) => id,
            Some(TicketRef::Number(_)) | None => TicketId(Uuid::nil()),
        };
        reader.finish(header, Some(Command::Merge { master, evidence: self.evidence.as_str().into() }))
    }

    fn master(&self) -> Option<TicketRef> {
        reference(&self.master)
    }
}

/// Reads a crew's step; several requests contain one.
pub(super) fn step(step: Option<&WireStep>, reader: &mut Reader) -> Option<Step> {
    let Some(step) = step else {
        reader.missing("step");
        return Some(Step::Accepted);
    };
    Some(match step {
        WireStep::Accepted(_) => Step::Accepted,
        WireStep::EnRoute(_) => Step::EnRoute,
        WireStep::Arrived(arrived) => Step::Arrived { area: reader.maybe_word("arrived.area", arrived.area) },
        WireStep::Diagnosed(diagnosed) => {
            reader.nested("finding", "diagnosed.finding");
            Step::Diagnosed {
                finding: diagnosed.finding.as_str().into(),
                category: reader.maybe_category("diagnosed.category", diagnosed.category.as_deref()),
            }
        }
        WireStep::EtrSet(set) => Step::EtrSet { etr: reader.required_time("etr_set.etr", set.etr.as_ref()) },
        WireStep::Restored(_) => Step::Restored,
    })
}

fn verdict(request: &proto::AuditReplyRequest, reader: &mut Reader) -> Option<Verdict> {
    use audit_reply_request::Verdict as Wire;
    let Some(verdict) = &request.verdict else {
        reader.missing("verdict");
        return Some(Verdict::Passed { category: None });
    };
    Some(match verdict {
        Wire::Passed(passed) => {
            Verdict::Passed { category: reader.maybe_category("passed.category", passed.category.as_deref()) }
        }
        Wire::SentBack(sent_back) => {
            reader.nested("reason", "sent_back.reason");
            Verdict::SentBack { reason: sent_back.reason.as_str().into() }
        }
    })
}

fn escalation(request: &proto::EscalateRequest, reader: &mut Reader) -> Option<Escalation> {
    use escalate_request::To;
    Some(match request.to {
        Some(To::Complaint(grade)) => Escalation::Complaint(reader.word("complaint", grade)?),
        Some(To::Grade(grade)) => Escalation::Grade(reader.word("grade", grade)?),
        Some(To::Urgent(true)) => Escalation::Urgent,
        Some(To::Urgent(false)) => {
            reader.malformed("urgent", "true, or left out");
            Escalation::Urgent
        }
        None => {
            reader.missing("to");
            Escalation::Urgent
        }
    })
}
