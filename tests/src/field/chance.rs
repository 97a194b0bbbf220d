//! Random draws that depend on the seed and on a name, never on the order of the calls. So every policy meets the same
//! world.
//!
//! Absent: any source of randomness other than the seed, and any state outside the generator.

use std::f64::consts::TAU;

/// A stream of draws (SplitMix64).
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// Creates the stream of this name: equal names give equal draws.
    #[must_use]
    pub fn of(name: &[u64]) -> Self {
        let mut chance = Self(0x9E37_79B9_7F4A_7C15);
        for part in name {
            chance.0 ^= part.wrapping_mul(0xD6E8_FEB8_6659_FD93);
            chance.0 = chance.next();
        }
        chance
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Draws sixteen bytes for an id.
    pub fn bytes(&mut self) -> [u8; 16] {
        let (a, b) = (self.next(), self.next());
        (u128::from(a) << 64 | u128::from(b)).to_be_bytes()
    }

    /// Draws uniformly from 0 to 1, excluding 1.
    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Draws uniformly between two bounds.
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Draws from the standard normal distribution (Box-Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (TAU * self.unit()).cos()
    }

    /// Draws from the log-normal distribution with this median, and sigma of the logarithm.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// Draws an index with a probability in proportion to its weight; 0 if there are no weights.
    pub fn pick(&mut self, weights: &[f64]) -> usize {
        let mut left = self.unit() * weights.iter().sum::<f64>();
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        weights.len().saturating_sub(1)
    }
}
