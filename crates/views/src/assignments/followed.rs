//! One ticket as crews follow it: whom it is offered to, who has it, and what a fact changes of that.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use switchboard_domain::{
    Timestamp,
    crew::{CrewId, OfferEnd, OfferId, ReleaseReason},
    fact::TicketFact,
    ticket::{Event, Place, Stage, Ticket, TicketId, event::Received, evolve, state::LiveOffer},
};

use super::{Assignment, AssignmentChange, Brief, Change, Offer};

/// A ticket.
#[derive(Clone, Debug)]
pub(super) struct Followed {
    id: TicketId,
    number: String,
    place: Place,
    customers_out: Option<u32>,
    ticket: Ticket,
    /// What the domain does not remember of a live offer: whether it is a priority, and whether a person chose the crew.
    made: BTreeMap<OfferId, (bool, bool)>,
    held: Option<Held>,
    /// What the fact before announced: facts of one command lie side by side.
    announced: Option<Announced>,
}

/// The crew that has it.
#[derive(Clone, Debug, PartialEq)]
struct Held {
    crew: CrewId,
    offer: Option<OfferId>,
    since: Timestamp,
}

/// What the next fact completes.
#[derive(Clone, Debug, PartialEq)]
enum Announced {
    /// The crew has accepted: the dispatch to it follows.
    Accepted(CrewId, OfferId),
    /// The crew leaves for this reason: the reassignment follows.
    Leaving(ReleaseReason),
}

impl Followed {
    /// Takes the ticket's next fact into account; who is told what of it. What `decide` would never have written changes
    /// nothing: a fact before the first, or a second reception.
    pub(super) fn apply(known: &mut Option<Self>, fact: &TicketFact) -> Vec<(CrewId, Change)> {
        match (known.take(), &fact.event) {
            (None, Event::Received(received)) => {
                *known = Self::received(received, fact);
                Vec::new()
            }
            (None, _) => Vec::new(),
            (Some(ticket), Event::Received(_)) => {
                *known = Some(ticket);
                Vec::new()
            }
            (Some(ticket), _) => {
                let Some((ticket, told)) = ticket.advance(fact) else { return Vec::new() };
                *known = Some(ticket);
                let change = |told| Change {
                    position: fact.position,
                    occurred_at: fact.occurred_at,
                    recorded_at: fact.recorded_at,
                    told,
                };
                told.into_iter().map(|(crew, told)| (crew, change(told))).collect()
            }
        }
    }

    fn received(received: &Received, fact: &TicketFact) -> Option<Self> {
        Some(Self {
            id: fact.id,
            number: received.number.clone(),
            place: received.place.clone(),
            customers_out: received.customers_out,
            ticket: evolve(None, &fact.event, fact.occurred_at)?,
            made: BTreeMap::new(),
            held: None,
            announced: None,
        })
    }

    fn advance(self, fact: &TicketFact) -> Option<(Self, BTreeMap<CrewId, AssignmentChange>)> {
        let before = self.ticket.offers.clone();
        let (announced, mut made) = (self.announced, self.made);
        if let Event::Offered(offered) = &fact.event {
            made.insert(offered.offer, (offered.priority, offered.forced.is_some()));
        }
        let ticket = evolve(Some(self.ticket), &fact.event, fact.occurred_at)?;
        made.retain(|offer, _| ticket.offers.iter().any(|live| live.offer == *offer));
        let mut after = Self { ticket, made, announced: announces(&fact.event), ..self };
        let mut told = BTreeMap::new();
        after.hand_on(fact, announced, &mut told);
        after.tell_offers(fact, &before, &mut told);
        if let Some(held) = after.held.as_ref().filter(|_| is_news(&fact.event)) {
            told.entry(held.crew.clone()).or_insert(AssignmentChange::News { ticket: after.id });
        }
        Some((after, told))
    }

    /// Who has it now: the crew that held it is told why it has it no longer, the one that does that it has it.
    fn hand_on(
        &mut self,
        fact: &TicketFact,
        announced: Option<Announced>,
        told: &mut BTreeMap<CrewId, AssignmentChange>,
    ) {
        let holder = holder(&self.ticket);
        if self.held.as_ref().map(|held| &held.crew) == holder.as_ref() {
            return;
        }
        if let Some(lost) = self.held.take() {
            let why = match &announced {
                Some(Announced::Leaving(why)) => *why,
                _ => why_ended(&fact.event),
            };
            told.insert(lost.crew, AssignmentChange::Ended { ticket: self.id, why });
        }
        if let Some(crew) = holder {
            let offer = match announced {
                Some(Announced::Accepted(accepted, offer)) if accepted == crew => Some(offer),
                _ => None,
            };
            let since = fact.occurred_at;
            self.held = Some(Held { crew: crew.clone(), offer, since });
            told.insert(crew, AssignmentChange::Assigned(Assignment { ticket: self.brief(), offer, since }));
        }
    }

    /// Offers that are new or gone. A crew that has the ticket is not told that its offer of it is gone.
    fn tell_offers(&self, fact: &TicketFact, before: &[LiveOffer], told: &mut BTreeMap<CrewId, AssignmentChange>) {
        let now = &self.ticket.offers;
        for gone in before.iter().filter(|old| now.iter().all(|live| live.offer != old.offer)) {
            if self.held.as_ref().is_none_or(|held| held.crew != gone.crew) {
                let why = self.why_gone(&fact.event);
                let gone_offer = AssignmentChange::OfferGone { offer: gone.offer, ticket: self.id, why };
                told.entry(gone.crew.clone()).or_insert(gone_offer);
            }
        }
        for new in now.iter().filter(|live| before.iter().all(|old| old.offer != live.offer)) {
            told.entry(new.crew.clone()).or_insert_with(|| AssignmentChange::Offered(self.offer(new)));
        }
    }

