//! Safety and important customers: a wire down, a customer of tier A count like many customers; so does, a little,
//! whoever was pressed about.

use crate::{board::Job, scene::Service};

/// The rule's stable name.
pub(crate) const NAME: &str = "safety";

/// What is added for concerns, times minutes.
#[must_use]
pub(crate) fn price(service: &Service<'_>) -> f64 {
    service.task.concern * (service.done - service.task.reported)
}

/// Whether life, an important customer or very many customers wait: a priority of the offer protocol.
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
