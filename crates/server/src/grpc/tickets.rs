//! `TicketService`: commands to tickets, and queries about them.

use std::sync::Arc;

use prost::Message;
use switchboard_wire::{
    command::TicketRequest,
    proto::{self, ticket_service_server::TicketService},
    refusal::Refusal,
};
use tonic::{Request, Response, Status};

use crate::{
    grpc::{
        admission::{Admission, Class},
        call::{Call, unary},
        clocks, present, read,
    },
    service::{
        Node,
        promises::Promises,
        tickets::{HISTORY_FACTS_MAX, Tickets},
    },
};

/// The implementation of `TicketService`.
#[derive(Clone, Debug)]
pub struct TicketApi {
    pub(crate) node: Arc<Node>,
    pub(crate) tickets: Arc<Tickets>,
    pub(crate) promises: Arc<Promises>,
    pub(crate) admission: Admission,
}

impl TicketApi {
    /// Serves one command to an existing ticket.
    async fn command<R: TicketRequest + Message>(
        &self,
        class: Class,
        request: Request<R>,
    ) -> Result<proto::CommandOutcome, Status> {
        let call = Call::of(&request, self.node.deadline());
        let outcome = call.answer(async {
            let _place = self.admission.enter(class)?;
            let actor = call.actor()?;
            let to = read::to_ticket(&self.node, request.get_ref(), actor)?;
            Ok(present::outcome(&self.tickets.command(to, actor).await?))
        });
        outcome.await
    }

    /// Serves one query.
    async fn question<Q, A, F>(
        &self,
        request: Request<Q>,
        ask: impl FnOnce(Arc<Tickets>, Call, Q) -> F,
    ) -> Result<Response<A>, Status>
    where
        F: Future<Output = Result<A, Refusal>>,
    {
        let tickets = Arc::clone(&self.tickets);
        unary(&self.node, &self.admission, Class::Query, request, |call, body| ask(tickets, call, body)).await
    }
}

async fn get(tickets: Arc<Tickets>, call: Call, body: proto::GetRequest) -> Result<proto::GetResponse, Refusal> {
    let (reference, as_of) = (read::reference(&body.ticket)?, read::as_of(body.as_of)?);
    let (page, position) = tickets.get(&reference, as_of, body.min_position, call.actor()?).await?;
    Ok(proto::GetResponse { ticket: Some(present::ticket(&page, present::Personal::Masked)), position })
}

async fn list(tickets: Arc<Tickets>, call: Call, body: proto::ListRequest) -> Result<proto::ListResponse, Refusal> {
    let query = present::query(&body)?;
    let page = tickets.list(query.clone(), body.min_position, call.actor()?).await?;
    Ok(present::list(&query, &page))
}

async fn history(
    tickets: Arc<Tickets>,
    call: Call,
    body: proto::HistoryRequest,
) -> Result<proto::HistoryResponse, Refusal> {
    let reference = read::reference(&body.ticket)?;
    let size = match body.page_size as usize {
        0 => HISTORY_FACTS_MAX,
        size => size.min(HISTORY_FACTS_MAX),
    };
    let found = tickets.history(&reference, body.from_revision, size, body.min_position, call.actor()?).await?;
    let facts = found.facts.iter().map(|fact| present::fact(fact, found.confidential)).collect();
    Ok(proto::HistoryResponse { facts, next_revision: found.next_revision })
}

async fn explain(
    promises: Arc<Promises>,
    call: Call,
    body: proto::ExplainPromisesRequest,
) -> Result<proto::ExplainPromisesResponse, Refusal> {
    let (reference, as_of) = (read::reference(&body.ticket)?, read::as_of(body.as_of)?);
    let explained = promises.explain(&reference, as_of, body.min_position, call.actor()?).await?;
    Ok(clocks::explained(&explained, call.language()))
}

