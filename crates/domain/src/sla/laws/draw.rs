//! Random policies, calendars and histories, derived from dice. Histories are of two kinds: valid lives of a ticket,
//! from its own property tests, and arbitrary facts close together in time, so that edge cases meet.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::{
    Timestamp,
    actor::Role,
    chance::Dice,
    organisation::Level,
    sla::{
        calendar::Year,
        clock_history::{Change, Classification, ClockEvent, ClockHistory, FactName, Opening, Reading, Word},
        policy::{Limit, Pause, Policy, Rule, Threshold, Trigger, Warning, When},
        registry::{PolicyRegistry, Version},
        tests::tale::{in_force, in_words, minutes, on, policy, published, rule, suspended_for, working_minutes, year},
    },
    ticket::{
        Area, BusinessType, Channel, Escalation, Grade, Urgency,
        tests::{
            sample::{LADDER, category, org, ticket_id},
            story::clock,
        },
    },
};

/// Facts that may start a clock.
const STARTS: [FactName; 9] = [
    FactName::Received,
    FactName::Received,
    FactName::Classified,
    FactName::Dispatched,
    FactName::Reassigned,
    FactName::CrewArrived,
    FactName::Replied,
    FactName::Reopened,
    FactName::MasterFollowed,
];
/// Facts that may end it.
const ENDS: [FactName; 8] = [
    FactName::Dispatched,
    FactName::Accepted,
    FactName::CrewArrived,
    FactName::CrewRestored,
    FactName::Contacted,
    FactName::Replied,
    FactName::Revisited,
    FactName::Closed,
];
/// Facts that may cancel it.
const CANCELS: [FactName; 5] =
    [FactName::Merged, FactName::Merged, FactName::Withdrawn, FactName::Returned, FactName::ClosedAtFirstContact];
/// Facts that may revive it.
const REVIVALS: [FactName; 4] = [FactName::Unmerged, FactName::Unmerged, FactName::ReplySentBack, FactName::Returned];
/// Facts that may reset it.
const RESETS: [FactName; 3] = [FactName::Escalated, FactName::Reassigned, FactName::Classified];

/// Facts that no random rule uses; a property may add them anywhere.
pub const UNSEEN: [FactName; 2] = [FactName::Supervised, FactName::EtrSet];

/// The start of histories: a Saturday morning, two days before a working week.
pub fn dawn() -> Timestamp {
    clock(21, "09:00")
}

fn trigger(among: &[FactName], dice: &mut Dice) -> Trigger {
    let fact = dice.choose(among);
    let time = match dice.below(8) {
        0 => Reading::Recorded,
        1 if fact == FactName::Received => Reading::HungUp,
        2 if fact == FactName::Received => Reading::Appointment,
        _ => Reading::Occurred,
    };
    let is = fact.words();
    let is = if is.is_empty() || !dice.one_in(3) { Vec::new() } else { vec![dice.choose(is)] };
    let level = if dice.one_in(8) { vec![dice.choose(&Level::ALL), dice.choose(&Level::ALL)] } else { Vec::new() };
    Trigger { fact, is, level, time }
}

fn triggers(among: &[FactName], most: usize, dice: &mut Dice) -> Vec<Trigger> {
    (0..dice.below(most + 1)).map(|_| trigger(among, dice)).collect()
}

fn when(dice: &mut Dice) -> When {
    let business = match dice.below(4) {
        0 => vec![BusinessType::FaultRepair],
        1 => vec![BusinessType::Complaint, BusinessType::Opinion],
        _ => Vec::new(),
    };
    let area = if dice.one_in(5) { vec![dice.perhaps(Area::ALL), dice.perhaps(Area::ALL)] } else { Vec::new() };
    let urgency = if dice.one_in(6) { vec![dice.choose(Urgency::ALL)] } else { Vec::new() };
    When { business, area, urgency, ..When::default() }
}

fn warning(dice: &mut Dice) -> Warning {
    let at = if dice.one_in(2) {
        Threshold::Percent(dice.choose(&[1, 50, 80, 99]))
    } else {
        Threshold::Before(dice.choose(&[1, 60, 600, 86_400]))
    };
    Warning { at, tell: dice.perhaps(&Level::ALL) }
}

