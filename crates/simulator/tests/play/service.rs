//! The generated services over the in-memory world, on a loopback port: only the part of the API that scripts need.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
};

use switchboard_domain::{
    actor::{Actor, Role},
    organisation::OrgPath,
};
use switchboard_simulator::driver::{Driver, Options};
use switchboard_wire::{
    command::TicketRequest,
    proto::{
        self as pb,
        intake_service_server::{IntakeService, IntakeServiceServer},
        ticket_service_server::{TicketService, TicketServiceServer},
    },
    refusal::{Language, Refusal},
};
use tonic::{Request, Response, Status, transport::server::TcpIncoming};

use crate::world::World;

/// The injected faults.
#[derive(Clone, Debug, Default)]
pub struct Trouble {
    /// The number of commands so far.
    pub seen: u64,
    /// Every n-th command is executed, but its answer is lost.
    pub lose_answer_every: Option<u64>,
    /// Every n-th command is refused as overloaded.
    pub busy_every: Option<u64>,
    /// After this many commands, every command is refused as overloaded.
    pub down_after: Option<u64>,
}

#[derive(Clone, Default)]
pub struct Stub {
    world: Arc<Mutex<World>>,
    trouble: Arc<Mutex<Trouble>>,
}

impl Stub {
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub fn trouble(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap()
    }

    /// Serves on a free port until the test ends.
    pub async fn serve(&self) -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tonic::transport::Server::builder()
            .add_service(TicketServiceServer::new(self.clone()))
            .add_service(IntakeServiceServer::new(self.clone()));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        address
    }

    pub async fn driver(&self, options: Options) -> Driver {
        Driver::to(&format!("http://{}", self.serve().await), options).unwrap()
    }

    /// Executes a call with the fault that is due before or after it.
    fn troubled<T>(&self, act: impl FnOnce(&mut World) -> Result<T, Refusal>) -> Result<T, Status> {
        let (lost, busy) = {
            let mut trouble = self.trouble();
            trouble.seen += 1;
            let seen = trouble.seen;
            let due = |every: Option<u64>| every.is_some_and(|every| seen.is_multiple_of(every));
            let down = trouble.down_after.is_some_and(|after| seen > after);
            (due(trouble.lose_answer_every), due(trouble.busy_every) || down)
        };
        if busy {
            return Err(Refusal::Overloaded { limit: "test", value: 1 }.status(Language::En));
        }
        let done = act(&mut self.world()).map_err(|refusal| refusal.status(Language::En))?;
        if lost { Err(Status::unavailable("the connection broke")) } else { Ok(done) }
    }

    fn command<R: TicketRequest>(&self, request: Request<R>) -> Result<Option<pb::CommandOutcome>, Status> {
        let actor = actor(&request);
        self.troubled(|world| world.command(request.get_ref(), &actor).map(Some))
    }
}

fn actor<M>(request: &Request<M>) -> Actor {
    let header = |key| request.metadata().get(key).unwrap().to_str().unwrap().to_owned();
    assert!(request.metadata().contains_key("grpc-timeout"), "every call has a deadline");
    Actor {
        id: header("x-actor-id"),
        role: Role::parse(&header("x-actor-role")).unwrap(),
        org: OrgPath::parse(&header("x-actor-org")).unwrap(),
    }
}

macro_rules! ticket_service {
    ($($method:ident $request:ident $response:ident,)+) => {
        #[tonic::async_trait]
        impl TicketService for Stub {
            $(async fn $method(&self, request: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                Ok(Response::new(pb::$response { outcome: self.command(request)? }))
            })+

            async fn receive(
                &self,
                request: Request<pb::ReceiveRequest>,
            ) -> Result<Response<pb::ReceiveResponse>, Status> {
                let actor = actor(&request);
                let outcome = self.troubled(|world| world.receive(request.get_ref(), &actor))?;
                Ok(Response::new(pb::ReceiveResponse { outcome: Some(outcome), number: String::new() }))
            }

            async fn list(&self, _: Request<pb::ListRequest>) -> Result<Response<pb::ListResponse>, Status> {
                self.world().list();
                Ok(Response::new(pb::ListResponse::default()))
            }

            async fn history(&self, request: Request<pb::HistoryRequest>) -> Result<Response<pb::HistoryResponse>, Status> {
                let kinds = self.world().history(&request.get_ref().ticket);
                let facts = kinds.iter().map(|kind| pb::FactView { kind: (*kind).to_owned(), ..pb::FactView::default() });
                Ok(Response::new(pb::HistoryResponse { facts: facts.collect(), next_revision: None }))
            }

            async fn get(&self, _: Request<pb::GetRequest>) -> Result<Response<pb::GetResponse>, Status> {
                Err(Status::unimplemented("no script asks"))
            }

            async fn explain_promises(
                &self,
                _: Request<pb::ExplainPromisesRequest>,
            ) -> Result<Response<pb::ExplainPromisesResponse>, Status> {
                Err(Status::unimplemented("no script asks"))
            }

            async fn reveal(&self, _: Request<pb::RevealRequest>) -> Result<Response<pb::RevealResponse>, Status> {
                Err(Status::unimplemented("no script asks"))
            }
        }
    };
}

ticket_service! {
    supplement SupplementRequest SupplementResponse,
    classify ClassifyRequest ClassifyResponse,
    close_at_first_contact CloseAtFirstContactRequest CloseAtFirstContactResponse,
    dispatch DispatchRequest DispatchResponse,
    accept AcceptRequest AcceptResponse,
    r#return ReturnRequest ReturnResponse,
    reassign ReassignRequest ReassignResponse,
    report_progress ReportProgressRequest ReportProgressResponse,
    contact ContactRequest ContactResponse,
    reply ReplyRequest ReplyResponse,
    audit_reply AuditReplyRequest AuditReplyResponse,
    revisit RevisitRequest RevisitResponse,
    reopen ReopenRequest ReopenResponse,
    close CloseRequest CloseResponse,
    urge UrgeRequest UrgeResponse,
    supervise SuperviseRequest SuperviseResponse,
    escalate EscalateRequest EscalateResponse,
    suspend SuspendRequest SuspendResponse,
    resume ResumeRequest ResumeResponse,
    extend ExtendRequest ExtendResponse,
    merge MergeRequest MergeResponse,
    unmerge UnmergeRequest UnmergeResponse,
    withdraw WithdrawRequest WithdrawResponse,
}

#[tonic::async_trait]
impl IntakeService for Stub {
    async fn report(&self, request: Request<pb::ReportRequest>) -> Result<Response<pb::ReportResponse>, Status> {
        let actor = actor(&request);
        let receive = request.into_inner().receive.unwrap();
        let (outcome, attached) = self.troubled(|world| world.report(&receive, &actor))?;
        Ok(Response::new(pb::ReportResponse { outcome: Some(outcome), attached, ..pb::ReportResponse::default() }))
    }

    async fn identify(&self, _: Request<pb::IdentifyRequest>) -> Result<Response<pb::IdentifyResponse>, Status> {
        Err(Status::unimplemented("no script asks"))
    }

    async fn advise(&self, _: Request<pb::AdviseRequest>) -> Result<Response<pb::AdviseResponse>, Status> {
        Err(Status::unimplemented("no script asks"))
    }
}
