//! Coverage: the last free crew of a neighbourhood is not sent out of it without need. In a storm every crew is needed
//! anyway.

use crate::scene::Visit;

/// The rule's stable name.
pub const NAME: &str = "coverage";

/// The price of a neighbourhood without a free crew, where the next stop takes its last one away.
#[must_use]
pub fn price(visit: &Visit<'_>) -> f64 {
    let policy = visit.service.terms.policy;
    let leaves = visit.first && visit.team.lone && visit.km > policy.travel.neighbourhood_km;
    if leaves && !visit.service.terms.storm { policy.weights.coverage } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::Stage;

    #[test]
    fn only_the_last_free_crew_that_leaves_its_neighbourhood_costs() {
        let mut stage = Stage::default();
        let far = stage.policy.travel.neighbourhood_km + 1.0;
        assert_eq!(stage.visit(far, price), 0.0);
        stage.team.lone = true;
        assert_eq!(stage.visit(far, price), stage.policy.weights.coverage);
        assert_eq!(stage.visit(1.0, price), 0.0);
        stage.storm = true;
        assert_eq!(stage.visit(far, price), 0.0);
    }
}
