//! One example for each fault, and the property that the judge relies on: at most one rule of a clock applies to a
//! ticket.

mod bounds;
mod laws;

use chrono::DateTime;

use super::*;
use crate::{
    sla::policy::{Limit, Pause, Threshold, WARNINGS_MAX, Warning},
    ticket::{Area, BusinessType, Grade},
};

fn org(path: &str) -> OrgPath {
    OrgPath::parse(path).unwrap()
}

fn category(path: &str) -> Category {
    Category::parse(path).unwrap()
}

fn on(fact: FactName) -> Trigger {
    Trigger { fact, is: Vec::new(), level: Vec::new(), time: Reading::Occurred }
}

fn when(business: &[BusinessType]) -> When {
    When { business: business.to_vec(), ..When::default() }
}

fn title() -> Title {
    Title { zh: "到达现场".into(), en: "On site".into() }
}

fn rule(id: &str) -> Rule {
    Rule {
        id: id.into(),
        clock: "arrival".into(),
        title: title(),
        source: "promise 1".into(),
        hash: String::new(),
        when: when(&[BusinessType::FaultRepair]),
        limit: Limit::Elapsed { seconds: 2_700 },
        start: vec![on(FactName::Received)],
        stop: vec![on(FactName::CrewArrived)],
        pauses: Vec::new(),
        reset: Vec::new(),
        cancel: vec![on(FactName::Withdrawn), on(FactName::Merged)],
        revive: vec![on(FactName::Unmerged)],
        extend: Vec::new(),
        warnings: vec![Warning { at: Threshold::Percent(50), tell: Some(Level::County) }],
    }
}

fn average(id: &str) -> Average {
    Average {
        id: id.into(),
        title: title(),
        source: "promise 1".into(),
        hash: String::new(),
        when: when(&[BusinessType::FaultRepair]),
        from: on(FactName::Received),
        to: on(FactName::CrewArrived),
        limit_seconds: 2_700,
        window_days: 30,
        level: Level::City,
    }
}

fn policy() -> Policy {
    Policy {
        operator: "sgcc".into(),
        effective_from: "2022-03-01T00:00:00Z".parse().unwrap(),
        calendar: "cn".into(),
        source: "ten promises".into(),
        rules: vec![rule("F05u")],
        averages: vec![average("F05u-avg")],
    }
}

#[test]
fn a_sound_policy_has_no_fault() {
    assert_eq!(faults(&policy()), []);
}

/// Asserts the faults (key, entry, flaw) of the valid policy after `change`, in the order in which they are found.
#[track_caller]
fn assert_faults(change: impl FnOnce(&mut Policy), wanted: &[(&str, Option<usize>, Flaw)]) {
    let mut policy = policy();
    change(&mut policy);
    let found: Vec<_> = faults(&policy).into_iter().map(|fault| (fault.key, fault.entry, fault.flaw)).collect();
    assert_eq!(found, wanted);
}

/// Asserts the faults after `change` of the policy's only rule.
#[track_caller]
fn assert_rule(change: impl FnOnce(&mut Rule), wanted: &[(&str, Option<usize>, Flaw)]) {
    assert_faults(|policy| change(&mut policy.rules[0]), wanted);
}

fn not_a_name(bytes_max: usize, of: &'static str) -> Flaw {
    Flaw::NotAName { bytes_max, of }
}

#[test]
fn a_fault_says_which_rule_or_average_is_meant() {
    let mut policy = policy();
    policy.rules.push(Rule { clock: "restoration".into(), start: Vec::new(), ..rule("F07u") });
    policy.averages[0].window_days = 0;
    policy.source = " ".into();
    let at = |rule, average, key, flaw| Fault { rule, average, key, entry: None, flaw };
    let wanted = [
        at(None, None, "source", Flaw::Empty),
        at(Some(1), None, "start", Flaw::Empty),
        at(None, Some(0), "window", Flaw::NotPositive),
    ];
    assert_eq!(faults(&policy), wanted);
}

#[test]
fn names_are_plain_because_streams_are_named_after_them() {
    for bad in ["", "SGCC", "sg-cc", "sgcc/zj", "sg cc", "\u{56fd}\u{7f51}", &"a".repeat(33)] {
        let plain = not_a_name(32, "a-z, 0-9 and _");
        assert_faults(|policy| policy.operator = bad.into(), &[("operator", None, plain.clone())]);
        assert_faults(|policy| policy.calendar = bad.into(), &[("calendar", None, plain.clone())]);
        assert_rule(|rule| rule.clock = bad.into(), &[("clock", None, plain)]);
    }
    for bad in ["", "F05 u", "F05/u", &"a".repeat(33)] {
        let ids = not_a_name(32, "letters, digits, _, - and .");
        assert_rule(|rule| rule.id = bad.into(), &[("id", None, ids.clone())]);
        assert_faults(|policy| policy.averages[0].id = bad.into(), &[("id", None, ids)]);
    }
    assert_faults(|policy| policy.operator = "a".repeat(32), &[]);
}

