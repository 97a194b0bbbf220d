//! How facts become a board: the state of every open ticket and every crew, folded by the domain's own `evolve`, and what the
//! planner sees of them. Total: whatever was recorded, there is a fold after it. Nothing is chosen here.
//!
//! Bounded by open work: a ticket that has ended is forgotten, and told again if it is taken up again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use switchboard_domain::{
    Timestamp,
    actor::Role,
    crew::{self, CrewId, OfferEnd, OfferId, Point, ReleaseReason},
    fact::{CrewFact, Fact, TicketFact},
    ticket::{
        self, Area, BusinessType, Escalation, Event, Move, Stage, Ticket, TicketId, Urgency, event::Received, legal,
    },
};

use crate::{
    board::{Assigned, Board, Concerns, Crew, Job, LiveOffer, Reserved, Shift},
    policy::Policy,
};

/// How many ended offers of one ticket are remembered with how they ended.
const ENDED_OFFERS_MAX: usize = 8;
/// Tickets that weigh more because of what they are about have this word in their category: a wire down (断线).
const WIRE_DOWN: &str = "\u{65ad}\u{7ebf}";

/// What is known of an open ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// As decisions see it.
    pub ticket: Ticket,
    /// The number that people use.
    pub number: String,
    at: Option<Point>,
    area: Option<Area>,
    customers: u32,
    important: bool,
    pressed: bool,
    turned_down: BTreeMap<CrewId, (Timestamp, OfferEnd)>,
    /// Crews whose offer the ticket would not take, as of which of its facts, and when. Not from the log, and void with its next
    /// fact.
    #[serde(skip)]
    unfit: BTreeMap<CrewId, (u64, Timestamp)>,
    ended: Vec<(OfferId, OfferEnd)>,
    offered: BTreeMap<OfferId, u64>,
    crew_since: u64,
    left: BTreeMap<CrewId, ReleaseReason>,
    diverted: Option<Timestamp>,
    /// Position of its last fact.
    pub position: u64,
}

/// What is known of a crew beside its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// As decisions see it.
    pub crew: crew::Crew,
    at: Point,
    at_since: Timestamp,
    seen: Timestamp,
    worked_seconds: i64,
    reserved_forced: Option<crew::Forced>,
    reserved_priority: bool,
    reserved_because: u64,
    committed_because: BTreeMap<TicketId, u64>,
    /// Position of its last fact.
    pub position: u64,
}

/// Everything that the dispatcher remembers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fold {
    cases: BTreeMap<TicketId, Case>,
    members: BTreeMap<CrewId, Member>,
    /// Which crews' time is taken for a ticket, by a reservation or a commitment.
    taken: BTreeMap<TicketId, BTreeSet<CrewId>>,
    position: u64,
}

/// What one fact changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// These tickets.
    pub tickets: BTreeSet<TicketId>,
    /// These crews.
    pub crews: BTreeSet<CrewId>,
}

