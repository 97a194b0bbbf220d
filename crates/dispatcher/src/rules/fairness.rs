//! Fairness: a crew that has worked more than the crews with the same skills has a price for the next job.

use crate::scene::Visit;

/// The rule's stable name.
pub const NAME: &str = "fairness";

/// The price of giving this crew more work.
#[must_use]
pub fn price(visit: &Visit<'_>) -> f64 {
    visit.team.unfair
}

/// The price of more work for a crew that has `worked` minutes on site in this shift, when the crews with its skills
/// have `mean`.
#[must_use]
pub fn unfair(fairness_hour: f64, worked: f64, mean: f64) -> f64 {
    fairness_hour * (worked - mean).max(0.0) / 60.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::Stage;

    #[test]
    fn only_work_above_the_mean_costs() {
        assert_eq!(unfair(2.0, 60.0, 120.0), 0.0);
        assert_eq!(unfair(2.0, 180.0, 120.0), 2.0);
        let mut stage = Stage::default();
        stage.team.unfair = 2.0;
        assert_eq!(stage.visit(1.0, price), 2.0);
    }
}
