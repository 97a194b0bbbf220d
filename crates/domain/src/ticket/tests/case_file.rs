//! Examples of which crew has a ticket, by which offer and since when, and why each stint and each offer ended.

use super::{sample::*, story::clock};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    crew::{OfferEnd, ReleaseReason, Skills},
    fact::TicketFact,
    ticket::{Area, BusinessType, CaseFile, Event, ReplyOutcome, SuspendReason, event},
};

/// The `n`-th fact, `n` minutes after 09:00. The engine records it half an hour later.
fn fact(n: usize, event: Event) -> TicketFact {
    let at = clock(21, "09:00") + chrono::TimeDelta::minutes(n as i64);
    TicketFact {
        position: n as u64 + 10,
        id: ticket_id(1),
        revision: n as u64,
        event,
        occurred_at: at,
        recorded_at: at + chrono::TimeDelta::minutes(30),
        actor: Actor { id: "a1".into(), role: Role::Desk, org: org(NATION) },
        request_id: uuid::Uuid::nil(),
    }
}

fn file(facts: impl IntoIterator<Item = Event>) -> CaseFile {
    let mut file = None;
    for (n, event) in facts.into_iter().enumerate() {
        CaseFile::apply(&mut file, &fact(n, event));
    }
    file.unwrap()
}

fn minute(n: i64) -> Timestamp {
    clock(21, "09:00") + chrono::TimeDelta::minutes(n)
}

fn suspended() -> Event {
    event::Suspended { reason: SuspendReason::Customer, until: None, note: None }.into()
}

fn withdrawn() -> Event {
    event::Withdrawn { reason: text() }.into()
}

/// The case file of a fault that a crew took by its first offer, after these further events.
fn taken_and(then: impl IntoIterator<Item = Event>) -> CaseFile {
    let mut facts = in_work(BusinessType::FaultRepair);
    facts.push(offered(1, CREW));
    facts.extend(offer_taken(1, HZ, CREW));
    facts.extend(then);
    file(facts)
}

/// Why the crew's time is free after these events, and whether its app still shows the ticket.
fn freed(then: impl IntoIterator<Item = Event>) -> (Option<ReleaseReason>, bool) {
    let file = taken_and(then);
    (file.stints.why_free(&crew_id(CREW)), file.ticket.assigned_to() == Some(crew_id(CREW)))
}

#[test]
fn the_present_stint_says_who_by_which_offer_since_when_and_because_of_which_fact() {
    let file = taken_and([]);
    let stint = file.stints.present.as_ref().unwrap();
    assert_eq!((&stint.crew, stint.offer), (&crew_id(CREW), Some(offer_id(1))));
    assert_eq!((stint.since, stint.position, stint.free), (minute(6), 16, None));
    assert_eq!(file.stints.why_gone(offer_id(1)), None, "the offer became the stint");
}

#[test]
fn each_question_about_who_has_it_has_its_own_answer() {
    let crew = Some(crew_id(CREW));
    let asked = |then: &[Event]| {
        let ticket = taken_and(then.iter().cloned()).ticket;
        (ticket.held_by() == crew, ticket.assigned_to() == crew, ticket.worked_by() == crew)
    };
    assert_eq!(asked(&[]), (true, true, true));
    assert_eq!(asked(&[suspended()]), (true, true, false));
    assert_eq!(asked(&[restored(CREW)]), (true, true, false));
    assert_eq!(asked(&[restored(CREW), replied(CREW, ReplyOutcome::Resolved)]), (true, false, false));
    assert_eq!(asked(&[reassigned(CREW, HZ)]), (false, false, false));
}

