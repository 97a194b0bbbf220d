//! The commands to a ticket. Each makes one move; `moves.rs` says when a move is legal.

use crate::{
    Timestamp,
    crew::{CrewId, DeclineReason, Forced, OfferEnd, OfferId, Skills},
    organisation::OrgPath,
    personal::Personal,
    ticket::{
        TicketId,
        moves::Move,
        vocabulary::{
            BusinessType, Category, Channel, ContactOutcome, DissatisfactionReason, Escalation, ExternalRef, Grade,
            Ownership, Place, Premises, ReplyOutcome, ReturnReason, RevisitMethod, Satisfaction, Step, SuspendReason,
            Tier, Urgency,
        },
    },
};

/// A command to one ticket.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Opens the ticket.
    Receive(Box<Receive>),
    /// Adds information that the customer gave later.
    Supplement {
        /// The added text.
        content: Personal,
    },
    /// Sets the category, the urgency and the complaint grade.
    Classify {
        /// The corrected business type; `None` keeps it.
        business: Option<BusinessType>,
        /// The accepted category.
        category: Category,
        /// The urgency.
        urgency: Urgency,
        /// The complaint grade: required for a complaint, not permitted otherwise.
        grade: Option<Grade>,
    },
    /// Answers the caller during the call, and closes the ticket.
    CloseAtFirstContact {
        /// The answer given.
        answer: Personal,
    },
    /// Dispatches the ticket to a unit within the holder.
    Dispatch {
        /// The unit.
        to: OrgPath,
    },
    /// The holder accepts the ticket.
    Accept,
    /// The holder returns the ticket one level, before accepting it.
    Return {
        /// The reason.
        reason: ReturnReason,
        /// An explanation; for a wrong area it names the likely unit.
        note: Personal,
    },
    /// Moves the ticket to another unit. The actor's unit must contain both units.
    Reassign {
        /// The new holder.
        to: OrgPath,
        /// The reason.
        reason: Personal,
    },
    /// The crew reports a step of its work.
    ReportProgress(Step),
    /// Records a contact with the customer.
    Contact {
        /// The result of the contact.
        outcome: ContactOutcome,
        /// Notes on the contact.
        note: Option<Personal>,
    },
    /// The holder reports the work done.
    Reply(Box<Reply>),
    /// A unit of the chain audits the reply.
    AuditReply {
        /// The verdict.
        verdict: Verdict,
    },
    /// Records one try to ask the customer about the result.
    Revisit {
        /// The method.
        method: RevisitMethod,
        /// The result.
        outcome: Satisfaction,
        /// The reasons of a dissatisfied customer; empty otherwise.
        reasons: Vec<DissatisfactionReason>,
        /// The customer's comment.
        comment: Option<Personal>,
    },
    /// Reopens the ticket: its work starts again.
    Reopen {
        /// The reason.
        reason: Personal,
    },
    /// Archives the ticket.
    Close {
        /// The explanation given to a customer who stays dissatisfied; required then.
        explanation: Option<Personal>,
    },
    /// Records that the customer urges the ticket.
    Urge {
        /// The reason, in the customer's words.
        reason: Personal,
    },
    /// A unit above the holder supervises the ticket.
    Supervise {
        /// The demand.
        demand: Personal,
    },
    /// Escalates the ticket.
    Escalate {
        /// The escalation.
        to: Escalation,
        /// The reason.
        reason: Personal,
    },
    /// Suspends the work.
    Suspend {
        /// The reason.
        reason: SuspendReason,
        /// When the work is expected to continue.
        until: Option<Timestamp>,
        /// An explanation.
        note: Option<Personal>,
    },
    /// Resumes the work.
    Resume,
    /// Extends the deadline.
    Extend {
        /// The new deadline.
        until: Timestamp,
        /// The present state and the next steps.
        reason: Personal,
    },
    /// Makes the ticket the child of a master ticket.
    Merge {
        /// The master.
        master: TicketId,
        /// The evidence that both tickets have the same cause. Outage tickets are merged only after verification (mark
        /// U).
        evidence: Personal,
    },
    /// Detaches the ticket from its master.
    Unmerge {
        /// The reason.
        reason: Personal,
    },
    /// Records a child on its master.
    AdoptChild {
        /// The child.
        child: TicketId,
    },
    /// Removes a child from its master.
    ReleaseChild {
        /// The child.
        child: TicketId,
    },
    /// Applies the outcome of the master to a child.
    FollowMaster {
        /// The master.
        master: TicketId,
        /// When power returned, as the master's crew reported it.
        restored: Option<Timestamp>,
    },
    /// The customer withdraws the ticket.
    Withdraw {
        /// The reason.
        reason: Personal,
    },
    /// Shows personal data to the actor, and records that.
    Reveal {
        /// The purpose.
        purpose: String,
    },
    /// Offers the ticket to a crew with a reservation for it. Only the dispatch process may send this.
    Offer(Box<Offer>),
    /// The crew accepts the offer.
    AcceptOffer {
        /// The offer.
        offer: OfferId,
        /// The fence that the offer carried.
        fence: u64,
    },
    /// The crew declines the offer.
    DeclineOffer {
        /// The offer.
        offer: OfferId,
        /// The fence that the offer carried.
        fence: u64,
        /// The reason.
        reason: DeclineReason,
        /// An explanation.
        note: Option<Personal>,
    },
    /// Ends the offer, because it expired or is withdrawn. Only the dispatch process may send this.
    EndOffer {
        /// The offer.
        offer: OfferId,
        /// The way in which it ended.
        how: OfferEnd,
    },
    /// The crew hands the ticket over, because other skills are needed.
    HandOver {
        /// The required skills.
        needs: Skills,
        /// The crew's findings.
        note: Personal,
    },
    /// A unit above the crew recalls the ticket; it returns to the unit that held it before the crew.
    Recall {
        /// The crew to recall. If the ticket is held by another crew, the command is rejected, so that a caller with an
        /// old state does not recall the wrong crew.
        crew: Option<CrewId>,
        /// The reason.
        reason: Personal,
    },
    /// A person chooses the crew, or leaves the choice to the dispatcher again.
    Pin {
        /// The crew; `None` leaves the choice to the dispatcher.
        crew: Option<CrewId>,
        /// The reason.
        reason: Personal,
    },
}

