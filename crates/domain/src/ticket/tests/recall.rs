//! A crew that hands its work over, is recalled, or is chosen by a person.

use super::{
    sample::*,
    story::{Story, given},
};
use crate::{
    actor::Role,
    crew::{Forced, OfferEnd, Skill, Skills},
    ticket::{
        BusinessType, Command, Command::Accept, CrewProgress, Event, Rejection, ReplyOutcome, Satisfaction, Stage,
        Step, event,
    },
};

fn handed_over(needs: &[Skill]) -> [Event; 2] {
    let needs = Skills::of(needs);
    [event::HandedOver { crew: crew_id(CREW), needs, note: text() }.into(), reassigned(CREW, LIANGZHU)]
}

fn recalled(crew: &str) -> [Event; 2] {
    [event::Recalled { crew: crew_id(crew), reason: text() }.into(), reassigned(crew, LIANGZHU)]
}

fn pinned(crew: Option<&str>, by: &str) -> Event {
    let forced = Forced { by: "a1".into(), org: org(by) };
    event::Pinned { crew: crew.map(crew_id), forced, reason: text() }.into()
}

/// A fault that a crew of the station has accepted.
fn with_a_crew() -> Story {
    given(taken_by_a_crew())
}

/// A fault at the station whose desk has chosen a crew.
fn chosen(crew: &str) -> Story {
    given(at_the_station()).by(LIANGZHU).when(pin(crew)).accepted()
}

fn choice(story: &Story) -> Option<&str> {
    story.ticket().pinned.as_ref().map(|(crew, _)| crew.org().as_str())
}

#[test]
fn a_crew_that_needs_others_hands_the_ticket_back_with_the_skills_it_takes() {
    let needs = [Skill::LiveLine, Skill::HighVoltage];
    let story = with_a_crew().by(CREW).when(step(Step::Arrived { area: None })).accepted();
    let story = story.when(hand_over(&needs)).then(handed_over(&needs)).stands_at(Stage::Dispatched);
    let ticket = story.ticket();
    assert_eq!(ticket.needs, Skills::of(&needs));
    assert_eq!((ticket.holder(), ticket.taken.as_ref()), (Some(&org(LIANGZHU)), None));
    assert_eq!(ticket.crew.progress(), CrewProgress::None);
    let story = story.by_the_engine().when(offer(2, CREW4)).accepted().by(CREW4).when(accept_offer(2)).accepted();
    assert_eq!(story.ticket().needs, Skills::of(&needs), "the need stays while others work");
}

#[test]
fn a_crew_hands_over_what_it_has_itself_and_a_unit_above_may_say_it_for_the_crew() {
    for unit in [CREW4, NB] {
        let why = Rejection::NotTheHolder { holder: org(CREW), actor: org(unit) };
        with_a_crew().by(unit).when(hand_over(&[])).refused(why);
    }
    with_a_crew().by(LIANGZHU).when(hand_over(&[])).then(handed_over(&[]));
    let moved = with_a_crew().by(LIANGZHU).when(reassign(CREW4)).accepted();
    let why = Rejection::NotTheHolder { holder: org(CREW4), actor: org(CREW) };
    moved.by(CREW).when(hand_over(&[])).refused(why);
}

#[test]
fn a_unit_above_the_crew_or_the_engine_calls_it_back() {
    for unit in [LIANGZHU, HZ, NATION] {
        with_a_crew().by(unit).when(recall()).then(recalled(CREW)).stands_at(Stage::Dispatched);
    }
    with_a_crew().by(SD).acting_as(Role::System).when(recall()).then(recalled(CREW));
    for unit in [CREW, CREW4, NB] {
        let why = Rejection::NotAbove { holder: org(CREW), actor: org(unit) };
        with_a_crew().by(unit).when(recall()).refused(why);
    }
}

#[test]
fn the_engine_calls_no_crew_back_that_is_on_site_and_a_person_may() {
    let on_site = || with_a_crew().by(CREW).when(step(Step::Arrived { area: None })).accepted();
    let at = on_site().ticket().crew.arrived.expect("it arrived");
    let why = Rejection::AlreadyReported { step: CrewProgress::Arrived, at };
    on_site().by_the_engine().when(recall()).refused(why);
    on_site().by(LIANGZHU).when(recall()).then(recalled(CREW));
    let restored = with_a_crew().by(CREW).when(step(Step::Restored)).accepted();
    let at = restored.ticket().crew.restored.expect("power is back");
    let why = Rejection::AlreadyReported { step: CrewProgress::Restored, at };
    restored.by_the_engine().when(recall()).refused(why);
}

