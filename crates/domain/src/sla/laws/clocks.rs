//! The laws of one clock: its life has no gaps, its time never runs backwards, and waiting never makes anything due earlier.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use proptest::{prop_assert, prop_assert_eq};

use super::draw::{UNSEEN, instants, moment, some_book, some_docket, some_instant, tell, tell_book};
use crate::{
    Timestamp,
    chance::{self, Dice, Verdict},
    sla::{
        Basis,
        book::Book,
        clock::{Kind, Lap},
        docket::Docket,
        judge::{self, Clock, judge},
        policy::{Pause, Policy},
        promise::ClockKey,
        tests::tale::{line, on, published},
    },
};

/// The longest history, in facts.
const FACTS_MAX: usize = 14;

/// Puts a law to a history under some book, with dice for whatever else it draws.
fn of_every_history(law: impl Fn(&Docket, &Book, &mut Dice) -> Verdict) {
    let drawn = |rolls: &[u64]| {
        let mut dice = Dice::of(rolls.iter().fold(0, |sum, roll| sum ^ roll));
        (some_docket(rolls), some_book(&mut dice), dice)
    };
    let checked = |rolls: &[u64]| {
        let (docket, book, mut dice) = drawn(rolls);
        law(&docket, &book, &mut dice)
    };
    let told = |rolls: &[u64]| {
        let (docket, book, _) = drawn(rolls);
        format!("{}{}", tell(&docket), tell_book(&book))
    };
    chance::always(FACTS_MAX, checked, told);
}

/// How much of its time a clock has used until then, by its segments.
fn used(clock: &Clock, now: Timestamp) -> TimeDelta {
    let ran = clock.segments(now).into_iter().filter(|segment| segment.kind == Kind::Running);
    ran.map(|segment| segment.to - segment.from).sum()
}

/// The same clock as though it had not ended.
fn open(clock: &Clock) -> Clock {
    let mut open = clock.clone();
    open.course.end = None;
    open
}

fn budget(clock: &Clock) -> TimeDelta {
    clock.rule().limit.budget(clock.course.start, &clock.almanac.calendar)
}

