//! The dispatcher's record of an open ticket: its case file, and the further data that the plan needs. `state.rs`
//! selects the facts.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use switchboard_domain::{
    Timestamp,
    actor::Role,
    crew::{CrewId, OfferEnd, OfferId, Point},
    fact::TicketFact,
    ticket::{Area, BusinessType, CaseFile, Escalation, Event, Move, Stage, TicketId, Tier, Urgency, legal_of},
};

use crate::{
    board::{Assigned, Concerns, Job, LiveOffer},
    policy::Policy,
};

/// How long a refusal by a crew is remembered: no policy may exclude a crew from a ticket for longer than a day.
const PAUSE_MAX: TimeDelta = TimeDelta::days(1);
/// The word for a wire down (断线). A ticket with this word in its category is a danger to life, and weighs more.
const WIRE_DOWN: &str = "\u{65ad}\u{7ebf}";

/// A crew to which the ticket could not be offered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Unfit {
    /// Position of the ticket's last fact at that time; the exclusion ends with a newer fact.
    pub position: u64,
    /// The end of the exclusion.
    pub until: Timestamp,
    /// True if the ticket refused the offer; false if the crew could not be reserved.
    pub refused: bool,
}

/// The dispatcher's record of an open ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenTicket {
    /// The case file: the intake, the domain's state of the ticket, and its stints.
    pub file: CaseFile,
    /// True if the customer urged the ticket, a unit above supervises it, or it was escalated to urgent.
    pressed: bool,
    /// Crews that declined it or let an offer of it expire, each with the engine's time and the reason.
    turned_down: BTreeMap<CrewId, (Timestamp, OfferEnd)>,
    /// True if any crew let an offer of it expire.
    lapsed: bool,
    /// The crew that last got an offer; reset to `None` when a crew gets the ticket.
    last_offered_to: Option<CrewId>,
    /// Crews to which the ticket could not be offered. Not from the log, and obsolete after the ticket's next fact.
    #[serde(skip)]
    pub(super) unfit: BTreeMap<CrewId, Unfit>,
    /// When the dispatcher itself last recalled a crew from it, by the engine's time.
    diverted: Option<Timestamp>,
}

impl OpenTicket {
    pub(super) fn of(file: CaseFile) -> Self {
        Self {
            file,
            pressed: false,
            turned_down: BTreeMap::new(),
            lapsed: false,
            last_offered_to: None,
            unfit: BTreeMap::new(),
            diverted: None,
        }
    }

    /// Applies the ticket's next fact; `None` before its first fact.
    pub(super) fn apply(known: Option<Self>, fact: &TicketFact) -> Option<Self> {
        let Some(mut known) = known else {
            let mut file = None;
            CaseFile::apply(&mut file, fact);
            return file.map(Self::of);
        };
        let since = known.since();
        let mut file = Some(known.file);
        CaseFile::apply(&mut file, fact);
        known.file = file?;
        known.note(fact);
        if known.since() > since {
            known.last_offered_to = None;
        }
        Some(known)
    }

    /// Records what the case file does not contain.
    fn note(&mut self, fact: &TicketFact) {
        match &fact.event {
            Event::Offered(e) => self.last_offered_to = Some(e.crew.clone()),
            Event::OfferEnded(e) => {
                // The pause runs by the engine's time, so that a device's slow clock cannot end it early. A withdrawn
                // offer says nothing about the crew.
                if e.how != OfferEnd::Withdrawn {
                    self.turned_down.retain(|_, (at, _)| fact.recorded_at - *at <= PAUSE_MAX);
                    self.turned_down.insert(e.crew.clone(), (fact.recorded_at, e.how));
                }
                self.lapsed |= e.how == OfferEnd::Expired;
            }
            // A person who chooses a crew that declined does so on purpose.
            Event::Pinned(e) => drop(e.crew.as_ref().map(|crew| self.turned_down.remove(crew))),
            Event::Urged(_) | Event::Supervised(_) => self.pressed = true,
            Event::Escalated(e) if e.to == Escalation::Urgent => self.pressed = true,
            Event::Recalled(_) if fact.actor.role == Role::System => self.diverted = Some(fact.recorded_at),
            _ => {}
        }
    }

    /// Position of the fact that gave the ticket to its crew; 0 while no crew holds it.
    fn since(&self) -> u64 {
        self.file.stints.present.as_ref().map_or(0, |stint| stint.position)
    }

    /// True while the ticket may need a crew. Before the dispatch any ticket may still become work on site. After it,
    /// only work on site needs a crew, until the ticket awaits its revisit.
    pub(crate) fn is_open(&self) -> bool {
        match self.file.ticket.stage {
            Stage::Received | Stage::Classified => true,
            Stage::Dispatched | Stage::Accepted | Stage::Replied => self.file.ticket.path().field_work,
            Stage::AwaitingRevisit | Stage::ReadyToClose | Stage::Closed | Stage::Withdrawn => false,
        }
    }

