//! Any log has an answer to every question, because history and published policies cannot be rejected. Here instants
//! are at the ends of time, positions repeat, receipts are missing, and rules are invalid.

use chrono::TimeDelta;
use proptest::prop_assert;

use super::draw::{clock_event, dawn, describe, some_policy, some_registry, some_role};
use crate::{
    Timestamp,
    chance::{self, Dice},
    decider::{Process, Projection},
    fact::{Fact, PromiseFact, TicketFact},
    organisation::Level,
    sla::{
        average::Sample,
        clock_history::{ClockEvent, ClockHistory, FactName, Reading},
        judge::judge,
        policy::{Average, Limit, Pause, Policy, Rule, Threshold, Title, Trigger, Warning, When},
        promise::{Event, Overturned, Warned},
        registry::PolicyRegistry,
        tests::tale::{published, recorded, rule},
        watch::Watch,
    },
    ticket::{
        BusinessType,
        tests::sample::{CREW, HZ, NATION, arrived, dispatched, merged, org, received, ticket_id, unmerged},
    },
};

/// Any instant, including the ends of time.
fn any_time(dice: &mut Dice) -> Timestamp {
    let days = TimeDelta::days(dice.below(2_000) as i64);
    let micros = TimeDelta::microseconds(dice.below(5) as i64);
    let time = [
        Timestamp::MIN_UTC,
        Timestamp::MAX_UTC,
        Timestamp::MIN_UTC + micros,
        Timestamp::MAX_UTC - micros,
        dawn(),
        dawn() + days,
        dawn() - days,
    ];
    dice.choose(&time)
}

fn any_trigger(dice: &mut Dice) -> Trigger {
    let readings = [Reading::Occurred, Reading::Recorded, Reading::HungUp, Reading::Appointment];
    Trigger { fact: dice.choose(FactName::ALL), is: Vec::new(), level: Vec::new(), time: dice.choose(&readings) }
}

fn any_triggers(dice: &mut Dice) -> Vec<Trigger> {
    (0..dice.below(4)).map(|_| any_trigger(dice)).collect()
}

fn any_limit(dice: &mut Dice) -> Limit {
    let seconds = dice.choose(&[i64::MIN, -1, 0, 1, 3_600, 31_000_000, i64::MAX / 1_000, i64::MAX]);
    match dice.below(3) {
        0 => Limit::Elapsed { seconds },
        1 => Limit::WorkingTime { seconds },
        _ => Limit::WorkingDays { days: dice.choose(&[0, 1, 30, u32::MAX]) },
    }
}

fn any_rule(dice: &mut Dice) -> Rule {
    let warning = |dice: &mut Dice| {
        let at = if dice.one_in(2) {
            Threshold::Percent(dice.choose(&[0, 1, 99, 100, u8::MAX]))
        } else {
            Threshold::Before(dice.choose(&[i64::MIN, -1, 0, 60, i64::MAX]))
        };
        Warning { at, tell: dice.perhaps(&Level::ALL) }
    };
    Rule {
        start: any_triggers(dice),
        stop: any_triggers(dice),
        pauses: (0..dice.choose(&[0, 1, 70]))
            .map(|_| Pause { from: any_trigger(dice), until: any_triggers(dice) })
            .collect(),
        reset: any_triggers(dice),
        cancel: any_triggers(dice),
        revive: any_triggers(dice),
        extend: any_triggers(dice),
        warnings: (0..dice.choose(&[0, 3, 300])).map(|_| warning(dice)).collect(),
        ..rule("a", any_limit(dice), &[], &[])
    }
}

fn any_registry(dice: &mut Dice) -> PolicyRegistry {
    let mut registry = some_registry(dice);
    for position in 0..dice.below(4) as u64 {
        let rules: Vec<Rule> = (0..dice.below(4)).map(|_| any_rule(dice)).collect();
        let policy = Policy { effective_from: any_time(dice), rules, ..some_policy(dawn(), dice) };
        let fact = published(dice.choose(&[3, 5, 10 + position, u64::MAX]), policy);
        registry.take_policy(&crate::fact::PolicyFact { recorded_at: any_time(dice), ..fact });
    }
    registry
}

fn any_moment(position: u64, dice: &mut Dice) -> ClockEvent {
    let (fact, at) = (dice.choose(FactName::ALL), any_time(dice));
    // The change is drawn for an ordinary instant and then moved to any instant.
    let ordinary = clock_event(if dice.one_in(9) { FactName::Reopened } else { fact }, dawn(), dawn(), position, dice);
    ClockEvent { at, recorded: any_time(dice), fact, ..ordinary }
}

/// Any facts at any time, mostly after a receipt.
fn any_clock_history(rolls: &[u64]) -> ClockHistory {
    let mut dice = Dice::of(rolls.len() as u64 ^ rolls[0]);
    let mut clock_history = ClockHistory::new(ticket_id(1));
    if !dice.one_in(5) {
        clock_history.take(&any_receipt(&mut dice));
    }
    for (position, roll) in (2..).zip(rolls) {
        let mut dice = Dice::of(*roll);
        let position = dice.choose(&[position, position, position, 1, u64::MAX]);
        clock_history.events.push(any_moment(position, &mut dice));
    }
    // A history may be read from any position, so its receipt may have any name.
    clock_history.events[0].fact = if dice.one_in(5) { FactName::Reopened } else { clock_history.events[0].fact };
    clock_history
}

