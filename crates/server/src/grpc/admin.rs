//! `AdminService`: policies and calendars as they are published, tried and compared.

use std::sync::Arc;

use switchboard_domain::actor::Role;
use switchboard_wire::{
    proto::{self, admin_service_server::AdminService},
    refusal::Refusal,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::{
    desk::Desk,
    figures::Figures,
    grpc::{
        admission::{Admission, Class},
        call::{Call, unary},
    },
    publishing::Publishing,
};

/// Who may ask anything here; publishing takes more.
const ASKERS: &[Role] = &[Role::Operator, Role::Auditor, Role::Desk];

/// The service.
#[derive(Clone, Debug)]
pub struct Admin {
    pub(crate) desk: Arc<Desk>,
    pub(crate) publishing: Arc<Publishing>,
    pub(crate) figures: Arc<Figures>,
    pub(crate) admission: Admission,
}

impl Admin {
    async fn call<Q, A, F>(
        &self,
        request: Request<Q>,
        class: Class,
        ask: impl FnOnce(Call, Q) -> F,
    ) -> Result<Response<A>, Status>
    where
        F: Future<Output = Result<A, Refusal>>,
    {
        let permitted = |call: Call, body| async move {
            call.one_of(ASKERS)?;
            ask(call, body).await
        };
        unary(&self.desk, &self.admission, class, request, permitted).await
    }
}

#[tonic::async_trait]
impl AdminService for Admin {
    type BacktestPolicyStream = ReceiverStream<Result<proto::BacktestPolicyResponse, Status>>;
    type ListDisagreementsStream = ReceiverStream<Result<proto::ListDisagreementsResponse, Status>>;

    async fn publish_policy(
        &self,
        request: Request<proto::PublishPolicyRequest>,
    ) -> Result<Response<proto::PublishPolicyResponse>, Status> {
        let publishing = Arc::clone(&self.publishing);
        let publish = |call: Call, body| async move { publishing.policy(&body, call.actor()?).await };
        self.call(request, Class::Command, publish).await
    }

    async fn end_shadow(
        &self,
        request: Request<proto::EndShadowRequest>,
    ) -> Result<Response<proto::EndShadowResponse>, Status> {
        let publishing = Arc::clone(&self.publishing);
        let end = |call: Call, body| async move { publishing.end_shadow(&body, call.actor()?).await };
        self.call(request, Class::Command, end).await
    }

    async fn list_policies(
        &self,
        request: Request<proto::ListPoliciesRequest>,
    ) -> Result<Response<proto::ListPoliciesResponse>, Status> {
        let publishing = Arc::clone(&self.publishing);
        let list = |call: Call, body| async move { publishing.list_policies(&body, call.language()).await };
        self.call(request, Class::Query, list).await
    }

    async fn publish_calendar(
        &self,
        request: Request<proto::PublishCalendarRequest>,
    ) -> Result<Response<proto::PublishCalendarResponse>, Status> {
        let publishing = Arc::clone(&self.publishing);
        let publish = |call: Call, body| async move { publishing.calendar(&body, call.actor()?).await };
        self.call(request, Class::Command, publish).await
    }

    async fn list_calendars(
        &self,
        request: Request<proto::ListCalendarsRequest>,
    ) -> Result<Response<proto::ListCalendarsResponse>, Status> {
        let publishing = Arc::clone(&self.publishing);
        self.call(request, Class::Query, |_, _| async move { publishing.list_calendars().await }).await
    }

    async fn backtest_policy(
        &self,
        request: Request<proto::BacktestPolicyRequest>,
    ) -> Result<Response<Self::BacktestPolicyStream>, Status> {
        let call = Call::read(request.metadata(), self.desk.deadline());
        let begun = async {
            let place = self.admission.enter_stream()?;
            call.one_of(ASKERS)?;
            self.figures.backtest(request.get_ref(), call.clone(), place).await
        };
        call.answer(begun).await.map(Response::new)
    }

    async fn list_disagreements(
        &self,
        request: Request<proto::ListDisagreementsRequest>,
    ) -> Result<Response<Self::ListDisagreementsStream>, Status> {
        let call = Call::read(request.metadata(), self.desk.deadline());
        let begun = async {
            let place = self.admission.enter_stream()?;
            call.one_of(ASKERS)?;
            self.figures.disagreements(request.get_ref(), call.clone(), place).await
        };
        call.answer(begun).await.map(Response::new)
    }
}
