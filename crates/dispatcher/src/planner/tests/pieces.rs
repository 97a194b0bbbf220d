//! Work in pieces: the pieces of a slice of improvement, and the jobs and crews beyond the bounds of one `settle` call.

use super::*;
use crate::planner::insertion::TRIES_MAX;

/// A board of eight crews and sixty jobs whose plan can be improved.
fn crowd() -> Board {
    board((1..=8).map(|n| crew(n, f64::from(n) * 3.0)), (1..=60).map(|n| job(n, f64::from(n * 17 % 31))))
}

#[test]
fn a_slice_that_nothing_disturbs_is_the_same_in_pieces_as_in_one() {
    let board = crowd();
    let mut whole = settled(&board, 0);
    let mut pieces = whole.clone();
    let before = whole.snapshot(&board, at(0));
    for _ in 0..3 {
        whole.improve(&board, at(0), 90);
        while !pieces.improve_some(&board, at(0), 90, 20) {}
    }
    let made = whole.snapshot(&board, at(0));
    assert!(made.price < before.price);
    assert_eq!(pieces.snapshot(&board, at(0)), made);
}

#[test]
fn what_a_piece_finds_is_in_the_plan_before_the_next() {
    let board = crowd();
    let mut planner = settled(&board, 0);
    let (before, mut gains) = (planner.snapshot(&board, at(0)).price, 0);
    while !planner.improve_some(&board, at(0), 400, 20) {
        gains += u32::from(planner.searching.is_some() && planner.snapshot(&board, at(0)).price < before - 1.0);
    }
    assert!(gains > 3, "{gains}");
}

#[test]
fn what_touches_its_part_breaks_a_search_off_and_what_does_not_leaves_it() {
    let board = crowd();
    let mut begun = settled(&board, 0);
    assert!(!begun.improve_some(&board, at(0), 90, 20));
    assert!(begun.searching.is_some());
    let touched = |change: &dyn Fn(&mut Board, &mut Planner)| {
        let (mut board, mut planner) = (board.clone(), begun.clone());
        change(&mut board, &mut planner);
        planner.settle_all(&board, at(0));
        planner.searching.is_none()
    };
    assert!(touched(&|_, planner| planner.crew_changed(&crew_id(3))));
    let routed = begun.snapshot(&board, at(0)).routes[&crew_id(3)][1].ticket;
    assert!(touched(&|board, planner| {
        board.jobs.remove(&routed);
        planner.job_changed(routed);
    }));
    assert!(!touched(&|board, planner| {
        let mut foreign = job(900, 0.0);
        foreign.holder = OrgPath::parse("sgcc/zj/hz/yuhang/pingyao").unwrap();
        board.jobs.insert(foreign.ticket, foreign);
        planner.job_changed(ticket(900));
    }));
}

#[test]
fn a_slice_that_was_broken_off_goes_on_where_it_was() {
    let board = crowd();
    let mut planner = settled(&board, 0);
    let mut pieces = 0;
    while !planner.improve_some(&board, at(0), 100, 10) {
        pieces += 1;
        assert!(pieces < 100, "it comes to no end");
        planner.crew_changed(&crew_id(1 + pieces % 8));
    }
    assert_eq!((pieces, planner.slices), (9, 1));
}

#[test]
fn of_many_jobs_that_come_at_once_the_heaviest_are_come_to_first_and_every_other_has_its_turn() {
    let count = 4 * TRIES_MAX as u32;
    let mut board = board((1..=count).map(|n| crew(n, f64::from(n))), []);
    let mut planner = settled(&board, 0);
    for n in 1..=count {
        let mut job = job(n, f64::from(n) + 0.2);
        job.customers = 10 + n;
        planner.job_changed(job.ticket);
        board.jobs.insert(job.ticket, job);
    }
    planner.settle(&board, at(0));
    assert!(!planner.is_settled());
    assert_eq!(planner.wake(), Some(at(0)), "at once");
    let planned =
        |planner: &Planner, n| matches!(planner.waits(&board, ticket(n), at(0)), Waits::Ready | Waits::Planned);
    assert!((count - TRIES_MAX as u32 + 1..=count).all(|n| planned(&planner, n)), "the heaviest");
    let others: Vec<_> = (1..=count).filter(|n| !planned(&planner, *n)).collect();
    assert!(others.len() >= 2 * TRIES_MAX, "{}", others.len());
    assert!(others.iter().all(|n| planner.waits(&board, ticket(*n), at(0)) == Waits::NotTried));
    let mut turns = 0;
    while planner.wake().is_some_and(|wake| wake <= at(0)) {
        planner.settle(&board, at(0));
        turns += 1;
        assert!(turns < count, "it never comes to rest");
    }
    assert!((1..=count).all(|n| planned(&planner, n)));
}

#[test]
fn a_job_that_was_not_taken_in_yet_has_not_been_tried_and_a_chosen_crew_is_not_called_busy_before() {
    let mut board = board([crew(1, 0.0)], []);
    let mut planner = settled(&board, 0);
    for n in 1..=2 * TRIES_MAX as u32 {
        let mut pinned = job(n, 1.0);
        pinned.pinned = Some((crew_id(1), forced()));
        board.jobs.insert(ticket(n), pinned);
    }
    assert_eq!(planner.waits(&board, ticket(1), at(0)), Waits::NotTried);
    board.jobs.keys().for_each(|ticket| planner.job_changed(*ticket));
    planner.settle(&board, at(0));
    let reasons: BTreeSet<_> = board.jobs.keys().map(|ticket| planner.waits(&board, *ticket, at(0))).collect();
    assert!(reasons.contains(&Waits::NotTried), "{reasons:?}");
    planner.settle_all(&board, at(0));
    assert!(board.jobs.keys().all(|ticket| planner.waits(&board, *ticket, at(0)) != Waits::NotTried));
}

#[test]
fn of_many_timers_that_come_due_at_once_none_is_forgotten() {
    let count = 2 * DUE_MAX as u32 + 1;
    let board = board((1..=count).map(|n| crew(n, f64::from(n))), []);
    let mut planner = settled(&board, 0);
    let wake = planner.wake().unwrap();
    planner.settle(&board, wake);
    let silent = |planner: &Planner| (1..=count).filter(|n| planner.is_silent(&crew_id(*n))).count();
    assert_eq!((silent(&planner), planner.wake()), (DUE_MAX, Some(wake)));
    planner.settle_all(&board, wake);
    assert_eq!(silent(&planner), count as usize);
}
