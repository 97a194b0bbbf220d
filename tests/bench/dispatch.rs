//! The quality of dispatch on whole days: the three simulated days of the design, a month for fairness, and days that a
//! utility recorded. The simulated days are compared with every baseline of the design's table, and with a clairvoyant
//! bound.
//!
//! Every dispatcher gets the same worlds. Figures are means over the seeds, followed by half the range; the figures of
//! the design stand below them. Each guard prints pass or FAIL.
//!
//! `SEED=` is the first seed (1), `SEEDS=` the number of seeds (3). `ITERATIONS=` is the number of iterations of
//! improvement per 30 simulated seconds (by default the policy's). `DAYS=` is the length of the month (30; 0 omits it).

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

/// Returns the dispatchers of the tables, ours last.
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

/// Returns our dispatcher: the rolling plan.
fn ours(policy: &Policy) -> Rolling {
    let period = policy.horizon.slice_iterations * u64::from(policy.horizon.slices);
    Rolling::new(policy.clone(), crate::setting("ITERATIONS", period))
}

/// Prints the tables of the simulated days, their guards, and the month.
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

/// Prints the fairness over `DAYS` ordinary days, of first come and of ours.
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

/// Replays the recorded days in `data`. Prints a message if the file is absent.
///
/// # Errors
/// When the file cannot be read.
pub fn replay(data: &Path) -> crate::Outcome<()> {
    recorded::run(data)
}