#[test]
fn only_a_crew_at_work_hands_over_or_is_called_back() {
    let suspended = with_a_crew().when(suspend()).accepted();
    let merged = with_a_crew().when(merge(ticket_id(2))).accepted();
    for story in [given(at_the_station()), given(repaired()), suspended, merged] {
        story.when(hand_over(&[])).illegal().when(recall()).illegal();
    }
}

#[test]
fn a_crew_called_back_may_be_offered_the_ticket_again() {
    let story = with_a_crew().by(LIANGZHU).when(recall()).accepted().by_the_engine();
    let story = story.when(offer(2, CREW)).accepted().by(CREW).when(accept_offer(2));
    story.then(offer_taken(2, LIANGZHU, CREW));
}

#[test]
fn a_crew_that_came_straight_from_the_city_goes_back_to_the_city() {
    let story = given(given_to_a_crew()).by(HZ).when(recall());
    let recalled: Event = event::Recalled { crew: crew_id(CREW), reason: text() }.into();
    let story = story.then([recalled, reassigned(CREW, HZ)]);
    assert_eq!(story.ticket().holders, [org(NATION), org(HZ)]);
    story.by(HZ).when(Accept).then([accepted(HZ)]);
}

#[test]
fn a_desk_of_the_holder_chooses_a_crew_that_it_stands_above() {
    for unit in [LIANGZHU, YUHANG, NATION] {
        let story = given(at_the_station()).by(unit).when(pin(CREW)).then([pinned(Some(CREW), unit)]);
        assert_eq!(choice(&story.stands_at(Stage::Accepted)), Some(CREW));
    }
    for unit in [CREW, CREW4, NB] {
        let why = Rejection::NotTheHolder { holder: org(LIANGZHU), actor: org(unit) };
        given(at_the_station()).by(unit).when(pin(CREW)).refused(why);
    }
    let outside = "sgcc/zj/hz/yuhang/pingyao/crew1";
    let why = Rejection::OutsideHolder { holder: org(LIANGZHU), to: org(outside) };
    given(at_the_station()).by(HZ).when(pin(outside)).refused(why);
    let at_the_city = given(given_to_a_crew()).by(HZ).when(recall()).accepted();
    let why = Rejection::OutsideHolder { holder: org(HZ), to: org(outside) };
    at_the_city.by(LIANGZHU).when(pin(outside)).refused(why);
}

#[test]
fn a_choice_is_taken_back_and_the_plan_decides_again() {
    let story = chosen(CREW).when(unpin()).then([pinned(None, LIANGZHU)]);
    assert_eq!(choice(&story), None);
}

#[test]
fn another_crew_is_called_back_before_the_chosen_one_gets_the_ticket() {
    let [back, moved] = recalled(CREW);
    let story = with_a_crew().by(LIANGZHU).when(pin(CREW4)).then([back, moved, pinned(Some(CREW4), LIANGZHU)]);
    assert_eq!((choice(&story), story.ticket().holder()), (Some(CREW4), Some(&org(LIANGZHU))));
    let kept = with_a_crew().by(LIANGZHU).when(pin(CREW)).then([pinned(Some(CREW), LIANGZHU)]);
    assert_eq!(kept.ticket().holder(), Some(&org(CREW)), "the chosen crew has it already");
    let left = with_a_crew().by(LIANGZHU).when(unpin()).then([pinned(None, LIANGZHU)]);
    assert_eq!(left.ticket().holder(), Some(&org(CREW)), "that the plan decides takes it from nobody");
}

#[test]
fn a_choice_takes_offers_to_other_crews_back() {
    let story = given(at_the_station()).and(offered(1, CREW)).and(offered(2, CREW4)).by(LIANGZHU);
    let withdrawn = offer_ended(1, CREW, OfferEnd::Withdrawn);
    let story = story.when(pin(CREW4)).then([withdrawn, pinned(Some(CREW4), LIANGZHU)]);
    let gone = Rejection::OfferNotLive { offer: offer_id(1), taken_by: None };
    let story = story.by(CREW).when(accept_offer(1)).refused(gone);
    story.by(CREW4).when(accept_offer(2)).then(offer_taken(2, LIANGZHU, CREW4));
}