    /// True if it may be offered to a crew now.
    #[must_use]
    pub fn may_be_offered(&self) -> bool {
        legal_of(&self.file.ticket).contains(Move::Offer) && self.file.stints.present.is_none()
    }

    /// When its crew arrived on site, or made its diagnosis if it did not report the arrival.
    #[must_use]
    pub fn on_site(&self) -> Option<Timestamp> {
        self.file.ticket.crew.arrived.or(self.file.ticket.crew.diagnosed)
    }

    /// True if its crew got it by an offer and is not on site yet: the plan may give it to another crew.
    #[must_use]
    pub fn may_be_replanned(&self) -> bool {
        self.file.ticket.taken.is_some() && self.on_site().is_none()
    }

    /// Position of the fact that made the offer, while the offer is live. Otherwise the position of the fact that gave
    /// the ticket to its crew.
    #[must_use]
    pub fn offered_at(&self, offer: OfferId) -> u64 {
        self.file.stints.made(offer).unwrap_or(self.since())
    }

    pub(super) fn job(&self, id: TicketId, policy: &Policy) -> Option<Job> {
        let (file, ticket) = (&self.file, &self.file.ticket);
        if ticket.business != BusinessType::FaultRepair || !self.is_open() {
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
        let crew = file.stints.present.as_ref().map(|stint| Assigned {
            crew: stint.crew.clone(),
            since: stint.since,
            en_route: ticket.crew.en_route,
            arrived: self.on_site(),
            restored: ticket.crew.restored,
            offer: stint.offer,
            because: stint.position,
        });
        let appointment = file.appointment.filter(|_| file.reopened_at.is_none());
        let wire_down = category.as_ref().is_some_and(|category| category.as_str().contains(WIRE_DOWN));
        Some(Job {
            ticket: id,
            number: file.number.clone(),
            holder: unit.clone(),
            at: self.at(),
            area: file.place.area.unwrap_or(Area::Urban),
            reported: ticket.received,
            promised_from: file.reopened_at.or(appointment).unwrap_or(ticket.received),
            // A person who chooses a crew for an appointment chooses the time too.
            opens: appointment.filter(|_| ticket.pinned.is_none()).map(|at| {
                let ahead = TimeDelta::minutes(i64::from(policy.offers.appointment_minutes));
                at.checked_sub_signed(ahead).unwrap_or(at)
            }),
            category,
            urgency: if wire_down { Urgency::Urgent } else { ticket.urgency },
            customers: file.customers_out.unwrap_or(1).max(1),
            concerns: Concerns { wire_down, important: file.tier == Some(Tier::A), pressed: self.pressed },
            needs: ticket.needs,
            pinned: ticket.pinned.clone(),
            excluded: self.excluded(policy),
            lapsed: self.lapsed,
            last_offered_to: self.last_offered_to.clone(),
            left: self.left_lately(policy),
            attempts: ticket.attempts,
            offers: offers.collect(),
            crew,
            open: self.may_be_offered(),
            diverted: self.diverted,
            because: file.position,
        })
    }

    /// Its position; `None` when unknown.
    pub(super) fn at(&self) -> Option<Point> {
        self.file.place.location_e6.and_then(|(latitude, longitude)| Point::new(latitude, longitude))
    }

    fn excluded(&self, policy: &Policy) -> BTreeMap<CrewId, Timestamp> {
        let until = |(at, how): (Timestamp, OfferEnd)| {
            let minutes = match how {
                OfferEnd::Declined => policy.offers.declined_minutes,
                OfferEnd::Expired => policy.offers.expired_minutes,
                OfferEnd::Withdrawn => 0,
            };
            at.checked_add_signed(TimeDelta::minutes(i64::from(minutes))).unwrap_or(at)
        };
        let by_crews = self.turned_down.iter().map(|(crew, down)| (crew.clone(), until(*down)));
        let unfit = self.unfit.iter().filter(|(_, unfit)| unfit.position == self.file.position);
        by_crews.chain(unfit.map(|(crew, unfit)| (crew.clone(), unfit.until))).collect()
    }

    /// The crews that lost the ticket, each until the instant when it may return to the crew.
    fn left_lately(&self, policy: &Policy) -> BTreeMap<CrewId, Timestamp> {
        let pause = TimeDelta::minutes(i64::from(policy.offers.return_minutes));
        let until = |at: Timestamp| at.checked_add_signed(pause).unwrap_or(at);
        self.file.stints.former.iter().map(|former| (former.crew.clone(), until(former.lost))).collect()
    }

    /// True if the ticket refused an offer to this crew, and has no newer fact.
    #[must_use]
    pub fn refuses(&self, crew: &CrewId) -> bool {
        self.unfit.get(crew).is_some_and(|unfit| unfit.refused && unfit.position == self.file.position)
    }

    /// True if the ticket could not be offered to this crew, and has no newer fact.
    #[must_use]
    pub fn is_unfit(&self, crew: &CrewId) -> bool {
        self.unfit.get(crew).is_some_and(|unfit| unfit.position == self.file.position)
    }
}
