//! Tests of the process's answers to concurrent queries, without a log.

use switchboard_domain::{Timestamp, crew::CrewId, organisation::OrgPath};
use uuid::Uuid;

use super::*;
use crate::dispatch_file;

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_timestamp_millis(1_767_225_600_000 + milliseconds).unwrap()
}

/// The shipped policy.
fn shipped() -> Policy {
    dispatch_file::read(include_str!("../../../../../deploy/dispatch/sgcc.toml"), "sgcc.toml").unwrap()
}

fn attended() -> Attended {
    Attended {
        process: Dispatch::resume(shipped(), DispatchState::default()),
        looked: Timestamp::default(),
        telemetry: Arc::default(),
        questions: Arc::default(),
        progress: watch::channel(0).0,
        answered: None,
    }
}

impl Attended {
    fn asked(&self) -> oneshot::Receiver<Arc<Snapshot>> {
        let (answer, answered) = oneshot::channel();
        self.questions.lock().unwrap().push(Question::Snapshot(answer));
        answered
    }

    fn asked_why(&self) -> oneshot::Receiver<Option<Explained>> {
        let (answer, answered) = oneshot::channel();
        self.questions.lock().unwrap().push(Question::Explain(TicketId(Uuid::nil()), answer));
        answered
    }
}

#[test]
fn an_answer_is_given_again_for_a_quarter_of_a_second_and_no_longer() {
    let mut attended = attended();
    let mut at_time = |milliseconds| {
        let mut answered = attended.asked();
        attended.pending(at(milliseconds), 8);
        answered.try_recv().unwrap()
    };
    let (first, soon, late) = (at_time(0), at_time(249), at_time(250));
    assert!(Arc::ptr_eq(&first, &soon) && !Arc::ptr_eq(&first, &late));
    assert_eq!(late.at, at(250));
}

#[test]
fn a_process_at_rest_is_woken_by_questions_and_telemetry_and_by_no_clock() {
    let mut attended = attended();
    attended.pending(at(0), 8);
    assert_eq!(attended.wake(), None);
    let crew = CrewId::of(&OrgPath::parse("sgcc/zj/hz/yh/lz/c1").unwrap()).unwrap();
    attended.telemetry.heard(&crew, at(10));
    assert_eq!(attended.wake(), Some(at(0) + TELEMETRY_WAIT));
    let answered = attended.asked();
    assert_eq!(attended.wake(), Some(at(0)), "at once");
    attended.pending(at(10), 8);
    assert_eq!(attended.wake(), Some(at(10) + SNAPSHOT_AGE_MAX), "to drop the copy");
    attended.pending(at(10) + SNAPSHOT_AGE_MAX, 8);
    assert_eq!(attended.wake(), None);
    drop(answered);
}

#[tokio::test]
async fn telemetry_nudges_once_until_it_is_taken() {
    let telemetry = Telemetry::default();
    let nudge = telemetry.nudge();
    let nudged = || futures::FutureExt::now_or_never(nudge.notified()).is_some();
    let crew = CrewId::of(&OrgPath::parse("sgcc/zj/hz/yh/lz/c1").unwrap()).unwrap();
    telemetry.heard(&crew, at(1));
    assert!(nudged());
    telemetry.heard(&crew, at(2));
    assert!(!nudged());
    assert_eq!(telemetry.drain_changed().len(), 1);
    telemetry.heard(&crew, at(3));
    assert!(nudged());
}

#[test]
fn explanations_past_those_of_a_step_wait_in_their_order_and_hold_up_no_other_question() {
    let mut attended = attended();
    let left = attended.asked_why();
    drop(left);
    let mut why: Vec<_> = (0..=EXPLAINS_PER_STEP).map(|_| attended.asked_why()).collect();
    let mut other = attended.asked();
    attended.pending(at(0), 8);
    assert!(other.try_recv().is_ok());
    let answered = why.iter_mut().map(|why| why.try_recv().is_ok()).collect::<Vec<_>>();
    assert_eq!(answered.iter().position(|answered| !answered), Some(EXPLAINS_PER_STEP), "{answered:?}");
    attended.pending(at(50), 8);
    assert!(why.last_mut().unwrap().try_recv().is_ok());
}
