//! Simulated annealing: the acceptance of dearer plans.

use super::chance::Chance;

/// The temperature schedule.
#[derive(Clone, Debug)]
pub struct Acceptance {
    hot: f64,
    cold: f64,
}

impl Acceptance {
    pub fn new(hot: f64, cold: f64) -> Self {
        let hot = hot.max(0.0);
        Self { hot, cold: cold.clamp(0.0, hot) }
    }

    /// The temperature at a progress of 0 to 1: geometric, or linear if it ends at 0.
    pub fn temperature(&self, progress: f64) -> f64 {
        let progress = progress.clamp(0.0, 1.0);
        if self.cold > 0.0 { self.hot * (self.cold / self.hot).powf(progress) } else { self.hot * (1.0 - progress) }
    }

    /// True when a plan of price `now` may replace one of price `before`.
    pub fn lets(&self, now: f64, before: f64, temperature: f64, chance: &mut Chance) -> bool {
        // Draw in every case, so that the sequence of random numbers does not depend on prices.
        let allowance = -temperature * (1.0 - chance.unit()).ln();
        now <= before + allowance
    }
}
