//! Promise: a crew should arrive within the promise, and otherwise with the least delay.
//!
//! Arrivals are uncertain, and a plan by medians alone would break half of its promises. Lateness is therefore priced
//! by its probability and its expectation under a logistic distribution; the scale comes from the 90th percentiles of
//! travel and repair.

use crate::scene::Service;

/// The rule's stable name.
pub const NAME: &str = "promise";

/// Beyond this many scales the distribution is treated as 0 or 1.
const SCALES_MAX: f64 = 15.0;

/// `A P(late) + B E(minutes late)`; B is multiplied by the weight when the policy says so.
#[must_use]
pub fn price(service: &Service<'_>) -> f64 {
    let weights = &service.terms.policy.weights;
    let (probability, minutes) = lateness(service.arrives - service.task.due, service.spread);
    let by_weight = if weights.late_by_weight { service.task.weight().max(1.0) } else { 1.0 };
    service.terms.late() * probability + weights.late_minute * by_weight * minutes
}

/// The probability of being late, and the expected minutes late, for a median arrival `over` minutes after the promise.
fn lateness(over: f64, scale: f64) -> (f64, f64) {
    if over <= -SCALES_MAX * scale {
        return (0.0, 0.0);
    }
    if over >= SCALES_MAX * scale {
        return (1.0, over);
    }
    let odds = (over / scale).exp();
    (odds / (1.0 + odds), scale * (1.0 + odds).ln())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{policy::Weights, rules::tests::Stage};

    #[test]
    fn at_the_median_half_of_the_arrivals_are_late() {
        let (probability, minutes) = lateness(0.0, 5.0);
        assert!((probability - 0.5).abs() < 1e-9);
        assert!((minutes - 5.0 * 2.0_f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn what_is_certain_is_certain() {
        assert_eq!(lateness(-1.0, 0.0), (0.0, 0.0));
        assert_eq!(lateness(3.0, 0.0), (1.0, 3.0));
        assert_eq!(lateness(-1_000.0, 2.0), (0.0, 0.0));
        let (probability, minutes) = lateness(29.9, 2.0);
        assert!(probability > 0.999 && (minutes - 29.9).abs() < 0.01);
    }

    #[test]
    fn an_uncertain_arrival_before_the_promise_costs_more_than_a_certain_one() {
        assert!(lateness(-10.0, 8.0).0 > lateness(-10.0, 2.0).0);
    }

    #[test]
    fn a_storm_makes_a_broken_promise_cheaper_and_minutes_count_by_weight() {
        let mut stage = Stage::default();
        stage.policy.weights = Weights { late: 600.0, late_minute: 1.0, late_by_weight: true, ..Weights::default() };
        stage.policy.storm.late_divisor = 4.0;
        stage.task.due = stage.now - 100.0;
        let calm = stage.visit(1.0, |visit| price(&visit.service));
        stage.storm = true;
        assert!(stage.visit(1.0, |visit| price(&visit.service)) < calm);
        stage.task.customers = 50.0;
        assert!(stage.visit(1.0, |visit| price(&visit.service)) > 50.0 * 100.0);
        stage.policy.weights.late_by_weight = false;
        assert!(stage.visit(1.0, |visit| price(&visit.service)) < 600.0);
    }
}