/// A limit from a minute to some days, of any basis.
pub fn some_limit(dice: &mut Dice) -> Limit {
    let amount = dice.choose(&[1, 5, 30, 45, 90, 120, 240, 1_440, 2_000]);
    match dice.below(5) {
        0 => Limit::WorkingDays { days: 1 + dice.below(4) as u32 },
        1 => working_minutes(amount),
        _ => minutes(amount),
    }
}

/// A rule that validation would mostly accept.
pub fn some_rule(index: usize, dice: &mut Dice) -> Rule {
    let pauses = [
        suspended_for(Word::Customer),
        suspended_for(Word::Weather),
        Pause { from: on(FactName::Urged), until: vec![on(FactName::Contacted), on(FactName::Accepted)] },
    ];
    let mut start = triggers(&STARTS, 1, dice);
    start.push(trigger(&STARTS, dice));
    let mut stop = triggers(&ENDS, 1, dice);
    stop.push(trigger(&ENDS, dice));
    Rule {
        id: format!("r{index}"),
        clock: dice.choose(&["a", "b", "c"]).to_owned(),
        when: when(dice),
        start,
        stop,
        pauses: (0..dice.below(3)).map(|_| dice.choose(&pauses)).collect(),
        reset: if dice.one_in(4) { triggers(&RESETS, 1, dice) } else { Vec::new() },
        cancel: triggers(&CANCELS, 2, dice),
        revive: triggers(&REVIVALS, 2, dice),
        extend: if dice.one_in(2) { vec![on(FactName::Extended)] } else { Vec::new() },
        warnings: (0..dice.below(3)).map(|_| warning(dice)).collect(),
        ..rule("a", some_limit(dice), &[], &[])
    }
}

/// A policy of a few rules, in force for years, or from some hours before or after `now`.
pub fn some_policy(now: Timestamp, dice: &mut Dice) -> Policy {
    let rules: Vec<Rule> = (0..1 + dice.below(8)).map(|index| some_rule(index, dice)).collect();
    let whole = policy(rules);
    let effective_from = match dice.below(3) {
        0 => now + TimeDelta::hours(dice.choose(&[-48, -5, -1, 0, 1, 5])),
        _ => whole.effective_from,
    };
    Policy { effective_from, ..whole }
}

/// A year with some days off near the start of histories.
pub fn some_year(dice: &mut Dice) -> Year {
    let off = dice.choose(&["11-21", "11-23", "11-24", "12-01"]);
    let work = dice.choose(&["11-22", "11-28", "12-05"]);
    year(dice.choose(&[2026, 2026, 2026, 2027]), &[("holiday", off, off)], &[work])
}

/// A registry with one or several editions, all published before the history.
pub fn some_registry(dice: &mut Dice) -> PolicyRegistry {
    let mut registry = PolicyRegistry::default();
    registry.take_year(&in_force(1, some_year(dice)));
    registry.take_policy(&published(
        2,
        Policy { effective_from: dawn() - TimeDelta::days(9), ..some_policy(dawn(), dice) },
    ));
    registry
}

/// The position of a history's first fact, after the publications of [`some_registry`].
pub const FIRST: u64 = 3;

fn opening(at: Timestamp, dice: &mut Dice) -> Opening {
    let near = |dice: &mut Dice| at + TimeDelta::minutes(dice.choose(&[-3, 0, 2, 30, 200]));
    Opening {
        business: dice.choose(&[BusinessType::FaultRepair, BusinessType::Complaint, BusinessType::Opinion]),
        channel: Channel::Hotline,
        received_by: org(LADDER[0]),
        area: dice.perhaps(Area::ALL),
        tier: None,
        premises: None,
        confidential: dice.one_in(8),
        anonymous: dice.one_in(8),
        hung_up: dice.one_in(2).then(|| near(dice)),
        appointment: dice.one_in(3).then(|| near(dice)),
        imported: dice.one_in(6),
    }
}