#[test]
fn an_id_is_used_once_over_rules_and_averages() {
    let taken = || Flaw::IdTaken { id: "F05u".into() };
    assert_faults(|policy| policy.averages[0].id = "F05u".into(), &[("id", None, taken())]);
    let twice = |policy: &mut Policy| policy.rules.push(Rule { clock: "other".into(), ..rule("F05u") });
    assert_faults(twice, &[("id", None, taken())]);
}

#[test]
fn texts_are_there_and_not_too_long() {
    let long = |bytes: usize| ("\u{5230}".repeat(bytes / 3 + 1), Flaw::TooLong { bytes_max: bytes });
    let (text, flaw) = long(SOURCE_BYTES_MAX);
    assert_faults(|policy| policy.source = text.clone(), &[("source", None, flaw.clone())]);
    assert_rule(|rule| rule.source = text, &[("source", None, flaw)]);
    let (text, flaw) = long(TITLE_BYTES_MAX);
    assert_rule(|rule| rule.title.zh = text.clone(), &[("title.zh", None, flaw.clone())]);
    assert_faults(|policy| policy.averages[0].title.en = text, &[("title.en", None, flaw)]);
    assert_rule(|rule| rule.title.en = " \n".into(), &[("title.en", None, Flaw::Empty)]);
    assert_rule(|rule| rule.source = String::new(), &[("source", None, Flaw::Empty)]);
}

#[test]
fn a_policy_has_rules_and_a_rule_starts_and_stops() {
    let none = |policy: &mut Policy| policy.rules.clear();
    assert_faults(none, &[("clock", None, Flaw::Empty)]);
    assert_rule(|rule| rule.start.clear(), &[("start", None, Flaw::Empty)]);
    assert_rule(|rule| rule.stop.clear(), &[("stop", None, Flaw::Empty)]);
    let endless = Pause { from: on(FactName::Suspended), until: Vec::new() };
    assert_rule(|rule| rule.pauses.push(endless), &[("pause.until", Some(0), Flaw::Empty)]);
}

#[test]
fn every_list_has_its_limit() {
    let many = |policy: &mut Policy, count: usize| {
        policy.rules = (0..count).map(|i| Rule { clock: format!("clock{i}"), ..rule(&format!("r{i}")) }).collect();
    };
    assert_faults(|policy| many(policy, RULES_MAX), &[]);
    assert_faults(|policy| many(policy, RULES_MAX + 1), &[("clock", None, Flaw::TooMany { max: RULES_MAX })]);
    let averages = |policy: &mut Policy| {
        policy.averages = (0..=AVERAGES_MAX).map(|i| average(&format!("a{i}"))).collect();
    };
    assert_faults(averages, &[("average", None, Flaw::TooMany { max: AVERAGES_MAX })]);
    let pause = Pause { from: on(FactName::Suspended), until: vec![on(FactName::Resumed)] };
    let pauses = |rule: &mut Rule| rule.pauses = vec![pause; PAUSES_MAX + 1];
    assert_rule(pauses, &[("pause", None, Flaw::TooMany { max: PAUSES_MAX })]);
    let steps = |rule: &mut Rule| {
        rule.warnings =
            [10, 20, 30, 40, 50].map(|share| Warning { at: Threshold::Percent(share), tell: None }).to_vec();
    };
    assert_rule(steps, &[("warn", None, Flaw::TooMany { max: WARNINGS_MAX })]);
}

