//! What is remembered of a ticket to decide its next move; no more. What people want to see is folded in `views`. It is written
//! down in rows and notes that may be thrown away: what is absent is left out there, and the form may change with every release.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    crew::{CrewId, Forced, OfferId, Skills},
    organisation::OrgPath,
    ticket::{
        TicketId,
        path::{self, Path},
        vocabulary::{BusinessType, Category, Grade, Satisfaction, SuspendReason, Urgency},
    },
};

/// `None` until the ticket is received.
pub type State = Option<Ticket>;

/// A ticket's business stage (工单状态).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Received (已受理), not yet classified.
    Received,
    /// Classified (已分类), waiting for dispatch.
    Classified,
    /// Dispatched (已派单), waiting for its holder to accept.
    Dispatched,
    /// Accepted (已接单), in work.
    Accepted,
    /// Replied (已回复), waiting for audit.
    Replied,
    /// Reply passed, waiting for the revisit (待回访).
    AwaitingRevisit,
    /// Nothing left but to close it (待归档).
    ReadyToClose,
    /// Closed (已归档).
    Closed,
    /// Withdrawn by the customer (已撤销).
    Withdrawn,
}

impl Stage {
    /// All stages in the order of the work.
    pub const ALL: [Self; 9] = [
        Self::Received,
        Self::Classified,
        Self::Dispatched,
        Self::Accepted,
        Self::Replied,
        Self::AwaitingRevisit,
        Self::ReadyToClose,
        Self::Closed,
        Self::Withdrawn,
    ];

    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Classified => "classified",
            Self::Dispatched => "dispatched",
            Self::Accepted => "accepted",
            Self::Replied => "replied",
            Self::AwaitingRevisit => "awaiting_revisit",
            Self::ReadyToClose => "ready_to_close",
            Self::Closed => "closed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Whether nothing more is to be done (not in flight, 非在途).
    #[must_use]
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Closed | Self::Withdrawn)
    }
}

/// How far the crew is (app 状态), apart from the ticket's stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CrewProgress {
    /// No crew has it.
    None,
    /// A crew was given it.
    Assigned,
    /// The crew took it.
    Accepted,
    /// On the way.
    EnRoute,
    /// On site.
    Arrived,
    /// The cause is known.
    Diagnosed,
    /// Power is back.
    Restored,
}

impl CrewProgress {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Assigned => "assigned",
            Self::Accepted => "accepted",
            Self::EnRoute => "en_route",
            Self::Arrived => "arrived",
            Self::Diagnosed => "diagnosed",
            Self::Restored => "restored",
        }
    }
}

/// When the present crew reported what, by its device's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrewWork {
    /// Given to a crew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned: Option<Timestamp>,
    /// Taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Timestamp>,
    /// Left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub en_route: Option<Timestamp>,
    /// On site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived: Option<Timestamp>,
    /// Cause known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosed: Option<Timestamp>,
    /// Power back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Timestamp>,
    /// The standing estimate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etr: Option<Timestamp>,
}

impl CrewWork {
    /// The furthest step reported, whatever the order in which the reports came.
    #[must_use]
    pub fn progress(&self) -> CrewProgress {
        let steps = [
            (self.restored, CrewProgress::Restored),
            (self.diagnosed, CrewProgress::Diagnosed),
            (self.arrived, CrewProgress::Arrived),
            (self.en_route, CrewProgress::EnRoute),
            (self.accepted, CrewProgress::Accepted),
            (self.assigned, CrewProgress::Assigned),
        ];
        steps.into_iter().find(|(at, _)| at.is_some()).map_or(CrewProgress::None, |(_, step)| step)
    }
}

/// The most offers of one ticket that may be live at once.
pub const OFFERS_LIVE_MAX: usize = 3;
/// The most former crews that are remembered; the longest gone is forgotten.
pub const FORMER_MAX: usize = 16;

/// An offer that may be accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveOffer {
    /// Its identity.
    pub offer: OfferId,
    /// To whom it was made.
    pub crew: CrewId,
    /// The fence that whoever speaks about it carries.
    pub fence: u64,
    /// When it was made: no answer to it happened before.
    pub made: Timestamp,
    /// When its lease ends; it stays live until a fact ends it.
    pub lease_until: Timestamp,
    /// For life safety or an important customer.
    pub priority: bool,
    /// Whether a person chose the crew.
    pub forced: bool,
}

