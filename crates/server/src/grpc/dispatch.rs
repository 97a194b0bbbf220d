//! `DispatchService`: what crew apps and the dispatch desk do. Nothing is decided here.

mod plan;
mod said;
mod watch;

use std::sync::Arc;

use prost::Message;
use switchboard_wire::{
    command::{CrewRequest, TicketRequest},
    proto::{self, dispatch_service_server::DispatchService},
    refusal::Refusal,
};
use tokio::sync::watch::Receiver;
use tonic::{Request, Response, Status};

use self::plan::Intentions;
use crate::{
    crews::{CrewDesk, outcome},
    dispatching::Dispatching,
    grpc::{
        admission::{Admission, Class},
        call::{Call, unary},
        present,
        streaming::Outgoing,
    },
};

/// The service.
#[derive(Clone, Debug)]
pub struct Dispatch {
    pub(crate) crews: Arc<CrewDesk>,
    pub(crate) dispatching: Dispatching,
    pub(crate) admission: Admission,
    pub(crate) draining: Receiver<bool>,
}

impl Dispatch {
    /// One command to a crew, from its request to its outcome.
    async fn to_crew<R: CrewRequest + Message>(
        &self,
        class: Class,
        request: Request<R>,
    ) -> Result<proto::CrewOutcome, Status> {
        let call = Call::read(request.metadata(), self.crews.desk.deadline());
        let answer = call.answer(async {
            let _place = self.admission.enter(class)?;
            Ok(outcome(&self.crews.command(request.get_ref(), call.actor()?).await?))
        });
        answer.await
    }

    /// One command to a ticket, from its request to its outcome.
    async fn to_ticket<R: TicketRequest + Message>(
        &self,
        class: Class,
        request: Request<R>,
    ) -> Result<proto::CommandOutcome, Status> {
        let call = Call::read(request.metadata(), self.crews.desk.deadline());
        let answer = call.answer(async {
            let _place = self.admission.enter(class)?;
            Ok(present::outcome(&self.crews.to_ticket(request.get_ref(), call.actor()?).await?))
        });
        answer.await
    }

    async fn one<Q, A, F>(
        &self,
        class: Class,
        request: Request<Q>,
        ask: impl FnOnce(Arc<CrewDesk>, Call, Q) -> F,
    ) -> Result<Response<A>, Status>
    where
        F: Future<Output = Result<A, Refusal>>,
    {
        let crews = Arc::clone(&self.crews);
        unary(&self.crews.desk, &self.admission, class, request, |call, body| ask(crews, call, body)).await
    }

    /// One question about what is intended.
    async fn asked<Q, A, F>(
        &self,
        request: Request<Q>,
        ask: impl FnOnce(Intentions, Call, Q) -> F,
    ) -> Result<Response<A>, Status>
    where
        F: Future<Output = Result<A, Refusal>>,
    {
        let intended = Intentions { desk: Arc::clone(&self.crews.desk), dispatching: self.dispatching.clone() };
        unary(&self.crews.desk, &self.admission, Class::Query, request, |call, body| ask(intended, call, body)).await
    }
}

macro_rules! dispatch_service {
    ($($to:ident $method:ident($request:ident) -> $response:ident: $class:ident,)+) => {
        #[tonic::async_trait]
        impl DispatchService for Dispatch {
            type WatchAssignmentsStream = Outgoing<proto::WatchAssignmentsResponse>;

            $(async fn $method(&self, request: Request<proto::$request>) -> Result<Response<proto::$response>, Status> {
                let outcome = self.$to(Class::$class, request).await?;
                Ok(Response::new(proto::$response { outcome: Some(outcome) }))
            })+

            async fn enrol_crew(
                &self,
                request: Request<proto::EnrolCrewRequest>,
            ) -> Result<Response<proto::EnrolCrewResponse>, Status> {
                let enrol = |crews: Arc<CrewDesk>, call: Call, body| async move { crews.enrol(&body, call.actor()?).await };
                self.one(Class::Command, request, enrol).await
            }

            async fn report_position(
                &self,
                request: Request<proto::ReportPositionRequest>,
            ) -> Result<Response<proto::ReportPositionResponse>, Status> {
                let report = |crews: Arc<CrewDesk>, call: Call, body| async move {
                    crews.position(&body, call.actor()?).await
                };
                // The next report makes up for one that is shed.
                self.one(Class::Query, request, report).await
            }

            async fn report_steps(
                &self,
                request: Request<proto::ReportStepsRequest>,
            ) -> Result<Response<proto::ReportStepsResponse>, Status> {
                let report = |crews: Arc<CrewDesk>, call: Call, body| async move {
                    crews.steps(&body, call.actor()?, call.language).await
                };
                self.one(Class::Urgent, request, report).await
            }

            async fn watch_assignments(
                &self,
                request: Request<proto::WatchAssignmentsRequest>,
            ) -> Result<Response<Self::WatchAssignmentsStream>, Status> {
                self.watch(request).await.map(Response::new)
            }

            async fn list_crews(
                &self,
                request: Request<proto::ListCrewsRequest>,
            ) -> Result<Response<proto::ListCrewsResponse>, Status> {
                let ask = |intended: Intentions, call: Call, body| async move { intended.crews(&body, call.actor()?).await };
                self.asked(request, ask).await
            }

            async fn list_proposals(
                &self,
                request: Request<proto::ListProposalsRequest>,
            ) -> Result<Response<proto::ListProposalsResponse>, Status> {
                let ask = |intended: Intentions, call: Call, body| async move { intended.proposals(&body, call.actor()?).await };
                self.asked(request, ask).await
            }

            async fn explain_proposal(
                &self,
                request: Request<proto::ExplainProposalRequest>,
            ) -> Result<Response<proto::ExplainProposalResponse>, Status> {
                let ask = |intended: Intentions, call: Call, body| async move { intended.explain(&body, call.actor()?).await };
                self.asked(request, ask).await
            }
        }
    };
}

dispatch_service! {
    to_crew start_shift(StartShiftRequest) -> StartShiftResponse: Urgent,
    to_crew end_shift(EndShiftRequest) -> EndShiftResponse: Urgent,
    to_crew set_availability(SetAvailabilityRequest) -> SetAvailabilityResponse: Urgent,
    to_crew dismiss_crew(DismissCrewRequest) -> DismissCrewResponse: Command,
    to_ticket accept_offer(AcceptOfferRequest) -> AcceptOfferResponse: Urgent,
    to_ticket decline_offer(DeclineOfferRequest) -> DeclineOfferResponse: Urgent,
    to_ticket hand_over(HandOverRequest) -> HandOverResponse: Urgent,
    to_ticket assign(AssignRequest) -> AssignResponse: Command,
    to_ticket recall(RecallRequest) -> RecallResponse: Command,
}
