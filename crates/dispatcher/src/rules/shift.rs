//! Shift: a crew off shift is not sent, no arrival is planned after the end of the shift, and overtime has a price.

use crate::scene::{Pairing, Team, Visit};

/// The rule's stable name.
pub const NAME: &str = "shift";

/// True when the crew is off shift now.
#[must_use]
pub fn bars(pairing: &Pairing<'_>) -> bool {
    forbids(pairing.team, pairing.now)
}

/// True when the crew is off shift, or its shift has ended.
#[must_use]
pub fn forbids(team: &Team, now: f64) -> bool {
    team.until <= now
}

/// True when the crew would arrive after the end of its shift.
#[must_use]
pub fn forbids_arrival(team: &Team, arrives: f64) -> bool {
    arrives > team.until
}

/// The price of each minute of work after the end of the shift.
#[must_use]
pub fn price(visit: &Visit<'_>) -> f64 {
    let over = (visit.service.done - visit.team.until).max(0.0).min(visit.service.done - visit.service.arrives);
    visit.service.terms.policy.weights.overtime_minute * over
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::Stage;

    #[test]
    fn a_crew_off_shift_is_not_sent() {
        let mut stage = Stage::default();
        assert!(!forbids(&stage.team, stage.now));
        stage.team.until = f64::NEG_INFINITY;
        assert!(forbids(&stage.team, stage.now));
    }

    #[test]
    fn no_arrival_falls_past_the_end_of_a_shift_and_work_past_it_costs() {
        let mut stage = Stage::default();
        assert_eq!(stage.visit(1.0, price), 0.0);
        let (arrives, done) = stage.visit(1.0, |visit| (visit.service.arrives, visit.service.done));
        stage.team.until = arrives + 1.0;
        assert!(!forbids_arrival(&stage.team, arrives) && forbids_arrival(&stage.team, arrives + 2.0));
        let over = (done - arrives - 1.0) * stage.policy.weights.overtime_minute;
        assert!((stage.visit(1.0, price) - over).abs() < 1e-9);
    }

    #[test]
    fn no_arrival_is_planned_into_a_break() {
        let mut stage = Stage::default();
        let arrives = stage.visit(1.0, |visit| visit.service.arrives);
        stage.team.breaks = vec![(arrives - 1.0, arrives + 30.0)];
        assert!((stage.visit(1.0, |visit| visit.service.arrives) - (arrives + 30.0)).abs() < 1e-9);
    }
}