#[test]
fn a_limit_is_some_time_and_not_for_ever() {
    let days = |days: i64| days * 24 * 60 * 60;
    let natural = Flaw::LongerThan { days_max: 366 };
    for (limit, flaw) in [
        (Limit::Elapsed { seconds: 0 }, Some(Flaw::NotPositive)),
        (Limit::Elapsed { seconds: -2_700 }, Some(Flaw::NotPositive)),
        (Limit::Elapsed { seconds: days(366) }, None),
        (Limit::Elapsed { seconds: days(366) + 1 }, Some(natural.clone())),
        (Limit::WorkingTime { seconds: 0 }, Some(Flaw::NotPositive)),
        (Limit::WorkingTime { seconds: i64::MAX }, Some(natural.clone())),
        (Limit::WorkingDays { days: 0 }, Some(Flaw::NotPositive)),
        (Limit::WorkingDays { days: 250 }, None),
        (Limit::WorkingDays { days: 251 }, Some(Flaw::LongerThan { days_max: 250 })),
    ] {
        let wanted: Vec<_> = flaw.into_iter().map(|flaw| ("limit", None, flaw)).collect();
        assert_rule(|rule| rule.limit = limit, &wanted);
    }
    assert_faults(|policy| policy.averages[0].limit_seconds = 0, &[("limit", None, Flaw::NotPositive)]);
    assert_faults(|policy| policy.averages[0].limit_seconds = days(367), &[("limit", None, natural)]);
    let window = Flaw::LongerThan { days_max: 400 };
    assert_faults(|policy| policy.averages[0].window_days = 401, &[("window", None, window)]);
}

#[test]
fn warnings_come_one_after_the_other_between_start_and_due() {
    use Threshold::{Before, Percent};
    let elapsed = Limit::Elapsed { seconds: 2_700 };
    let days = Limit::WorkingDays { days: 4 };
    for (limit, ladder, wanted) in [
        (elapsed, vec![Percent(1), Percent(99)], vec![]),
        (elapsed, vec![Percent(50), Before(1_349), Percent(75)], vec![]),
        (elapsed, vec![Percent(50), Before(1_350)], vec![(1, Flaw::OutOfOrder)]),
        (elapsed, vec![Percent(75), Percent(50), Percent(80)], vec![(1, Flaw::OutOfOrder)]),
        (elapsed, vec![Percent(50), Percent(50)], vec![(1, Flaw::OutOfOrder)]),
        (elapsed, vec![Before(60), Before(120)], vec![(1, Flaw::OutOfOrder)]),
        (elapsed, vec![Percent(0), Percent(100)], vec![(0, Flaw::NotAShare), (1, Flaw::NotAShare)]),
        (elapsed, vec![Before(2_700)], vec![(0, Flaw::BeforeStart)]),
        (elapsed, vec![Before(0)], vec![(0, Flaw::NotPositive)]),
        (days, vec![Percent(50), Before(7_200), Percent(90)], vec![]),
        (days, vec![Percent(50), Before(7_200), Percent(40)], vec![(2, Flaw::OutOfOrder)]),
        (days, vec![Before(3_600), Percent(50), Before(7_200)], vec![(2, Flaw::OutOfOrder)]),
        (days, vec![Before(367 * 86_400)], vec![(0, Flaw::LongerThan { days_max: 366 })]),
    ] {
        let wanted: Vec<_> = wanted.into_iter().map(|(entry, flaw)| ("warn", Some(entry), flaw)).collect();
        let change = |rule: &mut Rule| {
            rule.limit = limit;
            rule.warnings = ladder.into_iter().map(|at| Warning { at, tell: None }).collect();
        };
        assert_rule(change, &wanted);
    }
}

#[test]
fn a_condition_that_no_ticket_meets_is_told() {
    let complaints = || Rule {
        when: when(&[BusinessType::Complaint]),
        stop: vec![on(FactName::Replied)],
        cancel: Vec::new(),
        revive: Vec::new(),
        ..rule("N04")
    };
    let graded = |business: &[BusinessType]| {
        let condition = When { grade: vec![Grade::Major], ..when(business) };
        move |rule: &mut Rule| *rule = Rule { when: condition, ..complaints() }
    };
    assert_rule(graded(&[BusinessType::Opinion, BusinessType::Report]), &[("when.grade", None, Flaw::NeverGraded)]);
    assert_rule(graded(&[BusinessType::Opinion, BusinessType::Complaint]), &[]);
    assert_rule(graded(&[]), &[]);
    let reports = |anonymous| {
        let condition = When { confidential: Some(false), anonymous, ..when(&[BusinessType::Report]) };
        move |rule: &mut Rule| *rule = Rule { when: condition, ..complaints() }
    };
    assert_rule(reports(Some(false)), &[("when.confidential", None, Flaw::AlwaysConfidential)]);
    assert_rule(reports(None), &[]);
    let categories = |rule: &mut Rule| {
        rule.when.category = ["a/b/c", "a/bb", "a"].map(category).to_vec();
        rule.when.category_not = vec![category("a/b")];
    };
    let shut_out = Flaw::ShutOut { category: category("a/b/c"), by: category("a/b") };
    assert_rule(categories, &[("when.category", Some(0), shut_out)]);
    let units = |rule: &mut Rule| rule.when.org = ["sgcc/zj", "csg/gd", "sgccx"].map(org).to_vec();
    let other = |unit: &str| Flaw::NotOfOperator { unit: org(unit) };
    assert_rule(units, &[("when.org", Some(1), other("csg/gd")), ("when.org", Some(2), other("sgccx"))]);
}

