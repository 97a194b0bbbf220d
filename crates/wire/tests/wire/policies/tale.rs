//! A ticket built fact by fact, and its clocks under a shipped policy. Times are China Standard Time.

use chrono::NaiveDateTime;
use switchboard_domain::{
    Timestamp,
    actor::{Actor, Role},
    decider::Recorded,
    organisation::OrgPath,
    sla::{
        china_time,
        clock_history::ClockHistory,
        from_china_time,
        judge::{Clock, judge},
        registry::{Edition, PolicyRegistry},
    },
    ticket::{event::*, *},
};
use uuid::Uuid;

use super::policy;

pub const NATION: &str = "sgcc";
pub const PROVINCE: &str = "sgcc/zj";
pub const CITY: &str = "sgcc/zj/hz";
pub const COUNTY: &str = "sgcc/zj/hz/yuhang";
pub const CREW: &str = "sgcc/zj/hz/yuhang/liangzhu/crew3";
pub const MASTER: TicketId = TicketId(Uuid::from_u128(9));

/// Parses `02 10:00` of March 2026, or a complete date.
pub fn at(text: &str) -> Timestamp {
    let whole = if text.len() > 11 { text.to_owned() } else { format!("2026-03-{text}") };
    from_china_time(NaiveDateTime::parse_from_str(&whole, "%Y-%m-%d %H:%M").unwrap())
}

pub fn org(path: &str) -> OrgPath {
    OrgPath::parse(path).unwrap()
}

pub fn recorded<E, Id>(position: u64, id: Id, event: E, at: Timestamp) -> Recorded<E, Id> {
    let actor = Actor { id: "desk".into(), role: Role::Desk, org: org(NATION) };
    let (revision, request_id) = (position - 1, Uuid::nil());
    Recorded { position, id, revision, event, occurred_at: at, recorded_at: at, actor, request_id }
}

pub fn received(business: BusinessType, by: &str) -> Received {
    Received {
        number: "2026030200000001".into(),
        business,
        channel: Channel::Hotline,
        received_by: org(by),
        anonymous: false,
        confidential: false,
        caller_name: None,
        caller_phone: Some("13800000000".into()),
        caller_account: None,
        phone_key: None,
        account_key: None,
        tier: None,
        address: None,
        content: "as told".into(),
        place: Place::default(),
        premises: None,
        customers_out: None,
        call_id: None,
        hung_up_at: None,
        appointment: None,
        external: None,
        linked: None,
    }
}

/// A ticket as a list of facts.
#[derive(Clone)]
pub struct Tale(Vec<(Timestamp, Timestamp, Event)>);

impl Tale {
    pub fn of(at_: &str, received: Received) -> Self {
        Self(vec![(at(at_), at(at_), received.into())])
    }

    pub fn fault(at_: &str) -> Self {
        Self::of(at_, received(BusinessType::FaultRepair, NATION))
    }

    pub fn complaint(at_: &str) -> Self {
        Self::of(at_, received(BusinessType::Complaint, NATION))
    }

    pub fn and(self, happened: &str, event: impl Into<Event>) -> Self {
        self.late(happened, happened, event)
    }

    /// Adds a fact that the engine recorded later than it happened.
    pub fn late(mut self, happened: &str, learnt: &str, event: impl Into<Event>) -> Self {
        self.0.push((at(happened), at(learnt), event.into()));
        self
    }

    pub fn clock_history(&self) -> ClockHistory {
        let id = TicketId(Uuid::from_u128(1));
        let mut clock_history = ClockHistory::new(id);
        for (position, (happened, learnt, event)) in (100..).zip(&self.0) {
            let fact = recorded(position, id, event.clone(), *happened);
            clock_history.take(&Recorded { recorded_at: *learnt, ..fact });
        }
        clock_history
    }

    pub fn clocks(&self, registry: &PolicyRegistry, now: &str) -> Vec<Clock> {
        judge(&self.clock_history(), registry, at(now))
    }

    /// The given clocks under a shipped policy; all clocks when none is given, except those of the chain's levels.
    pub fn stands(&self, file: &str, clocks: &[&str], now: &str) -> Vec<String> {
        let clocks_of = self.clocks(&PolicyRegistry::of(Edition::default().under(policy(file))), now);
        let named = |clock: &&Clock| match clocks {
            [] => !clock.rule().id.starts_with("N15"),
            named => named.contains(&clock.rule().clock.as_str()),
        };
        clocks_of.iter().filter(named).map(told).collect()
    }
}

pub fn told(clock: &Clock) -> String {
    let due = clock.due.map_or("not due".to_owned(), |due| china_time(due).format("due %d %H:%M").to_string());
    format!("{} {} {} {due}", clock.rule().clock, clock.rule().id, clock.verdict.as_str())
}

pub fn dispatched(from: &str, to: &str) -> Dispatched {
    Dispatched { from: org(from), to: org(to) }
}

pub fn arrived(area: Option<Area>) -> CrewArrived {
    CrewArrived { crew: org(CREW), area }
}

pub fn restored() -> CrewRestored {
    CrewRestored { crew: org(CREW) }
}

pub fn replied() -> Replied {
    Replied {
        by: org(CREW),
        outcome: ReplyOutcome::Resolved,
        facts: "as found".into(),
        cause: "fuse".into(),
        measures: "replaced".into(),
        customer_view: None,
        category: Category::parse("fault").unwrap(),
        ownership: None,
        substantiated: None,
    }
}

pub fn sent_back() -> ReplySentBack {
    ReplySentBack { by: org(PROVINCE), reason: "incomplete".into() }
}

pub fn returned(from: &str, to: &str) -> Returned {
    Returned { from: org(from), to: org(to), reason: ReturnReason::WrongArea, note: "not ours".into() }
}

pub fn reached(outcome: ContactOutcome) -> Contacted {
    Contacted { outcome, note: None }
}

pub fn classified(business: BusinessType, category: &str) -> Classified {
    Classified { business, category: Category::parse(category).unwrap(), urgency: Urgency::Normal, grade: None }
}
