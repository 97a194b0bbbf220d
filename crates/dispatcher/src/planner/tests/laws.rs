//! Properties of the planner, over pseudo-random boards and events. `SWITCHBOARD_CASES` sets the number of cases.

use std::collections::BTreeSet;

use super::world::{Lot, is_allowed, plan};
use crate::{
    board::{Board, Crew, Reserved},
    plan::{Plan, Waits},
    planner::{Planner, Proposal},
    policy::Policy,
    rules::tests::at,
};
use switchboard_domain::{
    crew::{CrewId, OfferId},
    ticket::TicketId,
};

const NOW: i64 = 100;

#[expect(clippy::disallowed_methods, reason = "how long to test is said by whoever runs the tests")]
fn cases() -> u64 {
    std::env::var("SWITCHBOARD_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(150)
}

fn quick() -> Policy {
    let mut policy = Policy::default();
    policy.horizon.slices = 2;
    policy.horizon.slice_iterations = 40;
    policy
}

/// Checks hard rules and route lengths, and that each open job is either planned once or waits with a reason.
fn check_routes(board: &Board, made: &Plan, minute: i64, seed: u64) {
    let mut planned = BTreeSet::new();
    for (crew, stops) in &made.routes {
        let crew = &board.crews[crew];
        assert!(stops.len() <= 6, "seed {seed}");
        for stop in stops {
            assert!(planned.insert(stop.ticket), "seed {seed}: planned twice");
            assert!(is_allowed(board, crew, stop.ticket, at(minute)), "seed {seed}: {crew:?} {:?}", stop.ticket);
        }
    }
    let open = board.jobs.values().filter(|job| job.needs_crew()).map(|job| job.ticket);
    let known: BTreeSet<TicketId> = planned.iter().chain(made.waiting.keys()).copied().collect();
    assert_eq!(known, open.collect(), "seed {seed}: every open job is planned or waits for a reason");
    assert!(made.waiting.keys().all(|ticket| !planned.contains(ticket)), "seed {seed}");
}

fn crews(proposals: &[Proposal]) -> BTreeSet<CrewId> {
    proposals.iter().map(|proposal| proposal.crew.clone()).collect()
}

#[test]
fn no_crew_is_planned_for_what_a_hard_rule_forbids() {
    for seed in 0..cases() {
        let board = Lot::new(seed).board(NOW);
        let made = plan(&board, &quick(), at(NOW));
        check_routes(&board, &made, NOW, seed);
        for (crew, stops) in &made.routes {
            let until = board.crews[crew].shift.as_ref().unwrap().until;
            assert!(stops.iter().all(|stop| stop.arrives <= until), "seed {seed}: past the shift");
        }
    }
}

#[test]
fn the_same_board_gives_the_same_plan() {
    for seed in 0..cases() / 3 {
        let board = Lot::new(seed).board(NOW);
        let (one, two) = (plan(&board, &quick(), at(NOW)), plan(&board, &quick(), at(NOW)));
        assert_eq!(one, two, "seed {seed}");
    }
}

#[test]
fn improvement_never_makes_a_plan_dearer() {
    let mut gained = 0;
    for seed in 0..cases() / 3 {
        let board = Lot::new(seed).board(NOW);
        let mut planner = Planner::new(quick());
        planner.settle(&board, at(NOW));
        // The first slice compares the crews, which changes prices. Without iterations it changes nothing else.
        planner.improve(&board, at(NOW), 0);
        let mut price = planner.snapshot(&board, at(NOW)).price;
        for _ in 0..3 {
            planner.improve(&board, at(NOW), 40);
            let now = planner.snapshot(&board, at(NOW));
            assert!(now.price <= price + 1e-6, "seed {seed}: {} after {price}", now.price);
            gained += u32::from(now.price < price - 1.0);
            price = now.price;
        }
    }
    assert!(gained > 5, "improvement improved {gained} plans");
}

/// Checks the proposals, and that no free crew is left out that could serve a waiting job.
fn check_proposals(board: &Board, planner: &mut Planner, minute: i64, seed: u64) {
    let proposals = planner.proposals(board, at(minute), usize::MAX);
    let sent = crews(&proposals);
    assert_eq!(sent.len(), proposals.len(), "seed {seed}: two for one crew");
    for proposal in &proposals {
        let crew = &board.crews[&proposal.crew];
        assert!(proposal.arrives <= crew.shift.as_ref().unwrap().until, "seed {seed}: past the shift");
        assert!(crew.reserved.is_none() && crew.committed.is_empty(), "seed {seed}: not free");
    }
    let made = planner.snapshot(board, at(minute));
    check_routes(board, &made, minute, seed);
    let free = |crew: &&Crew| !sent.contains(&crew.id) && crew.reserved.is_none();
    let asked: BTreeSet<TicketId> =
        board.crews.values().filter_map(|crew| Some(crew.reserved.as_ref()?.ticket)).collect();
    for crew in board.crews.values().filter(free) {
        let could = |ticket: &&TicketId| !asked.contains(ticket) && is_allowed(board, crew, **ticket, at(minute));
        let in_time = |waits: &(&TicketId, &Waits)| *waits.1 != Waits::Appointment;
        for waits in made.waiting.iter().filter(in_time).map(|(ticket, _)| ticket).filter(could) {
            let there = planner.explain(board, *waits, at(minute)).unwrap();
            let weighed = there.iter().find(|weighed| weighed.crew == crew.id).unwrap();
            assert_eq!(weighed.vetoes, ["shift"], "seed {seed}: {waits:?} could go to {crew:?}");
        }
    }
}

#[test]
fn no_job_waits_while_a_crew_that_could_is_free() {
    for seed in 0..cases() {
        let board = Lot::new(seed).board(NOW);
        check_proposals(&board, &mut Planner::new(quick()), NOW, seed);
    }
}

#[test]
fn the_prices_of_a_proposal_add_up_to_its_price_and_the_chosen_crew_stands_first() {
    for seed in 0..cases() / 3 {
        let board = Lot::new(seed).board(NOW);
        let mut planner = Planner::new(quick());
        planner.settle(&board, at(NOW));
        // Half of the jobs were last offered to crew number 0.
        planner.job_index.tasks.iter_mut().step_by(2).for_each(|task| task.last_offered_to = Some(0));
        for proposal in planner.proposals(&board, at(NOW), usize::MAX) {
            let grounds = planner.grounds(&proposal, at(NOW));
            let chosen = &grounds.candidates[0];
            assert_eq!(&chosen.crew, proposal.crew.org(), "seed {seed}");
            let sum: f64 = chosen.prices.values().sum();
            // Each price is rounded to 1/100 minute.
            let rounding = 0.005 * chosen.prices.len() as f64 + 1e-6 * sum.abs();
            assert!((sum - proposal.price).abs() < rounding, "seed {seed}: {sum} {}", proposal.price);
            assert_eq!(chosen.arrives, Some(proposal.arrives), "seed {seed}");
            assert_eq!(grounds.plan_hash, planner.snapshot(&board, at(NOW)).hash);
            let weighed = planner.explain(&board, proposal.ticket, at(NOW)).unwrap();
            let unit = &board.jobs[&proposal.ticket].holder;
            let within = board.crews.keys().filter(|crew| unit.contains(crew.org()));
            assert!(within.into_iter().all(|crew| weighed.iter().any(|weighed| weighed.crew == *crew)), "seed {seed}");
            for crew in weighed.iter().filter(|crew| crew.vetoes.is_empty()) {
                assert!((crew.prices.values().sum::<f64>() - crew.price).abs() < 1e-6 * crew.price.abs().max(1.0));
            }
        }
    }
}

/// One pseudo-random event: jobs appear and disappear; crews change, are reserved, or report.
fn happen(lot: &mut Lot, board: &mut Board, planner: &mut Planner, minute: i64, n: u32) {
    let tickets: Vec<TicketId> = board.jobs.keys().copied().collect();
    let ids: Vec<CrewId> = board.crews.keys().cloned().collect();
    let crew = ids[lot.below(ids.len() as u32) as usize].clone();
    match lot.below(6) {
        0 | 1 => {
            let new = lot.job(1_000 + n, minute);
            planner.job_changed(new.ticket);
            board.jobs.insert(new.ticket, new);
        }
        2 if !tickets.is_empty() => {
            let gone = tickets[lot.below(tickets.len() as u32) as usize];
            board.jobs.remove(&gone);
            planner.job_changed(gone);
        }
        3 => {
            let number: u32 = crew.org().as_str().rsplit("crew").next().unwrap().parse().unwrap();
            board.crews.insert(crew.clone(), lot.crew(number, minute));
            planner.crew_changed(&crew);
        }
        4 => {
            for proposal in planner.proposals(board, at(minute), 2) {
                let kept = Reserved {
                    offer: OfferId::of(proposal.ticket, n),
                    ticket: proposal.ticket,
                    fence: 1,
                    lease_until: at(minute + 3),
                    priority: proposal.priority,
                    forced: None,
                    because: 1,
                };
                board.crews.get_mut(&proposal.crew).unwrap().reserved = Some(kept);
                planner.crew_changed(&proposal.crew);
            }
        }
        _ => {
            board.crews.get_mut(&crew).unwrap().seen = at(minute);
            planner.crew_changed(&crew);
        }
    }
}

#[test]
fn after_any_events_the_plan_is_sound_and_nobody_free_is_left_out() {
    for seed in 0..cases() {
        let mut lot = Lot::new(seed);
        let mut board = lot.board(NOW);
        let mut planner = Planner::new(quick());
        for n in 0..25 {
            let minute = NOW + i64::from(n);
            happen(&mut lot, &mut board, &mut planner, minute, n);
            // Whole slices, and pieces with events between them.
            match lot.below(6) {
                0 => planner.improve(&board, at(minute), 30),
                1 | 2 => drop(planner.improve_some(&board, at(minute), 30, 12)),
                _ => {}
            }
            check_proposals(&board, &mut planner, minute, seed);
            check_proposals(&board, &mut Planner::new(quick()), minute, seed);
        }
    }
}

#[test]
fn the_same_events_in_the_same_order_give_the_same_plan() {
    for seed in 0..cases() / 3 {
        let lived = || {
            let mut lot = Lot::new(seed);
            let mut board = lot.board(NOW);
            let mut planner = Planner::new(quick());
            for n in 0..15 {
                happen(&mut lot, &mut board, &mut planner, NOW + i64::from(n), n);
                planner.improve_some(&board, at(NOW + i64::from(n)), 20, 6);
            }
            planner.snapshot(&board, at(NOW + 15))
        };
        assert_eq!(lived(), lived(), "seed {seed}");
    }
}
