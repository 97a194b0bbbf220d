//! The actions of the process after given facts, one example per rule.

use super::super::*;
use crate::{
    actor::{Actor, Role},
    ticket::{
        BusinessType, ReplyOutcome, event,
        tests::{
            sample::{
                CREW, CREW4, HZ, NATION, arrived, dispatched, merged, org, passed_for_good, reassigned, received,
                replied, restored, text, ticket_id, unmerged,
            },
            story::clock,
        },
    },
};

const CHILD: TicketId = TicketId(uuid::Uuid::from_u128(1));
const MASTER: TicketId = TicketId(uuid::Uuid::from_u128(2));

/// A process that has read this number of facts of three faults.
struct Reader {
    process: Linkage,
    position: u64,
    log: Vec<Recorded<Event, TicketId>>,
}

impl Reader {
    /// Reads a fact of a ticket, which happens as many minutes after 10:00 as its position.
    fn read(&mut self, fact: (u128, Event)) {
        let at = clock(21, &format!("10:{:02}", self.position + 1));
        self.read_late(fact, at);
    }

    /// Reads a fact that happened at this instant, after the history that the process needs again.
    fn read_late(&mut self, (ticket, event): (u128, Event), at: Timestamp) {
        self.position += 1;
        let fact = recorded(self.position, (ticket, event), at);
        if let Some(again) = self.process.forgotten(&fact) {
            self.log.iter().filter(|past| past.id == again).for_each(|past| self.process.apply(past));
        }
        self.process.apply(&fact);
        self.log.push(fact);
    }

    /// The first action of the process.
    fn first_action(&self) -> Action<Intent> {
        self.process.clone().pending(clock(21, "12:00"), 1).remove(0)
    }
}

fn recorded(position: u64, (ticket, event): (u128, Event), at: Timestamp) -> Recorded<Event, TicketId> {
    Recorded {
        position,
        id: ticket_id(ticket),
        revision: 0,
        event,
        occurred_at: at,
        recorded_at: at,
        actor: Actor { id: "a1".into(), role: Role::Desk, org: org(NATION) },
        request_id: uuid::Uuid::nil(),
    }
}

/// A process that has read these facts, each with its ticket's number, after the opening of the tickets.
fn having_read(facts: impl IntoIterator<Item = (u128, Event)>) -> Reader {
    let opened = (1..=3).map(|n| recorded(0, (n, received(BusinessType::FaultRepair)), clock(21, "09:00")));
    let mut reader = Reader { process: Linkage::default(), position: 0, log: opened.collect() };
    facts.into_iter().for_each(|fact| reader.read(fact));
    reader
}

fn actions(reader: &Reader) -> Vec<(u64, Intent)> {
    let actions = reader.process.clone().pending(clock(21, "12:00"), 9);
    actions.into_iter().map(|action| (action.because, action.intent)).collect()
}

fn adopted(child: u128) -> Event {
    event::ChildAdopted { child: ticket_id(child) }.into()
}

fn released(child: u128) -> Event {
    event::ChildReleased { child: ticket_id(child) }.into()
}

#[test]
fn whenever_a_ticket_is_merged_its_master_is_asked_to_adopt_it() {
    let reader = having_read([(1, merged(MASTER))]);
    assert_eq!(actions(&reader), [(1, Intent::Adopt { master: MASTER, child: CHILD })]);
    assert_eq!(actions(&having_read([(1, merged(MASTER)), (2, adopted(1))])), []);
}

#[test]
fn a_master_that_will_not_have_a_child_loses_it() {
    let mut reader = having_read([(1, merged(MASTER))]);
    let action = reader.first_action();
    reader.process.refused(&action, "closed");
    assert_eq!(actions(&reader), [(1, Intent::Undo { child: CHILD, master: MASTER })]);
}

#[test]
fn what_is_refused_when_nobody_wants_it_any_more_has_no_consequence() {
    let mut reader = having_read([(1, merged(MASTER))]);
    let action = reader.first_action();
    reader.read((1, unmerged(MASTER)));
    reader.read((1, merged(ticket_id(3))));
    reader.process.refused(&action, "closed");
    assert_eq!(actions(&reader), [(3, Intent::Adopt { master: ticket_id(3), child: CHILD })], "the new merge stands");
}

#[test]
fn what_else_is_refused_is_left_to_a_person_until_the_child_leaves() {
    let mut reader = having_read([(1, merged(MASTER)), (2, adopted(1)), (2, passed_for_good(NATION))]);
    let action = reader.first_action();
    let follow = Intent::Follow { child: CHILD, master: MASTER, restored: None };
    assert_eq!((action.because, action.name, action.intent), (3, "follow", follow));
    reader.process.refused(&action, "unheard of");
    assert_eq!(actions(&reader), []);
    assert_eq!(reader.process.parked().collect::<Vec<_>>(), [(3, follow, "unheard of")]);
    reader.read((1, unmerged(MASTER)));
    assert_eq!(reader.process.parked().next(), None);
}

#[test]
fn a_child_learns_when_power_came_back_even_if_it_was_merged_afterwards() {
    let at = clock(21, "10:02");
    let facts = [
        (2, dispatched(HZ, CREW)),
        (2, restored(CREW)),
        (1, merged(MASTER)),
        (2, adopted(1)),
        (2, replied(CREW, ReplyOutcome::Resolved)),
        (2, passed_for_good(NATION)),
    ];
    let follow = Intent::Follow { child: CHILD, master: MASTER, restored: Some(at) };
    assert_eq!(actions(&having_read(facts)), [(6, follow)]);
}

