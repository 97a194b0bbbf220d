//! The seeded random generator (SplitMix64), and blinks drawn in advance. Not for cryptography.

/// A sequence of random numbers, determined by the seed.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        finalize(self.0)
    }

    /// A number below `n`; 0 for `n` = 0. The bias is below n / 2^64.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// A number in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }
}

/// The finalizer of SplitMix64: every output bit depends on every input bit.
pub fn finalize(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The number of positions until the next blink, drawn from a geometric distribution instead of once per position.
/// Whole routes without a blink are thus known in advance.
#[derive(Clone, Debug)]
pub struct Blinks {
    /// ln(1 - probability of a blink).
    log_open: f64,
    left: u64,
}

impl Blinks {
    pub fn new(probability: f64, chance: &mut Chance) -> Self {
        let mut blinks = Self { log_open: (-probability.clamp(0.0, 1.0)).ln_1p(), left: 0 };
        blinks.draw(chance);
        blinks
    }

    fn draw(&mut self, chance: &mut Chance) {
        // 1 - unit() is never 0. Without blinks the quotient is infinite or NaN; the cast would give the maximum or 0.
        let positions = (1.0 - chance.unit()).ln() / self.log_open;
        self.left = if self.log_open == 0.0 { u64::MAX } else { positions as u64 };
    }

    /// True when none of the next positions is skipped; then they are consumed.
    pub fn none_within(&mut self, positions: usize) -> bool {
        let passes = self.left >= positions as u64;
        if passes && self.left != u64::MAX {
            self.left -= positions as u64;
        }
        passes
    }

    /// Consumes this many positions, with or without a blink.
    pub fn pass(&mut self, positions: usize, chance: &mut Chance) {
        if !self.none_within(positions) {
            self.draw(chance);
        }
    }

    /// True when the next position is skipped.
    pub fn blink(&mut self, chance: &mut Chance) -> bool {
        if self.left == 0 {
            self.draw(chance);
            return true;
        }
        if self.left != u64::MAX {
            self.left -= 1;
        }
        false
    }
}
