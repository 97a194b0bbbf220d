//! Random facts of all kinds: arbitrary histories of a few tickets, their promise events, and publications in between.
//! Few different values are used, so that equal ones are frequent.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use chrono::NaiveDate;
use proptest::{collection::vec, option, prelude::*, sample::select};
use switchboard_domain::{
    actor::{Actor, Role},
    decider::Recorded,
    fact::Fact,
    organisation::{Level, OrgPath},
    sla::{
        calendar::{Exception, Span, Year},
        clock_history::{FactName, Reading, Word},
        policy::{Average, Limit, Pause, Policy, Rule, Threshold, Title, Trigger, Warning, When},
        promise::{Breached, ClockKey, Event as PromiseEvent, Judged, Overturned, StartedBy, VersionRef, Warned},
        publication::{PolicyEvent, PolicyPublished, ShadowEnded, YearPublished},
    },
    ticket::{self, Area, Category, TicketId},
};
use switchboard_views::random;
use uuid::Uuid;

use super::Facts;

/// The ticket with this number.
pub fn ticket(n: u16) -> TicketId {
    TicketId(Uuid::from_u128(u128::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)))
}

/// The event of one step.
#[derive(Clone, Debug)]
enum Step {
    Ticket(TicketId, ticket::Event),
    Promise(TicketId, PromiseEvent),
    Policy(String, PolicyEvent),
    Year(String, YearPublished),
}

/// Up to `facts_max` facts of this many tickets, with `gaps` between their positions.
pub fn history(tickets: u16, facts_max: usize, gaps: Range<u64>) -> impl Strategy<Value = Facts> {
    let id = move || (0..tickets).prop_map(ticket);
    let step = prop_oneof![
        12 => (id(), random::event()).prop_map(|(id, event)| Step::Ticket(id, event)),
        4 => (id(), promise()).prop_map(|(id, event)| Step::Promise(id, event)),
        1 => (select(vec!["sgcc", "csg"]), policy_event()).prop_map(|(id, event)| Step::Policy(id.into(), event)),
        1 => (select(vec!["cn", "zj"]), year()).prop_map(|(id, year)| Step::Year(id.into(), YearPublished { year })),
    ];
    vec((step, random::instant(), random::instant(), gaps), 1..=facts_max).prop_map(|steps| {
        let mut position = 0;
        let facts = steps.into_iter().map(|(step, occurred_at, recorded_at, gap)| {
            position += gap;
            let place = Recorded {
                position,
                id: (),
                revision: position,
                event: (),
                occurred_at,
                recorded_at,
                actor: actor(),
                request_id: Uuid::from_u128(u128::from(position)),
            };
            Arc::new(match step {
                Step::Ticket(id, event) => Fact::Ticket(here(place, id, event)),
                Step::Promise(id, event) => Fact::Promise(here(place, id, event)),
                Step::Policy(id, event) => Fact::Policy(here(place, id, event)),
                Step::Year(id, event) => Fact::Year(here(place, id, event)),
            })
        });
        facts.collect()
    })
}

/// The fact that `event` happened to `id`, with the remaining data of `place`.
pub fn here<E, Id>(place: Recorded<(), ()>, id: Id, event: E) -> Recorded<E, Id> {
    let Recorded { position, revision, occurred_at, recorded_at, actor, request_id, .. } = place;
    Recorded { position, id, revision, event, occurred_at, recorded_at, actor, request_id }
}

pub fn actor() -> Actor {
    Actor { id: "desk-1".into(), role: Role::Desk, org: OrgPath::parse("sgcc").unwrap() }
}

