//! Properties of one clock: its life has no gaps, its time never decreases, and waiting never makes it due earlier.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use proptest::{prop_assert, prop_assert_eq};

use super::draw::{
    UNSEEN, clock_event, describe, describe_registry, instants, some_clock_history, some_instant, some_registry,
};
use crate::{
    Timestamp,
    chance::{self, Dice, Verdict},
    sla::{
        Basis,
        clock::{Kind, Run},
        clock_history::ClockHistory,
        judge::{self, Clock, judge},
        policy::{Pause, Policy},
        promise::ClockKey,
        registry::PolicyRegistry,
        tests::tale::{line, on, published},
    },
};

/// The longest history, in facts.
const FACTS_MAX: usize = 14;

/// Checks a property for a random history under a random registry; the dice serve further choices.
fn of_every_history(law: impl Fn(&ClockHistory, &PolicyRegistry, &mut Dice) -> Verdict) {
    let drawn = |rolls: &[u64]| {
        let mut dice = Dice::of(rolls.iter().fold(0, |sum, roll| sum ^ roll));
        (some_clock_history(rolls), some_registry(&mut dice), dice)
    };
    let checked = |rolls: &[u64]| {
        let (clock_history, registry, mut dice) = drawn(rolls);
        law(&clock_history, &registry, &mut dice)
    };
    let in_words = |rolls: &[u64]| {
        let (clock_history, registry, _) = drawn(rolls);
        format!("{}{}", describe(&clock_history), describe_registry(&registry))
    };
    chance::always(FACTS_MAX, checked, in_words);
}

/// The time that a clock has used until `now`, by its segments.
fn used(clock: &Clock, now: Timestamp) -> TimeDelta {
    let ran = clock.segments(now).into_iter().filter(|segment| segment.kind == Kind::Running);
    ran.map(|segment| segment.to - segment.from).sum()
}

/// The same clock without its end.
fn open(clock: &Clock) -> Clock {
    let mut open = clock.clone();
    open.run.end = None;
    open
}

fn budget(clock: &Clock) -> TimeDelta {
    clock.rule().limit.budget(clock.run.start, &clock.calendar_version.calendar)
}

#[test]
fn the_segments_of_a_clock_cover_its_life_without_gap_or_overlap() {
    of_every_history(|clock_history, registry, dice| {
        for now in instants(clock_history, dice) {
            for clock in judge(clock_history, registry, now) {
                let segments = clock.segments(now);
                let (start, stop) = (clock.run.start, clock.run.end.map_or(now, |end| end.at));
                let mut at = start;
                for segment in &segments {
                    prop_assert_eq!(segment.from, at, "{}", line(&clock));
                    prop_assert!(segment.from < segment.to);
                    let counted =
                        clock.calendar_version.calendar.measure(clock.rule().limit.basis(), segment.from, segment.to);
                    match &segment.kind {
                        Kind::Running => prop_assert_eq!(counted, segment.to - segment.from),
                        Kind::Closed(_) => prop_assert_eq!(counted, TimeDelta::zero()),
                        Kind::Paused => {}
                    }
                    at = segment.to;
                }
                prop_assert_eq!(at, stop.max(start), "{}", line(&clock));
            }
        }
        Ok(())
    });
}

#[test]
fn the_time_that_a_clock_has_used_never_grows_less() {
    of_every_history(|clock_history, registry, dice| {
        let instants = instants(clock_history, dice);
        for clock in judge(clock_history, registry, instants[0]) {
            for pair in instants.windows(2) {
                let (before, after) = (used(&clock, pair[0]), used(&clock, pair[1]));
                prop_assert!(before <= after && after - before <= pair[1] - pair[0], "{}", line(&clock));
            }
        }
        Ok(())
    });
}

#[test]
fn a_clock_is_due_when_its_segments_add_up_to_its_limit() {
    of_every_history(|clock_history, registry, dice| {
        for now in instants(clock_history, dice) {
            for clock in judge(clock_history, registry, now) {
                let (running, granted) = (open(&clock), clock.run.extended);
                let own = clock.run.end.map_or(now, |end| end.at);
                match clock.due {
                    Some(due) if granted.is_none_or(|granted| granted < due) && clock.run.end.is_none() => {
                        prop_assert_eq!(used(&running, due), budget(&clock), "{}", line(&clock));
                        let later = due + TimeDelta::days(9);
                        prop_assert!(used(&running, later) >= budget(&clock));
                    }
                    Some(_) => {}
                    None => prop_assert!(used(&clock, own) <= budget(&clock), "{}", line(&clock)),
                }
                if used(&clock, own) > budget(&clock) {
                    prop_assert!(clock.due.is_some_and(|due| own > due || granted.is_some()), "{}", line(&clock));
                }
            }
        }
        Ok(())
    });
}

