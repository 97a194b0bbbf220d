//! The planner's crews under dense numbers, with their routes.

use std::collections::{BTreeMap, BTreeSet};

use switchboard_domain::{
    Timestamp,
    crew::{CrewId, Point, Skills},
    organisation::OrgPath,
    ticket::TicketId,
};

use super::{
    demand::{Call, Demand},
    fingerprint,
    job_index::Entry,
};
use crate::{
    board::{Board, Crew, Job},
    repair,
    rules::{self, presence, shift, skill, territory},
    scene::{Frame, Pairing, State, Task, Team, Terms},
    travel::Spot,
};

/// Rough driving minutes per straight kilometre, for the choice of candidates.
pub const KM_MINUTES: f64 = 2.5;

/// The planner's data on a crew.
#[derive(Clone, Debug)]
pub struct Member {
    /// The crew.
    pub id: CrewId,
    /// The crew as prices use it.
    pub team: Team,
    /// True if the crew has a current shift and its planned end has not passed.
    pub on_shift: bool,
    /// True if the crew is on the roster and neither away nor silent.
    pub present: bool,
    /// True if the crew is free and may be planned: no commitment, no reservation.
    pub idle: bool,
    /// The ticket that it is reserved for.
    pub reserved: Option<TicketId>,
    /// Its last known position.
    pub at: Spot,
    /// Its position while it is on its way to its only ticket.
    pub on_its_way: Option<Spot>,
    /// For each unit number, true if the crew serves the unit's tickets.
    serves: Vec<bool>,
    /// Minutes on site in this shift.
    pub worked: f64,
    /// The crew's fingerprint.
    pub fingerprint: u64,
    /// Its stops; pinned ones first.
    pub route: Vec<u32>,
    territory: Vec<OrgPath>,
}

impl Member {
    /// True if routes are planned for the crew: it is present and on shift.
    pub fn is_planned(&self, now: f64) -> bool {
        self.present && !shift::forbids(&self.team, now)
    }

    /// The crew and a job, as the hard rules see them.
    pub fn pairing<'a>(&'a self, entry: &'a Entry, now: f64) -> Pairing<'a> {
        Pairing {
            now,
            team: &self.team,
            present: self.present,
            serves: self.serves(entry.unit),
            needs: entry.needs,
            chosen: entry.pinned.as_ref().map(|(crew, _)| *crew),
            excluded: &entry.excluded,
            left: &entry.left,
        }
    }

    /// True if the hard rules permit the crew for the job; the arrival is not checked.
    pub fn may(&self, entry: &Entry, now: f64) -> bool {
        rules::allow(&self.pairing(entry, now))
    }

    /// True if the crew serves the unit's tickets.
    pub fn serves(&self, unit: u32) -> bool {
        self.serves.get(unit as usize).copied().unwrap_or(false)
    }

    /// True if the crew serves the unit's tickets and has these skills.
    pub fn fits(&self, unit: u32, needs: Skills) -> bool {
        self.serves(unit) && !skill::forbids(self.team.skills, needs)
    }

    /// A rough arrival, in minutes of the time axis. An unknown position counts as distance 0.
    pub fn rough_arrival(&self, spot: Option<Spot>, now: f64) -> f64 {
        let km = spot.map_or(0.0, |spot| spot.km(self.team.spot));
        self.team.ready.max(now) + km * KM_MINUTES
    }

    /// Extends `serves` by the units that it lacks.
    fn learn(&mut self, units: &[OrgPath]) {
        let new = units.get(self.serves.len()..).unwrap_or_default();
        let serves = new.iter().map(|unit| !territory::forbids(self.id.org(), &self.territory, unit));
        self.serves.extend(serves);
    }
}

/// The crews on shift with the same skills: their number, and the sum of their minutes on site.
#[derive(Clone, Copy, Debug, Default)]
struct Class {
    crews: u32,
    worked: f64,
}

/// The planner's crews. A crew keeps its number for ever.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    /// The number of each crew.
    pub index: BTreeMap<CrewId, u32>,
    /// The crews by number.
    pub members: Vec<Member>,
    /// The idle crews.
    pub idle: BTreeSet<u32>,
    /// The crews on their way to their only ticket.
    pub on_its_way: BTreeSet<u32>,
    /// The number of crews on shift.
    pub on_shift: usize,
    /// The crews reserved for each ticket.
    pub reserved: BTreeMap<TicketId, BTreeSet<u32>>,
    /// The recent tickets, and how idle crews cover them.
    demand: Demand,
    classes: BTreeMap<Skills, Class>,
    /// The number of units that every member's `serves` includes.
    units_known: usize,
}

