//! Reconciliation: the actions that follow from the crew and ticket states alone, and make the two streams agree. It
//! has no memory: an action is proposed as long as its cause exists.

use switchboard_domain::{
    Timestamp,
    crew::{Absence, CrewId, OfferEnd, OfferId, ReleaseReason},
    decider::Action,
    ticket::{TicketId, command::Offer, state::LiveOffer},
};

use super::Intent;
use crate::{
    board::{Board, Crew, Reserved},
    state::{DispatchState, OpenTicket},
};

/// The recall reason for a crew whose shift has ended.
const GONE_HOME: &str = "the crew has gone home";

/// The actions that follow from a crew's reservation and commitments.
pub(super) fn of_crew(fold: &DispatchState, board: &Board, id: &CrewId) -> Vec<Action<Intent>> {
    let Some(crew) = board.crews.get(id) else { return Vec::new() };
    let mut reconcile = Vec::new();
    if let Some(kept) = &crew.reserved {
        let enrolled = fold.member(id).is_some_and(|member| member.crew.enrolled);
        reconcile.extend(reservation(fold.case(kept.ticket), id, crew, kept, enrolled));
    }
    for (ticket, since) in &crew.committed {
        reconcile.extend(commitment(fold, id, *ticket, *since));
    }
    reconcile
}

/// The next action for a reservation: make the offer, commit the crew after its acceptance, or release the crew if the
/// offer ended or cannot be made.
fn reservation(
    case: Option<&OpenTicket>,
    id: &CrewId,
    crew: &Crew,
    kept: &Reserved,
    enrolled: bool,
) -> Option<Action<Intent>> {
    let release = |why, because: u64| {
        Some(Intent::Release(id.clone(), kept.ticket, Some(kept.offer), why).want(because.max(kept.because)))
    };
    // The ticket takes no crew, or it ended before the crew was reserved.
    let Some(case) = case else { return release(ReleaseReason::TicketEnded, kept.because) };
    let (ticket, stints, position) = (&case.file.ticket, &case.file.stints, case.file.position);
    let gone = crew.shift.is_none() || crew.away.is_some() || !crew.committed.is_empty();
    let other = ticket.pinned.as_ref().is_some_and(|(pinned, _)| pinned != id);
    // Two processes may have reserved two crews for one offer. The crew that got the offer keeps it.
    if let Some(live) = ticket.offers.iter().find(|live| live.offer == kept.offer && live.crew == *id) {
        let because = case.offered_at(kept.offer).max(crew.because);
        // An offer for an earlier reservation carries an outdated fence.
        let over = live.fence != kept.fence || !case.is_open();
        return (gone || other || over)
            .then(|| Intent::End(kept.ticket, kept.offer, OfferEnd::Withdrawn).want(because));
    }
    let stint = stints.present.as_ref();
    if stint.is_some_and(|stint| stint.crew == *id && stint.offer == Some(kept.offer)) {
        if !case.is_open() {
            return release(stints.why_free(id).unwrap_or(ReleaseReason::TicketEnded), position);
        }
        // A crew that was dismissed between offer and answer is not committed: it holds the ticket like a crew that was
        // never enrolled.
        if !enrolled {
            return release(ReleaseReason::Withdrawn, position.max(crew.because));
        }
        let because = case.offered_at(kept.offer).max(crew.because);
        return Some(Intent::Commit(id.clone(), kept.ticket, Some(kept.offer)).want(because));
    }
    if let Some(why) = stints.why_gone(kept.offer) {
        return release(why, position);
    }
    // The crew accepted the offer, and lost the ticket before its time was committed.
    if let Some(former) = stints.former.iter().rev().find(|former| former.offer == Some(kept.offer)) {
        return release(former.why, position);
    }
    if !case.is_open() {
        return release(ReleaseReason::TicketEnded, position);
    }
    let attempt = ticket.attempts.saturating_add(1);
    let wanted = case.may_be_offered() && !case.refuses(id) && !gone && !other;
    if kept.offer == OfferId::of(kept.ticket, attempt) && wanted {
        let offer = Offer {
            offer: kept.offer,
            attempt,
            crew: id.clone(),
            fence: kept.fence,
            lease_until: kept.lease_until,
            priority: kept.priority,
            forced: kept.forced.clone(),
        };
        return Some(Intent::Offer(kept.ticket, Box::new(offer)).want(kept.because));
    }
    let taken = stint.is_some_and(|stint| stint.crew != *id);
    let why = if taken { ReleaseReason::TakenByOther } else { ReleaseReason::NotOffered };
    release(why, position.max(crew.because))
}