#[test]
fn a_plan_from_before_the_choice_offers_the_ticket_to_nobody_else() {
    let why = Rejection::OutsideHolder { holder: org(CREW), to: org(CREW4) };
    chosen(CREW).by_the_engine().when(offer(1, CREW4)).refused(why).when(offer(1, CREW)).accepted();
}

#[test]
fn a_choice_is_spent_when_the_chosen_crew_loses_the_ticket_again() {
    let taken = || chosen(CREW).and(dispatched(LIANGZHU, CREW));
    assert_eq!(choice(&taken()), Some(CREW));
    let working = || taken().by(CREW).when(Accept).accepted();
    let left = [
        taken().by(CREW).when(give_back()).accepted(),
        working().when(hand_over(&[Skill::Cable])).accepted(),
        working().by(LIANGZHU).when(recall()).accepted(),
        working().by(LIANGZHU).when(reassign(CREW4)).accepted(),
    ];
    for story in left {
        assert_eq!(choice(&story), None);
    }
}

#[test]
fn a_choice_that_the_holder_cannot_follow_is_none() {
    let inward = given(in_work(BusinessType::FaultRepair)).by(HZ).when(pin(CREW)).accepted();
    let within = inward.clone().when(dispatch(LIANGZHU)).accepted();
    assert_eq!(choice(&within), Some(CREW));
    let elsewhere = inward.clone().by(ZJ).when(reassign(NB)).accepted();
    assert_eq!(choice(&elsewhere), None);
    let other = inward.when(dispatch(CREW4)).accepted();
    assert_eq!(choice(&other), None, "a later word of a person stands");
}

#[test]
fn nobody_chooses_a_crew_while_the_work_waits_or_is_done() {
    let suspended = with_a_crew().when(suspend()).accepted();
    for story in [suspended, given(repaired()), with_a_crew().when(merge(ticket_id(2))).accepted()] {
        story.by(LIANGZHU).when(pin(CREW4)).illegal();
    }
}

#[test]
fn a_reopened_ticket_needs_nothing_special_and_nobody_is_chosen_for_it() {
    let story = with_a_crew().by(CREW).when(hand_over(&[Skill::Cable])).accepted();
    let story = story.by(LIANGZHU).when(Accept).accepted().when(pin(CREW4)).accepted();
    let story = story.and(replied(LIANGZHU, ReplyOutcome::NotOurs)).and(passed_for_good(NATION));
    let story = story.and(revisited(Satisfaction::Dissatisfied));
    assert_eq!((story.ticket().needs, choice(&story)), (Skills::of(&[Skill::Cable]), Some(CREW4)));
    let story = story.by(NATION).when(reopen()).accepted();
    assert_eq!((story.ticket().needs, choice(&story)), (Skills::NONE, None));
    assert_eq!(story.ticket().attempts, 1, "offers are counted over its whole life");
}

#[test]
fn a_recall_of_one_crew_does_not_call_back_another_that_has_it_since() {
    let meant = |crew| Command::Recall { crew: Some(crew_id(crew)), reason: text() };
    let why = Rejection::AlreadyHeld { holder: org(CREW) };
    with_a_crew().by_the_engine().when(meant(CREW4)).refused(why);
    with_a_crew().by_the_engine().when(meant(CREW)).then(recalled(CREW));
}

#[test]
fn a_ticket_that_is_returned_to_a_unit_without_the_chosen_crew_has_none_chosen() {
    let fault = BusinessType::FaultRepair;
    let moved = event::Reassigned { from: org(SD), to: org(NATION), reason: text() }.into();
    let story = given([received_at(SD, fault), classified(fault), dispatched(SD, SD), moved]);
    let story = story.by(NATION).when(pin(CREW)).accepted();
    assert_eq!(choice(&story), Some(CREW));
    let story = story.by(NATION).when(give_back()).accepted();
    assert_eq!(choice(&story), None);
}
