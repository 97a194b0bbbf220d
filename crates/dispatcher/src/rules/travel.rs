//! Travel: each minute on the way has a price.

use crate::scene::Visit;

/// The rule's stable name.
pub const NAME: &str = "travel";

/// The price of the minutes of turning out and driving.
#[must_use]
pub fn price(visit: &Visit<'_>) -> f64 {
    visit.service.terms.policy.weights.travel_minute * visit.minutes
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::Stage;

    #[test]
    fn a_longer_way_costs_more() {
        let stage = Stage::default();
        let (near, far) = (stage.visit(1.0, super::price), stage.visit(9.0, super::price));
        assert!(near > 0.0 && far > near, "{near} {far}");
    }
}
