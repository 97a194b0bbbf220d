//! Who may ask what is intended, and how far the answer is.

use switchboard_tests::{command::Command, line::agent, stage::eventually, story::somebody};
use switchboard_wire::proto::BusinessType;

use super::*;

/// The station of the crews.
const STATION: &str = "sgcc/zj/hz/yuhang/liangzhu";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_unit_asks_about_itself_and_what_is_below_it() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    enrolled(&line, CREW).await;
    on_shift(&line, CREW).await.unwrap();
    let ticket = offering::at_the_station(&line).await;
    let crews = |org: &str| proto::ListCrewsRequest { org: Some(org.into()), ..Default::default() };
    let proposals = |org: &str| proto::ListProposalsRequest { org: Some(org.into()), ..Default::default() };
    let why = || proto::ExplainProposalRequest { ticket: ticket.clone(), crews_max: 0 };
    for stranger in [who("desk", STATION), who("desk", "csg"), crew_of(CREW)] {
        let mut stranger = dispatch(&line, stranger);
        refused(stranger.list_crews(crews(CITY)).await, Code::PermissionDenied, ErrorReason::NotYourCrew);
        refused(stranger.list_proposals(proposals(CITY)).await, Code::PermissionDenied, ErrorReason::NotYourTicket);
    }
    for stranger in [who("desk", "csg"), crew_of(FOREIGN), who("desk", "sgcc/zj/hz/xihu")] {
        let answer = dispatch(&line, stranger).explain_proposal(why()).await;
        refused(answer, Code::PermissionDenied, ErrorReason::NotYourTicket);
    }
    for theirs in [who("desk", CITY), who("desk", STATION), crew_of(CREW)] {
        let mut theirs = dispatch(&line, theirs);
        theirs.explain_proposal(why()).await.unwrap();
        theirs.list_crews(proto::ListCrewsRequest::default()).await.unwrap();
    }
    let nobody = DispatchServiceClient::new(line.channel.clone()).explain_proposal(why()).await;
    refused(nobody, Code::Unauthenticated, ErrorReason::ActorMissing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_of_a_fact_that_concerns_no_crew_is_reached_too() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    // Numbers are reserved for it, and then it is refused.
    let tomorrow = proto::ReceiveRequest { occurred_at: Some(from_now(86_400)), ..somebody(BusinessType::FaultRepair) };
    let refusal = Command::Receive(Box::new(tomorrow)).send(&mut line.tickets(&agent())).await.unwrap_err();
    assert_eq!(reason(&refusal), Some(ErrorReason::InvalidFields));
    let head = line.head().await.unwrap();
    assert!(head > 0);
    let ask = proto::ListCrewsRequest { min_position: head, ..Default::default() };
    let answered = async || dispatch(&line, who("desk", CITY)).list_crews(ask.clone()).await.ok();
    eventually("an answer", answered).await;
}
