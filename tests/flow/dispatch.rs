//! Tests of crews: the roster, shifts, positions and steps as their apps report them, and the messages to the apps.

mod assigning;
mod clocks;
mod off_work;
mod offering;
mod restored;
mod scope;
mod silence;
mod watching;

use switchboard_tests::{
    command::dispatch as send_to,
    line::{Line, Who, who},
    refusal::{fields, reason, refused, told},
    stage::Stage,
    story::{CITY, CREW, Life, Scene, fault, from_now, with_the_crew},
};
use switchboard_wire::proto::{
    self, ErrorReason, dispatch_service_client::DispatchServiceClient, step_report::Step, step_result::Result as Became,
};
use tonic::{Code, Status, service::interceptor::InterceptedService, transport::Channel};
use uuid::Uuid;

/// Another crew of the same station.
const OTHER: &str = "sgcc/zj/hz/yuhang/liangzhu/crew4";
/// A crew of another operator.
const FOREIGN: &str = "csg/gd/gz/th/shipai/crew1";

type Dispatch = DispatchServiceClient<InterceptedService<Channel, Who>>;

pub(crate) fn dispatch(line: &Line, who: Who) -> Dispatch {
    DispatchServiceClient::with_interceptor(line.channel.clone(), who)
}

pub(crate) fn crew_of(path: &str) -> Who {
    who("crew", path)
}

fn id() -> String {
    Uuid::new_v4().to_string()
}

fn header(crew: &str) -> Option<proto::CrewHeader> {
    Some(proto::CrewHeader { request_id: id(), crew: Some(crew.into()), occurred_at: None })
}

fn place(latitude_e6: i32) -> Option<proto::Position> {
    Some(proto::Position { latitude_e6, longitude_e6: 120_000_000 })
}

fn roster(crew: &str) -> proto::EnrolCrewRequest {
    proto::EnrolCrewRequest {
        request_id: id(),
        crew: crew.into(),
        home: place(30_000_000),
        skills: vec![proto::Skill::LowVoltage.into()],
        members: vec!["staff-17".into()],
        ..Default::default()
    }
}

/// Enrols a crew as the desk of its station.
pub(crate) async fn enrolled(line: &Line, crew: &str) -> proto::EnrolCrewResponse {
    let station = crew.rsplit_once('/').unwrap().0;
    dispatch(line, who("desk", station)).enrol_crew(roster(crew)).await.unwrap().into_inner()
}

/// Begins a shift of eight hours.
async fn on_shift(line: &Line, crew: &str) -> Result<proto::CrewOutcome, Status> {
    let start =
        proto::StartShiftRequest { header: header(crew), until: Some(from_now(8 * 3600)), ..Default::default() };
    let answer = dispatch(line, crew_of(crew)).start_shift(start).await?;
    Ok(answer.into_inner().outcome.unwrap())
}

/// Builds a position report of a device whose clock is off by that many seconds.
fn position(latitude_e6: i32, off_s: i64) -> proto::ReportPositionRequest {
    proto::ReportPositionRequest {
        at: place(latitude_e6),
        accuracy_m: 10,
        observed_at: Some(from_now(off_s)),
        ..Default::default()
    }
}

fn step(ticket: &str, seconds_ago: i64, step: Step) -> proto::StepReport {
    proto::StepReport {
        request_id: id(),
        ticket: ticket.into(),
        occurred_at: Some(from_now(-seconds_ago)),
        step: Some(step),
    }
}

fn bundle(steps: Vec<proto::StepReport>, off_s: i64) -> proto::ReportStepsRequest {
    proto::ReportStepsRequest { device_time: Some(from_now(off_s)), steps, ..Default::default() }
}

fn outcome(result: &proto::StepResult) -> &proto::CommandOutcome {
    match &result.result {
        Some(Became::Outcome(outcome)) => outcome,
        other => panic!("{other:?}"),
    }
}

