//! Tests of reading at a point: at least at a position, as of a position, as of a time; and a history in pages.

use switchboard_tests::{
    command::supplement,
    line::agent,
    refusal::{fields, refused},
    stage::Stage,
    story::{Life, fault, received},
};
use switchboard_wire::proto::{self, AsOf, BusinessType, ErrorReason, GetRequest, HistoryRequest, as_of::Point};
use tonic::Code;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_as_of_every_position_and_instant_is_what_it_was_then() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut life = Life::default();
    let mut then = Vec::new();
    for scene in fault() {
        let outcome = life.live(&line, &scene).await.unwrap();
        then.push((outcome.position, line.get(&life.ticket).await.unwrap()));
    }
    server.kill();
    let server = stage.serve();
    let line = server.line().await;
    let facts = line.history(&life.ticket).await.unwrap();
    let mut tickets = line.tickets(&agent());
    for ((position, view), fact) in then.iter().zip(&facts) {
        for point in [Point::Position(*position), Point::Time(fact.recorded_at.unwrap())] {
            let ask = GetRequest {
                ticket: life.ticket.clone(),
                as_of: Some(AsOf { point: Some(point) }),
                min_position: None,
            };
            let seen = tickets.get(ask).await.unwrap().into_inner().ticket.unwrap();
            assert_eq!(seen, *view, "as of {point:?}");
        }
    }
    let before = then[0].0 - 1;
    for point in [Point::Position(before), Point::Time(prost_types::Timestamp { seconds: 1_000_000_000, nanos: 0 })] {
        let ask =
            GetRequest { ticket: life.ticket.clone(), as_of: Some(AsOf { point: Some(point) }), min_position: None };
        refused(tickets.get(ask).await, Code::NotFound, ErrorReason::TicketNotFound);
    }
    let nonsense = Point::Time(prost_types::Timestamp { seconds: i64::MAX, nanos: -1 });
    let ask = GetRequest { ticket: life.ticket, as_of: Some(AsOf { point: Some(nonsense) }), min_position: None };
    assert_eq!(
        fields(&refused(tickets.get(ask).await, Code::InvalidArgument, ErrorReason::InvalidFields)),
        ["as_of.time"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_waits_for_the_position_that_it_asks_for() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let ticket = received(&line, BusinessType::FaultRepair).await;
    let position = line.head().await.unwrap() + 1;
    let waiting = tokio::spawn({
        let (line, ticket) = (line.clone(), ticket.clone());
        async move {
            let ask = GetRequest { ticket, as_of: None, min_position: Some(position) };
            line.tickets(&agent()).get(ask).await.unwrap().into_inner()
        }
    });
    let outcome = supplement("later").about(&ticket).send(&mut line.tickets(&agent())).await.unwrap();
    assert_eq!(outcome.position, position);
    let answer = waiting.await.unwrap();
    assert!(answer.position >= position && answer.ticket.unwrap().etag == outcome.etag);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_in_pages_is_the_whole_history() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut life = Life::default();
    life.live_all(&line, &fault()).await;
    let whole = line.history(&life.ticket).await.unwrap();
    for size in [1, 4, 1000] {
        let mut pages = Vec::new();
        let mut from = Some(0);
        while let Some(from_revision) = from {
            let ask =
                HistoryRequest { ticket: life.ticket.clone(), from_revision, page_size: size, min_position: None };
            let page: proto::HistoryResponse = line.tickets(&agent()).history(ask).await.unwrap().into_inner();
            pages.extend(page.facts);
            from = page.next_revision;
        }
        assert_eq!(pages, whole, "by {size}");
    }
    for (revision, fact) in (0_u64..).zip(&whole) {
        assert_eq!(fact.revision, revision);
        assert_eq!(fact.request_id, life.lived[usize::try_from(revision).unwrap()].1.request_id());
    }
}