/// Releases a crew that is committed to a ticket that it does not work on any more.
fn commitment(fold: &DispatchState, id: &CrewId, ticket: TicketId, since: u64) -> Option<Action<Intent>> {
    let (why, because) = match fold.case(ticket) {
        Some(case) if case.file.ticket.worked_by().as_ref() == Some(id) => return None,
        // If no stint of the crew is remembered, the reason is `Reassigned`.
        Some(case) => (case.file.stints.why_free(id).unwrap_or(ReleaseReason::Reassigned), case.file.position),
        // The ticket takes no crew, or it ended before the crew was committed.
        None => (ReleaseReason::TicketEnded, since),
    };
    Some(Intent::Release(id.clone(), ticket, None, why).want(because.max(since)))
}

/// The actions that follow from a ticket: withdraw an offer without a reservation, commit the crew that works on the
/// ticket, or recall this crew if it is unavailable.
pub(super) fn of_ticket(fold: &DispatchState, board: &Board, id: TicketId) -> Vec<Action<Intent>> {
    let Some(case) = fold.case(id) else { return Vec::new() };
    let mut reconcile: Vec<_> =
        case.file.ticket.offers.iter().filter_map(|live| unkept(fold, case, id, live)).collect();
    let Some(crew) = case.file.ticket.worked_by() else { return reconcile };
    let Some(member) = fold.member(&crew) else { return reconcile };
    // The same crew may be committed to the same ticket again after a suspension. The position makes this a new action.
    let because = case.file.position.max(member.position);
    let mut recall = |why| reconcile.push(Intent::Recall(id, crew.clone(), why).want(because));
    // A ticket that a person assigned stays with its absent crew. A ticket that the plan assigned goes to another crew.
    let by_plan = case.may_be_replanned();
    let Some(there) = board.crews.get(&crew) else {
        if by_plan {
            recall("the crew is struck off");
        }
        return reconcile;
    };
    let given = there.committed.iter().any(|(held, _)| *held == id);
    // A crew that holds the ticket by an offer is committed because of its reservation, by `of_crew`.
    let by_offer = there.reserved.as_ref().is_some_and(|kept| kept.ticket == id);
    let cannot_come = matches!(there.away, Some(Absence::Ill | Absence::Vehicle));
    let went_home = member.crew.enrolled && there.shift.is_none();
    let engaged = !given && case.file.ticket.pinned.is_none() && !there.committed.is_empty();
    if by_plan && went_home && !by_offer {
        recall(GONE_HOME);
        return reconcile;
    }
    if by_plan && engaged && !by_offer {
        recall("the crew has other work");
        return reconcile;
    }
    if cannot_come && case.on_site().is_none() {
        recall("the crew cannot come");
    }
    if !given && !by_offer {
        reconcile.push(Intent::Commit(crew, id, None).want(because));
    }
    reconcile
}

/// Adapts an action to the present time. An offer whose lease has ended is not made: its crew is released. A crew past
/// the planned end of its shift is not committed again to a ticket of the plan: the ticket is recalled.
pub(super) fn in_time(want: Action<Intent>, fold: &DispatchState, board: &Board, now: Timestamp) -> Action<Intent> {
    match &want.intent {
        Intent::Offer(ticket, offer) if offer.lease_until <= now => {
            let why = ReleaseReason::NotOffered;
            Intent::Release(offer.crew.clone(), *ticket, Some(offer.offer), why).want(want.because)
        }
        Intent::Commit(crew, ticket, None) => {
            let shift = board.crews.get(crew).and_then(|there| there.shift.as_ref());
            let over = shift.is_some_and(|shift| shift.until <= now);
            if over && fold.case(*ticket).is_some_and(OpenTicket::may_be_replanned) {
                return Intent::Recall(*ticket, crew.clone(), GONE_HOME).want(want.because);
            }
            want
        }
        _ => want,
    }
}

/// The withdrawal of an offer without a reservation. The crew is reserved before its offer and released after it, so
/// another process has released this crew.
fn unkept(fold: &DispatchState, case: &OpenTicket, id: TicketId, live: &LiveOffer) -> Option<Action<Intent>> {
    let member = fold.member(&live.crew);
    let kept = member.and_then(|member| member.crew.reserved).is_some_and(|kept| kept.offer == live.offer);
    let because = case.offered_at(live.offer).max(member.map_or(0, |member| member.position));
    (!kept).then(|| Intent::End(id, live.offer, OfferEnd::Withdrawn).want(because))
}
