//! Examples for the planner; its properties are in [`laws`].

mod crowds;
mod laws;
mod offers;
mod pieces;
mod reasons;
mod waking;
mod world;

use switchboard_domain::{
    crew::{Absence, Break, Forced, Skill, Skills},
    organisation::OrgPath,
};

use super::*;
use crate::{
    board::{Concerns, Reserved},
    plan::Waits,
    rules::tests::{at, crew, crew_id, job, ticket},
};
use world::{board, plan, settled};

fn forced() -> Forced {
    Forced { by: "desk1".into(), org: OrgPath::parse("sgcc/zj/hz").unwrap() }
}

#[test]
fn the_nearest_free_crew_is_proposed() {
    let board = board([crew(1, 0.0), crew(2, 10.0)], [job(1, 9.0)]);
    let proposals = settled(&board, 0).proposals(&board, at(0), 10);
    assert_eq!(proposals.len(), 1);
    assert_eq!((proposals[0].ticket, &proposals[0].crew), (ticket(1), &crew_id(2)));
    assert!(proposals[0].arrives > at(2) && proposals[0].arrives < at(12), "{}", proposals[0].arrives);
}

#[test]
fn a_home_that_was_mistyped_is_not_the_middle_of_the_plane_and_lies_beyond_it() {
    let mut astray = crew(1, 0.0);
    for (latitude_e6, longitude_e6) in [(89_999_999, 0), (0, 0), (30_000_000, -120_000_000)] {
        astray.home = Point { latitude_e6, longitude_e6 };
        astray.at = astray.home;
        let board = board([astray.clone(), crew(2, 0.0), crew(3, 20.0)], [job(1, 2.0)]);
        let mut planner = settled(&board, 0);
        assert!(planner.is_beyond_plane(astray.home) && !planner.is_beyond_plane(board.crews[&crew_id(3)].home));
        let proposals = planner.proposals(&board, at(0), 10);
        assert!(proposals.iter().any(|proposal| proposal.crew == crew_id(2)), "{proposals:?}");
    }
    assert!(!Planner::new(Policy::default()).is_beyond_plane(astray.home), "without a place there is no plane");
}

#[test]
fn a_crew_that_lacks_the_skill_or_the_territory_is_not_proposed() {
    let mut hard = job(1, 0.0);
    hard.needs = Skills::of(&[Skill::HighVoltage]);
    let mut elsewhere = job(2, 0.0);
    elsewhere.holder = OrgPath::parse("sgcc/zj/hz/yuhang/pingyao").unwrap();
    let board = board([crew(1, 0.0)], [hard, elsewhere]);
    let mut planner = settled(&board, 0);
    assert_eq!(planner.proposals(&board, at(0), 10), []);
    assert_eq!(planner.waits(&board, ticket(1), at(0)), Waits::NoSkill);
    assert_eq!(planner.waits(&board, ticket(2), at(0)), Waits::NoTerritory);
    let weighed = planner.explain(&board, ticket(1), at(0)).unwrap();
    assert_eq!(weighed[0].vetoes, ["skill"]);
    assert!(weighed[0].price.is_infinite() && weighed[0].prices.is_empty());
}

#[test]
fn a_job_at_the_end_of_a_shift_waits_for_the_next() {
    let mut tired = crew(1, 0.0);
    tired.shift.as_mut().unwrap().until = at(10);
    let board = board([tired], [job(1, 20.0)]);
    let mut planner = settled(&board, 0);
    assert_eq!(planner.proposals(&board, at(0), 10), []);
    assert_eq!(planner.wake(), Some(at(5) + silence()), "silence comes before the end of the shift");
}

fn silence() -> chrono::TimeDelta {
    chrono::TimeDelta::milliseconds(1)
}

