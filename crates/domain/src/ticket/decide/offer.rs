//! Decisions about offers: make, accept, decline, end, and a person's choice of the crew. The ticket's stream settles
//! every race: the first event in it wins.

use super::{Decision, one};
use crate::{
    Timestamp,
    actor::Role,
    crew::{CrewId, DeclineReason, Forced, OfferEnd, OfferId},
    decider::Context,
    personal::Personal,
    ticket::{
        command::{Command, Offer},
        event,
        rejection::Rejection,
        state::{LiveOffer, OFFERS_LIVE_MAX, Ticket},
    },
};

/// Only the dispatch process may make and end offers.
fn engine_only(cx: &Context<'_>) -> Result<(), Rejection> {
    if cx.actor.role == Role::System { Ok(()) } else { Err(Rejection::EngineOnly) }
}

/// Makes the next offer, to a crew within the holder that has no live offer. If a person chose a crew, only that crew
/// may get the offer: this rejects a plan made before the choice.
pub(super) fn make(ticket: &Ticket, offer: &Offer, cx: &Context<'_>) -> Decision {
    engine_only(cx)?;
    if offer.attempt != ticket.attempts.saturating_add(1) {
        return Err(Rejection::StaleAttempt { attempts: ticket.attempts });
    }
    let has_one = ticket.offers.iter().any(|live| live.crew == offer.crew);
    if has_one || ticket.offers.len() >= OFFERS_LIVE_MAX {
        return Err(Rejection::OffersLive { max: OFFERS_LIVE_MAX });
    }
    let Some(holder) = ticket.holder() else { return Err(Rejection::NotFound) };
    let within = ticket.pinned.as_ref().map_or(holder, |(chosen, _)| chosen.org());
    if !within.contains(offer.crew.org()) {
        return Err(Rejection::OutsideHolder { holder: within.clone(), to: offer.crew.org().clone() });
    }
    one(event::Offered {
        offer: offer.offer,
        attempt: offer.attempt,
        crew: offer.crew.clone(),
        fence: offer.fence,
        lease_until: offer.lease_until,
        priority: offer.priority,
        forced: offer.forced.clone(),
    })
}

/// The instant at which the offer that this command answers was made; `None` when the offer is not live.
pub(super) fn made(ticket: &Ticket, command: &Command) -> Option<Timestamp> {
    let (Command::AcceptOffer { offer, .. } | Command::DeclineOffer { offer, .. }) = command else { return None };
    ticket.offers.iter().find(|live| live.offer == *offer).map(|live| live.made)
}

/// The live offer, if the actor belongs to its crew and gives its fence.
fn live<'t>(ticket: &'t Ticket, offer: OfferId, fence: u64, cx: &Context<'_>) -> Result<&'t LiveOffer, Rejection> {
    let live = ticket.offers.iter().find(|live| live.offer == offer).ok_or_else(|| gone(ticket, offer))?;
    if cx.actor.org != *live.crew.org() {
        return Err(Rejection::NotYourOffer { actor: cx.actor.org.clone() });
    }
    if fence != live.fence {
        return Err(Rejection::StaleFence { current: live.fence });
    }
    Ok(live)
}

/// The rejection for an offer that ended, was never made, or whose ticket is held by a crew.
fn gone(ticket: &Ticket, offer: OfferId) -> Rejection {
    let taken_by = ticket.holder().filter(|holder| CrewId::of(holder).is_some()).cloned();
    Rejection::OfferNotLive { offer, taken_by }
}

/// The answer to a command about an offer that is no longer live. The member who accepted it may repeat the command: it
/// succeeds without events.
pub(super) fn settled(ticket: &Ticket, command: &Command, cx: &Context<'_>) -> Option<Decision> {
    match command {
        Command::AcceptOffer { offer, .. } => Some(match &ticket.taken {
            Some((taken, _)) if taken == offer && ticket.holder() != Some(&cx.actor.org) => {
                Err(Rejection::NotYourOffer { actor: cx.actor.org.clone() })
            }
            Some((taken, by)) if taken == offer && *by == cx.actor.id => Ok(Vec::new()),
            Some((taken, by)) if taken == offer => Err(Rejection::OfferTaken { by: by.clone() }),
            _ => Err(gone(ticket, *offer)),
        }),
        Command::DeclineOffer { offer, .. } | Command::EndOffer { offer, .. } => Some(Err(gone(ticket, *offer))),
        _ => None,
    }
}

