//! The quality of dispatch on whole days: the three made days of the design against every baseline of its table and a bound that
//! knows the future, a month for fairness, and days that a utility recorded.
//!
//! Every policy meets the same worlds. Figures are means over the seeds with half their range behind; those of the design stand
//! beside them. Guards say pass or FAIL and hide nothing. `SEED=` is the first seed, `SEEDS=` how many (3), `ITERATIONS=` those of
//! improvement per 30 simulated seconds (the policy's), `DAYS=` of the month (30, 0 leaves it out).

mod recorded;
mod table;

use std::path::Path;

use switchboard_dispatcher::policy::Policy;
use switchboard_tests::field::{
    bound::bound,
    made::Scenario,
    policy::{Dispatcher, Known, batched::Batched, first_come::FirstCome, nearest::Nearest, policy, rolling::Rolling},
    run::play,
    score::Score,
    world::World,
};

use self::table::{Line, published};

/// The policies of the tables, ours last.
fn everyone(world: &World, policy: &Policy) -> Vec<Box<dyn Dispatcher>> {
    let known = Known { policy: policy.clone(), roads: world.roads };
    vec![
        Box::new(FirstCome(known.clone())),
        Box::new(Nearest(known.clone())),
        Box::new(Batched::as_published(known.clone())),
        Box::new(Batched::tuned(known)),
        Box::new(ours(policy)),
    ]
}

fn ours(policy: &Policy) -> Rolling {
    let period = policy.horizon.slice_iterations * u64::from(policy.horizon.slices);
    Rolling::new(policy.clone(), crate::setting("ITERATIONS", period))
}

/// The made days, with their guards.
pub fn scenarios() {
    let (first, count) = (crate::setting("SEED", 1_u64), crate::setting("SEEDS", 3_u64).max(1));
    println!("\n# Dispatch: storm-day simulation, seeds {first} to {}, mean and half the range", first + count - 1);
    println!("LB = clairvoyant bound of `switchboard_tests::field::bound`; that of the design is not described there");
    let policy = policy();
    for scenario in Scenario::ALL {
        let mut lines: Vec<Line> = Vec::new();
        for seed in first..first + count {
            let world = scenario.world(seed);
            let least = bound(&world);
            let mut first_come = None;
            for (index, mut dispatcher) in everyone(&world, &policy).into_iter().enumerate() {
                let outcome = play(&world, &policy, dispatcher.as_mut());
                let score = Score::of(&world, &outcome);
                let yardstick = *first_come.get_or_insert(score.cmi);
                if lines.len() <= index {
                    lines.push(Line::new(dispatcher.name()));
                }
                lines[index].add(&score, outcome.decisions, least, yardstick);
            }
        }
        table::print(scenario, &lines);
        published::guards(scenario, &lines);
    }
    month(first, &policy);
}

/// Fairness over a month of ordinary days.
fn month(seed: u64, policy: &Policy) {
    let days = crate::setting("DAYS", 30_usize);
    if days == 0 {
        return;
    }
    let (tickets, crews) = Scenario::Blue.size();
    let world = Scenario::Blue.sized(seed, tickets, crews, days);
    println!("\n## {days} ordinary days in a row, seed {seed}: fairness");
    let known = Known { policy: policy.clone(), roads: world.roads };
    let all: [Box<dyn Dispatcher>; 2] = [Box::new(FirstCome(known)), Box::new(ours(policy))];
    for mut dispatcher in all {
        let score = Score::of(&world, &play(&world, policy, dispatcher.as_mut()));
        println!(
            "{:<26} Jain {:.3} (aim 0.95: {}), worst district {:.2} (1.5: {}), on time {:.1} %, not restored {}",
            dispatcher.name(),
            score.jain,
            table::verdict(score.jain >= 0.95),
            score.district,
            table::verdict(score.district <= 1.5),
            score.on_time,
            score.left
        );
    }
}

/// Recorded days in `data`; says loudly when the file is absent.
///
/// # Errors
/// When the file cannot be read.
pub fn replay(data: &Path) -> crate::Outcome<()> {
    recorded::run(data)
}