impl Fold {
    /// Position of the last fact that it was told.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.position
    }

    /// A ticket that is open.
    #[must_use]
    pub fn case(&self, ticket: TicketId) -> Option<&Case> {
        self.cases.get(&ticket)
    }

    /// A crew of the roster.
    #[must_use]
    pub fn member(&self, crew: &CrewId) -> Option<&Member> {
        self.members.get(crew)
    }

    /// The crews.
    pub fn members(&self) -> impl Iterator<Item = (&CrewId, &Member)> {
        self.members.iter()
    }

    /// The tickets that are open.
    pub fn cases(&self) -> impl Iterator<Item = (&TicketId, &Case)> {
        self.cases.iter()
    }

    /// The crews whose time is taken for a ticket.
    #[must_use]
    pub fn taken_for(&self, ticket: TicketId) -> Vec<CrewId> {
        self.taken.get(&ticket).into_iter().flatten().cloned().collect()
    }

    /// The ticket that is to be told again before `fact`: it had ended, and is taken up again.
    #[must_use]
    pub fn forgotten(&self, fact: &Fact) -> Option<TicketId> {
        let fact = fact.ticket()?;
        let again = fact.revision > 0 && matches!(fact.event, Event::Reopened(_));
        (again && !self.cases.contains_key(&fact.id)).then_some(fact.id)
    }

    /// Takes the next fact into account; or one that it was told before, of a ticket that it let go.
    pub fn apply(&mut self, fact: &Fact) -> Touched {
        let again = fact.position() <= self.position;
        self.position = self.position.max(fact.position());
        match fact {
            Fact::Ticket(fact) => self.take_ticket(fact, again),
            Fact::Crew(fact) => self.take_crew(fact),
            Fact::Promise(_) | Fact::Policy(_) | Fact::Year(_) => Touched::default(),
        }
    }

    /// Takes telemetry into account: the crew was heard of, perhaps with its position. Older news is no news.
    pub fn heard(&mut self, crew: &CrewId, at: Option<(Point, Timestamp)>, seen: Timestamp) -> bool {
        let Some(member) = self.members.get_mut(crew) else { return false };
        member.seen = member.seen.max(seen);
        if let Some((point, when)) = at.filter(|(_, when)| *when >= member.at_since) {
            (member.at, member.at_since) = (point, when);
        }
        true
    }

    fn take_ticket(&mut self, fact: &TicketFact, again: bool) -> Touched {
        let mut touched = Touched { tickets: BTreeSet::from([fact.id]), crews: BTreeSet::new() };
        let known = self.cases.remove(&fact.id);
        let before = known.as_ref().and_then(|case| case.ticket.holder().and_then(CrewId::of));
        touched.crews.extend(before.clone());
        touched.crews.extend(self.taken.get(&fact.id).into_iter().flatten().cloned());
        let case = match (known, &fact.event) {
            (None, Event::Received(received)) => Case::opened(received, fact),
            (None, _) => None,
            (Some(case), _) => Some(case.after(fact, before.as_ref())),
        };
        if !again {
            self.notice_crew(fact, case.as_ref());
        }
        // A history that is told again ends with the fact that takes the ticket up: until then it is kept, though it has ended.
        if let Some(case) = case.filter(|case| again || case.is_open()) {
            touched.crews.extend(case.ticket.holder().and_then(CrewId::of));
            self.cases.insert(fact.id, case);
        }
        touched
    }

    /// What a ticket's fact says about the crew that reported it: it was heard of, and where it is.
    fn notice_crew(&mut self, fact: &TicketFact, case: Option<&Case>) {
        let Some(member) = CrewId::of(&fact.actor.org).and_then(|crew| self.members.get_mut(&crew)) else { return };
        if fact.actor.role != Role::Crew {
            return;
        }
        member.seen = member.seen.max(fact.recorded_at);
        let Some(case) = case else { return };
        let here = matches!(fact.event, Event::CrewArrived(_) | Event::CrewRestored(_));
        if let Some(at) = case.at.filter(|_| here && fact.occurred_at >= member.at_since) {
            (member.at, member.at_since) = (at, fact.occurred_at);
        }
        // Of a crew that has it no longer, the sheet is not the ticket's.
        let has = case.ticket.holder() == Some(&fact.actor.org);
        if let (Event::CrewRestored(_), Some(arrived), true) = (&fact.event, case.ticket.crew.arrived, has) {
            let worked = (fact.occurred_at - arrived).num_seconds().max(0);
            member.worked_seconds = member.worked_seconds.saturating_add(worked);
        }
    }

    fn take_crew(&mut self, fact: &CrewFact) -> Touched {
        let mut touched = Touched { tickets: BTreeSet::new(), crews: BTreeSet::from([fact.id.clone()]) };
        let known = self.members.remove(&fact.id);
        if known.is_none() && !matches!(fact.event, crew::Event::Enrolled(_)) {
            return touched;
        }
        let (state, rest) = match known {
            Some(member) => (Some(member.crew.clone()), Some(member)),
            None => (None, None),
        };
        let Some(crew) = crew::evolve(state, &fact.event, fact.occurred_at) else { return touched };
        let mut member = rest.unwrap_or_else(|| Member::new(crew.clone(), fact));
        member.take(crew, fact);
        // What becomes of its tickets hangs on whether it is there.
        touched.tickets.extend(member.crew.commitments.iter().map(|held| held.ticket));
        self.index(&fact.id, &fact.event, &mut touched);
        if matches!(fact.event, crew::Event::Enrolled(_)) {
            // A crew may have tickets from before the roster knew it.
            let has = |case: &Case| case.ticket.holder() == Some(fact.id.org());
            touched.tickets.extend(self.cases.iter().filter(|(_, case)| has(case)).map(|(ticket, _)| *ticket));
        }
        self.members.insert(fact.id.clone(), member);
        touched
    }

    fn index(&mut self, crew: &CrewId, event: &crew::Event, touched: &mut Touched) {
        let ticket = match event {
            crew::Event::Reserved(e) => e.ticket,
            crew::Event::Committed(e) => e.ticket,
            crew::Event::Released(e) => e.ticket,
            _ => return,
        };
        touched.tickets.insert(ticket);
        if matches!(event, crew::Event::Released(_)) {
            if let Some(crews) = self.taken.get_mut(&ticket) {
                crews.remove(crew);
                if crews.is_empty() {
                    self.taken.remove(&ticket);
                }
            }
        } else {
            self.taken.entry(ticket).or_default().insert(crew.clone());
        }
    }
}

