//! Random events: one generator per kind, so that a new kind or field does not compile until it is generated. Each
//! event is well formed; a sequence need not be a valid history. The domain tests histories.

pub mod crews;

use chrono::{DateTime, TimeDelta};
use proptest::prelude::*;
use switchboard_domain::{
    Timestamp,
    crew::{CrewId, DeclineReason, Forced, OfferEnd, OfferId, Skill, Skills},
    organisation::OrgPath,
    personal::Personal,
    ticket::{event::*, *},
};
use uuid::Uuid;

/// Texts that are known to break formats.
const TEXTS: [&str; 8] = [
    "",
    "13812345678",
    "张三",
    "a \"quoted\" \\ text",
    "line\nbreak\ttab",
    "\u{1f50c}\u{0}",
    "{\"sealed\":\"1.1.x\"}",
    "x",
];

/// A source of choices: a list of numbers, then zeros.
pub struct Draw {
    numbers: std::vec::IntoIter<u32>,
    /// True when every optional field is present.
    full: bool,
}

impl Draw {
    pub fn new(numbers: Vec<u32>) -> Self {
        Self { numbers: numbers.into_iter(), full: false }
    }

    /// A source that always yields the same event per generator, with every optional field.
    pub fn full() -> Self {
        Self { numbers: (1..100).collect::<Vec<_>>().into_iter(), full: true }
    }

    fn number(&mut self) -> u32 {
        self.numbers.next().unwrap_or(0)
    }

    fn flag(&mut self) -> bool {
        self.full || self.number() % 2 == 1
    }

    fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.number() as usize % all.len()].clone()
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.flag().then(|| make(self))
    }

    fn line(&mut self) -> String {
        format!("{}{}", self.one_of(&TEXTS), self.number())
    }

    fn personal(&mut self) -> Personal {
        self.line().into()
    }

    fn org(&mut self) -> OrgPath {
        let all = ["sgcc", "sgcc/zj", "sgcc/zj/hz", "sgcc/zj/hz/yuhang/liangzhu/crew-3", "csg/gd"];
        OrgPath::parse(self.one_of(&all)).unwrap()
    }

    fn category(&mut self) -> Category {
        Category::parse(self.one_of(&["故障报修/低压故障/低压设备/熔断器", "a", "a/b/c/d/e/f/g/h"])).unwrap()
    }

    /// An instant within some decades, in microseconds.
    fn time(&mut self) -> Timestamp {
        let micros = i64::from(self.number()) * 1_000_003;
        DateTime::from_timestamp(1_700_000_000, 0).unwrap() + TimeDelta::microseconds(micros)
    }

    fn ticket(&mut self) -> TicketId {
        TicketId(Uuid::from_u64_pair(0x1234, u64::from(self.number())))
    }

    fn crew(&mut self) -> CrewId {
        CrewId::of(&OrgPath::parse(&format!("sgcc/zj/hz/yuhang/liangzhu/crew-{}", self.number())).unwrap()).unwrap()
    }

    fn offer(&mut self) -> OfferId {
        let ticket = self.ticket();
        OfferId::of(ticket, self.number())
    }

    fn skills(&mut self) -> Skills {
        Skills::of(&[self.one_of(Skill::ALL), self.one_of(Skill::ALL)])
    }

    fn forced(&mut self) -> Forced {
        Forced { by: format!("desk-{}", self.number()), org: self.org() }
    }

    fn place(&mut self) -> Place {
        Place {
            area: self.maybe(|d| d.one_of(Area::ALL)),
            feeder: self.maybe(Self::line),
            transformer: self.maybe(Self::line),
            location_e6: self.maybe(|d| (d.number().cast_signed(), d.number().cast_signed())),
        }
    }

    fn escalation(&mut self) -> Escalation {
        let grade = self.one_of(Grade::ALL);
        self.one_of(&[Escalation::Complaint(grade), Escalation::Grade(grade), Escalation::Urgent])
    }
}

