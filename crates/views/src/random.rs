//! Random histories and filters, for property tests here and in the stores of lists. The histories include orders that
//! `decide` never accepts, because total folds must handle them. Few different values are used, so that equal ones are
//! frequent.

pub mod crews;

use chrono::{DateTime, TimeDelta};
use proptest::{collection::vec, option, prelude::*, sample::select};
use switchboard_domain::{
    Timestamp,
    actor::{Actor, Role},
    organisation::OrgPath,
    personal::Personal,
    ticket::{
        Area, BusinessType, Category, Channel, Escalation, Event, ExternalRef, Grade, Place, ReplyOutcome,
        ReturnReason, RevisitMethod, Satisfaction, SuspendReason, TicketId, Tier, Urgency,
        event::{
            Accepted, ChildAdopted, Classified, Closed, ClosedAtFirstContact, CrewAccepted, CrewArrived, CrewEnRoute,
            CrewRestored, Dispatched, Escalated, EtrSet, MasterFollowed, Merged, PersonalRevealed, Reassigned,
            Received, Reopened, Replied, ReplyPassed, Resumed, Returned, Revisited, Supervised, Supplemented,
            Suspended, Unmerged, Urged, Withdrawn,
        },
    },
};
use uuid::Uuid;

use crate::{
    Fact,
    ticket_list::{Filter, Order},
};

const UNITS: [&str; 6] = ["sgcc", "sgcc/zj", "sgcc/zj-2", "sgcc/zj0", "sgcc/zj/hz", "sgcc/zj/hz/yuhang/liangzhu/crew3"];
const CATEGORIES: [&str; 5] = ["a", "a/b", "a/b/c", "a0", "a-/b"];
/// Values with characters that have a meaning in SQL or in a shell.
const EVIL: [&str; 6] = ["' OR 1=1 --", "\"; DROP TABLE ticket; --", "%", "_", "a:b", "\u{5de5}\u{5355} \\"];

/// An instant within three days. At most one microsecond is added to a full hour, so that many instants are equal.
pub fn instant() -> impl Strategy<Value = Timestamp> {
    (0i64..3 * 24, 0i64..2).prop_map(|(hours, micros)| {
        let first = DateTime::from_timestamp(1_767_225_600, 0).unwrap_or_default();
        first + TimeDelta::hours(hours) + TimeDelta::microseconds(micros)
    })
}

fn unit() -> impl Strategy<Value = OrgPath> {
    select(&UNITS[..]).prop_filter_map("a unit", |text| OrgPath::parse(text).ok())
}

fn category() -> impl Strategy<Value = Category> {
    select(&CATEGORIES[..]).prop_filter_map("a category", |text| Category::parse(text).ok())
}

fn ticket() -> impl Strategy<Value = TicketId> {
    (0u8..6).prop_map(|n| TicketId(Uuid::from_bytes([n.wrapping_mul(71); 16])))
}

fn words() -> impl Strategy<Value = Personal> {
    select(vec![Personal::from("words"), Personal::Erased, Personal::Sealed("seal".into())])
}

fn key() -> impl Strategy<Value = Option<String>> {
    option::of(select(vec!["key-1".to_owned(), "key-2".to_owned()]))
}

fn external() -> impl Strategy<Value = ExternalRef> {
    (select(vec!["bc", "a"]), select(vec!["1", "b", "' OR 1=1 --"]))
        .prop_map(|(issuer, value)| ExternalRef { issuer: issuer.into(), value: value.into() })
}

fn received() -> impl Strategy<Value = Event> {
    let kind = (select(BusinessType::ALL), select(Channel::ALL), unit(), any::<bool>(), any::<bool>());
    let caller = (0u32..4, key(), key(), option::of(external()), option::of(words()), words());
    let known = (option::of(select(Tier::ALL)), option::of(instant()));
    (kind, caller, known).prop_map(|((business, channel, received_by, anonymous, confidential), caller, known)| {
        let (number, phone_key, account_key, external, caller_phone, content) = caller;
        let (tier, appointment) = known;
        Received {
            number: format!("{number}"),
            business,
            channel,
            received_by,
            anonymous,
            confidential,
            caller_name: None,
            caller_phone,
            caller_account: None,
            phone_key,
            account_key,
            tier,
            address: None,
            content,
            place: Place::default(),
            premises: None,
            customers_out: Some(number),
            call_id: None,
            hung_up_at: None,
            appointment,
            external,
            linked: None,
        }
        .into()
    })
}

fn replied() -> impl Strategy<Value = Event> {
    (unit(), category(), words()).prop_map(|(by, category, facts)| {
        Replied {
            by,
            outcome: ReplyOutcome::Resolved,
            measures: facts.clone(),
            facts,
            cause: "cause".into(),
            customer_view: None,
            category,
            ownership: None,
            substantiated: None,
        }
        .into()
    })
}