#[test]
fn a_clock_without_waits_is_due_as_the_calendar_counts() {
    of_every_history(|clock_history, registry, dice| {
        for clock in judge(clock_history, registry, instants(clock_history, dice)[0]) {
            if clock.run.switches.iter().any(|switch| !switch.runs) || clock.run.extended.is_some() {
                continue;
            }
            let (calendar, start) = (&clock.calendar_version.calendar, clock.run.start);
            let expected = match clock.rule().limit {
                crate::sla::policy::Limit::WorkingDays { days } => calendar.after_working_days(start, days),
                limit => calendar.advance(limit.basis(), start, limit.budget(start, calendar)),
            };
            prop_assert_eq!(clock.due, Some(expected), "{}", line(&clock));
        }
        Ok(())
    });
}

/// The clocks by rule and starting fact.
fn by_run(clocks: Vec<Clock>) -> BTreeMap<(ClockKey, String, u64), Clock> {
    clocks.into_iter().map(|clock| ((clock.key(), clock.rule().id.clone(), clock.run.because), clock)).collect()
}

#[test]
fn waiting_makes_nothing_due_earlier() {
    of_every_history(|clock_history, registry, dice| {
        // Every rule gets a pause from one fact that no rule uses to another.
        let pause = Pause { from: on(UNSEEN[0]), until: vec![on(UNSEEN[1])] };
        let Some(version) = registry.newest().and_then(|edition| edition.versions("sgcc").last()) else {
            return Ok(());
        };
        let mut whole: Policy = version.policy.clone();
        whole.rules.iter_mut().for_each(|rule| rule.pauses.push(pause.clone()));
        let mut registry = registry.as_of(1);
        registry.take_policy(&published(2, whole));
        let now = clock_history.events.iter().map(|clock_event| clock_event.at).max().unwrap_or_default();
        let mut waiting = clock_history.clone();
        for _ in 0..1 + dice.below(3) {
            let after = dice.below(waiting.events.len());
            let (at, position) = (waiting.events[after].at, waiting.events[after].position);
            let at = at + TimeDelta::minutes(dice.choose(&[0, 1, 5, 60, 800]));
            let fact = dice.choose(&UNSEEN);
            if waiting.events.iter().all(|clock_event| clock_event.position != position + 1) {
                waiting.events.insert(after + 1, clock_event(fact, at, at, position + 1, dice));
            }
        }
        let (with, without) = (by_run(judge(&waiting, &registry, now)), by_run(judge(clock_history, &registry, now)));
        prop_assert_eq!(with.keys().collect::<Vec<_>>(), without.keys().collect::<Vec<_>>());
        for (key, waited) in with {
            let plain = &without[&key];
            let later = waited.due.is_none() || plain.due.is_some_and(|due| waited.due >= Some(due));
            prop_assert!(later, "{} without the waits {}", line(&waited), line(plain));
        }
        Ok(())
    });
}

#[test]
fn a_running_clocks_due_moves_earlier_only_when_it_starts_over_or_becomes_another() {
    of_every_history(|clock_history, registry, _| {
        let mut lived = ClockHistory::new(clock_history.id);
        let mut before = BTreeMap::new();
        let mut now = Timestamp::MIN_UTC;
        for clock_event in &clock_history.events {
            // Only facts in order: a late fact may show that a wait was shorter.
            now = now.max(clock_event.at).max(clock_event.recorded);
            let clock_event = crate::sla::clock_history::ClockEvent { at: now, recorded: now, ..clock_event.clone() };
            lived.events.push(clock_event);
            let clocks = by_run(judge(&lived, registry, now));
            for (key, clock) in &clocks {
                let Some(earlier): Option<&Clock> = before.get(key) else { continue };
                if earlier.run.end.is_some() || clock.run.start != earlier.run.start {
                    continue;
                }
                match (earlier.due, clock.due) {
                    (Some(before), Some(after)) => {
                        prop_assert!(before <= after, "{}, then {}", line(earlier), line(clock))
                    }
                    (Some(before), None) => prop_assert!(now <= before, "{}, then {}", line(earlier), line(clock)),
                    (None, Some(after)) => prop_assert!(after >= now, "{}, then {}", line(earlier), line(clock)),
                    (None, None) => {}
                }
            }
            before = clocks;
        }
        Ok(())
    });
}

