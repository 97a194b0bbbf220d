//! Many crews and jobs: what the planner's bounds leave out, and what they must not leave out.

use super::*;
use crate::planner::part::WAITING_MAX;

#[test]
fn at_the_end_of_a_shift_the_next_shift_is_found_behind_all_those_that_go_home() {
    let tired = (1..=40).map(|n| {
        let mut tired = crew(n, 0.0);
        tired.shift.as_mut().unwrap().until = at(10);
        tired
    });
    let mut board = board(tired.chain([crew(50, -30.0)]), []);
    let mut planner = settled(&board, 0);
    board.jobs.insert(ticket(1), job(1, 3.6));
    planner.job_changed(ticket(1));
    let proposals = planner.proposals(&board, at(0), 10);
    assert_eq!(proposals.iter().map(|proposal| proposal.crew.clone()).collect::<Vec<_>>(), [crew_id(50)]);
}

#[test]
fn improvement_looks_at_what_its_crews_may_do_and_at_the_best_of_it() {
    let foreign = (1..=2 * WAITING_MAX as u32).map(|n| {
        let mut foreign = job(n, 0.0);
        foreign.holder = OrgPath::parse(&format!("sgcc/zj/hz/yuhang/station{n}")).unwrap();
        foreign
    });
    let own = (1_001..=1_020).map(|n| job(n, 0.1));
    let board = board([crew(1, 0.0)], foreign.chain(own));
    let planner = settled(&board, 0);
    let number = |ticket: &TicketId| planner.job_index.index[ticket];
    let waiting: BTreeSet<u32> = planner.waiting_for(&[planner.roster.index[&crew_id(1)]]).into_iter().collect();
    assert!(!waiting.is_empty());
    assert!((1_001..=1_020).any(|n| waiting.contains(&number(&ticket(n)))));
    assert!((1..=2 * WAITING_MAX as u32).all(|n| !waiting.contains(&number(&ticket(n)))), "not theirs to do");
}

#[test]
fn of_too_many_waiting_jobs_improvement_takes_the_heavy_and_near_ones() {
    // The crews are far apart, and their routes are full. The jobs that wait for a crew are heavier the higher its
    // number.
    let crews: Vec<_> = (1..=30).map(|n| crew(n, f64::from(n) * 40.0)).collect();
    let jobs = (0..30 * 20).map(|n| {
        let mut job = job(n + 1, f64::from(n / 20 + 1) * 40.0 + 0.1);
        job.customers = 1 + n / 20;
        job
    });
    let board = board(crews, jobs);
    let planner = settled(&board, 0);
    let teams: Vec<u32> = planner.roster.index.values().copied().collect();
    let waiting = planner.waiting_for(&teams);
    assert_eq!(waiting.len(), WAITING_MAX);
    let lightest = waiting.iter().map(|job| planner.job_index.task(*job).customers as u32).min().unwrap();
    assert!(lightest > 10, "{lightest}");
}

#[test]
fn the_name_of_a_plan_is_worked_out_once_and_never_old() {
    let mut lot = world::Lot::new(7);
    let mut board = lot.board(100);
    let mut planner = settled(&board, 100);
    let mut names = BTreeSet::new();
    for n in 0..40 {
        let new = lot.job(1_000 + n, 100);
        planner.job_changed(new.ticket);
        board.jobs.insert(new.ticket, new);
        if n % 3 == 0 {
            planner.improve(&board, at(100), 20);
        }
        planner.proposals(&board, at(100), 3);
        let name = planner.snapshot(&board, at(100)).hash;
        assert_eq!(planner.name.get(), Some(&name), "kept");
        assert_eq!(name, planner.named(), "true");
        names.insert(name);
    }
    assert!(names.len() > 30);
}

#[test]
fn a_unit_that_appears_late_is_served_by_crews_that_were_known_before_and_after() {
    let mut board = board([crew(1, 0.0)], [job(1, 500.0)]);
    let mut planner = settled(&board, 0);
    let county = OrgPath::parse("sgcc/zj/hz/yuhang").unwrap();
    for n in 2..=3 {
        let mut wide = job(n, 0.0);
        wide.holder = county.clone();
        board.jobs.insert(wide.ticket, wide);
        planner.job_changed(ticket(n));
    }
    planner.settle(&board, at(0));
    board.crews.insert(crew_id(2), crew(2, 0.2));
    planner.crew_changed(&crew_id(2));
    planner.settle(&board, at(0));
    for n in 1..=2 {
        let weighed = planner.explain(&board, ticket(3), at(0)).unwrap();
        let crew = weighed.iter().find(|weighed| weighed.crew == crew_id(n)).unwrap();
        assert_eq!(crew.vetoes, [] as [&str; 0], "{n}");
    }
}

#[test]
fn the_first_place_that_is_known_is_found_whenever_it_comes_and_all_are_planned_then() {
    let placeless = |n| {
        let mut job = job(n, 0.0);
        job.at = None;
        job
    };
    let mut board = board([], (1..=5).map(placeless));
    let mut planner = settled(&board, 0);
    board.jobs.insert(ticket(6), placeless(6));
    planner.job_changed(ticket(6));
    planner.settle(&board, at(1));
    assert_eq!((planner.job_index.index.len(), planner.jobs_marked.len()), (0, 0), "nothing is kept for later");
    board.jobs.insert(ticket(2), job(2, 1.0));
    planner.job_changed(ticket(2));
    planner.settle(&board, at(2));
    assert_eq!(planner.job_index.index.len(), 6);
}
