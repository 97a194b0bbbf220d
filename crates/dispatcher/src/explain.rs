//! The explanation of a crew's choice: the price of every rule for a ticket, and the rules that forbid the crew. The
//! prices are those of the plan; `workload` is the cost for the crew's other stops. `planner/explaining.rs` computes
//! it.

use std::collections::BTreeMap;

use switchboard_domain::{
    Timestamp,
    crew::{Candidate, CrewId},
};

/// The evaluation of one crew for one ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighed {
    /// The crew.
    pub crew: CrewId,
    /// The sum of the prices, in weighted minutes; infinite when a rule forbids the crew.
    pub price: f64,
    /// The price of each rule, by name; rules with price 0 are left out.
    pub prices: BTreeMap<&'static str, f64>,
    /// The names of the rules that forbid the crew.
    pub vetoes: Vec<&'static str>,
    /// Median arrival; `None` when the crew cannot go there.
    pub arrives: Option<Timestamp>,
}

impl From<Weighed> for Candidate {
    fn from(weighed: Weighed) -> Self {
        Self {
            crew: weighed.crew.org().clone(),
            prices: weighed.prices.into_iter().map(|(rule, price)| (rule.to_owned(), hundredths(price))).collect(),
            arrives: weighed.arrives,
            vetoes: weighed.vetoes.into_iter().map(str::to_owned).collect(),
        }
    }
}

/// Rounds to 1/100 minute. More digits carry no information, and some JSON readers would not restore them exactly.
fn hundredths(price: f64) -> f64 {
    (price * 100.0).round() / 100.0
}