/// The data of a received ticket (受理). Source: the national work-order table and the fault-ticket fields of three
/// provinces (mark S).
#[derive(Clone, Debug, PartialEq)]
pub struct Receive {
    /// The ticket number, allocated by the engine.
    pub number: String,
    /// Business type.
    pub business: BusinessType,
    /// The channel of the report.
    pub channel: Channel,
    /// The unit that receives it. Tickets may be received at any level.
    pub received_by: OrgPath,
    /// The caller.
    pub caller: Caller,
    /// The customer's tier, if known.
    pub tier: Option<Tier>,
    /// Service address (用电地址).
    pub address: Option<Personal>,
    /// The content of the report (受理内容).
    pub content: Personal,
    /// The place on the grid.
    pub place: Place,
    /// Single or multiple premises.
    pub premises: Option<Premises>,
    /// The number of customers without power, if known.
    pub customers_out: Option<u32>,
    /// True when the caller asks that the handling units do not learn the caller's identity.
    pub confidential: bool,
    /// The id of the call in the telephone system.
    pub call_id: Option<String>,
    /// The end of the call. Dispatch clocks start here.
    pub hung_up_at: Option<Timestamp>,
    /// The appointment with the customer (约时), if any.
    pub appointment: Option<Timestamp>,
    /// The number that another system gave to the ticket.
    pub external: Option<ExternalRef>,
    /// The ticket that this one belongs to (only for an urge).
    pub linked: Option<TicketId>,
}

