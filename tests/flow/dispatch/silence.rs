//! Silent crews: an offer that expires goes on to another crew, a crew that is heard of gets offers, and the reported
//! position of a crew counts.

use std::sync::Arc;

use switchboard_domain::{
    Timestamp,
    actor::{Actor, Role},
    crew::{Command as ToCrew, CrewId, Crews, OfferId, Point, Skill, Skills, command::Enrol},
    organisation::OrgPath,
    rules::Rules,
    ticket::TicketId,
};
use switchboard_engine::{
    clock::{Clock, SystemClock},
    command::{Aggregates, Request},
    journal::Journal,
    vault::Vault,
};
use switchboard_eventstore::{
    keys::SqliteKeys,
    sqlite::{SqliteOptions, SqliteStore},
};
use switchboard_tests::{
    command::{Command, accept, classify},
    line::agent,
    stage::{PATIENCE, Server, eventually},
    story::somebody,
};
use switchboard_wire::proto::{
    AssignmentChange, BusinessType, CrewStatus, Place, assignment_change::Change, watch_assignments_response::Message,
};

use super::{watching::*, *};

/// The station of the crews.
const STATION: &str = "sgcc/zj/hz/yuhang/liangzhu";
/// A crew whose only purpose is a fact with a later time on the log.
const LATER: &str = "sgcc/zj/hz/yuhang/liangzhu/crew9";

/// The lease of an offer that must expire, in seconds.
const SOON: u32 = 3;
/// The lease of an offer that must not expire, in seconds.
const LONG: u32 = 180;
/// The latitude of the customer, in millionths of a degree.
const HERE: i32 = 30_000_000;
/// A latitude some 55 km from there.
const FAR: i32 = 30_500_000;

/// Starts a server whose leases last that many seconds and whose crews count as silent after a minute.
fn serve(stage: &Stage, lease_seconds: u32) -> Server {
    let file = stage.beside("dispatch.toml");
    let offers = [
        format!("lease_seconds = {lease_seconds}"),
        format!("lease_priority_seconds = {lease_seconds}"),
        "grace_seconds = 0".into(),
        "silent_minutes = 1".into(),
    ];
    std::fs::write(&file, format!("version = \"silence\"\n[offers]\n{}\n", offers.join("\n"))).unwrap();
    stage.serve_with(&["--set", &format!("dispatch={}", file.display())])
}

/// Enrols a crew with this home, as the city's desk.
async fn at_home(line: &Line, crew: &str, latitude_e6: i32) {
    let roster = proto::EnrolCrewRequest { home: place(latitude_e6), ..roster(crew) };
    dispatch(line, who("desk", CITY)).enrol_crew(roster).await.unwrap();
}

/// Opens a stream and reads it up to the present.
async fn listening(line: &Line, who: Who, crew: &str) -> Stream {
    let mut stream = watch(line, who, Some(crew), None).await.unwrap();
    Heard::to_the_end(&mut stream).await;
    stream
}

/// Brings a fault at that latitude directly to the station. Only tickets of the station are offered.
async fn fault_at(line: &Line, latitude_e6: i32) -> String {
    let place = Place { latitude_e6: Some(latitude_e6), longitude_e6: Some(120_000_000), ..Default::default() };
    let receive = proto::ReceiveRequest { place: Some(place), ..somebody(BusinessType::FaultRepair) };
    let received = Command::Receive(Box::new(receive)).send(&mut line.tickets(&agent())).await.unwrap();
    let steps = [
        (agent(), classify("fault_repair/low_voltage", None)),
        (agent(), send_to(STATION)),
        (who("desk", STATION), accept()),
    ];
    for (who, command) in steps {
        command.about(&received.ticket_id).send(&mut line.tickets(&who)).await.unwrap();
    }
    received.ticket_id
}

/// Returns the next change on a stream; skips heartbeats.
async fn change(stream: &mut Stream) -> AssignmentChange {
    let change = async {
        loop {
            if let Some(Message::Change(change)) = next(stream).await.message {
                return change;
            }
        }
    };
    tokio::time::timeout(PATIENCE, change).await.expect("a change in time")
}

/// Returns the offer in the next change.
async fn offer(stream: &mut Stream) -> proto::CrewOffer {
    match change(stream).await.change {
        Some(Change::Offered(offer)) => offer,
        other => panic!("{other:?}"),
    }
}

