//! Why a ticket waits, when a crew is neither free nor at work, and when a person chose one.

use super::*;
use crate::board::Board;

fn resting(n: u32) -> crate::board::Crew {
    let mut resting = crew(n, 0.0);
    resting.shift.as_mut().unwrap().breaks = vec![Break { from: at(-5), until: at(30) }];
    resting
}

fn waits(board: &Board, n: u32) -> Waits {
    let planner = settled(board, 0);
    let waits = planner.waits(board, ticket(n), at(0));
    let shown = planner.snapshot(board, at(0)).waiting.get(&ticket(n)).copied();
    assert_eq!(shown.unwrap_or(waits), waits, "the snapshot says the same");
    waits
}

#[test]
fn where_all_crews_are_away_or_have_a_break_they_rest_and_are_not_busy() {
    let mut away = crew(1, 0.0);
    away.away = Some(Absence::Ill);
    assert_eq!(waits(&board([away], [job(1, 0.0)]), 1), Waits::Resting);
    assert_eq!(waits(&board([resting(1)], [job(1, 0.0)]), 1), Waits::Resting, "though it stands in a route");
    let many = (1..=20).map(|n| job(n, 0.1 * f64::from(n)));
    let board = board([resting(1)], many);
    assert!((1..=20).all(|n| waits(&board, n) == Waits::Resting), "nor those that its route has no room for");
}

#[test]
fn a_crew_that_falls_silent_between_two_settlings_is_not_said_to_have_a_plan() {
    let board = board([crew(1, 0.0)], [job(1, 0.0), job(2, 0.0)]);
    let planner = settled(&board, 0);
    assert_eq!(planner.waits(&board, ticket(1), at(6)), Waits::Silent);
    assert_eq!(planner.waits(&board, ticket(2), at(6)), Waits::Silent);
}

#[test]
fn a_chosen_crew_is_said_to_be_busy_only_if_it_is() {
    let mut chosen = job(1, 0.0);
    chosen.pinned = Some((crew_id(1), forced()));
    let with = |change: &dyn Fn(&mut crate::board::Crew)| {
        let mut crew = crew(1, 0.0);
        change(&mut crew);
        waits(&board([crew], [chosen.clone()]), 1)
    };
    assert_eq!(with(&|crew| crew.committed = vec![(ticket(9), 1)]), Waits::PinnedCrewBusy);
    assert_eq!(with(&|crew| crew.shift = None), Waits::NoCrewOnShift);
    assert_eq!(with(&|crew| crew.away = Some(Absence::Vehicle)), Waits::Resting);
    assert_eq!(with(&|crew| crew.seen = at(-6)), Waits::Silent);
    assert_eq!(waits(&board([crew(2, 0.0)], [chosen.clone()]), 1), Waits::PinnedCrewGone);
}

#[test]
fn a_free_crew_that_was_not_come_to_is_not_said_to_be_busy() {
    let count = 4 * crate::planner::insertion::HUNGRY_MAX as u32;
    let mut board = board([], (1..=count).map(|n| job(n, f64::from(n) * 0.5)));
    let mut planner = settled(&board, 0);
    for n in 1..=count {
        let crew = crew(n, f64::from(n));
        planner.crew_changed(&crew.id);
        board.crews.insert(crew.id.clone(), crew);
    }
    planner.settle(&board, at(0));
    let made = planner.snapshot(&board, at(0));
    let waiting: BTreeSet<Waits> = made.waiting.values().copied().collect();
    assert!(!waiting.contains(&Waits::AllBusy), "{waiting:?}");
}