#[test]
fn a_crew_that_falls_silent_loses_its_stops_to_one_that_is_heard_of() {
    let mut other = crew(2, 30.0);
    other.seen = at(20);
    let board = board([crew(1, 1.0), other], [job(1, 0.0)]);
    let mut planner = settled(&board, 0);
    assert_eq!(planner.proposals(&board, at(0), 10)[0].crew, crew_id(1));
    let later = planner.wake().unwrap();
    assert_eq!(planner.proposals(&board, later, 10)[0].crew, crew_id(2));
}

#[test]
fn a_crew_is_not_offered_anything_in_a_break_and_is_afterwards() {
    let mut resting = crew(1, 0.0);
    resting.seen = at(30);
    resting.shift.as_mut().unwrap().breaks = vec![Break { from: at(0), until: at(30) }];
    let board = board([resting], [job(1, 1.0)]);
    let mut planner = settled(&board, 0);
    assert_eq!(planner.proposals(&board, at(0), 10), []);
    assert_eq!(planner.waits(&board, ticket(1), at(0)), Waits::Resting);
    assert_eq!(planner.wake(), Some(at(30)));
    assert_eq!(planner.proposals(&board, at(30), 10).len(), 1);
}

#[test]
fn a_pinned_job_goes_to_its_crew_first_and_to_no_other() {
    let mut pinned = job(1, 30.0);
    pinned.pinned = Some((crew_id(1), forced()));
    pinned.needs = Skills::of(&[Skill::Cable]);
    let board = board([crew(1, 0.0), crew(2, 30.0)], [pinned, job(2, 0.0), job(3, 0.1)]);
    let made = plan(&board, &Policy::default(), at(0));
    assert_eq!(made.routes[&crew_id(1)][0].ticket, ticket(1));
    let proposals = settled(&board, 0).proposals(&board, at(0), 10);
    assert_eq!((proposals[0].ticket, &proposals[0].crew), (ticket(1), &crew_id(1)), "forced ones come first");
    assert_eq!(proposals[0].forced, Some(forced()));
}

#[test]
fn a_job_pinned_to_a_crew_that_is_away_waits_for_it() {
    let mut pinned = job(1, 0.0);
    pinned.pinned = Some((crew_id(1), forced()));
    let mut away = crew(1, 0.0);
    away.away = Some(Absence::Vehicle);
    let mut board = board([away, crew(2, 0.0)], [pinned]);
    let mut planner = settled(&board, 0);
    assert_eq!(planner.proposals(&board, at(0), 10), []);
    assert_eq!(planner.waits(&board, ticket(1), at(0)), Waits::Resting);
    board.crews.get_mut(&crew_id(1)).unwrap().away = None;
    planner.crew_changed(&crew_id(1));
    assert_eq!(planner.proposals(&board, at(0), 10)[0].crew, crew_id(1));
}

#[test]
fn a_busy_crew_is_planned_for_after_its_work_and_overruns_are_expected_to_last() {
    let mut busy = crew(1, 0.0);
    busy.committed = vec![(ticket(1), 5)];
    let mut work = job(1, 0.0);
    work.crew = Some(world::assigned(1, Some(at(0))));
    let mut board = board([busy], [work, job(2, 1.0)]);
    let made = plan(&board, &Policy::default(), at(0));
    let first = made.routes[&crew_id(1)][0].arrives;
    assert!(first > at(37), "{first}");
    assert_eq!(made.waiting.get(&ticket(2)), None);
    board.crews.get_mut(&crew_id(1)).unwrap().seen = at(300);
    let late = plan(&board, &Policy::default(), at(300)).routes[&crew_id(1)][0].arrives;
    assert!(late > at(360), "after five hours an hour more is the least to expect: {late}");
}