#[test]
fn a_stint_ends_for_the_reason_of_the_fact_that_ended_it() {
    use ReleaseReason::{Done, HandedOver, Reassigned, Recalled, Suspended, TicketEnded};
    let back = || reassigned(CREW, HZ);
    let recalled = || event::Recalled { crew: crew_id(CREW), reason: text() }.into();
    let handed = event::HandedOver { crew: crew_id(CREW), needs: Skills::NONE, note: text() }.into();
    assert_eq!(freed([]), (None, true));
    assert_eq!(freed([suspended()]), (Some(Suspended), true));
    assert_eq!(freed([suspended(), event::Resumed {}.into()]), (None, true));
    assert_eq!(freed([restored(CREW)]), (Some(Done), true));
    assert_eq!(freed([replied(CREW, ReplyOutcome::NotOurs)]), (Some(Done), false));
    assert_eq!(freed([back()]), (Some(Reassigned), false));
    assert_eq!(freed([recalled(), back()]), (Some(Recalled), false));
    assert_eq!(freed([handed, back()]), (Some(HandedOver), false));
    assert_eq!(freed([recalled(), arrived(CREW), back()]), (Some(Reassigned), false), "announced long before");
    assert_eq!(freed([merged(ticket_id(2))]), (Some(TicketEnded), false));
    assert_eq!(freed([withdrawn()]), (Some(TicketEnded), false));
    assert_eq!(freed([suspended(), withdrawn()]), (Some(TicketEnded), false));
}

#[test]
fn work_that_was_replied_stays_done_when_the_ticket_is_reopened_and_sent_back_it_goes_on() {
    let sent_back = event::ReplySentBack { by: org(HZ), reason: text() };
    let again = taken_and([replied(CREW, ReplyOutcome::NotOurs), sent_back.into()]);
    let stint = again.stints.present.unwrap();
    assert_eq!((stint.offer, stint.since, stint.free), (Some(offer_id(1)), minute(6), None), "the same stint");
    let closed = event::Closed { explanation: None }.into();
    let reopened = event::Reopened { cycle: 2, reason: text() }.into();
    let over = taken_and([suspended(), restored(CREW), replied(CREW, ReplyOutcome::Resolved), closed, reopened]);
    let former = &over.stints.former[0];
    assert_eq!((former.why, former.since, former.until), (ReleaseReason::Done, minute(6), minute(12)));
    assert_eq!(former.lost, minute(42), "by the engine's time");
    assert_eq!((over.stints.present, over.reopened_at, over.ended_at), (None, Some(minute(12)), None));
}

#[test]
fn an_offer_ends_for_the_reason_of_the_fact_that_ended_it() {
    use ReleaseReason::{Declined, Expired, Reassigned, TakenByOther, TicketEnded, Withdrawn};
    let gone = |then: Vec<Event>| {
        let mut facts = in_work(BusinessType::FaultRepair);
        facts.extend([offered(1, CREW), offered(2, CREW4)]);
        facts.extend(then);
        file(facts).stints.why_gone(offer_id(1))
    };
    assert_eq!(gone(Vec::new()), None);
    for (how, why) in [(OfferEnd::Declined, Declined), (OfferEnd::Expired, Expired), (OfferEnd::Withdrawn, Withdrawn)] {
        assert_eq!(gone(vec![offer_ended(1, CREW, how)]), Some(why));
    }
    assert_eq!(gone(offer_taken(2, HZ, CREW4).into()), Some(TakenByOther));
    assert_eq!(gone(vec![dispatched(HZ, CREW)]), Some(Withdrawn), "a person gave it to the same crew");
    assert_eq!(gone(vec![reassigned(HZ, LIANGZHU)]), Some(Reassigned));
    assert_eq!(gone(vec![suspended()]), Some(Withdrawn));
    assert_eq!(gone(vec![merged(ticket_id(2))]), Some(TicketEnded));
    assert_eq!(gone(vec![withdrawn()]), Some(TicketEnded));
}

#[test]
fn a_second_reception_changes_nothing_but_the_place_in_the_log() {
    let before = taken_and([]);
    let mut after = Some(before.clone());
    CaseFile::apply(&mut after, &fact(40, received(BusinessType::Complaint)));
    let updated_at = minute(40);
    assert_eq!(after, Some(CaseFile { position: 50, revision: 40, updated_at, ..before }));
    let mut none = None;
    CaseFile::apply(&mut none, &fact(0, arrived(CREW)));
    assert_eq!(none, None, "nor is there a file before the first");
}

#[test]
fn the_kind_of_area_is_the_one_that_the_crew_found() {
    let found = event::CrewArrived { crew: org(CREW), area: Some(Area::Remote) };
    assert_eq!(taken_and([found.into(), arrived(CREW)]).place.area, Some(Area::Remote));
}
