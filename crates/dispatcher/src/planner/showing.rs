//! The plan as others see it: routes with times, the waiting tickets with their reasons, and the plan's hash.

use std::collections::BTreeMap;

use switchboard_domain::{Timestamp, ticket::TicketId};

use super::{
    Planner,
    fingerprint::{self, blend},
    job_index::Place,
    offering::rests,
    roster::Member,
};
use crate::{
    board::{Board, Crew, Job},
    plan::{Plan, Stop, Waits},
    rules::{self, presence, refusal, shift, skill, stability, territory},
    scene::Terms,
};

impl Planner {
    /// The plan of the last `settle` call, with times as of `now`.
    #[must_use]
    pub fn snapshot(&self, board: &Board, now: Timestamp) -> Plan {
        let minutes = self.minutes(now);
        let terms = self.terms(minutes);
        let walk = self.walk(&terms);
        let mut routes = BTreeMap::new();
        let mut price = 0.0;
        for member in self.roster.members.iter().filter(|member| !member.route.is_empty()) {
            let mut stops = Vec::with_capacity(member.route.len());
            walk.visits(&walk.start(&member.team), &member.route, |job, visit| {
                price += rules::visit(visit);
                stops.push(Stop {
                    ticket: self.job_index.entry(job).ticket,
                    arrives: self.instant(visit.service.arrives),
                    done: self.instant(visit.service.done),
                });
            });
            routes.insert(member.id.clone(), stops);
        }
        let mut waiting = BTreeMap::new();
        if self.frame.is_none() {
            let open = board.jobs.values().filter(|job| job.needs_crew());
            waiting.extend(open.map(|job| (job.ticket, Waits::NoTerritory)));
        }
        // Waiting tickets of the same unit and skills have the same reason, unless a crew is excluded from them.
        let free = self.free(board, now);
        let mut known = BTreeMap::new();
        for (ticket, &job) in &self.job_index.index {
            let entry = self.job_index.entry(job);
            if entry.early {
                waiting.insert(*ticket, Waits::Appointment);
            }
            if entry.open && !matches!(entry.place, Place::Routed(_)) {
                price += rules::service(&terms.left_out(self.job_index.task(job)));
                let alike = entry.place == Place::Waiting && entry.excluded.is_empty() && entry.left.is_empty();
                let why = if alike && entry.pinned.is_none() {
                    let (why, free) = known.entry((entry.unit, entry.needs)).or_insert_with(|| {
                        let may = free.iter().copied().filter(|team| self.roster.member(*team).may(entry, minutes));
                        (self.last_hurdle(board, job, now), may.collect::<Vec<u32>>())
                    });
                    self.unless_overlooked(*why, free, &terms, job)
                } else {
                    self.waits_beside(&free, board, *ticket, now)
                };
                waiting.insert(*ticket, why);
            }
        }
        Plan { at: now, storm: self.storm, hash: self.hash(), price, routes, waiting }
    }

    /// A hash of the routes and the waiting tickets. Not cryptographic: an attacker who can choose ticket ids can make
    /// two plans with equal hashes.
    #[must_use]
    pub(crate) fn hash(&self) -> String {
        self.name.get_or_init(|| self.named()).clone()
    }

    /// Computes the plan's hash.
    pub(super) fn named(&self) -> String {
        let mut hash = 0;
        for &team in self.roster.index.values() {
            let member = self.roster.member(team);
            if !member.route.is_empty() {
                hash = blend(hash, member.fingerprint);
                let tickets = member.route.iter().map(|job| self.job_index.entry(*job).ticket);
                hash = tickets.fold(hash, |hash, ticket| blend(hash, fingerprint::of_ticket(ticket)));
            }
        }
        hash = blend(hash, self.job_index.waiting);
        format!("{:016x}", hash)
    }

    /// Why this ticket waits.
    #[must_use]
    pub fn waits(&self, board: &Board, ticket: TicketId, now: Timestamp) -> Waits {
        self.waits_beside(&self.free(board, now), board, ticket, now)
    }

