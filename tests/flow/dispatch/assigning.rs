//! A person chooses the crew: it must be on the roster, on shift or not, and a mistake recalls no crew.

use switchboard_tests::stage::eventually;

use super::*;

/// A crew that is not on the roster.
const GHOST: &str = "sgcc/zj/hz/yuhang/liangzhu/crew33";

fn assignment(ticket: &str, crew: &str) -> proto::AssignRequest {
    let header = Some(proto::CommandHeader { request_id: id(), ticket: ticket.into(), ..Default::default() });
    proto::AssignRequest { header, crew: Some(crew.into()), reason: "They know the cabinet.".into() }
}

async fn struck_off(line: &Line, crew: &str) {
    dispatch(line, who("desk", CITY)).dismiss_crew(proto::DismissCrewRequest { header: header(crew) }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crew_that_is_not_on_the_roster_is_not_chosen_and_nobody_is_called_back_for_it() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let life = with_the_crew(&line).await;
    enrolled(&line, OTHER).await;
    struck_off(&line, OTHER).await;
    let head = line.head().await.unwrap();
    let mut desk = dispatch(&line, who("desk", CITY));
    for crew in [GHOST, OTHER] {
        let answer = desk.assign(assignment(&life.ticket, crew)).await;
        refused(answer, Code::NotFound, ErrorReason::CrewNotFound);
    }
    // An actor without the right to choose is refused for that reason and learns nothing about the roster.
    let foreign = desk.assign(assignment(&life.ticket, FOREIGN)).await;
    refused(foreign, Code::FailedPrecondition, ErrorReason::RuleViolated);
    let stranger = dispatch(&line, who("desk", "sgcc/sh")).assign(assignment(&life.ticket, GHOST)).await;
    refused(stranger, Code::PermissionDenied, ErrorReason::NotYourTicket);
    assert_eq!(line.head().await.unwrap(), head, "nothing was recorded");
    assert_eq!(line.get(&life.ticket).await.unwrap().holders.last().unwrap(), CREW);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_waits_for_the_shift_of_the_crew_that_was_chosen() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let life = with_the_crew(&line).await;
    enrolled(&line, OTHER).await;
    let mut desk = dispatch(&line, who("desk", CITY));
    let chosen = assignment(&life.ticket, OTHER);
    let first = desk.assign(chosen.clone()).await.unwrap().into_inner().outcome.unwrap();
    assert_eq!(
        line.get(&life.ticket).await.unwrap().holders.last().unwrap(),
        CITY,
        "the crew that had it is called back"
    );
    let why = proto::ExplainProposalRequest { ticket: life.ticket.clone(), crews_max: 0 };
    let waits = desk.explain_proposal(why).await.unwrap().into_inner().proposal.unwrap();
    assert_eq!((waits.state.as_str(), waits.waits_for.as_deref()), ("waiting", Some("no_crew_on_shift")));

    on_shift(&line, OTHER).await.unwrap();
    let snapshot = async || {
        let mut stream = watching::watch(&line, crew_of(OTHER), None, None).await.unwrap();
        watching::Heard::to_the_end(&mut stream).await.snapshot.filter(|snapshot| !snapshot.offers.is_empty())
    };
    let offers = eventually("the offer", snapshot).await.offers;
    assert!(offers[0].forced && offers[0].ticket.as_ref().unwrap().ticket_id == life.ticket);

    // The answer was lost, and the crew left in the meantime.
    let offer = &offers[0];
    let decline = proto::DeclineOfferRequest {
        header: assignment(&life.ticket, OTHER).header,
        offer: offer.offer.clone(),
        fence: offer.fence,
        reason: proto::DeclineReason::Road.into(),
        note: None,
    };
    dispatch(&line, crew_of(OTHER)).decline_offer(decline).await.unwrap();
    let gone = async || {
        let gone = proto::DismissCrewRequest { header: header(OTHER) };
        dispatch(&line, who("desk", CITY)).dismiss_crew(gone).await.ok()
    };
    eventually("a crew whose time is free", gone).await;
    let again = desk.assign(chosen).await.unwrap().into_inner().outcome.unwrap();
    assert_eq!((again.position, again.replayed), (first.position, true), "what was recorded is answered as it was");
}