#[test]
fn a_fact_that_never_happens_to_the_tickets_meant_is_told() {
    use BusinessType as B;
    let never = |fact| Flaw::NeverHappens { fact, word: None };
    for (business, fact, happens) in [
        (&[B::Complaint][..], FactName::CrewArrived, false),
        (&[B::Complaint, B::ServiceApplication], FactName::CrewArrived, true),
        (&[], FactName::EtrSet, true),
        (&[B::Opinion], FactName::EtrSet, false),
        (&[B::Complaint], FactName::ClosedAtFirstContact, false),
        (&[B::Consultation], FactName::ClosedAtFirstContact, true),
        (&[B::Complaint], FactName::Merged, false),
        (&[B::ServiceApplication], FactName::MasterFollowed, false),
        (&[B::Praise, B::Urge], FactName::Revisited, false),
        (&[B::Praise, B::Urge], FactName::Reopened, false),
        (&[B::Opinion], FactName::RevisitAttempted, true),
        (&[B::InformationQuery], FactName::Dispatched, false),
        (&[B::InformationQuery], FactName::Suspended, false),
        (&[B::InformationQuery], FactName::Supervised, true),
    ] {
        let change = |rule: &mut Rule| {
            (rule.when, rule.stop) = (when(business), vec![on(FactName::Withdrawn), on(fact)]);
            (rule.cancel, rule.revive) = (Vec::new(), Vec::new());
        };
        let wanted: Vec<_> = [("stop", Some(1), never(fact))].into_iter().filter(|_| !happens).collect();
        assert_rule(change, &wanted);
    }
    assert_faults(
        |policy| policy.averages[0] = Average { when: when(&[B::Complaint]), ..average("N04-avg") },
        &[("to", None, never(FactName::CrewArrived))],
    );
    let pause = Pause { from: on(FactName::Revisited), until: vec![on(FactName::Resumed), on(FactName::CrewAccepted)] };
    let change = |rule: &mut Rule| {
        (rule.when, rule.stop) = (when(&[B::Praise]), vec![on(FactName::Replied)]);
        (rule.cancel, rule.revive, rule.pauses) = (Vec::new(), Vec::new(), vec![pause]);
    };
    let wanted =
        [("pause.from", Some(0), never(FactName::Revisited)), ("pause.until", Some(0), never(FactName::CrewAccepted))];
    assert_rule(change, &wanted);
}

#[test]
fn nobody_calls_a_customer_whose_name_is_hidden() {
    let contacted = |condition: When| {
        move |rule: &mut Rule| {
            (rule.when, rule.stop) = (condition, vec![on(FactName::Contacted), on(FactName::Revisited)]);
            (rule.cancel, rule.revive) = (Vec::new(), Vec::new());
        }
    };
    let never = |entry, fact| ("stop", Some(entry), Flaw::NeverHappens { fact, word: None });
    let both = [never(0, FactName::Contacted), never(1, FactName::Revisited)];
    assert_rule(contacted(When { confidential: Some(true), ..When::default() }), &both);
    assert_rule(contacted(When { anonymous: Some(false), ..when(&[BusinessType::Report]) }), &both);
    assert_rule(contacted(When { anonymous: Some(true), ..When::default() }), &both[1..]);
    assert_rule(contacted(When { area: vec![Some(Area::Urban), None], ..When::default() }), &[]);
}

