//! Example tickets with clocks, for tests: one policy, a calendar of one year, and facts by the minute. All units are
//! invented.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta};
use switchboard_domain::{
    Timestamp,
    actor::{Actor, Role},
    decider::Recorded,
    organisation::OrgPath,
    sla::{
        calendar::{Span, Year},
        clock_history::{Change, ClockEvent, ClockHistory, FactName, Opening, Reading, Word},
        judge::{Clock, judge},
        policy::{Limit, Pause, Policy, Rule, Title, Trigger, When},
        publication::YearPublished,
        registry::{Edition, PolicyRegistry},
    },
    ticket::{Area, BusinessType, Channel, Event, TicketId},
};
use uuid::Uuid;

pub const NATION: &str = "sgcc";
pub const PROVINCE: &str = "sgcc/zj";
pub const CITY: &str = "sgcc/zj/hz";
pub const CREW: &str = "sgcc/zj/hz/yuhang/liangzhu/crew3";

/// An instant: this many minutes after 10:00 on Friday, 20 November 2026, in China Standard Time.
pub fn at(minutes: i64) -> Timestamp {
    DateTime::parse_from_rfc3339("2026-11-20T10:00:00+08:00").unwrap().to_utc() + TimeDelta::minutes(minutes)
}

pub fn unit(path: &str) -> OrgPath {
    OrgPath::parse(path).unwrap()
}

/// A ticket's story so far.
#[derive(Clone)]
pub struct Story(ClockHistory);

impl Story {
    /// The customer calls the national centre at minute 0.
    pub fn of(business: BusinessType) -> Self {
        let opening = Opening {
            business,
            channel: Channel::Hotline,
            received_by: unit(NATION),
            area: Some(Area::Urban),
            tier: None,
            premises: None,
            confidential: false,
            anonymous: false,
            hung_up: None,
            appointment: None,
            imported: false,
        };
        Self(ClockHistory::new(TicketId(Uuid::from_u128(1)))).tell(
            0,
            FactName::Received,
            None,
            Change::Opened(Box::new(opening)),
        )
    }

    pub fn numbered(mut self, n: u128) -> Self {
        self.0.id = TicketId(Uuid::from_u128(n));
        self
    }

    pub fn opened(mut self, change: impl FnOnce(&mut Opening)) -> Self {
        if let Some(ClockEvent { change: Change::Opened(opening), .. }) = self.0.events.first_mut() {
            change(opening);
        }
        self
    }

    pub fn then(self, minutes: i64, fact: FactName) -> Self {
        self.tell(minutes, fact, None, Change::None)
    }

    pub fn said(self, minutes: i64, fact: FactName, word: Word) -> Self {
        self.tell(minutes, fact, Some(word), Change::None)
    }

    pub fn to(self, minutes: i64, fact: FactName, holder: &str) -> Self {
        self.tell(minutes, fact, None, Change::Holder(unit(holder)))
    }

    pub fn tell(mut self, minutes: i64, fact: FactName, word: Option<Word>, change: Change) -> Self {
        let (at, position) = (at(minutes), 10 * (self.0.events.len() as u64 + 1));
        self.0.events.push(ClockEvent { at, recorded: at, position, revision: position, fact, word, change });
        self
    }

    pub fn clock_history(self) -> ClockHistory {
        self.0
    }

    /// A fault repair that was assigned to a crew at minute 2 and accepted by it at minute 4.
    pub fn crewed() -> Self {
        let dispatched =
            Self::of(BusinessType::FaultRepair).to(1, FactName::Dispatched, CITY).then(1, FactName::Accepted);
        dispatched.to(2, FactName::Dispatched, CREW).then(4, FactName::CrewAccepted)
    }
}

pub fn minutes(minutes: i64) -> Limit {
    Limit::Elapsed { seconds: 60 * minutes }
}

fn trigger(fact: FactName) -> Trigger {
    Trigger { fact, is: Vec::new(), level: Vec::new(), time: Reading::Occurred }
}

