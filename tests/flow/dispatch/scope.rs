//! The right to list proposals, and the position that an answer has reached.

use switchboard_tests::{
    command::Command,
    line::agent,
    stage::eventually,
    story::{received, somebody},
};
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
    // The server reserves numbers for the ticket and then refuses it.
    let tomorrow = proto::ReceiveRequest { occurred_at: Some(from_now(86_400)), ..somebody(BusinessType::FaultRepair) };
    let refusal = Command::Receive(Box::new(tomorrow)).send(&mut line.tickets(&agent())).await.unwrap_err();
    assert_eq!(reason(&refusal), Some(ErrorReason::InvalidFields));
    let head = line.head().await.unwrap();
    assert!(head > 0);
    let ask = proto::ListCrewsRequest { min_position: head, ..Default::default() };
    let answered = async || dispatch(&line, who("desk", CITY)).list_crews(ask.clone()).await.ok();
    eventually("an answer", answered).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_the_crews_of_a_tickets_unit_each_is_shown_those_that_it_may_list() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let neighbour = "sgcc/zj/hz/yuhang/pingyao/crew1";
    for crew in [CREW, OTHER, neighbour, FOREIGN] {
        enrolled(&line, crew).await;
    }
    let ticket = offering::at_the_station(&line).await;
    let ask = async |who: Who, ticket: &str| -> Vec<String> {
        let why = proto::ExplainProposalRequest { ticket: ticket.into(), crews_max: 0 };
        let candidates = dispatch(&line, who).explain_proposal(why).await.unwrap().into_inner().candidates;
        let mut crews: Vec<String> = candidates.into_iter().map(|candidate| candidate.crew).collect();
        crews.sort();
        crews
    };
    for desk in [CITY, STATION] {
        assert_eq!(ask(who("desk", desk), &ticket).await, [CREW, OTHER], "{desk}");
    }
    assert_eq!(ask(crew_of(CREW), &ticket).await, [CREW]);
    assert!(
        ask(crew_of("sgcc/zj/hz/yuhang/liangzhu/crew9"), &ticket).await.is_empty(),
        "a crew of the station that is not on the roster"
    );

    // For a ticket that a crew has, the list shows the crews of the unit that gave it the ticket.
    let life = with_the_crew(&line).await;
    assert_eq!(ask(who("desk", CITY), &life.ticket).await, [CREW, OTHER, neighbour]);
    assert_eq!(ask(crew_of(OTHER), &life.ticket).await, [OTHER]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_that_needs_no_crew_is_explained_to_whom_it_concerns() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut ended = Life::default();
    ended.live_all(&line, &fault()).await;
    let question = received(&line, BusinessType::InformationQuery).await;
    for ticket in [&ended.ticket, &question, &received(&line, BusinessType::FaultRepair).await] {
        let why = || proto::ExplainProposalRequest { ticket: ticket.clone(), crews_max: 0 };
        let answer = dispatch(&line, agent()).explain_proposal(why()).await.unwrap().into_inner();
        let told = answer.proposal.unwrap();
        assert_eq!((told.ticket_id.as_str(), told.state.as_str()), (ticket.as_str(), "waiting"));
        assert_eq!(told.waits_for.as_deref(), Some("not_open"));
        let stranger = dispatch(&line, who("desk", "csg")).explain_proposal(why()).await;
        refused(stranger, Code::PermissionDenied, ErrorReason::NotYourTicket);
    }
    let nothing = proto::ExplainProposalRequest { ticket: id(), crews_max: 0 };
    let nothing = dispatch(&line, agent()).explain_proposal(nothing).await;
    refused(nothing, Code::NotFound, ErrorReason::TicketNotFound);
}