impl Case {
    fn opened(received: &Received, fact: &TicketFact) -> Option<Self> {
        let ticket = ticket::evolve(None, &fact.event, fact.occurred_at)?;
        let at = received.place.location_e6.and_then(|(latitude, longitude)| Point::new(latitude, longitude));
        Some(Self {
            ticket,
            number: received.number.clone(),
            at,
            area: received.place.area,
            customers: received.customers_out.unwrap_or(1).max(1),
            important: received.tier == Some(ticket::Tier::A),
            pressed: false,
            turned_down: BTreeMap::new(),
            unfit: BTreeMap::new(),
            ended: Vec::new(),
            offered: BTreeMap::new(),
            crew_since: 0,
            left: BTreeMap::new(),
            diverted: None,
            position: fact.position,
        })
    }

    fn after(mut self, fact: &TicketFact, before: Option<&CrewId>) -> Self {
        match &fact.event {
            Event::Offered(e) => {
                self.offered.insert(e.offer, fact.position);
            }
            Event::OfferEnded(e) => {
                self.turned_down.insert(e.crew.clone(), (fact.occurred_at, e.how));
                if self.ended.len() >= ENDED_OFFERS_MAX {
                    self.ended.remove(0);
                }
                self.ended.push((e.offer, e.how));
            }
            Event::Urged(_) | Event::Supervised(_) => self.pressed = true,
            Event::Escalated(e) if e.to == Escalation::Urgent => self.pressed = true,
            Event::CrewArrived(e) => self.area = e.area.or(self.area),
            Event::HandedOver(e) => {
                self.left.insert(e.crew.clone(), ReleaseReason::HandedOver);
            }
            Event::Recalled(e) => {
                self.left.insert(e.crew.clone(), ReleaseReason::Recalled);
                if fact.actor.role == Role::System {
                    self.diverted = Some(fact.occurred_at);
                }
            }
            _ => {}
        }
        self.position = fact.position;
        let state = ticket::evolve(Some(self.ticket.clone()), &fact.event, fact.occurred_at);
        self.ticket = state.unwrap_or(self.ticket);
        let holder = self.ticket.holder().and_then(CrewId::of);
        if holder.as_ref() != before
            && let Some(holder) = holder
        {
            self.crew_since = fact.position;
            self.left.remove(&holder);
        }
        let live: BTreeSet<OfferId> = self.ticket.offers.iter().map(|live| live.offer).collect();
        self.offered.retain(|offer, _| live.contains(offer));
        self
    }

    /// Whether the dispatcher still has to do with it: before the dispatch nobody knows what it becomes; after it, only a fault
    /// repair is the crews' (故障报修).
    fn is_open(&self) -> bool {
        match self.ticket.stage {
            Stage::Received | Stage::Classified => true,
            Stage::Dispatched | Stage::Accepted | Stage::Replied => self.ticket.business == BusinessType::FaultRepair,
            Stage::AwaitingRevisit | Stage::ReadyToClose | Stage::Closed | Stage::Withdrawn => false,
        }
    }

    /// Whether it may be offered to a crew now.
    #[must_use]
    pub fn may_be_offered(&self) -> bool {
        self.ticket.business == BusinessType::FaultRepair
            && legal(&Some(self.ticket.clone())).contains(Move::Offer)
            && self.ticket.holder().is_some_and(|holder| CrewId::of(holder).is_none())
    }