#[test]
fn a_reserved_crew_is_planned_for_after_the_reserved_job_which_nobody_else_gets() {
    let mut reserved = crew(1, 0.0);
    let offer = switchboard_domain::crew::OfferId::of(ticket(1), 1);
    reserved.reserved = Some(Reserved {
        offer,
        ticket: ticket(1),
        fence: 3,
        lease_until: at(3),
        priority: false,
        forced: None,
        because: 9,
    });
    let board = board([reserved, crew(2, 5.0)], [job(1, 1.0)]);
    let mut planner = settled(&board, 0);
    assert_eq!(planner.proposals(&board, at(0), 10), []);
    assert_eq!(planner.waits(&board, ticket(1), at(0)), Waits::Offered);
}

#[test]
fn of_two_crews_in_time_the_one_that_is_missed_less_is_sent() {
    let crews = [crew(1, 0.0), crew(2, 16.0), crew(3, 16.1)];
    let chosen = |calls: &[u32]| {
        let mut board = board(crews.clone(), calls.iter().map(|n| job(*n, -5.0)));
        let mut planner = settled(&board, 0);
        board.jobs = Default::default();
        board.jobs.insert(ticket(9), job(9, 7.0));
        calls.iter().chain(&[9]).for_each(|n| planner.job_changed(ticket(*n)));
        crews.iter().for_each(|crew| planner.crew_changed(&crew.id));
        planner.proposals(&board, at(1), 9)[0].crew.clone()
    };
    assert_eq!(chosen(&[]), crew_id(1), "the nearest");
    assert_ne!(chosen(&[1, 2]), crew_id(1), "tickets came from where nobody else is");
}

#[test]
fn what_may_come_is_not_worth_a_promise_broken_for_certain() {
    let mut crews: Vec<_> = (2..=100).map(|n| crew(n, 60.0)).collect();
    crews.push(crew(1, 0.0));
    let mut board = board(crews.clone(), (1..=20).map(|n| job(n, -1.0)));
    let mut planner = settled(&board, 0);
    board.jobs = Default::default();
    board.jobs.insert(ticket(99), job(99, 1.0));
    (1..=20).chain([99]).for_each(|n| planner.job_changed(ticket(n)));
    crews.iter().for_each(|crew| planner.crew_changed(&crew.id));
    assert_eq!(planner.proposals(&board, at(1), 9)[0].crew, crew_id(1));
}

#[test]
fn a_drive_that_nobody_saw_begin_teaches_nothing() {
    let mut driving = crew(1, 3.0);
    driving.committed = vec![(ticket(1), 1)];
    let mut first = job(1, 10.0);
    first.crew = Some(world::assigned(1, None));
    let mut board = board([driving], [first]);
    let mut planner = settled(&board, 30);
    board.jobs.get_mut(&ticket(1)).unwrap().crew = Some(world::assigned(1, Some(at(52))));
    planner.job_changed(ticket(1));
    planner.settle(&board, at(52));
    assert_eq!(planner.pace.factor(), 1.0);
}

#[test]
fn a_drive_that_lasted_long_makes_the_next_one_expected_to() {
    let arrives = |arrived: i64| {
        let mut driving = crew(1, 0.0);
        driving.committed = vec![(ticket(1), 1)];
        let mut first = job(1, 10.0);
        first.crew = Some(world::assigned(1, None));
        let mut board = board([driving], [first]);
        let mut planner = settled(&board, 0);
        board.jobs.get_mut(&ticket(1)).unwrap().crew = Some(world::assigned(1, Some(at(arrived))));
        planner.job_changed(ticket(1));
        planner.settle(&board, at(70));
        let mut free = crew(1, 10.0);
        free.seen = at(80);
        board = world::board([free], [job(2, 20.0)]);
        [1, 2].into_iter().for_each(|n| planner.job_changed(ticket(n)));
        planner.crew_changed(&crew_id(1));
        planner.proposals(&board, at(80), 9)[0].arrives
    };
    assert!(arrives(66) > arrives(33));
}

