//! Decisions while a unit or crew works on the ticket: accept, return, reassign, crew progress, contact, reply.

use super::{Decision, closing::times_agree, one};
use crate::{
    actor::Role,
    crew::{CrewId, Skills},
    decider::Context,
    organisation::{Level, OrgPath},
    personal::Personal,
    ticket::{
        command::Reply,
        event,
        moves::held_by_crew,
        rejection::Rejection,
        state::{CrewProgress, Ticket},
        vocabulary::{ContactOutcome, ReplyOutcome, ReturnReason, Step},
    },
};

/// The holder, if the actor's unit is the holder or above it.
fn holder<'t>(ticket: &'t Ticket, cx: &Context<'_>) -> Result<&'t OrgPath, Rejection> {
    let Some(holder) = ticket.holder() else { return Err(Rejection::NotFound) };
    if holder.contains(&cx.actor.org) || cx.actor.org.contains(holder) {
        Ok(holder)
    } else {
        Err(Rejection::NotTheHolder { holder: holder.clone(), actor: cx.actor.org.clone() })
    }
}

pub(super) fn accept(ticket: &Ticket, cx: &Context<'_>) -> Decision {
    let holder = holder(ticket, cx)?.clone();
    if holder.level() == Level::Crew && ticket.path().field_work {
        one(event::CrewAccepted { crew: holder })
    } else {
        one(event::Accepted { by: holder })
    }
}

/// A return (退单) goes back exactly one level (mark U).
pub(super) fn give_back(ticket: &Ticket, reason: ReturnReason, note: &Personal, cx: &Context<'_>) -> Decision {
    let from = holder(ticket, cx)?.clone();
    let Some(to) = ticket.holders.iter().rev().nth(1) else { return Err(Rejection::NotFound) };
    one(event::Returned { from, to: to.clone(), reason, note: note.clone() })
}

pub(super) fn reassign(ticket: &Ticket, to: &OrgPath, reason: &Personal, cx: &Context<'_>) -> Decision {
    let Some(from) = ticket.holder() else { return Err(Rejection::NotFound) };
    if from == to {
        return Err(Rejection::AlreadyHeld { holder: from.clone() });
    }
    let org = &cx.actor.org;
    if !(org.contains(from) && org.contains(to)) {
        return Err(Rejection::NotCommonParent { actor: org.clone() });
    }
    one(event::Reassigned { from: from.clone(), to: to.clone(), reason: reason.clone() })
}

/// Records a step of a crew. Steps may be skipped, and may arrive late or out of order; the device's time counts. Each
/// step counts once. A diagnosis and an ETR may be corrected. So may every step while the times contradict each other,
/// because the reply could not pass the audit. A former crew may report only its own work; an actor above reports for
/// the crew that holds the ticket.
pub(super) fn report_progress(ticket: &Ticket, step: &Step, cx: &Context<'_>) -> Decision {
    let late = ticket.former_stint(&cx.actor.org, cx.occurred_at);
    let (crew, work) = match late {
        Some(former) => (former.crew.clone(), &former.work),
        None => (holder(ticket, cx)?.clone(), &ticket.crew),
    };
    if late.is_none() && !held_by_crew(ticket) {
        return Err(Rejection::NotTheHolder { holder: crew, actor: cx.actor.org.clone() });
    }
    let reported = match step {
        Step::Accepted => work.accepted.map(|at| (CrewProgress::Accepted, at)),
        Step::EnRoute => work.en_route.map(|at| (CrewProgress::EnRoute, at)),
        Step::Arrived { .. } => work.arrived.map(|at| (CrewProgress::Arrived, at)),
        Step::Restored => work.restored.map(|at| (CrewProgress::Restored, at)),
        Step::Diagnosed { .. } | Step::EtrSet { .. } => None,
    };
    if let Some((step, at)) = reported.filter(|_| late.is_some() || times_agree(ticket).is_ok()) {
        return Err(Rejection::AlreadyReported { step, at });
    }
    match step {
        Step::Accepted => one(event::CrewAccepted { crew }),
        Step::EnRoute => one(event::CrewEnRoute { crew }),
        Step::Arrived { area } => one(event::CrewArrived { crew, area: *area }),
        Step::Diagnosed { finding, category } => {
            one(event::CrewDiagnosed { crew, finding: finding.clone(), category: category.clone() })
        }
        Step::EtrSet { etr } => one(event::EtrSet { crew, etr: *etr }),
        Step::Restored => one(event::CrewRestored { crew }),
    }
}

/// The crew needs other skills: the ticket goes back to the unit that held it before, with the required skills.
pub(super) fn hand_over(ticket: &Ticket, needs: Skills, note: &Personal, cx: &Context<'_>) -> Decision {
    holder(ticket, cx)?;
    let (crew, from, to) = back(ticket)?;
    let back = event::Reassigned { from, to, reason: note.clone() };
    Ok(vec![event::HandedOver { crew, needs, note: note.clone() }.into(), back.into()])
}

/// Recalls the ticket from its crew. A unit above the crew may do so at any time before the reply. The engine may do so
/// only before the crew is on site, so that an outdated plan does not interrupt work.
pub(super) fn recall(ticket: &Ticket, expected: Option<&CrewId>, reason: &Personal, cx: &Context<'_>) -> Decision {
    let (crew, from, to) = back(ticket)?;
    if expected.is_some_and(|expected| *expected != crew) {
        return Err(Rejection::AlreadyHeld { holder: from });
    }
    let org = &cx.actor.org;
    if cx.actor.role == Role::System {
        let work = &ticket.crew;
        let on_site = work.arrived.or(work.diagnosed).or(work.restored);
        on_site.map_or(Ok(()), |at| Err(Rejection::AlreadyReported { step: work.progress(), at }))?;
    } else if !org.contains(&from) || *org == from {
        return Err(Rejection::NotAbove { holder: from, actor: org.clone() });
    }
    let back = event::Reassigned { from, to, reason: reason.clone() };
    Ok(vec![event::Recalled { crew, reason: reason.clone() }.into(), back.into()])
}

/// The crew that holds the ticket, its path, and the previous holder.
fn back(ticket: &Ticket) -> Result<(CrewId, OrgPath, OrgPath), Rejection> {
    let mut holders = ticket.holders.iter().rev();
    match (holders.next(), holders.next()) {
        (Some(from), Some(to)) => CrewId::of(from)
            .map(|crew| (crew, from.clone(), to.clone()))
            .ok_or_else(|| Rejection::NotTheHolder { holder: from.clone(), actor: to.clone() }),
        _ => Err(Rejection::NotFound),
    }
}

pub(super) fn contact(outcome: ContactOutcome, note: Option<&Personal>) -> Decision {
    one(event::Contacted { outcome, note: note.cloned() })
}

pub(super) fn reply(ticket: &Ticket, reply: &Reply, cx: &Context<'_>) -> Decision {
    let by = holder(ticket, cx)?.clone();
    let crewed = ticket.crew.assigned.is_some();
    if crewed && reply.outcome == ReplyOutcome::Resolved && ticket.crew.restored.is_none() {
        return Err(Rejection::NotRestored);
    }
    one(event::Replied {
        by,
        outcome: reply.outcome,
        facts: reply.facts.clone(),
        cause: reply.cause.clone(),
        measures: reply.measures.clone(),
        customer_view: reply.customer_view.clone(),
        category: reply.category.clone(),
        ownership: reply.ownership,
        substantiated: reply.substantiated,
    })
}
