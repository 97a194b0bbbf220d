//! Offers as crews see them: made by the dispatcher, accepted by one, declined with a reason, and shown to the desk.

use switchboard_tests::{
    command::{accept, classify, dispatch as send_to},
    line::agent,
    stage::eventually,
    story::received,
};
use switchboard_wire::proto::{BusinessType, CrewOffer, DeclineReason, assignment_change::Change};

use super::{watching::*, *};

/// The station of the crews.
const STATION: &str = "sgcc/zj/hz/yuhang/liangzhu";

/// Brings a fault to the station.
pub(super) async fn at_the_station(line: &Line) -> String {
    let ticket = received(line, BusinessType::FaultRepair).await;
    let steps = [
        (agent(), classify("fault_repair/low_voltage", None)),
        (agent(), send_to(CITY)),
        (who("desk", CITY), accept()),
        (who("desk", CITY), send_to(STATION)),
        (who("desk", STATION), accept()),
    ];
    for (who, command) in steps {
        command.about(&ticket).send(&mut line.tickets(&who)).await.unwrap();
    }
    ticket
}

/// Waits for the next offer on a stream.
async fn offered(stream: &mut Stream) -> CrewOffer {
    loop {
        let mut heard = Heard::default();
        heard.take(next(stream).await);
        for change in heard.changes {
            if let Some(Change::Offered(offer)) = change.change {
                return offer;
            }
        }
    }
}

/// Lets a crew come on shift and watch its stream; returns the stream, the ticket that waited for it, and its offer.
async fn first_offer(line: &Line) -> (Stream, String, CrewOffer) {
    enrolled(line, CREW).await;
    let mut stream = watch(line, crew_of(CREW), None, None).await.unwrap();
    Heard::to_the_end(&mut stream).await;
    // The ticket is offered only once the station has it, so the shift begins after that.
    let ticket = at_the_station(line).await;
    on_shift(line, CREW).await.unwrap();
    let offer = offered(&mut stream).await;
    (stream, ticket, offer)
}

fn about(ticket: &str) -> Option<proto::CommandHeader> {
    Some(proto::CommandHeader { request_id: id(), ticket: ticket.into(), ..Default::default() })
}

