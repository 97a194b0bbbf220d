//! The rejections of ticket commands: values with data. `wire` words them.

use chrono::TimeDelta;

use crate::{
    Timestamp, Violation,
    crew::OfferId,
    organisation::{Level, OrgPath},
    ticket::{
        TicketId,
        moves::{Move, MoveSet},
        state::{CrewProgress, Stage},
        vocabulary::{BusinessType, Grade},
    },
};

/// Why a command was rejected.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// The command is invalid in any state; all violations are listed.
    Invalid(Vec<Violation>),
    /// The ticket does not exist.
    NotFound,
    /// The move is not legal in the ticket's state.
    IllegalMove {
        /// The requested move.
        asked: Move,
        /// The ticket's stage.
        stage: Stage,
        /// The ticket's business type.
        business: BusinessType,
        /// True when the ticket is a child.
        merged: bool,
        /// True when it is suspended.
        suspended: bool,
        /// The moves that are legal now.
        legal: MoveSet,
    },
    /// The target lies outside the holder; or a person chose another crew for the ticket.
    OutsideHolder {
        /// The holder, or the chosen crew.
        holder: OrgPath,
        /// The target.
        to: OrgPath,
    },
    /// Tickets of this type cannot be dispatched from that level to this one in one step.
    WrongLevel {
        /// Business type.
        business: BusinessType,
        /// The level of the holder.
        from: Level,
        /// The level of the target.
        to: Level,
    },
    /// The target already holds the ticket.
    AlreadyHeld {
        /// The holder.
        holder: OrgPath,
    },
    /// The actor's unit is neither the holder nor above it.
    NotTheHolder {
        /// The unit that must act.
        holder: OrgPath,
        /// The actor's unit.
        actor: OrgPath,
    },
    /// Reassigning requires a unit that contains both the holder and the target.
    NotCommonParent {
        /// The actor's unit.
        actor: OrgPath,
    },
    /// Only a unit above the holder may do this.
    NotAbove {
        /// The holder.
        holder: OrgPath,
        /// The actor's unit.
        actor: OrgPath,
    },
    /// The crew already reported this step. The engine also gets this when it recalls a crew that is on site.
    AlreadyReported {
        /// The step.
        step: CrewProgress,
        /// The instant at which the step happened.
        at: Timestamp,
    },
    /// A resolved reply requires that power was restored.
    NotRestored,
    /// The times on record contradict each other, so the reply cannot pass the audit.
    TimesContradict {
        /// The name of the instant that must be earlier.
        earlier: &'static str,
        /// That instant.
        earlier_at: Timestamp,
        /// The name of the instant that must be later.
        later: &'static str,
        /// That instant.
        later_at: Timestamp,
    },
    /// The actor's unit cannot audit the reply now.
    NotAnAuditor {
        /// The unit that audits next; the units above it in the chain may also audit.
        next: OrgPath,
    },
    /// No revisit call may begin in this window of China Standard Time.
    QuietHours {
        /// Start of the window, in minutes after midnight.
        from_minute: u32,
        /// End of the window, in minutes after midnight.
        to_minute: u32,
    },
    /// The previous try was too recent.
    TooSoon {
        /// The move that must wait.
        what: Move,
        /// Minimum time between two of them.
        spacing: TimeDelta,
        /// The earliest permitted instant.
        next: Timestamp,
    },
    /// The maximum number of these moves is reached.
    Exhausted {
        /// The move.
        what: Move,
        /// The maximum.
        max: u16,
    },
    /// A grade can only be raised.
    NotHigher {
        /// The present grade.
        current: Grade,
    },
    /// The ticket is already urgent.
    AlreadyUrgent,
    /// Only an opinion can become a complaint, and only a complaint has a grade.
    NotEscalable {
        /// Business type.
        business: BusinessType,
    },
    /// The new deadline is not later than the present extension.
    NotLater {
        /// The present extension.
        current: Timestamp,
    },
    /// A child cannot become a master.
    MasterIsChild {
        /// The master of the child.
        master: TicketId,
    },
    /// The child is already adopted; or, for a release, it is not a child of this ticket.
    ChildUnchanged {
        /// The child.
        child: TicketId,
    },
    /// The ticket is the child of another master, or of none.
    AnotherMaster {
        /// Its master, if any.
        master: Option<TicketId>,
    },
    /// The customer is dissatisfied: closing requires an explanation.
    ExplanationNeeded,
    /// The offer cannot be answered: it ended, or another crew holds the ticket.
    OfferNotLive {
        /// The offer.
        offer: OfferId,
        /// The crew that holds the ticket, if one does.
        taken_by: Option<OrgPath>,
    },
    /// Another member of the crew accepted the offer first.
    OfferTaken {
        /// The actor who accepted it.
        by: String,
    },
    /// The offer was made to another crew.
    NotYourOffer {
        /// The actor's unit.
        actor: OrgPath,
    },
    /// The fence belongs to an older reservation.
    StaleFence {
        /// The current fence.
        current: u64,
    },
    /// The attempt number is not the next one.
    StaleAttempt {
        /// The number of offers made so far.
        attempts: u32,
    },
    /// The maximum number of live offers is reached, or the crew already has one.
    OffersLive {
        /// The maximum.
        max: usize,
    },
    /// Only the dispatch process may send this command.
    EngineOnly,
    /// This role may not learn who made a confidential report or complaint.
    Confidential,
}
