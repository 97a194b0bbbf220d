//! The messages that a fact causes for the crews of one ticket. They follow from the case file before the fact and
//! after it; no other state is kept here.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use switchboard_domain::{
    crew::{CrewId, ReleaseReason},
    fact::TicketFact,
    ticket::{
        CaseFile, Event,
        state::LiveOffer,
        stint::{Before, Stint},
    },
};

use super::{Assignment, AssignmentChange, Brief, Change, Offer};

/// Applies the next fact of the ticket, and returns the messages to crews.
pub(super) fn apply(file: &mut Option<CaseFile>, fact: &TicketFact) -> Vec<(CrewId, Change)> {
    let before = file.as_ref().map(|file| Before::of(&file.ticket)).unwrap_or_default();
    CaseFile::apply(file, fact);
    let told = file.as_ref().map(|file| between(&before, &fact.event, file)).unwrap_or_default();
    let change =
        |told| Change { position: fact.position, occurred_at: fact.occurred_at, recorded_at: fact.recorded_at, told };
    told.into_iter().map(|(crew, told)| (crew, change(told))).collect()
}

/// The messages, at most one for each crew. A message about the assignment takes precedence over one about an offer.
fn between(before: &Before, event: &Event, after: &CaseFile) -> BTreeMap<CrewId, AssignmentChange> {
    let (id, stints) = (after.id, &after.stints);
    let mut told = BTreeMap::new();
    let assigned = assigned(after);
    let crew = assigned.map(|stint| &stint.crew);
    if before.assigned.as_ref() != crew {
        if let Some(lost) = &before.assigned {
            let why = stints.why_free(lost).unwrap_or(ReleaseReason::TicketEnded);
            told.insert(lost.clone(), AssignmentChange::Ended { ticket: id, why });
        }
        if let Some(stint) = assigned {
            told.insert(stint.crew.clone(), AssignmentChange::Assigned(assignment(after, stint)));
        }
    }
    // A crew that has the ticket gets no message that its offer ended.
    for gone in before.gone(&after.ticket).filter(|gone| crew != Some(&gone.crew)) {
        let why = stints.why_gone(gone.offer).unwrap_or(ReleaseReason::TicketEnded);
        let gone_offer = AssignmentChange::OfferGone { offer: gone.offer, ticket: id, why };
        told.entry(gone.crew.clone()).or_insert(gone_offer);
    }
    let is_new = |live: &&LiveOffer| before.offers.iter().all(|old| old.offer != live.offer);
    for live in after.ticket.offers.iter().filter(is_new) {
        told.entry(live.crew.clone()).or_insert_with(|| AssignmentChange::Offered(offer(after, live)));
    }
    if let Some(crew) = crew.filter(|_| is_news(event)) {
        told.entry(crew.clone()).or_insert(AssignmentChange::News { ticket: id });
    }
    told
}

/// The stint of the crew that the ticket is assigned to.
fn assigned(file: &CaseFile) -> Option<&Stint> {
    file.stints.present.as_ref().filter(|_| file.ticket.assigned_to().is_some())
}

fn assignment(file: &CaseFile, stint: &Stint) -> Assignment {
    Assignment { ticket: brief(file), offer: stint.offer, since: stint.since }
}

fn offer(file: &CaseFile, live: &LiveOffer) -> Offer {
    let LiveOffer { offer, fence, lease_until, priority, forced, .. } = *live;
    Offer { offer, fence, lease_until, priority, forced, ticket: brief(file) }
}

fn brief(file: &CaseFile) -> Arc<Brief> {
    Arc::new(Brief {
        ticket: file.id,
        number: file.number.clone(),
        place: file.place.clone(),
        category: file.ticket.accepted_category.clone(),
        urgency: file.ticket.urgency,
        customers_out: file.customers_out,
        reported: file.ticket.received,
        confidential: file.ticket.confidential,
    })
}

/// The crews that have a live offer of the ticket or that it is assigned to.
pub(super) fn crews(file: &CaseFile) -> BTreeSet<CrewId> {
    let offered = file.ticket.offers.iter().map(|live| live.crew.clone());
    offered.chain(file.ticket.assigned_to()).collect()
}

pub(super) fn offers_to(file: &CaseFile, crew: &CrewId) -> impl Iterator<Item = Offer> {
    file.ticket.offers.iter().filter(move |live| live.crew == *crew).map(|live| offer(file, live))
}

pub(super) fn assignment_of(file: &CaseFile, crew: &CrewId) -> Option<Assignment> {
    assigned(file).filter(|stint| stint.crew == *crew).map(|stint| assignment(file, stint))
}

/// True when a crew that has the ticket gets a message about the event: actions of others, but not the crew's own
/// reports.
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