/// Returns the two crews of the station as the desk sees them, [`CREW`] first.
async fn listed(line: &Line) -> [CrewStatus; 2] {
    let ask = proto::ListCrewsRequest { org: Some(STATION.into()), ..Default::default() };
    let mut crews = dispatch(line, who("desk", CITY)).list_crews(ask).await.unwrap().into_inner().crews;
    crews.truncate(2);
    let crews: [CrewStatus; 2] = crews.try_into().unwrap();
    assert_eq!(crews.each_ref().map(|crew| crew.crew.as_str()), [CREW, OTHER]);
    crews
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_that_nobody_answers_runs_out_and_the_other_crew_has_the_next() {
    let stage = Stage::new();
    let server = serve(&stage, SOON);
    let line = server.line().await;
    let mut streams = Vec::new();
    for (crew, home) in [(CREW, HERE), (OTHER, FAR)] {
        at_home(&line, crew, home).await;
        on_shift(&line, crew).await.unwrap();
        streams.push(listening(&line, crew_of(crew), crew).await);
    }
    let ticket = fault_at(&line, HERE).await;
    let id = TicketId(Uuid::parse_str(&ticket).unwrap());
    let of_attempt = |n: u32| OfferId::of(id, n).to_string();
    let first = offer(&mut streams[0]).await;
    assert_eq!((first.offer, first.ticket.unwrap().ticket_id), (of_attempt(1), ticket.clone()));

    assert_eq!(word(&change(&mut streams[0]).await), "gone Expired");
    let second = offer(&mut streams[1]).await;
    assert_eq!((second.offer.clone(), second.ticket.unwrap().ticket_id), (of_attempt(2), ticket.clone()));
    assert!(second.fence > 0);
    let kinds = line.kinds(&ticket).await.unwrap();
    let offers: Vec<_> = kinds.iter().map(String::as_str).filter(|kind| kind.starts_with("offer")).collect();
    assert_eq!(offers[..3], ["offered", "offer_ended", "offered"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_goes_to_the_crew_that_last_said_it_is_near() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut streams = Vec::new();
    // By home and by the track on the log, the first crew is nearer.
    for (crew, kept, at) in [(CREW, HERE, FAR), (OTHER, FAR, HERE)] {
        at_home(&line, crew, kept).await;
        on_shift(&line, crew).await.unwrap();
        // A clock that is a little fast is taken to show the present.
        let mut app = dispatch(&line, crew_of(crew));
        assert!(app.report_position(position(kept, 1)).await.unwrap().into_inner().kept);
        assert!(!app.report_position(position(at, 2)).await.unwrap().into_inner().kept, "telemetry alone");
        streams.push(listening(&line, crew_of(crew), crew).await);
    }
    let ticket = fault_at(&line, HERE).await;
    let (mut first, mut second) = (streams.remove(0), streams.remove(0));
    let offered = tokio::select! {
        offer = offer(&mut second) => offer,
        other = offer(&mut first) => panic!("the crew that left is asked: {other:?}"),
    };
    assert_eq!(offered.ticket.unwrap().ticket_id, ticket);
}

/// A clock that is some minutes ahead.
struct Ahead(SystemClock, chrono::TimeDelta);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        self.0.now() + self.1
    }
}

/// Appends a fact to the log of a stopped server with a recording time that many minutes from now. The server's time
/// continues from there.
async fn minutes_pass(stage: &Stage, minutes: i64) {
    let store = Arc::new(SqliteStore::open(&stage.data(), SqliteOptions::default()).unwrap());
    let keys = Arc::new(SqliteKeys::open(&stage.data()).unwrap());
    let clock = Arc::new(Ahead(SystemClock::default(), chrono::TimeDelta::minutes(minutes)));
    let journal = Journal::new(store.clone(), Vault::new(keys.clone()));
    let crews = Aggregates::<Crews>::new(journal, clock, Arc::new(Rules::default()), 8);
    let org = |path: &str| OrgPath::parse(path).unwrap();
    let crew = CrewId::of(&org(LATER)).unwrap();
    let enrol = Enrol {
        crew: crew.clone(),
        home: Point::new(FAR, 120_000_000).unwrap(),
        territory: vec![org(STATION)],
        skills: Skills::of(&[Skill::LowVoltage]),
        members: Vec::new(),
        vehicle: None,
    };
    let actor = Actor { id: "desk-1".into(), role: Role::Desk, org: org(CITY) };
    let request = Request::new(Uuid::new_v4(), "enrolled".into(), actor);
    crews.execute(&crew, &ToCrew::Enrol(Box::new(enrol)), &request).await.unwrap();
    store.close().await;
    keys.close();
}

fn instant(at: Option<prost_types::Timestamp>) -> (i64, i32) {
    at.map(|at| (at.seconds, at.nanos)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crew_that_watches_is_heard_of_and_one_whose_desk_watches_is_not() {
    let stage = Stage::new();
    let server = serve(&stage, LONG);
    let line = server.line().await;
    for (crew, home) in [(CREW, FAR), (OTHER, HERE)] {
        at_home(&line, crew, home).await;
        on_shift(&line, crew).await.unwrap();
    }
    server.stop();
    minutes_pass(&stage, 3).await;
    let server = serve(&stage, LONG);
    let line = server.line().await;
    let silent = async || listed(&line).await.iter().all(|crew| crew.silent).then_some(());
    eventually("silence", silent).await;

    // The nearer crew is watched by its desk only; the other crew watches itself.
    let mut of_desk = listening(&line, who("desk", CITY), OTHER).await;
    let mut own = listening(&line, crew_of(CREW), CREW).await;
    let ticket = fault_at(&line, HERE).await;
    let offered = tokio::select! {
        offer = offer(&mut own) => offer,
        other = offer(&mut of_desk) => panic!("a crew that nobody heard of is asked: {other:?}"),
    };
    assert_eq!(offered.ticket.unwrap().ticket_id, ticket);
    let [watches, watched] = listed(&line).await;
    assert_eq!((watches.silent, watched.silent), (false, true));

    // No more changes come, but the stream stays open.
    let beat = loop {
        if let Some(Message::Heartbeat(beat)) = next(&mut own).await.message {
            break beat.time;
        }
    };
    // Both are times of the server; the last message to the crew was a heartbeat ago.
    let lately = instant(beat).0 - 5;
    let heard = async || (instant(listed(&line).await[0].seen_at).0 >= lately).then_some(());
    eventually("the heartbeat", heard).await;
}
