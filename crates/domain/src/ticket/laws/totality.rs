//! `evolve` is total: any event after any other yields a state. Excluded are the two orders that `evolve` asserts
//! against: a first event that is not a receipt, and a second receipt.

use chrono::TimeDelta;
use proptest::prop_assert;

use super::histories;
use crate::{
    Timestamp,
    chance::{self, Dice, Verdict},
    crew::{Forced, OfferEnd, OfferId, Skill, Skills},
    rules::Rules,
    ticket::{
        BusinessType, ContactOutcome, Escalation, Event, Grade, Move, ReplyOutcome, Satisfaction, State, SuspendReason,
        Urgency, decide, event, evolve, legal,
        tests::{
            sample::{self, CREW, CREW4, LADDER, category, crew_id, org, text, ticket_id},
            story::clock,
        },
    },
};

/// Any event except a receipt, with random data.
fn any_fact(dice: &mut Dice) -> Event {
    let unit = |dice: &mut Dice| org(dice.choose(&LADDER));
    let count = |dice: &mut Dice| dice.choose(&[0, 1, 2, u16::MAX]);
    let id = |dice: &mut Dice| ticket_id(dice.below(4) as u128);
    let crew = unit(dice);
    let at = any_time(dice);
    match dice.below(42) {
        0 => event::Supplemented { content: text() }.into(),
        1 => {
            let business = dice.choose(BusinessType::ALL);
            let grade = dice.perhaps(Grade::ALL);
            event::Classified { business, category: category(), urgency: Urgency::Urgent, grade }.into()
        }
        2 => event::ClosedAtFirstContact { answer: text() }.into(),
        3..6 => event::Dispatched { from: unit(dice), to: unit(dice) }.into(),
        6 => event::Accepted { by: crew }.into(),
        7 | 8 => sample::returned(dice.choose(&LADDER), dice.choose(&LADDER)),
        9 | 10 => sample::reassigned(dice.choose(&LADDER), dice.choose(&LADDER)),
        11 => event::CrewAccepted { crew }.into(),
        12 => event::CrewEnRoute { crew }.into(),
        13 => event::CrewArrived { crew, area: None }.into(),
        14 => event::CrewDiagnosed { crew, finding: text(), category: None }.into(),
        15 => event::EtrSet { crew, etr: at }.into(),
        16 => event::CrewRestored { crew }.into(),
        17 => event::Contacted { outcome: ContactOutcome::Reached, note: None }.into(),
        18 => sample::replied(dice.choose(&LADDER), ReplyOutcome::Resolved),
        19 => {
            let category = dice.perhaps(&[category()]);
            event::ReplyPassed { by: crew, last: dice.one_in(2), category }.into()
        }
        20 => event::ReplySentBack { by: crew, reason: text() }.into(),
        21 => {
            let (method, outcome) = (crate::ticket::RevisitMethod::Bot, dice.choose(Satisfaction::ALL));
            event::RevisitAttempted { method, outcome, attempt: count(dice) }.into()
        }
        22 => sample::revisited(dice.choose(Satisfaction::ALL)),
        23 => event::Reopened { cycle: count(dice), reason: text() }.into(),
        24 => event::Closed { explanation: None }.into(),
        25 => event::Urged { count: count(dice), reason: text() }.into(),
        26 => event::Supervised { by: crew, demand: text() }.into(),
        27 => {
            let grade = dice.choose(Grade::ALL);
            let to = dice.choose(&[Escalation::Complaint(grade), Escalation::Grade(grade), Escalation::Urgent]);
            event::Escalated { to, reason: text() }.into()
        }
        28 => match dice.below(3) {
            0 => event::Suspended { reason: SuspendReason::Weather, until: Some(at), note: None }.into(),
            1 => event::Resumed {}.into(),
            _ => event::Extended { until: at, reason: text() }.into(),
        },
        29 => sample::merged(id(dice)),
        30 => sample::unmerged(id(dice)),
        31 => event::ChildAdopted { child: id(dice) }.into(),
        32 => match dice.below(3) {
            0 => event::ChildReleased { child: id(dice) }.into(),
            1 => event::PersonalRevealed { purpose: String::new() }.into(),
            _ => event::Withdrawn { reason: text() }.into(),
        },
        33 => event::MasterFollowed { master: id(dice), restored: dice.perhaps(&[at]) }.into(),
        _ => any_fact_of_offers(at, dice),
    }
}

