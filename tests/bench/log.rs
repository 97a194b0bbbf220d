//! Facts with the positions that a log would give them, for the parts that fold facts without a log. Nothing is stored
//! and nothing is decided.

use switchboard_domain::{
    Timestamp,
    actor::{Actor, Role},
    decider::Recorded,
    organisation::OrgPath,
    ticket::{BusinessType, Channel, Place, TicketId, event::Received},
};
use uuid::Uuid;

use crate::Outcome;

/// Numbers facts, and names one actor for all of them.
pub struct Log {
    /// The position of the last fact; 0 before the first.
    pub position: u64,
    actor: Actor,
}

impl Log {
    pub fn new() -> Outcome<Self> {
        Ok(Self { position: 0, actor: Actor { id: "bench".into(), role: Role::Agent, org: org("sgcc")? } })
    }

    pub fn record<E, Id>(&mut self, id: Id, revision: u64, event: E, at: Timestamp) -> Recorded<E, Id> {
        self.position += 1;
        let (actor, request_id) = (self.actor.clone(), Uuid::nil());
        Recorded { position: self.position, id, revision, event, occurred_at: at, recorded_at: at, actor, request_id }
    }
}

pub fn org(text: &str) -> Outcome<OrgPath> {
    Ok(OrgPath::parse(text).map_err(|error| error.to_string())?)
}

pub fn ticket_id(number: u64) -> TicketId {
    TicketId(Uuid::from_u128(u128::from(number) << 64 | 0x95598))
}

/// Returns the first event of a ticket, with the required fields only.
pub fn received(number: u64, business: BusinessType, received_by: OrgPath) -> Received {
    Received {
        number: format!("{number:016}"),
        business,
        channel: Channel::Hotline,
        received_by,
        anonymous: false,
        confidential: false,
        caller_name: None,
        caller_phone: None,
        caller_account: None,
        phone_key: None,
        account_key: None,
        address: None,
        content: "x".into(),
        place: Place::default(),
        premises: None,
        customers_out: None,
        call_id: None,
        hung_up_at: None,
        external: None,
        linked: None,
        tier: None,
        appointment: None,
    }
}