#[test]
fn the_segments_of_a_clock_cover_its_life_without_gap_or_overlap() {
    of_every_history(|docket, book, dice| {
        for now in instants(docket, dice) {
            for clock in judge(docket, book, now) {
                let segments = clock.segments(now);
                let (start, stop) = (clock.course.start, clock.course.end.map_or(now, |end| end.at));
                let mut at = start;
                for segment in &segments {
                    prop_assert_eq!(segment.from, at, "{}", line(&clock));
                    prop_assert!(segment.from < segment.to);
                    let counted = clock.almanac.calendar.measure(clock.rule().limit.basis(), segment.from, segment.to);
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
    of_every_history(|docket, book, dice| {
        let instants = instants(docket, dice);
        for clock in judge(docket, book, instants[0]) {
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
    of_every_history(|docket, book, dice| {
        for now in instants(docket, dice) {
            for clock in judge(docket, book, now) {
                let (running, granted) = (open(&clock), clock.course.extended);
                let own = clock.course.end.map_or(now, |end| end.at);
                match clock.due {
                    Some(due) if granted.is_none_or(|granted| granted < due) && clock.course.end.is_none() => {
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
    of_every_history(|docket, book, dice| {
        for clock in judge(docket, book, instants(docket, dice)[0]) {
            if clock.course.turns.iter().any(|turn| !turn.runs) || clock.course.extended.is_some() {
                continue;
            }
            let (calendar, start) = (&clock.almanac.calendar, clock.course.start);
            let expected = match clock.rule().limit {
                crate::sla::policy::Limit::WorkingDays { days } => calendar.after_working_days(start, days),
                limit => calendar.advance(limit.basis(), start, limit.budget(start, calendar)),
            };
            prop_assert_eq!(clock.due, Some(expected), "{}", line(&clock));
        }
        Ok(())
    });
}

/// The clocks by what they run for: which rule, and which fact started them.
fn by_run(clocks: Vec<Clock>) -> BTreeMap<(ClockKey, String, u64), Clock> {
    clocks.into_iter().map(|clock| ((clock.key(), clock.rule().id.clone(), clock.course.because), clock)).collect()
}

#[test]
fn waiting_makes_nothing_due_earlier() {
    of_every_history(|docket, book, dice| {
        // Every rule waits, from one fact that no rule looks at until another.
        let pause = Pause { from: on(UNSEEN[0]), until: vec![on(UNSEEN[1])] };
        let Some(version) = book.newest().and_then(|edition| edition.versions("sgcc").last()) else { return Ok(()) };
        let mut whole: Policy = version.policy.clone();
        whole.rules.iter_mut().for_each(|rule| rule.pauses.push(pause.clone()));
        let mut book = book.as_of(1);
        book.take_policy(&published(2, whole));
        let now = docket.moments.iter().map(|moment| moment.at).max().unwrap_or_default();
        let mut waiting = docket.clone();
        for _ in 0..1 + dice.below(3) {
            let after = dice.below(waiting.moments.len());
            let (at, position) = (waiting.moments[after].at, waiting.moments[after].position);
            let at = at + TimeDelta::minutes(dice.choose(&[0, 1, 5, 60, 800]));
            let fact = dice.choose(&UNSEEN);
            if waiting.moments.iter().all(|moment| moment.position != position + 1) {
                waiting.moments.insert(after + 1, moment(fact, at, at, position + 1, dice));
            }
        }
        let (with, without) = (by_run(judge(&waiting, &book, now)), by_run(judge(docket, &book, now)));
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
    of_every_history(|docket, book, _| {
        let mut lived = Docket::new(docket.id);
        let mut before = BTreeMap::new();
        let mut now = Timestamp::MIN_UTC;
        for moment in &docket.moments {
            // Only what comes in order: a late fact may tell that a wait was shorter.
            now = now.max(moment.at).max(moment.recorded);
            let moment = crate::sla::docket::Moment { at: now, recorded: now, ..moment.clone() };
            lived.moments.push(moment);
            let clocks = by_run(judge(&lived, book, now));
            for (key, clock) in &clocks {
                let Some(earlier): Option<&Clock> = before.get(key) else { continue };
                if earlier.course.end.is_some() || clock.course.start != earlier.course.start {
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
fn a_docket_is_the_same_told_again() {
    of_every_history(|docket, book, dice| {
        let written = serde_json::to_string(docket).unwrap();
        let read: Docket = serde_json::from_str(&written).unwrap();
        prop_assert_eq!(&read, docket);
        let now = some_instant(docket, dice);
        let told = |docket: &Docket| judge(docket, book, now).iter().map(line).collect::<Vec<_>>();
        prop_assert_eq!(told(&read), told(docket));
        Ok(())
    });
}

#[test]
fn no_two_clocks_of_a_ticket_bear_one_name() {
    of_every_history(|docket, book, dice| {
        let clocks = judge(docket, book, some_instant(docket, dice));
        let names: Vec<_> = clocks.iter().map(|clock| (clock.cycle, clock.rule().clock.clone(), clock.lap)).collect();
        prop_assert!(names.is_sorted_by(|one, next| one < next), "{names:?}");
        Ok(())
    });
}

#[test]
fn a_merge_that_was_undone_is_as_though_it_had_never_been() {
    use crate::sla::docket::FactName;
    of_every_history(|docket, book, dice| {
        // Whatever a merge ends, its undoing revives.
        let Some(version) = book.newest().and_then(|edition| edition.versions("sgcc").last()) else { return Ok(()) };
        let mut whole: Policy = version.policy.clone();
        for rule in &mut whole.rules {
            rule.revive.retain(|trigger| trigger.fact != FactName::Unmerged);
            rule.revive.push(on(FactName::Unmerged));
            for trigger in rule.cancel.iter_mut().filter(|trigger| trigger.fact == FactName::Merged) {
                *trigger = on(FactName::Merged);
            }
        }
        let mut book = book.as_of(1);
        book.take_policy(&published(2, whole));
        let mut never = docket.clone();
        never.moments.retain(|moment| !matches!(moment.fact, FactName::Merged | FactName::Unmerged));
        let (from, to) = (dice.below(never.moments.len()), dice.below(never.moments.len()));
        let mut undone = never.clone();
        for (after, fact) in [(from.max(to), FactName::Unmerged), (from.min(to), FactName::Merged)] {
            let (at, position) = (never.moments[after].at, never.moments[after].position);
            let nth = if fact == FactName::Merged { 1 } else { 2 };
            undone.moments.insert(after + 1, moment(fact, at.max(never.moments[0].at), at, position + nth, dice));
        }
        let timeline = undone.timeline();
        let place = |fact| timeline.iter().position(|(moment, _)| moment.fact == fact);
        let same_cycle = judge::cycles(&timeline).into_iter().any(|(range, _)| {
            [FactName::Merged, FactName::Unmerged]
                .into_iter()
                .all(|fact| place(fact).is_some_and(|at| range.contains(&at)))
        });
        if place(FactName::Merged) > place(FactName::Unmerged) || !same_cycle {
            return Ok(());
        }
        let now = some_instant(docket, dice);
        let life = |clock: &Clock| (line(clock), Lap { seen: None, ..clock.course.clone() }, clock.segments(now));
        let told = |docket: &Docket| judge(docket, &book, now).iter().map(life).collect::<Vec<_>>();
        prop_assert_eq!(told(&undone), told(&never));
        Ok(())
    });
}

#[test]
fn the_histories_have_every_kind_of_clock() {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut dice = Dice::of(95598);
    for _ in 0..3_000 {
        let rolls: Vec<u64> = (0..FACTS_MAX).map(|_| dice.bits()).collect();
        let (docket, book) = (some_docket(&rolls), some_book(&mut dice));
        for clock in judge(&docket, &book, some_instant(&docket, &mut Dice::of(rolls[0]))) {
            let mut count = |what: &str| *seen.entry(what.to_owned()).or_default() += 1;
            count(clock.verdict.as_str());
            match clock.rule().limit.basis() {
                Basis::Elapsed => count("elapsed"),
                Basis::WorkingDays => count("working days"),
                Basis::WorkingTime => count("working time"),
            }
            let flags = [
                ("a second lap", clock.lap > 1),
                ("a second cycle", clock.cycle > 1),
                ("more time", clock.course.extended.is_some()),
                ("waits", clock.course.turns.len() > 1),
                ("warnings", clock.warnings().next().is_some()),
            ];
            flags.into_iter().filter(|(_, is)| *is).for_each(|(what, _)| count(what));
        }
    }
    assert_eq!(seen.len(), 13, "{seen:?}");
    assert!(seen.values().all(|count| *count >= 100), "{seen:?}");
}