/// A crew that had the ticket before, with what it reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerCrew {
    /// The crew.
    pub crew: OrgPath,
    /// When it lost the ticket, or when the ticket was reopened since.
    pub until: Timestamp,
    /// What it reported.
    pub work: CrewWork,
}

/// A ticket, as far as decisions need it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its business type now; an escalation or a re-classification may change it.
    pub business: BusinessType,
    /// Its business stage.
    pub stage: Stage,
    /// When the customer reported.
    pub received: Timestamp,
    /// Whether the one who spoke is hidden.
    pub confidential: bool,
    /// Whether nobody knows who spoke.
    pub anonymous: bool,
    /// Whether there is a phone or an account to ask the customer under.
    pub reachable: bool,
    /// Urgency as classified or escalated.
    pub urgency: Urgency,
    /// Complaint grade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// Category as accepted at intake, confirmed by the reply, settled by the audit: three facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_category: Option<Category>,
    /// Category as the reply confirmed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_category: Option<Category>,
    /// Category as the audit settled it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audited_category: Option<Category>,
    /// Who answers for it, from the unit that received it to its present holder. Never empty; beneath the first, each
    /// lies within the one before, so that there are at most `LEVELS` of them.
    pub holders: Vec<OrgPath>,
    /// The crew's own clock readings.
    pub crew: CrewWork,
    /// The lowest link of `holders` that has not yet passed the reply; counts down to 0.
    pub audit_next: usize,
    /// Failed revisit tries in this cycle.
    pub revisit_tries: u16,
    /// The last of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revisit_last: Option<Timestamp>,
    /// What the last finished revisit brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub satisfaction: Option<Satisfaction>,
    /// Urges so far.
    pub urges: u16,
    /// The last of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urged_last: Option<Timestamp>,
    /// Under supervision (督办).
    pub supervised: bool,
    /// Why the work waits, while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<SuspendReason>,
    /// The last extension granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_until: Option<Timestamp>,
    /// The master, while merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master: Option<TicketId>,
    /// Whether the master's outcome was carried over: the child goes its own way again.
    pub followed: bool,
    /// The children merged into this ticket.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub children: BTreeSet<TicketId>,
    /// 1, and one more with each reopening.
    pub cycle: u16,
    /// Offers that are live: at most [`OFFERS_LIVE_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<LiveOffer>,
    /// Offers made so far.
    pub attempts: u32,
    /// The offer that the present crew accepted, and by which actor it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<(OfferId, String)>,
    /// The crew that a person chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<(CrewId, Forced)>,
    /// The skills that a crew on site found to be needed.
    pub needs: Skills,
    /// Crews that had it before and may still report what they did; the last [`FORMER_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<FormerCrew>,
}

impl Ticket {
    /// The legal path of its business type.
    #[must_use]
    pub fn path(&self) -> Path {
        path::of(self.business)
    }

    /// The unit that received it.
    #[must_use]
    pub fn receiver(&self) -> Option<&OrgPath> {
        self.holders.first()
    }

    /// The unit that holds it now.
    #[must_use]
    pub fn holder(&self) -> Option<&OrgPath> {
        self.holders.last()
    }

    /// The former stint of `crew` that a step at `at` belongs to; `None` when the present one is meant, or the crew never had the
    /// ticket. A crew that has it again may still report late what it did before it lost it: the device's time tells which.
    #[must_use]
    pub fn former_stint(&self, crew: &OrgPath, at: Timestamp) -> Option<&FormerCrew> {
        let former = self.former.iter().find(|former| former.crew == *crew)?;
        // No present stint is work on site once the ticket was classified as something else.
        let before = self.crew.assigned.is_none_or(|assigned| at < assigned && at < former.until);
        (self.holder() != Some(crew) || before).then_some(former)
    }

    /// Whether a person is to be asked how it went.
    #[must_use]
    pub fn revisit_due(&self) -> bool {
        self.path().revisited && self.reachable && !self.anonymous && !self.confidential
    }

    /// Whether it waits for its master's outcome.
    #[must_use]
    pub fn is_child(&self) -> bool {
        self.master.is_some() && !self.followed
    }

    /// Whether the customer's last word was that it is not good.
    #[must_use]
    pub fn is_disputed(&self) -> bool {
        self.satisfaction == Some(Satisfaction::Dissatisfied)
    }
}
