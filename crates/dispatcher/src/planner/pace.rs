//! Pace: how drives last beside what the policy expects, learnt from the last of them: weather and traffic show before
//! anybody says so.
//!
//! Absent: kinds of area and hours of the day, whose speeds are the policy's, and a memory that outlives the planner.

/// About so many drives are remembered: with a spread of 15 to 20 % each, the mean is known to some 3 %.
const REMEMBERED: f64 = 24.0;
/// Drives expected to be shorter, in minutes, say more about parking than about roads.
const MINUTES_MIN: f64 = 5.0;
/// What a drive may last beside what was expected and still be taken for one.
const FACTORS: (f64, f64) = (0.5, 3.0);

/// The mean of the logarithm of drives over their expectation; at first nothing is known against the policy.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace(f64);

impl Pace {
    /// The factor on the policy's minutes.
    pub fn factor(self) -> f64 {
        self.0.exp()
    }

    /// A drive that was expected to last so many minutes, by the policy alone, lasted so many.
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
