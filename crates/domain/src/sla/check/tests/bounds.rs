//! The limits of lists and of the year. A rule over a limit is not compared with others.

use super::*;
use crate::ticket::{Channel, Premises, Tier, Urgency};

#[test]
fn a_policy_comes_into_force_in_a_year_that_every_reader_can_read() {
    let years = |from: &str| {
        let found = Timestamp::from_naive_utc_and_offset(from.parse().unwrap(), chrono::Utc);
        move |policy: &mut Policy| policy.effective_from = found
    };
    for inside in ["1990-01-01T00:00:00", "2200-12-31T23:59:59"] {
        assert_faults(years(inside), &[]);
    }
    for (outside, year) in [
        ("0001-01-01T00:00:00", 1),
        ("1989-12-31T23:59:59", 1989),
        ("2201-01-01T00:00:00", 2201),
        ("+10000-01-01T00:00:00", 10_000),
    ] {
        assert_faults(years(outside), &[("effective_from", None, Flaw::YearOutside { year })]);
    }
}

/// A change of a condition: the list of one key gets this many entries.
type Lengthen = fn(&mut When, usize);

const LISTS: [(&str, Lengthen); 10] = [
    ("when.business", |when, count| when.business = vec![BusinessType::FaultRepair; count]),
    ("when.category", |when, count| when.category = (0..count).map(|i| category(&format!("c{i}"))).collect()),
    ("when.category_not", |when, count| when.category_not = (0..count).map(|i| category(&format!("n{i}"))).collect()),
    ("when.urgency", |when, count| when.urgency = vec![Urgency::Urgent; count]),
    // Only complaints have a grade, so the condition must include them.
    ("when.grade", |when, count| {
        when.business.push(BusinessType::Complaint);
        when.grade = vec![Grade::Major; count];
    }),
    ("when.area", |when, count| when.area = vec![Some(Area::Urban); count]),
    ("when.tier", |when, count| when.tier = vec![Some(Tier::A); count]),
    ("when.channel", |when, count| when.channel = vec![Channel::App; count]),
    ("when.premises", |when, count| when.premises = vec![Some(Premises::Single); count]),
    ("when.org", |when, count| when.org = vec![org("sgcc/zj"); count]),
];

#[test]
fn every_list_of_a_condition_has_its_limit() {
    for (key, lengthen) in LISTS {
        let too_many = [(key, None, Flaw::TooMany { max: WHEN_VALUES_MAX })];
        assert_rule(|rule| lengthen(&mut rule.when, WHEN_VALUES_MAX), &[]);
        assert_rule(|rule| lengthen(&mut rule.when, WHEN_VALUES_MAX + 1), &too_many);
        assert_faults(|policy| lengthen(&mut policy.averages[0].when, WHEN_VALUES_MAX + 1), &too_many);
    }
}

/// A change of a rule: the trigger list of one key gets this many entries.
type Repeat = fn(&mut Rule, usize);

const TRIGGERS: [(&str, Repeat); 6] = [
    ("start", |rule, count| rule.start = vec![on(FactName::Received); count]),
    ("stop", |rule, count| rule.stop = vec![on(FactName::CrewArrived); count]),
    ("reset", |rule, count| rule.reset = vec![on(FactName::Reassigned); count]),
    ("cancel", |rule, count| rule.cancel = vec![on(FactName::Withdrawn); count]),
    ("revive", |rule, count| rule.revive = vec![on(FactName::Unmerged); count]),
    ("extend", |rule, count| rule.extend = vec![on(FactName::Extended); count]),
];

#[test]
fn every_list_of_triggers_has_its_limit() {
    let too_many = || Flaw::TooMany { max: TRIGGERS_MAX };
    for (key, repeat) in TRIGGERS {
        assert_rule(|rule| repeat(rule, TRIGGERS_MAX), &[]);
        assert_rule(|rule| repeat(rule, TRIGGERS_MAX + 1), &[(key, None, too_many())]);
    }
    let until = |count| Pause { from: on(FactName::Suspended), until: vec![on(FactName::Resumed); count] };
    assert_rule(|rule| rule.pauses = vec![until(TRIGGERS_MAX)], &[]);
    let change = |rule: &mut Rule| rule.pauses = vec![until(1), until(TRIGGERS_MAX + 1)];
    assert_rule(change, &[("pause.until", Some(1), too_many())]);
}

#[test]
fn a_trigger_names_so_many_words_and_levels() {
    let words = |count| Trigger { is: vec![Word::Last; count], ..on(FactName::ReplyPassed) };
    let levels = |count| Trigger { level: vec![Level::County; count], ..on(FactName::ReplyPassed) };
    let too_many = || Flaw::TooManyWords { max: WORDS_MAX };
    for trigger in [words, levels] {
        let (most, more) = (trigger(WORDS_MAX), trigger(WORDS_MAX + 1));
        assert_rule(|rule| rule.stop.push(most), &[]);
        assert_rule(|rule| rule.stop.push(more.clone()), &[("stop", Some(1), too_many())]);
        assert_faults(|policy| policy.averages[0].from = more.clone(), &[("from", None, too_many())]);
        assert_faults(|policy| policy.averages[0].to = more.clone(), &[("to", None, too_many())]);
        let pause = Pause { from: more.clone(), until: vec![more] };
        let told = [("pause.from", Some(0), too_many()), ("pause.until", Some(0), too_many())];
        assert_rule(|rule| rule.pauses.push(pause), &told);
    }
}

#[test]
fn a_rule_with_a_list_that_is_too_long_is_told_that_alone() {
    // Without the long list, each of these would be a fault: an overlap, and an excluded category.
    let change = |policy: &mut Policy| {
        let mut second = rule("F05r");
        second.when.category = vec![category("a/b"); WHEN_VALUES_MAX + 1];
        second.when.category_not = vec![category("a")];
        policy.rules.push(second);
    };
    assert_faults(change, &[("when.category", None, Flaw::TooMany { max: WHEN_VALUES_MAX })]);
}

#[test]
fn rules_are_apart_by_many_categories_and_meet_in_one() {
    let asking = |id: &str, prefix: &str| {
        let mut rule = rule(id);
        rule.when.category = (0..WHEN_VALUES_MAX).map(|i| category(&format!("{prefix}/{i}"))).collect();
        rule
    };
    let both = |change: fn(&mut Rule)| {
        move |policy: &mut Policy| {
            policy.rules = vec![asking("one", "a"), asking("two", "b")];
            change(&mut policy.rules[1]);
        }
    };
    assert_faults(both(|_| {}), &[]);
    let overlaps = [("when", None, Flaw::Overlaps { rule: 0, id: "one".into(), clock: "arrival".into() })];
    assert_faults(both(|rule| rule.when.category[40] = category("a/17/x")), &overlaps);
    assert_faults(both(|rule| rule.when.category[40] = category("a")), &overlaps);
    let shut_out = |rule: &mut Rule| {
        rule.when.category = vec![category("a")];
        rule.when.category_not = (0..WHEN_VALUES_MAX).map(|i| category(&format!("a/{i}"))).collect();
    };
    assert_faults(both(shut_out), &[]);
}