fn any_receipt(dice: &mut Dice) -> TicketFact {
    let mut event = received(dice.choose(BusinessType::ALL));
    if let crate::ticket::Event::Received(e) = &mut event {
        (e.hung_up_at, e.appointment) = (Some(any_time(dice)), Some(any_time(dice)));
    }
    let mut fact = recorded(1, ticket_id(1), event, any_time(dice), any_time(dice));
    fact.actor.role = some_role(dice);
    fact
}

fn in_words(rolls: &[u64]) -> String {
    describe(&any_clock_history(rolls))
}

#[test]
fn whatever_a_log_holds_its_clocks_are_judged() {
    let law = |rolls: &[u64]| {
        let (clock_history, mut dice) = (any_clock_history(rolls), Dice::of(rolls[0]));
        let registry = any_registry(&mut dice);
        for now in [Timestamp::MIN_UTC, any_time(&mut dice), Timestamp::MAX_UTC] {
            let clocks = judge(&clock_history, &registry, now);
            for clock in &clocks {
                prop_assert!(clock.warnings().all(|(_, at)| clock.due.is_some_and(|due| at < due)));
                let _ = (clock.years_assumed(now), clock.judged(now, org(HZ)));
            }
            if !clocks.is_empty() {
                let segments = dice.choose(&clocks).segments(now);
                prop_assert!(segments.is_sorted_by(|a, b| a.from < a.to && a.to <= b.from));
            }
        }
        Ok(())
    };
    chance::always(12, law, in_words);
}

#[test]
fn whatever_is_told_to_a_watch_it_answers() {
    let law = |rolls: &[u64]| {
        let mut dice = Dice::of(rolls[0]);
        let mut watch = Watch::resume(any_registry(&mut dice), [any_clock_history(rolls)]);
        for (position, roll) in (1..).zip(rolls) {
            let mut dice = Dice::of(*roll);
            watch.apply(&any_fact(position, &mut dice));
            let _ = watch.forgotten(&any_fact(position, &mut dice));
            let now = any_time(&mut dice);
            let actions = watch.pending(now, dice.choose(&[0, 1, usize::MAX]));
            prop_assert!(actions.iter().all(|action| !action.intent.publish.events.is_empty()));
            if let Some(action) = actions.first().filter(|_| dice.one_in(4)) {
                watch.refused(action, "no");
                prop_assert!(watch.parked().count() > 0);
            }
            let _ = watch.wake();
        }
        Ok(())
    };
    chance::always(12, law, in_words);
}

fn any_fact(position: u64, dice: &mut Dice) -> Fact {
    let (at, recorded_at) = (any_time(dice), any_time(dice));
    let events = [arrived(CREW), dispatched(NATION, HZ), merged(ticket_id(9)), unmerged(ticket_id(9))];
    let event = dice.choose(&events);
    match dice.below(4) {
        0 => Fact::Promise(PromiseFact {
            revision: 0,
            ..recorded(position, ticket_id(1), any_word(dice), at, recorded_at)
        }),
        1 => {
            Fact::Ticket(TicketFact { revision: position, ..recorded(position, ticket_id(2), event, at, recorded_at) })
        }
        2 => Fact::Ticket(TicketFact { position, ..any_receipt(dice) }),
        _ => {
            Fact::Ticket(TicketFact { revision: position, ..recorded(position, ticket_id(1), event, at, recorded_at) })
        }
    }
}

/// Any promise event of any clock.
fn any_word(dice: &mut Dice) -> Event {
    let clock_history = any_clock_history(&[dice.bits(), dice.bits()]);
    let clocks = judge(&clock_history, &any_registry(dice), any_time(dice));
    let Some(clock) = clocks.first() else { return any_word(dice) };
    let judged = clock.judged(any_time(dice), org(HZ));
    match dice.below(3) {
        0 => Event::Breached(crate::sla::promise::Breached { judged }),
        1 => Event::Overturned(Overturned { judged, now: "kept".into(), due_now: None }),
        _ => {
            let level = dice.choose(&[0, 1, 4, 9, u8::MAX]);
            Event::Warned(Warned { judged, level, at: any_time(dice), tell: org(HZ) })
        }
    }
}

#[test]
fn whatever_a_ticket_brings_to_an_average_it_has_a_mean() {
    let law = |rolls: &[u64]| {
        let mut dice = Dice::of(rolls[0]);
        let average = Average {
            id: "a".into(),
            title: Title { zh: "a".into(), en: "a".into() },
            source: "chance".into(),
            hash: "a".into(),
            when: When::default(),
            from: any_trigger(&mut dice),
            to: any_trigger(&mut dice),
            limit_seconds: dice.choose(&[i64::MIN, 0, 60, i64::MAX]),
            window_days: dice.choose(&[0, 30, u32::MAX]),
            level: dice.choose(&Level::ALL),
        };
        let mut samples: Vec<Sample> = average.samples(&any_clock_history(rolls));
        samples.push(Sample { unit: org(HZ), ended: any_time(&mut dice), took: TimeDelta::MAX });
        for now in [Timestamp::MIN_UTC, any_time(&mut dice), Timestamp::MAX_UTC] {
            for mean in average.means(samples.iter(), now) {
                prop_assert!(mean.tickets > 0 && mean.seconds >= 0);
            }
        }
        Ok(())
    };
    chance::always(12, law, in_words);
}