#[test]
fn a_master_keeps_its_restoration_when_one_child_leaves_and_another_comes() {
    let facts = [
        (2, dispatched(HZ, CREW)),
        (1, merged(MASTER)),
        (2, adopted(1)),
        (2, restored(CREW)),
        (1, unmerged(MASTER)),
        (2, released(1)),
        (3, merged(MASTER)),
        (2, adopted(3)),
        (2, passed_for_good(NATION)),
    ];
    let follow = Intent::Follow { child: ticket_id(3), master: MASTER, restored: Some(clock(21, "10:04")) };
    assert_eq!(actions(&having_read(facts)), [(9, follow)]);
}

/// The restoration time that a child gets from a master with this work.
fn child_restoration(work: impl IntoIterator<Item = Event>) -> Option<Timestamp> {
    child_restoration_of(having_read(work.into_iter().map(|fact| (2, fact))))
}

/// The same of a master whose facts this process has read.
fn child_restoration_of(mut reader: Reader) -> Option<Timestamp> {
    for fact in [(1, merged(MASTER)), (2, adopted(1)), (2, passed_for_good(NATION))] {
        reader.read(fact);
    }
    match reader.first_action().intent {
        Intent::Follow { restored, .. } => restored,
        other => panic!("expected to follow, got {other:?}"),
    }
}

#[test]
fn a_restoration_that_a_former_crew_reports_late_is_not_the_present_crews() {
    let moved = || vec![dispatched(HZ, CREW), reassigned(CREW, HZ), dispatched(HZ, CREW4)];
    let with = |last: [Event; 2]| child_restoration(moved().into_iter().chain(last));
    assert_eq!(with([restored(CREW), arrived(CREW)]), None);
    assert_eq!(with([restored(CREW4), restored(CREW)]), Some(clock(21, "10:04")), "the late one changes nothing");
    assert_eq!(
        child_restoration([dispatched(HZ, CREW), reassigned(CREW, HZ), restored(CREW)]),
        None,
        "with no crew at all"
    );
}

#[test]
fn a_restoration_of_a_cycle_before_is_not_the_present_ones_even_of_the_same_crew() {
    let reopened: Event = event::Reopened { cycle: 2, reason: text() }.into();
    let again = || {
        let before = [dispatched(HZ, CREW), restored(CREW), passed_for_good(NATION), reopened.clone()];
        let mut reader = having_read(before.into_iter().map(|fact| (2, fact)));
        reader.read((2, dispatched(NATION, HZ)));
        reader.read((2, dispatched(HZ, CREW)));
        reader.read_late((2, restored(CREW)), clock(21, "10:02"));
        reader
    };
    assert_eq!(child_restoration_of(again()), None, "that was before it had the ticket again");
    let mut reader = again();
    reader.read((2, restored(CREW)));
    assert_eq!(child_restoration_of(reader), Some(clock(21, "10:08")));
}

#[test]
fn only_masters_are_followed_and_a_history_told_again_makes_it_want_nothing_twice() {
    let mut reader = having_read([(1, merged(MASTER)), (2, dispatched(HZ, CREW)), (2, restored(CREW))]);
    assert!(reader.process.masters.is_empty(), "merged, and not adopted yet");
    reader.read((2, adopted(1)));
    assert!(reader.process.masters.keys().eq([&MASTER]));
    assert_eq!(reader.process.masters[&MASTER].number, "2026112100000001");
    reader.read((1, unmerged(MASTER)));
    assert_eq!(actions(&reader), [(5, Intent::Release { master: MASTER, child: CHILD })]);
    reader.read((2, released(1)));
    assert!(reader.process.masters.is_empty() && actions(&reader).is_empty());
}

#[test]
fn children_of_a_master_that_ends_without_an_outcome_stand_alone_again() {
    let withdrawn: Event = event::Withdrawn { reason: text() }.into();
    let reader = having_read([(1, merged(MASTER)), (2, adopted(1)), (2, withdrawn)]);
    assert_eq!(actions(&reader), [(3, Intent::Undo { child: CHILD, master: MASTER })]);
}

#[test]
fn a_child_that_left_is_released_also_when_it_has_another_master_by_then() {
    let facts = [
        (1, merged(MASTER)),
        (2, adopted(1)),
        (1, unmerged(MASTER)),
        (1, merged(ticket_id(3))),
        (1, unmerged(ticket_id(3))),
    ];
    assert_eq!(actions(&having_read(facts)), [(3, Intent::Release { master: MASTER, child: CHILD })]);
}

#[test]
fn a_child_that_comes_back_is_released_first_and_then_adopted_anew() {
    let mut reader = having_read([(1, merged(MASTER)), (2, adopted(1)), (1, unmerged(MASTER)), (1, merged(MASTER))]);
    assert_eq!(actions(&reader), [(3, Intent::Release { master: MASTER, child: CHILD })]);
    reader.read((2, released(1)));
    assert_eq!(actions(&reader), [(5, Intent::Adopt { master: MASTER, child: CHILD })]);
}

#[test]
fn a_process_says_no_more_at_once_than_it_is_asked_for() {
    let reader = having_read([(1, merged(MASTER)), (3, merged(MASTER))]);
    assert_eq!(reader.process.clone().pending(clock(21, "12:00"), 1).len(), 1);
    assert_eq!(reader.process.name(), "linkage");
}
