//! The conditions that every fact must meet when it is recorded. The process is not blamed for facts that it could not
//! know because another writer was faster. Such faults must have been repaired at rest, see `rest`.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use switchboard_domain::{
    Timestamp,
    actor::Role,
    crew::{self, Crew, CrewId, OfferEnd},
    fact::{CrewFact, TicketFact},
    organisation::OrgPath,
    ticket::{self, Command, Event, Ticket, TicketId, state::OFFERS_LIVE_MAX},
};

use crate::store::Asking;

/// The most reservations of one crew for one ticket within an hour.
const SAME_AGAIN_MAX: usize = 12;
/// The same, when a person chose the crew. Refusals do not bind the person, so only leases limit the rate.
const FORCED_AGAIN_MAX: usize = 60;
/// The part of a category that means danger to life (断线).
const WIRE_DOWN: &str = "\u{65ad}\u{7ebf}";
/// The minutes within which crews are not diverted from one ticket twice.
const DIVERTED_MINUTES: i64 = 30;
/// The most facts of the dispatch process about one ticket within an hour.
const SAID_MAX: usize = 150;

/// The conditions, and the history that they need.
#[derive(Debug, Default)]
pub struct Watch {
    /// The violations, in order.
    pub broken: Vec<String>,
    /// By the log: when and how a crew turned down an offer of a ticket.
    pub turned_down: BTreeMap<(TicketId, CrewId), (Timestamp, OfferEnd)>,
    /// The appointments of tickets, until they are reopened.
    pub appointed: BTreeMap<TicketId, Timestamp>,
    /// The number of offers by their end, and of those accepted.
    pub tally: BTreeMap<&'static str, u64>,
    /// The last diversion of a crew from a ticket.
    diverted: BTreeMap<TicketId, Timestamp>,
    ticket_at: BTreeMap<TicketId, u64>,
    crew_at: BTreeMap<CrewId, u64>,
    reserved: BTreeMap<(TicketId, CrewId), Vec<Timestamp>>,
    said: BTreeMap<TicketId, Vec<Timestamp>>,
}

