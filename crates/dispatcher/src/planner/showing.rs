//! The plan as others see it: routes with times, who waits for what, and the plan's name.

use std::collections::BTreeMap;

use switchboard_domain::{Timestamp, ticket::TicketId};

use super::{
    Planner,
    book::{Place, blend, fingerprint},
};
use crate::{
    board::Board,
    model::Walk,
    plan::{Plan, Stop, Waits},
    rules::{self, presence, shift, skill},
    scene::NONE,
};

impl Planner {
    /// The plan as it stands, as of the last settling.
    #[must_use]
    pub fn snapshot(&self, board: &Board, now: Timestamp) -> Plan {
        let minutes = self.minutes(now);
        let terms = self.terms(minutes);
        let walk = Walk { terms: &terms, tasks: &self.book.tasks };
        let mut routes = BTreeMap::new();
        let mut price = 0.0;
        for member in self.roster.members.iter().filter(|member| !member.route.is_empty()) {
            let mut stops = Vec::with_capacity(member.route.len());
            walk.visits(&walk.start(&member.team), &member.route, |job, visit| {
                price += rules::visit(visit);
                stops.push(Stop {
                    ticket: self.book.entry(job).ticket,
                    arrives: self.instant(visit.service.arrives),
                    done: self.instant(visit.service.done),
                });
            });
            routes.insert(member.id.clone(), stops);
        }
        let mut waiting = BTreeMap::new();
        // Most tickets wait for the same reason as others of their unit and skills, unless some crew is excluded from
        // them.
        let mut known = BTreeMap::new();
        for (ticket, &job) in &self.book.index {
            let entry = self.book.entry(job);
            if entry.open && !matches!(entry.place, Place::Routed(_)) {
                price += rules::service(&terms.left_out(self.book.task(job)));
                let alike = entry.place == Place::Waiting && entry.excluded.is_empty() && entry.left.is_empty();
                let why = || self.waits(board, *ticket, now);
                let why = if alike && entry.pinned.is_none() {
                    *known.entry((entry.unit, entry.needs)).or_insert_with(why)
                } else {
                    why()
                };
                waiting.insert(*ticket, why);
            }
        }
        Plan { at: now, storm: self.storm, hash: self.hash(), price, routes, waiting }
    }

    /// Names the routes and who waits. Not for secrets: whoever can choose tickets' identities can make two plans of
    /// one name.
    #[must_use]
    pub(crate) fn hash(&self) -> String {
        let mut hash = 0;
        for &team in self.roster.index.values() {
            let member = self.roster.member(team);
            if !member.route.is_empty() {
                hash = blend(hash, member.print);
                hash =
                    member.route.iter().fold(hash, |hash, job| blend(hash, fingerprint(self.book.entry(*job).ticket)));
            }
        }
        hash = blend(hash, self.book.waiting);
        format!("{:016x}", hash)
    }

    /// What this ticket waits for.
    #[must_use]
    pub fn waits(&self, board: &Board, ticket: TicketId, now: Timestamp) -> Waits {
        let Some(&job) = self.book.index.get(&ticket) else { return Waits::NotOpen };
        let entry = self.book.entry(job);
        if entry.has != NONE {
            return Waits::Assigned;
        }
        if !entry.open {
            return Waits::NotOpen;
        }
        if !entry.asked.is_empty() {
            return Waits::Offered;
        }
        match entry.place {
            Place::Held => return Waits::HeldForNeighbours,
            Place::Routed(team) => return self.waits_in_route(board, team, job, now),
            Place::Closed | Place::Waiting => {}
        }
        if entry.pinned.is_some() { Waits::PinnedCrewBusy } else { self.waits_for_anybody(board, job, now) }
    }

    fn waits_in_route(&self, board: &Board, team: u32, job: u32, now: Timestamp) -> Waits {
        let member = self.roster.member(team);
        let offerable = board.crews.get(&member.id).is_some_and(|crew| self.is_offerable(crew, now));
        match (offerable && member.route.first() == Some(&job), self.book.entry(job).pinned.is_some()) {
            (true, _) => Waits::Ready,
            (false, true) => Waits::PinnedCrewBusy,
            (false, false) => Waits::Planned,
        }
    }

    /// The last hurdle that some crew fell at, of those that each crew takes in the same order.
    fn waits_for_anybody(&self, board: &Board, job: u32, now: Timestamp) -> Waits {
        const HURDLES: [Waits; 6] =
            [Waits::NoCrewOnShift, Waits::NoSkill, Waits::NoTerritory, Waits::Excluded, Waits::Silent, Waits::AllBusy];
        let (entry, minutes) = (self.book.entry(job), self.minutes(now));
        let mut highest = 0;
        for member in &self.roster.members {
            let vetoes = member.vetoes(entry, minutes);
            let vetoed = |name| vetoes.iter().any(|(rule, forbids)| *rule == name && *forbids);
            let silent = || {
                let crew = board.crews.get(&member.id);
                crew.is_some_and(|crew| presence::is_silent(&self.policy.offers, crew, now))
            };
            let taken = if !member.on_shift || vetoed(shift::NAME) {
                0
            } else if vetoed(skill::NAME) {
                1
            } else if vetoed(rules::territory::NAME) {
                2
            } else if vetoed(rules::refusal::NAME) || vetoed(rules::stability::NAME) {
                3
            } else if vetoed(presence::NAME) && silent() {
                4
            } else {
                return Waits::AllBusy;
            };
            highest = highest.max(taken);
        }
        HURDLES[highest]
    }
}
