//! One side of a merge: the child follows, the master records the child. `linkage` tests both sides together.

use super::{
    sample::*,
    story::{clock, given},
};
use crate::ticket::{
    BusinessType, Command, Event, Move, Rejection, ReplyOutcome, Satisfaction, Stage, Step, TicketId, event, legal,
};

fn adopt(child: TicketId) -> Command {
    Command::AdoptChild { child }
}

fn follow(master: TicketId) -> Command {
    Command::FollowMaster { master, restored: Some(clock(21, "11:00")) }
}

fn adopted(child: TicketId) -> Event {
    event::ChildAdopted { child }.into()
}

#[test]
fn a_fault_is_merged_at_any_time_before_the_reply() {
    let master = ticket_id(2);
    for facts in [
        vec![received(BusinessType::FaultRepair)],
        ready_to_dispatch(BusinessType::FaultRepair),
        in_work(BusinessType::FaultRepair),
        given_to_a_crew(),
    ] {
        given(facts).when(merge(master)).then([merged(master)]);
    }
    given(repaired()).when(merge(master)).illegal();
}

#[test]
fn nothing_but_a_fault_is_merged() {
    for &business in BusinessType::ALL {
        if business != BusinessType::FaultRepair {
            given([received(business)]).when(merge(ticket_id(2))).illegal().when(adopt(ticket_id(3))).illegal();
        }
    }
}

#[test]
fn a_child_only_waits() {
    let story = given(in_work(BusinessType::FaultRepair)).and(merged(ticket_id(2)));
    let open: Vec<_> = legal(&story.state).iter().collect();
    assert_eq!(open, [Move::Supplement, Move::Urge, Move::Unmerge, Move::FollowMaster, Move::Reveal]);
    for work in [dispatch(CREW), reply(ReplyOutcome::Resolved), withdraw(), merge(ticket_id(3)), adopt(ticket_id(3))] {
        story.clone().when(work).illegal();
    }
}

#[test]
fn unmerging_restores_exactly_what_was_before() {
    let master = ticket_id(2);
    for facts in [vec![received(BusinessType::FaultRepair)], in_work(BusinessType::FaultRepair), given_to_a_crew()] {
        let before = given(facts);
        let after = before.clone().when(merge(master)).accepted().when(unmerge()).then([unmerged(master)]);
        assert_eq!(after.state, before.state);
    }
    given(in_work(BusinessType::FaultRepair)).when(unmerge()).illegal();
}

#[test]
fn a_child_takes_its_masters_outcome_over_and_keeps_its_own_revisit_and_close() {
    let master = ticket_id(2);
    let story = given(in_work(BusinessType::FaultRepair)).and(merged(master)).when(follow(master)).accepted();
    assert_eq!(story.ticket().crew.restored, Some(clock(21, "11:00")));
    let story = story.stands_at(Stage::AwaitingRevisit).when(follow(master)).illegal();
    let story = story.when(unmerge()).illegal();
    let story = story.when(revisit(Satisfaction::Satisfied)).accepted();
    story.when(close()).accepted().stands_at(Stage::Closed);
}

#[test]
fn a_child_whose_power_its_own_crew_restored_keeps_that_time() {
    let at_home = clock(21, "10:30");
    let story = given(given_to_a_crew()).by(CREW).at(at_home).when(step(Step::Restored)).accepted();
    let story = story.and(merged(ticket_id(2))).when(follow(ticket_id(2))).accepted();
    assert_eq!(story.ticket().crew.restored, Some(at_home));
}

#[test]
fn a_child_follows_its_own_master_only() {
    let why = Rejection::AnotherMaster { master: Some(ticket_id(2)) };
    given([received(BusinessType::FaultRepair)]).and(merged(ticket_id(2))).when(follow(ticket_id(3))).refused(why);
}

#[test]
fn a_child_that_was_never_classified_is_classified_when_its_customer_wants_more() {
    let story = given([received(BusinessType::FaultRepair)]).and(merged(ticket_id(2)));
    let story = story.when(follow(ticket_id(2))).accepted().at(clock(21, "10:00"));
    let story = story.when(revisit(Satisfaction::Dissatisfied)).accepted().when(reopen()).accepted();
    story.stands_at(Stage::Received).when(dispatch(HZ)).illegal().when(classify()).accepted();
}

#[test]
fn a_master_takes_note_of_each_child_once_and_until_its_reply_passes() {
    let child = ticket_id(3);
    for facts in [in_work(BusinessType::FaultRepair), repaired()] {
        let story = given(facts).when(adopt(child)).then([adopted(child)]);
        story.when(adopt(child)).refused(Rejection::ChildUnchanged { child });
    }
    given(awaiting_revisit()).when(adopt(child)).illegal();
}

#[test]
fn a_master_does_not_become_a_child() {
    given(in_work(BusinessType::FaultRepair)).and(adopted(ticket_id(3))).when(merge(ticket_id(2))).illegal();
}

#[test]
fn a_master_takes_note_that_a_child_left_even_when_it_has_ended() {
    let child = ticket_id(3);
    let left: Event = event::ChildReleased { child }.into();
    let release = |child| Command::ReleaseChild { child };
    let story = given(in_work(BusinessType::FaultRepair)).when(release(child)).illegal();
    let story = story.and(adopted(child)).when(release(ticket_id(4)));
    let story = story.refused(Rejection::ChildUnchanged { child: ticket_id(4) });
    let story = story.when(withdraw()).accepted().when(release(child)).then([left]);
    assert!(story.ticket().children.is_empty());
}
