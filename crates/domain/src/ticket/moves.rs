//! The legal moves of a ticket. This is the only such table: `decide` consults it first, rejections quote it, and
//! screens may show it.

use std::fmt;

use crate::{
    organisation::Level,
    ticket::{
        path::FirstStop,
        state::{Stage, State, Ticket},
        vocabulary::BusinessType,
    },
};

macro_rules! moves {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)+) => {
        /// A move is a command without its data.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Move { $($(#[$doc])* $variant,)+ }
        impl Move {
            /// All moves.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// The stable name. The API method has the same name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

moves! {
    /// Receive the ticket (受理).
    Receive = "receive",
    /// Add information (补充).
    Supplement = "supplement",
    /// Set category, urgency and grade (分类定级).
    Classify = "classify",
    /// Answer and close during the call (办结).
    CloseAtFirstContact = "close_at_first_contact",
    /// Dispatch to a unit within the holder (派发).
    Dispatch = "dispatch",
    /// Accept as the holder (接单).
    Accept = "accept",
    /// Return one level, before acceptance (退单).
    Return = "return",
    /// Move to another unit (改派).
    Reassign = "reassign",
    /// Report a step of the crew's work (抢修进程).
    ReportProgress = "report_progress",
    /// Record a contact with the customer (联系客户).
    Contact = "contact",
    /// Report the work done (回单).
    Reply = "reply",
    /// Audit the reply (回单审核).
    AuditReply = "audit_reply",
    /// Record a try to revisit the customer (回访).
    Revisit = "revisit",
    /// Start the work again (重新处理).
    Reopen = "reopen",
    /// Archive the ticket (归档).
    Close = "close",
    /// Record that the customer urges it (催办).
    Urge = "urge",
    /// Supervise from a unit above (督办).
    Supervise = "supervise",
    /// Raise type, grade or urgency (升级).
    Escalate = "escalate",
    /// Suspend the work (挂起).
    Suspend = "suspend",
    /// Resume the work (恢复).
    Resume = "resume",
    /// Extend the deadline (延期).
    Extend = "extend",
    /// Become the child of a master (合并).
    Merge = "merge",
    /// Leave the master (取消合并).
    Unmerge = "unmerge",
    /// Record a child on its master.
    AdoptChild = "adopt_child",
    /// Remove a child from its master.
    ReleaseChild = "release_child",
    /// Apply the master's outcome to a child.
    FollowMaster = "follow_master",
    /// Withdraw on the customer's request (撤销).
    Withdraw = "withdraw",
    /// Show personal data, and record that.
    Reveal = "reveal",
    /// Offer the ticket to a crew. Dispatch process only.
    Offer = "offer",
    /// Accept an offer.
    AcceptOffer = "accept_offer",
    /// Decline an offer (拒单).
    DeclineOffer = "decline_offer",
    /// End an offer that expired or is withdrawn. Dispatch process only.
    EndOffer = "end_offer",
    /// Hand over from the crew to others with the required skills.
    HandOver = "hand_over",
    /// Recall the ticket from its crew.
    Recall = "recall",
    /// Choose the crew by hand.
    Pin = "pin",
}

/// A set of moves.
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct MoveSet(u64);

impl MoveSet {
    /// The set of these moves.
    #[must_use]
    pub fn of(moves: &[Move]) -> Self {
        moves.iter().fold(Self::default(), |set, &m| set.with(m))
    }

    /// The set with `m` added.
    #[must_use]
    pub fn with(self, m: Move) -> Self {
        Self(self.0 | 1 << (m as u64))
    }

    /// The set with `m` added if `condition` holds.
    #[must_use]
    pub fn with_if(self, condition: bool, m: Move) -> Self {
        if condition { self.with(m) } else { self }
    }

    /// The set without these moves.
    #[must_use]
    pub fn without(self, moves: &[Move]) -> Self {
        Self(self.0 & !Self::of(moves).0)
    }

    /// True when `m` is in the set.
    #[must_use]
    pub fn contains(self, m: Move) -> bool {
        self.0 & 1 << (m as u64) != 0
    }

    /// The moves that users and other systems may request, in the order of the work; moves that only the engine makes
    /// are left out.
    pub fn open(self) -> impl Iterator<Item = Move> {
        self.iter().filter(|m| {
            !matches!(m, Move::AdoptChild | Move::ReleaseChild | Move::FollowMaster | Move::Offer | Move::EndOffer)
        })
    }

    /// The moves, in the order of the work.
    pub fn iter(self) -> impl Iterator<Item = Move> {
        Move::ALL.iter().copied().filter(move |&m| self.contains(m))
    }
}

impl fmt::Debug for MoveSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(Move::as_str)).finish()
    }
}

