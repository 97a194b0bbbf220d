//! Which crew has a ticket, since when and by which offer, which crews had it before, and why each stint and each offer
//! ended. No decision is made here, and clocks do not read this.
//!
//! "Who has it" is three questions. Each has a method on [`Ticket`], and each answer lies within the one before:
//!
//! 1. [`Ticket::held_by`]: the crew at the end of the chain of holders, at any stage.
//! 2. [`Ticket::assigned_to`]: the crew whose work it still is, until the reply. Crew apps show this.
//! 3. [`Ticket::worked_by`]: the crew whose time it takes, until power is back or the work is suspended. The dispatcher
//!    commits and releases crews by this.
//!
//! So at restoration the crew's own stream says `done` (question 3), and the crew's app hears `done` at the reply
//! (question 2).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    crew::{CrewId, OfferEnd, OfferId, ReleaseReason},
    fact::TicketFact,
    ticket::{
        event::Event,
        state::{LiveOffer, Stage, Ticket},
    },
};

/// The most former stints that are remembered. Beyond it, the oldest is forgotten.
pub const STINTS_MAX: usize = 16;
/// The most ended offers that are remembered with the reason. Beyond it, the oldest is forgotten.
pub const OFFERS_GONE_MAX: usize = 8;

impl Ticket {
    /// The crew that holds the ticket, at any stage; `None` while the holder is a unit above the crews.
    #[must_use]
    pub fn held_by(&self) -> Option<CrewId> {
        self.holder().and_then(CrewId::of)
    }

    /// The crew that the ticket is assigned to: it holds the ticket, the reply is not given, and the ticket does not
    /// wait for a master.
    #[must_use]
    pub fn assigned_to(&self) -> Option<CrewId> {
        let in_work = matches!(self.stage, Stage::Dispatched | Stage::Accepted) && !self.is_child();
        if in_work { self.held_by() } else { None }
    }

    /// The crew whose time the ticket takes: work on site is assigned to it, power is not back, and the work is not
    /// suspended.
    #[must_use]
    pub fn worked_by(&self) -> Option<CrewId> {
        let at_work = self.path().field_work && self.crew.restored.is_none() && self.suspended.is_none();
        if at_work { self.assigned_to() } else { None }
    }
}

/// The crew that holds a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stint {
    /// The crew.
    pub crew: CrewId,
    /// The offer that the ticket came by; `None` when a person gave it to the crew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
    /// The beginning of the stint: the instant of the fact that gave it the ticket.
    pub since: Timestamp,
    /// Position of that fact.
    pub position: u64,
    /// The reason why the crew's time is free although it holds the ticket; `None` while it works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free: Option<ReleaseReason>,
}

/// A crew that held a ticket before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerStint {
    /// The crew.
    pub crew: CrewId,
    /// The offer that the ticket came by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
    /// The instant at which it got the ticket.
    pub since: Timestamp,
    /// The instant at which it lost the ticket, as the fact says.
    pub until: Timestamp,
    /// The instant at which the engine recorded that fact. Unlike a device's time, recorded time does not go back.
    pub lost: Timestamp,
    /// Why the stint ended.
    pub why: ReleaseReason,
}

/// The stints and the offers of one ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stints {
    /// The crew that holds the ticket: always [`Ticket::held_by`]. Its `free` is `None` exactly while
    /// [`Ticket::worked_by`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<Stint>,
    /// The former stints, oldest first; at most [`STINTS_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<FormerStint>,
    /// Position of the fact that made each live offer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    made: BTreeMap<OfferId, u64>,
    /// The offers that ended without giving their crew the ticket, with the reason, oldest first; at most
    /// [`OFFERS_GONE_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    gone: Vec<(OfferId, ReleaseReason)>,
    /// The reason why the crew leaves, if the last fact gave one. The reassignment is the next fact of the same append.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    leaving: Option<ReleaseReason>,
}

/// The part of a ticket's state before a fact that shows what the fact changed for crews.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// The result of [`Ticket::assigned_to`].
    pub assigned: Option<CrewId>,
    /// The offers that were live.
    pub offers: Vec<LiveOffer>,
}

impl Before {
    /// The part of this ticket's state.
    #[must_use]
    pub fn of(ticket: &Ticket) -> Self {
        Self { assigned: ticket.assigned_to(), offers: ticket.offers.clone() }
    }

    /// The offers that were live before and are not live in `after`.
    pub fn gone<'b>(&'b self, after: &'b Ticket) -> impl Iterator<Item = &'b LiveOffer> {
        self.offers.iter().filter(|old| after.offers.iter().all(|live| live.offer != old.offer))
    }
}

/// A stint or an offer that ended.
#[derive(Clone, Copy)]
enum Ended<'a> {
    /// A crew's stint, its assignment or its work, with the reason that the previous fact gave.
    Stint(Option<ReleaseReason>),
    /// An offer to a crew, and the crew that the ticket is assigned to now.
    Offer(&'a CrewId, Option<&'a CrewId>),
}

