//! The names of the facts that clocks look at, and the words that some of them carry. A policy is written in them, and clock histories
//! are stored in them: a name is never given another meaning. Nothing is read from an event here.

use serde::{Deserialize, Serialize};

use crate::ticket::vocabulary::words;

words! {
    /// A fact that a policy can name.
    FactName {
        /// 受理
        Received = "received",
        /// 分类定级
        Classified = "classified",
        /// 办结
        ClosedAtFirstContact = "closed_at_first_contact",
        /// 派发, 派工
        Dispatched = "dispatched",
        /// 接单
        Accepted = "accepted",
        /// 退单
        Returned = "returned",
        /// 改派
        Reassigned = "reassigned",
        /// The crew took the job.
        CrewAccepted = "crew_accepted",
        /// The crew left.
        CrewEnRoute = "crew_en_route",
        /// 到达现场
        CrewArrived = "crew_arrived",
        /// 研判
        CrewDiagnosed = "crew_diagnosed",
        /// 预计复电时间
        EtrSet = "etr_set",
        /// 修复
        CrewRestored = "crew_restored",
        /// 联系客户
        Contacted = "contacted",
        /// 回单
        Replied = "replied",
        /// 审核通过
        ReplyPassed = "reply_passed",
        /// 回退
        ReplySentBack = "reply_sent_back",
        /// A revisit in vain.
        RevisitAttempted = "revisit_attempted",
        /// 回访
        Revisited = "revisited",
        /// Taken up again.
        Reopened = "reopened",
        /// 归档
        Closed = "closed",
        /// 催办
        Urged = "urged",
        /// 督办
        Supervised = "supervised",
        /// 升级
        Escalated = "escalated",
        /// 挂起
        Suspended = "suspended",
        /// 恢复
        Resumed = "resumed",
        /// 延期
        Extended = "extended",
        /// 合并
        Merged = "merged",
        /// Stands on its own again.
        Unmerged = "unmerged",
        /// Took over its master's outcome.
        MasterFollowed = "master_followed",
        /// 撤销
        Withdrawn = "withdrawn",
    }
}

words! {
    /// The one word of a fact that a policy can ask for: how a contact ended, why work waits, what a revisit brought.
    Word {
        /// Contact: spoken to.
        Reached = "reached",
        /// Contact or revisit: nobody answered.
        Unreachable = "unreachable",
        /// Suspension: waits for the customer.
        Customer = "customer",
        /// Suspension: waits for planned works.
        Works = "works",
        /// Suspension: waits for a third party.
        ThirdParty = "third_party",
        /// Suspension: unsafe weather.
        Weather = "weather",
        /// Return: not this unit's area.
        WrongArea = "wrong_area",
        /// Return: wrong unit.
        WrongUnit = "wrong_unit",
        /// Return: wrong business type.
        WrongType = "wrong_type",
        /// Return: content incomplete.
        Incomplete = "incomplete",
        /// Reply: solved.
        Resolved = "resolved",
        /// Reply: not the supplier's.
        NotOurs = "not_ours",
        /// Reply: explained.
        Explained = "explained",
        /// Audit: the last unit that had to pass the reply did.
        Last = "last",
        /// Audit: a unit passed it, another has to.
        More = "more",
        /// Revisit: very satisfied.
        VerySatisfied = "very_satisfied",
        /// Revisit: satisfied.
        Satisfied = "satisfied",
        /// Revisit: neutral.
        Neutral = "neutral",
        /// Revisit: dissatisfied.
        Dissatisfied = "dissatisfied",
        /// Revisit: a message without answer.
        NoAnswer = "no_answer",
        /// Revisit: declined.
        Refused = "refused",
        /// Escalation: became a complaint.
        Complaint = "complaint",
        /// Escalation: a higher grade.
        Grade = "grade",
        /// Escalation: urgent.
        Urgent = "urgent",
    }
}

impl FactName {
    /// Whether nothing is left to do on the ticket after it.
    #[must_use]
    pub fn ends_the_ticket(self) -> bool {
        matches!(self, Self::Closed | Self::Withdrawn | Self::ClosedAtFirstContact)
    }

    /// The words that this fact can carry.
    #[must_use]
    pub fn words(self) -> &'static [Word] {
        match self {
            Self::Contacted => &[Word::Reached, Word::Unreachable],
            Self::Suspended => &[Word::Customer, Word::Works, Word::ThirdParty, Word::Weather],
            Self::Returned => &[Word::WrongArea, Word::WrongUnit, Word::WrongType, Word::Incomplete],
            Self::Replied => &[Word::Resolved, Word::NotOurs, Word::Explained],
            Self::ReplyPassed => &[Word::Last, Word::More],
            Self::RevisitAttempted => &[Word::NoAnswer, Word::Unreachable],
            Self::Revisited => &[
                Word::VerySatisfied,
                Word::Satisfied,
                Word::Neutral,
                Word::Dissatisfied,
                Word::Refused,
                Word::NoAnswer,
                Word::Unreachable,
            ],
            Self::Escalated => &[Word::Complaint, Word::Grade, Word::Urgent],
            _ => &[],
        }
    }
}