    /// Why this ticket waits, when `free` are the crews without a stop that may get an offer.
    fn waits_beside(&self, free: &[u32], board: &Board, ticket: TicketId, now: Timestamp) -> Waits {
        let Some(&job) = self.job_index.index.get(&ticket) else {
            let open = board.jobs.get(&ticket).is_some_and(Job::needs_crew);
            return match (open, self.frame.is_some()) {
                (false, _) => Waits::NotOpen,
                (true, true) => Waits::NotTried,
                // Neither a crew nor a position is known.
                (true, false) => Waits::NoTerritory,
            };
        };
        let entry = self.job_index.entry(job);
        if entry.has.is_some() {
            return Waits::Assigned;
        }
        if entry.early {
            return Waits::Appointment;
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
        match entry.pinned {
            Some((team, _)) => self.waits_for_chosen(board, team, job, now),
            None => {
                let terms = self.terms(self.minutes(now));
                self.unless_overlooked(self.last_hurdle(board, job, now), free, &terms, job)
            }
        }
    }

    fn waits_in_route(&self, board: &Board, team: u32, job: u32, now: Timestamp) -> Waits {
        let member = self.roster.member(team);
        let Some(crew) = board.crews.get(&member.id) else { return Waits::Planned };
        if self.is_offerable(crew, now) && member.route.first() == Some(&job) {
            return Waits::Ready;
        }
        let otherwise = if self.job_index.entry(job).pinned.is_some() { Waits::PinnedCrewBusy } else { Waits::Planned };
        self.out_of_reach(crew, now).unwrap_or(otherwise)
    }

    fn waits_for_chosen(&self, board: &Board, team: u32, job: u32, now: Timestamp) -> Waits {
        let member = self.roster.member(team);
        if !board.crews.contains_key(&member.id) {
            return Waits::PinnedCrewGone;
        }
        match self.hurdle(board, member, job, now) {
            Waits::AllBusy if self.job_index.is_untried(job) => Waits::NotTried,
            Waits::AllBusy => Waits::PinnedCrewBusy,
            why => why,
        }
    }

    /// The latest reason, in the order of `Waits`, that excludes a crew that serves the job's unit. Crews of other
    /// units do not count.
    fn last_hurdle(&self, board: &Board, job: u32, now: Timestamp) -> Waits {
        let unit = self.job_index.entry(job).unit;
        let mut last = Waits::NoTerritory;
        let works_there = |member: &&Member| member.serves(unit) && board.crews.contains_key(&member.id);
        for member in self.roster.members.iter().filter(works_there) {
            last = last.max(self.hurdle(board, member, job, now));
            if last == Waits::AllBusy {
                break;
            }
        }
        last
    }

    /// The first reason, in the order of `Waits`, that excludes this crew.
    fn hurdle(&self, board: &Board, member: &Member, job: u32, now: Timestamp) -> Waits {
        let pairing = member.pairing(self.job_index.entry(job), self.minutes(now));
        if territory::bars(&pairing) {
            Waits::NoTerritory
        } else if !member.on_shift || shift::bars(&pairing) {
            Waits::NoCrewOnShift
        } else if skill::bars(&pairing) {
            Waits::NoSkill
        } else if refusal::bars(&pairing) || stability::bars(&pairing) {
            Waits::Excluded
        } else {
            let crew = board.crews.get(&member.id);
            crew.and_then(|crew| self.out_of_reach(crew, now)).unwrap_or(Waits::AllBusy)
        }
    }

    /// `Resting` if the crew is away, or free and on a break; `Silent` if it is free and silent; otherwise `None`.
    fn out_of_reach(&self, crew: &Crew, now: Timestamp) -> Option<Waits> {
        let free = crew.committed.is_empty() && crew.reserved.is_none();
        if crew.away.is_some() || free && rests(crew, now) {
            Some(Waits::Resting)
        } else {
            (free && presence::is_silent(&self.policy.offers, crew, now)).then_some(Waits::Silent)
        }
    }

    /// The crews without a stop that may get an offer now.
    fn free(&self, board: &Board, now: Timestamp) -> Vec<u32> {
        let idle = self.roster.idle.iter().copied().filter(|team| self.roster.member(*team).route.is_empty());
        let crew = |team: &u32| board.crews.get(&self.roster.member(*team).id);
        idle.filter(|team| crew(team).is_some_and(|crew| self.is_offerable(crew, now))).collect()
    }

    /// Corrects `AllBusy` if one of the free crews may serve the job: `NotTried` when the crew would arrive within its
    /// shift, otherwise `ShiftTooShort`. Other reasons stay.
    fn unless_overlooked(&self, why: Waits, free: &[u32], terms: &Terms, job: u32) -> Waits {
        if why != Waits::AllBusy {
            return why;
        }
        let entry = self.job_index.entry(job);
        let mut found = why;
        for team in free.iter().filter(|team| self.roster.member(**team).may(entry, terms.now)) {
            if self.reaches(terms, *team, job) {
                return Waits::NotTried;
            }
            found = Waits::ShiftTooShort;
        }
        found
    }
}