impl Roster {
    /// The number of a crew; assigns one if it has none.
    pub fn number(&mut self, id: &CrewId) -> u32 {
        if let Some(known) = self.index.get(id) {
            return *known;
        }
        let index = self.members.len() as u32;
        let team = Team {
            index,
            spot: Spot::default(),
            ready: 0.0,
            variance: 0.0,
            skills: Skills::NONE,
            until: f64::NEG_INFINITY,
            breaks: Vec::new(),
            unfair: 0.0,
            missed: 0.0,
        };
        self.members.push(Member {
            id: id.clone(),
            team,
            on_shift: false,
            present: false,
            idle: false,
            reserved: None,
            at: Spot::default(),
            on_its_way: None,
            serves: Vec::new(),
            worked: 0.0,
            fingerprint: fingerprint::of_crew(id),
            route: Vec::new(),
            territory: Vec::new(),
        });
        self.index.insert(id.clone(), index);
        index
    }

    /// The data on a crew.
    pub fn member(&self, team: u32) -> &Member {
        &self.members[team as usize]
    }

    /// Takes over the board's state of a crew, `None` when it is no longer on the board. The route stays.
    pub fn take(&mut self, number: u32, crew: Option<&Crew>, board: &Board, frame: &Frame, terms: &Terms) {
        self.leave(number);
        let member = &mut self.members[number as usize];
        let now = frame.instant(terms.now);
        match crew {
            Some(crew) => {
                if member.territory != crew.territory {
                    member.territory.clone_from(&crew.territory);
                    member.serves.clear();
                }
                member.on_shift = crew.shift.as_ref().is_some_and(|shift| shift.until > now);
                member.present = !presence::forbids(&terms.policy.offers, crew, now);
                member.worked = crew.worked_minutes;
                member.reserved = crew.reserved.as_ref().map(|kept| kept.ticket);
                member.team.skills = crew.skills;
                member.team.until = crew.shift.as_ref().map_or(f64::NEG_INFINITY, |shift| frame.minutes(shift.until));
                let breaks = crew.shift.iter().flat_map(|shift| &shift.breaks);
                member.team.breaks = breaks.map(|rest| (frame.minutes(rest.from), frame.minutes(rest.until))).collect();
                let free = crew.committed.is_empty() && crew.reserved.is_none();
                member.idle = free && member.is_planned(terms.now);
                member.at = frame.plane().spot(crew.at);
                member.on_its_way = on_its_way(board, crew).map(|_| member.at);
                let state = free_at(crew, board, frame, terms);
                if let Some(spot) = state.spot {
                    member.team.spot = spot;
                }
                // An idle crew is ready at any time. Minus infinity lets `now` decide, which moves on.
                member.team.ready = if free { f64::NEG_INFINITY } else { state.free };
                member.team.variance = state.variance;
            }
            None => {
                member.on_shift = false;
                member.present = false;
                member.idle = false;
                member.reserved = None;
                member.on_its_way = None;
                member.team.until = f64::NEG_INFINITY;
            }
        }
        self.enter(number);
    }

    /// Extends `serves` by new units: of all members when there are new units, otherwise of the members in `taken`.
    pub fn learn(&mut self, units: &[OrgPath], taken: &[u32]) {
        if units.len() > self.units_known {
            self.members.iter_mut().for_each(|member| member.learn(units));
            self.units_known = units.len();
        } else {
            taken.iter().for_each(|team| self.members[*team as usize].learn(units));
        }
    }

    /// Adds a crew to the counts and indexes.
    fn enter(&mut self, number: u32) {
        let member = &self.members[number as usize];
        let Team { spot, skills, .. } = member.team;
        if member.on_shift {
            let class = self.classes.entry(skills).or_default();
            class.crews += 1;
            class.worked += member.worked;
            self.on_shift += 1;
        }
        if member.idle {
            self.idle.insert(number);
            self.demand.appear(spot, skills);
        }
        if member.on_its_way.is_some() {
            self.on_its_way.insert(number);
        }
        if let Some(ticket) = member.reserved {
            self.reserved.entry(ticket).or_default().insert(number);
        }
    }