/// The reason why a stint or an offer ended, by the fact that ended it. This is the only such table: crew apps, the
/// crew's stream and the dispatch board all use its result.
fn why(event: &Event, ended: Ended<'_>) -> ReleaseReason {
    match (event, ended) {
        (Event::OfferEnded(e), _) => match e.how {
            OfferEnd::Declined => ReleaseReason::Declined,
            OfferEnd::Expired => ReleaseReason::Expired,
            OfferEnd::Withdrawn => ReleaseReason::Withdrawn,
        },
        (_, Ended::Offer(to, Some(crew))) if to != crew => ReleaseReason::TakenByOther,
        // A person assigned the ticket to the crew that had this offer. The offer is void; the crew has the ticket.
        (_, Ended::Offer(_, Some(_))) => ReleaseReason::Withdrawn,
        // No crew should set out now. After the resumption the ticket gets another offer.
        (Event::Suspended(_), Ended::Offer(..)) => ReleaseReason::Withdrawn,
        (Event::Suspended(_), Ended::Stint(_)) => ReleaseReason::Suspended,
        (Event::Dispatched(_) | Event::Returned(_) | Event::Reassigned(_), Ended::Stint(Some(leaving))) => leaving,
        (Event::Dispatched(_) | Event::Returned(_) | Event::Reassigned(_), _) => ReleaseReason::Reassigned,
        (
            Event::CrewRestored(_) | Event::Replied(_) | Event::Closed(_) | Event::ClosedAtFirstContact(_),
            Ended::Stint(_),
        ) => ReleaseReason::Done,
        _ => ReleaseReason::TicketEnded,
    }
}

impl Stints {
    /// Applies the next fact; `after` is the ticket after it.
    pub(super) fn apply(&mut self, before: &Before, fact: &TicketFact, after: &Ticket) {
        let leaving = self.leaving.take();
        self.leaving = match &fact.event {
            Event::HandedOver(_) => Some(ReleaseReason::HandedOver),
            Event::Recalled(_) => Some(ReleaseReason::Recalled),
            _ => None,
        };
        self.hand_on(before.assigned.as_ref(), fact, after, why(&fact.event, Ended::Stint(leaving)));
        self.end_offers(before, fact, after);
    }

    fn hand_on(&mut self, assigned: Option<&CrewId>, fact: &TicketFact, after: &Ticket, why: ReleaseReason) {
        let holder = after.held_by();
        if self.present.as_ref().map(|stint| &stint.crew) == holder.as_ref() {
            let still = after.assigned_to().is_some();
            if let Some(stint) = &mut self.present {
                stint.free = if after.worked_by().is_some() {
                    None
                } else if assigned.is_some() && !still {
                    Some(why)
                } else {
                    stint.free.or(Some(why))
                };
            }
            return;
        }
        if let Some(Stint { crew, offer, since, free, .. }) = self.present.take() {
            // A stint whose assignment had ended before, for example by the reply, keeps the reason of that end.
            let why = if assigned.is_some() { why } else { free.unwrap_or(why) };
            if self.former.len() >= STINTS_MAX {
                self.former.remove(0);
            }
            let (until, lost) = (fact.occurred_at, fact.recorded_at);
            self.former.push(FormerStint { crew, offer, since, until, lost, why });
        }
        self.present = holder.map(|crew| Stint {
            crew,
            offer: after.taken.as_ref().map(|(offer, _)| *offer),
            since: fact.occurred_at,
            position: fact.position,
            // A ticket without work on site, such as a complaint, may still be dispatched to a crew.
            free: after.worked_by().is_none().then_some(ReleaseReason::TicketEnded),
        });
    }

    fn end_offers(&mut self, before: &Before, fact: &TicketFact, after: &Ticket) {
        let crew = after.assigned_to();
        for gone in before.gone(after) {
            let by_it = self.present.as_ref().is_some_and(|stint| stint.offer == Some(gone.offer));
            if !by_it {
                if self.gone.len() >= OFFERS_GONE_MAX {
                    self.gone.remove(0);
                }
                self.gone.push((gone.offer, why(&fact.event, Ended::Offer(&gone.crew, crew.as_ref()))));
            }
        }
        if let Event::Offered(e) = &fact.event {
            self.made.insert(e.offer, fact.position);
        }
        self.made.retain(|offer, _| after.offers.iter().any(|live| live.offer == *offer));
    }

    /// The reason why the crew's time is free of the ticket or why the ticket is not assigned to it. `None` while it
    /// works on it, when it never held it, and when that stint is forgotten.
    #[must_use]
    pub fn why_free(&self, crew: &CrewId) -> Option<ReleaseReason> {
        match self.present.as_ref().filter(|stint| stint.crew == *crew) {
            Some(stint) => stint.free,
            None => self.former.iter().rev().find(|former| former.crew == *crew).map(|former| former.why),
        }
    }

    /// The reason why an offer ended without giving its crew the ticket. `None` while it is live, when it was never
    /// made, and when its end is forgotten.
    #[must_use]
    pub fn why_gone(&self, offer: OfferId) -> Option<ReleaseReason> {
        self.gone.iter().rev().find(|(gone, _)| *gone == offer).map(|(_, why)| *why)
    }

    /// The position of the fact that made a live offer.
    #[must_use]
    pub fn made(&self, offer: OfferId) -> Option<u64> {
        self.made.get(&offer).copied()
    }
}