/// The moves that are legal in `state`.
#[must_use]
pub fn legal(state: &State) -> MoveSet {
    state.as_ref().map_or_else(|| MoveSet::of(&[Move::Receive]), legal_of)
}

/// The moves that are legal for an existing ticket.
#[must_use]
pub fn legal_of(ticket: &Ticket) -> MoveSet {
    let moves = if ticket.is_child() && !ticket.stage.is_ended() {
        MoveSet::of(&[Move::Unmerge, Move::FollowMaster, Move::Supplement, Move::Urge])
    } else {
        by_stage(ticket)
    };
    // A late report of a crew is accepted in every stage, because it records what happened.
    moves
        .with(Move::Reveal)
        .with_if(!ticket.children.is_empty(), Move::ReleaseChild)
        .with_if(held_by_crew(ticket) || !ticket.former.is_empty(), Move::ReportProgress)
        .with_if(!ticket.offers.is_empty(), Move::AcceptOffer)
        .with_if(!ticket.offers.is_empty(), Move::DeclineOffer)
        .with_if(!ticket.offers.is_empty(), Move::EndOffer)
}

/// The moves of a ticket that is not a child.
fn by_stage(ticket: &Ticket) -> MoveSet {
    let path = ticket.path();
    let intake = MoveSet::of(&[Move::Classify]).with_if(path.first_contact, Move::CloseAtFirstContact);
    match ticket.stage {
        Stage::Received => intake.union(in_flight(ticket)),
        Stage::Classified => {
            intake.union(in_flight(ticket)).with_if(path.dispatch != FirstStop::Nowhere, Move::Dispatch)
        }
        Stage::Dispatched => MoveSet::of(&[Move::Accept, Move::Reassign, Move::Urge])
            .with_if(ticket.holders.len() > 1, Move::Return)
            .union(field(ticket))
            .union(in_flight(ticket)),
        Stage::Accepted => accepted(ticket),
        Stage::Replied => MoveSet::of(&[Move::AuditReply, Move::Supplement, Move::Supervise, Move::Urge])
            .with_if(path.mergeable, Move::AdoptChild),
        Stage::AwaitingRevisit => MoveSet::of(&[Move::Revisit, Move::Supplement, Move::Supervise]),
        Stage::ReadyToClose => {
            MoveSet::of(&[Move::Close, Move::Supplement]).with_if(ticket.is_disputed(), Move::Reopen)
        }
        Stage::Closed => MoveSet::default().with_if(ticket.holders.len() > 1 && path.revisited, Move::Reopen),
        Stage::Withdrawn => MoveSet::default(),
    }
}

/// The moves of an accepted ticket. While it is suspended, moves that belong to the work are not legal.
fn accepted(ticket: &Ticket) -> MoveSet {
    let moves = MoveSet::of(&[
        Move::Dispatch,
        Move::Reassign,
        Move::Contact,
        Move::Reply,
        Move::Suspend,
        Move::Extend,
        Move::Urge,
    ])
    .union(field(ticket))
    .union(in_flight(ticket));
    let moves = if ticket.confidential { moves.without(&[Move::Contact]) } else { moves };
    if ticket.suspended.is_some() {
        moves
            .without(&[
                Move::Dispatch,
                Move::Reassign,
                Move::Offer,
                Move::HandOver,
                Move::Recall,
                Move::Pin,
                Move::Reply,
                Move::Suspend,
                Move::Extend,
                Move::Merge,
            ])
            .with(Move::Resume)
    } else {
        moves
    }
}

/// The moves that are legal beside the work, at any time before the reply.
fn in_flight(ticket: &Ticket) -> MoveSet {
    let path = ticket.path();
    MoveSet::of(&[Move::Supplement, Move::Supervise, Move::Escalate, Move::Withdraw])
        .with_if(path.mergeable, Move::AdoptChild)
        .with_if(path.mergeable && ticket.children.is_empty() && ticket.master.is_none(), Move::Merge)
}

/// The moves that concern a crew, while the ticket is dispatched or accepted. Only a fault repair (故障报修) is offered to
/// crews by the dispatcher; people assign other work on site.
fn field(ticket: &Ticket) -> MoveSet {
    let crewed = held_by_crew(ticket);
    let offered = ticket.business == BusinessType::FaultRepair;
    MoveSet::default()
        .with_if(crewed, Move::HandOver)
        .with_if(crewed, Move::Recall)
        .with_if(offered, Move::Pin)
        .with_if(offered && !crewed && ticket.holders.len() > 1, Move::Offer)
}

/// True when the holder is a crew and the business type has work on site.
pub(super) fn held_by_crew(ticket: &Ticket) -> bool {
    ticket.path().field_work && ticket.holder().is_some_and(|org| org.level() == Level::Crew)
}

impl MoveSet {
    /// The moves in either set.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
