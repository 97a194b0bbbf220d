//! Properties of the search over many small seeded problems, and examples for its parts.

mod pieces;
mod toy;

use std::collections::BTreeSet;

use self::toy::Toy;
use super::{Model, Order, Plan, Search, Settings, chance::Chance};

/// Problems per property.
const CASES: u64 = 60;

fn settings() -> Settings {
    Settings { hot: 30.0, cold: 0.1, cooling_iterations: 500, ..Settings::default() }
}

/// Checks a property on problems of all sizes; a failure prints the seed.
fn of_every_problem(law: impl Fn(&Toy, u64)) {
    for seed in 0..CASES {
        let toy = Toy::of(&mut Chance::new(seed));
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| law(&toy, seed)));
        assert!(outcome.is_ok(), "broken by the problem of seed {seed}: {toy:?}");
    }
}

fn found(toy: &Toy, seed: u64, iterations: u64) -> Plan {
    let mut search = Search::new(toy, seed, settings());
    search.insert_missing();
    search.improve(iterations);
    search.best().clone()
}

fn assert_sound(toy: &Toy, plan: &Plan) {
    let mut seen = BTreeSet::new();
    assert_eq!(plan.routes.len(), toy.routes());
    for job in plan.routes.iter().flatten().chain(&plan.unplanned) {
        assert!(seen.insert(*job), "{job} is named twice in {plan:?}");
    }
    assert_eq!(seen, (0..toy.jobs() as u32).collect(), "a job is lost");
    assert!(plan.unplanned.is_sorted());
    for (route, stops) in (0..).zip(&plan.routes) {
        assert!(stops.len() <= toy.stops_max, "{plan:?}");
        assert!(stops.iter().all(|job| toy.may(route, *job)), "{plan:?}");
    }
    let price = toy.price_of(plan);
    assert!((plan.price - price).abs() < 1e-6, "{} is said, {price} is true", plan.price);
}

#[test]
fn no_job_is_lost_or_doubled_and_the_price_is_the_plans() {
    of_every_problem(|toy, seed| {
        let mut search = Search::new(toy, seed, settings());
        assert_sound(toy, search.best());
        search.insert_missing();
        assert_sound(toy, search.best());
        for _ in 0..5 {
            search.improve(60);
            assert_sound(toy, search.best());
        }
    });
}

#[test]
fn the_same_seed_leads_to_the_same_plan() {
    of_every_problem(|toy, seed| {
        let plan = found(toy, seed, 200);
        assert_eq!(found(toy, seed, 200), plan);
        let resumed = |seed| {
            let mut search = Search::resume(toy, &plan.routes, seed, settings());
            search.improve_at(0.5, 100);
            search.best().clone()
        };
        assert_eq!(resumed(7), resumed(7));
    });
}

#[test]
fn slices_lead_where_one_go_does() {
    of_every_problem(|toy, seed| {
        let mut search = Search::new(toy, seed, settings());
        search.insert_missing();
        (0..4).for_each(|_| search.improve(50));
        // Sums are recomputed at each slice, so the last digits may differ.
        let plan = found(toy, seed, 200);
        assert!((search.best().price - plan.price).abs() < 1e-6);
    });
}

#[test]
fn the_best_is_never_dearer_than_the_start() {
    of_every_problem(|toy, seed| {
        let start = found(toy, seed, 3);
        let mut search = Search::resume(toy, &start.routes, seed + 1, settings());
        assert_eq!(search.best().routes, start.routes);
        let mut before = start.price + 1e-9;
        for progress in [0.0, 0.3, 1.0] {
            search.improve_at(progress, 40);
            assert!(search.best().price <= before, "{} after {before}", search.best().price);
            before = search.best().price + 1e-9;
        }
    });
}

#[test]
fn what_no_route_may_take_stays_unplanned() {
    of_every_problem(|toy, seed| {
        let plan = found(toy, seed, 100);
        for job in (0..toy.jobs() as u32).filter(|job| toy.candidates(*job).is_some_and(<[u32]>::is_empty)) {
            assert!(plan.unplanned.contains(&job));
        }
    });
}

