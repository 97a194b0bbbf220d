//! `TicketService`: commands to tickets, and the questions about them.

use std::sync::Arc;

use prost::Message;
use switchboard_wire::{
    command::TicketRequest,
    proto::{self, ticket_service_server::TicketService},
    refusal::Refusal,
};
use tonic::{Request, Response, Status};

use crate::{
    desk::Desk,
    grpc::{
        admission::{Admission, Class},
        call::{Call, unary},
        present,
    },
    promises::Promises,
};

/// The service.
#[derive(Clone, Debug)]
pub struct Tickets {
    pub(crate) desk: Arc<Desk>,
    pub(crate) promises: Arc<Promises>,
    pub(crate) admission: Admission,
}

impl Tickets {
    /// One command to an existing ticket, from its request to its outcome.
    async fn command<R: TicketRequest + Message>(
        &self,
        class: Class,
        request: Request<R>,
    ) -> Result<proto::CommandOutcome, Status> {
        let call = Call::read(request.metadata(), self.desk.deadline());
        let outcome = call.answer(async {
            let _place = self.admission.enter(class)?;
            let done = self.desk.command(request.get_ref(), call.actor()?).await?;
            Ok(present::outcome(&done))
        });
        outcome.await
    }

    /// One question.
    async fn question<Q, A, F>(
        &self,
        request: Request<Q>,
        ask: impl FnOnce(Arc<Desk>, Call, Q) -> F,
    ) -> Result<Response<A>, Status>
    where
        F: Future<Output = Result<A, Refusal>>,
    {
        let desk = Arc::clone(&self.desk);
        unary(&self.desk, &self.admission, Class::Query, request, |call, body| ask(desk, call, body)).await
    }
}

macro_rules! ticket_service {
    ($($method:ident($request:ident) -> $response:ident: $class:ident,)+) => {
        #[tonic::async_trait]
        impl TicketService for Tickets {
            $(async fn $method(&self, request: Request<proto::$request>) -> Result<Response<proto::$response>, Status> {
                let outcome = self.command(Class::$class, request).await?;
                Ok(Response::new(proto::$response { outcome: Some(outcome) }))
            })+

            async fn receive(
                &self,
                request: Request<proto::ReceiveRequest>,
            ) -> Result<Response<proto::ReceiveResponse>, Status> {
                let call = Call::read(request.metadata(), self.desk.deadline());
                let answer = call.answer(async {
                    let _place = self.admission.enter(Class::Urgent)?;
                    let (done, number) = self.desk.receive(request.get_ref(), call.actor()?).await?;
                    Ok(proto::ReceiveResponse { outcome: Some(present::outcome(&done)), number })
                });
                answer.await.map(Response::new)
            }

            async fn reveal(
                &self,
                request: Request<proto::RevealRequest>,
            ) -> Result<Response<proto::RevealResponse>, Status> {
                let call = Call::read(request.metadata(), self.desk.deadline());
                let answer = call.answer(async {
                    let _place = self.admission.enter(Class::Command)?;
                    let done = self.desk.command(request.get_ref(), call.actor()?).await?;
                    let page = self.desk.page(done.id, crate::desk::AsOf::Position(done.position)).await?;
                    let ticket = Some(present::ticket(&page, present::Personal::Readable));
                    Ok(proto::RevealResponse { outcome: Some(present::outcome(&done)), ticket })
                });
                answer.await.map(Response::new)
            }

            async fn get(&self, request: Request<proto::GetRequest>) -> Result<Response<proto::GetResponse>, Status> {
                self.question(request, |desk, _, request| async move { desk.get(&request).await }).await
            }

            async fn list(&self, request: Request<proto::ListRequest>) -> Result<Response<proto::ListResponse>, Status> {
                self.question(request, |desk, _, request| async move { desk.list(&request).await }).await
            }

            async fn history(
                &self,
                request: Request<proto::HistoryRequest>,
            ) -> Result<Response<proto::HistoryResponse>, Status> {
                self.question(request, |desk, _, request| async move { desk.history(&request).await }).await
            }

            async fn explain_promises(
                &self,
                request: Request<proto::ExplainPromisesRequest>,
            ) -> Result<Response<proto::ExplainPromisesResponse>, Status> {
                let promises = Arc::clone(&self.promises);
                let explain = |_, call: Call, body| async move { promises.explain(&body, call.language()).await };
                self.question(request, explain).await
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
