//! Sample units, commands and events. All persons and numbers are invented.

use uuid::Uuid;

use crate::{
    Timestamp,
    crew::{CrewId, DeclineReason, OfferEnd, OfferId, Skill, Skills},
    organisation::OrgPath,
    personal::Personal,
    ticket::{
        BusinessType, Category, Channel, Command, ContactOutcome, DissatisfactionReason, Escalation, Event, Grade,
        Place, ReplyOutcome, ReturnReason, RevisitMethod, Satisfaction, Step, SuspendReason, TicketId, Urgency,
        command::{Caller, Offer, Receive, Reply, Verdict},
        event,
    },
};

pub const NATION: &str = "sgcc";
pub const ZJ: &str = "sgcc/zj";
pub const SD: &str = "sgcc/sd";
pub const HZ: &str = "sgcc/zj/hz";
pub const NB: &str = "sgcc/zj/nb";
pub const YUHANG: &str = "sgcc/zj/hz/yuhang";
pub const LIANGZHU: &str = "sgcc/zj/hz/yuhang/liangzhu";
pub const CREW: &str = "sgcc/zj/hz/yuhang/liangzhu/crew3";
pub const CREW4: &str = "sgcc/zj/hz/yuhang/liangzhu/crew4";
pub const CREW5: &str = "sgcc/zj/hz/yuhang/liangzhu/crew5";

/// One unit of each level, from the top, each within the previous one.
pub const LADDER: [&str; 6] = [NATION, ZJ, HZ, YUHANG, LIANGZHU, CREW];

pub fn org(path: &str) -> OrgPath {
    OrgPath::parse(path).unwrap()
}

pub fn crew_id(path: &str) -> CrewId {
    CrewId::of(&org(path)).unwrap()
}

pub fn ticket_id(n: u128) -> TicketId {
    TicketId(Uuid::from_u128(n))
}

pub fn text() -> Personal {
    Personal::from("as told")
}

pub fn category() -> Category {
    Category::parse("fault/low voltage/fuse").unwrap()
}

/// A call of a known customer to the national centre.
pub fn receive(business: BusinessType) -> Receive {
    Receive {
        number: "2026112100000001".into(),
        business,
        channel: Channel::Hotline,
        received_by: org(NATION),
        caller: Caller { phone: Some("13800000000".into()), ..Caller::default() },
        tier: None,
        address: None,
        content: text(),
        place: Place::default(),
        premises: None,
        customers_out: None,
        confidential: false,
        call_id: None,
        hung_up_at: None,
        appointment: None,
        external: None,
        linked: (business == BusinessType::Urge).then(|| ticket_id(9)),
    }
}

pub fn classify() -> Command {
    Command::Classify { business: None, category: category(), urgency: Urgency::Normal, grade: None }
}

pub fn classify_as(business: BusinessType, grade: Option<Grade>) -> Command {
    Command::Classify { business: Some(business), category: category(), urgency: Urgency::Normal, grade }
}

pub fn supplement() -> Command {
    Command::Supplement { content: text() }
}

pub fn close_at_first_contact() -> Command {
    Command::CloseAtFirstContact { answer: text() }
}

pub fn dispatch(to: &str) -> Command {
    Command::Dispatch { to: org(to) }
}

pub fn give_back() -> Command {
    Command::Return { reason: ReturnReason::WrongArea, note: text() }
}

pub fn reassign(to: &str) -> Command {
    Command::Reassign { to: org(to), reason: text() }
}

pub fn step(step: Step) -> Command {
    Command::ReportProgress(step)
}

pub fn contact() -> Command {
    Command::Contact { outcome: ContactOutcome::Reached, note: None }
}

/// A reply with this outcome.
pub fn slip(outcome: ReplyOutcome) -> Reply {
    Reply {
        outcome,
        facts: text(),
        cause: "fuse blown".into(),
        measures: text(),
        customer_view: None,
        category: category(),
        ownership: None,
        substantiated: None,
    }
}

pub fn reply(outcome: ReplyOutcome) -> Command {
    Command::Reply(Box::new(slip(outcome)))
}

pub fn pass() -> Command {
    Command::AuditReply { verdict: Verdict::Passed { category: None } }
}

pub fn send_back() -> Command {
    Command::AuditReply { verdict: Verdict::SentBack { reason: text() } }
}

/// A revisit by telephone; a dissatisfied customer gives slow repair as the reason.
pub fn revisit(outcome: Satisfaction) -> Command {
    revisit_by(RevisitMethod::Call, outcome)
}

