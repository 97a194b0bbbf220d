//! The position of a crew off shift: it is not stored and not shown.

use switchboard_tests::{command::progress, stage::eventually};

use super::*;

/// Returns the position at which the crew is shown, at the head of the log.
async fn shown(line: &Line) -> Option<proto::Position> {
    let ask = proto::ListCrewsRequest {
        org: Some(CREW.into()),
        min_position: line.head().await.unwrap(),
        ..Default::default()
    };
    let answer = dispatch(line, who("desk", CITY)).list_crews(ask).await.unwrap().into_inner();
    answer.crews.into_iter().next().unwrap().at
}

/// Waits until the crew is shown at that position.
async fn seen_at(line: &Line, at: Option<proto::Position>) {
    eventually("the place", || async { (shown(line).await == at).then_some(()) }).await;
}

/// Reports the crew's position now; returns true if the log kept it.
async fn kept(line: &Line, latitude_e6: i32) -> bool {
    // `from_now` cuts to whole seconds, so the present second may begin before the shift. One second is added; a clock
    // that is a little fast is taken to show the present.
    let answer = dispatch(line, crew_of(CREW)).report_position(position(latitude_e6, 1)).await.unwrap().into_inner();
    assert!(answer.server_time.is_some());
    answer.kept
}

/// Begins a shift of that many seconds.
async fn shift_of(line: &Line, seconds: i64) {
    let start = proto::StartShiftRequest { header: header(CREW), until: Some(from_now(seconds)), ..Default::default() };
    dispatch(line, crew_of(CREW)).start_shift(start).await.unwrap();
}

/// Returns the number of points of its track.
async fn track(line: &Line) -> usize {
    line.log(0).await.unwrap().iter().filter(|fact| fact.kind == "crew.located.v1").count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_a_crew_is_off_shift_is_kept_nowhere_and_shown_to_nobody() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    enrolled(&line, CREW).await;
    assert!(!kept(&line, 31_000_000).await);
    assert_eq!(shown(&line).await, None, "before the first shift");

    shift_of(&line, 8 * 3600).await;
    assert_eq!(shown(&line).await, place(30_000_000), "its home station, until it says where it is");
    assert!(kept(&line, 30_500_000).await, "the first of the shift");
    seen_at(&line, place(30_500_000)).await;

    dispatch(&line, crew_of(CREW)).end_shift(proto::EndShiftRequest { header: header(CREW) }).await.unwrap();
    assert_eq!(shown(&line).await, None, "not even where it was");
    assert!(!kept(&line, 32_000_000).await);
    assert_eq!(shown(&line).await, None);
    shift_of(&line, 8 * 3600).await;
    assert_eq!(shown(&line).await, place(30_000_000), "what was said off shift is not remembered");
    assert_eq!(track(&line).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn past_the_planned_end_a_crew_is_at_work_while_it_has_work_in_hand() {
    let stage = Stage::new();
    let server = stage.serve();
    let line = server.line().await;
    enrolled(&line, CREW).await;
    shift_of(&line, 3).await;
    seen_at(&line, None).await;
    assert!(!kept(&line, 31_000_000).await, "nobody ended the shift, and everybody went home");
    assert_eq!((shown(&line).await, track(&line).await), (None, 0));

    let life = with_the_crew(&line).await;
    assert!(kept(&line, 30_500_000).await, "on the road for a customer");
    seen_at(&line, place(30_500_000)).await;
    let restored = progress(proto::report_progress_request::Step::Restored(proto::StepRestored {}));
    restored.about(&life.ticket).send(&mut line.tickets(&crew_of(CREW))).await.unwrap();
    assert!(!kept(&line, 31_000_000).await, "power is back");
    seen_at(&line, None).await;
    assert_eq!(track(&line).await, 1);
}
