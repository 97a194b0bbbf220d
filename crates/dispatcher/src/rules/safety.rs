//! Safety and important customers: a wire down or a tier A customer counts like many customers; an urged ticket counts
//! slightly more.

use crate::{board::Job, policy::Weights, scene::Service};
use switchboard_domain::ticket::Urgency;

/// The rule's stable name.
pub(crate) const NAME: &str = "safety";

/// The price of the additions, multiplied by the minutes until restoration.
#[must_use]
pub(crate) fn price(service: &Service<'_>) -> f64 {
    service.task.concern * (service.done - service.task.reported)
}

/// The customers and the additions of a job, together at most `weight_max`.
#[must_use]
pub fn weight(weights: &Weights, job: &Job) -> (f64, f64) {
    let customers = f64::from(job.customers.max(1)).min(weights.weight_max);
    let added = [
        (job.concerns.important, weights.important),
        (job.concerns.wire_down, weights.wire_down),
        (job.concerns.pressed, weights.pressed),
        (job.urgency == Urgency::Urgent, weights.urgent),
    ];
    let concern: f64 = added.iter().filter(|(holds, _)| *holds).map(|(_, weight)| weight).sum();
    (customers, concern.min(weights.weight_max - customers).max(0.0))
}

/// True for danger to life, an important customer or very many customers: such an offer is a priority.
#[must_use]
pub(crate) fn is_priority(policy: &crate::policy::Policy, job: &Job, weight: f64) -> bool {
    job.concerns.wire_down || job.concerns.important || weight >= policy.offers.priority_weight
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{board::Concerns, policy::Policy, rules::tests};

    #[test]
    fn concerns_add_up_to_the_most_that_a_ticket_weighs() {
        let weights = Weights::default();
        let mut job = tests::job(1, 0.0);
        assert_eq!(weight(&weights, &job), (1.0, 0.0));
        job.concerns = Concerns { wire_down: true, important: true, pressed: true };
        assert_eq!(weight(&weights, &job), (1.0, 705.0));
        job.customers = 4_900;
        assert_eq!(weight(&weights, &job), (4_900.0, 100.0));
        job.customers = 90_000;
        assert_eq!(weight(&weights, &job), (5_000.0, 0.0));
    }

    #[test]
    fn danger_importance_and_numbers_make_a_priority() {
        let policy = Policy::default();
        let mut job = tests::job(1, 0.0);
        assert!(!is_priority(&policy, &job, 1.0));
        assert!(is_priority(&policy, &job, policy.offers.priority_weight));
        job.concerns.wire_down = true;
        assert!(is_priority(&policy, &job, 1.0));
    }

    #[test]
    fn a_hospital_costs_as_long_as_it_waits() {
        let mut stage = tests::Stage::default();
        stage.task.concern = 500.0;
        let (near, far) =
            (stage.visit(1.0, |visit| price(&visit.service)), stage.visit(9.0, |visit| price(&visit.service)));
        assert!(far > near && near > 0.0);
    }
}