macro_rules! ticket_service {
    ($($method:ident($request:ident) -> $response:ident: $class:ident,)+) => {
        #[tonic::async_trait]
        impl TicketService for TicketApi {
            $(async fn $method(&self, request: Request<proto::$request>) -> Result<Response<proto::$response>, Status> {
                let outcome = self.command(Class::$class, request).await?;
                Ok(Response::new(proto::$response { outcome: Some(outcome) }))
            })+

            async fn receive(
                &self,
                request: Request<proto::ReceiveRequest>,
            ) -> Result<Response<proto::ReceiveResponse>, Status> {
                let call = Call::of(&request, self.node.deadline());
                let answer = call.answer(async {
                    let _place = self.admission.enter(Class::Urgent)?;
                    let (actor, body) = (call.actor()?, request.get_ref());
                    let to = read::to_receive(&self.node, ("Receive", body), body, actor)?;
                    let (done, number) = self.tickets.receive(to, actor).await?;
                    Ok(proto::ReceiveResponse { outcome: Some(present::outcome(&done)), number })
                });
                answer.await.map(Response::new)
            }

            async fn reveal(
                &self,
                request: Request<proto::RevealRequest>,
            ) -> Result<Response<proto::RevealResponse>, Status> {
                let call = Call::of(&request, self.node.deadline());
                let answer = call.answer(async {
                    let _place = self.admission.enter(Class::Command)?;
                    let actor = call.actor()?;
                    let to = read::to_ticket(&self.node, request.get_ref(), actor)?;
                    let (done, page) = self.tickets.reveal(to, actor).await?;
                    let ticket = Some(present::ticket(&page, present::Personal::Readable));
                    Ok(proto::RevealResponse { outcome: Some(present::outcome(&done)), ticket })
                });
                answer.await.map(Response::new)
            }

            async fn get(&self, request: Request<proto::GetRequest>) -> Result<Response<proto::GetResponse>, Status> {
                self.question(request, get).await
            }

            async fn list(&self, request: Request<proto::ListRequest>) -> Result<Response<proto::ListResponse>, Status> {
                self.question(request, list).await
            }

            async fn history(
                &self,
                request: Request<proto::HistoryRequest>,
            ) -> Result<Response<proto::HistoryResponse>, Status> {
                self.question(request, history).await
            }

            async fn explain_promises(
                &self,
                request: Request<proto::ExplainPromisesRequest>,
            ) -> Result<Response<proto::ExplainPromisesResponse>, Status> {
                let promises = Arc::clone(&self.promises);
                self.question(request, |_, call, body| explain(promises, call, body)).await
            }
        }
    };
}

ticket_service! {
    supplement(SupplementRequest) -> SupplementResponse: Command,
    classify(ClassifyRequest) -> ClassifyResponse: Command,
    close_at_first_contact(CloseAtFirstContactRequest) -> CloseAtFirstContactResponse: Command,
    dispatch(DispatchRequest) -> DispatchResponse: Command,
    accept(AcceptRequest) -> AcceptResponse: Command,
    r#return(ReturnRequest) -> ReturnResponse: Command,
    reassign(ReassignRequest) -> ReassignResponse: Command,
    report_progress(ReportProgressRequest) -> ReportProgressResponse: Urgent,
    contact(ContactRequest) -> ContactResponse: Command,
    reply(ReplyRequest) -> ReplyResponse: Command,
    audit_reply(AuditReplyRequest) -> AuditReplyResponse: Command,
    revisit(RevisitRequest) -> RevisitResponse: Command,
    reopen(ReopenRequest) -> ReopenResponse: Command,
    close(CloseRequest) -> CloseResponse: Command,
    urge(UrgeRequest) -> UrgeResponse: Command,
    supervise(SuperviseRequest) -> SuperviseResponse: Command,
    escalate(EscalateRequest) -> EscalateResponse: Command,
    suspend(SuspendRequest) -> SuspendResponse: Command,
    resume(ResumeRequest) -> ResumeResponse: Command,
    extend(ExtendRequest) -> ExtendResponse: Command,
    merge(MergeRequest) -> MergeResponse: Command,
    unmerge(UnmergeRequest) -> UnmergeResponse: Command,
    withdraw(WithdrawRequest) -> WithdrawResponse: Command,
}
