//! Reproducible random numbers: `SEED=` repeats a run, and a failure prints the seed.

/// A stream of random numbers (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Creates another, independent stream.
    pub fn split(&mut self) -> Self {
        Self(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Draws a number below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// True with a probability of one in `chances`.
    pub fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }
}

/// A seed that is printed when the test fails.
#[derive(Debug)]
pub struct Seed(pub u64);

impl Seed {
    /// Returns the seed in the variable `SEED`, else a fresh one.
    pub fn choose() -> Self {
        let given = std::env::var("SEED").ok().and_then(|text| text.parse().ok());
        Self(given.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0 >> 16))
    }

    pub fn dice(&self) -> Dice {
        Dice(self.0)
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("SEED={} repeats it", self.0);
        }
    }
}
