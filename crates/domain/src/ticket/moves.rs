//! Which moves are legal now. The only table of that kind: `decide` consults it first, refusals quote it, screens may show it.

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
            /// Every move.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// The stable name, which is also the call's.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

moves! {
    /// 受理
    Receive = "receive",
    /// 补充
    Supplement = "supplement",
    /// 分类定级
    Classify = "classify",
    /// 办结
    CloseAtFirstContact = "close_at_first_contact",
    /// 派发
    Dispatch = "dispatch",
    /// 接单
    Accept = "accept",
    /// 退单
    Return = "return",
    /// 改派
    Reassign = "reassign",
    /// 抢修进程
    ReportProgress = "report_progress",
    /// 联系客户
    Contact = "contact",
    /// 回单
    Reply = "reply",
    /// 回单审核
    AuditReply = "audit_reply",
    /// 回访
    Revisit = "revisit",
    /// 重新处理
    Reopen = "reopen",
    /// 归档
    Close = "close",
    /// 催办
    Urge = "urge",
    /// 督办
    Supervise = "supervise",
    /// 升级
    Escalate = "escalate",
    /// 挂起
    Suspend = "suspend",
    /// 恢复
    Resume = "resume",
    /// 延期
    Extend = "extend",
    /// 合并
    Merge = "merge",
    /// 取消合并
    Unmerge = "unmerge",
    /// A master takes note of a child.
    AdoptChild = "adopt_child",
    /// A master takes note that a child left.
    ReleaseChild = "release_child",
    /// A child takes over its master's outcome.
    FollowMaster = "follow_master",
    /// 撤销
    Withdraw = "withdraw",
    /// Personal data is shown to somebody, on the record.
    Reveal = "reveal",
    /// The dispatcher offers it to a crew.
    Offer = "offer",
    /// A crew takes an offer.
    AcceptOffer = "accept_offer",
    /// A crew declines an offer (拒单).
    DeclineOffer = "decline_offer",
    /// An offer runs out or is taken back.
    EndOffer = "end_offer",
    /// A crew hands it over to others with the skills it takes.
    HandOver = "hand_over",
    /// A unit above calls the crew back.
    Recall = "recall",
    /// A person says which crew it is for.
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

    /// With one more.
    #[must_use]
    pub fn with(self, m: Move) -> Self {
        Self(self.0 | 1 << (m as u64))
    }

    /// With one more if `condition` holds.
    #[must_use]
    pub fn with_if(self, condition: bool, m: Move) -> Self {
        if condition { self.with(m) } else { self }
    }

    /// Without these.
    #[must_use]
    pub fn without(self, moves: &[Move]) -> Self {
        Self(self.0 & !Self::of(moves).0)
    }

    /// Whether `m` is in it.
    #[must_use]
    pub fn contains(self, m: Move) -> bool {
        self.0 & 1 << (m as u64) != 0
    }

    /// Its moves that people and systems may ask for, in the order of the work: those that the engine makes by itself are left out.
    pub fn open(self) -> impl Iterator<Item = Move> {
        self.iter().filter(|m| {
            !matches!(m, Move::AdoptChild | Move::ReleaseChild | Move::FollowMaster | Move::Offer | Move::EndOffer)
        })
    }

    /// Its moves, in the order of the work.
    pub fn iter(self) -> impl Iterator<Item = Move> {
        Move::ALL.iter().copied().filter(move |&m| self.contains(m))
    }
}

impl fmt::Debug for MoveSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(Move::as_str)).finish()
    }
}

/// The moves that a well-formed command may make from `state`.
#[must_use]
pub fn legal(state: &State) -> MoveSet {
    state.as_ref().map_or_else(|| MoveSet::of(&[Move::Receive]), legal_of)
}

/// The moves that a well-formed command may make from a ticket that exists.
#[must_use]
pub fn legal_of(ticket: &Ticket) -> MoveSet {
    let moves = if ticket.is_child() && !ticket.stage.is_ended() {
        MoveSet::of(&[Move::Unmerge, Move::FollowMaster, Move::Supplement, Move::Urge])
    } else {
        by_stage(ticket)
    };
    // What a crew saw and did is history, whatever became of the ticket since: a late report is never turned away by the stage.
    moves
        .with(Move::Reveal)
        .with_if(!ticket.children.is_empty(), Move::ReleaseChild)
        .with_if(held_by_crew(ticket) || !ticket.former.is_empty(), Move::ReportProgress)
        .with_if(!ticket.offers.is_empty(), Move::AcceptOffer)
        .with_if(!ticket.offers.is_empty(), Move::DeclineOffer)
        .with_if(!ticket.offers.is_empty(), Move::EndOffer)
}

/// The moves of a ticket that stands on its own.
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

/// The moves of a ticket in work; while it is suspended the work itself waits.
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

/// What may happen beside the work at any time before the reply.
fn in_flight(ticket: &Ticket) -> MoveSet {
    let path = ticket.path();
    MoveSet::of(&[Move::Supplement, Move::Supervise, Move::Escalate, Move::Withdraw])
        .with_if(path.mergeable, Move::AdoptChild)
        .with_if(path.mergeable && ticket.children.is_empty() && ticket.master.is_none(), Move::Merge)
}

/// What may be asked for while it is dispatched or in work, and takes a crew. Only a fault (故障报修) is offered to crews; other
/// work on site is given to them by people.
fn field(ticket: &Ticket) -> MoveSet {
    let crewed = held_by_crew(ticket);
    let offered = ticket.business == BusinessType::FaultRepair;
    MoveSet::default()
        .with_if(crewed, Move::HandOver)
        .with_if(crewed, Move::Recall)
        .with_if(offered, Move::Pin)
        .with_if(offered && !crewed && ticket.holders.len() > 1, Move::Offer)
}

/// Whether the present holder is a crew whose work on site counts.
pub(super) fn held_by_crew(ticket: &Ticket) -> bool {
    ticket.path().field_work && ticket.holder().is_some_and(|org| org.level() == Level::Crew)
}

impl MoveSet {
    /// The moves of both sets.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
