//! Decisions after the reply: audit, revisit, reopening, closing.

use chrono::Timelike;

use super::{Decision, one};
use crate::{
    decider::Context,
    personal::Personal,
    ticket::{
        command::Verdict,
        event,
        moves::Move,
        rejection::Rejection,
        state::Ticket,
        vocabulary::{DissatisfactionReason, RevisitMethod, Satisfaction},
    },
};

/// The audit (回单审核) goes up the chain of holders, to the unit that received the ticket. A unit higher in the chain may
/// pass the reply for those below it. Source: audit at county, city, province and national centre (mark U).
pub(super) fn audit_reply(ticket: &Ticket, verdict: &Verdict, cx: &Context<'_>) -> Decision {
    let org = &cx.actor.org;
    // The highest link for which the actor may act: the next auditor or a unit above it in the chain.
    let candidates = ticket.holders.iter().take(ticket.audit_next + 1).enumerate();
    let link = candidates.filter(|(_, unit)| *unit == org || org.contains(unit)).map(|(i, _)| i).next();
    let Some(link) = link else {
        let next = ticket.holders.get(ticket.audit_next).or(ticket.receiver());
        return Err(next.map_or(Rejection::NotFound, |next| Rejection::NotAnAuditor { next: next.clone() }));
    };
    let by = ticket.holders[link].clone();
    match verdict {
        Verdict::SentBack { reason } => one(event::ReplySentBack { by, reason: reason.clone() }),
        Verdict::Passed { category } => {
            times_agree(ticket)?;
            let last = link == 0;
            let category = category.clone().or_else(|| ticket.confirmed_category.clone()).filter(|_| last);
            one(event::ReplyPassed { by, last, category })
        }
    }
}

/// Checks the order of receipt, arrival and restoration. A reply with contradictory times is sent back (95598 reply
/// audit, mark S).
pub(super) fn times_agree(ticket: &Ticket) -> Result<(), Rejection> {
    let steps =
        [("received", Some(ticket.received)), ("arrived", ticket.crew.arrived), ("restored", ticket.crew.restored)];
    let known: Vec<_> = steps.into_iter().filter_map(|(name, at)| at.map(|at| (name, at))).collect();
    for pair in known.windows(2) {
        let ((earlier, earlier_at), (later, later_at)) = (pair[0], pair[1]);
        if later_at < earlier_at {
            return Err(Rejection::TimesContradict { earlier, earlier_at, later, later_at });
        }
    }
    Ok(())
}

/// Revisit (回访): minimum spacing, no call in quiet hours, and a maximum number of tries. The sources are in
/// [`crate::rules`].
pub(super) fn revisit(
    ticket: &Ticket,
    method: RevisitMethod,
    outcome: Satisfaction,
    reasons: &[DissatisfactionReason],
    comment: Option<&Personal>,
    cx: &Context<'_>,
) -> Decision {
    let at = cx.occurred_at;
    if method != RevisitMethod::Sms
        && let Some(window) = cx.rules.quiet_at(at)
    {
        let minute = |time: chrono::NaiveTime| time.num_seconds_from_midnight() / 60;
        return Err(Rejection::QuietHours { from_minute: minute(window.from), to_minute: minute(window.to) });
    }
    let spacing = cx.rules.revisit_spacing();
    if let Some(next) = ticket.revisit_last.map(|last| last + spacing).filter(|next| at < *next) {
        return Err(Rejection::TooSoon { what: Move::Revisit, spacing, next });
    }
    let attempt = ticket.revisit_tries.saturating_add(1);
    if outcome.is_final() {
        return one(event::Revisited { method, outcome, reasons: reasons.to_vec(), comment: comment.cloned() });
    }
    let tried = event::RevisitAttempted { method, outcome, attempt };
    if attempt < cx.rules.revisit_tries_max {
        one(tried)
    } else {
        let done = event::Revisited { method, outcome, reasons: Vec::new(), comment: comment.cloned() };
        Ok(vec![tried.into(), done.into()])
    }
}

pub(super) fn reopen(ticket: &Ticket, reason: &Personal) -> Decision {
    one(event::Reopened { cycle: ticket.cycle.saturating_add(1), reason: reason.clone() })
}

pub(super) fn close(ticket: &Ticket, explanation: Option<&Personal>) -> Decision {
    if ticket.is_disputed() && explanation.is_none_or(Personal::is_empty) {
        return Err(Rejection::ExplanationNeeded);
    }
    one(event::Closed { explanation: explanation.cloned() })
}
