//! The crew's time: reserved for one offer, committed to tickets, and released.

use std::collections::BTreeMap;

use super::story::*;
use crate::{
    Problem, Violation,
    crew::{
        Absence, Candidate, Command, Commitment, Rejection, ReleaseReason, Reservation, decide::COMMITMENTS_MAX, event,
        vocabulary::CANDIDATES_MAX,
    },
    ticket::tests::{
        sample::{CREW, org, ticket_id},
        story::clock,
    },
};

/// A crew on shift, with the dispatch process as actor.
fn at_hand() -> Story {
    on_shift().by_the_engine()
}

/// The same crew, reserved for the first offer.
fn kept() -> Story {
    at_hand().when(reserve(1)).accepted()
}

#[test]
fn the_dispatch_process_alone_says_what_a_crews_time_is_given_to() {
    let words = [
        reserve(1),
        commit(ticket_id(1), None),
        commit(ticket_id(1), Some(1)),
        release(ticket_id(1), Some(1), ReleaseReason::Expired),
    ];
    for word in words {
        kept().by_a_person().when(word).refused(Rejection::EngineOnly);
    }
}

#[test]
fn the_fence_of_a_reservation_is_its_own_revision() {
    let story = at_hand().when(reserve(1)).then(reserved(1, 2));
    let lease_until = clock(21, "10:00");
    let expected = Reservation { offer: offer_id(1), ticket: ticket_id(1), fence: 2, lease_until };
    assert_eq!(story.crew().reserved, Some(expected));
    let story = story.when(release(ticket_id(1), Some(1), ReleaseReason::Expired));
    let story = story.then(released(ticket_id(1), Some(1), ReleaseReason::Expired));
    story.when(reserve(2)).then(reserved(2, 4));
}

#[test]
fn a_crew_that_cannot_be_sent_is_not_reserved() {
    given([enrolled()]).by_the_engine().when(reserve(1)).refused(Rejection::OffShift);
    let away = at_hand().when(Command::GoAway { why: Absence::Rest }).accepted();
    let away = away.when(reserve(1)).refused(Rejection::Away { why: Absence::Rest });
    away.when(Command::ComeBack).accepted().when(reserve(1)).accepted();
}

#[test]
fn a_crews_time_is_kept_for_one_offer_at_a_time_and_for_none_while_it_works() {
    let story = kept();
    for attempt in [1, 2] {
        story.clone().when(reserve(attempt)).refused(Rejection::Reserved { offer: offer_id(1) });
    }
    let story = story.when(commit(ticket_id(1), Some(1))).accepted();
    story.when(reserve(2)).refused(Rejection::Committed { tickets: vec![ticket_id(1)] });
}

#[test]
fn an_accepted_offer_makes_the_reservation_a_commitment_under_the_same_fence() {
    let story = kept();
    let since = story.now;
    let story = story.when(commit(ticket_id(1), Some(1))).then(committed(ticket_id(1), Some(1), 2));
    let held = Commitment { ticket: ticket_id(1), offer: Some(offer_id(1)), fence: 2, since };
    assert_eq!((story.crew().reserved, &story.crew().commitments), (None, &vec![held]));
    story.when(commit(ticket_id(1), Some(1))).refused(Rejection::Unchanged);
}

#[test]
fn only_the_offer_that_the_time_is_kept_for_leads_to_a_commitment() {
    let not_held = |ticket| Rejection::NotHeld { ticket };
    let story = kept().when(commit(ticket_id(1), Some(2))).refused(not_held(ticket_id(1)));
    let story = story.when(commit(ticket_id(2), Some(1))).refused(not_held(ticket_id(2)));
    let story = story.when(release(ticket_id(1), Some(1), ReleaseReason::Expired)).accepted();
    story.when(commit(ticket_id(1), Some(1))).refused(not_held(ticket_id(1)));
}

