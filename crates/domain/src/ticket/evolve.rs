//! The state after each event of a ticket. Total: every event yields a state. No decision is made here; a
//! `debug_assert!` marks what `decide` never accepts.

use crate::{
    Timestamp,
    crew::Skills,
    organisation::OrgPath,
    ticket::{
        event::{Event, Received},
        moves::held_by_crew,
        path,
        state::{CrewWork, FORMER_MAX, FormerCrew, LiveOffer, Stage, State, Ticket},
        vocabulary::{BusinessType, Escalation, Urgency},
    },
};

/// The state after `event`, which happened at `at`.
#[must_use]
pub fn evolve(state: State, event: &Event, at: Timestamp) -> State {
    match (state, event) {
        (None, Event::Received(event)) => Some(received(event, at)),
        (None, _) => {
            debug_assert!(false, "a ticket's first fact is that it was received");
            None
        }
        (Some(mut ticket), event) => {
            apply(&mut ticket, event, at);
            Some(ticket)
        }
    }
}

fn received(event: &Received, at: Timestamp) -> Ticket {
    Ticket {
        business: event.business,
        stage: Stage::Received,
        received: at,
        confidential: event.confidential,
        anonymous: event.anonymous,
        reachable: event.caller_phone.is_some() || event.caller_account.is_some(),
        urgency: Urgency::Normal,
        grade: None,
        accepted_category: None,
        confirmed_category: None,
        audited_category: None,
        holders: vec![event.received_by.clone()],
        crew: CrewWork::default(),
        audit_next: 0,
        revisit_tries: 0,
        revisit_last: None,
        satisfaction: None,
        urges: 0,
        urged_last: None,
        supervised: false,
        suspended: None,
        extended_until: None,
        master: None,
        followed: false,
        children: std::collections::BTreeSet::new(),
        cycle: 1,
        offers: Vec::new(),
        attempts: 0,
        taken: None,
        pinned: None,
        needs: Skills::NONE,
        former: Vec::new(),
    }
}

