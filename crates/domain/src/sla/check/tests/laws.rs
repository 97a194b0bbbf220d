//! Properties of validation: two conditions overlap if and only if some ticket meets both, and a trigger is accepted if
//! any life of a ticket can contain its fact.

use std::cell::{Cell, RefCell};

use proptest::prop_assert;

use super::*;
use crate::{
    chance::{self, Dice},
    decider::Recorded,
    rules::Rules,
    sla::clock_history::{Attributes, ClockEvent},
    ticket::{Channel, Command, Move, Premises, Ticket, Tier, Urgency, decide, evolve, laws, tests::sample::ticket_id},
};

const CATEGORIES: [&str; 6] = ["a", "a/b", "a/b/c", "a/x", "b", "ab"];
const UNITS: [&str; 5] = ["sgcc", "sgcc/zj", "sgcc/zj/hz", "sgcc/js", "sgcc/zjx"];

/// Any subset of these, all equally likely.
fn some<T: Clone>(dice: &mut Dice, among: &[T]) -> Vec<T> {
    if dice.one_in(2) {
        return Vec::new();
    }
    (0..=dice.below(2)).map(|_| dice.choose(among)).collect()
}

fn known_or_not<T: Copy>(all: &[T]) -> Vec<Option<T>> {
    all.iter().map(|value| Some(*value)).chain([None]).collect()
}

fn some_condition(dice: &mut Dice) -> When {
    let categories = CATEGORIES.map(category);
    When {
        business: some(dice, &BusinessType::ALL[..3]),
        category: some(dice, &categories),
        category_not: some(dice, &categories),
        urgency: some(dice, Urgency::ALL),
        grade: some(dice, &Grade::ALL[..2]),
        area: some(dice, &known_or_not(Area::ALL)),
        tier: some(dice, &known_or_not(Tier::ALL)),
        channel: some(dice, &Channel::ALL[..2]),
        premises: some(dice, &known_or_not(Premises::ALL)),
        org: some(dice, &UNITS.map(org)),
        confidential: dice.perhaps(&[true, false]),
        anonymous: dice.perhaps(&[true, false]),
        appointment: dice.perhaps(&[true, false]),
    }
}

/// True when some ticket meets both conditions. For each attribute one value is tried that both permit; for categories
/// and units, all that this file uses.
fn admitted_by_both(one: &When, other: &When) -> bool {
    fn shared<T: Clone + PartialEq>(one: &[T], other: &[T], all: &[T]) -> Option<T> {
        all.iter().find(|value| [one, other].iter().all(|list| list.is_empty() || list.contains(value))).cloned()
    }
    fn either(one: Option<bool>, other: Option<bool>) -> bool {
        one.or(other).unwrap_or_default()
    }
    let units = UNITS.map(org);
    let categories = CATEGORIES.map(category);
    let appointment = either(one.appointment, other.appointment).then_some(DateTime::UNIX_EPOCH);
    let (Some(business), Some(urgency), Some(area), Some(tier), Some(channel), Some(premises)) = (
        shared(&one.business, &other.business, BusinessType::ALL),
        shared(&one.urgency, &other.urgency, Urgency::ALL),
        shared(&one.area, &other.area, &known_or_not(Area::ALL)),
        shared(&one.tier, &other.tier, &known_or_not(Tier::ALL)),
        shared(&one.channel, &other.channel, Channel::ALL),
        shared(&one.premises, &other.premises, &known_or_not(Premises::ALL)),
    ) else {
        return false;
    };
    let grade = shared(&one.grade, &other.grade, Grade::ALL);
    let confidential = either(one.confidential, other.confidential);
    let anonymous = either(one.anonymous, other.anonymous);
    let categories = categories.iter().map(Some).chain([None]);
    categories.into_iter().any(|category| {
        units.iter().any(|holder| {
            let ticket = Attributes {
                business,
                category,
                urgency,
                grade,
                area,
                tier,
                channel,
                premises,
                confidential,
                anonymous,
                appointment,
                holder,
            };
            one.admits(&ticket) && other.admits(&ticket)
        })
    })
}

fn pair(rolls: &[u64]) -> (When, When) {
    let mut dice = Dice::of(rolls.iter().fold(0, |sum, roll| sum ^ roll));
    (some_condition(&mut dice), some_condition(&mut dice))
}

#[test]
fn two_conditions_overlap_exactly_when_a_ticket_meets_both() {
    let (met, kept_apart) = (Cell::new(0_u32), Cell::new(0_u32));
    chance::always(
        1,
        |rolls| {
            let (one, other) = pair(rolls);
            let both = admitted_by_both(&one, &other);
            let count = if both { &met } else { &kept_apart };
            count.set(count.get() + 1);
            prop_assert!(
                overlap::Asked::of(&one).overlaps(&overlap::Asked::of(&other)) == both,
                "a ticket meets both: {}",
                both
            );
            prop_assert!(overlap::Asked::of(&other).overlaps(&overlap::Asked::of(&one)) == both, "the other way round");
            Ok(())
        },
        |rolls| format!("{:#?}", pair(rolls)),
    );
    assert!(met.get() > 0 && kept_apart.get() > 0, "both kinds came up");
}

