//! What is known of an open ticket: its state, folded by the domain, and what the plan needs beside it. How facts find it is
//! `fold.rs`.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use switchboard_domain::{
    Timestamp,
    actor::Role,
    crew::{CrewId, OfferEnd, OfferId, Point, ReleaseReason},
    fact::TicketFact,
    ticket::{
        self, Area, BusinessType, Escalation, Event, Move, Stage, Ticket, TicketId, Urgency, event::Received, legal_of,
    },
};

use crate::{
    board::{Assigned, Concerns, Job, LiveOffer},
    policy::Policy,
};

/// How many ended offers of one ticket are remembered with how they ended.
const ENDED_OFFERS_MAX: usize = 8;
/// For how long it is remembered who declined, let lapse or lost a ticket: as long as any policy may keep them from it.
const PAUSE_MAX: TimeDelta = TimeDelta::days(1);
/// Tickets that weigh more because of what they are about have this word in their category: a wire down (断线).
const WIRE_DOWN: &str = "\u{65ad}\u{7ebf}";

/// A crew that the ticket could not be offered to after all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unfit {
    /// The ticket's last fact then.
    pub position: u64,
    /// It is not asked again before then.
    pub until: Timestamp,
    /// Whether it was the ticket that would not have it; else the crew could not be kept.
    pub refused: bool,
}

/// What is known of an open ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenTicket {
    /// As decisions see it.
    pub ticket: Ticket,
    /// The number that people use.
    pub number: String,
    /// From when on a crew is promised: the report, the appointment that was agreed with it, or the reopening.
    pub(super) promised_from: Timestamp,
    /// Whether that is an appointment.
    pub(super) appointed: bool,
    pub(super) at: Option<Point>,
    pub(super) area: Option<Area>,
    pub(super) customers: u32,
    pub(super) important: bool,
    pub(super) pressed: bool,
    pub(super) turned_down: BTreeMap<CrewId, (Timestamp, OfferEnd)>,
    /// Whether any crew let its offer lapse.
    pub(super) lapsed: bool,
    /// The crew that it was offered to last, since a crew had it last.
    pub(super) told: Option<CrewId>,
    /// Crews that could not be kept for the ticket, or whose offer it would not take: as of which of its facts, and until when.
    /// Not from the log, and void with its next fact.
    #[serde(skip)]
    pub(super) unfit: BTreeMap<CrewId, Unfit>,
    pub(super) ended: Vec<(OfferId, OfferEnd)>,
    pub(super) offered: BTreeMap<OfferId, u64>,
    pub(super) crew_since: u64,
    pub(super) left: BTreeMap<CrewId, ReleaseReason>,
    /// When each crew that had it lost it, by the engine's time: it does not go back and forth.
    pub(super) lost: BTreeMap<CrewId, Timestamp>,
    pub(super) diverted: Option<Timestamp>,
    /// Position of its last fact.
    pub position: u64,
}

impl OpenTicket {
    pub(super) fn opened(received: &Received, fact: &TicketFact) -> Option<Self> {
        let ticket = ticket::evolve(None, &fact.event, fact.occurred_at)?;
        let at = received.place.location_e6.and_then(|(latitude, longitude)| Point::new(latitude, longitude));
        Some(Self {
            ticket,
            number: received.number.clone(),
            promised_from: received.appointment.unwrap_or(fact.occurred_at),
            appointed: received.appointment.is_some(),
            at,
            area: received.place.area,
            customers: received.customers_out.unwrap_or(1).max(1),
            important: received.tier == Some(ticket::Tier::A),
            pressed: false,
            turned_down: BTreeMap::new(),
            lapsed: false,
            told: None,
            unfit: BTreeMap::new(),
            ended: Vec::new(),
            offered: BTreeMap::new(),
            crew_since: 0,
            left: BTreeMap::new(),
            lost: BTreeMap::new(),
            diverted: None,
            position: fact.position,
        })
    }

    pub(super) fn after(mut self, fact: &TicketFact, before: Option<&CrewId>) -> Option<Self> {
        match &fact.event {
            Event::Offered(e) => {
                self.offered.insert(e.offer, fact.position);
                self.told = Some(e.crew.clone());
            }
            Event::OfferEnded(e) => {
                // By the engine's time: a device's clock must not end the pause before it began. What is taken back says
                // nothing about the crew.
                if e.how != OfferEnd::Withdrawn {
                    self.turned_down.retain(|_, (at, _)| fact.recorded_at - *at <= PAUSE_MAX);
                    self.turned_down.insert(e.crew.clone(), (fact.recorded_at, e.how));
                }
                self.lapsed |= e.how == OfferEnd::Expired;
                if self.ended.len() >= ENDED_OFFERS_MAX {
                    self.ended.remove(0);
                }
                self.ended.push((e.offer, e.how));
            }
            // Whoever chooses a crew that declined means it.
            Event::Pinned(e) => drop(e.crew.as_ref().map(|crew| self.turned_down.remove(crew))),
            Event::Urged(_) | Event::Supervised(_) => self.pressed = true,
            Event::Escalated(e) if e.to == Escalation::Urgent => self.pressed = true,
            Event::Reopened(_) => (self.promised_from, self.appointed) = (fact.occurred_at, false),
            Event::CrewArrived(e) => self.area = e.area.or(self.area),
            Event::HandedOver(e) => {
                self.left.insert(e.crew.clone(), ReleaseReason::HandedOver);
            }
            Event::Recalled(e) => {
                self.left.insert(e.crew.clone(), ReleaseReason::Recalled);
                if fact.actor.role == Role::System {
                    self.diverted = Some(fact.recorded_at);
                }
            }
            _ => {}
        }
        self.position = fact.position;
        self.ticket = ticket::evolve(Some(self.ticket), &fact.event, fact.occurred_at)?;
        let holder = self.ticket.holder().and_then(CrewId::of);
        if holder.as_ref() != before {
            if let Some(before) = before {
                self.lost.retain(|_, at| fact.recorded_at - *at <= PAUSE_MAX);
                self.lost.insert(before.clone(), fact.recorded_at);
            }
            if let Some(holder) = holder {
                self.told = None;
                self.crew_since = fact.position;
                self.left.remove(&holder);
            }
        }
        let live: BTreeSet<OfferId> = self.ticket.offers.iter().map(|live| live.offer).collect();
        self.offered.retain(|offer, _| live.contains(offer));
        Some(self)
    }