/// The caller. Either anonymous, with no other field set, or with at least one way to find the customer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Caller {
    /// True when the caller wants to stay anonymous.
    pub anonymous: bool,
    /// The customer's name.
    pub name: Option<Personal>,
    /// The customer's phone number.
    pub phone: Option<Personal>,
    /// Account number (户号).
    pub account: Option<Personal>,
    /// Keyed hash of the phone number, computed by the engine, to recognise repeated callers.
    pub phone_key: Option<String>,
    /// Keyed hash of the account number, computed by the engine.
    pub account_key: Option<String>,
}

/// The reply slip (回单).
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The outcome of the work.
    pub outcome: ReplyOutcome,
    /// The facts that were found.
    pub facts: Personal,
    /// The cause of the trouble.
    pub cause: String,
    /// The work done.
    pub measures: Personal,
    /// The customer's opinion.
    pub customer_view: Option<Personal>,
    /// The confirmed category.
    pub category: Category,
    /// The owner of the faulty equipment.
    pub ownership: Option<Ownership>,
    /// For complaints and reports: true when the claim was substantiated (属实).
    pub substantiated: Option<bool>,
}

/// An offer to a crew (派工): an assignment that the crew may decline for cause, with a lease.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// The id of the offer.
    pub offer: OfferId,
    /// Attempt number, from 1, over the life of the ticket.
    pub attempt: u32,
    /// The crew.
    pub crew: CrewId,
    /// The revision of the crew's reservation event.
    pub fence: u64,
    /// The end of the lease.
    pub lease_until: Timestamp,
    /// True for life safety or an important customer.
    pub priority: bool,
    /// The person who chose the crew; `None` when the dispatcher did.
    pub forced: Option<Forced>,
}

/// The verdict of an audit of a reply (回单审核).
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The reply is accepted.
    Passed {
        /// The final category, if it differs from the confirmed one.
        category: Option<Category>,
    },
    /// The reply is sent back for another investigation (回退).
    SentBack {
        /// The reason.
        reason: Personal,
    },
}

impl Command {
    /// The move that this command makes.
    #[must_use]
    pub fn as_move(&self) -> Move {
        match self {
            Self::Receive(_) => Move::Receive,
            Self::Supplement { .. } => Move::Supplement,
            Self::Classify { .. } => Move::Classify,
            Self::CloseAtFirstContact { .. } => Move::CloseAtFirstContact,
            Self::Dispatch { .. } => Move::Dispatch,
            Self::Accept => Move::Accept,
            Self::Return { .. } => Move::Return,
            Self::Reassign { .. } => Move::Reassign,
            Self::ReportProgress(_) => Move::ReportProgress,
            Self::Contact { .. } => Move::Contact,
            Self::Reply(_) => Move::Reply,
            Self::AuditReply { .. } => Move::AuditReply,
            Self::Revisit { .. } => Move::Revisit,
            Self::Reopen { .. } => Move::Reopen,
            Self::Close { .. } => Move::Close,
            Self::Urge { .. } => Move::Urge,
            Self::Supervise { .. } => Move::Supervise,
            Self::Escalate { .. } => Move::Escalate,
            Self::Suspend { .. } => Move::Suspend,
            Self::Resume => Move::Resume,
            Self::Extend { .. } => Move::Extend,
            Self::Merge { .. } => Move::Merge,
            Self::Unmerge { .. } => Move::Unmerge,
            Self::AdoptChild { .. } => Move::AdoptChild,
            Self::ReleaseChild { .. } => Move::ReleaseChild,
            Self::FollowMaster { .. } => Move::FollowMaster,
            Self::Withdraw { .. } => Move::Withdraw,
            Self::Reveal { .. } => Move::Reveal,
            Self::Offer(_) => Move::Offer,
            Self::AcceptOffer { .. } => Move::AcceptOffer,
            Self::DeclineOffer { .. } => Move::DeclineOffer,
            Self::EndOffer { .. } => Move::EndOffer,
            Self::HandOver { .. } => Move::HandOver,
            Self::Recall { .. } => Move::Recall,
            Self::Pin { .. } => Move::Pin,
        }
    }
}
