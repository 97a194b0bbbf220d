//! Properties of verdicts and versions: a later publication changes no verdict, and the version in force at a clock's
//! start judges the clock.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use proptest::{prop_assert, prop_assert_eq};

use super::draw::{
    describe, describe_registry, some_clock_history, some_instant, some_policy, some_registry, some_year,
};
use crate::{
    Timestamp,
    chance::{self, Dice, Verdict},
    fact::{Fact, PolicyFact, YearFact},
    sla::{
        clock_history::ClockHistory,
        judge::{Clock, judge},
        promise::ClockKey,
        registry::{Edition, PolicyRegistry},
        tests::tale::{in_force, line, published},
    },
};

/// The longest history, in facts.
const FACTS_MAX: usize = 12;

/// A publication after some fact of the clock history, at the instant when that fact was recorded.
fn publication(clock_history: &ClockHistory, number: u64, dice: &mut Dice) -> Fact {
    let after = dice.choose(&clock_history.events);
    let (position, recorded_at) = (after.position + number, after.recorded);
    if dice.one_in(3) {
        Fact::Year(YearFact { revision: number, recorded_at, ..in_force(position, some_year(dice)) })
    } else {
        Fact::Policy(PolicyFact {
            revision: number,
            recorded_at,
            ..published(position, some_policy(recorded_at, dice))
        })
    }
}

fn take(registry: &mut PolicyRegistry, fact: &Fact) {
    match fact {
        Fact::Policy(fact) => registry.take_policy(fact),
        Fact::Year(fact) => registry.take_year(fact),
        Fact::Ticket(_) | Fact::Promise(_) | Fact::Crew(_) => {}
    }
}

fn recorded_at(publication: &Fact) -> Timestamp {
    match publication {
        Fact::Policy(fact) => fact.recorded_at,
        Fact::Year(fact) => fact.recorded_at,
        Fact::Ticket(_) | Fact::Promise(_) | Fact::Crew(_) => Timestamp::default(),
    }
}

/// A history with publications in between, in the order of the log.
fn drawn(rolls: &[u64]) -> (ClockHistory, PolicyRegistry, Vec<Fact>, Dice) {
    let mut dice = Dice::of(rolls.iter().fold(0, |sum, roll| sum ^ roll));
    let clock_history = some_clock_history(rolls);
    let mut later: Vec<Fact> =
        (1..=1 + dice.below(4) as u64).map(|number| publication(&clock_history, number, &mut dice)).collect();
    later.sort_by_key(Fact::position);
    (clock_history, some_registry(&mut dice), later, dice)
}

fn of_every_history(law: impl Fn(&ClockHistory, PolicyRegistry, &[Fact], &mut Dice) -> Verdict) {
    let checked = |rolls: &[u64]| {
        let (clock_history, registry, later, mut dice) = drawn(rolls);
        law(&clock_history, registry, &later, &mut dice)
    };
    let in_words = |rolls: &[u64]| {
        let (clock_history, registry, later, _) = drawn(rolls);
        let mut whole = registry;
        later.iter().for_each(|fact| take(&mut whole, fact));
        format!("{}{}", describe(&clock_history), describe_registry(&whole))
    };
    chance::always(FACTS_MAX, checked, in_words);
}

/// A verdict with the versions that gave it.
fn whole(clock: &Clock) -> (String, u64, u64) {
    (line(clock), clock.version.position, clock.calendar_version.number)
}

fn given(
    clock_history: &ClockHistory,
    registry: &PolicyRegistry,
    now: Timestamp,
) -> BTreeMap<ClockKey, (String, u64, u64)> {
    let clocks = judge(clock_history, registry, now).into_iter().filter(|clock| clock.verdict.is_given());
    clocks.map(|clock| (clock.key(), whole(&clock))).collect()
}

fn known_before(clock_history: &ClockHistory, position: u64) -> ClockHistory {
    let mut known = clock_history.clone();
    known.events.retain(|clock_event| clock_event.position < position);
    known
}

#[test]
fn what_is_published_later_changes_no_verdict() {
    of_every_history(|clock_history, mut registry, later, dice| {
        let mut stays: Vec<(ClockHistory, BTreeMap<ClockKey, _>)> = Vec::new();
        for fact in later {
            let now = recorded_at(fact);
            let known = known_before(clock_history, fact.position());
            stays.push((known.clone(), given(&known, &registry, now)));
            take(&mut registry, fact);
            let end = some_instant(clock_history, dice).max(now);
            for (known, before) in &stays {
                for at in [now, end] {
                    let after = given(known, &registry, at);
                    for (key, verdict) in before {
                        prop_assert_eq!(after.get(key), Some(verdict), "{:?}", key);
                    }
                }
            }
        }
        Ok(())
    });
}

#[test]
fn a_clock_is_judged_by_the_version_that_has_the_say_over_its_start() {
    of_every_history(|clock_history, mut registry, later, dice| {
        let mut given_before: BTreeSet<ClockKey> = BTreeSet::new();
        let mut now = some_instant(clock_history, dice);
        for fact in later {
            let at = recorded_at(fact);
            given_before.extend(given(&known_before(clock_history, fact.position()), &registry, at).into_keys());
            take(&mut registry, fact);
            now = now.max(at);
        }
        for clock in judge(clock_history, &registry, now) {
            let start = clock.run.start;
            let by = |edition: &Arc<Edition>| {
                edition.version("sgcc", start).is_some_and(|v| v.number == clock.version.number)
            };
            if given_before.contains(&clock.key()) {
                prop_assert!(registry.editions().iter().any(by), "{}", line(&clock));
            } else {
                prop_assert!(by(registry.newest().unwrap()), "{}", line(&clock));
            }
        }
        Ok(())
    });
}

#[test]
fn a_publication_that_does_not_concern_a_ticket_changes_nothing_of_it() {
    of_every_history(|clock_history, mut registry, later, dice| {
        later.iter().for_each(|fact| take(&mut registry, fact));
        let now = some_instant(clock_history, dice);
        let before: Vec<_> = judge(clock_history, &registry, now).iter().map(whole).collect();
        let position =
            clock_history.events.iter().map(|clock_event| clock_event.position).max().unwrap_or_default() + 9;
        let other = crate::sla::policy::Policy { operator: "csg".into(), ..some_policy(now, dice) };
        let other = published(position, other);
        registry.take_policy(&PolicyFact { id: "csg".into(), recorded_at: now, ..other });
        let after: Vec<_> = judge(clock_history, &registry, now).iter().map(whole).collect();
        prop_assert_eq!(before, after);
        Ok(())
    });
}
