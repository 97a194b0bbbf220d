//! The evaluation of one crew for one ticket: the prices of its visit by rule, and the cost for the crew's other stops.

use std::collections::BTreeMap;

use super::{Planner, job_index::Place};
use crate::{
    explain::Weighed,
    model::Memory,
    rules::{self, shift, workload},
};

impl Planner {
    /// Evaluates one crew for one job.
    pub(super) fn weigh_one(&self, job: u32, team: u32, now: f64) -> Weighed {
        let member = self.roster.member(team);
        let mut vetoes: Vec<&'static str> = rules::vetoes(&member.pairing(self.job_index.entry(job), now)).collect();
        let mut weighed = Weighed {
            crew: member.id.clone(),
            price: f64::INFINITY,
            prices: BTreeMap::new(),
            vetoes: Vec::new(),
            arrives: None,
        };
        if vetoes.is_empty() {
            match self.route_with(job, team, now) {
                Some(route) => self.charge(&mut weighed, job, team, &route, now),
                None => vetoes.push(shift::NAME),
            }
        }
        weighed.vetoes = vetoes;
        weighed
    }

    /// The crew's route with the job: as it is, or with the job at its cheapest position. `None` when no arrival is
    /// permitted.
    fn route_with(&self, job: u32, team: u32, now: f64) -> Option<Vec<u32>> {
        let mut route = self.roster.member(team).route.clone();
        if self.job_index.entry(job).place != Place::Routed(team) {
            let terms = self.terms(now);
            let slot = self.best_slot(&terms, team, job, &mut Memory::default())?;
            if slot.ejects {
                route.pop();
            }
            route.insert(slot.at, job);
        }
        Some(route)
    }

    /// The cost of the job in this route: its own prices, and the rest of the rise in price.
    fn charge(&self, weighed: &mut Weighed, job: u32, team: u32, route: &[u32], now: f64) {
        let (terms, mut memory) = (self.terms(now), Memory::default());
        let member = self.roster.member(team);
        let walk = self.walk(&terms);
        let mut own = 0.0;
        let mut with = 0.0;
        walk.visits(&walk.start(&member.team), route, |stop, visit| {
            with += rules::visit(visit);
            if stop == job {
                own = rules::visit(visit);
                weighed.prices.extend(rules::charges(visit));
                weighed.arrives = Some(self.instant(visit.service.arrives));
            }
        });
        let before: Vec<u32> = member.route.iter().copied().filter(|stop| *stop != job).collect();
        let without = self.price(&terms, team, &before, &mut memory);
        // A stop that is ejected from the full route costs the price of leaving it out.
        let ejected = before.iter().filter(|stop| !route.contains(stop));
        let left_out: f64 = ejected.map(|stop| rules::service(&terms.left_out(self.job_index.task(*stop)))).sum();
        let others = workload::price(with + left_out - without, own);
        if others.abs() > f64::EPSILON * with.abs() {
            weighed.prices.insert(workload::NAME, others);
        }
        weighed.price = weighed.prices.values().sum();
    }
}
