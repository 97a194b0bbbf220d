//! The planner's input: the open jobs and the crews, with the data that the choice of crews needs. It is plain data
//! without a clock: every instant comes from the log or from a device. `state.rs` turns facts into a board.

use std::collections::BTreeMap;

use switchboard_domain::{
    Timestamp,
    crew::{Absence, Break, CrewId, Forced, OfferId, Point, Skills},
    organisation::OrgPath,
    ticket::{Area, Category, TicketId, Urgency},
};

use crate::{cow_map::CowMap, policy::Weights};

/// The planner's input. A copy shares all entries that neither it nor the original changes afterwards.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    /// The open fault repairs, from receipt until the revisit; `Job::open` says which may be offered.
    pub jobs: CowMap<TicketId, Job>,
    /// The enrolled crews, and dismissed crews whose time is still taken.
    pub crews: CowMap<CrewId, Crew>,
}

/// An open fault repair.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// The ticket.
    pub ticket: TicketId,
    /// The number that people use.
    pub number: String,
    /// The last unit in the chain of holders that is no crew. Only crews within it may be sent.
    pub holder: OrgPath,
    /// The position; `None` when unknown.
    pub at: Option<Point>,
    /// The kind of area; urban when unknown.
    pub area: Area,
    /// When the ticket was received.
    pub reported: Timestamp,
    /// The instant from which the arrival promise runs: the report, the appointment, or the reopening.
    pub promised_from: Timestamp,
    /// With an appointment, the instant from which the ticket is planned. `None` without one, after a reopening, and
    /// when a person chose the crew.
    pub opens: Option<Timestamp>,
    /// The category as confirmed in the reply, otherwise as accepted.
    pub category: Option<Category>,
    /// The urgency; a ticket about a wire down is always urgent.
    pub urgency: Urgency,
    /// Customers without power, at least 1.
    pub customers: u32,
    /// The concerns that add to its weight.
    pub concerns: Concerns,
    /// The skills that a crew found necessary on site, in addition to those of the category.
    pub needs: Skills,
    /// The crew that a person chose.
    pub pinned: Option<(CrewId, Forced)>,
    /// Crews that are not asked now, each until this instant: they declined, let an offer expire, or could not be
    /// offered the ticket.
    pub excluded: BTreeMap<CrewId, Timestamp>,
    /// True if any crew let an offer of the ticket expire.
    pub lapsed: bool,
    /// The crew that last got an offer; reset to `None` when a crew gets the ticket.
    pub last_offered_to: Option<CrewId>,
    /// Crews from which the ticket was taken, each until the instant when it may return to the crew.
    pub left: BTreeMap<CrewId, Timestamp>,
    /// The number of offers made so far.
    pub attempts: u32,
    /// The live offers.
    pub offers: Vec<LiveOffer>,
    /// The crew that holds it, with the progress of the work.
    pub crew: Option<Assigned>,
    /// True if the ticket may be offered: a unit above the crews holds it, and it is neither suspended nor a child.
    pub open: bool,
    /// When the dispatcher last recalled a crew from it to send the crew elsewhere.
    pub diverted: Option<Timestamp>,
    /// Position of the ticket's last fact.
    pub because: u64,
}

impl Job {
    /// The weights of its customers and of its concerns; their sum is at most `weight_max`.
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

    /// True if it needs a crew and none holds it. It may still be too early for its appointment.
    #[must_use]
    pub fn needs_crew(&self) -> bool {
        self.open && self.crew.is_none()
    }
}

/// The concerns that add weight to a job's customers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Concerns {
    /// Danger to life: a wire down.
    pub wire_down: bool,
    /// An important customer (重要客户).
    pub important: bool,
    /// The customer urged the ticket (催办), a unit above supervises it (督办), or it was escalated to urgent.
    pub pressed: bool,
}

/// A live offer of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveOffer {
    /// The offer.
    pub offer: OfferId,
    /// The crew that got the offer.
    pub crew: CrewId,
    /// When its lease ends.
    pub lease_until: Timestamp,
    /// Position of the fact that made the offer.
    pub because: u64,
}

/// The crew that holds a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Assigned {
    /// The crew.
    pub crew: CrewId,
    /// When the crew got the ticket.
    pub since: Timestamp,
    /// When the crew departed.
    pub en_route: Option<Timestamp>,
    /// When the crew arrived on site.
    pub arrived: Option<Timestamp>,
    /// When power was restored: the crew's time is free from then on, although the ticket is not done.
    pub restored: Option<Timestamp>,
    /// The offer through which the crew got the ticket; `None` after an assignment by a person.
    pub offer: Option<OfferId>,
    /// Position of the fact that gave the crew the ticket.
    pub because: u64,
}

/// A crew, with the data that the plan needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Crew {
    /// The crew.
    pub id: CrewId,
    /// Home station.
    pub home: Point,
    /// The units whose tickets it works on.
    pub territory: Vec<OrgPath>,
    /// Its skills.
    pub skills: Skills,
    /// The current shift; `None` when off shift or not enrolled.
    pub shift: Option<Shift>,
    /// Why the crew is unavailable; `None` when it is available.
    pub away: Option<Absence>,
    /// The last known position.
    pub at: Point,
    /// The instant of its last sign of activity: telemetry, a fact that it reported, or the start of its shift.
    pub seen: Timestamp,
    /// The live reservation.
    pub reserved: Option<Reserved>,
    /// The tickets that its time is committed to, each with the position of the fact that committed it.
    pub committed: Vec<(TicketId, u64)>,
    /// Time on site in this shift, in minutes; the measure of fairness.
    pub worked_minutes: f64,
    /// Position of the crew's last fact.
    pub because: u64,
}

/// The current shift of a crew.
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
    /// The fence: the revision of the reservation in the crew's stream.
    pub fence: u64,
    /// When the lease ends.
    pub lease_until: Timestamp,
    /// True for an offer of a priority, which has a shorter lease.
    pub priority: bool,
    /// The person who chose the crew.
    pub forced: Option<Forced>,
    /// Position of the fact that made the reservation.
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
