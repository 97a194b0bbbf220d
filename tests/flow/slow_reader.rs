//! Tests of clients that do not read: the server's memory must not grow for them, and other clients must not become
//! slower. A client that reads again learns why its stream ended.

use std::time::Duration;

use switchboard_tests::{
    command::supplement,
    line::{Line, agent},
    refusal::{reason, told},
    stage::{Server, Stage},
    story::{CREW, received, with_the_crew},
};
use switchboard_wire::proto::{
    BusinessType, ErrorReason, SubscribeResponse, WatchAssignmentsRequest, WatchAssignmentsResponse,
    subscribe_request::From, subscribe_response::Message,
};
use tonic::{Code, Status, Streaming};

use crate::dispatch::{crew_of, dispatch, enrolled};

const TICKETS: usize = 32;
const FACTS_EACH: usize = 64;
const FACT_BYTES: usize = 4_000;
const READERS: usize = 64;
/// The memory that may be queued for each reader: 64 messages, and the transport's own send buffer.
const GROWTH_MAX: u64 = READERS as u64 * (64 * 8_000 + 512 * 1024);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_never_reads_does_not_grow_the_server() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let writers = (0..TICKETS).map(|_| {
        let line = line.clone();
        tokio::spawn(async move {
            let ticket = received(&line, BusinessType::FaultRepair).await;
            for _ in 0..FACTS_EACH {
                let command = supplement(&"x".repeat(FACT_BYTES)).about(&ticket);
                command.send(&mut line.tickets(&agent())).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let log_bytes: usize = line.log(0).await.unwrap().iter().map(|fact| fact.data.len() + fact.metadata.len()).sum();
    let unbounded = (log_bytes * READERS) as u64;
    assert!(unbounded > 4 * GROWTH_MAX, "{unbounded} tells nothing");
    let before = server.resident_bytes();
    let mut readers = Vec::new();
    for _ in 0..READERS {
        let narrow = Line::narrow(&server.endpoint()).await;
        readers.push(narrow.subscribe(None, None).await.unwrap());
    }
    // Other clients are served as before, and a client that reads gets everything.
    let ticket = received(&line, BusinessType::FaultRepair).await;
    for _ in 0..50 {
        supplement("more").about(&ticket).send(&mut line.tickets(&agent())).await.unwrap();
    }
    let head = line.head().await.unwrap();
    assert_eq!(line.log(0).await.unwrap().len() as u64, head);
    let growth = server.resident_bytes().saturating_sub(before);
    assert!(growth < GROWTH_MAX, "{growth} bytes for {READERS} readers");
    eprintln!("{READERS} silent readers of {log_bytes} bytes each: {growth} bytes");
    drop(readers);
}

/// Opens a subscription and a crew's stream that are not read, while more messages are sent on both than their windows
/// and queues hold.
async fn unread(server: &Server) -> (Streaming<SubscribeResponse>, Streaming<WatchAssignmentsResponse>) {
    const CREW_TICKETS: usize = 8;
    const NEWS_EACH: usize = 150;
    let line = server.line().await;
    enrolled(&line, CREW).await;
    let facts = Line::narrow(&server.endpoint()).await.subscribe(None, None).await.unwrap();
    let watch = WatchAssignmentsRequest::default();
    let narrow = Line::narrow(&server.endpoint()).await;
    let changes = dispatch(&narrow, crew_of(CREW)).watch_assignments(watch).await.unwrap().into_inner();
    let writers = (0..CREW_TICKETS).map(|_| {
        let line = line.clone();
        tokio::spawn(async move {
            let ticket = with_the_crew(&line).await.ticket;
            for _ in 0..NEWS_EACH {
                let command = supplement(&"x".repeat(FACT_BYTES)).about(&ticket);
                command.send(&mut line.tickets(&agent())).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    (facts, changes)
}

/// Reads the rest of a stream; returns all messages and the status that ends it.
async fn read_on<M>(stream: &mut Streaming<M>) -> (Vec<M>, Status) {
    let mut said = Vec::new();
    let end = async {
        loop {
            match stream.message().await {
                Ok(Some(message)) => said.push(message),
                Ok(None) => panic!("the stream ends without a word"),
                Err(status) => return status,
            }
        }
    };
    let end = tokio::time::timeout(Duration::from_secs(60), end).await.expect("an end");
    (said, end)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_took_nothing_for_too_long_is_told_so_when_it_reads_again_and_where_to_go_on() {
    let stage = Stage::new();
    let server = stage.serve();
    let (mut facts, mut changes) = unread(&server).await;
    // The server ends a stream after thirty seconds without reading.
    tokio::time::sleep(Duration::from_secs(35)).await;
    let (said, end) = read_on(&mut changes).await;
    assert_eq!((end.code(), reason(&end)), (Code::ResourceExhausted, Some(ErrorReason::SlowReader)), "{end:?}");
    assert_eq!(told(&end, "resume_token").unwrap(), said.last().unwrap().resume_token);

    let (said, end) = read_on(&mut facts).await;
    assert_eq!((end.code(), reason(&end)), (Code::ResourceExhausted, Some(ErrorReason::SlowReader)), "{end:?}");
    let token = told(&end, "resume_token").unwrap();
    let line = server.line().await;
    let mut resumed = line.subscribe(Some(From::ResumeToken(token)), None).await.unwrap();
    let position = |message: &SubscribeResponse| match message.message.as_ref() {
        Some(Message::Fact(fact)) => Some(fact.position),
        _ => None,
    };
    let mut read: Vec<u64> = said.iter().filter_map(position).collect();
    let head = line.head().await.unwrap();
    assert!(read.last().is_some_and(|last| *last < head), "{read:?}");
    while read.last().is_none_or(|last| *last < head) {
        read.extend(position(&resumed.message().await.unwrap().unwrap()));
    }
    assert_eq!(read, (1..=head).collect::<Vec<_>>(), "without gap or repetition");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_nothing_while_the_server_stops_is_told_so_when_it_reads_again() {
    let stage = Stage::new();
    let server = stage.serve();
    let (mut facts, mut changes) = unread(&server).await;
    server.terminate();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let ends = [read_on(&mut facts).await.1, read_on(&mut changes).await.1];
    for end in ends {
        assert_eq!((end.code(), reason(&end)), (Code::Unavailable, Some(ErrorReason::Draining)), "{end:?}");
    }
    assert!(server.ended().success());
}