fn apply(ticket: &mut Ticket, event: &Event, at: Timestamp) {
    match event {
        Event::Received(_) => debug_assert!(false, "a ticket is received once"),
        Event::Supplemented(_) | Event::Contacted(_) | Event::PersonalRevealed(_) => {}
        Event::Classified(e) => {
            ticket.stage = Stage::Classified;
            ticket.business = e.business;
            ticket.confidential |= path::of(e.business).always_confidential && !ticket.anonymous;
            ticket.accepted_category = Some(e.category.clone());
            ticket.urgency = e.urgency;
            ticket.grade = e.grade;
        }
        Event::ClosedAtFirstContact(_) | Event::Closed(_) => ticket.stage = Stage::Closed,
        Event::Dispatched(e) => {
            leave(ticket, at);
            ticket.holders.push(e.to.clone());
            hand_over(ticket, at);
        }
        Event::Accepted(_) => ticket.stage = Stage::Accepted,
        Event::Returned(_) => {
            leave(ticket, at);
            if ticket.holders.len() > 1 {
                ticket.holders.pop();
            }
            keep_choice(ticket);
            ticket.crew = CrewWork::default();
            ticket.stage = if ticket.holders.len() > 1 { Stage::Accepted } else { Stage::Classified };
        }
        Event::Reassigned(e) => {
            leave(ticket, at);
            // The receiving unit stays responsible. Of the units between it and the holder, only those above the new
            // holder do.
            let above = |unit: &&OrgPath| **unit != e.to && unit.contains(&e.to);
            let before = ticket.holders.len().saturating_sub(1);
            let between = ticket.holders.iter().take(before).skip(1).take_while(above).count();
            ticket.holders.truncate(1 + between);
            ticket.holders.push(e.to.clone());
            hand_over(ticket, at);
        }
        // An acceptance of work that waits for this crew counts, whatever the device's clock says.
        Event::CrewAccepted(e) if awaits(ticket, &e.crew) => {
            ticket.crew.accepted = Some(at);
            ticket.stage = Stage::Accepted;
        }
        Event::CrewAccepted(e) => report(ticket, &e.crew, at, |crew| crew.accepted = Some(at)),
        Event::CrewEnRoute(e) => report(ticket, &e.crew, at, |crew| crew.en_route = Some(at)),
        Event::CrewArrived(e) => report(ticket, &e.crew, at, |crew| crew.arrived = Some(at)),
        Event::CrewDiagnosed(e) => report(ticket, &e.crew, at, |crew| crew.diagnosed = Some(at)),
        Event::CrewRestored(e) => report(ticket, &e.crew, at, |crew| crew.restored = Some(at)),
        Event::EtrSet(e) => report(ticket, &e.crew, at, |crew| crew.etr = Some(e.etr)),
        Event::Replied(e) => {
            ticket.stage = Stage::Replied;
            ticket.offers.clear();
            ticket.confirmed_category = Some(e.category.clone());
            // The unit that replied does not audit its own reply, unless it also received the ticket.
            ticket.audit_next = ticket.holders.len().saturating_sub(2);
        }
        Event::ReplyPassed(e) => {
            let link = ticket.holders.iter().position(|unit| *unit == e.by).unwrap_or(0);
            ticket.audit_next = link.saturating_sub(1);
            if e.last {
                ticket.audited_category.clone_from(&e.category);
                ticket.stage = if ticket.revisit_due() { Stage::AwaitingRevisit } else { Stage::ReadyToClose };
            }
        }
        Event::ReplySentBack(_) => ticket.stage = Stage::Accepted,
        Event::RevisitAttempted(e) => {
            ticket.revisit_tries = e.attempt;
            ticket.revisit_last = Some(at);
        }
        Event::Revisited(e) => {
            ticket.satisfaction = Some(e.outcome);
            ticket.revisit_last = Some(at);
            ticket.stage = Stage::ReadyToClose;
        }
        Event::Reopened(e) => reopen(ticket, e.cycle, at),
        Event::Urged(e) => {
            ticket.urges = e.count;
            ticket.urged_last = Some(at);
        }
        Event::Supervised(_) => ticket.supervised = true,
        Event::Escalated(e) => match e.to {
            Escalation::Complaint(grade) => {
                ticket.business = BusinessType::Complaint;
                ticket.grade = Some(grade);
            }
            Escalation::Grade(grade) => ticket.grade = Some(grade),
            Escalation::Urgent => ticket.urgency = Urgency::Urgent,
        },
        Event::Suspended(e) => {
            ticket.suspended = Some(e.reason);
            ticket.offers.clear();
        }
        Event::Resumed(_) => ticket.suspended = None,
        Event::Extended(e) => ticket.extended_until = Some(e.until),
        Event::Merged(e) => {
            ticket.master = Some(e.master);
            ticket.followed = false;
            ticket.offers.clear();
        }
        Event::Unmerged(_) => {
            ticket.master = None;
            ticket.followed = false;
        }
        Event::ChildAdopted(e) => {
            ticket.children.insert(e.child);
        }
        Event::ChildReleased(e) => {
            ticket.children.remove(&e.child);
        }
        Event::MasterFollowed(e) => {
            ticket.followed = true;
            ticket.crew.restored = ticket.crew.restored.or(e.restored);
            ticket.stage = if ticket.revisit_due() { Stage::AwaitingRevisit } else { Stage::ReadyToClose };
        }
        Event::Withdrawn(_) => {
            ticket.stage = Stage::Withdrawn;
            ticket.offers.clear();
        }
        Event::Offered(e) => {
            ticket.attempts = ticket.attempts.max(e.attempt);
            let crew = e.crew.clone();
            let (offer, fence, lease_until) = (e.offer, e.fence, e.lease_until);
            let (priority, forced) = (e.priority, e.forced.is_some());
            ticket.offers.push(LiveOffer { offer, crew, fence, made: at, lease_until, priority, forced });
        }
        Event::OfferAccepted(e) => ticket.taken = Some((e.offer, e.by.clone())),
        Event::OfferEnded(e) => ticket.offers.retain(|live| live.offer != e.offer),
        Event::HandedOver(e) => ticket.needs = e.needs,
        Event::Recalled(_) => {}
        Event::Pinned(e) => ticket.pinned = e.crew.clone().map(|crew| (crew, e.forced.clone())),
    }
}

