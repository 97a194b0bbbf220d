//! Stability: a ticket stays with the crew that last got its offer unless a change pays off, and does not alternate
//! between two crews.

use crate::scene::{Pairing, Visit};

/// The rule's stable name.
pub const NAME: &str = "stability";

/// The price of making a job the next stop of a crew, when it was last offered to another crew.
#[must_use]
pub fn price(visit: &Visit<'_>) -> f64 {
    let another = visit.service.task.last_offered_to.is_some_and(|told| told != visit.team.index);
    if visit.first && another { visit.service.terms.policy.weights.change } else { 0.0 }
}

/// True when the ticket was taken from this crew recently and no person chose the crew.
#[must_use]
pub fn bars(pairing: &Pairing<'_>) -> bool {
    let left = |(crew, until): &(u32, f64)| *crew == pairing.team.index && pairing.now < *until;
    !pairing.is_forced() && pairing.left.iter().any(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests::Stage;

    #[test]
    fn only_a_next_stop_that_was_another_crews_costs() {
        let mut stage = Stage::default();
        assert_eq!(stage.visit(1.0, price), 0.0);
        stage.task.last_offered_to = Some(stage.team.index);
        assert_eq!(stage.visit(1.0, price), 0.0);
        stage.task.last_offered_to = Some(stage.team.index + 1);
        assert_eq!(stage.visit(1.0, price), stage.policy.weights.change);
        stage.first = false;
        assert_eq!(stage.visit(1.0, price), 0.0);
    }

    #[test]
    fn a_ticket_returns_to_a_crew_only_after_a_while() {
        let stage = Stage::default();
        let is_barred = |crew, until| bars(&Pairing { left: &[(crew, until)], ..stage.pairing() });
        let own = stage.team.index;
        assert!(is_barred(own, stage.now + 1.0) && !is_barred(own, stage.now));
        assert!(!is_barred(own + 1, stage.now + 1.0));
        let chosen = Pairing { left: &[(own, stage.now + 1.0)], chosen: Some(own), ..stage.pairing() };
        assert!(!bars(&chosen));
    }
}
