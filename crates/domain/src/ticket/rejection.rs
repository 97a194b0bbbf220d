//! Why a command is not accepted: a description of the world with its data, worded elsewhere.

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

/// Why not.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// The command cannot be accepted in any state; every violation is listed.
    Invalid(Vec<Violation>),
    /// There is no such ticket.
    NotFound,
    /// The ticket's state does not admit this move; these are the ones it admits.
    IllegalMove {
        /// What was asked.
        asked: Move,
        /// The ticket's stage.
        stage: Stage,
        /// The ticket's business type.
        business: BusinessType,
        /// Whether it waits as a child.
        merged: bool,
        /// Whether it is suspended.
        suspended: bool,
        /// What may be asked now.
        legal: MoveSet,
    },
    /// The unit lies outside the present holder; or it is offered a ticket for which a person chose another crew.
    OutsideHolder {
        /// The holder, or the chosen crew.
        holder: OrgPath,
        /// The unit named.
        to: OrgPath,
    },
    /// Tickets of this type do not go to that level at once.
    WrongLevel {
        /// Business type.
        business: BusinessType,
        /// From this level.
        from: Level,
        /// To that level.
        to: Level,
    },
    /// The unit already holds it.
    AlreadyHeld {
        /// The holder.
        holder: OrgPath,
    },
    /// The one who asks does not stand for the unit that must act.
    NotTheHolder {
        /// The unit that must act.
        holder: OrgPath,
        /// The unit the actor stands for.
        actor: OrgPath,
    },
    /// To move work between units one must stand above both.
    NotCommonParent {
        /// The unit the actor stands for.
        actor: OrgPath,
    },
    /// Only a unit above the holder may do this.
    NotAbove {
        /// The holder.
        holder: OrgPath,
        /// The unit the actor stands for.
        actor: OrgPath,
    },
    /// The crew reported this step before: it does not happen twice, and the engine calls nobody back who is on site.
    AlreadyReported {
        /// The step.
        step: CrewProgress,
        /// When it happened.
        at: Timestamp,
    },
    /// Power is not back: a resolved reply needs the restoration first.
    NotRestored,
    /// The times in the record contradict each other; the reply cannot pass.
    TimesContradict {
        /// What should have come first.
        earlier: &'static str,
        /// Its time.
        earlier_at: Timestamp,
        /// What should have come after.
        later: &'static str,
        /// Its time.
        later_at: Timestamp,
    },
    /// This unit has no part in the audit now.
    NotAnAuditor {
        /// The unit whose turn it is; those above it in the chain may act too.
        next: OrgPath,
    },
    /// Revisit calls rest in this window of China Standard Time.
    QuietHours {
        /// Start of the window, minutes after midnight.
        from_minute: u32,
        /// End of the window, minutes after midnight.
        to_minute: u32,
    },
    /// The last try was too short a time ago.
    TooSoon {
        /// What must wait.
        what: Move,
        /// Least time between two of them.
        spacing: TimeDelta,
        /// From when it is possible.
        next: Timestamp,
    },
    /// No more of that for this ticket.
    Exhausted {
        /// What.
        what: Move,
        /// The most.
        max: u16,
    },
    /// A grade can only rise.
    NotHigher {
        /// The grade it has.
        current: Grade,
    },
    /// It is urgent already.
    AlreadyUrgent,
    /// Only an opinion becomes a complaint; only a complaint has a grade.
    NotEscalable {
        /// Business type.
        business: BusinessType,
    },
    /// An extension must reach beyond the present one.
    NotLater {
        /// The present one.
        current: Timestamp,
    },
    /// A child cannot be a master.
    MasterIsChild {
        /// Its master.
        master: TicketId,
    },
    /// The child is adopted already, or was never.
    ChildUnchanged {
        /// The child.
        child: TicketId,
    },
    /// It follows another master.
    AnotherMaster {
        /// Its master, if any.
        master: Option<TicketId>,
    },
    /// A customer who stays dissatisfied is owed an explanation before closing.
    ExplanationNeeded,
    /// That offer cannot be accepted, declined or ended: it ended, or another crew has the ticket.
    OfferNotLive {
        /// The offer.
        offer: OfferId,
        /// Who has the ticket instead, if a crew has it.
        taken_by: Option<OrgPath>,
    },
    /// Another of the crew accepted the offer before.
    OfferTaken {
        /// That actor.
        by: String,
    },
    /// The offer was made to another crew.
    NotYourOffer {
        /// The unit the actor stands for.
        actor: OrgPath,
    },
    /// The fence belongs to an older reservation.
    StaleFence {
        /// The one that counts.
        current: u64,
    },
    /// The offer is not the next one of the ticket.
    StaleAttempt {
        /// How many there were.
        attempts: u32,
    },
    /// No more offers may be live at once, or the crew has one.
    OffersLive {
        /// The most.
        max: usize,
    },
    /// Only the engine's own dispatch process says this.
    EngineOnly,
    /// The complainant's identity is kept from this role.
    Confidential,
}
