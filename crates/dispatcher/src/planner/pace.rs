//! Pace: observed driving times relative to the policy's, learnt from recent drives. Weather and traffic show here
//! before anyone reports them.
//!
//! Not here: differences by kind of area or hour of the day; speeds are the policy's. The memory ends with the planner.

/// The memory, in drives: each new drive counts 1/24. With a spread of 15 to 20 % per drive, the mean is known to about
/// 3 %.
const REMEMBERED: f64 = 24.0;
/// The minimum expected duration, in minutes. Shorter drives depend more on parking than on roads.
const MINUTES_MIN: f64 = 5.0;
/// The bounds of the ratio of observed to expected duration; a value outside is set to the bound.
const FACTORS: (f64, f64) = (0.5, 3.0);

/// The mean logarithm of that ratio; 0, the policy's expectation, at first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace(f64);

impl Pace {
    /// The factor on the policy's driving minutes.
    pub fn factor(self) -> f64 {
        self.0.exp()
    }

    /// Learns from a drive that lasted `lasted` minutes, when the policy without any factor expected `expected`.
    pub fn learn(&mut self, expected: f64, lasted: f64) {
        if expected >= MINUTES_MIN {
            let factor = (lasted / expected).clamp(FACTORS.0, FACTORS.1);
            self.0 += (factor.ln() - self.0) / REMEMBERED;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_roads_are_learnt_and_unlearnt() {
        let mut pace = Pace::default();
        assert_eq!(pace.factor(), 1.0);
        (0..100).for_each(|_| pace.learn(20.0, 30.0));
        assert!((pace.factor() - 1.5).abs() < 0.02, "{}", pace.factor());
        (0..100).for_each(|_| pace.learn(20.0, 20.0));
        assert!((pace.factor() - 1.0).abs() < 0.02, "{}", pace.factor());
    }

    #[test]
    fn a_crew_that_had_lunch_on_the_way_or_was_there_already_changes_little() {
        let mut pace = Pace::default();
        pace.learn(20.0, 600.0);
        assert!(pace.factor() < 1.05);
        pace.learn(20.0, -3.0);
        assert!(pace.factor() > 1.0);
        pace.learn(1.0, 3.0);
        assert!(pace.factor() < 1.05, "a hop says nothing");
    }
}
