//! Device clocks that are a little or much too fast, and the crew that a report counts for.

use super::*;

async fn by_its_desk(line: &Line, crew: &str, steps: Vec<proto::StepReport>) -> Vec<proto::StepResult> {
    let ask = proto::ReportStepsRequest { crew: Some(crew.into()), ..bundle(steps, 0) };
    dispatch(line, who("desk", CITY)).report_steps(ask).await.unwrap().into_inner().results
}

fn instant(at: Option<prost_types::Timestamp>) -> (i64, i32) {
    at.map(|at| (at.seconds, at.nanos)).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_of_a_clock_that_is_a_little_fast_are_taken_in_their_order_and_none_lies_in_the_future() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let life = with_the_crew(&line).await;
    let fast = 8 * 60;
    let steps = vec![
        step(&life.ticket, -fast, Step::Arrived(proto::StepArrived::default())),
        step(&life.ticket, 1 - fast, Step::EnRoute(proto::StepEnRoute {})),
    ];
    let answer = dispatch(&line, crew_of(CREW)).report_steps(bundle(steps, fast)).await.unwrap().into_inner();
    let [arrived, en_route] = &answer.results[..] else { panic!("{answer:?}") };
    assert!(outcome(en_route).position < outcome(arrived).position);
    for fact in line.history(&life.ticket).await.unwrap().iter().rev().take(2) {
        assert!(instant(fact.occurred_at) <= instant(fact.recorded_at), "{fact:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_of_the_future_is_refused_for_itself_and_counts_when_it_has_happened() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let life = with_the_crew(&line).await;
    let mut app = dispatch(&line, crew_of(CREW));
    let slip = step(&life.ticket, -86_400, Step::Arrived(proto::StepArrived::default()));
    let over = step(&life.ticket, 0, Step::EtrSet(proto::StepEtrSet { etr: Some(from_now(-60)) }));
    let sent = bundle(vec![slip.clone(), over, step(&life.ticket, 1, Step::EnRoute(proto::StepEnRoute {}))], 0);
    let results = app.report_steps(sent).await.unwrap().into_inner().results;
    for (refused, field) in [(&results[0], "occurred_at"), (&results[1], "etr")] {
        let no = refusal(refused);
        assert_eq!((no.reason.as_str(), no.metadata["field"].as_str()), ("INVALID_FIELDS", field));
    }
    outcome(&results[2]);
    let seen = line.get(&life.ticket).await.unwrap();
    assert_eq!((seen.arrived_at, seen.etr), (None, None));

    let right = proto::StepReport { occurred_at: Some(from_now(0)), ..slip };
    let results = app.report_steps(bundle(vec![right.clone()], 0)).await.unwrap().into_inner().results;
    assert!(!outcome(&results[0]).replayed);
    let seen = line.get(&life.ticket).await.unwrap();
    assert_eq!(instant(seen.arrived_at), instant(right.occurred_at));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_counts_for_the_crew_that_is_named_whoever_above_it_reports() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    let life = with_the_crew(&line).await;
    let en_route = || vec![step(&life.ticket, 0, Step::EnRoute(proto::StepEnRoute {}))];
    let of_another = by_its_desk(&line, OTHER, en_route()).await;
    assert_eq!(refusal(&of_another[0]).reason, "NOT_YOUR_TICKET");
    outcome(&by_its_desk(&line, CREW, en_route()).await[0]);
    let spoken = line.history(&life.ticket).await.unwrap().pop().unwrap().actor.unwrap();
    assert_eq!((spoken.role.as_str(), spoken.org.as_str()), ("desk", CREW));

    // A step of the crew counts as its own even when the ticket is back with the desk.
    let arrived = step(&life.ticket, 0, Step::Arrived(proto::StepArrived::default()));
    let header = Some(proto::CommandHeader { request_id: id(), ticket: life.ticket.clone(), ..Default::default() });
    let recall = proto::RecallRequest { header, reason: "A wire is down.".into() };
    dispatch(&line, who("desk", CITY)).recall(recall).await.unwrap();
    let never = step(&life.ticket, 0, Step::Arrived(proto::StepArrived::default()));
    assert_eq!(refusal(&by_its_desk(&line, OTHER, vec![never]).await[0]).reason, "NOT_YOUR_TICKET");
    outcome(&by_its_desk(&line, CREW, vec![arrived]).await[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_crew_says_at_once_is_placed_by_a_clock_that_is_right() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    enrolled(&line, CREW).await;
    let mut app = dispatch(&line, crew_of(CREW));
    let shift = |off_s: i64| proto::StartShiftRequest {
        header: header(CREW).map(|header| proto::CrewHeader { occurred_at: Some(from_now(off_s)), ..header }),
        until: Some(from_now(8 * 3600)),
        ..Default::default()
    };
    for off_s in [-3_600, 3_600] {
        let wrong = refused(app.start_shift(shift(off_s)).await, Code::FailedPrecondition, ErrorReason::DeviceClock);
        let offset_ms: i64 = told(&wrong, "offset_ms").unwrap().parse().unwrap();
        assert!((offset_ms + off_s * 1_000).abs() < 60_000, "{offset_ms}");
        assert!(wrong.message().ends_with("send again without occurred_at."), "{}", wrong.message());
    }
    // The end of the shift comes from the same clock, so it is not reported as the mistake.
    let both = proto::StartShiftRequest { until: Some(from_now(-3_000)), ..shift(-3_600) };
    refused(app.start_shift(both.clone()).await, Code::FailedPrecondition, ErrorReason::DeviceClock);
    let without = |start: proto::StartShiftRequest| {
        let header = start.header.map(|header| proto::CrewHeader { occurred_at: None, ..header });
        proto::StartShiftRequest { header, ..start }
    };
    let ended = refused(app.start_shift(without(both)).await, Code::InvalidArgument, ErrorReason::InvalidFields);
    assert_eq!(fields(&ended), ["until"]);
    assert!(ended.message().ends_with("judged by the server's clock."), "{}", ended.message());
    let over = proto::StartShiftRequest { until: Some(from_now(-10)), ..shift(-300) };
    let over = refused(app.start_shift(over).await, Code::InvalidArgument, ErrorReason::InvalidFields);
    assert_eq!(fields(&over), ["until"]);
    app.start_shift(without(shift(-3_600))).await.expect("what the refusal said works");
    let header = proto::CommandHeader { occurred_at: Some(from_now(-3_600)), ..Default::default() };
    let header = Some(proto::CommandHeader { request_id: id(), ticket: id(), ..header });
    let accept = proto::AcceptOfferRequest { header, offer: id(), fence: 1 };
    refused(app.accept_offer(accept).await, Code::FailedPrecondition, ErrorReason::DeviceClock);
}
