//! What is known of an open ticket: its case file, and what the plan needs beside it. How facts find it is `state.rs`.

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

/// For how long it is remembered who declined a ticket or let it lapse: as long as any policy may keep them from it.
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
    /// What was received, the ticket as decisions see it, and who has it and had it.
    pub file: CaseFile,
    /// Whether the customer pressed, or a unit above did.
    pressed: bool,
    /// Crews that declined it or let an offer of it lapse, and when, by the engine's time.
    turned_down: BTreeMap<CrewId, (Timestamp, OfferEnd)>,
    /// Whether any crew let its offer lapse.
    lapsed: bool,
    /// The crew that it was offered to last, since a crew had it last.
    told: Option<CrewId>,
    /// Crews that could not be kept for the ticket, or whose offer it would not take: as of which of its facts, and until when.
    /// Not from the log, and void with its next fact.
    #[serde(skip)]
    pub(super) unfit: BTreeMap<CrewId, Unfit>,
    /// When the dispatcher itself called a crew back from it last, by the engine's time.
    diverted: Option<Timestamp>,
}

impl OpenTicket {
    pub(super) fn of(file: CaseFile) -> Self {
        Self {
            file,
            pressed: false,
            turned_down: BTreeMap::new(),
            lapsed: false,
            told: None,
            unfit: BTreeMap::new(),
            diverted: None,
        }
    }

    /// Takes the ticket's next fact into account; `None` before its first.
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
            known.told = None;
        }
        Some(known)
    }

    /// Takes down what the case file does not hold.
    fn note(&mut self, fact: &TicketFact) {
        match &fact.event {
            Event::Offered(e) => self.told = Some(e.crew.clone()),
            Event::OfferEnded(e) => {
                // By the engine's time: a device's clock must not end the pause before it began. What is taken back says
                // nothing about the crew.
                if e.how != OfferEnd::Withdrawn {
                    self.turned_down.retain(|_, (at, _)| fact.recorded_at - *at <= PAUSE_MAX);
                    self.turned_down.insert(e.crew.clone(), (fact.recorded_at, e.how));
                }
                self.lapsed |= e.how == OfferEnd::Expired;
            }
            // Whoever chooses a crew that declined means it.
            Event::Pinned(e) => drop(e.crew.as_ref().map(|crew| self.turned_down.remove(crew))),
            Event::Urged(_) | Event::Supervised(_) => self.pressed = true,
            Event::Escalated(e) if e.to == Escalation::Urgent => self.pressed = true,
            Event::Recalled(_) if fact.actor.role == Role::System => self.diverted = Some(fact.recorded_at),
            _ => {}
        }
    }

    /// Position of the fact that gave it to the crew that has it; 0 while no crew has it.
    fn since(&self) -> u64 {
        self.file.stints.present.as_ref().map_or(0, |stint| stint.position)
    }

    /// Whether the dispatcher still has to do with it: before the dispatch nobody knows what it becomes; after it, only work on site
    /// takes a crew's time.
    pub(crate) fn is_open(&self) -> bool {
        match self.file.ticket.stage {
            Stage::Received | Stage::Classified => true,
            Stage::Dispatched | Stage::Accepted | Stage::Replied => self.file.ticket.path().field_work,
            Stage::AwaitingRevisit | Stage::ReadyToClose | Stage::Closed | Stage::Withdrawn => false,
        }
    }

    /// Whether it may be offered to a crew now.
    #[must_use]
    pub fn may_be_offered(&self) -> bool {
        legal_of(&self.file.ticket).contains(Move::Offer) && self.file.stints.present.is_none()
    }

    /// Since when its crew says that it is there.
    #[must_use]
    pub fn on_site(&self) -> Option<Timestamp> {
        self.file.ticket.crew.arrived.or(self.file.ticket.crew.diagnosed)
    }

    /// Whether its crew has it from the plan, by an offer, and has not been there: the plan may give it to another.
    #[must_use]
    pub fn may_be_replanned(&self) -> bool {
        self.file.ticket.taken.is_some() && self.on_site().is_none()
    }

    /// Position of the fact that made a live offer, or gave it to its crew.
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
            // A person who chooses a crew for an appointment chooses the time, too.
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
            told: self.told.clone(),
            left: self.left_lately(policy),
            attempts: ticket.attempts,
            offers: offers.collect(),
            crew,
            open: self.may_be_offered(),
            diverted: self.diverted,
            because: file.position,
        })
    }

    /// Where it is; `None` when nobody said.
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

    /// Crews that lost it, the last time of each, and until when it does not go back to them.
    fn left_lately(&self, policy: &Policy) -> BTreeMap<CrewId, Timestamp> {
        let pause = TimeDelta::minutes(i64::from(policy.offers.return_minutes));
        let until = |at: Timestamp| at.checked_add_signed(pause).unwrap_or(at);
        self.file.stints.former.iter().map(|former| (former.crew.clone(), until(former.lost))).collect()
    }

    /// Whether the ticket would not take an offer to this crew, and nothing happened to it since.
    #[must_use]
    pub fn refuses(&self, crew: &CrewId) -> bool {
        self.unfit.get(crew).is_some_and(|unfit| unfit.refused && unfit.position == self.file.position)
    }

    /// Whether a crew is not asked for it for a while, for the ticket would not have it or its time could not be kept.
    #[must_use]
    pub fn is_unfit(&self, crew: &CrewId) -> bool {
        self.unfit.get(crew).is_some_and(|unfit| unfit.position == self.file.position)
    }
}
