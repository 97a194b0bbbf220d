//! `BoardService`: figures over many tickets, each with its definition and the position for which it is true.

use std::sync::Arc;

use chrono::TimeDelta;
use switchboard_domain::{
    Problem, Violation,
    organisation::{Level, OrgPath},
};
use switchboard_views::kpi;
use switchboard_wire::{
    answer,
    proto::{self, board_service_server::BoardService},
    refusal::Refusal,
};
use tonic::{Request, Response, Status};

use crate::{
    grpc::{
        admission::{Admission, Class},
        call::{Call, unary},
        clocks,
        read::{malformed, period},
    },
    service::{
        Node,
        figures::{Figures, Question},
    },
};

/// The longest period of one query, in days.
const PERIOD_DAYS_MAX: i64 = 400;
/// The most indicators that one query may name.
const KPIS_MAX: usize = 64;

/// The implementation of `BoardService`.
#[derive(Clone, Debug)]
pub struct BoardApi {
    pub(crate) node: Arc<Node>,
    pub(crate) figures: Arc<Figures>,
    pub(crate) admission: Admission,
}

#[tonic::async_trait]
impl BoardService for BoardApi {
    async fn list_kpis(
        &self,
        request: Request<proto::ListKpisRequest>,
    ) -> Result<Response<proto::ListKpisResponse>, Status> {
        let define = |call: Call, _| async move {
            let kpis = self.figures.definitions(call.actor()?)?;
            Ok(proto::ListKpisResponse { kpis: kpis.iter().map(|kpi| clocks::kpi(kpi, call.language())).collect() })
        };
        unary(&self.node, &self.admission, Class::Query, request, define).await
    }

    async fn get_kpis(
        &self,
        request: Request<proto::GetKpisRequest>,
    ) -> Result<Response<proto::GetKpisResponse>, Status> {
        let count = |call: Call, body: proto::GetKpisRequest| async move {
            let (values, position) = self.figures.kpis(question(&body)?, body.min_position, call.actor()?).await?;
            Ok(proto::GetKpisResponse { values: values.into_iter().map(clocks::kpi_value).collect(), position })
        };
        unary(&self.node, &self.admission, Class::Query, request, count).await
    }

    async fn get_averages(
        &self,
        request: Request<proto::GetAveragesRequest>,
    ) -> Result<Response<proto::GetAveragesResponse>, Status> {
        let judge = |call: Call, body: proto::GetAveragesRequest| async move {
            let at = body.at.as_ref().map(|at| answer::instant(at).ok_or_else(|| malformed("at", "an instant")));
            let at = at.transpose()?;
            let averages = self.figures.averages(&body.operator, at, body.min_position, call.actor()?).await?;
            Ok(clocks::averages(&averages, call.language()))
        };
        unary(&self.node, &self.admission, Class::Query, request, judge).await
    }
}

/// Reads the units, the indicators and the period of a query.
fn question(request: &proto::GetKpisRequest) -> Result<Question, Refusal> {
    let (from, to) = period(request.from.as_ref(), request.to.as_ref())?;
    if to - from > TimeDelta::days(PERIOD_DAYS_MAX) {
        return Err(malformed("to", "at most 400 days after from"));
    }
    let mut found = Vec::new();
    if request.kpis.len() > KPIS_MAX {
        found.push(Violation { field: "kpis", problem: Problem::TooMany { limit: KPIS_MAX } });
    }
    if request.kpis.iter().any(|name| kpi::definitions().iter().all(|kpi| kpi.name != name)) {
        found.push(Violation::malformed("kpis", "names that ListKpis gives"));
    }
    let org = (!request.org.is_empty()).then(|| OrgPath::parse(&request.org)).transpose();
    let level = Level::parse(&request.by_level);
    if org.is_err() {
        found.push(Violation::malformed("org", OrgPath::FORM));
    }
    if level.is_none() && !request.by_level.is_empty() {
        found.push(Violation::malformed("by_level", "nation, province, city, county, station or crew"));
    }
    if !found.is_empty() {
        return Err(Refusal::InvalidFields(found));
    }
    Ok(Question { from, to, org: org.unwrap_or_default(), level, kpis: request.kpis.clone() })
}
