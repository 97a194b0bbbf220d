//! What the plan is made from: the open jobs and the crews, as far as the choice between them needs it. Plain data, without a
//! clock: every instant in it is the log's or the devices'. How facts become a board is `state.rs`.

use std::collections::BTreeMap;

use switchboard_domain::{
    Timestamp,
    crew::{Absence, Break, CrewId, Forced, OfferId, Point, Skills},
    organisation::OrgPath,
    ticket::{Area, Category, TicketId, Urgency},
};

use crate::{cow_map::CowMap, policy::Weights};

/// All that the planner knows. A copy shares what neither it nor the original changes afterwards.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    /// Tickets that need a crew, or have one that is not done.
    pub jobs: CowMap<TicketId, Job>,
    /// Crews of the roster.
    pub crews: CowMap<CrewId, Crew>,
}

/// A ticket that needs a crew on site.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The ticket.
    pub ticket: TicketId,
    /// Number that people use.
    pub number: String,
    /// The unit that answers for it, above any crew: crews within it may be sent.
    pub holder: OrgPath,
    /// Where; `None` when nobody said.
    pub at: Option<Point>,
    /// Kind of area.
    pub area: Area,
    /// When the customer reported.
    pub reported: Timestamp,
    /// From when on a crew is promised within so many minutes: the report, the appointment, or the reopening.
    pub promised_from: Timestamp,
    /// Not planned before then: it has an appointment.
    pub opens: Option<Timestamp>,
    /// Category as accepted or confirmed.
    pub category: Option<Category>,
    /// Urgency.
    pub urgency: Urgency,
    /// Customers without power, at least 1.
    pub customers: u32,
    /// What makes it weigh more.
    pub concerns: Concerns,
    /// Skills found to be needed on site, beyond those of the category.
    pub needs: Skills,
    /// The crew that a person chose.
    pub pinned: Option<(CrewId, Forced)>,
    /// Crews that declined or let an offer lapse, and until when they are not asked again.
    pub excluded: BTreeMap<CrewId, Timestamp>,
    /// Whether a crew let an offer of it lapse.
    pub lapsed: bool,
    /// The crew that it was offered to last, since a crew had it last.
    pub told: Option<CrewId>,
    /// Crews that had it and lost it, and until when it does not go back to them.
    pub left: BTreeMap<CrewId, Timestamp>,
    /// Offers made so far.
    pub attempts: u32,
    /// Live offers.
    pub offers: Vec<LiveOffer>,
    /// The crew that has it, and how far it is.
    pub crew: Option<Assigned>,
    /// Whether it may be offered: in the hands of a unit, not suspended, not the child of another.
    pub open: bool,
    /// When a crew was last taken off it to be sent elsewhere.
    pub diverted: Option<Timestamp>,
    /// Position of the fact that made it need a crew, or the last that changed whether it does.
    pub because: u64,
}

impl Job {
    /// What its customers and its concerns weigh, together at most `weight_max`.
    #[must_use]
    pub fn weight(&self, weights: &Weights) -> (f64, f64) {
        let customers = f64::from(self.customers.max(1)).min(weights.weight_max);
        let added = [
            (self.concerns.important, weights.important),
            (self.concerns.wire_down, weights.wire_down),
            (self.concerns.pressed, weights.pressed),
            (self.urgency == Urgency::Urgent, weights.urgent),
        ];
        let concern: f64 = added.iter().filter(|(holds, _)| *holds).map(|(_, weight)| weight).sum();
        (customers, concern.min(weights.weight_max - customers).max(0.0))
    }

    /// Whether it needs a crew and none has it, be it too early or not.
    #[must_use]
    pub fn needs_crew(&self) -> bool {
        self.open && self.crew.is_none()
    }
}

/// What makes a job weigh more than its customers do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Concerns {
    /// Danger to life: a wire down.
    pub wire_down: bool,
    /// An important customer (重要客户).
    pub important: bool,
    /// The customer pressed (催办), or a unit above did (督办).
    pub pressed: bool,
}

/// A live offer of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveOffer {
    /// The offer.
    pub offer: OfferId,
    /// To whom.
    pub crew: CrewId,
    /// When its lease ends.
    pub lease_until: Timestamp,
    /// Position of the fact that made it.
    pub because: u64,
}

/// The crew that has a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Assigned {
    /// The crew.
    pub crew: CrewId,
    /// Since when.
    pub since: Timestamp,
    /// On the way since.
    pub en_route: Option<Timestamp>,
    /// On site since.
    pub arrived: Option<Timestamp>,
    /// Power back since: the crew is free, the ticket is not done.
    pub restored: Option<Timestamp>,
    /// The offer that it came by.
    pub offer: Option<OfferId>,
    /// Position of the fact that gave it.
    pub because: u64,
}

/// A crew, as far as the plan needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Crew {
    /// The crew.
    pub id: CrewId,
    /// Home station.
    pub home: Point,
    /// The units whose tickets it works on.
    pub territory: Vec<OrgPath>,
    /// What it can do.
    pub skills: Skills,
    /// The shift that runs.
    pub shift: Option<Shift>,
    /// Why it cannot be sent, while it cannot.
    pub away: Option<Absence>,
    /// Last known position.
    pub at: Point,
    /// When it was last heard of: telemetry, or its last fact.
    pub seen: Timestamp,
    /// The reservation that is live.
    pub reserved: Option<Reserved>,
    /// Tickets that its time is given to, with the position of the fact that gave it.
    pub committed: Vec<(TicketId, u64)>,
    /// Time on site in this shift, in minutes: what fairness is measured by.
    pub worked_minutes: f64,
    /// Position of its last fact.
    pub because: u64,
}

/// A shift that runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    /// Its planned end.
    pub until: Timestamp,
    /// Planned breaks.
    pub breaks: Vec<Break>,
}

/// A live reservation.
#[derive(Clone, Debug, PartialEq)]
pub struct Reserved {
    /// The offer.
    pub offer: OfferId,
    /// The ticket.
    pub ticket: TicketId,
    /// Its fence.
    pub fence: u64,
    /// When the lease ends.
    pub lease_until: Timestamp,
    /// For life safety or an important customer.
    pub priority: bool,
    /// The person who chose the crew.
    pub forced: Option<Forced>,
    /// Position of the fact.
    pub because: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::tests;

    #[test]
    fn concerns_add_up_to_the_most_that_a_ticket_weighs() {
        let weights = Weights::default();
        let mut job = tests::job(1, 0.0);
        assert_eq!(job.weight(&weights), (1.0, 0.0));
        job.concerns = Concerns { wire_down: true, important: true, pressed: true };
        assert_eq!(job.weight(&weights), (1.0, 705.0));
        job.customers = 4_900;
        assert_eq!(job.weight(&weights), (4_900.0, 100.0));
        job.customers = 90_000;
        assert_eq!(job.weight(&weights), (5_000.0, 0.0));
    }
}
