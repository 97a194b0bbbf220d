//! Properties of all values, for any log: parts add up, order does not matter, no rate exceeds 100 %.

use proptest::prelude::*;
use switchboard_domain::{
    Timestamp,
    organisation::{Level, OrgPath},
    sla::{clock_history::ClockHistory, judge::Clock, policy::Policy},
};

use super::super::*;
use crate::{random, story};

/// The story's policy with every clock that a random ticket may have, and limits that it may meet.
fn policy() -> Policy {
    let mut policy = story::policy();
    for rule in &mut policy.rules {
        rule.when.business.clear();
        rule.limit = story::minutes(20 * 60);
    }
    policy
}

fn judged(facts: &[crate::Fact], now: Timestamp) -> Vec<(ClockHistory, Vec<Clock>)> {
    let clocks = |clock_history: ClockHistory| (clock_history.clone(), story::judged(&clock_history, policy(), now));
    story::clock_histories(facts).into_iter().map(clocks).collect()
}

fn add<'a>(mut tally: Tally, tickets: impl Iterator<Item = &'a (ClockHistory, Vec<Clock>)>) -> Tally {
    tickets.for_each(|(clock_history, clocks)| tally.add(clock_history, clocks));
    tally
}

fn level() -> impl Strategy<Value = Option<Level>> {
    proptest::option::of(proptest::sample::select(&Level::ALL[..]))
}

fn org() -> impl Strategy<Value = Option<OrgPath>> {
    let paths = proptest::sample::select(vec!["sgcc", "sgcc/zj", "sgcc/zj/hz", "csg"]);
    proptest::option::of(paths.prop_map(story::unit))
}

proptest! {
    #[test]
    fn parts_counted_apart_in_any_order_come_to_the_same(
        facts in random::history(120), now in random::instant(), by in level(), org in org(), cut in 0usize..6,
    ) {
        let tickets = judged(&facts, now);
        let tally = || Tally::new(Timestamp::MIN_UTC, Timestamp::MAX_UTC, org.clone(), by);
        let whole = add(tally(), tickets.iter());
        prop_assert_eq!(&add(tally(), tickets.iter().rev()), &whole);
        let (first, second) = tickets.split_at(cut.min(tickets.len()));
        let mut merged = add(tally(), second.iter());
        merged.merge(&add(tally(), first.iter()));
        prop_assert_eq!(merged.finish(), whole.finish());
        prop_assert_eq!(whole.tickets(), tickets.len() as u64);
    }

    #[test]
    fn periods_that_follow_each_other_add_up_to_the_whole(
        facts in random::history(120), now in random::instant(), cut in random::instant(),
    ) {
        let tickets = judged(&facts, now);
        let sums = |from, to| -> Vec<_> {
            let values = add(Tally::new(from, to, None, None), tickets.iter()).finish();
            values.into_iter().map(|value| (value.name, value.numerator, value.denominator)).collect()
        };
        let halves = sums(Timestamp::MIN_UTC, cut).into_iter().zip(sums(cut, Timestamp::MAX_UTC));
        let added: Vec<_> = halves.map(|(a, b)| (a.0, a.1 + b.1, a.2 + b.2)).collect();
        prop_assert_eq!(added, sums(Timestamp::MIN_UTC, Timestamp::MAX_UTC));
    }

    #[test]
    fn a_rate_lies_between_nothing_and_all_and_no_figure_is_without_meaning(
        facts in random::history(120), now in random::instant(), by in level(),
    ) {
        let tally = Tally::new(Timestamp::MIN_UTC, Timestamp::MAX_UTC, None, by);
        for value in add(tally, judged(&facts, now).iter()).finish() {
            if value.given_in == Unit::Percent {
                prop_assert!(value.numerator <= value.denominator, "{}", value.name);
                prop_assert!(value.value.is_none_or(|rate| (0.0..=100.0).contains(&rate)), "{}", value.name);
            }
            prop_assert_eq!(value.value.is_none(), value.given_in != Unit::Count && value.denominator == 0);
            prop_assert!(value.value.is_none_or(f64::is_finite), "{}", value.name);
            prop_assert_eq!(value.unit.as_ref().map(OrgPath::level), by);
        }
    }

    #[test]
    fn a_unit_counts_what_its_row_counts(facts in random::history(120), now in random::instant()) {
        let tickets = judged(&facts, now);
        let tally = |org, by| add(Tally::new(Timestamp::MIN_UTC, Timestamp::MAX_UTC, org, by), tickets.iter()).finish();
        for value in tally(None, Some(Level::Province)) {
            let alone = tally(value.unit.clone(), None).into_iter().find(|other| other.name == value.name).unwrap();
            prop_assert_eq!((alone.numerator, alone.denominator), (value.numerator, value.denominator), "{}", value.name);
        }
    }

    #[test]
    fn nothing_of_what_is_left_out_is_counted(facts in random::history(120), now in random::instant()) {
        for (clock_history, clocks) in judged(&facts, now) {
            let case = Case::new(&clock_history, &clocks);
            for kpi in definitions() {
                let left_out = |share: &Share<'_>| kpi.exclusions().iter().any(|e| case.is(*e, share.cycle));
                prop_assert!(!kpi.shares(&case).iter().any(left_out), "{}", kpi.name);
            }
        }
    }
}
