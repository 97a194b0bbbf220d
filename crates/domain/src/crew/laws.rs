//! Properties of every history of a crew, tested with thousands of random ones; examples are in `tests`. One property
//! is that the generator reaches every kind of history.

mod histories;
mod totality;

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prop_assert, prop_assert_eq};
use uuid::Uuid;

use self::histories::{Ask, Turn, describe, live};
use crate::{
    Timestamp,
    actor::Actor,
    chance::{self, Verdict},
    crew::{
        Command, Crew, Event, Rejection, State,
        command::Enrol,
        decide,
        decide::{COMMITMENTS_MAX, violations},
        evolve,
    },
    decider::Context,
    rules::Rules,
    ticket::tests::sample::{NATION, org},
};

/// The longest life, in turns.
const TURNS_MAX: usize = 80;

/// Checks a property of whole lives.
fn of_every_life(law: impl Fn(&[Turn]) -> Verdict) {
    let rules = Rules::default();
    chance::always(TURNS_MAX, |rolls| law(&live(rolls, &rules)), |rolls| describe(&live(rolls, &rules)));
}

/// Checks a property of every turn of every life.
fn of_every_turn(law: impl Fn(&Turn) -> Verdict) {
    of_every_life(|turns| turns.iter().try_for_each(&law));
}

/// Checks a property of every state in a life.
fn of_every_crew(law: impl Fn(&Crew) -> Verdict) {
    of_every_turn(|turn| turn.after.as_ref().map_or(Ok(()), &law));
}

/// Checks a property of every event, with the crew before it and its revision.
fn of_every_fact(law: impl Fn(&Event, Option<&Crew>, u64) -> Verdict) {
    of_every_life(|turns| {
        let facts = turns.iter().flat_map(|turn| turn.facts().iter().map(move |fact| (turn, fact)));
        facts.zip(0..).try_for_each(|((turn, fact), revision)| law(fact, turn.before.as_ref(), revision))
    });
}

#[test]
fn a_decision_is_a_function_of_its_arguments() {
    of_every_turn(|turn| {
        let rules = Rules::default();
        prop_assert_eq!(&decide(&turn.before, &turn.ask.command, &turn.ask.cx(&rules)), &turn.decision);
        let actor = Actor { id: "somebody-else".into(), ..turn.ask.actor.clone() };
        let cx = Context { actor: &actor, request_id: Uuid::nil(), ..turn.ask.cx(&rules) };
        prop_assert_eq!(&decide(&turn.before, &turn.ask.command, &cx), &turn.decision, "names do not matter");
        Ok(())
    });
}

#[test]
fn an_accepted_command_leaves_one_fact_and_a_refused_one_leaves_nothing() {
    // `evolve` asserts by itself that it accepts every event.
    of_every_turn(|turn| {
        let rules = Rules::default();
        match &turn.decision {
            Ok(facts) => prop_assert_eq!(facts.len(), 1),
            Err(_) => prop_assert_eq!(&turn.before, &turn.after),
        }
        let found = violations(&turn.ask.command, &turn.ask.cx(&rules));
        let invalid = matches!(&turn.decision, Err(Rejection::Invalid(named)) if *named == found);
        prop_assert_eq!(invalid, !found.is_empty(), "what is malformed is named before anything else");
        Ok(())
    });
}

#[test]
fn folding_from_zero_equals_living_through_it_byte_for_byte() {
    of_every_life(|turns| {
        let log: Vec<(Event, Timestamp)> = turns
            .iter()
            .flat_map(|turn| turn.facts().iter().map(|fact| (fact.clone(), turn.ask.occurred_at)))
            .collect();
        let folded: State = log.iter().fold(None, |state, (fact, at)| evolve(state, fact, *at));
        let lived = turns.last().and_then(|turn| turn.after.clone());
        prop_assert_eq!(serde_json::to_vec(&folded).unwrap(), serde_json::to_vec(&lived).unwrap());
        prop_assert_eq!(folded.map_or(0, |crew| crew.facts), log.len() as u64);
        Ok(())
    });
}

