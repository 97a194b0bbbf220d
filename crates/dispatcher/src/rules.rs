//! What the plan prefers, one rule a file: hard rules forbid, soft rules charge. The search, the proposals and the
//! explanations all ask here, so that there is one truth.
//!
//! A *pairing* of a job and a crew is forbidden or not. A *service* is priced by when a job is served, a *visit* by who
//! goes there; together they are what a stop of a route costs. What a stop does to the stops behind it is charged by `workload`.
//!
//! Only what is said of a crew or a ticket by itself is asked from outside this crate: its presence, and its weight.

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

/// Whether a rule forbids that this crew is sent to that job.
type OfPairing = fn(&Pairing<'_>) -> bool;
/// What a rule charges for a service.
type OfService = fn(&Service<'_>) -> f64;
/// What a rule charges for a visit.
type OfVisit = fn(&Visit<'_>) -> f64;

/// Rules that forbid, whenever the crew would arrive.
const OF_PAIRING: [(&str, OfPairing); 7] = [
    (presence::NAME, presence::bars),
    (shift::NAME, shift::bars),
    (pinned::NAME, pinned::bars),
    (skill::NAME, skill::bars),
    (territory::NAME, territory::bars),
    (refusal::NAME, refusal::bars),
    (stability::NAME, stability::bars),
];

/// Rules that charge by when a job is served.
const OF_SERVICE: [(&str, OfService); 4] = [
    (promise::NAME, promise::price),
    (customers::NAME, customers::price),
    (safety::NAME, safety::price),
    (patience::NAME, patience::price),
];

/// Rules that charge by who goes there, and from where.
const OF_VISIT: [(&str, OfVisit); 5] = [
    (travel::NAME, travel::price),
    (shift::NAME, shift::price),
    (stability::NAME, stability::price),
    (fairness::NAME, fairness::price),
    (coverage::NAME, coverage::price),
];

/// Whether all rules allow it, but for the arrival.
#[must_use]
pub(crate) fn allow(pairing: &Pairing<'_>) -> bool {
    OF_PAIRING.iter().all(|(_, bars)| !bars(pairing))
}

/// The rules that forbid it, by name.
pub(crate) fn vetoes(pairing: &Pairing<'_>) -> impl Iterator<Item = &'static str> {
    OF_PAIRING.into_iter().filter(|(_, bars)| bars(pairing)).map(|(name, _)| name)
}

/// What serving a job then costs, whoever does it.
#[must_use]
pub(crate) fn service(service: &Service<'_>) -> f64 {
    OF_SERVICE.iter().map(|(_, price)| price(service)).sum()
}

/// What a stop costs.
#[must_use]
pub(crate) fn visit(visit: &Visit<'_>) -> f64 {
    service(&visit.service) + OF_VISIT.iter().map(|(_, price)| price(visit)).sum::<f64>()
}

/// What each rule charges for a stop; rules that charge nothing are left out.
pub(crate) fn charges(visit: &Visit<'_>) -> impl Iterator<Item = (&'static str, f64)> {
    let by_service = OF_SERVICE.map(|(name, price)| (name, price(&visit.service)));
    let by_visit = OF_VISIT.map(|(name, price)| (name, price(visit)));
    by_service.into_iter().chain(by_visit).filter(|(_, price)| *price != 0.0)
}

#[cfg(test)]
pub(crate) mod tests;
