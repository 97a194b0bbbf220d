//! The tests: a number of simulated days of each kind.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    process::Command,
};

use crate::{
    dice::Dice,
    planted::Planted,
    words,
    world::{Faults, World},
};

/// The number of days of each test unless `SWITCHBOARD_DAYS` sets another: about half a minute on a slow machine.
const DAYS: u64 = 60;
/// The number of days within which every planted fault must be found.
const FOUND_WITHIN: u64 = 60;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Returns the seeds of a test: the one in `SEED`, or enough for all days if each life has `each` days.
fn seeds(test: u64, each: i64) -> Vec<u64> {
    let lives = number("SWITCHBOARD_DAYS").unwrap_or(DAYS).div_ceil(each.unsigned_abs());
    number("SEED").map_or_else(|| (0..lives).map(|life| test * 1_000_000 + life).collect(), |seed| vec![seed])
}

/// The totals over many days, so that a test notices if nothing happens.
#[derive(Debug, Default)]
struct Tally {
    facts: usize,
    rests: usize,
    kills: usize,
    refusals: usize,
    offers: BTreeMap<&'static str, u64>,
    waits: BTreeMap<&'static str, u64>,
}

impl Tally {
    fn take(&mut self, world: World) {
        self.facts += world.store.log.len();
        self.rests += world.rests;
        self.kills += world.kills;
        self.refusals += world.refusals.len();
        for (name, count) in world.store.watch.tally {
            *self.offers.entry(name).or_default() += count;
        }
        for (name, count) in world.waits {
            *self.waits.entry(name).or_default() += count;
        }
    }

    fn offers(&self, name: &str) -> u64 {
        self.offers.get(name).copied().unwrap_or_default()
    }
}

fn live(test: u64, days: i64, faults: fn(&mut Dice) -> Faults) -> Tally {
    let mut tally = Tally::default();
    for seed in seeds(test, days) {
        let mut world = World::new(seed, faults, Planted::Nothing);
        if let Err(why) = world.live(days) {
            panic!("SEED={seed}: {why}");
        }
        tally.take(world);
    }
    println!("{tally:#?}");
    if number("SEED").is_none() {
        assert!(
            tally.offers("accepted") > 0 && tally.offers("declined") > 0 && tally.offers("expired") > 0,
            "{tally:#?}"
        );
    }
    tally
}

#[test]
fn a_process_that_knows_the_whole_log_and_acts_alone_is_never_refused() {
    let calm = |_: &mut Dice| Faults { lost: 5, later: 5, twice: 5, ..Faults::default() };
    for seed in seeds(1, 1) {
        let mut world = World::new(seed, calm, Planted::Nothing);
        if let Err(why) = world.live(1) {
            panic!("SEED={seed}: {why}");
        }
        assert_eq!(world.refusals, Vec::<String>::new(), "SEED={seed}");
    }
}

#[test]
fn whatever_breaks_no_ticket_has_two_crews_and_every_open_one_an_offer_a_crew_or_a_true_reason() {
    let tally = live(2, 1, Faults::drawn);
    assert!(number("SEED").is_some() || tally.kills > 0);
}

#[test]
fn two_processes_at_once_settle_it_by_revisions_and_fences() {
    live(3, 1, |dice| Faults { rival: 1, interleave: 3, lag: 3, sleep: 2, ..Faults::drawn(dice) });
}

#[test]
fn a_process_that_dies_between_any_two_wants_loses_nothing_over_days() {
    live(4, 3, |dice| Faults { kill: 15, lost: 6, ..Faults::drawn(dice) });
}

#[test]
fn phones_off_the_air_speak_late_twice_and_out_of_order_and_take_nothing_that_is_gone() {
    live(5, 1, |dice| Faults { off_air: 3, repeated: 3, clock: 2, ..Faults::drawn(dice) });
}

/// Returns the log of a day as text.
fn logged(seed: u64) -> String {
    let mut world = World::new(seed, Faults::drawn, Planted::Nothing);
    world.live(1).unwrap_or_else(|why| panic!("SEED={seed}: {why}"));
    world.store.log.iter().map(|fact| format!("{}\n{fact:?}\n", words::told(fact))).collect()
}

fn line(seed: u64, log: &str) -> String {
    let mut hash = DefaultHasher::new();
    log.hash(&mut hash);
    format!("the log of {seed} is {:016x}", hash.finish())
}

#[test]
fn the_same_seed_gives_the_same_log_byte_for_byte() {
    for seed in seeds(6, 4) {
        let log = logged(seed);
        assert!(log == logged(seed), "SEED={seed}");
        println!("{}", line(seed, &log));
    }
}

#[test]
fn the_same_seed_gives_the_same_log_in_another_process() {
    for seed in [1, 2] {
        let test = ["--exact", "days::the_same_seed_gives_the_same_log_byte_for_byte", "--nocapture"];
        let other = Command::new(std::env::current_exe().unwrap()).args(test).env("SEED", seed.to_string()).output();
        let said = String::from_utf8(other.unwrap().stdout).unwrap();
        assert!(said.contains(&line(seed, &logged(seed))), "{said}");
    }
}

#[test]
fn every_planted_fault_turns_the_days_red() {
    for fault in Planted::FAULTS {
        let lived = |seed, planted| World::new(seed, Faults::drawn, planted).live(1);
        match (0..FOUND_WITHIN).find(|seed| lived(*seed, fault).is_err()) {
            Some(seed) => {
                println!("{fault:?}: found on day {}", seed + 1);
                lived(seed, Planted::Nothing).expect("the same day without the fault is green");
            }
            None => panic!("{fault:?} was not found within {FOUND_WITHIN} days"),
        }
    }
}
