//! Patience: a ticket past its promise gains weight with every hour, so that a light ticket does not wait forever. Age
//! counts less when the backlog per crew is high, because then most tickets are old.

use crate::scene::Service;

/// The rule's stable name.
pub const NAME: &str = "patience";

/// The weight gained so far, multiplied by the minutes until restoration.
#[must_use]
pub fn price(service: &Service<'_>) -> f64 {
    let terms = service.terms;
    let overdue_hours = (terms.now - service.task.due).max(0.0) / 60.0;
    let patience = terms.policy.weights.patience_hour / terms.load.max(1.0);
    patience * overdue_hours * (service.done - terms.now)
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::Stage;

    #[test]
    fn who_waits_within_the_promise_gains_nothing_and_who_waits_past_it_ever_more() {
        let mut stage = Stage::default();
        let mut at = |due| {
            stage.task.due = stage.now + due;
            stage.visit(1.0, |visit| super::price(&visit.service))
        };
        assert_eq!(at(10.0), 0.0);
        let (hour, day) = (at(-60.0), at(-1440.0));
        assert!(hour > 0.0 && (day / hour - 24.0).abs() < 1e-6);
    }

    #[test]
    fn age_counts_less_where_many_wait_for_each_crew() {
        let mut stage = Stage::default();
        stage.task.due = stage.now - 60.0;
        let mut at = |load| {
            stage.load = load;
            stage.visit(1.0, |visit| super::price(&visit.service))
        };
        let calm = at(0.2);
        assert_eq!(at(1.0), calm, "as long as there is a crew for each");
        assert!((calm / at(8.0) - 8.0).abs() < 1e-9);
    }
}
