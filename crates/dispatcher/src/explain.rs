//! Why this crew: what every rule charges it for a ticket, and which rules forbid it. The prices are those that the plan
//! was made by; `workload` is what the crew's other stops lose. How it is found is `planner/explaining.rs`.

use std::collections::BTreeMap;

use switchboard_domain::{
    Timestamp,
    crew::{Candidate, CrewId},
};

/// One crew as weighed for one ticket.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighed {
    /// The crew.
    pub crew: CrewId,
    /// The sum of the prices, in weighted minutes; infinite where a rule forbids it.
    pub price: f64,
    /// What each rule charges, by its name; rules that charge nothing are left out.
    pub prices: BTreeMap<&'static str, f64>,
    /// The rules that forbid it, by name.
    pub vetoes: Vec<&'static str>,
    /// Median arrival, where it could go.
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

/// Prices are kept to a hundredth of a minute: more digits are noise, and would not all be read back as they were written.
fn hundredths(price: f64) -> f64 {
    (price * 100.0).round() / 100.0
}