/// One generator per kind.
pub const MAKERS: &[fn(&mut Draw) -> Event] = &[
    |d| {
        let received = Received {
            number: d.line(),
            business: d.one_of(BusinessType::ALL),
            channel: d.one_of(Channel::ALL),
            received_by: d.org(),
            anonymous: d.flag(),
            confidential: d.flag(),
            caller_name: d.maybe(Draw::personal),
            caller_phone: d.maybe(Draw::personal),
            caller_account: d.maybe(Draw::personal),
            phone_key: d.maybe(Draw::line),
            account_key: d.maybe(Draw::line),
            tier: d.maybe(|d| d.one_of(Tier::ALL)),
            address: d.maybe(Draw::personal),
            content: d.personal(),
            place: d.place(),
            premises: d.maybe(|d| d.one_of(Premises::ALL)),
            customers_out: d.maybe(Draw::number),
            call_id: d.maybe(Draw::line),
            hung_up_at: d.maybe(Draw::time),
            appointment: d.maybe(Draw::time),
            external: d.maybe(|d| ExternalRef { issuer: d.line(), value: d.line() }),
            linked: d.maybe(Draw::ticket),
        };
        received.into()
    },
    |d| Supplemented { content: d.personal() }.into(),
    |d| {
        let grade = d.maybe(|d| d.one_of(Grade::ALL));
        let (business, urgency) = (d.one_of(BusinessType::ALL), d.one_of(Urgency::ALL));
        Classified { business, category: d.category(), urgency, grade }.into()
    },
    |d| ClosedAtFirstContact { answer: d.personal() }.into(),
    |d| Dispatched { from: d.org(), to: d.org() }.into(),
    |d| Accepted { by: d.org() }.into(),
    |d| Returned { from: d.org(), to: d.org(), reason: d.one_of(ReturnReason::ALL), note: d.personal() }.into(),
    |d| Reassigned { from: d.org(), to: d.org(), reason: d.personal() }.into(),
    |d| CrewAccepted { crew: d.org() }.into(),
    |d| CrewEnRoute { crew: d.org() }.into(),
    |d| CrewArrived { crew: d.org(), area: d.maybe(|d| d.one_of(Area::ALL)) }.into(),
    |d| CrewDiagnosed { crew: d.org(), finding: d.personal(), category: d.maybe(Draw::category) }.into(),
    |d| EtrSet { crew: d.org(), etr: d.time() }.into(),
    |d| CrewRestored { crew: d.org() }.into(),
    |d| Contacted { outcome: d.one_of(ContactOutcome::ALL), note: d.maybe(Draw::personal) }.into(),
    |d| {
        let replied = Replied {
            by: d.org(),
            outcome: d.one_of(ReplyOutcome::ALL),
            facts: d.personal(),
            cause: d.line(),
            measures: d.personal(),
            customer_view: d.maybe(Draw::personal),
            category: d.category(),
            ownership: d.maybe(|d| d.one_of(Ownership::ALL)),
            substantiated: d.maybe(Draw::flag),
        };
        replied.into()
    },
    |d| ReplyPassed { by: d.org(), last: d.flag(), category: d.maybe(Draw::category) }.into(),
    |d| ReplySentBack { by: d.org(), reason: d.personal() }.into(),
    |d| {
        let (method, outcome) = (d.one_of(RevisitMethod::ALL), d.one_of(Satisfaction::ALL));
        RevisitAttempted { method, outcome, attempt: d.number() as u16 }.into()
    },
    |d| {
        let (method, outcome) = (d.one_of(RevisitMethod::ALL), d.one_of(Satisfaction::ALL));
        let reasons = d.maybe(|d| vec![d.one_of(DissatisfactionReason::ALL), d.one_of(DissatisfactionReason::ALL)]);
        Revisited { method, outcome, reasons: reasons.unwrap_or_default(), comment: d.maybe(Draw::personal) }.into()
    },
    |d| Reopened { cycle: d.number() as u16, reason: d.personal() }.into(),
    |d| Closed { explanation: d.maybe(Draw::personal) }.into(),
    |d| Urged { count: d.number() as u16, reason: d.personal() }.into(),
    |d| Supervised { by: d.org(), demand: d.personal() }.into(),
    |d| Escalated { to: d.escalation(), reason: d.personal() }.into(),
    |d| {
        let reason = d.one_of(SuspendReason::ALL);
        Suspended { reason, until: d.maybe(Draw::time), note: d.maybe(Draw::personal) }.into()
    },
    |_| Resumed {}.into(),
    |d| Extended { until: d.time(), reason: d.personal() }.into(),
    |d| Merged { master: d.ticket(), evidence: d.personal() }.into(),
    |d| Unmerged { master: d.ticket(), reason: d.personal() }.into(),
    |d| ChildAdopted { child: d.ticket() }.into(),
    |d| ChildReleased { child: d.ticket() }.into(),
    |d| MasterFollowed { master: d.ticket(), restored: d.maybe(Draw::time) }.into(),
    |d| Withdrawn { reason: d.personal() }.into(),
    |d| PersonalRevealed { purpose: d.line() }.into(),
    |d| {
        let (offer, crew, lease_until) = (d.offer(), d.crew(), d.time());
        let (attempt, fence) = (d.number(), d.number().into());
        Offered { offer, attempt, crew, fence, lease_until, priority: d.flag(), forced: d.maybe(Draw::forced) }.into()
    },
    |d| OfferAccepted { offer: d.offer(), crew: d.crew(), by: d.line() }.into(),
    |d| {
        let (offer, crew, how) = (d.offer(), d.crew(), d.one_of(OfferEnd::ALL));
        let reason = d.maybe(|d| d.one_of(DeclineReason::ALL));
        OfferEnded { offer, crew, how, reason, note: d.maybe(Draw::personal) }.into()
    },
    |d| HandedOver { crew: d.crew(), needs: d.skills(), note: d.personal() }.into(),
    |d| Recalled { crew: d.crew(), reason: d.personal() }.into(),
    |d| Pinned { crew: d.maybe(Draw::crew), forced: d.forced(), reason: d.personal() }.into(),
];

/// Any event of any kind, with plain personal data.
pub fn any_event() -> impl Strategy<Value = Event> {
    let numbers = prop::collection::vec(any::<u32>(), 60);
    (0..MAKERS.len(), numbers).prop_map(|(maker, numbers)| MAKERS[maker](&mut Draw::new(numbers)))
}
