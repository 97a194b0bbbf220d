//! What happened to a ticket, in the past tense. These structs are also the stored JSON payloads: a field may be added
//! if it is optional, never renamed, removed or given another meaning; that is a new kind (`wire` names the kinds).

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
    /// 受理: the ticket exists.
    Received {
        /// The number that people use.
        number: String,
        /// Business type.
        business: BusinessType,
        /// Channel.
        channel: Channel,
        /// The unit that received it; its first segment is the operator.
        received_by: OrgPath,
        /// Whether nobody knows who spoke.
        #[serde(default)]
        anonymous: bool,
        /// Whether the one who spoke is hidden from the units that handle it.
        #[serde(default)]
        confidential: bool,
        /// Name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caller_name: Option<Personal>,
        /// Phone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caller_phone: Option<Personal>,
        /// Account number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caller_account: Option<Personal>,
        /// Keyed hash of the phone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone_key: Option<String>,
        /// Keyed hash of the account number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account_key: Option<String>,
        /// The customer's tier as known then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tier: Option<Tier>,
        /// Service address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<Personal>,
        /// What is the matter.
        content: Personal,
        /// Where on the grid.
        #[serde(default)]
        place: Place,
        /// Single or multiple premises.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        premises: Option<Premises>,
        /// Customers without power.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customers_out: Option<u32>,
        /// The call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        call_id: Option<String>,
        /// End of the call.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hung_up_at: Option<Timestamp>,
        /// The instant agreed with the customer (约时).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        appointment: Option<Timestamp>,
        /// Another system's number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        external: Option<ExternalRef>,
        /// The ticket that it belongs to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        linked: Option<TicketId>,
    } personal(caller_name, caller_phone, caller_account, address, content)

    /// 补充: the customer added something.
    Supplemented {
        /// What.
        content: Personal,
    } personal(content)

    /// 分类定级: what it is about.
    Classified {
        /// Business type as classified.
        business: BusinessType,
        /// The accepted category.
        category: Category,
        /// Urgency.
        urgency: Urgency,
        /// Complaint grade.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grade: Option<Grade>,
    } personal()

    /// 办结: answered and closed while the caller waited.
    ClosedAtFirstContact {
        /// What the caller was told.
        answer: Personal,
    } personal(answer)

    /// 派发: sent to a unit.
    Dispatched {
        /// From this holder.
        from: OrgPath,
        /// To this one.
        to: OrgPath,
    } personal()

    /// 接单: the holder took it.
    Accepted {
        /// The holder.
        by: OrgPath,
    } personal()

    /// 退单: given back one level.
    Returned {
        /// By this holder.
        from: OrgPath,
        /// To this one.
        to: OrgPath,
        /// Why.
        reason: ReturnReason,
        /// In words.
        note: Personal,
    } personal(note)

    /// 改派: moved to another unit.
    Reassigned {
        /// From this holder.
        from: OrgPath,
        /// To this one.
        to: OrgPath,
        /// Why.
        reason: Personal,
    } personal(reason)

    /// The crew took the job (接单).
    CrewAccepted {
        /// The crew.
        crew: OrgPath,
    } personal()

    /// The crew left (出发).
    CrewEnRoute {
        /// The crew.
        crew: OrgPath,
    } personal()

    /// The crew is on site (到达现场).
    CrewArrived {
        /// The crew.
        crew: OrgPath,
        /// Kind of area found there, if it was reported.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        area: Option<Area>,
    } personal()

    /// The crew knows the cause (研判).
    CrewDiagnosed {
        /// The crew.
        crew: OrgPath,
        /// What it found.
        finding: Personal,
        /// The category as found.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<Category>,
    } personal(finding)

    /// A restoration time was promised (预计复电时间).
    EtrSet {
        /// The crew that promised.
        crew: OrgPath,
        /// The instant.
        etr: Timestamp,
    } personal()

    /// Power is back (修复).
    CrewRestored {
        /// The crew.
        crew: OrgPath,
    } personal()

    /// 联系客户: the handler spoke, or tried to.
    Contacted {
        /// Whether it worked.
        outcome: ContactOutcome,
        /// What was said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal>,
    } personal(note)

    /// 回单: the work was reported done.
    Replied {
        /// By this holder.
        by: OrgPath,
        /// What it came to.
        outcome: ReplyOutcome,
        /// The facts found.
        facts: Personal,
        /// The cause.
        cause: String,
        /// What was done.
        measures: Personal,
        /// The customer's view.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer_view: Option<Personal>,
        /// The confirmed category.
        category: Category,
        /// Whose it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ownership: Option<Ownership>,
        /// Whether it was found true.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        substantiated: Option<bool>,
    } personal(facts, measures, customer_view)

    /// 审核通过: a unit of the chain passed the reply.
    ReplyPassed {
        /// That unit.
        by: OrgPath,
        /// Whether it was the last that had to.
        last: bool,
        /// The settled category, from the last unit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        category: Option<Category>,
    } personal()

    /// 回退: a unit of the chain sent the reply back.
    ReplySentBack {
        /// That unit.
        by: OrgPath,
        /// Why.
        reason: Personal,
    } personal(reason)

    /// A revisit was tried in vain.
    RevisitAttempted {
        /// How.
        method: RevisitMethod,
        /// What it brought: nobody reached, or no answer.
        outcome: Satisfaction,
        /// Which try in this cycle, from 1.
        attempt: u16,
    } personal()

    /// 回访: the revisit is done.
    Revisited {
        /// How.
        method: RevisitMethod,
        /// What it brought.
        outcome: Satisfaction,
        /// Why dissatisfied.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        reasons: Vec<DissatisfactionReason>,
        /// What the customer said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        comment: Option<Personal>,
    } personal(comment)

    /// Taken up again.
    Reopened {
        /// The cycle that begins, from 2.
        cycle: u16,
        /// Why.
        reason: Personal,
    } personal(reason)

    /// 归档: filed away.
    Closed {
        /// What was explained to a customer who stays dissatisfied.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        explanation: Option<Personal>,
    } personal(explanation)

    /// 催办: the customer pressed.
    Urged {
        /// Which urge, from 1.
        count: u16,
        /// In the customer's words.
        reason: Personal,
    } personal(reason)

    /// 督办: put under supervision.
    Supervised {
        /// By this unit.
        by: OrgPath,
        /// What is demanded.
        demand: Personal,
    } personal(demand)

    /// 升级: raised.
    Escalated {
        /// To what.
        to: Escalation,
        /// Why.
        reason: Personal,
    } personal(reason)

    /// 挂起: the work waits.
    Suspended {
        /// For what.
        reason: SuspendReason,
        /// Expected end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// In words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal>,
    } personal(note)

    /// 恢复: the work goes on.
    Resumed {} personal()

    /// 延期: more time was granted.
    Extended {
        /// Until when.
        until: Timestamp,
        /// Present state and next steps.
        reason: Personal,
    } personal(reason)

    /// 合并: became a child.
    Merged {
        /// Of this master.
        master: TicketId,
        /// What verified it.
        evidence: Personal,
    } personal(evidence)

    /// Stands on its own again.
    Unmerged {
        /// The former master.
        master: TicketId,
        /// Why.
        reason: Personal,
    } personal(reason)

    /// A master took note of a child.
    ChildAdopted {
        /// The child.
        child: TicketId,
    } personal()

    /// A master took note that a child left.
    ChildReleased {
        /// The child.
        child: TicketId,
    } personal()

    /// A child took over its master's outcome.
    MasterFollowed {
        /// The master.
        master: TicketId,
        /// When power came back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        restored: Option<Timestamp>,
    } personal()

    /// 撤销: the customer took it back.
    Withdrawn {
        /// Why.
        reason: Personal,
    } personal(reason)

    /// Personal data was shown to somebody: who, is in the fact's actor.
    PersonalRevealed {
        /// For what.
        purpose: String,
    } personal()

    /// 派工: offered to a crew.
    Offered {
        /// The offer.
        offer: OfferId,
        /// The how-manieth of the ticket.
        attempt: u32,
        /// To whom.
        crew: CrewId,
        /// The revision of the crew's reservation.
        fence: u64,
        /// When its lease ends.
        lease_until: Timestamp,
        /// For life safety or an important customer.
        #[serde(default)]
        priority: bool,
        /// The person who chose the crew, if one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        forced: Option<Forced>,
    } personal()

    /// A crew took the offer; the dispatch to it follows in the same append.
    OfferAccepted {
        /// The offer.
        offer: OfferId,
        /// The crew.
        crew: CrewId,
        /// The actor who accepted first: who repeats it gets the same answer.
        by: String,
    } personal()

    /// An offer ended without being accepted.
    OfferEnded {
        /// The offer.
        offer: OfferId,
        /// To whom it was made.
        crew: CrewId,
        /// How.
        how: OfferEnd,
        /// Why it was declined.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<DeclineReason>,
        /// In words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Personal>,
    } personal(note)

    /// The crew needs others to finish it; the reassignment to the unit before follows in the same append.
    HandedOver {
        /// The crew.
        crew: CrewId,
        /// The skills that it takes.
        needs: Skills,
        /// What was found.
        note: Personal,
    } personal(note)

    /// The crew was called back; the reassignment to the unit before follows in the same append.
    Recalled {
        /// The crew.
        crew: CrewId,
        /// Why.
        reason: Personal,
    } personal(reason)

    /// A person said which crew it is for, or that the plan decides again.
    Pinned {
        /// The crew; the plan decides when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        crew: Option<CrewId>,
        /// Who said so.
        forced: Forced,
        /// Why.
        reason: Personal,
    } personal(reason)
}
