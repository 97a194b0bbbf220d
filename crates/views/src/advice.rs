//! What to tell the one who calls about a ticket: one sentence that promises nothing that the facts do not.
//! The wording is `catalogue.rs`; no language is chosen and no clock is read here.

mod catalogue;

use chrono::FixedOffset;
use switchboard_domain::{
    Timestamp,
    ticket::{BusinessType, CrewProgress, Stage, SuspendReason, Ticket},
};

/// The languages that a caller may be answered in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Chinese as written on the mainland.
    Chinese,
    /// English.
    English,
}

/// Where a ticket stands, as far as its caller is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Taken down, not yet sent to anybody.
    Registered,
    /// Sent to a unit that has not taken it yet.
    HandedOn,
    /// In the hands of a unit.
    InWork,
    /// Part of a larger trouble that is being worked on.
    PartOfOutage,
    /// Waits for this.
    Waiting(SuspendReason),
    /// A crew has it and has not left.
    CrewAssigned,
    /// A crew is on the way.
    CrewEnRoute,
    /// A crew is on site.
    CrewOnSite,
    /// The cause is known.
    CauseKnown,
    /// Power is back.
    PowerBack,
    /// The work on site is done; nobody's power was out.
    SiteDone,
    /// Done, being checked.
    BeingChecked,
    /// Done, the customer will be asked how it went.
    RevisitDue,
    /// Settled, to be filed.
    Settled,
    /// Filed away.
    Closed,
    /// Taken back by the customer.
    Withdrawn,
}

/// What may be said about when power comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Estimate {
    /// By this instant.
    By(Timestamp),
    /// The instant named before has gone by.
    Passed,
}

/// The sentence about `ticket` at `now`, with any estimate in China Standard Time.
#[must_use]
pub fn sentence(ticket: &Ticket, now: Timestamp, language: Language) -> String {
    catalogue::sentence(Standing::of(ticket), Estimate::of(ticket, now), language)
}

impl Standing {
    /// Where `ticket` stands.
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
    /// What may be said at `now`; nothing once power is back or the work is over.
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