fn some_ticket<'a>(dice: &mut Dice, categories: &'a [Category], units: &'a [OrgPath]) -> Attributes<'a> {
    Attributes {
        business: dice.choose(BusinessType::ALL),
        category: dice.perhaps(&categories.iter().collect::<Vec<_>>()),
        urgency: dice.choose(Urgency::ALL),
        grade: dice.perhaps(Grade::ALL),
        area: dice.perhaps(Area::ALL),
        tier: dice.perhaps(Tier::ALL),
        channel: dice.choose(Channel::ALL),
        premises: dice.perhaps(Premises::ALL),
        confidential: dice.one_in(2),
        anonymous: dice.one_in(2),
        appointment: dice.perhaps(&[DateTime::UNIX_EPOCH]),
        holder: &units[dice.below(units.len())],
    }
}

/// A policy with some rules of one clock, each with few attributes, so that many policies are valid.
fn some_policy(dice: &mut Dice) -> Policy {
    let areas = known_or_not(Area::ALL);
    let rules = (0..2 + dice.below(3)).map(|index| {
        let mut condition = When::default();
        match dice.below(3) {
            0 => condition.area = some(dice, &areas),
            1 => condition.category = some(dice, &CATEGORIES.map(category)),
            _ => condition.business = some(dice, BusinessType::ALL),
        }
        if dice.one_in(2) {
            condition.area = vec![areas[index % areas.len()]];
        }
        let stop = vec![on(FactName::Withdrawn)];
        let (cancel, revive) = (Vec::new(), Vec::new());
        Rule { when: condition, stop, cancel, revive, ..rule(&format!("r{index}")) }
    });
    Policy { rules: rules.collect(), ..policy() }
}

#[test]
fn of_a_policy_without_faults_no_two_rules_of_one_clock_admit_one_ticket() {
    let sound = Cell::new(0_u32);
    let drawn = |rolls: &[u64]| {
        let mut dice = Dice::of(rolls.iter().fold(0, |sum, roll| sum ^ roll));
        (some_policy(&mut dice), dice)
    };
    chance::always(
        1,
        |rolls| {
            let (policy, mut dice) = drawn(rolls);
            if !faults(&policy).is_empty() {
                return Ok(());
            }
            sound.set(sound.get() + 1);
            let (categories, units) = (CATEGORIES.map(category), UNITS.map(org));
            for _ in 0..20 {
                let ticket = some_ticket(&mut dice, &categories, &units);
                let meant = policy.rules.iter().filter(|rule| rule.when.admits(&ticket)).count();
                prop_assert!(meant <= 1, "{} rules mean {:?}", meant, ticket);
            }
            Ok(())
        },
        |rolls| format!("{:#?}", drawn(rolls).0),
    );
    assert!(sound.get() > 0, "some policies have no fault");
}

/// The longest life, in turns.
const TURNS_MAX: usize = 60;

#[test]
fn no_fact_is_refused_that_happens_in_some_life() {
    let seen = RefCell::new(BTreeSet::new());
    chance::always(
        TURNS_MAX,
        |rolls| {
            let rules = Rules::default();
            let (mut state, mut now) = (None, DateTime::UNIX_EPOCH);
            for (position, &roll) in (1..).zip(rolls) {
                let mut dice = Dice::of(roll);
                now = laws::later(now, &mut dice);
                let ask = laws::ask(&state, now, &mut dice, Move::ALL);
                // A late report may arrive while the ticket is elsewhere or has another type; no rule is meant for
                // that.
                let reported = matches!(ask.command, Command::ReportProgress(_));
                let stint = |ticket: &Ticket| ticket.former_stint(&ask.actor.org, ask.occurred_at).is_some();
                let late = reported && state.as_ref().is_some_and(stint);
                for event in decide(&state, &ask.command, &ask.cx(&rules)).unwrap_or_default() {
                    state = evolve(state, &event, ask.occurred_at);
                    let ticket = state.as_ref().expect("something happened to it");
                    let (id, actor, request_id) = (ticket_id(1), ask.actor.clone(), uuid::Uuid::nil());
                    let (occurred_at, recorded_at, revision) = (ask.occurred_at, now, position);
                    let fact = Recorded { position, id, revision, event, occurred_at, recorded_at, actor, request_id };
                    let Some(clock_event) = ClockEvent::of(&fact).filter(|_| !late) else { continue };
                    let (confidential, anonymous) = (Some(ticket.confidential), Some(ticket.anonymous));
                    let when = When { confidential, anonymous, ..When::default() };
                    let (fact, business) = (clock_event.fact, ticket.business);
                    prop_assert!(
                        trigger::can_happen(fact, clock_event.word, business, &when),
                        "{:?} {:?}",
                        business,
                        clock_event
                    );
                    let level = ticket.holder().expect("somebody holds it").level();
                    prop_assert!(trigger::can_be_at(fact, level, business), "{:?} {:?} {:?}", business, fact, level);
                    seen.borrow_mut().insert(fact);
                }
            }
            Ok(())
        },
        |rolls| format!("{rolls:?}"),
    );
    let missing: Vec<_> = FactName::ALL.iter().filter(|fact| !seen.borrow().contains(fact)).collect();
    assert!(missing.is_empty(), "these never came up: {missing:?}");
}
