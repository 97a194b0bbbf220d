//! Tests of the transport: bytes that are no message, messages that are too large, compressed ones; health and
//! reflection.

use http::{Request, Response, uri::PathAndQuery};
use switchboard_tests::{
    command::{receive, supplement},
    line::{Line, agent},
    refusal::{reason, refused, told},
    stage::{Server, Stage, serve},
    story::received,
};
use switchboard_wire::proto::{BusinessType, ErrorReason};
use tonic::{Code, Status, body::Body};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};
use tonic_types::StatusExt as _;

/// Sends raw bytes to a method and returns the status from the headers or the trailers.
async fn raw(line: &Line, method: &str, body: &str, more: &[(&str, &str)]) -> Status {
    use tonic::client::GrpcService as _;
    let path: PathAndQuery = format!("/switchboard.v1.{method}").parse().unwrap();
    let mut request = Request::post(path).header("content-type", "application/grpc").header("te", "trailers");
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    let mut channel = line.channel.clone();
    std::future::poll_fn(|cx| channel.poll_ready(cx)).await.unwrap();
    let response: Response<Body> = channel.call(request.body(Body::new(body.to_owned())).unwrap()).await.unwrap();
    Status::from_header_map(response.headers()).expect("a status at once")
}

/// Checks that the server still works.
async fn still_up(server: &Server) {
    let line = server.line().await;
    received(&line, BusinessType::FaultRepair).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_no_protobuf_is_refused_by_name_and_hurts_nobody() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    // A frame of four bytes: field 15 of a wire type that does not exist. Then a string that ends too early.
    for bytes in ["\0\0\0\0\u{4}\u{7f}\u{7f}\u{7f}\u{7f}", "\0\0\0\0\u{3}\u{a}\u{50}a", "\0\0\0\0\u{2}\u{a}\u{1}"] {
        for method in ["TicketService/Receive", "TicketService/List", "IntakeService/Report", "AuditService/ReadLog"] {
            let status = raw(&line, method, bytes, &[]).await;
            assert_eq!(
                (status.code(), reason(&status)),
                (Code::InvalidArgument, Some(ErrorReason::InvalidFields)),
                "{method} {bytes:?}: {status:?}"
            );
        }
    }
    // A frame that is shorter than it announces, and a body without a frame.
    for bytes in ["\0\0\0\u{1}\0abc", "\0"] {
        let status = raw(&line, "TicketService/Receive", bytes, &[]).await;
        assert_ne!(status.code(), Code::Ok, "{bytes:?}");
    }
    still_up(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_past_the_limit_is_refused_with_the_limit_and_hurts_nobody() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut huge = receive(BusinessType::FaultRepair, "95598");
    huge.content = "x".repeat(300 * 1024);
    let answer = line.tickets(&agent()).receive(huge.clone()).await;
    let status = refused(answer, Code::InvalidArgument, ErrorReason::RequestTooLarge);
    assert!(status.message().ends_with("split the request."), "{status:?}");
    assert!(status.get_details_retry_info().is_none(), "whoever sends it again is refused again: {status:?}");
    assert_eq!(told(&status, "limit").as_deref(), Some("request_bytes_max"));
    assert_eq!(told(&status, "value").as_deref(), Some("262144"));
    huge.content = "x".repeat(40 * 1024);
    let status = line.tickets(&agent()).receive(huge).await;
    refused(status, Code::InvalidArgument, ErrorReason::InvalidFields);
    // A frame that announces four gigabytes is refused at once.
    let status = raw(&line, "TicketService/Receive", "\0\u{7f}\u{7f}\u{7f}\u{7f}abc", &[]).await;
    assert_eq!((status.code(), reason(&status)), (Code::InvalidArgument, Some(ErrorReason::RequestTooLarge)));
    still_up(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compressed_request_is_refused() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let status = raw(&line, "TicketService/List", "\u{1}\0\0\0\u{3}abc", &[("grpc-encoding", "gzip")]).await;
    assert_eq!((status.code(), reason(&status)), (Code::Unimplemented, Some(ErrorReason::Unsupported)), "{status:?}");
    let status = raw(&line, "TicketService/List", "\u{1}\0\0\0\u{3}abc", &[]).await;
    assert_ne!(status.code(), Code::Ok, "a compressed frame without a word about it");
    still_up(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_does_not_exist_is_unimplemented() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    for method in ["TicketService/Explode", "NoService/List"] {
        let status = raw(&line, method, "\0\0\0\0\0", &[]).await;
        assert_eq!((status.code(), reason(&status)), (Code::Unimplemented, Some(ErrorReason::Unsupported)), "{method}");
    }
    still_up(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_and_reflection_answer() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut health = HealthClient::new(line.channel.clone());
    for service in ["", "switchboard.v1.TicketService", "switchboard.v1.IntakeService", "switchboard.v1.AuditService"] {
        let answer = health.check(HealthCheckRequest { service: service.into() }).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{service:?}");
    }
    let mut reflection = ServerReflectionClient::new(line.channel.clone());
    let ask = |message| ServerReflectionRequest { host: String::new(), message_request: Some(message) };
    let asked = tokio_stream::iter([
        ask(MessageRequest::ListServices(String::new())),
        ask(MessageRequest::FileContainingSymbol("switchboard.v1.TicketService.Receive".into())),
    ]);
    let mut answers = reflection.server_reflection_info(asked).await.unwrap().into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) = answers.message().await.unwrap().unwrap().message_response
    else {
        panic!("no list of services");
    };
    let names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    for service in ["TicketService", "IntakeService", "AuditService"] {
        assert!(names.contains(&format!("switchboard.v1.{service}")), "{names:?}");
    }
    let described = answers.message().await.unwrap().unwrap().message_response;
    assert!(
        matches!(described, Some(MessageResponse::FileDescriptorResponse(files)) if !files.file_descriptor_proto.is_empty())
    );
}

#[test]
fn an_address_that_strangers_could_reach_is_refused_by_name() {
    let stage = Stage::new();
    for (flag, name) in [("--listen", "listen"), ("--operations", "operations")] {
        let mut command = serve(&stage.data(), &[]);
        let args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        // The parser would refuse a repeated flag, so the address is replaced.
        let place = args.iter().position(|arg| arg.to_str() == Some(flag)).unwrap() + 1;
        let mut args = args;
        args[place] = "0.0.0.0:0".into();
        command = switchboard_tests::stage::switchboard(args);
        let said = Server::start(&mut command, &stage.beside("log")).map(|server| server.listen).unwrap_err();
        assert!(said.contains(name) && said.contains("loopback"), "{said}");
        assert!(!stage.data().exists(), "nothing was touched");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_in_any_language_comes_back_as_it_went_in() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let ticket = received(&line, BusinessType::FaultRepair).await;
    let text = "\u{505c}\u{7535}\u{4e86} \u{1f6a8} \"quoted\" \\ \u{202e}rtl \n line two";
    supplement(text).about(&ticket).send(&mut line.tickets(&agent())).await.unwrap();
    let reveal = switchboard_wire::proto::RevealRequest {
        header: Some(switchboard_wire::proto::CommandHeader {
            request_id: uuid::Uuid::new_v4().to_string(),
            ticket: ticket.clone(),
            ..Default::default()
        }),
        purpose: "to call back".into(),
    };
    let shown = line.tickets(&agent()).reveal(reveal).await.unwrap().into_inner().ticket.unwrap();
    assert!(shown.content.ends_with(text), "{:?}", shown.content);
}