#[test]
fn what_a_person_gave_the_crew_is_committed_whatever_its_time_was_kept_for() {
    let story = kept().when(commit(ticket_id(2), None)).then(committed(ticket_id(2), None, 3));
    assert!(story.crew().reserved.is_some(), "the offer is still live");
    let story = story.when(commit(ticket_id(1), Some(1))).then(committed(ticket_id(1), Some(1), 2));
    assert_eq!(story.crew().commitments.len(), 2);
    let off_shift = given([enrolled()]).by_the_engine();
    off_shift.when(commit(ticket_id(2), None)).then(committed(ticket_id(2), None, 1));
}

#[test]
fn a_person_may_queue_so_many_tickets_and_no_more() {
    let mut story = at_hand();
    for n in 1..=COMMITMENTS_MAX {
        story = story.when(commit(ticket_id(n as u128), None)).accepted();
    }
    let one_more = commit(ticket_id(COMMITMENTS_MAX as u128 + 1), None);
    let story = story.when(one_more.clone()).refused(Rejection::Overcommitted { max: COMMITMENTS_MAX });
    story.when(release(ticket_id(3), None, ReleaseReason::Done)).accepted().when(one_more).accepted();
}

#[test]
fn only_what_is_held_is_released() {
    let expired = |ticket, attempt| release(ticket_id(ticket), attempt, ReleaseReason::Expired);
    let not_held = |ticket| Rejection::NotHeld { ticket: ticket_id(ticket) };
    let story = kept().when(expired(1, Some(2))).refused(not_held(1));
    let story = story.when(expired(2, Some(1))).refused(not_held(2));
    let story = story.when(expired(1, None)).refused(not_held(1));
    let story = story.when(expired(1, Some(1))).accepted().when(expired(1, Some(1))).refused(not_held(1));
    assert_eq!(story.crew().reserved, None);
    let story = story.when(commit(ticket_id(1), None)).accepted().when(commit(ticket_id(2), None)).accepted();
    let story = story.when(release(ticket_id(1), None, ReleaseReason::Done)).accepted();
    let story = story.when(release(ticket_id(1), None, ReleaseReason::Done)).refused(not_held(1));
    assert_eq!(story.crew().commitments.iter().map(|held| held.ticket).collect::<Vec<_>>(), [ticket_id(2)]);
}

#[test]
fn the_end_of_an_offer_does_not_free_the_time_that_a_person_gave_to_the_same_ticket() {
    let story = kept().when(commit(ticket_id(1), None)).then(committed(ticket_id(1), None, 3));
    let story = story.when(release(ticket_id(1), Some(1), ReleaseReason::NotOffered)).accepted();
    assert_eq!((story.crew().reserved, story.crew().commitments.len()), (None, 1));
    let unheld = event::Released { ticket: ticket_id(1), offer: Some(offer_id(9)), why: ReleaseReason::Expired };
    assert_eq!(story.and(unheld.into()).crew().commitments.len(), 1);
}

#[test]
fn the_time_of_a_crew_that_was_struck_off_is_freed_still() {
    let story = kept().and(event::Dismissed {}.into());
    story.when(release(ticket_id(1), Some(1), ReleaseReason::Withdrawn)).accepted();
}

#[test]
fn the_grounds_of_a_reservation_are_few_and_their_prices_numbers() {
    let candidate = |price| Candidate {
        crew: org(CREW),
        prices: BTreeMap::from([("travel".to_owned(), price)]),
        arrives: None,
        vetoes: Vec::new(),
    };
    let ask = |candidates| {
        let mut reserve = reservation(1);
        reserve.grounds.candidates = candidates;
        at_hand().when(Command::Reserve(Box::new(reserve)))
    };
    ask(vec![candidate(1.5); CANDIDATES_MAX]).accepted();
    let problem = Problem::TooMany { limit: CANDIDATES_MAX };
    ask(vec![candidate(1.5); CANDIDATES_MAX + 1]).invalid(Violation { field: "grounds.candidates", problem });
    for price in [f64::NAN, f64::INFINITY] {
        ask(vec![candidate(price)]).invalid(Violation::malformed("grounds.candidates.prices", "finite numbers"));
    }
}