fn promise() -> impl Strategy<Value = PromiseEvent> {
    let key = (select(vec!["arrival", "reply"]), 1u16..3, 1u16..3);
    let times = (random::instant(), random::instant(), option::of(random::instant()));
    (key, times, 1u8..6, 0u8..3).prop_map(|((clock, cycle, run_number), (started, due, due_now), level, kind)| {
        let judged = Judged {
            key: ClockKey { clock: clock.into(), cycle, run_number },
            rule: "F05u".into(),
            rule_hash: "5eed".into(),
            policy: VersionRef { name: "sgcc".into(), version: 1 },
            calendar: VersionRef { name: "cn".into(), version: 0 },
            started,
            started_by: StartedBy::Revision { started_by: 1 },
            due,
            owner: OrgPath::parse("sgcc/zj").unwrap(),
        };
        match kind {
            0 => PromiseEvent::Warned(Warned { tell: judged.owner.clone(), judged, level, at: due }),
            1 => PromiseEvent::Breached(Breached { judged }),
            _ => PromiseEvent::Overturned(Overturned { judged, now: "gone".into(), due_now }),
        }
    })
}

fn policy_event() -> impl Strategy<Value = PolicyEvent> {
    (policy(), 0u8..3).prop_map(|(policy, kind)| {
        let published = Box::new(PolicyPublished { policy });
        match kind {
            0 => PolicyEvent::Published(published),
            1 => PolicyEvent::ShadowPublished(published),
            _ => PolicyEvent::ShadowEnded(ShadowEnded {}),
        }
    })
}

fn policy() -> impl Strategy<Value = Policy> {
    let limit = select(vec![
        Limit::Elapsed { seconds: 2700 },
        Limit::WorkingDays { days: 5 },
        Limit::WorkingTime { seconds: 3600 },
    ]);
    (random::instant(), limit).prop_map(|(effective_from, limit)| Policy {
        operator: "sgcc".into(),
        effective_from,
        calendar: "cn".into(),
        source: "\u{5341}\u{9879}\u{627f}\u{8bfa} \"1\"".into(),
        rules: vec![rule(limit)],
        averages: vec![average()],
    })
}

fn pulled(fact: FactName, time: Reading) -> Trigger {
    Trigger { fact, is: Vec::new(), level: vec![Level::County], time }
}

fn rule(limit: Limit) -> Rule {
    let customer = Trigger { is: vec![Word::Customer], ..pulled(FactName::Suspended, Reading::Occurred) };
    Rule {
        id: "F05u".into(),
        clock: "arrival".into(),
        title: title(),
        source: "a".into(),
        hash: "5eed".into(),
        when: When { area: vec![None, Some(Area::Urban)], anonymous: Some(false), ..When::default() },
        limit,
        start: vec![pulled(FactName::Received, Reading::HungUp)],
        stop: vec![pulled(FactName::CrewArrived, Reading::Recorded)],
        pauses: vec![Pause { from: customer, until: vec![pulled(FactName::Resumed, Reading::Appointment)] }],
        reset: Vec::new(),
        cancel: vec![pulled(FactName::Withdrawn, Reading::Occurred)],
        revive: Vec::new(),
        extend: Vec::new(),
        warnings: vec![
            Warning { at: Threshold::Percent(50), tell: None },
            Warning { at: Threshold::Before(600), tell: Some(Level::Province) },
        ],
    }
}

fn average() -> Average {
    Average {
        id: "A1".into(),
        title: title(),
        source: "b".into(),
        hash: "feed".into(),
        when: When { category: vec![Category::parse("a/b").unwrap()], ..When::default() },
        from: pulled(FactName::Received, Reading::Occurred),
        to: pulled(FactName::CrewArrived, Reading::Occurred),
        limit_seconds: 2700,
        window_days: 30,
        level: Level::City,
    }
}

fn title() -> Title {
    Title { zh: "\u{5230}\u{8fbe}\u{73b0}\u{573a}".into(), en: "arrival".into() }
}

fn year() -> impl Strategy<Value = Year> {
    (2025i32..2028, 1u32..29).prop_map(|(year, day)| {
        let date = NaiveDate::from_ymd_opt(year, 2, day).unwrap();
        let exception = Exception { name: "\u{6625}\u{8282}".into(), hours: Vec::new() };
        Year {
            year,
            source: "c".into(),
            hours: vec![Span { from: 510, to: 720 }, Span { from: 810, to: 1050 }],
            exceptions: BTreeMap::from([(date, exception)]),
        }
    })
}
