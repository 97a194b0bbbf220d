//! Customers interrupted: each customer's minute without power has the same price, from the report to the restoration.

use crate::scene::Service;

/// The rule's stable name.
pub const NAME: &str = "customers";

/// Customers times minutes.
#[must_use]
pub fn price(service: &Service<'_>) -> f64 {
    service.task.customers * (service.done - service.task.reported)
}

#[cfg(test)]
mod tests {
    use crate::rules::tests::Stage;

    #[test]
    fn twice_the_customers_cost_twice() {
        let mut stage = Stage::default();
        let one = stage.visit(1.0, |visit| super::price(&visit.service));
        stage.task.customers *= 2.0;
        let two = stage.visit(1.0, |visit| super::price(&visit.service));
        assert!(one > 0.0 && (two / one - 2.0).abs() < 1e-9);
    }
}
