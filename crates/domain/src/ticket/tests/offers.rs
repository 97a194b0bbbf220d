//! Offers: who may make, accept and decline them. The order in the ticket's stream settles every race.

use chrono::TimeDelta;

use super::{
    sample::*,
    story::{Story, clock, given},
};
use crate::{
    actor::Role,
    crew::{DeclineReason, OfferEnd},
    ticket::{
        BusinessType,
        Command::{self, Accept},
        CrewProgress, Event, Rejection, ReplyOutcome, Stage, Step, event, placed,
        state::OFFERS_LIVE_MAX,
    },
};

/// A fault at a station, with the engine as actor.
fn to_be_offered() -> Story {
    given(at_the_station()).by_the_engine()
}

/// The same, offered to a crew.
fn offered_to_a_crew() -> Story {
    to_be_offered().and(offered(1, CREW))
}

fn gone(attempt: u32, taken_by: Option<&str>) -> Rejection {
    Rejection::OfferNotLive { offer: offer_id(attempt), taken_by: taken_by.map(org) }
}

#[test]
fn the_dispatch_process_alone_makes_and_ends_offers() {
    to_be_offered().when(offer(1, CREW)).then([offered(1, CREW)]).stands_at(Stage::Accepted);
    for role in Role::ALL.into_iter().filter(|role| *role != Role::System) {
        to_be_offered().acting_as(role).when(offer(1, CREW)).refused(Rejection::EngineOnly);
        let live = offered_to_a_crew().acting_as(role);
        live.when(end_offer(1, OfferEnd::Withdrawn)).refused(Rejection::EngineOnly);
    }
}

#[test]
fn an_offer_is_the_next_attempt_of_its_ticket() {
    let stale = |attempts| Rejection::StaleAttempt { attempts };
    let story = to_be_offered().when(offer(0, CREW)).refused(stale(0)).when(offer(2, CREW)).refused(stale(0));
    let story = story.when(offer(1, CREW)).accepted().when(end_offer(1, OfferEnd::Expired)).accepted();
    let story = story.when(offer(1, CREW4)).refused(stale(1));
    story.when(offer(2, CREW4)).then([offered(2, CREW4)]);
}

#[test]
fn no_crew_has_two_offers_of_a_ticket_and_no_ticket_more_than_its_most() {
    let full = Rejection::OffersLive { max: OFFERS_LIVE_MAX };
    let mut story = offered_to_a_crew().when(offer(2, CREW)).refused(full.clone());
    for attempt in 2..=OFFERS_LIVE_MAX as u32 {
        story = story.when(offer(attempt, &format!("{LIANGZHU}/c{attempt}"))).accepted();
    }
    story.when(offer(OFFERS_LIVE_MAX as u32 + 1, CREW4)).refused(full);
}

#[test]
fn only_a_crew_within_the_holder_is_offered_a_ticket() {
    let stranger = "sgcc/zj/hz/yuhang/pingyao/crew1";
    let why = Rejection::OutsideHolder { holder: org(LIANGZHU), to: org(stranger) };
    to_be_offered().when(offer(1, stranger)).refused(why);
    given(in_work(BusinessType::FaultRepair)).by_the_engine().when(offer(1, stranger)).accepted();
}

#[test]
fn only_field_work_that_no_crew_has_is_offered() {
    given(ready_to_dispatch(BusinessType::FaultRepair)).by_the_engine().when(offer(1, CREW)).illegal();
    given(in_work(BusinessType::Complaint)).by_the_engine().when(offer(1, CREW)).illegal();
    given(given_to_a_crew()).by_the_engine().when(offer(1, CREW)).illegal();
    given(repaired()).by_the_engine().when(offer(1, CREW)).illegal();
    to_be_offered().when(suspend()).accepted().when(offer(1, CREW)).illegal();
    to_be_offered().when(merge(ticket_id(2))).accepted().when(offer(1, CREW)).illegal();
    let waiting = given(in_work(BusinessType::FaultRepair)).and(dispatched(HZ, LIANGZHU)).by_the_engine();
    waiting.when(offer(1, CREW)).accepted().stands_at(Stage::Dispatched);
}

