//! Coverage: occupying a free crew has a price where tickets are expected and few other crews are free. The price falls
//! with the load, because open tickets matter more than expected ones.

use crate::scene::Visit;

/// The rule's stable name.
pub const NAME: &str = "coverage";

/// The price of the expected tickets that would find no free crew in reach while this crew is away. At most the price
/// of one broken promise, so that no certain breach is accepted for the sake of expected tickets.
#[must_use]
pub fn price(visit: &Visit<'_>) -> f64 {
    if !visit.first {
        return 0.0;
    }
    let terms = visit.service.terms;
    let hours = (visit.minutes + visit.service.task.repair) / 60.0;
    let missed = terms.policy.weights.coverage * (1.0 - terms.load).max(0.0) * visit.team.missed * hours;
    missed.min(terms.late())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::Stage;

    #[test]
    fn who_is_missed_costs_for_as_long_as_it_is_away() {
        let mut stage = Stage::default();
        assert_eq!(stage.visit(1.0, price), 0.0);
        stage.team.missed = 0.5;
        let hour = stage.visit(1.0, |visit| price(visit) * 60.0 / (visit.minutes + visit.service.task.repair));
        assert!((hour - stage.policy.weights.coverage / 2.0).abs() < 1e-9);
        assert!(stage.visit(9.0, price) > stage.visit(1.0, price));
        stage.first = false;
        assert_eq!(stage.visit(1.0, price), 0.0, "only the next stop takes a free crew away");
    }

    #[test]
    fn what_may_come_counts_less_the_more_waits_and_nothing_once_every_crew_has_its_ticket() {
        let mut stage = Stage::default();
        stage.team.missed = 0.5;
        let mut at = |load| {
            stage.load = load;
            stage.visit(1.0, price)
        };
        let calm = at(0.0);
        assert!(calm > 0.0 && (at(0.25) / calm - 0.75).abs() < 1e-9);
        assert_eq!((at(1.0), at(9.0)), (0.0, 0.0));
    }
}