pub fn revisit_by(method: RevisitMethod, outcome: Satisfaction) -> Command {
    let dissatisfied = outcome == Satisfaction::Dissatisfied;
    let reasons = if dissatisfied { vec![DissatisfactionReason::Speed] } else { Vec::new() };
    Command::Revisit { method, outcome, reasons, comment: None }
}

pub fn reopen() -> Command {
    Command::Reopen { reason: text() }
}

pub fn close() -> Command {
    Command::Close { explanation: None }
}

pub fn close_with_explanation() -> Command {
    Command::Close { explanation: Some(text()) }
}

pub fn urge() -> Command {
    Command::Urge { reason: text() }
}

pub fn supervise() -> Command {
    Command::Supervise { demand: text() }
}

pub fn escalate(to: Escalation) -> Command {
    Command::Escalate { to, reason: text() }
}

pub fn suspend() -> Command {
    Command::Suspend { reason: SuspendReason::Customer, until: None, note: None }
}

pub fn extend(until: Timestamp) -> Command {
    Command::Extend { until, reason: text() }
}

pub fn merge(master: TicketId) -> Command {
    Command::Merge { master, evidence: text() }
}

pub fn unmerge() -> Command {
    Command::Unmerge { reason: text() }
}

pub fn withdraw() -> Command {
    Command::Withdraw { reason: text() }
}

pub fn reveal() -> Command {
    Command::Reveal { purpose: "to call back".into() }
}

/// The id of the offer with this attempt number.
pub fn offer_id(attempt: u32) -> OfferId {
    OfferId::of(ticket_id(1), attempt)
}

/// The fence of the offer with this attempt number.
pub fn fence(attempt: u32) -> u64 {
    10 + u64::from(attempt)
}

/// The end of all leases.
fn lease_until() -> Timestamp {
    super::story::clock(21, "09:30")
}

pub fn offer(attempt: u32, crew: &str) -> Command {
    Command::Offer(Box::new(Offer {
        offer: offer_id(attempt),
        attempt,
        crew: crew_id(crew),
        fence: fence(attempt),
        lease_until: lease_until(),
        priority: false,
        forced: None,
    }))
}

pub fn accept_offer(attempt: u32) -> Command {
    Command::AcceptOffer { offer: offer_id(attempt), fence: fence(attempt) }
}

pub fn decline_offer(attempt: u32) -> Command {
    let reason = DeclineReason::Road;
    Command::DeclineOffer { offer: offer_id(attempt), fence: fence(attempt), reason, note: Some(text()) }
}

pub fn end_offer(attempt: u32, how: OfferEnd) -> Command {
    Command::EndOffer { offer: offer_id(attempt), how }
}

pub fn hand_over(needs: &[Skill]) -> Command {
    Command::HandOver { needs: Skills::of(needs), note: text() }
}

pub fn recall() -> Command {
    Command::Recall { crew: None, reason: text() }
}

pub fn pin(crew: &str) -> Command {
    Command::Pin { crew: Some(crew_id(crew)), reason: text() }
}

pub fn unpin() -> Command {
    Command::Pin { crew: None, reason: text() }
}

/// The event of `receive(business)` at this unit.
pub fn received_at(unit: &str, business: BusinessType) -> Event {
    let told = receive(business);
    event::Received {
        number: told.number,
        business,
        channel: told.channel,
        received_by: org(unit),
        anonymous: false,
        confidential: business == BusinessType::Report,
        caller_name: None,
        caller_phone: told.caller.phone,
        caller_account: None,
        phone_key: None,
        account_key: None,
        tier: None,
        address: None,
        content: told.content,
        place: told.place,
        premises: None,
        customers_out: None,
        call_id: None,
        hung_up_at: None,
        appointment: None,
        external: None,
        linked: told.linked,
    }
    .into()
}

pub fn received(business: BusinessType) -> Event {
    received_at(NATION, business)
}

pub fn classified(business: BusinessType) -> Event {
    let grade = (business == BusinessType::Complaint).then_some(Grade::General);
    event::Classified { business, category: category(), urgency: Urgency::Normal, grade }.into()
}

pub fn dispatched(from: &str, to: &str) -> Event {
    event::Dispatched { from: org(from), to: org(to) }.into()
}

pub fn accepted(by: &str) -> Event {
    event::Accepted { by: org(by) }.into()
}

pub fn returned(from: &str, to: &str) -> Event {
    event::Returned { from: org(from), to: org(to), reason: ReturnReason::WrongArea, note: text() }.into()
}

pub fn reassigned(from: &str, to: &str) -> Event {
    event::Reassigned { from: org(from), to: org(to), reason: text() }.into()
}

