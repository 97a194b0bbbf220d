//! The request that opens a ticket. Fields that only the engine can set are left empty: the ticket number, the keyed
//! hashes, and the id of a linked ticket.

use switchboard_domain::{
    Timestamp, Violation,
    actor::Actor,
    ticket::{
        Command, ExternalRef, Place, TicketId,
        command::{Caller, Receive},
    },
};
use uuid::Uuid;

use super::{
    TicketRef,
    reader::{Reader, given, personal},
};
use crate::proto;

/// The fields of a receive request that are not part of the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiveHeader {
    /// The caller's id for this request; the ticket's id is derived from it.
    pub request_id: Uuid,
    /// The instant of the customer's report; `None` means now.
    pub occurred_at: Option<Timestamp>,
    /// The ticket that this one belongs to. The command contains the nil id until the caller has resolved the
    /// reference.
    pub linked: Option<TicketRef>,
}

/// Reads a receive request. The receiving unit is the actor's unless the request names another.
///
/// # Errors
/// All violations at once, at most one per field, by the path in the request.
pub fn receive(request: &proto::ReceiveRequest, actor: &Actor) -> Result<(ReceiveHeader, Receive), Vec<Violation>> {
    let mut reader = Reader::default();
    let linked = given(request.linked_ticket.as_deref()).and_then(|text| reader.ticket("linked_ticket", text));
    let header = ReceiveHeader {
        request_id: reader.request_id("request_id", &request.request_id),
        occurred_at: reader.time("occurred_at", request.occurred_at.as_ref()),
        linked,
    };
    let command = read(&mut reader, request, actor, header.linked.is_some());
    match reader.finish(header, command.map(|receive| Command::Receive(Box::new(receive))))? {
        (header, Command::Receive(receive)) => Ok((header, *receive)),
        // Unreachable: `finish` returns the command that it was given.
        _ => Err(vec![Violation::missing("business_type")]),
    }
}

fn read(reader: &mut Reader, request: &proto::ReceiveRequest, actor: &Actor, linked: bool) -> Option<Receive> {
    let received_by = match given(request.received_by.as_deref()) {
        Some(text) => reader.org("received_by", text)?,
        None => actor.org.clone(),
    };
    Some(Receive {
        number: String::new(),
        business: reader.word("business_type", request.business_type)?,
        channel: reader.word("channel", request.channel)?,
        received_by,
        caller: caller(request.caller.as_ref()),
        tier: reader.maybe_word("tier", request.tier),
        address: personal(request.address.as_deref()),
        content: request.content.as_str().into(),
        place: place(reader, request.place.as_ref()),
        premises: reader.maybe_word("premises", request.premises),
        customers_out: request.customers_out,
        confidential: request.confidential,
        call_id: given(request.call_id.as_deref()).map(str::to_owned),
        hung_up_at: reader.time("hung_up_at", request.hung_up_at.as_ref()),
        appointment: reader.time("appointment", request.appointment.as_ref()),
        external: request.external.clone().map(|proto::ExternalRef { issuer, value }| ExternalRef { issuer, value }),
        linked: linked.then_some(TicketId(Uuid::nil())),
    })
}

fn caller(caller: Option<&proto::Caller>) -> Caller {
    caller.map_or_else(Caller::default, |caller| Caller {
        anonymous: caller.anonymous,
        name: personal(caller.name.as_deref()),
        phone: personal(caller.phone.as_deref()),
        account: personal(caller.account.as_deref()),
        phone_key: None,
        account_key: None,
    })
}

fn place(reader: &mut Reader, place: Option<&proto::Place>) -> Place {
    let Some(place) = place else { return Place::default() };
    let location_e6 = match (place.latitude_e6, place.longitude_e6) {
        (Some(latitude), Some(longitude)) => Some((latitude, longitude)),
        (None, None) => None,
        (Some(_), None) => {
            reader.missing("place.longitude_e6");
            None
        }
        (None, Some(_)) => {
            reader.missing("place.latitude_e6");
            None
        }
    };
    Place {
        area: reader.maybe_word("place.area", place.area),
        feeder: given(place.feeder.as_deref()).map(str::to_owned),
        transformer: given(place.transformer.as_deref()).map(str::to_owned),
        location_e6,
    }
}
