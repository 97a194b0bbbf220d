//! What somebody may ask of a ticket, in the imperative. One move each; see `moves.rs` for when.

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
    /// Adds what the customer said later.
    Supplement {
        /// What was added.
        content: Personal,
    },
    /// Says what it is about, how urgent and how grave.
    Classify {
        /// A corrected business type.
        business: Option<BusinessType>,
        /// The category as accepted.
        category: Category,
        /// Urgency.
        urgency: Urgency,
        /// Grade: complaints need one, nothing else has one.
        grade: Option<Grade>,
    },
    /// Answers and closes while the caller waits.
    CloseAtFirstContact {
        /// What the caller was told.
        answer: Personal,
    },
    /// Sends it on to a unit within the present holder.
    Dispatch {
        /// That unit.
        to: OrgPath,
    },
    /// The holder takes it.
    Accept,
    /// The holder gives it back one level, before taking it.
    Return {
        /// Why.
        reason: ReturnReason,
        /// In words; for a wrong area it names the likely one.
        note: Personal,
    },
    /// Moves it from the present holder to another unit; the one who asks stands above both.
    Reassign {
        /// The new holder.
        to: OrgPath,
        /// Why.
        reason: Personal,
    },
    /// The crew reports a step.
    ReportProgress(Step),
    /// Records a contact with the customer.
    Contact {
        /// Whether it worked.
        outcome: ContactOutcome,
        /// What was said.
        note: Option<Personal>,
    },
    /// The holder reports the work done.
    Reply(Box<Reply>),
    /// A unit of the chain judges the reply.
    AuditReply {
        /// Passed, with the category as settled; or sent back with the reason.
        verdict: Verdict,
    },
    /// Records one try to ask the customer how it went.
    Revisit {
        /// How.
        method: RevisitMethod,
        /// What it brought.
        outcome: Satisfaction,
        /// Why dissatisfied; empty otherwise.
        reasons: Vec<DissatisfactionReason>,
        /// What the customer said.
        comment: Option<Personal>,
    },
    /// Takes it up again from the start of the work.
    Reopen {
        /// Why.
        reason: Personal,
    },
    /// Files it away.
    Close {
        /// Needed when the customer stays dissatisfied: what was explained.
        explanation: Option<Personal>,
    },
    /// The customer presses.
    Urge {
        /// In the customer's words.
        reason: Personal,
    },
    /// A unit above puts it under supervision.
    Supervise {
        /// What is demanded.
        demand: Personal,
    },
    /// Raises it.
    Escalate {
        /// To what.
        to: Escalation,
        /// Why.
        reason: Personal,
    },
    /// Lets the work wait.
    Suspend {
        /// For what.
        reason: SuspendReason,
        /// When it is expected to go on.
        until: Option<Timestamp>,
        /// In words.
        note: Option<Personal>,
    },
    /// Lets the work go on.
    Resume,
    /// Grants more time.
    Extend {
        /// Until when.
        until: Timestamp,
        /// Present state and next steps.
        reason: Personal,
    },
    /// Makes it the child of a master ticket.
    Merge {
        /// The master.
        master: TicketId,
        /// What verified that it is the same trouble (outage tickets are merged only after verification).
        evidence: Personal,
    },
    /// Lets it stand on its own again.
    Unmerge {
        /// Why.
        reason: Personal,
    },
    /// Tells a master of a child.
    AdoptChild {
        /// The child.
        child: TicketId,
    },
    /// Tells a master that a child left.
    ReleaseChild {
        /// The child.
        child: TicketId,
    },
    /// Carries the master's outcome over to a child.
    FollowMaster {
        /// The master.
        master: TicketId,
        /// When power came back, as the master's crew reported it.
        restored: Option<Timestamp>,
    },
    /// The customer takes it back.
    Withdraw {
        /// Why.
        reason: Personal,
    },
    /// Shows personal data to the one who asks, on the record.
    Reveal {
        /// For what.
        purpose: String,
    },
    /// Offers it to a crew whose time is kept for it. The dispatch process alone says this.
    Offer(Box<Offer>),
    /// The crew takes the offer.
    AcceptOffer {
        /// Which.
        offer: OfferId,
        /// The fence that the offer carried.
        fence: u64,
    },
    /// The crew declines the offer.
    DeclineOffer {
        /// Which.
        offer: OfferId,
        /// The fence that the offer carried.
        fence: u64,
        /// Why.
        reason: DeclineReason,
        /// In words.
        note: Option<Personal>,
    },
    /// The offer runs out, or is taken back. The dispatch process alone says this.
    EndOffer {
        /// Which.
        offer: OfferId,
        /// How.
        how: OfferEnd,
    },
    /// The crew hands it over: others are needed.
    HandOver {
        /// The skills that it takes.
        needs: Skills,
        /// What was found.
        note: Personal,
    },
    /// A unit above the crew calls it back; the ticket returns to the unit that held it before.
    Recall {
        /// The crew that is meant, by whoever goes by an older state: another one is not called back instead.
        crew: Option<CrewId>,
        /// Why.
        reason: Personal,
    },
    /// A person says which crew it is for, against or without the plan; or that the plan decides again.
    Pin {
        /// The crew; `None` leaves it to the plan.
        crew: Option<CrewId>,
        /// Why.
        reason: Personal,
    },
}

