//! Views in messages of the API. Personal data is masked, unless a recorded reveal asked for it. The caller of a
//! confidential ticket is left out.

use switchboard_domain::{
    Violation, personal,
    ticket::{CaseFile, Event, Place},
};
use switchboard_readmodel::{PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX, Page, Query};
use switchboard_views::{
    Fact,
    ticket_list::{Filter, Order},
    ticket_page::TicketPage,
};
use switchboard_wire::{answer, proto, refusal::Refusal, stored::Stored};

use crate::service::{crews, tickets::Done};

/// The way in which personal data is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Personal {
    /// Masked, as in `138****5678`. A confidential caller is left out.
    Masked,
    /// In clear.
    Readable,
}

/// The etag of a ticket: its revision as text.
#[must_use]
pub fn etag(revision: u64) -> String {
    revision.to_string()
}

/// The response to an accepted command.
#[must_use]
pub fn outcome(done: &Done) -> proto::CommandOutcome {
    proto::CommandOutcome {
        ticket_id: done.id.to_string(),
        etag: etag(done.revision),
        position: done.position,
        replayed: done.replayed,
        stage: answer::word(done.stage),
    }
}

/// The response to an accepted command to a crew.
#[must_use]
pub fn crew_outcome(done: &crews::Done) -> proto::CrewOutcome {
    proto::CrewOutcome { crew: done.crew.org().to_string(), position: done.position, replayed: done.replayed }
}

/// Converts one ticket.
#[must_use]
pub fn ticket(page: &TicketPage, personal: Personal) -> proto::TicketView {
    let (file, ticket) = (&page.file, &page.file.ticket);
    let show = |value: &personal::Personal| match (personal, value.plain()) {
        (Personal::Readable, Some(plain)) => plain.to_owned(),
        _ => value.masked(),
    };
    let hidden = ticket.confidential && personal == Personal::Masked;
    let caller = |value: &Option<personal::Personal>| value.as_ref().filter(|_| !hidden).map(show);
    let category = |value: &Option<switchboard_domain::ticket::Category>| value.as_ref().map(|c| c.as_str().to_owned());
    proto::TicketView {
        id: file.id.to_string(),
        number: file.number.clone(),
        etag: etag(file.revision),
        business_type: answer::word(ticket.business),
        stage: answer::word(ticket.stage),
        crew_progress: answer::word(ticket.crew.progress()),
        channel: answer::word(file.channel),
        urgency: answer::word(ticket.urgency),
        grade: answer::maybe_word(ticket.grade),
        accepted_category: category(&ticket.accepted_category),
        confirmed_category: category(&ticket.confirmed_category),
        audited_category: category(&ticket.audited_category),
        holders: ticket.holders.iter().map(|unit| unit.as_str().to_owned()).collect(),
        caller_name: caller(&page.caller_name),
        caller_phone: caller(&page.caller_phone),
        caller_account: caller(&page.caller_account),
        address: caller(&page.address),
        content: page.content.iter().map(show).collect::<Vec<_>>().join("\n"),
        place: Some(if hidden { coarse(&file.place) } else { answer::place(&file.place) }),
        premises: answer::maybe_word(page.premises),
        customers_out: file.customers_out,
        anonymous: ticket.anonymous,
        confidential: ticket.confidential,
        external: file.external.as_ref().filter(|_| !hidden).map(answer::external),
        linked_ticket: page.linked.filter(|_| !hidden).map(|id| id.to_string()),
        supervised: ticket.supervised,
        suspended: answer::maybe_word(ticket.suspended),
        urges: u32::from(ticket.urges),
        cycle: u32::from(ticket.cycle),
        master: ticket.master.map(|id| id.to_string()),
        children: ticket.children.iter().map(ToString::to_string).collect(),
        received_at: Some(answer::timestamp(ticket.received)),
        dispatched_at: page.dispatched_at.map(answer::timestamp),
        arrived_at: ticket.crew.arrived.map(answer::timestamp),
        etr: ticket.crew.etr.map(answer::timestamp),
        restored_at: ticket.crew.restored.map(answer::timestamp),
        replied_at: page.replied_at.map(answer::timestamp),
        ended_at: file.ended_at.map(answer::timestamp),
        updated_at: Some(answer::timestamp(file.updated_at)),
        satisfaction: answer::maybe_word(ticket.satisfaction),
        legal_moves: page.legal_moves().open().map(|m| m.as_str().to_owned()).collect(),
        tier: answer::maybe_word(file.tier.filter(|_| !hidden)),
        appointment: file.appointment.map(answer::timestamp),
    }
}

