//! `evolve` is total: any event after any other yields a state. Excluded is what `evolve` asserts against: a first
//! event that is not an enrolment.

use chrono::TimeDelta;
use proptest::prop_assert;

use super::histories::ask;
use crate::{
    Timestamp,
    chance::{self, Dice},
    crew::{
        Absence, Event, Grounds, OfferId, Point, ReleaseReason, Skills, decide, event, evolve,
        tests::story::{enrolled, home},
    },
    rules::Rules,
    ticket::tests::{sample::ticket_id, story::clock},
};

/// Any instant, including the first and the last.
fn any_time(dice: &mut Dice) -> Timestamp {
    let hour = TimeDelta::hours(dice.below(1_000) as i64);
    dice.choose(&[Timestamp::MIN_UTC, Timestamp::MAX_UTC, clock(21, "09:00") - hour, clock(21, "09:00") + hour])
}

/// Any event with random data.
fn any_fact(dice: &mut Dice) -> Event {
    let at = any_time(dice);
    let ticket = ticket_id(dice.below(3) as u128);
    let offer = OfferId::of(ticket, dice.below(3) as u32);
    let fence = dice.choose(&[0, 1, u64::MAX]);
    match dice.below(12) {
        0 => enrolled(),
        1 => event::Dismissed {}.into(),
        2 | 3 => event::ShiftStarted { until: at, breaks: Vec::new(), at: dice.perhaps(&[home()]) }.into(),
        4 => event::ShiftEnded {}.into(),
        5 => event::WentAway { why: dice.choose(Absence::ALL) }.into(),
        6 => event::CameBack {}.into(),
        7 => {
            let off = Point { latitude_e6: i32::MIN, longitude_e6: i32::MAX };
            event::Located { at: off, accuracy_m: u32::MAX }.into()
        }
        8 | 9 => {
            let grounds = Grounds::default();
            event::Reserved { offer, ticket, fence, lease_until: at, priority: true, forced: None, grounds }.into()
        }
        10 => event::Committed { ticket, offer: dice.perhaps(&[offer]), fence }.into(),
        _ => {
            let why = dice.choose(ReleaseReason::ALL);
            event::Released { ticket, offer: dice.perhaps(&[offer]), why }.into()
        }
    }
}

/// A meaningless history: an enrolment, then any events at any time.
fn senseless(rolls: &[u64]) -> Vec<(Event, Timestamp)> {
    let any = |&roll: &u64| {
        let mut dice = Dice::of(roll);
        (any_fact(&mut dice), any_time(&mut dice))
    };
    std::iter::once((enrolled(), clock(21, "09:00"))).chain(rolls.iter().map(any)).collect()
}

#[test]
fn any_fact_after_any_other_leaves_a_crew_of_which_everything_may_be_asked() {
    let rules = Rules::default();
    let law = |rolls: &[u64]| {
        let log = senseless(rolls);
        let state = log.iter().fold(None, |state, (fact, at)| evolve(state, fact, *at));
        prop_assert!(state.as_ref().is_some_and(|crew| crew.facts == log.len() as u64));
        prop_assert!(state.as_ref().is_some_and(|crew| crew.skills != Skills::NONE));
        let mut dice = Dice::of(rolls[0]);
        for _ in 0..8 {
            let ask = ask(&state, clock(25, "10:00"), &mut dice, false);
            if let Ok(facts) = decide(&state, &ask.command, &ask.cx(&rules)) {
                let _ = facts.iter().fold(state.clone(), |state, fact| evolve(state, fact, ask.occurred_at));
            }
        }
        Ok(())
    };
    chance::always(40, law, |rolls| format!("{:#?}", senseless(rolls)));
}
