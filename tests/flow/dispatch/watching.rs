//! The stream of a crew: a snapshot or a token, then every change once, regardless of interruptions.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
    time::Duration,
};

use switchboard_tests::{
    command::{Command, accept, supplement},
    line::agent,
    stage::switchboard,
};
use switchboard_wire::proto::{
    AssignmentChange, AssignmentSnapshot, WatchAssignmentsRequest, WatchAssignmentsResponse, assignment_change::Change,
    watch_assignments_response::Message,
};
use tonic::Streaming;

use super::*;

pub(super) type Stream = Streaming<WatchAssignmentsResponse>;

pub(super) async fn watch(line: &Line, who: Who, crew: Option<&str>, token: Option<&str>) -> Result<Stream, Status> {
    let ask = WatchAssignmentsRequest { crew: crew.map(str::to_owned), resume_token: token.map(str::to_owned) };
    Ok(dispatch(line, who).watch_assignments(ask).await?.into_inner())
}

/// The messages of a stream so far.
#[derive(Debug, Default)]
pub(super) struct Heard {
    pub(super) snapshot: Option<AssignmentSnapshot>,
    pub(super) changes: Vec<AssignmentChange>,
    /// The token after each message, with the number of changes until then.
    tokens: Vec<(usize, String)>,
}

pub(super) async fn next(stream: &mut Stream) -> WatchAssignmentsResponse {
    let said = tokio::time::timeout(Duration::from_secs(20), stream.message()).await.expect("a message in time");
    said.unwrap().expect("a stream without end")
}

impl Heard {
    pub(super) fn take(&mut self, said: WatchAssignmentsResponse) -> bool {
        let mut live = false;
        match said.message {
            Some(Message::Snapshot(snapshot)) => self.snapshot = Some(snapshot),
            Some(Message::Change(change)) => self.changes.push(change),
            Some(Message::Checkpoint(checkpoint)) => live = checkpoint.live,
            _ => {}
        }
        self.tokens.push((self.changes.len(), said.resume_token));
        live
    }

    pub(super) async fn to_the_end(stream: &mut Stream) -> Self {
        let mut heard = Self::default();
        while !heard.take(next(stream).await) {}
        heard
    }

    /// Reads until the change of this position.
    async fn until(&mut self, stream: &mut Stream, position: u64) {
        while self.changes.last().is_none_or(|change| change.position < position) {
            self.take(next(stream).await);
        }
    }
}

async fn resumed(line: &Line, token: &str) -> Vec<AssignmentChange> {
    let mut stream = watch(line, crew_of(CREW), None, Some(token)).await.unwrap();
    let heard = Heard::to_the_end(&mut stream).await;
    assert!(heard.snapshot.is_none(), "who has a token has the snapshot");
    heard.changes
}

pub(super) fn word(change: &AssignmentChange) -> String {
    match change.change.as_ref().unwrap() {
        Change::Offered(_) => "offered".into(),
        Change::OfferGone(gone) => format!("gone {:?}", gone.why()),
        Change::Assigned(_) => "assigned".into(),
        Change::Ended(ended) => format!("ended {:?}", ended.why()),
        Change::News(news) => news.kind.clone(),
    }
}

async fn by(line: &Line, who: Who, command: impl Into<Command>, ticket: &str) -> u64 {
    command.into().about(ticket).send(&mut line.tickets(&who)).await.unwrap().position
}