/// Reduces a place to its area, which identifies no address.
#[must_use]
pub fn coarse(place: &Place) -> proto::Place {
    proto::Place { area: answer::maybe_word(place.area), ..proto::Place::default() }
}

/// One line of a list.
#[must_use]
pub fn summary(file: &CaseFile) -> proto::TicketSummary {
    let ticket = &file.ticket;
    proto::TicketSummary {
        id: file.id.to_string(),
        number: file.number.clone(),
        business_type: answer::word(ticket.business),
        stage: answer::word(ticket.stage),
        crew_progress: answer::word(ticket.crew.progress()),
        channel: answer::word(file.channel),
        urgency: answer::word(ticket.urgency),
        grade: answer::maybe_word(ticket.grade),
        category: file.category().map(|c| c.as_str().to_owned()),
        received_by: file.received_by.to_string(),
        holder: file.holder().to_string(),
        received_at: Some(answer::timestamp(ticket.received)),
        updated_at: Some(answer::timestamp(file.updated_at)),
        ended_at: file.ended_at.map(answer::timestamp),
        etr: ticket.crew.etr.map(answer::timestamp),
        supervised: ticket.supervised,
        suspended: ticket.suspended.is_some(),
        confidential: ticket.confidential,
        urges: u32::from(ticket.urges),
        cycle: u32::from(ticket.cycle),
        master: ticket.master.map(|id| id.to_string()),
        customers_out: file.customers_out,
        external: file.external.as_ref().filter(|_| !ticket.confidential).map(answer::external),
    }
}

/// Converts one fact of a ticket with masked personal data. A confidential caller is left out.
#[must_use]
pub fn fact(fact: &Fact, confidential: bool) -> proto::FactView {
    let mut event = fact.event.clone();
    if let Event::Received(received) = &mut event {
        received.confidential |= confidential;
    }
    proto::FactView {
        position: fact.position,
        revision: fact.revision,
        kind: fact.event.kind().into(),
        occurred_at: Some(answer::timestamp(fact.occurred_at)),
        recorded_at: Some(answer::timestamp(fact.recorded_at)),
        actor: Some(answer::actor(&fact.actor)),
        request_id: fact.request_id.to_string(),
        data_json: answer::fact_json(&event, false),
    }
}

/// Reads a list request.
///
/// # Errors
/// All fields that cannot be read, in one refusal; [`Refusal::TokenMismatch`] for a token of another request.
pub fn query(request: &proto::ListRequest) -> Result<Query, Refusal> {
    let mut found = Vec::new();
    let filter = Filter::parse(&request.filter).unwrap_or_else(|error| {
        found.push(Violation::unreadable("filter", error.to_string()));
        Filter::default()
    });
    let order = match request.order_by.trim() {
        "" => Ok(Order::default()),
        text => Order::parse(text),
    };
    let order = order.unwrap_or_else(|_| {
        found.push(Violation::malformed("order_by", "received_at, updated_at or number, perhaps followed by ' desc'"));
        Order::default()
    });
    if !found.is_empty() {
        return Err(Refusal::InvalidFields(found));
    }
    let page_size = match request.page_size {
        0 => PAGE_ROWS_DEFAULT,
        size => (size as usize).min(PAGE_ROWS_MAX),
    };
    let query = Query { filter, order, page_size, after: None };
    query.continued(&request.page_token).map_err(|_| Refusal::TokenMismatch)
}

/// Converts a page of a list.
#[must_use]
pub fn list(query: &Query, page: &Page) -> proto::ListResponse {
    proto::ListResponse {
        tickets: page.rows.iter().map(summary).collect(),
        next_page_token: page.next.as_ref().map_or_else(String::new, |next| query.token(next)),
        total: page.total,
        more_than_total: page.more_than_total,
        position: page.position,
    }
}