/// All that is known when a ticket is received (受理): the fields of the national and provincial work orders.
#[derive(Clone, Debug, PartialEq)]
pub struct Receive {
    /// The number that people use, allocated by the engine.
    pub number: String,
    /// Business type.
    pub business: BusinessType,
    /// Channel.
    pub channel: Channel,
    /// The unit that receives it, at any level.
    pub received_by: OrgPath,
    /// Who calls.
    pub caller: Caller,
    /// The customer's tier, where known.
    pub tier: Option<Tier>,
    /// Service address (用电地址).
    pub address: Option<Personal>,
    /// What is the matter, as told (受理内容).
    pub content: Personal,
    /// Where on the grid.
    pub place: Place,
    /// Single or multiple premises.
    pub premises: Option<Premises>,
    /// Customers without power, where known.
    pub customers_out: Option<u32>,
    /// Asks not to be named to the units that handle it.
    pub confidential: bool,
    /// The call, as the telephone system names it.
    pub call_id: Option<String>,
    /// When the call ended (dispatch clocks start here).
    pub hung_up_at: Option<Timestamp>,
    /// The instant agreed with the customer (约时), if one was.
    pub appointment: Option<Timestamp>,
    /// The number another system gave it.
    pub external: Option<ExternalRef>,
    /// The ticket that it belongs to (an urge's).
    pub linked: Option<TicketId>,
}

/// Who calls. All absent and `anonymous` set, or at least one way to find the customer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Caller {
    /// Does not want to be known.
    pub anonymous: bool,
    /// Name.
    pub name: Option<Personal>,
    /// Phone.
    pub phone: Option<Personal>,
    /// Account number (户号).
    pub account: Option<Personal>,
    /// Keyed hash of the phone, so that the same caller is recognised; made by the engine.
    pub phone_key: Option<String>,
    /// Keyed hash of the account number.
    pub account_key: Option<String>,
}

/// The reply slip (回单).
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// What it came to.
    pub outcome: ReplyOutcome,
    /// The facts found.
    pub facts: Personal,
    /// The cause.
    pub cause: String,
    /// What was done.
    pub measures: Personal,
    /// The customer's view.
    pub customer_view: Option<Personal>,
    /// Category as confirmed.
    pub category: Category,
    /// Whose it was.
    pub ownership: Option<Ownership>,
    /// For complaints and reports: whether it was found true (属实).
    pub substantiated: Option<bool>,
}

/// An offer to a crew (派工): an order with a right to refuse for cause, and a lease.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// Its identity.
    pub offer: OfferId,
    /// The how-manieth offer of the ticket, counted from 1 over its life.
    pub attempt: u32,
    /// To whom.
    pub crew: CrewId,
    /// The revision of the crew's reservation.
    pub fence: u64,
    /// When its lease ends.
    pub lease_until: Timestamp,
    /// For life safety or an important customer.
    pub priority: bool,
    /// The person who chose the crew, if one did.
    pub forced: Option<Forced>,
}

/// A unit's judgement on a reply (回单审核).
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Good; the category as settled, if it differs from the confirmed one.
    Passed {
        /// That category.
        category: Option<Category>,
    },
    /// To be investigated again (回退).
    SentBack {
        /// Why.
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
