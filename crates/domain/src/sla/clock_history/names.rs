//! The names of the facts that clocks depend on, and the words that some facts carry. Policies are written with these
//! names and clock histories are stored with them, so a name never changes its meaning.

use serde::{Deserialize, Serialize};

use crate::ticket::vocabulary::words;

words! {
    /// A fact that a policy can name.
    FactName {
        /// The ticket was received (受理).
        Received = "received",
        /// Category, urgency and grade were set (分类定级).
        Classified = "classified",
        /// Answered and closed during the call (办结).
        ClosedAtFirstContact = "closed_at_first_contact",
        /// Dispatched to a unit or crew (派发, 派工).
        Dispatched = "dispatched",
        /// Accepted by the holder (接单).
        Accepted = "accepted",
        /// Returned one level (退单).
        Returned = "returned",
        /// Moved to another unit (改派).
        Reassigned = "reassigned",
        /// The crew accepted the job (接单).
        CrewAccepted = "crew_accepted",
        /// The crew left for the site.
        CrewEnRoute = "crew_en_route",
        /// The crew arrived on site (到达现场).
        CrewArrived = "crew_arrived",
        /// The crew found the cause (研判).
        CrewDiagnosed = "crew_diagnosed",
        /// The crew estimated when power returns (预计复电时间).
        EtrSet = "etr_set",
        /// Power was restored (修复).
        CrewRestored = "crew_restored",
        /// A contact with the customer was recorded (联系客户).
        Contacted = "contacted",
        /// The work was reported done (回单).
        Replied = "replied",
        /// A unit passed the reply (审核通过).
        ReplyPassed = "reply_passed",
        /// A unit sent the reply back (回退).
        ReplySentBack = "reply_sent_back",
        /// A revisit try failed.
        RevisitAttempted = "revisit_attempted",
        /// The customer was revisited (回访).
        Revisited = "revisited",
        /// The ticket was reopened.
        Reopened = "reopened",
        /// Archived (归档).
        Closed = "closed",
        /// The customer urged it (催办).
        Urged = "urged",
        /// A unit above supervised it (督办).
        Supervised = "supervised",
        /// Type, grade or urgency was raised (升级).
        Escalated = "escalated",
        /// Suspended (挂起).
        Suspended = "suspended",
        /// Resumed (恢复).
        Resumed = "resumed",
        /// The deadline was extended (延期).
        Extended = "extended",
        /// Became a child of a master (合并).
        Merged = "merged",
        /// The child was detached from its master.
        Unmerged = "unmerged",
        /// The child took over the outcome of its master.
        MasterFollowed = "master_followed",
        /// Withdrawn by the customer (撤销).
        Withdrawn = "withdrawn",
    }
}

words! {
    /// The word of a fact that a policy can require: the result of a contact, the reason of a suspension, the result of
    /// a revisit.
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
    /// True when the ticket ends with this fact.
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