#[test]
fn accepting_an_offer_gives_the_ticket_to_the_crew_in_one_breath() {
    let story = offered_to_a_crew().by(CREW).when(accept_offer(1)).then(offer_taken(1, LIANGZHU, CREW));
    let ticket = story.ticket();
    assert_eq!((ticket.holder(), ticket.crew.progress()), (Some(&org(CREW)), CrewProgress::Accepted));
    assert!(ticket.offers.is_empty());
    story.stands_at(Stage::Accepted).when(step(Step::EnRoute)).then([en_route(CREW)]);
}

#[test]
fn no_answer_to_an_offer_happened_before_the_offer_was_made() {
    let story = offered_to_a_crew().by(CREW);
    let (made, slow) = (story.ticket().offers[0].made, clock(21, "08:30"));
    assert!(slow < made);
    let taken = |by: &Story| by.ticket().crew.accepted;
    let slowly = story.clone().by_the_device_at(slow).when(accept_offer(1)).accepted();
    assert_eq!(taken(&slowly), Some(made), "a slow clock gains no time, and is no reason to refuse");
    let later = made + TimeDelta::seconds(20);
    let at_once = story.clone().by_the_device_at(later).when(accept_offer(1)).accepted();
    assert_eq!(taken(&at_once), Some(later));
    assert_eq!(placed(&story.state, &decline_offer(1), slow), made);
    assert_eq!(placed(&story.state, &accept_offer(2), slow), slow, "there is no such offer");
    assert_eq!(placed(&story.state, &step(Step::EnRoute), slow), slow);
}

#[test]
fn a_repeated_acceptance_gets_the_first_answer_and_leaves_no_fact() {
    let taken = given(taken_by_a_crew()).by(CREW).when(accept_offer(1)).then([]);
    let done = taken.when(step(Step::Restored)).accepted().when(reply(ReplyOutcome::Resolved)).accepted();
    done.when(accept_offer(1)).then([]).stands_at(Stage::Replied);
}

#[test]
fn another_of_the_crew_learns_who_took_it_and_another_crew_that_it_was_not_theirs() {
    let taken = given(taken_by_a_crew());
    let late = taken.by(CREW).named("a2").when(accept_offer(1)).refused(Rejection::OfferTaken { by: "a1".into() });
    for unit in [CREW4, LIANGZHU] {
        let why = Rejection::NotYourOffer { actor: org(unit) };
        late.clone().by(unit).when(accept_offer(1)).refused(why);
    }
}

#[test]
fn an_offer_is_taken_or_declined_by_the_crew_it_was_made_to_alone() {
    for unit in [CREW4, LIANGZHU, NATION] {
        let why = Rejection::NotYourOffer { actor: org(unit) };
        let story = offered_to_a_crew().by(unit).when(accept_offer(1)).refused(why.clone());
        story.when(decline_offer(1)).refused(why);
    }
}

#[test]
fn the_fence_of_an_older_reservation_is_refused() {
    let why = Rejection::StaleFence { current: fence(1) };
    for fence in [fence(1) - 1, fence(1) + 1] {
        let (offer, reason, note) = (offer_id(1), DeclineReason::Road, None);
        let story = offered_to_a_crew().by(CREW);
        let story = story.when(Command::AcceptOffer { offer, fence }).refused(why.clone());
        story.when(Command::DeclineOffer { offer, fence, reason, note }).refused(why.clone());
    }
}

#[test]
fn whoever_comes_first_has_decided_between_acceptance_and_expiry() {
    let expired = offered_to_a_crew().when(end_offer(1, OfferEnd::Expired));
    let expired = expired.then([offer_ended(1, CREW, OfferEnd::Expired)]).stands_at(Stage::Accepted);
    expired.by(CREW).when(accept_offer(1)).refused(gone(1, None)).when(decline_offer(1)).refused(gone(1, None));
    let taken = given(taken_by_a_crew()).by_the_engine();
    taken.when(end_offer(1, OfferEnd::Expired)).refused(gone(1, Some(CREW))).stands_at(Stage::Accepted);
}

