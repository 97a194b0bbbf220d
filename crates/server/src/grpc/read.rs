//! Reads requests of the API into the input of use cases. `wire` finds the violations that can be found without the
//! ticket. This file adds the actor.

use prost::Message;
use switchboard_domain::{Timestamp, Violation, actor::Actor};
use switchboard_wire::{
    answer,
    command::{self, CrewRequest, TicketRef, TicketRequest},
    proto,
    refusal::Refusal,
};

use crate::{
    grpc::call::former_hash,
    service::{
        Asked, Node,
        crews::ToCrew,
        tickets::{AsOf, ToReceive, ToTicket},
    },
};

/// Reads a command to an existing ticket.
///
/// # Errors
/// All violations, in one refusal.
pub(crate) fn to_ticket<R: TicketRequest + Message>(node: &Node, body: &R, actor: &Actor) -> Result<ToTicket, Refusal> {
    let (header, command) = body.read().map_err(Refusal::InvalidFields)?;
    let asked = Asked {
        request_id: header.request_id,
        occurred_at: header.occurred_at,
        etag: header.etag,
        former_hash: former_hash(node, R::METHOD, actor, body),
    };
    Ok(ToTicket { ticket: header.ticket, command, master: body.master(), asked })
}

/// Reads a request to open a ticket, which arrived as `method` with this body.
///
/// # Errors
/// All violations, in one refusal.
pub(crate) fn to_receive(
    node: &Node,
    (method, body): (&str, &impl Message),
    receive: &proto::ReceiveRequest,
    actor: &Actor,
) -> Result<ToReceive, Refusal> {
    let (header, receive) = command::receive(receive, actor).map_err(Refusal::InvalidFields)?;
    let former_hash = former_hash(node, method, actor, body);
    let asked = Asked { request_id: header.request_id, occurred_at: header.occurred_at, etag: None, former_hash };
    Ok(ToReceive { receive, linked: header.linked, asked })
}

/// Reads a command to a crew.
///
/// # Errors
/// All violations, in one refusal.
pub(crate) fn to_crew<R: CrewRequest + Message>(node: &Node, body: &R, actor: &Actor) -> Result<ToCrew, Refusal> {
    let (header, command) = body.read(actor).map_err(Refusal::InvalidFields)?;
    let former_hash = former_hash(node, R::METHOD, actor, body);
    let asked = Asked { request_id: header.request_id, occurred_at: header.occurred_at, etag: None, former_hash };
    Ok(ToCrew { crew: header.crew, command, asked })
}

/// Reads the ticket that a query names, by id or number.
///
/// # Errors
/// The text names no ticket.
pub(crate) fn reference(text: &str) -> Result<TicketRef, Refusal> {
    command::reference(text).ok_or_else(|| Refusal::InvalidFields(vec![Violation::missing("ticket")]))
}

/// Reads the point of history of a query.
///
/// # Errors
/// The instant cannot be read.
pub(crate) fn as_of(as_of: Option<proto::AsOf>) -> Result<AsOf, Refusal> {
    Ok(match as_of.and_then(|as_of| as_of.point) {
        None => AsOf::Now,
        Some(proto::as_of::Point::Position(position)) => AsOf::Position(position),
        Some(proto::as_of::Point::Time(time)) => {
            AsOf::Time(answer::instant(&time).ok_or_else(|| malformed("as_of.time", "an instant"))?)
        }
    })
}

/// Reads a required instant.
///
/// # Errors
/// It is missing, or is not a valid instant.
pub(crate) fn instant(field: &'static str, time: Option<&prost_types::Timestamp>) -> Result<Timestamp, Refusal> {
    let time = time.ok_or_else(|| Refusal::InvalidFields(vec![Violation::missing(field)]))?;
    answer::instant(time).ok_or_else(|| malformed(field, "an instant"))
}

/// Reads a required period, which must end after it begins.
///
/// # Errors
/// An instant is missing or malformed, or the period does not end after it begins.
pub(crate) fn period(
    from: Option<&prost_types::Timestamp>,
    to: Option<&prost_types::Timestamp>,
) -> Result<(Timestamp, Timestamp), Refusal> {
    let (from, to) = (instant("from", from)?, instant("to", to)?);
    if from >= to {
        return Err(Refusal::InvalidFields(vec![Violation::contradicts("from", "to")]));
    }
    Ok((from, to))
}

pub(crate) fn malformed(field: &'static str, expected: &'static str) -> Refusal {
    Refusal::InvalidFields(vec![Violation::malformed(field, expected)])
}
