//! `DispatchService`: the calls of crew apps and of the dispatch desk. Nothing is decided here.

mod plan;
mod said;
mod watch;

use std::sync::Arc;

use prost::Message;
use switchboard_wire::{
    answer,
    command::{self, CrewRequest, STEPS_METHOD, TicketRequest},
    proto::{self, dispatch_service_server::DispatchService},
    refusal::Refusal,
};
use tokio::sync::watch::Receiver;
use tonic::{Request, Response, Status};

use crate::{
    grpc::{
        admission::{Admission, Class},
        call::{Call, former_hash, unary},
        present, read,
        streaming::Outgoing,
    },
    service::{
        Node,
        crews::{Bundle, Crews, ToStep, reporter},
        dispatch::intended::Intended,
    },
};

/// The implementation of `DispatchService`.
#[derive(Clone, Debug)]
pub struct DispatchApi {
    pub(crate) node: Arc<Node>,
    pub(crate) crews: Arc<Crews>,
    pub(crate) intended: Intended,
    pub(crate) admission: Admission,
    pub(crate) draining: Receiver<bool>,
}

impl DispatchApi {
    /// Serves one command to a crew.
    async fn to_crew<R: CrewRequest + Message>(
        &self,
        class: Class,
        request: Request<R>,
    ) -> Result<proto::CrewOutcome, Status> {
        let call = Call::of(&request, self.node.deadline());
        let answer = call.answer(async {
            let _place = self.admission.enter(class)?;
            let actor = call.actor()?;
            let to = read::to_crew(&self.node, request.get_ref(), actor)?;
            Ok(present::crew_outcome(&self.crews.command(to, actor).await?))
        });
        answer.await
    }

    /// Serves one command to a ticket.
    async fn to_ticket<R: TicketRequest + Message>(
        &self,
        class: Class,
        request: Request<R>,
    ) -> Result<proto::CommandOutcome, Status> {
        let call = Call::of(&request, self.node.deadline());
        let answer = call.answer(async {
            let _place = self.admission.enter(class)?;
            let actor = call.actor()?;
            let to = read::to_ticket(&self.node, request.get_ref(), actor)?;
            Ok(present::outcome(&self.crews.to_ticket(to, actor).await?))
        });
        answer.await
    }

    async fn enrol(&self, call: Call, body: proto::EnrolCrewRequest) -> Result<proto::EnrolCrewResponse, Refusal> {
        let actor = call.actor()?;
        let to = read::to_crew(&self.node, &body, actor)?;
        let done = self.crews.enrol(to, actor).await?;
        let unchanged = done.is_none();
        let as_it_was = || proto::CrewOutcome { crew: body.crew, position: self.node.head(), replayed: false };
        let outcome = Some(done.map_or_else(as_it_was, |done| present::crew_outcome(&done)));
        Ok(proto::EnrolCrewResponse { outcome, unchanged })
    }

    async fn position(
        &self,
        call: Call,
        body: proto::ReportPositionRequest,
    ) -> Result<proto::ReportPositionResponse, Refusal> {
        let actor = call.actor()?;
        let report = command::position(&body, actor).map_err(Refusal::InvalidFields)?;
        let (kept, now) = self.crews.position(report, actor).await?;
        Ok(proto::ReportPositionResponse { server_time: Some(answer::timestamp(now)), kept })
    }

    async fn steps(&self, call: Call, body: proto::ReportStepsRequest) -> Result<proto::ReportStepsResponse, Refusal> {
        let actor = call.actor()?;
        let bundle = command::bundle(&body, actor).map_err(Refusal::InvalidFields)?;
        let reporter = reporter(&bundle.crew, actor);
        let steps = bundle.steps.iter().map(|report| {
            let former_hash = former_hash(&self.node, STEPS_METHOD, &reporter, report);
            command::step(report, bundle.clock.offset).map(|step| ToStep { step, former_hash })
        });
        let (crew, clock) = (bundle.crew.clone(), bundle.clock);
        let reported = self.crews.steps(Bundle { crew, clock, steps: steps.collect() }, actor).await?;
        let results = body.steps.into_iter().zip(&reported.results).map(|(report, result)| proto::StepResult {
            request_id: report.request_id,
            result: Some(said::became(result, call.language)),
        });
        let server_time = Some(answer::timestamp(reported.now));
        Ok(proto::ReportStepsResponse { results: results.collect(), server_time })
    }
}

macro_rules! dispatch_service {
    ($($to:ident $method:ident($request:ident) -> $response:ident: $class:ident,)+) => {
        #[tonic::async_trait]
        impl DispatchService for DispatchApi {
            type WatchAssignmentsStream = Outgoing<proto::WatchAssignmentsResponse>;

            $(async fn $method(&self, request: Request<proto::$request>) -> Result<Response<proto::$response>, Status> {
                let outcome = self.$to(Class::$class, request).await?;
                Ok(Response::new(proto::$response { outcome: Some(outcome) }))
            })+

            async fn enrol_crew(
                &self,
                request: Request<proto::EnrolCrewRequest>,
            ) -> Result<Response<proto::EnrolCrewResponse>, Status> {
                let enrol = |call, body| self.enrol(call, body);
                unary(&self.node, &self.admission, Class::Command, request, enrol).await
            }

            async fn report_position(
                &self,
                request: Request<proto::ReportPositionRequest>,
            ) -> Result<Response<proto::ReportPositionResponse>, Status> {
                let report = |call, body| self.position(call, body);
                // Lowest class: a refused report does no harm, because the next report replaces it.
                unary(&self.node, &self.admission, Class::Query, request, report).await
            }

            async fn report_steps(
                &self,
                request: Request<proto::ReportStepsRequest>,
            ) -> Result<Response<proto::ReportStepsResponse>, Status> {
                let report = |call, body| self.steps(call, body);
                unary(&self.node, &self.admission, Class::Urgent, request, report).await
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
                let list = |call, body| self.crews(call, body);
                unary(&self.node, &self.admission, Class::Query, request, list).await
            }

            async fn list_proposals(
                &self,
                request: Request<proto::ListProposalsRequest>,
            ) -> Result<Response<proto::ListProposalsResponse>, Status> {
                let list = |call, body| self.proposals(call, body);
                unary(&self.node, &self.admission, Class::Query, request, list).await
            }

            async fn explain_proposal(
                &self,
                request: Request<proto::ExplainProposalRequest>,
            ) -> Result<Response<proto::ExplainProposalResponse>, Status> {
                let explain = |call, body| self.explain(call, body);
                unary(&self.node, &self.admission, Class::Query, request, explain).await
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
