//! How a law is put to the test: many seeded cases, each a list of rolls from which a history is read.
//! No law stands here, and nothing is kept on disk: a failure prints the seed that shows it again.

use std::hash::{BuildHasher, RandomState};

use proptest::{
    collection::vec,
    prelude::{Strategy, any},
    test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner},
};

/// What a law says of one history.
pub type Verdict = Result<(), TestCaseError>;

/// How many cases each law sees unless `SWITCHBOARD_CASES` says otherwise.
const CASES: u32 = 2_000;

/// Puts `law` to lists of up to `rolls_max` rolls. Of the history that breaks it, the shortest found is told by `tell`.
///
/// `PROPTEST_RNG_SEED` repeats a run; without it every run is another one.
pub fn always(rolls_max: usize, law: impl Fn(&[u64]) -> Verdict, tell: impl Fn(&[u64]) -> String) {
    let mut config = Config { cases: cases(), failure_persistence: None, ..Config::default() };
    if matches!(config.rng_seed, RngSeed::Random) {
        config.rng_seed = RngSeed::Fixed(RandomState::new().hash_one("seed"));
    }
    let seed = config.rng_seed;
    // A list shrinks by leaving rolls out; a smaller roll would not be a simpler one.
    let rolls = vec(any::<u64>().no_shrink(), 1..=rolls_max);
    match TestRunner::new(config).run(&rolls, |rolls| law(&rolls)) {
        Ok(()) => {}
        Err(TestError::Fail(why, rolls)) => panic!("{why}\n{}\nagain with PROPTEST_RNG_SEED={seed}", tell(&rolls)),
        Err(TestError::Abort(why)) => panic!("{why}\nagain with PROPTEST_RNG_SEED={seed}"),
    }
}

#[expect(clippy::disallowed_methods, reason = "a test may be told how long to search")]
fn cases() -> u32 {
    std::env::var("SWITCHBOARD_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES)
}

/// Any number of small choices from one roll.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn of(roll: u64) -> Self {
        Self(roll)
    }

    /// The next 64 bits (SplitMix64).
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    /// Whether one in `n` comes up.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of these.
    pub fn choose<T: Clone>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())].clone()
    }

    /// Now and then one of these.
    pub fn perhaps<T: Clone>(&mut self, among: &[T]) -> Option<T> {
        self.one_in(2).then(|| self.choose(among))
    }
}