async fn recall(line: &Line, ticket: &str) -> u64 {
    let header = Some(proto::CommandHeader { request_id: id(), ticket: ticket.into(), ..Default::default() });
    let recall = proto::RecallRequest { header, reason: "A wire is down.".into() };
    dispatch(line, who("desk", CITY)).recall(recall).await.unwrap().into_inner().outcome.unwrap().position
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_cut_anywhere_goes_on_without_gap_or_repetition_over_restarts_too() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    enrolled(&line, CREW).await;
    enrolled(&line, OTHER).await;
    let mut stream = watch(&line, crew_of(CREW), None, None).await.unwrap();
    let mut heard = Heard::to_the_end(&mut stream).await;
    assert_eq!(heard.snapshot.as_ref().map(|s| (s.offers.len(), s.assignments.len())), Some((0, 0)));

    let life = with_the_crew(&line).await;
    by(&line, agent(), supplement("The cellar is flooded."), &life.ticket).await;
    recall(&line, &life.ticket).await;
    by(&line, agent(), supplement("Still dark."), &life.ticket).await;
    by(&line, who("desk", CITY), accept(), &life.ticket).await;
    by(&line, who("desk", CITY), send_to(OTHER), &life.ticket).await;
    let life = with_the_crew(&line).await;
    let mut last = 0;
    // More changes than the server keeps in memory.
    for n in 0..80 {
        last = by(&line, agent(), supplement(&format!("word {n}")), &life.ticket).await;
    }
    heard.until(&mut stream, last).await;
    let words: Vec<String> = heard.changes.iter().map(word).collect();
    let news = "ticket.supplemented.v1";
    assert_eq!(words[..4], ["assigned", news, "ended Recalled", "assigned"]);
    assert_eq!(words[4..], vec![news; 80]);
    assert!(heard.changes.is_sorted_by(|a, b| a.position < b.position));
    let Some(Change::Assigned(assigned)) = &heard.changes[0].change else { panic!("{words:?}") };
    let brief = assigned.ticket.as_ref().unwrap();
    assert_eq!((brief.number.len() > 8, assigned.offer.as_ref()), (true, None));

    for (seen, token) in &heard.tokens {
        assert_eq!(resumed(&line, token).await, heard.changes[*seen..], "after {seen} changes");
    }
    let fresh = Heard::to_the_end(&mut watch(&line, crew_of(CREW), None, None).await.unwrap()).await;
    let has: Vec<_> = fresh.snapshot.unwrap().assignments.into_iter().filter_map(|a| a.ticket).collect();
    assert_eq!(has.iter().map(|brief| brief.ticket_id.as_str()).collect::<Vec<_>>(), [life.ticket.as_str()]);
    server.kill();

    let cuts = [0, 1, 3, 40, heard.tokens.len() - 1].map(|n| heard.tokens[n].clone());
    let server = stage.serve();
    let line = server.line().await;
    for (seen, token) in &cuts {
        assert_eq!(resumed(&line, token).await, heard.changes[*seen..], "after a kill");
    }
    server.stop();
    for name in ["crew_changes.db", "crew_changes.db-wal", "crew_changes.db-shm"] {
        let _ = std::fs::remove_file(stage.data().join(name));
    }
    let server = stage.serve();
    let line = server.line().await;
    for (seen, token) in &cuts {
        assert_eq!(resumed(&line, token).await, heard.changes[*seen..], "from a file that was built again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_its_crews_alone_and_so_is_its_token() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    refused(watch(&line, crew_of(CREW), None, None).await, Code::NotFound, ErrorReason::CrewNotFound);
    for crew in [CREW, OTHER, FOREIGN] {
        enrolled(&line, crew).await;
    }
    for stranger in [crew_of(OTHER), crew_of(FOREIGN), who("desk", "sgcc/zj/hz/xihu")] {
        let answer = watch(&line, stranger, Some(CREW), None).await;
        refused(answer, Code::PermissionDenied, ErrorReason::NotYourCrew);
    }
    let no_crew = watch(&line, who("desk", CITY), None, None).await;
    refused(no_crew, Code::InvalidArgument, ErrorReason::InvalidFields);

    let mut above = watch(&line, who("desk", CITY), Some(CREW), None).await.unwrap();
    let heard = Heard::to_the_end(&mut above).await;
    let token = heard.tokens.last().unwrap().1.clone();
    let of_another = watch(&line, crew_of(OTHER), None, Some(&token)).await;
    refused(of_another, Code::InvalidArgument, ErrorReason::TokenMismatch);
    for rubbish in ["", "rubbish", &token[1..]] {
        let answer = watch(&line, crew_of(CREW), None, Some(rubbish)).await;
        refused(answer, Code::InvalidArgument, ErrorReason::TokenMismatch);
    }

    // The stream reports a drain, and the token continues on the next server.
    let mut stream = watch(&line, crew_of(CREW), None, Some(&token)).await.unwrap();
    let mut heard = Heard::to_the_end(&mut stream).await;
    server.terminate();
    let end = loop {
        match tokio::time::timeout(Duration::from_secs(20), stream.message()).await.expect("an end in time") {
            Ok(Some(said)) => drop(heard.take(said)),
            Ok(None) => panic!("the stream ends without a word"),
            Err(status) => break status,
        }
    };
    assert_eq!((end.code(), reason(&end)), (Code::Unavailable, Some(ErrorReason::Draining)), "{end:?}");
    assert!(server.ended().success());
    let server = stage.serve();
    let line = server.line().await;
    with_the_crew(&line).await;
    let changes = resumed(&line, &heard.tokens.last().unwrap().1).await;
    assert_eq!(changes.iter().map(word).collect::<Vec<_>>(), ["assigned"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_by_hand_tells_how_to_go_on_however_it_ends() {
    let stage = Stage::new();
    let server = stage.serve();
    enrolled(&server.line().await, CREW).await;
    let mut watching = switchboard(["crew", "watch", "--server", &server.endpoint(), "--org", CREW]);
    let mut watching = watching.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(watching.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.contains("0 offered"), "{first}");
    server.terminate();
    let ended = watching.wait_with_output().unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    assert!(!ended.status.success() && said.contains("Go on with:  --resume "), "{said}");
    assert!(server.ended().success());
}

/// The most server memory for one of the streams that share a connection, in bytes.
const STREAM_BYTES_MAX: u64 = 12 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_takes_no_more_memory_than_its_share() {
    const STREAMS: usize = 1_000;
    const EACH_LINE: usize = 100;
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    enrolled(&line, CREW).await;
    let warm = Heard::to_the_end(&mut watch(&line, crew_of(CREW), None, None).await.unwrap()).await;
    assert!(warm.snapshot.is_some());
    let before = server.resident_bytes();
    let mut streams = Vec::new();
    while streams.len() < STREAMS {
        let line = server.line().await;
        for _ in 0..EACH_LINE.min(STREAMS - streams.len()) {
            let mut stream = watch(&line, crew_of(CREW), None, None).await.unwrap();
            Heard::to_the_end(&mut stream).await;
            streams.push(stream);
        }
    }
    let each = server.resident_bytes().saturating_sub(before) / STREAMS as u64;
    eprintln!("{STREAMS} streams: {each} bytes each");
    assert!(each <= STREAM_BYTES_MAX, "{each} bytes a stream");
    let position = with_the_crew(&line).await;
    for stream in &mut streams {
        let mut heard = Heard::default();
        while heard.changes.is_empty() {
            heard.take(next(stream).await);
        }
        assert_eq!(word(&heard.changes[0]), "assigned", "{}", position.ticket);
    }
}
