//! The state of a ticket: what decisions need, and no more. `views` folds what people want to see. The state is stored
//! only in files that can be rebuilt: absent fields are left out there, and the form may change with every release.

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
    /// Only the closing remains (待归档).
    ReadyToClose,
    /// Closed (已归档).
    Closed,
    /// Withdrawn by the customer (已撤销).
    Withdrawn,
}

impl Stage {
    /// All stages, in the order of the work.
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

    /// True when the ticket is closed or withdrawn (not in flight, 非在途).
    #[must_use]
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Closed | Self::Withdrawn)
    }
}

/// The progress of the crew (app 状态). It is separate from the ticket's stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CrewProgress {
    /// No crew has the ticket.
    None,
    /// The ticket was assigned to a crew.
    Assigned,
    /// The crew accepted it.
    Accepted,
    /// The crew is on its way.
    EnRoute,
    /// The crew is on site.
    Arrived,
    /// The crew found the cause.
    Diagnosed,
    /// Power is restored.
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

/// The instants of the present crew's steps. A step that the crew reported has the time of the crew's device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CrewWork {
    /// The assignment to the crew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned: Option<Timestamp>,
    /// The crew's acceptance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Timestamp>,
    /// The crew's departure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub en_route: Option<Timestamp>,
    /// The arrival on site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived: Option<Timestamp>,
    /// The diagnosis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosed: Option<Timestamp>,
    /// The restoration of power.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restored: Option<Timestamp>,
    /// The latest estimate of the restoration time (ETR).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etr: Option<Timestamp>,
}

impl CrewWork {
    /// The furthest step reported, whatever the order of the reports.
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

/// The most live offers of one ticket.
pub const OFFERS_LIVE_MAX: usize = 3;
/// The most former crews that are remembered. Beyond it, the crew that lost the ticket longest ago is forgotten.
pub const FORMER_MAX: usize = 16;

/// An offer that may be accepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveOffer {
    /// The offer's id.
    pub offer: OfferId,
    /// The crew that it was made to.
    pub crew: CrewId,
    /// The fence that every command about the offer must carry.
    pub fence: u64,
    /// The instant at which it was made. No answer to it can be earlier.
    pub made: Timestamp,
    /// The end of its lease. The offer stays live until a fact ends it.
    pub lease_until: Timestamp,
    /// True for life safety or an important customer.
    pub priority: bool,
    /// True when a person chose the crew.
    pub forced: bool,
}

/// A crew that held the ticket before, with the steps that it reported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerCrew {
    /// The crew.
    pub crew: OrgPath,
    /// The instant at which it lost the ticket, or of a later reopening.
    pub until: Timestamp,
    /// The steps that it reported.
    pub work: CrewWork,
}

/// A ticket: what decisions need to know of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The present business type; a classification or an escalation may change it.
    pub business: BusinessType,
    /// Its business stage.
    pub stage: Stage,
    /// The instant of the customer's report.
    pub received: Timestamp,
    /// True when the caller's identity is hidden from the handling units.
    pub confidential: bool,
    /// True when the caller is anonymous.
    pub anonymous: bool,
    /// True when there is a phone or account number, so that the customer can be asked.
    pub reachable: bool,
    /// The urgency, as classified or escalated.
    pub urgency: Urgency,
    /// The complaint grade.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
    /// The category accepted at intake. The reply confirms a category and the audit settles one; all three are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_category: Option<Category>,
    /// The category that the reply confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_category: Option<Category>,
    /// The category that the audit settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audited_category: Option<Category>,
    /// The chain of responsible units, from the unit that received the ticket to its present holder. Never empty. From
    /// the second unit on the chain is nested: each unit lies within the one before it. So at most `LEVELS` units
    /// follow the first.
    pub holders: Vec<OrgPath>,
    /// The steps of the present crew.
    pub crew: CrewWork,
    /// The index in `holders` of the next unit that must pass the reply. It counts down to 0.
    pub audit_next: usize,
    /// The number of failed revisit tries in this cycle.
    pub revisit_tries: u16,
    /// The instant of the last failed revisit try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revisit_last: Option<Timestamp>,
    /// The result of the last finished revisit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub satisfaction: Option<Satisfaction>,
    /// The number of urges.
    pub urges: u16,
    /// The instant of the last urge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub urged_last: Option<Timestamp>,
    /// True when the ticket is under supervision (督办).
    pub supervised: bool,
    /// The reason of the suspension; `None` while the work is not suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspended: Option<SuspendReason>,
    /// The end of the last extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extended_until: Option<Timestamp>,
    /// The master; `None` when the ticket is not merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master: Option<TicketId>,
    /// True when the child has taken over its master's outcome. It then continues like any other ticket.
    pub followed: bool,
    /// The children that this ticket adopted.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub children: BTreeSet<TicketId>,
    /// The number of the cycle, from 1. Each reopening adds 1.
    pub cycle: u16,
    /// The live offers, at most [`OFFERS_LIVE_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub offers: Vec<LiveOffer>,
    /// The number of offers made.
    pub attempts: u32,
    /// The offer that the present crew accepted, and the id of the actor that accepted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<(OfferId, String)>,
    /// The crew that a person chose, and the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<(CrewId, Forced)>,
    /// The skills that a crew on site found to be required.
    pub needs: Skills,
    /// The crews that held the ticket before and may still report their steps; at most [`FORMER_MAX`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<FormerCrew>,
}

impl Ticket {
    /// The path of its business type.
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

    /// The former stint of `crew` that a step at `at` belongs to. `None` when the step belongs to the present stint, or
    /// when the crew never had the ticket. A crew that has the ticket again may still report steps of its former stint;
    /// the device's time decides.
    #[must_use]
    pub fn former_stint(&self, crew: &OrgPath, at: Timestamp) -> Option<&FormerCrew> {
        let former = self.former.iter().find(|former| former.crew == *crew)?;
        // `assigned` is `None` when the ticket's present type has no work on site. The step then belongs to the former
        // stint.
        let before = self.crew.assigned.is_none_or(|assigned| at < assigned && at < former.until);
        (self.holder() != Some(crew) || before).then_some(former)
    }

    /// True when the customer must be asked about the result.
    #[must_use]
    pub fn revisit_due(&self) -> bool {
        self.path().revisited && self.reachable && !self.anonymous && !self.confidential
    }

    /// True while the ticket waits for its master's outcome.
    #[must_use]
    pub fn is_child(&self) -> bool {
        self.master.is_some() && !self.followed
    }

    /// True when the last finished revisit found the customer dissatisfied.
    #[must_use]
    pub fn is_disputed(&self) -> bool {
        self.satisfaction == Some(Satisfaction::Dissatisfied)
    }
}
