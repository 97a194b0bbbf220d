//! `BoardService`: figures over many tickets, each with its definition and the position that it is true for.

use std::sync::Arc;

use switchboard_wire::proto::{self, board_service_server::BoardService};
use tonic::{Request, Response, Status};

use crate::{
    desk::Desk,
    figures::Figures,
    grpc::{
        admission::{Admission, Class},
        call::{Call, unary},
    },
};

/// The service.
#[derive(Clone, Debug)]
pub struct Board {
    pub(crate) desk: Arc<Desk>,
    pub(crate) figures: Arc<Figures>,
    pub(crate) admission: Admission,
}

#[tonic::async_trait]
impl BoardService for Board {
    async fn list_kpis(
        &self,
        request: Request<proto::ListKpisRequest>,
    ) -> Result<Response<proto::ListKpisResponse>, Status> {
        let define = |call: Call, _| async move { Ok(Figures::definitions(call.language())) };
        unary(&self.desk, &self.admission, Class::Query, request, define).await
    }

    async fn get_kpis(
        &self,
        request: Request<proto::GetKpisRequest>,
    ) -> Result<Response<proto::GetKpisResponse>, Status> {
        let count = |_, body| async move { self.figures.kpis(&body).await };
        unary(&self.desk, &self.admission, Class::Query, request, count).await
    }

    async fn get_averages(
        &self,
        request: Request<proto::GetAveragesRequest>,
    ) -> Result<Response<proto::GetAveragesResponse>, Status> {
        let judge = |call: Call, body| async move { self.figures.averages(&body, call.language()).await };
        unary(&self.desk, &self.admission, Class::Query, request, judge).await
    }
}