#[test]
fn a_crew_never_has_two_live_reservations() {
    of_every_life(|turns| {
        let mut live = None;
        for turn in turns {
            for fact in turn.facts() {
                match fact {
                    Event::Reserved(e) => prop_assert_eq!(live.replace(e.offer), None),
                    Event::Committed(e) if e.offer.is_some() => prop_assert_eq!(live.take(), e.offer),
                    Event::Released(e) if e.offer.is_some() => prop_assert_eq!(live.take(), e.offer),
                    _ => {}
                }
            }
            let kept = turn.after.as_ref().and_then(|crew| crew.reserved);
            prop_assert_eq!(kept.map(|kept| kept.offer), live);
        }
        Ok(())
    });
}

#[test]
fn a_crew_is_kept_and_at_work_at_once_only_where_a_person_gave_it_the_work() {
    of_every_crew(|crew| {
        prop_assert!(crew.reserved.is_none() || crew.commitments.iter().all(|held| held.offer.is_none()));
        prop_assert!(crew.commitments.iter().filter(|held| held.offer.is_some()).count() <= 1);
        Ok(())
    });
}

#[test]
fn a_ticket_has_a_crews_time_once_and_a_crew_has_only_so_many() {
    of_every_crew(|crew| {
        let tickets: BTreeSet<_> = crew.commitments.iter().map(|held| held.ticket).collect();
        prop_assert_eq!(tickets.len(), crew.commitments.len());
        prop_assert!(tickets.len() <= COMMITMENTS_MAX);
        Ok(())
    });
}

#[test]
fn a_fence_is_the_revision_of_its_reservation_and_no_reservation_has_an_older_one() {
    of_every_fact(|fact, before, revision| {
        match fact {
            Event::Reserved(e) => prop_assert_eq!(e.fence, revision, "and revisions only grow"),
            Event::Committed(e) => {
                let kept = before.and_then(|crew| crew.reserved).filter(|kept| Some(kept.offer) == e.offer);
                prop_assert_eq!(kept.is_some(), e.offer.is_some());
                prop_assert_eq!(e.fence, kept.map_or(revision, |kept| kept.fence));
            }
            _ => {}
        }
        Ok(())
    });
}

#[test]
fn no_fence_is_given_out_twice() {
    of_every_life(|turns| {
        let mut last = None;
        for fact in turns.iter().flat_map(Turn::facts) {
            let new = match fact {
                Event::Reserved(e) => e.fence,
                Event::Committed(e) if e.offer.is_none() => e.fence,
                _ => continue,
            };
            prop_assert!(last.is_none_or(|last| last < new));
            last = Some(new);
        }
        Ok(())
    });
}

#[test]
fn only_a_crew_that_can_be_sent_is_reserved() {
    of_every_fact(|fact, before, _| {
        if matches!(fact, Event::Reserved(_)) {
            let crew = before.expect("a crew that was enrolled");
            prop_assert!(crew.enrolled && crew.shift.is_some() && crew.away.is_none());
            prop_assert!(crew.commitments.is_empty() && crew.reserved.is_none());
        }
        Ok(())
    });
}

#[test]
fn shifts_begin_and_end_in_turn_and_absence_lies_within_them() {
    of_every_life(|turns| {
        let mut on_shift = false;
        for turn in turns {
            for fact in turn.facts() {
                match fact {
                    Event::ShiftStarted(_) => prop_assert!(!std::mem::replace(&mut on_shift, true)),
                    Event::ShiftEnded(_) => prop_assert!(std::mem::replace(&mut on_shift, false)),
                    Event::Dismissed(_) => on_shift = false,
                    _ => {}
                }
            }
            let Some(crew) = &turn.after else { continue };
            prop_assert_eq!(crew.shift.is_some(), on_shift);
            prop_assert!(crew.away.is_none() || on_shift);
            prop_assert!(crew.enrolled || !on_shift);
        }
        Ok(())
    });
}

