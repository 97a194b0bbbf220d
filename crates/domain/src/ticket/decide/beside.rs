//! Decisions that may be made beside the work: urge, supervise, escalate, suspend, extend, merge, reveal.

use super::{Decision, one};
use crate::{
    Timestamp,
    actor::Role,
    decider::Context,
    personal::Personal,
    ticket::{
        TicketId, event,
        moves::Move,
        rejection::Rejection,
        state::Ticket,
        vocabulary::{BusinessType, Escalation, SuspendReason, Urgency},
    },
};

pub(super) fn urge(ticket: &Ticket, reason: &Personal, cx: &Context<'_>) -> Decision {
    let rules = cx.rules;
    let spacing = rules.urge_spacing();
    if let Some(next) = ticket.urged_last.map(|last| last + spacing).filter(|next| cx.occurred_at < *next) {
        return Err(Rejection::TooSoon { what: Move::Urge, spacing, next });
    }
    if ticket.business != BusinessType::FaultRepair && ticket.urges >= rules.urges_max {
        return Err(Rejection::Exhausted { what: Move::Urge, max: rules.urges_max });
    }
    one(event::Urged { count: ticket.urges.saturating_add(1), reason: reason.clone() })
}

pub(super) fn supervise(ticket: &Ticket, demand: &Personal, cx: &Context<'_>) -> Decision {
    let by = &cx.actor.org;
    match ticket.holder() {
        Some(holder) if by.contains(holder) => one(event::Supervised { by: by.clone(), demand: demand.clone() }),
        Some(holder) => Err(Rejection::NotAbove { holder: holder.clone(), actor: by.clone() }),
        None => Err(Rejection::NotFound),
    }
}

pub(super) fn escalate(ticket: &Ticket, to: Escalation, reason: &Personal) -> Decision {
    match to {
        Escalation::Urgent if ticket.urgency == Urgency::Urgent => return Err(Rejection::AlreadyUrgent),
        Escalation::Urgent => {}
        Escalation::Complaint(_) if !ticket.path().escalates_to_complaint => {
            return Err(Rejection::NotEscalable { business: ticket.business });
        }
        Escalation::Complaint(_) => {}
        Escalation::Grade(grade) => match ticket.grade {
            _ if !ticket.path().graded => return Err(Rejection::NotEscalable { business: ticket.business }),
            Some(current) if grade <= current => return Err(Rejection::NotHigher { current }),
            _ => {}
        },
    }
    one(event::Escalated { to, reason: reason.clone() })
}

pub(super) fn suspend(reason: SuspendReason, until: Option<Timestamp>, note: Option<&Personal>) -> Decision {
    one(event::Suspended { reason, until, note: note.cloned() })
}

pub(super) fn resume() -> Decision {
    one(event::Resumed {})
}

pub(super) fn extend(ticket: &Ticket, until: Timestamp, reason: &Personal) -> Decision {
    if let Some(current) = ticket.extended_until.filter(|current| until <= *current) {
        return Err(Rejection::NotLater { current });
    }
    one(event::Extended { until, reason: reason.clone() })
}

/// The child's part of a merge. The master decides whether to adopt the child; `linkage` asks it, and detaches the
/// child if the master rejects.
pub(super) fn merge(master: TicketId, evidence: &Personal) -> Decision {
    one(event::Merged { master, evidence: evidence.clone() })
}

pub(super) fn unmerge(ticket: &Ticket, reason: &Personal) -> Decision {
    match ticket.master {
        Some(master) => one(event::Unmerged { master, reason: reason.clone() }),
        None => Err(Rejection::AnotherMaster { master: None }),
    }
}

pub(super) fn adopt_child(ticket: &Ticket, child: TicketId) -> Decision {
    if ticket.children.contains(&child) {
        return Err(Rejection::ChildUnchanged { child });
    }
    if let Some(master) = ticket.master {
        return Err(Rejection::MasterIsChild { master });
    }
    one(event::ChildAdopted { child })
}

pub(super) fn release_child(ticket: &Ticket, child: TicketId) -> Decision {
    if !ticket.children.contains(&child) {
        return Err(Rejection::ChildUnchanged { child });
    }
    one(event::ChildReleased { child })
}

pub(super) fn follow_master(ticket: &Ticket, master: TicketId, restored: Option<Timestamp>) -> Decision {
    if ticket.master != Some(master) {
        return Err(Rejection::AnotherMaster { master: ticket.master });
    }
    one(event::MasterFollowed { master, restored })
}

/// Records that personal data is shown. The identity behind a confidential report or complaint must not reach the
/// accused unit (mark S), so only inspectors may see it.
pub(super) fn reveal(ticket: &Ticket, purpose: &str, cx: &Context<'_>) -> Decision {
    if ticket.confidential && cx.actor.role != Role::Inspector {
        return Err(Rejection::Confidential);
    }
    one(event::PersonalRevealed { purpose: purpose.to_owned() })
}
