//! What each fact changes. Total: whatever the log holds, there is a state after it.
//! No decision is made here; a `debug_assert!` marks what `decide` would never have let through.

use crate::{
    Timestamp,
    organisation::{Level, OrgPath},
    ticket::{
        event::{Event, Received},
        path,
        state::{CrewWork, Stage, State, Ticket},
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
            ticket.holders.push(e.to.clone());
            hand_over(ticket, at);
        }
        Event::Accepted(_) => ticket.stage = Stage::Accepted,
        Event::Returned(_) => {
            if ticket.holders.len() > 1 {
                ticket.holders.pop();
            }
            ticket.crew = CrewWork::default();
            ticket.stage = if ticket.holders.len() > 1 { Stage::Accepted } else { Stage::Classified };
        }
        Event::Reassigned(e) => {
            // The unit that received it answers for it always; of those between, only who stands above the new holder.
            let above = |unit: &&OrgPath| **unit != e.to && unit.contains(&e.to);
            let before = ticket.holders.len().saturating_sub(1);
            let between = ticket.holders.iter().take(before).skip(1).take_while(above).count();
            ticket.holders.truncate(1 + between);
            ticket.holders.push(e.to.clone());
            hand_over(ticket, at);
        }
        Event::CrewAccepted(_) => report(ticket, at, |crew| &mut crew.accepted),
        Event::CrewEnRoute(_) => report(ticket, at, |crew| &mut crew.en_route),
        Event::CrewArrived(_) => report(ticket, at, |crew| &mut crew.arrived),
        Event::CrewDiagnosed(_) => report(ticket, at, |crew| &mut crew.diagnosed),
        Event::CrewRestored(_) => report(ticket, at, |crew| &mut crew.restored),
        Event::EtrSet(e) => report(ticket, e.etr, |crew| &mut crew.etr),
        Event::Replied(e) => {
            ticket.stage = Stage::Replied;
            ticket.confirmed_category = Some(e.category.clone());
            // The unit that replied does not audit itself, unless it also received the ticket.
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
        Event::Reopened(e) => reopen(ticket, e.cycle),
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
        Event::Suspended(e) => ticket.suspended = Some(e.reason),
        Event::Resumed(_) => ticket.suspended = None,
        Event::Extended(e) => ticket.extended_until = Some(e.until),
        Event::Merged(e) => {
            ticket.master = Some(e.master);
            ticket.followed = false;
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
        Event::Withdrawn(_) => ticket.stage = Stage::Withdrawn,
    }
}

/// A new holder has not accepted yet; a crew starts with a clean sheet.
fn hand_over(ticket: &mut Ticket, at: Timestamp) {
    ticket.stage = Stage::Dispatched;
    let crewed = ticket.path().field_work && ticket.holder().is_some_and(|org| org.level() == Level::Crew);
    ticket.crew = CrewWork { assigned: crewed.then_some(at), ..CrewWork::default() };
}

/// A crew's first sign of work on a ticket also accepts it. A step that is corrected keeps the later reading.
fn report(ticket: &mut Ticket, at: Timestamp, step: impl FnOnce(&mut CrewWork) -> &mut Option<Timestamp>) {
    *step(&mut ticket.crew) = Some(at);
    if ticket.stage == Stage::Dispatched {
        ticket.stage = Stage::Accepted;
    }
}

/// A reopened ticket starts the work anew with the unit that received it; what was learnt stays.
fn reopen(ticket: &mut Ticket, cycle: u16) {
    ticket.cycle = cycle;
    // A child may have followed its master before anybody classified it.
    ticket.stage = if ticket.accepted_category.is_some() { Stage::Classified } else { Stage::Received };
    ticket.holders.truncate(1);
    ticket.crew = CrewWork::default();
    ticket.revisit_tries = 0;
    ticket.revisit_last = None;
    ticket.satisfaction = None;
    ticket.suspended = None;
    ticket.extended_until = None;
    ticket.master = None;
    ticket.followed = false;
}