#[test]
fn a_clock_history_is_the_same_told_again() {
    of_every_history(|clock_history, registry, dice| {
        let written = serde_json::to_string(clock_history).unwrap();
        let read: ClockHistory = serde_json::from_str(&written).unwrap();
        prop_assert_eq!(&read, clock_history);
        let now = some_instant(clock_history, dice);
        let in_words =
            |clock_history: &ClockHistory| judge(clock_history, registry, now).iter().map(line).collect::<Vec<_>>();
        prop_assert_eq!(in_words(&read), in_words(clock_history));
        Ok(())
    });
}

#[test]
fn no_two_clocks_of_a_ticket_bear_one_name() {
    of_every_history(|clock_history, registry, dice| {
        let clocks = judge(clock_history, registry, some_instant(clock_history, dice));
        let names: Vec<_> =
            clocks.iter().map(|clock| (clock.cycle, clock.rule().clock.clone(), clock.run_number)).collect();
        prop_assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
        Ok(())
    });
}

#[test]
fn a_merge_that_was_undone_is_as_though_it_had_never_been() {
    use crate::sla::clock_history::FactName;
    of_every_history(|clock_history, registry, dice| {
        // Every clock that a merge ends is revived by the unmerge.
        let Some(version) = registry.newest().and_then(|edition| edition.versions("sgcc").last()) else {
            return Ok(());
        };
        let mut whole: Policy = version.policy.clone();
        for rule in &mut whole.rules {
            rule.revive.retain(|trigger| trigger.fact != FactName::Unmerged);
            rule.revive.push(on(FactName::Unmerged));
            for trigger in rule.cancel.iter_mut().filter(|trigger| trigger.fact == FactName::Merged) {
                *trigger = on(FactName::Merged);
            }
        }
        let mut registry = registry.as_of(1);
        registry.take_policy(&published(2, whole));
        let mut never = clock_history.clone();
        never.events.retain(|clock_event| !matches!(clock_event.fact, FactName::Merged | FactName::Unmerged));
        let (from, to) = (dice.below(never.events.len()), dice.below(never.events.len()));
        let mut undone = never.clone();
        for (after, fact) in [(from.max(to), FactName::Unmerged), (from.min(to), FactName::Merged)] {
            let (at, position) = (never.events[after].at, never.events[after].position);
            let nth = if fact == FactName::Merged { 1 } else { 2 };
            undone.events.insert(after + 1, clock_event(fact, at.max(never.events[0].at), at, position + nth, dice));
        }
        let timeline = undone.timeline();
        let place = |fact| timeline.iter().position(|(clock_event, _)| clock_event.fact == fact);
        let same_cycle = judge::cycles(&timeline).into_iter().any(|(range, _)| {
            [FactName::Merged, FactName::Unmerged]
                .into_iter()
                .all(|fact| place(fact).is_some_and(|at| range.contains(&at)))
        });
        if place(FactName::Merged) > place(FactName::Unmerged) || !same_cycle {
            return Ok(());
        }
        let now = some_instant(clock_history, dice);
        let life = |clock: &Clock| (line(clock), Run { seen: None, ..clock.run.clone() }, clock.segments(now));
        let in_words =
            |clock_history: &ClockHistory| judge(clock_history, &registry, now).iter().map(life).collect::<Vec<_>>();
        prop_assert_eq!(in_words(&undone), in_words(&never));
        Ok(())
    });
}

#[test]
fn the_histories_have_every_kind_of_clock() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut dice = Dice::of(95598);
    for _ in 0..3_000 {
        let rolls: Vec<u64> = (0..FACTS_MAX).map(|_| dice.bits()).collect();
        let (clock_history, registry) = (some_clock_history(&rolls), some_registry(&mut dice));
        for clock in judge(&clock_history, &registry, some_instant(&clock_history, &mut Dice::of(rolls[0]))) {
            let mut count = |what: &str| *seen.entry(what.to_owned()).or_default() += 1;
            count(clock.verdict.as_str());
            match clock.rule().limit.basis() {
                Basis::Elapsed => count("elapsed"),
                Basis::WorkingDays => count("working days"),
                Basis::WorkingTime => count("working time"),
            }
            let flags = [
                ("a second run", clock.run_number > 1),
                ("a second cycle", clock.cycle > 1),
                ("more time", clock.run.extended.is_some()),
                ("waits", clock.run.switches.len() > 1),
                ("warnings", clock.warnings().next().is_some()),
            ];
            flags.into_iter().filter(|(_, is)| *is).for_each(|(what, _)| count(what));
        }
    }
    assert_eq!(seen.len(), 13, "{seen:?}");
    assert!(seen.values().all(|count| *count >= 100), "{seen:?}");
}