#[test]
fn what_is_released_was_held_and_is_held_no_more() {
    of_every_life(|turns| {
        let mut held = BTreeSet::new();
        for turn in turns {
            for fact in turn.facts() {
                match fact {
                    Event::Reserved(e) => prop_assert!(held.insert((e.ticket, Some(e.offer)))),
                    Event::Committed(e) => {
                        prop_assert!(e.offer.is_none() || held.remove(&(e.ticket, e.offer)));
                        prop_assert!(held.insert((e.ticket, None)));
                    }
                    Event::Released(e) => prop_assert!(held.remove(&(e.ticket, e.offer))),
                    _ => {}
                }
            }
            let Some(crew) = &turn.after else { continue };
            let kept = crew.reserved.iter().map(|kept| (kept.ticket, Some(kept.offer)));
            let present = kept.chain(crew.commitments.iter().map(|held| (held.ticket, None))).collect();
            prop_assert_eq!(&held, &present);
        }
        Ok(())
    });
}

#[test]
fn a_crew_that_works_is_neither_struck_off_nor_off_shift_by_its_own_word() {
    of_every_fact(|fact, before, _| {
        let busy = before.is_some_and(|crew| !crew.commitments.is_empty());
        prop_assert!(!busy || !matches!(fact, Event::Dismissed(_) | Event::ShiftEnded(_)));
        let kept = before.is_some_and(|crew| crew.reserved.is_some());
        prop_assert!(!kept || !matches!(fact, Event::Dismissed(_)), "nobody could commit it");
        Ok(())
    });
}

#[test]
fn the_same_roster_entry_again_is_always_unchanged() {
    of_every_crew(|crew| {
        let entry = Enrol {
            crew: crew.id.clone(),
            home: crew.home,
            territory: crew.territory.clone(),
            skills: crew.skills,
            members: crew.members.clone(),
            vehicle: crew.vehicle.clone(),
        };
        let now = Timestamp::default();
        let actor = Actor { id: "a1".into(), role: crate::actor::Role::Desk, org: org(NATION) };
        let ask = Ask { command: Command::Enrol(Box::new(entry)), actor, now, occurred_at: now };
        let again = decide(&Some(crew.clone()), &ask.command, &ask.cx(&Rules::default()));
        prop_assert_eq!(again.is_err_and(|why| why == Rejection::Unchanged), crew.enrolled);
        Ok(())
    });
}

#[test]
fn the_track_of_a_shift_only_goes_on() {
    of_every_turn(|turn| {
        let at = |state: &State| state.as_ref().and_then(|crew| crew.located).map(|(_, at)| at);
        let begins = turn.facts().iter().any(|fact| matches!(fact, Event::ShiftStarted(_)));
        prop_assert!(begins || at(&turn.before) <= at(&turn.after));
        Ok(())
    });
}

#[test]
fn the_histories_lead_to_every_fact_and_to_every_no() {
    let rules = Rules::default();
    let mut facts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut refusals: BTreeSet<String> = BTreeSet::new();
    // Always the same lives, so that the result depends on the generator and not on chance.
    let mut dice = chance::Dice::of(95598);
    for _ in 0..1_000 {
        let rolls: Vec<u64> = (0..TURNS_MAX).map(|_| dice.bits()).collect();
        for turn in live(&rolls, &rules) {
            turn.facts().iter().for_each(|fact| *facts.entry(fact.name()).or_default() += 1);
            if let Err(why) = &turn.decision {
                refusals.extend(format!("{why:?}").split([' ', '(']).next().map(str::to_owned));
            }
        }
    }
    for name in [
        "Enrolled",
        "Dismissed",
        "ShiftStarted",
        "ShiftEnded",
        "WentAway",
        "CameBack",
        "Located",
        "Reserved",
        "Committed",
        "Released",
    ] {
        assert!(facts.get(name).is_some_and(|&times| times >= 30), "{name} hardly ever happens: {facts:?}");
    }
    let said: Vec<_> = refusals.iter().map(String::as_str).collect();
    let every = [
        "Away",
        "Committed",
        "EngineOnly",
        "Invalid",
        "NotAbove",
        "NotEnrolled",
        "NotHeld",
        "NotTheCrew",
        "OffShift",
        "OnShift",
        "Overcommitted",
        "Reserved",
        "Unchanged",
    ];
    assert_eq!(said, every);
}
