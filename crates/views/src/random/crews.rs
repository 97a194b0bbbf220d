//! Random histories of tickets with offers, dispatches and their ends among three crews, mixed with all other events.

use chrono::{DateTime, TimeDelta};
use proptest::{collection::vec, prelude::*, sample::select};
use switchboard_domain::{
    Timestamp,
    actor::{Actor, Role},
    crew::{CrewId, Forced, OfferEnd, OfferId, Skills},
    organisation::OrgPath,
    ticket::{Event, TicketId, event},
};
use uuid::Uuid;

use crate::Fact;

/// The station of the crews.
pub const STATION: &str = "sgcc/zj/hz/yh/lz";
/// The crews.
pub const CREWS: [&str; 3] = ["sgcc/zj/hz/yh/lz/c1", "sgcc/zj/hz/yh/lz/c2", "sgcc/zj/hz/yh/lz/c3"];
/// The number of tickets.
pub const TICKETS: u8 = 3;

/// The unit with this path.
///
/// # Panics
/// The text is not an organisation path.
#[must_use]
pub fn org(path: &str) -> OrgPath {
    OrgPath::parse(path).unwrap_or_else(|_| panic!("{path}"))
}

/// The `n`-th crew, from 0.
///
/// # Panics
/// There is no such crew.
#[must_use]
pub fn crew(n: usize) -> CrewId {
    CrewId::of(&org(CREWS[n])).unwrap_or_else(|| panic!("{n}"))
}

/// The `n`-th ticket, from 0.
#[must_use]
pub fn ticket(n: u8) -> TicketId {
    TicketId(Uuid::from_bytes([n + 1; 16]))
}

/// An instant: this many minutes after the start of all histories.
#[must_use]
pub fn at(minute: u64) -> Timestamp {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap_or_default() + TimeDelta::minutes(minute.cast_signed())
}

/// An offer was made.
#[must_use]
pub fn offered(ticket: TicketId, attempt: u32, to: usize, forced: Option<Forced>) -> Event {
    event::Offered {
        offer: OfferId::of(ticket, attempt),
        attempt,
        crew: crew(to),
        fence: u64::from(attempt),
        lease_until: at(3),
        priority: attempt > 1,
        forced,
    }
    .into()
}

/// An offer was accepted. The dispatch that follows it is a separate event.
#[must_use]
pub fn accepted(ticket: TicketId, attempt: u32, by: usize) -> Event {
    event::OfferAccepted { offer: OfferId::of(ticket, attempt), crew: crew(by), by: "phone".into() }.into()
}

/// An offer ended without being accepted.
#[must_use]
pub fn ended(ticket: TicketId, attempt: u32, to: usize, how: OfferEnd) -> Event {
    event::OfferEnded { offer: OfferId::of(ticket, attempt), crew: crew(to), how, reason: None, note: None }.into()
}

/// The ticket was dispatched to a unit.
#[must_use]
pub fn dispatched(from: &str, to: &str) -> Event {
    event::Dispatched { from: org(from), to: org(to) }.into()
}

/// The ticket was moved to another unit.
#[must_use]
pub fn reassigned(from: &str, to: &str) -> Event {
    event::Reassigned { from: org(from), to: org(to), reason: "so".into() }.into()
}

/// A fact at this position.
#[must_use]
pub fn fact(position: u64, id: TicketId, event: Event) -> Fact {
    Fact {
        position,
        id,
        revision: position,
        event,
        occurred_at: at(position),
        recorded_at: at(position),
        actor: Actor { id: "desk-1".into(), role: Role::Desk, org: org("sgcc") },
        request_id: Uuid::nil(),
    }
}

/// Any event of a ticket; most often one that causes messages to crews.
pub fn event_of(t: TicketId) -> impl Strategy<Value = Event> {
    let unit = || select(vec!["sgcc", STATION, CREWS[0], CREWS[1], CREWS[2]]);
    let forced = Forced { by: "desk-1".into(), org: org(STATION) };
    let attempt = || (1u32..5, 0usize..3);
    let offers = prop_oneof![
        4 => attempt().prop_map(move |(n, to)| offered(t, n, to, None)),
        1 => attempt().prop_map(move |(n, to)| offered(t, n, to, Some(forced.clone()))),
        2 => attempt().prop_map(move |(n, by)| accepted(t, n, by)),
        2 => (attempt(), select(OfferEnd::ALL)).prop_map(move |((n, to), how)| ended(t, n, to, how)),
    ];
    let hands = prop_oneof![
        2 => (unit(), unit()).prop_map(|(from, to)| dispatched(from, to)),
        2 => (unit(), unit()).prop_map(|(from, to)| reassigned(from, to)),
        1 => (0usize..3).prop_map(|n| event::Recalled { crew: crew(n), reason: "so".into() }.into()),
        1 => (0usize..3)
            .prop_map(|n| event::HandedOver { crew: crew(n), needs: Skills::NONE, note: "so".into() }.into()),
    ];
    prop_oneof![6 => offers, 4 => hands, 4 => super::event(), 1 => super::received()]
}

/// A random log, including orders that no real log can have. Each ticket begins with a receipt.
pub fn log(facts_max: usize) -> impl Strategy<Value = Vec<Fact>> {
    let first = (0..TICKETS).map(|n| super::received().prop_map(move |event| (n, event))).collect::<Vec<_>>();
    let step = (0..TICKETS).prop_flat_map(|n| event_of(ticket(n)).prop_map(move |event| (n, event)));
    (first, vec(step, 1..facts_max)).prop_map(|(first, steps)| {
        let facts = first.into_iter().chain(steps).zip(1..);
        facts.map(|((n, event), position)| fact(position, ticket(n), event)).collect()
    })
}