/// The crew accepts the offer. One append dispatches the ticket to the crew and records the acceptance, so that no
/// other crew can take it.
pub(super) fn accept(ticket: &Ticket, offer: OfferId, fence: u64, cx: &Context<'_>) -> Decision {
    let crew = &live(ticket, offer, fence, cx)?.crew;
    let Some(holder) = ticket.holder() else { return Err(Rejection::NotFound) };
    Ok(vec![
        event::OfferAccepted { offer, crew: crew.clone(), by: cx.actor.id.clone() }.into(),
        event::Dispatched { from: holder.clone(), to: crew.org().clone() }.into(),
        event::CrewAccepted { crew: crew.org().clone() }.into(),
    ])
}

/// The crew declines the offer for cause. Offers to other crews stay live.
pub(super) fn decline(
    ticket: &Ticket,
    offer: OfferId,
    fence: u64,
    reason: DeclineReason,
    note: Option<&Personal>,
    cx: &Context<'_>,
) -> Decision {
    let crew = live(ticket, offer, fence, cx)?.crew.clone();
    one(event::OfferEnded { offer, crew, how: OfferEnd::Declined, reason: Some(reason), note: note.cloned() })
}

/// Ends an offer that expired or is withdrawn. The dispatch process decides whether the lease expired, because there is
/// no clock here. If the crew accepted first, the offer is no longer live and this is rejected.
pub(super) fn end(ticket: &Ticket, offer: OfferId, how: OfferEnd, cx: &Context<'_>) -> Decision {
    engine_only(cx)?;
    let live = ticket.offers.iter().find(|live| live.offer == offer).ok_or_else(|| gone(ticket, offer))?;
    one(event::OfferEnded { offer, crew: live.crew.clone(), how, reason: None, note: None })
}

/// A person chooses the crew. The actor belongs to the lowest holding desk, to a unit above it, or to a unit within it
/// that is above the crew. One append also recalls another crew that holds the ticket and withdraws offers to other
/// crews.
pub(super) fn pin(ticket: &Ticket, crew: Option<&CrewId>, reason: &Personal, cx: &Context<'_>) -> Decision {
    let Some(desk) = ticket.holders.iter().rev().find(|unit| CrewId::of(unit).is_none()) else {
        return Err(Rejection::NotFound);
    };
    let actor = &cx.actor.org;
    if !actor.contains(desk) && !desk.contains(actor) || CrewId::of(actor).is_some() {
        return Err(Rejection::NotTheHolder { holder: desk.clone(), actor: actor.clone() });
    }
    if let Some(crew) = crew
        && !(desk.contains(crew.org()) && actor.contains(crew.org()))
    {
        return Err(Rejection::OutsideHolder { holder: desk.clone(), to: crew.org().clone() });
    }
    let forced = Forced { by: cx.actor.id.clone(), org: actor.clone() };
    let other = |has: &CrewId| crew.is_some_and(|crew| crew != has);
    let recalled = ticket.holder().and_then(CrewId::of).is_some_and(|has| other(&has));
    let mut events = if recalled { super::field::recall(ticket, None, reason, cx)? } else { Vec::new() };
    for live in ticket.offers.iter().filter(|live| other(&live.crew)) {
        let (offer, crew) = (live.offer, live.crew.clone());
        events.push(event::OfferEnded { offer, crew, how: OfferEnd::Withdrawn, reason: None, note: None }.into());
    }
    events.push(event::Pinned { crew: crew.cloned(), forced, reason: reason.clone() }.into());
    Ok(events)
}