pub fn offered(attempt: u32, crew: &str) -> Event {
    let (offer, fence) = (offer_id(attempt), fence(attempt));
    let (crew, lease_until) = (crew_id(crew), lease_until());
    event::Offered { offer, attempt, crew, fence, lease_until, priority: false, forced: None }.into()
}

/// The events when the default actor of stories accepts an offer.
pub fn offer_taken(attempt: u32, from: &str, crew: &str) -> [Event; 3] {
    let taken = event::OfferAccepted { offer: offer_id(attempt), crew: crew_id(crew), by: "a1".into() };
    [taken.into(), dispatched(from, crew), crew_accepted(crew)]
}

pub fn offer_ended(attempt: u32, crew: &str, how: OfferEnd) -> Event {
    event::OfferEnded { offer: offer_id(attempt), crew: crew_id(crew), how, reason: None, note: None }.into()
}

pub fn crew_accepted(crew: &str) -> Event {
    event::CrewAccepted { crew: org(crew) }.into()
}

pub fn en_route(crew: &str) -> Event {
    event::CrewEnRoute { crew: org(crew) }.into()
}

pub fn arrived(crew: &str) -> Event {
    event::CrewArrived { crew: org(crew), area: None }.into()
}

pub fn restored(crew: &str) -> Event {
    event::CrewRestored { crew: org(crew) }.into()
}

pub fn replied(by: &str, outcome: ReplyOutcome) -> Event {
    let slip = slip(outcome);
    event::Replied {
        by: org(by),
        outcome,
        facts: slip.facts,
        cause: slip.cause,
        measures: slip.measures,
        customer_view: None,
        category: slip.category,
        ownership: None,
        substantiated: None,
    }
    .into()
}

/// A reply passed by a unit that is not the last of the chain.
pub fn passed_on(by: &str) -> Event {
    event::ReplyPassed { by: org(by), last: false, category: None }.into()
}

/// A reply passed by the unit that received the ticket.
pub fn passed_for_good(by: &str) -> Event {
    event::ReplyPassed { by: org(by), last: true, category: Some(category()) }.into()
}

pub fn revisited(outcome: Satisfaction) -> Event {
    let dissatisfied = outcome == Satisfaction::Dissatisfied;
    let reasons = if dissatisfied { vec![DissatisfactionReason::Speed] } else { Vec::new() };
    event::Revisited { method: RevisitMethod::Call, outcome, reasons, comment: None }.into()
}

pub fn merged(master: TicketId) -> Event {
    event::Merged { master, evidence: text() }.into()
}

pub fn unmerged(master: TicketId) -> Event {
    event::Unmerged { master, reason: text() }.into()
}

/// Received and classified at the national centre.
pub fn ready_to_dispatch(business: BusinessType) -> Vec<Event> {
    vec![received(business), classified(business)]
}

/// Accepted at the city: for a fault directly from the centre, otherwise through the province.
pub fn in_work(business: BusinessType) -> Vec<Event> {
    let mut facts = ready_to_dispatch(business);
    if business == BusinessType::FaultRepair {
        facts.push(dispatched(NATION, HZ));
    } else {
        facts.extend([dispatched(NATION, ZJ), accepted(ZJ), dispatched(ZJ, HZ)]);
    }
    facts.push(accepted(HZ));
    facts
}

/// A fault dispatched to a crew that has not accepted it.
pub fn given_to_a_crew() -> Vec<Event> {
    let mut facts = in_work(BusinessType::FaultRepair);
    facts.push(dispatched(HZ, CREW));
    facts
}

/// A fault accepted at a station with crews.
pub fn at_the_station() -> Vec<Event> {
    let mut facts = in_work(BusinessType::FaultRepair);
    facts.extend([dispatched(HZ, LIANGZHU), accepted(LIANGZHU)]);
    facts
}

/// A fault that a crew of that station accepted by its first offer.
pub fn taken_by_a_crew() -> Vec<Event> {
    let mut facts = at_the_station();
    facts.push(offered(1, CREW));
    facts.extend(offer_taken(1, LIANGZHU, CREW));
    facts
}

/// A fault repaired and replied by a crew: received at the centre, then city, then crew.
pub fn repaired() -> Vec<Event> {
    let mut facts = given_to_a_crew();
    facts.extend([crew_accepted(CREW), arrived(CREW), restored(CREW), replied(CREW, ReplyOutcome::Resolved)]);
    facts
}

/// A fault whose reply passed; the revisit is next.
pub fn awaiting_revisit() -> Vec<Event> {
    let mut facts = repaired();
    facts.push(passed_for_good(NATION));
    facts
}
