//! `AdminService`: publication of policies and calendars, and comparison of policies.

use std::sync::Arc;

use futures::{StreamExt as _, stream::BoxStream};
use prost::Message;
use switchboard_domain::actor::Actor;
use switchboard_wire::{
    answer,
    proto::{self, admin_service_server::AdminService},
    refusal::Refusal,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::{
    grpc::{
        admission::{Admission, Class},
        call::{Call, former_hash, unary},
        clocks::{self, Compared},
        read,
    },
    service::{
        Node,
        figures::{Comparing, Figures},
        publishing::{Publishing, SourceFile, ToPublish},
    },
};

/// The implementation of `AdminService`.
#[derive(Clone, Debug)]
pub struct AdminApi {
    pub(crate) node: Arc<Node>,
    pub(crate) publishing: Arc<Publishing>,
    pub(crate) figures: Arc<Figures>,
    pub(crate) admission: Admission,
}

/// The messages of a comparison, converted as they come.
type Worded<M> = BoxStream<'static, Result<M, Status>>;

impl AdminApi {
    /// The fields of a request to publish other than the file.
    fn to_publish(&self, method: &str, id: &str, body: &impl Message, actor: &Actor) -> ToPublish {
        let former_hash = former_hash(&self.node, method, actor, body);
        ToPublish { request_id: Uuid::try_parse(id).ok(), former_hash }
    }

    async fn policy(
        &self,
        call: Call,
        body: proto::PublishPolicyRequest,
    ) -> Result<proto::PublishPolicyResponse, Refusal> {
        let actor = call.actor()?;
        let to = (!body.dry_run).then(|| self.to_publish("PublishPolicy", &body.request_id, &body, actor));
        let file = SourceFile { name: body.file_name, text: body.text };
        let (policy, published) = self.publishing.policy(&file, body.shadow, to, actor).await?;
        Ok(proto::PublishPolicyResponse {
            version: clocks::published(&published),
            effective_from: Some(answer::timestamp(policy.effective_from)),
            rules: u32::try_from(policy.rules.len() + policy.averages.len()).unwrap_or(u32::MAX),
            position: published.position,
            replayed: published.replayed,
            unchanged: published.unchanged,
        })
    }

    async fn calendar(
        &self,
        call: Call,
        body: proto::PublishCalendarRequest,
    ) -> Result<proto::PublishCalendarResponse, Refusal> {
        let actor = call.actor()?;
        let to = (!body.dry_run).then(|| self.to_publish("PublishCalendar", &body.request_id, &body, actor));
        let file = SourceFile { name: body.file_name, text: body.text };
        let (read, published) = self.publishing.calendar(&file, to, actor).await?;
        Ok(proto::PublishCalendarResponse {
            version: clocks::published(&published),
            year: read.year.year,
            working_days: read.year.days().working,
            position: published.position,
            replayed: published.replayed,
            unchanged: published.unchanged,
        })
    }

    async fn ended(&self, call: Call, body: proto::EndShadowRequest) -> Result<proto::EndShadowResponse, Refusal> {
        let actor = call.actor()?;
        let to = self.to_publish("EndShadow", &body.request_id, &body, actor);
        let ended = self.publishing.end_shadow(&body.operator, to, actor).await?;
        Ok(ended.map_or_else(proto::EndShadowResponse::default, |published| proto::EndShadowResponse {
            ended: true,
            position: published.position,
            replayed: published.replayed,
        }))
    }
}

/// Converts the messages of a comparison for the API.
fn worded<M: Compared>(call: Call, comparing: Comparing) -> Worded<M> {
    let word = move |said: Result<_, Refusal>| match said {
        Ok(said) => Ok(clocks::compared(&said)),
        Err(refusal) => Err(call.refuse(&refusal)),
    };
    ReceiverStream::new(comparing).map(word).boxed()
}

#[tonic::async_trait]
impl AdminService for AdminApi {
    type BacktestPolicyStream = Worded<proto::BacktestPolicyResponse>;
    type ListDisagreementsStream = Worded<proto::ListDisagreementsResponse>;

    async fn publish_policy(
        &self,
        request: Request<proto::PublishPolicyRequest>,
    ) -> Result<Response<proto::PublishPolicyResponse>, Status> {
        let publish = |call, body| self.policy(call, body);
        unary(&self.node, &self.admission, Class::Command, request, publish).await
    }

    async fn end_shadow(
        &self,
        request: Request<proto::EndShadowRequest>,
    ) -> Result<Response<proto::EndShadowResponse>, Status> {
        let end = |call, body| self.ended(call, body);
        unary(&self.node, &self.admission, Class::Command, request, end).await
    }

    async fn list_policies(
        &self,
        request: Request<proto::ListPoliciesRequest>,
    ) -> Result<Response<proto::ListPoliciesResponse>, Status> {
        let list = |call: Call, body: proto::ListPoliciesRequest| async move {
            let (registry, _) = self.publishing.registry(call.actor()?).await?;
            let policies = clocks::policies(&registry, &body.operator, call.language());
            Ok(proto::ListPoliciesResponse { policies })
        };
        unary(&self.node, &self.admission, Class::Query, request, list).await
    }

    async fn publish_calendar(
        &self,
        request: Request<proto::PublishCalendarRequest>,
    ) -> Result<Response<proto::PublishCalendarResponse>, Status> {
        let publish = |call, body| self.calendar(call, body);
        unary(&self.node, &self.admission, Class::Command, request, publish).await
    }

    async fn list_calendars(
        &self,
        request: Request<proto::ListCalendarsRequest>,
    ) -> Result<Response<proto::ListCalendarsResponse>, Status> {
        let list = |call: Call, _| async move {
            let (registry, now) = self.publishing.registry(call.actor()?).await?;
            Ok(proto::ListCalendarsResponse { calendars: clocks::calendars(&registry, now) })
        };
        unary(&self.node, &self.admission, Class::Query, request, list).await
    }

    async fn backtest_policy(
        &self,
        request: Request<proto::BacktestPolicyRequest>,
    ) -> Result<Response<Self::BacktestPolicyStream>, Status> {
        let call = Call::read(request.metadata(), self.node.deadline());
        let body = request.into_inner();
        let begun = async {
            let place = self.admission.enter_stream()?;
            let actor = call.actor()?;
            let period = read::period(body.from.as_ref(), body.to.as_ref())?;
            let file = SourceFile { name: body.file_name, text: body.text };
            self.figures.backtest(&file, period, body.flips_max, place, actor).await
        };
        let comparing = call.answer(begun).await?;
        Ok(Response::new(worded(call, comparing)))
    }

    async fn list_disagreements(
        &self,
        request: Request<proto::ListDisagreementsRequest>,
    ) -> Result<Response<Self::ListDisagreementsStream>, Status> {
        let call = Call::read(request.metadata(), self.node.deadline());
        let body = request.into_inner();
        let begun = async {
            let place = self.admission.enter_stream()?;
            self.figures.disagreements(&body.operator, body.flips_max, place, call.actor()?).await
        };
        let comparing = call.answer(begun).await?;
        Ok(Response::new(worded(call, comparing)))
    }
}
