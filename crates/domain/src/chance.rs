//! Property tests: each case is a list of random rolls, from which a test derives a history. Failing cases are not
//! stored on disk; the failure message prints the seed that repeats it.

use std::hash::{BuildHasher, RandomState};

use proptest::{
    collection::vec,
    prelude::{Strategy, any},
    test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner},
};

/// The result of one case.
pub type Verdict = Result<(), TestCaseError>;

/// Cases per property; the environment variable `SWITCHBOARD_CASES` overrides it.
const CASES: u32 = 2_000;

/// Checks `law` with lists of 1 to `rolls_max` rolls. On failure the list is shrunk, and `describe` prints it in the
/// message.
///
/// `PROPTEST_RNG_SEED` repeats a run; without it every run uses a new seed.
pub fn always(rolls_max: usize, law: impl Fn(&[u64]) -> Verdict, describe: impl Fn(&[u64]) -> String) {
    let mut config = Config { cases: cases(), failure_persistence: None, ..Config::default() };
    if matches!(config.rng_seed, RngSeed::Random) {
        config.rng_seed = RngSeed::Fixed(RandomState::new().hash_one("seed"));
    }
    let seed = config.rng_seed;
    // Shrink by removing rolls only: a smaller roll is not a simpler case.
    let rolls = vec(any::<u64>().no_shrink(), 1..=rolls_max);
    match TestRunner::new(config).run(&rolls, |rolls| law(&rolls)) {
        Ok(()) => {}
        Err(TestError::Fail(why, rolls)) => panic!("{why}\n{}\nagain with PROPTEST_RNG_SEED={seed}", describe(&rolls)),
        Err(TestError::Abort(why)) => panic!("{why}\nagain with PROPTEST_RNG_SEED={seed}"),
    }
}

#[expect(clippy::disallowed_methods, reason = "a test may be told how long to search")]
fn cases() -> u32 {
    std::env::var("SWITCHBOARD_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES)
}

/// A generator of small choices, seeded by one roll.
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

    /// A number from 0 to `n - 1`; `n` must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    /// True with probability 1/`n`.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One of the elements, at random.
    pub fn choose<T: Clone>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())].clone()
    }

    /// `None`, or one of the elements, with equal probability.
    pub fn perhaps<T: Clone>(&mut self, among: &[T]) -> Option<T> {
        self.one_in(2).then(|| self.choose(among))
    }
}