    /// Removes a crew from the counts and indexes. Call it before the crew changes, because they depend on its old
    /// state.
    fn leave(&mut self, number: u32) {
        let member = &self.members[number as usize];
        let Team { spot, skills, .. } = member.team;
        if member.on_shift {
            let class = self.classes.entry(skills).or_default();
            class.crews -= 1;
            class.worked -= member.worked;
            self.on_shift -= 1;
        }
        if member.idle {
            self.idle.remove(&number);
            self.demand.vanish(spot, skills);
        }
        self.on_its_way.remove(&number);
        if let Some(ticket) = member.reserved
            && let Some(kept) = self.reserved.get_mut(&ticket)
        {
            kept.remove(&number);
            if kept.is_empty() {
                self.reserved.remove(&ticket);
            }
        }
    }

    /// The mean minutes on site of crews on shift with these skills.
    pub fn mean_worked(&self, skills: Skills) -> f64 {
        self.classes.get(&skills).map_or(0.0, |class| class.worked / f64::from(class.crews.max(1)))
    }

    /// Records a ticket as demand.
    pub fn note(&mut self, call: Call) {
        let idle = self.idle.iter().map(|team| &self.members[*team as usize].team);
        self.demand.note(call, idle.map(|team| (team.spot, team.skills)));
    }

    /// The tickets that would find no free crew in reach without this idle crew, out of as many tickets as crews are on
    /// shift.
    pub fn missed(&self, team: u32) -> f64 {
        let on_shift = self.on_shift.max(1) as f64;
        let busy = 1.0 - (self.idle.len() as f64 / on_shift).min(1.0);
        let team = &self.member(team).team;
        on_shift * self.demand.share(team.spot, team.skills, busy)
    }

    /// The crews reserved for a ticket.
    pub fn reserved_for(&self, ticket: TicketId) -> impl Iterator<Item = u32> {
        self.reserved.get(&ticket).into_iter().flatten().copied()
    }
}

/// The only job of a crew that is on its way to it. `None` if a person assigned the job to the crew or pinned it.
pub fn on_its_way<'b>(board: &'b Board, crew: &Crew) -> Option<&'b Job> {
    let [(ticket, _)] = crew.committed.as_slice() else { return None };
    let job = board.jobs.get(ticket)?;
    let has = job.crew.as_ref()?;
    let under_way = has.crew == crew.id && has.offer.is_some() && has.arrived.is_none() && has.restored.is_none();
    (under_way && crew.reserved.is_none() && job.pinned.is_none()).then_some(job)
}

/// The position and the time at which the crew will be free: after its present work, then the ticket that it is
/// reserved for.
fn free_at(crew: &Crew, board: &Board, frame: &Frame, terms: &Terms) -> State {
    let spot = |point: Point| frame.plane().spot(point);
    let mut state = State { spot: Some(spot(crew.at)), free: terms.now, variance: 0.0 };
    let reserved = crew.reserved.as_ref().map(|kept| kept.ticket);
    for ticket in crew.committed.iter().map(|(ticket, _)| *ticket).chain(reserved) {
        let Some(job) = board.jobs.get(&ticket) else {
            // Other work on site, which is not on the board: assume a repair of the largest customer band.
            state.free += terms.policy.repair_minutes(u32::MAX) * terms.policy.repair.planned;
            continue;
        };
        let task = Task::of(&terms.policy, frame, job);
        let own = job.crew.as_ref().filter(|has| has.crew == crew.id);
        let since = |at: Timestamp| (terms.now - frame.minutes(at)).max(0.0);
        if own.is_some_and(|has| has.restored.is_some()) {
            state.spot = task.spot.or(state.spot);
        } else if let Some(arrived) = own.and_then(|has| has.arrived) {
            let repair = &terms.policy.repair;
            let left = repair::remaining(repair, terms.policy.repair_minutes(job.customers), since(arrived));
            let spread = repair::spread(repair, left);
            let variance = state.variance + spread * spread;
            state = State { spot: task.spot.or(state.spot), free: state.free + left * repair.planned, variance };
        } else {
            let leg = terms.leg(state.spot, &task);
            let variance = state.variance + task.repair_spread * task.repair_spread;
            state = State { spot: task.spot.or(state.spot), free: state.free + leg + task.repair, variance };
        }
    }
    state
}
