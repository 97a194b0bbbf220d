//! The sentence for a customer who calls about a ticket. It promises nothing that the facts do not support.
//! `catalogue.rs` has the wording.

mod catalogue;

use chrono::FixedOffset;
use switchboard_domain::{
    Timestamp,
    ticket::{BusinessType, CrewProgress, Stage, SuspendReason, Ticket},
};

/// The languages of sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Simplified Chinese.
    Chinese,
    /// English sentences.
    English,
}

/// The state of a ticket, as its caller sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Received, not dispatched yet.
    Registered,
    /// Dispatched to a unit that has not accepted it yet.
    HandedOn,
    /// A unit works on it.
    InWork,
    /// Part of a larger outage that is being repaired.
    PartOfOutage,
    /// Suspended for this reason.
    Waiting(SuspendReason),
    /// A crew has it and has not left yet.
    CrewAssigned,
    /// A crew is on its way.
    CrewEnRoute,
    /// A crew is on site.
    CrewOnSite,
    /// The cause is known.
    CauseKnown,
    /// Power is restored.
    PowerBack,
    /// The work on site is done; there was no outage.
    SiteDone,
    /// Replied; the reply is being audited.
    BeingChecked,
    /// The reply passed; the customer will be revisited.
    RevisitDue,
    /// Ready to be archived.
    Settled,
    /// The ticket is archived.
    Closed,
    /// Withdrawn by the customer.
    Withdrawn,
}

/// The expected restoration of power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Estimate {
    /// At this instant at the latest.
    By(Timestamp),
    /// The estimated instant has passed.
    Passed,
}

/// The sentence about `ticket` at `now`. Estimates are in China Standard Time.
#[must_use]
pub fn sentence(ticket: &Ticket, now: Timestamp, language: Language) -> String {
    catalogue::sentence(Standing::of(ticket), Estimate::of(ticket, now), language)
}

impl Standing {
    /// The standing of `ticket`.
    #[must_use]
    pub fn of(ticket: &Ticket) -> Self {
        match ticket.stage {
            Stage::Closed => Self::Closed,
            Stage::Withdrawn => Self::Withdrawn,
            _ if ticket.is_child() => Self::PartOfOutage,
            Stage::Received | Stage::Classified => Self::Registered,
            Stage::Dispatched | Stage::Accepted => Self::in_work(ticket),
            Stage::Replied => Self::BeingChecked,
            Stage::AwaitingRevisit => Self::RevisitDue,
            Stage::ReadyToClose => Self::Settled,
        }
    }

    fn in_work(ticket: &Ticket) -> Self {
        if let Some(reason) = ticket.suspended {
            return Self::Waiting(reason);
        }
        match ticket.crew.progress() {
            CrewProgress::None if ticket.stage == Stage::Dispatched => Self::HandedOn,
            CrewProgress::None => Self::InWork,
            CrewProgress::Assigned | CrewProgress::Accepted => Self::CrewAssigned,
            CrewProgress::EnRoute => Self::CrewEnRoute,
            CrewProgress::Arrived => Self::CrewOnSite,
            CrewProgress::Diagnosed => Self::CauseKnown,
            CrewProgress::Restored if ticket.business == BusinessType::FaultRepair => Self::PowerBack,
            CrewProgress::Restored => Self::SiteDone,
        }
    }
}

impl Estimate {
    /// The estimate at `now`; `None` once power is restored or the work is over.
    #[must_use]
    pub fn of(ticket: &Ticket, now: Timestamp) -> Option<Self> {
        let working = matches!(ticket.stage, Stage::Dispatched | Stage::Accepted);
        let etr = ticket.crew.etr.filter(|_| working && ticket.crew.restored.is_none())?;
        Some(if etr > now { Self::By(etr) } else { Self::Passed })
    }
}

/// China Standard Time.
fn china() -> Option<FixedOffset> {
    FixedOffset::east_opt(8 * 3600)
}

#[cfg(test)]
mod tests;
