//! Tests of personal data: masked in normal answers, shown by a recorded reveal, never in files; and the protection of
//! confidential callers.

use std::path::Path;

use switchboard_tests::{
    command::{Command, classify, supplement},
    line::{Line, Who, agent, who},
    refusal::refused,
    stage::Stage,
    story::{ACCOUNT, ADDRESS, CONTENT, Life, NAME, PHONE, complaint, fault, received, somebody},
};
use switchboard_wire::proto::{self, BusinessType, CommandHeader, ErrorReason, RevealRequest, TicketView};
use tonic::{Code, Status};
use uuid::Uuid;

const SECRETS: [&str; 5] = [NAME, PHONE, ACCOUNT, ADDRESS, CONTENT];

fn secret_in(text: &str) -> Option<&'static str> {
    SECRETS.into_iter().find(|secret| text.contains(secret))
}

async fn reveal(line: &Line, who: &Who, ticket: &str, purpose: &str) -> Result<TicketView, Status> {
    let header = CommandHeader { request_id: Uuid::new_v4().to_string(), ticket: ticket.into(), ..Default::default() };
    let request = RevealRequest { header: Some(header), purpose: purpose.into() };
    Ok(line.tickets(who).reveal(request).await?.into_inner().ticket.expect("a ticket"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_see_personal_data_masked_and_readable_only_on_the_record() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut life = Life::default();
    life.live_all(&line, &fault()[..6]).await;
    let view = line.get(&life.ticket).await.unwrap();
    assert_eq!(view.caller_phone.as_deref(), Some("138****2233"));
    assert_eq!(view.caller_name.as_deref(), Some("Z***"));
    let seen = format!("{view:?} {:?} {:?}", line.history(&life.ticket).await.unwrap(), line.list("").await.unwrap());
    assert_eq!(secret_in(&seen), None);

    let shown = reveal(&line, &who("desk", "sgcc/zj/hz"), &life.ticket, "to find the door").await.unwrap();
    assert_eq!(shown.caller_phone.as_deref(), Some(PHONE));
    assert_eq!(shown.address.as_deref(), Some(ADDRESS));
    assert!(shown.content.contains(CONTENT));
    let last = line.history(&life.ticket).await.unwrap().pop().unwrap();
    assert_eq!(last.kind, "ticket.personal_revealed.v1");
    let by = last.actor.unwrap();
    assert_eq!((by.role.as_str(), by.org.as_str()), ("desk", "sgcc/zj/hz"));
    assert!(last.data_json.contains("to find the door"));
    assert!(line.get(&life.ticket).await.unwrap().caller_phone.unwrap().contains('*'), "masked again for the next");
    let without = reveal(&line, &agent(), &life.ticket, "").await;
    refused(without, Code::InvalidArgument, ErrorReason::InvalidFields);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reports_in_confidence_is_hidden_everywhere_but_from_an_inspector() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let ticket = received(&line, BusinessType::Report).await;
    let mut tickets = line.tickets(&agent());
    supplement("It is the meter reader.").about(&ticket).send(&mut tickets).await.unwrap();
    // A complaint that is reclassified as a report hides its caller from then on, in its history too.
    let turned = received(&line, BusinessType::Complaint).await;
    let mut command = classify("report/conduct", None);
    if let Command::Classify(classify) = &mut command {
        classify.set_business_type(BusinessType::Report);
    }
    command.about(&turned).send(&mut tickets).await.unwrap();

    for ticket in [&ticket, &turned] {
        let view = line.get(ticket).await.unwrap();
        assert!(view.confidential);
        let hidden = [&view.caller_name, &view.caller_phone, &view.caller_account, &view.address];
        assert!(hidden.iter().all(|value| value.is_none()), "{view:?}");
        let history = line.history(ticket).await.unwrap();
        let told = format!("{history:?}");
        for trace in ["caller_", "address", "138****", "Z***", "phone_key", "account_key"] {
            assert!(!told.contains(trace), "{trace} in {told}");
        }
        for desk in [agent(), who("desk", "sgcc/zj"), who("auditor", "sgcc"), who("operator", "sgcc")] {
            refused(reveal(&line, &desk, ticket, "curious").await, Code::PermissionDenied, ErrorReason::Confidential);
        }
        let facts = line.history(ticket).await.unwrap().len();
        assert_eq!(facts, history.len(), "a refused look is no fact");
        let shown = reveal(&line, &who("inspector", "sgcc"), ticket, "investigation 7").await.unwrap();
        assert_eq!((shown.caller_name.as_deref(), shown.caller_phone.as_deref()), (Some(NAME), Some(PHONE)));
    }
    let list = format!("{:?}", line.list("confidential = true").await.unwrap());
    assert!(list.contains(&ticket) && list.contains(&turned));
    assert_eq!(secret_in(&list), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_sees_by_repeating_an_inspectors_look() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let ticket = received(&line, BusinessType::Report).await;
    let header = CommandHeader { request_id: Uuid::new_v4().to_string(), ticket, ..Default::default() };
    let look = RevealRequest { header: Some(header), purpose: "investigation 7".into() };
    let inspector = who("inspector", "sgcc");
    let shown = line.tickets(&inspector).reveal(look.clone()).await.unwrap().into_inner();
    assert_eq!(shown.ticket.unwrap().caller_name.as_deref(), Some(NAME));
    let head = line.head().await.unwrap();
    for other in [agent(), who("desk", "sgcc"), who("auditor", "sgcc"), who("inspector", "sgcc/zj")] {
        let answer = line.tickets(&other).reveal(look.clone()).await;
        let status = refused(answer, Code::AlreadyExists, ErrorReason::RequestIdReused);
        assert_eq!(secret_in(&format!("{status:?}")), None);
    }
    let again = line.tickets(&inspector).reveal(look).await.unwrap().into_inner();
    assert!(again.outcome.unwrap().replayed);
    assert_eq!(again.ticket.unwrap().caller_name.as_deref(), Some(NAME));
    assert_eq!(line.head().await.unwrap(), head);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confidential_ticket_is_neither_known_to_the_intake_nor_leads_to_a_door() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let traceable = |business| proto::ReceiveRequest {
        place: Some(proto::Place {
            area: proto::Area::Rural.into(),
            feeder: Some("feeder-traced".into()),
            transformer: Some("transformer-traced".into()),
            latitude_e6: Some(30_271_828),
            longitude_e6: Some(120_314_159),
        }),
        call_id: Some("call-traced".into()),
        external: Some(proto::ExternalRef { issuer: "issuer-traced".into(), value: "value-traced".into() }),
        tier: proto::CustomerTier::A.into(),
        ..somebody(business)
    };
    let report = traceable(BusinessType::Report);
    // A complaint is confidential if the caller asks for it.
    let mut complaint = traceable(BusinessType::Complaint);
    complaint.confidential = true;
    complaint.external = Some(proto::ExternalRef { issuer: "issuer-traced".into(), value: "another-traced".into() });
    let mut numbers = Vec::new();
    for receive in [report, complaint] {
        let received = line.tickets(&agent()).receive(receive).await.unwrap().into_inner();
        numbers.push(received.number.clone());
        let ticket = received.outcome.unwrap().ticket_id;
        let view = line.get(&ticket).await.unwrap();
        assert_eq!(view.place, Some(proto::Place { area: proto::Area::Rural.into(), ..Default::default() }));
        assert_eq!((&view.address, &view.external), (&None, &None));
        assert_eq!(view.tier(), proto::CustomerTier::Unspecified);
        let told = format!("{view:?} {:?} {:?}", line.history(&ticket).await.unwrap(), line.list("").await.unwrap());
        for trace in ["traced", "30271828", "120314159", "30_271_828", "Wensan"] {
            assert!(!told.contains(trace), "{trace} in {told}");
        }
    }
    let by_phone = proto::IdentifyRequest { phone: Some(PHONE.into()), account: None };
    let by_account = proto::IdentifyRequest { phone: None, account: Some(ACCOUNT.into()) };
    for ask in [&by_phone, &by_account] {
        let told = line.intake(&who("ivr", "sgcc")).identify(ask.clone()).await.unwrap().into_inner();
        assert_eq!(told.position, line.head().await.unwrap(), "it has seen them");
        assert!(!told.known && told.open_tickets.is_empty(), "{told:?}");
        assert_eq!((told.tickets_total, told.recent_reports), (0, 0));
    }
    let open = received(&line, BusinessType::FaultRepair).await;
    for ask in [by_phone, by_account] {
        let told = line.intake(&who("ivr", "sgcc")).identify(ask).await.unwrap().into_inner();
        assert_eq!((told.tickets_total, told.recent_reports), (1, 1));
        assert_eq!(told.open_tickets.iter().map(|ticket| ticket.id.as_str()).collect::<Vec<_>>(), [open.as_str()]);
        let told = format!("{told:?}");
        assert!(numbers.iter().all(|number| !told.contains(number)), "{told}");
    }
}

/// Returns every file below a folder that contains one of the secrets, with the secret.
fn leaks(folder: &Path) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for secret in SECRETS {
            if bytes.windows(secret.len()).any(|window| window == secret.as_bytes()) {
                found.push((path.display().to_string(), secret));
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_file_and_no_log_line_holds_personal_data_in_plain_text() {
    let stage = Stage::new();
    let server = stage.serve_with(&["--log", "trace"]);
    let line = server.line().await;
    for scenes in [fault(), complaint()] {
        Life::default().live_all(&line, &scenes).await;
    }
    let report = received(&line, BusinessType::Report).await;
    reveal(&line, &who("inspector", "sgcc"), &report, "investigation 7").await.unwrap();
    line.list("").await.unwrap();
    let again = proto::ReportRequest { receive: Some(switchboard_tests::story::somebody(BusinessType::FaultRepair)) };
    line.intake(&agent()).report(again).await.unwrap();
    let known = proto::IdentifyRequest { phone: Some(PHONE.into()), account: Some(ACCOUNT.into()) };
    assert!(line.intake(&agent()).identify(known).await.unwrap().into_inner().known);
    let facts = line.log(0).await.unwrap();
    let carried: String =
        facts.iter().map(|f| String::from_utf8_lossy(&[&f.data[..], &f.metadata[..]].concat()).into_owned()).collect();
    assert_eq!(secret_in(&carried), None, "what auditors receive is ciphertext");
    assert_eq!(leaks(&stage.data()), [], "while it serves");
    server.stop();
    assert_eq!(leaks(&stage.data()), [], "after it stopped");
    let log = std::fs::read_to_string(stage.beside("server.log")).unwrap();
    // The transport's own tracing shows frames as lengths; our own lines show nothing personal.
    assert_eq!(secret_in(&log), None);
}
