//! `BoardService`: figures over many tickets, each with its definition and the position that it is true for.

use std::sync::Arc;

use switchboard_wire::{
    proto::{self, board_service_server::BoardService},
    refusal::Refusal,
};
use tonic::{Request, Response, Status};

use crate::{
    desk::Desk,
    figures::Figures,
    grpc::{
        admission::{Admission, Class},
        call::Call,
    },
};

/// The service.
#[derive(Clone, Debug)]
pub struct Board {
    pub(crate) desk: Arc<Desk>,
    pub(crate) figures: Arc<Figures>,
    pub(crate) admission: Admission,
}

impl Board {
    async fn question<Q, A, F>(
        &self,
        request: Request<Q>,
        ask: impl FnOnce(Arc<Figures>, Call, Q) -> F,
    ) -> Result<Response<A>, Status>
    where
        F: Future<Output = Result<A, Refusal>>,
    {
        let call = Call::read(request.metadata(), self.desk.deadline());
        let answer = call.answer(async {
            let _place = self.admission.enter(Class::Query)?;
            ask(Arc::clone(&self.figures), call.clone(), request.into_inner()).await
        });
        answer.await.map(Response::new)
    }
}

#[tonic::async_trait]
impl BoardService for Board {
    async fn list_kpis(
        &self,
        request: Request<proto::ListKpisRequest>,
    ) -> Result<Response<proto::ListKpisResponse>, Status> {
        self.question(request, |_, call, _| async move { Ok(Figures::definitions(call.tongue())) }).await
    }

    async fn get_kpis(
        &self,
        request: Request<proto::GetKpisRequest>,
    ) -> Result<Response<proto::GetKpisResponse>, Status> {
        self.question(request, |figures, _, body| async move { figures.kpis(&body).await }).await
    }

    async fn get_averages(
        &self,
        request: Request<proto::GetAveragesRequest>,
    ) -> Result<Response<proto::GetAveragesResponse>, Status> {
        self.question(request, |figures, call, body| async move { figures.averages(&body, call.tongue()).await }).await
    }
}
