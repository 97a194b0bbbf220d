//! The reasons why a ticket waits: when a crew is neither free nor at work, and when a person chose one.

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

/// A crew of a station outside the tests' own units.
fn elsewhere(n: u32) -> crate::board::Crew {
    let unit = OrgPath::parse("sgcc/sh/pd/lujiazui/st1").unwrap();
    let id = CrewId::of(&OrgPath::parse(&format!("{unit}/crew{n}")).unwrap()).unwrap();
    crate::board::Crew { id, territory: vec![unit], ..crew(n, 0.0) }
}

#[test]
fn crews_of_other_units_change_nothing_about_why_a_ticket_waits() {
    let mut off_shift = crew(1, 0.0);
    off_shift.shift = None;
    let mut unskilled = crew(1, 0.0);
    unskilled.skills = Skills::of(&[Skill::Metering]);
    let mut needy = job(1, 0.0);
    needy.needs = Skills::of(&[Skill::LowVoltage]);
    let mut declined = needy.clone();
    declined.excluded.insert(crew_id(1), at(90));
    let unserved = (None, needy.clone(), Waits::NoTerritory);
    let reasons = [
        (Some(off_shift), needy.clone(), Waits::NoCrewOnShift),
        (Some(unskilled), needy, Waits::NoSkill),
        (Some(crew(1, 0.0)), declined, Waits::Excluded),
        unserved,
    ];
    for (own, job, why) in reasons {
        let alone = board(own.clone(), [job.clone()]);
        assert_eq!(waits(&alone, 1), why, "by itself");
        let beside = board(own.into_iter().chain([elsewhere(7)]), [job]);
        assert_eq!(waits(&beside, 1), why, "beside one that is free elsewhere");
    }
}

#[test]
fn a_unit_whose_last_crew_was_struck_off_has_none() {
    let mut board = board([crew(1, 0.0), crew(2, 0.0)], [job(1, 0.0)]);
    let mut planner = settled(&board, 0);
    for n in 1..=2 {
        board.crews.remove(&crew_id(n));
        planner.crew_changed(&crew_id(n));
        planner.settle(&board, at(0));
    }
    assert_eq!(planner.waits(&board, ticket(1), at(0)), Waits::NoTerritory);
}

#[test]
fn only_crews_of_the_tickets_unit_are_weighed_whether_it_waits_or_one_has_it() {
    let mut lent = elsewhere(8);
    lent.territory.push(crate::rules::tests::station());
    let lent_id = lent.id.clone();
    let mut board = board([crew(1, 0.0), crew(2, 5.0), elsewhere(7), lent], [job(1, 1.0)]);
    let weighed = |board: &Board| -> BTreeSet<CrewId> {
        let weighed = settled(board, 0).explain(board, ticket(1), at(0)).unwrap();
        weighed.into_iter().map(|weighed| weighed.crew).collect()
    };
    let own = BTreeSet::from([crew_id(1), crew_id(2), lent_id]);
    assert_eq!(weighed(&board), own);
    board.crews.get_mut(&crew_id(1)).unwrap().committed = vec![(ticket(1), 5)];
    let job = board.jobs.get_mut(&ticket(1)).unwrap();
    (job.crew, job.open) = (Some(world::assigned(1, None)), false);
    assert_eq!(weighed(&board), own, "the unit that held it before");
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
    let count = 4 * crate::planner::insertion::UNDERFILLED_MAX as u32;
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

#[test]
fn an_arrival_lies_in_none_of_the_breaks_that_follow_one_another() {
    let mut rested = crew(1, 20.0);
    let breaks = [(10, 40), (40, 70), (60, 80)];
    rested.shift.as_mut().unwrap().breaks =
        breaks.map(|(from, until)| Break { from: at(from), until: at(until) }).into();
    let board = board([rested], [job(1, 0.0)]);
    let proposal = &settled(&board, 0).proposals(&board, at(0), 1)[0];
    assert_eq!(proposal.arrives, at(80));
}

#[test]
fn distances_are_those_of_where_the_crews_are_though_the_first_look_saw_none() {
    let north = |mut crew: crate::board::Crew| {
        crew.home.latitude_e6 += 15_000_000;
        crew.at.latitude_e6 += 15_000_000;
        crew
    };
    let mut far = job(1, 30.0);
    far.at = far.at.map(|mut at| {
        at.latitude_e6 += 15_000_000;
        at
    });
    let board = board([north(crew(1, 0.0))], [far]);
    let mut early = settled(&Board::default(), 0);
    early.crew_changed(&crew_id(1));
    early.job_changed(ticket(1));
    let arrives = |mut planner: crate::planner::Planner| planner.proposals(&board, at(0), 1)[0].arrives;
    assert_eq!(arrives(early), arrives(settled(&board, 0)));
}

#[test]
fn a_free_crew_whose_shift_ends_before_it_would_be_there_is_not_said_to_be_busy() {
    let mut leaving = crew(1, 0.0);
    leaving.shift.as_mut().unwrap().until = at(10);
    assert_eq!(waits(&board([leaving.clone()], [job(1, 20.0)]), 1), Waits::ShiftTooShort);
    leaving.committed = vec![(ticket(2), 1)];
    assert_eq!(waits(&board([leaving], [job(1, 20.0)]), 1), Waits::AllBusy);
}

#[test]
fn where_neither_a_crew_nor_a_place_is_known_nobody_works_there() {
    let mut nowhere = job(1, 0.0);
    nowhere.at = None;
    let board = board([], [nowhere]);
    assert_eq!(waits(&board, 1), Waits::NoTerritory);
    assert_eq!(settled(&board, 0).snapshot(&board, at(0)).waiting.len(), 1);
}

#[test]
fn what_is_too_early_for_its_appointment_is_shown_with_those_that_wait() {
    let mut appointed = job(1, 0.0);
    appointed.opens = Some(at(60));
    let board = board([crew(1, 0.0)], [appointed]);
    assert_eq!(waits(&board, 1), Waits::Appointment);
    assert_eq!(settled(&board, 0).snapshot(&board, at(0)).waiting.len(), 1);
}