pub fn triggers(facts: &[FactName]) -> Vec<Trigger> {
    facts.iter().copied().map(trigger).collect()
}

/// A clock of tickets of these business types; an empty list means all. It waits while the work is suspended.
pub fn rule(clock: &str, business: &[BusinessType], limit: Limit, start: &[FactName], stop: &[FactName]) -> Rule {
    Rule {
        id: format!("R-{clock}"),
        clock: clock.to_owned(),
        title: Title { zh: format!("\u{65f6}\u{949f}{clock}"), en: format!("Clock {clock}") },
        source: "invented".to_owned(),
        hash: String::new(),
        when: When { business: business.to_vec(), ..When::default() },
        limit,
        start: triggers(start),
        stop: triggers(stop),
        pauses: vec![Pause { from: trigger(FactName::Suspended), until: triggers(&[FactName::Resumed]) }],
        reset: Vec::new(),
        cancel: triggers(&[FactName::Withdrawn, FactName::Merged, FactName::ClosedAtFirstContact]),
        revive: Vec::new(),
        extend: triggers(&[FactName::Extended]),
        warnings: Vec::new(),
    }
}

/// The clocks that the indicators use, with short limits.
pub fn policy() -> Policy {
    use BusinessType::{Complaint, FaultRepair};
    use FactName::{Accepted, Contacted, CrewAccepted, CrewArrived, Dispatched, Received, Reopened, Replied, Returned};
    Policy {
        operator: "sgcc".to_owned(),
        effective_from: Timestamp::MIN_UTC,
        calendar: "cn".to_owned(),
        source: "invented".to_owned(),
        rules: vec![
            rule("dispatch", &[], minutes(2), &[Received, Reopened], &[Dispatched]),
            rule("crew_assignment", &[], minutes(3), &[Dispatched], &[Accepted, CrewAccepted, Returned]),
            rule("arrival", &[FaultRepair], minutes(45), &[Received], &[CrewArrived]),
            rule("contact", &[Complaint], minutes(24 * 60), &[Received], &[Contacted]),
            rule("reply", &[Complaint], Limit::WorkingDays { days: 4 }, &[Received], &[Replied]),
        ],
        averages: Vec::new(),
    }
}

/// An edition with the year 2026 as its calendar, without holidays.
pub fn edition() -> Edition {
    let span = |from: u16, to: u16| Span { from: 60 * from, to: 60 * to };
    let hours = vec![span(8, 12), span(14, 18)];
    let year = Year { year: 2026, source: "invented".to_owned(), hours, exceptions: BTreeMap::new() };
    let mut registry = PolicyRegistry::default();
    registry.take_year(&Recorded {
        position: 1,
        id: "cn".to_owned(),
        revision: 0,
        event: YearPublished { year },
        occurred_at: at(-60),
        recorded_at: at(-60),
        actor: Actor { id: "ops".to_owned(), role: Role::Operator, org: unit(NATION) },
        request_id: Uuid::nil(),
    });
    Edition::clone(registry.newest().unwrap())
}

pub fn judged(clock_history: &ClockHistory, policy: Policy, now: Timestamp) -> Vec<Clock> {
    judge(clock_history, &PolicyRegistry::of(edition().under(policy)), now)
}

/// The first clock of that name.
pub fn clock(clock_history: &ClockHistory, name: &str, now: Timestamp) -> Clock {
    let found = judged(clock_history, policy(), now).into_iter().find(|clock| clock.rule().clock == name);
    found.unwrap_or_else(|| panic!("the ticket has no clock {name}"))
}

/// The clock history of each random ticket, from its receipt on. Facts of a ticket before its receipt are left out.
pub fn clock_histories(facts: &[crate::Fact]) -> Vec<ClockHistory> {
    let mut clock_histories = BTreeMap::new();
    for fact in facts {
        if matches!(fact.event, Event::Received(_)) || clock_histories.contains_key(&fact.id) {
            clock_histories.entry(fact.id).or_insert_with(|| ClockHistory::new(fact.id)).take(fact);
        }
    }
    clock_histories.into_values().collect()
}
