//! The events of a ticket, in the past tense. These structs are also the stored JSON payloads: a field may be added if
//! it is optional, but never renamed, removed or given another meaning. A change of meaning needs a new kind; `wire`
//! names the kinds.

mod declared;

use serde::{Deserialize, Serialize};

use self::declared::events;
use crate::{
    Timestamp,
    crew::{CrewId, DeclineReason, Forced, OfferEnd, OfferId, Skills},
    organisation::OrgPath,
    personal::Personal,
    ticket::{
        TicketId,
        vocabulary::{
            Area, BusinessType, Category, Channel, ContactOutcome, DissatisfactionReason, Escalation, ExternalRef,
            Grade, Ownership, Place, Premises, ReplyOutcome, ReturnReason, RevisitMethod, Satisfaction, SuspendReason,
            Tier, Urgency,
        },
    },
};

events! {
    /// 受理: the ticket was received.
    Received {
        /// The ticket number, for people.
        number: String,
        /// The business type.
        business: BusinessType,
        /// The channel of the report.
        channel: Channel,
        /// The unit that received it. Its first segment is the operator.
        received_by: OrgPath,
        /// True when the caller is anonymous.
        #[serde(default)]
        anonymous: bool,
        /// True when the caller's identity is hidden from the handling units.
        #[serde(default)]
        confidential: bool,
        /// The customer's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caller_name: Option<Personal>,
        /// The customer's phone number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caller_phone: Option<Personal>,
        /// The customer's account number (户号).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caller_account: Option<Personal>,
        /// Keyed hash of the phone number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone_key: Option<String>,
        /// Keyed hash of the account number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account_key: Option<String>,
        /// The customer's tier at that time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tier: Option<Tier>,
        /// The service address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<Personal>,
        /// The content of the report.
        content: Personal,
        /// The place on the grid.
        #[serde(default)]
        place: Place,
        /// Single or multiple premises.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        premises: Option<Premises>,
        /// The number of customers without power, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customers_out: Option<u32>,
        /// The id of the call in the telephone system.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call_id: Option<String>,
        /// The end of the call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hung_up_at: Option<Timestamp>,
        /// The instant agreed with the customer (约时).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        appointment: Option<Timestamp>,
        /// The number that another system gave to the ticket.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        external: Option<ExternalRef>,
        /// The ticket that it belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        linked: Option<TicketId>,
    } personal(caller_name, caller_phone, caller_account, address, content)

    /// 补充: the customer added information.
    Supplemented {
        /// The added text.
        content: Personal,
    } personal(content)

    /// 分类定级: category, urgency and grade were set.
    Classified {
        /// The business type, as classified.
        business: BusinessType,
        /// The accepted category.
        category: Category,
        /// The urgency.
        urgency: Urgency,
        /// The complaint grade.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grade: Option<Grade>,
    } personal()

    /// 办结: the ticket was answered and closed during the call.
    ClosedAtFirstContact {
        /// The answer given to the caller.
        answer: Personal,
    } personal(answer)

    /// 派发: the ticket was dispatched to a unit.
    Dispatched {
        /// The previous holder.
        from: OrgPath,
        /// The new holder.
        to: OrgPath,
    } personal()

    /// 接单: the holder accepted the ticket.
    Accepted {
        /// The holder.
        by: OrgPath,
    } personal()

    /// 退单: the ticket was returned one level.
    Returned {
        /// The unit that returned it.
        from: OrgPath,
        /// The new holder: the unit that held it before.
        to: OrgPath,
        /// The reason.
        reason: ReturnReason,
        /// An explanation.
        note: Personal,
    } personal(note)

    /// 改派: the ticket was moved to another unit.
    Reassigned {
        /// The previous holder.
        from: OrgPath,
        /// The new holder.
        to: OrgPath,
        /// The reason.
        reason: Personal,
    } personal(reason)

    /// The crew accepted the job (接单).
    CrewAccepted {
        /// The crew.
        crew: OrgPath,
    } personal()

    /// The crew departed (出发).
    CrewEnRoute {
        /// The crew.
        crew: OrgPath,
    } personal()

    /// The crew arrived on site (到达现场).
    CrewArrived {
        /// The crew.
        crew: OrgPath,
        /// The kind of area found there, if the crew reported it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        area: Option<Area>,
    } personal()

    /// The crew found the cause (研判).
    CrewDiagnosed {
        /// The crew.
        crew: OrgPath,
        /// The finding.
        finding: Personal,
        /// The category, if the finding shows it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<Category>,
    } personal(finding)

    /// The crew estimated when power returns (预计复电时间).
    EtrSet {
        /// The crew.
        crew: OrgPath,
        /// The estimated instant.
        etr: Timestamp,
    } personal()

    /// Power was restored (修复).
    CrewRestored {
        /// The crew.
        crew: OrgPath,
    } personal()

    /// 联系客户: a contact with the customer was made or tried.
    Contacted {
        /// The result of the contact.
        outcome: ContactOutcome,
        /// Notes on the contact.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal>,
    } personal(note)

    /// 回单: the work was reported done.
    Replied {
        /// The holder that replied.
        by: OrgPath,
        /// The outcome of the work.
        outcome: ReplyOutcome,
        /// The facts that were found.
        facts: Personal,
        /// The cause of the trouble.
        cause: String,
        /// The work done.
        measures: Personal,
        /// The customer's opinion.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer_view: Option<Personal>,
        /// The confirmed category.
        category: Category,
        /// The owner of the faulty equipment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ownership: Option<Ownership>,
        /// For complaints and reports: true when the claim was substantiated (属实).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        substantiated: Option<bool>,
    } personal(facts, measures, customer_view)

    /// 审核通过: a unit of the chain passed the reply.
    ReplyPassed {
        /// The unit.
        by: OrgPath,
        /// True when no other unit has to pass the reply.
        last: bool,
        /// The final category. Only the last unit sets it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<Category>,
    } personal()

    /// 回退: a unit of the chain sent the reply back.
    ReplySentBack {
        /// The unit.
        by: OrgPath,
        /// The reason.
        reason: Personal,
    } personal(reason)

    /// A revisit try failed.
    RevisitAttempted {
        /// The method.
        method: RevisitMethod,
        /// The result: not reached, or no answer.
        outcome: Satisfaction,
        /// The number of the try in this cycle, from 1.
        attempt: u16,
    } personal()

    /// 回访: the customer was revisited.
    Revisited {
        /// The method.
        method: RevisitMethod,
        /// The result.
        outcome: Satisfaction,
        /// The reasons of a dissatisfied customer; empty otherwise.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reasons: Vec<DissatisfactionReason>,
        /// The customer's comment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<Personal>,
    } personal(comment)

    /// The ticket was reopened.
    Reopened {
        /// The cycle that begins, from 2.
        cycle: u16,
        /// The reason.
        reason: Personal,
    } personal(reason)

    /// 归档: the ticket was archived.
    Closed {
        /// The explanation given to a customer who stays dissatisfied.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        explanation: Option<Personal>,
    } personal(explanation)

    /// 催办: the customer urged the ticket.
    Urged {
        /// The number of the urge, from 1.
        count: u16,
        /// The reason, in the customer's words.
        reason: Personal,
    } personal(reason)

    /// 督办: the ticket was put under supervision.
    Supervised {
        /// The supervising unit.
        by: OrgPath,
        /// The demand.
        demand: Personal,
    } personal(demand)

    /// 升级: the ticket was escalated.
    Escalated {
        /// The escalation.
        to: Escalation,
        /// The reason.
        reason: Personal,
    } personal(reason)

    /// 挂起: the work was suspended.
    Suspended {
        /// The reason.
        reason: SuspendReason,
        /// The expected end of the suspension.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// An explanation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal>,
    } personal(note)

    /// 恢复: the work was resumed.
    Resumed {} personal()

    /// 延期: the deadline was extended.
    Extended {
        /// The new deadline.
        until: Timestamp,
        /// The present state and the next steps.
        reason: Personal,
    } personal(reason)

    /// 合并: the ticket became the child of a master.
    Merged {
        /// The master.
        master: TicketId,
        /// The evidence that both tickets have the same cause.
        evidence: Personal,
    } personal(evidence)

    /// The child was detached from its master.
    Unmerged {
        /// The former master.
        master: TicketId,
        /// The reason.
        reason: Personal,
    } personal(reason)

    /// The master recorded a child.
    ChildAdopted {
        /// The child.
        child: TicketId,
    } personal()

    /// The master removed a child.
    ChildReleased {
        /// The child.
        child: TicketId,
    } personal()

    /// The child took over its master's outcome.
    MasterFollowed {
        /// The master.
        master: TicketId,
        /// The instant at which power returned, if the master's crew reported it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        restored: Option<Timestamp>,
    } personal()

    /// 撤销: the customer withdrew the ticket.
    Withdrawn {
        /// The reason.
        reason: Personal,
    } personal(reason)

    /// Personal data was shown to the actor of this fact.
    PersonalRevealed {
        /// The purpose.
        purpose: String,
    } personal()

    /// 派工: the ticket was offered to a crew.
    Offered {
        /// The offer.
        offer: OfferId,
        /// Attempt number, from 1, over the life of the ticket.
        attempt: u32,
        /// The crew that it was made to.
        crew: CrewId,
        /// The revision of the crew's reservation event.
        fence: u64,
        /// The end of the lease.
        lease_until: Timestamp,
        /// True for life safety or an important customer.
        #[serde(default)]
        priority: bool,
        /// The person who chose the crew; absent when the dispatcher did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        forced: Option<Forced>,
    } personal()

    /// The crew accepted the offer. The dispatch to the crew follows in the same append.
    OfferAccepted {
        /// The offer.
        offer: OfferId,
        /// The crew.
        crew: CrewId,
        /// The actor that accepted first. If the same actor accepts again, the command succeeds without events.
        by: String,
    } personal()

    /// An offer ended without being accepted.
    OfferEnded {
        /// The offer.
        offer: OfferId,
        /// The crew that it was made to.
        crew: CrewId,
        /// The way in which it ended.
        how: OfferEnd,
        /// The reason, if the crew declined.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<DeclineReason>,
        /// An explanation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal>,
    } personal(note)

    /// The crew handed the ticket over. The reassignment to the previous unit follows in the same append.
    HandedOver {
        /// The crew.
        crew: CrewId,
        /// The required skills.
        needs: Skills,
        /// The crew's findings.
        note: Personal,
    } personal(note)

    /// The crew was recalled. The reassignment to the previous unit follows in the same append.
    Recalled {
        /// The crew.
        crew: CrewId,
        /// The reason.
        reason: Personal,
    } personal(reason)

    /// A person chose the crew, or left the choice to the dispatcher again.
    Pinned {
        /// The crew; absent when the dispatcher decides.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        crew: Option<CrewId>,
        /// The person.
        forced: Forced,
        /// The reason.
        reason: Personal,
    } personal(reason)
}