#[test]
fn a_small_problem_is_solved_to_the_optimum() {
    let mut missed = Vec::new();
    for seed in 0..40 {
        let toy = Toy::small(&mut Chance::new(seed));
        let (plan, optimum) = (found(&toy, seed, 1500), toy.optimum());
        assert!(plan.price >= optimum - 1e-6, "cheaper than the optimum");
        if plan.price > optimum + 1e-6 {
            missed.push(seed);
        }
    }
    assert!(missed.is_empty(), "not solved: {missed:?}");
}

#[test]
fn what_costs_more_than_staying_out_stays_out() {
    let mut toy = Toy::line(&[1.0, 2.0, 50.0], 1);
    toy.unplanned = 10.0;
    let mut search = Search::new(&toy, 1, settings());
    search.insert_missing();
    assert_eq!(search.best().routes, [[0, 1]]);
    search.improve(100);
    assert_eq!(search.best().unplanned, [2]);
    assert!((search.best().price - 14.0).abs() < 1e-9);
}

#[test]
fn nothing_to_do_and_nobody_to_do_it_are_both_fine() {
    assert_eq!(found(&Toy::line(&[], 0), 1, 10), Plan::default());
    assert_eq!(found(&Toy::line(&[], 2), 1, 10).routes, [[0_u32; 0]; 2]);
    assert_eq!(found(&Toy::line(&[1.0, 2.0], 0), 1, 10).unplanned, [0, 1]);
    assert_eq!(found(&Toy::line(&[1.0], 1), 1, 10).routes, [[0]]);
}

#[test]
fn a_starting_plan_with_strangers_and_doubles_is_put_right() {
    let toy = Toy::line(&[1.0, 2.0, 3.0], 2);
    let search = Search::resume(&toy, &[vec![2, 9, 2], vec![2, 0], vec![1]], 1, settings());
    assert_eq!(search.best().routes, [[2], [0]]);
    assert_eq!(search.best().unplanned, [1]);
    assert_sound(&toy, search.best());
}

#[test]
fn an_iteration_tries_only_so_many_of_the_absent() {
    let mut toy = Toy::line(&(0..500).map(f64::from).collect::<Vec<_>>(), 4);
    toy.stops_max = 2;
    let settings = Settings { absent_max: 6, ruined_mean: 2.0, ..settings() };
    let mut search = Search::new(&toy, 1, settings);
    search.insert_missing();
    assert_eq!(search.best().unplanned.len(), 492);
    toy.asked.set(0);
    search.improve(100);
    // At most eight planned and six absent jobs per iteration, each at four routes.
    let asked = toy.asked.get();
    assert!((100..=100 * 14 * 4).contains(&asked), "{asked}");
}

#[test]
fn of_empty_routes_that_are_alike_one_is_asked() {
    let mut toy = Toy::line(&[5.0], 30);
    for (alike, expected) in [(false, 30), (true, 1)] {
        toy.alike = alike;
        toy.asked.set(0);
        Search::new(&toy, 1, Settings { blink_chance: 0.0, ..settings() }).insert_missing();
        assert_eq!(toy.asked.get(), expected);
    }
}

#[test]
fn a_route_that_did_not_change_is_not_asked_again() {
    let toy = Toy::line(&(0..60).map(f64::from).collect::<Vec<_>>(), 12);
    let asked = |blink_chance| {
        let mut search = Search::new(&toy, 1, Settings { blink_chance, cold: 0.0, hot: 0.0, ..settings() });
        search.insert_missing();
        search.improve(200);
        toy.asked.set(0);
        search.improve(1000);
        toy.asked.get()
    };
    let (remembered, never) = (asked(0.0), asked(1.0));
    assert!(remembered * 2 < never, "{remembered} questions against {never}");
}

#[test]
fn the_most_demanding_goes_in_first() {
    let mut toy = Toy::line(&[1.0, 2.0, 3.0], 1);
    toy.stops_max = 1;
    assert_eq!(toy.key(2, Order::Demand), -3.0);
    let mut search = Search::new(&toy, 1, Settings { blink_chance: 0.0, ..settings() });
    search.insert_missing();
    assert_eq!(search.best().routes, [[2]]);
}
