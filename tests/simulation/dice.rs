//! Reproducible random numbers: one seed gives one day.

/// A stream of random numbers (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Creates the stream of a seed.
    pub fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns the next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Draws a number below `n`, which must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    /// Draws a number from `from` to `upto`, both included.
    pub fn between(&mut self, from: i64, upto: i64) -> i64 {
        from + self.below((upto - from + 1) as usize) as i64
    }

    /// True with a probability of 1 in `n`; never with 0.
    pub fn one_in(&mut self, n: usize) -> bool {
        n != 0 && self.below(n) == 0
    }

    /// Draws one of these.
    pub fn choose<T: Clone>(&mut self, among: &[T]) -> T {
        among[self.below(among.len())].clone()
    }

    /// Draws one of these with a probability in proportion to its weight.
    pub fn weighed<T: Clone>(&mut self, among: &[(usize, T)]) -> T {
        let mut left = self.below(among.iter().map(|(weight, _)| weight).sum());
        for (weight, one) in among {
            if left < *weight {
                return one.clone();
            }
            left -= weight;
        }
        among[0].1.clone()
    }
}