fn refusal(result: &proto::StepResult) -> &proto::StepRefusal {
    match &result.result {
        Some(Became::Refusal(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_roster_is_written_from_above_and_a_shift_is_begun_by_the_crew() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let by_itself = dispatch(&line, crew_of(CREW)).enrol_crew(roster(CREW)).await;
    refused(by_itself, Code::PermissionDenied, ErrorReason::NotYourCrew);
    refused(on_shift(&line, CREW).await, Code::NotFound, ErrorReason::CrewNotFound);

    let first = enrolled(&line, CREW).await;
    assert!(!first.unchanged);
    let again = enrolled(&line, CREW).await;
    assert!(again.unchanged && again.outcome.unwrap().crew == CREW, "rosters are sent whole");

    let start = proto::StartShiftRequest {
        header: header(CREW),
        until: Some(from_now(8 * 3600)),
        at: place(30_100_000),
        ..Default::default()
    };
    let stranger = dispatch(&line, crew_of(OTHER)).start_shift(start.clone()).await;
    refused(stranger, Code::PermissionDenied, ErrorReason::NotYourCrew);
    let begun = dispatch(&line, crew_of(CREW)).start_shift(start.clone()).await.unwrap().into_inner().outcome.unwrap();
    let same = dispatch(&line, crew_of(CREW)).start_shift(start).await.unwrap().into_inner().outcome.unwrap();
    assert_eq!((same.position, same.replayed, begun.replayed), (begun.position, true, false));
    let twice = refused(on_shift(&line, CREW).await, Code::FailedPrecondition, ErrorReason::RuleViolated);
    assert_eq!(told(&twice, "rule").as_deref(), Some("on_shift"));

    let away = |why: proto::Absence| proto::SetAvailabilityRequest { header: header(CREW), away: why.into() };
    let mut app = dispatch(&line, crew_of(CREW));
    app.set_availability(away(proto::Absence::Vehicle)).await.unwrap();
    app.set_availability(away(proto::Absence::Unspecified)).await.unwrap();
    app.end_shift(proto::EndShiftRequest { header: header(CREW) }).await.unwrap();
    let gone = proto::DismissCrewRequest { header: header(CREW) };
    refused(app.dismiss_crew(gone.clone()).await, Code::PermissionDenied, ErrorReason::NotYourCrew);
    dispatch(&line, who("desk", CITY)).dismiss_crew(gone).await.unwrap();
    refused(on_shift(&line, CREW).await, Code::NotFound, ErrorReason::CrewNotFound);
    let kinds: Vec<String> = line.log(0).await.unwrap().into_iter().map(|fact| fact.kind).collect();
    let lived = ["enrolled", "shift_started", "went_away", "came_back", "shift_ended", "dismissed"];
    assert_eq!(kinds, lived.map(|kind| format!("crew.{kind}.v1")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_counts_when_it_is_on_the_planet_and_the_clock_is_right() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut app = dispatch(&line, crew_of(CREW));
    refused(app.report_position(position(30_000_000, 0)).await, Code::NotFound, ErrorReason::CrewNotFound);
    enrolled(&line, CREW).await;
    let off_shift = app.report_position(position(30_000_000, 0)).await.unwrap().into_inner();
    assert!(!off_shift.kept && off_shift.server_time.is_some(), "off shift it learns the time, and nothing is kept");
    on_shift(&line, CREW).await.unwrap();
    let nowhere =
        refused(app.report_position(position(90_000_001, 0)).await, Code::InvalidArgument, ErrorReason::InvalidFields);
    assert_eq!(fields(&nowhere), ["at.latitude_e6"]);
    let of_others = proto::ReportPositionRequest { crew: Some(CREW.into()), ..position(30_000_000, 0) };
    let stranger = dispatch(&line, crew_of(FOREIGN)).report_position(of_others).await;
    refused(stranger, Code::PermissionDenied, ErrorReason::NotYourCrew);

    let day = 86_400;
    let early = position(30_000_000, -day);
    let wrong = refused(app.report_position(early.clone()).await, Code::FailedPrecondition, ErrorReason::DeviceClock);
    let clock_offset_ms: i64 = told(&wrong, "offset_ms").unwrap().parse().unwrap();
    assert!((clock_offset_ms - day * 1_000).abs() < 60_000, "{clock_offset_ms}");
    let right = proto::ReportPositionRequest { clock_offset_ms, ..early };
    assert!(app.report_position(right).await.unwrap().into_inner().kept, "the first of the shift");
    let soon = app.report_position(position(31_000_000, 0)).await.unwrap().into_inner();
    assert!(!soon.kept, "ten minutes lie between two points of a track");
    let track: Vec<_> = line.log(0).await.unwrap().into_iter().filter(|fact| fact.kind == "crew.located.v1").collect();
    assert_eq!(track.len(), 1);
    assert!((track[0].occurred_at.unwrap().seconds - from_now(0).seconds).abs() < 60, "placed by the clock set right");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bundle_of_steps_is_placed_by_the_device_and_each_step_counts_for_itself() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let mut life = Life::default();
    let before = |scene: &Scene| Scene { command: scene.command.clone().at(from_now(-60)), ..scene.clone() };
    life.live_all(&line, &fault()[..6].iter().map(before).collect::<Vec<_>>()).await;
    let ticket = life.ticket.clone();
    let number = line.get(&ticket).await.unwrap().number;
    let mut other = Life::default();
    other.live_all(&line, &fault()[..5]).await;
    let to_others = Scene { who: who("desk", CITY), command: send_to(OTHER) };
    other.live_all(&line, &[to_others]).await;
    let mut app = dispatch(&line, crew_of(CREW));

    // Steps that the device queued while it was off line, in no order. They name the ticket by its id or by its number.
    let arrived = step(&ticket, 2, Step::Arrived(proto::StepArrived::default()));
    let steps = [
        arrived.clone(),
        step(&number, 5, Step::EnRoute(proto::StepEnRoute {})),
        step(&other.ticket, 4, Step::Accepted(proto::StepAccepted {})),
        step(&number, 6, Step::Accepted(proto::StepAccepted {})),
        arrived,
        step("", 1, Step::Restored(proto::StepRestored {})),
        step(&ticket, 1, Step::EnRoute(proto::StepEnRoute {})),
        step("99999999999", 1, Step::EnRoute(proto::StepEnRoute {})),
    ];
    let before = line.head().await.unwrap();
    let day = 86_400;
    let late: Vec<proto::StepReport> = steps
        .iter()
        .map(|step| proto::StepReport {
            occurred_at: step.occurred_at.map(|at| prost_types::Timestamp { seconds: at.seconds - day, ..at }),
            ..step.clone()
        })
        .collect();
    let wrong = app.report_steps(bundle(late.clone(), -day)).await;
    let wrong = refused(wrong, Code::FailedPrecondition, ErrorReason::DeviceClock);
    assert_eq!(line.head().await.unwrap(), before, "nothing was recorded");
    let clock_offset_ms: i64 = told(&wrong, "offset_ms").unwrap().parse().unwrap();

    let resent = proto::ReportStepsRequest { clock_offset_ms, ..bundle(late.clone(), -day) };
    let answer = app.report_steps(resent.clone()).await.unwrap().into_inner();
    let results = &answer.results;
    let ids: Vec<_> = results.iter().map(|result| result.request_id.clone()).collect();
    assert_eq!(
        ids,
        steps.iter().map(|step| step.request_id.clone()).collect::<Vec<_>>(),
        "in the order of the request"
    );
    let done = [0, 1, 3, 4].map(|n| outcome(&results[n]));
    assert_eq!(done.map(|outcome| outcome.replayed), [false, false, false, true]);
    assert!(done[2].position < done[1].position && done[1].position < done[0].position, "as they happened: {done:?}");
    assert_eq!(done[3].position, done[0].position);
    assert_eq!(refusal(&results[2]).reason, "NOT_YOUR_TICKET");
    assert_eq!(
        (refusal(&results[5]).reason.as_str(), &refusal(&results[5]).metadata["field"][..]),
        ("INVALID_FIELDS", "ticket")
    );
    assert_eq!(refusal(&results[6]).metadata["rule"], "already_reported");
    assert_eq!(refusal(&results[7]).reason, "TICKET_NOT_FOUND");
    assert!([2, 5, 6, 7].iter().all(|n| !refusal(&results[*n]).retryable && !refusal(&results[*n]).message.is_empty()));

    // The first answer was lost, and the device corrected its clock before the repetition.
    let again = app.report_steps(proto::ReportStepsRequest { clock_offset_ms: clock_offset_ms + 50, ..resent }).await;
    let again = again.unwrap().into_inner();
    for n in [0, 1, 3, 4] {
        let (first, second) = (outcome(&results[n]), outcome(&again.results[n]));
        assert_eq!((second.position, second.replayed), (first.position, true));
    }
    let seen = line.get(&ticket).await.unwrap();
    let (arrived, meant) = (seen.arrived_at.unwrap(), steps[0].occurred_at.unwrap());
    assert!((arrived.seconds - meant.seconds).abs() <= 1, "placed by the device's time: {arrived:?}, {meant:?}");

    let many = bundle(vec![steps[0].clone(); 201], 0);
    let many = refused(app.report_steps(many).await, Code::InvalidArgument, ErrorReason::InvalidFields);
    assert_eq!(fields(&many), ["steps"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_desk_recalls_a_crew_and_a_crew_hands_over() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let life = with_the_crew(&line).await;
    let about =
        |ticket: &str| Some(proto::CommandHeader { request_id: id(), ticket: ticket.into(), ..Default::default() });
    let recall = |ticket: &str| proto::RecallRequest { header: about(ticket), reason: "A wire is down.".into() };
    let by_itself = dispatch(&line, crew_of(CREW)).recall(recall(&life.ticket)).await;
    refused(by_itself, Code::PermissionDenied, ErrorReason::NotYourTicket);
    dispatch(&line, who("desk", CITY)).recall(recall(&life.ticket)).await.unwrap();
    assert_eq!(line.get(&life.ticket).await.unwrap().holders.last().unwrap(), CITY);

    let life = with_the_crew(&line).await;
    let needs = vec![proto::Skill::Cable.into()];
    let over = proto::HandOverRequest { header: about(&life.ticket), needs, note: "A cable joint.".into() };
    dispatch(&line, crew_of(CREW)).hand_over(over).await.unwrap();
    let kinds = line.kinds(&life.ticket).await.unwrap();
    assert_eq!(kinds[kinds.len() - 2..], ["handed_over", "reassigned"]);

    let assign = |crew: &str, reason: &str| proto::AssignRequest {
        header: about(&life.ticket),
        crew: Some(crew.into()),
        reason: reason.into(),
    };
    let mut desk = dispatch(&line, who("desk", CITY));
    let foreign = desk.assign(assign(FOREIGN, "They are near.")).await;
    refused(foreign, Code::FailedPrecondition, ErrorReason::RuleViolated);
    refused(desk.assign(assign(OTHER, "")).await, Code::InvalidArgument, ErrorReason::InvalidFields);
    enrolled(&line, OTHER).await;
    desk.assign(assign(OTHER, "They know the cabinet.")).await.unwrap();
    let accept = proto::AcceptOfferRequest { header: about(&life.ticket), offer: id(), fence: 3 };
    let none = dispatch(&line, crew_of(OTHER)).accept_offer(accept).await.unwrap_err();
    assert_eq!(reason(&none), Some(ErrorReason::OfferGone));
}