#[test]
fn a_crew_declines_for_a_cause_that_is_recorded_and_the_next_one_is_asked() {
    let (offer_id, reason) = (offer_id(1), Some(DeclineReason::Road));
    let (crew, note) = (crew_id(CREW), Some(text()));
    let declined: Event = event::OfferEnded { offer: offer_id, crew, how: OfferEnd::Declined, reason, note }.into();
    let story = offered_to_a_crew().by(CREW).when(decline_offer(1)).then([declined]);
    let story = story.when(accept_offer(1)).refused(gone(1, None));
    story.by_the_engine().when(offer(2, CREW4)).accepted();
}

#[test]
fn of_parallel_offers_one_is_accepted_and_the_others_are_gone() {
    let story = offered_to_a_crew().and(offered(2, CREW4)).and(offered(3, CREW5));
    let story = story.by(CREW5).when(decline_offer(3)).accepted();
    let story = story.by(CREW4).when(accept_offer(2)).then(offer_taken(2, LIANGZHU, CREW4));
    let story = story.by(CREW).when(accept_offer(1)).refused(gone(1, Some(CREW4)));
    story.by_the_engine().when(end_offer(1, OfferEnd::Withdrawn)).refused(gone(1, Some(CREW4)));
}

#[test]
fn of_a_thousand_who_accept_one_offer_one_gets_it_and_each_of_the_others_is_told_why() {
    let mut story = offered_to_a_crew().and(offered(2, CREW4));
    let (mut got, mut told) = (0, 0);
    for n in 0..1_000 {
        let crew = if n % 3 == 1 { CREW } else { CREW4 };
        let asked = story.clone().by(crew).named(&format!("m{n}")).when(accept_offer(1));
        story = match asked.decision() {
            Ok(facts) => {
                assert_eq!(facts.len(), 3);
                got += 1;
                asked.accepted()
            }
            Err(Rejection::NotYourOffer { .. } | Rejection::OfferTaken { .. }) => {
                told += 1;
                story
            }
            Err(other) => panic!("{other:?}"),
        };
    }
    assert_eq!((got, told), (1, 999));
    assert_eq!(story.ticket().taken, Some((offer_id(1), "m1".into())));
}

#[test]
fn a_ticket_that_a_person_gave_to_a_crew_cannot_be_taken_by_an_offer() {
    let story = offered_to_a_crew().by(LIANGZHU).when(dispatch(CREW4)).accepted();
    let story = story.by(CREW).when(accept_offer(1)).refused(gone(1, Some(CREW4)));
    story.by(CREW4).when(Accept).then([crew_accepted(CREW4)]);
}

#[test]
fn whatever_takes_the_work_away_ends_its_offers() {
    let desk = || offered_to_a_crew().acting_as(Role::Desk);
    let ends = [
        desk().when(suspend()).accepted(),
        desk().when(merge(ticket_id(2))).accepted(),
        desk().when(withdraw()).accepted(),
        desk().when(reassign(YUHANG)).accepted(),
        desk().when(dispatch(CREW4)).accepted(),
        desk().by(LIANGZHU).when(reply(ReplyOutcome::NotOurs)).accepted(),
        given(in_work(BusinessType::FaultRepair))
            .and(dispatched(HZ, LIANGZHU))
            .and(offered(1, CREW))
            .by(LIANGZHU)
            .when(give_back())
            .accepted(),
    ];
    for story in ends {
        let taken_by = story.ticket().holder().filter(|org| org.as_str() == CREW4).map(|_| CREW4);
        let story = story.by(CREW).when(accept_offer(1)).refused(gone(1, taken_by));
        assert!(story.ticket().offers.is_empty());
    }
}

#[test]
fn an_acceptance_from_before_the_crew_lost_the_ticket_does_not_take_it_back() {
    let handed = given(taken_by_a_crew()).by(CREW).when(hand_over(&[])).accepted();
    let handed = handed.by(CREW).when(accept_offer(1)).refused(gone(1, None));
    let again = handed.by_the_engine().when(offer(2, CREW4)).accepted().by(CREW).when(accept_offer(1));
    let again =
        again.refused(gone(1, None)).when(accept_offer(2)).refused(Rejection::NotYourOffer { actor: org(CREW) });
    again.by(CREW4).when(accept_offer(2)).then(offer_taken(2, LIANGZHU, CREW4));
}
