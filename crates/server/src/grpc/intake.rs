//! `IntakeService`: what IVR and bots ask while a caller waits. Checks get a share of the caller's time; what is not known by then is
//! marked so, and a report is accepted whatever the checks say.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use switchboard_domain::{
    Violation,
    personal::Personal,
    ticket::{Command, TicketId, command::Receive, path},
};
use switchboard_engine::command::Request as EngineRequest;
use switchboard_views::advice;
use switchboard_wire::{
    answer, command,
    proto::{self, CheckState, intake_service_server::IntakeService},
    refusal::Refusal,
};
use tonic::{Request, Response, Status};

use crate::{
    desk::{AsOf, Desk, reference},
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

impl Intake {
    async fn report(&self, call: &Call, body: &proto::ReportRequest) -> Result<proto::ReportResponse, Refusal> {
        let actor = call.actor()?;
        let Some(receive) = body.receive.as_ref() else {
            return Err(Refusal::InvalidFields(vec![Violation::missing("receive")]));
        };
        let (header, command) = command::receive(receive, actor).map_err(Refusal::InvalidFields)?;
        let identity = self.desk.identity("Report", actor, body);
        let request = EngineRequest {
            occurred_at: header.occurred_at,
            ..EngineRequest::new(header.request_id, identity, actor.clone())
        };
        // A repeated report is answered from where the first was recorded, whatever is open now.
        let (target, checks) = match self.desk.reported(header.request_id).await? {
            Some((_, true)) => (None, Vec::new()),
            Some((id, false)) => (Some(id), Vec::new()),
            None => {
                let time = call.remaining().mul_f64(CHECKS_SHARE);
                let (open, made) = check("open_tickets", time, self.open_ticket(receive, &command)).await;
                (open.flatten(), vec![made])
            }
        };
        if let Some(id) = target {
            match self.attach(id, receive, &request, &checks).await {
                // The ticket closed in this very clock event: the report opens one of its own.
                Err(Refusal::Rejected(_)) => {}
                other => return other,
            }
        }
        match self.desk.receive_as(receive, actor, request.payload_hash.clone()).await {
            Ok((done, number)) => {
                Ok(proto::ReportResponse { outcome: Some(present::outcome(&done)), number, attached: false, checks })
            }
            // The same report was attached while this one looked around: it is answered as that one was.
            Err(Refusal::RequestIdReused) => match self.desk.reported(header.request_id).await? {
                Some((id, false)) => self.attach(id, receive, &request, &checks).await,
                _ => Err(Refusal::RequestIdReused),
            },
            Err(refusal) => Err(refusal),
        }
    }

    /// The open ticket that a report can be attached to without losing what it asks for: a supplement holds its words and no more.
    async fn open_ticket(
        &self,
        receive: &proto::ReceiveRequest,
        command: &Receive,
    ) -> Result<Option<TicketId>, Refusal> {
        let keys = self.desk.caller_keys(receive.caller.as_ref());
        let words_only = !command.confidential
            && !path::of(command.business).always_confidential
            && command.linked.is_none()
            && command.appointment.is_none();
        if !words_only || keys == (None, None) {
            return Ok(None);
        }
        self.desk.reach(Some(self.desk.head())).await?;
        self.desk.open_ticket(keys, command.business, command.external.clone()).await
    }

    /// Adds the report's words to a ticket.
    async fn attach(
        &self,
        id: TicketId,
        receive: &proto::ReceiveRequest,
        request: &EngineRequest,
        checks: &[proto::Check],
    ) -> Result<proto::ReportResponse, Refusal> {
        let supplement = Command::Supplement { content: Personal::Plain(receive.content.clone()) };
        let done = self.desk.execute(id, &supplement, request).await?;
        let number = self.desk.page(id, AsOf::Now).await?.file.number;
        let outcome = Some(present::outcome(&done));
        Ok(proto::ReportResponse { outcome, number, attached: true, checks: checks.to_vec() })
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
        let (tickets, total, recent) =
            found.map_or((Vec::new(), 0, 0), |f| (f.open.iter().map(present::summary).collect(), f.total, f.recent));
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
        // Without the ticket there is nothing to advise: better a refusal that may be repeated than a made-up sentence.
        let page = self.desk.page(id, AsOf::Now).await?;
        let made = proto::Check { name: "history".into(), state: CheckState::Done.into() };
        Ok(proto::AdviseResponse {
            sentence: advice::sentence(&page.file.ticket, self.desk.tickets.clock().now(), call.language()),
            stage: answer::word(page.file.ticket.stage),
            crew_progress: answer::word(page.file.ticket.crew.progress()),
            etr: page.file.ticket.crew.etr.map(answer::timestamp),
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
