//! `IntakeService`: what IVR and bots ask while a caller waits. Checks run side by side; what is not known in time is marked so,
//! and a report is accepted whatever the checks say.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use prost::Message;
use switchboard_domain::{Violation, personal::Personal, ticket::Command};
use switchboard_engine::command::Request as EngineRequest;
use switchboard_views::{advice, ticket_list::Row};
use switchboard_wire::{
    answer, command,
    proto::{self, CheckState, intake_service_server::IntakeService},
    refusal::{Language, Refusal},
};
use tonic::{Request, Response, Status};

use crate::{
    desk::{AsOf, Desk, Done, reference},
    grpc::{
        admission::{Admission, Class},
        call::Call,
        present,
    },
};

/// The most open tickets that `Identify` names.
const OPEN_TICKETS_MAX: usize = 20;
/// Calls within this window count as recent (trade practice: four within two hours go to a human).
const RECENT: TimeDelta = TimeDelta::hours(2);
/// The share of the caller's time that checks may take; the rest is kept for recording.
const CHECKS_SHARE: f64 = 0.4;

/// The service.
#[derive(Clone, Debug)]
pub struct Intake {
    pub(crate) desk: Arc<Desk>,
    pub(crate) admission: Admission,
}

/// One check within `time`: its value if it came, and how far it came.
async fn check<T>(
    name: &str,
    time: Duration,
    work: impl Future<Output = Result<T, Refusal>>,
) -> (Option<T>, proto::Check) {
    let (value, state) = match tokio::time::timeout(time, work).await {
        Ok(Ok(value)) => (Some(value), CheckState::Done),
        Ok(Err(refusal)) => {
            tracing::warn!(check = name, %refusal, "a check could not be made");
            (None, CheckState::Unavailable)
        }
        Err(_) => (None, CheckState::TimedOut),
    };
    (value, proto::Check { name: name.into(), state: state.into() })
}

/// The caller's tickets that anybody at the desk may know of: who spoke in confidence is not told by a phone number either.
fn shown(open: &[Row]) -> Vec<proto::TicketSummary> {
    open.iter().filter(|row| !row.ticket.confidential).map(present::summary).collect()
}

impl Intake {
    async fn report(&self, call: &Call, body: &proto::ReportRequest) -> Result<proto::ReportResponse, Refusal> {
        let actor = call.actor()?;
        let Some(receive) = body.receive.as_ref() else {
            return Err(Refusal::InvalidFields(vec![Violation::missing("receive")]));
        };
        let (header, command) = command::receive(receive, actor).map_err(Refusal::InvalidFields)?;
        let hash = self.desk.vault().hash(&[b"Report", &body.encode_to_vec()]);
        // A repeated report is answered from where the first was recorded, whatever is open now.
        let (target, checks) = match self.desk.reported(header.request_id).await? {
            Some((_, true)) => (None, Vec::new()),
            Some((id, false)) => (Some(id), Vec::new()),
            None => {
                let keys = self.desk.caller_keys(receive.caller.as_ref());
                let known = keys.0.is_some() || keys.1.is_some();
                let time = call.remaining().mul_f64(CHECKS_SHARE);
                let open = async { if known { self.desk.open_ticket(keys, command.business).await } else { Ok(None) } };
                let (open, made) = check("open_tickets", time, open).await;
                (open.flatten(), vec![made])
            }
        };
        if let Some(id) = target {
            let request = EngineRequest {
                request_id: header.request_id,
                payload_hash: hash.clone(),
                actor: actor.clone(),
                occurred_at: header.occurred_at,
                etag: None,
                opens: false,
                causation_id: None,
                correlation_id: None,
            };
            let supplement = Command::Supplement { content: Personal::Plain(receive.content.clone()) };
            match self.desk.execute(id, &supplement, &request).await {
                // The ticket closed in this very moment: the report opens one of its own.
                Err(Refusal::Rejected(_)) => {}
                other => return self.attached(other?, checks).await,
            }
        }
        let (done, number) = self.desk.receive_as(receive, actor, hash).await?;
        Ok(proto::ReportResponse { outcome: Some(present::outcome(&done)), number, attached: false, checks })
    }

    async fn attached(&self, done: Done, checks: Vec<proto::Check>) -> Result<proto::ReportResponse, Refusal> {
        let page = self.desk.page(done.id, AsOf::Now).await?;
        let outcome = Some(present::outcome(&done));
        Ok(proto::ReportResponse { outcome, number: page.row.number, attached: true, checks })
    }

    async fn identify(&self, call: &Call, body: &proto::IdentifyRequest) -> Result<proto::IdentifyResponse, Refusal> {
        let caller = proto::Caller { phone: body.phone.clone(), account: body.account.clone(), ..Default::default() };
        let keys = self.desk.caller_keys(Some(&caller));
        if keys == (None, None) {
            return Err(Refusal::InvalidFields(vec![Violation::missing("phone")]));
        }
        let since = self.desk.tickets.clock().now() - RECENT;
        let time = call.remaining().mul_f64(CHECKS_SHARE);
        let position = self.desk.head();
        let caught_up = check("history", time, self.desk.reach(Some(position)));
        let asked = async {
            let keys = keys.clone();
            self.desk
                .look_up(move |list| list.by_caller(keys.0.as_deref(), keys.1.as_deref(), since, OPEN_TICKETS_MAX))
                .await
        };
        // The list is asked after it caught up, or, when that takes too long, for what it knows.
        let (_, history) = caught_up.await;
        let (found, open) = check("open_tickets", time, asked).await;
        let (tickets, total, recent) = found.map_or((Vec::new(), 0, 0), |f| (shown(&f.open), f.total, f.recent));
        Ok(proto::IdentifyResponse {
            known: total > 0,
            open_tickets: tickets,
            tickets_total: total,
            recent_reports: recent,
            checks: vec![open, history],
            position: self.desk.listed.position(),
        })
    }

    async fn advise(&self, call: &Call, body: &proto::AdviseRequest) -> Result<proto::AdviseResponse, Refusal> {
        let id = self.desk.resolve(&reference(&body.ticket)?).await?;
        let position = self.desk.head();
        let (page, made) =
            check("history", call.remaining().mul_f64(CHECKS_SHARE), self.desk.page(id, AsOf::Now)).await;
        let language = match call.language {
            Language::Zh => advice::Language::Chinese,
            Language::En => advice::Language::English,
        };
        // Without the ticket there is nothing to advise: better a refusal that may be repeated than a made-up sentence.
        let page = match (page, made.state()) {
            (Some(page), _) => page,
            (None, CheckState::TimedOut) => return Err(Refusal::TimedOut),
            (None, _) => return Err(Refusal::TicketNotFound),
        };
        Ok(proto::AdviseResponse {
            sentence: advice::sentence(&page.row.ticket, self.desk.tickets.clock().now(), language),
            stage: answer::word(page.row.ticket.stage),
            crew_progress: answer::word(page.row.ticket.crew.progress()),
            etr: page.row.ticket.crew.etr.map(answer::timestamp),
            checks: vec![made],
            position,
        })
    }
}

macro_rules! intake_service {
    ($($method:ident($request:ident) -> $response:ident: $class:ident,)+) => {
        #[tonic::async_trait]
        impl IntakeService for Intake {
            $(async fn $method(&self, request: Request<proto::$request>) -> Result<Response<proto::$response>, Status> {
                let call = Call::read(request.metadata(), self.desk.deadline());
                let answer = call.answer(async {
                    let _place = self.admission.enter(Class::$class)?;
                    Intake::$method(self, &call, request.get_ref()).await
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