async fn proposal(line: &Line, ticket: &str) -> Option<proto::Proposal> {
    let ask = proto::ListProposalsRequest { org: Some(CITY.into()), ..Default::default() };
    let listed = dispatch(line, who("desk", CITY)).list_proposals(ask).await.unwrap().into_inner();
    listed.proposals.into_iter().find(|proposal| proposal.ticket_id == ticket)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_reaches_its_crew_and_is_taken_once() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let (mut stream, ticket, offer) = first_offer(&line).await;
    assert_eq!(offer.ticket.as_ref().unwrap().ticket_id, ticket);
    assert!(offer.fence > 0 && offer.lease_until.is_some() && !offer.forced);

    let fresh = Heard::to_the_end(&mut watch(&line, crew_of(CREW), None, None).await.unwrap()).await;
    assert_eq!(fresh.snapshot.unwrap().offers, std::slice::from_ref(&offer), "a snapshot shows what the stream told");
    let accept = |fence: u64| proto::AcceptOfferRequest { header: about(&ticket), offer: offer.offer.clone(), fence };
    let mut app = dispatch(&line, crew_of(CREW));
    let stale =
        refused(app.accept_offer(accept(offer.fence + 1)).await, Code::FailedPrecondition, ErrorReason::StaleFence);
    assert_eq!(told(&stale, "current"), Some(offer.fence.to_string()));
    let stranger = dispatch(&line, crew_of(OTHER)).accept_offer(accept(offer.fence)).await;
    refused(stranger, Code::PermissionDenied, ErrorReason::NotYourCrew);
    let taken = app.accept_offer(accept(offer.fence)).await.unwrap().into_inner().outcome.unwrap();
    let again = app.accept_offer(accept(offer.fence)).await.unwrap().into_inner().outcome.unwrap();
    assert!(!taken.replayed && again.replayed, "the same actor is told the same");
    let mut heard = Heard::default();
    while heard.changes.is_empty() {
        heard.take(next(&mut stream).await);
    }
    let Some(Change::Assigned(assigned)) = &heard.changes[0].change else { panic!("{heard:?}") };
    assert_eq!(assigned.offer.as_ref(), Some(&offer.offer));

    let state = async || proposal(&line, &ticket).await.filter(|proposal| proposal.state == "assigned");
    let shown = eventually("the assignment", state).await;
    assert_eq!((shown.crew.as_deref(), shown.waits_for), (Some(CREW), None));
    let ask = proto::ListCrewsRequest { org: Some(STATION.into()), ..Default::default() };
    let listed = async || {
        let answer = dispatch(&line, who("desk", STATION)).list_crews(ask.clone()).await.unwrap().into_inner();
        answer.crews.into_iter().find(|crew| crew.crew == CREW && crew.assigned_tickets == [ticket.clone()])
    };
    let crew = eventually("the crew's commitment", listed).await;
    assert!(crew.shift_until.is_some() && !crew.silent && crew.offered_ticket.is_none(), "{crew:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_clock_accepts_an_offer_no_sooner_than_it_was_made() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let (_stream, ticket, CrewOffer { offer, fence, .. }) = first_offer(&line).await;
    let header = about(&ticket).map(|header| proto::CommandHeader { occurred_at: Some(from_now(-300)), ..header });
    let accept = proto::AcceptOfferRequest { header, offer, fence };
    dispatch(&line, crew_of(CREW)).accept_offer(accept).await.unwrap();
    let facts = line.history(&ticket).await.unwrap();
    let when = |kind: &str| facts.iter().find(|fact| fact.kind == kind).unwrap().occurred_at;
    let made = when("ticket.offered.v1").unwrap();
    let taken = facts.iter().skip_while(|fact| fact.kind != "ticket.offer_accepted.v1");
    let taken: Vec<_> = taken.map(|fact| (fact.kind.as_str(), fact.occurred_at.unwrap())).collect();
    let in_one_breath = ["offer_accepted", "dispatched", "crew_accepted"].map(|kind| format!("ticket.{kind}.v1"));
    assert_eq!(taken, in_one_breath.each_ref().map(|kind| (kind.as_str(), made)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_declined_offer_goes_to_the_other_crew_and_the_desk_sees_why() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut streams = Vec::new();
    for crew in [CREW, OTHER] {
        enrolled(&line, crew).await;
        let mut stream = watch(&line, crew_of(crew), None, None).await.unwrap();
        Heard::to_the_end(&mut stream).await;
        streams.push((crew, stream));
    }
    let ticket = at_the_station(&line).await;
    for crew in [CREW, OTHER] {
        on_shift(&line, crew).await.unwrap();
    }
    let (mut first, mut second) = (streams.remove(0), streams.remove(0));
    let offer = tokio::select! {
        offer = offered(&mut first.1) => offer,
        offer = offered(&mut second.1) => {
            std::mem::swap(&mut first, &mut second);
            offer
        }
    };
    let decline = proto::DeclineOfferRequest {
        header: about(&ticket),
        offer: offer.offer.clone(),
        fence: offer.fence,
        reason: DeclineReason::Equipment.into(),
        note: Some("No ladder.".into()),
    };
    dispatch(&line, crew_of(first.0)).decline_offer(decline).await.unwrap();
    let mut heard = Heard::default();
    while heard.changes.is_empty() {
        heard.take(next(&mut first.1).await);
    }
    assert_eq!(word(&heard.changes[0]), "gone Declined");
    let other = offered(&mut second.1).await;
    assert!(other.offer != offer.offer && other.ticket.as_ref().unwrap().ticket_id == ticket);

    let ask = proto::ExplainProposalRequest { ticket: ticket.clone(), crews_max: 0 };
    let why = dispatch(&line, who("desk", CITY)).explain_proposal(ask).await.unwrap().into_inner();
    assert_eq!(why.proposal.as_ref().map(|p| (p.state.as_str(), p.crew.as_deref())), Some(("offered", Some(second.0))));
    let turned_down = why.candidates.iter().find(|candidate| candidate.crew == first.0).unwrap();
    assert!(!turned_down.vetoes.is_empty(), "{turned_down:?}");
    let unknown = proto::ExplainProposalRequest { ticket: id(), crews_max: 0 };
    let unknown = dispatch(&line, who("desk", CITY)).explain_proposal(unknown).await;
    refused(unknown, Code::NotFound, ErrorReason::TicketNotFound);

    let page = |page_token: String, org: &str| proto::ListCrewsRequest {
        org: Some(org.into()),
        page_size: 1,
        page_token,
        min_position: 0,
    };
    let mut desk = dispatch(&line, who("desk", CITY));
    let one = desk.list_crews(page(String::new(), CITY)).await.unwrap().into_inner();
    let two = desk.list_crews(page(one.next_page_token.clone(), CITY)).await.unwrap().into_inner();
    let listed: Vec<&str> = one.crews.iter().chain(&two.crews).map(|crew| crew.crew.as_str()).collect();
    assert_eq!((listed, two.next_page_token.as_str()), (vec![CREW, OTHER], ""));
    let other_org = desk.list_crews(page(one.next_page_token, STATION)).await;
    refused(other_org, Code::InvalidArgument, ErrorReason::TokenMismatch);
}

/// Builds a call by a member of the crew.
fn by_member(n: usize, body: proto::AcceptOfferRequest) -> tonic::Request<proto::AcceptOfferRequest> {
    let mut request = tonic::Request::new(body);
    for (name, value) in [("x-actor-id", member(n).as_str()), ("x-actor-role", "crew"), ("x-actor-org", CREW)] {
        request.metadata_mut().insert(name, value.parse().unwrap());
    }
    request
}

fn member(n: usize) -> String {
    format!("member-{n}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_thousand_who_accept_one_offer_at_once_one_has_it_and_the_others_are_told_who() {
    const ACCEPTORS: usize = 1_000;
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let (_stream, ticket, CrewOffer { offer, fence, .. }) = first_offer(&line).await;

    let mut racing = tokio::task::JoinSet::new();
    for n in 0..ACCEPTORS {
        let mut app = DispatchServiceClient::new(line.channel.clone());
        let body = proto::AcceptOfferRequest { header: about(&ticket), offer: offer.clone(), fence };
        racing.spawn(async move { (n, app.accept_offer(by_member(n, body)).await) });
    }
    let (mut taken, mut gone) = (Vec::new(), Vec::new());
    while let Some(answer) = racing.join_next().await {
        match answer.unwrap() {
            (n, Ok(_)) => taken.push(member(n)),
            (_, no) => gone.push(refused(no, Code::FailedPrecondition, ErrorReason::OfferGone)),
        }
    }
    assert_eq!((taken.len(), gone.len()), (1, ACCEPTORS - 1));
    let by: std::collections::BTreeSet<_> = gone.iter().map(|no| told(no, "accepted_by")).collect();
    assert_eq!(by.into_iter().collect::<Vec<_>>(), [Some(taken[0].clone())]);
}
