//! Decisions at intake: receive, supplement, classify, close at first contact, dispatch, withdraw.

use super::{Decision, one};
use crate::{
    Violation,
    decider::Context,
    organisation::OrgPath,
    personal::Personal,
    ticket::{
        command::Receive,
        event, path,
        rejection::Rejection,
        state::Ticket,
        vocabulary::{BusinessType, Category, Grade, Urgency},
    },
};

pub(super) fn receive(receive: &Receive, cx: &Context<'_>) -> Decision {
    if !cx.actor.org.contains(&receive.received_by) && !receive.received_by.contains(&cx.actor.org) {
        return Err(Rejection::NotTheHolder { holder: receive.received_by.clone(), actor: cx.actor.org.clone() });
    }
    let caller = &receive.caller;
    let confidential = receive.confidential || (path::of(receive.business).always_confidential && !caller.anonymous);
    one(event::Received {
        number: receive.number.clone(),
        business: receive.business,
        channel: receive.channel,
        received_by: receive.received_by.clone(),
        anonymous: caller.anonymous,
        confidential,
        caller_name: caller.name.clone(),
        caller_phone: caller.phone.clone(),
        caller_account: caller.account.clone(),
        phone_key: caller.phone_key.clone(),
        account_key: caller.account_key.clone(),
        tier: receive.tier,
        address: receive.address.clone(),
        content: receive.content.clone(),
        place: receive.place.clone(),
        premises: receive.premises,
        customers_out: receive.customers_out,
        call_id: receive.call_id.clone(),
        hung_up_at: receive.hung_up_at,
        appointment: receive.appointment,
        external: receive.external.clone(),
        linked: receive.linked,
    })
}

pub(super) fn supplement(content: &Personal) -> Decision {
    one(event::Supplemented { content: content.clone() })
}

pub(super) fn classify(
    ticket: &Ticket,
    business: Option<BusinessType>,
    category: &Category,
    urgency: Urgency,
    grade: Option<Grade>,
) -> Decision {
    let business = business.unwrap_or(ticket.business);
    let row = path::of(business);
    let mut found = Vec::new();
    if row.graded && grade.is_none() {
        found.push(Violation::missing("grade"));
    }
    if !row.graded && grade.is_some() {
        found.push(Violation::contradicts("grade", "business_type"));
    }
    if row.linked != ticket.path().linked {
        found.push(Violation::contradicts("business_type", "linked_ticket"));
    }
    if !ticket.children.is_empty() && !row.mergeable {
        found.push(Violation::contradicts("business_type", "children"));
    }
    if !found.is_empty() {
        return Err(Rejection::Invalid(found));
    }
    one(event::Classified { business, category: category.clone(), urgency, grade })
}

pub(super) fn close_at_first_contact(answer: &Personal) -> Decision {
    one(event::ClosedAtFirstContact { answer: answer.clone() })
}

/// Dispatch (派发) and forwarding (接单分理): to a unit within the holder, at a level that the path of the business type
/// permits.
pub(super) fn dispatch(ticket: &Ticket, to: &OrgPath) -> Decision {
    let Some(from) = ticket.holder() else { return Err(Rejection::NotFound) };
    if !from.contains(to) {
        return Err(Rejection::OutsideHolder { holder: from.clone(), to: to.clone() });
    }
    // The receiving unit may dispatch to itself; a later holder may not.
    if from == to && ticket.holders.len() > 1 {
        return Err(Rejection::AlreadyHeld { holder: from.clone() });
    }
    if !ticket.path().dispatch.admits(from, to) {
        return Err(Rejection::WrongLevel { business: ticket.business, from: from.level(), to: to.level() });
    }
    one(event::Dispatched { from: from.clone(), to: to.clone() })
}

pub(super) fn withdraw(reason: &Personal) -> Decision {
    one(event::Withdrawn { reason: reason.clone() })
}