/// Any event about offers and crews, with random data.
fn any_fact_of_offers(at: Timestamp, dice: &mut Dice) -> Event {
    let crew = crew_id(dice.choose(&[CREW, CREW4]));
    let attempt = dice.choose(&[0, 1, 2, u32::MAX]);
    let offer = OfferId::of(ticket_id(1), attempt);
    let forced = Forced { by: "a1".into(), org: org(dice.choose(&LADDER)) };
    match dice.below(8) {
        0..3 => {
            let fence = dice.choose(&[0, u64::MAX]);
            event::Offered { offer, attempt, crew, fence, lease_until: at, priority: false, forced: None }.into()
        }
        3 => event::OfferAccepted { offer, crew, by: "a1".into() }.into(),
        4 => event::OfferEnded { offer, crew, how: dice.choose(OfferEnd::ALL), reason: None, note: None }.into(),
        5 => event::HandedOver { crew, needs: Skills::of(Skill::ALL), note: text() }.into(),
        6 => event::Recalled { crew, reason: text() }.into(),
        _ => event::Pinned { crew: dice.perhaps(&[crew]), forced, reason: text() }.into(),
    }
}

/// Any instant, including the first and the last.
fn any_time(dice: &mut Dice) -> Timestamp {
    let hour = TimeDelta::hours(dice.below(1_000) as i64);
    dice.choose(&[Timestamp::MIN_UTC, Timestamp::MAX_UTC, clock(21, "09:00") - hour, clock(21, "09:00") + hour])
}

/// A meaningless history: any receipt, then any events at these times.
fn senseless(rolls: &[u64], time: impl Fn(&mut Dice) -> Timestamp) -> Vec<(Event, Timestamp)> {
    let later = rolls.iter().skip(1).map(|&roll| {
        let mut dice = Dice::of(roll);
        (any_fact(&mut dice), time(&mut dice))
    });
    let mut dice = Dice::of(rolls[0]);
    let receipt = sample::received_at(dice.choose(&LADDER), dice.choose(BusinessType::ALL));
    std::iter::once((receipt, time(&mut dice))).chain(later).collect()
}

fn of_every_senseless_history(time: impl Fn(&mut Dice) -> Timestamp + Copy, law: impl Fn(State, &mut Dice) -> Verdict) {
    let told = |rolls: &[u64]| format!("{:#?}", senseless(rolls, time));
    let checked = |rolls: &[u64]| {
        let log = senseless(rolls, time);
        let state = log.iter().fold(None, |state, (fact, at)| evolve(state, fact, *at));
        law(state, &mut Dice::of(rolls[rolls.len() - 1]))
    };
    chance::always(40, checked, told);
}

#[test]
fn any_fact_after_any_other_leaves_a_ticket_that_somebody_answers_for() {
    of_every_senseless_history(any_time, |state, _| {
        prop_assert!(state.as_ref().is_some_and(|ticket| !ticket.holders.is_empty()));
        prop_assert!(legal(&state).contains(Move::Reveal));
        Ok(())
    });
}

#[test]
fn whatever_history_left_behind_every_question_has_an_answer() {
    let rules = Rules::default();
    let ordinary = |dice: &mut Dice| clock(21, "09:00") + TimeDelta::hours(dice.below(1_000) as i64);
    of_every_senseless_history(ordinary, |state, dice| {
        for _ in 0..8 {
            let ask = histories::ask(&state, clock(25, "10:00"), dice, Move::ALL);
            if let Ok(facts) = decide(&state, &ask.command, &ask.cx(&rules)) {
                let _ = facts.iter().fold(state.clone(), |state, fact| evolve(state, fact, ask.occurred_at));
            }
        }
        Ok(())
    });
}