    /// The crew that works on it: it holds the ticket, and the work is neither done nor waiting.
    #[must_use]
    pub fn worked_by(&self) -> Option<CrewId> {
        let ticket = &self.ticket;
        let at_work = matches!(ticket.stage, Stage::Dispatched | Stage::Accepted)
            && ticket.crew.restored.is_none()
            && ticket.suspended.is_none()
            && !ticket.is_child();
        ticket.holder().and_then(CrewId::of).filter(|_| at_work)
    }

    /// How an offer ended; `None` while it is live or was never made.
    #[must_use]
    pub fn ending(&self, offer: OfferId) -> Option<OfferEnd> {
        self.ended.iter().find(|(ended, _)| *ended == offer).map(|(_, how)| *how)
    }

    /// Why a crew that had it has it no longer.
    #[must_use]
    pub fn left_by(&self, crew: &CrewId) -> ReleaseReason {
        let ticket = &self.ticket;
        if let Some(why) = self.left.get(crew) {
            return *why;
        }
        if ticket.holder() != Some(crew.org()) {
            ReleaseReason::Reassigned
        } else if ticket.crew.restored.is_some() || !matches!(ticket.stage, Stage::Dispatched | Stage::Accepted) {
            ReleaseReason::Done
        } else {
            ReleaseReason::TicketEnded
        }
    }

    /// Position of the fact that made a live offer, or gave it to its crew.
    #[must_use]
    pub fn offered_at(&self, offer: OfferId) -> u64 {
        self.offered.get(&offer).copied().unwrap_or(self.crew_since)
    }

    fn job(&self, id: TicketId, policy: &Policy) -> Option<Job> {
        let ticket = &self.ticket;
        if ticket.business != BusinessType::FaultRepair {
            return None;
        }
        let unit = ticket.holders.iter().rev().find(|unit| CrewId::of(unit).is_none())?;
        let category = ticket.confirmed_category.as_ref().or(ticket.accepted_category.as_ref()).cloned();
        let offers = ticket.offers.iter().map(|live| LiveOffer {
            offer: live.offer,
            crew: live.crew.clone(),
            lease_until: live.lease_until,
            because: self.offered_at(live.offer),
        });
        let crew = ticket.holder().and_then(CrewId::of).map(|crew| Assigned {
            crew,
            since: ticket.crew.assigned.unwrap_or(ticket.received),
            en_route: ticket.crew.en_route,
            arrived: ticket.crew.arrived,
            restored: ticket.crew.restored,
            offer: ticket.taken.as_ref().map(|(offer, _)| *offer),
            because: self.crew_since,
        });
        let wire_down = category.as_ref().is_some_and(|category| category.as_str().contains(WIRE_DOWN));
        Some(Job {
            ticket: id,
            number: self.number.clone(),
            holder: unit.clone(),
            at: self.at,
            area: self.area.unwrap_or(Area::Urban),
            reported: ticket.received,
            category,
            urgency: if wire_down { Urgency::Urgent } else { ticket.urgency },
            customers: self.customers,
            concerns: Concerns { wire_down, important: self.important, pressed: self.pressed },
            needs: ticket.needs,
            pinned: ticket.pinned.clone(),
            excluded: self.excluded(policy),
            attempts: ticket.attempts,
            offers: offers.collect(),
            crew,
            open: self.may_be_offered(),
            diverted: self.diverted,
            because: self.position,
        })
    }

    fn excluded(&self, policy: &Policy) -> BTreeMap<CrewId, Timestamp> {
        let until = |(at, how): (Timestamp, OfferEnd)| {
            let minutes = match how {
                OfferEnd::Declined => policy.offers.declined_minutes,
                OfferEnd::Expired => policy.offers.expired_minutes,
                OfferEnd::Withdrawn => 0,
            };
            at + chrono::TimeDelta::minutes(i64::from(minutes))
        };
        let by_crews = self.turned_down.iter().map(|(crew, down)| (crew.clone(), until(*down)));
        let by_ticket = self.unfit.iter().filter(|(crew, _)| self.refuses(crew));
        let by_ticket = by_ticket.map(|(crew, (_, at))| (crew.clone(), until((*at, OfferEnd::Declined))));
        by_crews.chain(by_ticket).collect()
    }

    /// Whether the ticket would not take an offer to this crew, and nothing happened to it since.
    #[must_use]
    pub fn refuses(&self, crew: &CrewId) -> bool {
        self.unfit.get(crew).is_some_and(|(position, _)| *position == self.position)
    }
}

