//! `IntakeService`: the calls of IVR and bots while a caller waits.

use std::sync::Arc;

use switchboard_domain::{Violation, personal::Personal};
use switchboard_views::advice;
use switchboard_wire::{
    answer,
    proto::{self, intake_service_server::IntakeService},
    refusal::Refusal,
};
use tonic::{Request, Response, Status};

use crate::{
    grpc::{
        admission::{Admission, Class},
        call::Call,
        present, read,
    },
    service::{
        Node,
        intake::{Check, CheckState, Intake},
    },
};

/// The implementation of `IntakeService`.
#[derive(Clone, Debug)]
pub struct IntakeApi {
    pub(crate) node: Arc<Node>,
    pub(crate) intake: Intake,
    pub(crate) admission: Admission,
}

fn checks(checks: &[Check]) -> Vec<proto::Check> {
    let state = |state| match state {
        CheckState::Done => proto::CheckState::Done,
        CheckState::Unavailable => proto::CheckState::Unavailable,
        CheckState::TimedOut => proto::CheckState::TimedOut,
    };
    checks.iter().map(|check| proto::Check { name: check.name.into(), state: state(check.state).into() }).collect()
}

impl IntakeApi {
    async fn report(&self, call: &Call, body: &proto::ReportRequest) -> Result<proto::ReportResponse, Refusal> {
        let actor = call.actor()?;
        let Some(receive) = body.receive.as_ref() else {
            return Err(Refusal::InvalidFields(vec![Violation::missing("receive")]));
        };
        let to = read::to_receive(&self.node, ("Report", body), receive, actor)?;
        let reported = self.intake.report(to, call.remaining(), actor).await?;
        Ok(proto::ReportResponse {
            outcome: Some(present::outcome(&reported.done)),
            number: reported.number,
            attached: reported.attached,
            checks: checks(&reported.checks),
        })
    }

    async fn identify(&self, call: &Call, body: &proto::IdentifyRequest) -> Result<proto::IdentifyResponse, Refusal> {
        let personal = |text: &Option<String>| text.as_deref().map(Personal::from);
        let (phone, account) = (personal(&body.phone), personal(&body.account));
        let found = self.intake.identify(phone, account, call.remaining(), call.actor()?).await?;
        Ok(proto::IdentifyResponse {
            known: found.total > 0,
            open_tickets: found.open.iter().map(present::summary).collect(),
            tickets_total: found.total,
            recent_reports: found.recent,
            checks: checks(&found.checks),
            position: found.position,
        })
    }

    async fn advise(&self, call: &Call, body: &proto::AdviseRequest) -> Result<proto::AdviseResponse, Refusal> {
        let told = self.intake.advise(&read::reference(&body.ticket)?, call.actor()?).await?;
        let ticket = &told.page.file.ticket;
        Ok(proto::AdviseResponse {
            sentence: advice::sentence(ticket, told.now, call.language()),
            stage: answer::word(ticket.stage),
            crew_progress: answer::word(ticket.crew.progress()),
            etr: ticket.crew.etr.map(answer::timestamp),
            checks: checks(&told.checks),
            position: told.position,
        })
    }
}

macro_rules! intake_service {
    ($($method:ident($request:ident) -> $response:ident: $class:ident,)+) => {
        #[tonic::async_trait]
        impl IntakeService for IntakeApi {
            $(async fn $method(&self, request: Request<proto::$request>) -> Result<Response<proto::$response>, Status> {
                let call = Call::of(&request, self.node.deadline());
                let answer = call.answer(async {
                    let _place = self.admission.enter(Class::$class)?;
                    IntakeApi::$method(self, &call, request.get_ref()).await
                });
                answer.await.map(Response::new)
            })+
        }
    };
}

intake_service! {
    identify(IdentifyRequest) -> IdentifyResponse: Urgent,
    report(ReportRequest) -> ReportResponse: Urgent,
    advise(AdviseRequest) -> AdviseResponse: Urgent,
}