fn change(fact: FactName, at: Timestamp, dice: &mut Dice) -> Change {
    let grade = dice.choose(Grade::ALL);
    match fact {
        FactName::Classified => Change::Classified(Box::new(Classification {
            business: dice.choose(&[BusinessType::FaultRepair, BusinessType::Complaint, BusinessType::Opinion]),
            category: category(),
            urgency: dice.choose(Urgency::ALL),
            grade: dice.perhaps(Grade::ALL),
        })),
        FactName::Dispatched | FactName::Reassigned | FactName::Returned => Change::Holder(org(dice.choose(&LADDER))),
        FactName::Escalated => {
            Change::Raised(dice.choose(&[Escalation::Complaint(grade), Escalation::Grade(grade), Escalation::Urgent]))
        }
        FactName::CrewArrived => dice.perhaps(Area::ALL).map_or(Change::None, Change::Area),
        FactName::Extended => Change::Until(at + TimeDelta::minutes(dice.choose(&[1, 60, 600, 6_000]))),
        _ => Change::None,
    }
}

/// One fact of any kind except the receipt.
pub fn clock_event(fact: FactName, at: Timestamp, recorded: Timestamp, position: u64, dice: &mut Dice) -> ClockEvent {
    let word = fact.words();
    let word = (!word.is_empty()).then(|| dice.choose(word));
    ClockEvent { at, recorded, position, revision: position, fact, word, change: change(fact, at, dice) }
}

/// Any fact except the receipt and those that no rule uses.
fn thrown(dice: &mut Dice) -> FactName {
    let facts: Vec<FactName> =
        FactName::ALL.iter().copied().filter(|fact| *fact != FactName::Received && !UNSEEN.contains(fact)).collect();
    match dice.below(3) {
        0 => dice.choose(&ENDS),
        1 => dice.choose(&[FactName::Suspended, FactName::Resumed, FactName::Dispatched, FactName::Urged]),
        _ => dice.choose(&facts),
    }
}

/// A ticket with any facts in any order, a few minutes apart, some of them late. Positions are ten apart.
pub fn some_clock_history(rolls: &[u64]) -> ClockHistory {
    let mut clock_history = ClockHistory::new(ticket_id(1));
    let (mut now, mut position) = (dawn(), FIRST);
    for (index, roll) in rolls.iter().enumerate() {
        let mut dice = Dice::of(*roll);
        now += TimeDelta::minutes(dice.choose(&[0, 0, 1, 5, 30, 60, 600]));
        let at = if dice.one_in(4) { now - TimeDelta::minutes(dice.choose(&[1, 5, 30, 100])) } else { now };
        clock_history.events.push(if index == 0 {
            let change = Change::Opened(Box::new(opening(at, &mut dice)));
            ClockEvent { at, recorded: now, position, revision: position, fact: FactName::Received, word: None, change }
        } else {
            clock_event(thrown(&mut dice), at, now, position, &mut dice)
        });
        position += 10;
    }
    clock_history
}

/// Some instants around a clock history's life.
pub fn instants(clock_history: &ClockHistory, dice: &mut Dice) -> Vec<Timestamp> {
    let any = dice.choose(&clock_history.events);
    let mut instants =
        vec![any.at, any.recorded, any.at + TimeDelta::minutes(dice.below(3_000) as i64), dawn() + TimeDelta::days(40)];
    instants.sort();
    instants
}

/// One of these instants.
pub fn some_instant(clock_history: &ClockHistory, dice: &mut Dice) -> Timestamp {
    let among = instants(clock_history, dice);
    dice.choose(&among)
}

/// A clock history in words, one line per fact: position, instant, recorded instant, fact.
pub fn describe(clock_history: &ClockHistory) -> String {
    let line = |m: &ClockEvent| {
        let word = m.word.map_or("", Word::as_str);
        format!(
            "{} {} ({}) {} {word} {:?}\n",
            m.position,
            in_words(m.at),
            in_words(m.recorded),
            m.fact.as_str(),
            m.change
        )
    };
    clock_history.events.iter().map(line).collect()
}

/// The published versions in words.
pub fn describe_registry(registry: &PolicyRegistry) -> String {
    let version = |version: &Arc<Version>| {
        let rules: String = version.policy.rules.iter().map(|rule| format!("  {rule:?}\n")).collect();
        format!(
            "version {} at {} from {}\n{rules}",
            version.number,
            version.position,
            in_words(version.policy.effective_from)
        )
    };
    registry.newest().map_or_else(String::new, |edition| edition.versions("sgcc").iter().map(version).collect())
}

/// Any role.
pub fn some_role(dice: &mut Dice) -> Role {
    dice.choose(&[Role::Desk, Role::Desk, Role::Desk, Role::Crew, Role::Importer])
}
