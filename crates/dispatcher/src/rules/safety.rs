//! Safety and important customers: a wire down or a tier A customer counts like many customers; an urged ticket counts
//! slightly more.

use crate::{board::Job, scene::Service};

/// The rule's stable name.
pub(crate) const NAME: &str = "safety";

/// The price of the additions, multiplied by the minutes until restoration.
#[must_use]
pub(crate) fn price(service: &Service<'_>) -> f64 {
    service.task.concern * (service.done - service.task.reported)
}

/// True for danger to life, an important customer or very many customers: such an offer is a priority.
#[must_use]
pub(crate) fn is_priority(policy: &crate::policy::Policy, job: &Job, weight: f64) -> bool {
    job.concerns.wire_down || job.concerns.important || weight >= policy.offers.priority_weight
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{policy::Policy, rules::tests};

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