impl Member {
    fn new(crew: crew::Crew, fact: &CrewFact) -> Self {
        Self {
            at: crew.home,
            at_since: fact.occurred_at,
            seen: fact.occurred_at,
            worked_seconds: 0,
            reserved_forced: None,
            reserved_priority: false,
            reserved_because: 0,
            committed_because: BTreeMap::new(),
            position: fact.position,
            crew,
        }
    }

    fn take(&mut self, crew: crew::Crew, fact: &CrewFact) {
        self.crew = crew;
        self.position = fact.position;
        if fact.actor.role == Role::Crew || matches!(fact.event, crew::Event::ShiftStarted(_)) {
            self.seen = self.seen.max(fact.recorded_at);
        }
        match &fact.event {
            crew::Event::ShiftStarted(_) => {
                self.worked_seconds = 0;
                if let Some((at, since)) = self.crew.located {
                    (self.at, self.at_since) = (at, since);
                }
            }
            crew::Event::Located(e) if fact.occurred_at >= self.at_since => {
                (self.at, self.at_since) = (e.at, fact.occurred_at);
            }
            crew::Event::Reserved(e) => {
                self.reserved_forced.clone_from(&e.forced);
                self.reserved_priority = e.priority;
                self.reserved_because = fact.position;
            }
            crew::Event::Committed(e) => {
                self.committed_because.insert(e.ticket, fact.position);
            }
            crew::Event::Released(_) => {
                let held: BTreeSet<TicketId> = self.crew.commitments.iter().map(|held| held.ticket).collect();
                self.committed_because.retain(|ticket, _| held.contains(ticket));
            }
            _ => {}
        }
    }

    /// Whether the roster knows it, or its time is still taken.
    fn is_there(&self) -> bool {
        self.crew.enrolled || self.crew.reserved.is_some() || !self.crew.commitments.is_empty()
    }

    /// A crew that was struck off the roster is shown until its time is free.
    fn is_shown(&self) -> bool {
        self.crew.enrolled || self.crew.reserved.is_some() || !self.crew.commitments.is_empty()
    }

    fn crew(&self, id: &CrewId) -> Crew {
        let shift = self.crew.shift.as_ref().map(|shift| Shift { until: shift.until, breaks: shift.breaks.clone() });
        let committed = self.crew.commitments.iter().map(|held| {
            (held.ticket, self.committed_because.get(&held.ticket).copied().unwrap_or(self.position))
        });
        Crew {
            id: id.clone(),
            home: self.crew.home,
            territory: self.crew.territory.clone(),
            skills: self.crew.skills,
            shift: shift.filter(|_| self.crew.enrolled),
            away: self.crew.away,
            at: self.at,
            seen: self.seen,
            reserved: self.crew.reserved.map(|held| Reserved {
                offer: held.offer,
                ticket: held.ticket,
                fence: held.fence,
                lease_until: held.lease_until,
                priority: self.reserved_priority,
                forced: self.reserved_forced.clone(),
                because: self.reserved_because,
            }),
            committed: committed.collect(),
            worked_minutes: self.worked_seconds as f64 / 60.0,
            because: self.position,
        }
    }
}

impl Fold {
    /// Brings a board in line with what was touched.
    pub fn show(&self, board: &mut Board, touched: &Touched, policy: &Policy) {
        for ticket in &touched.tickets {
            match self.cases.get(ticket).and_then(|case| case.job(*ticket, policy)) {
                Some(job) => drop(board.jobs.insert(*ticket, job)),
                None => drop(board.jobs.remove(ticket)),
            }
        }
        for id in &touched.crews {
            match self.members.get(id).filter(|member| member.is_there()) {
                Some(member) => drop(board.crews.insert(id.clone(), member.crew(id))),
                None => drop(board.crews.remove(id)),
            }
        }
    }

    /// A crew that the ticket could not be offered to after all is not asked for it again soon, unless the ticket changes.
    pub fn turn_down(&mut self, ticket: TicketId, crew: &CrewId, at: Timestamp) {
        if let Some(case) = self.cases.get_mut(&ticket) {
            case.unfit.insert(crew.clone(), (case.position, at));
        }
    }

    /// All that there is, as though everything had been touched.
    #[must_use]
    pub fn everything(&self) -> Touched {
        Touched { tickets: self.cases.keys().copied().collect(), crews: self.members.keys().cloned().collect() }
    }
}