/// Removes the chosen crew unless the holder contains it.
fn keep_choice(ticket: &mut Ticket) {
    let within = ticket.pinned.take().filter(|(crew, _)| ticket.holder().is_some_and(|org| org.contains(crew.org())));
    ticket.pinned = within;
}

/// Makes the last unit of the chain the new holder, which has not accepted yet. A crew starts without reported steps.
fn hand_over(ticket: &mut Ticket, at: Timestamp) {
    ticket.stage = Stage::Dispatched;
    keep_choice(ticket);
    let crewed = held_by_crew(ticket);
    ticket.crew = CrewWork { assigned: crewed.then_some(at), ..CrewWork::default() };
}

/// The holder leaves the ticket. Live offers end, and a crew is remembered with the steps that it reported. If a person
/// had chosen that crew, the choice is removed: the crew had the ticket, and must not get it again at once.
fn leave(ticket: &mut Ticket, at: Timestamp) {
    ticket.offers.clear();
    let Some(crew) = ticket.holder().filter(|_| held_by_crew(ticket)).cloned() else { return };
    let work = std::mem::take(&mut ticket.crew);
    ticket.former.retain(|former| former.crew != crew);
    if ticket.former.len() >= FORMER_MAX {
        ticket.former.remove(0);
    }
    ticket.pinned = ticket.pinned.take().filter(|(chosen, _)| *chosen.org() != crew);
    ticket.former.push(FormerCrew { crew, until: at, work });
    ticket.taken = None;
}

/// True when `crew` holds the ticket for work on site and has not accepted it.
fn awaits(ticket: &Ticket, crew: &OrgPath) -> bool {
    ticket.stage == Stage::Dispatched && ticket.holder() == Some(crew) && held_by_crew(ticket)
}

/// Records a step of a crew. The first step also accepts the ticket. A repeated step keeps the later report. A step
/// that belongs to a former stint changes only that stint.
fn report(ticket: &mut Ticket, by: &OrgPath, at: Timestamp, step: impl FnOnce(&mut CrewWork)) {
    let late = ticket.former_stint(by, at).is_some();
    if let Some(former) = ticket.former.iter_mut().find(|former| late && former.crew == *by) {
        step(&mut former.work);
        return;
    }
    step(&mut ticket.crew);
    if ticket.stage == Stage::Dispatched {
        ticket.stage = Stage::Accepted;
    }
}

/// Starts the next cycle with the unit that received the ticket. Category, grade and former crews are kept.
fn reopen(ticket: &mut Ticket, cycle: u16, at: Timestamp) {
    ticket.cycle = cycle;
    // A child may have followed its master before it was classified.
    ticket.stage = if ticket.accepted_category.is_some() { Stage::Classified } else { Stage::Received };
    leave(ticket, at);
    // No earlier step of these crews belongs to the new cycle.
    ticket.former.iter_mut().for_each(|former| former.until = former.until.max(at));
    ticket.holders.truncate(1);
    ticket.needs = Skills::NONE;
    ticket.pinned = None;
    ticket.crew = CrewWork::default();
    ticket.revisit_tries = 0;
    ticket.revisit_last = None;
    ticket.satisfaction = None;
    ticket.suspended = None;
    ticket.extended_until = None;
    ticket.master = None;
    ticket.followed = false;
}