#[test]
fn one_crew_takes_jobs_that_are_neighbours() {
    let board = board([crew(1, 0.0), crew(2, 40.0)], [job(1, 1.0), job(2, 1.2), job(3, 39.0)]);
    let made = plan(&board, &Policy::default(), at(0));
    let stops = |n| made.routes[&crew_id(n)].iter().map(|stop| stop.ticket).collect::<Vec<_>>();
    assert_eq!((stops(1).len(), stops(2)), (2, vec![ticket(3)]));
}

#[test]
fn the_heavier_of_two_jobs_is_served_first() {
    let mut hospital = job(2, 3.0);
    hospital.concerns = Concerns { important: true, ..Concerns::default() };
    let board = board([crew(1, 0.0)], [job(1, 2.0), hospital]);
    let proposals = settled(&board, 0).proposals(&board, at(0), 10);
    assert_eq!((proposals[0].ticket, proposals[0].priority), (ticket(2), true));
}

#[test]
fn a_heavy_job_finds_a_place_in_a_full_route_and_the_last_stop_waits() {
    let mut board = board([crew(1, 0.0)], (1..=6).map(|n| job(n, f64::from(n) * 0.1)));
    let mut planner = settled(&board, 0);
    planner.improve(&board, at(0), 100);
    assert_eq!(planner.snapshot(&board, at(0)).routes[&crew_id(1)].len(), 6);
    let mut heavy = job(7, 5.0);
    heavy.customers = 300;
    board.jobs.insert(ticket(7), heavy);
    planner.job_changed(ticket(7));
    planner.settle(&board, at(0));
    let made = planner.snapshot(&board, at(0));
    assert_eq!(made.routes[&crew_id(1)].len(), 6);
    assert_eq!(made.routes[&crew_id(1)][0].ticket, ticket(7));
    assert_eq!(made.waiting.values().collect::<Vec<_>>(), [&Waits::AllBusy]);
}

#[test]
fn in_a_storm_a_lone_call_is_held_until_a_neighbour_calls_or_the_time_is_over() {
    let far = (1..=8).map(|n| job(n, f64::from(n) * 50.0));
    let mut board = board([crew(1, 0.0)], far.chain([job(20, 5.0)]));
    for job in board.jobs.values_mut() {
        job.reported = if job.ticket == ticket(20) { at(20) } else { at(0) };
    }
    board.crews.get_mut(&crew_id(1)).unwrap().seen = at(20);
    let mut planner = settled(&board, 20);
    assert!(planner.storm());
    planner.job_changed(ticket(20));
    planner.settle(&board, at(20));
    assert_eq!(planner.waits(&board, ticket(20), at(20)), Waits::HeldForNeighbours);
    let mut neighbour = job(21, 5.3);
    neighbour.reported = at(21);
    board.jobs.insert(ticket(21), neighbour);
    planner.job_changed(ticket(21));
    planner.settle(&board, at(21));
    for n in [20, 21] {
        assert_ne!(planner.waits(&board, ticket(n), at(21)), Waits::HeldForNeighbours, "{n}");
    }
    let mut alone = job(22, -30.0);
    alone.reported = at(21);
    board.jobs.insert(ticket(22), alone);
    planner.job_changed(ticket(22));
    planner.settle(&board, at(21));
    assert_eq!(planner.waits(&board, ticket(22), at(21)), Waits::HeldForNeighbours);
    assert!(planner.wake().is_some_and(|wake| wake <= at(26)));
    planner.settle(&board, at(26));
    assert_ne!(planner.waits(&board, ticket(22), at(26)), Waits::HeldForNeighbours);
}

#[test]
fn a_storm_begins_above_one_load_and_ends_below_another() {
    let mut board = board([crew(1, 0.0), crew(2, 1.0)], (1..=9).map(|n| job(n, f64::from(n))));
    let mut planner = settled(&board, 0);
    assert!(planner.storm(), "nine for two are more than four each");
    for n in 1..=5 {
        board.jobs.remove(&ticket(n));
        planner.job_changed(ticket(n));
        planner.settle(&board, at(0));
        assert_eq!(planner.storm(), n < 5, "{n}");
    }
}