impl Watch {
    fn claim(&mut self, holds: bool, position: u64, what: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(format!("at {position}: {}", what()));
        }
    }

    /// Checks a fact of a ticket.
    pub fn ticket(
        &mut self,
        before: Option<&Ticket>,
        after: &Ticket,
        crews: &BTreeMap<CrewId, Crew>,
        fact: &TicketFact,
        (command, asking): (&Command, &Asking),
    ) {
        let position = fact.position;
        let known = asking.knew.is_none_or(|knew| self.ticket_at.get(&fact.id).is_none_or(|at| *at <= knew));
        self.ticket_at.insert(fact.id, position);
        self.offers(after, position);
        if let Event::Received(received) = &fact.event {
            self.appointed.extend(received.appointment.map(|at| (fact.id, at)));
        }
        if let Some(before) = before {
            self.moves(before, after, fact, known);
            match &fact.event {
                Event::Offered(e) => self.offered(before, e, crews, fact, asking, known),
                Event::OfferAccepted(e) => self.accepted(before, e, fact, command),
                Event::OfferEnded(e) => {
                    let live = before.offers.iter().find(|live| live.offer == e.offer);
                    let early =
                        live.is_some_and(|live| e.how == OfferEnd::Expired && fact.recorded_at < live.lease_until);
                    self.claim(!early, position, || "an offer was let expire before its lease was over".into());
                    if e.how != OfferEnd::Withdrawn {
                        self.turned_down.insert((fact.id, e.crew.clone()), (fact.recorded_at, e.how));
                    }
                    *self.tally.entry(e.how.as_str()).or_default() += 1;
                }
                Event::Recalled(e) if asking.knew.is_some() => {
                    self.recalled(before, crews.get(&e.crew), fact, known && self.knew_crew(&e.crew, asking));
                }
                Event::Reopened(_) => drop(self.appointed.remove(&fact.id)),
                // A person who chooses a crew that declined does so on purpose.
                Event::Pinned(e) => drop(e.crew.clone().and_then(|crew| self.turned_down.remove(&(fact.id, crew)))),
                _ => {}
            }
        }
        if asking.knew.is_some() {
            let said = self.said.entry(fact.id).or_default();
            said.retain(|at| *at > fact.recorded_at - TimeDelta::hours(1));
            said.push(fact.recorded_at);
            let often = said.len();
            self.claim(often <= SAID_MAX, position, || format!("{often} words about one ticket within an hour"));
        }
    }

    /// A ticket has few live offers, no two of them to the same crew, and none to a crew that has another.
    fn offers(&mut self, after: &Ticket, position: u64) {
        let mut crews: Vec<_> = after.offers.iter().map(|live| &live.crew).collect();
        let count = crews.len();
        crews.sort();
        crews.dedup();
        self.claim(count <= OFFERS_LIVE_MAX, position, || format!("{count} live offers"));
        self.claim(crews.len() == count, position, || "two live offers of one ticket to one crew".into());
    }

    /// Stage and holder change only by facts of people and crews, and by the recall of a crew that is not on site yet.
    fn moves(&mut self, before: &Ticket, after: &Ticket, fact: &TicketFact, known: bool) {
        let moved = before.stage != after.stage || before.holders != after.holders;
        let lawful = match &fact.event {
            Event::Offered(_)
            | Event::OfferAccepted(_)
            | Event::OfferEnded(_)
            | Event::Pinned(_)
            | Event::Recalled(_) => !moved,
            _ => true,
        };
        self.claim(lawful, fact.position, || format!("{} moved a ticket", fact.event.name()));
        let dispatcher = fact.actor.id == crate::engine::ENGINE && fact.actor.role == Role::System;
        let says =
            matches!(&fact.event, Event::Offered(_) | Event::OfferEnded(_) | Event::Recalled(_) | Event::Reassigned(_));
        self.claim(!dispatcher || says, fact.position, || format!("the dispatcher said {}", fact.event.name()));
        let there = matches!(&fact.event, Event::Recalled(_)) && before.crew.arrived.is_some();
        self.claim(!(dispatcher && there && known), fact.position, || "a crew on site was called back".into());
    }

    /// True if the process knew the last fact of this crew.
    fn knew_crew(&self, crew: &CrewId, asking: &Asking) -> bool {
        asking.knew.is_none_or(|knew| self.crew_at.get(crew).is_none_or(|at| *at <= knew))
    }

    /// A crew that could come is recalled only for a ticket of higher weight. It is never recalled from danger to life
    /// or from a ticket that a person pinned, and from one ticket only once within the pause.
    fn recalled(&mut self, before: &Ticket, crew: Option<&Crew>, fact: &TicketFact, known: bool) {
        let can_come = crew.is_some_and(|crew| {
            crew.shift.is_some() && !matches!(crew.away, Some(crew::Absence::Ill | crew::Absence::Vehicle))
        });
        // Resumed work of a crew that has other work by now, or whose shift is over, may go to any free crew.
        let engaged = crew.is_some_and(|crew| {
            let over = crew.shift.as_ref().is_some_and(|shift| shift.until <= fact.recorded_at);
            (over || !crew.commitments.is_empty()) && crew.commitments.iter().all(|held| held.ticket != fact.id)
        });
        if !can_come || engaged || !known {
            return;
        }
        let category = before.confirmed_category.as_ref().or(before.accepted_category.as_ref());
        let danger = category.is_some_and(|category| category.as_str().contains(WIRE_DOWN));
        self.claim(!danger, fact.position, || "called away from danger to life".into());
        self.claim(before.pinned.is_none(), fact.position, || "called away from what a person chose".into());
        let last = self.diverted.insert(fact.id, fact.recorded_at);
        let lately = last.is_some_and(|last| fact.recorded_at - last < TimeDelta::minutes(DIVERTED_MINUTES));
        self.claim(!lately, fact.position, || "called away from one ticket twice within the pause".into());
        *self.tally.entry("called away").or_default() += 1;
    }

    fn offered(
        &mut self,
        before: &Ticket,
        e: &ticket::event::Offered,
        crews: &BTreeMap<CrewId, Crew>,
        fact: &TicketFact,
        asking: &Asking,
        known: bool,
    ) {
        let crew = crews.get(&e.crew);
        let crew_known = self.knew_crew(&e.crew, asking);
        let kept = crew.and_then(|crew| crew.reserved);
        let keeps = kept.is_some_and(|kept| kept.offer == e.offer && kept.ticket == fact.id && kept.fence == e.fence);
        self.claim(keeps || !crew_known, fact.position, || "offered to a crew whose time is not kept for it".into());
        let busy = crew.is_some_and(|crew| !crew.commitments.is_empty());
        self.claim(!(busy && crew_known), fact.position, || "offered to a crew that has a ticket".into());
        let other = before.pinned.as_ref().is_some_and(|(pinned, _)| *pinned != e.crew);
        self.claim(!(other && known), fact.position, || "offered to another crew than a person chose".into());
        self.claim(e.lease_until > fact.recorded_at, fact.position, || "offered when its lease was over".into());
        let held = before.holder().is_some_and(|unit| CrewId::of(unit).is_some());
        self.claim(!held, fact.position, || "offered while a crew has it".into());
        *self.tally.entry("offered").or_default() += 1;
    }

    fn accepted(&mut self, before: &Ticket, e: &ticket::event::OfferAccepted, fact: &TicketFact, command: &Command) {
        let position = fact.position;
        let live = before.offers.iter().find(|live| live.offer == e.offer);
        self.claim(live.is_some(), position, || "an offer was accepted that was not live".into());
        let held = before.holder().and_then(CrewId::of);
        self.claim(held.is_none(), position, || format!("accepted while {held:?} has it"));
        self.claim(live.is_none_or(|live| *live.crew.org() == fact.actor.org), position, || {
            "accepted by others".into()
        });
        let carried = match command {
            Command::AcceptOffer { fence, .. } => Some(*fence),
            _ => None,
        };
        // The reservation may be newer than the offer while the process has not yet seen the offer.
        let fence = live.map(|live| live.fence);
        self.claim(fence.is_some() && carried == fence, position, || {
            format!("accepted with fence {carried:?}, the offer's is {fence:?}")
        });
        *self.tally.entry("accepted").or_default() += 1;
    }

    /// Checks a fact of a crew.
    pub fn crew(
        &mut self,
        before: Option<&Crew>,
        after: &Crew,
        tickets: &BTreeMap<TicketId, Ticket>,
        fact: &CrewFact,
        asking: &Asking,
    ) {
        let position = fact.position;
        self.crew_at.insert(fact.id.clone(), position);
        let by_offer = after
            .commitments
            .iter()
            .any(|held| held.offer.is_some() && after.reserved.is_some_and(|kept| Some(kept.offer) == held.offer));
        self.claim(!by_offer, position, || "a reservation stands beside the commitment that it became".into());
        match &fact.event {
            crew::Event::Reserved(e) => {
                let free = before.is_some_and(|crew| crew.reserved.is_none() && crew.commitments.is_empty());
                self.claim(free, position, || "a crew was reserved whose time is taken".into());
                let there = before.is_some_and(|crew| crew.shift.is_some() && crew.away.is_none());
                self.claim(there, position, || "a crew was reserved that is not there".into());
                self.claim(e.fence == fact.revision, position, || "a fence is not its reservation's revision".into());
                let again = self.reserved.entry((e.ticket, fact.id.clone())).or_default();
                again.retain(|at| *at > fact.recorded_at - TimeDelta::hours(1));
                again.push(fact.recorded_at);
                let often = again.len();
                let most = if e.forced.is_some() { FORCED_AGAIN_MAX } else { SAME_AGAIN_MAX };
                self.claim(often <= most, position, || {
                    format!("one crew was reserved for one ticket {often} times within an hour")
                });
            }
            crew::Event::Committed(e) if e.offer.is_some() => {
                let kept = before.and_then(|crew| crew.reserved).map(|kept| kept.offer);
                self.claim(kept == e.offer, position, || "committed by an offer that was not kept for it".into());
            }
            crew::Event::Released(e) => {
                let known = asking.knew.is_none_or(|knew| self.ticket_at.get(&e.ticket).is_none_or(|at| *at <= knew));
                let live = tickets.get(&e.ticket).is_some_and(|ticket| {
                    ticket.offers.iter().any(|live| Some(live.offer) == e.offer && live.crew == fact.id)
                });
                self.claim(!(live && known), position, || "a crew was freed whose offer is live".into());
                *self.tally.entry("released").or_default() += 1;
            }
            _ => {}
        }
    }

    /// Returns the crew that works on a ticket, from the ticket's own fields: it holds the ticket, and the work is
    /// neither done nor waiting.
    pub fn works_on(ticket: &Ticket) -> Option<CrewId> {
        use ticket::Stage;
        let at_work = matches!(ticket.stage, Stage::Dispatched | Stage::Accepted);
        let waits = ticket.suspended.is_some() || ticket.master.is_some() && !ticket.followed;
        let holder: Option<&OrgPath> = ticket.holders.last();
        holder.and_then(CrewId::of).filter(|_| at_work && !waits && ticket.crew.restored.is_none())
    }
}