    /// Whether the dispatcher still has to do with it: before the dispatch nobody knows what it becomes; after it, only work on site
    /// takes a crew's time.
    pub(super) fn is_open(&self) -> bool {
        match self.ticket.stage {
            Stage::Received | Stage::Classified => true,
            Stage::Dispatched | Stage::Accepted | Stage::Replied => self.ticket.path().field_work,
            Stage::AwaitingRevisit | Stage::ReadyToClose | Stage::Closed | Stage::Withdrawn => false,
        }
    }

    /// Whether it may be offered to a crew now.
    #[must_use]
    pub fn may_be_offered(&self) -> bool {
        legal_of(&self.ticket).contains(Move::Offer)
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

    /// Since when its crew says that it is there.
    #[must_use]
    pub fn on_site(&self) -> Option<Timestamp> {
        self.ticket.crew.arrived.or(self.ticket.crew.diagnosed)
    }

    /// Whether its crew has it from the plan, by an offer, and has not been there: the plan may give it to another.
    #[must_use]
    pub fn may_be_replanned(&self) -> bool {
        self.ticket.taken.is_some() && self.on_site().is_none()
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
        } else if ticket.stage == Stage::Withdrawn {
            ReleaseReason::TicketEnded
        } else if ticket.crew.restored.is_some() || !matches!(ticket.stage, Stage::Dispatched | Stage::Accepted) {
            ReleaseReason::Done
        } else if ticket.suspended.is_some() {
            ReleaseReason::Suspended
        } else {
            ReleaseReason::TicketEnded
        }
    }

    /// Position of the fact that made a live offer, or gave it to its crew.
    #[must_use]
    pub fn offered_at(&self, offer: OfferId) -> u64 {
        self.offered.get(&offer).copied().unwrap_or(self.crew_since)
    }

    pub(super) fn job(&self, id: TicketId, policy: &Policy) -> Option<Job> {
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
            arrived: self.on_site(),
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
            promised_from: self.promised_from,
            // Who chooses a crew for an appointment says when, too.
            opens: (self.appointed && ticket.pinned.is_none()).then(|| {
                let ahead = TimeDelta::minutes(i64::from(policy.offers.appointment_minutes));
                self.promised_from.checked_sub_signed(ahead).unwrap_or(self.promised_from)
            }),
            category,
            urgency: if wire_down { Urgency::Urgent } else { ticket.urgency },
            customers: self.customers,
            concerns: Concerns { wire_down, important: self.important, pressed: self.pressed },
            needs: ticket.needs,
            pinned: ticket.pinned.clone(),
            excluded: self.excluded(policy),
            lapsed: self.lapsed,
            told: self.told.clone(),
            left: self.left_lately(policy),
            attempts: ticket.attempts,
            offers: offers.collect(),
            crew,
            open: self.may_be_offered(),
            diverted: self.diverted,
            because: self.position,
        })
    }

    pub(super) fn excluded(&self, policy: &Policy) -> BTreeMap<CrewId, Timestamp> {
        let until = |(at, how): (Timestamp, OfferEnd)| {
            let minutes = match how {
                OfferEnd::Declined => policy.offers.declined_minutes,
                OfferEnd::Expired => policy.offers.expired_minutes,
                OfferEnd::Withdrawn => 0,
            };
            at.checked_add_signed(TimeDelta::minutes(i64::from(minutes))).unwrap_or(at)
        };
        let by_crews = self.turned_down.iter().map(|(crew, down)| (crew.clone(), until(*down)));
        let unfit = self.unfit.iter().filter(|(_, unfit)| unfit.position == self.position);
        by_crews.chain(unfit.map(|(crew, unfit)| (crew.clone(), unfit.until))).collect()
    }

    fn left_lately(&self, policy: &Policy) -> BTreeMap<CrewId, Timestamp> {
        let pause = TimeDelta::minutes(i64::from(policy.offers.return_minutes));
        let until = |at: Timestamp| at.checked_add_signed(pause).unwrap_or(at);
        self.lost.iter().map(|(crew, at)| (crew.clone(), until(*at))).collect()
    }

    /// Whether the ticket would not take an offer to this crew, and nothing happened to it since.
    #[must_use]
    pub fn refuses(&self, crew: &CrewId) -> bool {
        self.unfit.get(crew).is_some_and(|unfit| unfit.refused && unfit.position == self.position)
    }

    /// Whether a crew is not asked for it for a while, for the ticket would not have it or its time could not be kept.
    #[must_use]
    pub fn is_unfit(&self, crew: &CrewId) -> bool {
        self.unfit.get(crew).is_some_and(|unfit| unfit.position == self.position)
    }
}