#[test]
fn a_word_a_level_and_an_instant_belong_to_their_fact() {
    use BusinessType as B;
    let trigger = |business: &[B], trigger: Trigger| {
        let condition = when(business);
        move |rule: &mut Rule| {
            (rule.when, rule.stop) = (condition, vec![trigger]);
            (rule.cancel, rule.revive) = (Vec::new(), Vec::new());
        }
    };
    let stop = |flaw| [("stop", Some(0), flaw)];
    let worded = |fact, word| Trigger { is: vec![word], ..on(fact) };
    let reached = Flaw::NotItsWord { fact: FactName::Replied, word: Word::Reached };
    assert_rule(trigger(&[], worded(FactName::Replied, Word::Reached)), &stop(reached));
    assert_rule(trigger(&[], worded(FactName::Contacted, Word::Reached)), &[]);
    for (business, word, happens) in [
        (&[B::Opinion][..], Word::Complaint, true),
        (&[B::Complaint], Word::Complaint, true),
        (&[B::FaultRepair], Word::Complaint, false),
        (&[B::Opinion], Word::Grade, false),
        (&[B::Complaint], Word::Grade, true),
        (&[B::InformationQuery], Word::Urgent, true),
    ] {
        let flaw = Flaw::NeverHappens { fact: FactName::Escalated, word: Some(word) };
        let wanted: Vec<_> = stop(flaw).into_iter().filter(|_| !happens).collect();
        assert_rule(trigger(business, worded(FactName::Escalated, word)), &wanted);
    }
    let leveled = |fact, level| Trigger { level: vec![level], ..on(fact) };
    let never_at = |fact, level| stop(Flaw::NeverAtLevel { fact, level });
    let (accepted, arrived) = (FactName::Accepted, FactName::CrewArrived);
    assert_rule(trigger(&[], leveled(arrived, Level::City)), &never_at(arrived, Level::City));
    assert_rule(trigger(&[], leveled(arrived, Level::Crew)), &[]);
    assert_rule(trigger(&[B::FaultRepair], leveled(accepted, Level::Crew)), &never_at(accepted, Level::Crew));
    assert_rule(trigger(&[B::Complaint], leveled(accepted, Level::Crew)), &[]);
    let timed = |fact, time| Trigger { time, ..on(fact) };
    for time in [Reading::HungUp, Reading::Appointment] {
        let fact = FactName::Dispatched;
        assert_rule(trigger(&[], timed(fact, time)), &stop(Flaw::NotItsTime { fact, time }));
        assert_rule(|rule| rule.start = vec![timed(FactName::Received, time)], &[]);
    }
    assert_rule(trigger(&[], timed(FactName::Dispatched, Reading::Recorded)), &[]);
    let grants = Flaw::GrantsNoTime { fact: FactName::Suspended };
    let extend = |rule: &mut Rule| rule.extend = vec![on(FactName::Extended), on(FactName::Suspended)];
    assert_rule(extend, &[("extend", Some(1), grants)]);
}

#[test]
fn a_clock_that_ends_as_it_starts_is_told() {
    let dispatched = |level: &[Level]| Trigger { level: level.to_vec(), ..on(FactName::Dispatched) };
    let (city, county, crew) = (Level::City, Level::County, Level::Crew);
    for (start, end, runs) in [
        (dispatched(&[]), dispatched(&[]), false),
        (dispatched(&[city]), dispatched(&[]), false),
        (dispatched(&[city]), dispatched(&[county, city]), false),
        (dispatched(&[city, county]), dispatched(&[crew]), true),
        (dispatched(&[]), dispatched(&[crew]), true),
        (on(FactName::CrewArrived), Trigger { time: Reading::Recorded, ..on(FactName::CrewArrived) }, true),
    ] {
        let flaw = || Flaw::EndsAsItStarts { fact: start.fact };
        let told = |key| [(key, Some(1), flaw())].into_iter().filter(|_| !runs).collect::<Vec<_>>();
        let replied = || vec![on(FactName::Replied)];
        let ended = || vec![on(FactName::Replied), end.clone()];
        assert_rule(|rule| (rule.start, rule.stop) = (vec![start.clone()], ended()), &told("stop"));
        let cancelled = |rule: &mut Rule| {
            (rule.start, rule.stop, rule.cancel) = (vec![start.clone()], replied(), ended());
        };
        assert_rule(cancelled, &told("cancel"));
    }
}

#[test]
fn two_rules_of_one_clock_are_told_once_when_both_can_be_meant() {
    let second = |change: fn(&mut Rule)| {
        move |policy: &mut Policy| {
            policy.rules[0].when.area = vec![Some(Area::Urban), None];
            let mut rule = rule("F05r");
            rule.when.area = vec![Some(Area::Rural)];
            change(&mut rule);
            policy.rules.push(rule);
        }
    };
    assert_faults(second(|_| {}), &[]);
    let overlaps = [("when", None, Flaw::Overlaps { rule: 0, id: "F05u".into(), clock: "arrival".into() })];
    assert_faults(second(|rule| rule.when.area.push(None)), &overlaps);
    assert_faults(second(|rule| rule.when.area.clear()), &overlaps);
    assert_faults(second(|rule| (rule.when.area, rule.clock) = (Vec::new(), "other".into())), &[]);
}
