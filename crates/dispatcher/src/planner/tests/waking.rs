//! Changes without a fact: silence, holds, ends of shifts, and crews that a `settle` call did not serve.

use super::*;
use crate::planner::insertion::UNDERFILLED_MAX;

#[test]
fn at_its_own_timer_a_crew_is_silent_whatever_the_fraction_of_the_millisecond() {
    for micros in (0..3_000).step_by(37) {
        let mut quiet = crew(1, 0.0);
        quiet.seen = at(0) + TimeDelta::microseconds(micros);
        let mut board = board([quiet], []);
        let mut planner = settled(&board, 1);
        assert!(!planner.is_silent(&crew_id(1)), "{micros}");
        let wake = planner.wake().unwrap();
        planner.settle(&board, wake);
        assert!(planner.is_silent(&crew_id(1)), "{micros}");
        board.jobs.insert(ticket(1), job(1, 0.0));
        planner.job_changed(ticket(1));
        planner.settle(&board, wake);
        assert_eq!(planner.waits(&board, ticket(1), wake), Waits::Silent, "{micros}");
    }
}

#[test]
fn a_silent_crew_that_is_heard_of_counts_as_silent_until_that_is_taken_in() {
    let mut board = board([crew(1, 0.0)], []);
    let mut planner = settled(&board, 6);
    assert!(planner.is_silent(&crew_id(1)) && !planner.is_silent(&crew_id(2)));
    board.crews.get_mut(&crew_id(1)).unwrap().seen = at(6);
    planner.settle(&board, at(6));
    assert!(planner.is_silent(&crew_id(1)));
    planner.crew_changed(&crew_id(1));
    planner.settle(&board, at(6));
    assert!(!planner.is_silent(&crew_id(1)));
}

#[test]
fn a_held_job_has_a_timer_for_as_long_as_it_is_held() {
    let far = (1..=8).map(|n| job(n, f64::from(n) * 50.0));
    let mut board = board([crew(1, 0.0)], far);
    board.crews.get_mut(&crew_id(1)).unwrap().seen = at(20);
    // A number of minutes that no float represents exactly, so that sums round up or down.
    let mut policy = Policy::default();
    policy.storm.hold_minutes = 4.9;
    let mut planner = Planner::new(policy);
    planner.settle(&board, at(20));
    assert!(planner.storm());
    for n in 100..400 {
        let mut call = job(n, -30.0);
        call.reported = at(20) + TimeDelta::milliseconds(i64::from(n) * 7);
        let reported = call.reported;
        board.jobs.insert(ticket(n), call);
        planner.job_changed(ticket(n));
        planner.settle(&board, reported);
        assert_eq!(planner.waits(&board, ticket(n), reported), Waits::HeldForNeighbours, "{n}");
        let mut alone = planner.clone();
        let mut now = reported;
        while alone.waits(&board, ticket(n), now) == Waits::HeldForNeighbours {
            let wake = alone.wake().filter(|wake| *wake > now);
            now = wake.unwrap_or_else(|| panic!("{n} is held for ever"));
            assert!(now < at(400), "{n}: is not looked at before the end of the shift");
            alone.settle(&board, now);
        }
        board.jobs.remove(&ticket(n));
        planner.job_changed(ticket(n));
    }
}

#[test]
fn a_crew_whose_shift_has_run_out_does_not_share_the_load() {
    let mut gone = crew(2, 0.0);
    gone.shift.as_mut().unwrap().until = at(30);
    let mut staying = crew(1, 0.0);
    staying.seen = at(30);
    let board = board([staying, gone], (1..=5).map(|n| job(n, f64::from(n))));
    let mut planner = settled(&board, 0);
    assert!(!planner.storm(), "five for two");
    planner.settle(&board, at(30));
    assert!(planner.storm(), "five for one");
}

#[test]
fn of_many_crews_that_come_on_shift_at_once_none_is_forgotten() {
    let count = 4 * UNDERFILLED_MAX as u32;
    let mut board = board([], (1..=2 * count).map(|n| job(n, f64::from(n) * 0.5)));
    let mut planner = settled(&board, 0);
    for n in 1..=count {
        let crew = crew(n, f64::from(n));
        planner.crew_changed(&crew.id);
        board.crews.insert(crew.id.clone(), crew);
    }
    planner.settle(&board, at(0));
    let mut turns = 0;
    while planner.wake().is_some_and(|wake| wake <= at(0)) {
        planner.settle(&board, at(0));
        turns += 1;
        assert!(turns < 2 * count, "it never comes to rest");
    }
    let proposals = planner.proposals(&board, at(0), usize::MAX);
    assert_eq!(proposals.len(), count as usize);
}

#[test]
fn a_ticket_with_an_appointment_is_planned_from_some_time_before_it_unless_a_person_chose_a_crew() {
    let mut appointed = job(1, 5.0);
    (appointed.promised_from, appointed.opens) = (at(60), Some(at(30)));
    let mut board = board([crew(1, 0.0)], [appointed]);
    let mut planner = settled(&board, 0);
    assert_eq!(planner.waits(&board, ticket(1), at(0)), Waits::Appointment);
    assert_eq!(planner.proposals(&board, at(0), 10), []);
    board.crews.get_mut(&crew_id(1)).unwrap().seen = at(30);
    planner.crew_changed(&crew_id(1));
    planner.settle(&board, at(29));
    assert_eq!(planner.wake(), Some(at(30)));
    assert_eq!(planner.proposals(&board, at(30), 10)[0].ticket, ticket(1));
}
