//! Coverage: a free crew is worth most where tickets come from and few others are free; who is missed least is sent. In a
//! storm every crew is needed anyway.

use crate::scene::Visit;

/// The rule's stable name.
pub const NAME: &str = "coverage";

/// The price of the tickets that would find nobody free in reach while the crew is away, where it is free now.
#[must_use]
pub fn price(visit: &Visit<'_>) -> f64 {
    if !visit.first || visit.service.terms.storm {
        return 0.0;
    }
    let hours = (visit.minutes + visit.service.task.repair) / 60.0;
    visit.service.terms.policy.weights.coverage * visit.team.missed * hours
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::Stage;

    #[test]
    fn who_is_missed_costs_for_as_long_as_it_is_away_but_not_in_a_storm() {
        let mut stage = Stage::default();
        assert_eq!(stage.visit(1.0, price), 0.0);
        stage.team.missed = 0.5;
        let hour = stage.visit(1.0, |visit| price(visit) * 60.0 / (visit.minutes + visit.service.task.repair));
        assert!((hour - stage.policy.weights.coverage / 2.0).abs() < 1e-9);
        assert!(stage.visit(9.0, price) > stage.visit(1.0, price));
        stage.first = false;
        assert_eq!(stage.visit(1.0, price), 0.0, "only the next stop takes a free crew away");
        stage.first = true;
        stage.storm = true;
        assert_eq!(stage.visit(1.0, price), 0.0);
    }
}
