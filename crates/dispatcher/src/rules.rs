//! The rules of the objective, one per file. Hard rules forbid a crew; soft rules have a price. The search, the
//! proposals and the explanations all use this module, so that they agree.
//!
//! A *pairing* of a job and a crew is permitted or forbidden. A *service* is priced by the time at which a job is
//! served, a *visit* by the crew that serves it; together they are the price of a stop. `workload` prices the effect of
//! a stop on later stops.
//!
//! Other modules of this crate use only the rules about a single crew or ticket: presence and weight.

pub(crate) mod coverage;
pub(crate) mod customers;
pub(crate) mod fairness;
pub(crate) mod patience;
pub(crate) mod pinned;
pub mod presence;
pub(crate) mod promise;
pub(crate) mod refusal;
pub mod safety;
pub(crate) mod shift;
pub(crate) mod skill;
pub(crate) mod stability;
pub(crate) mod territory;
pub(crate) mod travel;
pub(crate) mod workload;

use crate::scene::{Pairing, Service, Visit};

/// True when the rule forbids this crew for this job.
type OfPairing = fn(&Pairing<'_>) -> bool;
/// The rule's price for a service.
type OfService = fn(&Service<'_>) -> f64;
/// The rule's price for a visit.
type OfVisit = fn(&Visit<'_>) -> f64;

/// Hard rules that do not depend on the arrival.
const OF_PAIRING: [(&str, OfPairing); 7] = [
    (presence::NAME, presence::bars),
    (shift::NAME, shift::bars),
    (pinned::NAME, pinned::bars),
    (skill::NAME, skill::bars),
    (territory::NAME, territory::bars),
    (refusal::NAME, refusal::bars),
    (stability::NAME, stability::bars),
];

/// Rules with a price by the time of service.
const OF_SERVICE: [(&str, OfService); 4] = [
    (promise::NAME, promise::price),
    (customers::NAME, customers::price),
    (safety::NAME, safety::price),
    (patience::NAME, patience::price),
];

/// Rules with a price by the crew and its route.
const OF_VISIT: [(&str, OfVisit); 5] = [
    (travel::NAME, travel::price),
    (shift::NAME, shift::price),
    (stability::NAME, stability::price),
    (fairness::NAME, fairness::price),
    (coverage::NAME, coverage::price),
];

/// True when no hard rule forbids the pairing; the arrival is not checked.
#[must_use]
pub(crate) fn allow(pairing: &Pairing<'_>) -> bool {
    OF_PAIRING.iter().all(|(_, bars)| !bars(pairing))
}

/// The names of the rules that forbid the pairing.
pub(crate) fn vetoes(pairing: &Pairing<'_>) -> impl Iterator<Item = &'static str> {
    OF_PAIRING.into_iter().filter(|(_, bars)| bars(pairing)).map(|(name, _)| name)
}

/// The price of a service, whichever crew performs it.
#[must_use]
pub(crate) fn service(service: &Service<'_>) -> f64 {
    OF_SERVICE.iter().map(|(_, price)| price(service)).sum()
}

/// The price of a stop.
#[must_use]
pub(crate) fn visit(visit: &Visit<'_>) -> f64 {
    service(&visit.service) + OF_VISIT.iter().map(|(_, price)| price(visit)).sum::<f64>()
}

/// The price of each rule for a stop; rules with price 0 are left out.
pub(crate) fn charges(visit: &Visit<'_>) -> impl Iterator<Item = (&'static str, f64)> {
    let by_service = OF_SERVICE.map(|(name, price)| (name, price(&visit.service)));
    let by_visit = OF_VISIT.map(|(name, price)| (name, price(visit)));
    by_service.into_iter().chain(by_visit).filter(|(_, price)| *price != 0.0)
}

#[cfg(test)]
pub(crate) mod tests;