    fn why_gone(&self, event: &Event) -> ReleaseReason {
        match event {
            Event::OfferEnded(ended) => match ended.how {
                OfferEnd::Declined => ReleaseReason::Declined,
                OfferEnd::Expired => ReleaseReason::Expired,
                OfferEnd::Withdrawn => ReleaseReason::Withdrawn,
            },
            _ if self.held.is_some() => ReleaseReason::TakenByOther,
            Event::Dispatched(_) | Event::Returned(_) | Event::Reassigned(_) => ReleaseReason::Reassigned,
            // The work waits: nobody is to set out now.
            Event::Suspended(_) => ReleaseReason::Withdrawn,
            _ => ReleaseReason::TicketEnded,
        }
    }

    fn offer(&self, live: &LiveOffer) -> Offer {
        let (priority, forced) = self.made.get(&live.offer).copied().unwrap_or_default();
        let LiveOffer { offer, fence, lease_until, .. } = *live;
        Offer { offer, fence, lease_until, priority, forced, ticket: self.brief() }
    }

    fn brief(&self) -> Arc<Brief> {
        Arc::new(Brief {
            ticket: self.id,
            number: self.number.clone(),
            place: self.place.clone(),
            category: self.ticket.accepted_category.clone(),
            urgency: self.ticket.urgency,
            customers_out: self.customers_out,
            reported: self.ticket.received,
            confidential: self.ticket.confidential,
        })
    }

    pub(super) fn id(&self) -> TicketId {
        self.id
    }

    pub(super) fn reported(&self) -> Timestamp {
        self.ticket.received
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ticket.stage.is_ended()
    }

    pub(super) fn concerns_a_crew(&self) -> bool {
        self.held.is_some() || !self.ticket.offers.is_empty()
    }

    /// Whom it is offered to, and who has it.
    pub(super) fn crews(&self) -> BTreeSet<CrewId> {
        let offered = self.ticket.offers.iter().map(|live| live.crew.clone());
        offered.chain(self.held.iter().map(|held| held.crew.clone())).collect()
    }

    pub(super) fn offers_to(&self, crew: &CrewId) -> impl Iterator<Item = Offer> {
        self.ticket.offers.iter().filter(move |live| live.crew == *crew).map(|live| self.offer(live))
    }

    pub(super) fn assignment_of(&self, crew: &CrewId) -> Option<Assignment> {
        let held = self.held.as_ref().filter(|held| held.crew == *crew)?;
        Some(Assignment { ticket: self.brief(), offer: held.offer, since: held.since })
    }

    /// Whether the crew has it and has not reported that power is back.
    pub(super) fn is_work_of(&self, crew: &CrewId) -> bool {
        self.ticket.crew.restored.is_none() && self.held.as_ref().is_some_and(|held| held.crew == *crew)
    }
}

/// The crew whose work it is: it holds the ticket, the work is not reported done, and it does not wait for a master.
fn holder(ticket: &Ticket) -> Option<CrewId> {
    let in_work = matches!(ticket.stage, Stage::Dispatched | Stage::Accepted) && !ticket.is_child();
    ticket.holder().filter(|_| in_work).and_then(CrewId::of)
}

fn announces(event: &Event) -> Option<Announced> {
    match event {
        Event::OfferAccepted(e) => Some(Announced::Accepted(e.crew.clone(), e.offer)),
        Event::HandedOver(_) => Some(Announced::Leaving(ReleaseReason::HandedOver)),
        Event::Recalled(_) => Some(Announced::Leaving(ReleaseReason::Recalled)),
        _ => None,
    }
}

fn why_ended(event: &Event) -> ReleaseReason {
    match event {
        Event::Dispatched(_) | Event::Returned(_) | Event::Reassigned(_) => ReleaseReason::Reassigned,
        Event::Replied(_) | Event::Closed(_) | Event::ClosedAtFirstContact(_) => ReleaseReason::Done,
        _ => ReleaseReason::TicketEnded,
    }
}

/// Whether a crew that has the ticket is told of it: what others did to it, and not what the crew reports itself.
fn is_news(event: &Event) -> bool {
    match event {
        Event::Supplemented(_)
        | Event::Classified(_)
        | Event::Contacted(_)
        | Event::Urged(_)
        | Event::Supervised(_)
        | Event::Escalated(_)
        | Event::Suspended(_)
        | Event::Resumed(_)
        | Event::Extended(_)
        | Event::Merged(_)
        | Event::Unmerged(_)
        | Event::ChildAdopted(_)
        | Event::ChildReleased(_)
        | Event::MasterFollowed(_)
        | Event::Withdrawn(_) => true,
        Event::Received(_)
        | Event::ClosedAtFirstContact(_)
        | Event::Dispatched(_)
        | Event::Accepted(_)
        | Event::Returned(_)
        | Event::Reassigned(_)
        | Event::CrewAccepted(_)
        | Event::CrewEnRoute(_)
        | Event::CrewArrived(_)
        | Event::CrewDiagnosed(_)
        | Event::EtrSet(_)
        | Event::CrewRestored(_)
        | Event::Replied(_)
        | Event::ReplyPassed(_)
        | Event::ReplySentBack(_)
        | Event::RevisitAttempted(_)
        | Event::Revisited(_)
        | Event::Reopened(_)
        | Event::Closed(_)
        | Event::PersonalRevealed(_)
        | Event::Offered(_)
        | Event::OfferAccepted(_)
        | Event::OfferEnded(_)
        | Event::HandedOver(_)
        | Event::Recalled(_)
        | Event::Pinned(_) => false,
    }
}