/// Any event, regardless of the events before it.
pub fn event() -> impl Strategy<Value = Event> {
    let intake = prop_oneof![
        4 => received(),
        2 => (select(BusinessType::ALL), category(), select(Urgency::ALL), option::of(select(Grade::ALL)))
            .prop_map(|(business, category, urgency, grade)| Classified { business, category, urgency, grade }.into()),
        1 => words().prop_map(|content| Supplemented { content }.into()),
        1 => words().prop_map(|answer| ClosedAtFirstContact { answer }.into()),
        3 => (unit(), unit()).prop_map(|(from, to)| Dispatched { from, to }.into()),
        1 => words().prop_map(|reason| Withdrawn { reason }.into()),
    ];
    let field = prop_oneof![
        unit().prop_map(|by| Accepted { by }.into()),
        (unit(), unit(), words()).prop_map(|(from, to, note)| Returned {
            from,
            to,
            reason: ReturnReason::WrongArea,
            note
        }
        .into()),
        (unit(), unit(), words()).prop_map(|(from, to, reason)| Reassigned { from, to, reason }.into()),
        unit().prop_map(|crew| CrewAccepted { crew }.into()),
        unit().prop_map(|crew| CrewEnRoute { crew }.into()),
        (unit(), option::of(select(Area::ALL))).prop_map(|(crew, area)| CrewArrived { crew, area }.into()),
        (unit(), instant()).prop_map(|(crew, etr)| EtrSet { crew, etr }.into()),
        unit().prop_map(|crew| CrewRestored { crew }.into()),
        replied(),
    ];
    let closing = prop_oneof![
        (unit(), any::<bool>(), option::of(category())).prop_map(|(by, last, category)| ReplyPassed {
            by,
            last,
            category
        }
        .into()),
        (select(Satisfaction::ALL), option::of(words())).prop_map(|(outcome, comment)| {
            Revisited { method: RevisitMethod::Call, outcome, reasons: Vec::new(), comment }.into()
        }),
        (2u16..4, words()).prop_map(|(cycle, reason)| Reopened { cycle, reason }.into()),
        Just(Closed { explanation: None }.into()),
    ];
    let beside = prop_oneof![
        (1u16..3, words()).prop_map(|(count, reason)| Urged { count, reason }.into()),
        (unit(), words()).prop_map(|(by, demand)| Supervised { by, demand }.into()),
        (select(Grade::ALL), words()).prop_map(|(grade, reason)| Escalated {
            to: Escalation::Complaint(grade),
            reason
        }
        .into()),
        select(SuspendReason::ALL).prop_map(|reason| Suspended { reason, until: None, note: None }.into()),
        Just(Resumed {}.into()),
        (ticket(), words()).prop_map(|(master, evidence)| Merged { master, evidence }.into()),
        (ticket(), words()).prop_map(|(master, reason)| Unmerged { master, reason }.into()),
        ticket().prop_map(|child| ChildAdopted { child }.into()),
        (ticket(), option::of(instant())).prop_map(|(master, restored)| MasterFollowed { master, restored }.into()),
        Just(PersonalRevealed { purpose: "audit".into() }.into()),
    ];
    prop_oneof![3 => intake, 4 => field, 2 => closing, 2 => beside]
}

/// The facts of up to six tickets, at increasing positions with gaps.
pub fn history(facts_max: usize) -> impl Strategy<Value = Vec<Fact>> {
    let step = (ticket(), event(), instant(), 1u64..3);
    vec(step, 1..=facts_max).prop_filter_map("an actor", |steps| {
        let actor = Actor { id: "desk-1".into(), role: Role::Desk, org: OrgPath::parse("sgcc").ok()? };
        let mut position = 0;
        let facts = steps.into_iter().map(|(id, event, at, gap)| {
            position += gap;
            Fact {
                position,
                id,
                revision: position,
                event,
                occurred_at: at,
                recorded_at: at,
                actor: actor.clone(),
                request_id: Uuid::nil(),
            }
        });
        Some(facts.collect())
    })
}

fn term_text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        select(vec!["stage = received", "stage != closed", "stage = dispatched", "stage = accepted"]),
        select(vec![
            "business_type = complaint",
            "business_type != fault_repair",
            "urgency = normal",
            "urgency != urgent"
        ]),
        select(vec!["grade = major", "grade != major", "crew_progress = none", "crew_progress != arrived"]),
        select(vec!["channel = hotline", "channel != app", "open = true", "open = false", "open != true"]),
        select(vec!["supervised = false", "suspended != true", "confidential=true"]),
        select(vec!["number = 1", "number != 2", "external = bc:1", "external != a:b"]),
    ]
    .prop_map(str::to_owned);
    let sign = || select(vec!["=", "!="]);
    let path = (select(vec!["holder", "received_by"]), sign(), select(&UNITS[..]))
        .prop_map(|(field, sign, unit)| format!("{field} {sign} {unit}"));
    let category = (sign(), select(&CATEGORIES[..])).prop_map(|(sign, path)| format!("category {sign} {path}"));
    let evil = (select(vec!["number", "external"]), sign(), select(&EVIL[..])).prop_map(|(field, sign, value)| {
        let value = if field == "external" { format!("x:{value}") } else { value.to_owned() };
        format!("{field} {sign} \"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    });
    let time = (select(vec!["received_at", "updated_at"]), select(vec!["=", "!=", "<", "<=", ">", ">="]), instant())
        .prop_map(|(field, sign, at)| format!("{field}{sign}{}", at.to_rfc3339()));
    prop_oneof![3 => word, 2 => path, 1 => category, 1 => evil, 2 => time]
}

/// A filter of up to three terms.
pub fn filter() -> impl Strategy<Value = Filter> {
    vec(term_text(), 0..=3).prop_filter_map("a filter", |terms| Filter::parse(&terms.join(" AND ")).ok())
}

/// Any order.
pub fn order() -> impl Strategy<Value = Order> {
    let text =
        select(vec!["received_at", "received_at desc", "updated_at", "updated_at desc", "number", "number desc"]);
    text.prop_filter_map("an order", |text| Order::parse(text).ok())
}
