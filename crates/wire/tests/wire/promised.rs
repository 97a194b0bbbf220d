//! One event of each kind about promises, with every optional field: warnings and breaches, policies, calendars. Struct
//! literals throughout, so that a new field does not compile until it is here and in a golden file.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate};
use switchboard_domain::{
    Timestamp,
    organisation::{Level, OrgPath},
    sla::{
        calendar::{Exception, Span, Year},
        clock_history::{FactName, Reading, Word},
        policy::{Average, Limit, Pause, Policy, Rule, Threshold, Title, Trigger, Warning, When},
        promise::{Breached, ClockKey, Event, Judged, Overturned, StartedBy, VersionRef, Warned},
        publication::{PolicyEvent, PolicyPublished, ShadowEnded, YearPublished},
    },
    ticket::{Area, BusinessType, Category, Channel, Grade, Premises, Tier, Urgency},
};
use switchboard_wire::stored::Stored;

fn at(text: &str) -> Timestamp {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn org(path: &str) -> OrgPath {
    OrgPath::parse(path).unwrap()
}

fn version(name: &str, version: u64) -> VersionRef {
    VersionRef { name: name.into(), version }
}

fn judged() -> Judged {
    Judged {
        key: ClockKey { clock: "arrival".into(), cycle: 1, run_number: 2 },
        rule: "F05u".into(),
        rule_hash: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
        policy: version("sgcc", 3),
        calendar: version("cn", 7),
        started: at("2026-11-21T08:00:00+08:00"),
        started_by: StartedBy::Revision { started_by: 4 },
        due: at("2026-11-21T08:45:00+08:00"),
        owner: org("sgcc/zj/hz/yuhang/liangzhu/crew3"),
    }
}

fn promises() -> [Event; 3] {
    let (at, tell) = (at("2026-11-21T08:22:30+08:00"), org("sgcc/zj/hz/yuhang"));
    [
        Event::Warned(Warned { judged: judged(), level: 1, at, tell }),
        Event::Breached(Breached { judged: judged() }),
        Event::Overturned(Overturned { judged: judged(), now: "running".into(), due_now: Some(at) }),
    ]
}

fn category(path: &str) -> Category {
    Category::parse(path).unwrap()
}

fn title() -> Title {
    Title { zh: "城区到达现场".into(), en: "On site, urban".into() }
}

/// A condition on every attribute.
fn when() -> When {
    When {
        business: vec![BusinessType::FaultRepair, BusinessType::Report],
        category: vec![category("故障报修/低压故障")],
        category_not: vec![category("故障报修/低压故障/其他")],
        urgency: vec![Urgency::Urgent],
        grade: vec![Grade::General, Grade::Special],
        area: vec![Some(Area::Urban), None],
        tier: vec![Some(Tier::A), None],
        channel: vec![Channel::Hotline, Channel::CityHotline],
        premises: vec![Some(Premises::Multiple), None],
        org: vec![org("sgcc/zj/hz")],
        confidential: Some(false),
        anonymous: Some(false),
        appointment: Some(true),
    }
}

fn trigger(fact: FactName, is: &[Word], level: &[Level], time: Reading) -> Trigger {
    Trigger { fact, is: is.to_vec(), level: level.to_vec(), time }
}

fn on(fact: FactName) -> Trigger {
    trigger(fact, &[], &[], Reading::Occurred)
}

fn rule(id: &str, limit: Limit) -> Rule {
    Rule {
        id: id.into(),
        clock: "arrival".into(),
        title: title(),
        source: "供电服务十项承诺 2022".into(),
        hash: "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae".into(),
        when: when(),
        limit,
        start: vec![
            trigger(FactName::Received, &[], &[Level::Nation, Level::City], Reading::HungUp),
            trigger(FactName::Received, &[], &[], Reading::Appointment),
        ],
        stop: vec![trigger(FactName::CrewArrived, &[], &[], Reading::Recorded)],
        pauses: vec![Pause {
            from: trigger(FactName::Suspended, &[Word::Customer, Word::ThirdParty], &[], Reading::Occurred),
            until: vec![on(FactName::Resumed)],
        }],
        reset: vec![on(FactName::Reassigned)],
        cancel: vec![on(FactName::Withdrawn)],
        revive: vec![on(FactName::Unmerged)],
        extend: vec![on(FactName::Extended)],
        warnings: vec![
            Warning { at: Threshold::Percent(50), tell: Some(Level::County) },
            Warning { at: Threshold::Before(600), tell: None },
        ],
    }
}

fn policy() -> Policy {
    Policy {
        operator: "sgcc".into(),
        effective_from: at("2022-01-01T00:00:00+08:00"),
        calendar: "cn".into(),
        source: "供电服务十项承诺 2022".into(),
        rules: vec![
            rule("F05u", Limit::Elapsed { seconds: 2_700 }),
            rule("N04", Limit::WorkingDays { days: 4 }),
            rule("W01", Limit::WorkingTime { seconds: 7_200 }),
        ],
        averages: vec![Average {
            id: "F05u-avg".into(),
            title: title(),
            source: "供电服务十项承诺 2022".into(),
            hash: "fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9".into(),
            when: when(),
            from: on(FactName::Received),
            to: on(FactName::CrewArrived),
            limit_seconds: 2_700,
            window_days: 30,
            level: Level::City,
        }],
    }
}

fn policies() -> [PolicyEvent; 3] {
    [
        PolicyEvent::Published(Box::new(PolicyPublished { policy: policy() })),
        PolicyEvent::ShadowPublished(Box::new(PolicyPublished { policy: policy() })),
        PolicyEvent::ShadowEnded(ShadowEnded {}),
    ]
}

fn year() -> YearPublished {
    let holiday = Exception { name: "元旦".into(), hours: Vec::new() };
    let worked = Exception { name: "春节调休".into(), hours: vec![Span { from: 540, to: 720 }] };
    let date = |month, day| NaiveDate::from_ymd_opt(2024, month, day).unwrap();
    YearPublished {
        year: Year {
            year: 2024,
            source: "国办发明电〔2023〕7号".into(),
            hours: vec![Span { from: 510, to: 720 }, Span { from: 810, to: 1_050 }],
            exceptions: BTreeMap::from([(date(1, 1), holiday), (date(2, 4), worked)]),
        },
    }
}

fn written(event: &impl Stored) -> (&'static str, String) {
    (event.kind(), String::from_utf8(event.payload().unwrap()).unwrap())
}

/// The kind and payload of each, ordered by kind.
pub fn complete() -> Vec<(&'static str, String)> {
    let promises = promises();
    let policies = policies();
    promises.iter().map(written).chain(policies.iter().map(written)).chain([written(&year())]).collect()
}

#[test]
fn what_is_said_and_published_is_read_as_it_was_written() {
    for event in promises() {
        assert_eq!(Event::read(event.kind(), &event.payload().unwrap()), Ok(event));
    }
    for event in policies() {
        assert_eq!(PolicyEvent::read(event.kind(), &event.payload().unwrap()), Ok(event));
    }
    assert_eq!(YearPublished::read(year().kind(), &year().payload().unwrap()), Ok(year()));
}

#[test]
fn nothing_about_promises_is_personal() {
    let seen = &mut |field: &'static str, _: &mut _| panic!("{field} is personal");
    promises().iter_mut().for_each(|event| event.each_personal(seen));
    policies().iter_mut().for_each(|event| event.each_personal(seen));
    year().each_personal(seen);
}

#[test]
fn a_rule_that_says_little_is_read_with_everything_else_empty() {
    let little = br#"{"policy":{"operator":"sgcc","effective_from":"2022-01-01T00:00:00Z","calendar":"cn","source":"s",
        "rules":[{"id":"a","clock":"b","title":{"zh":"c","en":"d"},"source":"e","hash":"f",
        "limit":{"working_days":{"days":4}},"start":[{"fact":"received"}],"stop":[{"fact":"replied"}]}]}}"#;
    let PolicyEvent::Published(read) = PolicyEvent::read("policy.published.v1", little).unwrap() else {
        panic!("another kind")
    };
    let rule = &read.policy.rules[0];
    assert_eq!(rule.when, When::default());
    assert_eq!(
        (rule.start.as_slice(), rule.stop.as_slice()),
        (&[on(FactName::Received)][..], &[on(FactName::Replied)][..])
    );
    assert!(rule.pauses.is_empty() && rule.warnings.is_empty() && read.policy.averages.is_empty());
}

#[test]
fn a_kind_of_another_aggregate_is_unknown() {
    assert!(Event::read("policy.published.v1", b"{}").is_err());
    assert!(PolicyEvent::read("promise.warned.v1", b"{}").is_err());
    assert!(YearPublished::read("numbering.reserved.v1", br#"{"first":1,"last":2}"#).is_err());
}
